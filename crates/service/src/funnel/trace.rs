//! The way of one journey, found by the id of any of its requests.

use uuid::Uuid;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::TenantId;
use vestibule_rules::journey::step::StepName;
use vestibule_rules::time::Timestamp;
use vestibule_store::stages::{self, StageRow};
use vestibule_store::{Db, ReadTx, journeys};

use super::tenant_of;
use crate::directory::snapshot::{self, Snapshot};
use crate::journey::stages::way;

/// Journeys that are told of one id: an app may have sent the same id with many requests.
const MOST: u32 = 20;
/// Journeys that are held at once while those that go on are looked through.
const PAGE: u32 = 200;
/// Characters of the reference that an error page shows: the beginning of the request's id.
const REFERENCE: usize = 8;

/// One journey.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Traced {
    /// The short name of the tenant.
    pub tenant: String,
    /// The name of the application, or its client id when there is none of that id any more.
    pub app: String,
    /// The name of the flow, or its id when there is none of that id any more.
    pub flow: String,
    /// Where the person stands, if they can still go on.
    pub stands_at: Option<StepName>,
    /// The stages in order; there is at least one.
    pub rows: Vec<StageRow>,
}

/// Every journey, oldest first, that a request with this id belongs to: a correlation id, or the reference
/// that an error page shows. `Malformed` when it is neither, `Missing` when nothing is found.
pub async fn trace(db: &Db, id: &str, tenant: Option<&str>, now: Timestamp) -> Outcome<Vec<Traced>> {
    let start = beginning(id)?;
    let snapshot = snapshot::load(db).await?;
    let tenants: Vec<TenantId> = match tenant {
        Some(name) => vec![tenant_of(&snapshot, name)?.config.tenant.id],
        None => snapshot.tenants().map(|view| view.config.tenant.id).collect(),
    };
    let mut tx = db.read().await?;
    let mut found = Vec::new();
    for tenant in &tenants {
        for journey in stages::find_by_correlation(&mut tx, *tenant, &start, MOST).await? {
            found.push((stages::list_of_journey(&mut tx, *tenant, journey).await?, None));
        }
    }
    look_through_unmoved(&mut tx, (&start, &tenants, now), &mut found).await?;
    found.sort_by_key(|(rows, _)| rows.first().map(|row| (row.started_at, row.journey)));
    found.truncate(MOST as usize);
    if found.is_empty() {
        return Err(Fault::missing("journey", format!("no journey had a request with the id {id}")));
    }
    Ok(found.into_iter().filter_map(|(rows, step)| told(&snapshot, rows, step)).collect())
}

/// What the ids of its requests begin with.
fn beginning(id: &str) -> Outcome<String> {
    let id = id.trim();
    if let Ok(whole) = Uuid::try_parse(id) {
        return Ok(whole.hyphenated().to_string());
    }
    if id.len() == REFERENCE && id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(id.to_lowercase());
    }
    let detail =
        format!("“{id}” is neither a GUID nor the reference of eight digits and letters of an error page");
    Err(Fault::malformed("correlation id", detail))
}

type Found = (Vec<StageRow>, Option<StepName>);

async fn look_through_unmoved(
    tx: &mut ReadTx,
    (start, tenants, now): (&str, &[TenantId], Timestamp),
    found: &mut Vec<Found>,
) -> Outcome<()> {
    let mut last = None;
    loop {
        let page = journeys::list_unmoved(tx, Timestamp(i64::MIN), last.as_ref(), PAGE).await?;
        for (tenant, row) in &page {
            // The text is looked at first: reading all of it for every journey would take long.
            if !tenants.contains(tenant) || !row.state.contains(start) {
                continue;
            }
            let way = way(tx, *tenant, row, now).await?;
            let has = |row: &StageRow| row.correlation.as_ref().is_some_and(|id| id.starts_with(start));
            if way.rows.iter().any(has) {
                found.push((way.rows, way.stands_at));
            }
        }
        match page.into_iter().next_back() {
            Some(end) => last = Some(end),
            None => return Ok(()),
        }
    }
}

fn told(snapshot: &Snapshot, rows: Vec<StageRow>, stands_at: Option<StepName>) -> Option<Traced> {
    let first = rows.first()?;
    let view = snapshot.by_id(first.tenant)?;
    let app = view.application(first.client).map(|app| app.display_name.clone());
    let flow = view.flow(first.flow.as_str()).map(|(flow, _)| flow.display_name.clone());
    Some(Traced {
        tenant: view.config.tenant.short_name.clone(),
        app: app.unwrap_or_else(|| first.client.to_string()),
        flow: flow.unwrap_or_else(|| first.flow.to_string()),
        stands_at,
        rows,
    })
}
