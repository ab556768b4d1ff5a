//! Attacks on the page that asks (security.md A45, S15, S88).

use vestibule_rules::fault::Outcome;
use vestibule_testkit::server;

use super::{ADA, BASIC, EVE, MALL, ROBOT, TELEVISION, asked, at_once, signed_in};
use crate::client::{claims, parameter};
use crate::journeys::passage::SHOP;

const SILENT: &[(&str, &str)] = &[("prompt", "none")];

#[tokio::test]
async fn nobody_agrees_for_somebody_else() -> Outcome<()> {
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let form = asked(&hand, ROBOT, BASIC, &[]).await?;
        let yes = ("action", "accept");
        let good = [("csrf", form.csrf.as_str()), ("step", form.step.as_str()), yes];
        // Without the token, with a made-up one, from the app's page, from anywhere.
        assert_eq!(hand.post(&form.url, &[("step", &form.step), yes]).await?.status, 403);
        let forged = [("csrf", "forged"), ("step", form.step.as_str()), yes];
        assert_eq!(hand.post(&form.url, &forged).await?.status, 403);
        assert_eq!(hand.post_from_app(&form.url, &good).await?.status, 403);
        assert_eq!(hand.post_across(&form.url, &good).await?.status, 403);
        // Another browser, signed in as somebody else.
        let thief = signed_in(server, EVE).await?;
        assert_eq!(thief.get(&form.url).await?.status, 404);
        assert_eq!(thief.post(&form.url, &good).await?.status, 404);
        // The token of another request of the same browser.
        let other = asked(&hand, ROBOT, BASIC, &[]).await?;
        let swapped = [("csrf", other.csrf.as_str()), ("step", form.step.as_str()), yes];
        assert_eq!(hand.post(&form.url, &swapped).await?.status, 403);
        for hand in [&hand, &thief] {
            assert_eq!(at_once(hand, ROBOT, BASIC, SILENT).await?.as_deref(), Some("consent_required"));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_page_cannot_be_framed() -> Outcome<()> {
    // S15
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let form = asked(&hand, ROBOT, BASIC, &[]).await?;
        for url in [form.url, format!("{}/{SHOP}/account/apps", server.origin)] {
            let page = hand.get(&url).await?;
            assert!(page.policy.contains("frame-ancestors 'none'"), "{}", page.policy);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_answer_counts_once() -> Outcome<()> {
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let form = asked(&hand, ROBOT, BASIC, &[]).await?;
        hand.answer(&form, &[("action", "cancel")]).await?.at_app()?;
        for action in ["accept", "cancel", "switch"] {
            let late = hand.answer(&form, &[("action", action)]).await?;
            assert_eq!(late.location.map(String::from).as_deref(), Some(form.url.as_str()), "{action}");
        }
        assert!(!hand.form(&form.url).await?.page.has("form"));
        assert_eq!(at_once(&hand, ROBOT, BASIC, SILENT).await?.as_deref(), Some("consent_required"));
        // Of two clicks at once one leads to the app.
        let form = asked(&hand, ROBOT, BASIC, &[]).await?;
        let clicks = (0..4).map(|_| hand.answer(&form, &[("action", "accept")]));
        let clicks = futures_util::future::join_all(clicks).await.into_iter().collect::<Outcome<Vec<_>>>()?;
        let codes = clicks.into_iter().filter_map(|answered| answered.at_app().ok());
        assert_eq!(codes.filter(|back| parameter(back, "code").is_some()).count(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_form_says_beside_yes_counts_for_nothing() -> Outcome<()> {
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let form = asked(&hand, ROBOT, BASIC, &[]).await?;
        let more = [
            ("action", "accept"),
            ("scope", "openid profile offline_access email api://stock/stock.write"),
            ("client_id", TELEVISION),
            ("redirect_uri", "https://evil.example/"),
        ];
        let back = hand.answer(&form, &more).await?.at_app()?;
        let (_, tokens) = hand.redeem(SHOP, ROBOT, &back).await?;
        assert_eq!(tokens["scope"], BASIC);
        assert_eq!(claims(tokens["id_token"].as_str().unwrap())["aud"], ROBOT);
        let email = format!("{BASIC} email");
        assert_eq!(at_once(&hand, ROBOT, &email, SILENT).await?.as_deref(), Some("consent_required"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_scope_that_changed_between_page_and_answer_is_shown_again() -> Outcome<()> {
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        // Two tabs: what one agreed to is not what the other showed.
        let wide = asked(&hand, ROBOT, "openid profile email", &[]).await?;
        let narrow = asked(&hand, ROBOT, "openid", &[]).await?;
        let forged = [("csrf", wide.csrf.as_str()), ("step", narrow.step.as_str()), ("action", "accept")];
        let stays = hand.post(&wide.url, &forged).await?;
        assert_eq!(stays.location.map(String::from).as_deref(), Some(wide.url.as_str()));
        hand.answer(&narrow, &[("action", "accept")]).await?.at_app()?;
        let stays = hand.answer(&wide, &[("action", "accept")]).await?;
        assert_eq!(stays.location.map(String::from).as_deref(), Some(wide.url.as_str()));
        // Meanwhile the permission became one for administrators.
        let read = asked(&hand, ROBOT, "openid api://stock/stock.read", &[]).await?;
        let strict = MALL.replacen("- value: stock.read", "- value: stock.read\n          type: Admin", 1);
        server.apply(&[&strict]).await?;
        let stays = hand.answer(&read, &[("action", "accept")]).await?;
        assert_eq!(stays.location.map(String::from).as_deref(), Some(read.url.as_str()));
        assert!(hand.form(&read.url).await?.page.has("#admin"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn whoever_signed_out_agrees_to_nothing() -> Outcome<()> {
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let form = asked(&hand, ROBOT, BASIC, &[]).await?;
        let out = format!("{}/{SHOP}/oauth2/v2.0/logout", server.origin);
        let sure = hand.form(&out).await?;
        hand.post(&out, &[("csrf", &sure.csrf)]).await?;
        assert_eq!(hand.answer(&form, &[("action", "accept")]).await?.status, 410);
        assert_eq!(hand.get(&form.url).await?.status, 410);
        Ok(())
    })
    .await
}
