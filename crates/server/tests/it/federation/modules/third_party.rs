//! The suite's plan on sign-ins that a provider begins (OpenID Connect Core 4), and what must not come of them.

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::{Engine, TestServer};

use super::suite::PLAIN;
use super::{StandIn, joins};
use crate::journeys::passage::{GUESTS, Hand, PORTAL, recorded};

const START: &str = "http://localhost:3001/start";

async fn with_starting_app(test: impl AsyncFn(&TestServer, &StandIn) -> Outcome<()>) -> Outcome<()> {
    let suite = StandIn::start(PLAIN).await?;
    let file = include_str!("../kinds/guests.yaml").replace("{section}\n", &suite.section()).replacen(
        "    web:\n",
        &format!("    initiateLoginUri: {START}\n    web:\n"),
        1,
    );
    let server = TestServer::start(Engine::Sqlite, &[&file]).await?;
    test(&server, &suite).await?;
    server.finish().await
}

fn initiate(server: &TestServer, pairs: &[(&str, &str)]) -> String {
    let address = format!("{}/{GUESTS}/federation/stranger/initiate", server.origin);
    url::Url::parse_with_params(&address, pairs).unwrap().into()
}

#[tokio::test]
async fn oidcc_client_test_3rd_party_init_login() -> Outcome<()> {
    with_starting_app(async |server, suite| {
        let hand = Hand::new(server);
        let pairs = [("iss", suite.base.as_str()), ("login_hint", "ada"), ("target_link_uri", START)];
        let answered = hand.get(&initiate(server, &pairs)).await?;
        let app = answered.location.ok_or_else(|| Fault::ours(answered.body))?;
        assert!(app.as_str().starts_with(&format!("{START}?")), "{app}");
        let told =
            |name: &str| app.query_pairs().find(|(known, _)| known == name).map(|(_, v)| v.into_owned());
        assert!(told("iss").unwrap().starts_with(&format!("{}/", server.origin)));
        assert_eq!(
            (told("login_hint").as_deref(), told("target_link_uri").as_deref()),
            (Some("ada"), Some(START))
        );
        // Nobody is signed in by the visit; the app asks as it always does and lands where the person came from.
        assert!(answered.cookies.is_empty());
        assert_eq!(recorded(server, GUESTS, "signIn").await?.len(), 0);
        let hint = told("domain_hint").unwrap();
        let answered = hand.authorize(GUESTS, PORTAL, &[("domain_hint", &hint)]).await?;
        assert!(answered.location.unwrap().as_str().starts_with(&suite.base));
        joins(server, suite).await
    })
    .await
}

#[tokio::test]
async fn nobody_is_sent_elsewhere_by_a_link_that_claims_to_be_the_provider() -> Outcome<()> {
    // RP5, RP16, U18
    with_starting_app(async |server, suite| {
        let hand = Hand::new(server);
        let iss = ("iss", suite.base.as_str());
        for pairs in [
            vec![],
            vec![("iss", "https://evil.example")],
            vec![("iss", START)],
            vec![iss, ("target_link_uri", "https://evil.example/start")],
            vec![iss, ("target_link_uri", "//evil.example")],
            vec![iss, ("target_link_uri", "javascript:alert(1)")],
            vec![iss, ("target_link_uri", "http://localhost:3001@evil.example/")],
        ] {
            let answered = hand.get(&initiate(server, &pairs)).await?;
            assert_eq!((answered.status, answered.location), (400, None), "{pairs:?}");
        }
        let launch = |client: &str| {
            format!("{}/{GUESTS}/launch/{client}?target_link_uri=https://evil.example", server.origin)
        };
        let answered = hand.get(&launch(PORTAL)).await?;
        let to = answered.location.ok_or_else(|| Fault::ours(answered.body))?;
        assert!(to.as_str().starts_with(&format!("{START}?iss=")) && !to.as_str().contains("evil"), "{to}");
        assert_eq!(hand.get(&launch("99999999-1111-4111-8111-111111111111")).await?.status, 404);
        Ok(())
    })
    .await
}
