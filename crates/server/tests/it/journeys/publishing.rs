//! What visitors notice of the life of a flow (FLOW-09).

use std::time::Duration;

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_service::directory::drafts;
use vestibule_service::directory::life::{self, Form, Named, Step};
use vestibule_service::directory::{self, Actor, Author, MachineSecrets, Source};
use vestibule_testkit::{TestServer, server};

use super::passage::{GUESTS, Hand, guests, people};

const ADA: &str = "ada@northwind.example";
const NOBODY: &str = "https://nobody.example";
const FLOW: Named<'static> = Named { tenant: GUESTS, flow: "Guests" };
/// How long a busy machine may take to show what was published; the server looks twice a second.
const PATIENCE: Duration = Duration::from_secs(5);

fn author(server: &TestServer) -> Author<'_> {
    let env = &server.site.env;
    Author {
        actor: Actor::Operator,
        now: env.clock.now(),
        correlation: env.guid().to_string(),
        entropy: &*env.entropy,
    }
}

/// Drafts a flow that asks for the city as well. Nothing of the file but its flows is looked at, so the
/// secrets can be any.
async fn draft(server: &TestServer) -> Outcome<()> {
    let file = tempfile::NamedTempFile::new().map_err(|error| Fault::ours(error.to_string()))?;
    std::fs::write(file.path(), "any secret").map_err(|error| Fault::ours(error.to_string()))?;
    let anything = format!("{{ file: {} }}", file.path().display());
    let text = guests(NOBODY) + "        - { attribute: city, label: City, required: true }\n";
    let text =
        text.replace("{ file: secrets/app }", &anything).replace("{ file: secrets/stranger }", &anything);
    let source = Source { name: "guests.yaml".to_owned(), text, base: "/".into() };
    let parsed = directory::parse(&[source], &MachineSecrets)
        .map_err(|problems| Fault::ours(problems.iter().map(ToString::to_string).collect::<String>()))?;
    let env = &server.site.env;
    let drafted = drafts::draft(&env.db, &env.sealing, &parsed, &author(server)).await?;
    assert_eq!(drafted.len(), 1);
    Ok(())
}

async fn take(server: &TestServer, to: Form) -> Outcome<()> {
    let step = Step { flow: FLOW, to, note: None };
    let changes = life::take(&server.site.env.db, &step, &author(server)).await?;
    assert_eq!(changes.len(), 1);
    Ok(())
}

/// Goes through the door until the details are asked; whether the city is among them.
async fn asks_for_city(server: &TestServer, address: &str) -> Outcome<bool> {
    let hand = Hand::new(server);
    let (form, code) = hand.ask_for_code(server, address).await?;
    Ok(hand.next(&form, &[("code", &code)]).await?.page.has("#city"))
}

/// Waits until the running server has noticed by itself which version is the newest.
async fn noticed(server: &TestServer, version: i64) -> Outcome<()> {
    let newest = || {
        let view = server.site.directory.tenant(GUESTS)?;
        view.flow("B2X_1_Guests").map(|(_, newest)| newest.version)
    };
    let wait = async {
        while newest() != Some(version) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.map_err(|_| Fault::ours("the server did not notice"))
}

#[tokio::test]
async fn visitors_get_a_draft_when_it_is_published_and_not_before() -> Outcome<()> {
    server::on_both(&[&guests(NOBODY)], async |server| {
        draft(server).await?;
        server.site.directory.poll(&server.site.env.db).await?;
        assert!(!asks_for_city(server, "before@northwind.example").await?);

        let hand = Hand::new(server);
        let (form, code) = hand.ask_for_code(server, ADA).await?;
        take(server, Form::Draft).await?;
        noticed(server, 2).await?;
        // Whoever had begun ends under the version they began with.
        let form = hand.next(&form, &[("code", &code)]).await?;
        assert!(!form.page.has("#city"));
        hand.answer(&form, &[("displayName", "Ada")]).await?.at_app()?;
        assert_eq!(people(server, GUESTS, ADA).await?.len(), 1);
        assert!(asks_for_city(server, "after@northwind.example").await?);

        take(server, Form::Revision(1)).await?;
        noticed(server, 3).await?;
        assert!(!asks_for_city(server, "back@northwind.example").await?);
        Ok(())
    })
    .await
}
