//! What identity providers keep of sessions: their own name of the session, and sealed tokens.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{SessionId, TenantId, UserId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    PUT = "INSERT INTO provider_session (tenant_id, sid, provider, provider_sid, sealed, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (tenant_id, sid) DO UPDATE SET provider = excluded.provider,
               provider_sid = excluded.provider_sid, sealed = excluded.sealed, expires_at = excluded.expires_at";
    FIND = "SELECT sid, provider, provider_sid, sealed, expires_at FROM provider_session
            WHERE tenant_id = $1 AND sid = $2";
    LIST_BY_PROVIDER_SID = "SELECT DISTINCT p.sid FROM provider_session AS p
                            JOIN session AS s ON s.tenant_id = p.tenant_id AND s.sid = p.sid
                            WHERE p.tenant_id = $1 AND p.provider = $2 AND p.provider_sid = $3
                              AND s.revoked_at IS NULL AND s.auth_time <= $4
                            ORDER BY p.sid";
    LIST_BY_USER = "SELECT DISTINCT sid FROM session
                    WHERE tenant_id = $1 AND user_id = $2 AND provider = $3 AND revoked_at IS NULL
                      AND auth_time <= $4
                    ORDER BY sid";
    RESEAL = "UPDATE provider_session SET sealed = $4 WHERE tenant_id = $1 AND sid = $2 AND sealed = $3";
    REMOVE = "DELETE FROM provider_session WHERE tenant_id = $1 AND sid = $2";
    REMOVE_EXPIRED = "DELETE FROM provider_session WHERE (tenant_id, sid) IN (
                          SELECT tenant_id, sid FROM provider_session WHERE expires_at <= $1
                          ORDER BY expires_at LIMIT $2)
                      AND expires_at <= $1";
}

/// What a provider keeps of one session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderSessionRow {
    /// Our session.
    pub sid: SessionId,
    /// The provider's id in the tenant.
    pub provider: String,
    /// The provider's name of its session.
    pub provider_sid: Option<String>,
    /// Tokens, sealed.
    pub sealed: Option<Vec<u8>>,
    /// When the session dies.
    pub expires_at: Timestamp,
}

fn read(row: &Row) -> Outcome<ProviderSessionRow> {
    Ok(ProviderSessionRow {
        sid: row.get(0)?,
        provider: row.get(1)?,
        provider_sid: row.get(2)?,
        sealed: row.get(3)?,
        expires_at: row.get(4)?,
    })
}

/// Writes what is kept of a session, in place of what was.
pub async fn put(tx: &mut WriteTx, tenant: TenantId, row: &ProviderSessionRow) -> Outcome<()> {
    let values = values![
        tenant,
        row.sid,
        &row.provider,
        row.provider_sid.as_deref(),
        row.sealed.as_deref(),
        row.expires_at,
    ];
    tx.run(&PUT, &values).await.map(drop)
}

/// What is kept of a session.
pub async fn find(tx: &mut ReadTx, tenant: TenantId, sid: SessionId) -> Outcome<Option<ProviderSessionRow>> {
    tx.one(&FIND, &values![tenant, sid]).await?.as_ref().map(read).transpose()
}

/// Our living sessions behind a session of the provider that began until `began_by`.
pub async fn list_by_provider_sid(
    tx: &mut ReadTx,
    tenant: TenantId,
    (provider, provider_sid): (&str, &str),
    began_by: Timestamp,
) -> Outcome<Vec<SessionId>> {
    let rows = tx.all(&LIST_BY_PROVIDER_SID, &values![tenant, provider, provider_sid, began_by]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The living sessions of a user who signed in at the provider until `began_by`.
pub async fn list_by_user(
    tx: &mut ReadTx,
    tenant: TenantId,
    (provider, user): (&str, UserId),
    began_by: Timestamp,
) -> Outcome<Vec<SessionId>> {
    let rows = tx.all(&LIST_BY_USER, &values![tenant, user, provider, began_by]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Replaces sealed tokens by newer ones; `false` when somebody else did meanwhile, or the session has ended.
pub async fn reseal(
    tx: &mut WriteTx,
    tenant: TenantId,
    sid: SessionId,
    (old, new): (&[u8], &[u8]),
) -> Outcome<bool> {
    Ok(tx.run(&RESEAL, &values![tenant, sid, old, new]).await? == 1)
}

/// Forgets what is kept of a session.
pub async fn remove(tx: &mut WriteTx, tenant: TenantId, sid: SessionId) -> Outcome<()> {
    tx.run(&REMOVE, &values![tenant, sid]).await.map(drop)
}

/// Removes at most `limit` rows of sessions that died before `before`, oldest first; says how many.
/// Housekeeping, all tenants.
pub async fn remove_expired(tx: &mut WriteTx, before: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_EXPIRED, &values![before, limit]).await
}
