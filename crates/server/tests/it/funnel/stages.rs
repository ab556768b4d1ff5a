//! What journeys leave behind.

use vestibule_rules::fault::Outcome;
use vestibule_rules::journey::step::StepName;
use vestibule_rules::time::Span;
use vestibule_service::{funnel, jobs};
use vestibule_store::stages as store;
use vestibule_testkit::{Engine, TestServer, server};

use super::{NOBODY, PASSWORD, journey_of, let_all_end, line, lines_of, rows_of};
use crate::client::parameter;
use crate::federation::provider::Provider;
use crate::journeys::passage::{BACK, Form, GUESTS, Hand, PORTAL, SHOP, TILL};
use crate::journeys::passage::{disable, guests, people, shop, tenant};

const ADA: &str = "ada@northwind.example";
const EVE: &str = "eve@northwind.example";
const CREATE: [(&str, &str); 1] = [("prompt", "create")];

#[tokio::test]
async fn a_sign_up_leaves_a_row_for_each_stage() -> Outcome<()> {
    // T-31, FLOW-26, LOG-01
    server::on_both(&[&shop()], async |server| {
        let hand = Hand::new(server);
        let form = hand.begin(SHOP, TILL, &[("prompt", "create"), ("ui_locales", "xx en-GB")]).await?;
        let code = hand.next(&form, &[("username", ADA)]).await?;
        let mail = server.inbox.await_code(ADA).await?;
        let details = hand.next(&code, &[("code", &mail)]).await?;
        server.clock.advance(Span::seconds(40));
        let stay = hand.next(&details, &[("password", PASSWORD), ("givenName", "Ada")]).await?;
        let back = hand.answer(&stay, &[("action", "no")]).await?.at_app()?;
        server.clock.advance(Span::seconds(1));
        assert_eq!(hand.redeem(SHOP, TILL, &back).await?.0, 200);
        assert!(rows_of(server, SHOP, &form).await?.is_empty());

        assert_eq!(let_all_end(server).await?, 1);
        let rows = rows_of(server, SHOP, &form).await?;
        let lines: Vec<String> =
            rows.iter().map(|r| format!("{} ({}) at {}", r.stage, r.graph_stage, r.step)).collect();
        let expected = [
            "started (credentialCollection) at sign-up",
            "methodChosen (credentialCollection) at code",
            "verified (credentialValidation) at details",
            "formShown (attributeCollectionAndValidation) at details",
            "submitted (attributeCollectionAndValidation) at stay",
            "created (userCreation) at stay",
            "signedIn (userCreation) at ended",
            "token (userCreation) at ended",
        ];
        assert_eq!(lines, expected);
        for row in &rows {
            assert_eq!((row.intent.as_str(), row.method.as_deref()), ("signUp", Some("password")));
            assert_eq!((row.language.as_str(), row.flow_version, row.left_out), ("en", 1, 0));
            assert_eq!((row.client.to_string().as_str(), row.error_code), (TILL, 0));
            assert_eq!(row.flow.as_str(), "1e1658e3-0000-4273-a7c8-6ab461c2a4b7");
            // No request of the journey's browser fetched the tokens.
            assert_eq!(row.correlation.is_some(), row.stage != "token");
        }
        let waited: Vec<i64> = rows.iter().map(|row| row.at.since(row.started_at).as_seconds()).collect();
        assert_eq!(waited, [0, 0, 0, 0, 40, 40, 40, 41]);
        let users: Vec<_> = rows.iter().filter_map(|row| row.user).collect();
        assert_eq!(users, [people(server, SHOP, ADA).await?.remove(0).id]);
        Ok(())
    })
    .await
}

/// Where somebody stands who has typed a code.
async fn with_code(server: &TestServer, hand: &Hand, form: &Form, address: &str) -> Outcome<Form> {
    let form = hand.next(form, &[("username", address)]).await?;
    let code = server.inbox.await_code(address).await?;
    hand.next(&form, &[("code", &code)]).await
}

#[tokio::test]
async fn a_failed_attempt_says_where_it_stood_and_why() -> Outcome<()> {
    // T-31, LOG-01
    server::on_both(&[&guests(NOBODY)], async |server| {
        Hand::new(server).become_guest(server, EVE).await?;
        let hand = Hand::new(server);
        let wrong = hand.begin(GUESTS, PORTAL, &CREATE).await?;
        let form = hand.next(&wrong, &[("username", ADA)]).await?;
        let code = server.inbox.await_code(ADA).await?;
        let guess = if code == "00000000" { "11111111" } else { "00000000" };
        hand.next(&form, &[("code", guess)]).await?;

        let cancelled = hand.begin(GUESTS, PORTAL, &CREATE).await?;
        let form = with_code(server, &hand, &cancelled, ADA).await?;
        let form = hand.next(&form, &[("displayName", "")]).await?;
        hand.answer(&form, &[("action", "cancel")]).await?.at_app()?;

        let taken = hand.begin(GUESTS, PORTAL, &CREATE).await?;
        with_code(server, &hand, &taken, EVE).await?;

        let away = hand.begin(GUESTS, PORTAL, &CREATE).await?;
        hand.next(&away, &[("action", "idp-second")]).await?;

        assert_eq!(let_all_end(server).await?, 5);
        let expected =
            ["started sign-up", "methodChosen code", "refused code 50181 code-wrong", "abandoned code"];
        assert_eq!(lines_of(server, GUESTS, &wrong).await?, expected);
        let expected = [
            "started sign-up",
            "methodChosen code",
            "verified details",
            "formShown details",
            "refused details 0 field-required",
            "cancelled details",
        ];
        assert_eq!(lines_of(server, GUESTS, &cancelled).await?, expected);
        let rows = rows_of(server, GUESTS, &cancelled).await?;
        assert_eq!(rows[4].field.as_deref(), Some("displayName"));
        let expected = [
            "started sign-up",
            "methodChosen code",
            "verified exists",
            "refused code 1003037 exists-title",
            "abandoned exists",
        ];
        assert_eq!(lines_of(server, GUESTS, &taken).await?, expected);
        // Nobody answers at the provider's address.
        let expected = ["started sign-up", "refused sign-up 0 refused-provider-failed", "abandoned refused"];
        assert_eq!(lines_of(server, GUESTS, &away).await?, expected);
        let rows = rows_of(server, GUESTS, &away).await?;
        assert_eq!(rows[1].graph_stage, "credentialFederation");
        // It was given up when its time was over, whenever it was moved.
        assert_eq!(rows[2].at.since(rows[2].started_at), Span::hours(1));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stranger_who_is_not_let_in_is_in_the_log() -> Outcome<()> {
    // T-31
    for engine in Engine::ALL {
        let provider = Provider::start().await?;
        let closed = guests(&provider.issuer).trim_end().to_owned() + "\n    isSignUpAllowed: false\n";
        let server = TestServer::start(engine, &[&closed]).await?;
        let hand = Hand::new(&server);
        let by_code = hand.begin(GUESTS, PORTAL, &[]).await?;
        let code = hand.next(&by_code, &[("username", ADA)]).await?;
        // They are told that there is no account in their mail only.
        server.inbox.await_mail(ADA).await?;
        hand.next(&code, &[("code", "00000000")]).await?;
        let by_provider = hand.begin(GUESTS, PORTAL, &[]).await?;
        assert_eq!(provider.travel(&hand, &by_provider).await?.asks(), "refused");
        let_all_end(&server).await?;
        let expected =
            ["started identify", "methodChosen code", "refused code 50181 code-wrong", "abandoned code"];
        assert_eq!(lines_of(&server, GUESTS, &by_code).await?, expected);
        let expected = [
            "started identify",
            "methodChosen leave",
            "refused leave 50034 refused-no-account",
            "abandoned refused",
        ];
        assert_eq!(lines_of(&server, GUESTS, &by_provider).await?, expected);
        let first = rows_of(&server, GUESTS, &by_provider).await?.remove(0);
        assert_eq!((first.intent.as_str(), first.method.as_deref()), ("signIn", Some("stranger")));
        server.finish().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_code_that_brought_no_tokens_is_no_stage() -> Outcome<()> {
    server::on_both(&[&guests(NOBODY)], async |server| {
        let mut stages = Vec::new();
        for (n, address) in ["a@x.example", "b@x.example", "c@x.example"].into_iter().enumerate() {
            let hand = Hand::new(server);
            let (form, code) = hand.ask_for_code(server, address).await?;
            let details = hand.next(&form, &[("code", &code)]).await?;
            let back = hand.answer(&details, &[("displayName", "Ada")]).await?.at_app()?;
            let code = parameter(&back, "code").unwrap();
            match n {
                // The app never asks, or somebody else does, who has stolen the code.
                0 => {}
                1 => {
                    let verifier = "another-verifier-of-forty-three-characters-or-more";
                    let more = [
                        ("grant_type", "authorization_code"),
                        ("redirect_uri", BACK),
                        ("code", code.as_str()),
                        ("code_verifier", verifier),
                    ];
                    assert_eq!(hand.token(GUESTS, PORTAL, &more).await?.0, 400);
                }
                _ => assert_eq!(hand.redeem(GUESTS, PORTAL, &back).await?.0, 200),
            }
            stages.push(form);
        }
        let_all_end(server).await?;
        let mut last = Vec::new();
        for form in &stages {
            last.extend(rows_of(server, GUESTS, form).await?.pop().map(|row| row.stage));
        }
        assert_eq!(last, ["signedIn", "signedIn", "token"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn any_request_of_a_journey_leads_to_it_while_it_goes_on_and_after() -> Outcome<()> {
    // LOG-01
    server::on_both(&[&guests(NOBODY)], async |server| {
        let db = &server.site.env.db;
        let hand = Hand::new(server);
        let given = "0D3A5B1C-7777-4777-8777-0123456789AB";
        let more = [("prompt", "create"), ("client-request-id", given)];
        let form = hand.begin(GUESTS, PORTAL, &more).await?;
        let code = hand.next(&form, &[("username", ADA)]).await?;
        server.inbox.await_code(ADA).await?;
        let refused = hand.answer(&code, &[("code", "1")]).await?;
        for moved in [false, true] {
            if moved {
                let_all_end(server).await?;
            }
            for id in [given, &refused.request_id, &refused.request_id[..8].to_uppercase()] {
                let found = funnel::trace(db, id, None, server.site.env.now()).await?;
                assert_eq!(found.len(), 1);
                let way = &found[0];
                assert_eq!(
                    (way.tenant.as_str(), way.app.as_str(), way.flow.as_str()),
                    (GUESTS, "Portal", "Guests")
                );
                assert_eq!(way.rows[0].journey, journey_of(&form));
                assert_eq!(line(&way.rows[2]), "refused code 50181 code-format");
                assert_eq!(way.stands_at.map(StepName::as_str), (!moved).then_some("code"));
                assert_eq!(way.rows.len(), if moved { 4 } else { 3 });
            }
        }
        let now = server.site.env.now();
        assert!(funnel::trace(db, given, Some("shop"), now).await.is_err());
        let unknown = funnel::trace(db, "0d3a5b1d", None, now).await.err().unwrap();
        assert_eq!(unknown.detail, "no journey had a request with the id 0d3a5b1d");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_reference_on_an_error_page_leads_to_the_journey() -> Outcome<()> {
    // LOG-01: the account is switched off before the last page is answered; nothing of that answer is saved.
    server::on_both(&[&shop()], async |server| {
        let hand = Hand::new(server);
        let stay = hand.almost_customer(server, (ADA, PASSWORD)).await?;
        disable(server, SHOP, ADA).await?;
        let answered = hand.answer(&stay, &[("action", "no")]).await?;
        assert_eq!(answered.status, 403);
        let reference = answered.request_id[..8].to_uppercase();
        assert!(answered.body.contains(&reference), "{}", answered.body);
        let found = funnel::trace(&server.site.env.db, &reference, Some(SHOP), server.site.env.now()).await?;
        let last = found[0].rows.last().unwrap();
        assert_eq!(line(last), "refused stay 50057 refused-disabled");
        assert_eq!(last.correlation.as_deref(), Some(answered.request_id.as_str()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn no_stage_tells_anything_about_the_person() -> Outcome<()> {
    let more = "
        - { attribute: surname, label: Surname }
        - { attribute: city, label: City }
";
    let tenant_file = shop().trim_end().to_owned() + more;
    server::on_both(&[&tenant_file], async |server| {
        let hand = Hand::new(server);
        let more = [("prompt", "create"), ("login_hint", "qqhint@qqhint.example")];
        let form = hand.begin(SHOP, TILL, &more).await?;
        let form = hand.next(&form, &[("username", "qqwrong at qqnowhere")]).await?;
        let form = hand.next(&form, &[("username", "qqmail@qqdomain.example")]).await?;
        let form = hand.next(&form, &[("code", "90817263")]).await?;
        let code = server.inbox.await_code("qqmail@qqdomain.example").await?;
        let form = hand.next(&form, &[("code", &code)]).await?;
        let fields = [
            ("password", "qqweak"),
            ("givenName", ""),
            ("surname", "Qqsurname\u{202e}"),
            ("city", "Qqcity"),
            ("qqfield", "qqvalue"),
        ];
        let form = hand.next(&form, &fields).await?;
        let fields = [
            ("password", "qqpassword seven lanterns"),
            ("givenName", "Qqname"),
            ("surname", "Qqsurname"),
            ("city", "Qqcity"),
        ];
        let form = hand.next(&form, &fields).await?;
        let back = hand.answer(&form, &[("action", "no")]).await?.at_app()?;
        assert_eq!(hand.redeem(SHOP, TILL, &back).await?.0, 200);

        let_all_end(server).await?;
        let mut tx = server.site.env.db.read().await?;
        let yesterday = server.site.env.now() - Span::days(1);
        let rows = store::list(&mut tx, (yesterday, None), None, 99).await?;
        drop(tx);
        assert!(rows.iter().any(|row| row.stage == "token"));
        assert!(rows.iter().filter(|row| row.stage == "refused").count() >= 4);
        let text = format!("{rows:?}").to_lowercase();
        for telling in ["qq", "@", "90817263", code.as_str(), "127.0.0.1", "localhost", "lantern"] {
            assert!(!text.contains(telling), "{telling} in {text}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn stages_are_kept_for_as_long_as_is_configured() -> Outcome<()> {
    server::on_both(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let old = hand.begin(GUESTS, PORTAL, &CREATE).await?;
        server.clock.advance(Span::days(1));
        let new = hand.begin(GUESTS, PORTAL, &CREATE).await?;
        assert_eq!(let_all_end(server).await?, 2);
        server.clock.advance(Span(Span::days(89).0 - Span::hours(2).0 - 1));
        jobs::remove_old(&server.site).await?;
        assert_eq!(lines_of(server, GUESTS, &old).await?.len(), 2);
        server.clock.advance(Span(1));
        jobs::remove_old(&server.site).await?;
        assert!(lines_of(server, GUESTS, &old).await?.is_empty());
        assert_eq!(lines_of(server, GUESTS, &new).await?.len(), 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn several_nodes_move_every_journey_once() -> Outcome<()> {
    server::on_both(&[&guests(NOBODY)], async |server| {
        let mut forms = Vec::new();
        for _ in 0..120 {
            forms.push(Hand::new(server).begin(GUESTS, PORTAL, &CREATE).await?);
        }
        server.clock.advance(Span::hours(2));
        let (db, now) = (&server.site.env.db, server.site.env.now());
        let nodes = (0..4).map(|_| funnel::move_stages(db, now));
        let mut journeys = 0;
        for count in futures_util::future::join_all(nodes).await {
            journeys += count?;
        }
        assert_eq!(journeys, 120);
        for form in &forms {
            assert_eq!(lines_of(server, GUESTS, form).await?, ["started sign-up", "abandoned sign-up"]);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn whoever_answers_wrongly_all_day_fills_no_table() -> Outcome<()> {
    server::on_both(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let first = hand.begin(GUESTS, PORTAL, &CREATE).await?;
        let mut form = first.clone();
        for _ in 0..100 {
            form = hand.next(&form, &[("username", "x")]).await?;
        }
        let_all_end(server).await?;
        let rows = rows_of(server, GUESTS, &first).await?;
        assert_eq!(rows.len(), 65);
        let last = rows.last().unwrap();
        assert_eq!((last.stage.as_str(), last.left_out), ("abandoned", 37));
        assert_eq!(tenant(server, GUESTS), last.tenant);
        Ok(())
    })
    .await
}
