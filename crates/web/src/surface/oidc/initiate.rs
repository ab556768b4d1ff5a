//! `GET /{tenant}/launch/{client}`: somebody starts an app from here.
//! `GET` and `POST /{tenant}/federation/{provider}/initiate`: a provider sends somebody (OpenID Connect Core 4).

use axum::extract::{Request, State};
use axum::response::Response;
use vestibule_service::initiate;

use crate::fault::PageFault;
use crate::form::Asked;
use crate::respond;
use crate::state::AppState;

pub(super) async fn launch(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let to = initiate::launch(&asked.visit, asked.segment("client"), &asked.params())?;
    Ok(respond::redirect(&asked.method, to.as_str())?)
}

pub(super) async fn by_provider(
    State(app): State<AppState>,
    request: Request,
) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let to = initiate::from_provider(&app.site, &asked.visit, asked.segment("provider"), &asked.params())?;
    Ok(respond::redirect(&asked.method, to.as_str())?)
}
