//! What providers tell of somebody once, found by the digest of who it is about.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, WriteTx};
use crate::{statements, values};

statements! {
    PUT = "INSERT INTO told_once (tenant_id, digest, sealed, expires_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (tenant_id, digest) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at";
    FIND = "SELECT sealed FROM told_once WHERE tenant_id = $1 AND digest = $2 AND expires_at > $3";
    REMOVE_EXPIRED = "DELETE FROM told_once WHERE (tenant_id, digest) IN (
                          SELECT tenant_id, digest FROM told_once WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
                      AND expires_at <= $1";
}

/// Keeps what was told, in place of what was.
pub async fn put(
    tx: &mut WriteTx,
    tenant: TenantId,
    (digest, sealed): (&[u8], &[u8]),
    expires_at: Timestamp,
) -> Outcome<()> {
    tx.run(&PUT, &values![tenant, digest, sealed, expires_at]).await.map(drop)
}

/// What was told, if it is kept still.
pub async fn find(
    tx: &mut ReadTx,
    tenant: TenantId,
    digest: &[u8],
    now: Timestamp,
) -> Outcome<Option<Vec<u8>>> {
    tx.one(&FIND, &values![tenant, digest, now]).await?.map(|row| row.get(0)).transpose()
}

/// Removes at most `limit` rows whose time is over, oldest first; says how many. Housekeeping, all tenants.
pub async fn remove_expired(tx: &mut WriteTx, before: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_EXPIRED, &values![before, limit]).await
}
