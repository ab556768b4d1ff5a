//! Sign-in sessions, found by the digest of their cookie.
//!
//! A browser may have several accounts and still has one cookie: its digest leads to the session that is in use, and
//! the browser's id from there to the others, whose digests are of values that nobody has.

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{BrowserId, SessionId, TenantId, UserId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO session (tenant_id, digest, sid, user_id, auth_time, amr, provider, persistent,
                  created_at, expires_at, last_seen_at, revoked_at, browser_id)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    FIND = "SELECT sid, user_id, digest, auth_time, amr, provider, persistent, created_at, expires_at,
                last_seen_at, revoked_at, browser_id
            FROM session WHERE tenant_id = $1 AND digest = $2";
    LIST_BY_SID = "SELECT sid, user_id, digest, auth_time, amr, provider, persistent, created_at, expires_at,
                       last_seen_at, revoked_at, browser_id
                   FROM session WHERE tenant_id = $1 AND sid = $2 ORDER BY created_at, digest";
    LIST_BY_BROWSER = "SELECT sid, user_id, digest, auth_time, amr, provider, persistent, created_at, expires_at,
                           last_seen_at, revoked_at, browser_id
                       FROM session WHERE tenant_id = $1 AND browser_id = $2 AND revoked_at IS NULL
                       ORDER BY last_seen_at DESC, digest";
    LEAVE = "UPDATE session SET revoked_at = COALESCE(revoked_at, $3), browser_id = NULL
             WHERE tenant_id = $1 AND digest = $2";
    MOVE = "UPDATE session SET digest = $3 WHERE tenant_id = $1 AND digest = $2";
    JOIN = "UPDATE session SET browser_id = $3
            WHERE tenant_id = $1 AND digest = $2 AND browser_id IS NULL";
    REVOKE = "UPDATE session SET revoked_at = $3 WHERE tenant_id = $1 AND digest = $2 AND revoked_at IS NULL";
    REVOKE_SID = "UPDATE session SET revoked_at = $3 WHERE tenant_id = $1 AND sid = $2 AND revoked_at IS NULL";
    REVOKE_USER = "UPDATE session SET revoked_at = $3
                   WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL";
    TOUCH = "UPDATE session SET last_seen_at = $3, expires_at = $4
             WHERE tenant_id = $1 AND digest = $2 AND revoked_at IS NULL";
    REMOVE_EXPIRED = "DELETE FROM session WHERE (tenant_id, digest) IN (
                          SELECT tenant_id, digest FROM session WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
                      AND expires_at <= $1";
}

/// A session as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// The session as applications see it. It outlives the cookie when a sign-in is repeated.
    pub sid: SessionId,
    /// Who signed in.
    pub user_id: UserId,
    /// Digest of the cookie.
    pub digest: Vec<u8>,
    /// When the person last proved who they are.
    pub auth_time: Timestamp,
    /// How (RFC 8176), as the rules write it.
    pub amr: String,
    /// The identity provider, when it was one.
    pub provider: Option<String>,
    /// Whether the cookie outlives the browser.
    pub persistent: bool,
    /// When it began.
    pub created_at: Timestamp,
    /// When it dies.
    pub expires_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
    /// The browser that it is in, beside those of other accounts.
    pub browser_id: Option<BrowserId>,
}

fn read(row: &Row) -> Outcome<SessionRow> {
    Ok(SessionRow {
        sid: row.get(0)?,
        user_id: row.get(1)?,
        digest: row.get(2)?,
        auth_time: row.get(3)?,
        amr: row.get(4)?,
        provider: row.get(5)?,
        persistent: row.get(6)?,
        created_at: row.get(7)?,
        expires_at: row.get(8)?,
        last_seen_at: row.get(9)?,
        revoked_at: row.get(10)?,
        browser_id: row.get(11)?,
    })
}

/// Adds a session.
pub async fn insert(tx: &mut WriteTx, tenant: TenantId, session: &SessionRow) -> Outcome<()> {
    let row = values![
        tenant,
        &session.digest,
        session.sid,
        session.user_id,
        session.auth_time,
        &session.amr,
        session.provider.as_deref(),
        session.persistent,
        session.created_at,
        session.expires_at,
        session.last_seen_at,
        session.revoked_at,
        session.browser_id,
    ];
    tx.run(&INSERT, &row).await.map(drop)
}

/// The session of a cookie, ended or not.
pub async fn find(tx: &mut ReadTx, tenant: TenantId, digest: &[u8]) -> Outcome<Option<SessionRow>> {
    tx.one(&FIND, &values![tenant, digest]).await?.as_ref().map(read).transpose()
}

/// Every cookie that a session had.
pub async fn list_by_sid(tx: &mut ReadTx, tenant: TenantId, sid: SessionId) -> Outcome<Vec<SessionRow>> {
    tx.all(&LIST_BY_SID, &values![tenant, sid]).await?.iter().map(read).collect()
}

/// The sessions of a browser that have not been ended, the one that was used last first.
pub async fn list_by_browser(
    tx: &mut ReadTx,
    tenant: TenantId,
    browser: BrowserId,
) -> Outcome<Vec<SessionRow>> {
    tx.all(&LIST_BY_BROWSER, &values![tenant, browser]).await?.iter().map(read).collect()
}

/// Ends the session of a cookie and takes it out of its browser: the cookie leads to nobody there any more. `false`
/// when there is no such session.
pub async fn leave(tx: &mut WriteTx, tenant: TenantId, digest: &[u8], at: Timestamp) -> Outcome<bool> {
    Ok(tx.run(&LEAVE, &values![tenant, digest, at]).await? == 1)
}

/// Gives a session another cookie, ended or not; `false` when it has another one already.
pub async fn replace_cookie(tx: &mut WriteTx, tenant: TenantId, (old, new): (&[u8], &[u8])) -> Outcome<bool> {
    Ok(tx.run(&MOVE, &values![tenant, old, new]).await? == 1)
}

/// Puts a session that is in no browser yet into one; `false` when it is in one.
pub async fn join(tx: &mut WriteTx, tenant: TenantId, digest: &[u8], browser: BrowserId) -> Outcome<bool> {
    Ok(tx.run(&JOIN, &values![tenant, digest, browser]).await? == 1)
}

/// Ends the session of a cookie; `false` when it had ended, or never was.
pub async fn revoke(tx: &mut WriteTx, tenant: TenantId, digest: &[u8], at: Timestamp) -> Outcome<bool> {
    Ok(tx.run(&REVOKE, &values![tenant, digest, at]).await? == 1)
}

/// Ends a session by its id; says how many cookies that ended.
pub async fn revoke_sid(tx: &mut WriteTx, tenant: TenantId, sid: SessionId, at: Timestamp) -> Outcome<u64> {
    tx.run(&REVOKE_SID, &values![tenant, sid, at]).await
}

/// Ends every session of a user; says how many.
pub async fn revoke_for_user(
    tx: &mut WriteTx,
    tenant: TenantId,
    user: UserId,
    at: Timestamp,
) -> Outcome<u64> {
    tx.run(&REVOKE_USER, &values![tenant, user, at]).await
}

/// Notes that a session was used and when it dies now. `Missing` when it has ended meanwhile.
pub async fn touch(
    tx: &mut WriteTx,
    tenant: TenantId,
    digest: &[u8],
    seen_at: Timestamp,
    expires_at: Timestamp,
) -> Outcome<()> {
    match tx.run(&TOUCH, &values![tenant, digest, seen_at, expires_at]).await? {
        0 => Err(Fault::missing("session", "the session has ended")),
        _ => Ok(()),
    }
}

/// Removes at most `limit` sessions that died before `before`, oldest first; says how many. Housekeeping, all
/// tenants.
pub async fn remove_expired(tx: &mut WriteTx, before: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_EXPIRED, &values![before, limit]).await
}
