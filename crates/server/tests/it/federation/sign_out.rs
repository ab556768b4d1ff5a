//! Signing out with the provider, by it, and what is kept of it meanwhile (security.md RP19, RP20).

use serde_json::{Value, json};
use url::Url;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::SessionId;
use vestibule_rules::time::Span;
use vestibule_store::provider_sessions::{self, ProviderSessionRow};
use vestibule_testkit::server::BEGIN;
use vestibule_testkit::{Engine, TestServer};

use super::entrance;
use super::provider::{Provider, Signed};
use crate::client::parameter;
use crate::journeys::passage::{BACK, GUESTS, Hand, ORDERS, PORTAL, guests, people, recorded, tenant};

pub(super) const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const ADA: &str = "ada@northwind.example";

/// Runs a test against a provider with these settings, on each engine.
async fn with_settings(
    settings: &str,
    test: impl AsyncFn(&TestServer, &Provider) -> Outcome<()>,
) -> Outcome<()> {
    on(&Engine::ALL, settings, test).await
}

/// Runs a test against a provider with these settings.
pub(super) async fn on(
    engines: &[Engine],
    settings: &str,
    test: impl AsyncFn(&TestServer, &Provider) -> Outcome<()>,
) -> Outcome<()> {
    for engine in engines.iter().copied() {
        let provider = Provider::start().await?;
        let file = guests(&provider.issuer).replacen(
            "    inboundClaimMapping:",
            &format!("    {settings}\n    inboundClaimMapping:"),
            1,
        );
        let server = TestServer::start(engine, &[&file]).await?;
        test(&server, &provider).await?;
        server.finish().await?;
    }
    Ok(())
}

/// Signs up by the provider and redeems the code.
pub(super) async fn guest(hand: &Hand, provider: &Provider) -> Outcome<Value> {
    let form = entrance(hand).await?;
    let form = provider.travel(hand, &form).await?;
    let back = hand.answer(&form, &[("displayName", "Ada")]).await?.at_app()?;
    Ok(hand.redeem(GUESTS, PORTAL, &back).await?.1)
}

/// Signs in once more, with an account that is there.
async fn returns(hand: &Hand, provider: &Provider) -> Outcome<()> {
    let form = hand.begin(GUESTS, PORTAL, &[]).await?;
    let departure = provider.depart(hand, &form).await?;
    provider.come_back(hand, &departure).await?.at_app().map(drop)
}

/// Whether the browser has a session.
pub(super) async fn is_signed_in(hand: &Hand) -> Outcome<bool> {
    let back = hand.authorize(GUESTS, PORTAL, &[("prompt", "none")]).await?.at_app()?;
    Ok(parameter(&back, "code").is_some())
}

pub(super) fn at(server: &TestServer, path: &str) -> String {
    format!("{}/{GUESTS}/federation/stranger{path}", server.origin)
}

pub(super) fn good(provider: &Provider) -> Value {
    json!({"iss": provider.issuer, "aud": "northgate", "iat": BEGIN.seconds(), "exp": BEGIN.seconds() + 120,
        "jti": "1", "sub": "Subject-1", "events": {EVENT: {}}})
}

pub(super) async fn announce(server: &TestServer, hand: &Hand, token: &str) -> Outcome<u16> {
    let answered = hand.post_across(&at(server, "/backchannel_logout"), &[("logout_token", token)]).await?;
    Ok(answered.status)
}

#[tokio::test]
async fn whoever_signs_out_here_is_led_to_the_provider_and_back_to_the_app() -> Outcome<()> {
    with_settings("signOut: provider", async |server, provider| {
        let hand = Hand::new(server);
        let tokens = guest(&hand, provider).await?;
        let hint = tokens["id_token"].as_str().unwrap();
        let pairs = [("id_token_hint", hint), ("post_logout_redirect_uri", BACK), ("state", "s")];
        let out = format!("{}/{GUESTS}/oauth2/v2.0/logout", server.origin);
        let out = Url::parse_with_params(&out, pairs).unwrap();
        let there = hand.get(out.as_str()).await?.location.unwrap();
        assert!(there.as_str().starts_with(&format!("{}/logout?", provider.issuer)), "{there}");
        let shown = parameter(&there, "id_token_hint").unwrap();
        assert!(shown.starts_with("ey") && shown != hint, "the provider's own: {shown}");
        assert_eq!(parameter(&there, "client_id").unwrap(), "northgate");
        let back = parameter(&there, "post_logout_redirect_uri").unwrap();
        // Both sides are done before the browser leaves: a provider that never sends it back changes nothing.
        assert!(!is_signed_in(&hand).await?);

        let state = parameter(&there, "state").unwrap();
        assert!(!state.contains("localhost"), "where the app is belongs to nobody else: {state}");
        let home = hand.get(Url::parse_with_params(&back, [("state", &state)]).unwrap().as_str()).await?;
        assert_eq!(home.location.unwrap().as_str(), format!("{BACK}?state=s"));
        // A state that somebody made up leads nowhere.
        for made_up in ["https://evil.example/", "", "AAAA", &state[..state.len() - 2]] {
            let url = Url::parse_with_params(&back, [("state", made_up)]).unwrap();
            let page = hand.get(url.as_str()).await?;
            assert_eq!((page.status, page.location), (200, None));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_provider_that_is_gone_keeps_nobody_from_signing_out() -> Outcome<()> {
    with_settings("signOut: provider", async |server, provider| {
        let hand = Hand::new(server);
        let tokens = guest(&hand, provider).await?;
        let hint = tokens["id_token"].as_str().unwrap();
        provider.script().broken = "discovery";
        server.clock.advance(Span::hours(2));
        let out = format!("{}/{GUESTS}/oauth2/v2.0/logout?id_token_hint={hint}", server.origin);
        let page = hand.get(&out).await?;
        assert_eq!((page.status, page.location), (200, None));
        assert!(!is_signed_in(&hand).await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_provider_signs_somebody_out_by_their_session_or_everywhere() -> Outcome<()> {
    // RP20
    with_settings("prompt: login", async |server, provider| {
        let ([first, second], outside) = ([Hand::new(server), Hand::new(server)], Hand::new(server));
        provider.lie(json!({"sid": "session-1"}));
        let tokens = guest(&first, provider).await?;
        provider.lie(json!({"sid": "session-2"}));
        returns(&second, provider).await?;

        let mut one = good(provider);
        one["sid"] = json!("session-1");
        let token = provider.sign(Signed::Well, &one);
        assert_eq!(announce(server, &outside, &token).await?, 200);
        assert!(!is_signed_in(&first).await? && is_signed_in(&second).await?);
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(first.refresh(GUESTS, PORTAL, refresh).await?, 400);
        assert_eq!(recorded(server, GUESTS, "signOut").await?.len(), 1);

        // Everywhere, and what is announced twice does not end what began after the first time.
        let token = provider.sign(Signed::Well, &good(provider));
        assert_eq!(announce(server, &outside, &token).await?, 200);
        assert!(!is_signed_in(&second).await?);
        server.clock.advance(Span::seconds(90));
        provider.script().later = 90;
        returns(&second, provider).await?;
        assert_eq!(announce(server, &outside, &token).await?, 200);
        assert!(is_signed_in(&second).await?);
        // An account of the provider's that has none here.
        let mut stranger = good(provider);
        stranger["sub"] = json!("Subject-9");
        let token = provider.sign(Signed::Well, &stranger);
        assert_eq!(announce(server, &outside, &token).await?, 200);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nobody_else_signs_anybody_out() -> Outcome<()> {
    // RP20, S61
    with_settings("prompt: login", async |server, provider| {
        let (hand, outside) = (Hand::new(server), Hand::new(server));
        provider.lie(json!({"sid": "session-1"}));
        guest(&hand, provider).await?;
        let with = |name: &str, value: Value| {
            let mut claims = good(provider);
            claims[name] = value;
            claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            claims
        };
        let now = BEGIN.seconds();
        for claims in [
            with("iss", json!("https://evil.example")),
            with("aud", json!("another-app")),
            with("events", Value::Null),
            with("events", json!({EVENT: "yes"})),
            with("events", json!({"http://schemas.openid.net/event/other": {}})),
            // An ID token, or what could be shown as one.
            with("nonce", json!("n")),
            with("jti", Value::Null),
            with("sub", Value::Null),
            with("sub", json!(7)),
            with("sid", json!(["session-1"])),
            with("exp", json!(now - 61)),
            with("exp", Value::Null),
            with("iat", Value::Null),
            with("iat", json!(now + 300)),
        ] {
            let status = announce(server, &outside, &provider.sign(Signed::Well, &claims)).await?;
            assert!((400..500).contains(&status), "{status} for {claims}");
        }
        for how in
            [Signed::ByTheOtherKey, Signed::ByTheOtherKeyUnderAFalseName, Signed::None, Signed::WithTheSecret]
        {
            let status = announce(server, &outside, &provider.sign(how, &good(provider))).await?;
            assert!((400..500).contains(&status), "{status}");
        }
        for text in ["", "a.b.c", &"e".repeat(20_000)] {
            let status = announce(server, &outside, text).await?;
            assert!((400..500).contains(&status), "{status}");
        }
        // A session that is somebody else's, or of another provider.
        let other = provider.sign(Signed::Well, &with("sid", json!("session-2")));
        assert_eq!(announce(server, &outside, &other).await?, 200);
        let url = format!("{}/{GUESTS}/federation/second/backchannel_logout", server.origin);
        let token = provider.sign(Signed::Well, &good(provider));
        assert!(outside.post_across(&url, &[("logout_token", token.as_str())]).await?.status >= 400);
        for query in ["", "?iss=x", "?sid=session-1", "?iss=https%3A%2F%2Fevil.example&sid=session-1"] {
            let answered = outside.get(&at(server, &format!("/frontchannel_logout{query}"))).await?;
            assert_eq!(answered.status, 400, "{query}");
        }
        assert!(is_signed_in(&hand).await?);

        let url = Url::parse_with_params(
            &at(server, "/frontchannel_logout"),
            [("iss", provider.issuer.as_str()), ("sid", "session-1")],
        );
        assert_eq!(outside.get(url.unwrap().as_str()).await?.status, 200);
        assert!(!is_signed_in(&hand).await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_providers_own_token_is_for_the_app_that_is_allowed_it() -> Outcome<()> {
    // RP19
    with_settings("keepTokensFor: [Portal]", async |server, provider| {
        let hand = Hand::new(server);
        provider.script().tokens = json!({"expires_in": 3_600, "refresh_token": "r3fresh", "scope": "mail"});
        let tokens = guest(&hand, provider).await?;
        let ours = tokens["access_token"].as_str().unwrap();
        let (status, told) = hand.bearing(&at(server, "/token"), ours).await?;
        let expected =
            json!({"access_token": "a", "token_type": "Bearer", "expires_in": 3_600, "scope": "mail"});
        assert_eq!((status, told), (200, expected));
        // At rest it is sealed.
        let sid = sid_of(server).await?;
        let sealed = kept(server, sid).await?.unwrap().sealed.unwrap();
        assert!(!sealed.windows(7).any(|part| part == b"r3fresh"));

        // Another app, another provider, no token of ours.
        let form = hand.authorize(GUESTS, ORDERS, &[]).await?.at_app()?;
        let other = hand.redeem(GUESTS, ORDERS, &form).await?.1;
        let (status, told) =
            hand.bearing(&at(server, "/token"), other["access_token"].as_str().unwrap()).await?;
        assert!(status == 403 || status == 400, "{status}");
        assert_eq!(told["error"], "access_denied");
        let second = format!("{}/{GUESTS}/federation/second/token", server.origin);
        assert!(hand.bearing(&second, ours).await?.0 >= 400);
        assert!(hand.bearing(&at(server, "/token"), "made up").await?.0 >= 400);

        // It is renewed when it ends, and only for the same person.
        server.clock.advance(Span::seconds(3_580));
        provider.script().later = 3_580;
        let ours = hand.token(GUESTS, PORTAL, &refreshing(&tokens)).await?.1;
        let ours = ours["access_token"].as_str().unwrap();
        provider.lie(json!({"sub": "Subject-2", "nonce": null}));
        assert!(hand.bearing(&at(server, "/token"), ours).await?.0 >= 400);
        provider.lie(json!({"nonce": null}));
        let (status, told) = hand.bearing(&at(server, "/token"), ours).await?;
        assert_eq!((status, &told["access_token"]), (200, &json!("newer")));

        // It ends with the session.
        let out = format!(
            "{}/{GUESTS}/oauth2/v2.0/logout?id_token_hint={}",
            server.origin,
            tokens["id_token"].as_str().unwrap()
        );
        hand.get(&out).await?;
        assert!(hand.bearing(&at(server, "/token"), ours).await?.0 >= 400);
        assert_eq!(kept(server, sid).await?, None);
        Ok(())
    })
    .await
}

fn refreshing(tokens: &Value) -> [(&'static str, &str); 2] {
    [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())]
}

/// What is kept of a session.
async fn kept(server: &TestServer, sid: SessionId) -> Outcome<Option<ProviderSessionRow>> {
    let mut tx = server.site.env.db.read().await?;
    provider_sessions::find(&mut tx, tenant(server, GUESTS), sid).await
}

/// The session of the only guest.
async fn sid_of(server: &TestServer) -> Outcome<SessionId> {
    let guest = people(server, GUESTS, ADA).await?.remove(0);
    let mut tx = server.site.env.db.read().await?;
    let who = ("stranger", guest.id);
    let sids =
        provider_sessions::list_by_user(&mut tx, tenant(server, GUESTS), who, BEGIN + Span::hours(1)).await?;
    Ok(sids[0])
}

#[tokio::test]
async fn without_a_setting_for_it_no_token_is_kept() -> Outcome<()> {
    with_settings("prompt: login", async |server, provider| {
        let hand = Hand::new(server);
        provider.script().tokens = json!({"expires_in": 3_600, "refresh_token": "r3fresh"});
        let tokens = guest(&hand, provider).await?;
        let sid = sid_of(server).await?;
        assert_eq!(kept(server, sid).await?, None);
        let ours = tokens["access_token"].as_str().unwrap();
        assert_eq!(hand.bearing(&at(server, "/token"), ours).await?.1["error"], "access_denied");
        Ok(())
    })
    .await
}
