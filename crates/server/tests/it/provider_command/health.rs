//! How sign-ins by a provider go: noted without being in anybody's way, written rarely, removed with the provider.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::EnvFilter;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_service::federation::{health, overview};
use vestibule_store::provider_health::{self, HealthRow};
use vestibule_testkit::server::BEGIN;
use vestibule_testkit::{Engine, TestServer};

use crate::federation::provider::Provider;
use crate::journeys::passage::{Form, GUESTS, Hand, PORTAL, guests, tenant};

/// Runs a test against a server and a provider of its own, on each engine.
async fn with_provider(test: impl AsyncFn(&TestServer, &Arc<Provider>) -> Outcome<()>) -> Outcome<()> {
    for engine in Engine::ALL {
        let provider = Provider::start().await?;
        let server = TestServer::start(engine, &[&guests(&provider.issuer)]).await?;
        test(&server, &provider).await?;
        server.finish().await?;
    }
    Ok(())
}

/// Somebody goes to the provider and comes back.
async fn travel(server: &TestServer, provider: &Provider) -> Outcome<Form> {
    let hand = Hand::new(server);
    let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
    provider.travel(&hand, &form).await
}

/// What is written of the provider, after everything that is due was.
async fn written(server: &TestServer) -> Outcome<Option<HealthRow>> {
    health::save(&server.site, false).await?;
    let rows =
        provider_health::list(&mut server.site.env.db.read().await?, Some(tenant(server, GUESTS))).await?;
    Ok(rows.into_iter().next())
}

fn told(row: Option<HealthRow>) -> (Option<Timestamp>, Option<Timestamp>, String, i64) {
    let row = row.unwrap();
    assert_eq!(row.provider.as_str(), "stranger");
    (row.last_success_at, row.last_failure_at, row.last_error.unwrap_or_default(), row.failures)
}

#[tokio::test]
async fn a_success_and_a_failure_are_noted_at_most_once_a_minute() -> Outcome<()> {
    with_provider(async |server, provider| {
        assert_eq!(written(server).await?, None);
        travel(server, provider).await?;
        assert_eq!(told(written(server).await?), (Some(BEGIN), None, String::new(), 0));
        // A crowd within the minute costs nothing.
        server.clock.advance(Span::seconds(30));
        travel(server, provider).await?;
        provider.script().broken = "token";
        travel(server, provider).await?;
        travel(server, provider).await?;
        assert_eq!(told(written(server).await?), (Some(BEGIN), None, String::new(), 0));
        server.clock.advance(Span::seconds(30));
        let half = BEGIN + Span::seconds(30);
        let error = "the token endpoint answered 500: no reason".to_owned();
        assert_eq!(told(written(server).await?), (Some(half), Some(half), error.clone(), 2));
        // Nobody's fault but the person's: they changed their mind.
        provider.script().broken = "-";
        let hand = Hand::new(server);
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        let departure = provider.depart(&hand, &form).await?;
        let state = departure.sent["state"].clone();
        departure
            .back(&hand, &[("error", "access_denied"), ("state", &state), ("iss", &provider.issuer)])
            .await?;
        server.clock.advance(Span::minutes(1));
        assert_eq!(told(written(server).await?), (Some(half), Some(half), error.clone(), 2));
        // It goes well again: the error stays to be read, and counts no more.
        travel(server, provider).await?;
        server.clock.advance(Span::minutes(1));
        let (success, failure, text, failures) = told(written(server).await?);
        assert_eq!((failure, text, failures), (Some(half), error, 0));
        assert_eq!(success, Some(BEGIN + Span::minutes(2)));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_browser_carries_from_a_provider_is_bounded_and_holds_no_token() -> Outcome<()> {
    with_provider(async |server, provider| {
        let hand = Hand::new(server);
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        let departure = provider.depart(&hand, &form).await?;
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
        let error = format!("{jwt} \u{1b}[2J\u{202e} {}", "word ".repeat(500));
        let state = departure.sent["state"].clone();
        departure.back(&hand, &[("error", &error), ("state", &state), ("iss", &provider.issuer)]).await?;
        let (_, _, text, failures) = told(written(server).await?);
        assert_eq!(failures, 1);
        assert!(text.starts_with("the provider answered […]"), "{text}");
        assert!(text.chars().count() <= 201 && !text.contains(['\u{1b}', '\u{202e}']), "{text}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_noted_before_anybody_leaves() -> Outcome<()> {
    with_provider(async |server, provider| {
        provider.script().issuer_in_discovery = Some("https://another.example".to_owned());
        let hand = Hand::new(server);
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        hand.next(&form, &[("action", "idp-stranger")]).await?;
        let (success, _, text, failures) = told(written(server).await?);
        assert_eq!((success, failures), (None, 1));
        assert_eq!(text, "the discovery document is of https://another.example");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_health_of_a_provider_goes_with_it_and_stays_when_it_is_renamed() -> Outcome<()> {
    with_provider(async |server, provider| {
        travel(server, provider).await?;
        let known = written(server).await?;
        assert!(known.is_some());
        let file = guests(&provider.issuer);
        server.apply(&[&file.replace("displayName: Stranger", "displayName: Fremd")]).await?;
        assert_eq!(written(server).await?, known);
        // Somebody comes back, and the provider is removed before that is written.
        server.clock.advance(Span::minutes(5));
        travel(server, provider).await?;
        let (head, rest) = file.split_once("  - id: stranger").unwrap();
        let (_, tail) = rest.split_once("  - id: second").unwrap();
        let without = format!("{head}  - id: second{tail}").replace("[stranger, second", "[second");
        server.apply(&[&without]).await?;
        assert_eq!(written(server).await?, None);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_was_not_due_is_written_when_the_server_stops() -> Outcome<()> {
    with_provider(async |server, provider| {
        travel(server, provider).await?;
        written(server).await?;
        server.clock.advance(Span::seconds(10));
        travel(server, provider).await?;
        health::save(&server.site, true).await?;
        assert_eq!(told(written(server).await?).0, Some(BEGIN + Span::seconds(10)));
        Ok(())
    })
    .await
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_secret_that_expires_is_warned_of_thirty_days_ahead_and_after() -> Outcome<()> {
    let file = guests("https://login.fabrikam.example").replacen(
        "    clientSecret: { file: secrets/stranger }\n",
        "    clientSecret: { file: secrets/stranger }\n    secretExpiresAt: 2026-12-24\n",
        1,
    );
    let server = TestServer::start(Engine::Sqlite, &[&file]).await?;
    let said = |server: &TestServer| {
        let log = Log::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("vestibule=warn"))
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(lines, || overview::warn_of_expiry(&server.site));
        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    };
    server.clock.set(Timestamp::parse_rfc3339("2026-11-23T23:59:59Z").unwrap());
    assert_eq!(said(&server), "");
    server.clock.set(Timestamp::parse_rfc3339("2026-11-24T00:00:00Z").unwrap());
    let text = said(&server);
    assert!(text.contains("WARN") && text.contains("the client secret of a provider expires soon"), "{text}");
    assert!(text.contains("provider=stranger") && text.contains("days=30"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    server.clock.set(Timestamp::parse_rfc3339("2026-12-25T00:00:00Z").unwrap());
    assert!(said(&server).contains("the client secret of a provider has expired"));
    server.finish().await
}

#[tokio::test]
async fn a_day_that_is_none_is_refused_with_its_line() -> Outcome<()> {
    let file = |day: &str| {
        let more = format!("clientSecret: {{ file: secrets/stranger }}\n    secretExpiresAt: {day}");
        guests("https://login.fabrikam.example").replacen(
            "clientSecret: { file: secrets/stranger }",
            &more,
            1,
        )
    };
    let server = TestServer::start(Engine::Sqlite, &[&file("2027-05-31")]).await?;
    let listed = overview::list(&server.site.env.db, Some(GUESTS), BEGIN).await?;
    let stranger = listed.iter().find(|one| one.id.as_str() == "stranger").unwrap();
    assert_eq!(json!(stranger.secret.as_ref().map(|life| life.days)), json!(188));
    let fault = server.apply(&[&file("31.05.2027")]).await.unwrap_err();
    let words = "identityProviders[0].secretExpiresAt: “31.05.2027” is not a day such as 2027-05-31";
    assert!(fault.detail.contains(words), "{}", fault.detail);
    server.finish().await
}
