//! What the provider publishes about itself: the discovery document, and the keys of its signatures.

use serde_json::{Map, Value};
use url::Url;
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};

use super::{Run, Verdict, What};
use crate::federation::metadata::{Metadata, Source, is_as_safe_as};
use crate::federation::openid;
use crate::ports::outbound::{OutboundRequest, OutboundResponse};

/// The endpoints that a sign-in needs, and those that it uses.
const NEEDED: [&str; 3] = ["authorization_endpoint", "token_endpoint", "jwks_uri"];
const USED: [&str; 3] =
    ["userinfo_endpoint", "end_session_endpoint", "pushed_authorization_request_endpoint"];

/// A discovery document that can be used.
pub(super) struct Read {
    pub(super) metadata: Metadata,
    pub(super) document: Map<String, Value>,
}

impl Run<'_> {
    /// Fetches the discovery document and says what is wrong with it, if anything is.
    pub(super) async fn discovery(&mut self) -> Option<Read> {
        let source = openid::source(self.upstream.site, self.upstream.provider);
        let Ok(url) = Url::parse(&source.address) else {
            self.failed(What::Discovery, "the issuer is no address; write it as the provider shows it");
            return None;
        };
        if !self.connect(&url).await {
            self.held_up(&[What::Discovery], "the server can be reached");
            return None;
        }
        let response = match self.upstream.site.env.outbound.send(OutboundRequest::get(url)).await {
            Ok(response) => response,
            Err(fault) => {
                let reason = self.reason(&fault);
                self.failed(What::Discovery, format!("the document cannot be fetched: {reason}"));
                return None;
            }
        };
        self.clock(&response);
        let document = self.document(&source, &response)?;
        self.of_whom(&source, &document)?;
        self.endpoints(&source, &document)?;
        match Metadata::read(&source, &response.body) {
            Ok(metadata) => Some(Read { metadata, document }),
            Err(fault) => {
                let reason = self.reason(&fault);
                self.failed(What::Endpoints, format!("the document cannot be used: {reason}"));
                None
            }
        }
    }

    fn document(&mut self, source: &Source, response: &OutboundResponse) -> Option<Map<String, Value>> {
        let address = &source.address;
        if !response.is_success() {
            let hint = match response.status {
                404 => {
                    "there is nothing; is the issuer written as the provider writes it, with its whole path?"
                }
                300..=399 => "redirects are not followed; write the address that it leads to",
                _ => "try again later, and ask whoever runs the provider",
            };
            let text = format!("{address} answered {}: {hint}", response.status);
            self.failed(What::Discovery, text);
            return None;
        }
        let document = serde_json::from_slice(&response.body).ok();
        if document.is_some() {
            self.ok(What::Discovery, format!("found at {address}"));
        } else {
            let start = self.quoted(&String::from_utf8_lossy(&response.body));
            let text =
                format!("what {address} answers is no discovery document but {start}; is the issuer right?");
            self.failed(What::Discovery, text);
        }
        document
    }

    /// RP7: whoever answers for another issuer answers for none.
    fn of_whom(&mut self, source: &Source, document: &Map<String, Value>) -> Option<()> {
        let told = document.get("issuer").and_then(Value::as_str);
        if told == Some(source.issuer.as_str()) {
            self.ok(What::Issuer, format!("{}, as configured", source.issuer));
            return Some(());
        }
        let text = match told {
            None => "the document names no issuer, so it is not one of OpenID Connect".to_owned(),
            Some(told) => {
                let same = told.trim_end_matches('/') == source.issuer.trim_end_matches('/');
                let told = self.quoted(told);
                let hint = if same {
                    "they differ by the slash at the end, and every character counts"
                } else {
                    "if that is the provider you mean, write it so into issuer (and where the document is into \
                     wellKnown)"
                };
                format!("the document is of the issuer {told}, and configured is “{}”: {hint}", source.issuer)
            }
        };
        self.failed(What::Issuer, text);
        None
    }

    fn endpoints(&mut self, source: &Source, document: &Map<String, Value>) -> Option<()> {
        let text = |name: &&str| document.get(*name).and_then(Value::as_str);
        let url = |name: &&str| text(name).and_then(|text| Url::parse(text).ok());
        let missing: Vec<&str> = NEEDED.into_iter().filter(|name| url(name).is_none()).collect();
        if !missing.is_empty() {
            let text = format!("the document lacks {}; ask whoever runs the provider", missing.join(", "));
            self.failed(What::Endpoints, text);
            return None;
        }
        let all = NEEDED.into_iter().chain(USED).filter_map(|name| Some((name, url(&name)?)));
        let (safe, unsafe_ones): (Vec<_>, Vec<_>) =
            all.partition(|(_, url)| is_as_safe_as(&source.issuer, url));
        if !unsafe_ones.is_empty() {
            let names: Vec<&str> = unsafe_ones.iter().map(|(name, _)| *name).collect();
            let text =
                format!("not on https: {}; nobody's browser or secret is sent there", names.join(", "));
            self.failed(What::Endpoints, text);
            return None;
        }
        if safe.iter().all(|(_, url)| url.scheme() == "https") {
            self.ok(What::Endpoints, "every address is on https");
        } else {
            let text = "without TLS, like the issuer; that is for tests on one machine only";
            self.tell(What::Endpoints, Verdict::Warning, text);
        }
        Some(())
    }

    /// Reads the keys, and compares their algorithms with what is announced and what is wanted.
    pub(super) async fn keys(&mut self, metadata: &Metadata, document: &Map<String, Value>) {
        if !self.connect(&metadata.jwks_uri).await {
            return self.held_up(&[What::Keys], "the server can be reached");
        }
        let request = OutboundRequest::get(metadata.jwks_uri.clone());
        let response = match self.upstream.site.env.outbound.send(request).await {
            Ok(response) if response.is_success() => response,
            Ok(response) => {
                let text = format!("{} answered {}", metadata.jwks_uri, response.status);
                return self.failed(What::Keys, text);
            }
            Err(fault) => {
                let reason = self.reason(&fault);
                return self.failed(What::Keys, format!("the keys cannot be read: {reason}"));
            }
        };
        let usable = match VerifyingKey::set(&response.body) {
            Ok(usable) => usable,
            Err(fault) => {
                let reason = self.reason(&fault);
                return self.failed(What::Keys, format!("the keys cannot be read: {reason}"));
            }
        };
        let published: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let all = published.get("keys").and_then(Value::as_array).map_or(0, Vec::len);
        let (verdict, text) = self.judged(&usable, all, document);
        self.tell(What::Keys, verdict, text);
    }

    fn judged(
        &self,
        usable: &[VerifyingKey],
        all: usize,
        document: &Map<String, Value>,
    ) -> (Verdict, String) {
        let wanted = &self.upstream.provider.settings.signing_algorithms;
        let names: Vec<&str> = Algorithm::ALL
            .into_iter()
            .filter(|algorithm| usable.iter().any(|key| key.algorithms().any(|one| one == *algorithm)))
            .map(Algorithm::name)
            .filter(|name| wanted.is_empty() || wanted.iter().any(|one| one == name))
            .collect();
        if names.is_empty() {
            let which = if wanted.is_empty() { "a signature" } else { "one of signingAlgorithms" };
            let text = format!(
                "{all} keys, and none that {which} can be checked with; RSA of 2048 bits, P-256, P-384 and Ed25519 can"
            );
            return (Verdict::Failed, text);
        }
        let announced = list(document, "id_token_signing_alg_values_supported");
        if !announced.is_empty() && !announced.iter().any(|name| names.contains(&name.as_str())) {
            let announced = self.quoted(&announced.join(", "));
            let text = format!(
                "the provider signs ID tokens with {announced}, which is not accepted; have it sign with {}",
                names.first().copied().unwrap_or_default()
            );
            return (Verdict::Failed, text);
        }
        (Verdict::Ok, format!("{} of {all} keys can be used, for {}", usable.len(), names.join(", ")))
    }
}

/// A list of words in a discovery document.
pub(super) fn list(document: &Map<String, Value>, name: &str) -> Vec<String> {
    let all = document.get(name).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|word| word.as_str().map(str::to_owned)).collect()
}
