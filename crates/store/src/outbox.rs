//! Mail on its way. A row is written in the transaction of the act that calls for it, and a worker claims it
//! for a while, sends it and says so. The claim is a guarded update that repeats its guard, so two workers
//! never hold one mail; whoever comes back after the lease has run out finds the mail no longer theirs.

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::{Span, Timestamp};

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO outbox_mail (tenant_id, key, recipient_key, sealed, created_at, next_attempt_at,
                  attempts)
              VALUES ($1, $2, $3, $4, $5, $6, 0)";
    // Only the first mail of a recipient is offered: their order is kept.
    CLAIM = "UPDATE outbox_mail SET claimed_until = $2, attempts = attempts + 1
             WHERE (tenant_id, key) IN (
                 SELECT o.tenant_id, o.key FROM outbox_mail AS o
                 WHERE o.done_at IS NULL AND o.failed_at IS NULL AND o.next_attempt_at <= $1
                   AND (o.claimed_until IS NULL OR o.claimed_until <= $1)
                   AND NOT EXISTS (
                       SELECT 1 FROM outbox_mail AS earlier
                       WHERE earlier.tenant_id = o.tenant_id AND earlier.recipient_key = o.recipient_key
                         AND earlier.key < o.key
                         AND earlier.done_at IS NULL AND earlier.failed_at IS NULL)
                 ORDER BY o.next_attempt_at, o.key LIMIT $3)
               AND done_at IS NULL AND failed_at IS NULL AND next_attempt_at <= $1
               AND (claimed_until IS NULL OR claimed_until <= $1)
             RETURNING tenant_id, key, recipient_key, sealed, created_at, attempts";
    DONE = "UPDATE outbox_mail SET done_at = $4, claimed_until = NULL, last_error = NULL
            WHERE tenant_id = $1 AND key = $2 AND attempts = $3 AND done_at IS NULL AND failed_at IS NULL";
    RETRY = "UPDATE outbox_mail SET next_attempt_at = $4, claimed_until = NULL, last_error = $5
             WHERE tenant_id = $1 AND key = $2 AND attempts = $3 AND done_at IS NULL AND failed_at IS NULL";
    PARK = "UPDATE outbox_mail SET failed_at = $4, claimed_until = NULL, last_error = $5
            WHERE tenant_id = $1 AND key = $2 AND attempts = $3 AND done_at IS NULL AND failed_at IS NULL";
    NEXT_DUE = "SELECT MIN(next_attempt_at) FROM outbox_mail WHERE done_at IS NULL AND failed_at IS NULL";
    FAILED = "SELECT tenant_id, key, created_at, attempts, failed_at, last_error FROM outbox_mail
              WHERE tenant_id = $1 AND failed_at IS NOT NULL ORDER BY key LIMIT $2";
    REMOVE_DONE = "DELETE FROM outbox_mail WHERE (tenant_id, key) IN (
                       SELECT tenant_id, key FROM outbox_mail WHERE done_at <= $1 LIMIT $2)
                   AND done_at <= $1";
}

/// A mail to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct MailRow {
    /// The internal key, in time order; the Message-ID is made from it.
    pub key: String,
    /// What stands for the recipient: mails with the same one are sent in order.
    pub recipient_key: String,
    /// The mail, sealed: it holds an address and a code.
    pub sealed: Vec<u8>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it may be sent.
    pub next_attempt_at: Timestamp,
}

/// A mail that the caller may send until its lease runs out.
#[derive(Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Whose mail it is.
    pub tenant: TenantId,
    /// See [`MailRow::key`].
    pub key: String,
    /// See [`MailRow::recipient_key`].
    pub recipient_key: String,
    /// See [`MailRow::sealed`].
    pub sealed: Vec<u8>,
    /// See [`MailRow::created_at`].
    pub created_at: Timestamp,
    /// Which attempt this is, counted from 1. It is also the fencing token of the claim.
    pub attempts: i64,
}

/// A mail that was given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parked {
    /// See [`MailRow::key`].
    pub key: String,
    /// See [`MailRow::created_at`].
    pub created_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was given up.
    pub failed_at: Timestamp,
    /// Why.
    pub last_error: Option<String>,
}

fn read(row: &Row) -> Outcome<Claimed> {
    Ok(Claimed {
        tenant: row.get(0)?,
        key: row.get(1)?,
        recipient_key: row.get(2)?,
        sealed: row.get(3)?,
        created_at: row.get(4)?,
        attempts: row.get(5)?,
    })
}

fn read_parked(row: &Row) -> Outcome<Parked> {
    Ok(Parked {
        key: row.get(1)?,
        created_at: row.get(2)?,
        attempts: row.get(3)?,
        failed_at: row.get(4)?,
        last_error: row.get(5)?,
    })
}

/// Adds a mail.
pub async fn insert(tx: &mut WriteTx, tenant: TenantId, mail: &MailRow) -> Outcome<()> {
    let row =
        values![tenant, &mail.key, &mail.recipient_key, &mail.sealed, mail.created_at, mail.next_attempt_at,];
    tx.run(&INSERT, &row).await.map(drop)
}

/// Claims at most `limit` mails that are due, of all tenants, for the span of `lease`; oldest first.
pub async fn claim(tx: &mut WriteTx, now: Timestamp, lease: Span, limit: u32) -> Outcome<Vec<Claimed>> {
    let rows = tx.all(&CLAIM, &values![now, now + lease, limit]).await?;
    let mut claimed: Vec<Claimed> = rows.iter().map(read).collect::<Outcome<_>>()?;
    claimed.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(claimed)
}

/// Notes that a mail was handed over. `Stale` when the claim had been lost to another worker.
pub async fn done(tx: &mut WriteTx, claimed: &Claimed, now: Timestamp) -> Outcome<()> {
    let row = values![claimed.tenant, &claimed.key, claimed.attempts, now];
    still_mine(tx.run(&DONE, &row).await?, claimed)
}

/// Gives a mail back for another attempt at `next`.
pub async fn retry_later(tx: &mut WriteTx, claimed: &Claimed, next: Timestamp, error: &str) -> Outcome<()> {
    let row = values![claimed.tenant, &claimed.key, claimed.attempts, next, error];
    still_mine(tx.run(&RETRY, &row).await?, claimed)
}

/// Gives a mail up. It stays, for an administrator to see, and holds up nobody.
pub async fn park(tx: &mut WriteTx, claimed: &Claimed, now: Timestamp, error: &str) -> Outcome<()> {
    let row = values![claimed.tenant, &claimed.key, claimed.attempts, now, error];
    still_mine(tx.run(&PARK, &row).await?, claimed)
}

/// When the next mail may be due; `None` when nothing waits.
pub async fn next_due(tx: &mut ReadTx) -> Outcome<Option<Timestamp>> {
    tx.one(&NEXT_DUE, &[]).await?.map_or(Ok(None), |row| row.get(0))
}

/// The mails of a tenant that were given up.
pub async fn list_parked(tx: &mut ReadTx, tenant: TenantId, limit: u32) -> Outcome<Vec<Parked>> {
    tx.all(&FAILED, &values![tenant, limit]).await?.iter().map(read_parked).collect()
}

/// Removes at most `limit` mails that were sent before `before`; says how many. Housekeeping.
pub async fn remove_done(tx: &mut WriteTx, before: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_DONE, &values![before, limit]).await
}

fn still_mine(changed: u64, claimed: &Claimed) -> Outcome<()> {
    if changed == 1 {
        return Ok(());
    }
    let detail = format!("mail {} is no longer claimed by attempt {}", claimed.key, claimed.attempts);
    Err(Fault::stale(detail).about("outbox_mail"))
}
