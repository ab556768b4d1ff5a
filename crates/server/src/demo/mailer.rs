//! The demo's post office: every letter lands in the dev inbox and goes nowhere else.

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;
use vestibule_rules::ids::TenantId;
use vestibule_service::ports::clock::Clock;
use vestibule_service::ports::mailer::{Mail, MailFault, Mailer};
use vestibule_store::Db;
use vestibule_store::inbox::{self, MessageRow};

/// Writes letters into the inbox.
pub(super) struct InboxMailer {
    db: Db,
    clock: Arc<dyn Clock>,
}

impl InboxMailer {
    /// An inbox in this database.
    pub(super) fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }
}

#[async_trait]
impl Mailer for InboxMailer {
    async fn send(&self, mail: &Mail, message_id: &str) -> Result<(), MailFault> {
        let (tenant, key) = origin(message_id);
        let broken = |error: &dyn std::fmt::Display| MailFault::Temporary(error.to_string());
        let message = MessageRow {
            tenant,
            key,
            recipient: mail.to.as_string(),
            subject: mail.subject.clone(),
            text: mail.text.clone(),
            html: mail.html.clone(),
            headers: serde_json::to_string(&mail.headers).map_err(|error| broken(&error))?,
            received_at: self.clock.now(),
        };
        let written = self.db.write(move |tx| {
            let message = message.clone();
            Box::pin(async move { inbox::insert(tx, &message).await })
        });
        written.await.map_err(|fault| broken(&fault))
    }
}

/// Tenant and key of a letter, from its id `<key.tenant@domain>`. The key is the one that it had in the
/// outbox, so a second delivery of one letter changes nothing.
fn origin(message_id: &str) -> (TenantId, String) {
    let unique = message_id.trim_matches(['<', '>']).split('@').next().unwrap_or_default();
    let (key, tenant) = unique.rsplit_once('.').unwrap_or((unique, ""));
    (TenantId::from_uuid(Uuid::try_parse(tenant).unwrap_or_default()), key.to_owned())
}
