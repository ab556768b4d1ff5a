//! What Apple reports of accounts by itself: “Processing changes for Sign in with Apple accounts”,
//! <https://developer.apple.com/documentation/signinwithapple/processing-changes-for-sign-in-with-apple-accounts>.
//! That `events` is an object in a text, and that reports are addressed to the App ID, is told in
//! <https://developer.apple.com/forums/thread/655485>.

use serde_json::{Value, json};
use vestibule_crypto::keyring::SigningKey;
use vestibule_rules::fault::Outcome;
use vestibule_testkit::TestServer;
use vestibule_testkit::server::BEGIN;

use super::apple::{APPLE, MAIL, SUBJECT};
use super::stand_in::{CLIENT, StandIn};
use super::{arrive, complete, with_company};
use crate::client::parameter;
use crate::journeys::passage::{GUESTS, Hand, PORTAL, people, recorded};

const APP: &str = "com.northgate.app";

fn report(apple: &StandIn, what: &str, subject: &str) -> Value {
    let now = BEGIN.seconds();
    let event = json!({"type": what, "sub": subject, "event_time": now * 1_000});
    json!({"iss": apple.base, "aud": APP, "iat": now, "exp": now + 86_400, "jti": "r1", "events": event.to_string()})
}

async fn send(server: &TestServer, payload: &str) -> Outcome<u16> {
    let url = format!("{}/{GUESTS}/federation/stranger/notifications", server.origin);
    Hand::new(server).report(&url, &json!({ "payload": payload })).await
}

async fn signed(server: &TestServer, apple: &StandIn, claims: &Value) -> Outcome<u16> {
    send(server, &apple.key.sign(claims, "JWT").unwrap()).await
}

async fn is_signed_in(hand: &Hand) -> Outcome<bool> {
    let back = hand.authorize(GUESTS, PORTAL, &[("prompt", "none")]).await?.at_app()?;
    Ok(parameter(&back, "code").is_some())
}

#[tokio::test]
async fn an_account_that_was_closed_or_taken_back_is_signed_out() -> Outcome<()> {
    with_company(APPLE, async |server, apple| {
        let (hand, form) = arrive(server, apple).await?;
        complete(&hand, &form).await?;
        // Mail that is no longer forwarded signs nobody out, and what comes of accounts that are not here neither.
        for (what, subject) in [
            ("email-disabled", SUBJECT),
            ("email-enabled", SUBJECT),
            ("something-new", SUBJECT),
            ("consent-revoked", "another"),
        ] {
            assert_eq!(signed(server, apple, &report(apple, what, subject)).await?, 200, "{what}");
        }
        assert!(is_signed_in(&hand).await?);
        assert_eq!(recorded(server, GUESTS, "providerReport").await?.len(), 3);
        let mut to_the_service = report(apple, "consent-revoked", SUBJECT);
        to_the_service["aud"] = json!(CLIENT);
        assert_eq!(signed(server, apple, &to_the_service).await?, 200);
        assert!(!is_signed_in(&hand).await?);
        // The account stays: it is the organisation's own, with its address.
        assert_eq!(people(server, GUESTS, MAIL).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nobody_but_apple_reports_anything() -> Outcome<()> {
    with_company(APPLE, async |server, apple| {
        let (hand, form) = arrive(server, apple).await?;
        complete(&hand, &form).await?;
        let good = report(apple, "account-deleted", SUBJECT);
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        for claims in [
            with("iss", json!("https://evil.example")),
            with("aud", json!("com.another.app")),
            with("iat", json!(BEGIN.seconds() + 600)),
            with("iat", Value::Null),
            with("events", json!("no JSON")),
            with("events", json!({"type": "account-deleted"}).to_string().into()),
            with("events", json!({"sub": SUBJECT}).to_string().into()),
        ] {
            let status = signed(server, apple, &claims).await?;
            assert!((400..500).contains(&status), "{status} for {claims}");
        }
        let other = SigningKey::generate("company", BEGIN)?;
        for payload in [&other.sign(&good, "JWT").unwrap(), "", "a.b.c", &"e".repeat(20_000)] {
            let status = send(server, payload).await?;
            assert!((400..500).contains(&status), "{status}");
        }
        let url = format!("{}/{GUESTS}/federation/stranger/notifications", server.origin);
        for body in [json!({}), json!([]), json!({"payload": 7}), json!({"payload": "e".repeat(70_000)})] {
            let status = hand.report(&url, &body).await?;
            assert!((400..500).contains(&status), "{status}");
        }
        assert!(is_signed_in(&hand).await?);
        assert_eq!(signed(server, apple, &good).await?, 200);
        assert!(!is_signed_in(&hand).await?);
        Ok(())
    })
    .await
}
