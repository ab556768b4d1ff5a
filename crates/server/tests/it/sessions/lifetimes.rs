//! Sessions end when nobody uses them, and when they are old (security.md A42).

use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::server;

use super::{ADA, at_once, harbour, sign_up};
use crate::client::parameter;
use crate::journeys::passage::{Hand, SHOP, TILL, shop};

const PASSWORD: &str = "seven green lanterns in the fog";

/// A tenant whose file says how long sessions last.
fn lasting(tenant: &str, lifetimes: &str) -> String {
    tenant.replacen("tenant:\n", &format!("tenant:\n  sessionLifetimes: {lifetimes}\n"), 1)
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_when_it_is_old() -> Outcome<()> {
    // A42
    let tenant = lasting(&harbour(), "{ idle: 30m, absolute: 2h }");
    server::on_nodes(&[&tenant], async |server| {
        let silent = [("prompt", "none")];
        let hand = Hand::new(server);
        sign_up(server, &hand, ADA).await?;
        for _ in 0..4 {
            server.clock.advance(Span::minutes(29));
            assert_eq!(at_once(&hand, &silent).await?, ADA);
        }
        server.clock.advance(Span::minutes(5));
        assert_eq!(at_once(&hand, &silent).await?, "login_required");

        let idle = Hand::new(server);
        sign_up(server, &idle, "eve@northwind.example").await?;
        server.clock.advance(Span::minutes(30));
        assert_eq!(at_once(&idle, &silent).await?, "login_required");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_tenant_that_shortens_lifetimes_means_sessions_of_before_too() -> Outcome<()> {
    // A42, A43
    server::on_nodes(&[&harbour()], async |server| {
        let hand = Hand::new(server);
        sign_up(server, &hand, ADA).await?;
        server.clock.advance(Span::hours(3));
        assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, ADA);
        server.apply(&[&lasting(&harbour(), "{ absolute: 2h }")]).await?;
        assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, "login_required");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn whoever_chose_to_stay_signed_in_stays_longer() -> Outcome<()> {
    // A42, A43
    let tenant = lasting(&shop(), "{ absolute: 1h, persistentAbsolute: 30d, persistentIdle: 7d }");
    server::on_nodes(&[&tenant], async |server| {
        let silently = async |hand: &Hand| -> Outcome<Option<String>> {
            let back = hand.authorize(SHOP, TILL, &[("prompt", "none")]).await?.at_app()?;
            Ok(parameter(&back, "error"))
        };
        let (stays, leaves) = (Hand::new(server), Hand::new(server));
        let form = stays.almost_customer(server, (ADA, PASSWORD)).await?;
        let answered = stays.answer(&form, &[("action", "submit")]).await?;
        assert!(answered.set_cookies.iter().any(|cookie| cookie.contains("Max-Age=2592000")));
        let form = leaves.almost_customer(server, ("eve@northwind.example", PASSWORD)).await?;
        leaves.answer(&form, &[("action", "no")]).await?.at_app()?;
        server.clock.advance(Span::days(6));
        assert_eq!(silently(&stays).await?, None);
        assert_eq!(silently(&leaves).await?.as_deref(), Some("login_required"));
        server.clock.advance(Span::days(7));
        assert_eq!(silently(&stays).await?.as_deref(), Some("login_required"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_browser_forgets_everybody_on_close_when_one_of_them_did_not_stay() -> Outcome<()> {
    server::on_nodes(&[&shop()], async |server| {
        let hand = Hand::new(server);
        let form = hand.almost_customer(server, (ADA, PASSWORD)).await?;
        hand.answer(&form, &[("action", "submit")]).await?.at_app()?;
        let form = hand.almost_customer(server, ("eve@northwind.example", PASSWORD)).await?;
        let both = hand.answer(&form, &[("action", "no")]).await?;
        let cookie = |cookies: &[String]| {
            cookies.iter().find(|c| c.starts_with("vestibule-session")).cloned().unwrap_or_default()
        };
        assert!(!cookie(&both.set_cookies).contains("Max-Age"), "{:?}", both.set_cookies);
        let form = hand.begin(SHOP, TILL, &[]).await?;
        let chosen = super::choose(&hand, &form, ADA).await?;
        assert!(!cookie(&chosen.set_cookies).contains("Max-Age"), "{:?}", chosen.set_cookies);
        Ok(())
    })
    .await
}
