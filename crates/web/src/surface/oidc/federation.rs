//! What programs ask about a provider.
//! `GET /{tenant}/federation/{provider}/token`: an app wants the provider's own access token.
//! `POST /{tenant}/federation/{provider}/backchannel_logout`: the provider signed somebody out.
//! `GET /{tenant}/federation/{provider}/frontchannel_logout`: its page, in a frame, did.
//! `POST /{tenant}/federation/{provider}/notifications`: Apple reports what became of an account.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::Value;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_service::federation;
use vestibule_service::userinfo::{self, UserinfoRequest};

use crate::fault::OAuthFault;
use crate::form::{self, Asked};
use crate::respond;
use crate::state::AppState;

pub(super) async fn token(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let asked = Asked::read(&app, request).await?;
    let request = UserinfoRequest {
        authorization: asked.header(AUTHORIZATION.as_str()).map(str::to_owned),
        form_token: None,
        possession: asked.possession(),
    };
    let provider = asked.segment("provider");
    let token = federation::provider_token(&app.site, &asked.visit, provider, request).await;
    let token = token.map_err(OAuthFault::at_resource)?;
    Ok(respond::json(StatusCode::OK, userinfo::to_json(&token)?))
}

pub(super) async fn back_channel(
    State(app): State<AppState>,
    request: Request,
) -> Result<Response, OAuthFault> {
    let asked = Asked::read(&app, request).await?;
    let params = asked.params();
    let token = params.hint("logout_token");
    let token = token.ok_or_else(|| Fault::malformed("logout_token", "the logout token is missing"))?;
    federation::back_channel(&app.site, &asked.visit, asked.segment("provider"), token).await?;
    Ok(done())
}

pub(super) async fn front_channel(
    State(app): State<AppState>,
    request: Request,
) -> Result<Response, OAuthFault> {
    let asked = Asked::read(&app, request).await?;
    federation::front_channel(&app.site, &asked.visit, asked.segment("provider"), &asked.params()).await?;
    Ok(done())
}

pub(super) async fn notified(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let (parts, body) = request.into_parts();
    let payload = payload(body).await;
    let asked = Asked::read(&app, Request::from_parts(parts, Body::empty())).await?;
    federation::notified(&app.site, &asked.visit, asked.segment("provider"), &payload?).await?;
    Ok(done())
}

/// The signed report in the JSON around it.
async fn payload(body: Body) -> Outcome<String> {
    let bytes = form::whole(body).await?;
    let report: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let payload = report.get("payload").and_then(Value::as_str).map(str::to_owned);
    payload.ok_or_else(|| Fault::malformed("payload", "the report has no payload"))
}

/// Nothing to read, and nothing to keep (Back-Channel Logout 1.0 §2.8).
fn done() -> Response {
    respond::with_type(StatusCode::OK, "text/plain; charset=utf-8", "")
}
