//! `GET` and `POST /{tenant}/federation/{provider}`: a provider sends the browser back.

use axum::extract::{Request, State};
use axum::response::Response;
use vestibule_service::federation;

use crate::fault::PageFault;
use crate::form::Asked;
use crate::respond;
use crate::state::AppState;

/// The address is the provider's own, so that the answer of one cannot pass for another's (RFC 9700 §4.4).
pub(super) async fn receive(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let hop =
        federation::callback(&app.site, &asked.visit, asked.segment("provider"), &asked.params()).await?;
    Ok(respond::hop(&app, &asked, hop)?)
}
