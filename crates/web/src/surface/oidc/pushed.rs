//! `POST /{tenant}/oauth2/v2.0/par`

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use vestibule_rules::fault::Fault;
use vestibule_service::token::pushed;

use super::client;
use crate::fault::OAuthFault;
use crate::form::Asked;
use crate::respond;
use crate::state::AppState;

/// Takes an authorization request that an application pushes (RFC 9126 §2).
pub(super) async fn push(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let asked = Asked::read(&app, request).await?;
    let handle = pushed::push(&app.site, &asked.visit, client::request(&asked)?).await?;
    let body = serde_json::to_vec(&handle).map_err(|e| Fault::ours(format!("pushed request: {e}")))?;
    Ok(respond::json(StatusCode::CREATED, body))
}
