//! Keys that applications and the platforms of their workloads publish, cached with bounds. A crowd asks once; a key
//! that is not there is looked for again at most once a minute, whoever names it (security.md U31).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;
use url::Url;
use vestibule_crypto::registered_key::RegisteredKey;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::time::{Span, Timestamp};

use crate::env::Site;
use crate::federation::metadata::{Flights, is_as_safe_as};
use crate::ports::outbound::{OutboundRequest, Whose};

/// How long a document is believed.
const FRESH: Span = Span::hours(1);
/// A key that is not there is looked for again at most this often.
const AGAIN: Span = Span::minutes(1);
/// Addresses that are remembered; configurations have far fewer.
const REMEMBERED: usize = 10_000;

/// The keys at one address.
pub type KeySet = Arc<Vec<RegisteredKey>>;

/// Every key set that was read.
#[derive(Default)]
pub struct KeySets {
    sets: Memory<KeySet>,
    /// Where issuers publish their keys.
    issuers: Memory<String>,
}

/// What was read of others, by address.
struct Memory<T> {
    known: RwLock<HashMap<String, Known<T>>>,
    flights: Flights<T>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self { known: RwLock::default(), flights: Flights::default() }
    }
}

#[derive(Clone)]
struct Known<T> {
    value: T,
    read_at: Timestamp,
    /// When something that is not in it was last looked for.
    looked_at: Option<Timestamp>,
}

impl KeySets {
    /// The keys at `address`, read again when they are old or none of them fits.
    pub async fn keys(
        &self,
        site: &Site,
        (address, whose): (&str, Whose),
        fits: &(dyn Fn(&RegisteredKey) -> bool + Sync),
        now: Timestamp,
    ) -> Outcome<KeySet> {
        let is_good = |set: &KeySet| set.iter().any(fits);
        // What an administrator may have read is not read again to a stranger.
        let key = match whose {
            Whose::Administrator => address.to_owned(),
            Whose::Stranger => format!("stranger {address}"),
        };
        self.sets.get(&key, &is_good, now, read_keys(site, (address, whose))).await
    }

    /// The keys of an issuer, which its discovery document leads to.
    pub async fn keys_of_issuer(
        &self,
        site: &Site,
        issuer: &str,
        fits: &(dyn Fn(&RegisteredKey) -> bool + Sync),
        now: Timestamp,
    ) -> Outcome<KeySet> {
        let address = self.issuers.get(issuer, &|_| true, now, discover(site, issuer)).await?;
        self.keys(site, (&address, Whose::Administrator), fits, now).await
    }
}

impl<T: Clone> Memory<T> {
    /// What is known under `key`, or what `ask` finds out.
    async fn get(
        &self,
        key: &str,
        is_good: &(dyn Fn(&T) -> bool + Sync),
        now: Timestamp,
        ask: impl Future<Output = Outcome<T>>,
    ) -> Outcome<T> {
        let known = self.look_up(key).filter(|known| now.since(known.read_at) < FRESH);
        let mut looked_at = None;
        if let Some(known) = known {
            let looked_lately = known.looked_at.is_some_and(|at| now.since(at) < AGAIN);
            if looked_lately || is_good(&known.value) {
                return Ok(known.value);
            }
            looked_at = Some(now);
            self.remember(key, Known { looked_at, ..known });
        }
        let ask = async {
            let value = ask.await?;
            self.remember(key, Known { value: value.clone(), read_at: now, looked_at });
            Ok(value)
        };
        self.flights.join(key, ask).await
    }

    fn look_up(&self, key: &str) -> Option<Known<T>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn remember(&self, key: &str, known: Known<T>) {
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED && !all.contains_key(key) {
            let oldest = all.iter().min_by_key(|(_, known)| known.read_at).map(|(key, _)| key.clone());
            oldest.and_then(|key| all.remove(&key));
        }
        all.insert(key.to_owned(), known);
    }
}

async fn read_keys(site: &Site, source: (&str, Whose)) -> Outcome<KeySet> {
    let body = read(site, source).await?;
    RegisteredKey::set(&body).map(Arc::new)
}

/// The parts of a discovery document that lead to keys: platforms of workloads have no more.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: Url,
}

async fn discover(site: &Site, issuer: &str) -> Outcome<String> {
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let body = read(site, (&address, Whose::Administrator)).await?;
    let document: Document = serde_json::from_slice(&body)
        .map_err(|error| Fault::upstream(format!("the discovery document cannot be used: {error}")))?;
    if document.issuer != issuer {
        return Err(Fault::upstream("the discovery document is of another issuer"));
    }
    if !is_as_safe_as(issuer, &document.jwks_uri) {
        return Err(Fault::upstream("the keys are not on https"));
    }
    Ok(document.jwks_uri.into())
}

async fn read(site: &Site, (address, whose): (&str, Whose)) -> Outcome<Vec<u8>> {
    let url = Url::parse(address).map_err(|error| Fault::upstream(format!("no address: {error}")))?;
    let response = site.env.outbound.send(OutboundRequest::get(url).chosen_by(whose)).await?;
    if !response.is_success() {
        return Err(Fault::upstream(format!("it answered {}", response.status)));
    }
    Ok(response.body)
}
