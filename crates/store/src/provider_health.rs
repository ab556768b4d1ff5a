//! How sign-ins by identity providers went lately: one row for each provider, kept as long as the provider is
//! configured.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ProviderId, TenantId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

// Several nodes tell what they saw, in any order: the later instant stands. Nothing is kept of a provider that was
// removed meanwhile.
statements! {
    NOTE = "INSERT INTO provider_health AS h (tenant_id, provider_id, last_success_at, last_failure_at, last_error,
                failures)
            SELECT o.tenant_id, o.id, CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS TEXT), CAST($6 AS BIGINT)
            FROM configuration_object AS o
            WHERE o.tenant_id = $1 AND o.kind = 'identity_provider' AND o.id = $2
            ON CONFLICT (tenant_id, provider_id) DO UPDATE SET
                last_success_at = CASE
                    WHEN excluded.last_success_at IS NULL OR h.last_success_at >= excluded.last_success_at
                    THEN h.last_success_at ELSE excluded.last_success_at END,
                last_error = CASE
                    WHEN excluded.last_failure_at IS NULL OR h.last_failure_at > excluded.last_failure_at
                    THEN h.last_error ELSE excluded.last_error END,
                last_failure_at = CASE
                    WHEN excluded.last_failure_at IS NULL OR h.last_failure_at > excluded.last_failure_at
                    THEN h.last_failure_at ELSE excluded.last_failure_at END,
                failures = CASE
                    WHEN excluded.last_success_at IS NULL THEN h.failures ELSE 0 END + excluded.failures";
    LIST = "SELECT tenant_id, provider_id, last_success_at, last_failure_at, last_error, failures
            FROM provider_health WHERE CAST($1 AS TEXT) IS NULL OR tenant_id = $1
            ORDER BY tenant_id, provider_id";
    REMOVE = "DELETE FROM provider_health WHERE tenant_id = $1 AND provider_id = $2";
}

/// How sign-ins by a provider went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HealthRow {
    /// Whose provider it is.
    pub tenant: TenantId,
    /// The provider.
    pub provider: ProviderId,
    /// When somebody came back from it well.
    pub last_success_at: Option<Timestamp>,
    /// When it failed.
    pub last_failure_at: Option<Timestamp>,
    /// What was wrong then.
    pub last_error: Option<String>,
    /// How often it failed since the last success.
    pub failures: i64,
}

fn read(row: &Row) -> Outcome<HealthRow> {
    Ok(HealthRow {
        tenant: row.get(0)?,
        provider: row.get(1)?,
        last_success_at: row.get(2)?,
        last_failure_at: row.get(3)?,
        last_error: row.get(4)?,
        failures: row.get(5)?,
    })
}

/// Lays what one node saw over what is known: its `failures` are those since its `last_success_at`, or those that
/// nobody has told yet when it saw no success. Does nothing when the provider is not configured any more.
pub async fn note(tx: &mut WriteTx, seen: &HealthRow) -> Outcome<()> {
    let row = values![
        seen.tenant,
        &seen.provider,
        seen.last_success_at,
        seen.last_failure_at,
        seen.last_error.as_deref(),
        seen.failures,
    ];
    tx.run(&NOTE, &row).await.map(drop)
}

/// What is known of the providers of one tenant, or of all.
pub async fn list(tx: &mut ReadTx, of: Option<TenantId>) -> Outcome<Vec<HealthRow>> {
    tx.all(&LIST, &values![of]).await?.iter().map(read).collect()
}

/// Forgets a provider; `false` when nothing was known.
pub async fn remove(tx: &mut WriteTx, tenant: TenantId, provider: &ProviderId) -> Outcome<bool> {
    Ok(tx.run(&REMOVE, &values![tenant, provider]).await? == 1)
}
