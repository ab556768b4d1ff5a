//! `oidcc-client-config-certification-test-plan`: what is read of a provider, and when it is read again.

use serde_json::json;
use vestibule_rules::fault::Outcome;

use super::super::kinds::stand_in::CLIENT;
use super::super::kinds::{depart, entrance};
use super::{
    Mode, comes_again, comprehensive, demands, heard, joins, passes, suite, turned_away, with_suite,
};
use crate::journeys::passage::Hand;

/// Everything is where the document says, and nothing is where one would guess.
#[tokio::test]
async fn oidcc_client_test_discovery_openid_config() -> Outcome<()> {
    with_suite(suite::PLAIN, async |server, suite| {
        let at = |path: &str| format!("{}/elsewhere/{path}", suite.base);
        let moved = json!({
            "authorization_endpoint": at("authorize?kept=1"),
            "token_endpoint": at("token"),
            "userinfo_endpoint": at("userinfo"),
        });
        suite.says("discovery", moved);
        let hand = Hand::new(server);
        let departure = depart(suite, &hand, &entrance(&hand).await?).await?;
        let url = departure.url.as_str();
        assert!(url.starts_with(&at("authorize?kept=1&")) && url.contains(&format!("client_id={CLIENT}")));
        let form = super::shown(&hand, departure.return_with_code(&hand).await?).await?;
        assert_eq!(form.asks(), "details");
        for (path, times) in
            [("/elsewhere/token", 1), ("/elsewhere/userinfo", 1), ("/token", 0), ("/userinfo", 0)]
        {
            assert_eq!(suite.calls(path).len(), times, "{path}");
        }
        assert_eq!(suite.calls("/.well-known/openid-configuration").len(), 1);
        Ok(())
    })
    .await
}

/// The keys are at an address that only the document tells.
#[tokio::test]
async fn oidcc_client_test_discovery_jwks_uri_keys() -> Outcome<()> {
    with_suite(suite::PLAIN, async |server, suite| {
        suite.says("discovery", json!({"jwks_uri": format!("{}/keys-QfWbTzLpXc", suite.base)}));
        suite.says("keys at", json!("/keys-QfWbTzLpXc"));
        joins(server, suite).await?;
        assert_eq!((suite.calls("/keys-QfWbTzLpXc").len(), suite.calls("/keys").len()), (1, 0));
        Ok(())
    })
    .await
}

/// A document of another issuer ends the way before anybody is sent to where it says.
#[tokio::test]
async fn oidcc_client_test_discovery_issuer_mismatch() -> Outcome<()> {
    with_suite(suite::PLAIN, async |server, suite| {
        suite.says("discovery", json!({"issuer": format!("{}/invalid", suite.base)}));
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let form = hand.next(&form, &[("action", "idp-stranger")]).await?;
        turned_away(server, &form, 0).await?;
        assert!(suite.calls("/token").is_empty() && suite.calls("/keys").is_empty());
        suite.repents();
        joins(server, suite).await
    })
    .await
}

#[tokio::test]
async fn oidcc_client_test_idtoken_sig_none() -> Outcome<()> {
    demands::idtoken_sig_none(Mode::Query).await
}

/// The keys change after the request and before the signature. That they were read for somebody else a moment ago
/// makes it harder than the suite does.
#[tokio::test]
async fn oidcc_client_test_signing_key_rotation_just_before_signing() -> Outcome<()> {
    passes(Mode::Query, |suite| suite.says("rotates", json!(true))).await?;
    with_suite(suite::PLAIN, async |server, suite| {
        joins(server, suite).await?;
        assert_eq!(suite.calls("/keys").len(), 1);
        suite.says("rotates", json!(true));
        comes_again(server, suite).await?;
        assert_eq!(suite.calls("/keys").len(), 2);
        Ok(())
    })
    .await
}

/// The keys change between two sign-ins.
#[tokio::test]
async fn oidcc_client_test_signing_key_rotation() -> Outcome<()> {
    with_suite(suite::PLAIN, async |server, suite| {
        joins(server, suite).await?;
        suite::rotates(suite);
        comes_again(server, suite).await?;
        assert_eq!(suite.calls("/keys").len(), 2);
        heard(suite, 2);
        Ok(())
    })
    .await
}

/// The same, to a key of another type, in a token that does not name its key: none of the old ones could be it.
#[tokio::test]
async fn a_nameless_key_of_another_type_is_looked_for() -> Outcome<()> {
    with_suite(suite::PLAIN, async |server, suite| {
        comprehensive::curved(suite);
        joins(server, suite).await?;
        suite.says("header", json!({"kid": null}));
        suite.says("keys", json!({"keys": [suite::nameless(0)]}));
        comes_again(server, suite).await?;
        assert_eq!(suite.calls("/keys").len(), 2);
        Ok(())
    })
    .await
}
