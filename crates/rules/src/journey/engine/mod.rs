//! The transitions. [`next`] is the only routing decision; [`submit`] folds in what a person said, and
//! [`answer`] what the world replied. No clock, no randomness, no prose, no I/O.
//!
//! | module | decides |
//! | --- | --- |
//! | `entry` | which address or account, and whether a password or a code is asked for |
//! | `code` | one-time codes, and what a proven mailbox leads to |
//! | `credential` | the account's password, a new one, and a reset |
//! | `details` | what the flow collects, and the way to the account |
//! | `federation` | the way to a provider and back |
//! | `guardian` | who agrees for somebody who is too young |
//! | `arrival` | the end: signed in, or refused |

mod arrival;
mod code;
mod credential;
mod details;
mod entry;
mod federation;
mod guardian;

use super::age::Guardian;
use super::draft;
use super::facts::{Account, Authenticated, CodeFact, End, Facts, Intent, Lookup, Opening, Review};
use super::flow::Flow;
use super::input::Input;
use super::question::{Answer, Purpose, Question};
use super::step::Step;
use super::terms;
use super::values;
use super::verification;
use crate::directory::address::Address;
use crate::directory::age::AgeGroup;
use crate::text::Message;
use crate::time::{Span, Timestamp};

/// How long a code lives (sign-up.md 2.3).
pub const CODE_LIFETIME: Span = Span::minutes(10);
/// Wrong tries that burn a code.
pub const CODE_TRIES: u8 = 5;
/// Digits of a code.
pub const CODE_LENGTH: usize = 8;
/// More of an address than any mail server accepts is not kept, not even as a suggestion.
const HINT_CHARS: usize = 320;

/// What comes next.
#[derive(Clone, PartialEq, Debug)]
pub enum Next {
    /// The world must answer this first.
    Ask(Question),
    /// The person is shown this.
    Show(Step),
}

/// The new facts and what comes next.
#[derive(Clone, PartialEq, Debug)]
pub struct Turn {
    pub facts: Facts,
    pub next: Next,
}

/// An input or answer that nobody asked for. Nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Rejected {
    #[error("this is not what the current step asks")]
    NotAsked,
    #[error("the journey has ended")]
    Ended,
}

type Result<T> = std::result::Result<T, Rejected>;

/// The facts of a journey that begins now. What the flow does not offer becomes an ordinary sign-in.
pub fn begin(flow: &Flow, mut opening: Opening) -> Facts {
    opening.login_hint = opening.login_hint.map(|h| hint(&h)).filter(|h| !h.is_empty());
    opening.domain_hint = opening.domain_hint.map(|h| hint(&h)).filter(|h| !h.is_empty());
    let mut facts = Facts::new(opening);
    let offered = match facts.intent {
        Intent::SignIn => true,
        Intent::SignUp => flow.sign_up_allowed,
        Intent::Reset => flow.has_local(),
    };
    if !offered {
        facts.intent = Intent::SignIn;
    }
    facts
}

/// Where a journey goes before anything was asked: to the provider that the application named. Nothing when it
/// named none that the flow has; then the person chooses.
pub fn jump(flow: &Flow, facts: &Facts) -> Option<Turn> {
    if !matches!(next(facts), Step::Identify | Step::SignUp) {
        return None;
    }
    let hint = facts.opening.domain_hint.as_deref()?;
    let provider = flow.behind(|door| door.answers_to(hint))?;
    federation::depart(flow, facts.clone(), provider, facts.opening.login_hint.clone()).ok()
}

/// The facts of a journey of somebody whose session goes on: who they are is known, and they are asked only for
/// what they have yet to give.
pub fn resume(flow: &Flow, opening: Opening, who: Authenticated, review: Review) -> Facts {
    let authenticated = Some(Authenticated { created: false, ..who });
    Facts { authenticated, review: Some(review), catching_up: true, ..begin(flow, opening) }
}

/// What the person is asked now. Total: every state has a step.
pub fn next(facts: &Facts) -> Step {
    if let Some(end) = &facts.end {
        return Step::Ended { cancelled: *end == End::Cancelled };
    }
    if let Some(refusal) = &facts.refusal {
        return Step::Refused(refusal.clone());
    }
    if let (Some(address), Some(code)) = (&facts.verifying, &facts.code)
        && code.purpose == Purpose::Attribute
    {
        return code_step(address, code);
    }
    if facts.authenticated.is_some() {
        let address = facts.proven_address().or(facts.identifier.as_deref()).unwrap_or_default();
        return if facts.catching_up {
            Step::Details { address: address.to_owned(), password: false }
        } else {
            Step::Stay
        };
    }
    if let Some(away) = &facts.federation {
        return Step::Leave { provider: away.provider.clone(), attempt: away.attempt };
    }
    if let Some(address) = facts.proven_address() {
        return proven(facts, address.to_owned());
    }
    if facts.federated.is_some() && facts.identifier.is_none() {
        return Step::Address;
    }
    match (&facts.identifier, &facts.code) {
        (Some(address), Some(code)) if code.sent_to == *address && code.purpose == purpose(facts.intent) => {
            code_step(address, code)
        }
        (Some(address), _) => Step::Password { address: address.clone() },
        (None, _) => match facts.intent {
            Intent::SignIn => Step::Identify,
            Intent::SignUp => Step::SignUp,
            Intent::Reset => Step::Reset,
        },
    }
}

fn code_step(address: &str, code: &CodeFact) -> Step {
    Step::Code {
        address: address.to_owned(),
        expires_at: code.expires_at,
        resend_at: code.resend_at,
        exhausted: code.tries_left == 0,
    }
}

fn proven(facts: &Facts, address: String) -> Step {
    match (facts.intent, &facts.account) {
        (Intent::Reset, _) => Step::NewPassword { address },
        (Intent::SignIn | Intent::SignUp, Lookup::Known(_)) => Step::Exists { address },
        (Intent::SignIn | Intent::SignUp, Lookup::Unknown | Lookup::NotAsked) => {
            if let Some(step) = minor(facts) {
                return step;
            }
            Step::Details { address, password: facts.federated.is_none() }
        }
    }
}

/// The step of somebody whose answers are complete, and who is too young to go on alone.
fn minor(facts: &Facts) -> Option<Step> {
    facts.values.as_ref()?;
    facts.aged.as_ref().filter(|aged| aged.group == AgeGroup::Minor)?;
    Some(match &facts.guardian {
        None => Step::Guardian,
        Some(Guardian { agreed_at: Some(_), .. }) => Step::GuardianAgreed,
        Some(Guardian { address, expires_at, resend_at, agreed_at: None, .. }) => {
            Step::GuardianWait { address: address.clone(), expires_at: *expires_at, resend_at: *resend_at }
        }
    })
}

/// Folds in what the person said.
pub fn submit(flow: &Flow, mut facts: Facts, input: Input, now: Timestamp) -> Result<Turn> {
    let step = next(&facts);
    facts.problems.clear();
    facts.pending = None;
    if input == Input::Cancel && !matches!(step, Step::Ended { .. } | Step::Stay) {
        facts.end = Some(End::Cancelled);
        return Ok(show(facts));
    }
    match step {
        Step::Ended { .. } => Err(Rejected::Ended),
        Step::Identify | Step::SignUp | Step::Reset => entry::submit(flow, facts, input, now),
        Step::Password { address } => credential::submit(flow, facts, address, input),
        Step::Code { .. } => code::submit(flow, facts, input, now),
        Step::NewPassword { address } => credential::submit_new(flow, facts, &address, input),
        Step::Details { address, .. } => details::submit(flow, facts, &address, (input, now)),
        Step::Guardian => guardian::submit(facts, &input),
        Step::GuardianWait { .. } => guardian::submit_waiting(facts, &input, now),
        Step::GuardianAgreed => guardian::submit_agreed(flow, facts, &input),
        Step::Address => federation::submit_address(flow, facts, input),
        Step::Exists { address } => entry::submit_exists(flow, facts, &address, &input),
        Step::Leave { provider, .. } => federation::submit(flow, facts, &provider, input),
        Step::Refused(_) if input == Input::Continue => {
            let intent = facts.intent;
            Ok(turn_back(facts, intent))
        }
        Step::Refused(_) => turn_elsewhere(flow, facts, &input),
        Step::Stay => arrival::submit(facts, &input),
    }
}

/// Folds in what the world replied to the question that is pending.
pub fn answer(flow: &Flow, mut facts: Facts, question: &Question, answer: Answer) -> Result<Turn> {
    if facts.end.is_some() {
        return Err(Rejected::Ended);
    }
    if facts.pending != Some(question.pending()) || !follows(flow, &facts, question) {
        return Err(Rejected::NotAsked);
    }
    facts.pending = None;
    match question {
        Question::FindAccount { address } => entry::found_account(flow, facts, address, answer),
        Question::FindDomain { provider, address, .. } => {
            entry::found_domain(flow, facts, (provider, address), &answer)
        }
        Question::SendCode { .. } => code::sent(facts, question, answer),
        Question::CompareCode { .. } => code::compared(flow, facts, &answer),
        Question::CheckPassword { .. } => credential::checked(flow, facts, &answer),
        Question::HashPassword { .. } => credential::hashed(flow, facts, answer),
        Question::SetPassword { .. } => credential::set(flow, facts, &answer),
        Question::CreateAccount { .. } => details::created(flow, facts, &answer),
        Question::FindIdentity { .. } => federation::found_identity(flow, facts, answer),
        Question::Review { .. } => arrival::reviewed(flow, facts, answer),
        Question::UpdateAccount { .. } => arrival::updated(flow, facts, &answer),
        Question::LinkIdentity { .. } => arrival::linked(flow, facts, &answer),
        Question::TakeClaims { .. } => arrival::taken(flow, facts, &answer),
        Question::AskGuardian { .. } => guardian::asked(facts, question, &answer),
        Question::Guardian { .. } => guardian::decided(facts, &answer),
        Question::Federation { provider, .. } => federation::returned(flow, facts, provider, answer),
    }
}

/// Whether the question follows from the facts. Only its kind is stored, so an answer to an older question
/// of the same kind could otherwise prove one person's address for another's account.
fn follows(flow: &Flow, facts: &Facts, question: &Question) -> bool {
    match question {
        Question::SendCode { address, purpose: Purpose::Attribute, .. } => {
            let values = facts.values.as_ref();
            values.and_then(|values| verification::open(flow, facts, values)).as_ref() == Some(address)
        }
        Question::FindAccount { address } | Question::SendCode { address, .. } => {
            let expected = facts.proven_address().or(facts.identifier.as_deref());
            let expected = expected.or(facts.opening.login_hint.as_deref()).unwrap_or_default();
            expected == address || Address::parse(expected).is_ok_and(|a| a.as_string() == *address)
        }
        Question::FindDomain { domain, provider, address } => {
            facts.opening.login_hint.as_deref().is_some_and(|typed| {
                Address::parse(typed).is_ok_and(|a| a.as_string() == *address)
                    && entry::home(flow, facts, address) == Some((domain.clone(), provider.clone()))
            })
        }
        Question::CompareCode { digest, .. } => {
            facts.code.as_ref().is_some_and(|c| !c.decoy && c.digest == *digest)
        }
        Question::CheckPassword { user, address, .. } => {
            facts.identifier.as_ref() == Some(address) && credential::holder(facts) == *user
        }
        Question::FindIdentity { issuer, subject, .. } => {
            facts.federated.as_ref().is_some_and(|f| f.issuer == *issuer && f.subject == *subject)
        }
        Question::CreateAccount { draft } => draft::draft(flow, facts).is_ok_and(|d| d == **draft),
        Question::Review { user } => {
            facts.catching_up && facts.authenticated.as_ref().is_some_and(|a| a.user == *user)
        }
        Question::UpdateAccount { user, attributes, terms } => {
            facts.authenticated.as_ref().is_some_and(|a| a.user == *user)
                && facts.values.as_ref() == Some(attributes)
                && *terms == terms::agreements(flow, facts)
                && details::is_enough(flow, facts, attributes)
        }
        Question::LinkIdentity { user, federated } => {
            let linking = facts.linking.as_ref();
            linking.is_some_and(|l| l.user == *user && l.federated == **federated)
                && facts.authenticated.as_ref().is_some_and(|a| a.user == *user && !a.created)
        }
        Question::TakeClaims { user, values } => {
            facts.authenticated.as_ref().is_some_and(|a| a.user == *user && !a.created)
                && values::updates(flow, facts) == *values
        }
        Question::SetPassword { user, .. } => {
            facts.mailbox.is_some() && facts.known().is_some_and(|a| a.user == *user)
        }
        Question::AskGuardian { sent, .. } => facts.guardians_asked + 1 == *sent,
        Question::Guardian { .. } => matches!(next(facts), Step::GuardianWait { .. }),
        Question::HashPassword { .. } | Question::Federation { .. } => true,
    }
}

fn show(facts: Facts) -> Turn {
    Turn { next: Next::Show(next(&facts)), facts }
}

fn ask(mut facts: Facts, question: Question) -> Turn {
    facts.pending = Some(question.pending());
    Turn { facts, next: Next::Ask(question) }
}

/// Shows the same step again with a problem.
fn complain(mut facts: Facts, field: &str, message: Message) -> Turn {
    facts.problem(field, message);
    show(facts)
}

fn turn_back(mut facts: Facts, intent: Intent) -> Turn {
    facts.revise_identity(intent);
    show(facts)
}

/// The ways that lead from every step to the other entrance.
fn turn_elsewhere(flow: &Flow, facts: Facts, input: &Input) -> Result<Turn> {
    match input {
        Input::SignUpInstead if flow.sign_up_allowed => Ok(turn_back(facts, Intent::SignUp)),
        Input::SignInInstead => Ok(turn_back(facts, Intent::SignIn)),
        Input::SignUpInstead
        | Input::Identify { .. }
        | Input::Password { .. }
        | Input::Code { .. }
        | Input::NewPassword { .. }
        | Input::Details { .. }
        | Input::Back { .. }
        | Input::Guardian { .. }
        | Input::Continue
        | Input::Stay(_)
        | Input::ChooseProvider(_)
        | Input::Resend
        | Input::ChangeAddress
        | Input::ForgotPassword
        | Input::Cancel => Err(Rejected::NotAsked),
    }
}

/// Back to the entrance of the same intent, with the address as a suggestion.
fn change_address(facts: Facts) -> Turn {
    let intent = facts.intent;
    turn_back(facts, intent)
}

const fn purpose(intent: Intent) -> Purpose {
    match intent {
        Intent::SignIn => Purpose::SignIn,
        Intent::SignUp => Purpose::SignUp,
        Intent::Reset => Purpose::Reset,
    }
}

fn known(facts: &Facts) -> Result<Account> {
    facts.known().cloned().ok_or(Rejected::NotAsked)
}

fn hint(typed: &str) -> String {
    typed.trim().chars().take(HINT_CHARS).filter(|c| !c.is_control()).collect()
}

/// A span as a message tells it: never "0 minutes".
fn minutes(wait: Span) -> i64 {
    ((wait.as_seconds_ceil() + 59) / 60).max(1)
}
