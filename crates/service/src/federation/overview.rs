//! The providers of a tenant, as an operator sees them.

use std::sync::Arc;

use vestibule_rules::directory::provider::{IdentityProvider, SealedSecret};
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::ProviderId;
use vestibule_rules::time::Timestamp;

use crate::directory::{Snapshot, TenantView};

/// The tenant that people name.
pub(super) fn tenant_of<'s>(snapshot: &'s Snapshot, name: &str) -> Outcome<&'s Arc<TenantView>> {
    snapshot.tenant(name).ok_or_else(|| Fault::missing("tenant", format!("there is no tenant “{name}”")))
}

/// The provider that people name by id or by display name.
pub(super) fn provider_of<'v>(
    view: &'v TenantView,
    name: &str,
) -> Outcome<&'v IdentityProvider<SealedSecret>> {
    let all = &view.config.identity_providers;
    let named = |p: &&IdentityProvider<SealedSecret>| p.display_name.to_lowercase() == name.to_lowercase();
    view.provider(name).or_else(|| all.iter().find(named)).ok_or_else(|| {
        let ids: Vec<&str> = all.iter().map(|p| p.id.as_str()).collect();
        let there =
            if ids.is_empty() { "it has none".to_owned() } else { format!("there are: {}", ids.join(", ")) };
        Fault::missing("provider", format!("the tenant has no provider “{name}”; {there}"))
    })
}

/// The names of the flows that lead to a provider, by a button or by a hint.
pub(super) fn flows_with(config: &TenantConfig, provider: &ProviderId) -> Vec<String> {
    let names = |id: &String| ProviderId::new(id.clone()).key() == provider.key();
    let flows = config.user_flows.iter();
    let with = flows.filter(|f| f.identity_providers.iter().chain(&f.hidden_identity_providers).any(names));
    with.map(|flow| format!("“{}”", flow.display_name)).collect()
}

/// How long before a secret expires it is warned of, in days.
const AHEAD: i64 = 30;

/// How long a client secret is good yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lifetime {
    /// The last day, as the configuration has it.
    pub date: String,
    /// Days after today; fewer than none when it is over.
    pub days: i64,
}

impl Lifetime {
    /// Whether its last day has gone by.
    pub const fn is_over(&self) -> bool {
        self.days < 0
    }

    /// Whether somebody should have a new one made.
    pub const fn is_short(&self) -> bool {
        self.days <= AHEAD
    }

    /// How long that is, for people.
    pub fn words(&self) -> String {
        match self.days {
            0 => "today".to_owned(),
            1 => "tomorrow".to_owned(),
            -1 => "yesterday".to_owned(),
            days if days < 0 => format!("{} days ago", -days),
            days => format!("in {days} days"),
        }
    }
}

/// How long the client secret is good yet, if the configuration says it.
pub(super) fn lifetime(provider: &IdentityProvider<SealedSecret>, now: Timestamp) -> Option<Lifetime> {
    let date = provider.settings.secret_expires_at.clone()?;
    provider.secret_days_left(now).map(|days| Lifetime { date, days })
}
