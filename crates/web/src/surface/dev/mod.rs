//! What only a development server has.

mod inbox;

use axum::Router;
use axum::routing::get;

use crate::state::AppState;

/// The inbox that every mail ends in.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/dev/inbox", get(inbox::list))
        .route("/dev/inbox/messages", get(inbox::messages))
        .route("/dev/inbox/{tenant}/{key}", get(inbox::mail))
        .route("/dev/inbox/{tenant}/{key}/html", get(inbox::html))
}
