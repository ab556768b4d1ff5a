//! Journeys: one row each, its state an opaque text of the engine, every save guarded by the revision.

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, FlowId, JourneyId, TenantId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO journey (tenant_id, key, id, client_id, flow_id, flow_version, browser_digest, state,
                  revision, created_at, expires_at, ended)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    FIND = "SELECT id, key, client_id, flow_id, flow_version, browser_digest, state, revision, created_at,
                expires_at, ended
            FROM journey WHERE tenant_id = $1 AND id = $2";
    SAVE = "UPDATE journey SET state = $4, expires_at = $5, ended = $6, revision = revision + 1
            WHERE tenant_id = $1 AND id = $2 AND revision = $3";
    // Its stages are moved first: they would be lost with it.
    REMOVE_EXPIRED = "DELETE FROM journey WHERE (tenant_id, key) IN (
                          SELECT tenant_id, key FROM journey
                          WHERE expires_at <= $1 AND stages_moved_at IS NOT NULL
                          ORDER BY expires_at LIMIT $2)
                      AND expires_at <= $1 AND stages_moved_at IS NOT NULL";
    // The revision moves as well: whoever answers a page at this very moment is too late.
    CLAIM_OVER = "UPDATE journey SET stages_moved_at = $2, revision = revision + 1
                  WHERE (tenant_id, key) IN (
                      SELECT tenant_id, key FROM journey WHERE expires_at <= $1 AND stages_moved_at IS NULL
                      ORDER BY expires_at LIMIT $3)
                    AND expires_at <= $1 AND stages_moved_at IS NULL
                  RETURNING tenant_id, id, key, client_id, flow_id, flow_version, browser_digest, state,
                      revision, created_at, expires_at, ended";
    LIST_UNMOVED = "SELECT tenant_id, id, key, client_id, flow_id, flow_version, browser_digest, state,
                        revision, created_at, expires_at, ended
                    FROM journey
                    WHERE stages_moved_at IS NULL AND created_at >= $1
                      AND (expires_at, tenant_id, key) > ($2, $3, $4)
                    ORDER BY expires_at, tenant_id, key LIMIT $5";
}

/// A journey as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JourneyRow {
    /// The id in links and continuation tokens.
    pub id: JourneyId,
    /// The internal key, in time order.
    pub key: String,
    /// The application that the person came from.
    pub client_id: ClientId,
    /// The flow and the version that the journey keeps to the end.
    pub flow_id: FlowId,
    /// See [`JourneyRow::flow_id`].
    pub flow_version: i64,
    /// Digest of the secret that ties the journey to one browser.
    pub browser_digest: Vec<u8>,
    /// The engine's state as tagged JSON.
    pub state: String,
    /// Counts the saves.
    pub revision: i64,
    /// When it began.
    pub created_at: Timestamp,
    /// When it dies.
    pub expires_at: Timestamp,
    /// Whether it has come to its end.
    pub ended: bool,
}

/// What a save writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Saved {
    /// The new state.
    pub state: String,
    /// The new time of death.
    pub expires_at: Timestamp,
    /// Whether the journey has come to its end.
    pub ended: bool,
}

fn read(row: &Row) -> Outcome<JourneyRow> {
    read_from(row, 0)
}

fn read_from(row: &Row, first: usize) -> Outcome<JourneyRow> {
    Ok(JourneyRow {
        id: row.get(first)?,
        key: row.get(first + 1)?,
        client_id: row.get(first + 2)?,
        flow_id: row.get(first + 3)?,
        flow_version: row.get(first + 4)?,
        browser_digest: row.get(first + 5)?,
        state: row.get(first + 6)?,
        revision: row.get(first + 7)?,
        created_at: row.get(first + 8)?,
        expires_at: row.get(first + 9)?,
        ended: row.get(first + 10)?,
    })
}

fn read_of_tenant(row: &Row) -> Outcome<(TenantId, JourneyRow)> {
    Ok((row.get(0)?, read_from(row, 1)?))
}

/// Adds a journey.
pub async fn insert(tx: &mut WriteTx, tenant: TenantId, journey: &JourneyRow) -> Outcome<()> {
    let row = values![
        tenant,
        &journey.key,
        journey.id,
        journey.client_id,
        &journey.flow_id,
        journey.flow_version,
        &journey.browser_digest,
        &journey.state,
        journey.revision,
        journey.created_at,
        journey.expires_at,
        journey.ended,
    ];
    tx.run(&INSERT, &row).await.map(drop)
}

/// The journey with this id, expired or not.
pub async fn find(tx: &mut ReadTx, tenant: TenantId, id: JourneyId) -> Outcome<Option<JourneyRow>> {
    tx.one(&FIND, &values![tenant, id]).await?.as_ref().map(read).transpose()
}

/// Saves a journey that still has the revision the caller read; otherwise somebody in a second tab was
/// faster, and the fault is `Stale`. Returns the new revision.
pub async fn save(
    tx: &mut WriteTx,
    tenant: TenantId,
    id: JourneyId,
    expected_revision: i64,
    saved: &Saved,
) -> Outcome<i64> {
    let row = values![tenant, id, expected_revision, &saved.state, saved.expires_at, saved.ended];
    match tx.run(&SAVE, &row).await? {
        0 => {
            let detail = format!("journey {id} is not at revision {expected_revision}");
            Err(Fault::stale(detail).about("journey"))
        }
        _ => Ok(expected_revision + 1),
    }
}

/// Takes at most `limit` journeys that were over at `over_at`, oldest first, so that the caller writes their
/// stages in the same transaction. Each is given out once; fewer than there are when another worker takes the
/// same ones meanwhile. Housekeeping, all tenants.
pub async fn claim_over(
    tx: &mut WriteTx,
    over_at: Timestamp,
    now: Timestamp,
    limit: u32,
) -> Outcome<Vec<(TenantId, JourneyRow)>> {
    tx.all(&CLAIM_OVER, &values![over_at, now, limit]).await?.iter().map(read_of_tenant).collect()
}

/// A page of the journeys of all tenants that began at `since` or later and whose stages still stand in their
/// state; the next page begins after the last one of these.
pub async fn list_unmoved(
    tx: &mut ReadTx,
    since: Timestamp,
    after: Option<&(TenantId, JourneyRow)>,
    limit: u32,
) -> Outcome<Vec<(TenantId, JourneyRow)>> {
    let (at, tenant, key) = match after {
        Some((tenant, row)) => (row.expires_at, tenant.to_string(), row.key.clone()),
        None => (Timestamp(i64::MIN), String::new(), String::new()),
    };
    tx.all(&LIST_UNMOVED, &values![since, at, tenant, key, limit]).await?.iter().map(read_of_tenant).collect()
}

/// Removes at most `limit` journeys that are over and whose stages were moved, oldest first; says how many.
/// Housekeeping, all tenants.
pub async fn remove_expired(tx: &mut WriteTx, now: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_EXPIRED, &values![now, limit]).await
}
