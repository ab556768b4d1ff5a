//! A parameter that comes twice is no parameter: two servers in a row would each read another one (security.md S8).

use url::Url;
use vestibule_crypto::digest::{base64url, pkce_s256};
use vestibule_rules::fault::Outcome;
use vestibule_rules::oauth::client_auth::ASSERTION_TYPE;
use vestibule_testkit::server::secret;
use vestibule_testkit::{Engine, TestServer};

use super::app::{ADA, Call, VERIFIER, WEB, at, back, harbour, signed_in};
use super::on_behalf_of::TENANT;
use crate::client::parameter;
use crate::journeys::passage::{Hand, SHOP};

/// Parameters of an authorization request, with a value that may stand there.
fn asked() -> Vec<(&'static str, String)> {
    let own = |(name, value): (&'static str, &str)| (name, value.to_owned());
    let mut all: Vec<_> = [
        ("client_id", WEB.id),
        ("redirect_uri", WEB.redirect_uri),
        ("response_type", "code"),
        ("response_mode", "query"),
        ("scope", "openid"),
        ("state", "s"),
        ("nonce", "n"),
        ("code_challenge_method", "S256"),
        ("prompt", "login"),
        ("max_age", "100"),
        ("login_hint", ADA),
        ("domain_hint", "northwind.example"),
        ("ui_locales", "en"),
        ("mkt", "en"),
        ("id_token_hint", "a.b.c"),
        ("sid", "11111111-1111-4111-8111-111111111111"),
        ("client_info", "1"),
        ("claims", "{}"),
        ("request", "a.b."),
        ("request_uri", "https://app.example/request"),
    ]
    .into_iter()
    .map(own)
    .collect();
    all.push(("code_challenge", pkce_s256(VERIFIER)));
    all.push(("dpop_jkt", base64url(&[7; 32])));
    all
}

/// The request with one parameter twice.
fn twice(name: &str, value: &str) -> Vec<(String, String)> {
    let mut pairs = WEB.asks(&[(name, value), (name, value)]);
    // Which of the two comes first must not matter either.
    let last = pairs.pop().unwrap();
    pairs.insert(0, last);
    pairs
}

#[tokio::test]
async fn nothing_is_asked_twice_in_one_authorization_request() -> Outcome<()> {
    // S8
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    let address = at(&server, "oauth2/v2.0/authorize");
    for (name, value) in asked() {
        let pairs = twice(name, &value);
        let by_get = hand.get(Url::parse_with_params(&address, &pairs).unwrap().as_str()).await?;
        let fields: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let by_post = hand.post_from_app(&address, &fields).await?;
        for answered in [by_get, by_post] {
            // Who asks is not known, or where the answer belongs: nobody is sent anywhere.
            if ["client_id", "redirect_uri"].contains(&name) {
                assert_eq!((answered.status, &answered.location), (400, &None), "{name}");
                continue;
            }
            let to = answered.location.unwrap_or_else(|| panic!("{name}: {}", answered.body));
            assert!(to.as_str().starts_with(WEB.redirect_uri), "{name}: {to}");
            let error = parameter(&to, "error");
            assert_eq!(error.as_deref(), Some("invalid_request"), "{name}: {to}");
            assert_eq!(parameter(&to, "code"), None, "{name}");
            assert_eq!(parameter(&to, "state").is_none(), name == "state", "{name}: {to}");
        }
    }
    // What is unknown may come as often as it likes (S10).
    let url = back(&hand, &WEB.address(&server, &[("x-client-sku", "a"), ("x-client-sku", "b")])).await?;
    assert!(parameter(&url, "code").is_some(), "{url}");
    server.finish().await
}

#[tokio::test]
async fn nothing_is_pushed_twice_in_one_request() -> Outcome<()> {
    // S8, S51
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let own = secret("secrets/app");
    for (name, value) in asked() {
        let mut call = WEB.call(&[]);
        call.form.retain(|(name, _)| name != "client_id");
        call.form.extend(twice(name, &value));
        let answer = call.push(&server).await?;
        assert_eq!(answer.refusal(), (400, "invalid_request"), "{name}: {}", answer.body);
    }
    for (name, value) in proofs(own.expose()) {
        let answer = doubled(WEB.pushes(&[]), name, value).push(&server).await?;
        assert_eq!(answer.refusal(), (400, "invalid_request"), "{name}: {}", answer.body);
    }
    server.finish().await
}

/// What a client proves itself with.
fn proofs(own: &str) -> [(&'static str, &str); 4] {
    [
        ("client_id", WEB.id),
        ("client_secret", own),
        ("client_assertion", "a.b.c"),
        ("client_assertion_type", ASSERTION_TYPE),
    ]
}

/// The request with one parameter twice, and with nothing else of its name.
fn doubled(call: Call, name: &str, value: &str) -> Call {
    let Call { mut form, headers } = call;
    form.retain(|(known, _)| known != name);
    Call { form, headers }.and(&[(name, value), (name, value)])
}

#[tokio::test]
async fn nothing_is_said_twice_to_the_token_endpoint() -> Outcome<()> {
    // S8
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    let url = back(&hand, &WEB.address(&server, &[])).await?;
    let (own, code) = (secret("secrets/app"), parameter(&url, "code").unwrap());
    let of_grants = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", WEB.redirect_uri),
        ("refresh_token", "x"),
        ("scope", "openid"),
        ("client_info", "1"),
        ("device_code", "x"),
        ("assertion", "a.b.c"),
        ("requested_token_use", "on_behalf_of"),
    ];
    for (name, value) in of_grants.into_iter().chain(proofs(own.expose())) {
        let answer = doubled(WEB.redeems(&url), name, value).token(&server).await?;
        assert_eq!(answer.refusal(), (400, "invalid_request"), "{name}: {}", answer.body);
    }
    // None of them did anything to the code.
    assert_eq!(WEB.redeems(&url).token(&server).await?.status, 200);
    server.finish().await
}

#[tokio::test]
async fn nothing_is_said_twice_by_a_device() -> Outcome<()> {
    // S8
    let server = TestServer::start(Engine::Sqlite, &[TENANT]).await?;
    let endpoint = format!("{}/{SHOP}/oauth2/v2.0/devicecode", server.origin);
    let device = "66666666-6666-4666-8666-666666666666";
    let usual = Call::default().and(&[("client_id", device), ("scope", "openid")]);
    for (name, value) in [("client_id", device), ("scope", "openid"), ("client_secret", "x")] {
        let answer = doubled(usual.clone(), name, value).post(&endpoint).await?;
        assert_eq!(answer.refusal(), (400, "invalid_request"), "{name}: {}", answer.body);
    }
    assert_eq!(usual.post(&endpoint).await?.status, 200);
    server.finish().await
}

#[tokio::test]
async fn nothing_is_said_twice_about_a_token() -> Outcome<()> {
    // S8
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    let tokens = WEB.tokens(&server, &hand, &[]).await?;
    let (own, access) = (secret("secrets/app"), tokens.text("access_token").to_owned());
    let usual = WEB.call(&[("token", &access)]);
    let of_tokens = [("token", access.as_str()), ("token_type_hint", "access_token")];
    for endpoint in ["revoke", "introspect"] {
        let endpoint = at(&server, &format!("oauth2/v2.0/{endpoint}"));
        for (name, value) in of_tokens.into_iter().chain(proofs(own.expose())) {
            let answer = doubled(usual.clone(), name, value).post(&endpoint).await?;
            assert_eq!(answer.refusal(), (400, "invalid_request"), "{endpoint} {name}: {}", answer.body);
        }
    }
    let userinfo = Call::default().and(&[("access_token", &access), ("access_token", &access)]);
    let answer = userinfo.post(&at(&server, "openid/userinfo")).await?;
    assert_eq!(answer.refusal(), (400, "invalid_request"), "{}", answer.body);
    let answer = usual.post(&at(&server, "oauth2/v2.0/introspect")).await?;
    assert_eq!(answer.body["active"], true, "one of them ended the grant");
    sign_out(&server, &hand, tokens.text("id_token")).await?;
    server.finish().await
}

/// The logout endpoint does nothing at all when it is told something twice.
async fn sign_out(server: &TestServer, hand: &Hand, hint: &str) -> Outcome<()> {
    let good = [
        ("id_token_hint", hint),
        ("logout_hint", ADA),
        ("client_id", WEB.id),
        ("post_logout_redirect_uri", WEB.redirect_uri),
        ("state", "s"),
    ];
    let address = at(server, "oauth2/v2.0/logout");
    for repeated in good {
        let pairs = good.into_iter().chain([repeated]);
        let answered = hand.get(Url::parse_with_params(&address, pairs).unwrap().as_str()).await?;
        assert_eq!((answered.status, &answered.location), (400, &None), "{}", repeated.0);
    }
    let silent = back(hand, &WEB.address(server, &[("prompt", "none")])).await?;
    assert!(parameter(&silent, "code").is_some(), "somebody was signed out");
    let url = Url::parse_with_params(&address, good).unwrap();
    assert_eq!(hand.get(url.as_str()).await?.at_app()?.query(), Some("state=s"));
    Ok(())
}
