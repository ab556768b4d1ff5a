//! Workloads of other platforms that act as an application.

use serde_json::{Map, Value, json};
use vestibule_crypto::asymmetric::KeyKind;
use vestibule_crypto::client_key::ClientKey;
use vestibule_rules::fault::Outcome;
use vestibule_testkit::{Engine, TestServer};

use super::world::{Answer, Asks, CERT, ROBOT, WORKLOAD, World};

/// The platform's token, but for `more`.
fn token(server: &TestServer, world: &World, key: &ClientKey, more: Value) -> String {
    let now = server.site.env.now().seconds();
    let mut claims = json!({"iss": world.publisher.base, "sub": ROBOT, "aud": "api://AzureADTokenExchange",
        "exp": now + 300, "iat": now});
    let (Value::Object(all), Value::Object(more)) = (&mut claims, more) else { return String::new() };
    all.extend(more);
    all.retain(|_, value| !value.is_null());
    key.sign(key.algorithms()[0], &Map::new(), &claims).unwrap()
}

async fn show(server: &TestServer, client: &str, token: &str) -> Outcome<Answer> {
    let proof = [
        ("client_id", client),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", token),
    ];
    server.credentials(&proof, &[]).await
}

#[tokio::test]
async fn a_workload_is_known_by_issuer_subject_and_audience() -> Outcome<()> {
    // R51, S61
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let key = ClientKey::generate(KeyKind::Rsa2048)?;
    world.publisher.publishes(&[&key]);
    let good = token(&server, &world, &key, json!({}));
    // Its platform gives out one token for some time.
    for _ in 0..2 {
        let answer = show(&server, WORKLOAD, &good).await?;
        assert_eq!((answer.status, &answer.claims()["azpacr"]), (200, &json!("2")), "{:?}", answer.body);
    }
    assert_eq!(world.publisher.asked("/.well-known/openid-configuration"), 1);
    let now = server.site.env.now().seconds();
    for (more, number) in [
        (json!({"sub": "repo:corner/shop:ref:refs/heads/Main"}), 700_213),
        (json!({"sub": null}), 700_213),
        (json!({"aud": "api://azureadtokenexchange"}), 700_212),
        (json!({"aud": null}), 700_212),
        (json!({"iss": format!("{}/", world.publisher.base)}), 700_211),
        (json!({"iss": "https://elsewhere.example"}), 700_211),
        (json!({"exp": now - 300}), 700_024),
        (json!({"exp": null}), 700_024),
    ] {
        let answer = show(&server, WORKLOAD, &token(&server, &world, &key, more.clone())).await?;
        assert_eq!((answer.status, answer.error()), (401, ("invalid_client", number)), "{more}");
    }
    let stranger = ClientKey::generate(KeyKind::P256)?;
    let answer = show(&server, WORKLOAD, &token(&server, &world, &stranger, json!({}))).await?;
    assert_eq!(answer.error(), ("invalid_client", 700_027));
    // It is one application's workload and nobody else's.
    assert_eq!(show(&server, CERT, &good).await?.error(), ("invalid_client", 700_021));
    server.finish().await
}

#[tokio::test]
async fn a_document_of_another_issuer_leads_to_no_keys() -> Outcome<()> {
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let key = ClientKey::generate(KeyKind::P256)?;
    world.publisher.publishes(&[&key]);
    world.publisher.says("issuer", json!("https://elsewhere.example"));
    let answer = show(&server, WORKLOAD, &token(&server, &world, &key, json!({}))).await?;
    assert_eq!((answer.status, answer.error()), (401, ("invalid_client", 700_027)));
    assert_eq!(world.publisher.asked("/keys"), 0);
    server.finish().await
}
