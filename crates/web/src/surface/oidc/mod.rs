//! The OpenID Connect endpoints. File = route.

mod authorize;
mod check_session;
mod client;
mod device_code;
mod discovery;
mod federation;
mod groups;
mod initiate;
mod introspect;
mod keys;
mod logout;
mod pushed;
mod register;
mod revoke;
mod token;
mod userinfo;

use axum::Router;
use axum::routing::{get, post};

use super::endpoint;
use crate::state::AppState;

/// Documents that anyone may read. A doubled slash before `.well-known` is what some clients make of an
/// authority that ends in one (R11).
pub(super) fn public() -> Router<AppState> {
    let mut routes = Router::new();
    for version in ["/v2.0/", "/v2.0//", "/", "//"] {
        routes = endpoint(
            routes,
            &format!("{version}.well-known/openid-configuration"),
            &get(discovery::get).options(preflight),
        );
    }
    // RFC 8414 §3.1: the path of the issuer stands behind the well-known name.
    for path in ["/{tenant}/v2.0", "/{tenant}", "/{tenant}/{flow}/v2.0"] {
        let path = format!("/.well-known/oauth-authorization-server{path}");
        routes = routes.route(&path, get(discovery::get).options(preflight));
    }
    endpoint(routes, "/discovery/v2.0/keys", &get(keys::get).options(preflight))
}

/// What applications call.
pub(super) fn callers() -> Router<AppState> {
    let token = post(token::exchange).get(token::exchange).options(preflight);
    let routes = endpoint(Router::new(), "/oauth2/v2.0/token", &token);
    let routes = endpoint(routes, "/oauth2/v2.0/par", &post(pushed::push).options(preflight));
    let routes = endpoint(routes, "/oauth2/v2.0/devicecode", &post(device_code::post).options(preflight));
    let introspect = post(introspect::tell).get(introspect::tell).options(preflight);
    let routes = endpoint(routes, "/oauth2/v2.0/introspect", &introspect);
    let revoke = post(revoke::end).get(revoke::end).options(preflight);
    let routes = endpoint(routes, "/oauth2/v2.0/revoke", &revoke);
    let routes =
        routes.route("/{tenant}/federation/{provider}/token", get(federation::token).options(preflight));
    let groups = post(groups::list).options(preflight);
    let routes = routes.route("/{tenant}/users/{user}/getMemberObjects", groups);
    endpoint(routes, "/openid/userinfo", &get(userinfo::tell).post(userinfo::tell).options(preflight))
}

/// The layer around these routes answers; without a route it would not be asked.
async fn preflight() {}

/// What servers call: those of applications that register themselves, and those of identity providers, whose pages do
/// too.
pub(super) fn providers() -> Router<AppState> {
    let routes = endpoint(Router::new(), "/oauth2/v2.0/register", &post(register::post));
    let own = get(register::get).put(register::put).delete(register::delete);
    endpoint(routes, "/oauth2/v2.0/register/{client}", &own)
        .route("/{tenant}/federation/{provider}/backchannel_logout", post(federation::back_channel))
        .route("/{tenant}/federation/{provider}/frontchannel_logout", get(federation::front_channel))
        .route("/{tenant}/launch/{client}", get(initiate::launch))
        .route(
            "/{tenant}/federation/{provider}/initiate",
            get(initiate::by_provider).post(initiate::by_provider),
        )
        .route("/{tenant}/federation/{provider}/notifications", post(federation::notified))
}

/// Where browsers are sent.
pub(super) fn people() -> Router<AppState> {
    let routes =
        endpoint(Router::new(), "/oauth2/v2.0/authorize", &get(authorize::begin).post(authorize::begin));
    let routes = endpoint(routes, "/oauth2/v2.0/checksession", &get(check_session::get));
    endpoint(routes, "/oauth2/v2.0/logout", &get(logout::get).post(logout::post))
}
