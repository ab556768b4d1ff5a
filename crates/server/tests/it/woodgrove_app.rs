//! The demo's app as a relying party, against a provider that lies when it is told to.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use url::Url;
use vestibule_crypto::digest::pkce_s256;
use vestibule_crypto::keyring::SigningKey;
use vestibule_rules::text::Secret;
use vestibule_server::demo::app::{self, Registration, Setup, Site};
use vestibule_server::listener::{self, Door};
use vestibule_service::ports::clock::{Clock as _, SystemClock};
use vestibule_service::ports::entropy::SeededEntropy;

/// What the provider says, honest or not.
struct Provider {
    issuer: String,
    key: SigningKey,
    /// Claims of the next ID token that differ from honest ones.
    lies: Mutex<Value>,
    asked: Mutex<BTreeMap<String, String>>,
}

async fn metadata(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let issuer = &provider.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn keys(State(provider): State<Arc<Provider>>) -> Json<Value> {
    Json(json!({"keys": [provider.key.jwk()]}))
}

async fn token(
    State(provider): State<Arc<Provider>>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Json<Value> {
    let asked = provider.asked.lock().unwrap().clone();
    assert_eq!(pkce_s256(&form["code_verifier"]), asked["code_challenge"]);
    let now = SystemClock.now().seconds();
    let mut claims = json!({
        "iss": provider.issuer, "aud": asked["client_id"], "sub": "ada", "name": "Ada Lovelace",
        "nonce": asked["nonce"], "iat": now, "exp": now + 300,
    });
    for (name, value) in provider.lies.lock().unwrap().as_object().unwrap() {
        claims[name] = value.clone();
    }
    let id_token = provider.key.sign(&claims, "JWT").unwrap();
    Json(json!({"token_type": "Bearer", "access_token": "a", "expires_in": 300, "id_token": id_token}))
}

/// The provider and the app, both listening.
struct World {
    provider: Arc<Provider>,
    app: String,
    visitor: reqwest::Client,
    stop: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl World {
    async fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let stop = CancellationToken::new();
        let socket = listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let issuer = format!("http://localhost:{}/t/v2.0", socket.local_addr().unwrap().port());
        let key = SigningKey::generate(&issuer, SystemClock.now()).unwrap();
        let provider =
            Arc::new(Provider { issuer, key, lies: Mutex::new(json!({})), asked: Mutex::default() });
        let routes = Router::new()
            .route("/t/v2.0/.well-known/openid-configuration", get(metadata))
            .route("/t/v2.0/keys", get(keys))
            .route("/t/v2.0/token", post(token))
            .with_state(Arc::clone(&provider));
        let mut doors = vec![Door::new(socket, None, routes, Arc::new(|_, _| {}))];
        let socket = listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let app = format!("http://localhost:{}", socket.local_addr().unwrap().port());
        let registration = Registration {
            site: Site::Shop,
            issuer: provider.issuer.clone(),
            client_id: "shop".to_owned(),
            client_secret: Secret::new("s".to_owned()),
        };
        let setup = Setup {
            origin: app.clone(),
            registrations: vec![registration],
            entropy: Arc::new(SeededEntropy::new(1)),
            inbox: String::new(),
        };
        doors.push(Door::new(socket, None, app::router(setup).unwrap(), Arc::new(|_, _| {})));
        tokio::spawn(listener::serve_all(doors, &stop).join_all());
        #[expect(clippy::disallowed_methods, reason = "a visitor is the outside world")]
        let visitor = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { provider, app, visitor, stop }
    }

    async fn get(&self, path: &str) -> (Option<Url>, String) {
        let answer = self.visitor.get(format!("{}{path}", self.app)).send().await.unwrap();
        let target = answer.headers().get("location").and_then(|value| value.to_str().ok());
        let target = target.map(|target| Url::parse(&self.app).unwrap().join(target).unwrap());
        (target, answer.text().await.unwrap())
    }

    /// Goes to the provider and comes back with what it answers; returns the page that is shown then.
    async fn sign_in(&self, answer: &[(&str, &str)]) -> String {
        let (target, _) = self.get("/shop/sign-in").await;
        let asked: BTreeMap<String, String> = target.unwrap().query_pairs().into_owned().collect();
        let mut back = Url::parse(&format!("{}/shop/callback", self.app)).unwrap();
        back.query_pairs_mut().append_pair("state", &asked["state"]).extend_pairs(answer);
        *self.provider.asked.lock().unwrap() = asked;
        let (target, page) = self.get(&back[url::Position::BeforePath..]).await;
        match target {
            Some(target) => self.get(target.path()).await.1,
            None => page,
        }
    }

    async fn honest(&self) -> String {
        let issuer = self.provider.issuer.clone();
        self.sign_in(&[("code", "c"), ("iss", &issuer)]).await
    }
}

fn refused_with(page: &str, code: &str) {
    assert!(page.contains(&format!("data-error-code=\"{code}\"")), "{page}");
    assert!(!page.contains("id=\"claims\""), "{page}");
}

#[tokio::test]
async fn an_honest_answer_signs_in_and_the_way_out_leads_through_the_provider() {
    let world = World::start().await;
    let page = world.honest().await;
    assert!(page.contains("<dt>name</dt><dd>Ada Lovelace</dd>"), "{page}");

    let (target, _) = world.get("/shop/sign-out").await;
    let target = target.unwrap();
    assert!(target.as_str().starts_with(&format!("{}/logout?", world.provider.issuer)), "{target}");
    let sent: BTreeMap<String, String> = target.query_pairs().into_owned().collect();
    assert_eq!(sent["post_logout_redirect_uri"], format!("{}/shop/callback", world.app));
    assert_eq!(sent["id_token_hint"].split('.').count(), 3);

    let (back, _) = world.get(&format!("/shop/callback?state={}", sent["state"])).await;
    let (_, page) = world.get(back.unwrap().path()).await;
    assert!(!page.contains("id=\"claims\"") && page.contains("id=\"shop-sign-in\""), "{page}");
}

#[tokio::test]
async fn an_error_is_shown_with_its_code() {
    let world = World::start().await;
    let issuer = world.provider.issuer.clone();
    let page = world
        .sign_in(&[("error", "access_denied"), ("error_description", "cancelled"), ("iss", &issuer)])
        .await;
    refused_with(&page, "access_denied");
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused() {
    let world = World::start().await;
    refused_with(&world.sign_in(&[("code", "c"), ("iss", "https://evil.example")]).await, "issuer_mismatch");
    refused_with(&world.sign_in(&[("code", "c")]).await, "issuer_mismatch");
}

#[tokio::test]
async fn a_token_that_lies_is_refused() {
    let world = World::start().await;
    let lies = [
        json!({"iss": "https://evil.example"}),
        json!({"aud": "another app"}),
        json!({"nonce": "another sign-in"}),
        json!({"exp": 1}),
    ];
    for lie in lies {
        *world.provider.lies.lock().unwrap() = lie;
        refused_with(&world.honest().await, "id_token_invalid");
    }
}
