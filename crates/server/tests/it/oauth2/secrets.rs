//! Client secrets: several at once, each for its time, and guessed at.

use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::server::{BEGIN, on_nodes, secret};
use vestibule_testkit::{Engine, TestServer};

use super::world::{Asks, EITHER, World, overlap_ends};

async fn with(server: &TestServer, name: &str) -> Outcome<u64> {
    let own = secret(name);
    let proof = [("client_id", EITHER), ("client_secret", own.expose().as_str())];
    Ok(server.credentials(&proof, &[]).await?.error().1)
}

#[tokio::test]
async fn two_secrets_overlap_to_the_second() -> Outcome<()> {
    // S48
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let new_from = BEGIN + Span::minutes(30);
    for (at, old, new) in [
        (new_from - Span::seconds(1), 0, 7_000_215),
        (new_from, 0, 0),
        (overlap_ends() - Span::seconds(1), 0, 0),
        (overlap_ends(), 7_000_222, 0),
    ] {
        server.clock.set(at);
        assert_eq!((with(&server, "secrets/old").await?, with(&server, "secrets/new").await?), (old, new));
    }
    server.finish().await
}

#[tokio::test]
async fn guesses_are_limited_for_each_client_and_source() -> Outcome<()> {
    // S39, R26, R50
    let world = World::new().await?;
    on_nodes(&[&world.tenant()], async |server| {
        for _ in 0..30 {
            assert_eq!(with(server, "secrets/guess").await?, 7_000_215);
        }
        let own = secret("secrets/old");
        let proof = [("client_id", EITHER), ("client_secret", own.expose().as_str())];
        // Whoever guesses has no use of the right one either.
        let answer = server.credentials(&proof, &[]).await?;
        assert_eq!((answer.status, answer.error().1), (429, 90_055));
        assert!(answer.retry_after.is_some());
        // Other applications go on.
        let orders = secret("secrets/app");
        let others = [("client_id", super::world::ORDERS), ("client_secret", orders.expose().as_str())];
        assert_eq!(server.credentials(&others, &[]).await?.status, 200);
        server.clock.advance(Span::minutes(5));
        assert_eq!(server.credentials(&proof, &[]).await?.status, 200);
        Ok(())
    })
    .await
}
