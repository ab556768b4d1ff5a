//! What every use case gets: ports, storage, keys and settings.

use std::sync::Arc;

use tokio::sync::Notify;
use uuid::Uuid;
use vestibule_crypto::password::HashPool;
use vestibule_crypto::seal::SealingKey;
use vestibule_rules::directory::lifetimes::Lives;
use vestibule_rules::fault::Outcome;
use vestibule_rules::oauth::token::ABSOLUTE;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::db::Db;

use crate::directory::snapshot::Directory;
use crate::discovery::Documents;
use crate::federation::health::Health;
use crate::federation::metadata::Providers;
use crate::key_sets::KeySets;
use crate::keys::Keyring;
use crate::mail::LetterWriter;
use crate::ports::clock::Clock;
use crate::ports::entropy::Entropy;
use crate::ports::outbound::Outbound;
use crate::ports::txt::TxtRecords;

/// One running server.
pub struct Site {
    pub env: Env,
    /// The configuration of every tenant, swapped whole when a change commits.
    pub directory: Directory,
    pub keyring: Keyring,
    pub documents: Documents,
    pub settings: Settings,
    /// Puts mails into words.
    pub letters: Arc<dyn LetterWriter>,
    /// What identity providers publish about themselves.
    pub providers: Providers,
    /// What applications and their workloads' platforms publish to be recognised by.
    pub key_sets: KeySets,
    /// How sign-ins by them go, as far as it is not written yet.
    pub provider_health: Health,
    /// Wakes the delivery of mail.
    pub mail_waiting: Notify,
    /// Wakes the telling of apps that a session ended.
    pub notices_waiting: Notify,
}

/// The ports to the world.
#[derive(Clone)]
pub struct Env {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub outbound: Arc<dyn Outbound>,
    pub txt: Arc<dyn TxtRecords>,
    pub db: Db,
    pub sealing: Arc<SealingKey>,
    pub hashing: Arc<HashPool>,
    pub derived: Arc<DerivedKeys>,
}

/// Keys for one purpose each, derived from the sealing key.
pub struct DerivedKeys {
    /// Digests of one-time codes.
    pub code: [u8; 32],
    /// `state`, `nonce` and PKCE verifier of a departure to a provider.
    pub federation: [u8; 32],
    /// CSRF tokens of pages.
    pub page: [u8; 32],
    /// `sub` per application.
    pub pairwise: [u8; 32],
    /// Links to try a provider by, and `state`, `nonce` and PKCE verifier of such a trial.
    pub trial: [u8; 32],
    /// The nonces of DPoP proofs.
    pub dpop: [u8; 32],
}

/// Settings that use cases read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Public addresses of the listeners, such as `https://localhost:8443`, without a slash at the end. The
    /// first is what `{origin}` stands for in a provider's issuer.
    pub origins: Vec<String>,
    pub codes: CodeLimits,
    pub lifetimes: Lifetimes,
}

/// Limits on one-time codes (sign-up.md 2.3, security.md U7).
#[derive(Clone, Copy, Debug)]
pub struct CodeLimits {
    /// Wait before the first resend; doubled for each further one.
    pub resend_after: Span,
    pub per_address_hour: i64,
    pub per_address_day: i64,
    pub per_source_hour: i64,
}

/// How long things live.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    pub journey: Span,
    pub authorization_code: Span,
    pub access_token: Span,
    pub id_token: Span,
    pub refresh_token: Span,
    /// Refresh tokens of single-page apps, never extended (native-auth-and-msal.md 4.3).
    pub spa_refresh_token: Span,
    /// A session of somebody who did not choose to stay signed in.
    pub session: Span,
    pub persistent_session: Span,
    /// The stages of a journey, from its beginning on.
    pub funnel: Span,
}

impl Lifetimes {
    /// What holds where neither tenant nor application says something else.
    pub const fn lives(&self) -> Lives {
        Lives {
            access_token: self.access_token,
            id_token: self.id_token,
            idle: self.refresh_token,
            absolute: ABSOLUTE,
        }
    }
}

impl Default for CodeLimits {
    fn default() -> Self {
        Self {
            resend_after: Span::seconds(30),
            per_address_hour: 5,
            per_address_day: 10,
            per_source_hour: 300,
        }
    }
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            journey: Span::minutes(60),
            authorization_code: Span::minutes(5),
            access_token: Span::minutes(60),
            id_token: Span::minutes(60),
            refresh_token: Span::days(90),
            spa_refresh_token: Span::hours(24),
            session: Span::hours(24),
            persistent_session: Span::days(90),
            funnel: Span::days(90),
        }
    }
}

impl DerivedKeys {
    /// Derives every key from the sealing key.
    pub fn new(sealing: &SealingKey) -> Outcome<Self> {
        Ok(Self {
            code: sealing.derive("one-time code")?,
            federation: sealing.derive("federation")?,
            page: sealing.derive("page")?,
            pairwise: sealing.derive("pairwise subject")?,
            trial: sealing.derive("provider trial")?,
            dpop: sealing.derive("dpop nonce")?,
        })
    }
}

impl Env {
    /// The instant of this request or job: read once and handed down.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// `N` random bytes from the operating system.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// A random GUID.
    pub fn guid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random()).into_uuid()
    }

    /// A key in time order for rows that are listed by age.
    pub fn order_key(&self, now: Timestamp) -> String {
        vestibule_store::migrate::order_key(now, self.random())
    }
}
