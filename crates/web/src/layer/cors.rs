//! Which endpoints scripts of other origins may call, and which origins (native-auth-and-msal.md 2.10, security.md
//! S14). No answer ever allows credentials, and pages carry none of these headers.

use axum::RequestExt as _;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::state::AppState;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, OPTIONS");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("x-ms-request-id, retry-after, www-authenticate, dpop-nonce");
const ANYONE: HeaderValue = HeaderValue::from_static("*");

/// Public documents: anyone may read them.
pub async fn public(request: Request, next: Next) -> Response {
    let asked = Preflight::of(&request);
    let mut response = answer(&asked, request, next).await;
    put(response.headers_mut(), Some(ANYONE), &asked);
    response
}

/// Endpoints that a single-page app calls with what it holds. Its origin is named when an application of the tenant
/// has a single-page redirect address there. `null`, which any sandboxed frame has, is the origin of none.
pub async fn callers(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let asked = Preflight::of(&request);
    let allowed = match request.headers().get(ORIGIN).cloned() {
        Some(origin) => is_registered(&app, &mut request, &origin).await.then_some(origin),
        None => None,
    };
    let mut response = answer(&asked, request, next).await;
    put(response.headers_mut(), allowed, &asked);
    response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
    response
}

async fn is_registered(app: &AppState, request: &mut Request, origin: &HeaderValue) -> bool {
    let path = request.extract_parts::<RawPathParams>().await;
    let name = path.as_ref().ok().and_then(|path| path.iter().find(|(name, _)| *name == "tenant"));
    let tenant = name.and_then(|(_, tenant)| app.site.directory.tenant(tenant));
    tenant.zip(origin.to_str().ok()).is_some_and(|(tenant, origin)| tenant.origins.contains(origin))
}

/// What a browser asks before the request itself.
struct Preflight {
    is_preflight: bool,
    headers: Option<HeaderValue>,
}

impl Preflight {
    fn of(request: &Request) -> Self {
        let wanted = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|h| h.to_str().ok());
        let headers = wanted.map(|names| {
            let known: Vec<&str> = names.split(',').map(str::trim).filter(|n| is_known(n)).collect();
            known.join(", ")
        });
        Self {
            is_preflight: request.method() == Method::OPTIONS,
            headers: headers.and_then(|h| HeaderValue::try_from(h).ok()),
        }
    }
}

fn is_known(header: &str) -> bool {
    const NAMES: &[&str] = &["content-type", "authorization", "client-request-id", "x-anchormailbox", "dpop"];
    const FAMILIES: &[&str] = &["x-client-", "x-ms-", "x-app-"];
    let header = header.to_ascii_lowercase();
    NAMES.contains(&header.as_str()) || FAMILIES.iter().any(|f| header.starts_with(f))
}

async fn answer(asked: &Preflight, request: Request, next: Next) -> Response {
    if asked.is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await }
}

fn put(headers: &mut HeaderMap, allowed: Option<HeaderValue>, asked: &Preflight) {
    let Some(allowed) = allowed else { return };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if asked.is_preflight {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
        if let Some(names) = &asked.headers {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn a_preflight_is_answered_for_the_headers_that_clients_send() {
        let names = "Content-Type, x-client-SKU, x-evil, client-request-id, DPoP";
        let request = Request::builder()
            .method(Method::OPTIONS)
            .header(ACCESS_CONTROL_REQUEST_HEADERS, names)
            .body(Body::empty())
            .unwrap();
        let asked = Preflight::of(&request);
        let mut headers = HeaderMap::new();
        put(&mut headers, Some(HeaderValue::from_static("https://a.example")), &asked);
        assert_eq!(
            headers.get(ACCESS_CONTROL_ALLOW_HEADERS).unwrap(),
            "Content-Type, x-client-SKU, client-request-id, DPoP"
        );
        let mut nobody = HeaderMap::new();
        put(&mut nobody, None, &asked);
        assert!(nobody.is_empty());
    }
}
