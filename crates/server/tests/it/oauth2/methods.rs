//! Which way an application proves itself, and which others are refused.

use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;
use vestibule_testkit::browser::outsider;
use vestibule_testkit::server::secret;
use vestibule_testkit::{Engine, TestServer};

use super::world::{Asks, BASIC, CERT, EITHER, KEYED, NOBODY, World, basic};
use crate::journeys::passage::SHOP;

#[tokio::test]
async fn an_application_is_held_to_the_method_that_it_is_registered_for() -> Outcome<()> {
    // S37, S40, R51
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let own = secret("secrets/basic");
    let header = basic(BASIC, own.expose());
    assert_eq!(server.credentials(&[], &[("authorization", &header)]).await?.status, 200);
    let in_body = [("client_id", BASIC), ("client_secret", own.expose().as_str())];
    assert_eq!(server.credentials(&in_body, &[]).await?.error(), ("invalid_client", 7_000_218));
    let nothing = server.credentials(&[("client_id", BASIC)], &[]).await?;
    assert_eq!((nothing.error(), nothing.challenge.as_deref()), (("invalid_client", 7_000_218), None));
    let wrong = basic(BASIC, "wrong");
    let wrong = server.credentials(&[], &[("authorization", &wrong)]).await?;
    assert_eq!((wrong.status, wrong.error()), (401, ("invalid_client", 7_000_215)));
    assert!(wrong.challenge.unwrap().starts_with("Basic realm="));
    let keyed = [("client_id", KEYED), ("client_secret", "s")];
    assert_eq!(server.credentials(&keyed, &[]).await?.error(), ("invalid_client", 7_000_218));
    server.finish().await
}

#[tokio::test]
async fn who_proves_nothing_gets_no_token_of_its_own() -> Outcome<()> {
    // S41, S49
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let answer = server.credentials(&[("client_id", NOBODY)], &[]).await?;
    assert_eq!(answer.error(), ("unauthorized_client", 70_001));
    let answer = server.credentials(&[("client_id", CERT)], &[]).await?;
    assert_eq!(answer.error(), ("invalid_client", 7_000_218));
    server.finish().await
}

#[tokio::test]
async fn credentials_in_an_address_are_refused() -> Outcome<()> {
    // S38
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let old = secret("secrets/old");
    let good = [("client_id", EITHER), ("client_secret", old.expose().as_str())];
    assert_eq!(server.credentials(&good, &[]).await?.status, 200);
    for name in ["client_secret", "client_assertion"] {
        let url = format!("{}?{name}=canary", server.address("token"));
        let mut form = vec![("grant_type", "client_credentials"), ("scope", "api://orders/.default")];
        form.extend(good);
        let answer = server.ask(&url, &form, &[]).await?;
        assert_eq!((answer.status, answer.error().0), (400, "invalid_request"), "{name}");
        assert!(!answer.body.to_string().contains("canary"));
    }
    server.finish().await
}

#[tokio::test]
async fn discovery_lists_what_is_true() -> Outcome<()> {
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let url = format!("{}/{SHOP}/v2.0/.well-known/openid-configuration", server.origin);
    let answer = outsider().build().unwrap().get(url).send().await.unwrap();
    let document: Value = answer.json().await.unwrap();
    let methods =
        json!(["client_secret_post", "client_secret_basic", "client_secret_jwt", "private_key_jwt", "none"]);
    assert_eq!(document["token_endpoint_auth_methods_supported"], methods);
    assert_eq!(document["revocation_endpoint_auth_methods_supported"], methods);
    assert_eq!(document["introspection_endpoint_auth_methods_supported"].as_array().unwrap().len(), 4);
    assert_eq!(document["introspection_endpoint"], server.address("introspect"));
    assert_eq!(document["revocation_endpoint"], server.address("revoke"));
    assert_eq!(document["token_endpoint_auth_signing_alg_values_supported"].as_array().unwrap().len(), 12);
    server.finish().await
}

#[tokio::test]
async fn a_registration_that_cannot_work_is_refused_at_its_line() -> Outcome<()> {
    // S37, S41, S48, S66, U19
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let tenant = world.tenant();
    for (from, to, says) in [
        (
            "tokenEndpointAuthMethod: none",
            "tokenEndpointAuthMethod: private_key_jwt",
            "private_key_jwt needs",
        ),
        (
            "tokenEndpointAuthMethod: none",
            "tokenEndpointAuthMethod: client_secret_post",
            "passwordCredentials",
        ),
        (
            "tokenEndpointAuthMethod: client_secret_basic",
            "tokenEndpointAuthMethod: none",
            "no secret and no key",
        ),
        ("role: Orders.Read", "role: Orders.Unknown", "no enabled app role"),
        ("resource: \"api://orders\"", "resource: \"api://other\"", "api://other"),
        ("jwksUri: \"http://127.0.0.1", "jwksUri: \"http://keys.example", "https://"),
        ("pem: { file: keys/cert.crt }", "pem: { file: keys/cert.pem }", "private key"),
        ("pem: { file: keys/cert.crt }", "displayName2: x", "displayName2"),
        ("pem: { file: keys/cert.crt }", "jwk: { kty: oct, k: AAAA }", "the key is refused"),
    ] {
        let changed = tenant.replacen(from, to, 1);
        assert_ne!(changed, tenant, "{from}");
        let refused = server.apply(&[&changed]).await.unwrap_err();
        assert!(refused.detail.contains(says), "{to}: {}", refused.detail);
    }
    server.finish().await
}
