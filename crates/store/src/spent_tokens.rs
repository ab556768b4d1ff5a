//! Tokens that are good no more although they say otherwise, by the digest of what names them. The caller puts their
//! kind into the digest, so that a token of one kind never counts as spent for another (security.md C6).

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, WriteTx};
use crate::{statements, values};

statements! {
    SPEND = "INSERT INTO spent_token (tenant_id, digest, expires_at) VALUES ($1, $2, $3)
             ON CONFLICT (tenant_id, digest) DO NOTHING";
    IS_SPENT = "SELECT expires_at FROM spent_token WHERE tenant_id = $1 AND digest = $2";
    REMOVE_EXPIRED = "DELETE FROM spent_token WHERE (tenant_id, digest) IN (
                          SELECT tenant_id, digest FROM spent_token WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
                      AND expires_at <= $1";
}

/// Spends a token. Of any number of attempts, on whatever node, one is told `true` (security.md S44).
pub async fn spend(
    tx: &mut WriteTx,
    tenant: TenantId,
    digest: &[u8],
    expires_at: Timestamp,
) -> Outcome<bool> {
    Ok(tx.run(&SPEND, &values![tenant, digest, expires_at]).await? == 1)
}

/// Whether a token was spent.
pub async fn is_spent(tx: &mut ReadTx, tenant: TenantId, digest: &[u8]) -> Outcome<bool> {
    Ok(tx.one(&IS_SPENT, &values![tenant, digest]).await?.is_some())
}

/// Removes at most `limit` rows whose time is over, oldest first; says how many. Housekeeping, all tenants.
pub async fn remove_expired(tx: &mut WriteTx, before: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_EXPIRED, &values![before, limit]).await
}
