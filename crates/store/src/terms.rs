//! What people accepted: one row for each document and act. A row is never changed but for its withdrawal,
//! and never removed.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{FlowId, TenantId, UserId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO terms_acceptance (tenant_id, key, user_id, flow_id, flow_version, document, version,
                  language, digest, accepted_at, source_address, correlation_id)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    LIST_BY_USER = "SELECT a.key, a.user_id, a.flow_id, a.flow_version, a.document, a.version, a.language,
                        a.digest, a.accepted_at, a.source_address, a.correlation_id, a.withdrawn_at,
                        a.withdrawn_by
                    FROM terms_acceptance AS a WHERE a.tenant_id = $1 AND a.user_id = $2 ORDER BY a.key";
    PAGE = "SELECT a.key, a.user_id, a.flow_id, a.flow_version, a.document, a.version, a.language, a.digest,
                a.accepted_at, a.source_address, a.correlation_id, a.withdrawn_at, a.withdrawn_by, u.upn, u.mail
            FROM terms_acceptance AS a
            LEFT JOIN user_account AS u ON u.tenant_id = a.tenant_id AND u.id = a.user_id
            WHERE a.tenant_id = $1 AND a.key > $2 ORDER BY a.key LIMIT $3";
    WITHDRAW = "UPDATE terms_acceptance SET withdrawn_at = $5, withdrawn_by = $6
                WHERE tenant_id = $1 AND user_id = $2 AND flow_id = $3 AND document = $4
                  AND withdrawn_at IS NULL";
}

/// One act of accepting one document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AcceptanceRow {
    /// Its place in time order.
    pub key: String,
    /// Who accepted.
    pub user_id: UserId,
    /// The flow that asked.
    pub flow_id: FlowId,
    /// The version of the flow, which holds the words.
    pub flow_version: i64,
    /// The document's id in the flow.
    pub document: String,
    /// The document's version.
    pub version: String,
    /// The language in which it was shown, as a BCP 47 tag.
    pub language: String,
    /// SHA-256 of what was shown, in hexadecimal.
    pub digest: String,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The network address that the request came from.
    pub source_address: String,
    /// The request.
    pub correlation_id: String,
    /// When it was withdrawn; nothing while it holds.
    pub withdrawn_at: Option<Timestamp>,
    /// Who withdrew it.
    pub withdrawn_by: Option<String>,
}

/// An act with the names of the account, if it is still known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedAcceptance {
    /// The act.
    pub row: AcceptanceRow,
    /// The account's user principal name.
    pub upn: Option<String>,
    /// The account's mail address.
    pub mail: Option<String>,
}

/// Adds an act. A key that exists is a conflict about `terms_acceptance.key`.
pub async fn insert(tx: &mut WriteTx, tenant: TenantId, row: &AcceptanceRow) -> Outcome<()> {
    let values = values![
        tenant,
        &row.key,
        row.user_id,
        &row.flow_id,
        row.flow_version,
        &row.document,
        &row.version,
        &row.language,
        &row.digest,
        row.accepted_at,
        &row.source_address,
        &row.correlation_id,
    ];
    tx.run(&INSERT, &values).await.map(drop)
}

/// Everything that somebody accepted, in the order in which they did, withdrawn or not.
pub async fn list_by_user(tx: &mut ReadTx, tenant: TenantId, user: UserId) -> Outcome<Vec<AcceptanceRow>> {
    tx.all(&LIST_BY_USER, &values![tenant, user]).await?.iter().map(read).collect()
}

/// A page of all acts of a tenant in time order. The next page begins after the last key; the first one after
/// the empty text.
pub async fn page(
    tx: &mut ReadTx,
    tenant: TenantId,
    after_key: &str,
    limit: u32,
) -> Outcome<Vec<NamedAcceptance>> {
    let rows = tx.all(&PAGE, &values![tenant, after_key, limit]).await?;
    let named = |row: &Row| Ok(NamedAcceptance { row: read(row)?, upn: row.get(13)?, mail: row.get(14)? });
    rows.iter().map(named).collect()
}

/// Withdraws what somebody accepted of one document, in every version; how many acts that were.
pub async fn withdraw(
    tx: &mut WriteTx,
    tenant: TenantId,
    (user, flow, document): (UserId, &FlowId, &str),
    (at, by): (Timestamp, &str),
) -> Outcome<u64> {
    tx.run(&WITHDRAW, &values![tenant, user, flow, document, at, by]).await
}

fn read(row: &Row) -> Outcome<AcceptanceRow> {
    Ok(AcceptanceRow {
        key: row.get(0)?,
        user_id: row.get(1)?,
        flow_id: row.get(2)?,
        flow_version: row.get(3)?,
        document: row.get(4)?,
        version: row.get(5)?,
        language: row.get(6)?,
        digest: row.get(7)?,
        accepted_at: row.get(8)?,
        source_address: row.get(9)?,
        correlation_id: row.get(10)?,
        withdrawn_at: row.get(11)?,
        withdrawn_by: row.get(12)?,
    })
}
