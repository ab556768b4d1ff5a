//! `GET` and `POST /{tenant}/device`, where a code is typed, and `/{tenant}/device/{id}`, where the person decides.

use axum::extract::{Request, State};
use axum::response::Response;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::DeviceId;
use vestibule_rules::oauth::device::UserCode;
use vestibule_rules::text::Message;
use vestibule_service::device::{self, Decision, Entered};

use crate::cookie;
use crate::fault::PageFault;
use crate::form::Asked;
use crate::link;
use crate::page::device::{DeviceEntryPage, DevicePage};
use crate::respond::{self, FormTargets};
use crate::state::AppState;

/// Asks for the code. One that comes with the link is filled in and waits for a person: whoever follows a link has
/// agreed to nothing.
pub(super) async fn entry(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let given = asked.pairs().iter().find(|(name, _)| name == "user_code");
    let code = given.and_then(|(_, code)| UserCode::read(code)).map(|code| code.shown());
    let entry = device::entry(&app.site, &asked.visit);
    let page = DeviceEntryPage::new(link::device_entry(&asked.visit.segments), entry.csrf, code);
    let mut response = respond::page(&app, &asked.frame, &page, &FormTargets::Onward)?;
    if let Some(browser) = &entry.browser {
        cookie::bind(response.headers_mut(), asked.exchange.listener(), browser)?;
    }
    Ok(response)
}

/// Takes a code that was typed.
pub(super) async fn enter(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    asked.require_own_form()?;
    let (typed, token) = (posted(&asked, "user_code"), posted(&asked, "csrf"));
    match device::enter(&app.site, &asked.visit, (typed, token)).await? {
        Entered::On(hop) => Ok(respond::hop(&app, &asked, hop)?),
        Entered::Wrong(problem) => {
            let action = link::device_entry(&asked.visit.segments);
            let page = DeviceEntryPage::new(action, token.to_owned(), None).refused(typed, problem);
            Ok(respond::page(&app, &asked.frame, &page, &FormTargets::Onward)?)
        }
    }
}

/// Shows which device asks, or what became of it. It changes nothing.
pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let id = id(&asked)?;
    let view = device::view(&app.site, &asked.visit, id).await?;
    let segments = &asked.visit.segments;
    let page = DevicePage::new(view, link::device(segments, id), link::device_entry(segments));
    Ok(respond::page(&app, &asked.frame, &page, &FormTargets::Onward)?)
}

/// Takes the decision and shows what came of it.
pub(super) async fn post(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let id = id(&asked)?;
    asked.require_own_form()?;
    let decision = match posted(&asked, "action") {
        "continue" => Decision::LetIn,
        "cancel" => Decision::Decline,
        "switch" => Decision::SwitchAccount,
        _ => return Err(Fault::malformed("action", "no decision about a device").into()),
    };
    let (token, step) = (posted(&asked, "csrf"), posted(&asked, "step"));
    let hop = device::decide(&app.site, &asked.visit, id, (decision, token, step)).await?;
    Ok(respond::hop(&app, &asked, hop)?)
}

pub(super) fn posted<'a>(asked: &'a Asked, name: &str) -> &'a str {
    asked.pairs().iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
}

fn id(asked: &Asked) -> Outcome<DeviceId> {
    DeviceId::parse(asked.segment("id")).ok_or_else(|| {
        Fault::missing("device", "not the id of a device").hint(Message::new("fault-journey-gone"))
    })
}
