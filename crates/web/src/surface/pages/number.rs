//! `GET /error?code=50058`: where `error_uri` of an error leads (native-auth-and-msal.md 4.5).

use axum::extract::{Request, State};
use axum::response::Response;
use vestibule_rules::fault::Fault;

use crate::fault::OpenFault;
use crate::form::{decode, first, locale_of};
use crate::page::Frame;
use crate::page::around::NumberPage;
use crate::respond::{self, FormTargets};
use crate::state::AppState;

pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, OpenFault> {
    let query = decode(request.uri().query().unwrap_or_default().as_bytes());
    let given = first(&query, "code").unwrap_or_default();
    let number = given.strip_prefix("AADSTS").unwrap_or(given).parse().ok();
    let page =
        number.and_then(NumberPage::of).ok_or_else(|| Fault::missing("code", "no error has this number"))?;
    let locale = locale_of(&app, request.headers(), first(&query, "ui_locales")).to_owned();
    let frame = Frame { locale, ..Frame::neutral() };
    Ok(respond::page(&app, &frame, &page, &FormTargets::Own)?)
}
