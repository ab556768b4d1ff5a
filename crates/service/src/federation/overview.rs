//! The providers of a tenant, as an operator sees them.

use std::sync::Arc;

use vestibule_rules::directory::provider::kind::ProviderKind;
use vestibule_rules::directory::provider::{IdentityProvider, SealedSecret};
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::ProviderId;
use vestibule_rules::time::Timestamp;
use vestibule_store::Db;
use vestibule_store::provider_health::{self, HealthRow};

use crate::directory::{Snapshot, TenantView, snapshot};
use crate::env::Site;

/// A provider, and how it fares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// The tenant's short name.
    pub tenant: String,
    pub id: ProviderId,
    pub name: String,
    pub kind: ProviderKind,
    pub enabled: bool,
    /// The names of the flows that lead to it.
    pub flows: Vec<String>,
    /// How sign-ins by it went; nothing before the first.
    pub health: Option<HealthRow>,
    /// How long its client secret is good yet, if the configuration says it.
    pub secret: Option<Lifetime>,
}

/// The providers of a tenant or of all, by the tenant's short name.
///
/// Returns `Missing` when there is no such tenant.
pub async fn list(db: &Db, tenant: Option<&str>, now: Timestamp) -> Outcome<Vec<Listed>> {
    let snapshot = snapshot::load(db).await?;
    let mut views: Vec<_> = match tenant {
        Some(name) => vec![tenant_of(&snapshot, name)?],
        None => snapshot.tenants().collect(),
    };
    views.sort_by_key(|view| view.config.tenant.short_name.clone());
    let of = tenant.and(views.first()).map(|view| view.config.tenant.id);
    let known = provider_health::list(&mut db.read().await?, of).await?;
    let listed = |view: &TenantView, provider: &IdentityProvider<SealedSecret>| Listed {
        tenant: view.config.tenant.short_name.clone(),
        id: provider.id.clone(),
        name: provider.display_name.clone(),
        kind: provider.identity_provider_type,
        enabled: provider.is_enabled,
        flows: flows_with(&view.config, &provider.id),
        health: known
            .iter()
            .find(|row| row.tenant == view.config.tenant.id && row.provider == provider.id)
            .cloned(),
        secret: lifetime(provider, now),
    };
    let all = views.iter().flat_map(|view| view.config.identity_providers.iter().map(move |p| (view, p)));
    Ok(all.map(|(view, provider)| listed(view, provider)).collect())
}

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
    with.map(|flow| flow.display_name.clone()).collect()
}

/// How long before a secret expires it is warned of, in days.
const AHEAD: i64 = 30;

/// Warns of every client secret that is about to expire or has expired: a provider refuses it from one minute to the
/// next, and then nobody comes in by it.
pub fn warn_of_expiry(site: &Site) {
    let (snapshot, now) = (site.directory.snapshot(), site.env.now());
    for view in snapshot.tenants() {
        let enabled = view.config.identity_providers.iter().filter(|provider| provider.is_enabled);
        for (provider, life) in enabled.filter_map(|provider| Some((provider, lifetime(provider, now)?))) {
            let (tenant, provider, date) = (&view.config.tenant.short_name, &provider.id, &life.date);
            if life.is_over() {
                tracing::warn!(tenant, %provider, date, "the client secret of a provider has expired");
            } else if life.is_short() {
                let days = life.days;
                tracing::warn!(tenant, %provider, date, days, "the client secret of a provider expires soon");
            }
        }
    }
}

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
