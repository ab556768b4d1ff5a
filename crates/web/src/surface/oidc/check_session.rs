//! `GET /{tenant}/oauth2/v2.0/checksession`: the frame by which an app watches a session (OpenID Connect Session
//! Management 1.0). It is the one document of ours that others may frame: it shows nothing and takes no clicks.

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, StatusCode};

use crate::cookie;
use crate::fault::PageFault;
use crate::form::Asked;
use crate::respond::{self, Frameable};
use crate::state::AppState;

const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'");

pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let cookie = cookie::browser_state_name(asked.exchange.listener(), asked.visit.tenant_id());
    let script = app.pages.assets.path("check-session.js").unwrap_or_default();
    // Both values are our own and hold no character that HTML knows.
    let html = format!(
        "<!doctype html><html lang=\"en\"><title>Session</title>\
         <script src=\"{script}\" data-cookie=\"{cookie}\" defer></script></html>"
    );
    let mut response = respond::with_type(StatusCode::OK, "text/html; charset=utf-8", html);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response.extensions_mut().insert(Frameable);
    Ok(response)
}
