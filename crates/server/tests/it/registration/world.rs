//! An application that registers itself, and hosts that it names.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::response::Response;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use vestibule_crypto::asymmetric::KeyKind;
use vestibule_crypto::client_key::ClientKey;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, TenantId};
use vestibule_rules::time::Span;
use vestibule_service::registration::tokens;
use vestibule_testkit::TestServer;

use crate::conformance::party::{CALLBACK, Party, Variant};

pub(crate) const FILE: &str = include_str!("../conformance/suite.yaml");
/// A picture, as far as anybody looks.
pub(crate) const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\nand the rest of it";

/// What an endpoint of registrations answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) challenge: Option<String>,
    pub(crate) content_type: String,
}

impl Told {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// Status and error.
    pub(crate) fn error(&self) -> (u16, &str) {
        (self.status, self.text("error"))
    }
}

pub(crate) fn endpoint(server: &TestServer) -> String {
    format!("{}/suite/oauth2/v2.0/register", server.origin)
}

pub(crate) fn tenant(server: &TestServer) -> TenantId {
    server.site.directory.tenant("suite").unwrap().config.tenant.id
}

/// A new initial access token.
pub(crate) async fn initial(server: &TestServer, uses: i64) -> Outcome<String> {
    let made = tokens::create(&server.site.env, tenant(server), Some(uses), Some(Span::days(1))).await?;
    Ok(made.1.into_inner())
}

pub(crate) async fn send(
    method: Method,
    url: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Outcome<Told> {
    #[expect(clippy::disallowed_methods, reason = "an app is the outside world")]
    let client = reqwest::Client::builder().no_proxy().build();
    let broken = |error: reqwest::Error| Fault::ours(error.to_string());
    let mut request = client.map_err(broken)?.request(method, url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
    }
    let answer = request.send().await.map_err(broken)?;
    let header = |name| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let (challenge, content_type) = (header(WWW_AUTHENTICATE), header(CONTENT_TYPE).unwrap_or_default());
    let status = answer.status().as_u16();
    let text = answer.text().await.map_err(broken)?;
    Ok(Told {
        status,
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        challenge,
        content_type,
    })
}

/// An application that can register.
pub(crate) struct Applicant {
    pub(crate) key: Arc<ClientKey>,
    pub(crate) metadata: Value,
}

impl Applicant {
    /// What the conformance suite's client sends, with `more` over it; `null` takes a member away.
    pub(crate) fn new(more: Value) -> Self {
        let key = Arc::new(ClientKey::generate(KeyKind::P256).unwrap().with_kid("first"));
        let mut metadata = json!({
            "client_name": "Dynamic client",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [key.jwk()]},
            "contacts": ["certification@suite.example"],
        });
        let (Value::Object(all), Value::Object(more)) = (&mut metadata, more) else { panic!("no objects") };
        all.extend(more);
        all.retain(|_, value| !value.is_null());
        Self { key, metadata }
    }

    /// Sends it with a token of its own.
    pub(crate) async fn asks(&self, server: &TestServer) -> Outcome<Told> {
        let token = initial(server, 1).await?;
        send(Method::POST, &endpoint(server), Some(&token), Some(&self.metadata)).await
    }
}

/// A registered application.
pub(crate) struct Client {
    pub(crate) told: Told,
    pub(crate) key: Arc<ClientKey>,
}

impl Client {
    pub(crate) async fn registers(server: &TestServer, more: Value) -> Outcome<Self> {
        let applicant = Applicant::new(more);
        let told = applicant.asks(server).await?;
        assert_eq!(told.status, 201, "{told:?}");
        assert!(told.content_type.starts_with("application/json"));
        Ok(Self { told, key: applicant.key })
    }

    pub(crate) fn id(&self) -> &str {
        self.told.text("client_id")
    }

    pub(crate) fn client(&self) -> ClientId {
        ClientId::parse(self.id()).unwrap()
    }

    pub(crate) fn token(&self) -> &str {
        self.told.text("registration_access_token")
    }

    pub(crate) fn address(&self) -> &str {
        self.told.text("registration_client_uri")
    }

    /// The application at a browser of its own.
    pub(crate) fn party<'s>(&self, server: &'s TestServer) -> Party<'s> {
        let mut party = Party::new(server, Variant::of("code"));
        party.become_client(self.id(), self.told.body["redirect_uris"][0].as_str().unwrap(), &self.key);
        party
    }

    /// What it would send to change one thing.
    pub(crate) fn changed(&self, more: Value) -> Value {
        let mut body = self.told.body.clone();
        let (Value::Object(all), Value::Object(more)) = (&mut body, more) else { panic!("no objects") };
        for name in
            ["registration_access_token", "registration_client_uri", "client_id_issued_at", "client_secret"]
        {
            all.remove(name);
        }
        all.extend(more);
        body
    }
}

/// A host on this machine that serves what it is told to, by plain HTTP.
pub(crate) struct Host {
    pub(crate) base: String,
    pages: Arc<Mutex<BTreeMap<String, Page>>>,
}

#[derive(Clone)]
enum Page {
    Body(Vec<u8>),
    Elsewhere(String),
}

impl Host {
    pub(crate) async fn start() -> Outcome<Self> {
        let broken = |error: std::io::Error| Fault::ours(error.to_string());
        let socket = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.map_err(broken)?;
        let base = format!("http://{}", socket.local_addr().map_err(broken)?);
        let pages = Arc::<Mutex<BTreeMap<String, Page>>>::default();
        let known = Arc::clone(&pages);
        let router = Router::new().fallback(move |uri: http::Uri| {
            let page = known.lock().unwrap().get(uri.path()).cloned();
            let answer = Response::builder();
            let answer = match page {
                Some(Page::Body(body)) => answer.body(axum::body::Body::from(body)),
                Some(Page::Elsewhere(to)) => {
                    answer.status(302).header("location", to).body(axum::body::Body::empty())
                }
                None => answer.status(404).body(axum::body::Body::empty()),
            };
            async move { answer.unwrap() }
        });
        tokio::spawn(async move { axum::serve(socket, router).await });
        Ok(Self { base, pages })
    }

    /// From now on this stands at the path; its address.
    pub(crate) fn serves(&self, path: &str, body: impl Into<Vec<u8>>) -> String {
        self.pages.lock().unwrap().insert(path.to_owned(), Page::Body(body.into()));
        format!("{}{path}", self.base)
    }

    /// From now on the path leads elsewhere; its address.
    pub(crate) fn leads(&self, path: &str, to: &str) -> String {
        self.pages.lock().unwrap().insert(path.to_owned(), Page::Elsewhere(to.to_owned()));
        format!("{}{path}", self.base)
    }
}

/// An address of this machine that strangers may not reach: every connection is counted.
pub(crate) struct Forbidden {
    pub(crate) at: String,
    reached: Arc<AtomicUsize>,
}

impl Forbidden {
    pub(crate) async fn start() -> Outcome<Self> {
        let broken = |error: std::io::Error| Fault::ours(error.to_string());
        let ip: IpAddr = "127.0.0.2".parse().unwrap();
        let socket = tokio::net::TcpListener::bind((ip, 0)).await.map_err(broken)?;
        let at = socket.local_addr().map_err(broken)?.to_string();
        let reached = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&reached);
        tokio::spawn(async move {
            while socket.accept().await.is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(Self { at, reached })
    }

    pub(crate) fn reached(&self) -> usize {
        self.reached.load(Ordering::Relaxed)
    }
}
