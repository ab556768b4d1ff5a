//! `GET /{tenant}/v2.0/.well-known/openid-configuration` and, for clients that know OAuth alone,
//! `GET /.well-known/oauth-authorization-server/{tenant}/v2.0` (RFC 8414): one document under both.

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use vestibule_service::discovery;

use crate::fault::OAuthFault;
use crate::form::Asked;
use crate::respond;
use crate::state::AppState;

pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let asked = Asked::read(&app, request).await?;
    let document = discovery::document(&app.site, &asked.visit).await?;
    Ok(respond::kept_shortly(respond::json(StatusCode::OK, Bytes::from_owner(document))))
}
