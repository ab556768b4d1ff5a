//! What is kept of a sign-in at a provider for as long as the session here lasts: the provider's name of its own
//! session, the ID token that a sign-out there wants to see, and the tokens that an app may ask for. Tokens are
//! sealed; without a setting that needs them none is kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use url::Url;
use vestibule_crypto::claims::{IdToken, SKEW};
use vestibule_rules::directory::provider::SignOut;
use vestibule_rules::directory::provider::kind::Protocol;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ProviderId, SessionId};
use vestibule_rules::oauth::error;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::provider_sessions::{self, ProviderSessionRow};

use super::client::Endpoint;
use super::{Arrived, Upstream, client, openid, token};
use crate::env::Site;
use crate::token::Refusal;
use crate::userinfo::{self, UserinfoRequest};
use crate::visit::Visit;

/// Longest name of a session that is remembered.
const NAME_MAX: usize = 255;
/// A token that ends so soon is renewed: it has to reach the app and be used.
const SOON: Span = Span::seconds(30);

/// What a journey carries from the provider to the session that it ends in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kept {
    provider: ProviderId,
    provider_sid: Option<String>,
    /// [`Tokens`], sealed and in base64.
    sealed: Option<String>,
}

/// The tokens of a provider. They are never printed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tokens {
    issuer: String,
    subject: Option<String>,
    /// The authorized party of the first ID token.
    #[serde(default)]
    party: Option<String>,
    pub(super) id_token: Option<String>,
    access_token: Option<String>,
    token_type: Option<String>,
    scope: Option<String>,
    expires_at: Option<Timestamp>,
    refresh_token: Option<String>,
}

impl Kept {
    /// The row of the session that begins, if it is by this provider that the person came.
    pub(crate) fn row(
        &self,
        by: Option<&ProviderId>,
        (sid, expires_at): (SessionId, Timestamp),
    ) -> Outcome<Option<ProviderSessionRow>> {
        if by != Some(&self.provider) {
            return Ok(None);
        }
        let decode = |sealed: &String| STANDARD.decode(sealed);
        let sealed = self.sealed.as_ref().map(decode).transpose();
        let sealed =
            sealed.map_err(|e| Fault::ours(format!("journey.state: what is kept is no base64: {e}")))?;
        let provider_sid = self.provider_sid.clone();
        Ok(Some(ProviderSessionRow { sid, provider: self.provider.key(), provider_sid, sealed, expires_at }))
    }
}

/// What is to be kept of an arrival; nothing when nobody will ask for it.
pub(super) fn of(upstream: Upstream<'_>, arrived: &Arrived) -> Outcome<Option<Kept>> {
    let Upstream { visit, provider, .. } = upstream;
    let told = arrived.said.id_token.get("sid").and_then(Value::as_str);
    let provider_sid = told.filter(|sid| !sid.is_empty() && sid.len() <= NAME_MAX).map(str::to_owned);
    let for_apps = !provider.settings.keep_tokens_for.is_empty();
    let for_sign_out = provider.settings.sign_out == SignOut::Provider;
    let sealed = if for_apps || for_sign_out {
        let mut tokens = Tokens {
            issuer: arrived.issuer.clone(),
            subject: text_of(&arrived.said.id_token, "sub"),
            party: text_of(&arrived.said.id_token, "azp"),
            id_token: arrived.id_token.clone().filter(|_| for_sign_out),
            access_token: None,
            token_type: None,
            scope: None,
            expires_at: None,
            refresh_token: None,
        };
        if for_apps {
            tokens.take(&arrived.response, visit.now);
        }
        Some(STANDARD.encode(tokens.seal(upstream)?))
    } else {
        None
    };
    let anything = provider_sid.is_some() || sealed.is_some();
    Ok(anything.then(|| Kept { provider: provider.id.clone(), provider_sid, sealed }))
}

fn text_of(claims: &Map<String, Value>, name: &str) -> Option<String> {
    claims.get(name).and_then(Value::as_str).map(str::to_owned)
}

impl Tokens {
    /// Takes over what a token response says (RFC 6749 §5.1).
    fn take(&mut self, response: &Map<String, Value>, now: Timestamp) {
        let text = |name: &str| response.get(name).and_then(Value::as_str).map(str::to_owned);
        self.access_token = text("access_token");
        self.token_type = text("token_type");
        self.scope = text("scope").or(self.scope.take());
        let lives = response.get("expires_in").and_then(Value::as_i64);
        self.expires_at =
            lives.filter(|lives| (0..=315_360_000).contains(lives)).map(|s| now + Span::seconds(s));
        self.refresh_token = text("refresh_token").or(self.refresh_token.take());
    }

    fn seal(&self, upstream: Upstream<'_>) -> Outcome<Vec<u8>> {
        let text =
            serde_json::to_vec(self).map_err(|e| Fault::ours(format!("tokens cannot be kept: {e}")))?;
        upstream.site.env.sealing.seal(&context(upstream), &text)
    }

    pub(super) fn open(upstream: Upstream<'_>, sealed: &[u8]) -> Outcome<Self> {
        let text = upstream.site.env.sealing.open(&context(upstream), sealed)?;
        serde_json::from_slice(&text).map_err(|e| Fault::ours(format!("provider_session.sealed: {e}")))
    }

    fn is_good(&self, now: Timestamp) -> bool {
        self.access_token.is_some() && self.expires_at.is_none_or(|at| at > now + SOON)
    }
}

fn context(Upstream { visit, provider, .. }: Upstream<'_>) -> String {
    format!("provider session|{}|{}", visit.tenant_id(), provider.id.key())
}

/// The provider's own access token of whoever holds a token of ours, for an app that is allowed it. One that is
/// about to end is renewed, if the provider gave a refresh token.
///
/// Refuses a token of ours that is not good, or of an app that is not allowed; `Missing` when none is kept.
pub async fn provider_token(
    site: &Site,
    visit: &Visit,
    provider: &str,
    request: UserinfoRequest,
) -> Result<Value, Refusal> {
    let upstream = Upstream::new(site, visit, provider)?;
    let holder = userinfo::holder(site, visit, request).await?;
    let app = visit.tenant.application(holder.client).ok_or(error::TOKEN)?;
    if !upstream.provider.keeps_tokens_for(app) {
        return Err(error::FORBIDDEN.into());
    }
    let none = || Fault::missing("token", "no token of the provider is kept of this session");
    let sealed = sealed(upstream, holder.sid).await?.ok_or_else(none)?;
    let tokens = Tokens::open(upstream, &sealed)?;
    let tokens = if tokens.is_good(visit.now) {
        tokens
    } else {
        let key = format!("{} {}", visit.tenant_id(), holder.sid);
        let renewed = site
            .providers
            .renewals
            .join(&key, async { renew(upstream, holder.sid, sealed).await.map(Arc::new) });
        renewed.await?.as_ref().clone()
    };
    let access_token = tokens.access_token.ok_or_else(none)?;
    Ok(json!({
        "access_token": access_token,
        "token_type": tokens.token_type.as_deref().unwrap_or("Bearer"),
        "expires_in": tokens.expires_at.map(|at| at.since(visit.now).as_seconds()),
        "scope": tokens.scope,
    }))
}

/// What is sealed with a session, if it is of this provider.
async fn sealed(upstream: Upstream<'_>, sid: SessionId) -> Outcome<Option<Vec<u8>>> {
    let mut tx = upstream.site.env.db.glance().await?;
    let row = provider_sessions::find(&mut tx, upstream.visit.tenant_id(), sid).await?;
    Ok(row.filter(|row| row.provider == upstream.provider.id.key()).and_then(|row| row.sealed))
}

/// Asks the provider for a newer token and keeps it (RFC 6749 §6).
async fn renew(upstream: Upstream<'_>, sid: SessionId, sealed: Vec<u8>) -> Outcome<Tokens> {
    let mut tokens = Tokens::open(upstream, &sealed)?;
    let ended =
        || Fault::missing("token", "the provider's token has ended, and there is none to renew it with");
    let refresh_token = tokens.refresh_token.clone().ok_or_else(ended)?;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
    let response = match upstream.provider.preset().protocol {
        Protocol::OpenIdConnect => {
            let metadata = openid::metadata(upstream).await?;
            let endpoint = openid::at(&metadata, &metadata.token_endpoint, None);
            let body =
                client::object("the token endpoint", &upstream.post_as_client(endpoint, &fields).await?)?;
            check_renewed(upstream, &metadata, &tokens, &body).await?;
            body
        }
        Protocol::OAuth2 => {
            let endpoints = upstream.provider.endpoints();
            let endpoints = endpoints.ok_or_else(|| Fault::ours("the provider has no addresses"))?;
            let url: Url = client::address(upstream.site, &endpoints.token)?;
            let endpoint = Endpoint { url: &url, audience: url.as_str(), algorithms: &[], dpop: None };
            client::object("the token endpoint", &upstream.post_as_client(endpoint, &fields).await?)?
        }
    };
    tokens.take(&response, upstream.visit.now);
    if tokens.access_token.is_none() {
        return Err(Fault::upstream("the token response has no access token"));
    }
    let (tenant, newer) = (upstream.visit.tenant_id(), tokens.seal(upstream)?);
    let db = &upstream.site.env.db;
    let write = db.write(move |tx| {
        let (old, new) = (sealed.clone(), newer.clone());
        Box::pin(async move { provider_sessions::reseal(tx, tenant, sid, (&old, &new)).await })
    });
    // The session has ended meanwhile, or another node was first: what it got is as good.
    if write.await? {
        return Ok(tokens);
    }
    let newest = self::sealed(upstream, sid).await?.ok_or_else(ended)?;
    Tokens::open(upstream, &newest)
}

/// An ID token that comes with a newer access token is of the same person (security.md RP19, OpenID Connect Core
/// 12.2).
async fn check_renewed(
    upstream: Upstream<'_>,
    metadata: &super::metadata::Metadata,
    tokens: &Tokens,
    response: &Map<String, Value>,
) -> Outcome<()> {
    let Some(text) = response.get("id_token").and_then(Value::as_str) else { return Ok(()) };
    let opened = token::open(upstream, text)?;
    let verified = token::verify(upstream, metadata, (opened.text(), token::JWT)).await?;
    let check = IdToken {
        issuer: &tokens.issuer,
        client: &upstream.provider.client_id,
        nonce: None,
        now: upstream.visit.now,
        skew: SKEW,
    };
    let subject = check.check(&verified.claims)?;
    if tokens.subject.as_deref() != Some(subject) || tokens.party != text_of(&verified.claims, "azp") {
        return Err(Fault::upstream("the renewed token is somebody else's"));
    }
    Ok(())
}
