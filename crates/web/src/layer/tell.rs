//! Tells a fault: once to the log, and to the other party in its language and look.

use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::oauth::error::{Code, Envelope, OAuthError, TOKEN_BOUND};
use vestibule_rules::oauth::metadata::DPOP_ALGORITHMS;

use crate::exchange::Exchange;
use crate::fault::{Spoken, Voice, is_alarming};
use crate::locale;
use crate::page::around::FaultPage;
use crate::page::{Frame, Pages};
use crate::respond::{self, FormTargets};

/// What a client said about the answer that it wants.
pub(super) struct Listening {
    html: bool,
    languages: Option<String>,
    with_credentials: bool,
    /// The credentials are a token that is bound to a key.
    with_key: bool,
}

impl Listening {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|h| h.to_str().ok());
        Self {
            html: text(ACCEPT).is_some_and(|a| a.contains("text/html")),
            languages: text(ACCEPT_LANGUAGE).map(str::to_owned),
            with_credentials: headers.contains_key(AUTHORIZATION),
            with_key: text(AUTHORIZATION).is_some_and(|a| {
                a.split_once(' ').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("DPoP"))
            }),
        }
    }
}

/// The answer to a fault. Headers that inner layers put on `placeholder` stay.
pub(super) fn tell(
    pages: &Pages,
    exchange: &Exchange,
    listening: &Listening,
    spoken: &Spoken,
    placeholder: &Response,
) -> Response {
    log(exchange, spoken);
    let as_page = match spoken.voice {
        // A browser is told about an unknown tenant, a library reads it (R8).
        Voice::Page => spoken.fault.code != 90002 || listening.html,
        Voice::Open => listening.html,
        Voice::OAuth => false,
    };
    let told =
        if as_page { page(pages, exchange, listening, spoken) } else { json(exchange, listening, spoken) };
    // Where even the page of the fault cannot be rendered, plain words must do.
    let mut response = told.unwrap_or_else(|fault| {
        tracing::error!(detail = %fault.detail, "the page of a fault failed");
        let text = format!("Something is broken on our side. Reference: {}\n", exchange.reference());
        respond::with_type(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", text)
    });
    for (name, value) in placeholder.headers() {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    if let Some(seconds) = wait(spoken) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn page(pages: &Pages, exchange: &Exchange, listening: &Listening, spoken: &Spoken) -> Outcome<Response> {
    let neutral = || Frame {
        locale: locale::choose(&pages.catalogue, None, listening.languages.as_deref()).to_owned(),
        ..Frame::neutral()
    };
    let frame = exchange.framed().cloned().unwrap_or_else(neutral);
    let page = FaultPage::new(&spoken.fault, exchange.reference(), exchange.trace());
    respond::html(spoken.status(), pages.render(&frame, &page)?, &FormTargets::Own)
}

fn json(exchange: &Exchange, listening: &Listening, spoken: &Spoken) -> Outcome<Response> {
    let error = match (&spoken.fault.kind, spoken.status()) {
        (_, StatusCode::NOT_FOUND) => said("There is nothing at this address."),
        (_, StatusCode::METHOD_NOT_ALLOWED) => said("The method is not allowed at this address."),
        (_, StatusCode::PAYLOAD_TOO_LARGE) => said("The request is too large."),
        _ => spoken.error(),
    };
    let envelope = Envelope::new(&error, &exchange.listener().origin, exchange.trace());
    let body = serde_json::to_vec(&envelope).map_err(|e| Fault::ours(format!("error envelope: {e}")))?;
    let mut response = respond::json(spoken.status(), Body::from(body));
    if let Some(challenge) = challenge(exchange, listening, &error, spoken.status()) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    Ok(response)
}

const fn said(description: &'static str) -> OAuthError {
    OAuthError { code: Code::InvalidRequest, number: 0, suberror: None, description, retry_after: None }
}

/// RFC 6749 §5.2: whoever tried the header is told that it may be tried again. RFC 6750 §3, RFC 9449 §7.1.
fn challenge(
    exchange: &Exchange,
    listening: &Listening,
    error: &OAuthError,
    status: StatusCode,
) -> Option<HeaderValue> {
    match error.code {
        Code::InvalidToken if listening.with_key || *error == TOKEN_BOUND => proof(error),
        Code::InvalidDpopProof | Code::UseDpopNonce if status == StatusCode::UNAUTHORIZED => proof(error),
        Code::InvalidToken if listening.with_credentials => {
            Some(HeaderValue::from_static("Bearer error=\"invalid_token\""))
        }
        Code::InvalidToken => Some(HeaderValue::from_static("Bearer")),
        Code::InvalidClient if listening.with_credentials => {
            HeaderValue::try_from(format!("Basic realm=\"{}\"", exchange.listener().origin)).ok()
        }
        Code::InvalidClient
        | Code::InvalidRequest
        | Code::InvalidGrant
        | Code::InvalidScope
        | Code::UnauthorizedClient
        | Code::UnsupportedGrantType
        | Code::UnsupportedResponseType
        | Code::AccessDenied
        | Code::AuthorizationPending
        | Code::AuthorizationDeclined
        | Code::SlowDown
        | Code::BadVerificationCode
        | Code::ExpiredToken
        | Code::LoginRequired
        | Code::InteractionRequired
        | Code::ConsentRequired
        | Code::UnmetAuthenticationRequirements
        | Code::RequestNotSupported
        | Code::RequestUriNotSupported
        | Code::InvalidRequestUri
        | Code::InvalidTarget
        | Code::InvalidDpopProof
        | Code::UseDpopNonce
        | Code::InvalidRedirectUri
        | Code::InvalidClientMetadata
        | Code::TemporarilyUnavailable
        | Code::ServerError => None,
    }
}

fn proof(error: &OAuthError) -> Option<HeaderValue> {
    let (code, algorithms) = (error.code.as_str(), DPOP_ALGORITHMS.join(" "));
    HeaderValue::try_from(format!("DPoP error=\"{code}\", algs=\"{algorithms}\"")).ok()
}

fn wait(spoken: &Spoken) -> Option<u64> {
    let of_kind = if let Kind::Throttled(after) = &spoken.fault.kind { Some(*after) } else { None };
    let span = spoken.error.and_then(|e| e.retry_after).or(of_kind)?;
    Some(u64::try_from(span.as_seconds_ceil()).unwrap_or(0).max(1))
}

fn log(exchange: &Exchange, spoken: &Spoken) {
    let Fault { kind, code, about, detail, .. } = &spoken.fault;
    let (reference, about) = (exchange.reference(), about.as_deref().unwrap_or_default());
    let (correlation, status) = (exchange.correlation(), spoken.status().as_u16());
    if is_alarming(kind) {
        tracing::error!(reference, %correlation, ?kind, code, about, status, detail, "request failed");
    } else {
        tracing::info!(reference, %correlation, ?kind, code, about, status, detail, "request refused");
    }
}
