//! The audit log: one entry for each act, written in the transaction of the act (security.md N5).

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO audit_entry (tenant_id, key, at, actor, action, target_kind, target_id,
                  correlation_id, detail)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    LIST = "SELECT key, at, actor, action, target_kind, target_id, correlation_id, detail FROM audit_entry
            WHERE tenant_id = $1 AND (CAST($2 AS TEXT) IS NULL OR key < $2) ORDER BY key DESC LIMIT $3";
}

/// An entry of the audit log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryRow {
    /// The internal key, in time order.
    pub key: String,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// What it was done to: the kind of thing.
    pub target_kind: String,
    /// What it was done to: its id.
    pub target_id: String,
    /// The request that it was done by.
    pub correlation_id: String,
    /// Anything else, as JSON.
    pub detail: String,
}

fn read(row: &Row) -> Outcome<EntryRow> {
    Ok(EntryRow {
        key: row.get(0)?,
        at: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        target_kind: row.get(4)?,
        target_id: row.get(5)?,
        correlation_id: row.get(6)?,
        detail: row.get(7)?,
    })
}

/// Adds an entry.
pub async fn insert(tx: &mut WriteTx, tenant: TenantId, entry: &EntryRow) -> Outcome<()> {
    let row = values![
        tenant,
        &entry.key,
        entry.at,
        &entry.actor,
        &entry.action,
        &entry.target_kind,
        &entry.target_id,
        &entry.correlation_id,
        &entry.detail,
    ];
    tx.run(&INSERT, &row).await.map(drop)
}

/// A page of entries, newest first; the next page ends before the last key.
pub async fn list(
    tx: &mut ReadTx,
    tenant: TenantId,
    before_key: Option<&str>,
    limit: u32,
) -> Outcome<Vec<EntryRow>> {
    tx.all(&LIST, &values![tenant, before_key, limit]).await?.iter().map(read).collect()
}
