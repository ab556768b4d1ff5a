//! A provider that is hostile, or a visitor who is: security.md RP1 to RP19, and the rows of 4.1 (U11 to U17) and
//! 4.2 that concern federation and linking. Each test is the attack. What stands elsewhere in this tree names its
//! row there; `list` sees to it that none is left out.

mod accounts;
mod hijacking;
mod list;
mod metadata;
mod responses;
mod spellings;
mod tokens;

use std::sync::Arc;

use vestibule_rules::fault::Outcome;
use vestibule_testkit::{Engine, TestServer};

use super::kinds::stand_in::{Company, StandIn};
use super::kinds::{arrive, depart, entrance, shown, travel};
use super::modules::suite::{self, MAIL};
use crate::journeys::passage::{Form, GUESTS, Hand, PORTAL, people, recorded};

/// The tenant's file with one provider.
fn file(provider: &StandIn) -> String {
    include_str!("../kinds/guests.yaml").replace("{section}\n", &provider.section())
}

/// Runs an attack on a server of one engine. What it does not store is the same on both.
async fn with_hostile(
    company: Company,
    attack: impl AsyncFn(&TestServer, &Arc<StandIn>) -> Outcome<()>,
) -> Outcome<()> {
    on(Engine::Sqlite, company, attack).await
}

/// Runs an attack that touches what is stored, on each engine.
async fn with_hostile_on_both(
    company: Company,
    attack: impl AsyncFn(&TestServer, &Arc<StandIn>) -> Outcome<()>,
) -> Outcome<()> {
    for engine in Engine::ALL {
        on(engine, company, &attack).await?;
    }
    Ok(())
}

async fn on(
    engine: Engine,
    company: Company,
    attack: impl AsyncFn(&TestServer, &Arc<StandIn>) -> Outcome<()>,
) -> Outcome<()> {
    let provider = StandIn::start(company).await?;
    let server = TestServer::start(engine, &[&file(&provider)]).await?;
    attack(&server, &provider).await?;
    server.finish().await
}

/// Nobody is in: there is no account of a newcomer, and nothing of a sign-in.
async fn nobody_is_in(server: &TestServer) -> Outcome<()> {
    assert!(people(server, GUESTS, MAIL).await?.is_empty());
    for act in ["signIn", "userCreation", "identityLink"] {
        assert!(recorded(server, GUESTS, act).await?.is_empty(), "{act}");
    }
    Ok(())
}

/// A newcomer who comes now is turned away.
async fn fails(server: &TestServer, provider: &StandIn, why: &str) -> Outcome<()> {
    let (_, form) = arrive(server, provider).await?;
    assert_eq!((form.asks(), form.problem().as_str()), ("refused", "refused-provider-failed"), "{why}");
    nobody_is_in(server).await
}

/// A newcomer who comes now is welcome.
async fn joins(server: &TestServer, provider: &StandIn) -> Outcome<Hand> {
    let (hand, form) = arrive(server, provider).await?;
    assert_eq!((form.asks(), form.problem().as_str()), ("details", ""));
    hand.answer(&form, &[("displayName", "Ada Lovelace")]).await?.at_app()?;
    Ok(hand)
}

/// Somebody with an account comes, and where that leads.
async fn returns(server: &TestServer, provider: &StandIn) -> Outcome<(Hand, Form)> {
    let hand = Hand::new(server);
    let form = hand.begin(GUESTS, PORTAL, &[]).await?;
    let form = travel(provider, &hand, &form).await?;
    Ok((hand, form))
}
