//! Drafts: what the flows in a tenant's file are to become. A draft touches nothing that visitors get, and
//! only what would pass when it is published is kept as one.

use std::fmt;
use std::sync::Arc;

use serde_json::json;
use vestibule_crypto::seal::SealingKey;
use vestibule_rules::directory::check;
use vestibule_rules::directory::difference;
use vestibule_rules::directory::flow::UserFlow;
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{FlowId, TenantId};
use vestibule_store::audit::{self, EntryRow};
use vestibule_store::flow_life::{self, DraftRow};
use vestibule_store::{Db, ReadTx, WriteTx, tenants};

use super::apply::{Real, find, refuse};
use super::change::{Author, load, read};
use super::file::{FileProblem, ParsedTenant};
use super::life::{self, Named};
use super::resolve::resolve;
use crate::audit::by_author;

/// What became of a flow's draft.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// There is one now.
    Made,
    /// There is none any more: the file says what is published.
    Dropped,
}

/// A draft that was touched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drafted {
    /// The tenant's short name.
    pub tenant_name: String,
    /// The flow.
    pub id: FlowId,
    /// The name that people know it by.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
    /// The keys in which the draft differs from what is published.
    pub keys: Vec<String>,
}

impl fmt::Display for Drafted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: user flow “{}” ", self.tenant_name, self.name)?;
        match self.fate {
            Fate::Made => write!(f, "has a draft: {}", self.keys.join(", ")),
            Fate::Dropped => f.write_str("has no draft any more: the file says what is published"),
        }
    }
}

/// Keeps what the flows of `files` are to become. Everything else in the files is left alone, and a draft may
/// only use what the tenant has already.
///
/// Problems come back as [`super::apply()`] reports them. What is as it should be is not touched: a second time
/// there is nothing to say.
pub async fn draft(
    db: &Db,
    keys: &SealingKey,
    files: &[ParsedTenant],
    author: &Author<'_>,
) -> Outcome<Vec<Drafted>> {
    let mut tx = db.read().await?;
    let names = tenants::all_names(&mut tx).await?;
    let (mut problems, mut work) = (Vec::new(), Vec::new());
    for file in files {
        let Some(tenant) = find(file, &names) else {
            problems
                .push(file.problem(&[], "the tenant does not exist yet; apply its file first".to_owned()));
            continue;
        };
        let (wanted, found) = flows(&mut tx, keys, (file, tenant), author).await?;
        problems.extend(found);
        for flow in wanted.user_flows {
            work.extend(
                compare(&mut tx, tenant, flow, author).await?.map(|w| (wanted.tenant.short_name.clone(), w)),
            );
        }
    }
    drop(tx);
    refuse(&problems)?;
    let said = work.iter().map(|(tenant_name, work)| work.told(tenant_name)).collect();
    if !work.is_empty() {
        let work = Arc::new(work);
        db.write(move |tx| {
            let work = Arc::clone(&work);
            Box::pin(async move {
                for (_, work) in work.iter() {
                    work.carry_out(tx).await?;
                }
                Ok(())
            })
        })
        .await?;
    }
    Ok(said)
}

/// Forgets the draft of a flow; `false` when there is none.
pub async fn discard(db: &Db, named: Named<'_>, author: &Author<'_>) -> Outcome<bool> {
    let mut tx = db.read().await?;
    let found = life::find(&mut tx, named).await?;
    drop(tx);
    let tenant = found.tenant();
    let Some(row) = found.draft else { return Ok(false) };
    let flow: UserFlow = read(&row.doc, "user_flow_draft")?;
    let entry = entry(&flow, "draftDiscarded", author);
    let work = Work { tenant, row, entry, name: flow.display_name, fate: Fate::Dropped, keys: Vec::new() };
    db.write(move |tx| {
        let work = work.clone();
        Box::pin(async move { work.carry_out(tx).await })
    })
    .await?;
    Ok(true)
}

/// The draft of a flow, in the tenant as it would be with it. Nothing is written.
///
/// Without a tenant, the only one with a draft of that name is meant. What does not exist, or is named by
/// several, is a [`vestibule_rules::fault::Kind::Missing`] that says what there is.
pub async fn find_draft(db: &Db, tenant: Option<&str>, flow: &str) -> Outcome<(TenantConfig, UserFlow)> {
    let mut tx = db.read().await?;
    let names: Vec<String> = match tenant {
        Some(name) => vec![name.to_owned()],
        None => tenants::list(&mut tx).await?.into_iter().map(|row| row.short_name).collect(),
    };
    let (mut drafted, mut without, mut last) = (Vec::new(), Vec::new(), None);
    for name in &names {
        match life::find(&mut tx, Named { tenant: name, flow }).await {
            Ok(found) => match &found.draft {
                Some(row) => {
                    let flow: UserFlow = read(&row.doc, "user_flow_draft")?;
                    drafted.push((name, found.stored.config, flow));
                }
                None => without.push(name.as_str()),
            },
            Err(fault) if fault.kind == Kind::Missing => last = Some(fault),
            Err(fault) => return Err(fault),
        }
    }
    if drafted.len() > 1 {
        let several: Vec<&str> = drafted.iter().map(|(name, ..)| name.as_str()).collect();
        let text = format!("several tenants have a draft of “{flow}”: {}; say which", several.join(", "));
        return Err(Fault::missing("tenant", text));
    }
    let Some((_, mut config, wanted)) = drafted.pop() else {
        return Err(match (without.as_slice(), last) {
            ([], Some(fault)) if names.len() == 1 => fault,
            ([], _) => Fault::missing("flow", format!("no tenant has a flow “{flow}”")),
            (some, _) => {
                Fault::missing("draft", format!("the flow “{flow}” of {} has no draft", some.join(", ")))
            }
        });
    };
    config.user_flows.retain(|known| known.id != wanted.id);
    config.user_flows.push(wanted.clone());
    Ok((config, wanted))
}

/// One draft to write or to remove.
#[derive(Clone)]
struct Work {
    tenant: TenantId,
    row: DraftRow,
    entry: EntryRow,
    name: String,
    fate: Fate,
    keys: Vec<String>,
}

impl Work {
    fn told(&self, tenant_name: &str) -> Drafted {
        Drafted {
            tenant_name: tenant_name.to_owned(),
            id: self.row.flow_id.clone(),
            name: self.name.clone(),
            fate: self.fate,
            keys: self.keys.clone(),
        }
    }

    async fn carry_out(&self, tx: &mut WriteTx) -> Outcome<()> {
        match self.fate {
            Fate::Made => flow_life::put_draft(tx, self.tenant, &self.row).await?,
            Fate::Dropped => {
                if !flow_life::remove_draft(tx, self.tenant, &self.row).await? {
                    return Err(Fault::stale("the draft was changed meanwhile; try again"));
                }
            }
        }
        audit::insert(tx, self.tenant, &self.entry).await
    }
}

/// The flows that a file wants, and everything that would keep them from being published.
async fn flows(
    tx: &mut ReadTx,
    keys: &SealingKey,
    (file, tenant): (&ParsedTenant, TenantId),
    author: &Author<'_>,
) -> Outcome<(TenantConfig, Vec<FileProblem>)> {
    let missing = || Fault::missing("tenant", format!("tenant {tenant} does not exist"));
    let stored = load(tx, tenant).await?.ok_or_else(missing)?;
    let mut known = stored.config.clone();
    for draft in flow_life::drafts(tx, tenant).await? {
        // A flow that is a draft only keeps the id that it was given.
        if !stored.flows.contains_key(&draft.flow_id) {
            known.user_flows.push(read(&draft.doc, "user_flow_draft")?);
        }
    }
    let mut make = Real::new(keys, author.entropy);
    let resolved = resolve(file, Some(&known), &mut make);
    make.done()?;
    let mut problems = resolved.problems(file);
    let mut published = stored.config;
    let others = std::mem::replace(&mut published.user_flows, resolved.config.user_flows.clone());
    let is_new = |flow: &UserFlow| resolved.config.user_flows.iter().all(|wanted| wanted.id != flow.id);
    // Last, so that an index means the same here and in the file.
    published.user_flows.extend(others.into_iter().filter(is_new));
    for broken in check::check(&published) {
        let problem = file.problem(&broken.path, broken.text);
        if problem.key.starts_with("userFlows") && !problems.iter().any(|p| p.key == problem.key) {
            let text = format!("{}; a draft uses what the tenant has already", problem.text);
            problems.push(FileProblem { text, ..problem });
        }
    }
    Ok((resolved.config, problems))
}

/// What is to be done so that `flow` is what the file says, if anything is.
async fn compare(
    tx: &mut ReadTx,
    tenant: TenantId,
    flow: UserFlow,
    author: &Author<'_>,
) -> Outcome<Option<Work>> {
    let base = flow_life::newest(tx, tenant, &flow.id).await?;
    let published = flow_life::find(tx, tenant, &flow.id, base).await?.and_then(|row| row.doc);
    let published: Option<UserFlow> = published.map(|doc| read(&doc, "user_flow_revision")).transpose()?;
    let draft = flow_life::drafts(tx, tenant).await?.into_iter().find(|d| d.flow_id == flow.id);
    let work = |row, action, fate, keys| Work {
        tenant,
        row,
        entry: entry(&flow, action, author),
        name: flow.display_name.clone(),
        fate,
        keys,
    };
    if published.as_ref() == Some(&flow) {
        return Ok(draft.map(|row| work(row, "draftDiscarded", Fate::Dropped, Vec::new())));
    }
    if let Some(draft) = &draft
        && draft.base_revision == base
        && read::<UserFlow>(&draft.doc, "user_flow_draft")? == flow
    {
        return Ok(None);
    }
    let differences = difference::between(published.as_ref(), Some(&flow));
    let keys = if published.is_none() {
        vec!["it is new".to_owned()]
    } else {
        differences.into_iter().map(|d| d.key).collect()
    };
    let doc =
        serde_json::to_string(&flow).map_err(|e| Fault::ours(format!("a draft has no JSON form: {e}")))?;
    let row = DraftRow {
        flow_id: flow.id.clone(),
        doc,
        base_revision: base,
        actor: author.actor.to_string(),
        created_at: author.now,
    };
    Ok(Some(work(row, "drafted", Fate::Made, keys)))
}

fn entry(flow: &UserFlow, action: &str, author: &Author<'_>) -> EntryRow {
    let detail = json!({ "name": flow.display_name });
    by_author(author, action, ("userFlow", flow.id.to_string()), &detail)
}
