//! `POST /{tenant}/oauth2/v2.0/revoke`

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use vestibule_service::revocation;

use super::client;
use crate::fault::OAuthFault;
use crate::form::Asked;
use crate::state::AppState;

/// Says the same of every token: there is nothing to learn (RFC 7009 §2.2). The answer has no type: oidc-client-ts
/// takes any other than JSON's for a failure.
pub(super) async fn end(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let asked = Asked::read(&app, request).await?;
    revocation::revoke(&app.site, &asked.visit, client::request(&asked)?).await?;
    Ok((StatusCode::OK, [(CACHE_CONTROL, "no-store")]).into_response())
}
