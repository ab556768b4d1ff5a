//! `GET` and `POST /{tenant}/account`, somebody's own account, and `/{tenant}/account/apps`, the apps that they let use
//! it.

use axum::extract::{Request, State};
use axum::response::Response;
use vestibule_rules::fault::Fault;
use vestibule_rules::ids::ClientId;
use vestibule_service::consent;
use vestibule_service::session;

use super::device::posted;
use crate::cookie;
use crate::fault::PageFault;
use crate::form::Asked;
use crate::link;
use crate::page::account::{AccountPage, AppsPage};
use crate::page::around::SignedOutPage;
use crate::respond::{self, FormTargets};
use crate::state::AppState;

/// Shows who is signed in. It changes nothing.
pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let account = session::own(&app.site, &asked.visit).await?;
    let segments = &asked.visit.segments;
    let page = AccountPage::new(account, link::account(segments), link::apps(segments));
    Ok(respond::page(&app, &asked.frame, &page, &FormTargets::Own)?)
}

/// Signs the person out everywhere.
pub(super) async fn post(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    asked.require_own_form()?;
    if posted(&asked, "action") != "sign-out-everywhere" {
        return Err(Fault::malformed("action", "nothing that can be done to an account").into());
    }
    let change = session::sign_out_everywhere(&app.site, &asked.visit, posted(&asked, "csrf")).await?;
    let page = SignedOutPage { frames: Vec::new(), next: None };
    let mut response = respond::page(&app, &asked.frame, &page, &FormTargets::Own)?;
    let listener = asked.exchange.listener();
    cookie::session(response.headers_mut(), listener, asked.visit.tenant_id(), &change)?;
    Ok(response)
}

/// Shows the apps with access. It changes nothing.
pub(super) async fn apps(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let view = consent::apps(&app.site, &asked.visit).await?;
    let segments = &asked.visit.segments;
    let page = AppsPage::new(view, link::apps(segments), link::account(segments));
    Ok(respond::page(&app, &asked.frame, &page, &FormTargets::Own)?)
}

/// Takes the access of an app back.
pub(super) async fn withdraw(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    asked.require_own_form()?;
    let client = ClientId::parse(posted(&asked, "client"));
    let client = client.ok_or_else(|| Fault::malformed("client", "not the id of an app"))?;
    consent::withdraw(&app.site, &asked.visit, (client, posted(&asked, "csrf"))).await?;
    Ok(respond::redirect(&asked.method, &link::apps(&asked.visit.segments))?)
}
