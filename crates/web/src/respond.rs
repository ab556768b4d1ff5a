//! Answers: pages with their policy, redirects with their cookies, JSON.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, StatusCode};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::callback::Answer;
use vestibule_service::hop::{Hop, To};

use crate::cookie;
use crate::form::Asked;
use crate::link;
use crate::page::around::FormPostPage;
use crate::page::stranger::OnwardPage;
use crate::page::{Frame, Page};
use crate::state::AppState;

/// Where the forms of a page may lead. Browsers hold every redirect that follows a POST against
/// `form-action`, and those of other sites too: an app that is also somebody's provider sends the browser
/// on, a provider spreads its pages over several hosts. A list of the addresses that we know would cut such
/// a chain off in the middle, so the pages that people leave us from name none.
#[derive(Clone, Debug)]
pub enum FormTargets {
    /// Back to us.
    Own,
    /// To us or straight to this origin.
    Origin(String),
    /// Out of the house, by ways that only others know.
    Onward,
    /// Back to us; the page opens these addresses in frames.
    Framing(Vec<String>),
}

impl FormTargets {
    /// Our own forms, and one that goes to this origin.
    pub fn and(origin: Option<String>) -> Self {
        // An origin that could end the directive would rewrite the policy.
        let safe = |o: &String| {
            !o.is_empty()
                && o.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b';' | b',' | b'\'' | b'*'))
        };
        origin.filter(safe).map_or(Self::Own, Self::Origin)
    }

    fn policy(&self) -> String {
        let framed = match self {
            Self::Framing(addresses) => origins(addresses),
            Self::Own | Self::Origin(_) | Self::Onward => String::new(),
        };
        let policy = format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
             frame-src 'self'{framed}; frame-ancestors 'none'; base-uri 'none'"
        );
        match self {
            Self::Own | Self::Framing(_) => format!("{policy}; form-action 'self'"),
            Self::Origin(origin) => format!("{policy}; form-action 'self' {origin}"),
            Self::Onward => policy,
        }
    }
}

/// Marks the answer that other sites may frame.
#[derive(Clone, Copy, Debug)]
pub struct Frameable;

/// The origins of addresses, each once and with a space before it.
fn origins(addresses: &[String]) -> String {
    let urls = addresses.iter().filter_map(|address| url::Url::parse(address).ok());
    let all: BTreeSet<String> =
        urls.map(|u| u.origin()).filter(url::Origin::is_tuple).map(|o| o.ascii_serialization()).collect();
    all.into_iter().fold(String::new(), |list, origin| format!("{list} {origin}"))
}

/// A page.
pub fn page<P: Page>(app: &AppState, frame: &Frame, page: &P, targets: &FormTargets) -> Outcome<Response> {
    html(StatusCode::OK, app.pages.render(frame, page)?, targets)
}

/// HTML under the policy of all pages.
pub fn html(status: StatusCode, html: String, targets: &FormTargets) -> Outcome<Response> {
    let policy = HeaderValue::try_from(targets.policy()).map_err(|e| Fault::ours(format!("policy: {e}")))?;
    let mut response = with_type(status, "text/html; charset=utf-8", html);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// JSON that nobody may keep.
pub fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    with_type(status, "application/json; charset=utf-8", body)
}

/// What every client reads before it does anything else, and what changes rarely.
pub fn kept_shortly(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// Any body under a media type; not to be stored unless somebody says otherwise.
pub fn with_type(status: StatusCode, media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sends the browser on. After a POST it must not repeat what was posted (security.md S16).
pub fn redirect(method: &Method, to: &str) -> Outcome<Response> {
    let location =
        HeaderValue::try_from(to).map_err(|_| Fault::ours("a redirect that no header can carry"))?;
    let status = if *method == Method::GET { StatusCode::FOUND } else { StatusCode::SEE_OTHER };
    let mut response = Response::default();
    *response.status_mut() = status;
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// What a browser does next, cookies included.
pub fn hop(app: &AppState, asked: &Asked, hop: Hop) -> Outcome<Response> {
    let segments = &asked.visit.segments;
    let mut response = match hop.to {
        To::Journey(id) => redirect(&asked.method, &link::journey(segments, id))?,
        To::Device(id) => redirect(&asked.method, &link::device(segments, id))?,
        To::Choose(id) => redirect(&asked.method, &link::choose(segments, id))?,
        To::Consent(id) => redirect(&asked.method, &link::consent(segments, id))?,
        To::Provider(url) | To::Own(url) => redirect(&asked.method, url.as_str())?,
        To::Nowhere => redirect(&asked.method, &link::home(segments))?,
        To::Ask { reply, app: name } => {
            let targets = FormTargets::and(reply.callback.form_action());
            let way = OnwardPage::new(name, reply.callback.answer(reply.parameters));
            page(app, &asked.frame, &way, &targets)?
        }
        To::App(reply) => {
            let targets = FormTargets::and(reply.callback.form_action());
            match reply.callback.answer(reply.parameters) {
                Answer::Redirect(to) => redirect(&asked.method, &to)?,
                Answer::Post { action, fields } => {
                    let way = FormPostPage { target: action, parameters: fields };
                    page(app, &asked.frame, &way, &targets)?
                }
            }
        }
    };
    let (headers, listener) = (response.headers_mut(), asked.exchange.listener());
    if let Some(value) = &hop.browser {
        cookie::bind(headers, listener, value)?;
    }
    cookie::session(headers, listener, asked.visit.tenant_id(), &hop.session)?;
    cookie::remember(headers, listener, asked.visit.tenant_id(), &hop.way_in)?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_where_forms_may_end() {
        // S13
        let targets = FormTargets::and(Some("http://localhost:3000".to_owned()));
        assert!(targets.policy().ends_with("form-action 'self' http://localhost:3000"));
        assert!(FormTargets::Own.policy().ends_with("form-action 'self'"));
        assert!(!FormTargets::Onward.policy().contains("form-action"));
        for targets in [targets, FormTargets::Own, FormTargets::Onward] {
            assert!(!targets.policy().contains("unsafe"));
        }
    }

    #[test]
    fn an_origin_cannot_rewrite_the_policy() {
        for hostile in ["x; script-src *", "*", "'unsafe-inline'", "a,b", "a\r\nb", "http://a b", ""] {
            let policy = FormTargets::and(Some(hostile.to_owned())).policy();
            assert_eq!(policy, FormTargets::Own.policy(), "{hostile}");
        }
    }

    #[test]
    fn a_post_is_not_repeated_where_it_leads() {
        // S16
        assert_eq!(redirect(&Method::POST, "/a").unwrap().status(), StatusCode::SEE_OTHER);
        assert_eq!(redirect(&Method::GET, "/a").unwrap().status(), StatusCode::FOUND);
        assert!(redirect(&Method::GET, "/a\r\nset-cookie: b").is_err());
    }
}
