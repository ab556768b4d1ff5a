//! A world in memory that answers the engine's questions: a directory, mailboxes and passwords. What it
//! decides, it decides by the same functions as the server.

use std::collections::BTreeMap;

use serde_json::Value;
use vestibule_crypto::{digest, otp};
use vestibule_rules::directory::address::Address;
use vestibule_rules::directory::terms::Agreement;
use vestibule_rules::directory::user::{ObjectIdentity, User, UserType};
use vestibule_rules::ids::UserId;
use vestibule_rules::journey::draft::Draft;
use vestibule_rules::journey::engine::{self, CODE_LIFETIME, Next, Rejected, Turn};
use vestibule_rules::journey::facts::{Account, Facts, Federated};
use vestibule_rules::journey::flow::Flow;
use vestibule_rules::journey::question::{Answer, Question};
use vestibule_rules::text::{Message, Secret};
use vestibule_rules::time::Timestamp;

use crate::env::CodeLimits;
use crate::journey::guardian::GUARDIAN_LIFETIME;
use crate::journey::rulings;

/// Codes and subjects are derived with it; it protects nothing.
const KEY: [u8; 32] = [7; 32];

/// When every journey in memory begins.
pub(crate) const BEGIN: Timestamp = Timestamp::from_seconds(1_795_000_000);

/// Everything around one journey.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    domain: String,
    holders: Vec<Holder>,
    /// The account that this journey created.
    pub(crate) created: Option<UserId>,
    mailbox: Vec<Mail>,
    /// What was accepted, by whom.
    accepted: Vec<(UserId, Agreement)>,
    /// Passwords by the number that stands for their hash: hashing takes longer than everything else here.
    passwords: Vec<Secret<String>>,
    drawn: u128,
}

/// An account with its password.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) user: User,
    pub(crate) password: Option<Secret<String>>,
}

/// An account that is to exist before a journey begins.
#[derive(Clone, Debug)]
pub(crate) struct Resident {
    pub(crate) mail: String,
    pub(crate) password: Option<Secret<String>>,
    /// Issuer and subject at providers. Without them and without a password it signs in by code.
    pub(crate) identities: Vec<(String, String)>,
    pub(crate) user_type: UserType,
    pub(crate) enabled: bool,
    pub(crate) display_name: Option<String>,
    /// By id.
    pub(crate) attributes: BTreeMap<String, Value>,
}

/// A mail with a code.
#[derive(Clone, Debug)]
struct Mail {
    digest: String,
    code: String,
}

impl World {
    /// An empty directory; `domain` is the tenant's default one.
    pub(crate) fn new(domain: &str) -> Self {
        Self { domain: domain.to_owned(), ..Self::default() }
    }

    /// Puts an account into the directory, with the identities that its own sign-up would have given it.
    pub(crate) fn settle(&mut self, resident: Resident) -> UserId {
        let id = UserId::from_random(self.draw());
        let identity = |kind: &str, issuer: &str, assigned: &str| ObjectIdentity {
            sign_in_type: kind.to_owned(),
            issuer: issuer.to_owned(),
            issuer_assigned_id: assigned.to_owned(),
        };
        let Resident { mail, password, .. } = &resident;
        let local = password.is_some().then(|| identity(ObjectIdentity::EMAIL_ADDRESS, &self.domain, mail));
        let federated = resident
            .identities
            .iter()
            .map(|(issuer, subject)| identity(ObjectIdentity::FEDERATED, issuer, subject));
        let mut identities: Vec<ObjectIdentity> = local.into_iter().chain(federated).collect();
        if identities.is_empty() {
            identities.push(identity(ObjectIdentity::FEDERATED, ObjectIdentity::MAIL_ISSUER, mail));
        }
        let user = User {
            id,
            user_type: resident.user_type,
            creation_type: None,
            external_user_state: None,
            account_enabled: resident.enabled,
            user_principal_name: format!("{id}@{}", self.domain),
            display_name: resident.display_name,
            mail: Some(resident.mail),
            identities,
            attributes: resident.attributes,
            created_at: BEGIN,
            sessions_valid_from: BEGIN,
            deleted_at: None,
            revision: 1,
        };
        self.holders.push(Holder { user, password: resident.password });
        id
    }

    /// Answers question after question until something is shown.
    pub(crate) fn follow(&mut self, flow: &Flow, mut turn: Turn, now: Timestamp) -> Result<Facts, Rejected> {
        loop {
            match turn.next {
                Next::Show(_) => return Ok(turn.facts),
                Next::Ask(question) => {
                    let answer = self.answer(&question, now);
                    turn = engine::answer(flow, turn.facts, &question, answer)?;
                }
            }
        }
    }

    /// Answers as the server would with no limit reached.
    fn answer(&mut self, question: &Question, now: Timestamp) -> Answer {
        match question {
            Question::FindAccount { address } => Answer::Account(self.by_address(address)),
            // What a file says of its domains is taken for proven: there is no DNS in a test of a flow.
            Question::FindDomain { .. } => Answer::Domain(true),
            Question::FindIdentity { issuer, subject, address } => Answer::Identity {
                by_identity: self.by_identity(issuer, subject).map(of),
                by_address: address.as_deref().and_then(|address| self.by_address(address)),
            },
            Question::SendCode { decoy, sent, .. } => self.send(*decoy, *sent, now),
            Question::CompareCode { typed, digest, superseded } => {
                Answer::CodeCompared(rulings::compare(&code_digest(typed), digest, superseded))
            }
            Question::CheckPassword { user, password, .. } => {
                let holder = self.holders.iter().find(|h| Some(h.user.id) == *user);
                Answer::PasswordChecked(holder.is_some_and(|h| h.password.as_ref() == Some(password)))
            }
            Question::HashPassword { password } => {
                self.passwords.push(password.clone());
                Answer::PasswordHashed((self.passwords.len() - 1).to_string())
            }
            Question::CreateAccount { draft } => self.create(draft, now),
            Question::SetPassword { user, phc } => {
                let password = self.unhashed(phc);
                for holder in self.holders.iter_mut().filter(|h| h.user.id == *user) {
                    holder.password.clone_from(&password);
                }
                Answer::PasswordSet
            }
            Question::Review { user } => Answer::Reviewed(Box::new(
                self.holder(*user)
                    .map(|holder| rulings::review(&holder.user, self.accepted(*user)))
                    .unwrap_or_default(),
            )),
            Question::UpdateAccount { user, attributes, terms } => {
                self.accepted.extend(terms.iter().map(|agreement| (*user, agreement.clone())));
                for holder in self.holders.iter_mut().filter(|h| h.user.id == *user) {
                    rulings::add_attributes(&mut holder.user, attributes);
                }
                Answer::Updated
            }
            Question::LinkIdentity { user, federated } => self.link(*user, federated),
            Question::TakeClaims { user, values } => {
                for holder in self.holders.iter_mut().filter(|h| h.user.id == *user) {
                    let changed = rulings::claims_to_take(&holder.user, values);
                    rulings::add_attributes(&mut holder.user, &changed);
                }
                Answer::ClaimsTaken
            }
            Question::AskGuardian { sent, .. } => Answer::GuardianAsked {
                expires_at: now + GUARDIAN_LIFETIME,
                resend_at: now + rulings::resend_wait(CodeLimits::default().resend_after, *sent),
            },
            // Only the guardian can say so, in a browser of their own.
            Question::Guardian { .. } => Answer::GuardianRefused,
            // The visitor carries that answer; whoever has none cannot be helped by the directory.
            Question::Federation { .. } => {
                Answer::FederationFailed { message: Message::new("refused-provider-failed"), code: 0 }
            }
        }
    }

    fn link(&mut self, user: UserId, federated: &Federated) -> Answer {
        if self.by_identity(&federated.issuer, &federated.subject).is_some() {
            return Answer::Linked(false);
        }
        for holder in self.holders.iter_mut().filter(|h| h.user.id == user) {
            holder.user.identities.push(rulings::identity_at(federated));
        }
        Answer::Linked(true)
    }

    /// 16 bytes that differ each time and are the same in every run.
    fn draw(&mut self) -> [u8; 16] {
        self.drawn += 1;
        let hash = digest::sha256(&self.drawn.to_be_bytes());
        hash.first_chunk().copied().unwrap_or_default()
    }

    /// The newest code that was sent.
    pub(crate) fn newest_code(&self) -> Option<&str> {
        self.mailbox.last().map(|mail| mail.code.as_str())
    }

    /// A code with one of these digests.
    pub(crate) fn code_among(&self, digests: &[String]) -> Option<&str> {
        self.mailbox.iter().find(|mail| digests.contains(&mail.digest)).map(|mail| mail.code.as_str())
    }

    /// A code that was never sent.
    pub(crate) fn wrong_code(&self) -> String {
        let sent = |code: &String| self.mailbox.iter().any(|mail| mail.code == *code);
        (0..=self.mailbox.len()).map(|n| format!("{n:08}")).find(|code| !sent(code)).unwrap_or_default()
    }

    pub(crate) fn holder(&self, id: UserId) -> Option<&Holder> {
        self.holders.iter().find(|holder| holder.user.id == id)
    }

    fn by_identity(&self, issuer: &str, key: &str) -> Option<&Holder> {
        let is = |i: &ObjectIdentity| i.issuer == issuer && i.assigned_key() == key;
        self.holders.iter().find(|holder| holder.user.identities.iter().any(is))
    }

    fn by_address(&self, address: &str) -> Option<Account> {
        let key = Address::parse(address).ok()?.key();
        let as_identity =
            rulings::address_issuers(&self.domain).into_iter().find_map(|i| self.by_identity(i, &key));
        let has_mail = |h: &&Holder| {
            h.user.mail.as_deref().and_then(|m| Address::parse(m).ok()).is_some_and(|m| m.key() == key)
        };
        as_identity.or_else(|| self.holders.iter().find(has_mail)).map(of)
    }

    fn send(&mut self, decoy: bool, sent: u32, now: Timestamp) -> Answer {
        let code = otp::code_from(self.draw());
        let digest = code_digest(&code);
        if !decoy {
            self.mailbox.push(Mail { digest: digest.clone(), code });
        }
        let wait = rulings::resend_wait(CodeLimits::default().resend_after, sent);
        Answer::CodeSent { digest, expires_at: now + CODE_LIFETIME, resend_at: now + wait }
    }

    fn create(&mut self, draft: &Draft, now: Timestamp) -> Answer {
        let identity = draft.identity();
        if self.by_identity(&identity.issuer, &identity.assigned_key()).is_some() {
            return Answer::Taken;
        }
        let id = UserId::from_random(self.draw());
        let password = draft.password().and_then(|hash| self.unhashed(hash));
        self.holders.push(Holder { user: draft.clone().into_user(id, now), password });
        self.accepted.extend(draft.terms().iter().map(|agreement| (id, agreement.clone())));
        self.created = Some(id);
        Answer::Created(id)
    }

    /// What somebody has accepted.
    pub(crate) fn accepted(&self, user: UserId) -> Vec<Agreement> {
        self.accepted.iter().filter(|(who, _)| *who == user).map(|(_, what)| what.clone()).collect()
    }

    /// Lets an account of the directory have accepted a document.
    pub(crate) fn accept(&mut self, user: UserId, agreement: Agreement) {
        self.accepted.push((user, agreement));
    }

    fn unhashed(&self, hash: &str) -> Option<Secret<String>> {
        self.passwords.get(hash.parse::<usize>().ok()?).cloned()
    }
}

fn of(holder: &Holder) -> Account {
    rulings::account(&holder.user, holder.password.is_some())
}

fn code_digest(code: &str) -> String {
    digest::base64url(&otp::code_digest(&KEY, "journey", "test", code))
}

/// `sub` of a user for an application.
pub(crate) fn subject(client: &str, user: UserId) -> String {
    digest::pairwise(&KEY, client, &user.to_string())
}
