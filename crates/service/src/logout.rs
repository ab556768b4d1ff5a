//! Signing out at an application's request (OpenID Connect RP-Initiated Logout 1.0).

use url::Url;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, SessionId};
use vestibule_rules::oauth::error::OAuthError;
use vestibule_rules::oauth::logout::{Decision, Shown, decide, target};
use vestibule_rules::oauth::params::Params;
use vestibule_store::{ReadTx, grants};
use vestibule_store::{provider_sessions, sessions};

use crate::env::Site;
use crate::federation;
use crate::session;
use crate::token::{Refusal, hint};
use crate::visit::Visit;

/// A request to the logout endpoint, by GET or POST.
#[derive(Default)]
pub struct LogoutRequest {
    pub params: Params,
    /// The person pressed the button of our own page, whose CSRF token was good.
    pub confirmed: bool,
}

/// What the browser gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogoutReply {
    /// A page that asks; its form sends the same parameters again.
    Confirm,
    /// Signed out: the session cookie goes.
    Done {
        /// A registered address of an application, with `state` when it was sent, or the provider's place to
        /// sign out there as well. Without one, our own page says that it is done.
        redirect: Option<String>,
        /// Addresses of apps that learn of it by being opened in a frame (Front-Channel Logout 1.0).
        frames: Vec<String>,
    },
}

/// The parameters that may occur once.
const KNOWN: &[&str] = &["id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state"];

/// Signs the browser's session out, or asks first.
pub async fn logout(site: &Site, visit: &Visit, request: LogoutRequest) -> Result<LogoutReply, Refusal> {
    request.params.check(KNOWN)?;
    let current = session::find(site, visit).await?.map(|session| session.sid);
    let (shown, client) = evidence(site, visit, &request).await?;
    let may_return = match decide(shown, current) {
        Decision::Confirm => return Ok(LogoutReply::Confirm),
        Decision::SignOut { may_return } => may_return,
    };
    let ended = current.or(match shown {
        Shown::Hint(hinted) => Some(hinted),
        Shown::BadHint | Shown::Nothing | Shown::Confirmed => None,
    });
    let redirect = if may_return {
        let mut tx = site.env.db.read().await?;
        let clients = clients(&mut tx, visit, client, ended).await?;
        address(visit, &request.params, &clients)?
    } else {
        None
    };
    let Some(sid) = ended else { return Ok(LogoutReply::Done { redirect, frames: Vec::new() }) };
    let onward = federation::onward(site, visit, sid, redirect.as_deref()).await?;
    let frames = front_channel(site, visit, sid).await?;
    end(site, visit, sid).await?;
    site.notices_waiting.notify_one();
    Ok(LogoutReply::Done { redirect: onward.or(redirect), frames })
}

/// What the request shows, and the application that it vouches for.
async fn evidence(
    site: &Site,
    visit: &Visit,
    request: &LogoutRequest,
) -> Result<(Shown, Option<ClientId>), Refusal> {
    let params = &request.params;
    let named = params.get("client_id")?.map(ClientId::parse);
    if let Some(token) = params.get("id_token_hint")? {
        let Some(hinted) = hint::id_token(site, visit, token).await? else {
            return Ok((confirmed_or(request, Shown::BadHint), None));
        };
        // RP-Initiated Logout 1.0 §2: both must name the same application.
        return Ok(match named {
            Some(named) if named != Some(hinted.client) => (confirmed_or(request, Shown::BadHint), None),
            Some(_) | None => (confirmed_or(request, Shown::Hint(hinted.sid)), Some(hinted.client)),
        });
    }
    let opened =
        params.get("logout_hint")?.and_then(|text| hint::open_login_hint(site, visit.tenant_id(), text));
    let shown = opened.map_or(Shown::Nothing, |(_, sid)| Shown::Hint(sid));
    Ok((confirmed_or(request, shown), named.flatten()))
}

const fn confirmed_or(request: &LogoutRequest, shown: Shown) -> Shown {
    if request.confirmed { Shown::Confirmed } else { shown }
}

/// The applications whose addresses count: the one that is named, or those that the session signed in to
/// (MSAL names none, native-auth-and-msal.md 2.9).
async fn clients(
    tx: &mut ReadTx,
    visit: &Visit,
    named: Option<ClientId>,
    session: Option<SessionId>,
) -> Outcome<Vec<ClientId>> {
    match (named, session) {
        (Some(client), _) => Ok(vec![client]),
        (None, Some(sid)) => {
            let families = grants::list_families_of_session(tx, visit.tenant_id(), sid).await?;
            Ok(families.into_iter().map(|family| family.client_id).collect())
        }
        (None, None) => Ok(Vec::new()),
    }
}

fn address(visit: &Visit, params: &Params, clients: &[ClientId]) -> Result<Option<String>, OAuthError> {
    let applications = visit.tenant.config.applications.iter().filter(|app| clients.contains(&app.app_id));
    Ok(target(applications, params.get("post_logout_redirect_uri")?, params.get("state")?))
}

/// Where the apps of the session want to be told by the browser, with issuer and session: an app that gets neither
/// cannot tell whose session it is (OpenID Connect Front-Channel Logout 1.0 §3).
async fn front_channel(site: &Site, visit: &Visit, sid: SessionId) -> Outcome<Vec<String>> {
    let mut tx = site.env.db.read().await?;
    let families = grants::list_families_of_session(&mut tx, visit.tenant_id(), sid).await?;
    let mut frames = Vec::new();
    for family in families.iter().filter(|family| family.revoked_at.is_none()) {
        let app = visit.tenant.application(family.client_id);
        let address = app.and_then(|app| app.web.logout_url.as_deref()).map(Url::parse);
        let Some(Ok(mut address)) = address else { continue };
        address
            .query_pairs_mut()
            .append_pair("iss", &family.issuer)
            .append_pair("sid", &family.sid.to_string());
        let address = String::from(address);
        if !frames.contains(&address) {
            frames.push(address);
        }
    }
    Ok(frames)
}

/// Ends the session and takes back what applications got in it.
async fn end(site: &Site, visit: &Visit, sid: SessionId) -> Outcome<()> {
    let (tenant, now) = (visit.tenant_id(), visit.now);
    site.env
        .db
        .write(move |tx| {
            Box::pin(async move {
                sessions::revoke_sid(tx, tenant, sid, now).await?;
                provider_sessions::remove(tx, tenant, sid).await?;
                grants::revoke_families_of_session(tx, tenant, sid, now).await.map(drop)
            })
        })
        .await
}
