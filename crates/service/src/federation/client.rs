//! How we speak to a provider's own endpoints: proven, bounded, and never to where it points us next.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};
use vestibule_crypto::client_key::{self, ClientKey};
use vestibule_crypto::digest;
use vestibule_crypto::dpop::{self, DpopKey};
use vestibule_crypto::jwk::Algorithm;
use vestibule_rules::directory::provider::ClientAuthentication;
use vestibule_rules::directory::provider::kind::ProviderKind;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::{Message, Secret};

use super::Upstream;
use crate::directory::{ProviderSecret, open_provider_secret};
use crate::ports::outbound::{OutboundRequest, OutboundResponse};

/// Largest answer of an endpoint that is read.
const LONGEST: usize = 256 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An endpoint at which we prove who we are.
#[derive(Clone, Copy)]
pub(super) struct Endpoint<'a> {
    pub(super) url: &'a Url,
    /// Whom an assertion is for: the provider's issuer (RFC 7523 §3).
    pub(super) audience: &'a str,
    /// The algorithms that the provider takes for assertions; none when it does not say.
    pub(super) algorithms: &'a [String],
    /// The key that a token is to be bound to.
    pub(super) dpop: Option<&'a DpopKey>,
}

impl Upstream<'_> {
    /// A secret of the provider's configuration.
    pub(super) fn secret(&self, which: ProviderSecret) -> Outcome<Option<Secret<String>>> {
        open_provider_secret(&self.site.env.sealing, self.visit.tenant_id(), self.provider, which)
    }

    /// What no quotation may repeat: the secrets, also as a form has them. One that cannot be opened is told where it is
    /// needed.
    pub(super) fn unspeakable(&self) -> Vec<Secret<String>> {
        let all = [ProviderSecret::ClientSecret, ProviderSecret::ClientKey, ProviderSecret::DecryptionKey];
        let opened = all.into_iter().filter_map(|which| self.secret(which).ok().flatten());
        let both = opened.flat_map(|secret| {
            let encoded: String = form_urlencoded::byte_serialize(secret.expose().as_bytes()).collect();
            [secret, Secret::new(encoded)]
        });
        both.collect()
    }

    /// Posts a form as the client that the provider knows (RFC 6749 §2.3, OpenID Connect Core 9).
    pub(super) async fn post_as_client(
        &self,
        endpoint: Endpoint<'_>,
        fields: &[(&str, &str)],
    ) -> Outcome<OutboundResponse> {
        // A second try proves us anew: an assertion is good once, and a provider may keep count (RFC 7523 §3).
        self.send_bound(|| self.as_client(endpoint, fields), endpoint.dpop, None).await
    }

    fn as_client(&self, endpoint: Endpoint<'_>, fields: &[(&str, &str)]) -> Outcome<OutboundRequest> {
        let client_id = self.provider.client_id.as_str();
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let mut header = None;
        match self.provider.client_authentication() {
            ClientAuthentication::ClientSecretBasic => {
                let secret = self.secret(ProviderSecret::ClientSecret)?;
                header = secret.map(|secret| basic(client_id, &secret));
            }
            ClientAuthentication::ClientSecretPost => {
                form.append_pair("client_id", client_id);
                if let Some(secret) = self.posted_secret()? {
                    form.append_pair("client_secret", secret.expose());
                }
            }
            ClientAuthentication::None => {
                form.append_pair("client_id", client_id);
            }
            ClientAuthentication::ClientSecretJwt | ClientAuthentication::PrivateKeyJwt => {
                form.append_pair("client_id", client_id)
                    .append_pair("client_assertion_type", ASSERTION)
                    .append_pair("client_assertion", &self.assertion(endpoint)?);
            }
        }
        let mut request = OutboundRequest::post(endpoint.url.clone(), FORM, form.finish().into_bytes());
        if let Some(value) = header {
            request = request.header("authorization", &value);
        }
        Ok(request)
    }

    /// What is posted as the secret. Apple wants one that is made of the key, for ten minutes and not six months.
    fn posted_secret(&self) -> Outcome<Option<Secret<String>>> {
        if self.provider.identity_provider_type != ProviderKind::Apple {
            return self.secret(ProviderSecret::ClientSecret);
        }
        let settings = &self.provider.settings;
        let key = self.client_key()?;
        let claims = json!({
            "iss": settings.team_id,
            "sub": self.provider.client_id,
            "aud": self.provider.preset().issuer,
            "iat": self.visit.now.seconds(),
            "exp": self.visit.now.seconds() + 600,
        });
        key.sign(Algorithm::Es256, &Map::new(), &claims).map(Secret::new).map(Some)
    }

    /// The private key that we prove ourselves with, under the name that the provider knows it by.
    pub(super) fn client_key(&self) -> Outcome<ClientKey> {
        let pem = self.secret(ProviderSecret::ClientKey)?;
        let key = ClientKey::from_pem(&pem.ok_or_else(|| Fault::ours("the provider has no client key"))?)?;
        Ok(match &self.provider.settings.key_id {
            Some(kid) => key.with_kid(kid),
            None => key,
        })
    }

    /// RFC 7523: a statement of ours that is good for this endpoint, once and for a minute.
    fn assertion(&self, endpoint: Endpoint<'_>) -> Outcome<String> {
        let claims = json!({
            "iss": self.provider.client_id,
            "sub": self.provider.client_id,
            "aud": endpoint.audience,
            "jti": digest::token(self.site.env.random()),
            "iat": self.visit.now.seconds(),
            "exp": self.visit.now.seconds() + 60,
        });
        if self.provider.client_authentication() == ClientAuthentication::ClientSecretJwt {
            let secret = self.secret(ProviderSecret::ClientSecret)?;
            let secret = secret.ok_or_else(|| Fault::ours("the provider has no client secret"))?;
            return client_key::sign_hs256(&secret, &claims);
        }
        let key = self.client_key()?;
        let taken = |algorithm: &&Algorithm| {
            endpoint.algorithms.is_empty() || endpoint.algorithms.iter().any(|name| name == algorithm.name())
        };
        let algorithm = key.algorithms().iter().find(taken);
        let algorithm =
            algorithm.ok_or_else(|| Fault::upstream("the provider takes no signature of our key"))?;
        key.sign(*algorithm, &Map::new(), &claims)
    }

    /// Sends a request whose answer is JSON or a token.
    pub(super) async fn send(&self, request: OutboundRequest) -> Outcome<OutboundResponse> {
        let mut request = request.header("accept", "application/json, application/jwt;q=0.9");
        request.max_bytes = LONGEST;
        let response = self.site.env.outbound.send(request).await?;
        if let Some(trace) = self.trace {
            trace.answered(&response);
        }
        Ok(response)
    }

    /// Sends a request with a proof that we hold the key, and one made anew when the provider wants its nonce in the
    /// proof (RFC 9449 §8).
    pub(super) async fn send_bound(
        &self,
        make: impl Fn() -> Outcome<OutboundRequest> + Send,
        key: Option<&DpopKey>,
        access_token: Option<&Secret<String>>,
    ) -> Outcome<OutboundResponse> {
        let Some(key) = key else { return self.send(make()?).await };
        let prove = |nonce: Option<&str>| {
            let request = make()?;
            let proof = key.proof(&dpop::Proof {
                method: request.method.as_str(),
                url: request.url.as_str(),
                access_token,
                nonce,
                jti: &digest::token(self.site.env.random()),
                issued_at: self.visit.now,
            })?;
            Ok::<_, Fault>(request.header("dpop", &proof))
        };
        let first = self.send(prove(None)?).await?;
        match first.header("dpop-nonce") {
            Some(nonce) if matches!(first.status, 400 | 401) => self.send(prove(Some(nonce))?).await,
            Some(_) | None => Ok(first),
        }
    }
}

/// RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
pub(super) fn basic(client_id: &str, secret: &Secret<String>) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let joined = format!("{}:{}", encode(client_id), encode(secret.expose()));
    format!("Basic {}", STANDARD.encode(joined))
}

/// The JSON object of a good answer; of a bad one the error that it names, for the log.
pub(super) fn object(what: &str, response: &OutboundResponse) -> Outcome<Map<String, Value>> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    // GitHub reports errors with 200.
    let error = body.get("error").filter(|_| !response.is_success() || body.get("access_token").is_none());
    let named = error.map(|error| match error {
        Value::String(text) => text.clone(),
        Value::Object(all) => all.get("message").and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => String::new(),
    });
    if !response.is_success() || named.is_some() {
        let reason = named.filter(|name| !name.is_empty()).unwrap_or_else(|| "no reason".to_owned());
        let reason: String = reason.chars().take(200).collect();
        let fault =
            Fault::upstream(format!("{what} answered {}: {}", response.status, reason.escape_debug()));
        return Err(fault);
    }
    match body {
        Value::Object(all) => Ok(all),
        _ => Err(Fault::upstream(format!("{what} did not answer with a JSON object"))),
    }
}

/// An endpoint's address as it stands in the configuration.
pub(super) fn address(site: &crate::env::Site, text: &str) -> Outcome<Url> {
    Url::parse(&super::placed(site, text)).map_err(|e| {
        Fault::ours(format!("the provider's address cannot be read: {e}"))
            .hint(Message::new("refused-provider-failed"))
    })
}
