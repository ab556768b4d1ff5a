//! `vestibule funnel`, run beside the server as an administrator does.

use std::process::Command;

use regex::Regex;
use serde_json::Value;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_store::Settings;
use vestibule_testkit::{TestServer, server};

use super::{NOBODY, PASSWORD, let_all_end};
use crate::journeys::passage::{Form, GUESTS, Hand, SHOP, TILL, guests, shop};

/// How the program ended, what it said and what it complained about.
struct Run {
    code: i32,
    out: String,
    err: String,
}

fn funnel(server: &TestServer, arguments: &[&str]) -> Run {
    let mut program = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    program.arg("funnel").args(arguments).env_clear();
    match server.database() {
        Settings::Sqlite { path } => program.arg("--set").arg(format!("database.path={}", path.display())),
        Settings::Postgres { url, .. } => program.arg("--database-url").arg(url),
    };
    let output = program.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn printed(server: &TestServer, arguments: &[&str]) -> String {
    let run = funnel(server, arguments);
    assert_eq!(run.code, 0, "{}", run.err);
    run.out
}

fn json(server: &TestServer, arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(server, &[arguments, &["--json"]].concat())).unwrap()
}

/// The times of one visitor, in seconds: until the address is typed, the code, and the form.
type Pace = [i64; 3];

async fn begin(server: &TestServer, hand: &Hand, address: &str, pace: Pace) -> Outcome<Form> {
    let form = hand.begin(SHOP, TILL, &[("prompt", "create")]).await?;
    server.clock.advance(Span::seconds(pace[0]));
    hand.next(&form, &[("username", address)]).await
}

async fn type_code(server: &TestServer, hand: &Hand, form: &Form, address: &str) -> Outcome<Form> {
    let code = server.inbox.await_code(address).await?;
    hand.next(form, &[("code", &code)]).await
}

/// Somebody who signs up without trouble, and whose app fetches the tokens.
async fn sign_up(server: &TestServer, address: &str, pace: Pace) -> Outcome<()> {
    let hand = Hand::new(server);
    let form = begin(server, &hand, address, pace).await?;
    server.clock.advance(Span::seconds(pace[1]));
    let form = type_code(server, &hand, &form, address).await?;
    server.clock.advance(Span::seconds(pace[2]));
    let form = hand.next(&form, &[("password", PASSWORD), ("givenName", "Ada")]).await?;
    server.clock.advance(Span::seconds(2));
    let back = hand.answer(&form, &[("action", "no")]).await?.at_app()?;
    server.clock.advance(Span::seconds(1));
    assert_eq!(hand.redeem(SHOP, TILL, &back).await?.0, 200);
    Ok(())
}

/// A day at the shop: three come in, one of them by way of a weak password; one mistypes the code and gives
/// up, one leaves at the form, one looks at the first page only, and one has an account already.
async fn a_day(server: &TestServer) -> Outcome<()> {
    sign_up(server, "ada@shop.example", [10, 20, 45]).await?;
    sign_up(server, "bob@shop.example", [5, 31, 60]).await?;

    let hand = Hand::new(server);
    let form = begin(server, &hand, "cleo@shop.example", [8, 0, 0]).await?;
    server.clock.advance(Span::seconds(25));
    let form = type_code(server, &hand, &form, "cleo@shop.example").await?;
    server.clock.advance(Span::seconds(30));
    let form = hand.next(&form, &[("password", "12345678"), ("givenName", "Cleo")]).await?;
    server.clock.advance(Span::seconds(40));
    let form = hand.next(&form, &[("password", PASSWORD), ("givenName", "Cleo")]).await?;
    let back = hand.answer(&form, &[("action", "no")]).await?.at_app()?;
    assert_eq!(hand.redeem(SHOP, TILL, &back).await?.0, 200);

    let hand = Hand::new(server);
    let form = begin(server, &hand, "dan@shop.example", [12, 0, 0]).await?;
    server.inbox.await_code("dan@shop.example").await?;
    hand.next(&form, &[("code", "1234")]).await?;

    let hand = Hand::new(server);
    let form = begin(server, &hand, "eve@shop.example", [9, 0, 0]).await?;
    let form = type_code(server, &hand, &form, "eve@shop.example").await?;
    hand.answer(&form, &[("action", "cancel")]).await?.at_app()?;

    Hand::new(server).begin(SHOP, TILL, &[("prompt", "create")]).await?;

    let hand = Hand::new(server);
    let form = begin(server, &hand, "ada@shop.example", [7, 0, 0]).await?;
    type_code(server, &hand, &form, "ada@shop.example").await?;
    Ok(())
}

const SINCE: [&str; 2] = ["--since", "2026-11-24"];

#[tokio::test]
async fn the_guide_shows_what_the_command_prints() -> Outcome<()> {
    // FLOW-26, LOG-01
    let guide = include_str!("../../../../../docs/guides/funnel.md");
    let shown: Vec<&str> =
        guide.split("```text\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    server::on_both(&[&shop()], async |server| {
        a_day(server).await?;
        let_all_end(server).await?;
        let by_step = printed(server, &SINCE);
        let by_method = printed(server, &[&SINCE[..], &["--by", "method"]].concat());
        let hand = Hand::new(server);
        let more = [("prompt", "create"), ("client-request-id", "0d3a5b1c-7777-4777-8777-0123456789ab")];
        let form = hand.begin(SHOP, TILL, &more).await?;
        server.clock.advance(Span::seconds(9));
        let form = hand.next(&form, &[("username", "fay@shop.example")]).await?;
        server.inbox.await_code("fay@shop.example").await?;
        server.clock.advance(Span::seconds(30));
        hand.next(&form, &[("code", "1234")]).await?;
        // It is moved before the program looks at it, whose clock is the machine's.
        let_all_end(server).await?;
        let way = printed(server, &["--correlation-id", "0D3A5B1C"]);
        let ids = Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}").unwrap();
        let steady = |text: &str| ids.replace_all(text, "~").into_owned();
        for (printed, shown) in [by_step, by_method, way].iter().zip(&shown) {
            assert_eq!(steady(printed), steady(shown));
        }
        assert_eq!(shown.len(), 3);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn programs_get_the_same_numbers_before_and_after_the_move() -> Outcome<()> {
    server::on_both(&[&shop(), &guests(NOBODY)], async |server| {
        a_day(server).await?;
        Hand::new(server).become_guest(server, "guest@northwind.example").await?;
        // Everything is over, but nothing has been moved.
        server.clock.advance(Span::hours(2));
        let now = server.site.env.now();
        let filter = vestibule_service::funnel::Filter {
            tenant: Some(SHOP),
            flow: None,
            intent: vestibule_rules::journey::facts::Intent::SignUp,
            since: now - Span::days(1),
            by: vestibule_service::funnel::By::Step,
        };
        let before = vestibule_service::funnel::report(&server.site.env.db, filter, now).await?;
        assert_eq!((before.total.started, before.total.completed, before.under_way), (7, 3, 0));
        let_all_end(server).await?;
        let after = vestibule_service::funnel::report(&server.site.env.db, filter, now).await?;
        assert_eq!(before, after);

        let told = json(server, &[&SINCE[..], &["--tenant", SHOP]].concat());
        assert_eq!((told["intent"].as_str(), told["by"].as_str()), (Some("signUp"), Some("step")));
        let total = &told["total"];
        assert_eq!((total["started"].as_u64(), total["completed"].as_u64()), (Some(7), Some(3)));
        assert_eq!(total["completion"].as_f64(), Some(0.4285));
        // 77, 98 and 103 seconds.
        assert_eq!(total["medianSeconds"].as_f64(), Some(98.0));
        let reached: Vec<(&str, u64, u64)> = total["stages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| {
                (s["stage"].as_str().unwrap(), s["reached"].as_u64().unwrap(), s["dropped"].as_u64().unwrap())
            })
            .collect();
        let expected = [
            ("started", 7, 1),
            ("methodChosen", 6, 1),
            ("verified", 5, 1),
            ("formShown", 4, 1),
            ("submitted", 3, 0),
            ("created", 3, 0),
            ("signedIn", 3, 0),
            ("token", 3, 0),
        ];
        assert_eq!(reached, expected);
        assert_eq!(
            told["reasons"].as_array().unwrap().iter().map(|r| r["journeys"].as_u64().unwrap()).sum::<u64>(),
            7
        );

        let apps = json(server, &[&SINCE[..], &["--by", "app"]].concat());
        let names: Vec<_> =
            apps["groups"].as_array().unwrap().iter().map(|g| g["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Till", "Portal"]);
        let languages = json(server, &[&SINCE[..], &["--by", "language"]].concat());
        assert_eq!(languages["groups"][0]["name"], "en");
        let flow = json(server, &[&SINCE[..], &["--flow", "guests"]].concat());
        assert_eq!(flow["total"]["started"], 1);
        let sign_ins = printed(server, &[&SINCE[..], &["--intent", "sign-in"]].concat());
        assert_eq!(sign_ins, "Sign-ins since 2026-11-24T00:00:00Z: none is over.\n");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_journey_that_goes_on_is_told_and_not_counted() -> Outcome<()> {
    server::on_both(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        let form = hand.begin(GUESTS, crate::journeys::passage::PORTAL, &[("prompt", "create")]).await?;
        let now = server.site.env.now();
        let filter = vestibule_service::funnel::Filter {
            tenant: None,
            flow: Some("Guests"),
            intent: vestibule_rules::journey::facts::Intent::SignUp,
            since: now - Span::days(1),
            by: vestibule_service::funnel::By::Method,
        };
        let report = vestibule_service::funnel::report(&server.site.env.db, filter, now).await?;
        assert_eq!((report.total.started, report.under_way), (0, 1));
        assert_eq!(form.asks(), "sign-up");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told_with_an_exit_code() -> Outcome<()> {
    let server = TestServer::start(vestibule_testkit::Engine::Sqlite, &[&shop()]).await?;
    let told = |arguments: &[&str]| {
        let run = funnel(&server, arguments);
        assert!(run.out.is_empty(), "{}", run.out);
        (run.code, run.err.trim_end().to_owned())
    };
    let expected = |code: i32, text: &str| (code, format!("vestibule: {text}"));
    let unknown = "0d3a5b1c-7777-4777-8777-0123456789ab";
    assert_eq!(
        told(&["--correlation-id", unknown]),
        expected(1, &format!("no journey had a request with the id {unknown}"))
    );
    let said = "“Ada” is neither a GUID nor the reference of eight digits and letters of an error page";
    assert_eq!(told(&["--correlation-id", "Ada"]), expected(2, said));
    assert_eq!(told(&["--tenant", "nowhere"]), expected(1, "there is no tenant “nowhere”"));
    assert_eq!(told(&["--flow", "Nothing"]), expected(1, "there is no flow “Nothing”"));
    let said =
        "--since: “lately” is neither a length of time such as 24h or 7d nor a date such as 2026-11-24";
    assert_eq!(told(&["--since", "lately"]), expected(2, said));
    assert_eq!(told(&["--correlation-id", unknown, "--by", "app"]).0, 2);
    server.finish().await
}
