//! Taking a consent back, and what ends with it.

use serde_json::{Value, json};
use tokio::sync::Mutex;
use vestibule_rules::fault::Outcome;
use vestibule_testkit::{TestServer, server};

use super::{ADA, BASIC, EVE, MALL, ROBOT, accepted, at_once, refusal, signed_in};
use crate::client::claims;
use crate::conformance::logout::{back_channel, logout_token};
use crate::journeys::passage::{Form, Hand, SHOP, TILL, recorded};

async fn apps(server: &TestServer, hand: &Hand) -> Outcome<Form> {
    hand.form(&format!("{}/{SHOP}/account/apps", server.origin)).await
}

async fn withdraw(server: &TestServer, hand: &Hand) -> Outcome<()> {
    let form = apps(server, hand).await?;
    assert_eq!(hand.answer(&form, &[("client", ROBOT)]).await?.status, 303);
    Ok(())
}

async fn refreshed(hand: &Hand, tokens: &Value) -> Outcome<(u16, Value)> {
    let refresh = tokens["refresh_token"].as_str().unwrap();
    hand.token(SHOP, ROBOT, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await
}

#[tokio::test]
async fn a_person_takes_access_back_and_everything_that_the_app_got_ends() -> Outcome<()> {
    // S77, S68
    server::on_nodes(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let tokens = accepted(&hand, BASIC).await?;
        let userinfo = format!("{}/{SHOP}/openid/userinfo", server.origin);
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(hand.bearing(&userinfo, access).await?.0, 200);
        let page = apps(server, &hand).await?.page;
        let said = page.text("main").unwrap();
        for part in ["Robot", ADA, "Since 2026-11-24", "Sign you in"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        withdraw(server, &hand).await?;
        assert!(apps(server, &hand).await?.page.has("#none"));
        assert_eq!(hand.bearing(&userinfo, access).await?.0, 401);
        assert_eq!(refusal(&refreshed(&hand, &tokens).await?.1), ("invalid_grant", 50_173, "bad_token"));
        let silent = at_once(&hand, ROBOT, BASIC, &[("prompt", "none")]).await?;
        assert_eq!(silent.as_deref(), Some("consent_required"));
        // The session and other apps are left alone.
        assert_eq!(at_once(&hand, TILL, BASIC, &[("prompt", "none")]).await?, None);
        assert_eq!(recorded(server, SHOP, "withdrawConsent").await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_code_dies_with_the_consent_behind_it() -> Outcome<()> {
    // S34
    server::on_nodes(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        accepted(&hand, BASIC).await?;
        let back = super::ask(&hand, ROBOT, BASIC, &[]).await?.at_app()?;
        withdraw(server, &hand).await?;
        let (status, body) = hand.redeem(SHOP, ROBOT, &back).await?;
        assert_eq!((status, body["error"].as_str()), (400, Some("invalid_grant")), "{body}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_app_that_became_one_of_others_needs_consent_for_what_it_has() -> Outcome<()> {
    // S34: nobody withdrew anything; the consent was never there.
    let own = MALL.replacen("    consent: required\n", "", 1);
    server::on_nodes(&[&own], async |server| {
        let hand = signed_in(server, ADA).await?;
        let back = super::ask(&hand, ROBOT, BASIC, &[]).await?.at_app()?;
        let (_, tokens) = hand.redeem(SHOP, ROBOT, &back).await?;
        let unspent = super::ask(&hand, ROBOT, BASIC, &[]).await?.at_app()?;
        server.apply(&[MALL]).await?;
        let gone = ("invalid_grant", 65_001, "consent_required");
        assert_eq!(refusal(&hand.redeem(SHOP, ROBOT, &unspent).await?.1), gone);
        assert_eq!(refusal(&refreshed(&hand, &tokens).await?.1), gone);
        let userinfo = format!("{}/{SHOP}/openid/userinfo", server.origin);
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(hand.bearing(&userinfo, access).await?.0, 401);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nobody_takes_back_what_somebody_else_gave() -> Outcome<()> {
    // A45
    server::on_nodes(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let tokens = accepted(&hand, BASIC).await?;
        let form = apps(server, &hand).await?;
        let client = ("client", ROBOT);
        assert_eq!(hand.post(&form.url, &[client]).await?.status, 403);
        assert_eq!(hand.post_from_app(&form.url, &[("csrf", &form.csrf), client]).await?.status, 403);
        assert_eq!(hand.post_across(&form.url, &[("csrf", &form.csrf), client]).await?.status, 403);
        let thief = signed_in(server, EVE).await?;
        accepted(&thief, BASIC).await?;
        assert_eq!(
            hand.post(&form.url, &[("csrf", &apps(server, &thief).await?.csrf), client]).await?.status,
            403
        );
        assert_eq!(thief.post(&form.url, &[("csrf", &form.csrf), client]).await?.status, 403);
        // Eve takes back her own, and Ada's stays.
        withdraw(server, &thief).await?;
        assert_eq!(refreshed(&hand, &tokens).await?.0, 200);
        // Nobody is shown anything without a session.
        let nobody = Hand::new(server);
        assert!(!apps(server, &nobody).await?.page.has("form"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_app_is_told_of_it_on_its_back_channel() -> Outcome<()> {
    // S77
    let (address, bodies) = back_channel().await?;
    let bodies = Mutex::new(bodies);
    let mark = "    publisherDomain: robots.example\n";
    let file = MALL.replacen(mark, &format!("{mark}    backChannelLogoutUri: {address}\n"), 1);
    server::on_nodes(&[&file], async |server| {
        let hand = signed_in(server, ADA).await?;
        let tokens = accepted(&hand, BASIC).await?;
        withdraw(server, &hand).await?;
        let told = claims(&logout_token(&bodies.lock().await.recv().await.unwrap()));
        let id = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!((&told["aud"], &told["sub"]), (&json!(ROBOT), &id["sub"]));
        assert!(told["events"].get("http://schemas.openid.net/event/backchannel-logout").is_some());
        Ok(())
    })
    .await
}
