//! Limits per address, source and account. Counters are in the database: a restart does not reset them and
//! all nodes share them (security.md A14).

use vestibule_crypto::digest;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::WriteTx;
use vestibule_store::throttle::{self, Bucket};

use crate::env::Env;

/// A limit that one act spends.
#[derive(Clone, Debug)]
pub struct Limit {
    name: String,
    window: Span,
    most: i64,
}

impl Limit {
    /// A limit on `what` for one `whom`, which is digested: counters hold no personal data.
    pub fn new(env: &Env, what: &str, whom: &str, window: Span, limit: i64) -> Self {
        let whom = digest::base64url(&digest::hmac_parts(&env.derived.code, &[b"throttle", whom.as_bytes()]));
        Self { name: format!("{what}:{whom}"), window, most: limit }
    }

    /// Spends from every limit or from none.
    pub async fn spend_all(
        tx: &mut WriteTx,
        tenant: TenantId,
        limits: &[Self],
        now: Timestamp,
    ) -> Outcome<()> {
        for limit in limits {
            let bucket = Bucket { name: &limit.name, window: limit.window, limit: limit.most };
            if let Err(wait) = throttle::spend(tx, tenant, &bucket, now).await? {
                // The fault rolls the transaction back, and with it what was spent so far.
                return Err(Fault::throttled(wait).about(&limit.name));
            }
        }
        Ok(())
    }

    /// Spends in a transaction of its own; the time to wait when a limit is reached.
    pub async fn spend(
        env: &Env,
        tenant: TenantId,
        limits: Vec<Self>,
        now: Timestamp,
    ) -> Outcome<Result<(), Span>> {
        let limits = std::sync::Arc::new(limits);
        let spent = env
            .db
            .write(move |tx| {
                let limits = std::sync::Arc::clone(&limits);
                Box::pin(async move { Self::spend_all(tx, tenant, &limits, now).await })
            })
            .await;
        match spent {
            Ok(()) => Ok(Ok(())),
            Err(Fault { kind: Kind::Throttled(wait), .. }) => Ok(Err(wait)),
            Err(fault) => Err(fault),
        }
    }

    /// How long to wait when the limit is reached. Nothing is spent.
    pub async fn wait(&self, env: &Env, tenant: TenantId, now: Timestamp) -> Outcome<Option<Span>> {
        let bucket = Bucket { name: &self.name, window: self.window, limit: self.most };
        throttle::wait(&mut env.db.glance().await?, tenant, &bucket, now).await
    }

    /// Gives back what one act spent that turned out not to count.
    pub async fn give_back(&self, tx: &mut WriteTx, tenant: TenantId) -> Outcome<()> {
        throttle::give_back(tx, tenant, &self.name).await
    }

    /// Forgets what was spent, after a success.
    pub async fn reset(&self, tx: &mut WriteTx, tenant: TenantId) -> Outcome<()> {
        throttle::reset(tx, tenant, &self.name).await
    }
}
