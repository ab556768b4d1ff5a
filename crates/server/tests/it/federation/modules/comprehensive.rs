//! `oidcc-client-test-plan`: the modules of it that the certification plans leave out and that a code flow without
//! aggregated and distributed claims can meet.

use serde_json::json;
use vestibule_rules::fault::Outcome;

use super::super::kinds::stand_in::{Call, StandIn};
use super::Mode::{FormPost, Query};
use super::{joins, leads_to, passes, refuses, suite, turned_away, with_suite};
use crate::journeys::passage::Hand;

#[tokio::test]
async fn oidcc_client_test_missing_aud() -> Outcome<()> {
    refuses(Query, 0, |suite| suite.says("id_token", json!({"aud": null}))).await
}

/// The nonce of the request comes back, and a response without any is refused.
#[tokio::test]
async fn oidcc_client_test_nonce() -> Outcome<()> {
    passes(Query, |_| {}).await?;
    refuses(Query, 0, |suite| suite.says("id_token", json!({"nonce": null}))).await
}

#[tokio::test]
async fn oidcc_client_test_userinfo_bearer_header() -> Outcome<()> {
    with_suite(suite::PLAIN, async |server, suite| {
        joins(server, suite).await?;
        let calls = suite.calls("/userinfo");
        assert!(calls.len() == 1 && calls.iter().all(Call::shows_token));
        Ok(())
    })
    .await
}

/// An error that is posted is told to the person, who has another way to go.
#[tokio::test]
async fn oidcc_client_test_form_post_error() -> Outcome<()> {
    with_suite(FormPost.company(), async |server, suite| {
        let hand = Hand::new(server);
        let words = "Error response using form_post";
        let posted = [("error", "login_required"), ("error_description", words)];
        let form = leads_to(&hand, suite, &posted).await?;
        turned_away(server, &form, 0).await?;
        assert!(!form.page.html.contains(words) && suite.calls("/token").is_empty());
        let other = hand.next(&form, &[]).await?;
        assert!(other.page.has("#idp-stranger"));
        Ok(())
    })
    .await
}

/// A signature with the client's secret is as good as none: whoever reads our configuration could make it.
#[tokio::test]
async fn oidcc_client_test_invalid_sig_hs256() -> Outcome<()> {
    refuses(Query, 0, |suite| suite.says("header", json!({"alg": "HS256", "kid": null}))).await
}

#[tokio::test]
async fn oidcc_client_test_invalid_sig_es256() -> Outcome<()> {
    passes(Query, curved).await?;
    refuses(Query, 0, |suite| {
        curved(suite);
        suite.says("breaks signatures", json!(true));
    })
    .await
}

/// The provider signs with another type of key.
pub(super) fn curved(suite: &StandIn) {
    suite.says("discovery", json!({"id_token_signing_alg_values_supported": ["ES256"]}));
    suite.says("header", json!({"alg": "ES256"}));
    suite.says("keys", json!({"keys": [suite::curve()]}));
}

/// A key of an algorithm that nobody knows yet stands beside the one that signs.
#[tokio::test]
async fn oidcc_client_test_ignores_unparseable_key_in_jwks() -> Outcome<()> {
    passes(Query, |suite| {
        let quantum =
            json!({"kty": "AKP", "alg": "ML-DSA-99", "kid": "quantum", "pub": "AAAA", "use": "sig"});
        let made_up = json!({"kty": "MADE-UP", "kid": "made up", "use": "sig"});
        suite.says("keys", json!({"keys": [quantum, made_up, suite::key(0)]}));
    })
    .await
}

#[tokio::test]
async fn oidcc_client_test_userinfo_signed() -> Outcome<()> {
    passes(Query, |suite| suite.says("signs user info", json!(true))).await
}
