//! The plans of the suite about what comes after a sign-in: `oidcc-client-refreshtoken-test-plan`,
//! `oidcc-client-rp-initiated-logout-rp-basic`, `oidcc-client-front-channel-logout-rp-basic` and
//! `oidcc-client-back-channel-logout-rp-basic`.

use serde_json::{Value, json};
use url::Url;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::{Engine, TestServer};

use super::super::provider::{Provider, Signed};
use super::super::sign_out::{EVENT, announce, at, good, guest, is_signed_in, on};
use crate::client::parameter;
use crate::journeys::passage::{BACK, GUESTS, Hand, PORTAL};

/// Signs in and out again, up to the suite's end session endpoint; what the browser is sent there with.
async fn leaves(server: &TestServer, provider: &Provider, hand: &Hand, state: Option<&str>) -> Outcome<Url> {
    provider.lie(json!({"sid": "session-1"}));
    let tokens = guest(hand, provider).await?;
    let mut out = Url::parse(&format!("{}/{GUESTS}/oauth2/v2.0/logout", server.origin)).unwrap();
    out.query_pairs_mut()
        .append_pair("id_token_hint", tokens["id_token"].as_str().unwrap())
        .append_pair("post_logout_redirect_uri", BACK)
        .extend_pairs(state.map(|state| ("state", state)));
    Ok(hand.get(out.as_str()).await?.location.unwrap())
}

/// Comes back from the suite with this state, and to where that leads.
async fn comes_back(hand: &Hand, there: &Url, state: &str) -> Outcome<Option<Url>> {
    let back = parameter(there, "post_logout_redirect_uri").unwrap();
    let back = Url::parse_with_params(&back, [("state", state)]).unwrap();
    Ok(hand.get(back.as_str()).await?.location)
}

async fn signs_out(state: Option<&str>, at_the_app: &str) -> Outcome<()> {
    on(&[Engine::Sqlite], "signOut: provider", async |server, provider| {
        let hand = Hand::new(server);
        let there = leaves(server, provider, &hand, state).await?;
        let ours = parameter(&there, "state").unwrap();
        assert_eq!(comes_back(&hand, &there, &ours).await?.unwrap().as_str(), at_the_app);
        assert!(!is_signed_in(&hand).await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn oidcc_client_test_rp_init_logout() -> Outcome<()> {
    signs_out(Some("s"), "http://localhost:3001/callback?state=s").await
}

#[tokio::test]
async fn oidcc_client_test_rp_init_logout_no_state() -> Outcome<()> {
    signs_out(None, "http://localhost:3001/callback").await
}

#[tokio::test]
async fn oidcc_client_test_rp_init_logout_other_state() -> Outcome<()> {
    on(&[Engine::Sqlite], "signOut: provider", async |server, provider| {
        let hand = Hand::new(server);
        let there = leaves(server, provider, &hand, Some("s")).await?;
        assert_eq!(comes_back(&hand, &there, "another").await?, None);
        assert!(!is_signed_in(&hand).await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn oidcc_client_test_rp_frontchannel_rpinitlogout() -> Outcome<()> {
    on(&[Engine::Sqlite], "signOut: provider", async |server, provider| {
        let (hand, frame) = (Hand::new(server), Hand::new(server));
        let there = leaves(server, provider, &hand, Some("s")).await?;
        let told = [("iss", provider.issuer.as_str()), ("sid", "session-1")];
        let told = Url::parse_with_params(&at(server, "/frontchannel_logout"), told).unwrap();
        assert_eq!(frame.get(told.as_str()).await?.status, 200);
        let ours = parameter(&there, "state").unwrap();
        assert!(comes_back(&hand, &there, &ours).await?.is_some());
        Ok(())
    })
    .await
}

/// The suite posts a logout token while the browser is at its end session endpoint, and once more for somebody who has
/// not left: `status` is what it gets both times.
async fn hears(signed: Signed, lie: Value, status: u16) -> Outcome<()> {
    on(&[Engine::Sqlite], "signOut: provider", async |server, provider| {
        let (hand, outside) = (Hand::new(server), Hand::new(server));
        let mut claims = good(provider);
        claims["sid"] = json!("session-1");
        claims.as_object_mut().unwrap().extend(lie.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let token = provider.sign(signed, &claims);
        let there = leaves(server, provider, &hand, Some("s")).await?;
        assert_eq!(announce(server, &outside, &token).await?, status);
        let ours = parameter(&there, "state").unwrap();
        assert!(comes_back(&hand, &there, &ours).await?.is_some());

        let form = hand.begin(GUESTS, PORTAL, &[]).await?;
        let departure = provider.depart(&hand, &form).await?;
        provider.come_back(&hand, &departure).await?.at_app()?;
        assert_eq!(announce(server, &outside, &token).await?, status);
        assert_eq!(is_signed_in(&hand).await?, status == 400);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout() -> Outcome<()> {
    hears(Signed::Well, json!({}), 200).await
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_alg_none() -> Outcome<()> {
    hears(Signed::None, json!({}), 400).await
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_alg() -> Outcome<()> {
    hears(Signed::WithTheSecret, json!({}), 400).await
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_no_event() -> Outcome<()> {
    hears(Signed::Well, json!({"events": null}), 400).await
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_event() -> Outcome<()> {
    hears(Signed::Well, json!({"events": {format!("{EVENT}-of-another-kind"): {}}}), 400).await
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_with_nonce() -> Outcome<()> {
    hears(Signed::Well, json!({"nonce": "n"}), 400).await
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_aud() -> Outcome<()> {
    hears(Signed::Well, json!({"aud": "another"}), 400).await
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_iss() -> Outcome<()> {
    hears(Signed::Well, json!({"iss": "https://another.example"}), 400).await
}

/// The suite renews a token with an ID token that says `lie`; whether the app gets the renewed one.
async fn renews(lie: Value, is_good: bool) -> Outcome<()> {
    on(&[Engine::Sqlite], "keepTokensFor: [Portal]", async |server, provider| {
        let hand = Hand::new(server);
        provider.script().tokens = json!({"expires_in": 60, "refresh_token": "r3fresh"});
        let tokens = guest(&hand, provider).await?;
        server.clock.advance(Span::seconds(50));
        provider.lie(lie.clone());
        let ours = tokens["access_token"].as_str().unwrap();
        let (status, told) = hand.bearing(&at(server, "/token"), ours).await?;
        assert_eq!((status == 200, told["access_token"] == "newer"), (is_good, is_good), "{told}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn oidcc_client_test_refresh_token() -> Outcome<()> {
    renews(json!({"nonce": null}), true).await
}

#[tokio::test]
async fn oidcc_client_test_refresh_token_invalid_issuer() -> Outcome<()> {
    renews(json!({"nonce": null, "iss": "https://another.example"}), false).await
}

#[tokio::test]
async fn oidcc_client_test_refresh_token_invalid_sub() -> Outcome<()> {
    renews(json!({"nonce": null, "sub": "Subject-2"}), false).await
}

#[tokio::test]
async fn oidcc_client_test_refresh_token_invalid_aud() -> Outcome<()> {
    renews(json!({"nonce": null, "aud": "another"}), false).await
}

#[tokio::test]
async fn oidcc_client_test_refresh_token_invalid_azp() -> Outcome<()> {
    renews(json!({"nonce": null, "azp": "northgate"}), false).await
}
