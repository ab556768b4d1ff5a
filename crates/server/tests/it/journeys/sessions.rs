//! Sessions: single sign-on, what ends them, and who cannot get one (security.md A39, S84 to S87, U12).

use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_store::users;
use vestibule_testkit::{TestServer, server};

use super::passage::{GUESTS, Hand, ORDERS, PORTAL, SHOP, TILL};
use super::passage::{disable, guests, people, recorded, shop, tenant};
use crate::client::{claims, parameter};

const ADA: &str = "ada@northwind.example";
const PASSWORD: &str = "seven green lanterns in the fog";
const RENEWED: &str = "eight blue herons on the quay";
const NOBODY: &str = "https://nobody.example";

/// The error that an app gets that asks without any page.
async fn silently(hand: &Hand, tenant: &str, app: &str) -> Outcome<Option<String>> {
    let back = hand.authorize(tenant, app, &[("prompt", "none")]).await?.at_app()?;
    Ok(parameter(&back, "error"))
}

/// Replaces the password by a code, in a browser of its own.
async fn reset(server: &TestServer) -> Outcome<()> {
    let owner = Hand::new(server);
    let form = owner.begin(SHOP, TILL, &[]).await?;
    let form = owner.next(&form, &[("username", ADA)]).await?;
    let form = owner.next(&form, &[("action", "forgot-password")]).await?;
    let code = server.inbox.await_code(ADA).await?;
    let form = owner.next(&form, &[("code", &code)]).await?;
    let form = owner.next(&form, &[("password", RENEWED)]).await?;
    // The owner is in, and was told by mail.
    owner.answer(&form, &[("action", "no")]).await?.at_app()?;
    assert_eq!(silently(&owner, SHOP, TILL).await?, None);
    server.inbox.await_mail(ADA).await.map(drop)
}

#[tokio::test]
async fn who_is_signed_in_is_asked_nothing_in_another_app() -> Outcome<()> {
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let back = hand.become_guest(server, ADA).await?;
        let (_, first) = hand.redeem(GUESTS, PORTAL, &back).await?;
        let back = hand.authorize(GUESTS, ORDERS, &[]).await?.at_app()?;
        let (_, second) = hand.redeem(GUESTS, ORDERS, &back).await?;
        let (first, second) =
            (claims(first["id_token"].as_str().unwrap()), claims(second["id_token"].as_str().unwrap()));
        assert_eq!(first["oid"], second["oid"]);
        assert_ne!(first["sub"], second["sub"]);
        // Another browser is nobody.
        assert_eq!(silently(&Hand::new(server), GUESTS, ORDERS).await?.as_deref(), Some("login_required"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_comes_back_is_asked_for_a_proof_and_nothing_else() -> Outcome<()> {
    // EXIST-04
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        Hand::new(server).become_guest(server, ADA).await?;
        let hand = Hand::new(server);
        let form = hand.begin(GUESTS, PORTAL, &[]).await?;
        let form = hand.next(&form, &[("username", "Ada@Northwind.example")]).await?;
        let code = server.inbox.await_code("Ada@Northwind.example").await?;
        hand.answer(&form, &[("code", &code)]).await?.at_app()?;
        assert_eq!(people(server, GUESTS, ADA).await?.len(), 1);
        assert_eq!(recorded(server, GUESTS, "signIn").await?.len(), 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_session_dies_with_its_account() -> Outcome<()> {
    // S87
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let (hand, other) = (Hand::new(server), Hand::new(server));
        let back = hand.become_guest(server, ADA).await?;
        let (_, tokens) = hand.redeem(GUESTS, PORTAL, &back).await?;
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let unspent = hand.authorize(GUESTS, ORDERS, &[]).await?.at_app()?;
        disable(server, GUESTS, ADA).await?;
        assert_eq!(silently(&hand, GUESTS, PORTAL).await?.as_deref(), Some("login_required"));
        assert_eq!(hand.refresh(GUESTS, PORTAL, refresh).await?, 400);
        assert_eq!(hand.redeem(GUESTS, ORDERS, &unspent).await?.0, 400);

        let eve = "eve@northwind.example";
        other.become_guest(server, eve).await?;
        let (tenant, user) = (tenant(server, GUESTS), people(server, GUESTS, eve).await?.remove(0));
        let now = server.site.env.now();
        server
            .site
            .env
            .db
            .write(move |tx| Box::pin(async move { users::remove(tx, tenant, user.id, now).await }))
            .await?;
        assert_eq!(silently(&other, GUESTS, PORTAL).await?.as_deref(), Some("login_required"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn signing_out_ends_the_session_and_no_old_form_brings_it_back() -> Outcome<()> {
    server::on_nodes(&[&shop()], async |server| {
        let hand = Hand::new(server);
        let stay = hand.almost_customer(server, (ADA, PASSWORD)).await?;
        let back = hand.answer(&stay, &[("action", "no")]).await?.at_app()?;
        let (_, tokens) = hand.redeem(SHOP, TILL, &back).await?;
        let hint = tokens["id_token"].as_str().unwrap();
        let url = format!("{}/{SHOP}/oauth2/v2.0/logout?id_token_hint={hint}", server.origin);
        assert_eq!(hand.get(&url).await?.status, 200);

        assert_eq!(silently(&hand, SHOP, TILL).await?.as_deref(), Some("login_required"));
        assert_eq!(hand.refresh(SHOP, TILL, tokens["refresh_token"].as_str().unwrap()).await?, 400);
        // The browser still has the last form, and its minute is not over.
        let again = hand.answer(&stay, &[("action", "yes")]).await?;
        assert_eq!(again.location.map(String::from).as_deref(), Some(stay.url.as_str()));
        assert_eq!(silently(&hand, SHOP, TILL).await?.as_deref(), Some("login_required"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_new_password_ends_everything_that_the_old_one_opened() -> Outcome<()> {
    // U12, S77
    server::on_nodes(&[&shop()], async |server| {
        let hand = Hand::new(server);
        let stay = hand.almost_customer(server, (ADA, PASSWORD)).await?;
        let back = hand.answer(&stay, &[("action", "no")]).await?.at_app()?;
        let (_, tokens) = hand.redeem(SHOP, TILL, &back).await?;
        let unspent = hand.authorize(SHOP, TILL, &[]).await?.at_app()?;
        // A thief with the password waits at the last page, for the owner to think that all is well.
        let thief = Hand::new(server);
        let parked = thief.with_password(ADA, PASSWORD).await?;
        assert_eq!(parked.asks(), "stay");

        server.clock.advance(Span::seconds(1));
        reset(server).await?;

        assert_eq!(silently(&hand, SHOP, TILL).await?.as_deref(), Some("login_required"));
        assert_eq!(hand.refresh(SHOP, TILL, tokens["refresh_token"].as_str().unwrap()).await?, 400);
        assert_eq!(hand.redeem(SHOP, TILL, &unspent).await?.0, 400);
        let late = thief.answer(&parked, &[]).await?;
        assert_eq!(late.status, 410, "{}", late.body);
        assert_eq!(silently(&thief, SHOP, TILL).await?.as_deref(), Some("login_required"));

        let form = hand.with_password(ADA, PASSWORD).await?;
        assert_eq!(form.problem(), "password-wrong");
        assert_eq!(recorded(server, SHOP, "signInFailure").await?.len(), 1);
        assert_eq!(recorded(server, SHOP, "passwordReset").await?.len(), 1);
        assert_eq!(hand.with_password(ADA, RENEWED).await?.asks(), "stay");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn passwords_are_guessed_ten_times_and_then_not_compared() -> Outcome<()> {
    // A11, A15, PW-03: parallel guesses do not outrun the counter.
    server::on_nodes(&[&shop()], async |server| {
        let owner = Hand::new(server);
        let stay = owner.almost_customer(server, (ADA, PASSWORD)).await?;
        owner.answer(&stay, &[("action", "no")]).await?.at_app()?;
        let hand = Hand::new(server);
        let form = hand.begin(SHOP, TILL, &[("login_hint", ADA)]).await?;
        let form = hand.next(&form, &[("username", "ADA@northwind.example")]).await?;
        let guess = [("password", "not the password at all")];
        let first = (0..4).map(|_| hand.answer(&form, &guess));
        for answered in futures_util::future::join_all(first).await {
            assert_eq!(answered?.status, 303);
        }
        let mut form = hand.form(&form.url).await?;
        // Each of the four was counted, whether it was judged or not.
        for _ in 0..6 {
            form = hand.next(&form, &guess).await?;
            assert_eq!(form.problem(), "password-wrong");
        }
        form = hand.next(&form, &[("password", PASSWORD)]).await?;
        assert_eq!(form.problem(), "password-throttled");
        server.clock.advance(Span::minutes(1));
        assert_eq!(hand.next(&form, &[("password", PASSWORD)]).await?.asks(), "stay");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_session_has_a_new_name_at_every_sign_in() -> Outcome<()> {
    // A39, S86: whoever planted or kept a cookie has nothing.
    server::on_nodes(&[&shop()], async |server| {
        let hand = Hand::new(server);
        let stay = hand.almost_customer(server, (ADA, PASSWORD)).await?;
        let planted = "vestibule-browser=; vestibule-session-7b9ec640=planted";
        let begun = hand.with_cookies(&hand.address(SHOP, TILL, &[]), planted).await?;
        assert_eq!(begun.cookies[0].0, "vestibule-browser");
        let silent = hand.address(SHOP, TILL, &[("prompt", "none")]);
        let answered = hand.answer(&stay, &[("action", "no")]).await?;
        let first = answered.session().unwrap().to_owned();
        assert_eq!(first.len(), 43);

        let form = hand.begin(SHOP, TILL, &[("prompt", "login")]).await?;
        let form = hand.next(&form, &[("username", ADA)]).await?;
        let form = hand.next(&form, &[("password", PASSWORD)]).await?;
        let second = hand.answer(&form, &[]).await?.session().unwrap().to_owned();
        assert_ne!(first, second);
        let error = async |cookies: &str| {
            let back = hand.with_cookies(&silent, cookies).await?.at_app()?;
            Ok::<_, vestibule_rules::fault::Fault>(parameter(&back, "error"))
        };
        assert_eq!(error(planted).await?.as_deref(), Some("login_required"));
        assert_eq!(
            error(&format!("vestibule-session-7b9ec640={first}")).await?.as_deref(),
            Some("login_required")
        );
        assert_eq!(error(&format!("vestibule-session-7b9ec640={second}")).await?, None);
        Ok(())
    })
    .await
}
