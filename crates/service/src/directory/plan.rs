//! What lies between a tenant as it is stored and as it is wanted. Pure: a plan is data that one
//! transaction carries out.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{FlowId, TenantId};
use vestibule_rules::journey::flow::Flow;
use vestibule_rules::time::Timestamp;
use vestibule_store::flow_life::DraftRow;
use vestibule_store::objects::ObjectKind;

/// What happened to an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// It is new.
    Created,
    /// Some of its keys differ.
    Changed,
    /// It is gone.
    Removed,
}

impl Action {
    /// The word for it in sentences and in the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// One object that a change touched. It names keys and never values: values may be secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The tenant it is in.
    pub tenant: TenantId,
    /// The tenant's short name.
    pub tenant_name: String,
    /// What happened.
    pub action: Action,
    /// `tenant`, `application`, `identityProvider`, `userFlowAttribute`, `userFlow` or `group`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// The name that people know it by.
    pub name: String,
    /// The keys that differ; empty unless it was changed.
    pub keys: Vec<String>,
    /// What else an administrator should know.
    pub note: Option<&'static str>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            "identityProvider" => "identity provider",
            "userFlowAttribute" => "attribute",
            "userFlow" => "user flow",
            other => other,
        };
        write!(f, "{}: {kind} “{}” {}", self.tenant_name, self.name, self.action.as_str())?;
        if !self.keys.is_empty() {
            write!(f, ": {}", self.keys.join(", "))?;
        }
        self.note.map_or(Ok(()), |note| write!(f, " ({note})"))
    }
}

/// An object to write.
#[derive(Clone, Debug)]
pub(super) struct Put {
    pub(super) kind: ObjectKind,
    pub(super) id: String,
    pub(super) name_key: String,
    pub(super) doc: String,
    /// When the object was made; `None` for a new one.
    pub(super) created_at: Option<Timestamp>,
}

/// What a transaction has to do for one tenant.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) tenant: TenantId,
    /// The configuration version that the plan was made from; `None` for a tenant that does not exist yet.
    pub(super) expected: Option<i64>,
    pub(super) wanted: TenantConfig,
    pub(super) tenant_doc: String,
    pub(super) names_changed: bool,
    /// Objects that go, or that go and come back under another name: two may swap theirs.
    pub(super) removals: Vec<(ObjectKind, String)>,
    pub(super) puts: Vec<Put>,
    pub(super) flow_versions: Vec<(FlowId, i64, String)>,
    pub(super) revisions: Vec<Revised>,
    pub(super) changes: Vec<Change>,
    /// What the author says about it, for the history of its flows.
    pub(super) note: Option<String>,
    /// The draft that is published by this.
    pub(super) spent: Option<DraftRow>,
}

/// A published change of a flow, for its history.
#[derive(Clone, Debug)]
pub(super) struct Revised {
    pub(super) flow: FlowId,
    /// The version that new journeys run from now on.
    pub(super) flow_version: i64,
    /// The flow as it is configured now; nothing when it is gone.
    pub(super) doc: Option<String>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub(super) const fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.flow_versions.is_empty()
    }
}

/// A tenant as it is stored, with what the plan must go on from.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) config: TenantConfig,
    pub(super) version: i64,
    /// When each object was made.
    pub(super) created: BTreeMap<(ObjectKind, String), Timestamp>,
    /// The newest version of every flow.
    pub(super) flows: BTreeMap<FlowId, (i64, Flow)>,
}

/// Plans the way from `before` to `wanted`. `past` has the newest version of flows that are not in `before`
/// but were there once.
pub(super) fn plan(
    before: Option<&Stored>,
    wanted: &TenantConfig,
    past: &BTreeMap<FlowId, (i64, Flow)>,
) -> Outcome<Plan> {
    let old = objects(before.map(|s| &s.config))?;
    let new = objects(Some(wanted))?;
    let mut plan = Plan {
        tenant: wanted.tenant.id,
        expected: before.map(|s| s.version),
        wanted: wanted.clone(),
        tenant_doc: json(&wanted.tenant)?.to_string(),
        names_changed: before.is_none_or(|s| s.config.tenant.names() != wanted.tenant.names()),
        removals: Vec::new(),
        puts: Vec::new(),
        flow_versions: Vec::new(),
        revisions: Vec::new(),
        changes: Vec::new(),
        note: None,
        spent: None,
    };
    tenant(before, wanted, &mut plan)?;
    for (key, object) in &new {
        let Some(was) = old.get(key) else {
            plan.put(key, object, None);
            plan.note(object, Action::Created, Vec::new());
            continue;
        };
        let keys = differing(&was.doc, &object.doc);
        if !keys.is_empty() {
            if was.name_key() != object.name_key() {
                plan.removals.push(key.clone());
            }
            plan.put(key, object, before.and_then(|s| s.created.get(key)).copied());
            plan.note(object, Action::Changed, keys);
        }
    }
    for (key, object) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        plan.removals.push(key.clone());
        plan.note(object, Action::Removed, Vec::new());
    }
    // Ids can be random; what is told reads the same each time.
    let place = |change: &Change| {
        let kind = new.keys().chain(old.keys()).find(|(kind, _)| kind_word(*kind) == change.kind);
        (change.action == Action::Removed, kind.map(|(kind, _)| *kind), change.name.clone())
    };
    plan.changes.sort_by_cached_key(place);
    flows(before, wanted, past, &mut plan)?;
    Ok(plan)
}

/// What journeys run, and what the history says. A flow that only names another application has a new
/// revision and no new version; a provider that is renamed gives its flows a version and no revision.
fn flows(
    before: Option<&Stored>,
    wanted: &TenantConfig,
    past: &BTreeMap<FlowId, (i64, Flow)>,
    plan: &mut Plan,
) -> Outcome<()> {
    let touched: BTreeMap<String, Option<String>> = plan
        .changes
        .iter()
        .filter(|change| change.kind == kind_word(ObjectKind::UserFlow))
        .map(|change| (change.id.clone(), plan.doc_of_flow(&change.id)))
        .collect();
    for flow in &wanted.user_flows {
        let resolved = Flow::resolve(wanted, flow);
        let newest = before.and_then(|s| s.flows.get(&flow.id)).or_else(|| past.get(&flow.id));
        let mut version = newest.map_or(0, |(version, _)| *version);
        if newest.is_none_or(|(_, doc)| *doc != resolved) {
            version += 1;
            plan.flow_versions.push((flow.id.clone(), version, json(&resolved)?.to_string()));
        }
        if let Some(doc) = touched.get(&flow.id.0).cloned() {
            plan.revisions.push(Revised { flow: flow.id.clone(), flow_version: version, doc });
        }
    }
    let removed = before.iter().flat_map(|s| &s.flows).filter(|(id, _)| touched.get(&id.0) == Some(&None));
    for (flow, (version, _)) in removed {
        plan.revisions.push(Revised { flow: flow.clone(), flow_version: *version, doc: None });
    }
    Ok(())
}

fn tenant(before: Option<&Stored>, wanted: &TenantConfig, plan: &mut Plan) -> Outcome<()> {
    let (action, keys) = match before {
        None => (Action::Created, Vec::new()),
        Some(stored) => (Action::Changed, differing(&json(&stored.config.tenant)?, &json(&wanted.tenant)?)),
    };
    if action == Action::Created || !keys.is_empty() {
        plan.changes.push(Change {
            tenant: wanted.tenant.id,
            tenant_name: wanted.tenant.short_name.clone(),
            action,
            kind: "tenant",
            id: wanted.tenant.id.to_string(),
            name: wanted.tenant.display_name.clone(),
            keys,
            note: None,
        });
    }
    Ok(())
}

impl Plan {
    fn doc_of_flow(&self, id: &str) -> Option<String> {
        let put = self.puts.iter().find(|put| put.kind == ObjectKind::UserFlow && put.id == id);
        put.map(|put| put.doc.clone())
    }

    fn put(&mut self, key: &(ObjectKind, String), object: &Object, created_at: Option<Timestamp>) {
        self.puts.push(Put {
            kind: key.0,
            id: key.1.clone(),
            name_key: object.name_key(),
            doc: object.doc.to_string(),
            created_at,
        });
    }

    fn note(&mut self, object: &Object, action: Action, keys: Vec<String>) {
        // Sign-up.md EXIST-06: allowed, and said.
        let note = (action == Action::Removed && object.kind == ObjectKind::IdentityProvider)
            .then_some("whoever signs in with it cannot any more");
        self.changes.push(Change {
            tenant: self.tenant,
            tenant_name: self.wanted.tenant.short_name.clone(),
            action,
            kind: kind_word(object.kind),
            id: object.id.clone(),
            name: object.name.clone(),
            keys,
            note,
        });
    }
}

const fn kind_word(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Application => "application",
        ObjectKind::IdentityProvider => "identityProvider",
        ObjectKind::UserFlowAttribute => "userFlowAttribute",
        ObjectKind::UserFlow => "userFlow",
        ObjectKind::Group => "group",
    }
}

struct Object {
    kind: ObjectKind,
    id: String,
    name: String,
    doc: Value,
}

impl Object {
    fn name_key(&self) -> String {
        // Attributes are told apart by what their id is made of: `Terms of use` and `terms of Use` are one.
        match self.kind {
            ObjectKind::UserFlowAttribute => self.id.to_lowercase(),
            ObjectKind::Application
            | ObjectKind::IdentityProvider
            | ObjectKind::UserFlow
            | ObjectKind::Group => self.name.to_lowercase(),
        }
    }
}

type Objects = BTreeMap<(ObjectKind, String), Object>;

fn objects(config: Option<&TenantConfig>) -> Outcome<Objects> {
    let mut all = Objects::new();
    let mut add = |kind: ObjectKind, id: String, name: &str, doc: Value| {
        all.insert((kind, id.clone()), Object { kind, id, name: name.to_owned(), doc });
    };
    let Some(config) = config else { return Ok(all) };
    for app in &config.applications {
        add(ObjectKind::Application, app.app_id.to_string(), &app.display_name, json(app)?);
    }
    for provider in &config.identity_providers {
        add(ObjectKind::IdentityProvider, provider.id.0.clone(), &provider.display_name, json(provider)?);
    }
    for attribute in &config.user_flow_attributes {
        add(ObjectKind::UserFlowAttribute, attribute.id.0.clone(), &attribute.display_name, json(attribute)?);
    }
    for flow in &config.user_flows {
        add(ObjectKind::UserFlow, flow.id.0.clone(), &flow.display_name, json(flow)?);
    }
    for group in &config.groups {
        add(ObjectKind::Group, group.id.to_string(), &group.display_name, json(group)?);
    }
    Ok(all)
}

fn json(value: &impl Serialize) -> Outcome<Value> {
    serde_json::to_value(value)
        .map_err(|e| Fault::ours(format!("a configuration object has no JSON form: {e}")))
}

/// The top-level keys whose values differ.
fn differing(before: &Value, after: &Value) -> Vec<String> {
    let empty = serde_json::Map::new();
    let (before, after) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let mut keys: Vec<String> = before
        .keys()
        .chain(after.keys())
        .filter(|key| before.get(*key) != after.get(*key))
        .cloned()
        .collect();
    keys.sort();
    keys.dedup();
    keys
}
