//! Which endpoints scripts of other origins may call (native-auth-and-msal.md 2.10, security.md S14). No
//! answer ever allows credentials, and pages carry none of these headers.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, OPTIONS");
const EXPOSED: HeaderValue = HeaderValue::from_static("x-ms-request-id, retry-after, www-authenticate");
const ANYONE: HeaderValue = HeaderValue::from_static("*");

/// Public documents: anyone may read them.
pub async fn public(request: Request, next: Next) -> Response {
    let asked = Preflight::of(&request);
    let mut response = answer(&asked, request, next).await;
    put(response.headers_mut(), Some(ANYONE), &asked);
    response
}

/// Endpoints that a single-page app calls with what it holds: its origin is named, and `null`, which any
/// sandboxed frame has, never is.
pub async fn callers(request: Request, next: Next) -> Response {
    let asked = Preflight::of(&request);
    let allowed = match request.headers().get(ORIGIN) {
        None => Some(ANYONE),
        Some(origin) if origin == "null" => None,
        Some(origin) => Some(origin.clone()),
    };
    let mut response = answer(&asked, request, next).await;
    put(response.headers_mut(), allowed, &asked);
    response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
    response
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
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(method: Method, origin: Option<&str>, headers: Option<&str>) -> Response {
        let routes = Router::new().route("/token", post(|| async { StatusCode::BAD_REQUEST }));
        let mut request = Request::builder().method(method).uri("/token");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        if let Some(headers) = headers {
            request = request.header(ACCESS_CONTROL_REQUEST_HEADERS, headers);
        }
        routes.layer(from_fn(callers)).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    fn allowed(response: &Response) -> Option<&str> {
        response.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|h| h.to_str().unwrap())
    }

    #[tokio::test]
    async fn an_error_can_be_read_by_the_origin_that_asked() {
        // R9
        let response = ask(Method::POST, Some("http://localhost:3000"), None).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert_eq!(allowed(&response), Some("http://localhost:3000"));
        assert_eq!(response.headers().get(VARY).unwrap(), "origin");
        assert_eq!(allowed(&ask(Method::POST, None, None).await), Some("*"));
    }

    #[tokio::test]
    async fn null_is_never_echoed_and_credentials_are_never_allowed() {
        // S14
        assert_eq!(allowed(&ask(Method::POST, Some("null"), None).await), None);
        let response = ask(Method::POST, Some("https://a.example"), None).await;
        assert!(response.headers().get("access-control-allow-credentials").is_none());
    }

    #[tokio::test]
    async fn a_preflight_is_answered_for_the_headers_that_clients_send() {
        let names = "Content-Type, x-client-SKU, x-evil, client-request-id";
        let response = ask(Method::OPTIONS, Some("https://a.example"), Some(names)).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        let allowed = response.headers().get(ACCESS_CONTROL_ALLOW_HEADERS).unwrap();
        assert_eq!(allowed, "Content-Type, x-client-SKU, client-request-id");
    }
}
