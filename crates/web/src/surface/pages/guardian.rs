//! `GET` and `POST /{tenant}/guardian/{id}/{sent}/{token}`: the link in a guardian's mail.

use axum::extract::{Request, State};
use axum::response::Response;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::JourneyId;
use vestibule_rules::text::Message;
use vestibule_service::journey::guardian::{self, GuardianView, Link};

use crate::fault::PageFault;
use crate::form::Asked;
use crate::page::guardian::GuardianPage;
use crate::respond::{self, FormTargets};
use crate::state::AppState;

/// Shows what is asked. It changes nothing: mail scanners open links.
pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let view = guardian::view(&app.site, &asked.visit, link(&asked)?).await?;
    Ok(show(&app, &asked, view)?)
}

/// Takes the answer and shows what came of it; a second click shows the same.
pub(super) async fn post(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    asked.require_own_form()?;
    let fields = asked.fields();
    let posted = |name: &str| fields.get(name).and_then(|v| v.first()).map_or("", String::as_str);
    let agrees = match posted("action") {
        "agree" => true,
        "refuse" => false,
        _ => return Err(Fault::malformed("action", "neither agree nor refuse").into()),
    };
    let view = guardian::answer(&app.site, &asked.visit, link(&asked)?, (agrees, posted("csrf"))).await?;
    Ok(show(&app, &asked, view)?)
}

fn link(asked: &Asked) -> Outcome<Link<'_>> {
    let journey = JourneyId::parse(asked.segment("id"));
    let sent = asked.segment("sent").parse().ok();
    let gone = || Fault::missing("journey", "no such link").hint(Message::new("fault-guardian-gone"));
    let (journey, sent) = journey.zip(sent).ok_or_else(gone)?;
    Ok(Link { journey, sent, token: asked.segment("token") })
}

fn show(app: &AppState, asked: &Asked, view: GuardianView) -> Outcome<Response> {
    let page = GuardianPage::new(view, &asked.frame.languages);
    respond::page(app, &asked.frame, &page, &FormTargets::Own)
}
