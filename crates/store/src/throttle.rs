//! Throttles: a fixed window for each bucket, counted by one atomic statement.
//!
//! What is spent in a transaction that then fails is given back. Count in a transaction of its own whatever
//! must stay counted when the attempt fails.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::{Span, Timestamp};

use crate::db::{ReadTx, WriteTx};
use crate::{statements, values};

statements! {
    SPEND = "INSERT INTO throttle (tenant_id, bucket, window_start, spent) VALUES ($1, $2, $3, 1)
             ON CONFLICT (tenant_id, bucket) DO UPDATE
             SET spent = CASE WHEN throttle.window_start <= $4 THEN 1 ELSE throttle.spent + 1 END,
                 window_start = CASE WHEN throttle.window_start <= $4 THEN excluded.window_start
                                     ELSE throttle.window_start END
             WHERE throttle.window_start <= $4 OR throttle.spent < $5
             RETURNING spent";
    PEEK = "SELECT window_start, spent FROM throttle WHERE tenant_id = $1 AND bucket = $2";
    GIVE_BACK = "UPDATE throttle SET spent = spent - 1 WHERE tenant_id = $1 AND bucket = $2 AND spent > 0";
    RESET = "DELETE FROM throttle WHERE tenant_id = $1 AND bucket = $2";
    REMOVE_OLD = "DELETE FROM throttle WHERE (tenant_id, bucket) IN (
                      SELECT tenant_id, bucket FROM throttle WHERE window_start <= $1 LIMIT $2)
                  AND window_start <= $1";
}

/// A bucket with its rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bucket<'a> {
    /// What is counted, such as `password:<user id>`. No personal data: digest it first.
    pub name: &'a str,
    /// How long a window is. It begins with the first attempt.
    pub window: Span,
    /// How many attempts a window allows.
    pub limit: i64,
}

/// Counts one attempt. `Err` says how long to wait when the window's attempts are spent; such an attempt is
/// not counted, so waiting always helps.
pub async fn spend(
    tx: &mut WriteTx,
    tenant: TenantId,
    bucket: &Bucket<'_>,
    now: Timestamp,
) -> Outcome<Result<(), Span>> {
    if bucket.limit < 1 {
        return Ok(Err(bucket.window));
    }
    let row = values![tenant, bucket.name, now, now - bucket.window, bucket.limit];
    if tx.one(&SPEND, &row).await?.is_some() {
        return Ok(Ok(()));
    }
    let start = match tx.one(&PEEK, &values![tenant, bucket.name]).await? {
        Some(row) => row.get(0)?,
        None => now,
    };
    let left = (start + bucket.window).since(now);
    // Another node's clock may be ahead; nobody waits for longer than a window because of that.
    Ok(Err(left.clamp(Span::seconds(1), bucket.window.max(Span::seconds(1)))))
}

/// How many attempts the current window has seen.
pub async fn peek(tx: &mut ReadTx, tenant: TenantId, bucket: &Bucket<'_>, now: Timestamp) -> Outcome<i64> {
    let Some(row) = tx.one(&PEEK, &values![tenant, bucket.name]).await? else { return Ok(0) };
    let start: Timestamp = row.get(0)?;
    if start <= now - bucket.window { Ok(0) } else { row.get(1) }
}

/// How long to wait when a bucket's attempts are spent. Nothing is counted.
pub async fn wait(
    tx: &mut ReadTx,
    tenant: TenantId,
    bucket: &Bucket<'_>,
    now: Timestamp,
) -> Outcome<Option<Span>> {
    let Some(row) = tx.one(&PEEK, &values![tenant, bucket.name]).await? else { return Ok(None) };
    let (start, spent): (Timestamp, i64) = (row.get(0)?, row.get(1)?);
    let left = (start + bucket.window).since(now);
    let waits = left > Span::default() && spent >= bucket.limit;
    Ok(waits.then(|| left.clamp(Span::seconds(1), bucket.window.max(Span::seconds(1)))))
}

/// Gives one attempt back that turned out not to count. The others stay counted.
pub async fn give_back(tx: &mut WriteTx, tenant: TenantId, bucket: &str) -> Outcome<()> {
    tx.run(&GIVE_BACK, &values![tenant, bucket]).await.map(drop)
}

/// Forgets what was spent, after a success.
pub async fn reset(tx: &mut WriteTx, tenant: TenantId, bucket: &str) -> Outcome<()> {
    tx.run(&RESET, &values![tenant, bucket]).await.map(drop)
}

/// Removes at most `limit` buckets whose window began before `before`; says how many. Housekeeping.
pub async fn remove_old(tx: &mut WriteTx, before: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_OLD, &values![before, limit]).await
}
