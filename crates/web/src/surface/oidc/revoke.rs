//! `POST /{tenant}/oauth2/v2.0/revoke`

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use vestibule_service::revocation;

use super::client;
use crate::fault::OAuthFault;
use crate::form::Asked;
use crate::respond;
use crate::state::AppState;

/// Says the same of every token: there is nothing to learn (RFC 7009 §2.2).
pub(super) async fn end(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let asked = Asked::read(&app, request).await?;
    revocation::revoke(&app.site, &asked.visit, client::request(&asked)?).await?;
    Ok(respond::with_type(StatusCode::OK, "text/plain; charset=utf-8", ""))
}
