//! What `vestibule provider list` prints.

use std::fmt::Write as _;

use serde_json::{Value, json};
use vestibule_rules::time::Timestamp;
use vestibule_service::federation::overview::{Lifetime, Listed};

const HEADINGS: [&str; 7] = ["tenant", "id", "kind", "name", "flows", "last success", "secret expires"];

pub(super) fn table(all: &[Listed]) -> String {
    if all.is_empty() {
        return "There are no identity providers.".to_owned();
    }
    let rows: Vec<[String; 7]> = all.iter().map(cells).collect();
    let widths: Vec<usize> = HEADINGS
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([heading.chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &[&str]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut text = line(&HEADINGS) + "\n";
    for (row, listed) in rows.iter().zip(all) {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        let _ = writeln!(text, "{}", line(&cells));
        if let Some(trouble) = trouble(listed) {
            let _ = writeln!(text, "    {trouble}");
        }
    }
    text.trim_end().to_owned()
}

fn cells(listed: &Listed) -> [String; 7] {
    let success = listed.health.as_ref().and_then(|health| health.last_success_at);
    let flows = listed.flows.join(", ");
    [
        listed.tenant.clone(),
        listed.id.to_string(),
        listed.kind.as_str().to_owned(),
        if listed.enabled { listed.name.clone() } else { format!("{} (off)", listed.name) },
        if flows.is_empty() { "none".to_owned() } else { flows },
        success.map_or_else(|| "never".to_owned(), Timestamp::rfc3339),
        listed.secret.as_ref().map_or_else(|| "not known".to_owned(), expiry),
    ]
}

fn expiry(life: &Lifetime) -> String {
    if life.is_over() || life.is_short() {
        format!("{}, {}!", life.date, life.words())
    } else {
        life.date.clone()
    }
}

/// The last error, and how often it went wrong since it went well.
fn trouble(listed: &Listed) -> Option<String> {
    let health = listed.health.as_ref()?;
    let (at, error) = (health.last_failure_at?, health.last_error.as_deref()?);
    let since = match health.failures {
        0 => "it went well since".to_owned(),
        1 => "one failure since it went well".to_owned(),
        n => format!("{n} failures since it went well"),
    };
    Some(format!("last error at {}, {since}: {error}", at.rfc3339()))
}

pub(super) fn json(all: &[Listed]) -> String {
    let one = |listed: &Listed| {
        let health = listed.health.as_ref();
        let at = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
        json!({
            "tenant": listed.tenant,
            "id": listed.id,
            "displayName": listed.name,
            "identityProviderType": listed.kind.as_str(),
            "isEnabled": listed.enabled,
            "flows": listed.flows,
            "lastSuccess": at(health.and_then(|health| health.last_success_at)),
            "lastFailure": at(health.and_then(|health| health.last_failure_at)),
            "lastError": health.and_then(|health| health.last_error.clone()),
            "failuresSinceSuccess": health.map_or(0, |health| health.failures),
            "secretExpiresAt": listed.secret.as_ref().map(|life| &life.date),
            "secretDaysLeft": listed.secret.as_ref().map(|life| life.days),
        })
    };
    format!("{:#}", Value::Array(all.iter().map(one).collect()))
}
