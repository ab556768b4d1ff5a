//! The way of somebody who is too young to sign up alone: whom to ask, the wait, and what the guardian said.

use super::arrival;
use super::{Rejected, Result, Turn, ask, complain, details, minutes, show};
use crate::directory::address::Address;
use crate::journey::age::Guardian;
use crate::journey::facts::{Facts, Pending, Refusal};
use crate::journey::flow::Flow;
use crate::journey::input::Input;
use crate::journey::question::{Answer, Question};
use crate::text::Message;
use crate::time::Timestamp;

/// At the step that asks for the guardian's address.
pub(super) fn submit(facts: Facts, input: &Input) -> Result<Turn> {
    match input {
        Input::Guardian { address } => Ok(invite(facts, address)),
        Input::Back { .. } => Ok(back(facts)),
        _ => Err(Rejected::NotAsked),
    }
}

/// While the guardian has not answered.
pub(super) fn submit_waiting(facts: Facts, input: &Input, now: Timestamp) -> Result<Turn> {
    let Some(guardian) = facts.guardian.clone() else { return Err(Rejected::NotAsked) };
    if now >= guardian.expires_at {
        let facts = Facts { guardian: None, ..facts };
        return Ok(complain(facts, "", Message::new("guardian-expired")));
    }
    match input {
        Input::Continue => Ok(wait(facts)),
        Input::ChangeAddress => Ok(show(Facts { guardian: None, ..facts })),
        Input::Resend if guardian.resend_at > now => {
            let seconds = guardian.resend_at.since(now).as_seconds_ceil();
            let mut turn = wait(facts);
            turn.facts.problem("", Message::new("guardian-resend-wait").with("seconds", seconds));
            Ok(turn)
        }
        Input::Resend => {
            let sent = guardian.sent.saturating_add(1);
            Ok(ask(facts, Question::AskGuardian { address: guardian.address, sent }))
        }
        _ => Err(Rejected::NotAsked),
    }
}

/// After the guardian agreed.
pub(super) fn submit_agreed(flow: &Flow, facts: Facts, input: &Input) -> Result<Turn> {
    match input {
        Input::Continue => Ok(details::create(flow, facts)),
        _ => Err(Rejected::NotAsked),
    }
}

fn invite(mut facts: Facts, typed: &str) -> Turn {
    facts.guardian_typed = Some(typed.trim().chars().take(320).collect());
    let Ok(address) = Address::parse(typed) else {
        return complain(facts, "guardian", Message::new("address-invalid"));
    };
    let own = facts.proven_address().and_then(|own| Address::parse(own).ok());
    if own.is_some_and(|own| own.key() == address.key()) {
        return complain(facts, "guardian", Message::new("guardian-own-address"));
    }
    let sent = facts.guardians_asked.saturating_add(1);
    ask(facts, Question::AskGuardian { address: address.as_string(), sent })
}

/// To the questions, with everything as it was typed.
fn back(mut facts: Facts) -> Turn {
    facts.values = None;
    facts.password = None;
    facts.aged = None;
    let last = facts.accepted.iter().max().copied();
    facts.accepted.retain(|page| Some(*page) != last);
    show(facts)
}

/// The mail is on its way, or a limit forbade it.
pub(super) fn asked(mut facts: Facts, question: &Question, answer: &Answer) -> Result<Turn> {
    let Question::AskGuardian { address, sent } = question else { return Err(Rejected::NotAsked) };
    match answer {
        Answer::GuardianAsked { expires_at, resend_at } => {
            facts.guardians_asked = *sent;
            facts.guardian = Some(Guardian {
                address: address.clone(),
                sent: *sent,
                expires_at: *expires_at,
                resend_at: *resend_at,
                agreed_at: None,
            });
            Ok(wait(facts))
        }
        Answer::GuardianThrottled(span) => {
            let message = Message::new("guardian-throttled").with("minutes", minutes(*span));
            let mut turn = if facts.guardian.is_some() { wait(facts) } else { show(facts) };
            turn.facts.problem("", message);
            Ok(turn)
        }
        _ => Err(Rejected::NotAsked),
    }
}

/// The guardian may answer from now on.
fn wait(mut facts: Facts) -> Turn {
    let sent = facts.guardian.as_ref().map_or(0, |guardian| guardian.sent);
    facts.pending = Some(Pending::Guardian { sent });
    show(facts)
}

/// The guardian answered.
pub(super) fn decided(mut facts: Facts, answer: &Answer) -> Result<Turn> {
    match (answer, facts.guardian.as_mut()) {
        (Answer::GuardianAgreed(at), Some(guardian)) => {
            guardian.agreed_at = Some(*at);
            Ok(show(facts))
        }
        (Answer::GuardianRefused, Some(_)) => {
            facts.too_young = true;
            Ok(refuse(facts, "refused-guardian"))
        }
        _ => Err(Rejected::NotAsked),
    }
}

/// Nobody of this age signs up here.
pub(super) fn refuse_age(mut facts: Facts) -> Turn {
    facts.too_young = true;
    refuse(facts, "refused-too-young")
}

fn refuse(facts: Facts, id: &str) -> Turn {
    arrival::refuse(facts, Refusal { code: 0, message: Message::new(id) })
}
