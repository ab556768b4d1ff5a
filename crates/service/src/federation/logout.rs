//! Signing out at a provider with here (OpenID Connect RP-Initiated Logout 1.0), and here with there (Back-Channel
//! Logout 1.0, Front-Channel Logout 1.0, and what Apple reports of its accounts).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use url::Url;
use vestibule_crypto::claims::{self, LoggedOut, LogoutToken, SKEW, audiences};
use vestibule_rules::directory::provider::SignOut;
use vestibule_rules::directory::provider::kind::{Protocol, ProviderKind};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{SessionId, UserId};
use vestibule_rules::oauth::params::Params;
use vestibule_rules::time::Timestamp;
use vestibule_store::audit::EntryRow;
use vestibule_store::{audit, provider_sessions, users};

use super::kept::Tokens;
use super::{Upstream, federated, openid, said, token};
use crate::env::Site;
use crate::session;
use crate::visit::Visit;

/// Longest logout token or report that is read.
const LONGEST: usize = 16 * 1024;

/// Where the browser goes to sign out at the provider that a session came by, if the provider's settings want that;
/// `then` is where it is to end up. A provider that does not answer keeps nobody from signing out here.
pub(crate) async fn onward(
    site: &Site,
    visit: &Visit,
    sid: SessionId,
    then: Option<&str>,
) -> Outcome<Option<String>> {
    let row = provider_sessions::find(&mut site.env.db.glance().await?, visit.tenant_id(), sid).await?;
    let Some(row) = row else { return Ok(None) };
    let Ok(upstream) = Upstream::new(site, visit, &row.provider) else { return Ok(None) };
    if upstream.provider.settings.sign_out != SignOut::Provider {
        return Ok(None);
    }
    let endpoint = match openid::metadata(upstream).await {
        Ok(metadata) => metadata.end_session_endpoint.clone(),
        Err(fault) => {
            tracing::warn!(provider = %upstream.provider.id, %fault, "nobody can be signed out at a provider");
            None
        }
    };
    let Some(mut url) = endpoint else { return Ok(None) };
    let id_token = row.sealed.and_then(|sealed| Tokens::open(upstream, &sealed).ok()?.id_token);
    let state = site.env.sealing.seal(&context(upstream), then.unwrap_or_default().as_bytes())?;
    let back = format!("{}/signed_out", upstream.redirect_uri());
    let mut pairs = url.query_pairs_mut();
    if let Some(id_token) = &id_token {
        pairs.append_pair("id_token_hint", id_token);
    }
    pairs
        .append_pair("client_id", &upstream.provider.client_id)
        .append_pair("post_logout_redirect_uri", &back)
        .append_pair("state", &URL_SAFE_NO_PAD.encode(state));
    drop(pairs);
    Ok(Some(url.into()))
}

fn context(Upstream { visit, provider, .. }: Upstream<'_>) -> String {
    format!("federation sign-out|{}|{}", visit.tenant_id(), provider.id.key())
}

/// The browser comes back from signing out at a provider: where it goes on to, which is nowhere else than where we
/// wanted it; nothing when our own page is the end.
pub fn signed_out(site: &Site, visit: &Visit, provider: &str, params: &Params) -> Outcome<Option<String>> {
    let upstream = Upstream::new(site, visit, provider)?;
    let open = |text: &str| {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        String::from_utf8(site.env.sealing.open(&context(upstream), &sealed).ok()?).ok()
    };
    let then = params.hint("state").and_then(open);
    // A state that is not ours leads nowhere, and signing out has happened all the same.
    Ok(then.filter(|then| Url::parse(then).is_ok()))
}

/// A provider says by itself that somebody signed out there. Sessions that began after it said so go on, so a token
/// that comes again ends nothing new.
///
/// Refuses a token that is not good (security.md RP20).
pub async fn back_channel(site: &Site, visit: &Visit, provider: &str, text: &str) -> Outcome<()> {
    let upstream = openid_provider(site, visit, provider)?;
    if text.len() > LONGEST {
        return Err(Fault::malformed("logout_token", "the logout token is too long"));
    }
    let metadata = openid::metadata(upstream).await?;
    let opened = token::open(upstream, text)?;
    let verified = token::verify(upstream, &metadata, (opened.text(), LogoutToken::TYP)).await?;
    let claims = &verified.claims;
    let issuer = openid::issuer_of(upstream.provider, &metadata.issuer, claims)?;
    let check =
        LogoutToken { issuer: &issuer, client: &upstream.provider.client_id, now: visit.now, skew: SKEW };
    let LoggedOut { subject, session, .. } = check.check(claims)?;
    let began_by = began_by(claims)?;
    let by_session = match session {
        Some(name) => of_session(upstream, name, began_by).await?,
        None => Vec::new(),
    };
    let sids = match (session, subject) {
        (Some(_), _) => by_session,
        (None, _) => of_person(upstream, (&issuer, claims), began_by).await?.1,
    };
    end(upstream, sids).await
}

/// A provider's page, in a frame, says that its session ended: the browser shows no cookie of ours there, so the name
/// of the session, which nobody else knows, says which one it is.
///
/// Refuses a request that does not name issuer and session.
pub async fn front_channel(site: &Site, visit: &Visit, provider: &str, params: &Params) -> Outcome<()> {
    let upstream = openid_provider(site, visit, provider)?;
    let named = |name: &str| {
        let value = params.hint(name).filter(|value| !value.is_empty() && value.len() <= 255);
        value.ok_or_else(|| Fault::malformed(name, format!("“{name}” is missing")))
    };
    let (issuer, session) = (named("iss")?, named("sid")?);
    if !openid::is_of_issuer(&upstream.issuer(), issuer) {
        return Err(Fault::malformed("iss", "the issuer is another one"));
    }
    let sids = of_session(upstream, session, visit.now).await?;
    end(upstream, sids).await
}

/// Apple reports what happened to an account: its user took our app's access back, closed the account, or turned the
/// forwarding of mail off or on. The first two end its sessions here; all are written down.
///
/// Refuses a report that is not signed by Apple for us; `Missing` for any other provider.
pub async fn notified(site: &Site, visit: &Visit, provider: &str, payload: &str) -> Outcome<()> {
    let upstream = openid_provider(site, visit, provider)?;
    if upstream.provider.identity_provider_type != ProviderKind::Apple {
        return Err(Fault::missing("provider", "only Apple sends reports"));
    }
    if payload.len() > LONGEST {
        return Err(Fault::malformed("payload", "the report is too long"));
    }
    let metadata = openid::metadata(upstream).await?;
    let verified = token::verify(upstream, &metadata, (payload, token::JWT)).await?;
    let claims = &verified.claims;
    let issuer = openid::issuer_of(upstream.provider, &metadata.issuer, claims)?;
    let names = [Some(&upstream.provider.client_id), upstream.provider.settings.app_id.as_ref()];
    let audiences = audiences(claims)?;
    let ours = claims.get("iss").and_then(Value::as_str) == Some(&issuer)
        && names.into_iter().flatten().any(|name| audiences.contains(&name.as_str()));
    let began_by = began_by(claims)?;
    if !ours || began_by > visit.now + SKEW + SKEW {
        return Err(Fault::malformed("payload", "the report is not for us"));
    }
    // It is an object in a text.
    let event: Value = match claims.get("events") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(object) => object.clone(),
        None => Value::Null,
    };
    let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
    let mut person = Map::new();
    person.extend(event.get("sub").map(|sub| ("sub".to_owned(), sub.clone())));
    if !person.contains_key("sub") || kind.is_empty() || kind.len() > 64 {
        return Err(Fault::malformed("payload", "the report does not say what happened, or to whom"));
    }
    let (user, sids) = of_person(upstream, (&issuer, &person), began_by).await?;
    let Some(user) = user else { return Ok(()) };
    note(upstream, user, kind).await?;
    match kind {
        "consent-revoked" | "account-delete" | "account-deleted" => end(upstream, sids).await,
        _ => Ok(()),
    }
}

fn openid_provider<'a>(site: &'a Site, visit: &'a Visit, provider: &str) -> Outcome<Upstream<'a>> {
    let upstream = Upstream::new(site, visit, provider)?;
    match upstream.provider.preset().protocol {
        Protocol::OpenIdConnect => Ok(upstream),
        Protocol::OAuth2 => Err(Fault::missing("provider", "the provider knows no sign-out")),
    }
}

/// Until when a session that the statement is about can have begun: the clocks may be apart.
fn began_by(claims: &Map<String, Value>) -> Outcome<Timestamp> {
    let issued_at = claims::seconds(claims, "iat")?;
    let issued_at = issued_at.ok_or_else(|| Fault::malformed("iat", "it is not said when it was issued"))?;
    Ok(issued_at + SKEW)
}

async fn of_session(upstream: Upstream<'_>, name: &str, began_by: Timestamp) -> Outcome<Vec<SessionId>> {
    let mut tx = upstream.site.env.db.glance().await?;
    let key = upstream.provider.id.key();
    provider_sessions::list_by_provider_sid(&mut tx, upstream.visit.tenant_id(), (&key, name), began_by).await
}

/// Whose identity it is, and the sessions that were begun with it.
async fn of_person(
    upstream: Upstream<'_>,
    (issuer, claims): (&str, &Map<String, Value>),
    began_by: Timestamp,
) -> Outcome<(Option<UserId>, Vec<SessionId>)> {
    let tenant = upstream.visit.tenant_id();
    let person = federated(upstream.provider, upstream.tenant_kind(), issuer, &said(claims))?;
    let mut tx = upstream.site.env.db.read().await?;
    let user = users::find_by_identity(&mut tx, tenant, &person.issuer, &person.subject).await?;
    let Some(user) = user else { return Ok((None, Vec::new())) };
    let who = (upstream.provider.id.as_str(), user.id);
    let sids = provider_sessions::list_by_user(&mut tx, tenant, who, began_by).await?;
    Ok((Some(user.id), sids))
}

/// Ends sessions, and what apps got in them.
async fn end(upstream: Upstream<'_>, sids: Vec<SessionId>) -> Outcome<()> {
    let (tenant, now) = (upstream.visit.tenant_id(), upstream.visit.now);
    let entry =
        |sid: &SessionId| (*sid, entry(upstream, "signOut", ("session", sid.to_string()), &json!({})));
    let all: Vec<_> = sids.iter().map(entry).collect();
    let write = upstream.site.env.db.write(move |tx| {
        let all = all.clone();
        Box::pin(async move {
            for (sid, entry) in &all {
                session::end(tx, tenant, *sid, now).await?;
                audit::insert(tx, tenant, entry).await?;
            }
            Ok(())
        })
    });
    if sids.is_empty() { Ok(()) } else { write.await }
}

async fn note(upstream: Upstream<'_>, user: UserId, kind: &str) -> Outcome<()> {
    let tenant = upstream.visit.tenant_id();
    let entry = entry(upstream, "providerReport", ("user", user.to_string()), &json!({ "event": kind }));
    let write = upstream.site.env.db.write(move |tx| {
        let entry = entry.clone();
        Box::pin(async move { audit::insert(tx, tenant, &entry).await })
    });
    write.await
}

fn entry(upstream: Upstream<'_>, action: &str, (kind, id): (&str, String), detail: &Value) -> EntryRow {
    let Upstream { site, visit, provider, .. } = upstream;
    EntryRow {
        key: site.env.order_key(visit.now),
        at: visit.now,
        actor: format!("provider:{}", provider.id),
        action: action.to_owned(),
        target_kind: kind.to_owned(),
        target_id: id,
        correlation_id: visit.correlation.to_string(),
        detail: detail.to_string(),
    }
}
