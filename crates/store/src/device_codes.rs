//! Device codes: a row from the moment a device asks for one until the device has its tokens, or nobody came.
//!
//! Both codes are stored as digests. Each step is a guarded update: of any number of browsers one decides, and of any
//! number of requests one gets the tokens.

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, DeviceId, GrantId, TenantId};
use vestibule_rules::oauth::device::Status;
use vestibule_rules::time::{Span, Timestamp};

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO device_code (tenant_id, digest, id, user_code_digest, client_id, scope, issuer, source,
                  status, browser_digest, grant_id, poll_interval, polled_at, created_at, expires_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    FIND = "SELECT digest, id, user_code_digest, client_id, scope, issuer, source, status, browser_digest,
                grant_id, poll_interval, polled_at, created_at, expires_at
            FROM device_code WHERE tenant_id = $1 AND digest = $2";
    FIND_BY_ID = "SELECT digest, id, user_code_digest, client_id, scope, issuer, source, status, browser_digest,
                      grant_id, poll_interval, polled_at, created_at, expires_at
                  FROM device_code WHERE tenant_id = $1 AND id = $2";
    TAKE = "UPDATE device_code SET browser_digest = $4
            WHERE tenant_id = $1 AND user_code_digest = $2 AND issuer = $3 AND status = 'waiting'
              AND expires_at > $5
            RETURNING digest, id, user_code_digest, client_id, scope, issuer, source, status, browser_digest,
                grant_id, poll_interval, polled_at, created_at, expires_at";
    SETTLE = "UPDATE device_code SET status = $4, grant_id = $5
              WHERE tenant_id = $1 AND id = $2 AND browser_digest = $3 AND status = 'waiting' AND expires_at > $6";
    POLLED = "UPDATE device_code SET polled_at = $3, poll_interval = $4
              WHERE tenant_id = $1 AND digest = $2 AND status = 'waiting'";
    REDEEM = "UPDATE device_code SET status = 'redeemed'
              WHERE tenant_id = $1 AND digest = $2 AND status = 'approved' AND expires_at > $3";
    REMOVE_EXPIRED = "DELETE FROM device_code WHERE (tenant_id, digest) IN (
                          SELECT tenant_id, digest FROM device_code WHERE expires_at <= $1
                          ORDER BY expires_at LIMIT $2)
                      AND expires_at <= $1";
}

/// A device code as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceCodeRow {
    /// Digest of the code that the device keeps.
    pub digest: Vec<u8>,
    /// The id in addresses of our pages; no secret.
    pub id: DeviceId,
    /// Keyed digest of the code that a person types.
    pub user_code_digest: Vec<u8>,
    /// The application that asked.
    pub client_id: ClientId,
    /// The scope, separated by spaces.
    pub scope: String,
    /// The issuer that was asked.
    pub issuer: String,
    /// The address that the device asked from.
    pub source: String,
    /// How far it is.
    pub status: Status,
    /// Digest of the secret of the browser that typed the code last.
    pub browser_digest: Option<Vec<u8>>,
    /// The grant that somebody gave.
    pub grant_id: Option<GrantId>,
    /// How long the device has to wait between two questions.
    pub interval: Span,
    /// When it asked last.
    pub polled_at: Option<Timestamp>,
    /// When it asked for the code.
    pub created_at: Timestamp,
    /// When the code dies.
    pub expires_at: Timestamp,
}

fn read(row: &Row) -> Outcome<DeviceCodeRow> {
    let status: String = row.get(7)?;
    Ok(DeviceCodeRow {
        digest: row.get(0)?,
        id: row.get(1)?,
        user_code_digest: row.get(2)?,
        client_id: row.get(3)?,
        scope: row.get(4)?,
        issuer: row.get(5)?,
        source: row.get(6)?,
        status: Status::parse(&status)
            .ok_or_else(|| Fault::ours(format!("device_code.status: {status} is none")))?,
        browser_digest: row.get(8)?,
        grant_id: row.get(9)?,
        interval: Span::seconds(row.get(10)?),
        polled_at: row.get(11)?,
        created_at: row.get(12)?,
        expires_at: row.get(13)?,
    })
}

/// Adds a code. `Conflict` when another device has the same one to show.
pub async fn insert(tx: &mut WriteTx, tenant: TenantId, code: &DeviceCodeRow) -> Outcome<()> {
    let row = values![
        tenant,
        &code.digest,
        code.id,
        &code.user_code_digest,
        code.client_id,
        &code.scope,
        &code.issuer,
        &code.source,
        code.status.as_str(),
        code.browser_digest.as_deref(),
        code.grant_id,
        code.interval.as_seconds(),
        code.polled_at,
        code.created_at,
        code.expires_at,
    ];
    tx.run(&INSERT, &row).await.map(drop)
}

/// The code that a device shows to the token endpoint, whatever became of it.
pub async fn find(tx: &mut ReadTx, tenant: TenantId, digest: &[u8]) -> Outcome<Option<DeviceCodeRow>> {
    tx.one(&FIND, &values![tenant, digest]).await?.as_ref().map(read).transpose()
}

/// The code with this id, whatever became of it.
pub async fn find_by_id(tx: &mut ReadTx, tenant: TenantId, id: DeviceId) -> Outcome<Option<DeviceCodeRow>> {
    tx.one(&FIND_BY_ID, &values![tenant, id]).await?.as_ref().map(read).transpose()
}

/// Gives the code that somebody typed to their browser, if a device of this issuer waits with it. The browser that
/// typed it last has it: who begins on the phone may go on at the desk.
pub async fn take(
    tx: &mut WriteTx,
    tenant: TenantId,
    (user_code_digest, issuer): (&[u8], &str),
    browser_digest: &[u8],
    now: Timestamp,
) -> Outcome<Option<DeviceCodeRow>> {
    let row = values![tenant, user_code_digest, issuer, browser_digest, now];
    tx.one(&TAKE, &row).await?.as_ref().map(read).transpose()
}

/// Decides about a code in the browser that has it. `false` when it has been decided, or another browser has it, or
/// its time is over.
pub async fn settle(
    tx: &mut WriteTx,
    tenant: TenantId,
    (id, browser_digest): (DeviceId, &[u8]),
    (status, grant): (Status, Option<GrantId>),
    now: Timestamp,
) -> Outcome<bool> {
    let row = values![tenant, id, browser_digest, status.as_str(), grant, now];
    Ok(tx.run(&SETTLE, &row).await? == 1)
}

/// Notes that a device asked, and how long it has to wait from now on.
pub async fn polled(
    tx: &mut WriteTx,
    tenant: TenantId,
    digest: &[u8],
    (now, interval): (Timestamp, Span),
) -> Outcome<()> {
    tx.run(&POLLED, &values![tenant, digest, now, interval.as_seconds()]).await.map(drop)
}

/// Consumes an approved code. `false` means that somebody else had done so before.
pub async fn redeem(tx: &mut WriteTx, tenant: TenantId, digest: &[u8], now: Timestamp) -> Outcome<bool> {
    Ok(tx.run(&REDEEM, &values![tenant, digest, now]).await? == 1)
}

/// Removes at most `limit` codes that died before `before`, oldest first; says how many. Housekeeping, all tenants.
pub async fn remove_expired(tx: &mut WriteTx, before: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_EXPIRED, &values![before, limit]).await
}
