//! `GET` and `POST /{tenant}/openid/userinfo`

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::{Method, StatusCode};
use vestibule_service::userinfo::{self, Told, UserinfoRequest};

use crate::fault::OAuthFault;
use crate::form::Asked;
use crate::respond;
use crate::state::AppState;

pub(super) async fn tell(State(app): State<AppState>, request: Request) -> Result<Response, OAuthFault> {
    let asked = Asked::read(&app, request).await?;
    let form_token = if asked.method == Method::POST {
        asked.params().get("access_token")?.map(str::to_owned)
    } else {
        None
    };
    let request = UserinfoRequest {
        authorization: asked.header(AUTHORIZATION.as_str()).map(str::to_owned),
        form_token,
        possession: asked.possession(),
    };
    match userinfo::userinfo(&app.site, &asked.visit, request).await.map_err(OAuthFault::at_resource)? {
        Told::Json(claims) => Ok(respond::json(StatusCode::OK, userinfo::to_json(&claims)?)),
        Told::Signed(token) => Ok(respond::with_type(StatusCode::OK, "application/jwt", token)),
    }
}
