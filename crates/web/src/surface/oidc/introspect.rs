//! `POST /{tenant}/oauth2/v2.0/introspect`
//!
//! The path is shared: with a `token` it is RFC 7662; with a `continuation_token` it is native authentication's, which
//! is not built.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use vestibule_rules::fault::Fault;
use vestibule_service::introspection;
use vestibule_service::userinfo::to_json;

use super::client;
use crate::fault::OAuthFault;
use crate::form::Asked;
use crate::respond;
use crate::state::AppState;

pub(super) async fn tell(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let asked = Asked::read(&app, request).await?;
    let has = |name: &str| asked.pairs().iter().any(|(known, _)| known == name);
    if has("continuation_token") && !has("token") {
        let fault = Fault::missing("path", "no route has this path");
        return Err(OAuthFault::with_status(fault, StatusCode::NOT_FOUND));
    }
    let told = introspection::introspect(&app.site, &asked.visit, client::request(&asked)?).await?;
    Ok(respond::json(StatusCode::OK, to_json(&told)?))
}
