//! The routes, by who calls them: applications ([`oidc`]), people ([`pages`]), developers ([`dev`]),
//! whoever makes a flow ([`preview`]).

pub mod dev;
pub mod oidc;
pub mod pages;
pub mod preview;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get};
use http::StatusCode;
use tower_http::catch_panic::CatchPanicLayer;
use vestibule_rules::fault::Fault;

use crate::fault::OpenFault;
use crate::layer::{cors, exchange, nonce};
use crate::state::AppState;

/// Every route of the server. A listener adds its `Listener` and each connection its `Peer` to the
/// extensions of a request.
pub fn router(app: AppState) -> Router {
    let public = oidc::public().layer(from_fn(cors::public));
    let callers = oidc::callers()
        .layer(from_fn_with_state(app.clone(), nonce::offer))
        .layer(from_fn_with_state(app.clone(), cors::callers));
    let mut routes = Router::new()
        .merge(public)
        .merge(callers)
        .merge(oidc::people())
        .merge(oidc::providers())
        .merge(pages::routes())
        .route("/health", get(health));
    if app.dev.is_some() {
        routes = routes.merge(dev::routes());
    }
    routes
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_this_way)
        .layer(CatchPanicLayer::custom(exchange::panicked))
        .layer(from_fn_with_state(app.clone(), exchange::exchange))
        .with_state(app)
}

/// An endpoint of a tenant, with and without a flow in the path (native-auth-and-msal.md R4, R6).
fn endpoint(routes: Router<AppState>, path: &str, methods: &MethodRouter<AppState>) -> Router<AppState> {
    routes
        .route(&format!("/{{tenant}}{path}"), methods.clone())
        .route(&format!("/{{tenant}}/{{flow}}{path}"), methods.clone())
}

/// The process answers.
async fn health() -> &'static str {
    "ok\n"
}

/// R12.
async fn nothing_here() -> OpenFault {
    Fault::missing("path", "no route has this path").into()
}

async fn not_this_way(request: Request) -> OpenFault {
    let detail = format!("{} is not a method of this path", request.method());
    OpenFault::with_status(Fault::malformed("method", detail), StatusCode::METHOD_NOT_ALLOWED)
}
