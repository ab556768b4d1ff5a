//! What each module does and demands, for whichever way the browser comes back. The names are the modules' own,
//! without `oidcc-client-test-`.

use serde_json::json;
use vestibule_rules::fault::Outcome;

use super::super::kinds::stand_in::{CLIENT, secret};
use super::super::kinds::{depart, entrance};
use super::{Mode, comes_again, joins, passes, refuses, suite, with_suite};
use crate::journeys::passage::Hand;

/// An honest provider: authorization, token and user info requests are as they should be.
pub(super) async fn happy_path(mode: Mode) -> Outcome<()> {
    with_suite(mode.company(), async |server, suite| {
        let hand = Hand::new(server);
        let sent = depart(suite, &hand, &entrance(&hand).await?).await?.sent;
        assert_eq!((sent["response_type"].as_str(), sent["client_id"].as_str()), ("code", CLIENT));
        assert!(sent["scope"].split(' ').any(|scope| scope == "openid"));
        assert!(!sent["state"].is_empty() && !sent["nonce"].is_empty());
        let posted = sent.get("response_mode").map(String::as_str);
        assert_eq!(posted, matches!(mode, Mode::FormPost).then_some("form_post"));
        joins(server, suite).await?;
        comes_again(server, suite).await
    })
    .await
}

/// `iss` of the ID token is another one.
pub(super) async fn invalid_iss(mode: Mode) -> Outcome<()> {
    refuses(mode, 0, |suite| {
        suite.says("id_token", json!({"iss": format!("{}/invalid", suite.base)}));
    })
    .await
}

pub(super) async fn missing_sub(mode: Mode) -> Outcome<()> {
    refuses(mode, 0, |suite| suite.says("id_token", json!({"sub": null}))).await
}

pub(super) async fn invalid_aud(mode: Mode) -> Outcome<()> {
    refuses(mode, 0, |suite| suite.says("id_token", json!({"aud": format!("{CLIENT}1")}))).await
}

pub(super) async fn missing_iat(mode: Mode) -> Outcome<()> {
    refuses(mode, 0, |suite| suite.says("id_token", json!({"iat": null}))).await
}

/// Neither the token nor the only key has a name: the key is the one.
pub(super) async fn kid_absent_single_jwks(mode: Mode) -> Outcome<()> {
    passes(mode, |suite| {
        suite.says("header", json!({"kid": null}));
        suite.says("keys", json!({"keys": [suite::nameless(0)]}));
    })
    .await
}

/// Several keys without names may be tried, or the token refused; we try them.
pub(super) async fn kid_absent_multiple_jwks(mode: Mode) -> Outcome<()> {
    passes(mode, |suite| {
        suite.says("header", json!({"kid": null}));
        suite.says("keys", json!({"keys": [suite::nameless(1), suite::nameless(0)]}));
    })
    .await
}

pub(super) async fn idtoken_sig_rs256(mode: Mode) -> Outcome<()> {
    passes(mode, |suite| {
        suite.says("discovery", json!({"id_token_signing_alg_values_supported": ["RS256"]}));
        suite.says("header", json!({"alg": "RS256"}));
    })
    .await
}

/// A token that nobody signed may be accepted or refused; we refuse it, also where the provider offers nothing else.
pub(super) async fn idtoken_sig_none(mode: Mode) -> Outcome<()> {
    refuses(mode, 0, |suite| {
        suite.says("discovery", json!({"id_token_signing_alg_values_supported": ["none"]}));
        suite.says("header", json!({"alg": "none", "kid": null}));
    })
    .await
}

pub(super) async fn invalid_sig_rs256(mode: Mode) -> Outcome<()> {
    refuses(mode, 0, |suite| suite.says("breaks signatures", json!(true))).await
}

/// The user info endpoint speaks of somebody else than the ID token.
pub(super) async fn userinfo_invalid_sub(mode: Mode) -> Outcome<()> {
    refuses(mode, 1, |suite| suite.says("userinfo", json!({"sub": format!("{}invalid", suite::SUBJECT)})))
        .await
}

pub(super) async fn nonce_invalid(mode: Mode) -> Outcome<()> {
    refuses(mode, 0, |suite| {
        suite.says("id_token", json!({"nonce": format!("{}1", suite.departure("nonce"))}));
    })
    .await
}

/// What scopes ask for comes from the user info endpoint alone, and arrives in the account.
pub(super) async fn scope_userinfo_claims(mode: Mode) -> Outcome<()> {
    with_suite(mode.company(), async |server, suite| {
        joins(server, suite).await?;
        let scope = suite.departure("scope");
        assert!(["profile", "email"].iter().all(|one| scope.split(' ').any(|asked| asked == *one)));
        assert_eq!(suite.calls("/userinfo").len(), 1);
        Ok(())
    })
    .await
}

/// The secret is in the header, in the form that RFC 6749 §2.3.1 has it, and nowhere else.
pub(super) async fn client_secret_basic(mode: Mode) -> Outcome<()> {
    with_suite(mode.company(), async |server, suite| {
        joins(server, suite).await?;
        let call = suite.only_call("/token");
        assert_eq!(call.basic(), Some((CLIENT.to_owned(), secret().into_inner())));
        for other in ["client_secret", "client_assertion", "client_assertion_type"] {
            assert!(!call.form.contains_key(other), "{other}");
        }
        Ok(())
    })
    .await
}
