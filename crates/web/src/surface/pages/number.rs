//! `GET /error?code=50058`: where `error_uri` of an error leads (native-auth-and-msal.md 4.5).

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::ACCEPT_LANGUAGE;
use vestibule_rules::fault::Fault;

use crate::fault::OpenFault;
use crate::form::{decode, first};
use crate::locale;
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
    let languages = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let locale = locale::choose(&app.pages.catalogue, first(&query, "ui_locales"), languages).to_owned();
    let frame = Frame { locale, ..Frame::neutral() };
    Ok(respond::page(&app, &frame, &page, &FormTargets::Own)?)
}
