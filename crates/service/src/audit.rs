//! Who did what: one row for each act, written in its transaction (security.md N5).

use serde_json::{Value, json};
use vestibule_rules::ids::{JourneyId, UserId};
use vestibule_store::audit::EntryRow;
use vestibule_store::migrate::order_key;

use crate::directory::Author;
use crate::env::Site;
use crate::ports::entropy::Draw as _;
use crate::visit::Visit;

/// The entry for an act of a user upon themselves.
pub fn by_user(site: &Site, visit: &Visit, user: UserId, action: &str, detail: &Value) -> EntryRow {
    EntryRow {
        key: site.env.order_key(visit.now),
        at: visit.now,
        actor: format!("user:{user}"),
        action: action.to_owned(),
        target_kind: "user".to_owned(),
        target_id: user.to_string(),
        correlation_id: visit.correlation.to_string(),
        detail: detail.to_string(),
    }
}

/// The entry for an act of whoever runs the tenant, upon `(kind, id)`.
pub fn by_author(author: &Author<'_>, action: &str, (kind, id): (&str, String), detail: &Value) -> EntryRow {
    EntryRow {
        key: order_key(author.now, author.entropy.bytes()),
        at: author.now,
        actor: author.actor.to_string(),
        action: action.to_owned(),
        target_kind: kind.to_owned(),
        target_id: id,
        correlation_id: author.correlation.clone(),
        detail: detail.to_string(),
    }
}

/// The entry for the answer of a guardian. Their address stands in the journey, and the account that may come of it
/// says that somebody agreed.
pub fn by_guardian(site: &Site, visit: &Visit, journey: JourneyId, agrees: bool) -> EntryRow {
    EntryRow {
        key: site.env.order_key(visit.now),
        at: visit.now,
        actor: "guardian".to_owned(),
        action: if agrees { "guardianConsent" } else { "guardianRefusal" }.to_owned(),
        target_kind: "journey".to_owned(),
        target_id: journey.to_string(),
        correlation_id: visit.correlation.to_string(),
        detail: json!({}).to_string(),
    }
}

/// The entry for a proof that failed. Nobody knows who tried: the account, if there is one, is only what was
/// tried at, and nothing of what was typed is kept.
pub fn failed_proof(
    site: &Site,
    visit: &Visit,
    (journey, account): (JourneyId, Option<UserId>),
    reason: &str,
) -> EntryRow {
    let (kind, id) = account.map_or_else(|| ("journey", journey.to_string()), |a| ("user", a.to_string()));
    EntryRow {
        key: site.env.order_key(visit.now),
        at: visit.now,
        actor: "anonymous".to_owned(),
        action: "signInFailure".to_owned(),
        target_kind: kind.to_owned(),
        target_id: id,
        correlation_id: visit.correlation.to_string(),
        detail: json!({ "reason": reason, "journey": journey }).to_string(),
    }
}
