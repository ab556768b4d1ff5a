//! Signing keys: the private half sealed, the public half as it is published.

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO signing_key (tenant_id, kid, algorithm, sealed_private, certificate, public_jwk,
                  created_at, active_from, retire_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
              ON CONFLICT (tenant_id, kid) DO NOTHING";
    INSERT_FIRST = "INSERT INTO signing_key (tenant_id, kid, algorithm, sealed_private, certificate,
                        public_jwk, created_at, active_from, retire_at)
                    SELECT $1, $2, $3, $4, $5, $6, $7, $8, CAST($9 AS BIGINT)
                    WHERE NOT EXISTS (
                        SELECT 1 FROM signing_key WHERE tenant_id = $1)";
    LOCK_TENANT = "UPDATE tenant SET config_version = config_version WHERE id = $1";
    LIST = "SELECT kid, algorithm, sealed_private, certificate, public_jwk, created_at, active_from, retire_at
            FROM signing_key WHERE tenant_id = $1 ORDER BY active_from, created_at, kid";
    // A row that another node added meanwhile comes after the one that was last.
    INSERT_AFTER = "INSERT INTO signing_key (tenant_id, kid, algorithm, sealed_private, certificate,
                        public_jwk, created_at, active_from, retire_at)
                    SELECT $1, $2, $3, $4, $5, $6, $7, $8, CAST($9 AS BIGINT)
                    WHERE NOT EXISTS (
                        SELECT 1 FROM signing_key AS later
                        JOIN signing_key AS last ON last.tenant_id = later.tenant_id AND last.kid = $10
                        WHERE later.tenant_id = $1 AND later.active_from > last.active_from)";
    ADVANCE = "UPDATE signing_key SET active_from = $3
               WHERE tenant_id = $1 AND kid = $2 AND active_from > $3";
    RETIRE = "UPDATE signing_key SET retire_at = $3
              WHERE tenant_id = $1 AND kid = $2 AND (retire_at IS NULL OR retire_at > $3)";
    REMOVE_WAITING = "DELETE FROM signing_key WHERE tenant_id = $1 AND kid = $2 AND active_from > $3";
    REMOVE = "DELETE FROM signing_key WHERE tenant_id = $1 AND kid = $2 AND retire_at <= $3";
}

/// A signing key as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The key's id in tokens.
    pub kid: String,
    /// The JWS algorithm.
    pub algorithm: String,
    /// The private key, sealed.
    pub sealed_private: Vec<u8>,
    /// The certificate in `x5c`, DER.
    pub certificate: Vec<u8>,
    /// The public key as JSON.
    pub public_jwk: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it begins to sign; it is published before.
    pub active_from: Timestamp,
    /// When it stops being published.
    pub retire_at: Option<Timestamp>,
}

fn read(row: &Row) -> Outcome<KeyRow> {
    Ok(KeyRow {
        kid: row.get(0)?,
        algorithm: row.get(1)?,
        sealed_private: row.get(2)?,
        certificate: row.get(3)?,
        public_jwk: row.get(4)?,
        created_at: row.get(5)?,
        active_from: row.get(6)?,
        retire_at: row.get(7)?,
    })
}

fn parameters(tenant: TenantId, key: &KeyRow) -> [crate::db::Value; 9] {
    values![
        tenant,
        &key.kid,
        &key.algorithm,
        &key.sealed_private,
        &key.certificate,
        &key.public_jwk,
        key.created_at,
        key.active_from,
        key.retire_at,
    ]
}

/// Adds a key; `false` when a key with this id is there already.
pub async fn insert(tx: &mut WriteTx, tenant: TenantId, key: &KeyRow) -> Outcome<bool> {
    Ok(tx.run(&INSERT, &parameters(tenant, key)).await? == 1)
}

/// Adds a tenant's first key; `false` when the tenant has one. Two nodes that start together must
/// not mint two current keys (security.md N9), so they meet on the tenant's row, which must exist.
pub async fn insert_first(tx: &mut WriteTx, tenant: TenantId, key: &KeyRow) -> Outcome<bool> {
    if tx.run(&LOCK_TENANT, &values![tenant]).await? == 0 {
        return Err(Fault::missing("tenant", format!("tenant {tenant} does not exist")));
    }
    Ok(tx.run(&INSERT_FIRST, &parameters(tenant, key)).await? == 1)
}

/// Adds the key that comes after the one that is last; `false` when another node was first. Nodes meet on the tenant's
/// row.
pub async fn insert_after(tx: &mut WriteTx, tenant: TenantId, last: &str, key: &KeyRow) -> Outcome<bool> {
    if tx.run(&LOCK_TENANT, &values![tenant]).await? == 0 {
        return Err(Fault::missing("tenant", format!("tenant {tenant} does not exist")));
    }
    let row = [&parameters(tenant, key)[..], &values![last]].concat();
    Ok(tx.run(&INSERT_AFTER, &row).await? == 1)
}

/// Lets a key begin to sign sooner than it would have; `false` when it signs already or is gone.
pub async fn advance(tx: &mut WriteTx, tenant: TenantId, kid: &str, from: Timestamp) -> Outcome<bool> {
    Ok(tx.run(&ADVANCE, &values![tenant, kid, from]).await? == 1)
}

/// Every key of a tenant, in the order in which they begin to sign.
pub async fn list(tx: &mut ReadTx, tenant: TenantId) -> Outcome<Vec<KeyRow>> {
    tx.all(&LIST, &values![tenant]).await?.iter().map(read).collect()
}

/// Sets when a key stops being published; `false` when that is sooner already, or there is no such key.
pub async fn retire(tx: &mut WriteTx, tenant: TenantId, kid: &str, at: Timestamp) -> Outcome<bool> {
    Ok(tx.run(&RETIRE, &values![tenant, kid, at]).await? == 1)
}

/// Removes a key that has not begun to sign; `false` when it has, or is gone.
pub async fn remove_waiting(tx: &mut WriteTx, tenant: TenantId, kid: &str, now: Timestamp) -> Outcome<bool> {
    Ok(tx.run(&REMOVE_WAITING, &values![tenant, kid, now]).await? == 1)
}

/// Removes a key whose time to retire has come; `false` when it has not.
pub async fn remove_retired(tx: &mut WriteTx, tenant: TenantId, kid: &str, now: Timestamp) -> Outcome<bool> {
    Ok(tx.run(&REMOVE, &values![tenant, kid, now]).await? == 1)
}
