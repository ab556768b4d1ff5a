//! An OpenID provider that lies when it is told to.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use axum::extract::{Form, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use url::Url;
use vestibule_crypto::digest::{hmac_sha256, pkce_s256};
use vestibule_crypto::keyring::SigningKey;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_server::listener::{self, Door};
use vestibule_testkit::server::BEGIN;

use crate::journeys::passage::{Answered, Form as Page, Hand};

/// How an ID token is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Well,
    /// By a key that the provider may or may not publish.
    ByTheOtherKey,
    /// By the other key under the published one's name.
    ByTheOtherKeyUnderAFalseName,
    /// RFC 7518 §3.6.
    None,
    /// With the client's secret, as if that were a key.
    WithTheSecret,
}

/// What the provider says and does.
pub(crate) struct Script {
    /// Claims that differ from honest ones; `null` takes one away.
    pub(crate) lies: Value,
    pub(crate) signed: Signed,
    pub(crate) publishes_other_key: bool,
    pub(crate) issuer_in_discovery: Option<String>,
    /// Where people sign in, when that is at another address.
    pub(crate) authorization_endpoint: Option<String>,
    pub(crate) sends_iss: bool,
    /// Paths that answer 500.
    pub(crate) broken: &'static str,
    /// Paths that answer when [`Provider::go_on`] is notified.
    pub(crate) hangs: &'static str,
    /// Members of token responses beside the usual ones.
    pub(crate) tokens: Value,
    /// Seconds that went by since the test began.
    pub(crate) later: i64,
    /// What the browser was sent with.
    asked: BTreeMap<String, String>,
}

/// The same for all providers: making a key takes as long as the rest of a short test.
static KEYS: LazyLock<[SigningKey; 2]> =
    LazyLock::new(|| ["one", "two"].map(|name| SigningKey::generate(name, BEGIN).unwrap()));

/// The provider, listening.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    script: Mutex<Script>,
    keys: &'static [SigningKey; 2],
    pub(crate) discoveries: AtomicUsize,
    pub(crate) key_reads: AtomicUsize,
    pub(crate) redemptions: AtomicUsize,
    pub(crate) go_on: Notify,
    pub(crate) reached: Notify,
    stop: CancellationToken,
}

impl Provider {
    pub(crate) async fn start() -> Outcome<Arc<Self>> {
        let ours = |error: &dyn std::fmt::Display| Fault::ours(error.to_string());
        let socket = listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.map_err(|e| ours(&e))?;
        let port = socket.local_addr().map_err(|e| ours(&e))?.port();
        let issuer = format!("http://127.0.0.1:{port}");
        let script = Script {
            lies: json!({}),
            signed: Signed::Well,
            publishes_other_key: false,
            issuer_in_discovery: None,
            authorization_endpoint: None,
            sends_iss: true,
            broken: "-",
            hangs: "-",
            tokens: json!({}),
            later: 0,
            asked: BTreeMap::new(),
        };
        let provider = Arc::new(Self {
            issuer,
            script: Mutex::new(script),
            keys: &KEYS,
            discoveries: AtomicUsize::new(0),
            key_reads: AtomicUsize::new(0),
            redemptions: AtomicUsize::new(0),
            go_on: Notify::new(),
            reached: Notify::new(),
            stop: CancellationToken::new(),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys_document))
            .route("/token", post(token))
            .with_state(Arc::clone(&provider));
        let doors = vec![Door::new(socket, None, routes, Arc::new(|_, _| {}))];
        tokio::spawn(listener::serve_all(doors, &provider.stop).join_all());
        Ok(provider)
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Tells the truth, but for these claims.
    pub(crate) fn lie(&self, lies: Value) {
        self.script().lies = lies;
    }

    pub(crate) fn count(counter: &AtomicUsize) -> usize {
        counter.load(Ordering::SeqCst)
    }

    /// Presses the provider's button and takes what the browser is sent with.
    pub(crate) async fn depart(&self, hand: &Hand, form: &Page) -> Outcome<Departure> {
        let answered = hand.answer(form, &[("action", "idp-stranger")]).await?;
        self.sent_to(answered.location)
    }

    /// Takes what the browser is sent with, however it came to be sent.
    pub(crate) fn sent_to(&self, location: Option<Url>) -> Outcome<Departure> {
        let url = location.ok_or_else(|| Fault::ours("nowhere to go"))?;
        if !url.as_str().starts_with(&self.issuer) {
            return Err(Fault::ours(format!("leads to {url} and not to the provider")));
        }
        let sent: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        self.script().asked.clone_from(&sent);
        Ok(Departure { sent })
    }

    /// Comes back with a code, as an honest provider sends a browser back.
    pub(crate) async fn come_back(&self, hand: &Hand, departure: &Departure) -> Outcome<Answered> {
        let state = departure.sent["state"].clone();
        departure.back(hand, &[("code", "c"), ("state", &state), ("iss", &self.issuer)]).await
    }

    /// From the button to what is shown after the way back.
    pub(crate) async fn travel(&self, hand: &Hand, form: &Page) -> Outcome<Page> {
        let departure = self.depart(hand, form).await?;
        let answered = self.come_back(hand, &departure).await?;
        let location = answered.location.ok_or_else(|| Fault::ours(answered.body))?;
        hand.form(location.as_str()).await
    }

    async fn pause(&self, path: &str) -> Result<(), Response> {
        if self.script().hangs == path {
            self.reached.notify_one();
            self.go_on.notified().await;
        }
        if self.script().broken == path {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        }
        Ok(())
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What a browser took to the provider.
pub(crate) struct Departure {
    pub(crate) sent: BTreeMap<String, String>,
}

impl Departure {
    /// Comes back with any parameters.
    pub(crate) async fn back(&self, hand: &Hand, parameters: &[(&str, &str)]) -> Outcome<Answered> {
        let url = Url::parse_with_params(&self.sent["redirect_uri"], parameters).unwrap();
        hand.get(url.as_str()).await
    }
}

async fn metadata(State(provider): State<Arc<Provider>>) -> Response {
    provider.discoveries.fetch_add(1, Ordering::SeqCst);
    if let Err(broken) = provider.pause("discovery").await {
        return broken;
    }
    let script = provider.script();
    let issuer = &provider.issuer;
    let people = script.authorization_endpoint.clone().unwrap_or_else(|| format!("{issuer}/authorize"));
    let document = json!({
        "issuer": script.issuer_in_discovery.as_ref().unwrap_or(issuer),
        "authorization_endpoint": people,
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "authorization_response_iss_parameter_supported": script.sends_iss,
    });
    Json(document).into_response()
}

async fn keys_document(State(provider): State<Arc<Provider>>) -> Response {
    provider.key_reads.fetch_add(1, Ordering::SeqCst);
    if let Err(broken) = provider.pause("keys").await {
        return broken;
    }
    let [one, two] = [provider.keys[0].jwk(), provider.keys[1].jwk()];
    let both = provider.script().publishes_other_key;
    Json(if both { json!({"keys": [one, two]}) } else { json!({"keys": [one]}) }).into_response()
}

async fn token(
    State(provider): State<Arc<Provider>>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    provider.redemptions.fetch_add(1, Ordering::SeqCst);
    if let Err(broken) = provider.pause("token").await {
        return broken;
    }
    let script = provider.script();
    // RP2, RP4: whoever brings a code must have sent the browser.
    let came = || {
        pkce_s256(&form["code_verifier"]) == script.asked["code_challenge"]
            && form["redirect_uri"] == script.asked["redirect_uri"]
    };
    let renews = form.get("refresh_token").is_some_and(|token| script.tokens["refresh_token"] == **token);
    if form["client_secret"] != secret() || !(renews || came()) {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    }
    let now = BEGIN.seconds() + script.later;
    let mut claims = json!({
        "iss": provider.issuer, "aud": "northgate", "sub": "Subject-1", "nonce": script.asked["nonce"],
        "iat": now, "exp": now + 300, "name": "Ada Lovelace", "city": "London",
        "email": "ada@northwind.example", "email_verified": true,
    });
    let all = claims.as_object_mut().unwrap();
    for (name, value) in script.lies.as_object().unwrap() {
        all.insert(name.clone(), value.clone());
    }
    all.retain(|_, value| !value.is_null());
    let id_token = provider.sign(script.signed, &claims);
    let mut response = json!({"token_type": "Bearer", "access_token": "a", "id_token": id_token});
    let more = script.tokens.as_object().unwrap().clone();
    response.as_object_mut().unwrap().extend(more.into_iter().filter(|_| !renews));
    if renews {
        response["access_token"] = json!("newer");
    }
    Json(response).into_response()
}

fn secret() -> String {
    vestibule_testkit::server::secret("secrets/stranger").into_inner()
}

impl Provider {
    pub(crate) fn sign(&self, how: Signed, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned = |alg: &str| format!("{}.{}", part(&json!({"alg": alg, "typ": "JWT"})), part(claims));
        match how {
            Signed::Well => self.keys[0].sign(claims, "JWT").unwrap(),
            Signed::ByTheOtherKey => self.keys[1].sign(claims, "JWT").unwrap(),
            Signed::ByTheOtherKeyUnderAFalseName => {
                let token = self.keys[1].sign(claims, "JWT").unwrap();
                let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.keys[0].kid()});
                let (_, rest) = token.split_once('.').unwrap();
                format!("{}.{rest}", part(&header))
            }
            Signed::None => format!("{}.", unsigned("none")),
            Signed::WithTheSecret => {
                let input = unsigned("HS256");
                let mac = hmac_sha256(secret().as_bytes(), input.as_bytes());
                format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac))
            }
        }
    }
}
