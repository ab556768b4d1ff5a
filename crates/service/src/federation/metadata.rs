//! What providers publish about themselves: discovery documents and keys, cached with bounds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Deserialize;
use tokio::sync::OnceCell;
use url::Url;
use vestibule_crypto::jwk::VerifyingKey;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::time::{Span, Timestamp};

use super::kept::Tokens;
use crate::env::Site;
use crate::ports::outbound::OutboundRequest;

/// How long a document is believed.
const FRESH: Span = Span::hours(1);
/// A key that is not there is looked for again at most this often (security.md RP10).
const KEYS_AGAIN: Span = Span::minutes(1);
/// Providers that are remembered; an administrator's configuration has far fewer.
const REMEMBERED: usize = 10_000;

/// Where a provider says what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The issuer that the document must name, exactly.
    pub issuer: String,
    /// The document's address.
    pub address: String,
}

impl Source {
    /// Two issuers at one address are not one provider, and neither is an issuer at two.
    fn key(&self) -> String {
        format!("{} {}", self.issuer, self.address)
    }
}

/// The parts of a discovery document that a sign-in needs.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Exactly as configured.
    pub issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    pub userinfo_endpoint: Option<Url>,
    pub end_session_endpoint: Option<Url>,
    pub pushed_authorization_request_endpoint: Option<Url>,
    /// `require_pushed_authorization_requests` (RFC 9126).
    pub demands_pushed_requests: bool,
    /// `authorization_response_iss_parameter_supported` (RFC 9207).
    pub sends_iss: bool,
    /// `token_endpoint_auth_signing_alg_values_supported`; empty when it is not told.
    pub assertion_algorithms: Vec<String>,
    key: String,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    userinfo_endpoint: Option<Url>,
    end_session_endpoint: Option<Url>,
    pushed_authorization_request_endpoint: Option<Url>,
    #[serde(default)]
    require_pushed_authorization_requests: bool,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    token_endpoint_auth_signing_alg_values_supported: Vec<String>,
}

/// Everything that is known of providers, by source.
#[derive(Default)]
pub struct Providers {
    known: RwLock<HashMap<String, Known>>,
    discoveries: Flights<Arc<Metadata>>,
    key_sets: Flights<Arc<Vec<VerifyingKey>>>,
    /// Tokens on their way to being renewed, by session: a refresh token may be good once.
    pub(super) renewals: Flights<Arc<Tokens>>,
}

/// Questions on their way. A crowd that arrives together asks once and shares the answer, a failure too:
/// nobody waits for the time limits of those before them (security.md RP10).
pub(crate) struct Flights<T>(Mutex<HashMap<String, Arc<OnceCell<Outcome<T>>>>>);

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Flights<T> {
    /// Asks, or waits for whoever asks already. When the asker goes away, somebody who waits takes over.
    pub(crate) async fn join(&self, key: &str, ask: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        let flight = Arc::clone(self.lock().entry(key.to_owned()).or_default());
        let answer = flight.get_or_init(|| ask).await.clone();
        let mut all = self.lock();
        if all.get(key).is_some_and(|current| Arc::ptr_eq(current, &flight)) {
            all.remove(key);
        }
        answer
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<OnceCell<Outcome<T>>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
struct Known {
    metadata: Arc<Metadata>,
    read_at: Timestamp,
    keys: Option<Keys>,
}

/// What a provider publishes to verify its tokens with.
#[derive(Clone)]
struct Keys {
    set: Arc<Vec<VerifyingKey>>,
    read_at: Timestamp,
    /// When a key that was not among them was last looked for.
    looked_at: Option<Timestamp>,
}

impl Keys {
    /// Whether a key that is not among them may be looked for. A set that was read a moment ago may be old already:
    /// providers change their keys at any moment.
    fn may_look_again(&self, now: Timestamp) -> bool {
        self.looked_at.is_none_or(|at| now.since(at) >= KEYS_AGAIN)
    }
}

impl Providers {
    /// What is known of a provider without asking it.
    pub fn known(&self, source: &Source) -> Option<Arc<Metadata>> {
        self.look_up(&source.key()).map(|k| k.metadata)
    }

    /// The provider's metadata, read from it when there is none or it is old.
    pub async fn metadata(&self, site: &Site, source: &Source, now: Timestamp) -> Outcome<Arc<Metadata>> {
        let key = source.key();
        if let Some(known) = self.look_up(&key).filter(|k| now.since(k.read_at) < FRESH) {
            return Ok(known.metadata);
        }
        let ask = async {
            let metadata = Arc::new(discover(site, source).await?);
            let keys = self.look_up(&key).and_then(|k| k.keys);
            self.remember(&key, Known { metadata: Arc::clone(&metadata), read_at: now, keys });
            Ok(metadata)
        };
        self.discoveries.join(&key, ask).await
    }

    /// The provider's keys; read again when `kid` is not among them, but not more often than once a minute.
    pub async fn keys_for(
        &self,
        site: &Site,
        metadata: &Metadata,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Outcome<Arc<Vec<VerifyingKey>>> {
        let Some(keys) = self.look_up(&metadata.key).and_then(|k| k.keys) else {
            return self.read_keys(site, metadata, now).await;
        };
        if !kid.is_none_or(|kid| keys.set.iter().any(|k| k.kid() == Some(kid))) {
            return self.keys_again(site, metadata, now).await;
        }
        if now.since(keys.read_at) < FRESH {
            return Ok(keys.set);
        }
        self.read_keys(site, metadata, now).await
    }

    /// The provider's keys, read again unless that was done within the last minute: for a token whose key is not
    /// among them, or that does not name its key and fits none.
    pub async fn keys_again(
        &self,
        site: &Site,
        metadata: &Metadata,
        now: Timestamp,
    ) -> Outcome<Arc<Vec<VerifyingKey>>> {
        if let Some(known) = self.look_up(&metadata.key)
            && let Some(keys) = known.keys.clone()
        {
            if !keys.may_look_again(now) {
                return Ok(keys.set);
            }
            let keys = Some(Keys { looked_at: Some(now), ..keys });
            self.remember(&metadata.key, Known { keys, ..known });
        }
        self.read_keys(site, metadata, now).await
    }

    async fn read_keys(
        &self,
        site: &Site,
        metadata: &Metadata,
        now: Timestamp,
    ) -> Outcome<Arc<Vec<VerifyingKey>>> {
        let ask = async {
            let response = site.env.outbound.send(OutboundRequest::get(metadata.jwks_uri.clone())).await?;
            if !response.is_success() {
                return Err(Fault::upstream(format!("the provider's keys answered {}", response.status)));
            }
            let set = Arc::new(VerifyingKey::set(&response.body)?);
            if let Some(known) = self.look_up(&metadata.key) {
                let looked_at = known.keys.as_ref().and_then(|keys| keys.looked_at);
                let keys = Some(Keys { set: Arc::clone(&set), read_at: now, looked_at });
                self.remember(&metadata.key, Known { keys, ..known });
            }
            Ok(set)
        };
        self.key_sets.join(&metadata.key, ask).await
    }

    fn look_up(&self, key: &str) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn remember(&self, key: &str, known: Known) {
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED && !all.contains_key(key) {
            let oldest = all.iter().min_by_key(|(_, known)| known.read_at).map(|(key, _)| key.clone());
            oldest.and_then(|key| all.remove(&key));
        }
        all.insert(key.to_owned(), known);
    }
}

async fn discover(site: &Site, source: &Source) -> Outcome<Metadata> {
    let url =
        Url::parse(&source.address).map_err(|e| Fault::upstream(format!("the issuer is no address: {e}")))?;
    let response = site.env.outbound.send(OutboundRequest::get(url)).await?;
    if !response.is_success() {
        return Err(Fault::upstream(format!("discovery answered {}", response.status)));
    }
    Metadata::read(source, &response.body)
}

impl Metadata {
    /// Reads a discovery document.
    pub(super) fn read(source: &Source, body: &[u8]) -> Outcome<Self> {
        let (issuer, key) = (&source.issuer, source.key());
        let document: Document = serde_json::from_slice(body)
            .map_err(|e| Fault::upstream(format!("the discovery document cannot be used: {e}")))?;
        // RP7: whoever answers for another issuer answers for none.
        if document.issuer != *issuer {
            return Err(Fault::upstream(format!(
                "the discovery document is of {}",
                document.issuer.escape_debug()
            )));
        }
        let endpoints = [
            Some(&document.authorization_endpoint),
            Some(&document.token_endpoint),
            Some(&document.jwks_uri),
            document.userinfo_endpoint.as_ref(),
            document.end_session_endpoint.as_ref(),
            document.pushed_authorization_request_endpoint.as_ref(),
        ];
        if !endpoints.into_iter().flatten().all(|endpoint| is_as_safe_as(issuer, endpoint)) {
            return Err(Fault::upstream("an endpoint in the discovery document is not on https"));
        }
        Ok(Self {
            issuer: document.issuer,
            authorization_endpoint: document.authorization_endpoint,
            token_endpoint: document.token_endpoint,
            jwks_uri: document.jwks_uri,
            userinfo_endpoint: document.userinfo_endpoint,
            end_session_endpoint: document.end_session_endpoint,
            pushed_authorization_request_endpoint: document.pushed_authorization_request_endpoint,
            demands_pushed_requests: document.require_pushed_authorization_requests,
            sends_iss: document.authorization_response_iss_parameter_supported,
            assertion_algorithms: document.token_endpoint_auth_signing_alg_values_supported,
            key,
        })
    }
}

/// RP8: a provider on TLS leads nobody's browser or secret out of it, and no provider leads to a scheme that
/// is no web address at all.
pub(crate) fn is_as_safe_as(issuer: &str, endpoint: &Url) -> bool {
    endpoint.scheme() == "https" || (issuer.starts_with("http:") && endpoint.scheme() == "http")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_on_tls_when_its_issuer_is() {
        let safe = |issuer, endpoint| is_as_safe_as(issuer, &Url::parse(endpoint).unwrap());
        assert!(safe("https://idp.example", "https://login.idp.example/authorize"));
        assert!(safe("http://localhost:8080/t/v2.0", "http://localhost:8080/authorize"));
        for hostile in ["http://idp.example/authorize", "javascript:alert(1)", "file:///etc/passwd"] {
            assert!(!safe("https://idp.example", hostile), "{hostile}");
        }
        assert!(!safe("http://localhost:8080", "javascript:alert(1)"));
    }
}
