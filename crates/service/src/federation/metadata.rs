//! What providers publish about themselves: discovery documents and keys, cached with bounds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Deserialize;
use tokio::sync::OnceCell;
use url::Url;
use vestibule_crypto::jwk::VerifyingKey;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::time::{Span, Timestamp};

use crate::env::Site;
use crate::ports::outbound::OutboundRequest;

/// How long a document is believed.
const FRESH: Span = Span::hours(1);
/// A key that is not there is looked for again at most this often (security.md RP10).
const KEYS_AGAIN: Span = Span::minutes(1);
/// Providers that are remembered; an administrator's configuration has far fewer.
const REMEMBERED: usize = 1_000;

/// The parts of a discovery document that a sign-in needs.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Exactly as configured.
    pub issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    /// `authorization_response_iss_parameter_supported` (RFC 9207).
    pub sends_iss: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Everything that is known of providers, by issuer.
#[derive(Default)]
pub struct Providers {
    known: RwLock<HashMap<String, Known>>,
    discoveries: Flights<Arc<Metadata>>,
    key_sets: Flights<Arc<Vec<VerifyingKey>>>,
}

/// Questions on their way. A crowd that arrives together asks once and shares the answer, a failure too:
/// nobody waits for the time limits of those before them (security.md RP10).
struct Flights<T>(Mutex<HashMap<String, Arc<OnceCell<Outcome<T>>>>>);

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Flights<T> {
    /// Asks, or waits for whoever asks already. When the asker goes away, somebody who waits takes over.
    async fn join(&self, issuer: &str, ask: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        let flight = Arc::clone(self.lock().entry(issuer.to_owned()).or_default());
        let answer = flight.get_or_init(|| ask).await.clone();
        let mut all = self.lock();
        if all.get(issuer).is_some_and(|current| Arc::ptr_eq(current, &flight)) {
            all.remove(issuer);
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
    keys: Option<(Arc<Vec<VerifyingKey>>, Timestamp)>,
}

impl Providers {
    /// What is known of a provider without asking it.
    pub fn known(&self, issuer: &str) -> Option<Arc<Metadata>> {
        self.look_up(issuer).map(|k| k.metadata)
    }

    /// The provider's metadata, read from it when there is none or it is old.
    pub async fn metadata(&self, site: &Site, issuer: &str, now: Timestamp) -> Outcome<Arc<Metadata>> {
        if let Some(known) = self.look_up(issuer).filter(|k| now.since(k.read_at) < FRESH) {
            return Ok(known.metadata);
        }
        let ask = async {
            let metadata = Arc::new(discover(site, issuer).await?);
            let keys = self.look_up(issuer).and_then(|k| k.keys);
            self.remember(issuer, Known { metadata: Arc::clone(&metadata), read_at: now, keys });
            Ok(metadata)
        };
        self.discoveries.join(issuer, ask).await
    }

    /// The provider's keys; read again when `kid` is not among them, but not more often than once a minute.
    pub async fn keys_for(
        &self,
        site: &Site,
        metadata: &Metadata,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Outcome<Arc<Vec<VerifyingKey>>> {
        if let Some((keys, read_at)) = self.look_up(&metadata.issuer).and_then(|k| k.keys) {
            let age = now.since(read_at);
            let has = kid.is_none_or(|kid| keys.iter().any(|k| k.kid() == Some(kid)));
            if age < KEYS_AGAIN || (has && age < FRESH) {
                return Ok(keys);
            }
        }
        let ask = async {
            let response = site.env.outbound.send(OutboundRequest::get(metadata.jwks_uri.clone())).await?;
            if !response.is_success() {
                return Err(Fault::upstream(format!("the provider's keys answered {}", response.status)));
            }
            let keys = Arc::new(VerifyingKey::set(&response.body)?);
            if let Some(known) = self.look_up(&metadata.issuer) {
                self.remember(&metadata.issuer, Known { keys: Some((Arc::clone(&keys), now)), ..known });
            }
            Ok(keys)
        };
        self.key_sets.join(&metadata.issuer, ask).await
    }

    fn look_up(&self, issuer: &str) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(issuer).cloned()
    }

    fn remember(&self, issuer: &str, known: Known) {
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED && !all.contains_key(issuer) {
            all.clear();
        }
        all.insert(issuer.to_owned(), known);
    }
}

async fn discover(site: &Site, issuer: &str) -> Outcome<Metadata> {
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let url = Url::parse(&address).map_err(|e| Fault::upstream(format!("the issuer is no address: {e}")))?;
    let response = site.env.outbound.send(OutboundRequest::get(url)).await?;
    if !response.is_success() {
        return Err(Fault::upstream(format!("discovery answered {}", response.status)));
    }
    let document: Document = serde_json::from_slice(&response.body)
        .map_err(|e| Fault::upstream(format!("the discovery document cannot be used: {e}")))?;
    // RP7: whoever answers for another issuer answers for none.
    if document.issuer != issuer {
        return Err(Fault::upstream(format!(
            "the discovery document is of {}",
            document.issuer.escape_debug()
        )));
    }
    let endpoints = [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri];
    if !endpoints.into_iter().all(|endpoint| is_as_safe_as(issuer, endpoint)) {
        return Err(Fault::upstream("an endpoint in the discovery document is not on https"));
    }
    Ok(Metadata {
        issuer: document.issuer,
        authorization_endpoint: document.authorization_endpoint,
        token_endpoint: document.token_endpoint,
        jwks_uri: document.jwks_uri,
        sends_iss: document.authorization_response_iss_parameter_supported,
    })
}

/// RP8: a provider on TLS leads nobody's browser or secret out of it, and no provider leads to a scheme that
/// is no web address at all.
fn is_as_safe_as(issuer: &str, endpoint: &Url) -> bool {
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
