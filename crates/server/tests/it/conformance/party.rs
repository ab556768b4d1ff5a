//! The suite's client and the person at its browser.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};
use vestibule_crypto::claims::{audiences, check_hash};
use vestibule_crypto::client_key::ClientKey;
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};
use vestibule_crypto::jws::{self, Expected, Typ};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::client_auth::ASSERTION_TYPE;
use vestibule_testkit::TestServer;
use vestibule_testkit::browser::{Page, outsider};
use vestibule_testkit::server::secret;

use crate::journeys::passage::{Answered, Form, Hand};

pub(crate) const CLIENT: &str = "51111111-1111-4111-8111-111111111111";
pub(crate) const SECOND: &str = "52222222-2222-4222-8222-222222222222";
pub(crate) const CALLBACK: &str = "https://suite.example/callback";
pub(crate) const ANN: (&str, &str) = ("ann@suite.example", "seven green lanterns in the fog");

/// How a plan asks.
#[derive(Clone, Copy)]
pub(crate) struct Variant {
    pub(crate) response_type: &'static str,
    /// `response_mode=form_post` instead of what is usual.
    pub(crate) posts: bool,
}

impl Variant {
    pub(crate) const fn of(response_type: &'static str) -> Self {
        Self { response_type, posts: false }
    }

    pub(crate) const fn posting(response_type: &'static str) -> Self {
        Self { response_type, posts: true }
    }

    pub(crate) fn has(self, word: &str) -> bool {
        self.response_type.split(' ').any(|w| w == word)
    }
}

/// How an answer came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    Query,
    Fragment,
    Form,
}

/// An authorization response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) by: By,
    parameters: BTreeMap<String, String>,
}

/// What a browser meets.
pub(crate) enum Seen {
    Page(Box<Form>),
    App(Answer),
}

/// How the client proves itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    Basic,
    Post,
    /// What its key signed.
    Key,
}

/// What the client has at the end.
pub(crate) struct Tokens {
    pub(crate) answer: Answer,
    /// The claims of the ID token; of the token endpoint's when there are two.
    pub(crate) id: Map<String, Value>,
    /// The ID token itself.
    pub(crate) id_token: String,
    /// From the token endpoint, or through the browser when it gave none.
    pub(crate) access_token: Option<String>,
    pub(crate) refresh_token: Option<String>,
}

/// The client with a browser.
pub(crate) struct Party<'s> {
    pub(crate) server: &'s TestServer,
    pub(crate) variant: Variant,
    pub(crate) hand: Hand,
    state: String,
    nonce: String,
    id: String,
    callback: String,
    /// What a client signs with that registered itself.
    key: Option<Arc<ClientKey>>,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl<'s> Party<'s> {
    pub(crate) fn new(server: &'s TestServer, variant: Variant) -> Self {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let (state, nonce) = (format!("state {n} &=+%"), format!("nonce {n}"));
        let (id, callback) = (CLIENT.to_owned(), CALLBACK.to_owned());
        Self { server, variant, hand: Hand::new(server), state, nonce, id, callback, key: None }
    }

    /// From now on the browser comes from another client.
    pub(crate) fn become_client(&mut self, id: &str, callback: &str, key: &Arc<ClientKey>) {
        (self.id, self.callback) = (id.to_owned(), callback.to_owned());
        self.key = Some(Arc::clone(key));
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The request with some parameters changed; an empty value leaves one out.
    pub(crate) fn request(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let usual = [
            ("client_id", self.id.as_str()),
            ("redirect_uri", &self.callback),
            ("response_type", self.variant.response_type),
            ("scope", "openid"),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("response_mode", if self.variant.posts { "form_post" } else { "" }),
        ];
        let mut pairs: BTreeMap<&str, &str> = usual.into_iter().collect();
        pairs.extend(changes.iter().copied());
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).map(own).collect()
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}/suite/{path}", self.server.origin)
    }

    /// Sends the browser to the authorization endpoint.
    pub(crate) async fn ask(&self, changes: &[(&str, &str)]) -> Outcome<Seen> {
        let url = Url::parse_with_params(&self.endpoint("oauth2/v2.0/authorize"), self.request(changes));
        seen(&self.hand, self.hand.get(url.unwrap().as_str()).await?).await
    }

    /// The same by POST.
    pub(crate) async fn ask_by_post(&self) -> Outcome<Seen> {
        let request = self.request(&[]);
        let pairs: Vec<(&str, &str)> = request.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        seen(&self.hand, self.hand.post_from_app(&self.endpoint("oauth2/v2.0/authorize"), &pairs).await?)
            .await
    }

    /// Answers the pages until the browser is back at the client.
    pub(crate) async fn signs_in(&self, seen_first: Seen) -> Outcome<Answer> {
        let Seen::Page(mut form) = seen_first else {
            return Err(Fault::ours("nobody was asked to sign in"));
        };
        for _ in 0..4 {
            let fields: &[(&str, &str)] = match form.asks() {
                "password" => &[("password", ANN.1)],
                "stay" => &[("action", "no")],
                _ if form.page.has("input[name=username]") => &[("username", ANN.0)],
                // `prompt=consent` asks, also about an app of the organisation's own.
                _ if form.page.has("button#accept") => &[("action", "accept")],
                other => return Err(form.page.unexpected(&format!("asks {other}"))),
            };
            match seen(&self.hand, self.hand.answer(&form, fields).await?).await? {
                Seen::App(answer) => return Ok(answer),
                Seen::Page(next) => form = next,
            }
        }
        Err(form.page.unexpected("is not the client"))
    }

    /// The whole way, with every check on what comes of it.
    pub(crate) async fn good(&self, changes: &[(&str, &str)]) -> Outcome<Tokens> {
        let first = self.ask(changes).await?;
        let answer = self.signs_in(first).await?;
        let shows = if self.key.is_some() { Shows::Key } else { Shows::Basic };
        self.tokens(answer, changes, shows).await
    }

    /// Checks an answer and redeems what it holds.
    pub(crate) async fn tokens(
        &self,
        answer: Answer,
        changes: &[(&str, &str)],
        shows: Shows,
    ) -> Outcome<Tokens> {
        let front = self.variant.has("token") || self.variant.has("id_token");
        let by = match (self.variant.posts, front) {
            (true, _) => By::Form,
            (false, true) => By::Fragment,
            (false, false) => By::Query,
        };
        assert_eq!(answer.by, by, "{answer:?}");
        assert_eq!(answer.get("state"), Some(self.state.as_str()));
        assert_eq!(answer.get("iss"), Some(self.issuer().await?.as_str()));
        for (word, parameter) in [("code", "code"), ("id_token", "id_token"), ("token", "access_token")] {
            assert_eq!(answer.get(parameter).is_some(), self.variant.has(word), "{parameter}");
        }
        let nonce =
            changes.iter().find(|(name, _)| *name == "nonce").map_or(&*self.nonce, |(_, value)| value);
        let mut found: Option<(String, Map<String, Value>)> = None;
        if let Some(token) = answer.get("id_token") {
            let (claims, algorithm) = self.checked(token, nonce).await?;
            for (name, beside) in [("c_hash", answer.get("code")), ("at_hash", answer.get("access_token"))] {
                assert_eq!(claims.contains_key(name), beside.is_some(), "{name}");
                if let Some(beside) = beside {
                    check_hash(&claims, name, beside, algorithm).unwrap();
                }
            }
            found = Some((token.to_owned(), claims));
        }
        let mut access_token = answer.get("access_token").map(str::to_owned);
        if access_token.is_some() {
            assert_eq!(answer.get("token_type"), Some("Bearer"));
            assert!(answer.get("expires_in").is_some_and(|n| n.parse::<i64>().unwrap() > 0));
        }
        let mut refresh_token = None;
        if let Some(code) = answer.get("code") {
            let (status, body) = self.redeem(code, &[], shows).await?;
            assert_eq!(status, 200, "{body}");
            let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
            let token = text("id_token").unwrap();
            let (claims, _) = self.checked(&token, nonce).await?;
            if let Some((_, front)) = &found {
                assert_eq!((&claims["sub"], &claims["iss"]), (&front["sub"], &front["iss"]));
            }
            found = Some((token, claims));
            access_token = text("access_token");
            refresh_token = text("refresh_token");
        }
        let (id_token, id) = found.unwrap_or_default();
        Ok(Tokens { answer, id, id_token, access_token, refresh_token })
    }

    /// The claims of an ID token that a careful client takes.
    async fn checked(&self, token: &str, nonce: &str) -> Outcome<(Map<String, Value>, Algorithm)> {
        let (_, keys) = self.get("discovery/v2.0/keys", None).await?;
        let keys = VerifyingKey::set(keys.to_string().as_bytes())?;
        let metadata = self.metadata().await?;
        let listed = metadata["id_token_signing_alg_values_supported"].as_array().unwrap().iter();
        let listed: Vec<Algorithm> =
            listed.map(|name| Algorithm::parse(name.as_str().unwrap()).unwrap()).collect();
        let expected = Expected { algorithms: &listed, typ: Typ::OneOf(&["JWT"]) };
        let verified = jws::verify(token, &keys, &expected)?;
        assert!(verified.kid.is_some());
        let claims = verified.claims;
        assert_eq!(claims["iss"], self.issuer().await?);
        assert_eq!(audiences(&claims).unwrap(), [self.id.as_str()]);
        let number = |name: &str| claims[name].as_i64().unwrap();
        assert!(number("exp") > number("iat"));
        assert!(!claims["sub"].as_str().unwrap().is_empty());
        let expected = Some(nonce).filter(|nonce| !nonce.is_empty());
        assert_eq!(claims.get("nonce").and_then(Value::as_str), expected);
        Ok((claims, verified.algorithm))
    }

    pub(crate) async fn metadata(&self) -> Outcome<Value> {
        Ok(self.get("v2.0/.well-known/openid-configuration", None).await?.1)
    }

    async fn issuer(&self) -> Outcome<String> {
        Ok(self.metadata().await?["issuer"].as_str().unwrap().to_owned())
    }

    /// Shows a code at the token endpoint.
    pub(crate) async fn redeem(
        &self,
        code: &str,
        more: &[(&str, &str)],
        shows: Shows,
    ) -> Outcome<(u16, Value)> {
        let mut form =
            vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", &self.callback)];
        form.extend(more);
        self.token((CLIENT, "secrets/app"), &form, shows).await
    }

    /// The same as a client that registered itself.
    pub(crate) async fn redeem_by_key(&self, code: &str) -> Outcome<(u16, Value)> {
        self.redeem(code, &[], Shows::Key).await
    }

    /// Asks the token endpoint as a client that registered itself.
    pub(crate) async fn token_by_key(&self, form: &[(&str, &str)]) -> Outcome<(u16, Value)> {
        self.token((&self.id, "secrets/app"), form, Shows::Key).await
    }

    /// What the client signs for the issuer.
    async fn assertion(&self) -> Outcome<String> {
        let (now, n) = (self.server.site.env.now().seconds(), NEXT.fetch_add(1, Ordering::Relaxed));
        let claims = json!({"iss": self.id, "sub": self.id, "aud": self.issuer().await?, "iat": now,
            "exp": now + 60, "jti": format!("assertion {n}")});
        let key = self.key.as_ref().ok_or_else(|| Fault::ours("the client has no key"))?;
        let header = Map::from_iter([("kid".to_owned(), Value::from(key.kid()))]);
        key.sign_with_header(Algorithm::Es256, header, &claims)
    }

    /// Asks the token endpoint as a client.
    pub(crate) async fn token(
        &self,
        (client, file): (&str, &str),
        form: &[(&str, &str)],
        shows: Shows,
    ) -> Outcome<(u16, Value)> {
        let secret = secret(file);
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let mut form = form.to_vec();
        let assertion;
        let mut request = outside().post(self.endpoint("oauth2/v2.0/token"));
        match shows {
            Shows::Basic => {
                let pair = format!("{}:{}", encoded(client), encoded(secret.expose()));
                request = request.header("authorization", format!("Basic {}", STANDARD.encode(pair)));
            }
            Shows::Post => {
                form.extend([("client_id", client), ("client_secret", secret.expose().as_str())]);
            }
            Shows::Key => {
                assertion = self.assertion().await?;
                form.extend([("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &assertion)]);
            }
        }
        read(request.form(&form)).await
    }

    /// Asks for a document, with or without a token.
    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Outcome<(u16, Value)> {
        let mut request = outside().get(self.endpoint(path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        read(request).await
    }

    /// What userinfo says, by POST; the token in the header or in the body.
    pub(crate) async fn post_userinfo(&self, token: &str, in_body: bool) -> Outcome<(u16, Value)> {
        let request = outside().post(self.endpoint("openid/userinfo"));
        read(if in_body { request.form(&[("access_token", token)]) } else { request.bearer_auth(token) })
            .await
    }

    /// What the server tells about the person: by userinfo, or in the ID token when nothing could ask it.
    pub(crate) async fn told(&self, tokens: &Tokens) -> Outcome<Value> {
        let Some(token) = &tokens.access_token else { return Ok(Value::Object(tokens.id.clone())) };
        let (status, body) = self.get("openid/userinfo", Some(token)).await?;
        assert_eq!(status, 200, "{body}");
        if let Some(sub) = tokens.id.get("sub") {
            assert_eq!(&body["sub"], sub);
        }
        Ok(body)
    }
}

impl Answer {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

fn outside() -> reqwest::Client {
    outsider().build().unwrap()
}

async fn read(request: reqwest::RequestBuilder) -> Outcome<(u16, Value)> {
    let broken = |error: reqwest::Error| Fault::ours(error.to_string());
    let answer = request.send().await.map_err(broken)?;
    let status = answer.status().as_u16();
    let body = answer.text().await.map_err(broken)?;
    Ok((status, serde_json::from_str(&body).unwrap_or(Value::String(body))))
}

/// Where an answer leads a browser.
pub(crate) async fn seen(hand: &Hand, answered: Answered) -> Outcome<Seen> {
    if let Some(to) = &answered.location {
        if !to.as_str().starts_with(CALLBACK) {
            return Ok(Seen::Page(Box::new(hand.form(to.as_str()).await?)));
        }
        let (by, text) = match to.fragment() {
            Some(fragment) => (By::Fragment, fragment),
            None => (By::Query, to.query().unwrap_or_default()),
        };
        let parameters = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        return Ok(Seen::App(Answer { by, parameters }));
    }
    let url = Url::parse("http://localhost/").unwrap();
    let page = Page { url, status: answered.status, html: answered.body };
    if page.has(&format!("form[method=post][action=\"{CALLBACK}\"]")) {
        let parameters = page.hidden_fields();
        return Ok(Seen::App(Answer { by: By::Form, parameters }));
    }
    let form = Form { url: String::new(), csrf: String::new(), step: String::new(), page };
    Ok(Seen::Page(Box::new(form)))
}
