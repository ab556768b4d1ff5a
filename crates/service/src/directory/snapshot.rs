//! The configuration of every tenant as the running server reads it: one value, swapped whole when a change
//! commits. A request looks its tenant up once and keeps that view to its end.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::directory::flow::UserFlow;
use vestibule_rules::directory::provider::{IdentityProvider, SealedSecret};
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, FlowId, TenantId};
use vestibule_rules::journey::flow::Flow;
use vestibule_rules::oauth::client_auth;
use vestibule_store::{Db, ReadTx, tenants};

use super::change;
use super::client_keys::ClientKeys;
use super::plan::Stored;
use crate::registration::clients;

/// One tenant at one configuration version.
#[derive(Debug)]
pub struct TenantView {
    /// Everything that is configured.
    pub config: TenantConfig,
    /// Counts the changes of the configuration.
    pub version: i64,
    /// The index in `config.user_flows` of the flow that serves an application (FLOW-03: at most one).
    pub flow_of_app: HashMap<ClientId, usize>,
    /// The newest version of each flow, in the order of `config.user_flows`.
    pub flows: Vec<FlowVersion>,
    /// What its applications sign with.
    pub client_keys: ClientKeys,
    /// The origins whose pages may read answers: those of every single-page redirect address (security.md S14).
    pub origins: HashSet<String>,
}

/// A flow as new journeys run it.
#[derive(Clone, Debug)]
pub struct FlowVersion {
    /// Counts the changes of the flow; a journey pins it.
    pub version: i64,
    /// The resolved flow.
    pub flow: Arc<Flow>,
}

impl TenantView {
    fn new(stored: Stored) -> Outcome<Self> {
        let Stored { config, version, flows, .. } = stored;
        let mut flow_of_app = HashMap::new();
        let mut versions = Vec::new();
        for (i, flow) in config.user_flows.iter().enumerate() {
            flow_of_app.extend(flow.applications.iter().map(|client| (*client, i)));
            let (number, resolved) =
                flows.get(&flow.id).ok_or_else(|| Fault::ours(format!("flow {} has no version", flow.id)))?;
            versions.push(FlowVersion { version: *number, flow: Arc::new(resolved.clone()) });
        }
        let own = config.tenant.client_registration.user_flow.as_deref();
        if let Some(i) = config.user_flows.iter().position(|flow| Some(flow.id.as_str()) == own) {
            let registered = config.applications.iter().filter(|app| app.registered.is_some());
            flow_of_app.extend(registered.map(|app| (app.app_id, i)));
        }
        let client_keys = ClientKeys::new(&config)?;
        let origins = config.applications.iter().flat_map(client_auth::origins).collect();
        Ok(Self { config, version, flow_of_app, flows: versions, client_keys, origins })
    }

    /// The application with this client id.
    pub fn application(&self, client: ClientId) -> Option<&Application<PasswordCredential>> {
        self.config.applications.iter().find(|app| app.app_id == client)
    }

    /// The provider with this id, in any letter case.
    pub fn provider(&self, id: &str) -> Option<&IdentityProvider<SealedSecret>> {
        self.config.identity_providers.iter().find(|p| p.id.as_str().eq_ignore_ascii_case(id))
    }

    /// The flow that serves an application, with its newest version.
    pub fn flow_for(&self, client: ClientId) -> Option<(&UserFlow, &FlowVersion)> {
        let index = *self.flow_of_app.get(&client)?;
        Some((self.config.user_flows.get(index)?, self.flows.get(index)?))
    }

    /// The flow with this id, in any letter case: it stands in addresses.
    pub fn flow(&self, id: &str) -> Option<(&UserFlow, &FlowVersion)> {
        let key = FlowId::new(id).key();
        self.config.user_flows.iter().zip(&self.flows).find(|(flow, _)| flow.id.key() == key)
    }
}

/// Every tenant at one instant.
#[derive(Debug, Default)]
pub struct Snapshot {
    by_id: HashMap<TenantId, Arc<TenantView>>,
    by_name: HashMap<String, Arc<TenantView>>,
}

impl Snapshot {
    fn new(views: impl Iterator<Item = Arc<TenantView>>) -> Self {
        let mut snapshot = Self::default();
        for view in views {
            for name in view.config.tenant.names() {
                snapshot.by_name.insert(name, Arc::clone(&view));
            }
            snapshot.by_id.insert(view.config.tenant.id, view);
        }
        snapshot
    }

    /// The tenant that answers to a name: GUID, short name or domain, in any letter case.
    pub fn tenant(&self, name: &str) -> Option<&Arc<TenantView>> {
        self.by_name.get(&name.to_lowercase())
    }

    /// The tenant with this id.
    pub fn by_id(&self, id: TenantId) -> Option<&Arc<TenantView>> {
        self.by_id.get(&id)
    }

    /// Every tenant, in no particular order.
    pub fn tenants(&self) -> impl Iterator<Item = &Arc<TenantView>> {
        self.by_id.values()
    }
}

/// Reads every tenant.
pub async fn load(db: &Db) -> Outcome<Snapshot> {
    Ok(refresh(db, &Snapshot::default()).await?.unwrap_or_default())
}

/// Reads the tenants whose configuration moved since `old`; `None` when none did.
pub async fn refresh(db: &Db, old: &Snapshot) -> Outcome<Option<Snapshot>> {
    let mut tx = db.read().await?;
    let heads = tenants::list_heads(&mut tx).await?;
    let kept = |id: TenantId, version: i64| old.by_id(id).filter(|view| view.version == version);
    if heads.len() == old.by_id.len() && heads.iter().all(|(id, version)| kept(*id, *version).is_some()) {
        return Ok(None);
    }
    let mut views = Vec::new();
    for (id, version) in heads {
        match kept(id, version) {
            Some(view) => views.push(Arc::clone(view)),
            None => views.extend(view(&mut tx, id).await?),
        }
    }
    Ok(Some(Snapshot::new(views.into_iter())))
}

async fn view(tx: &mut ReadTx, id: TenantId) -> Outcome<Option<Arc<TenantView>>> {
    let Some(mut stored) = change::load(tx, id).await? else { return Ok(None) };
    // Beside the configured ones, and here alone: to whoever changes the configuration they are not part of it.
    let registered = clients::applications(tx, &stored.config).await?;
    stored.config.applications.extend(registered);
    TenantView::new(stored).map(|view| Some(Arc::new(view)))
}

/// The current snapshot; readers never wait.
pub struct Directory {
    current: ArcSwap<Snapshot>,
    /// One reads at a time: what was read first must not replace what was read later.
    reading: tokio::sync::Mutex<()>,
}

impl Directory {
    /// Serves `snapshot`.
    pub fn new(snapshot: Snapshot) -> Self {
        Self { current: ArcSwap::from_pointee(snapshot), reading: tokio::sync::Mutex::default() }
    }

    /// The tenant that answers to a name, in any letter case.
    pub fn tenant(&self, name: &str) -> Option<Arc<TenantView>> {
        self.current.load().tenant(name).cloned()
    }

    /// The tenant with this id.
    pub fn by_id(&self, id: TenantId) -> Option<Arc<TenantView>> {
        self.current.load().by_id(id).cloned()
    }

    /// Everything at this instant.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Takes over what changed in the database; whether anything did.
    pub async fn poll(&self, db: &Db) -> Outcome<bool> {
        let _one = self.reading.lock().await;
        let old = self.snapshot();
        let Some(new) = refresh(db, &old).await? else { return Ok(false) };
        self.current.store(Arc::new(new));
        Ok(true)
    }
}
