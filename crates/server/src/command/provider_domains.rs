//! What `vestibule provider domains` prints.

use serde_json::json;
use vestibule_rules::time::Timestamp;
use vestibule_service::domains::Claimed;

pub(super) fn lines(all: &[Claimed], now: Timestamp) -> String {
    if all.is_empty() {
        return "No provider of the tenant has domains.".to_owned();
    }
    let one = |claimed: &Claimed| {
        let state = if claimed.is_proven(now) { "proven" } else { "not proven: nobody is led there" };
        let Claimed { domain, provider, wanted, found } = claimed;
        let record = format!("{domain} → {provider}, {state}\n  {}. TXT \"{}\"", wanted.name, wanted.text);
        let Some(row) = found else { return record };
        let told = row.problem.as_deref().unwrap_or("the record is there");
        format!("{record}\n  looked for at {}: {}", row.checked_at.rfc3339(), told.escape_debug())
    };
    all.iter().map(one).collect::<Vec<_>>().join("\n")
}

pub(super) fn json(all: &[Claimed], now: Timestamp) -> String {
    let one = |claimed: &Claimed| {
        let found = claimed.found.as_ref();
        let at = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
        json!({
            "domain": claimed.domain,
            "provider": claimed.provider,
            "isProven": claimed.is_proven(now),
            "recordName": claimed.wanted.name,
            "recordText": claimed.wanted.text,
            "provenAt": at(found.and_then(|row| row.proven_at)),
            "lastSeenAt": at(found.and_then(|row| row.seen_at)),
            "lastCheckedAt": at(found.map(|row| row.checked_at)),
            "problem": found.and_then(|row| row.problem.clone()),
        })
    };
    format!("{:#}", serde_json::Value::Array(all.iter().map(one).collect()))
}
