//! `GET /assets/{name}`

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, VARY};
use http::{HeaderValue, StatusCode};
use vestibule_rules::fault::{Fault, Outcome};

use crate::asset::Assets;
use crate::fault::OpenFault;
use crate::respond;
use crate::state::AppState;

/// The name carries a fingerprint: what it stands for never changes.
pub(super) const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

pub(super) async fn get(
    State(app): State<AppState>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, OpenFault> {
    Ok(serve(&app.pages.assets, &name, &headers)?)
}

/// An asset under the name that it is served by.
pub(in crate::surface) fn serve(assets: &Assets, name: &str, headers: &HeaderMap) -> Outcome<Response> {
    let asset = assets.find(name).ok_or_else(|| Fault::missing("asset", "no asset has this name"))?;
    let gzip = headers.get(ACCEPT_ENCODING).and_then(|h| h.to_str().ok()).is_some_and(accepts_gzip);
    let body = if gzip { asset.gzip.clone() } else { asset.plain.clone() };
    let mut response = respond::with_type(StatusCode::OK, asset.media_type, body);
    let answer = response.headers_mut();
    answer.insert(CACHE_CONTROL, FOR_EVER);
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if gzip {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

fn accepts_gzip(header: &str) -> bool {
    header.split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip")
            && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}
