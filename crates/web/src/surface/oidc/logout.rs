//! `GET` and `POST /{tenant}/oauth2/v2.0/logout`

use axum::extract::{Request, State};
use axum::response::Response;
use vestibule_rules::fault::Outcome;
use vestibule_rules::oauth::params::Params;
use vestibule_service::logout::{Leaving, LogoutReply, LogoutRequest, logout};
use vestibule_service::waiting::choose::ListedAccount;

use crate::cookie;
use crate::csrf;
use crate::fault::PageFault;
use crate::form::Asked;
use crate::link;
use crate::page::account::AccountRow;
use crate::page::around::{SignOutPage, SignedOutPage};
use crate::respond::{self, FormTargets};
use crate::state::AppState;

/// What our own page adds to the parameters of the app.
const OURS: &[&str] = &["csrf", "action", "session"];

pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    sign_out(&app, &asked, false).await
}

/// A `POST` is the app's, or our own page's with the person's answer; the token in the form tells which.
pub(super) async fn post(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let token = asked.params().hint("csrf").map(str::to_owned);
    let confirmed = match token {
        Some(token) => {
            asked.require_own_form()?;
            csrf::check_logout(&app.site, &asked.visit, &token)?;
            true
        }
        None => false,
    };
    sign_out(&app, &asked, confirmed).await
}

async fn sign_out(app: &AppState, asked: &Asked, confirmed: bool) -> Result<Response, PageFault> {
    let theirs: Vec<_> = asked.pairs().iter().filter(|(n, _)| !OURS.contains(&n.as_str())).cloned().collect();
    let session = asked.pairs().iter().find(|(name, _)| name == "session" && confirmed);
    let chosen = session.and_then(|(_, value)| Leaving::parse(value));
    let request = LogoutRequest { params: Params::new(theirs.clone()), confirmed, chosen };
    let (redirect, frames, cookie) = match logout(&app.site, &asked.visit, request).await? {
        LogoutReply::Confirm { accounts } => return Ok(confirm(app, asked, theirs, accounts)?),
        LogoutReply::Done { redirect, frames, cookie } => (redirect, frames, cookie),
    };
    let mut response = match redirect {
        Some(to) if frames.is_empty() => respond::redirect(&asked.method, &to)?,
        next => {
            let targets = FormTargets::Framing(frames.clone());
            respond::page(app, &asked.frame, &SignedOutPage { frames, next }, &targets)?
        }
    };
    let listener = asked.exchange.listener();
    cookie::session(response.headers_mut(), listener, asked.visit.tenant_id(), &cookie)?;
    Ok(response)
}

fn confirm(
    app: &AppState,
    asked: &Asked,
    parameters: Vec<(String, String)>,
    accounts: Vec<ListedAccount>,
) -> Outcome<Response> {
    let page = SignOutPage {
        action: link::logout(&asked.visit.segments),
        csrf: csrf::logout_token(&app.site, &asked.visit)?,
        parameters,
        accounts: accounts.into_iter().map(AccountRow::new).collect(),
        home: link::home(&asked.visit.segments),
    };
    respond::page(app, &asked.frame, &page, &FormTargets::Onward)
}
