//! When and for what somebody is asked.

use vestibule_rules::fault::Outcome;
use vestibule_testkit::server;

use super::{ADA, BASIC, MALL, PASSWORD, ROBOT, accepted, ask, asked, at_once, signed_in};
use crate::client::{claims, parameter};
use crate::journeys::passage::{Hand, SHOP, TILL, recorded};

#[tokio::test]
async fn an_app_of_others_is_asked_about_once_and_again_for_what_is_new() -> Outcome<()> {
    // S21
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let silent = [("prompt", "none")];
        assert_eq!(at_once(&hand, ROBOT, BASIC, &silent).await?.as_deref(), Some("consent_required"));
        let back = ask(&hand, ROBOT, BASIC, &silent).await?.at_app()?;
        assert!(parameter(&back, "error_description").unwrap().starts_with("AADSTS65001:"));

        let scope = format!("{BASIC} api://stock/stock.read");
        let form = asked(&hand, ROBOT, &scope, &[]).await?;
        let said = form.page.text("main").unwrap();
        for part in [
            "Robot",
            ADA,
            "robots.example",
            "Sign you in",
            "Keep this access while you are not there",
            "In Stock",
            "See what is in stock",
            "The app sees how many of each thing there are.",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(
            form.page.attribute("a#privacy", "href").as_deref(),
            Some("https://robots.example/privacy")
        );
        assert_eq!(form.page.attribute("a#terms", "href").as_deref(), Some("https://robots.example/terms"));
        let back = hand.answer(&form, &[("action", "accept")]).await?.at_app()?;
        let (_, tokens) = hand.redeem(SHOP, ROBOT, &back).await?;
        assert_eq!(claims(tokens["access_token"].as_str().unwrap())["scp"], "stock.read");
        assert_eq!(recorded(server, SHOP, "consent").await?.len(), 1);

        assert_eq!(at_once(&hand, ROBOT, &scope, &silent).await?, None);
        assert_eq!(at_once(&hand, ROBOT, BASIC, &[]).await?, None);
        let more = format!("{BASIC} email");
        assert_eq!(at_once(&hand, ROBOT, &more, &silent).await?.as_deref(), Some("consent_required"));
        let form = asked(&hand, ROBOT, &more, &[]).await?;
        assert_eq!(form.page.count("ul.permissions li"), 1);
        let form = asked(&hand, ROBOT, BASIC, &[("prompt", "consent")]).await?;
        assert_eq!(form.page.count("ul.permissions li"), 3);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_organisations_own_app_asks_only_when_it_wants_to() -> Outcome<()> {
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        assert_eq!(at_once(&hand, TILL, BASIC, &[]).await?, None);
        let form = asked(&hand, TILL, BASIC, &[("prompt", "consent")]).await?;
        hand.answer(&form, &[("action", "accept")]).await?.at_app()?;
        assert_eq!(at_once(&hand, TILL, BASIC, &[("prompt", "none")]).await?, None);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_newcomer_agrees_after_the_account_is_there_and_before_the_app_gets_anything() -> Outcome<()> {
    server::on_both(&[MALL], async |server| {
        let hand = Hand::new(server);
        let began = ask(&hand, ROBOT, BASIC, &[("prompt", "create")]).await?;
        let form = hand.form(began.location.unwrap().as_str()).await?;
        let form = hand.next(&form, &[("username", ADA)]).await?;
        let code = server.inbox.await_code(ADA).await?;
        let form = hand.next(&form, &[("code", &code)]).await?;
        let stay = hand.next(&form, &[("password", PASSWORD), ("givenName", "Ada")]).await?;
        let form = hand.next(&stay, &[("action", "no")]).await?;
        assert!(form.url.contains("/consent/"), "{}", form.url);
        let declined = hand.answer(&form, &[("action", "cancel")]).await?.at_app()?;
        assert_eq!(parameter(&declined, "error").as_deref(), Some("access_denied"));
        assert!(parameter(&declined, "error_description").unwrap().starts_with("AADSTS65004:"));
        assert!(parameter(&declined, "iss").is_some());
        assert_eq!(parameter(&declined, "code"), None);
        // The account stays, and so does the session.
        assert_eq!(at_once(&hand, TILL, BASIC, &[("prompt", "none")]).await?, None);
        let silent = at_once(&hand, ROBOT, BASIC, &[("prompt", "none")]).await?;
        assert_eq!(silent.as_deref(), Some("consent_required"));
        accepted(&hand, BASIC).await?;

        // Whoever comes back is asked for a proof and nothing else.
        let elsewhere = Hand::new(server);
        let began = ask(&elsewhere, ROBOT, BASIC, &[]).await?;
        let form = elsewhere.form(began.location.unwrap().as_str()).await?;
        let form = elsewhere.next(&form, &[("username", ADA)]).await?;
        let form = elsewhere.next(&form, &[("password", PASSWORD)]).await?;
        let back = elsewhere.answer(&form, &[("action", "no")]).await?.at_app()?;
        assert_eq!(elsewhere.redeem(SHOP, ROBOT, &back).await?.0, 200);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn default_is_what_was_consented_to() -> Outcome<()> {
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let form = asked(&hand, ROBOT, "openid api://stock/.default", &[]).await?;
        assert!(!form.page.text("main").unwrap().contains("Change stock"));
        let back = hand.answer(&form, &[("action", "accept")]).await?.at_app()?;
        let (_, tokens) = hand.redeem(SHOP, ROBOT, &back).await?;
        assert_eq!(claims(tokens["access_token"].as_str().unwrap())["scp"], "stock.read");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn whoever_signs_in_anew_and_agrees_is_not_asked_for_a_proof_twice() -> Outcome<()> {
    // S22
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let began = ask(&hand, ROBOT, BASIC, &[("max_age", "0")]).await?;
        let form = hand.form(began.location.unwrap().as_str()).await?;
        let form = hand.next(&form, &[("username", ADA)]).await?;
        let form = hand.next(&form, &[("password", PASSWORD)]).await?;
        let form = hand.next(&form, &[("action", "no")]).await?;
        assert!(form.url.contains("/consent/"), "{}", form.url);
        let back = hand.answer(&form, &[("action", "accept")]).await?.at_app()?;
        assert_eq!(hand.redeem(SHOP, ROBOT, &back).await?.0, 200);
        Ok(())
    })
    .await
}
