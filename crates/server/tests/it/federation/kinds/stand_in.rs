//! The servers of a company, as far as a sign-in goes to them: what they answer is the company's own module; what
//! is here records what arrives and checks what every company checks.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Map, Value, json};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use url::form_urlencoded;
use vestibule_crypto::digest::pkce_s256;
use vestibule_crypto::keyring::SigningKey;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Secret;
use vestibule_server::listener::{self, Door};
use vestibule_testkit::server::BEGIN;

/// The code that people come back with; no address of ours may show a posted one.
pub(crate) const CODE: &str = "c0de-0f-the-company";
/// The access token of whoever comes.
pub(crate) const TOKEN: &str = "t0ken-0f-the-person";
/// What the company calls us.
pub(crate) const CLIENT: &str = "1234567890";

/// One for all companies: making a key takes as long as the rest of a short test.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate("company", BEGIN).unwrap());

pub(crate) type Fields = BTreeMap<String, String>;

/// A company whose accounts people have.
#[derive(Clone, Copy)]
pub(crate) struct Company {
    /// Its section in a tenant's file, without the id. `{base}` is where the company is.
    pub(crate) section: &'static str,
    /// What it answers.
    pub(crate) answer: fn(&StandIn, &Call) -> Reply,
}

/// A request that arrived.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Fields,
    /// The fields of a form; empty when the body is something else.
    pub(crate) form: Fields,
    pub(crate) body: String,
    headers: HeaderMap,
}

/// What is answered.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
}

/// A company, listening.
pub(crate) struct StandIn {
    pub(crate) base: String,
    pub(crate) key: &'static SigningKey,
    company: Company,
    script: Mutex<Script>,
    stop: CancellationToken,
}

#[derive(Default)]
struct Script {
    /// What a document says differently; `null` takes a member away.
    says: BTreeMap<String, Value>,
    instead: BTreeMap<String, Reply>,
    calls: Vec<Call>,
    /// What the last browser was sent with.
    departure: Fields,
}

impl Reply {
    pub(crate) const fn ok(body: Value) -> Self {
        Self { status: 200, headers: Vec::new(), body }
    }

    pub(crate) const fn error(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// RFC 6749 §5.2.
    pub(crate) fn oauth_error(code: &str) -> Self {
        Self::error(400, json!({"error": code, "error_description": "Not what was expected."}))
    }
}

impl Call {
    /// A request for a page.
    pub(crate) fn get(path: &str) -> Self {
        let (query, form, headers) = (Fields::new(), Fields::new(), HeaderMap::new());
        Self { method: Method::GET, path: path.to_owned(), query, form, body: String::new(), headers }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    pub(crate) fn asked(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// Whether it shows the access token as RFC 6750 §2.1 has it.
    pub(crate) fn shows_token(&self) -> bool {
        self.header("authorization") == format!("Bearer {TOKEN}")
    }

    /// Client id and secret of RFC 6749 §2.3.1, as they were before they were encoded.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let encoded = self.header("authorization").strip_prefix("Basic ")?;
        let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        let plain = |half: &str| {
            let mut pairs = form_urlencoded::parse(half.as_bytes());
            pairs.next().map(|(name, _)| name.into_owned())
        };
        Some((plain(id)?, plain(secret)?))
    }

    /// Whether the form shows the client's secret.
    pub(crate) fn posts_secret(&self) -> bool {
        self.field("client_id") == CLIENT && self.field("client_secret") == secret().expose()
    }
}

impl StandIn {
    pub(crate) async fn start(company: Company) -> Outcome<Arc<Self>> {
        Self::start_behind(None, company).await
    }

    /// A company that shows a certificate, if it is given one.
    pub(crate) async fn start_behind(tls: Option<TlsAcceptor>, company: Company) -> Outcome<Arc<Self>> {
        let ours = |error: &dyn std::fmt::Display| Fault::ours(error.to_string());
        let socket = listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.map_err(|e| ours(&e))?;
        let port = socket.local_addr().map_err(|e| ours(&e))?.port();
        let base = if tls.is_some() { "https://localhost" } else { "http://127.0.0.1" };
        let stand_in = Arc::new(Self {
            base: format!("{base}:{port}"),
            key: &KEY,
            company,
            script: Mutex::default(),
            stop: CancellationToken::new(),
        });
        let routes = Router::new().fallback(receive).with_state(Arc::clone(&stand_in));
        let doors = vec![Door::new(socket, tls, routes, Arc::new(|_, _| {}))];
        tokio::spawn(listener::serve_all(doors, &stand_in.stop).join_all());
        Ok(stand_in)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// The lines of its section, as long as it listens.
    pub(crate) fn section(&self) -> String {
        let lines = self.company.section.replace("{base}", &self.base).replace("{client}", CLIENT);
        lines.lines().flat_map(|line| ["    ", line, "\n"]).collect()
    }

    /// From now on this document says something else; `null` takes a member away.
    pub(crate) fn says(&self, document: &str, other: Value) {
        self.script().says.insert(document.to_owned(), other);
    }

    /// From now on this path is answered so.
    pub(crate) fn answers(&self, path: &str, reply: Reply) {
        self.script().instead.insert(path.to_owned(), reply);
    }

    /// Honest again.
    pub(crate) fn repents(&self) {
        let mut script = self.script();
        script.says.clear();
        script.instead.clear();
    }

    /// A document with what the test changed in it.
    pub(crate) fn document(&self, name: &str, mut honest: Value) -> Value {
        if let Some(other) = self.script().says.get(name) {
            let (Value::Object(all), Value::Object(other)) = (&mut honest, other) else {
                return other.clone();
            };
            all.extend(other.clone());
            all.retain(|_, value| !value.is_null());
        }
        honest
    }

    /// What arrived at a path.
    pub(crate) fn calls(&self, path: &str) -> Vec<Call> {
        self.script().calls.iter().filter(|call| call.path == path).cloned().collect()
    }

    /// The only request that arrived at a path since it was asked before.
    pub(crate) fn only_call(&self, path: &str) -> Call {
        let mut calls = self.calls(path);
        assert_eq!(calls.len(), 1, "{path}");
        self.script().calls.retain(|call| call.path != path);
        calls.remove(0)
    }

    pub(crate) fn departed(&self, sent: &Fields) {
        self.script().departure.clone_from(sent);
    }

    /// What the last browser was sent with.
    pub(crate) fn departed_with(&self) -> Fields {
        self.script().departure.clone()
    }

    pub(crate) fn departure(&self, name: &str) -> String {
        self.script().departure.get(name).cloned().unwrap_or_default()
    }

    /// RFC 6749 §4.1.3: the code is redeemed by whom it was made for, and for the same way back.
    pub(crate) fn redeems(&self, call: &Call) -> bool {
        call.method == Method::POST
            && call.field("grant_type") == "authorization_code"
            && call.field("code") == CODE
            && call.field("redirect_uri") == self.departure("redirect_uri")
    }

    /// RFC 7636 §4.6, at companies that take part in it.
    pub(crate) fn proves(&self, call: &Call) -> bool {
        pkce_s256(call.field("code_verifier")) == self.departure("code_challenge")
    }

    /// An ID token of these claims, the nonce of the last departure and the usual times.
    pub(crate) fn id_token(&self, honest: Value) -> Value {
        let now = BEGIN.seconds();
        let mut claims = Map::from_iter([
            ("aud".to_owned(), json!(CLIENT)),
            ("nonce".to_owned(), json!(self.departure("nonce"))),
            ("iat".to_owned(), json!(now)),
            ("exp".to_owned(), json!(now + 3_600)),
        ]);
        if let Value::Object(more) = honest {
            claims.extend(more);
        }
        let claims = self.document("id_token", Value::Object(claims));
        json!(self.key.sign(&claims, "JWT").unwrap())
    }

    /// RFC 7517 §5.
    pub(crate) fn keys(&self) -> Value {
        json!({"keys": [self.key.jwk()]})
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The secret that the company gave us. Long enough to sign with (RFC 7518 §3.2).
pub(crate) fn secret() -> Secret<String> {
    vestibule_testkit::server::secret("secrets/of-the-company")
}

async fn receive(
    State(stand_in): State<Arc<StandIn>>,
    (method, uri, headers): (Method, Uri, HeaderMap),
    body: Bytes,
) -> Response {
    let fields = |text: &str| form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let body = String::from_utf8(body.to_vec()).unwrap_or_default();
    let posted = headers.get("content-type").is_some_and(|it| it == "application/x-www-form-urlencoded");
    let call = Call {
        method,
        path: uri.path().to_owned(),
        query: fields(uri.query().unwrap_or_default()),
        form: if posted { fields(&body) } else { Fields::new() },
        body,
        headers,
    };
    stand_in.script().calls.push(call.clone());
    let instead = stand_in.script().instead.get(&call.path).cloned();
    let reply = instead.unwrap_or_else(|| (stand_in.company.answer)(&stand_in, &call));
    let status = StatusCode::from_u16(reply.status).unwrap();
    let mut response = match (&reply.body, reply.headers.iter().any(|(name, _)| *name == "content-type")) {
        // Something else than JSON: a signed answer, or nothing that anybody can read.
        (Value::String(text), true) => (status, text.clone()).into_response(),
        _ => (status, Json(reply.body)).into_response(),
    };
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
