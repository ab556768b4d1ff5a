//! The report over every journey that began within a time.

use std::collections::BTreeMap;

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{FlowId, TenantId};
use vestibule_rules::journey::facts::Intent;
use vestibule_rules::time::Timestamp;
use vestibule_store::stages::{self, StageRow};
use vestibule_store::{Db, ReadTx, journeys};

use super::count::{Group, Reason, Tally, reasons};
use super::{flows_of, tenant_of};
use crate::directory::snapshot::{self, Snapshot};
use crate::journey::stages::{intent_word, way};

/// Rows, or journeys, that are held at once.
const PAGE: u32 = 1_000;

/// By what journeys are counted apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// All together, stage by stage.
    Step,
    /// The method that was chosen last.
    Method,
    /// The application.
    App,
    /// The language of the pages.
    Language,
}

/// Which journeys are counted.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    /// A tenant by any of its names; all when left out.
    pub tenant: Option<&'a str>,
    /// A flow by id or display name; all when left out.
    pub flow: Option<&'a str>,
    /// What they count as.
    pub intent: Intent,
    /// They began at this instant or later.
    pub since: Timestamp,
    /// By what they are counted apart.
    pub by: By,
}

/// What came of the journeys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// All of them together.
    pub total: Group,
    /// The groups, most journeys first; one, which is all, when they are counted by step.
    pub groups: Vec<Group>,
    /// How many journeys met each reason, most frequent first. A journey can meet several.
    pub reasons: Vec<(Reason, u64)>,
    /// How many are still going on. They are not counted: it is open how far they will come.
    pub under_way: u64,
}

/// Counts the journeys that are over as of `now`. `Missing` when there is no such tenant or flow.
pub async fn report(db: &Db, filter: Filter<'_>, now: Timestamp) -> Outcome<Report> {
    let snapshot = snapshot::load(db).await?;
    let tenant = filter.tenant.map(|name| tenant_of(&snapshot, name)).transpose()?;
    let tenant = tenant.map(|view| view.config.tenant.id);
    let flows = filter.flow.map(|name| flows_of(&snapshot, tenant, name));
    let mut counting = Counting {
        snapshot,
        tenant,
        flows,
        filter,
        total: Tally::default(),
        groups: BTreeMap::new(),
        reasons: BTreeMap::new(),
        under_way: 0,
        flow_was_met: false,
    };
    let mut tx = db.read().await?;
    counting.moved(&mut tx).await?;
    counting.unmoved(&mut tx, now).await?;
    counting.finish()
}

struct Counting<'a> {
    snapshot: Snapshot,
    tenant: Option<TenantId>,
    flows: Option<Vec<(Option<TenantId>, FlowId)>>,
    filter: Filter<'a>,
    total: Tally,
    groups: BTreeMap<String, Tally>,
    reasons: BTreeMap<Reason, u64>,
    under_way: u64,
    /// A journey of the flow exists, whatever it counts as.
    flow_was_met: bool,
}

impl Counting<'_> {
    async fn moved(&mut self, tx: &mut ReadTx) -> Outcome<()> {
        let mut last: Option<StageRow> = None;
        let mut journey: Vec<StageRow> = Vec::new();
        loop {
            let page = stages::list(tx, (self.filter.since, self.tenant), last.as_ref(), PAGE).await?;
            let Some(end) = page.last() else { break };
            last = Some(end.clone());
            for row in page {
                if journey
                    .first()
                    .is_some_and(|first| (first.tenant, first.journey) != (row.tenant, row.journey))
                {
                    self.count(&journey);
                    journey.clear();
                }
                journey.push(row);
            }
        }
        self.count(&journey);
        Ok(())
    }

    async fn unmoved(&mut self, tx: &mut ReadTx, now: Timestamp) -> Outcome<()> {
        let (mut last, only) = (None, self.tenant);
        loop {
            let page = journeys::list_unmoved(tx, self.filter.since, last.as_ref(), PAGE).await?;
            for (tenant, row) in page.iter().filter(|(id, _)| only.is_none_or(|only| only == *id)) {
                let way = way(tx, *tenant, row, now).await?;
                if way.stands_at.is_none() {
                    self.count(&way.rows);
                } else if self.concerns(&way.rows) {
                    self.under_way += 1;
                }
            }
            match page.into_iter().next_back() {
                Some(end) => last = Some(end),
                None => return Ok(()),
            }
        }
    }

    fn concerns(&mut self, rows: &[StageRow]) -> bool {
        let Some(first) = rows.first() else { return false };
        let of_flow = self.flows.as_ref().is_none_or(|flows| {
            let is = |(tenant, flow): &(Option<TenantId>, FlowId)| {
                tenant.is_none_or(|tenant| tenant == first.tenant) && flow.key() == first.flow.key()
            };
            flows.iter().any(is)
        });
        self.flow_was_met |= of_flow;
        of_flow && first.intent == intent_word(self.filter.intent)
    }

    fn count(&mut self, rows: &[StageRow]) {
        if !self.concerns(rows) {
            return;
        }
        self.total.add(rows);
        if let Some(name) = rows.first().and_then(|first| self.group_of(first)) {
            self.groups.entry(name).or_default().add(rows);
        }
        for reason in reasons(rows) {
            *self.reasons.entry(reason).or_default() += 1;
        }
    }

    fn group_of(&self, row: &StageRow) -> Option<String> {
        match self.filter.by {
            By::Step => None,
            By::Method => Some(row.method.clone().unwrap_or_default()),
            By::Language => Some(row.language.clone()),
            By::App => {
                let view = self.snapshot.by_id(row.tenant);
                let app = view.and_then(|view| view.application(row.client));
                Some(app.map_or_else(|| row.client.to_string(), |app| app.display_name.clone()))
            }
        }
    }

    fn finish(self) -> Outcome<Report> {
        // Nobody has such a flow, and nobody ever came by one.
        if let (Some([(None, flow)]), false) = (self.flows.as_deref(), self.flow_was_met) {
            return Err(Fault::missing("flow", format!("there is no flow “{flow}”")));
        }
        let total = self.total.into_group(String::new());
        let mut groups: Vec<Group> =
            self.groups.into_iter().map(|(name, tally)| tally.into_group(name)).collect();
        if self.filter.by == By::Step {
            groups.push(total.clone());
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.started));
        let mut reasons: Vec<(Reason, u64)> = self.reasons.into_iter().collect();
        reasons.sort_by_key(|(_, journeys)| std::cmp::Reverse(*journeys));
        Ok(Report { total, groups, reasons, under_way: self.under_way })
    }
}
