//! The end of a journey, and why a way to it may be closed.

use super::{Rejected, Result, Turn, ask, show};
use crate::directory::tenant::TenantKind;
use crate::ids::{ProviderId, UserId};
use crate::journey::facts::{Account, Authenticated, End, Facts, Refusal};
use crate::journey::flow::Flow;
use crate::journey::input::Input;
use crate::journey::pages::outline;
use crate::journey::question::{Answer, Question};
use crate::journey::values;
use crate::text::Message;

pub(super) fn submit(mut facts: Facts, input: &Input) -> Result<Turn> {
    let Input::Stay(stay) = input else { return Err(Rejected::NotAsked) };
    facts.stay = Some(*stay);
    facts.end = Some(End::SignedIn);
    Ok(show(facts))
}

/// Signs an existing account in, unless it is switched off.
pub(super) fn sign_in(flow: &Flow, facts: Facts, account: &Account, how: &How) -> Turn {
    if account.enabled {
        return arrive(flow, facts, account.user, how, false);
    }
    let refused = Refusal { code: 50057, message: Message::new("refused-disabled") };
    refuse(facts, refused)
}

/// Signs in who has just signed up.
pub(super) fn welcome(flow: &Flow, facts: Facts, user: UserId, how: &How) -> Turn {
    arrive(flow, facts, user, how, true)
}

/// Closes this way; the person can choose another. What was proven on it is forgotten.
pub(super) fn refuse(mut facts: Facts, refusal: Refusal) -> Turn {
    let intent = facts.intent;
    facts.revise_identity(intent);
    facts.refusal = Some(refusal);
    show(facts)
}

/// There is no account, and none can be made here (AADSTS50034).
pub(super) fn refuse_stranger(facts: Facts) -> Turn {
    refuse(facts, Refusal { code: 50034, message: Message::new("refused-no-account") })
}

/// How somebody proved who they are.
pub(super) enum How {
    Password,
    Code,
    Provider(ProviderId),
}

fn arrive(flow: &Flow, mut facts: Facts, user: UserId, how: &How, created: bool) -> Turn {
    let (method, provider) = match how {
        How::Password => ("pwd", None),
        How::Code => ("otp", None),
        How::Provider(id) => ("fed", Some(id.clone())),
    };
    facts.authenticated = Some(Authenticated { user, amr: vec![method.to_owned()], provider, created });
    // The hash stands with the account now; a second copy could only leak.
    facts.password = None;
    match facts.linking.clone() {
        Some(linking) if linking.user == user && !created => {
            let federated = Box::new(linking.federated);
            return ask(facts, Question::LinkIdentity { user, federated });
        }
        Some(_) => facts.linking = None,
        None => {}
    }
    follow_provider(flow, facts)
}

/// The identity leads to the account now, or it cannot. The person has signed in either way.
pub(super) fn linked(flow: &Flow, mut facts: Facts, answer: &Answer) -> Result<Turn> {
    let Answer::Linked(_) = answer else { return Err(Rejected::NotAsked) };
    facts.linking = None;
    Ok(follow_provider(flow, facts))
}

/// Takes over what the provider that somebody came by says of them now.
fn follow_provider(flow: &Flow, facts: Facts) -> Turn {
    let values = values::updates(flow, &facts);
    match facts.authenticated.as_ref().filter(|a| !a.created && !values.is_empty()).map(|a| a.user) {
        Some(user) => ask(facts, Question::TakeClaims { user, values }),
        None => look_over(flow, facts),
    }
}

/// The account follows the provider.
pub(super) fn taken(flow: &Flow, facts: Facts, answer: &Answer) -> Result<Turn> {
    match answer {
        Answer::ClaimsTaken => Ok(look_over(flow, facts)),
        _ => Err(Rejected::NotAsked),
    }
}

/// Is there something that the account lacks?
fn look_over(flow: &Flow, facts: Facts) -> Turn {
    let created = facts.authenticated.as_ref().is_some_and(|a| a.created);
    if (flow.ask_missing_at_sign_in || flow.demands_terms()) && !created {
        return review(facts);
    }
    settle(flow, facts)
}

/// Asks what the account has of all that the flow wants to know. Until that is answered nobody goes on.
pub(super) fn review(mut facts: Facts) -> Turn {
    let Some(user) = facts.authenticated.as_ref().map(|a| a.user) else { return show(facts) };
    facts.catching_up = true;
    facts.values = None;
    ask(facts, Question::Review { user })
}

/// The directory told what the account has; what it lacks is asked for.
pub(super) fn reviewed(flow: &Flow, mut facts: Facts, answer: Answer) -> Result<Turn> {
    let Answer::Reviewed(review) = answer else { return Err(Rejected::NotAsked) };
    facts.review = Some(*review);
    if outline(flow, &facts).page().is_some() {
        return Ok(show(facts));
    }
    Ok(settle(flow, facts))
}

/// What was lacking stands with the account.
pub(super) fn updated(flow: &Flow, facts: Facts, answer: &Answer) -> Result<Turn> {
    match answer {
        Answer::Updated => Ok(settle(flow, facts)),
        _ => Err(Rejected::NotAsked),
    }
}

/// Nothing is left to be asked.
fn settle(flow: &Flow, mut facts: Facts) -> Turn {
    facts.catching_up = false;
    if !asks_to_stay(flow) {
        facts.stay = Some(false);
        facts.end = Some(End::SignedIn);
    }
    show(facts)
}

/// FLOW-27: customers are asked whether they want to stay signed in; FLOW-20 has no such step for guests.
const fn asks_to_stay(flow: &Flow) -> bool {
    match flow.tenant_kind {
        TenantKind::External => true,
        TenantKind::Workforce => false,
    }
}
