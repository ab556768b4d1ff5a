//! Sign-in at an OpenID provider: the way there, the way back, and every check on what it says
//! (OpenID Connect Core 3.1, RFC 9207, RFC 9700).
//!
//! `state`, `nonce` and PKCE verifier are derived from the journey and the number of its departure; the
//! journey itself is bound to the browser. So nothing secret is stored, a response of another browser,
//! journey or departure never fits, and each is good once: the engine waits for one departure at a time.

pub mod metadata;

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use url::Url;
use vestibule_crypto::claims::{IdToken, SKEW};
use vestibule_crypto::jwk::Algorithm;
use vestibule_crypto::jws::{Expected, Typ, Unverified};
use vestibule_crypto::{constant_time, digest};
use vestibule_rules::directory::provider::{ClientAuthentication, IdentityProvider, SealedSecret};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{JourneyId, ProviderId};
use vestibule_rules::journey::facts::{Federated, Pending};
use vestibule_rules::journey::question::Answer;
use vestibule_rules::oauth::params::Params;
use vestibule_rules::text::{Message, Secret};

use self::metadata::Metadata;
use crate::directory::open_provider_secret;
use crate::env::Site;
use crate::hop::{Hop, To};
use crate::journey::{self, Returned};
use crate::ports::outbound::OutboundRequest;
use crate::visit::Visit;

/// Largest token response that is read.
const TOKEN_RESPONSE: usize = 256 * 1024;

/// Where a browser goes to sign in at the provider.
pub(crate) async fn departure(
    site: &Site,
    visit: &Visit,
    journey: JourneyId,
    (id, attempt): (&ProviderId, u32),
) -> Outcome<Url> {
    let provider = configured(visit, id.as_str())?;
    let metadata = site.providers.metadata(site, &issuer(site, provider), visit.now).await?;
    let trip = Trip { journey, provider: &provider.id, attempt };
    let mut url = metadata.authorization_endpoint.clone();
    url.query_pairs_mut()
        .append_pair("client_id", &provider.client_id)
        .append_pair("redirect_uri", &redirect_uri(visit, provider))
        .append_pair("response_type", "code")
        .append_pair("scope", &provider.scope)
        .append_pair("state", &trip.state(site, visit))
        .append_pair("nonce", &trip.secret(site, visit, "nonce"))
        .append_pair("code_challenge", &digest::pkce_s256(&trip.secret(site, visit, "verifier")))
        .append_pair("code_challenge_method", "S256");
    Ok(url)
}

/// Reads what providers publish before the first visitor needs it: nobody should wait for two servers.
pub(crate) async fn warm_up(site: &Site) {
    let now = site.env.now();
    let snapshot = site.directory.snapshot();
    let providers = snapshot.tenants().flat_map(|tenant| &tenant.config.identity_providers);
    let unknown = providers
        .filter(|provider| provider.is_enabled)
        .map(|provider| issuer(site, provider))
        .filter(|issuer| site.providers.known(issuer).is_none());
    let asked = unknown.map(async |issuer| {
        if let Err(fault) = site.providers.metadata(site, &issuer, now).await {
            tracing::debug!(issuer, %fault, "a provider does not say where it is");
        }
    });
    futures_util::future::join_all(asked).await;
}

/// Takes the browser back from a provider.
pub async fn callback(site: &Site, visit: &Visit, provider: &str, params: &Params) -> Outcome<Hop> {
    let provider = configured(visit, provider)?;
    let state = params.hint("state").unwrap_or_default();
    let trip = Trip::read(site, visit, provider, state)?;
    let pending = Pending::Federation { provider: provider.id.clone(), attempt: trip.attempt };
    // Nothing is asked of the provider for a response that this browser's journey does not wait for.
    if !journey::take(site, visit, trip.journey, &pending).await? {
        return Ok(Hop::to(To::Journey(trip.journey)));
    }
    let answer = match judge(site, visit, provider, (&trip, params)).await {
        Ok(answer) => answer,
        Err(fault) => {
            tracing::warn!(provider = %provider.id, %fault, correlation = %visit.correlation, "a provider's answer was refused");
            Answer::FederationFailed {
                message: fault.hint.unwrap_or_else(|| Message::new("refused-provider-failed")),
                code: fault.code,
            }
        }
    };
    let returned = Returned { provider: provider.id.clone(), attempt: trip.attempt, answer };
    journey::returned(site, visit, trip.journey, returned).await
}

async fn judge(
    site: &Site,
    visit: &Visit,
    provider: &IdentityProvider<SealedSecret>,
    (trip, params): (&Trip<'_>, &Params),
) -> Outcome<Answer> {
    let issuer = issuer(site, provider);
    let metadata = site.providers.metadata(site, &issuer, visit.now).await?;
    check_issuer(&metadata, params)?;
    if let Some(error) = params.hint("error") {
        if error == "access_denied" {
            return Ok(Answer::FederationDeclined);
        }
        return Err(Fault::upstream(format!("the provider answered {}", error.escape_debug())));
    }
    let code = params
        .hint("code")
        .ok_or_else(|| Fault::upstream("the provider sent neither a code nor an error"))?;
    let token =
        redeem(site, visit, (provider, &metadata), (code, &trip.secret(site, visit, "verifier"))).await?;
    let nonce = trip.secret(site, visit, "nonce");
    let claims = verify(site, visit, (provider, &metadata), (&token, &nonce)).await?;
    Ok(Answer::Federated(Box::new(federated(provider, &metadata.issuer, &claims)?)))
}

/// RFC 9207: a response that another provider sent must not be taken for this one's.
fn check_issuer(metadata: &Metadata, params: &Params) -> Outcome<()> {
    match params.hint("iss") {
        Some(iss) if iss == metadata.issuer => Ok(()),
        Some(_) => Err(Fault::upstream("`iss` of the response is another provider's")),
        None if metadata.sends_iss => Err(Fault::upstream("the provider promises `iss` and did not send it")),
        None => Ok(()),
    }
}

async fn redeem(
    site: &Site,
    visit: &Visit,
    (provider, metadata): (&IdentityProvider<SealedSecret>, &Metadata),
    (code, verifier): (&str, &str),
) -> Outcome<String> {
    let secret = open_provider_secret(&site.env.sealing, visit.tenant_id(), provider)?;
    let basic = provider.client_authentication == ClientAuthentication::ClientSecretBasic;
    let redirect_uri = redirect_uri(visit, provider);
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &redirect_uri),
        ("code_verifier", verifier),
    ];
    if !basic {
        fields.push(("client_id", &provider.client_id));
        fields.extend(secret.iter().map(|secret| ("client_secret", secret.expose().as_str())));
    }
    let body =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
    let mut request =
        OutboundRequest::post(metadata.token_endpoint.clone(), "application/x-www-form-urlencoded", body)
            .header("accept", "application/json");
    if let Some(secret) = secret.filter(|_| basic) {
        request = request.header("authorization", &basic_header(&provider.client_id, &secret));
    }
    request.max_bytes = TOKEN_RESPONSE;
    let response = site.env.outbound.send(request).await?;
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if !response.is_success() {
        let error = body.get("error").and_then(Value::as_str).unwrap_or("no reason");
        return Err(Fault::upstream(format!(
            "the token endpoint answered {}: {}",
            response.status,
            error.escape_debug()
        )));
    }
    let token = body.get("id_token").and_then(Value::as_str);
    token.map(str::to_owned).ok_or_else(|| Fault::upstream("the token response has no ID token"))
}

/// RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
fn basic_header(client_id: &str, secret: &Secret<String>) -> String {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let joined = format!("{}:{}", encode(client_id), encode(secret.expose()));
    format!("Basic {}", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, joined))
}

async fn verify(
    site: &Site,
    visit: &Visit,
    (provider, metadata): (&IdentityProvider<SealedSecret>, &Metadata),
    (token, nonce): (&str, &str),
) -> Outcome<Map<String, Value>> {
    let unverified = Unverified::parse(token)?;
    let keys = site.providers.keys_for(site, metadata, unverified.kid(), visit.now).await?;
    let expected = Expected { algorithms: &Algorithm::ALL, typ: Typ::AbsentOr(&["JWT"]) };
    let verified = unverified.verify(&keys, &expected)?;
    let check = IdToken {
        issuer: &metadata.issuer,
        client: &provider.client_id,
        nonce: Some(nonce),
        now: visit.now,
        skew: SKEW,
    };
    check.check(&verified.claims)?;
    Ok(verified.claims)
}

/// What the flow may use of the claims. The address counts only if the provider says, as a boolean, that it
/// is verified (IDP-OIDC-01, U17).
pub(crate) fn federated(
    provider: &IdentityProvider<SealedSecret>,
    issuer: &str,
    claims: &Map<String, Value>,
) -> Outcome<Federated> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let verified = claims.get("email_verified") == Some(&Value::Bool(true));
    let mapped: BTreeMap<String, String> = provider
        .claim_mapping()
        .into_iter()
        .filter_map(|(attribute, claim)| Some((attribute, readable(claims.get(&claim)?)?)))
        .collect();
    Ok(Federated {
        provider: provider.id.clone(),
        issuer: issuer.to_owned(),
        // NUL and its like cannot be stored in every database.
        subject: text("sub")
            .filter(|subject| !subject.chars().any(char::is_control))
            .ok_or_else(|| Fault::upstream("the ID token has no subject that can be kept"))?,
        verified_email: text("email").filter(|_| verified),
        claims: mapped,
    })
}

fn readable(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn configured<'a>(visit: &'a Visit, id: &str) -> Outcome<&'a IdentityProvider<SealedSecret>> {
    let found = visit.tenant.provider(id).filter(|p| p.is_enabled);
    found.ok_or_else(|| Fault::missing("provider", "the tenant has no such provider"))
}

/// `{origin}` in a configured issuer is this server's own first address.
fn issuer(site: &Site, provider: &IdentityProvider<SealedSecret>) -> String {
    let origin = site.settings.origins.first().map_or("", String::as_str);
    provider.issuer.replace("{origin}", origin)
}

/// Each provider has an address of its own (security.md RP6).
fn redirect_uri(visit: &Visit, provider: &IdentityProvider<SealedSecret>) -> String {
    format!("{}/{}/federation/{}", visit.origin, visit.tenant_id(), provider.id)
}

/// One departure of one journey.
struct Trip<'a> {
    journey: JourneyId,
    provider: &'a ProviderId,
    attempt: u32,
}

impl<'a> Trip<'a> {
    fn read(
        site: &Site,
        visit: &Visit,
        provider: &'a IdentityProvider<SealedSecret>,
        state: &str,
    ) -> Outcome<Self> {
        let foreign = || {
            Fault::malformed("state", "the state is not one of ours").hint(Message::new("fault-federation"))
        };
        let mut parts = state.splitn(3, '.');
        let (Some(journey), Some(attempt), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(foreign());
        };
        let journey = JourneyId::parse(journey).ok_or_else(foreign)?;
        let attempt = attempt.parse().map_err(|_| foreign())?;
        let trip = Self { journey, provider: &provider.id, attempt };
        if constant_time::eq_str(&trip.state(site, visit), state) { Ok(trip) } else { Err(foreign()) }
    }

    fn state(&self, site: &Site, visit: &Visit) -> String {
        format!("{}.{}.{}", self.journey, self.attempt, self.secret(site, visit, "state"))
    }

    fn secret(&self, site: &Site, visit: &Visit, purpose: &str) -> String {
        let (tenant, journey) = (visit.tenant_id().uuid(), self.journey.uuid());
        let parts: [&[u8]; 6] = [
            purpose.as_bytes(),
            visit.origin.as_bytes(),
            tenant.as_bytes(),
            journey.as_bytes(),
            self.provider.as_str().as_bytes(),
            &self.attempt.to_be_bytes(),
        ];
        digest::base64url(&digest::hmac_parts(&site.env.derived.federation, &parts))
    }
}
