//! The inbox of a development server: mail that goes nowhere and can be read in a browser.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO inbox_message (tenant_id, key, recipient, subject, text, html, headers, received_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
              ON CONFLICT (tenant_id, key) DO NOTHING";
    LIST = "SELECT tenant_id, key, recipient, subject, text, html, headers, received_at FROM inbox_message
            ORDER BY key DESC LIMIT $1";
    FIND = "SELECT tenant_id, key, recipient, subject, text, html, headers, received_at FROM inbox_message
            WHERE tenant_id = $1 AND key = $2";
    CLEAR = "DELETE FROM inbox_message";
}

/// A message in the inbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageRow {
    /// Whose mail it is.
    pub tenant: TenantId,
    /// The internal key, in time order: the one it had in the outbox.
    pub key: String,
    /// The address it was sent to.
    pub recipient: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// All headers, as JSON.
    pub headers: String,
    /// When it came.
    pub received_at: Timestamp,
}

fn read(row: &Row) -> Outcome<MessageRow> {
    Ok(MessageRow {
        tenant: row.get(0)?,
        key: row.get(1)?,
        recipient: row.get(2)?,
        subject: row.get(3)?,
        text: row.get(4)?,
        html: row.get(5)?,
        headers: row.get(6)?,
        received_at: row.get(7)?,
    })
}

/// Adds a message; the second delivery of one mail changes nothing.
pub async fn insert(tx: &mut WriteTx, message: &MessageRow) -> Outcome<()> {
    let row = values![
        message.tenant,
        &message.key,
        &message.recipient,
        &message.subject,
        &message.text,
        &message.html,
        &message.headers,
        message.received_at,
    ];
    tx.run(&INSERT, &row).await.map(drop)
}

/// The newest messages of all tenants, newest first.
pub async fn list(tx: &mut ReadTx, limit: u32) -> Outcome<Vec<MessageRow>> {
    tx.all(&LIST, &values![limit]).await?.iter().map(read).collect()
}

/// One message.
pub async fn find(tx: &mut ReadTx, tenant: TenantId, key: &str) -> Outcome<Option<MessageRow>> {
    tx.one(&FIND, &values![tenant, key]).await?.as_ref().map(read).transpose()
}

/// Empties the inbox; says how many messages there were.
pub async fn clear(tx: &mut WriteTx) -> Outcome<u64> {
    tx.run(&CLEAR, &[]).await
}
