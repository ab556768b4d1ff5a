//! Sign-in with accounts that people have: the way to a provider, the way back, and every check on what it says
//! (OpenID Connect Core 3.1, RFC 6749, RFC 9207, RFC 9700).
//!
//! `state`, `nonce` and PKCE verifier are derived from the journey and the number of its departure; the
//! journey itself is bound to the browser. So nothing secret is stored, a response of another browser,
//! journey or departure never fits, and each is good once: the engine waits for one departure at a time.
//!
//! | module | speaks |
//! | --- | --- |
//! | `openid` | OpenID Connect: a code becomes an ID token that is checked |
//! | `oauth2` | OAuth 2.0: a code becomes an access token, whose holder is asked for |
//! | `token` | tokens that are signed and encrypted |
//! | `client` | what both have in common: proving ourselves, and addresses that are never followed further |
//! | `metadata` | what providers publish |
//! | `trip` | what ties a response to a departure |
//! | `kept` | what stays of a sign-in for as long as the session does |
//! | `logout` | signing out there with here, and here with there |
//! | `told_once` | a name that is told once, for whoever does not finish that time |
//! | `way_back` | a response that was posted, and may not be read on its way |
//! | `checkup` | a provider gone through step by step, for whoever configures it |
//! | `trial` | the whole way there and back, for whoever configures it; nobody is signed in |
//! | `trace` | how far a trial came |
//! | `health` | how sign-ins by a provider go |
//! | `overview` | the providers of a tenant and how they fare |
//! | `dry_run` | what claims would become |
//! | `quote` | what somebody else said, fit to be shown |

pub mod checkup;
mod client;
pub mod dry_run;
pub mod health;
mod kept;
mod logout;
pub mod metadata;
mod oauth2;
mod openid;
pub mod overview;
pub(crate) mod quote;
mod token;
mod told_once;
mod trace;
pub mod trial;
mod trip;
mod way_back;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use url::Url;
use vestibule_rules::directory::provider::claims::{self, Said};
use vestibule_rules::directory::provider::kind::{Protocol, ProviderKind};
use vestibule_rules::directory::provider::{IdentityProvider, SealedSecret};
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{JourneyId, ProviderId, TenantId};
use vestibule_rules::journey::facts::{Federated, Federation, Pending};
use vestibule_rules::journey::question::Answer;
use vestibule_rules::oauth::params::Params;
use vestibule_rules::text::{Message, Secret};

use self::metadata::Source;
use self::trace::{Stage, Trace};
use self::trip::Trip;
use crate::env::Site;
use crate::hop::{Hop, To};
use crate::journey::{self, Returned};
use crate::visit::Visit;

pub(crate) use kept::Kept;
pub use kept::provider_token;
pub(crate) use logout::onward;
pub use logout::{back_channel, front_channel, notified, signed_out};
pub use way_back::carry;

/// How many providers are asked at once for what they publish, before anybody needs it.
const WARMING: usize = 16;

type Provider = IdentityProvider<SealedSecret>;

/// A provider as one request meets it.
#[derive(Clone, Copy)]
struct Upstream<'a> {
    site: &'a Site,
    visit: &'a Visit,
    provider: &'a Provider,
    /// Only a trial leaves one.
    trace: Option<&'a Trace>,
}

impl<'a> Upstream<'a> {
    fn new(site: &'a Site, visit: &'a Visit, id: &str) -> Outcome<Self> {
        Self::known(site, visit, id).ok().filter(|known| known.provider.is_enabled).ok_or_else(unknown)
    }

    /// A provider that may be switched off.
    fn known(site: &'a Site, visit: &'a Visit, id: &str) -> Outcome<Self> {
        let provider = visit.tenant.provider(id).ok_or_else(unknown)?;
        Ok(Self { site, visit, provider, trace: None })
    }

    /// Notes in a trial what is done next.
    fn enters(&self, stage: Stage) {
        if let Some(trace) = self.trace {
            trace.enters(stage);
        }
    }

    fn issuer(&self) -> String {
        placed(self.site, &self.provider.issuer())
    }

    /// Each provider has an address of its own (security.md RP6).
    fn redirect_uri(&self) -> String {
        redirect_uri(&self.visit.origin, self.visit.tenant_id(), &self.provider.id)
    }

    fn tenant_kind(&self) -> TenantKind {
        self.visit.tenant.config.tenant.kind
    }
}

/// The issuer that a provider of the tenant signs as. `Missing` when there is none, or it is switched off.
pub(crate) fn expected_issuer(site: &Site, visit: &Visit, provider: &str) -> Outcome<String> {
    Upstream::new(site, visit, provider).map(|upstream| upstream.issuer())
}

fn unknown() -> Fault {
    Fault::missing("provider", "the tenant has no such provider")
}

fn redirect_uri(origin: &str, tenant: TenantId, provider: &ProviderId) -> String {
    format!("{origin}/{tenant}/federation/{provider}")
}

/// What a provider said at the end of a way that was checked.
struct Arrived {
    issuer: String,
    said: Said,
    /// As the provider signed it, out of its envelope.
    id_token: Option<String>,
    /// What the token endpoint answered.
    response: Map<String, Value>,
}

/// What a response must prove itself with.
struct Proof {
    nonce: String,
    verifier: String,
}

/// Where a browser goes to sign in at the provider.
pub(crate) async fn departure(
    site: &Site,
    visit: &Visit,
    journey: JourneyId,
    away: &Federation,
) -> Outcome<Url> {
    let upstream = Upstream::new(site, visit, away.provider.as_str())?;
    let trip = Trip { journey, provider: &upstream.provider.id, attempt: away.attempt };
    let (state, proof) = (trip.state(site, visit), trip.proof(site, visit));
    let url = sent(upstream, &state, &proof, away.login_hint.as_deref()).await;
    if let Err(fault) = &url {
        site.provider_health.failed(visit.tenant_id(), &upstream.provider.id, visit.now, fault);
    }
    url
}

/// Where a browser is sent with this state.
async fn sent(upstream: Upstream<'_>, state: &str, proof: &Proof, login_hint: Option<&str>) -> Outcome<Url> {
    match upstream.provider.preset().protocol {
        Protocol::OpenIdConnect => openid::departure(upstream, state, proof, login_hint).await,
        Protocol::OAuth2 => oauth2::departure(upstream, state, proof),
    }
}

/// Reads what providers publish before the first visitor needs it: nobody should wait for two servers.
pub(crate) async fn warm_up(site: &Site) {
    let now = site.env.now();
    let snapshot = site.directory.snapshot();
    let providers = snapshot.tenants().flat_map(|tenant| &tenant.config.identity_providers);
    let unknown: Vec<Source> = providers
        .filter(|provider| provider.is_enabled && provider.preset().protocol == Protocol::OpenIdConnect)
        .map(|provider| openid::source(site, provider))
        .filter(|source| site.providers.known(source).is_none())
        .collect();
    // So many at once that a slow one holds up few, and so few that a thousand of them are no storm.
    for some in unknown.chunks(WARMING) {
        let asked = some.iter().map(async |source| {
            if let Err(fault) = site.providers.metadata(site, source, now).await {
                tracing::debug!(issuer = source.issuer, %fault, "a provider does not say where it is");
            }
        });
        futures_util::future::join_all(asked).await;
    }
}

/// What a browser came back to.
pub enum Back {
    Journey(Box<Hop>),
    Trial(Box<trial::Report>),
}

/// Takes the browser back from a provider. `trying` is the cookie of a trial.
pub async fn callback(
    site: &Site,
    visit: &Visit,
    provider: &str,
    params: &Params,
    trying: Option<&Secret<String>>,
) -> Outcome<Back> {
    let known = Upstream::known(site, visit, provider)?;
    let opened = way_back::open(known, params)?;
    let params = opened.as_ref().unwrap_or(params);
    let state = params.hint("state").unwrap_or_default();
    // The two kinds of state look different and are made with different keys: neither is ever tried as the other.
    if trial::is_state(state) {
        return trial::returned(known, params, (state, trying)).await.map(Box::new).map(Back::Trial);
    }
    arrive(Upstream::new(site, visit, provider)?, params, state).await.map(Box::new).map(Back::Journey)
}

/// Takes a response into the journey that waits for it.
async fn arrive(upstream: Upstream<'_>, params: &Params, state: &str) -> Outcome<Hop> {
    let Upstream { site, visit, provider, .. } = upstream;
    let trip = Trip::read(site, visit, &provider.id, state)?;
    let pending = Pending::Federation { provider: provider.id.clone(), attempt: trip.attempt };
    // Nothing is asked of the provider for a response that this browser's journey does not wait for.
    if !journey::take(site, visit, trip.journey, &pending).await? {
        return Ok(Hop::to(To::Journey(trip.journey)));
    }
    let (answer, kept) = match judge(upstream, &trip.proof(site, visit), params).await {
        Ok(judged) => {
            if matches!(judged.0, Answer::Federated(_)) {
                site.provider_health.succeeded(visit.tenant_id(), &provider.id, visit.now);
            }
            judged
        }
        Err(fault) => {
            site.provider_health.failed(visit.tenant_id(), &provider.id, visit.now, &fault);
            tracing::warn!(provider = %provider.id, %fault, correlation = %visit.correlation, "a provider's answer was refused");
            let message = fault.hint.unwrap_or_else(|| Message::new("refused-provider-failed"));
            (Answer::FederationFailed { message, code: fault.code }, None)
        }
    };
    let returned = Returned { provider: provider.id.clone(), attempt: trip.attempt, answer, kept };
    journey::returned(site, visit, trip.journey, returned).await
}

/// The public halves of the keys that we use at a provider, as a JWK set (RFC 7517 §5).
pub fn keys(site: &Site, visit: &Visit, provider: &str) -> Outcome<Value> {
    let upstream = Upstream::new(site, visit, provider)?;
    let mut keys = Vec::new();
    if upstream.provider.client_key.is_some() {
        keys.push(json!(upstream.client_key()?.jwk()));
    }
    keys.extend(token::decryption_key(upstream)?.map(|key| json!(key.jwk())));
    Ok(json!({ "keys": keys }))
}

/// What the journey is told, and what is kept for the session that it may end in.
async fn judge(upstream: Upstream<'_>, proof: &Proof, params: &Params) -> Outcome<(Answer, Option<Kept>)> {
    let Some(arrived) = arrival(upstream, proof, params).await? else {
        return Ok((Answer::FederationDeclined, None));
    };
    let kept = kept::of(upstream, &arrived)?;
    let federated = federated(upstream.provider, upstream.tenant_kind(), &arrived.issuer, &arrived.said)?;
    Ok((Answer::Federated(Box::new(federated)), kept))
}

/// Takes a response and checks everything about it; nothing when the person said no.
async fn arrival(upstream: Upstream<'_>, proof: &Proof, params: &Params) -> Outcome<Option<Arrived>> {
    match upstream.provider.preset().protocol {
        Protocol::OpenIdConnect => openid::arrival(upstream, proof, params).await,
        Protocol::OAuth2 => oauth2::arrival(upstream, proof, params).await,
    }
}

/// The code of a response, or nothing when the person said no at the provider.
fn code(params: &Params) -> Outcome<Option<&str>> {
    if let Some(error) = params.hint("error") {
        // Facebook, LinkedIn and Apple have words of their own for it.
        if matches!(error, "access_denied" | "user_cancelled_login" | "user_cancelled_authorize") {
            return Ok(None);
        }
        return Err(Fault::upstream(format!("the provider answered {}", error.escape_debug())));
    }
    let code = params.hint("code");
    code.map(Some).ok_or_else(|| Fault::upstream("the provider sent neither a code nor an error"))
}

/// What the flow may use of what the provider said. `issuer` is the one that was checked; where it is not known
/// before somebody signs in (`{tenantid}`), it is the ID token's own.
pub(crate) fn federated(
    provider: &Provider,
    tenant: TenantKind,
    issuer: &str,
    said: &Said,
) -> Outcome<Federated> {
    let subject = provider.subject(said);
    let subject = subject.ok_or_else(|| Fault::upstream("the provider names no subject that can be kept"))?;
    let configured = provider.identity_issuer(tenant);
    let (issuer, subject) = match provider.identity_provider_type {
        // Organisations share what guests are filed under; the person is told by both (security.md RP12).
        ProviderKind::MicrosoftEntra if configured != provider.issuer() => {
            let organisation = said.id_token.get("tid").and_then(Value::as_str).unwrap_or_default();
            (configured, format!("{organisation}/{subject}"))
        }
        _ if configured == provider.issuer() => (issuer.to_owned(), subject),
        _ => (configured, subject),
    };
    let (verified_email, claimed_email) = match provider.address(said) {
        Some(told) if told.vouched => (Some(told.address), None),
        told => (None, told.map(|told| told.address)),
    };
    let mapped = provider.attributes(said);
    let updates = mapped.iter().map(|one| (one.attribute.clone(), one.update)).collect();
    Ok(Federated {
        provider: provider.id.clone(),
        issuer,
        subject,
        verified_email,
        claimed_email,
        claims: claims::values(&mapped),
        updates,
    })
}

/// What a provider of any protocol says when it says these claims: for tests and previews of flows.
pub(crate) fn said(claims: &Map<String, Value>) -> Said {
    Said { id_token: claims.clone(), user_info: Some(claims.clone()) }
}

/// `{origin}` in a configured address is this server's own first address.
fn placed(site: &Site, address: &str) -> String {
    let origin = site.settings.origins.first().map_or("", String::as_str);
    address.replace("{origin}", origin)
}

/// Parameters of a request, with what is empty left out.
fn pairs<'a>(all: &'a [(&'a str, impl AsRef<str>)]) -> BTreeMap<&'a str, &'a str> {
    let all = all.iter().map(|(name, value)| (*name, value.as_ref()));
    all.filter(|(_, value)| !value.is_empty()).collect()
}
