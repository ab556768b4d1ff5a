//! The choke point: every change of a tenant's configuration is loaded, checked, compared, written and
//! recorded here, whoever asked for it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::json;
use vestibule_rules::directory::check;
use vestibule_rules::directory::tenant::{Tenant, TenantConfig, TenantKind};
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{ClientId, FlowId, ProviderId, TenantId, UserId};
use vestibule_rules::journey::flow::Flow;
use vestibule_rules::time::Timestamp;
use vestibule_store::audit::EntryRow;
use vestibule_store::flow_life::{self, RevisionRow};
use vestibule_store::objects::{FlowVersionRow, ObjectKind, ObjectRow};
use vestibule_store::tenants::TenantRow;
use vestibule_store::{Db, ReadTx, WriteTx, audit, memberships, objects, provider_health, tenants};

use super::plan::{Change, Plan, Revised, Stored, plan};
use crate::audit::by_author;
use crate::ports::entropy::Entropy;

/// Who changes something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// Whoever can run commands beside the data.
    Operator,
    /// A signed-in administrator.
    User(UserId),
    /// An application with a permission of its own.
    Client(ClientId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Client(id) => write!(f, "client:{id}"),
        }
    }
}

/// Who makes a change, when, and with which randomness.
pub struct Author<'a> {
    /// Who.
    pub actor: Actor,
    /// When.
    pub now: Timestamp,
    /// The request or command that the audit log names.
    pub correlation: String,
    /// Where ids and salts come from.
    pub entropy: &'a dyn Entropy,
}

/// Changes one tenant: `mutate` gets what is stored and leaves what is wanted.
///
/// Somebody else's change in between is met by starting over, once; `mutate` may therefore run twice.
pub async fn change<F>(db: &Db, tenant: TenantId, author: &Author<'_>, mutate: F) -> Outcome<Vec<Change>>
where
    F: Fn(&mut TenantConfig) -> Outcome<()> + Send + Sync,
{
    match change_once(db, tenant, author, &mutate).await {
        Err(fault) if fault.kind == Kind::Stale => change_once(db, tenant, author, &mutate).await,
        other => other,
    }
}

async fn change_once<F>(db: &Db, tenant: TenantId, author: &Author<'_>, mutate: &F) -> Outcome<Vec<Change>>
where
    F: Fn(&mut TenantConfig) -> Outcome<()> + Send + Sync,
{
    let mut tx = db.read().await?;
    let stored = load(&mut tx, tenant)
        .await?
        .ok_or_else(|| Fault::missing("tenant", format!("tenant {tenant} does not exist")))?;
    let mut wanted = stored.config.clone();
    mutate(&mut wanted)?;
    let planned = checked_plan(&mut tx, &stored, &wanted).await?;
    drop(tx);
    carry_out(db, vec![planned], author).await
}

/// Plans a change of one tenant that no file is behind. Every rule that it breaks is told in one fault of kind
/// [`Kind::Malformed`] about `configuration`.
pub(super) async fn checked_plan(tx: &mut ReadTx, stored: &Stored, wanted: &TenantConfig) -> Outcome<Plan> {
    let mut problems = check::check(wanted);
    problems.extend(check::check_change(&stored.config, wanted));
    if !problems.is_empty() {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        return Err(Fault::malformed("configuration", lines.join("\n")));
    }
    plan_for(tx, Some(stored), wanted).await
}

/// Plans one tenant; flows that were there once and come back go on counting.
pub(super) async fn plan_for(
    tx: &mut ReadTx,
    stored: Option<&Stored>,
    wanted: &TenantConfig,
) -> Outcome<Plan> {
    let mut past = BTreeMap::new();
    for flow in &wanted.user_flows {
        if stored.is_none_or(|s| !s.flows.contains_key(&flow.id)) {
            past.extend(newest(tx, wanted.tenant.id, &flow.id).await?.map(|found| (flow.id.clone(), found)));
        }
    }
    plan(stored, wanted, &past)
}

/// Writes every plan in one transaction, with one audit row for each object.
pub(super) async fn carry_out(db: &Db, plans: Vec<Plan>, author: &Author<'_>) -> Outcome<Vec<Change>> {
    let work: Vec<Work> = plans
        .into_iter()
        .filter(|plan| !plan.is_empty())
        .map(|plan| Work {
            entries: plan.changes.iter().map(|change| entry(change, author)).collect(),
            revisions: revisions(&plan, author),
            plan,
        })
        .collect();
    if work.is_empty() {
        return Ok(Vec::new());
    }
    let changes = work.iter().flat_map(|work| work.plan.changes.clone()).collect();
    let now = author.now;
    let work = Arc::new(work);
    db.write(move |tx| {
        let work = Arc::clone(&work);
        Box::pin(async move { write(tx, &work, now).await })
    })
    .await?;
    Ok(changes)
}

/// One tenant's part of a transaction.
struct Work {
    plan: Plan,
    entries: Vec<EntryRow>,
    revisions: Vec<RevisionRow>,
}

async fn write(tx: &mut WriteTx, work: &[Work], now: Timestamp) -> Outcome<()> {
    for Work { plan, .. } in work {
        head(tx, plan, now).await?;
        if plan.names_changed {
            // Given up by all before they are taken by any: a domain may move between tenants.
            tenants::set_names(tx, plan.tenant, &[]).await?;
        }
    }
    for Work { plan, entries, revisions } in work {
        if plan.names_changed {
            tenants::set_names(tx, plan.tenant, &plan.wanted.tenant.names()).await?;
        }
        for (kind, id) in &plan.removals {
            if !objects::remove(tx, plan.tenant, *kind, id).await? {
                return Err(Fault::stale(format!("{} {id} was removed meanwhile", kind.as_str())));
            }
            // What comes back under another name is the same provider.
            let stays = plan.puts.iter().any(|put| put.kind == *kind && put.id == *id);
            if !stays {
                forget(tx, plan.tenant, (*kind, id)).await?;
            }
        }
        for put in &plan.puts {
            let row = ObjectRow {
                kind: put.kind,
                id: put.id.clone(),
                name_key: put.name_key.clone(),
                doc: put.doc.clone(),
                created_at: put.created_at.unwrap_or(now),
                updated_at: now,
            };
            objects::put(tx, plan.tenant, &row).await?;
        }
        flows(tx, plan, revisions, now).await?;
        for entry in entries {
            audit::insert(tx, plan.tenant, entry).await?;
        }
    }
    Ok(())
}

/// What is stored about an object goes with it: whoever makes another one under the same id begins anew.
async fn forget(tx: &mut WriteTx, tenant: TenantId, (kind, id): (ObjectKind, &str)) -> Outcome<()> {
    match kind {
        ObjectKind::IdentityProvider => {
            provider_health::remove(tx, tenant, &ProviderId::new(id)).await.map(drop)
        }
        ObjectKind::Group => memberships::drop_group(tx, tenant, id).await,
        ObjectKind::Application => memberships::drop_app(tx, tenant, id).await,
        ObjectKind::UserFlowAttribute | ObjectKind::UserFlow => Ok(()),
    }
}

async fn flows(tx: &mut WriteTx, plan: &Plan, revisions: &[RevisionRow], now: Timestamp) -> Outcome<()> {
    for (flow_id, version, doc) in &plan.flow_versions {
        let row =
            FlowVersionRow { flow_id: flow_id.clone(), version: *version, doc: doc.clone(), created_at: now };
        objects::insert_version(tx, plan.tenant, &row).await?;
    }
    for revision in revisions {
        // The tenant's version, advanced in this transaction, keeps everybody else from counting now.
        let number = flow_life::newest(tx, plan.tenant, &revision.flow_id).await? + 1;
        let row = RevisionRow { revision: number, ..revision.clone() };
        flow_life::insert(tx, plan.tenant, &row).await?;
    }
    if let Some(draft) = &plan.spent
        && !flow_life::remove_draft(tx, plan.tenant, draft).await?
    {
        return Err(Fault::stale(format!("the draft of {} was made anew meanwhile", draft.flow_id)));
    }
    Ok(())
}

/// What the history of flows gets; the number is given when it is written.
fn revisions(plan: &Plan, author: &Author<'_>) -> Vec<RevisionRow> {
    let row = |revised: &Revised| RevisionRow {
        flow_id: revised.flow.clone(),
        revision: 0,
        flow_version: revised.flow_version,
        doc: revised.doc.clone(),
        actor: author.actor.to_string(),
        correlation_id: author.correlation.clone(),
        note: plan.note.clone(),
        created_at: author.now,
    };
    plan.revisions.iter().map(row).collect()
}

/// The tenant's own row. Its version guards everything else in the plan.
async fn head(tx: &mut WriteTx, plan: &Plan, now: Timestamp) -> Outcome<()> {
    let tenant = &plan.wanted.tenant;
    if let Some(expected) = plan.expected {
        return tenants::update(tx, plan.tenant, expected, &plan.tenant_doc, &tenant.display_name)
            .await
            .map(drop);
    }
    let row = TenantRow {
        id: plan.tenant,
        kind: match tenant.kind {
            TenantKind::Workforce => "workforce".to_owned(),
            TenantKind::External => "external".to_owned(),
        },
        short_name: tenant.short_name.clone(),
        display_name: tenant.display_name.clone(),
        doc: plan.tenant_doc.clone(),
        config_version: 1,
        created_at: now,
    };
    tenants::insert(tx, &row).await
}

fn entry(change: &Change, author: &Author<'_>) -> EntryRow {
    // Names and keys, never values: among the values are hashes and sealed secrets.
    let detail = json!({"name": change.name, "keys": change.keys});
    by_author(author, change.action.as_str(), (change.kind, change.id.clone()), &detail)
}

/// Reads a whole tenant.
pub(crate) async fn load(tx: &mut ReadTx, tenant: TenantId) -> Outcome<Option<Stored>> {
    let Some(row) = tenants::find(tx, tenant).await? else { return Ok(None) };
    let mut stored = Stored {
        config: TenantConfig {
            tenant: read::<Tenant>(&row.doc, "tenant")?,
            applications: Vec::new(),
            identity_providers: Vec::new(),
            user_flow_attributes: Vec::new(),
            user_flows: Vec::new(),
            groups: Vec::new(),
        },
        version: row.config_version,
        created: BTreeMap::new(),
        flows: BTreeMap::new(),
    };
    for object in objects::list(tx, tenant).await? {
        let what = object.kind.as_str();
        match object.kind {
            ObjectKind::Application => stored.config.applications.push(read(&object.doc, what)?),
            ObjectKind::IdentityProvider => stored.config.identity_providers.push(read(&object.doc, what)?),
            ObjectKind::UserFlowAttribute => {
                stored.config.user_flow_attributes.push(read(&object.doc, what)?);
            }
            ObjectKind::UserFlow => stored.config.user_flows.push(read(&object.doc, what)?),
            ObjectKind::Group => stored.config.groups.push(read(&object.doc, what)?),
        }
        stored.created.insert((object.kind, object.id), object.created_at);
    }
    for flow in &stored.config.user_flows {
        let found = newest(tx, tenant, &flow.id).await?;
        let found = found
            .ok_or_else(|| Fault::ours(format!("flow {} of tenant {tenant} has no version", flow.id)))?;
        stored.flows.insert(flow.id.clone(), found);
    }
    Ok(Some(stored))
}

async fn newest(tx: &mut ReadTx, tenant: TenantId, flow: &FlowId) -> Outcome<Option<(i64, Flow)>> {
    let Some(row) = objects::latest_version(tx, tenant, flow).await? else { return Ok(None) };
    Ok(Some((row.version, read(&row.doc, "user_flow_version")?)))
}

pub(super) fn read<T: DeserializeOwned>(doc: &str, what: &str) -> Outcome<T> {
    serde_json::from_str(doc).map_err(|e| Fault::ours(format!("a stored {what} cannot be read: {e}")))
}
