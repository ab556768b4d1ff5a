//! Signing out everywhere, and what another node makes of it at once.

use std::collections::BTreeSet;

use serde_json::Value;
use tokio::sync::Mutex;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_service::account;
use vestibule_service::directory::{Actor, Author};
use vestibule_testkit::engines::Engine;
use vestibule_testkit::server::{self, SecondNode};
use vestibule_testkit::{TestServer, server::secret};

use super::{ADA, BOB, at_once, both, harbour, sign_up};
use crate::client::{claims, parameter};
use crate::conformance::logout::{back_channel, logout_token};
use crate::journeys::passage::{Form, GUESTS, Hand, PORTAL, disable, recorded};

/// The page of the account in use.
async fn own(server: &TestServer, hand: &Hand) -> Outcome<Form> {
    hand.form(&format!("{}/{GUESTS}/account", server.origin)).await
}

/// Tokens of whoever is signed in.
async fn tokens(hand: &Hand) -> Outcome<Value> {
    let back = hand.authorize(GUESTS, PORTAL, &[]).await?.at_app()?;
    Ok(hand.redeem(GUESTS, PORTAL, &back).await?.1)
}

/// Two browsers in which Ada is signed in: where she signed up, and where she came back.
async fn in_two_browsers(server: &TestServer) -> Outcome<(Hand, Hand)> {
    let (here, there) = (Hand::new(server), Hand::new(server));
    sign_up(server, &here, ADA).await?;
    let form = there.begin(GUESTS, PORTAL, &[]).await?;
    let form = there.next(&form, &[("username", ADA)]).await?;
    let code = server.inbox.await_code(ADA).await?;
    there.answer(&form, &[("code", &code)]).await?.at_app()?;
    Ok((here, there))
}

#[tokio::test]
async fn a_person_signs_out_of_every_browser_and_app() -> Outcome<()> {
    // S77, A41
    server::on_nodes(&[&harbour()], async |server| {
        let (here, there) = in_two_browsers(server).await?;
        let granted = tokens(&there).await?;
        let page = own(server, &here).await?;
        assert!(page.page.text("main").unwrap().contains(ADA));
        // A45: neither without the token, nor from another site, nor with a token of another session.
        let yes = ("action", "sign-out-everywhere");
        assert_eq!(here.post(&page.url, &[yes]).await?.status, 403);
        assert_eq!(here.post_from_app(&page.url, &[("csrf", &page.csrf), yes]).await?.status, 403);
        let others = own(server, &there).await?;
        assert_eq!(here.post(&page.url, &[("csrf", &others.csrf), yes]).await?.status, 403);
        assert_eq!(at_once(&there, &[("prompt", "none")]).await?, ADA);

        let done = here.answer(&page, &[yes]).await?;
        assert_eq!((done.status, done.session()), (200, Some("")));
        for hand in [&here, &there] {
            assert_eq!(at_once(hand, &[("prompt", "none")]).await?, "login_required");
        }
        assert_eq!(there.refresh(GUESTS, PORTAL, granted["refresh_token"].as_str().unwrap()).await?, 400);
        assert_eq!(recorded(server, GUESTS, "signOutEverywhere").await?.len(), 1);
        assert!(!own(server, &here).await?.page.has("form"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn each_app_is_told_once_of_each_session_that_ends() -> Outcome<()> {
    // S77
    let (address, bodies) = back_channel().await?;
    let bodies = Mutex::new(bodies);
    let mark = format!("    appId: {PORTAL}\n");
    let file = harbour();
    assert!(file.contains(&mark));
    let file = file.replacen(&mark, &format!("{mark}    backChannelLogoutUri: {address}\n"), 1);
    server::on_nodes(&[&file], async |server| {
        let (here, there) = in_two_browsers(server).await?;
        let mut ended = BTreeSet::new();
        for hand in [&here, &there] {
            // However many grants an app has.
            for _ in 0..2 {
                let granted = tokens(hand).await?;
                ended.insert(claims(granted["id_token"].as_str().unwrap())["sid"].to_string());
            }
        }
        assert_eq!(ended.len(), 2);
        let page = own(server, &here).await?;
        here.answer(&page, &[("action", "sign-out-everywhere")]).await?;
        let mut bodies = bodies.lock().await;
        let mut told = BTreeSet::new();
        for _ in 0..2 {
            told.insert(claims(&logout_token(&bodies.recv().await.unwrap()))["sid"].to_string());
        }
        assert_eq!(told, ended);
        assert!(bodies.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn others_in_the_browser_stay_when_one_signs_out_everywhere() -> Outcome<()> {
    server::on_nodes(&[&harbour()], async |server| {
        let hand = both(server).await?;
        let old = hand.cookie("vestibule-session-").unwrap();
        let page = own(server, &hand).await?;
        assert!(page.page.text("main").unwrap().contains(BOB));
        hand.answer(&page, &[("action", "sign-out-everywhere")]).await?;
        assert_ne!(hand.cookie("vestibule-session-").as_deref(), Some(old.as_str()));
        assert_eq!(at_once(&hand, &[("prompt", "none"), ("login_hint", BOB)]).await?, "login_required");
        assert_eq!(at_once(&hand, &[("prompt", "none"), ("login_hint", ADA)]).await?, ADA);
        let url = hand.address(GUESTS, PORTAL, &[("prompt", "none"), ("login_hint", ADA)]);
        let back = hand.with_cookies(&url, &format!("vestibule-session-7b9ec640={old}")).await?.at_app()?;
        assert_eq!(parameter(&back, "error").as_deref(), Some("login_required"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_operator_signs_somebody_out_everywhere() -> Outcome<()> {
    // S77
    server::on_nodes(&[&harbour()], async |server| {
        let hand = Hand::new(server);
        sign_up(server, &hand, ADA).await?;
        let granted = tokens(&hand).await?;
        sign_out(server, ADA).await?;
        assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, "login_required");
        assert_eq!(hand.refresh(GUESTS, PORTAL, granted["refresh_token"].as_str().unwrap()).await?, 400);
        assert!(sign_out(server, "nobody@northwind.example").await.is_err());
        Ok(())
    })
    .await
}

/// What `vestibule user sign-out` does.
async fn sign_out(server: &TestServer, address: &str) -> Outcome<u64> {
    let env = &server.site.env;
    let author = Author {
        actor: Actor::Operator,
        now: env.now(),
        correlation: env.guid().to_string(),
        entropy: &*env.entropy,
    };
    account::sign_out(&env.db, (GUESTS, address), &author).await
}

/// What a node says: of the access token, to its resource and to userinfo, of the refresh token, and to a browser that
/// asks without a page.
async fn standing(node: &str, hand: &Hand, granted: &Value) -> Outcome<(bool, u16, u16, bool)> {
    #[expect(clippy::disallowed_methods, reason = "an app is the outside world")]
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(broken)?;
    let access = granted["access_token"].as_str().unwrap();
    let proof = secret("secrets/app");
    let form = [("client_id", PORTAL), ("client_secret", proof.expose().as_str())];
    let ask = async |path: &str, more: &[(&str, &str)]| -> Outcome<(u16, Value)> {
        let mut all = form.to_vec();
        all.extend(more);
        let answer = client.post(format!("{node}/{GUESTS}/oauth2/v2.0/{path}")).form(&all).send().await;
        let answer = answer.map_err(broken)?;
        let status = answer.status().as_u16();
        Ok((status, answer.json().await.map_err(broken)?))
    };
    let active = ask("introspect", &[("token", access)]).await?.1["active"] == true;
    let userinfo = client.get(format!("{node}/{GUESTS}/openid/userinfo")).bearer_auth(access).send().await;
    let userinfo = userinfo.map_err(broken)?.status().as_u16();
    let refresh = granted["refresh_token"].as_str().unwrap();
    let refreshed = ask("introspect", &[("token", refresh)]).await?.1["active"] == true;
    let url = hand.address(GUESTS, PORTAL, &[("prompt", "none")]);
    let path = url.split_once("/oauth2").unwrap().1;
    let cookie = hand.cookie("vestibule-session-").unwrap_or_default();
    let request = client.get(format!("{node}/{GUESTS}/oauth2{path}"));
    let request = request.header("cookie", format!("vestibule-session-7b9ec640={cookie}"));
    let answer = request.send().await.map_err(broken)?;
    let location = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
    let signed_in = location.contains("code=");
    Ok((active, userinfo, if refreshed { 200 } else { 400 }, signed_in))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn broken(error: reqwest::Error) -> Fault {
    Fault::ours(error.to_string())
}

#[tokio::test]
async fn another_node_refuses_at_once_what_was_revoked_here() -> Outcome<()> {
    // S68, S86, S87, A40: two servers on one database, and not a moment in between.
    let server = TestServer::start(Engine::Postgres, &[&harbour()]).await?;
    let second = SecondNode::beside(&server).await?;
    let good = (true, 200, 200, true);
    let dead = (false, 401, 400, false);
    for (address, how) in [
        (ADA, "signs out everywhere"),
        (BOB, "is switched off"),
        ("eve@northwind.example", "signs out at an app"),
        ("mia@northwind.example", "is signed out by an operator"),
    ] {
        let hand = Hand::new(&server);
        sign_up(&server, &hand, address).await?;
        let granted = tokens(&hand).await?;
        assert_eq!(standing(&second.origin, &hand, &granted).await?, good, "{how}");
        let cookie = hand.cookie("vestibule-session-").unwrap();
        match how {
            "signs out everywhere" => {
                let page = own(&server, &hand).await?;
                hand.answer(&page, &[("action", "sign-out-everywhere")]).await?;
            }
            "is switched off" => disable(&server, GUESTS, address).await?,
            "signs out at an app" => {
                let hint = granted["id_token"].as_str().unwrap();
                let out = format!("{}/{GUESTS}/oauth2/v2.0/logout?id_token_hint={hint}", server.origin);
                assert_eq!(hand.get(&out).await?.status, 200);
            }
            _ => drop(sign_out(&server, address).await?),
        }
        hand.holds("vestibule-session-7b9ec640", &cookie);
        assert_eq!(standing(&second.origin, &hand, &granted).await?, dead, "{how}");
    }
    second.finish().await?;
    server.finish().await
}
