//! What has been established in a journey. Facts only grow, except through the few functions that revise an
//! earlier choice; those clear everything that depended on it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::age::{Aged, Guardian};
use super::question::Purpose;
use crate::directory::provider::claims::UpdateWhen;
use crate::directory::terms::Agreement;
use crate::ids::{AttributeId, ProviderId, UserId};
use crate::text::Message;
use crate::time::Timestamp;

/// The number of the stored form. Every form that was ever stored must load for ever.
pub const FORMAT: u8 = 1;

/// What the person came for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Intent {
    SignIn,
    SignUp,
    Reset,
}

/// How the journey began.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opening {
    pub intent: Intent,
    /// `login_hint` of the authorization request; fills the address field in.
    pub login_hint: Option<String>,
    /// `domain_hint` of the authorization request: the provider that the application means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_hint: Option<String>,
}

/// Everything established so far.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    pub format: u8,
    pub opening: Opening,
    pub intent: Intent,
    /// The address that the person typed, as mail is sent to it.
    pub identifier: Option<String>,
    /// What the directory knows about the identifier or identity. Nothing of it is shown before a proof.
    pub account: Lookup,
    pub code: Option<CodeFact>,
    /// Digests of codes that a newer one replaced, so that typing one can be explained.
    pub superseded: Vec<String>,
    /// The address whose mailbox the person has proven to read.
    pub mailbox: Option<String>,
    pub federation: Option<Federation>,
    /// How often this journey has left for a provider.
    pub departures: u32,
    pub federated: Option<Federated>,
    /// What is to be connected with the account that the person signs in to now.
    #[serde(default)]
    pub linking: Option<Linking>,
    /// The new password's hash, at sign-up and reset.
    pub password: Option<String>,
    /// What was typed into the attribute fields, kept so that nothing is typed twice.
    pub typed: BTreeMap<String, Vec<String>>,
    /// The pages of questions that were sent and found good.
    #[serde(default)]
    pub accepted: BTreeSet<usize>,
    /// The documents that were ticked, each with the language in which it was shown.
    #[serde(default)]
    pub agreed: BTreeMap<String, String>,
    /// What an account that signed in has already, when the flow asks for what is missing.
    #[serde(default)]
    pub review: Option<Review>,
    /// Somebody who has signed in is not let on before the flow's questions to them are answered.
    #[serde(default)]
    pub catching_up: bool,
    /// The values that passed every check; present once the form was accepted.
    pub values: Option<BTreeMap<AttributeId, Value>>,
    /// How old the newcomer is, when the flow has a rule on it.
    #[serde(default)]
    pub aged: Option<Aged>,
    /// The guardian who was asked.
    #[serde(default)]
    pub guardian: Option<Guardian>,
    /// What was typed as the guardian's address.
    #[serde(default)]
    pub guardian_typed: Option<String>,
    /// How many mails went to guardians.
    #[serde(default)]
    pub guardians_asked: u32,
    /// A date was sent with which a guardian is asked: no other date does without one in this journey.
    #[serde(default)]
    pub minor: bool,
    /// An age was sent with which nobody signs up: another one is not taken in this journey.
    #[serde(default)]
    pub too_young: bool,
    /// The address that is being verified, as an answer to a question.
    #[serde(default)]
    pub verifying: Option<String>,
    /// Addresses that were verified as answers, in the form in which they are compared.
    #[serde(default)]
    pub verified: BTreeSet<String>,
    /// What an extension set at submission; it overrides what was typed (ATTR-18).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub supplied: BTreeMap<String, Vec<String>>,
    pub authenticated: Option<Authenticated>,
    /// The answer to "Stay signed in?".
    pub stay: Option<bool>,
    /// The kind of the question that may be answered now.
    pub pending: Option<Pending>,
    /// A reason for which this way ends; the person can choose another.
    pub refusal: Option<Refusal>,
    /// What was wrong with the last input.
    pub problems: Vec<Problem>,
    pub end: Option<End>,
}

/// What the directory answered.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "lookup")]
pub enum Lookup {
    #[default]
    NotAsked,
    Unknown,
    Known(Account),
}

/// An existing account, as far as a journey needs to know it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub user: UserId,
    pub enabled: bool,
    pub has_password: bool,
    /// Whether a code to its mailbox signs it in.
    pub has_code: bool,
}

/// A code that was sent, or that a stranger must believe was sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeFact {
    pub digest: String,
    pub purpose: Purpose,
    pub sent_to: String,
    pub expires_at: Timestamp,
    /// When the next one may be asked for.
    pub resend_at: Timestamp,
    pub tries_left: u8,
    /// How many were sent in this journey, this one included.
    pub sent: u32,
    /// No account may be reached with it: it matches nothing.
    pub decoy: bool,
}

/// The person is away at a provider.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Federation {
    pub provider: ProviderId,
    /// Counts the departures of this journey; `state`, `nonce` and PKCE verifier are derived from it.
    pub attempt: u32,
    /// The address that the provider is told, when the way to it began with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
}

/// What a provider said, after every check on its tokens.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Federated {
    pub provider: ProviderId,
    pub issuer: String,
    pub subject: String,
    /// Present only if the provider is believed that it is the person's.
    pub verified_email: Option<String>,
    /// An address that the provider named and does not vouch for: a suggestion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_email: Option<String>,
    /// Our attribute → the value of the claim that is mapped to it.
    pub claims: BTreeMap<String, String>,
    /// The attributes that are taken over when somebody signs in again, and when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub updates: BTreeMap<String, UpdateWhen>,
}

/// An identity that is to lead to an account which exists, once its holder has signed in to it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Linking {
    pub user: UserId,
    pub federated: Federated,
}

/// The person is who they say they are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authenticated {
    pub user: UserId,
    /// Authentication methods as in RFC 8176: `pwd`, `otp`, or `fed` for a provider.
    pub amr: Vec<String>,
    pub provider: Option<ProviderId>,
    /// The account was created in this journey.
    pub created: bool,
}

/// What an account has, for a flow that asks for what is missing.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Review {
    /// Its attributes by id, the display name among them.
    pub attributes: BTreeMap<AttributeId, Value>,
    /// The documents that it has accepted and not withdrawn, under this flow.
    pub terms: Vec<Agreement>,
}

/// The kinds of questions. The payload of a question is never part of the facts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "pending")]
pub enum Pending {
    FindAccount,
    SendCode,
    CompareCode,
    CheckPassword,
    HashPassword,
    FindIdentity,
    FindDomain,
    CreateAccount,
    SetPassword,
    Review,
    UpdateAccount,
    LinkIdentity,
    TakeClaims,
    /// The provider's answer to one departure.
    #[serde(rename_all = "camelCase")]
    Federation {
        provider: ProviderId,
        attempt: u32,
    },
    AskGuardian,
    /// The guardian's answer to one mail.
    Guardian {
        sent: u32,
    },
}

/// Why a way ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The number that apps and logs know, or 0.
    pub code: u32,
    pub message: Message,
}

/// One thing that is wrong with an input.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The name of the field; empty for the form as a whole.
    pub field: String,
    pub message: Message,
}

/// The ways in which a journey ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "end")]
pub enum End {
    SignedIn,
    Cancelled,
}

impl Facts {
    /// The facts at the beginning: nothing but the opening.
    pub fn new(opening: Opening) -> Self {
        Self {
            format: FORMAT,
            intent: opening.intent,
            opening,
            identifier: None,
            account: Lookup::NotAsked,
            code: None,
            superseded: Vec::new(),
            mailbox: None,
            federation: None,
            departures: 0,
            federated: None,
            linking: None,
            password: None,
            typed: BTreeMap::new(),
            accepted: BTreeSet::new(),
            agreed: BTreeMap::new(),
            review: None,
            catching_up: false,
            values: None,
            aged: None,
            guardian: None,
            guardian_typed: None,
            guardians_asked: 0,
            minor: false,
            too_young: false,
            verifying: None,
            verified: BTreeSet::new(),
            supplied: BTreeMap::new(),
            authenticated: None,
            stay: None,
            pending: None,
            refusal: None,
            problems: Vec::new(),
            end: None,
        }
    }

    /// The account that was found, if any.
    pub const fn known(&self) -> Option<&Account> {
        match &self.account {
            Lookup::Known(account) => Some(account),
            Lookup::NotAsked | Lookup::Unknown => None,
        }
    }

    /// The address that an account may be created for: proven by a code, or vouched for by a provider.
    pub fn proven_address(&self) -> Option<&str> {
        self.mailbox.as_deref().or_else(|| self.federated.as_ref().and_then(|f| f.verified_email.as_deref()))
    }

    /// Forgets who the person might be and how they might prove it; what they typed as an address is kept
    /// as a suggestion only.
    pub fn revise_identity(&mut self, intent: Intent) {
        if let Some(address) = self.identifier.take() {
            self.opening.login_hint = Some(address);
        }
        self.intent = intent;
        self.account = Lookup::NotAsked;
        self.mailbox = None;
        self.federation = None;
        self.federated = None;
        self.linking = None;
        self.password = None;
        self.accepted.clear();
        self.review = None;
        self.catching_up = false;
        self.values = None;
        self.aged = None;
        self.guardian = None;
        self.verifying = None;
        self.supplied.clear();
        self.pending = None;
        self.refusal = None;
        self.problems.clear();
    }

    /// Adds a problem with one field.
    pub fn problem(&mut self, field: &str, message: Message) {
        self.problems.push(Problem { field: field.to_owned(), message });
    }
}
