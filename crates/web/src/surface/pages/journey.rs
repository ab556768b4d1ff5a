//! `GET` and `POST /{tenant}/journey/{id}`, and the documents that it asks to accept.

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::USER_AGENT;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::JourneyId;
use vestibule_service::journey::{self, Standing, View};

use crate::cookie;
use crate::fault::PageFault;
use crate::form::Asked;
use crate::link;
use crate::page::journey::{EndedPage, JourneyPage, TermsPage, Way};
use crate::page::stranger::StrangerPart;
use crate::page::ways::Device;
use crate::respond::{self, FormTargets};
use crate::state::AppState;

/// Shows where the journey is. It changes nothing: back, refresh and a second tab all come here.
pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let id = id(&asked)?;
    let view = journey::view(&app.site, &asked.visit, id).await?;
    Ok(show(&app, &asked, id, view)?)
}

/// Takes an answer and redirects. An answer to a step that is over shows the one that is asked now.
pub(super) async fn post(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let id = id(&asked)?;
    asked.require_own_form()?;
    match journey::submit(&app.site, &asked.visit, id, asked.fields()).await {
        Ok(hop) => Ok(respond::hop(&app, &asked, hop)?),
        Err(fault) if fault.kind == Kind::Stale => {
            Ok(respond::redirect(&asked.method, &link::journey(&asked.visit.segments, id))?)
        }
        Err(fault) => Err(fault.into()),
    }
}

/// `GET /{tenant}/journey/{id}/terms/{document}`: the words of a document, as this journey asks about them.
pub(super) async fn terms(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let id = id(&asked)?;
    let language = asked.pairs().iter().find(|(name, _)| name == "language");
    let language = language.map_or("", |(_, value)| value);
    let shown = journey::document(&app.site, &asked.visit, id, (asked.segment("document"), language)).await?;
    let frame = asked.framed(&app, shown.locales.as_deref());
    let page = TermsPage::new(shown.version, shown.text);
    Ok(respond::page(&app, &frame, &page, &FormTargets::Own)?)
}

fn id(asked: &Asked) -> Outcome<JourneyId> {
    JourneyId::parse(asked.segment("id")).ok_or_else(|| Fault::missing("journey", "not the id of a journey"))
}

fn show(app: &AppState, asked: &Asked, id: JourneyId, view: View) -> Outcome<Response> {
    let frame = asked.framed(app, view.locales.as_deref());
    if let (Some(device), Standing::SignedIn | Standing::Cancelled) = (view.device, view.standing) {
        return respond::redirect(&asked.method, &link::device(&asked.visit.segments, device));
    }
    if view.standing != Standing::Open {
        let back = view.app_origin.filter(|o| o.starts_with("https://") || o.starts_with("http://"));
        let page = EndedPage::new(view.standing, view.app_name, back);
        return respond::page(app, &frame, &page, &FormTargets::Own);
    }
    let way = Way { action: link::journey(&asked.visit.segments, id), csrf: view.csrf, step: view.step };
    let hint = frame.brand.username_hint.clone();
    let page =
        JourneyPage::new(way, view.form, hint.as_deref(), asked.visit.now).in_language(&frame.languages);
    let last_used = cookie::last_used(&asked.headers, asked.exchange.listener(), asked.visit.tenant_id());
    let agent = asked.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let stranger = view.stranger.map(|stranger| StrangerPart::new(stranger, &asked.visit.segments));
    let page = page.on(Device::new(last_used.as_deref(), agent)).to(stranger);
    let mut response = respond::page(app, &frame, &page, &FormTargets::Onward)?;
    if let (Some(age), Some(browser)) = (view.keep_browser, &asked.visit.browser) {
        cookie::keep(response.headers_mut(), asked.exchange.listener(), browser, age)?;
    }
    Ok(response)
}
