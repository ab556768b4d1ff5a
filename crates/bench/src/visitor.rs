//! Somebody who signs up: from the authorization request over every page to tokens.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use url::Url;
use vestibule_crypto::digest;

use crate::client::{Answer, Client};
use crate::form::{self, Form};
use crate::mailbox::{Mailbox, PostOffice};
use crate::tenant::{REDIRECT_URI, Tenant};
use crate::trouble::{Tried, Trouble};

/// More pages than any sign-up has.
const PAGES_MAX: usize = 12;
/// How long somebody waits for a code if nothing else is said.
const PATIENCE: Duration = Duration::from_secs(20);
const STATE: &str = "state-of-the-app";

/// Somebody with a browser and a mailbox.
pub struct Visitor {
    pub address: String,
    pub tenant: &'static Tenant,
    /// How long this one waits for a letter.
    pub patience: Duration,
    client: Client,
    mailbox: Mailbox,
    /// The PKCE verifier of the app.
    verifier: String,
    /// The code that was typed last: a page that is shown again after a cut asks for the same one.
    code: Option<String>,
    /// The page that the last redirect led to.
    at: String,
}

/// What one page costs.
pub struct Cost {
    /// From the request to the last byte of the answer, sorted.
    pub took: Vec<Duration>,
    pub html: Bytes,
    /// Its style sheets.
    pub css: Vec<Bytes>,
}

/// Where the browser is.
pub enum Place {
    /// On a page with a form.
    Page(Form),
    /// Back at the app, with an authorization code.
    App(String),
    /// On the way to the provider at this address.
    Provider(Url),
}

/// What the browser does next.
#[derive(Clone)]
pub enum Move {
    Get(String),
    Post(String, Vec<(String, String)>),
}

impl Visitor {
    /// Somebody new. `number` is never used twice.
    pub fn new(tenant: &'static Tenant, number: u64, port: u16, office: &PostOffice) -> Self {
        let address = format!("visitor-{number}@{}.example", tenant.mode);
        let verifier = digest::base64url(&digest::sha256(address.as_bytes()));
        let (client, mailbox) = (Client::new(port), office.mailbox(&address));
        Self { address, tenant, patience: PATIENCE, client, mailbox, verifier, code: None, at: String::new() }
    }

    /// Signs up and redeems the code; returns the app's tokens.
    pub async fn sign_up(&mut self) -> Tried<Value> {
        let mut next = self.authorize(&[("prompt", "create")])?;
        for _ in 0..PAGES_MAX {
            match self.go(&next).await? {
                Place::App(code) => {
                    let (status, tokens) = self.redeem(&code).await?;
                    return if status == 200 {
                        Ok(tokens)
                    } else {
                        Err(unexpected("a token", status, &tokens))
                    };
                }
                Place::Page(form) => next = self.answer(form).await?,
                Place::Provider(url) => next = self.at_provider(url).await?,
            }
        }
        Err(Trouble::wrong("the sign-up has no end"))
    }

    /// Presses a button of the first page.
    pub async fn press(&mut self, button: &str) -> Tried<Place> {
        let first = self.authorize(&[("prompt", "create")])?;
        let Place::Page(form) = self.go(&first).await? else {
            return Err(Trouble::wrong("there is no first page"));
        };
        let mut fields = form.hidden;
        fields.push(("action".to_owned(), button.to_owned()));
        self.go(&Move::Post(form.action, fields)).await
    }

    /// Goes through the sign-up as far as the page that has so many fields or more, and asks for it again and
    /// again.
    pub async fn reload(&mut self, fields: usize, times: usize) -> Tried<Cost> {
        let mut next = self.authorize(&[("prompt", "create")])?;
        for _ in 0..PAGES_MAX {
            match self.go(&next).await? {
                Place::Page(form) if form.fields.len() >= fields => return self.measure(times).await,
                Place::Page(form) => next = self.answer(form).await?,
                Place::App(_) | Place::Provider(_) => break,
            }
        }
        Err(Trouble::wrong(format!("there is no page with {fields} fields")))
    }

    async fn measure(&mut self, times: usize) -> Tried<Cost> {
        let path = self.at.clone();
        let mut took = Vec::with_capacity(times);
        for _ in 0..times {
            let begun = Instant::now();
            let answer = self.client.get(&path).await?;
            took.push(begun.elapsed());
            page(&answer)?;
        }
        took.sort_unstable();
        let html = self.client.get(&path).await?.body;
        let text = std::str::from_utf8(&html).map_err(Trouble::wrong)?;
        let mut css = Vec::new();
        for sheet in form::style_sheets(text) {
            css.push(self.client.get(&sheet).await?.body);
        }
        Ok(Cost { took, html, css })
    }

    /// The authorization request of the app.
    pub fn authorize(&self, more: &[(&str, &str)]) -> Tried<Move> {
        let base = format!("http://localhost/{}/oauth2/v2.0/authorize", self.tenant.name);
        let mut url = Url::parse(&base).map_err(Trouble::wrong)?;
        url.query_pairs_mut()
            .append_pair("client_id", self.tenant.client_id)
            .append_pair("redirect_uri", REDIRECT_URI)
            .append_pair("response_type", "code")
            .append_pair("scope", "openid profile email offline_access")
            .append_pair("state", STATE)
            .append_pair("nonce", "nonce-of-the-app")
            .append_pair("code_challenge", &digest::pkce_s256(&self.verifier))
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(more);
        Ok(Move::Get(format!("{}?{}", url.path(), url.query().unwrap_or_default())))
    }

    /// Does one thing and follows redirects to where it leads.
    pub async fn go(&mut self, next: &Move) -> Tried<Place> {
        let mut answer = match next {
            Move::Get(path) => self.client.get(path).await?,
            Move::Post(path, fields) => self.client.post(path, fields).await?,
        };
        for _ in 0..PAGES_MAX {
            let Some(location) = answer.location.as_deref() else { return page(&answer) };
            if location.starts_with(REDIRECT_URI) {
                return arrived(location);
            }
            if location.starts_with("http://127.0.0.1:") {
                return Url::parse(location).map(Place::Provider).map_err(Trouble::wrong);
            }
            location.clone_into(&mut self.at);
            answer = self.client.get(&self.at).await?;
        }
        Err(Trouble::wrong("the redirects have no end"))
    }

    /// Says who comes, and is sent back.
    async fn at_provider(&mut self, mut url: Url) -> Tried<Move> {
        url.query_pairs_mut().append_pair("login", &self.address);
        let port = url.port().ok_or_else(|| Trouble::wrong("the provider has no port"))?;
        let asked = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let answer = Client::new(port).get(&asked).await?;
        let location = answer.location.ok_or_else(|| Trouble::wrong("the provider sends nobody back"))?;
        let back = Url::parse(&location).map_err(Trouble::wrong)?;
        Ok(Move::Get(format!("{}?{}", back.path(), back.query().unwrap_or_default())))
    }

    /// Fills in a form.
    pub async fn answer(&mut self, form: Form) -> Tried<Move> {
        let mut fields = form.hidden;
        for (name, kind) in form.fields {
            let value = self.value(&name, &kind).await?;
            fields.push((name, value));
        }
        let button = ["submit", "no", "idp-bench"]
            .into_iter()
            .find(|id| form.buttons.iter().any(|button| button == id));
        let button = button.ok_or_else(|| Trouble::wrong(format!("no way on among {:?}", form.buttons)))?;
        fields.push(("action".to_owned(), button.to_owned()));
        Ok(Move::Post(form.action, fields))
    }

    async fn value(&mut self, name: &str, kind: &str) -> Tried<String> {
        Ok(match (name, kind) {
            ("username", _) => self.address.clone(),
            ("code", _) => self.typed_code().await?,
            (_, "password") => format!("plum-{}-quilt", self.verifier.get(..12).unwrap_or_default()),
            (_, "checkbox") => "true".to_owned(),
            (name, _) if name.to_ascii_lowercase().contains("phone") => "+44 20 7946 0958".to_owned(),
            _ => self.said(),
        })
    }

    /// What this visitor says in every field that takes any text.
    pub fn said(&self) -> String {
        format!("Visitor {}", self.verifier.get(..8).unwrap_or_default().replace(['-', '_'], "x"))
    }

    async fn typed_code(&mut self) -> Tried<String> {
        if let Some(code) = &self.code {
            return Ok(code.clone());
        }
        let waiting = tokio::time::timeout(self.patience, self.mailbox.code()).await;
        let code = waiting.ok().flatten().ok_or(Trouble::NoLetter)?;
        self.code = Some(code.clone());
        Ok(code)
    }

    /// Redeems an authorization code.
    pub async fn redeem(&mut self, code: &str) -> Tried<(u16, Value)> {
        let grant = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT_URI)];
        let verifier = self.verifier.clone();
        self.token(&[&grant[..], &[("code_verifier", &verifier)]].concat()).await
    }

    /// Exchanges a refresh token.
    pub async fn refresh(&mut self, token: &str) -> Tried<(u16, Value)> {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    async fn token(&mut self, fields: &[(&str, &str)]) -> Tried<(u16, Value)> {
        let mut fields: Vec<(String, String)> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        fields.push(("client_id".to_owned(), self.tenant.client_id.to_owned()));
        let path = format!("/{}/oauth2/v2.0/token", self.tenant.name);
        let answer = self.client.post(&path, &fields).await?;
        Ok((answer.status, serde_json::from_slice(&answer.body).map_err(Trouble::wrong)?))
    }
}

fn page(answer: &Answer) -> Tried<Place> {
    let text = std::str::from_utf8(&answer.body).map_err(Trouble::wrong)?;
    if let Some(code) = form::error(text) {
        return Err(Trouble::wrong(format!("status {} with the error {code}", answer.status)));
    }
    let form = form::read(text).filter(|_| answer.status == 200);
    form.map(Place::Page).ok_or_else(|| Trouble::wrong(format!("status {} without a form", answer.status)))
}

fn arrived(location: &str) -> Tried<Place> {
    let url = Url::parse(location).map_err(Trouble::wrong)?;
    let value = |wanted: &str| {
        url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    match value("code").filter(|_| value("state").as_deref() == Some(STATE)) {
        Some(code) => Ok(Place::App(code)),
        None => Err(Trouble::wrong(format!("the app got no code: {}", url.query().unwrap_or_default()))),
    }
}

/// A fault with the error that the server gave.
pub fn unexpected(wanted: &str, status: u16, answer: &Value) -> Trouble {
    Trouble::wrong(format!("{wanted} was expected, not status {status}: {answer}"))
}
