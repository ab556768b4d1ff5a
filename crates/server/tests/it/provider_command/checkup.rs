//! An OpenID Connect provider, gone through step by step: each thing that can be wrong is provoked at a server that
//! behaves so.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_service::ports::clock::{Clock as _, SystemClock};
use vestibule_testkit::Engine;

use super::Place;
use crate::federation::kinds::stand_in::{CLIENT, Call, Company, Reply, StandIn, secret};

pub(super) const OPENID: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

const PUSHING: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
pushedAuthorizationRequest: true
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

const BY_KEY: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
clientAuthentication: private_key_jwt
clientId: "{client}"
clientKey: { file: secrets/fabrikam.p8 }"#,
    answer,
};

/// A provider that knows its client, its secret and its redirect address.
pub(super) fn answer(provider: &StandIn, call: &Call) -> Reply {
    let base = &provider.base;
    match call.path.as_str() {
        "/.well-known/openid-configuration" => Reply::ok(provider.document(
            "discovery",
            json!({
                "issuer": base,
                "authorization_endpoint": format!("{base}/authorize"),
                "token_endpoint": format!("{base}/token"),
                "userinfo_endpoint": format!("{base}/userinfo"),
                "jwks_uri": format!("{base}/keys"),
                "pushed_authorization_request_endpoint": format!("{base}/par"),
                "scopes_supported": ["openid", "profile", "email"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }),
        )),
        "/keys" => Reply::ok(provider.document("keys", provider.keys())),
        // OpenID Connect Core 3.1.2.6: nobody is there, and that is told where it was asked to be.
        "/authorize" if call.asked("request_uri").is_empty() && call.asked("prompt") != "none" => {
            Reply::ok(json!("Sign in"))
        }
        "/authorize" => {
            let asked = call.asked("redirect_uri");
            let back = if asked.is_empty() { provider.departure("redirect_uri") } else { asked.to_owned() };
            Reply::error(302, Value::Null).with("location", &format!("{back}?error=login_required"))
        }
        "/par" if !call.posts_secret() => Reply::oauth_error("invalid_client"),
        "/par" => {
            provider.departed(&call.form);
            Reply::error(201, json!({"request_uri": "urn:x:1", "expires_in": 60}))
        }
        "/token" if !call.posts_secret() => Reply::error(401, json!({"error": "invalid_client"})),
        "/token" => Reply::oauth_error("invalid_grant"),
        _ => Reply::error(404, Value::Null),
    }
}

#[tokio::test]
async fn a_provider_that_is_well_says_so_at_each_step_on_both_engines() -> Outcome<()> {
    for engine in Engine::ALL {
        let stand_in = StandIn::start(OPENID).await?;
        let place = Place::with_section(engine, &stand_in.section().replace("    ", "")).await?;
        let found = place.test().await?;
        let expected = BTreeMap::from([
            ("authorization", "ok"),
            ("certificate", "notChecked"),
            ("client", "ok"),
            ("clock", "ok"),
            ("configuration", "ok"),
            ("discovery", "ok"),
            ("endpoints", "warning"),
            ("issuer", "ok"),
            ("keys", "ok"),
            ("name", "ok"),
            ("scope", "ok"),
            ("secretExpiry", "notChecked"),
        ]);
        assert_eq!(found.results(), expected, "{:#}", found.json);
        found.fails_at(&[]);
        found.says("keys", "ok", "1 of 1 keys can be used, for RS256");
        found.says("configuration", "ok", "“Customers”");
        let uri = format!("{}/7b9ec640-0000-4c21-9355-5f02bb133702/federation/stranger", place.server.origin);
        assert_eq!(found.json["redirectUris"], json!([uri]));
        // Nobody is let in by a checkup, and nothing of it can be redeemed.
        assert_eq!(stand_in.only_call("/token").field("redirect_uri"), uri);
        let text = place.run(&["test", "SHOP", "fabrikam"], "").await?;
        assert_eq!((text.code, text.err.as_str()), (0, ""));
        assert!(text.out.starts_with("“Fabrikam” (stranger, OpenIdConnect) of shop\n"), "{}", text.out);
        assert!(
            text.out.ends_with(&format!("Register at the provider, to the letter:\n  {uri}\n")),
            "{}",
            text.out
        );
        place.server.finish().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_secret_is_told_from_a_wrong_redirect_address_and_from_a_scope() -> Outcome<()> {
    let (place, provider) = Place::with_company(OPENID).await?;
    provider.answers("/token", Reply::error(401, json!({"error": "invalid_client"})));
    let found = place.test().await?;
    found.fails_at(&["client"]);
    found.says("client", "failed", "the client id or the secret is wrong, or the secret expired");
    found.says("client", "failed", "clientAuthentication: client_secret_basic");
    let text = place.run(&["test", "shop", "stranger"], "").await?;
    assert_eq!((text.code, text.err.as_str()), (1, "vestibule: 1 step failed: our client\n"));

    provider.answers("/token", Reply::error(401, Value::Null));
    place.test().await?.says("client", "failed", "the client id or the secret is wrong");
    provider.answers("/token", Reply::oauth_error("unauthorized_client"));
    place.test().await?.says("client", "failed", "register it as a web application");
    provider.answers("/token", Reply::error(404, Value::Null));
    place.test().await?.says("client", "failed", "there is no token endpoint at this address");
    provider.answers("/token", Reply::oauth_error("something_of_its_own"));
    place.test().await?.says("client", "notChecked", "“something_of_its_own: Not what was expected.”");
    provider.repents();

    let words = json!({"error": "invalid_request", "error_description": "redirect_uri is not registered"});
    provider.answers("/authorize", Reply::error(400, words));
    let found = place.test().await?;
    found.fails_at(&["authorization"]);
    found.says(
        "authorization",
        "failed",
        "the provider does not know our redirect address; register http://localhost",
    );
    provider.answers("/authorize", Reply::error(400, json!("<h1>Unregistered redirect_uri</h1>")));
    place.test().await?.says("authorization", "failed", "does not know our redirect address");
    provider.answers("/authorize", Reply::error(400, json!("<h1>Client not found</h1>")));
    place.test().await?.says("authorization", "failed", "does not know the client “1234567890”");
    provider.answers("/authorize", Reply::error(400, json!("<h1>No</h1>")));
    place.test().await?.says("authorization", "notChecked", "press the provider's button once");
    // Somebody stands before the provider and says back what was asked.
    let echo = "<a href='/authorize?client_id=1&redirect_uri=x'>Are you a robot?</a>";
    provider.answers("/authorize", Reply::error(403, json!(echo)));
    place.test().await?.says("authorization", "notChecked", "answered 403 and does not say why");
    provider.repents();

    let uri = format!("{}/7b9ec640-0000-4c21-9355-5f02bb133702/federation/stranger", place.server.origin);
    let back = format!("{uri}?error=invalid_scope&error_description=No+email");
    provider.answers("/authorize", Reply::error(302, Value::Null).with("location", &back));
    provider.says("discovery", json!({"scopes_supported": ["openid", "profile"]}));
    let found = place.test().await?;
    found.fails_at(&["authorization"]);
    found.says("authorization", "failed", "does not give out the scope “openid profile email”");
    found.says("scope", "warning", "does not list email");
    place.server.finish().await
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_with_its_seconds() -> Outcome<()> {
    let (place, provider) = Place::with_company(OPENID).await?;
    let document = answer(&provider, &Call::get("/.well-known/openid-configuration"));
    for (off, words) in [(300, "seconds behind the provider's"), (-300, "seconds ahead of the provider's")] {
        let date = http_date(SystemClock.now() + Span::seconds(off));
        provider.answers("/.well-known/openid-configuration", document.clone().with("date", &date));
        let found = place.test().await?;
        found.fails_at(&["clock"]);
        found.says("clock", "failed", words);
    }
    place.server.finish().await
}

fn http_date(at: Timestamp) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap();
    let text = at.format(&time::format_description::well_known::Rfc2822).unwrap();
    text.replace("+0000", "GMT")
}

#[tokio::test]
async fn a_document_that_cannot_be_used_says_why() -> Outcome<()> {
    let (place, provider) = Place::with_company(OPENID).await?;
    let path = "/.well-known/openid-configuration";
    provider.answers(path, Reply::error(404, Value::Null));
    let found = place.test().await?;
    found.fails_at(&["discovery"]);
    found.says("discovery", "failed", "answered 404: there is nothing; is the issuer written as");
    found.says("keys", "notChecked", "not known before the discovery document can be used");
    provider.answers(path, Reply::error(302, Value::Null).with("location", "https://elsewhere.example"));
    place.test().await?.says("discovery", "failed", "redirects are not followed");
    provider.answers(path, Reply::ok(json!("<html>Welcome</html>")));
    place.test().await?.says(
        "discovery",
        "failed",
        "is no discovery document but “\"<html>Welcome</html>\"”",
    );
    provider.repents();

    provider.says("discovery", json!({"issuer": format!("{}/", provider.base)}));
    let found = place.test().await?;
    found.fails_at(&["issuer"]);
    found.says("issuer", "failed", "they differ by the slash at the end");
    provider.says("discovery", json!({"issuer": "https://another.example"}));
    place.test().await?.says("issuer", "failed", "the document is of the issuer “https://another.example”");
    provider.says("discovery", json!({"issuer": null}));
    place.test().await?.says("issuer", "failed", "the document names no issuer");
    provider.says("discovery", json!({"jwks_uri": null, "token_endpoint": "/token"}));
    let found = place.test().await?;
    found.fails_at(&["endpoints"]);
    found.says("endpoints", "failed", "the document lacks token_endpoint, jwks_uri");
    provider.says("discovery", json!({"userinfo_endpoint": "javascript:alert(1)"}));
    place.test().await?.says("endpoints", "failed", "not on https: userinfo_endpoint");
    place.server.finish().await
}

#[tokio::test]
async fn keys_that_check_nothing_are_told() -> Outcome<()> {
    let (place, provider) = Place::with_company(OPENID).await?;
    provider.says("keys", json!({"keys": [{"kty": "oct", "k": "AAAA"}]}));
    let found = place.test().await?;
    found.fails_at(&["keys"]);
    found.says("keys", "failed", "1 keys, and none that a signature can be checked with");
    provider.answers("/keys", Reply::error(503, Value::Null));
    place.test().await?.says("keys", "failed", "/keys answered 503");
    provider.repents();
    provider.says("discovery", json!({"id_token_signing_alg_values_supported": ["HS256"]}));
    place.test().await?.says("keys", "failed", "signs ID tokens with “HS256”, which is not accepted");
    place.server.finish().await
}

#[tokio::test]
async fn a_pushed_request_is_tried_where_it_is_demanded() -> Outcome<()> {
    let (place, provider) = Place::with_company(PUSHING).await?;
    let found = place.test().await?;
    found.fails_at(&[]);
    found.says("pushedRequest", "ok", "client, redirect address and scope are accepted with it");
    assert_eq!(provider.only_call("/par").field("prompt"), "none");
    assert_eq!(provider.only_call("/authorize").asked("request_uri"), "urn:x:1");
    provider.answers("/par", Reply::error(401, json!({"error": "invalid_client"})));
    let found = place.test().await?;
    found.fails_at(&["pushedRequest"]);
    found.says("pushedRequest", "failed", "the client id or the secret is wrong");
    found.says("authorization", "notChecked", "not known before the pushed request is taken");
    provider.says("discovery", json!({"pushed_authorization_request_endpoint": null}));
    place.test().await?.says("pushedRequest", "failed", "leave pushedAuthorizationRequest out");
    place.server.finish().await?;

    let (place, provider) = Place::with_company(OPENID).await?;
    provider.says("discovery", json!({"require_pushed_authorization_requests": true}));
    place.test().await?.says("pushedRequest", "ok", "the provider demands them and takes ours");
    place.server.finish().await
}

#[tokio::test]
async fn a_key_that_the_provider_does_not_know_is_told_with_where_it_can_be_read() -> Outcome<()> {
    let (place, provider) = Place::with_company(BY_KEY).await?;
    provider.says("discovery", json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}));
    let found = place.test().await?;
    found.fails_at(&["client"]);
    found.says("client", "failed", "/federation/stranger/keys");
    found.says("client", "warning", "we prove ourselves by private_key_jwt, and the provider offers");
    provider.answers("/token", Reply::oauth_error("invalid_grant"));
    place.test().await?.says("client", "ok", "accepts the client and its proof");
    place.server.finish().await
}

#[tokio::test]
async fn nothing_secret_is_repeated_that_a_provider_says_back() -> Outcome<()> {
    let (place, provider) = Place::with_company(OPENID).await?;
    place.test().await?.fails_at(&[]);
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
    let form = secret().expose().replace(' ', "+").replace('/', "%2F");
    let said = format!(
        "{} is wrong\u{1b}[2J\u{202e} for {jwt} in client_secret={form}&x {}",
        secret().expose(),
        "x".repeat(1_000)
    );
    let body = json!({"error": "invalid_client", "error_description": said});
    provider.answers("/token", Reply::error(401, body));
    for arguments in [&["test", "shop", "stranger"][..], &["test", "shop", "stranger", "--json"]] {
        let run = place.run(arguments, "").await?;
        assert_eq!(run.code, 1);
        let all = format!("{}{}", run.out, run.err);
        assert!(all.contains("[…] is wrong"), "{all}");
        for hidden in [secret().expose().as_str(), &form, jwt, "\u{1b}", "\u{202e}", &"x".repeat(201)] {
            assert!(!all.contains(hidden), "{hidden:?}: {all}");
        }
    }
    place.server.finish().await
}

async fn unused_port() -> u16 {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_from_one_that_may_not_be_asked() -> Outcome<()> {
    let section = |issuer: &str| {
        format!("displayName: Nowhere\nissuer: {issuer}\nclientId: x\nclientSecret: {{ file: secrets/x }}")
    };
    let place = Place::with_section(Engine::Sqlite, &section("https://nowhere.invalid")).await?;
    let found = place.test().await?;
    found.fails_at(&["name"]);
    found.says("name", "failed", "the name nowhere.invalid leads nowhere");
    found.says("client", "notChecked", "");
    place.server.finish().await?;

    let gone = unused_port().await;
    let at = format!("https://localhost:{gone}");
    let mut place = Place::with_section(Engine::Sqlite, &section(&at)).await?;
    place.test().await?.says("name", "failed", "nobody answers at localhost");
    place.settings.clear();
    let found = place.test().await?;
    found.fails_at(&["name"]);
    found.says("name", "failed", "is not public, and nothing is sent to such addresses");
    found.says("name", "failed", "outbound.allow_networks");
    place.server.finish().await
}

#[tokio::test]
async fn what_is_named_wrongly_is_told_with_what_there_is() -> Outcome<()> {
    let (place, _provider) = Place::with_company(OPENID).await?;
    for (arguments, words) in [
        (["test", "nowhere", "stranger"], "vestibule: there is no tenant “nowhere”\n"),
        (["test", "shop", "google"], "vestibule: the tenant has no provider “google”; there are: stranger\n"),
    ] {
        let run = place.run(&arguments, "").await?;
        assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (1, "", words));
    }
    place.server.finish().await
}

#[tokio::test]
async fn the_expiry_of_our_secret_is_told_ahead() -> Outcome<()> {
    let stand_in = StandIn::start(OPENID).await?;
    let days = |n: i64| {
        let at = SystemClock.now() + Span::days(n);
        at.rfc3339().split('T').next().unwrap().to_owned()
    };
    for (date, result, words) in [
        (days(200), "ok", "in 200 days"),
        (days(12), "warning", "expires on"),
        (days(-1), "failed", "the client secret expired on"),
    ] {
        let section = format!("{}secretExpiresAt: \"{date}\"\n", stand_in.section().replace("    ", ""));
        let place = Place::with_section(Engine::Sqlite, &section).await?;
        let found = place.test().await?;
        found.says("secretExpiry", result, words);
        found.says("secretExpiry", result, &date);
        place.server.finish().await?;
    }
    let used = stand_in.calls("/token");
    assert!(used.iter().all(|call| call.field("client_id") == CLIENT && call.posts_secret()));
    Ok(())
}
