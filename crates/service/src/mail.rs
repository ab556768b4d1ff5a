//! Letters: what is written to whom, the outbox they wait in, and their delivery.
//!
//! A letter is put into the outbox in the transaction that makes it necessary and leaves by a job: a crash
//! can neither lose one that was promised nor send one for an act that was rolled back (security.md N6).

use serde::{Deserialize, Serialize};
use vestibule_crypto::digest;
use vestibule_rules::directory::address::Address;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::TenantId;
use vestibule_rules::journey::question::Purpose;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::inbox::MessageRow;
use vestibule_store::outbox::{self, Claimed, MailRow};

use crate::env::{Env, Site};
use crate::ports::mailer::{Mail, MailFault, Mailer};

/// Tries after which a letter is set aside.
const TRIES: i64 = 10;
/// How long a worker may take before another one takes over.
const LEASE: Span = Span::seconds(45);
const FIRST_WAIT: Span = Span::seconds(5);
const LONGEST_WAIT: Span = Span::hours(1);
const BATCH: u32 = 64;
/// Mails that the development inbox shows.
const INBOX_SHOWN: u32 = 500;

/// What is said in a mail. The words are the web layer's.
#[derive(Clone, PartialEq, Eq)]
pub enum Letter {
    /// A one-time code.
    Code { tenant: String, code: String, purpose: Purpose, minutes: u32, address: String },
    /// Somebody asked for a code, and there is no account that it could be for.
    NoAccount { tenant: String, address: String, purpose: Purpose },
    /// Somebody who is too young to sign up alone says that the reader is their guardian.
    Guardian { tenant: String, visitor: String, link: String, days: i64, address: String },
    /// The password was replaced.
    PasswordChanged { tenant: String, address: String },
    /// A provider leads to the account from now on.
    IdentityLinked { tenant: String, address: String, provider: String },
}

/// A letter in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Written {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Puts letters into words.
pub trait LetterWriter: Send + Sync {
    /// Writes a letter in a language, given as a BCP 47 tag.
    fn write(&self, letter: &Letter, locale: &str) -> Outcome<Written>;
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    to: String,
    #[serde(flatten)]
    written: Written,
}

/// The row of a letter to one address.
pub fn prepare(
    site: &Site,
    tenant: TenantId,
    to: &Address,
    letter: &Letter,
    now: Timestamp,
) -> Outcome<MailRow> {
    let written = site.letters.write(letter, "en")?;
    let env = &site.env;
    let key = env.order_key(now);
    let plain = serde_json::to_vec(&Sealed { to: to.as_string(), written }).map_err(unreadable)?;
    let sealed = env.sealing.seal(&place(tenant, &key), &plain)?;
    let recipient_key = digest::base64url(&digest::hmac_sha256(&env.derived.code, to.key().as_bytes()));
    Ok(MailRow { key, recipient_key, sealed, created_at: now, next_attempt_at: now })
}

/// Hands over what is due; whether there may be more.
pub async fn deliver(site: &Site, mailer: &dyn Mailer) -> Outcome<bool> {
    let now = site.env.now();
    let claimed = site
        .env
        .db
        .write(move |tx| Box::pin(async move { outbox::claim(tx, now, LEASE, BATCH).await }))
        .await?;
    let more = !claimed.is_empty();
    let sent = futures_util::future::join_all(claimed.iter().map(|mail| send(&site.env, mailer, mail))).await;
    let results: Vec<(Claimed, Result<(), MailFault>)> = claimed.into_iter().zip(sent).collect();
    if !results.is_empty() {
        let results = std::sync::Arc::new(results);
        site.env
            .db
            .write(move |tx| {
                let results = std::sync::Arc::clone(&results);
                Box::pin(async move {
                    for (mail, result) in results.iter() {
                        let noted = match result {
                            Ok(()) => outbox::done(tx, mail, now).await,
                            Err(MailFault::Temporary(why)) if mail.attempts < TRIES => {
                                outbox::retry_later(tx, mail, now + wait(mail.attempts), why).await
                            }
                            Err(MailFault::Temporary(why) | MailFault::Permanent(why)) => {
                                outbox::park(tx, mail, now, why).await
                            }
                        };
                        match noted {
                            // Another worker has this one by now. The others of the batch are noted all the
                            // same, or every one of them would be sent once more.
                            Err(fault) if fault.kind == Kind::Stale => {
                                tracing::warn!(key = %mail.key, "a mail took longer than its lease");
                            }
                            noted => noted?,
                        }
                    }
                    Ok(())
                })
            })
            .await?;
    }
    Ok(more)
}

async fn send(env: &Env, mailer: &dyn Mailer, claimed: &Claimed) -> Result<(), MailFault> {
    let mail = open(env, claimed).map_err(|fault| MailFault::Permanent(fault.to_string()))?;
    let domain = mail.to.domain().to_owned();
    // The key is random enough to be unique and the same on every try.
    let result = mailer.send(&mail, &format!("<{}.{}@{domain}>", claimed.key, claimed.tenant.simple())).await;
    if let Err(fault) = &result {
        tracing::warn!(tenant = %claimed.tenant, key = %claimed.key, attempts = claimed.attempts, %fault, "a mail did not leave");
    }
    result
}

fn open(env: &Env, claimed: &Claimed) -> Outcome<Mail> {
    let plain = env.sealing.open(&place(claimed.tenant, &claimed.key), &claimed.sealed)?;
    let sealed: Sealed = serde_json::from_slice(&plain).map_err(unreadable)?;
    let to = Address::parse(&sealed.to).map_err(|e| Fault::ours(e.to_string()))?;
    let Written { subject, text, html } = sealed.written;
    Ok(Mail { from: None, to, subject, text, html, headers: Vec::new() })
}

fn wait(attempts: i64) -> Span {
    let doubled = FIRST_WAIT.0.saturating_mul(1_i64 << attempts.clamp(0, 20));
    Span(doubled.min(LONGEST_WAIT.0))
}

/// Everything that the development inbox received, newest first.
pub async fn inbox(site: &Site) -> Outcome<Vec<MessageRow>> {
    vestibule_store::inbox::list(&mut site.env.db.read().await?, INBOX_SHOWN).await
}

fn place(tenant: TenantId, key: &str) -> String {
    format!("outbox_mail|{tenant}|{key}|sealed")
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn unreadable(error: serde_json::Error) -> Fault {
    Fault::ours(format!("outbox_mail: {error}"))
}
