//! Accounts at the edges: taken while somebody types, switched off between two pages, known already, and
//! flows that change under a journey (FLOW-09, EXIST-02, T-07, T-24).

use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::server;

use super::passage::{BACK, GUESTS, Hand, ORDERS, PORTAL, SHOP, STATE, TILL};
use super::passage::{disable, guests, people, recorded, shop};
use crate::client::parameter;

const ADA: &str = "ada@northwind.example";
const PASSWORD: &str = "seven green lanterns in the fog";
const NOBODY: &str = "https://nobody.example";

#[tokio::test]
async fn two_journeys_for_one_address_end_in_one_account() -> Outcome<()> {
    // EXIST-02; a unique violation is an answer and no fault.
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let hands = [Hand::new(server), Hand::new(server)];
        let mut ready = Vec::new();
        for hand in &hands {
            let (form, code) = hand.ask_for_code(server, ADA).await?;
            ready.push(hand.next(&form, &[("code", &code)]).await?);
        }
        let name = [("displayName", "Ada")];
        let (one, two) = tokio::join!(hands[0].answer(&ready[0], &name), hands[1].answer(&ready[1], &name));
        let (one, two) = (one?.at_app(), two?.at_app());
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        assert_eq!(people(server, GUESTS, ADA).await?.len(), 1);
        assert_eq!(recorded(server, GUESTS, "userCreation").await?.len(), 1);

        let late = usize::from(one.is_ok());
        let form = hands[late].form(&ready[late].url).await?;
        assert_eq!(form.asks(), "exists");
        // The mailbox is proven, so going on is signing in.
        hands[late].answer(&form, &[]).await?.at_app()?;
        assert_eq!(people(server, GUESTS, ADA).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_address_that_has_an_account_is_told_so_only_after_its_code() -> Outcome<()> {
    // EXIST-02, T-24, U1
    server::on_nodes(&[&shop()], async |server| {
        let first = Hand::new(server);
        let stay = first.almost_customer(server, (ADA, PASSWORD)).await?;
        first.answer(&stay, &[("action", "no")]).await?.at_app()?;

        let hand = Hand::new(server);
        let known = hand.begin(SHOP, TILL, &[("prompt", "create")]).await?;
        let known = hand.next(&known, &[("username", ADA)]).await?;
        let unknown = hand.begin(SHOP, TILL, &[("prompt", "create")]).await?;
        let unknown = hand.next(&unknown, &[("username", "new@northwind.example")]).await?;
        server.inbox.await_code("new@northwind.example").await?;
        assert_eq!((known.asks(), unknown.asks()), ("code", "code"));

        let code = server.inbox.await_code(ADA).await?;
        let exists = hand.next(&known, &[("code", &code)]).await?;
        assert_eq!(exists.asks(), "exists");
        let form = hand.next(&exists, &[]).await?;
        assert_eq!(form.asks(), "password");
        let stay = hand.next(&form, &[("password", PASSWORD)]).await?;
        assert_eq!(stay.asks(), "stay");
        assert_eq!(people(server, SHOP, ADA).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_journey_ends_under_the_version_it_began_with() -> Outcome<()> {
    // FLOW-09: the administrator adds a required attribute and forbids sign-up while somebody types.
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let (form, code) = hand.ask_for_code(server, ADA).await?;
        let stricter = guests(NOBODY)
            + "        - attribute: city\n          label: City\n          required: true\n    isSignUpAllowed: false\n";
        assert!(!server.apply(&[&stricter]).await?.is_empty());

        let form = hand.next(&form, &[("code", &code)]).await?;
        assert!(!form.page.has("#city"));
        hand.answer(&form, &[("displayName", "Ada")]).await?.at_app()?;
        assert_eq!(people(server, GUESTS, ADA).await?.len(), 1);

        // The next stranger meets the new version; the guest signs in as before and is asked nothing (T-06,
        // T-08).
        let stranger = Hand::new(server);
        let form = stranger.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        assert_eq!(form.asks(), "identify");
        let form = stranger.next(&form, &[("username", ADA)]).await?;
        let code = server.inbox.await_code(ADA).await?;
        stranger.answer(&form, &[("code", &code)]).await?.at_app()?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_has_a_password_is_asked_for_it_when_newcomers_get_codes() -> Outcome<()> {
    // T-07
    server::on_nodes(&[&shop()], async |server| {
        let hand = Hand::new(server);
        let stay = hand.almost_customer(server, (ADA, PASSWORD)).await?;
        hand.answer(&stay, &[("action", "no")]).await?.at_app()?;
        server.apply(&[&shop().replace("EmailPassword-OAUTH", "EmailOtpSignup-OAUTH")]).await?;

        let hand = Hand::new(server);
        assert_eq!(hand.with_password(ADA, PASSWORD).await?.asks(), "stay");
        let form = hand.begin(SHOP, TILL, &[("prompt", "login")]).await?;
        let form = hand.next(&form, &[("username", "new@northwind.example")]).await?;
        assert_eq!(form.asks(), "code");
        server.inbox.await_code("new@northwind.example").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_second_click_on_the_last_button_goes_where_the_first_one_went() -> Outcome<()> {
    server::on_nodes(&[&shop()], async |server| {
        let hand = Hand::new(server);
        let stay = hand.almost_customer(server, (ADA, PASSWORD)).await?;
        let no = [("action", "no")];
        let clicks = (0..5).map(|_| hand.answer(&stay, &no));
        for answered in futures_util::future::join_all(clicks).await {
            let back = answered?.at_app()?;
            assert_eq!(parameter(&back, "state").as_deref(), Some(STATE));
            assert_eq!(hand.redeem(SHOP, TILL, &back).await?.0, 200);
        }
        assert_eq!(recorded(server, SHOP, "signIn").await?.len(), 1);
        // Later it is a page that says that this is over.
        server.clock.advance(Span::seconds(61));
        let late = hand.answer(&stay, &no).await?;
        assert_eq!(late.location.map(String::from).as_deref(), Some(stay.url.as_str()));
        assert!(hand.form(&stay.url).await?.page.has("main h1"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_cancelled_journey_tells_the_app_and_takes_no_more_answers() -> Outcome<()> {
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let (form, code) = hand.ask_for_code(server, ADA).await?;
        let back = hand.answer(&form, &[("action", "cancel")]).await?.at_app()?;
        assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
        assert_eq!(parameter(&back, "state").as_deref(), Some(STATE));
        assert!(parameter(&back, "iss").is_some() && parameter(&back, "code").is_none());

        let again = hand.answer(&form, &[("code", &code)]).await?.at_app()?;
        assert_eq!(parameter(&again, "error").as_deref(), Some("access_denied"));
        server.clock.advance(Span::minutes(2));
        let late = hand.answer(&form, &[("code", &code)]).await?;
        assert!(!late.location.unwrap().as_str().starts_with(BACK));
        assert!(people(server, GUESTS, ADA).await?.is_empty());
        assert!(recorded(server, GUESTS, "signIn").await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_account_that_is_switched_off_between_two_pages_gets_no_session() -> Outcome<()> {
    // S34
    server::on_nodes(&[&shop()], async |server| {
        let hand = Hand::new(server);
        let stay = hand.almost_customer(server, (ADA, PASSWORD)).await?;
        disable(server, SHOP, ADA).await?;
        let refused = hand.answer(&stay, &[("action", "no")]).await?;
        assert_eq!(refused.status, 403);
        assert!(refused.body.contains("data-error-code=\"50057\""), "{}", refused.body);
        let silent = hand.authorize(SHOP, TILL, &[("prompt", "none")]).await?.at_app()?;
        assert_eq!(parameter(&silent, "error").as_deref(), Some("login_required"));
        assert!(recorded(server, SHOP, "signIn").await?.is_empty());
        // The same at the front door.
        let form = Hand::new(server).with_password(ADA, PASSWORD).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("refused", "50057"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_journey_that_nobody_ends_is_over_after_an_hour() -> Outcome<()> {
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let (form, code) = hand.ask_for_code(server, ADA).await?;
        server.clock.advance(Span::minutes(60));
        hand.answer(&form, &[("code", &code)]).await?;
        assert!(!hand.form(&form.url).await?.page.has("input[name=code]"));
        assert!(people(server, GUESTS, ADA).await?.is_empty());
        // The same browser begins anew.
        assert_eq!(hand.begin(GUESTS, ORDERS, &[]).await?.asks(), "identify");
        Ok(())
    })
    .await
}
