//! `GET /{tenant}/brand.css` and `GET /{tenant}/logo`. Pages name them with the version of the look.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use vestibule_rules::directory::tenant::Branding;
use vestibule_rules::fault::{Fault, Outcome};

use super::asset::FOR_EVER;
use crate::brand;
use crate::fault::OpenFault;
use crate::form::Asked;
use crate::respond;
use crate::state::AppState;

/// The tenant's tokens.
pub(super) async fn style(State(app): State<AppState>, request: Request) -> Result<Response, OpenFault> {
    let asked = Asked::read(&app, request).await?;
    Ok(style_of(&asked.visit.tenant.config.tenant.branding))
}

/// The tenant's banner logo.
pub(super) async fn logo(State(app): State<AppState>, request: Request) -> Result<Response, OpenFault> {
    let asked = Asked::read(&app, request).await?;
    Ok(logo_of(&asked.visit.tenant.config.tenant.branding)?)
}

/// The tokens of a look.
pub(in crate::surface) fn style_of(look: &Branding) -> Response {
    let css = brand::style_sheet(look).unwrap_or_default();
    kept(respond::with_type(StatusCode::OK, "text/css; charset=utf-8", css))
}

/// The banner logo of a look.
pub(in crate::surface) fn logo_of(look: &Branding) -> Outcome<Response> {
    let logo = brand::logo(look);
    let logo = logo.ok_or_else(|| Fault::missing("logo", "the tenant has no logo"))?;
    Ok(kept(respond::with_type(StatusCode::OK, logo.media_type, logo.bytes)))
}

fn kept(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, FOR_EVER);
    response
}
