//! The life of a flow: what it was configured as at every published change, and the draft of what it is to
//! become. A revision never changes; a flow has at most one draft.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{FlowId, TenantId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO user_flow_revision (tenant_id, flow_id, revision, flow_version, doc, actor,
                  correlation_id, note, created_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    NEWEST = "SELECT MAX(revision) FROM user_flow_revision WHERE tenant_id = $1 AND flow_id = $2";
    FIND = "SELECT flow_id, revision, flow_version, doc, actor, correlation_id, note, created_at
            FROM user_flow_revision WHERE tenant_id = $1 AND flow_id = $2 AND revision = $3";
    LIST = "SELECT flow_id, revision, flow_version, doc, actor, correlation_id, note, created_at
            FROM user_flow_revision WHERE tenant_id = $1 AND flow_id = $2 ORDER BY revision DESC";
    PUT_DRAFT = "INSERT INTO user_flow_draft (tenant_id, flow_id, doc, base_revision, actor, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (tenant_id, flow_id) DO UPDATE
                 SET doc = excluded.doc, base_revision = excluded.base_revision, actor = excluded.actor,
                     created_at = excluded.created_at";
    DRAFTS = "SELECT flow_id, doc, base_revision, actor, created_at FROM user_flow_draft
              WHERE tenant_id = $1 ORDER BY flow_id";
    REMOVE_DRAFT = "DELETE FROM user_flow_draft WHERE tenant_id = $1 AND flow_id = $2 AND doc = $3";
}

/// One published change of a flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevisionRow {
    /// The flow.
    pub flow_id: FlowId,
    /// Counts the changes of the flow, from 1.
    pub revision: i64,
    /// The version of the resolved flow that new journeys ran from then on.
    pub flow_version: i64,
    /// The flow as it was configured, as JSON; nothing when it was removed.
    pub doc: Option<String>,
    /// Who changed it.
    pub actor: String,
    /// The request or command that it was changed by.
    pub correlation_id: String,
    /// What the author said about it.
    pub note: Option<String>,
    /// When it was changed.
    pub created_at: Timestamp,
}

/// What a flow is to become.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DraftRow {
    /// The flow.
    pub flow_id: FlowId,
    /// The flow as it is to be configured, as JSON.
    pub doc: String,
    /// The revision that was published when the draft was made; 0 for a flow that was not there.
    pub base_revision: i64,
    /// Who made it.
    pub actor: String,
    /// When it was made.
    pub created_at: Timestamp,
}

fn read(row: &Row) -> Outcome<RevisionRow> {
    Ok(RevisionRow {
        flow_id: row.get(0)?,
        revision: row.get(1)?,
        flow_version: row.get(2)?,
        doc: row.get(3)?,
        actor: row.get(4)?,
        correlation_id: row.get(5)?,
        note: row.get(6)?,
        created_at: row.get(7)?,
    })
}

fn read_draft(row: &Row) -> Outcome<DraftRow> {
    Ok(DraftRow {
        flow_id: row.get(0)?,
        doc: row.get(1)?,
        base_revision: row.get(2)?,
        actor: row.get(3)?,
        created_at: row.get(4)?,
    })
}

/// Adds a revision. One that exists is a conflict about `user_flow_revision.revision`.
pub async fn insert(tx: &mut WriteTx, tenant: TenantId, revision: &RevisionRow) -> Outcome<()> {
    let row = values![
        tenant,
        &revision.flow_id,
        revision.revision,
        revision.flow_version,
        revision.doc.as_deref(),
        &revision.actor,
        &revision.correlation_id,
        revision.note.as_deref(),
        revision.created_at,
    ];
    tx.run(&INSERT, &row).await.map(drop)
}

/// The number of the newest revision of a flow; 0 when there is none.
pub async fn newest(tx: &mut ReadTx, tenant: TenantId, flow: &FlowId) -> Outcome<i64> {
    let Some(row) = tx.one(&NEWEST, &values![tenant, flow]).await? else { return Ok(0) };
    Ok(row.get::<Option<i64>>(0)?.unwrap_or(0))
}

/// One revision.
pub async fn find(
    tx: &mut ReadTx,
    tenant: TenantId,
    flow: &FlowId,
    revision: i64,
) -> Outcome<Option<RevisionRow>> {
    tx.one(&FIND, &values![tenant, flow, revision]).await?.as_ref().map(read).transpose()
}

/// Every revision of a flow, newest first.
pub async fn list(tx: &mut ReadTx, tenant: TenantId, flow: &FlowId) -> Outcome<Vec<RevisionRow>> {
    tx.all(&LIST, &values![tenant, flow]).await?.iter().map(read).collect()
}

/// Adds the draft of a flow, or replaces it.
pub async fn put_draft(tx: &mut WriteTx, tenant: TenantId, draft: &DraftRow) -> Outcome<()> {
    let row =
        values![tenant, &draft.flow_id, &draft.doc, draft.base_revision, &draft.actor, draft.created_at,];
    tx.run(&PUT_DRAFT, &row).await.map(drop)
}

/// Every draft of a tenant.
pub async fn drafts(tx: &mut ReadTx, tenant: TenantId) -> Outcome<Vec<DraftRow>> {
    tx.all(&DRAFTS, &values![tenant]).await?.iter().map(read_draft).collect()
}

/// Removes the draft that the caller read; `false` when it was removed or made anew meanwhile.
pub async fn remove_draft(tx: &mut WriteTx, tenant: TenantId, draft: &DraftRow) -> Outcome<bool> {
    Ok(tx.run(&REMOVE_DRAFT, &values![tenant, &draft.flow_id, &draft.doc]).await? == 1)
}
