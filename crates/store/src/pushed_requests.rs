//! Authorization requests that applications pushed (RFC 9126), found by the digest of their `request_uri`.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, TenantId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO pushed_request (tenant_id, digest, client_id, parameters, expires_at)
              VALUES ($1, $2, $3, $4, $5)";
    FIND = "SELECT client_id, parameters, expires_at, used_at FROM pushed_request
            WHERE tenant_id = $1 AND digest = $2";
    SPEND = "UPDATE pushed_request SET used_at = $3 WHERE tenant_id = $1 AND digest = $2 AND used_at IS NULL";
    REMOVE_EXPIRED = "DELETE FROM pushed_request WHERE (tenant_id, digest) IN (
                          SELECT tenant_id, digest FROM pushed_request WHERE expires_at <= $1
                          ORDER BY expires_at LIMIT $2)
                      AND expires_at <= $1";
}

/// A request as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PushedRow {
    /// The application that pushed it.
    pub client_id: ClientId,
    /// Its parameters, as JSON.
    pub parameters: String,
    /// When a browser can no longer bring it.
    pub expires_at: Timestamp,
    /// When it was answered.
    pub used_at: Option<Timestamp>,
}

/// Keeps a request.
pub async fn insert(tx: &mut WriteTx, tenant: TenantId, digest: &[u8], row: &PushedRow) -> Outcome<()> {
    let row = values![tenant, digest, row.client_id, &row.parameters, row.expires_at];
    tx.run(&INSERT, &row).await.map(drop)
}

/// The request with this digest, whatever became of it.
pub async fn find(tx: &mut ReadTx, tenant: TenantId, digest: &[u8]) -> Outcome<Option<PushedRow>> {
    let Some(row) = tx.one(&FIND, &values![tenant, digest]).await? else { return Ok(None) };
    Ok(Some(PushedRow {
        client_id: row.get(0)?,
        parameters: row.get(1)?,
        expires_at: row.get(2)?,
        used_at: row.get(3)?,
    }))
}

/// Spends a request; `false` when it is not there, or was spent before.
pub async fn spend(tx: &mut WriteTx, tenant: TenantId, digest: &[u8], now: Timestamp) -> Outcome<bool> {
    Ok(tx.run(&SPEND, &values![tenant, digest, now]).await? == 1)
}

/// Removes at most `limit` requests whose time was over at `before`, oldest first; says how many. Housekeeping, all
/// tenants.
pub async fn remove_expired(tx: &mut WriteTx, before: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_EXPIRED, &values![before, limit]).await
}
