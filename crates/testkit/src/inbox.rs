//! Mail that goes nowhere and can be waited for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_service::ports::mailer::{Mail, MailFault, Mailer};

/// How long a mail may take. It is far more than a healthy machine needs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Every mail that was sent. Clones share it.
#[derive(Clone, Default)]
pub struct Inbox {
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    waiting: Mutex<Vec<Mail>>,
    arrived: Notify,
}

impl Inbox {
    /// Takes the oldest unread mail to an address; waits until there is one.
    pub async fn await_mail(&self, to: &str) -> Outcome<Mail> {
        let wait = async {
            loop {
                // Asked for before looking, so that a mail in between is not missed.
                let arrived = self.kept.arrived.notified();
                if let Some(mail) = self.take(to) {
                    return mail;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.map_err(|_| Fault::ours(format!("no mail to {to} came")))
    }

    /// Takes the one-time code out of the oldest unread mail to an address: eight digits in a row.
    pub async fn await_code(&self, to: &str) -> Outcome<String> {
        let mail = self.await_mail(to).await?;
        code_in(&mail.text).ok_or_else(|| Fault::ours(format!("the mail “{}” has no code", mail.subject)))
    }

    /// Recipients of mails that nobody has read; a test ends with none.
    pub fn unread(&self) -> Vec<String> {
        self.lock().iter().map(|mail| mail.to.as_string()).collect()
    }

    fn take(&self, to: &str) -> Option<Mail> {
        let mut waiting = self.lock();
        let at = waiting.iter().position(|mail| mail.to.as_string().eq_ignore_ascii_case(to))?;
        Some(waiting.remove(at))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Mail>> {
        self.kept.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn code_in(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 8).map(str::to_owned)
}

#[async_trait]
impl Mailer for Inbox {
    async fn send(&self, mail: &Mail, _: &str) -> Result<(), MailFault> {
        self.lock().push(mail.clone());
        self.kept.arrived.notify_waiters();
        Ok(())
    }
}
