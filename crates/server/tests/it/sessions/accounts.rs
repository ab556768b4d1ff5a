//! Which of several accounts an app gets, and the attacks on the page that asks.

use vestibule_rules::fault::Outcome;
use vestibule_testkit::server;

use super::{ADA, BOB, asked, at_once, both, choose, harbour, id_token, sid_of, sign_up};
use crate::client::parameter;
use crate::journeys::passage::{GUESTS, Hand, PORTAL, disable, recorded};

#[tokio::test]
async fn a_person_with_two_accounts_is_asked_and_the_chosen_one_is_used() -> Outcome<()> {
    // R42
    server::on_nodes(&[&harbour()], async |server| {
        let hand = both(server).await?;
        let form = asked(&hand, &[]).await?;
        assert_eq!(form.page.count(".accounts li"), 2);
        let said = form.page.text("main").unwrap();
        for part in ["Portal", "ada", ADA, "bob", BOB, "Use another account"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let before = hand.cookie("vestibule-session-").unwrap();
        let answered = choose(&hand, &form, ADA).await?;
        // S86: whoever is in use changed, and so did the cookie.
        assert_ne!(answered.session(), Some(before.as_str()));
        assert!(answered.session().is_some());
        let back = answered.at_app()?;
        assert_eq!(id_token(&hand, &back).await?["preferred_username"], ADA);
        // Ada was used last.
        assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, ADA);
        assert_eq!(recorded(server, GUESTS, "signIn").await?.len(), 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_account_is_used_without_a_question_unless_the_app_wants_one() -> Outcome<()> {
    // R42
    server::on_nodes(&[&harbour()], async |server| {
        let hand = Hand::new(server);
        let nobody = hand.begin(GUESTS, PORTAL, &[("prompt", "select_account")]).await?;
        assert!(nobody.url.contains("/journey/"), "{}", nobody.url);
        sign_up(server, &hand, ADA).await?;
        assert_eq!(at_once(&hand, &[]).await?, ADA);
        let form = asked(&hand, &[("prompt", "select_account"), ("login_hint", ADA)]).await?;
        let back = choose(&hand, &form, ADA).await?.at_app()?;
        assert_eq!(id_token(&hand, &back).await?["preferred_username"], ADA);
        let form = asked(&hand, &[("prompt", "select_account")]).await?;
        let other = hand.next(&form, &[("action", "other")]).await?;
        assert!(other.url.contains("/journey/"), "{}", other.url);
        let form = asked(&hand, &[("prompt", "select_account")]).await?;
        let back = hand.answer(&form, &[("action", "cancel")]).await?.at_app()?;
        assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
        assert!(parameter(&back, "iss").is_some() && parameter(&back, "state").is_some());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hint_finds_its_account_and_nobody_else_stands_in_for_it() -> Outcome<()> {
    // S21, S22, R37
    server::on_nodes(&[&harbour()], async |server| {
        let hand = Hand::new(server);
        sign_up(server, &hand, ADA).await?;
        let back = hand.authorize(GUESTS, PORTAL, &[]).await?.at_app()?;
        let (_, tokens) = hand.redeem(GUESTS, PORTAL, &back).await?;
        let token = tokens["id_token"].as_str().unwrap().to_owned();
        let said = crate::client::claims(&token);
        let (opaque, session) = (said["login_hint"].as_str().unwrap(), said["sid"].as_str().unwrap());
        sign_up(server, &hand, BOB).await?;
        for hint in [
            ("login_hint", ADA),
            ("login_hint", "ADA@Northwind.example"),
            ("login_hint", opaque),
            ("id_token_hint", &token),
            ("sid", session),
        ] {
            assert_eq!(at_once(&hand, &[hint]).await?, ADA, "{}", hint.0);
            assert_eq!(at_once(&hand, &[hint, ("prompt", "none")]).await?, ADA, "{}", hint.0);
        }
        // A hint changes nobody's place.
        assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, BOB);
        let strange = ("login_hint", "eve@northwind.example");
        assert_eq!(at_once(&hand, &[strange, ("prompt", "none")]).await?, "login_required");
        assert!(hand.begin(GUESTS, PORTAL, &[strange]).await?.url.contains("/journey/"));
        let elsewhere = Hand::new(server);
        sign_up(server, &elsewhere, "eve@northwind.example").await?;
        let foreign = ("id_token_hint", token.as_str());
        assert_eq!(at_once(&elsewhere, &[foreign, ("prompt", "none")]).await?, "login_required");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_old_cookie_leads_to_nobody_after_another_account_was_chosen() -> Outcome<()> {
    // S86, A39
    server::on_nodes(&[&harbour()], async |server| {
        let hand = Hand::new(server);
        sign_up(server, &hand, ADA).await?;
        let alone = hand.cookie("vestibule-session-").unwrap();
        let name = "vestibule-session-7b9ec640";
        sign_up(server, &hand, BOB).await?;
        let two = hand.cookie("vestibule-session-").unwrap();
        let form = asked(&hand, &[]).await?;
        choose(&hand, &form, ADA).await?.at_app()?;
        let chosen = hand.cookie("vestibule-session-").unwrap();
        let url = hand.address(GUESTS, PORTAL, &[("prompt", "none")]);
        for old in [&alone, &two] {
            let back = hand.with_cookies(&url, &format!("{name}={old}")).await?.at_app()?;
            assert_eq!(parameter(&back, "error").as_deref(), Some("login_required"));
        }
        let form = asked(&hand, &[]).await?;
        let ada = sid_of(&form.page, ADA)?;
        hand.answer(&form, &[("sign-out", &ada)]).await?;
        let back = hand.with_cookies(&url, &format!("{name}={chosen}")).await?.at_app()?;
        assert_eq!(parameter(&back, "error").as_deref(), Some("login_required"));
        // Bob stays, and takes nobody's place unasked.
        assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, "login_required");
        assert_eq!(at_once(&hand, &[("prompt", "none"), ("login_hint", BOB)]).await?, BOB);
        let form = asked(&hand, &[]).await?;
        assert_eq!(form.page.count(".accounts li"), 1);
        choose(&hand, &form, BOB).await?.at_app()?;
        assert_eq!(at_once(&hand, &[]).await?, BOB);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn only_the_browser_that_was_asked_answers_with_its_own_token_and_once() -> Outcome<()> {
    // A45, S88, S15
    server::on_nodes(&[&harbour()], async |server| {
        let hand = both(server).await?;
        let form = asked(&hand, &[]).await?;
        let (ada, bob) = (sid_of(&form.page, ADA)?, sid_of(&form.page, BOB)?);
        let shown = hand.get(&form.url).await?;
        assert!(shown.policy.contains("frame-ancestors 'none'"), "{}", shown.policy);

        let forged = [("csrf", "forged"), ("account", ada.as_str())];
        assert_eq!(hand.post(&form.url, &forged).await?.status, 403);
        let good = [("csrf", form.csrf.as_str()), ("account", ada.as_str())];
        assert_eq!(hand.post_from_app(&form.url, &good).await?.status, 403);
        assert_eq!(hand.post_across(&form.url, &good).await?.status, 403);
        let thief = Hand::new(server);
        sign_up(server, &thief, "eve@northwind.example").await?;
        assert_eq!(thief.get(&form.url).await?.status, 404);
        assert_eq!(thief.post(&form.url, &good).await?.status, 404);
        // Somebody else's session is none of this browser's.
        let of_eve = asked(&thief, &[("prompt", "select_account")]).await?;
        let eve = sid_of(&of_eve.page, "eve@northwind.example")?;
        let stays = hand.answer(&form, &[("account", &eve)]).await?;
        assert_eq!(stays.location.map(String::from).as_deref(), Some(form.url.as_str()));

        choose(&hand, &form, ADA).await?.at_app()?;
        for again in [("account", bob.as_str()), ("action", "other"), ("action", "cancel")] {
            let late = hand.answer(&form, &[again]).await?;
            assert_eq!(late.location.map(String::from).as_deref(), Some(form.url.as_str()), "{again:?}");
        }
        assert!(!hand.form(&form.url).await?.page.has("form"));
        assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, ADA);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_account_that_was_switched_off_is_in_no_list() -> Outcome<()> {
    // S87
    server::on_nodes(&[&harbour()], async |server| {
        let hand = both(server).await?;
        disable(server, GUESTS, BOB).await?;
        assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, "login_required");
        let form = asked(&hand, &[]).await?;
        assert_eq!(form.page.count(".accounts li"), 1);
        choose(&hand, &form, ADA).await?.at_app()?;
        assert_eq!(at_once(&hand, &[]).await?, ADA);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_app_signs_out_the_account_that_it_means_and_asks_when_it_means_none() -> Outcome<()> {
    // S84
    server::on_nodes(&[&harbour()], async |server| {
        let hand = both(server).await?;
        let back = hand.authorize(GUESTS, PORTAL, &[("login_hint", ADA)]).await?.at_app()?;
        let (_, tokens) = hand.redeem(GUESTS, PORTAL, &back).await?;
        let out = format!("{}/{GUESTS}/oauth2/v2.0/logout", server.origin);
        let form = hand.form(&out).await?;
        assert_eq!(form.page.count("input[name=session]"), 3);
        // Neither somebody else's session nor no answer at all signs anybody out.
        for wrong in ["11111111-1111-4111-8111-111111111111", "nonsense"] {
            let stays = hand.post(&out, &[("csrf", &form.csrf), ("session", wrong)]).await?;
            assert!(stays.body.contains("name=\"session\""), "{}", stays.body);
        }
        let hint = tokens["id_token"].as_str().unwrap();
        assert_eq!(hand.get(&format!("{out}?id_token_hint={hint}")).await?.status, 200);
        assert_eq!(hand.refresh(GUESTS, PORTAL, tokens["refresh_token"].as_str().unwrap()).await?, 400);
        assert_eq!(at_once(&hand, &[("prompt", "none"), ("login_hint", ADA)]).await?, "login_required");
        assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, BOB);
        sign_up(server, &hand, "eve@northwind.example").await?;
        let form = hand.form(&out).await?;
        let all = hand.post(&out, &[("csrf", &form.csrf), ("session", "all")]).await?;
        assert_eq!(all.session(), Some(""));
        assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, "login_required");
        assert!(hand.begin(GUESTS, PORTAL, &[]).await?.url.contains("/journey/"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_browser_has_eight_accounts_at_most() -> Outcome<()> {
    server::on_nodes(&[&harbour()], async |server| {
        let hand = Hand::new(server);
        for number in 0..9 {
            server.clock.advance(vestibule_rules::time::Span::minutes(11));
            sign_up(server, &hand, &format!("n{number}@northwind.example")).await?;
        }
        let form = asked(&hand, &[]).await?;
        assert_eq!(form.page.count(".accounts li"), 8);
        assert!(sid_of(&form.page, "n0@northwind.example").is_err());
        let first = ("login_hint", "n0@northwind.example");
        assert_eq!(at_once(&hand, &[first, ("prompt", "none")]).await?, "login_required");
        Ok(())
    })
    .await
}
