//! `GET` and `POST /{tenant}/federation/{provider}`: a provider sends the browser back.
//! `GET /{tenant}/federation/{provider}/keys`: what a provider checks our signatures with.
//! `GET /{tenant}/federation/{provider}/signed_out`: the browser comes back from signing out there.

use axum::extract::{Request, State};
use axum::response::Response;
use http::{Method, StatusCode};
use vestibule_service::federation::{self, Back};

use super::trial;
use crate::cookie;
use crate::fault::{OpenFault, PageFault};
use crate::form::Asked;
use crate::page::around::SignedOutPage;
use crate::respond::{self, FormTargets};
use crate::state::AppState;

/// The address is the provider's own, so that the answer of one cannot pass for another's (RFC 9700 §4.4).
pub(super) async fn receive(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let provider = asked.segment("provider");
    if asked.method == Method::POST {
        let hop = federation::carry(&app.site, &asked.visit, provider, asked.pairs())?;
        return Ok(respond::hop(&app, &asked, hop)?);
    }
    let trying = cookie::trial(&asked.headers, asked.exchange.listener(), asked.visit.tenant_id());
    let (site, params) = (&app.site, asked.params());
    match federation::callback(site, &asked.visit, provider, &params, trying.as_ref()).await? {
        Back::Journey(hop) => Ok(respond::hop(&app, &asked, *hop)?),
        Back::Trial(report) => Ok(trial::tell(&app, &asked, *report)?),
    }
}

/// The key set that is registered at the provider as `jwks_uri`; anybody may read it.
pub(super) async fn keys(State(app): State<AppState>, request: Request) -> Result<Response, OpenFault> {
    let asked = Asked::read(&app, request).await?;
    let keys = federation::keys(&app.site, &asked.visit, asked.segment("provider"))?;
    Ok(respond::kept_shortly(respond::json(StatusCode::OK, keys.to_string())))
}

/// The end of signing out, here and at the provider. Nothing changes any more.
pub(super) async fn signed_out(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let provider = asked.segment("provider");
    match federation::signed_out(&app.site, &asked.visit, provider, &asked.params())? {
        Some(then) => Ok(respond::redirect(&asked.method, &then)?),
        None => Ok(respond::page(&app, &asked.frame, &SignedOutPage::default(), &FormTargets::Own)?),
    }
}
