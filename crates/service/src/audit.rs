//! Who did what: one row for each act, written in its transaction (security.md N5).

use serde_json::Value;
use vestibule_rules::ids::UserId;
use vestibule_store::audit::EntryRow;

use crate::env::Site;
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
