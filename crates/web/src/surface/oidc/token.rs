//! `POST /{tenant}/oauth2/v2.0/token`

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::PRAGMA;
use http::{HeaderValue, StatusCode};
use vestibule_rules::fault::Fault;
use vestibule_service::token;

use super::client;
use crate::fault::OAuthFault;
use crate::form::Asked;
use crate::respond;
use crate::state::AppState;

/// Exchanges a grant; a `GET` learns that this takes a `POST` (900561).
pub(super) async fn exchange(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let asked = Asked::read(&app, request).await?;
    let tokens = token::exchange(&app.site, &asked.visit, client::request(&asked)?).await?;
    let body = serde_json::to_vec(&tokens).map_err(|e| Fault::ours(format!("tokens: {e}")))?;
    let mut response = respond::json(StatusCode::OK, body);
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(response)
}
