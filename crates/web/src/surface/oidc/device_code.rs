//! `POST /{tenant}/oauth2/v2.0/devicecode`

use axum::extract::{Request, State};
use vestibule_rules::oauth::error;

use crate::fault::OAuthFault;
use crate::form::Asked;
use crate::state::AppState;

/// The endpoint is named in the metadata, because MSAL asks for it there; no application may use the grant.
pub(super) async fn post(State(app): State<AppState>, request: Request) -> Result<(), OAuthFault> {
    Asked::read(&app, request).await?;
    Err(error::DEVICE_FLOW.into())
}
