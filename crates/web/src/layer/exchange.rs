//! The outermost layer: gives the request its id, lets faults be told, and puts on every answer the headers
//! that all answers have.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    CACHE_CONTROL, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use tracing::Instrument as _;
use vestibule_rules::fault::Fault;

use super::tell::{self, Listening};
use crate::exchange::{Exchange, Listener, Peer};
use crate::fault::{OpenFault, Spoken};
use crate::page::Pages;
use crate::respond::Frameable;
use crate::state::AppState;

/// The request's id, for support and for the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");

/// Wraps one request.
pub async fn exchange(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let listener = request.extensions().get::<Listener>().cloned().unwrap_or_else(|| first(&app));
    let peer = request.extensions().get::<Peer>().copied();
    let env = &app.site.env;
    let exchange = Exchange::new(env.guid(), listener, peer, env.now());
    wrap(&app.pages, exchange, request, next).await
}

/// Answers one request, whatever is behind the pages: faults are told, and every answer gets its headers.
pub(crate) async fn wrap(pages: &Pages, exchange: Exchange, mut request: Request, next: Next) -> Response {
    let listening = Listening::of(request.headers());
    // The route and not the address: an address may carry codes and journeys.
    let route = request.extensions().get::<MatchedPath>().map(|p| p.as_str().to_owned()).unwrap_or_default();
    let span = tracing::info_span!("request", id = %exchange.id(), method = %request.method(), route);
    request.extensions_mut().insert(exchange.clone());
    async {
        let mut response = next.run(request).await;
        if let Some(spoken) = response.extensions_mut().remove::<Spoken>() {
            response = tell::tell(pages, &exchange, &listening, &spoken, &response);
        }
        let frameable = response.extensions_mut().remove::<Frameable>().is_some();
        put_headers(response.headers_mut(), &exchange);
        if frameable {
            response.headers_mut().remove(X_FRAME_OPTIONS);
        }
        tracing::debug!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await
}

/// A panic is our fault like any other; what it said goes to the log only.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands panics over by value")]
pub fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let said =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    OpenFault::from(Fault::ours(format!("panic: {}", said.unwrap_or("of an unknown kind")))).into_response()
}

/// Tests and single-listener set-ups need not name the listener.
fn first(app: &AppState) -> Listener {
    let origin = app.site.settings.origins.first().cloned().unwrap_or_default();
    Listener { secure: origin.starts_with("https:"), origin }
}

fn put_headers(headers: &mut HeaderMap, exchange: &Exchange) {
    if let Ok(id) = HeaderValue::try_from(exchange.id().to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    let put = |headers: &mut HeaderMap, name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    put(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(headers, REFERRER_POLICY, "no-referrer");
    put(headers, X_FRAME_OPTIONS, "DENY");
    put(headers, CACHE_CONTROL, "no-store");
    // Never Cross-Origin-Opener-Policy: it cuts a popup off from the app that opened it (R36).
    let listener = exchange.listener();
    if listener.secure && !is_local(&listener.origin) {
        put(headers, STRICT_TRANSPORT_SECURITY, "max-age=63072000");
    }
}

/// The promise of TLS holds for a host on every port. On a developer's machine it would take the plain
/// servers of the same host away.
fn is_local(origin: &str) -> bool {
    url::Url::parse(origin).is_ok_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    })
}
