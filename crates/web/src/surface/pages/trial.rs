//! `GET` and `POST /{tenant}/federation/{provider}/test`: an operator tries a provider. The way ends where every way by
//! a provider does, at `/{tenant}/federation/{provider}`.

use axum::extract::{Request, State};
use axum::response::Response;
use vestibule_rules::fault::Outcome;
use vestibule_service::federation::trial::{self, Departure, Report, View};

use crate::cookie;
use crate::fault::PageFault;
use crate::form::Asked;
use crate::link;
use crate::page::trial::{TrialPage, TrialReportPage};
use crate::respond::{self, FormTargets};
use crate::state::AppState;

/// Shows what a trial will do. It changes nothing: who sends links looks at them first.
pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let view = trial::view(&app.site, &asked.visit, asked.segment("provider"), given(&asked, "token"))?;
    Ok(show(&app, &asked, view)?)
}

/// Binds the browser and sends it to the provider.
pub(super) async fn post(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    asked.require_own_form()?;
    let shown = (given(&asked, "token"), given(&asked, "csrf"));
    match trial::depart(&app.site, &asked.visit, asked.segment("provider"), shown).await? {
        Departure::Away { url, browser, keep } => {
            let mut response = respond::redirect(&asked.method, url.as_str())?;
            let (listener, tenant) = (asked.exchange.listener(), asked.visit.tenant_id());
            cookie::bind_trial(response.headers_mut(), listener, tenant, Some((&browser, keep)))?;
            Ok(response)
        }
        Departure::Stays(report) => Ok(report_page(&app, &asked, *report)?),
        Departure::Off(view) => Ok(show(&app, &asked, view)?),
    }
}

/// Tells what came of a trial. The browser is bound to it no longer, so that nothing can be answered again.
pub(super) fn tell(app: &AppState, asked: &Asked, report: Report) -> Outcome<Response> {
    let mut response = report_page(app, asked, report)?;
    cookie::bind_trial(response.headers_mut(), asked.exchange.listener(), asked.visit.tenant_id(), None)?;
    Ok(response)
}

fn show(app: &AppState, asked: &Asked, view: View) -> Outcome<Response> {
    let action = link::trial(&asked.visit.segments, &view.tried.id, None);
    respond::page(app, &asked.frame, &TrialPage::new(view, action), &FormTargets::Onward)
}

fn report_page(app: &AppState, asked: &Asked, report: Report) -> Outcome<Response> {
    let segments = &asked.visit.segments;
    let again = report.token.as_ref().map(|token| link::trial(segments, &report.tried.id, Some(token)));
    respond::page(app, &asked.frame, &TrialReportPage::new(report, again), &FormTargets::Own)
}

fn given<'a>(asked: &'a Asked, name: &str) -> &'a str {
    let found = asked.pairs().iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value)
}
