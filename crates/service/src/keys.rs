//! The keys that sign a tenant's tokens: the one in use and the next, both published, so that a rotation
//! finds every application prepared (native-auth-and-msal.md R10, security.md S90).
//!
//! Keys are made when a tenant needs its first, off the async threads and once: requests that come meanwhile
//! wait for the same keys, and of two nodes that make keys at once both take those that were stored first.
//! They are opened and parsed once per process.

pub mod rotation;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures_util::future;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};
use vestibule_crypto::jws::{self, Expected, Refusal, Typ, Verified};
use vestibule_crypto::keyring::{PublicJwk, SigningKey};
use vestibule_crypto::seal::SealingKey;
use vestibule_rules::directory::tenant::Tokens;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::TenantId;
use vestibule_rules::oauth::signing::SigningAlgorithm;
use vestibule_rules::text::Secret;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::keys::{self, KeyRow};
use vestibule_store::tenants;

use crate::env::Env;

/// How long the first key signs before the next, which is published from the beginning, takes over.
const FIRST_PERIOD: Span = Span::days(90);

/// Every tenant's keys.
#[derive(Default)]
pub struct Keyring {
    tenants: RwLock<HashMap<TenantId, Arc<OnceCell<Arc<TenantKeys>>>>>,
    /// The mark of the last change that was seen.
    mark: Mutex<Option<String>>,
}

/// The keys of one tenant, parsed.
pub struct TenantKeys {
    /// In the order in which they begin to sign.
    keys: Vec<(Timestamp, SigningKey)>,
    verifying: Vec<VerifyingKey>,
    /// The published document for each issuer that was asked for: there is one per listener.
    documents: RwLock<HashMap<String, Arc<[u8]>>>,
}

impl Keyring {
    /// The keys of a tenant, made if there are none.
    pub async fn of(&self, env: &Env, tenant: TenantId) -> Outcome<Arc<TenantKeys>> {
        let cell = self.cell(tenant);
        cell.get_or_try_init(|| load_or_make(env, tenant)).await.cloned()
    }

    /// Makes or reads the keys of several tenants at once. A server calls it in the background when it
    /// starts, so that the first token does not wait for it.
    pub async fn prepare(&self, env: &Env, tenants: impl IntoIterator<Item = TenantId>) -> Outcome<()> {
        let all = tenants.into_iter().map(|tenant| self.of(env, tenant));
        future::try_join_all(all).await.map(drop)
    }

    /// Forgets what was read when the stored keys changed, here or on another node.
    pub async fn poll(&self, env: &Env) -> Outcome<()> {
        let mark = rotation::mark(env).await?;
        let mut seen = self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen != mark {
            *seen = mark;
            self.tenants.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
        Ok(())
    }

    /// Signs claims with the tenant's current key.
    pub async fn sign(&self, env: &Env, tenant: TenantId, claims: &Value, now: Timestamp) -> Outcome<String> {
        self.sign_typed(env, tenant, claims, ("JWT", now)).await
    }

    /// Signs claims that are no token of the usual kind: `typ` says what they are (RFC 8725 §3.11).
    pub async fn sign_typed(
        &self,
        env: &Env,
        tenant: TenantId,
        claims: &Value,
        (typ, now): (&str, Timestamp),
    ) -> Outcome<String> {
        self.of(env, tenant).await?.current(now)?.sign(claims, typ)
    }

    /// The key set that a tenant publishes, with the issuer at each key.
    pub async fn jwks(&self, env: &Env, tenant: TenantId, issuer: &str) -> Outcome<Arc<[u8]>> {
        self.of(env, tenant).await?.document(issuer)
    }

    /// The claims of a token that this server signed for the tenant. Only the signature is checked.
    pub async fn verify_own(
        &self,
        env: &Env,
        tenant: TenantId,
        token: &str,
    ) -> Outcome<Result<Map<String, Value>, Refusal>> {
        let keys = self.of(env, tenant).await?;
        Ok(keys.verify(token, Typ::OneOf(&["JWT"])).map(|verified| verified.claims))
    }

    /// The algorithm by which this server signed a token of whatever type for the tenant.
    pub async fn verify_any(
        &self,
        env: &Env,
        tenant: TenantId,
        token: &str,
    ) -> Outcome<Result<&'static str, Refusal>> {
        let keys = self.of(env, tenant).await?;
        Ok(keys.verify(token, Typ::Any).map(|verified| verified.algorithm.name()))
    }

    /// The algorithms that the tenant signs with now and will sign with next, each once.
    pub async fn algorithms(
        &self,
        env: &Env,
        tenant: TenantId,
        now: Timestamp,
    ) -> Outcome<Vec<SigningAlgorithm>> {
        Ok(self.of(env, tenant).await?.algorithms(now))
    }

    fn cell(&self, tenant: TenantId) -> Arc<OnceCell<Arc<TenantKeys>>> {
        let known = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        known.unwrap_or_else(|| {
            let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(tenants.entry(tenant).or_default())
        })
    }
}

impl TenantKeys {
    fn open(rows: Vec<KeyRow>, sealing: &SealingKey, tenant: TenantId) -> Outcome<Self> {
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            let algorithm = SigningAlgorithm::parse(&row.algorithm)
                .ok_or_else(|| Fault::ours(format!("signing_key.algorithm: {}", row.algorithm)))?;
            let private = Secret::new(sealing.open(&place(tenant, &row.kid), &row.sealed_private)?);
            keys.push((row.active_from, SigningKey::import(algorithm, &private, &row.certificate)?));
        }
        let verifying = keys.iter().map(|(_, key)| key.verifying_key().clone()).collect();
        Ok(Self { keys, verifying, documents: RwLock::default() })
    }

    /// Every key verifies with its own algorithm only, so the header chooses a key and nothing else (S61).
    fn verify(&self, token: &str, typ: Typ<'_>) -> Result<Verified, Refusal> {
        let algorithms = SigningAlgorithm::ALL.map(Algorithm::from);
        jws::verify(token, &self.verifying, &Expected { algorithms: &algorithms, typ })
    }

    /// The key that signs now: the youngest whose time has come.
    pub fn current(&self, now: Timestamp) -> Outcome<&SigningKey> {
        let key = self.keys.get(self.place_of_current(now));
        key.map(|(_, key)| key).ok_or_else(|| Fault::ours("the tenant has no signing key"))
    }

    fn place_of_current(&self, now: Timestamp) -> usize {
        self.keys.iter().rposition(|(from, _)| *from <= now).unwrap_or_default()
    }

    fn algorithms(&self, now: Timestamp) -> Vec<SigningAlgorithm> {
        let mut all = Vec::new();
        for (_, key) in self.keys.iter().skip(self.place_of_current(now)) {
            if !all.contains(&key.algorithm()) {
                all.push(key.algorithm());
            }
        }
        all
    }

    fn document(&self, issuer: &str) -> Outcome<Arc<[u8]>> {
        let known = self.documents.read().unwrap_or_else(PoisonError::into_inner).get(issuer).cloned();
        if let Some(document) = known {
            return Ok(document);
        }
        let jwks: Vec<PublicJwk> =
            self.keys.iter().map(|(_, key)| key.jwk().clone().with_issuer(issuer)).collect();
        let bytes: Arc<[u8]> = serde_json::to_vec(&json!({"keys": jwks}))
            .map_err(|error| Fault::ours(format!("the key set cannot be written: {error}")))?
            .into();
        self.documents
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(issuer.to_owned(), Arc::clone(&bytes));
        Ok(bytes)
    }
}

async fn load_or_make(env: &Env, tenant: TenantId) -> Outcome<Arc<TenantKeys>> {
    let mut rows = list(env, tenant).await?;
    if rows.is_empty() {
        make(env, tenant).await?;
        rows = list(env, tenant).await?;
    }
    let sealing = Arc::clone(&env.sealing);
    off_thread(move || TenantKeys::open(rows, &sealing, tenant)).await.map(Arc::new)
}

/// The part of a tenant that keys are about.
#[derive(Deserialize)]
struct TokensOfTenant {
    #[serde(default)]
    tokens: Tokens,
}

/// What the tenant's configuration says that new keys are for. It is read where every node and command sees the same.
async fn wanted(env: &Env, tenant: TenantId) -> Outcome<SigningAlgorithm> {
    let row = tenants::find(&mut env.db.read().await?, tenant).await?;
    let row = row.ok_or_else(|| Fault::missing("tenant", format!("tenant {tenant} does not exist")))?;
    let unreadable = |error| Fault::ours(format!("tenant.doc: {error}"));
    let part: TokensOfTenant = serde_json::from_str(&row.doc).map_err(unreadable)?;
    Ok(part.tokens.signing_algorithm)
}

async fn list(env: &Env, tenant: TenantId) -> Outcome<Vec<KeyRow>> {
    keys::list(&mut env.db.read().await?, tenant).await
}

/// Makes the current key and the next one. When another node was first, its keys stay and these are
/// dropped.
async fn make(env: &Env, tenant: TenantId) -> Outcome<()> {
    let algorithm = wanted(env, tenant).await?;
    let made = (new_row(env, tenant, algorithm), new_row(env, tenant, algorithm));
    let (first, next) = future::try_join(made.0, made.1).await?;
    let next = KeyRow { active_from: first.active_from + FIRST_PERIOD, ..next };
    env.db
        .write(move |tx| {
            let (first, next) = (first.clone(), next.clone());
            Box::pin(async move {
                if keys::insert_first(tx, tenant, &first).await? {
                    keys::insert(tx, tenant, &next).await?;
                }
                Ok(())
            })
        })
        .await
}

/// A fresh key that signs from now on.
async fn new_row(env: &Env, tenant: TenantId, algorithm: SigningAlgorithm) -> Outcome<KeyRow> {
    let (now, sealing) = (env.now(), Arc::clone(&env.sealing));
    off_thread(move || {
        let key = SigningKey::generate_for(algorithm, &tenant.to_string(), now)?;
        sealed(&key, &sealing, tenant, now)
    })
    .await
}

fn sealed(key: &SigningKey, sealing: &SealingKey, tenant: TenantId, now: Timestamp) -> Outcome<KeyRow> {
    let public_jwk = serde_json::to_string(key.jwk())
        .map_err(|error| Fault::ours(format!("the public key cannot be written: {error}")))?;
    Ok(KeyRow {
        kid: key.kid().to_owned(),
        algorithm: key.algorithm().as_str().to_owned(),
        sealed_private: sealing.seal(&place(tenant, key.kid()), key.pkcs8()?.expose())?,
        certificate: key.certificate().to_vec(),
        public_jwk,
        created_at: now,
        active_from: now,
        retire_at: None,
    })
}

/// Where a private key is stored; it opens nowhere else.
fn place(tenant: TenantId, kid: &str) -> String {
    format!("signing_key|{tenant}|{kid}")
}

/// Making a key takes tenths of a second, parsing one takes milliseconds.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Outcome<T> {
    spawn_blocking(work).await.map_err(|error| Fault::ours(format!("work on keys ended: {error}")))?
}
