//! How long tokens live: what applications, tenants and APIs say about it.

use serde_json::Value;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::server::on_nodes;
use vestibule_testkit::{Engine, TestServer};

use super::app::{Answer, PAGE, WEB, back, harbour, signed_in};
use crate::client::claims;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// The harbour with a word on lifetimes from the tenant, the web app and its API.
fn brief() -> String {
    let short = "  shortName: harbour\n";
    let web = "  - displayName: Web\n";
    let orders = "  - displayName: Orders\n";
    harbour()
        .replacen(
            short,
            &format!("{short}  tokens:\n    lifetimes: {{ accessToken: 30m, refreshTokenAbsolute: 3d }}\n"),
            1,
        )
        .replacen(
            web,
            &format!(
                "{web}    tokenLifetimes: {{ idToken: 5m, refreshToken: 1d, refreshTokenAbsolute: 2d }}\n"
            ),
            1,
        )
        .replacen(orders, &format!("{orders}    tokenLifetimes: {{ accessToken: 2m }}\n"), 1)
}

fn life(token: &str) -> i64 {
    let claims = claims(token);
    claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()
}

/// Seconds that the refresh token is said to live.
fn left(answer: &Answer) -> Option<i64> {
    answer.body.get("refresh_token_expires_in").and_then(Value::as_i64)
}

#[tokio::test]
async fn app_tenant_and_api_each_have_their_say() -> Outcome<()> {
    let server = TestServer::start(Engine::Sqlite, &[&brief()]).await?;
    let hand = signed_in(&server).await?;
    let tokens = WEB.tokens(&server, &hand, &[]).await?;
    let (access, id) = (tokens.text("access_token"), tokens.text("id_token"));
    assert_eq!((life(access), life(id), left(&tokens)), (30 * MINUTE, 5 * MINUTE, Some(DAY)));
    assert_eq!(tokens.body["expires_in"], 30 * MINUTE);
    let orders = [("scope", "openid offline_access api://orders/orders.read")];
    let tokens = WEB.tokens(&server, &hand, &orders).await?;
    assert_eq!((life(tokens.text("access_token")), life(tokens.text("id_token"))), (2 * MINUTE, 5 * MINUTE));
    assert_eq!(
        (&tokens.body["expires_in"], &tokens.body["ext_expires_in"]),
        (&Value::from(120), &Value::from(120))
    );
    // Nothing that a page gets lives longer than a day, and its app said nothing of the rest.
    let tokens = PAGE.tokens(&server, &hand, &[]).await?;
    assert_eq!((life(tokens.text("id_token")), left(&tokens)), (60 * MINUTE, Some(DAY)));
    let own = WEB.call(&[("grant_type", "client_credentials"), ("scope", "api://orders/.default")]);
    assert_eq!(life(own.token(&server).await?.text("access_token")), 2 * MINUTE);
    server.finish().await
}

#[tokio::test]
async fn no_rotation_moves_the_end_of_a_grant() -> Outcome<()> {
    // S76
    on_nodes(&[&brief()], async |server| {
        let hand = signed_in(server).await?;
        for (app, step, uses) in [(WEB, Span::hours(20), 2), (PAGE, Span::hours(9), 2)] {
            let url = back(&hand, &app.address(server, &[])).await?;
            let mut tokens = app.redeems(&url).token(server).await?;
            let (mut before, began) = (left(&tokens).unwrap(), server.site.env.now());
            let end = if app.id == PAGE.id { DAY } else { 2 * DAY };
            for _ in 0..uses {
                server.clock.advance(step);
                tokens = app.refreshes(tokens.text("refresh_token")).token(server).await?;
                assert_eq!(tokens.status, 200, "{}", tokens.body);
                let passed = server.site.env.now().since(began).as_seconds();
                before = left(&tokens).unwrap();
                assert!(before <= DAY && before + passed <= end, "{before} after {passed}");
            }
            assert!(before < DAY, "it dies with the grant");
            server.clock.advance(Span::seconds(before - 1));
            tokens = app.refreshes(tokens.text("refresh_token")).token(server).await?;
            assert_eq!((tokens.status, left(&tokens)), (200, Some(1)));
            server.clock.advance(Span::seconds(1));
            let refused = app.refreshes(tokens.text("refresh_token")).token(server).await?;
            assert_eq!(refused.refusal(), (400, "invalid_grant"));
            // The person's session ends of its own; the next app needs one.
            server.clock.advance(Span::seconds(-2 * DAY));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_refresh_token_that_nobody_uses_dies_of_it() -> Outcome<()> {
    // S76
    on_nodes(&[&brief()], async |server| {
        let hand = signed_in(server).await?;
        let tokens = WEB.tokens(server, &hand, &[]).await?;
        server.clock.advance(Span::days(1));
        let refused = WEB.refreshes(tokens.text("refresh_token")).token(server).await?;
        assert_eq!(refused.refusal(), (400, "invalid_grant"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn lengths_that_make_no_sense_are_named_with_their_line() -> Outcome<()> {
    let server = TestServer::start(Engine::Sqlite, &[&brief()]).await?;
    for (from, to, said) in [
        (
            "accessToken: 30m",
            "accessToken: 30s",
            "tenant.tokens.lifetimes.accessToken: “30s” is not between 1m and 24h",
        ),
        ("accessToken: 30m", "accessToken: 25h", "“25h” is not between 1m and 24h"),
        ("accessToken: 30m", "accessToken: half an hour", "“half an hour” is not a length of time"),
        (
            "refreshToken: 1d",
            "refreshToken: 3d",
            "tokenLifetimes.refreshToken: it is longer than refreshTokenAbsolute",
        ),
        ("refreshToken: 1d", "refreshToken: 366d", "“366d” is not between 10m and 365d"),
        ("refreshToken: 1d", "refreshTokens: 1d", "there is no key “refreshTokens” here"),
    ] {
        let refused = server.apply(&[&brief().replace(from, to)]).await.unwrap_err().detail;
        assert!(refused.contains(said), "{refused}");
        assert!(refused.starts_with("tenant-0.yaml:"), "{refused}");
    }
    server.finish().await
}
