//! The nonce that the next DPoP proof of a client has to hold (RFC 9449 §8): on every answer to a request that showed a
//! proof, good or not, so that a client never has to ask for one twice.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use vestibule_service::dpop;

use crate::form::DPOP;
use crate::state::AppState;

const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Adds the nonce to the answer.
pub async fn offer(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let shows_proof = request.headers().contains_key(DPOP);
    let mut response = next.run(request).await;
    if shows_proof && let Ok(nonce) = HeaderValue::try_from(dpop::nonce(&app.site, app.site.env.now())) {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
    response
}
