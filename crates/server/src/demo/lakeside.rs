//! Lakeside, a social network that exists in the demo only. It speaks OAuth 2.0 the way Facebook does: an access
//! token, a description of its holder that wants a proof of the app's secret, and a place that tells whom a token
//! was minted for. One of its people joined by phone and has no email address.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use minijinja::{Environment, context};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use vestibule_crypto::{constant_time, digest};
use vestibule_rules::text::Secret;
use vestibule_service::ports::entropy::Entropy;

use crate::failure::{Done, Failure};

/// What the tenants' files call us at Lakeside.
pub const CLIENT_ID: &str = "lakeside-woodgrove";
/// Codes and tokens that are remembered; a demo needs few.
const REMEMBERED: usize = 1_000;
/// The browser is sent on by whoever asked, so forms may lead anywhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Somebody with an account.
struct Person {
    id: &'static str,
    first_name: &'static str,
    last_name: &'static str,
    email: Option<&'static str>,
}

const PEOPLE: [Person; 3] = [
    Person { id: "1001", first_name: "Mia", last_name: "Larsen", email: Some("mia@lakeside.example") },
    Person { id: "1002", first_name: "Noor", last_name: "Haddad", email: None },
    Person { id: "1003", first_name: "Jonas", last_name: "Weber", email: None },
];

/// What Lakeside knows of the one app that is registered there.
pub struct Setup {
    pub client_secret: Secret<String>,
    /// Where it may send people back to, exactly.
    pub redirect_uris: Vec<String>,
    pub entropy: Arc<dyn Entropy>,
}

struct Lakeside {
    setup: Setup,
    templates: Environment<'static>,
    codes: Mutex<VecDeque<Issued>>,
    tokens: Mutex<VecDeque<(String, &'static Person)>>,
}

/// A code that was given out.
struct Issued {
    code: String,
    redirect_uri: String,
    code_challenge: String,
    person: &'static Person,
}

#[derive(Deserialize)]
struct Asked {
    client_id: String,
    redirect_uri: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    code_challenge: String,
}

#[derive(Deserialize)]
struct Chosen {
    #[serde(flatten)]
    asked: Asked,
    /// The id of somebody, or nothing for a no.
    #[serde(default)]
    person: String,
}

#[derive(Deserialize)]
struct Redemption {
    client_id: String,
    client_secret: String,
    redirect_uri: String,
    code: String,
    #[serde(default)]
    code_verifier: String,
}

#[derive(Deserialize)]
struct Proven {
    #[serde(default)]
    appsecret_proof: String,
}

#[derive(Deserialize)]
struct Checked {
    input_token: String,
    access_token: String,
}

/// Lakeside's addresses, all below `/lakeside`.
pub fn router(setup: Setup) -> Done<Router> {
    let mut templates = Environment::new();
    templates
        .add_template("lakeside.html", include_str!("app/templates/lakeside.html"))
        .map_err(|error| Failure::new(format!("the template of Lakeside is broken: {error}")))?;
    let lakeside = Lakeside { setup, templates, codes: Mutex::default(), tokens: Mutex::default() };
    Ok(Router::new()
        .route("/lakeside/dialog/oauth", get(ask).post(choose))
        .route("/lakeside/oauth/access_token", post(redeem))
        .route("/lakeside/me", get(describe))
        .route("/lakeside/debug_token", get(check))
        .route("/lakeside/lakeside.css", get(style))
        .with_state(Arc::new(lakeside)))
}

async fn ask(State(lakeside): State<Arc<Lakeside>>, Query(asked): Query<Asked>) -> Response {
    if !lakeside.knows(&asked) {
        return stranger();
    }
    let page =
        lakeside.templates.get_template("lakeside.html").and_then(|template| template.render(look(&asked)));
    match page {
        Ok(html) => html_page(html),
        Err(error) => {
            tracing::error!(%error, "the page of Lakeside cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What the page shows.
fn look(asked: &Asked) -> minijinja::Value {
    let person = |person: &Person| {
        let Person { id, first_name, last_name, email } = *person;
        context! { id, first_name, last_name, email }
    };
    context! {
        people => PEOPLE.iter().map(person).collect::<Vec<_>>(),
        asked => context! {
            client_id => &asked.client_id,
            redirect_uri => &asked.redirect_uri,
            state => &asked.state,
            code_challenge => &asked.code_challenge,
        },
    }
}

async fn choose(State(lakeside): State<Arc<Lakeside>>, Form(chosen): Form<Chosen>) -> Response {
    let asked = chosen.asked;
    let (true, Ok(mut back)) = (lakeside.knows(&asked), Url::parse(&asked.redirect_uri)) else {
        return stranger();
    };
    match PEOPLE.iter().find(|person| person.id == chosen.person) {
        Some(person) => {
            let code = lakeside.random();
            back.query_pairs_mut().append_pair("code", &code);
            let Asked { redirect_uri, code_challenge, .. } = asked;
            remember(&lakeside.codes, Issued { code, redirect_uri, code_challenge, person });
        }
        None => {
            back.query_pairs_mut()
                .append_pair("error", "access_denied")
                .append_pair("error_reason", "user_denied");
        }
    }
    back.query_pairs_mut().append_pair("state", &asked.state);
    Redirect::to(back.as_str()).into_response()
}

async fn redeem(State(lakeside): State<Arc<Lakeside>>, Form(form): Form<Redemption>) -> Response {
    if form.client_id != CLIENT_ID
        || !constant_time::eq_str(&form.client_secret, lakeside.setup.client_secret.expose())
    {
        return refused("Error validating client secret.", 1);
    }
    let Some(issued) = take(&lakeside.codes, |issued| issued.code == form.code) else {
        return refused("This authorization code has been used.", 100);
    };
    let proven =
        issued.code_challenge.is_empty() || digest::pkce_s256(&form.code_verifier) == issued.code_challenge;
    if issued.redirect_uri != form.redirect_uri || !proven {
        return refused("Error validating verification code.", 100);
    }
    let token = lakeside.random();
    remember(&lakeside.tokens, (token.clone(), issued.person));
    Json(json!({ "access_token": token, "token_type": "bearer", "expires_in": 5_184_000 })).into_response()
}

async fn describe(
    State(lakeside): State<Arc<Lakeside>>,
    Query(proven): Query<Proven>,
    headers: HeaderMap,
) -> Response {
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let Some(person) = lakeside.holder(token) else {
        return refused("Invalid OAuth access token.", 190);
    };
    let secret = lakeside.setup.client_secret.expose().as_bytes();
    let mac = digest::hmac_sha256(secret, token.as_bytes());
    if !constant_time::eq_str(&digest::hex(&mac), &proven.appsecret_proof) {
        return refused("Invalid appsecret_proof provided in the API argument", 100);
    }
    let mut told = json!({
        "id": person.id,
        "name": format!("{} {}", person.first_name, person.last_name),
        "first_name": person.first_name,
        "last_name": person.last_name,
    });
    if let (Some(email), Value::Object(all)) = (person.email, &mut told) {
        all.insert("email".to_owned(), email.into());
    }
    Json(told).into_response()
}

async fn check(State(lakeside): State<Arc<Lakeside>>, Query(checked): Query<Checked>) -> Response {
    let ours = format!("{CLIENT_ID}|{}", lakeside.setup.client_secret.expose());
    if !constant_time::eq_str(&ours, &checked.access_token) {
        return refused("Invalid OAuth access token.", 190);
    }
    let data = match lakeside.holder(&checked.input_token) {
        Some(person) => json!({ "app_id": CLIENT_ID, "is_valid": true, "user_id": person.id }),
        None => json!({ "is_valid": false }),
    };
    Json(json!({ "data": data })).into_response()
}

async fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    (headers, include_str!("app/templates/lakeside.css")).into_response()
}

impl Lakeside {
    fn knows(&self, asked: &Asked) -> bool {
        asked.client_id == CLIENT_ID && self.setup.redirect_uris.contains(&asked.redirect_uri)
    }

    fn holder(&self, token: &str) -> Option<&'static Person> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.iter().find(|(known, _)| known == token).map(|(_, person)| *person)
    }

    fn random(&self) -> String {
        let mut bytes = [0; 32];
        self.setup.entropy.fill(&mut bytes);
        digest::token(bytes)
    }
}

fn remember<T>(list: &Mutex<VecDeque<T>>, one: T) {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    list.push_back(one);
    if list.len() > REMEMBERED {
        list.pop_front();
    }
}

fn take<T>(list: &Mutex<VecDeque<T>>, is: impl Fn(&T) -> bool) -> Option<T> {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    let at = list.iter().position(is)?;
    list.remove(at)
}

fn refused(message: &str, code: u32) -> Response {
    let error = json!({ "message": message, "type": "OAuthException", "code": code });
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
}

fn stranger() -> Response {
    (StatusCode::BAD_REQUEST, "Lakeside does not know this app, or the address it wants you sent back to.\n")
        .into_response()
}

fn html_page(html: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, html).into_response()
}
