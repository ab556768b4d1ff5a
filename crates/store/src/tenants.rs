//! Tenants and the names they answer to.

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO tenant (id, kind, short_name, display_name, doc, config_version, created_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
    HEADS = "SELECT id, config_version FROM tenant ORDER BY id";
    FIND = "SELECT id, kind, short_name, display_name, doc, config_version, created_at FROM tenant WHERE id = $1";
    LIST = "SELECT id, kind, short_name, display_name, doc, config_version, created_at FROM tenant ORDER BY id";
    UPDATE = "UPDATE tenant SET doc = $3, display_name = $4, config_version = config_version + 1
              WHERE id = $1 AND config_version = $2";
    ADVANCE = "UPDATE tenant SET config_version = config_version + 1 WHERE id = $1
               RETURNING config_version";
    NAMES = "SELECT name_key FROM tenant_name WHERE tenant_id = $1 ORDER BY name_key";
    ALL_NAMES = "SELECT name_key, tenant_id FROM tenant_name ORDER BY name_key";
    FIND_BY_NAME = "SELECT tenant_id FROM tenant_name WHERE name_key = $1";
    DROP_NAMES = "DELETE FROM tenant_name WHERE tenant_id = $1";
    ADD_NAME = "INSERT INTO tenant_name (name_key, tenant_id) VALUES ($1, $2)";
}

/// A tenant as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TenantRow {
    /// The tenant's id (`tid`).
    pub id: TenantId,
    /// Workforce or external, as the rules call it.
    pub kind: String,
    /// The short name in paths.
    pub short_name: String,
    /// The name people read.
    pub display_name: String,
    /// Everything else, as JSON.
    pub doc: String,
    /// Counts the changes of the tenant's configuration.
    pub config_version: i64,
    /// When the tenant was made.
    pub created_at: Timestamp,
}

fn read(row: &Row) -> Outcome<TenantRow> {
    Ok(TenantRow {
        id: row.get(0)?,
        kind: row.get(1)?,
        short_name: row.get(2)?,
        display_name: row.get(3)?,
        doc: row.get(4)?,
        config_version: row.get(5)?,
        created_at: row.get(6)?,
    })
}

/// Adds a tenant. Its names are added by [`set_names`].
pub async fn insert(tx: &mut WriteTx, tenant: &TenantRow) -> Outcome<()> {
    let row = values![
        tenant.id,
        &tenant.kind,
        &tenant.short_name,
        &tenant.display_name,
        &tenant.doc,
        tenant.config_version,
        tenant.created_at,
    ];
    tx.run(&INSERT, &row).await.map(drop)
}

/// The configuration version of every tenant: what a snapshot compares itself with.
pub async fn list_heads(tx: &mut ReadTx) -> Outcome<Vec<(TenantId, i64)>> {
    tx.all(&HEADS, &[]).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The tenant with this id.
pub async fn find(tx: &mut ReadTx, id: TenantId) -> Outcome<Option<TenantRow>> {
    tx.one(&FIND, &values![id]).await?.as_ref().map(read).transpose()
}

/// Every tenant.
pub async fn list(tx: &mut ReadTx) -> Outcome<Vec<TenantRow>> {
    tx.all(&LIST, &[]).await?.iter().map(read).collect()
}

/// Replaces document and display name, if the configuration still has the version that the caller read.
/// Returns the new version.
pub async fn update(
    tx: &mut WriteTx,
    id: TenantId,
    expected: i64,
    doc: &str,
    display_name: &str,
) -> Outcome<i64> {
    match tx.run(&UPDATE, &values![id, expected, doc, display_name]).await? {
        0 => {
            Err(Fault::stale(format!("tenant {id} is not at configuration version {expected}"))
                .about("tenant"))
        }
        _ => Ok(expected + 1),
    }
}

/// Moves the configuration version because an object of the tenant changed. Returns the new version.
pub async fn advance(tx: &mut WriteTx, id: TenantId) -> Outcome<i64> {
    match tx.one(&ADVANCE, &values![id]).await? {
        Some(row) => row.get(0),
        None => Err(Fault::missing("tenant", format!("tenant {id} does not exist"))),
    }
}

/// The names that a tenant answers to.
pub async fn names(tx: &mut ReadTx, id: TenantId) -> Outcome<Vec<String>> {
    tx.all(&NAMES, &values![id]).await?.iter().map(|row| row.get(0)).collect()
}

/// Every name of every tenant.
pub async fn all_names(tx: &mut ReadTx) -> Outcome<Vec<(String, TenantId)>> {
    tx.all(&ALL_NAMES, &[]).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The tenant that answers to a folded name.
pub async fn find_by_name(tx: &mut ReadTx, name_key: &str) -> Outcome<Option<TenantId>> {
    tx.one(&FIND_BY_NAME, &values![name_key]).await?.map(|row| row.get(0)).transpose()
}

/// Replaces the names of a tenant. A name of another tenant is a conflict about `tenant_name.name_key`.
pub async fn set_names(tx: &mut WriteTx, id: TenantId, name_keys: &[String]) -> Outcome<()> {
    tx.run(&DROP_NAMES, &values![id]).await?;
    for name_key in name_keys {
        tx.run(&ADD_NAME, &values![name_key, id]).await?;
    }
    Ok(())
}
