//! The funnel: how many of those who begin a journey come how far, how long it takes them, and what stands in
//! the way of the others (FLOW-26, LOG-01).
//!
//! While a journey goes on, its stages stand in its own state: a request costs no statement more for them.
//! When it is over, a job moves them to rows of their own. Whoever counts reads both, so that nothing waits
//! for the job.

mod count;
mod movement;
mod report;
mod trace;

use std::sync::Arc;

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{FlowId, TenantId};

pub use self::count::{Group, Reason, StageCount};
pub use self::movement::move_stages;
pub use self::report::{By, Filter, Report, report};
pub use self::trace::{Traced, trace};
use crate::directory::snapshot::{Snapshot, TenantView};

/// The tenant that people name.
fn tenant_of<'s>(snapshot: &'s Snapshot, name: &str) -> Outcome<&'s Arc<TenantView>> {
    snapshot.tenant(name).ok_or_else(|| Fault::missing("tenant", format!("there is no tenant “{name}”")))
}

/// The flows that people name by id or display name. What is in nobody's configuration may have been once: an
/// id finds its journeys still.
fn flows_of(snapshot: &Snapshot, tenant: Option<TenantId>, name: &str) -> Vec<(Option<TenantId>, FlowId)> {
    let mut found = Vec::new();
    for view in snapshot.tenants().filter(|view| tenant.is_none_or(|id| view.config.tenant.id == id)) {
        let same = |text: &str| text.to_lowercase() == name.to_lowercase();
        let flows = view.config.user_flows.iter();
        let named = flows.filter(|flow| same(flow.id.as_str()) || same(&flow.display_name));
        found.extend(named.map(|flow| (Some(view.config.tenant.id), flow.id.clone())));
    }
    if found.is_empty() {
        found.push((None, FlowId::new(name)));
    }
    found
}
