//! Signing out at an application's request (OpenID Connect RP-Initiated Logout 1.0).

use url::Url;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, SessionId};
use vestibule_rules::oauth::error::OAuthError;
use vestibule_rules::oauth::logout::{Decision, Shown, decide, target};
use vestibule_rules::oauth::params::Params;
use vestibule_store::{ReadTx, grants};

use crate::env::Site;
use crate::federation;
use crate::hop::SessionCookie;
use crate::session::{self, Browser, Change};
use crate::token::{Refusal, hint};
use crate::visit::Visit;
use crate::waiting::choose::{self, ListedAccount};

/// A request to the logout endpoint, by GET or POST.
#[derive(Default)]
pub struct LogoutRequest {
    pub params: Params,
    /// The person pressed the button of our own page, whose CSRF token was good.
    pub confirmed: bool,
    /// Which account they chose there.
    pub chosen: Option<Leaving>,
}

/// Who leaves a browser with several accounts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
    All,
    One(SessionId),
}

impl Leaving {
    /// As a form says it.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "all" { Some(Self::All) } else { SessionId::parse(text).map(Self::One) }
    }
}

/// What the browser gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogoutReply {
    /// A page that asks; its form sends the same parameters again. With several accounts it asks which one.
    Confirm { accounts: Vec<ListedAccount> },
    /// Signed out.
    Done {
        /// A registered address of an application, with `state` when it was sent, or the provider's place to
        /// sign out there as well. Without one, our own page says that it is done.
        redirect: Option<String>,
        /// Addresses of apps that learn of it by being opened in a frame (Front-Channel Logout 1.0).
        frames: Vec<String>,
        /// What becomes of the session cookie.
        cookie: SessionCookie,
    },
}

/// The parameters that may occur once.
const KNOWN: &[&str] = &["id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state"];

/// Signs accounts of the browser out, or asks first.
pub async fn logout(site: &Site, visit: &Visit, request: LogoutRequest) -> Result<LogoutReply, Refusal> {
    request.params.check(KNOWN)?;
    let here = session::of_browser(site, visit).await?;
    let confirm = || {
        let accounts = here.accounts.iter().map(ListedAccount::of).collect();
        Ok(LogoutReply::Confirm { accounts })
    };
    let (shown, client) = evidence(site, visit, &request).await?;
    let may_return = match decide(shown, &here.sids()) {
        Decision::Confirm => return confirm(),
        Decision::SignOut { may_return } => may_return,
    };
    let Some(ended) = leaving(shown, request.chosen, &here) else { return confirm() };
    let redirect = if may_return {
        let mut tx = site.env.db.read().await?;
        let clients = clients(&mut tx, visit, client, &ended).await?;
        address(visit, &request.params, &clients)?
    } else {
        None
    };
    let mut onward = None;
    let mut frames = Vec::new();
    for sid in &ended {
        if onward.is_none() {
            onward = federation::onward(site, visit, *sid, redirect.as_deref()).await?;
        }
        front_channel(site, visit, *sid, &mut frames).await?;
    }
    let change = Change::sign_out(site, visit, &here, &ended);
    choose::write(site, visit, &change).await?;
    Ok(LogoutReply::Done { redirect: onward.or(redirect), frames, cookie: change.cookie })
}

/// The sessions that end; nothing when the person has to say which.
fn leaving(shown: Shown, chosen: Option<Leaving>, here: &Browser) -> Option<Vec<SessionId>> {
    match (shown, chosen) {
        (Shown::Hint(hinted), _) => Some(vec![hinted]),
        (Shown::Confirmed, Some(Leaving::One(sid))) => here.by_sid(sid).map(|found| vec![found.session.sid]),
        (Shown::Confirmed, Some(Leaving::All)) => Some(here.sids()),
        (Shown::Confirmed, None) => Some(here.sids()).filter(|sids| sids.len() <= 1),
        (Shown::BadHint | Shown::Nothing, _) => Some(Vec::new()),
    }
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
    ended: &[SessionId],
) -> Outcome<Vec<ClientId>> {
    if let Some(client) = named {
        return Ok(vec![client]);
    }
    let mut clients = Vec::new();
    for sid in ended {
        let families = grants::list_families_of_session(tx, visit.tenant_id(), *sid).await?;
        clients.extend(families.into_iter().map(|family| family.client_id));
    }
    Ok(clients)
}

fn address(visit: &Visit, params: &Params, clients: &[ClientId]) -> Result<Option<String>, OAuthError> {
    let applications = visit.tenant.config.applications.iter().filter(|app| clients.contains(&app.app_id));
    Ok(target(applications, params.get("post_logout_redirect_uri")?, params.get("state")?))
}

/// Where the apps of the session want to be told by the browser, with issuer and session: an app that gets neither
/// cannot tell whose session it is (OpenID Connect Front-Channel Logout 1.0 §3).
async fn front_channel(site: &Site, visit: &Visit, sid: SessionId, frames: &mut Vec<String>) -> Outcome<()> {
    let mut tx = site.env.db.read().await?;
    let families = grants::list_families_of_session(&mut tx, visit.tenant_id(), sid).await?;
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
    Ok(())
}
