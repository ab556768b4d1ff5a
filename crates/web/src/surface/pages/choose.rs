//! `GET` and `POST /{tenant}/choose/{id}`: which account a request is for.

use axum::extract::{Request, State};
use axum::response::Response;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{RequestId, SessionId};
use vestibule_rules::text::Message;
use vestibule_service::journey::Standing;
use vestibule_service::waiting::choose::{self, Chosen};

use super::device::posted;
use crate::fault::PageFault;
use crate::form::Asked;
use crate::link;
use crate::page::account::ChoosePage;
use crate::page::journey::EndedPage;
use crate::respond::{self, FormTargets};
use crate::state::AppState;

/// Shows the accounts. It changes nothing.
pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let id = id(&asked)?;
    let view = choose::view(&app.site, &asked.visit, id).await?;
    let frame = asked.framed(&app, view.locales.as_deref());
    if view.over {
        let page = over(view.app_name, view.app_origin);
        return Ok(respond::page(&app, &frame, &page, &FormTargets::Own)?);
    }
    let page = ChoosePage::new(view, link::choose(&asked.visit.segments, id));
    Ok(respond::page(&app, &frame, &page, &FormTargets::Onward)?)
}

/// Takes what the person said.
pub(super) async fn post(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let id = id(&asked)?;
    asked.require_own_form()?;
    let sid = |name: &str| SessionId::parse(posted(&asked, name));
    let chosen = match (posted(&asked, "action"), sid("account"), sid("sign-out")) {
        ("other", None, None) => Chosen::Another,
        ("cancel", None, None) => Chosen::Cancel,
        ("", Some(sid), None) => Chosen::Account(sid),
        ("", None, Some(sid)) => Chosen::SignOut(sid),
        _ => return Err(Fault::malformed("action", "no choice of an account").into()),
    };
    let hop = choose::decide(&app.site, &asked.visit, id, (chosen, posted(&asked, "csrf"))).await?;
    Ok(respond::hop(&app, &asked, hop)?)
}

/// What is shown of a request that was answered, or waited too long.
pub(super) fn over(app_name: String, app_origin: Option<String>) -> EndedPage {
    let back = app_origin.filter(|o| o.starts_with("https://") || o.starts_with("http://"));
    EndedPage::new(Standing::Expired, app_name, back)
}

pub(super) fn id(asked: &Asked) -> Outcome<RequestId> {
    RequestId::parse(asked.segment("id")).ok_or_else(|| {
        Fault::missing("request", "not the id of a request").hint(Message::new("fault-journey-gone"))
    })
}
