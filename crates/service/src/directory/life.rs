//! The life of a flow after it was written: its history, what lies between two of its forms, and the steps to
//! another one. A step publishes a draft or an earlier form; it goes through the same checks as any change.

use vestibule_rules::directory::check::WORKFORCE_PREFIX;
use vestibule_rules::directory::difference::{self, Difference};
use vestibule_rules::directory::flow::UserFlow;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{FlowId, TenantId};
use vestibule_rules::time::Timestamp;
use vestibule_store::flow_life::{self, DraftRow, RevisionRow};
use vestibule_store::{Db, ReadTx, tenants};

use super::change::{Author, carry_out, checked_plan, load, read};
use super::impact::{self, Hit};
use super::plan::{Change, Plan, Stored};

/// One published form of a flow.
#[derive(Clone, PartialEq, Debug)]
pub struct Revision {
    /// Counts the changes of the flow, from 1.
    pub number: i64,
    /// The version that new journeys ran from then on.
    pub flow_version: i64,
    /// When it was published.
    pub at: Timestamp,
    /// Who published it.
    pub actor: String,
    /// The request or command that did.
    pub correlation: String,
    /// What the author said about it.
    pub note: Option<String>,
    /// The flow; nothing when this is its removal.
    pub flow: Option<UserFlow>,
}

/// A flow as a list shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// The tenant's short name.
    pub tenant_name: String,
    /// The flow's id.
    pub id: FlowId,
    /// The name that people know it by.
    pub name: String,
    /// Its newest revision; 0 when it was never published.
    pub revision: i64,
    /// The version that new journeys run; nothing when there is none.
    pub flow_version: Option<i64>,
    /// The revision that its draft was made from, if it has a draft.
    pub draft_of: Option<i64>,
}

/// A form of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// The one with this number.
    Revision(i64),
    /// What it is to become.
    Draft,
}

/// A flow, named by people: the tenant by any of its names, the flow by its id or display name.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The flow.
    pub flow: &'a str,
}

/// Every flow of every tenant, with those that are drafts only.
pub async fn list(db: &Db) -> Outcome<Vec<Summary>> {
    let mut tx = db.read().await?;
    let mut all = Vec::new();
    for row in tenants::list(&mut tx).await? {
        let Some(stored) = load(&mut tx, row.id).await? else { continue };
        let drafts = flow_life::drafts(&mut tx, row.id).await?;
        let base = |id: &FlowId| drafts.iter().find(|d| d.flow_id == *id).map(|d| d.base_revision);
        for flow in &stored.config.user_flows {
            all.push(Summary {
                tenant_name: row.short_name.clone(),
                name: flow.display_name.clone(),
                revision: flow_life::newest(&mut tx, row.id, &flow.id).await?,
                flow_version: stored.flows.get(&flow.id).map(|(version, _)| *version),
                draft_of: base(&flow.id),
                id: flow.id.clone(),
            });
        }
        for draft in drafts.iter().filter(|d| !stored.flows.contains_key(&d.flow_id)) {
            all.push(Summary {
                tenant_name: row.short_name.clone(),
                name: read::<UserFlow>(&draft.doc, "user_flow_draft")?.display_name,
                revision: flow_life::newest(&mut tx, row.id, &draft.flow_id).await?,
                flow_version: None,
                draft_of: Some(draft.base_revision),
                id: draft.flow_id.clone(),
            });
        }
    }
    Ok(all)
}

/// Every revision of a flow, newest first. A flow that was removed has its history still, under its id.
pub async fn history(db: &Db, named: Named<'_>) -> Outcome<Vec<Revision>> {
    let mut tx = db.read().await?;
    let found = find(&mut tx, named).await?;
    flow_life::list(&mut tx, found.tenant(), &found.flow).await?.into_iter().map(revision).collect()
}

/// What lies between two forms of a flow. Left out, `to` is the draft, or the newest revision when there is
/// none; `from` is the newest revision, or the one before it when that is where the difference ends.
///
/// Applications are named, not numbered, where the tenant knows them.
pub async fn differences(
    db: &Db,
    named: Named<'_>,
    from: Option<Form>,
    to: Option<Form>,
) -> Outcome<(Form, Form, Vec<Difference>)> {
    let mut tx = db.read().await?;
    let found = find(&mut tx, named).await?;
    let newest = flow_life::newest(&mut tx, found.tenant(), &found.flow).await?;
    let fallback = if found.draft.is_some() { Form::Draft } else { Form::Revision(newest) };
    let to = to.unwrap_or(fallback);
    let from = from.unwrap_or(match to {
        Form::Draft => Form::Revision(newest),
        Form::Revision(number) => Form::Revision((number - 1).max(0)),
    });
    let before = form(&mut tx, &found, from).await?;
    let after = form(&mut tx, &found, to).await?;
    let mut all = difference::between(before.as_ref(), after.as_ref());
    for value in all.iter_mut().flat_map(|d| [&mut d.before, &mut d.after]).flatten() {
        name_applications(&found.stored, value);
    }
    Ok((from, to, all))
}

/// A step in the life of a flow: to its draft, or back to a revision.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// The flow.
    pub flow: Named<'a>,
    /// What is to be published.
    pub to: Form,
    /// A word about it for the history.
    pub note: Option<String>,
}

/// Takes a step; nothing comes back when the flow is that already.
///
/// A draft that was made before somebody else changed the flow is a [`Kind::Conflict`]. What an earlier form
/// needs and the tenant no longer has comes back as [`super::apply()`] reports problems.
pub async fn take(db: &Db, step: &Step<'_>, author: &Author<'_>) -> Outcome<Vec<Change>> {
    match take_once(db, step, author).await {
        Err(fault) if fault.kind == Kind::Stale => take_once(db, step, author).await,
        other => other,
    }
}

async fn take_once(db: &Db, step: &Step<'_>, author: &Author<'_>) -> Outcome<Vec<Change>> {
    let mut tx = db.read().await?;
    let (_, plan) = prepare(&mut tx, step).await?;
    drop(tx);
    if let (true, Some(draft)) = (plan.is_empty(), plan.spent.clone()) {
        let tenant = plan.tenant;
        db.write(move |tx| {
            let draft = draft.clone();
            Box::pin(async move { flow_life::remove_draft(tx, tenant, &draft).await.map(drop) })
        })
        .await?;
    }
    carry_out(db, vec![plan], author).await
}

/// Whom a step would hit; see [`super::apply_hits()`].
pub async fn step_hits(db: &Db, step: &Step<'_>, now: Timestamp, origin: &str) -> Outcome<Vec<Hit>> {
    let mut tx = db.read().await?;
    let (found, plan) = prepare(&mut tx, step).await?;
    impact::count(&mut tx, (&found.stored.config, &plan.wanted), now, origin).await
}

async fn prepare(tx: &mut ReadTx, step: &Step<'_>) -> Outcome<(Found, Plan)> {
    let found = find(tx, step.flow).await?;
    let wanted_flow = form(tx, &found, step.to).await?.ok_or_else(|| {
        Fault::conflict("flow", "that revision is the flow's removal; choose the one before it")
    })?;
    if step.to == Form::Draft {
        not_moved(tx, &found).await?;
    }
    let mut wanted = found.stored.config.clone();
    match wanted.user_flows.iter_mut().find(|flow| flow.id == found.flow) {
        Some(flow) => *flow = wanted_flow,
        None => wanted.user_flows.push(wanted_flow),
    }
    let mut plan = checked_plan(tx, &found.stored, &wanted).await?;
    plan.note.clone_from(&step.note);
    plan.spent = found.draft.clone().filter(|_| step.to == Form::Draft);
    Ok((found, plan))
}

/// Refuses a draft of a flow that somebody changed since: publishing it would undo their change unseen.
async fn not_moved(tx: &mut ReadTx, found: &Found) -> Outcome<()> {
    let Some(draft) = &found.draft else { return Ok(()) };
    let newest = flow_life::newest(tx, found.tenant(), &found.flow).await?;
    if newest == draft.base_revision {
        return Ok(());
    }
    let by = flow_life::find(tx, found.tenant(), &found.flow, newest).await?;
    let by = by.map(|r| format!(" by {} at {}", r.actor, r.created_at.rfc3339())).unwrap_or_default();
    let text = format!(
        "the flow was changed{by} and is at revision {newest}; its draft was made from revision {}. Make the draft \
         anew, so that it says what is to become of that change",
        draft.base_revision
    );
    Err(Fault::conflict("draft", text))
}

/// A flow with everything that a step needs to know.
pub(crate) struct Found {
    pub(crate) stored: Stored,
    pub(crate) flow: FlowId,
    pub(super) draft: Option<DraftRow>,
}

impl Found {
    pub(crate) const fn tenant(&self) -> TenantId {
        self.stored.config.tenant.id
    }
}

/// Finds what people name: among the flows, then among the drafts, then in the history.
pub(crate) async fn find(tx: &mut ReadTx, named: Named<'_>) -> Outcome<Found> {
    let missing = || Fault::missing("tenant", format!("there is no tenant “{}”", named.tenant));
    let tenant = tenants::find_by_name(tx, &named.tenant.to_lowercase()).await?.ok_or_else(missing)?;
    let stored = load(tx, tenant).await?.ok_or_else(missing)?;
    let drafts = flow_life::drafts(tx, tenant).await?;
    let mut known: Vec<(FlowId, String)> = Vec::new();
    for flow in &stored.config.user_flows {
        known.push((flow.id.clone(), flow.display_name.clone()));
    }
    for draft in &drafts {
        let flow = read::<UserFlow>(&draft.doc, "user_flow_draft")?;
        known.push((draft.flow_id.clone(), flow.display_name));
    }
    let key = named.flow.to_lowercase();
    let prefixed = FlowId::new(format!("{WORKFORCE_PREFIX}{}", named.flow));
    let is_it = |(id, name): &&(FlowId, String)| {
        id.key() == key || id.key() == prefixed.key() || name.to_lowercase() == key
    };
    let mut flow = known.iter().find(is_it).map(|(id, _)| id.clone());
    for id in [FlowId::new(named.flow), prefixed] {
        if flow.is_none() && flow_life::newest(tx, tenant, &id).await? > 0 {
            flow = Some(id);
        }
    }
    let flow = flow.ok_or_else(|| {
        let all: Vec<&str> = known.iter().map(|(_, name)| name.as_str()).collect();
        let there_are =
            if all.is_empty() { String::new() } else { format!("; there are: {}", all.join(", ")) };
        Fault::missing("flow", format!("the tenant has no flow “{}”{there_are}", named.flow))
    })?;
    let draft = drafts.into_iter().find(|draft| draft.flow_id == flow);
    Ok(Found { stored, flow, draft })
}

/// A form of the flow; nothing when it is a removal, or from before the flow was there.
async fn form(tx: &mut ReadTx, found: &Found, form: Form) -> Outcome<Option<UserFlow>> {
    match form {
        Form::Draft => match &found.draft {
            Some(draft) => read(&draft.doc, "user_flow_draft").map(Some),
            None => Err(Fault::missing("draft", "the flow has no draft")),
        },
        Form::Revision(0) => Ok(None),
        Form::Revision(number) => {
            let row = flow_life::find(tx, found.tenant(), &found.flow, number).await?;
            let row =
                row.ok_or_else(|| Fault::missing("revision", format!("the flow has no revision {number}")))?;
            Ok(revision(row)?.flow)
        }
    }
}

fn revision(row: RevisionRow) -> Outcome<Revision> {
    Ok(Revision {
        number: row.revision,
        flow_version: row.flow_version,
        at: row.created_at,
        actor: row.actor,
        correlation: row.correlation_id,
        note: row.note,
        flow: row.doc.map(|doc| read(&doc, "user_flow_revision")).transpose()?,
    })
}

/// Client ids say nothing to people.
fn name_applications(stored: &Stored, value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => {
            let app = stored.config.applications.iter().find(|app| app.app_id.to_string() == *text);
            if let Some(app) = app {
                text.clone_from(&app.display_name);
            }
        }
        serde_json::Value::Array(all) => all.iter_mut().for_each(|v| name_applications(stored, v)),
        serde_json::Value::Object(members) => {
            members.values_mut().for_each(|v| name_applications(stored, v));
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}
