//! The DPoP proofs that were shown lately, so that none is good twice on any node (RFC 9449 §11.1).

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::Timestamp;

use crate::db::WriteTx;
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO dpop_proof (tenant_id, digest, expires_at) VALUES ($1, $2, $3)
              ON CONFLICT (tenant_id, digest) DO NOTHING";
    REMOVE_EXPIRED = "DELETE FROM dpop_proof WHERE (tenant_id, digest) IN (
                          SELECT tenant_id, digest FROM dpop_proof WHERE expires_at <= $1
                          ORDER BY expires_at LIMIT $2)
                      AND expires_at <= $1";
}

/// Notes that a proof was shown; `false` when it had been shown before.
pub async fn insert(
    tx: &mut WriteTx,
    tenant: TenantId,
    digest: &[u8],
    expires_at: Timestamp,
) -> Outcome<bool> {
    Ok(tx.run(&INSERT, &values![tenant, digest, expires_at]).await? == 1)
}

/// Removes at most `limit` proofs that are too old to be good, oldest first; says how many. Housekeeping, all tenants.
pub async fn remove_expired(tx: &mut WriteTx, before: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_EXPIRED, &values![before, limit]).await
}
