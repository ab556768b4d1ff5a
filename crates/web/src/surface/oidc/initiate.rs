//! `GET /{tenant}/launch/{client}`: somebody starts an app from here.
//! `GET` and `POST /{tenant}/federation/{provider}/initiate`: a provider sends somebody (OpenID Connect Core 4).

use axum::extract::{Request, State};
use axum::response::Response;
use vestibule_rules::oauth::callback::Answer;
use vestibule_service::initiate;

use crate::fault::PageFault;
use crate::form::Asked;
use crate::page::stranger::OnwardPage;
use crate::respond::{self, FormTargets};
use crate::state::AppState;

pub(super) async fn launch(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let (to, stranger) = initiate::launch(&asked.visit, asked.segment("client"), &asked.params())?;
    match stranger {
        None => Ok(respond::redirect(&asked.method, to.as_str())?),
        Some(name) => {
            let page = OnwardPage::new(name, Answer::Redirect(to.into()));
            Ok(respond::page(&app, &asked.frame, &page, &FormTargets::Own)?)
        }
    }
}

pub(super) async fn by_provider(
    State(app): State<AppState>,
    request: Request,
) -> Result<Response, PageFault> {
    let asked = Asked::read(&app, request).await?;
    let to = initiate::from_provider(&app.site, &asked.visit, asked.segment("provider"), &asked.params())?;
    Ok(respond::redirect(&asked.method, to.as_str())?)
}
