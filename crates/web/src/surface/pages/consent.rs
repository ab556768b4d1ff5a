//! `GET` and `POST /{tenant}/consent/{id}`: whether an app may do what it asks for.

use axum::extract::{Request, State};
use axum::response::Response;
use vestibule_rules::fault::Fault;
use vestibule_service::waiting::consent::{self, Answer, ConsentStanding};

use super::choose::{id, over};
use super::device::posted;
use crate::fault::PageFault;
use crate::form::Asked;
use crate::link;
use crate::page::account::ConsentPage;
use crate::page::stranger::StrangerPart;
use crate::respond::{self, FormTargets};
use crate::state::AppState;

/// Shows what the app asks for. It changes nothing.
pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let id = id(&asked)?;
    let view = consent::view(&app.site, &asked.visit, id).await?;
    let frame = asked.framed(&app, view.locales.as_deref());
    match view.standing {
        ConsentStanding::Over => {
            let page = over(view.app_name, view.app_origin);
            Ok(respond::page(&app, &frame, &page, &FormTargets::Own)?)
        }
        ConsentStanding::Open | ConsentStanding::NeedsAdmin => {
            let stranger = view.stranger.clone().map(|app| StrangerPart::new(app, &asked.visit.segments));
            let page = ConsentPage::new(view, stranger, link::consent(&asked.visit.segments, id));
            Ok(respond::page(&app, &frame, &page, &FormTargets::Onward)?)
        }
    }
}

/// Takes what the person said.
pub(super) async fn post(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let id = id(&asked)?;
    asked.require_own_form()?;
    let said = match posted(&asked, "action") {
        "accept" => Answer::Accept,
        "cancel" => Answer::Cancel,
        "switch" => Answer::SwitchAccount,
        _ => return Err(Fault::malformed("action", "no answer to the question").into()),
    };
    let shown = (said, posted(&asked, "csrf"), posted(&asked, "step"));
    let hop = consent::decide(&app.site, &asked.visit, id, shown).await?;
    Ok(respond::hop(&app, &asked, hop)?)
}
