//! `POST /{tenant}/oauth2/v2.0/register`, and `GET`, `PUT` and `DELETE` of what came of it (RFC 7591, RFC 7592).

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::error::{self, OAuthError};
use vestibule_rules::text::Secret;
use vestibule_service::registration;

use crate::fault::OAuthFault;
use crate::form::{self, Asked};
use crate::respond;
use crate::state::AppState;

/// Registers an application.
pub(super) async fn post(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let (asked, body) = read(&app, request).await?;
    let sent = document(&asked.headers, &body)?;
    let told = registration::register(&app.site, &asked.visit, bearer(&asked), &sent).await?;
    Ok(respond::json(StatusCode::CREATED, bytes(&told)?))
}

/// Tells what is registered.
pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let (asked, _) = read(&app, request).await?;
    let told = registration::read(&app.site, &asked.visit, asked.segment("client"), bearer(&asked)).await?;
    Ok(respond::json(StatusCode::OK, bytes(&told)?))
}

/// Replaces what is registered.
pub(super) async fn put(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let (asked, body) = read(&app, request).await?;
    let sent = document(&asked.headers, &body)?;
    let whose = (asked.segment("client"), bearer(&asked));
    let told = registration::update(&app.site, &asked.visit, whose, &sent).await?;
    Ok(respond::json(StatusCode::OK, bytes(&told)?))
}

/// Ends a registration.
pub(super) async fn delete(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let (asked, _) = read(&app, request).await?;
    registration::remove(&app.site, &asked.visit, asked.segment("client"), bearer(&asked)).await?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// The request, with a body that is no form. Where nobody registers, there is nothing here.
async fn read(app: &AppState, request: Request) -> Result<(Asked, Vec<u8>), OAuthFault> {
    let (parts, body) = request.into_parts();
    let asked = Asked::read(app, Request::from_parts(parts, Body::empty())).await?;
    if !registration::is_on(&asked.visit) {
        let fault = Fault::missing("path", "applications cannot register themselves in the tenant");
        return Err(OAuthFault::with_status(fault, StatusCode::NOT_FOUND));
    }
    Ok((asked, form::whole(body).await?.to_vec()))
}

fn document(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, OAuthError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(error::METADATA);
    }
    serde_json::from_slice(body).map_err(|_| error::METADATA)
}

/// The token of the header; one anywhere else is none (RFC 6750 §2.1).
fn bearer(asked: &Asked) -> Option<Secret<String>> {
    let (scheme, token) = asked.header(AUTHORIZATION.as_str())?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty()).then(|| Secret::new(token.to_owned()))
}

fn bytes(told: &Value) -> Outcome<Vec<u8>> {
    serde_json::to_vec(told).map_err(|e| Fault::ours(format!("a registration cannot be written: {e}")))
}
