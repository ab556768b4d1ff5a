//! `GET /{tenant}/brand.css`, `GET /{tenant}/logo` and `GET /{tenant}/app-logo/{client}`. Pages name them with the version of the look.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use vestibule_rules::directory::tenant::Branding;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_service::registration;

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

/// The logo of an application that registered itself.
pub(super) async fn app_logo(State(app): State<AppState>, request: Request) -> Result<Response, OpenFault> {
    let asked = Asked::read(&app, request).await?;
    let logo = registration::logo(&app.site, &asked.visit, asked.segment("client")).await?;
    // Only what was found to be a picture is kept, and it is served as what it was found to be.
    let media_type = if logo.media_type == "image/png" { "image/png" } else { "image/jpeg" };
    Ok(kept(respond::with_type(StatusCode::OK, media_type, logo.bytes)))
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
