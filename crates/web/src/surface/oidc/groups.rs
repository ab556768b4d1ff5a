//! `POST /{tenant}/users/{user}/getMemberObjects`: where a token sends whoever wants groups that it could not list.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_service::userinfo::{self, UserinfoRequest};

use crate::fault::OAuthFault;
use crate::form::{self, Asked};
use crate::respond;
use crate::state::AppState;

pub(super) async fn list(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let (parts, body) = request.into_parts();
    let only = security_enabled_only(body).await?;
    let asked = Asked::read(&app, Request::from_parts(parts, Body::empty())).await?;
    let user = asked.segment("user");
    let request = UserinfoRequest {
        authorization: asked.header(AUTHORIZATION.as_str()).map(str::to_owned),
        form_token: None,
        possession: asked.possession(),
    };
    let groups = userinfo::groups(&app.site, &asked.visit, (user, only), request)
        .await
        .map_err(OAuthFault::at_resource)?;
    Ok(respond::json(StatusCode::OK, userinfo::to_json(&groups)?))
}

/// What Graph calls the body of `getMemberObjects`. Without one, every group is told.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    security_enabled_only: bool,
}

async fn security_enabled_only(body: Body) -> Outcome<bool> {
    let bytes = form::whole(body).await?;
    if bytes.is_empty() {
        return Ok(false);
    }
    let wanted = serde_json::from_slice(&bytes);
    let wanted: Wanted = wanted.map_err(|error| Fault::malformed("json", error.to_string()))?;
    Ok(wanted.security_enabled_only)
}
