//! The funnel: what every journey leaves behind, and what an administrator sees of it (FLOW-26, LOG-01, T-31).

mod command;
mod stages;

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::JourneyId;
use vestibule_rules::time::Span;
use vestibule_service::funnel;
use vestibule_store::stages::{self as store, StageRow};
use vestibule_testkit::TestServer;

use crate::journeys::passage::{Form, tenant};

const NOBODY: &str = "https://nobody.example";
const PASSWORD: &str = "seven green lanterns in the fog";

/// Lets every journey come to its end, and moves the stages of all of them.
async fn let_all_end(server: &TestServer) -> Outcome<u64> {
    server.clock.advance(Span::hours(2));
    funnel::move_stages(&server.site.env.db, server.site.env.now()).await
}

fn journey_of(form: &Form) -> JourneyId {
    JourneyId::parse(form.url.rsplit('/').next().unwrap()).unwrap()
}

/// The rows of a journey.
async fn rows_of(server: &TestServer, name: &str, form: &Form) -> Outcome<Vec<StageRow>> {
    let mut tx = server.site.env.db.read().await?;
    store::list_of_journey(&mut tx, tenant(server, name), journey_of(form)).await
}

/// The rows of a journey, each in one line: stage, step, and why it was refused.
async fn lines_of(server: &TestServer, name: &str, form: &Form) -> Outcome<Vec<String>> {
    let rows = rows_of(server, name, form).await?;
    let numbers: Vec<i64> = rows.iter().map(|row| row.sequence).collect();
    assert_eq!(numbers, (1..).take(rows.len()).collect::<Vec<i64>>());
    Ok(rows.iter().map(line).collect())
}

fn line(row: &StageRow) -> String {
    let StageRow { stage, step, error_code, message, .. } = row;
    match (stage.as_str(), message) {
        ("refused", message) => format!("refused {step} {error_code} {}", message.as_deref().unwrap_or("-")),
        (_, _) => format!("{stage} {step}"),
    }
}
