//! Pushed authorization requests (RFC 9126, security.md S50 to S53).

use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_service::jobs;
use vestibule_store::pushed_requests;
use vestibule_testkit::server::on_nodes;
use vestibule_testkit::{Engine, TestServer};

use super::app::{
    ADA, App, BANK, HARBOUR, PAGE, PAGE_ORIGIN, WEB, almost_signed_up, at, back, client, harbour, send,
    signed_in,
};
use crate::client::{claims, parameter};
use crate::journeys::passage::Hand;

const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

async fn pushed(server: &TestServer, app: App, changes: &[(&str, &str)]) -> Outcome<String> {
    let answer = app.pushes(changes).push(server).await?;
    assert_eq!(answer.status, 201, "{}", answer.body);
    Ok(answer.text("request_uri").to_owned())
}

#[tokio::test]
async fn a_pushed_request_leads_to_a_code_whatever_else_the_browser_says() -> Outcome<()> {
    // S52, RFC 9126 §2.2 and §4
    on_nodes(&[&harbour()], async |server| {
        let hand = signed_in(server).await?;
        let answer = WEB.pushes(&[]).push(server).await?;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let uri = answer.text("request_uri");
        // 256 bits.
        assert_eq!(uri.strip_prefix(PREFIX).map(str::len), Some(43));
        assert!((90..=600).contains(&answer.body["expires_in"].as_i64().unwrap()));
        let more = [
            ("state", "another"),
            ("scope", "openid unknown"),
            ("redirect_uri", "https://evil.example/"),
            ("response_mode", "fragment"),
            ("code_challenge", "another"),
        ];
        let url = back(&hand, &WEB.brings(server, uri, &more)).await?;
        assert!(url.as_str().starts_with(WEB.redirect_uri) && url.fragment().is_none(), "{url}");
        assert_eq!(parameter(&url, "state").as_deref(), Some("state of the app"));
        let tokens = WEB.redeems(&url).token(server).await?;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        assert_eq!(claims(tokens.text("id_token"))["nonce"], "nonce of the app");
        // Only its digest is kept, and nothing that proves the client.
        let secret = vestibule_testkit::server::secret("secrets/app");
        let dump = String::from_utf8_lossy(&server.dump().await?).into_owned();
        assert!(!dump.contains(uri) && !dump.contains(secret.expose().as_str()));
        // Used up.
        let url = back(&hand, &WEB.brings(server, uri, &[])).await?;
        assert_eq!(parameter(&url, "error").as_deref(), Some("invalid_request_uri"));
        assert_eq!(parameter(&url, "code"), None);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_loads_again_until_somebody_has_answered_it() -> Outcome<()> {
    // S52
    on_nodes(&[&harbour()], async |server| {
        let uri = pushed(server, WEB, &[("prompt", "create")]).await?;
        let address = WEB.brings(server, &uri, &[]);
        let hand = Hand::new(server);
        // Loaded twice before, and once in the middle.
        hand.get(&address).await?;
        let slow = almost_signed_up(server, &hand, &address).await?;
        hand.get(&address).await?;
        let other = almost_signed_up(server, &hand, &address).await?;
        let url = hand.answer(&slow, &[("displayName", "Ada")]).await?.at_app()?;
        assert_eq!(WEB.redeems(&url).token(server).await?.status, 200);
        // A second click repeats the answer that was lost; the other tab has nothing left to answer.
        let url = hand.answer(&slow, &[("displayName", "Ada")]).await?.at_app()?;
        assert!(parameter(&url, "code").is_some());
        let late = hand.answer(&other, &[("displayName", "Ada")]).await?;
        assert!(late.location.is_none_or(|to| parameter(&to, "code").is_none()));
        let url = back(&hand, &address).await?;
        assert_eq!(parameter(&url, "error").as_deref(), Some("invalid_request_uri"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn somebody_who_cancels_has_answered_too() -> Outcome<()> {
    // S52
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let uri = pushed(&server, WEB, &[]).await?;
    let address = WEB.brings(&server, &uri, &[]);
    let hand = Hand::new(&server);
    let began = hand.get(&address).await?;
    let form = hand.form(began.location.unwrap().as_str()).await?;
    let url = hand.answer(&form, &[("action", "cancel")]).await?.at_app()?;
    assert_eq!(parameter(&url, "error").as_deref(), Some("access_denied"));
    let url = back(&hand, &address).await?;
    assert_eq!(parameter(&url, "error").as_deref(), Some("invalid_request_uri"));
    server.finish().await
}

#[tokio::test]
async fn a_request_uri_is_good_for_its_app_and_its_time() -> Outcome<()> {
    // S52, S60
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    let uri = pushed(&server, WEB, &[]).await?;
    let shown = |uri: &str| WEB.brings(&server, uri, &[]);
    let half = &uri[..uri.len() - 1];
    for address in [
        PAGE.brings(&server, &uri, &[]),
        BANK.brings(&server, &uri, &[]),
        shown(&uri).replace(WEB.id, ""),
        shown(&uri.to_uppercase().replace(&PREFIX.to_uppercase(), PREFIX)),
        shown(half),
        shown(&format!("{uri}A")),
        shown(&format!("{uri}\0")),
        shown(PREFIX),
    ] {
        let answered = hand.get(&address).await?;
        assert_eq!((answered.status, answered.location.is_none()), (400, true), "{address}");
        assert!(answered.body.contains("Go back to the app"), "{}", answered.body);
    }
    // Somebody else's document is no request of ours.
    let url = back(&hand, &WEB.address(&server, &[("request_uri", "https://app.example/r")])).await?;
    assert_eq!(parameter(&url, "error").as_deref(), Some("request_uri_not_supported"));
    // After all of this it is still good, and then its time is over.
    server.clock.advance(Span::seconds(299));
    assert!(parameter(&back(&hand, &shown(&uri)).await?, "code").is_some());
    let late = pushed(&server, WEB, &[]).await?;
    server.clock.advance(Span::seconds(300));
    let url = back(&hand, &shown(&late)).await?;
    assert_eq!(parameter(&url, "error").as_deref(), Some("invalid_request_uri"));
    assert_eq!(parameter(&url, "state").as_deref(), Some("state of the app"));
    server.finish().await
}

#[tokio::test]
async fn what_is_pushed_is_checked_at_once() -> Outcome<()> {
    // S51
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let with = |changes: &[(&str, &str)]| WEB.pushes(changes);
    let mut bare = with(&[]);
    bare.form.retain(|(name, _)| name != "client_secret");
    let mut wrong = bare.clone();
    wrong.form.push(("client_secret".to_owned(), "wrong".to_owned()));
    let long = "a".repeat(65 * 1024);
    for (call, expected) in [
        (bare, (401, "invalid_client")),
        (wrong, (401, "invalid_client")),
        (PAGE.pushes(&[("client_secret", "any")]), (401, "invalid_client")),
        (PAGE.pushes(&[]).without("origin"), (400, "invalid_request")),
        (PAGE.pushes(&[]).without("origin").with("origin", "https://evil.example"), (400, "invalid_request")),
        (with(&[]).with("origin", PAGE_ORIGIN), (400, "invalid_request")),
        (with(&[("client_id", "00000000-0000-4000-8000-000000000000")]), (400, "unauthorized_client")),
        (with(&[("request_uri", "urn:ietf:params:oauth:request_uri:x")]), (400, "invalid_request")),
        (with(&[("request", "e30.e30.")]), (400, "request_not_supported")),
        (with(&[("scope", "openid"), ("scope", "openid")]), (400, "invalid_request")),
        (with(&[("state", "a"), ("state", "b")]), (400, "invalid_request")),
        (with(&[("client_id", WEB.id), ("client_id", WEB.id)]), (400, "invalid_request")),
        (with(&[("redirect_uri", "https://evil.example/")]), (400, "invalid_request")),
        (with(&[("redirect_uri", "http://localhost:3001/callback/")]), (400, "invalid_request")),
        (with(&[("scope", "openid unknown")]), (400, "invalid_scope")),
        (with(&[("response_type", "magic")]), (400, "unsupported_response_type")),
        (with(&[("code_challenge_method", "plain")]), (400, "invalid_request")),
        (PAGE.pushes(&[("code_challenge", "")]), (400, "invalid_request")),
        (with(&[("prompt", "none login")]), (400, "invalid_request")),
        (with(&[("dpop_jkt", "short")]), (400, "invalid_request")),
        (with(&[("state", &long)]), (413, "invalid_request")),
    ] {
        let answer = call.push(&server).await?;
        assert_eq!(answer.refusal(), expected, "{:?}: {}", call.form.last(), answer.body);
        assert!(answer.body.get("request_uri").is_none());
    }
    let by_get = send(client().get(at(&server, "oauth2/v2.0/par")).query(&WEB.pushes(&[]).form)).await?;
    assert_eq!(by_get.status, 405);
    let json = client().post(at(&server, "oauth2/v2.0/par")).header("content-type", "application/json");
    assert_eq!(send(json.body("{}")).await?.status, 400);
    server.finish().await
}

#[tokio::test]
async fn an_app_may_prove_itself_in_the_header_and_a_page_by_its_origin() -> Outcome<()> {
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    let mut call = WEB.pushes(&[]);
    call.form.retain(|(name, _)| !matches!(name.as_str(), "client_id" | "client_secret"));
    let secret = vestibule_testkit::server::secret("secrets/app");
    let credentials = {
        use base64::Engine as _;
        let text = format!("{}:{}", WEB.id, secret.expose().replace(' ', "+").replace('/', "%2F"));
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    let answer = call.with("authorization", &format!("Basic {credentials}")).push(&server).await?;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let url = back(&hand, &WEB.brings(&server, answer.text("request_uri"), &[])).await?;
    assert!(parameter(&url, "code").is_some(), "{url}");
    let uri = pushed(&server, PAGE, &[]).await?;
    let url = back(&hand, &PAGE.brings(&server, &uri, &[])).await?;
    assert_eq!(PAGE.redeems(&url).token(&server).await?.status, 200);
    server.finish().await
}

#[tokio::test]
async fn an_app_that_must_push_is_not_served_by_address() -> Outcome<()> {
    // S50
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    let url = back(&hand, &BANK.address(&server, &[])).await?;
    assert_eq!(parameter(&url, "error").as_deref(), Some("invalid_request"));
    assert_eq!(parameter(&url, "code"), None);
    let uri = pushed(&server, BANK, &[]).await?;
    assert!(parameter(&back(&hand, &BANK.brings(&server, &uri, &[])).await?, "code").is_some());
    server.finish().await
}

#[tokio::test]
async fn who_guesses_is_slowed_down_and_stops_nobody() -> Outcome<()> {
    // S53: however many nodes the guesses are spread over.
    on_nodes(&[&harbour()], async |server| {
        let hand = signed_in(server).await?;
        let guess = |n: usize| WEB.brings(server, &format!("{PREFIX}{n:043}"), &[]);
        for n in 0..30 {
            assert_eq!(hand.get(&guess(n)).await?.status, 400);
        }
        for n in 30..34 {
            assert_eq!(hand.get(&guess(n)).await?.status, 429);
        }
        let uri = pushed(server, WEB, &[]).await?;
        assert!(parameter(&back(&hand, &WEB.brings(server, &uri, &[])).await?, "code").is_some());
        server.clock.advance(Span::minutes(11));
        assert_eq!(hand.get(&guess(34)).await?.status, 400);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn of_two_tabs_that_answer_at_once_one_gets_a_code() -> Outcome<()> {
    // S52
    on_nodes(&[&harbour()], async |server| {
        let hand = signed_in(server).await?;
        for _ in 0..3 {
            let uri = pushed(server, WEB, &[]).await?;
            let address = WEB.brings(server, &uri, &[]);
            let (one, two) = tokio::join!(back(&hand, &address), back(&hand, &address));
            let codes = [one?, two?].iter().filter(|url| parameter(url, "code").is_some()).count();
            assert_eq!(codes, 1);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_nobody_can_bring_any_more_is_removed() -> Outcome<()> {
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let uri = pushed(&server, WEB, &[("login_hint", ADA)]).await?;
    let tenant = server.site.directory.tenant(HARBOUR).unwrap().config.tenant.id;
    let digest = vestibule_crypto::digest::sha256(uri.as_bytes());
    let is_there = async || -> Outcome<bool> {
        let mut tx = server.site.env.db.read().await?;
        Ok(pushed_requests::find(&mut tx, tenant, &digest).await?.is_some())
    };
    jobs::remove_old(&server.site).await?;
    assert!(is_there().await?);
    server.clock.advance(Span::days(2));
    jobs::remove_old(&server.site).await?;
    assert!(!is_there().await?);
    server.finish().await
}
