//! Apps that are still to be told that a session ended. The rows come into being where grants are revoked
//! ([`crate::grants::revoke_families_of_session`], [`crate::grants::revoke_families_of_user`]); a worker claims them for
//! a while, as it does mail.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, SessionId, TenantId, UserId};
use vestibule_rules::time::{Span, Timestamp};

use crate::db::{Row, WriteTx};
use crate::{statements, values};

statements! {
    CLAIM = "UPDATE logout_notice SET claimed_until = $2, attempts = attempts + 1
             WHERE (tenant_id, sid, client_id) IN (
                 SELECT tenant_id, sid, client_id FROM logout_notice
                 WHERE next_attempt_at <= $1 AND (claimed_until IS NULL OR claimed_until <= $1)
                 ORDER BY next_attempt_at LIMIT $3)
               AND next_attempt_at <= $1 AND (claimed_until IS NULL OR claimed_until <= $1)
             RETURNING tenant_id, sid, client_id, user_id, issuer, created_at, attempts";
    REMOVE = "DELETE FROM logout_notice
              WHERE tenant_id = $1 AND sid = $2 AND client_id = $3 AND attempts = $4";
    RETRY = "UPDATE logout_notice SET next_attempt_at = $5, claimed_until = NULL
             WHERE tenant_id = $1 AND sid = $2 AND client_id = $3 AND attempts = $4";
}

/// A notice that the caller may deliver until its lease runs out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Whose application it is.
    pub tenant: TenantId,
    /// The session that ended.
    pub sid: SessionId,
    /// The application that is told.
    pub client_id: ClientId,
    /// Whose session it was.
    pub user_id: UserId,
    /// The issuer whose tokens the application got.
    pub issuer: String,
    /// When the session ended.
    pub created_at: Timestamp,
    /// Which attempt this is, counted from 1. It is also the fencing token of the claim.
    pub attempts: i64,
}

fn read(row: &Row) -> Outcome<Notice> {
    Ok(Notice {
        tenant: row.get(0)?,
        sid: row.get(1)?,
        client_id: row.get(2)?,
        user_id: row.get(3)?,
        issuer: row.get(4)?,
        created_at: row.get(5)?,
        attempts: row.get(6)?,
    })
}

/// Claims at most `limit` notices that are due, of all tenants, for the span of `lease`.
pub async fn claim(tx: &mut WriteTx, now: Timestamp, lease: Span, limit: u32) -> Outcome<Vec<Notice>> {
    tx.all(&CLAIM, &values![now, now + lease, limit]).await?.iter().map(read).collect()
}

/// Removes a notice that was delivered or given up; `false` when another worker holds it by now.
pub async fn remove(tx: &mut WriteTx, notice: &Notice) -> Outcome<bool> {
    let key = values![notice.tenant, notice.sid, notice.client_id, notice.attempts];
    Ok(tx.run(&REMOVE, &key).await? == 1)
}

/// Gives a notice back for another attempt at `next`; `false` when another worker holds it by now.
pub async fn retry_later(tx: &mut WriteTx, notice: &Notice, next: Timestamp) -> Outcome<bool> {
    let row = values![notice.tenant, notice.sid, notice.client_id, notice.attempts, next];
    Ok(tx.run(&RETRY, &row).await? == 1)
}
