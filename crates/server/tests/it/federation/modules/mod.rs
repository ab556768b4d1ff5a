//! The OpenID conformance suite's modules for relying parties (security.md 1.3, first target): the suite plays the
//! provider, and each test has the name of the module whose part it plays.
//!
//! | here | plan of the suite | modules |
//! | --- | --- | --- |
//! | `basic` | `oidcc-client-basic-certification-test-plan` | 14 |
//! | `form_post` | `oidcc-client-formpost-basic-certification-test-plan` | 14 |
//! | `config` | `oidcc-client-config-certification-test-plan` | 6 |
//! | `comprehensive` | `oidcc-client-test-plan`, what the others leave out | 8 |
//!
//! | `sessions` | the plans of refreshed tokens and of signing out | 17 |
//! | `third_party` | `oidcc-client-test-3rd-party-init-login-test-plan` | 1 |

mod basic;
mod comprehensive;
mod config;
mod demands;
mod form_post;
mod sessions;
pub(super) mod suite;
mod third_party;

use std::sync::Arc;

use vestibule_rules::fault::Outcome;
use vestibule_testkit::{Engine, TestServer};

use self::suite::{MAIL, SUBJECT};
use super::kinds::stand_in::{Call, Company, StandIn};
use super::kinds::{depart, entrance, shown, travel};
use crate::journeys::passage::{Form, GUESTS, Hand, PORTAL, people, recorded};

/// How the suite sends a browser back.
#[derive(Clone, Copy)]
enum Mode {
    Query,
    FormPost,
}

impl Mode {
    const fn company(self) -> Company {
        match self {
            Self::Query => suite::PLAIN,
            Self::FormPost => suite::POSTING,
        }
    }
}

/// Runs a test against a server that knows the suite as its only provider.
async fn with_suite(
    company: Company,
    test: impl AsyncFn(&TestServer, &Arc<StandIn>) -> Outcome<()>,
) -> Outcome<()> {
    let suite = StandIn::start(company).await?;
    let file = include_str!("../kinds/guests.yaml").replace("{section}\n", &suite.section());
    let server = TestServer::start(Engine::Sqlite, &[&file]).await?;
    test(&server, &suite).await?;
    server.finish().await
}

/// The module demands that the relying party goes through to the end, once and again.
async fn passes(mode: Mode, script: fn(&StandIn)) -> Outcome<()> {
    with_suite(mode.company(), async |server, suite| {
        script(suite);
        joins(server, suite).await?;
        comes_again(server, suite).await
    })
    .await
}

/// The module demands that what the suite says is refused. `heard` is how often the user info endpoint may be asked
/// on the way there.
async fn refuses(mode: Mode, heard: usize, lie: fn(&StandIn)) -> Outcome<()> {
    with_suite(mode.company(), async |server, suite| {
        lie(suite);
        let hand = Hand::new(server);
        let form = travel(suite, &hand, &entrance(&hand).await?).await?;
        turned_away(server, &form, 0).await?;
        assert_eq!((suite.calls("/token").len(), suite.calls("/userinfo").len()), (1, heard));
        // It was the lie that stood in the way, and nothing else.
        suite.repents();
        joins(server, suite).await?;
        let asked = suite.calls("/userinfo").len();
        // Nor does it lead into the account that is there now.
        lie(suite);
        let hand = Hand::new(server);
        let form = travel(suite, &hand, &hand.begin(GUESTS, PORTAL, &[]).await?).await?;
        turned_away(server, &form, 1).await?;
        assert_eq!(suite.calls("/userinfo").len(), asked + heard);
        Ok(())
    })
    .await
}

/// A newcomer goes to the suite, comes back and has an account.
async fn joins(server: &TestServer, suite: &StandIn) -> Outcome<()> {
    let hand = Hand::new(server);
    let form = travel(suite, &hand, &entrance(&hand).await?).await?;
    assert_eq!((form.asks(), form.problem().as_str()), ("details", ""));
    assert_eq!(form.page.attribute("#displayName", "value").as_deref(), Some("Ada Lovelace"));
    hand.answer(&form, &[("displayName", "Ada Lovelace")]).await?.at_app()?;
    let people = people(server, GUESTS, MAIL).await?;
    let identities: Vec<_> = people
        .iter()
        .flat_map(|one| &one.identities)
        .map(|one| (&one.issuer, &one.issuer_assigned_id))
        .collect();
    assert_eq!(identities, [(&suite.base, &SUBJECT.to_owned())]);
    heard(suite, 1);
    Ok(())
}

/// The same person in another browser is met in the account that is there.
async fn comes_again(server: &TestServer, suite: &StandIn) -> Outcome<()> {
    let hand = Hand::new(server);
    let departure = depart(suite, &hand, &hand.begin(GUESTS, PORTAL, &[]).await?).await?;
    departure.return_with_code(&hand).await?.at_app()?;
    assert_eq!(recorded(server, GUESTS, "signIn").await?.len(), 2);
    assert_eq!(people(server, GUESTS, MAIL).await?.len(), 1);
    heard(suite, 2);
    Ok(())
}

/// The user info endpoint was asked so often at least, and always as RFC 6750 §2.1 has it.
fn heard(suite: &StandIn, times: usize) {
    let calls = suite.calls("/userinfo");
    assert!(calls.len() >= times && calls.iter().all(Call::shows_token));
    assert!(calls.iter().all(|call| call.query.is_empty() && call.body.is_empty()));
}

/// Nobody came in, and there are as many accounts and sign-ins as before.
async fn turned_away(server: &TestServer, form: &Form, before: usize) -> Outcome<()> {
    assert_eq!((form.asks(), form.problem().as_str()), ("refused", "refused-provider-failed"));
    for act in ["signUp", "signIn"] {
        assert!(recorded(server, GUESTS, act).await?.len() <= before, "{act}");
    }
    assert_eq!(people(server, GUESTS, MAIL).await?.len(), before);
    assert_eq!(recorded(server, GUESTS, "signIn").await?.len(), before);
    Ok(())
}

/// Where an answer leads, as a page.
async fn leads_to(hand: &Hand, suite: &StandIn, parameters: &[(&str, &str)]) -> Outcome<Form> {
    let departure = depart(suite, hand, &entrance(hand).await?).await?;
    let answered = departure.back(hand, parameters).await?;
    shown(hand, answered).await
}
