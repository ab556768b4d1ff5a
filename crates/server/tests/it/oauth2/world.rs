//! A shop whose applications prove themselves in every way, what they sign with, and a server that publishes keys.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use url::form_urlencoded;
use vestibule_crypto::asymmetric::KeyKind;
use vestibule_crypto::client_key::ClientKey;
use vestibule_crypto::digest::{base64url, hmac_sha256};
use vestibule_crypto::jwk::Algorithm;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::client_auth::ASSERTION_TYPE;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_server::listener::{self, Door};
use vestibule_testkit::TestServer;
use vestibule_testkit::browser::outsider;
use vestibule_testkit::server::{BEGIN, secret};

use crate::journeys::passage::{SHOP, shop};

pub(crate) const CERT: &str = "a0000000-0000-4000-8000-000000000001";
pub(crate) const KEYED: &str = "a0000000-0000-4000-8000-000000000002";
pub(crate) const SIGNER: &str = "a0000000-0000-4000-8000-000000000003";
pub(crate) const BASIC: &str = "a0000000-0000-4000-8000-000000000004";
pub(crate) const EITHER: &str = "a0000000-0000-4000-8000-000000000005";
pub(crate) const NOBODY: &str = "a0000000-0000-4000-8000-000000000006";
pub(crate) const PUBLISHED: &str = "a0000000-0000-4000-8000-000000000007";
pub(crate) const WORKLOAD: &str = "a0000000-0000-4000-8000-000000000008";
pub(crate) const ORDERS: &str = "a0000000-0000-4000-8000-000000000009";
pub(crate) const PAGE: &str = "a0000000-0000-4000-8000-00000000000a";

/// Long enough for HS512.
pub(crate) const LONG: &str = "secrets/one-that-is-long-enough-for-every-hash-there-is-and-longer";
/// The subject of the workload.
pub(crate) const ROBOT: &str = "repo:corner/shop:ref:refs/heads/main";
/// The address of a page.
pub(crate) const PAGE_ORIGIN: &str = "http://localhost:3001";

/// Everything that a test needs beside the server.
pub(crate) struct World {
    /// Signs for `KEYED` under the kid `k1`.
    pub(crate) key: ClientKey,
    pub(crate) publisher: Publisher,
}

impl World {
    pub(crate) async fn new() -> Outcome<Self> {
        let key = ClientKey::generate(KeyKind::P256)?.with_kid("k1");
        Ok(Self { key, publisher: Publisher::start().await? })
    }

    /// The shop with everybody's applications.
    pub(crate) fn tenant(&self) -> String {
        let jwk = serde_json::to_string(&self.key.jwk()).unwrap();
        let apps = APPLICATIONS
            .replace("{jwk}", &jwk)
            .replace("{publisher}", &self.publisher.base)
            .replace("{long}", LONG)
            .replace("{robot}", ROBOT);
        shop()
            .replace("userFlows:\n", &format!("{apps}userFlows:\n"))
            .replace("applications: [Till]", "applications: [Till, Page]")
    }

    /// The claims of an assertion that is good now; `more` is put over them, and `null` takes one away.
    pub(crate) fn claims(server: &TestServer, client: &str, more: Value) -> Value {
        let now = server.site.env.now().seconds();
        let mut claims = json!({"iss": client, "sub": client, "aud": server.address("token"),
            "exp": now + 300, "iat": now, "nbf": now, "jti": unique()});
        let (Value::Object(all), Value::Object(more)) = (&mut claims, more) else { return claims };
        all.extend(more);
        all.retain(|_, value| !value.is_null());
        claims
    }

    /// A good assertion of `KEYED`, but for `more`.
    pub(crate) fn assertion(&self, server: &TestServer, more: Value) -> String {
        sign(
            &self.key,
            Algorithm::Es256,
            json!({"kid": "k1", "typ": "JWT"}),
            &Self::claims(server, KEYED, more),
        )
    }
}

/// A token with exactly this header.
pub(crate) fn sign(key: &ClientKey, algorithm: Algorithm, header: Value, claims: &Value) -> String {
    let Value::Object(header) = header else { return String::new() };
    key.sign_with_header(algorithm, header, claims).unwrap()
}

/// A token that nobody signed, or somebody with a secret.
pub(crate) fn forge(header: &Value, claims: &Value, secret: Option<&[u8]>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(header), part(claims));
    let mac = secret.map(|secret| base64url(&hmac_sha256(secret, input.as_bytes()))).unwrap_or_default();
    format!("{input}.{mac}")
}

/// The key of the certificate that `CERT` is registered with.
pub(crate) fn certified() -> ClientKey {
    ClientKey::from_pem(&secret("keys/cert.pem")).unwrap()
}

/// The thumbprint of that certificate, by SHA-1 or SHA-256.
pub(crate) fn thumbprint(name: &str) -> Value {
    let pem = secret("keys/cert.crt");
    vestibule_crypto::registered_key::PublicPem::read(pem.expose()).unwrap().jwk[name].clone()
}

fn unique() -> String {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    format!("jti-{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}

/// What an endpoint answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) challenge: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) cache_control: String,
}

impl Answer {
    /// The error and its number; empty when it is none.
    pub(crate) fn error(&self) -> (&str, u64) {
        (
            self.body["error"].as_str().unwrap_or_default(),
            self.body["error_codes"][0].as_u64().unwrap_or_default(),
        )
    }

    /// The claims of the access token.
    pub(crate) fn claims(&self) -> Value {
        crate::client::claims(self.body["access_token"].as_str().unwrap_or_else(|| panic!("{self:?}")))
    }
}

/// Asks as an application does.
pub(crate) trait Asks {
    fn address(&self, endpoint: &str) -> String;
    async fn ask(&self, url: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Outcome<Answer>;
    /// Client credentials for the shop's orders, with this proof.
    async fn credentials(&self, proof: &[(&str, &str)], headers: &[(&str, &str)]) -> Outcome<Answer>;
    /// The same with a client assertion.
    async fn asserting(&self, assertion: &str) -> Outcome<Answer>;
}

impl Asks for TestServer {
    fn address(&self, endpoint: &str) -> String {
        format!("{}/{SHOP}/oauth2/v2.0/{endpoint}", self.origin)
    }

    async fn ask(&self, url: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Outcome<Answer> {
        let broken = |error: reqwest::Error| Fault::ours(error.to_string());
        let mut request = outsider().build().map_err(broken)?.post(url).form(form);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.map_err(broken)?;
        let header = |name| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let (challenge, retry_after) = (header(WWW_AUTHENTICATE), header(RETRY_AFTER));
        let cache_control = header(CACHE_CONTROL).unwrap_or_default();
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(broken)?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, body, challenge, retry_after, cache_control })
    }

    async fn credentials(&self, proof: &[(&str, &str)], headers: &[(&str, &str)]) -> Outcome<Answer> {
        let mut form = vec![("grant_type", "client_credentials"), ("scope", "api://orders/.default")];
        form.extend(proof);
        self.ask(&self.address("token"), &form, headers).await
    }

    async fn asserting(&self, assertion: &str) -> Outcome<Answer> {
        let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)];
        self.credentials(&proof, &[]).await
    }
}

/// The value of an `Authorization` header.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

/// A server that publishes keys, and is the issuer of workloads.
pub(crate) struct Publisher {
    pub(crate) base: String,
    script: Arc<Mutex<Script>>,
    stop: CancellationToken,
}

#[derive(Default)]
struct Script {
    keys: Vec<Value>,
    /// What the discovery document says differently.
    says: Map<String, Value>,
    asked: Vec<String>,
}

impl Publisher {
    async fn start() -> Outcome<Self> {
        let ours = |error: &dyn std::fmt::Display| Fault::ours(error.to_string());
        let socket = listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.map_err(|e| ours(&e))?;
        let base = format!("http://127.0.0.1:{}", socket.local_addr().map_err(|e| ours(&e))?.port());
        let (script, stop) = (Arc::<Mutex<Script>>::default(), CancellationToken::new());
        let (own, known) = (base.clone(), Arc::clone(&script));
        let routes = Router::new().fallback(move |uri: http::Uri| {
            let mut script = known.lock().unwrap();
            script.asked.push(uri.path().to_owned());
            let mut document = json!({"issuer": own, "jwks_uri": format!("{own}/keys")});
            document.as_object_mut().unwrap().extend(script.says.clone());
            let keys = json!({"keys": script.keys});
            async move { Json(if uri.path() == "/keys" { keys } else { document }) }
        });
        let doors = vec![Door::new(socket, None, routes, Arc::new(|_, _| {}))];
        tokio::spawn(listener::serve_all(doors, &stop).join_all());
        Ok(Self { base, script, stop })
    }

    /// From now on these are the keys.
    pub(crate) fn publishes(&self, keys: &[&ClientKey]) {
        self.script.lock().unwrap().keys =
            keys.iter().map(|key| serde_json::to_value(key.jwk()).unwrap()).collect();
    }

    /// From now on the discovery document says something else.
    pub(crate) fn says(&self, name: &str, value: Value) {
        self.script.lock().unwrap().says.insert(name.to_owned(), value);
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.script.lock().unwrap().asked.iter().filter(|asked| *asked == path).count()
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// When the old secret and the old key end, as the file says it.
pub(crate) fn overlap_ends() -> Timestamp {
    BEGIN + Span::hours(1)
}

const APPLICATIONS: &str = r#"  - displayName: Cert
    appId: a0000000-0000-4000-8000-000000000001
    web: { redirectUris: ["http://localhost:3001/callback"] }
    keyCredentials:
      - displayName: laptop
        pem: { file: keys/cert.crt }
    appRoleAssignments:
      - { resource: "api://orders", role: Orders.Read }
  - displayName: Keyed
    appId: a0000000-0000-4000-8000-000000000002
    web: { redirectUris: ["http://localhost:3001/callback"] }
    tokenEndpointAuthMethod: private_key_jwt
    keyCredentials:
      - displayName: old
        jwk: {jwk}
        endDateTime: "2026-11-24T03:25:36Z"
  - displayName: Signer
    appId: a0000000-0000-4000-8000-000000000003
    web: { redirectUris: ["http://localhost:3001/callback"] }
    tokenEndpointAuthMethod: client_secret_jwt
    passwordCredentials:
      - secret: { file: "{long}" }
  - displayName: Basic
    appId: a0000000-0000-4000-8000-000000000004
    web: { redirectUris: ["http://localhost:3001/callback"] }
    tokenEndpointAuthMethod: client_secret_basic
    passwordCredentials:
      - secret: { file: secrets/basic }
  - displayName: Either
    appId: a0000000-0000-4000-8000-000000000005
    web: { redirectUris: ["http://localhost:3001/callback"] }
    passwordCredentials:
      - displayName: old
        secret: { file: secrets/old }
        endDateTime: "2026-11-24T03:25:36Z"
      - displayName: new
        secret: { file: secrets/new }
        startDateTime: "2026-11-24T02:55:36Z"
  - displayName: Nobody
    appId: a0000000-0000-4000-8000-000000000006
    publicClient: { redirectUris: ["http://localhost:3001/callback"] }
    tokenEndpointAuthMethod: none
  - displayName: Published
    appId: a0000000-0000-4000-8000-000000000007
    web: { redirectUris: ["http://localhost:3001/callback"] }
    jwksUri: "{publisher}/keys"
  - displayName: Workload
    appId: a0000000-0000-4000-8000-000000000008
    web: { redirectUris: ["http://localhost:3001/callback"] }
    federatedIdentityCredentials:
      - name: pipeline
        issuer: "{publisher}"
        subject: "{robot}"
  - displayName: Orders
    appId: a0000000-0000-4000-8000-000000000009
    web: { redirectUris: ["http://localhost:3001/callback"] }
    identifierUris: ["api://orders"]
    api:
      oauth2PermissionScopes:
        - { value: orders.read }
    appRoles:
      - { value: Orders.Read, displayName: Read, allowedMemberTypes: [Application] }
      - { value: Orders.Write, displayName: Write, allowedMemberTypes: [Application] }
    passwordCredentials:
      - secret: { file: secrets/app }
  - displayName: Page
    appId: a0000000-0000-4000-8000-00000000000a
    spa: { redirectUris: ["http://localhost:3001/callback"] }
"#;
