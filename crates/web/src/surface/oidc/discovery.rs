//! `GET /{tenant}/v2.0/.well-known/openid-configuration`

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use vestibule_service::discovery;

use crate::fault::OAuthFault;
use crate::form::Asked;
use crate::respond;
use crate::state::AppState;

pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let asked = Asked::read(&app, request).await?;
    Ok(respond::kept_shortly(respond::json(
        StatusCode::OK,
        discovery::document(&app.site, &asked.visit).await?,
    )))
}
