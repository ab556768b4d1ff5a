//! One-time codes under attack (sign-up.md 2.3, security.md A18 to A22, U7, U9, T-22).

use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_service::throttle::Limit;
use vestibule_testkit::{Engine, TestServer, server};

use super::passage::{GUESTS, Hand, PORTAL, guests, people, recorded, tenant};

const ADA: &str = "ada@northwind.example";
const NOBODY: &str = "https://nobody.example";

/// A code that is not this one.
fn wrong(code: &str) -> &'static str {
    if code == "00000000" { "11111111" } else { "00000000" }
}

#[tokio::test]
async fn a_journey_is_only_there_for_the_browser_that_began_it() -> Outcome<()> {
    // S88, A18
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let (mine, theirs) = (Hand::new(server), Hand::new(server));
        let (form, code) = mine.ask_for_code(server, ADA).await?;

        let seen = theirs.get(&form.url).await?;
        assert_eq!(seen.status, 404);
        assert!(!seen.body.contains(ADA), "{}", seen.body);
        assert_eq!(theirs.answer(&form, &[("code", &code)]).await?.status, 404);
        // A browser with journeys of its own is as strange.
        theirs.begin(GUESTS, PORTAL, &[]).await?;
        assert_eq!(theirs.answer(&form, &[("code", &code)]).await?.status, 404);

        assert_eq!(mine.next(&form, &[("code", &code)]).await?.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_code_is_good_in_its_own_journey_only() -> Outcome<()> {
    // A18
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let (_, first) = hand.ask_for_code(server, ADA).await?;
        let (form, second) = hand.ask_for_code(server, ADA).await?;
        assert_ne!(first, second);
        let form = hand.next(&form, &[("code", &first)]).await?;
        assert_eq!(form.problem(), "code-wrong");
        assert_eq!(hand.next(&form, &[("code", &second)]).await?.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_form_of_yesterday_changes_nothing() -> Outcome<()> {
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let first_tab = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        let second_tab = hand.form(&first_tab.url).await?;
        let form = hand.next(&first_tab, &[("username", ADA)]).await?;
        let code = server.inbox.await_code(ADA).await?;

        let stale = hand.next(&second_tab, &[("username", "other@northwind.example")]).await?;
        assert_eq!((stale.asks(), stale.revision()), ("code", form.revision()));
        // What the address bar says, with the token of another journey, is not enough either.
        let other = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        let crossed = super::passage::Form { url: form.url.clone(), ..other };
        assert_eq!(hand.answer(&crossed, &[("code", &code)]).await?.status, 403);

        let details = hand.next(&form, &[("code", &code)]).await?;
        let replayed = hand.next(&form, &[("code", &code)]).await?;
        assert_eq!(replayed.revision(), details.revision());
        // A step cannot be skipped by the name of its fields.
        let skipped = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        let skipped = hand.next(&skipped, &[("displayName", "Eve"), ("code", &code)]).await?;
        assert_eq!((skipped.asks(), skipped.problem().as_str()), ("sign-up", "address-missing"));
        assert!(people(server, GUESTS, ADA).await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn of_fifty_guesses_at_once_one_is_judged_and_five_in_all() -> Outcome<()> {
    // U9, A19, T-22
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let (mut form, code) = hand.ask_for_code(server, ADA).await?;
        for round in 1..=6 {
            let fields = [("code", wrong(&code))];
            let guesses = (0..50).map(|_| hand.answer(&form, &fields));
            for answered in futures_util::future::join_all(guesses).await {
                assert_eq!(answered?.status, 303);
            }
            let before = form.revision();
            form = hand.form(&form.url).await?;
            assert_eq!(form.revision(), before + 1, "round {round}");
            let expected = if round < 5 { "code-wrong" } else { "code-exhausted" };
            assert_eq!(form.problem(), expected, "round {round}");
        }
        assert_eq!(recorded(server, GUESTS, "signInFailure").await?.len(), 5);
        // The right one is burnt with the others; a new one helps.
        form = hand.next(&form, &[("code", &code)]).await?;
        assert_eq!(form.problem(), "code-exhausted");
        server.clock.advance(Span::seconds(30));
        form = hand.next(&form, &[("action", "resend")]).await?;
        let code = server.inbox.await_code(ADA).await?;
        assert_eq!(hand.next(&form, &[("code", &code)]).await?.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_right_code_among_fifty_counts_only_if_it_was_the_one_that_was_judged() -> Outcome<()> {
    // U9
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let (form, code) = hand.ask_for_code(server, ADA).await?;
        let guesses = (0..50).map(|n| {
            let (hand, form) = (hand.clone(), form.clone());
            let guess = if n == 25 { code.clone() } else { wrong(&code).to_owned() };
            async move { hand.answer(&form, &[("code", &guess)]).await }
        });
        for answered in futures_util::future::join_all(guesses).await {
            assert_eq!(answered?.status, 303);
        }
        let after = hand.form(&form.url).await?;
        assert_eq!(after.revision(), form.revision() + 1);
        assert!(after.asks() == "details" || after.problem() == "code-wrong", "{}", after.asks());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_code_lives_ten_minutes_to_the_microsecond() -> Outcome<()> {
    // A21, T-22
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let (form, code) = hand.ask_for_code(server, ADA).await?;
        server.clock.advance(Span::minutes(10));
        let form = hand.next(&form, &[("code", &code)]).await?;
        assert_eq!(form.problem(), "code-expired");
        assert!(recorded(server, GUESTS, "signInFailure").await?.is_empty());

        let (form, code) = hand.ask_for_code(server, ADA).await?;
        server.clock.advance(Span(Span::minutes(10).0 - 1));
        assert_eq!(hand.next(&form, &[("code", &code)]).await?.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn another_code_waits_longer_each_time_and_the_newest_wins() -> Outcome<()> {
    // A18, A22, T-22
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let (form, first) = hand.ask_for_code(server, ADA).await?;
        let form = hand.next(&form, &[("action", "resend")]).await?;
        assert_eq!(form.problem(), "code-resend-wait");
        server.clock.advance(Span::seconds(30));
        let form = hand.next(&form, &[("action", "resend")]).await?;
        let second = server.inbox.await_code(ADA).await?;

        let form = hand.next(&form, &[("code", &first)]).await?;
        assert_eq!(form.problem(), "code-superseded");
        server.clock.advance(Span::seconds(59));
        let form = hand.next(&form, &[("action", "resend")]).await?;
        assert_eq!(form.problem(), "code-resend-wait");
        assert_eq!(hand.next(&form, &[("code", &second)]).await?.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_mailbox_gets_five_codes_an_hour_whoever_asks() -> Outcome<()> {
    // U7, A22
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        for _ in 0..5 {
            Hand::new(server).ask_for_code(server, ADA).await?;
        }
        // Another spelling is the same mailbox.
        let hand = Hand::new(server);
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        let form = hand.next(&form, &[("username", "ADA@Northwind.example")]).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("sign-up", "code-throttled"));
        // Somebody else is not in its way, and time heals.
        hand.ask_for_code(server, "bob@northwind.example").await?;
        server.clock.advance(Span::hours(1));
        hand.ask_for_code(server, ADA).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_source_gets_only_so_many_codes_for_whomever() -> Outcome<()> {
    // A16, A22
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let env = &server.site.env;
        let limit = Limit::new(env, "code-source-hour", "127.0.0.1", Span::hours(1), 300);
        let spent = Limit::spend(env, tenant(server, GUESTS), vec![limit; 299], env.now()).await?;
        assert!(spent.is_ok());
        let hand = Hand::new(server);
        hand.ask_for_code(server, ADA).await?;
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        let form = hand.next(&form, &[("username", "bob@northwind.example")]).await?;
        assert_eq!(form.problem(), "code-throttled");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_mail_goes_out_exactly_for_the_turn_that_was_saved() -> Outcome<()> {
    // N6: twenty clicks on “send a code” are one turn and one mail; `finish` finds no other.
    for engine in Engine::ALL {
        let server = TestServer::start(engine, &[&guests(NOBODY)]).await?;
        let hand = Hand::new(&server);
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        let fields = [("username", ADA)];
        for answered in futures_util::future::join_all((0..20).map(|_| hand.answer(&form, &fields))).await {
            assert_eq!(answered?.status, 303);
        }
        let code = server.inbox.await_code(ADA).await?;
        let form = hand.form(&form.url).await?;
        assert_eq!(hand.next(&form, &[("code", &code)]).await?.asks(), "details");
        server.finish().await?;
    }
    Ok(())
}
