//! What people see.

mod account;
pub(super) mod asset;
pub(super) mod brand;
mod choose;
mod consent;
mod device;
mod federation;
mod guardian;
mod home;
mod journey;
mod number;
mod trial;

use axum::Router;
use axum::routing::get;

use crate::state::AppState;

/// The pages and what belongs to them.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        // No tenant can have this name.
        .route("/error", get(number::get))
        .route("/{tenant}", get(home::get))
        .route("/{tenant}/", get(home::get))
        .route("/{tenant}/journey/{id}", get(journey::get).post(journey::post))
        .route("/{tenant}/journey/{id}/terms/{document}", get(journey::terms))
        .route("/{tenant}/device", get(device::entry).post(device::enter))
        .route("/{tenant}/device/{id}", get(device::get).post(device::post))
        .route("/{tenant}/choose/{id}", get(choose::get).post(choose::post))
        .route("/{tenant}/consent/{id}", get(consent::get).post(consent::post))
        .route("/{tenant}/account", get(account::get).post(account::post))
        .route("/{tenant}/account/apps", get(account::apps).post(account::withdraw))
        .route("/{tenant}/guardian/{id}/{sent}/{token}", get(guardian::get).post(guardian::post))
        .route("/{tenant}/federation/{provider}", get(federation::receive).post(federation::receive))
        .route("/{tenant}/federation/{provider}/test", get(trial::get).post(trial::post))
        .route("/{tenant}/federation/{provider}/keys", get(federation::keys))
        .route("/{tenant}/federation/{provider}/signed_out", get(federation::signed_out))
        .route("/{tenant}/brand.css", get(brand::style))
        .route("/{tenant}/logo", get(brand::logo))
        .route("/{tenant}/app-logo/{client}", get(brand::app_logo))
        .route("/assets/{name}", get(asset::get))
}
