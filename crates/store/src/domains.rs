//! What the DNS said of domains that providers are to have.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    PUT = "INSERT INTO domain_proof (tenant_id, domain, proven_at, seen_at, checked_at, problem)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (tenant_id, domain) DO UPDATE SET
               proven_at = COALESCE(domain_proof.proven_at, excluded.proven_at),
               seen_at = COALESCE(excluded.seen_at, domain_proof.seen_at),
               checked_at = excluded.checked_at, problem = excluded.problem";
    FIND = "SELECT domain, proven_at, seen_at, checked_at, problem FROM domain_proof
            WHERE tenant_id = $1 AND domain = $2";
    LIST = "SELECT domain, proven_at, seen_at, checked_at, problem FROM domain_proof
            WHERE tenant_id = $1 ORDER BY domain";
    REMOVE = "DELETE FROM domain_proof WHERE tenant_id = $1 AND domain = $2";
}

/// What is known of one domain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DomainProofRow {
    /// In the form in which domains are compared.
    pub domain: String,
    /// When the record was seen first.
    pub proven_at: Option<Timestamp>,
    /// When the record was seen last.
    pub seen_at: Option<Timestamp>,
    /// When it was looked for last.
    pub checked_at: Timestamp,
    /// Why it was not seen then.
    pub problem: Option<String>,
}

fn read(row: &Row) -> Outcome<DomainProofRow> {
    Ok(DomainProofRow {
        domain: row.get(0)?,
        proven_at: row.get(1)?,
        seen_at: row.get(2)?,
        checked_at: row.get(3)?,
        problem: row.get(4)?,
    })
}

/// Writes down what was seen. When nothing was, the time when something was last stays.
pub async fn put(tx: &mut WriteTx, tenant: TenantId, row: &DomainProofRow) -> Outcome<()> {
    let values =
        values![tenant, &row.domain, row.proven_at, row.seen_at, row.checked_at, row.problem.as_deref(),];
    tx.run(&PUT, &values).await.map(drop)
}

/// What is known of a domain.
pub async fn find(tx: &mut ReadTx, tenant: TenantId, domain: &str) -> Outcome<Option<DomainProofRow>> {
    tx.one(&FIND, &values![tenant, domain]).await?.as_ref().map(read).transpose()
}

/// What is known of every domain of a tenant.
pub async fn list(tx: &mut ReadTx, tenant: TenantId) -> Outcome<Vec<DomainProofRow>> {
    tx.all(&LIST, &values![tenant]).await?.iter().map(read).collect()
}

/// Forgets a domain.
pub async fn remove(tx: &mut WriteTx, tenant: TenantId, domain: &str) -> Outcome<()> {
    tx.run(&REMOVE, &values![tenant, domain]).await.map(drop)
}
