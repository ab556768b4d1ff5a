//! `GET /{tenant}`

use axum::extract::{Request, State};
use axum::response::Response;

use vestibule_rules::fault::Fault;

use crate::fault::OpenFault;
use crate::form::Asked;
use crate::link;
use crate::page::around::HomePage;
use crate::respond::{self, FormTargets};
use crate::state::AppState;

/// Where a journey ends that no app is behind.
pub(super) async fn get(State(app): State<AppState>, request: Request) -> Result<Response, OpenFault> {
    // Any first segment could be a tenant's name, so what is none is just an unknown path (R12).
    let found = Asked::read(&app, request).await;
    let asked = found
        .map_err(|fault| if fault.code == 90002 { Fault::missing("path", fault.detail) } else { fault })?;
    Ok(respond::page(
        &app,
        &asked.frame,
        &HomePage { account: link::account(&asked.visit.segments) },
        &FormTargets::Own,
    )?)
}
