//! One-time codes (sign-up.md 2.3): eight digits, ten minutes, five tries, the newest wins.

use unicode_normalization::UnicodeNormalization;

use super::arrival::{self, How};
use super::{
    CODE_LENGTH, CODE_TRIES, Rejected, Result, Turn, ask, change_address, complain, details, federation,
    minutes, purpose, show, turn_elsewhere,
};
use crate::journey::facts::{CodeFact, Facts, Intent};
use crate::journey::flow::Flow;
use crate::journey::input::Input;
use crate::journey::question::{Answer, Compared, Purpose, Question};
use crate::journey::verification;
use crate::text::Message;
use crate::time::Timestamp;

/// How many replaced codes are remembered, to explain that a newer one was sent.
const SUPERSEDED_KEPT: usize = 8;

pub(super) fn submit(flow: &Flow, facts: Facts, input: Input, now: Timestamp) -> Result<Turn> {
    match input {
        Input::Code { code } => check(facts, &code, now),
        Input::Resend => resend(facts, now),
        Input::ChangeAddress if facts.verifying.is_some() => Ok(give_up(facts)),
        _ if facts.verifying.is_some() => Err(Rejected::NotAsked),
        Input::ChangeAddress if facts.federated.is_some() => Ok(federation::change_address(facts)),
        Input::ChangeAddress => Ok(change_address(facts)),
        other => turn_elsewhere(flow, facts, &other),
    }
}

/// Asks for a code, unless the one that was sent for the same purpose still counts: whoever comes back to
/// an address goes on with its code, and a burnt one is replaced only when a new one may be asked for.
pub(super) fn send(mut facts: Facts, address: &str, decoy: bool) -> Turn {
    let purpose = purpose(facts.intent);
    let sent = match &facts.code {
        Some(code) if code.sent_to == address && code.purpose == purpose && code.decoy == decoy => {
            facts.identifier = Some(address.to_owned());
            return show(facts);
        }
        Some(code) => code.sent.saturating_add(1),
        None => 1,
    };
    ask(facts, Question::SendCode { address: address.to_owned(), purpose, decoy, sent })
}

/// Asks for a code that proves an address which somebody gave as an answer.
pub(super) fn verify(facts: Facts, address: String) -> Turn {
    let sent = facts.code.as_ref().map_or(1, |code| code.sent.saturating_add(1));
    ask(facts, Question::SendCode { address, purpose: Purpose::Attribute, decoy: false, sent })
}

/// Back to the questions: the address was not meant.
fn give_up(mut facts: Facts) -> Turn {
    supersede(&mut facts);
    facts.verifying = None;
    facts.values = None;
    facts.password = None;
    let last = facts.accepted.iter().max().copied();
    facts.accepted.retain(|page| Some(*page) != last);
    show(facts)
}

fn resend(facts: Facts, now: Timestamp) -> Result<Turn> {
    let Some(code) = facts.code.clone() else { return Err(Rejected::NotAsked) };
    let wait = code.resend_at.since(now);
    if wait.0 > 0 {
        let message = Message::new("code-resend-wait").with("seconds", wait.as_seconds_ceil());
        return Ok(complain(facts, "", message));
    }
    let sent = code.sent.saturating_add(1);
    Ok(ask(
        facts,
        Question::SendCode { address: code.sent_to, purpose: code.purpose, decoy: code.decoy, sent },
    ))
}

/// The code was sent, or a limit forbade it.
pub(super) fn sent(mut facts: Facts, question: &Question, answer: Answer) -> Result<Turn> {
    let Question::SendCode { address, purpose, decoy, sent } = question else {
        return Err(Rejected::NotAsked);
    };
    match answer {
        Answer::CodeSent { digest, expires_at, resend_at } => {
            supersede(&mut facts);
            facts.code = Some(CodeFact {
                digest,
                purpose: *purpose,
                sent_to: address.clone(),
                expires_at,
                resend_at,
                tries_left: CODE_TRIES,
                sent: *sent,
                decoy: *decoy,
            });
            if *purpose == Purpose::Attribute {
                facts.verifying = Some(address.clone());
            } else {
                facts.identifier = Some(address.clone());
            }
            Ok(show(facts))
        }
        Answer::CodeThrottled(wait) => {
            if *purpose == Purpose::Attribute && facts.verifying.is_none() {
                facts.values = None;
            }
            let message = Message::new("code-throttled").with("minutes", minutes(wait));
            Ok(complain(facts, "", message))
        }
        _ => Err(Rejected::NotAsked),
    }
}

/// Takes the code out of use; typing it is explained from now on.
pub(super) fn supersede(facts: &mut Facts) {
    if let Some(old) = facts.code.take().filter(|c| !c.decoy) {
        facts.superseded.push(old.digest);
        let surplus = facts.superseded.len().saturating_sub(SUPERSEDED_KEPT);
        facts.superseded.drain(..surplus);
    }
}

fn check(mut facts: Facts, typed: &str, now: Timestamp) -> Result<Turn> {
    // Copied with blanks, or typed with a keyboard that has wide digits: still the same digits.
    let typed: String = typed.nfkc().filter(|c| !c.is_whitespace() && *c != '-').take(64).collect();
    let superseded = facts.superseded.clone();
    let Some(code) = facts.code.as_mut() else { return Err(Rejected::NotAsked) };
    let problem = if typed.is_empty() {
        Some("code-missing")
    } else if typed.len() != CODE_LENGTH || !typed.bytes().all(|b| b.is_ascii_digit()) {
        Some("code-format")
    } else if now >= code.expires_at {
        Some("code-expired")
    } else if code.tries_left == 0 {
        Some("code-exhausted")
    } else {
        None
    };
    if let Some(id) = problem {
        return Ok(complain(facts, "code", Message::new(id)));
    }
    // The try is spent before the comparison, so that no failure in between gives it back.
    code.tries_left -= 1;
    if code.decoy {
        let message = wrong(code.tries_left);
        return Ok(complain(facts, "code", message));
    }
    let digest = code.digest.clone();
    Ok(ask(facts, Question::CompareCode { typed, digest, superseded }))
}

fn wrong(left: u8) -> Message {
    if left == 0 { Message::new("code-exhausted") } else { Message::new("code-wrong").with("left", left) }
}

/// The typed code was compared.
pub(super) fn compared(flow: &Flow, mut facts: Facts, answer: &Answer) -> Result<Turn> {
    let Answer::CodeCompared(compared) = answer else { return Err(Rejected::NotAsked) };
    let Some(code) = facts.code.clone() else { return Err(Rejected::NotAsked) };
    match compared {
        Compared::Mismatch => Ok(complain(facts, "code", wrong(code.tries_left))),
        Compared::Superseded => Ok(complain(facts, "code", Message::new("code-superseded"))),
        Compared::Match if code.purpose == Purpose::Attribute => {
            facts.verified.insert(verification::key(&code.sent_to));
            facts.verifying = None;
            facts.code = None;
            facts.superseded.clear();
            Ok(details::go_on(flow, facts))
        }
        Compared::Match => {
            facts.mailbox = Some(code.sent_to);
            facts.code = None;
            facts.superseded.clear();
            Ok(after_proof(flow, facts))
        }
    }
}

/// The mailbox is proven: sign in, sign up or set a new password.
fn after_proof(flow: &Flow, mut facts: Facts) -> Turn {
    let account = facts.known().cloned();
    match (facts.intent, account) {
        (Intent::SignIn, Some(account)) if account.has_code => {
            arrival::sign_in(flow, facts, &account, &How::Code)
        }
        (Intent::Reset, _) | (Intent::SignIn | Intent::SignUp, Some(_)) => show(facts),
        (Intent::SignIn | Intent::SignUp, None) if !flow.sign_up_allowed => arrival::refuse_stranger(facts),
        (Intent::SignIn | Intent::SignUp, None) => {
            facts.intent = Intent::SignUp;
            details::create_if_nothing_to_ask(flow, facts)
        }
    }
}
