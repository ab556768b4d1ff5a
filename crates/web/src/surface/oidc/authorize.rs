//! `GET` and `POST /{tenant}/oauth2/v2.0/authorize`

use axum::extract::{Request, State};
use axum::response::Response;
use vestibule_service::authorize;

use crate::fault::PageFault;
use crate::form::Asked;
use crate::respond;
use crate::state::AppState;

/// Takes an authorization request. A fault is shown and never redirected (R44): only a verified request has
/// a way back.
pub(super) async fn begin(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let hop = authorize::begin(&app.site, &asked.visit, &asked.params()).await?;
    Ok(respond::hop(&app, &asked, hop)?)
}
