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
    REMOVE_EXPIRED = "DELETE FROM journey WHERE (tenant_id, key) IN (
                          SELECT tenant_id, key FROM journey WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
                      AND expires_at <= $1";
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
    Ok(JourneyRow {
        id: row.get(0)?,
        key: row.get(1)?,
        client_id: row.get(2)?,
        flow_id: row.get(3)?,
        flow_version: row.get(4)?,
        browser_digest: row.get(5)?,
        state: row.get(6)?,
        revision: row.get(7)?,
        created_at: row.get(8)?,
        expires_at: row.get(9)?,
        ended: row.get(10)?,
    })
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

/// Removes at most `limit` journeys that are over, oldest first; says how many. Housekeeping, all tenants.
pub async fn remove_expired(tx: &mut WriteTx, now: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_EXPIRED, &values![now, limit]).await
}
