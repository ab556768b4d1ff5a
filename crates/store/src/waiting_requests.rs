//! Authorization requests that wait for their person to choose an account or to consent. Each is answered once.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{RequestId, TenantId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO waiting_request (tenant_id, id, browser_digest, doc, created_at, expires_at)
              VALUES ($1, $2, $3, $4, $5, $6)";
    FIND = "SELECT id, browser_digest, doc, created_at, expires_at, answered_at FROM waiting_request
            WHERE tenant_id = $1 AND id = $2";
    ANSWER = "UPDATE waiting_request SET answered_at = $3
              WHERE tenant_id = $1 AND id = $2 AND answered_at IS NULL AND expires_at > $3";
    REMOVE_EXPIRED = "DELETE FROM waiting_request WHERE (tenant_id, id) IN (
                          SELECT tenant_id, id FROM waiting_request WHERE expires_at <= $1
                          ORDER BY expires_at LIMIT $2)
                      AND expires_at <= $1";
}

/// A request as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingRow {
    /// The id in addresses of our pages; no secret.
    pub id: RequestId,
    /// Digest of the secret of the browser that brought it.
    pub browser_digest: Vec<u8>,
    /// The request and what it waits for, as JSON.
    pub doc: String,
    /// When it began to wait.
    pub created_at: Timestamp,
    /// When it is over.
    pub expires_at: Timestamp,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
}

/// Keeps a request.
pub async fn insert(tx: &mut WriteTx, tenant: TenantId, row: &WaitingRow) -> Outcome<()> {
    let row = values![tenant, row.id, &row.browser_digest, &row.doc, row.created_at, row.expires_at];
    tx.run(&INSERT, &row).await.map(drop)
}

/// The request with this id, whatever became of it.
pub async fn find(tx: &mut ReadTx, tenant: TenantId, id: RequestId) -> Outcome<Option<WaitingRow>> {
    let Some(row) = tx.one(&FIND, &values![tenant, id]).await? else { return Ok(None) };
    Ok(Some(WaitingRow {
        id: row.get(0)?,
        browser_digest: row.get(1)?,
        doc: row.get(2)?,
        created_at: row.get(3)?,
        expires_at: row.get(4)?,
        answered_at: row.get(5)?,
    }))
}

/// Answers a request; `false` when it was answered before, or is over.
pub async fn answer(tx: &mut WriteTx, tenant: TenantId, id: RequestId, now: Timestamp) -> Outcome<bool> {
    Ok(tx.run(&ANSWER, &values![tenant, id, now]).await? == 1)
}

/// Removes at most `limit` requests that were over at `before`, oldest first; says how many. Housekeeping, all tenants.
pub async fn remove_expired(tx: &mut WriteTx, before: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_EXPIRED, &values![before, limit]).await
}
