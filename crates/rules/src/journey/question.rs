//! What the engine must know from the world, and the world's reply. Neither can be deserialised, so no
//! request body can ever become an answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::draft::Draft;
use super::facts::{Account, Federated, Pending, Review};
use crate::directory::provider::claims::UpdateWhen;
use crate::directory::terms::Agreement;
use crate::ids::{AttributeId, ProviderId, UserId};
use crate::text::{Message, Secret};
use crate::time::{Span, Timestamp};

/// What a code is for; codes of one purpose never serve another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// To sign in.
    SignIn,
    /// To prove the mailbox of a new account.
    SignUp,
    /// To choose a new password.
    Reset,
    /// To prove an address that a question asks for. It proves nothing about who the person is.
    Attribute,
}

/// A question to the world.
#[derive(Clone, PartialEq, Debug)]
pub enum Question {
    /// Which account has this address as an identity or as its mail?
    FindAccount { address: String },
    /// Is it proven that the domain belongs to whoever runs this tenant's provider?
    FindDomain { domain: String, provider: ProviderId, address: String },
    /// Mint a code and send it. A decoy is not minted: the mailbox gets a note that there is no account.
    SendCode { address: String, purpose: Purpose, decoy: bool, sent: u32 },
    /// Is the typed code the one with this digest, or one that it replaced?
    CompareCode { typed: String, digest: String, superseded: Vec<String> },
    /// Is this the account's password? Without an account the same work is done and the answer is no.
    CheckPassword { user: Option<UserId>, address: String, password: Secret<String> },
    /// Hash a password that passed the policy.
    HashPassword { password: Secret<String> },
    /// Which account has this identity, and which one this address?
    FindIdentity { issuer: String, subject: String, address: Option<String> },
    /// Create the account, in the transaction that saves the journey.
    CreateAccount { draft: Box<Draft> },
    /// Send a mail to the guardian of somebody who is too young.
    AskGuardian { address: String, sent: u32 },
    /// What did the guardian say to this mail? They answer in a browser of their own.
    Guardian { sent: u32 },
    /// What did the provider say at the end of this departure? The person carries the reply in the browser;
    /// the runner checks every part of it before it answers.
    Federation { provider: ProviderId, attempt: u32 },
    /// What does the account that has just signed in have of what the flow asks for?
    Review { user: UserId },
    /// Add these attributes to the account, and write down what its holder has accepted, in the transaction
    /// that saves the journey.
    UpdateAccount { user: UserId, attributes: BTreeMap<AttributeId, Value>, terms: Vec<Agreement> },
    /// Let the identity lead to the account, in the transaction that saves the journey.
    LinkIdentity { user: UserId, federated: Box<Federated> },
    /// Take over what the provider says now, where the account has nothing yet or where it is to follow the
    /// provider, in the transaction that saves the journey.
    TakeClaims { user: UserId, values: BTreeMap<AttributeId, (UpdateWhen, Value)> },
    /// Replace the password and end every session, in the transaction that saves the journey.
    SetPassword { user: UserId, phc: String },
}

impl Question {
    /// The kind that stands in the facts while the question is open.
    pub fn pending(&self) -> Pending {
        match self {
            Self::Federation { provider, attempt } => {
                Pending::Federation { provider: provider.clone(), attempt: *attempt }
            }
            Self::Guardian { sent } => Pending::Guardian { sent: *sent },
            Self::AskGuardian { .. } => Pending::AskGuardian,
            Self::FindAccount { .. } => Pending::FindAccount,
            Self::FindDomain { .. } => Pending::FindDomain,
            Self::SendCode { .. } => Pending::SendCode,
            Self::CompareCode { .. } => Pending::CompareCode,
            Self::CheckPassword { .. } => Pending::CheckPassword,
            Self::HashPassword { .. } => Pending::HashPassword,
            Self::FindIdentity { .. } => Pending::FindIdentity,
            Self::CreateAccount { .. } => Pending::CreateAccount,
            Self::SetPassword { .. } => Pending::SetPassword,
            Self::Review { .. } => Pending::Review,
            Self::UpdateAccount { .. } => Pending::UpdateAccount,
            Self::LinkIdentity { .. } => Pending::LinkIdentity,
            Self::TakeClaims { .. } => Pending::TakeClaims,
        }
    }
}

/// The world's reply.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// The account with the address, if there is one.
    Account(Option<Account>),
    /// The code is on its way, or the note that there is no account.
    CodeSent { digest: String, expires_at: Timestamp, resend_at: Timestamp },
    /// Sending was refused by a limit; the span is the time to wait.
    CodeThrottled(Span),
    /// How the typed code compares.
    CodeCompared(Compared),
    /// Whether the password is the account's.
    PasswordChecked(bool),
    /// Too many wrong passwords; the span is the time to wait.
    PasswordThrottled(Span),
    /// The hash as a PHC string.
    PasswordHashed(String),
    /// The account with the identity, and the one with the address.
    Identity { by_identity: Option<Account>, by_address: Option<Account> },
    /// The account was created.
    Created(UserId),
    /// Somebody else created an account with the same identity first.
    Taken,
    /// The password was replaced and every session ended.
    PasswordSet,
    /// What the account has.
    Reviewed(Box<Review>),
    /// The attributes stand with the account.
    Updated,
    /// Whether the identity leads to the account now; it does not when it leads to another one, or when the account
    /// has as many as it may have.
    Linked(bool),
    /// Whether the domain is proven.
    Domain(bool),
    /// The account follows the provider.
    ClaimsTaken,
    /// The mail to the guardian is on its way.
    GuardianAsked { expires_at: Timestamp, resend_at: Timestamp },
    /// A limit forbade it; the span is the time to wait.
    GuardianThrottled(Span),
    /// The guardian agreed, at this time.
    GuardianAgreed(Timestamp),
    /// The guardian said no.
    GuardianRefused,
    /// The provider's tokens passed every check.
    Federated(Box<Federated>),
    /// The person said no at the provider.
    FederationDeclined,
    /// The provider failed, or its answer did not pass the checks.
    FederationFailed { message: Message, code: u32 },
}

/// How a typed code compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compared {
    /// It is the newest code.
    Match,
    /// It is one that a newer code replaced.
    Superseded,
    /// It is none that was sent.
    Mismatch,
}

/// Raw fields of a form by name.
pub type RawFields = BTreeMap<String, Vec<String>>;
