//! One request as handlers read it: the visit, the parameters, the headers.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};
use http_body_util::LengthLimitError;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::journey::question::RawFields;
use vestibule_rules::oauth::params::Params;
use vestibule_service::directory::snapshot::TenantView;
use vestibule_service::dpop::Possession;
use vestibule_service::visit::{Segments, Visit};

use crate::brand::Brand;
use crate::cookie;
use crate::exchange::Exchange;
use crate::fault::{BODY, unknown_tenant};
use crate::link;
use crate::locale;
use crate::page::Frame;
use crate::state::AppState;

/// A proof of possession (RFC 9449 §4.1).
pub const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The longest body that is read.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A request to a tenant.
pub struct Asked {
    pub visit: Visit,
    pub exchange: Exchange,
    pub frame: Frame,
    pub method: Method,
    pub headers: HeaderMap,
    /// The address without its query, as the client sees it.
    url: String,
    /// Segments of the path by name.
    path: BTreeMap<String, String>,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
}

impl Asked {
    /// Reads a request. The tenant comes first: with it, even a malformed request gets its look.
    pub async fn read(app: &AppState, request: Request) -> Outcome<Self> {
        let (mut parts, body) = request.into_parts();
        let exchange = exchange(&parts)?;
        let path = path(&mut parts).await?;
        let tenant = tenant(app, &path)?;
        let segments = Segments { tenant: named(&path, "tenant"), flow: path.get("flow").cloned() };
        let frame = frame(app, &tenant, &segments, &parts.headers, None);
        exchange.frame(frame.clone());
        let query = decode(parts.uri.query().unwrap_or_default().as_bytes());
        let form = read_form(&parts, body).await?;
        let given = parts.headers.get("client-request-id").and_then(|h| h.to_str().ok()).map(str::to_owned);
        exchange.correlate(given.as_deref());
        exchange.correlate(first(&query, "client-request-id"));
        exchange.correlate(first(&form, "client-request-id"));
        let wanted = first(&query, "ui_locales").or_else(|| first(&form, "ui_locales"));
        let language = locale_of(app, &parts.headers, wanted).to_owned();
        let listener = exchange.listener();
        let url = format!("{}{}", listener.origin, parts.uri.path());
        let visit = Visit {
            origin: listener.origin.clone(),
            source: exchange.source().to_owned(),
            browser: cookie::read(&parts.headers, &cookie::browser_name(listener)),
            session: cookie::read(&parts.headers, &cookie::session_name(listener, tenant.config.tenant.id)),
            correlation: exchange.correlation(),
            language,
            now: exchange.now(),
            segments,
            tenant,
        };
        let (method, headers) = (parts.method, parts.headers);
        Ok(Self { visit, exchange, frame, method, headers, url, path, query, form })
    }

    /// A segment of the path.
    pub fn segment(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// The parameters of an OAuth request: the body of a POST, otherwise the query.
    pub fn params(&self) -> Params {
        Params::new(if self.method == Method::POST { self.form.clone() } else { self.query.clone() })
    }

    /// Whether the address has a parameter of this name.
    pub fn is_in_query(&self, name: &str) -> bool {
        self.query.iter().any(|(known, _)| known == name)
    }

    /// The pairs of the form in order.
    pub fn pairs(&self) -> &[(String, String)] {
        if self.method == Method::POST { &self.form } else { &self.query }
    }

    /// The fields of a posted form by name.
    pub fn fields(&self) -> RawFields {
        let mut fields = RawFields::new();
        for (name, value) in &self.form {
            fields.entry(name.clone()).or_default().push(value.clone());
        }
        fields
    }

    /// The frame in the language that an app asked for.
    pub fn framed(&self, app: &AppState, locales: Option<&str>) -> Frame {
        frame(app, &self.visit.tenant, &self.visit.segments, &self.headers, locales)
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|h| h.to_str().ok())
    }

    /// What the request shows of a key: proofs of possession name method and address (RFC 9449 §4.2).
    pub fn possession(&self) -> Possession {
        let shown = self.headers.get_all(DPOP).into_iter();
        Possession {
            // What is no text is no proof either, and still a second one beside a good one.
            proofs: shown.map(|proof| proof.to_str().unwrap_or_default().to_owned()).collect(),
            method: self.method.as_str().to_owned(),
            url: self.url.clone(),
        }
    }

    /// Refuses a form that another site sent (security.md A45). Browsers say where a request comes from in
    /// `Sec-Fetch-Site`; older ones in `Origin`, which is `null` under our own referrer policy. The token in
    /// the form is checked besides.
    pub fn require_own_form(&self) -> Outcome<()> {
        require_own_form(&self.headers, &self.visit.origin)
    }
}

/// See [`Asked::require_own_form`].
pub(crate) fn require_own_form(headers: &HeaderMap, own_origin: &str) -> Outcome<()> {
    let header = |name: &str| headers.get(name).and_then(|h| h.to_str().ok());
    let own = match (header("sec-fetch-site"), header(ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some("null") | None) => true,
        (None, Some(origin)) => origin == own_origin,
    };
    if own { Ok(()) } else { Err(Fault::forbidden("the form was sent by another site")) }
}

pub(crate) fn exchange(parts: &Parts) -> Outcome<Exchange> {
    parts.extensions.get::<Exchange>().cloned().ok_or_else(|| Fault::ours("no exchange: a layer is missing"))
}

pub(crate) async fn path(parts: &mut Parts) -> Outcome<BTreeMap<String, String>> {
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|e| Fault::missing("path", e.to_string()))?;
    Ok(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn tenant(app: &AppState, path: &BTreeMap<String, String>) -> Outcome<Arc<TenantView>> {
    app.site.directory.tenant(&named(path, "tenant")).ok_or_else(unknown_tenant)
}

fn named(path: &BTreeMap<String, String>, name: &str) -> String {
    path.get(name).cloned().unwrap_or_default()
}

fn frame(
    app: &AppState,
    tenant: &TenantView,
    segments: &Segments,
    headers: &HeaderMap,
    wanted: Option<&str>,
) -> Frame {
    Frame {
        locale: locale_of(app, headers, wanted).to_owned(),
        languages: locale::wanted(wanted, accepted(headers)),
        brand: Brand::of(&tenant.config.tenant, &link::home(segments)),
    }
}

pub(crate) fn locale_of<'a>(app: &'a AppState, headers: &HeaderMap, wanted: Option<&str>) -> &'a str {
    locale::choose(&app.pages.catalogue, wanted, accepted(headers))
}

fn accepted(headers: &HeaderMap) -> Option<&str> {
    headers.get(ACCEPT_LANGUAGE).and_then(|h| h.to_str().ok())
}

/// A body to its end, as long as it is no longer than [`BODY_LIMIT`]. What is longer is too large; what breaks off or is
/// not framed as HTTP/1.1 demands is a mistake.
pub(crate) async fn whole(body: axum::body::Body) -> Outcome<Bytes> {
    axum::body::to_bytes(body, BODY_LIMIT).await.map_err(|error| {
        let too_large = error.source().is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
        Fault::malformed(
            if too_large { BODY } else { "framing" },
            format!("the body cannot be read: {error}"),
        )
    })
}

pub(crate) async fn read_form(parts: &Parts, body: axum::body::Body) -> Outcome<Vec<(String, String)>> {
    if parts.method != Method::POST {
        return Ok(Vec::new());
    }
    let bytes = whole(body).await?;
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !bytes.is_empty() && !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Fault::malformed("content-type", "not a form").code(9_002_313));
    }
    Ok(decode(&bytes))
}

pub(crate) fn decode(bytes: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}

pub(crate) fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}
