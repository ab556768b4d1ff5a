//! Applications of one tenant that speak the protocol by hand, and somebody who is signed in.

use reqwest::header::{AUTHORIZATION, HeaderMap, ORIGIN};
use serde_json::{Map, Value, json};
use url::Url;
use vestibule_crypto::asymmetric::KeyKind;
use vestibule_crypto::client_key::ClientKey;
use vestibule_crypto::digest::{base64url, pkce_s256, sha256};
use vestibule_crypto::jwk::Algorithm;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::TestServer;
use vestibule_testkit::browser::outsider;

use crate::client::parameter;
use crate::journeys::passage::{Form, Hand};

pub(crate) const HARBOUR: &str = "harbour";
pub(crate) const WEB: App = App::at("44444444-4444-4444-8444-444444444401", "http://localhost:3001/callback");
pub(crate) const PAGE: App = App::at("44444444-4444-4444-8444-444444444402", "http://localhost:3002/");
pub(crate) const BANK: App =
    App::at("44444444-4444-4444-8444-444444444403", "http://localhost:3001/callback");
pub(crate) const ORDERS: &str = "44444444-4444-4444-8444-444444444404";
pub(crate) const PAGE_ORIGIN: &str = "http://localhost:3002";
pub(crate) const ADA: &str = "ada@northwind.example";
pub(crate) const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";

pub(crate) fn harbour() -> String {
    include_str!("harbour.yaml").to_owned()
}

#[derive(Clone, Copy)]
pub(crate) struct App {
    pub(crate) id: &'static str,
    pub(crate) redirect_uri: &'static str,
}

/// A request that an application is about to send.
#[derive(Clone, Default)]
pub(crate) struct Call {
    pub(crate) form: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// Status and error.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.text("error"))
    }
}

impl App {
    const fn at(id: &'static str, redirect_uri: &'static str) -> Self {
        Self { id, redirect_uri }
    }

    /// A body with what this application shows to prove itself.
    pub(crate) fn call(self, pairs: &[(&str, &str)]) -> Call {
        let mut call = Call::default().and(&[("client_id", self.id)]);
        if self.id == PAGE.id {
            call = call.with(ORIGIN.as_str(), PAGE_ORIGIN);
        } else {
            let secret = vestibule_testkit::server::secret("secrets/app");
            call = call.and(&[("client_secret", secret.expose())]);
        }
        call.and(pairs)
    }

    /// The parameters of an authorization request, with some changed; an empty value leaves one out.
    pub(crate) fn asks(self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let challenge = pkce_s256(VERIFIER);
        let usual = [
            ("client_id", self.id),
            ("redirect_uri", self.redirect_uri),
            ("response_type", "code"),
            ("scope", "openid profile offline_access"),
            ("state", "state of the app"),
            ("nonce", "nonce of the app"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let kept = usual.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let all = kept.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty());
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// A request to push.
    pub(crate) fn pushes(self, changes: &[(&str, &str)]) -> Call {
        let mut call = self.call(&[]);
        call.form.retain(|(name, _)| name != "client_id");
        call.form.extend(self.asks(changes));
        call
    }

    /// A redemption of the code with which the browser came back.
    pub(crate) fn redeems(self, back: &Url) -> Call {
        let code = parameter(back, "code").unwrap_or_default();
        self.call(&[
            ("grant_type", "authorization_code"),
            ("redirect_uri", self.redirect_uri),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ])
    }

    pub(crate) fn refreshes(self, token: &str) -> Call {
        self.call(&[("grant_type", "refresh_token"), ("refresh_token", token)])
    }

    /// The tokens that it gets by a browser in which somebody is signed in.
    pub(crate) async fn tokens(
        self,
        server: &TestServer,
        hand: &Hand,
        changes: &[(&str, &str)],
    ) -> Outcome<Answer> {
        let url = back(hand, &self.address(server, changes)).await?;
        self.redeems(&url).token(server).await
    }

    /// The address of an authorization request.
    pub(crate) fn address(self, server: &TestServer, changes: &[(&str, &str)]) -> String {
        Url::parse_with_params(&at(server, "oauth2/v2.0/authorize"), self.asks(changes)).unwrap().into()
    }

    /// The address that names a pushed request, and whatever else it says.
    pub(crate) fn brings(self, server: &TestServer, request_uri: &str, more: &[(&str, &str)]) -> String {
        let mut pairs = vec![("client_id", self.id), ("request_uri", request_uri)];
        pairs.extend(more);
        Url::parse_with_params(&at(server, "oauth2/v2.0/authorize"), pairs).unwrap().into()
    }
}

impl Call {
    pub(crate) fn and(mut self, pairs: &[(&str, &str)]) -> Self {
        self.form.extend(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    pub(crate) fn with(mut self, header: &str, value: &str) -> Self {
        self.headers.push((header.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(header));
        self
    }

    pub(crate) async fn post(&self, url: &str) -> Outcome<Answer> {
        let mut request = client().post(url).form(&self.form);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        send(request).await
    }

    pub(crate) async fn token(&self, server: &TestServer) -> Outcome<Answer> {
        self.post(&at(server, "oauth2/v2.0/token")).await
    }

    pub(crate) async fn push(&self, server: &TestServer) -> Outcome<Answer> {
        self.post(&at(server, "oauth2/v2.0/par")).await
    }
}

pub(crate) fn client() -> reqwest::Client {
    outsider().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

pub(crate) async fn send(request: reqwest::RequestBuilder) -> Outcome<Answer> {
    let broken = |error: reqwest::Error| Fault::ours(error.to_string());
    let answer = request.send().await.map_err(broken)?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = serde_json::from_str(&answer.text().await.map_err(broken)?).unwrap_or_default();
    Ok(Answer { status, headers, body })
}

/// An endpoint of the tenant.
pub(crate) fn at(server: &TestServer, path: &str) -> String {
    format!("{}/{HARBOUR}/{path}", server.origin)
}

/// Asks userinfo under an authorization scheme, with proofs.
pub(crate) async fn userinfo(
    server: &TestServer,
    (scheme, token): (&str, &str),
    proofs: &[&str],
) -> Outcome<Answer> {
    let mut request = client().get(at(server, "openid/userinfo"));
    request = request.header(AUTHORIZATION, format!("{scheme} {token}"));
    for proof in proofs {
        request = request.header("dpop", *proof);
    }
    send(request).await
}

/// Begins to sign up at an address of the authorization endpoint, and stands before the last question.
pub(crate) async fn almost_signed_up(server: &TestServer, hand: &Hand, url: &str) -> Outcome<Form> {
    let began = hand.get(url).await?;
    let place = began.location.ok_or_else(|| Fault::ours(format!("no journey: {}", began.body)))?;
    let form = hand.form(place.as_str()).await?;
    let form = hand.next(&form, &[("username", ADA)]).await?;
    let code = server.inbox.await_code(ADA).await?;
    hand.next(&form, &[("code", &code)]).await
}

/// A browser in which somebody is signed in.
pub(crate) async fn signed_in(server: &TestServer) -> Outcome<Hand> {
    let hand = Hand::new(server);
    let form = almost_signed_up(server, &hand, &WEB.address(server, &[("prompt", "create")])).await?;
    hand.answer(&form, &[("displayName", "Ada")]).await?.at_app()?;
    Ok(hand)
}

/// The address at which a signed-in browser comes back to its app at once.
pub(crate) async fn back(hand: &Hand, url: &str) -> Outcome<Url> {
    let answered = hand.get(url).await?;
    answered.location.ok_or_else(|| Fault::ours(format!("{}: {}", answered.status, answered.body)))
}

/// A key whose proofs may say anything.
pub(crate) struct Prover {
    pub(crate) key: ClientKey,
    made: std::cell::Cell<u32>,
}

impl Prover {
    pub(crate) fn new() -> Self {
        Self { key: ClientKey::generate(KeyKind::P256).unwrap(), made: std::cell::Cell::new(0) }
    }

    pub(crate) fn thumbprint(&self) -> String {
        self.key.kid().to_owned()
    }

    /// A good proof for a request, with claims changed or, by `null`, left out.
    pub(crate) fn proof(&self, server: &TestServer, (method, url): (&str, &str), changes: &Value) -> String {
        self.made.set(self.made.get() + 1);
        let mut claims = json!({
            "jti": format!("{}-{}", self.key.kid(), self.made.get()),
            "htm": method,
            "htu": url,
            "iat": server.site.env.now().seconds(),
        });
        let members = claims.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        self.sign(&json!({"typ": "dpop+jwt", "jwk": self.key.jwk()}), &claims)
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let header: Map<String, Value> = header.as_object().unwrap().clone();
        self.key.sign(Algorithm::Es256, &header, claims).unwrap()
    }

    /// A proof for the token endpoint.
    pub(crate) fn at_token(&self, server: &TestServer, changes: &Value) -> String {
        self.proof(server, ("POST", &at(server, "oauth2/v2.0/token")), changes)
    }

    /// A proof for the place where requests are pushed.
    pub(crate) fn at_par(&self, server: &TestServer, changes: &Value) -> String {
        self.proof(server, ("POST", &at(server, "oauth2/v2.0/par")), changes)
    }

    /// A proof for userinfo with an access token.
    pub(crate) fn at_userinfo(&self, server: &TestServer, token: &str, changes: &Value) -> String {
        let mut with_token = json!({"ath": base64url(&sha256(token.as_bytes()))});
        with_token.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.proof(server, ("GET", &at(server, "openid/userinfo")), &with_token)
    }
}
