//! `POST /{tenant}/oauth2/v2.0/devicecode` (RFC 8628 §3.1)

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use vestibule_rules::fault::Fault;
use vestibule_rules::text::Message;
use vestibule_service::device;

use super::client;
use crate::fault::OAuthFault;
use crate::form::Asked;
use crate::link;
use crate::respond;
use crate::state::AppState;

/// What the device shows and keeps.
#[derive(Serialize)]
struct Given<'a> {
    user_code: &'a str,
    device_code: &'a str,
    verification_uri: &'a str,
    verification_uri_complete: String,
    expires_in: i64,
    interval: i64,
    /// What apps with MSAL print as it is (native-auth-and-msal.md 2.5).
    message: String,
}

/// Gives a device a code to show.
pub(super) async fn post(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let asked = Asked::read(&app, request).await?;
    let given = device::ask(&app.site, &asked.visit, client::request(&asked)?).await?;
    let address = format!("{}{}", asked.visit.origin, link::device_entry(&asked.visit.segments));
    let message = Message::new("device-message").with("address", &address).with("code", &given.user_code);
    let body = Given {
        verification_uri_complete: format!("{address}?user_code={}", given.user_code),
        user_code: &given.user_code,
        device_code: given.device_code.expose(),
        verification_uri: &address,
        expires_in: given.expires_in,
        interval: given.interval,
        message: app.pages.catalogue.text(&message, &asked.frame.locale),
    };
    let body = serde_json::to_vec(&body).map_err(|e| Fault::ours(format!("device code: {e}")))?;
    Ok(respond::json(StatusCode::OK, body))
}
