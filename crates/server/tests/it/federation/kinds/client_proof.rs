//! How we prove ourselves at a provider: what arrives at its token endpoint (RFC 6749 §2.3, RFC 7523, OpenID Connect
//! Core 1.0 §9).

use serde_json::{Value, json};
use vestibule_crypto::digest;
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};
use vestibule_crypto::jws::{Expected, Typ, Verified, verify};
use vestibule_rules::fault::Outcome;
use vestibule_testkit::TestServer;
use vestibule_testkit::server::BEGIN;

use super::stand_in::{CLIENT, Call, Company, StandIn, secret};
use super::{arrive, fails, standard, with_company};
use crate::journeys::passage::{GUESTS, Hand};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const BASIC: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
clientAuthentication: client_secret_basic
pushedAuthorizationRequest: true
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer: standard::answer,
};

const NONE: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
clientAuthentication: none
pushedAuthorizationRequest: true
clientId: "{client}""#,
    answer: standard::answer,
};

const SECRET_JWT: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
clientAuthentication: client_secret_jwt
pushedAuthorizationRequest: true
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer: standard::answer,
};

const PRIVATE_KEY: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
clientAuthentication: private_key_jwt
pushedAuthorizationRequest: true
clientId: "{client}"
clientKey: { file: secrets/fabrikam.p8 }"#,
    answer: standard::answer,
};

const NAMED_RSA_KEY: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
clientAuthentication: private_key_jwt
keyId: the-name-at-fabrikam
clientId: "{client}"
clientKey: { file: secrets/fabrikam.pem }"#,
    answer: standard::answer,
};

/// What is never sent, whichever way is configured.
fn shows_no_secret(call: &Call) {
    let hidden = secret();
    assert!(!call.form.contains_key("client_secret"));
    assert!(!call.form.values().any(|value| value.contains(hidden.expose())));
}

/// The keys that we publish for the provider.
async fn published(server: &TestServer) -> Outcome<Value> {
    let address = format!("{}/{GUESTS}/federation/stranger/keys", server.origin);
    let answered = Hand::new(server).get(&address).await?;
    assert_eq!(answered.status, 200);
    Ok(serde_json::from_str(&answered.body).unwrap())
}

/// An assertion that verifies with a key that we publish.
fn verified(call: &Call, keys: &Value, algorithm: Algorithm) -> Verified {
    assert_eq!(call.field("client_assertion_type"), ASSERTION);
    assert_eq!((call.field("client_id"), call.header("authorization")), (CLIENT, ""));
    let keys = VerifyingKey::set(keys.to_string().as_bytes()).unwrap();
    let expected = Expected { algorithms: &[algorithm], typ: Typ::AbsentOr(&["JWT"]) };
    verify(call.field("client_assertion"), &keys, &expected).unwrap()
}

/// RFC 7523 §3: whose it is, for whom, for how long; returns its id.
fn check(provider: &StandIn, claims: &Value) -> String {
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(CLIENT), &json!(CLIENT)));
    assert_eq!(claims["aud"], provider.base);
    let lasts = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert!((1..=60).contains(&lasts) && claims["iat"] == BEGIN.seconds());
    claims["jti"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn client_secret_basic_is_in_the_header_alone() -> Outcome<()> {
    with_company(BASIC, async |server, provider| {
        assert_eq!(arrive(server, provider).await?.1.asks(), "details");
        for path in ["/par", "/token"] {
            let call = provider.only_call(path);
            // The secret has blanks and a slash in it, which are encoded before the halves are joined.
            assert_eq!(call.basic(), Some((CLIENT.to_owned(), secret().expose().clone())));
            shows_no_secret(&call);
            // RFC 9126 §2.1: what is pushed is a whole request, whoever the header says it is from.
            assert_eq!(call.field("client_id"), if path == "/par" { CLIENT } else { "" });
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_public_client_shows_its_name_and_pkce() -> Outcome<()> {
    with_company(NONE, async |server, provider| {
        assert_eq!(arrive(server, provider).await?.1.asks(), "details");
        for path in ["/par", "/token"] {
            let call = provider.only_call(path);
            assert_eq!((call.field("client_id"), call.header("authorization")), (CLIENT, ""));
            assert!(!call.form.contains_key("client_assertion"));
            shows_no_secret(&call);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn client_secret_jwt_is_signed_with_the_secret_and_does_not_show_it() -> Outcome<()> {
    with_company(SECRET_JWT, async |server, provider| {
        assert_eq!(arrive(server, provider).await?.1.asks(), "details");
        let calls = [provider.only_call("/par"), provider.only_call("/token")];
        let ids = calls.each_ref().map(|call| {
            shows_no_secret(call);
            let token = call.field("client_assertion");
            let (input, signature) = token.rsplit_once('.').unwrap();
            let mac = digest::hmac_sha256(secret().expose().as_bytes(), input.as_bytes());
            assert_eq!(signature, digest::base64url(&mac));
            check(provider, &crate::client::claims(token))
        });
        assert_ne!(ids[0], ids[1]);
        assert_eq!(published(server).await?, json!({"keys": []}));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn private_key_jwt_verifies_with_what_we_publish() -> Outcome<()> {
    with_company(PRIVATE_KEY, async |server, provider| {
        assert_eq!(arrive(server, provider).await?.1.asks(), "details");
        assert_eq!(arrive(server, provider).await?.1.asks(), "details");
        let keys = published(server).await?;
        let members: Vec<_> = keys["keys"][0].as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["crv", "kid", "kty", "use", "x", "y"], "the private half stays here");
        let calls = [provider.calls("/par"), provider.calls("/token")].concat();
        let mut ids: Vec<_> = calls
            .iter()
            .map(|call| {
                let assertion = verified(call, &keys, Algorithm::Es256);
                assert_eq!(assertion.kid.as_deref(), keys["keys"][0]["kid"].as_str());
                check(provider, &Value::Object(assertion.claims))
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 4, "each assertion is good once");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_assertion_is_signed_as_the_provider_takes_it() -> Outcome<()> {
    let algorithms = [
        (json!(null), Algorithm::Rs256),
        (json!(["ES256", "PS256"]), Algorithm::Ps256),
        (json!(["RS384"]), Algorithm::Rs384),
    ];
    for (taken, algorithm) in algorithms {
        with_company(NAMED_RSA_KEY, async |server, provider| {
            provider.says("discovery", json!({"token_endpoint_auth_signing_alg_values_supported": taken}));
            assert_eq!(arrive(server, provider).await?.1.asks(), "details");
            let keys = published(server).await?;
            let assertion = verified(&provider.only_call("/token"), &keys, algorithm);
            assert_eq!(assertion.kid.as_deref(), Some("the-name-at-fabrikam"));
            Ok(())
        })
        .await?;
    }
    with_company(NAMED_RSA_KEY, async |server, provider| {
        provider.says("discovery", json!({"token_endpoint_auth_signing_alg_values_supported": ["ES256"]}));
        fails(server, provider).await?;
        assert!(provider.calls("/token").is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn keys_of_a_provider_that_is_not_there_are_not_there() -> Outcome<()> {
    with_company(NONE, async |server, _| {
        let hand = Hand::new(server);
        for (path, status) in [("stranger", 200), ("nobody", 404)] {
            let address = format!("{}/{GUESTS}/federation/{path}/keys", server.origin);
            assert_eq!(hand.get(&address).await?.status, status);
        }
        Ok(())
    })
    .await
}
