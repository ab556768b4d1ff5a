//! What the flow collects, and the way from there to the account.

use super::arrival::{self, How};
use super::credential::{self, Typed};
use super::{Rejected, Result, Turn, ask, change_address, complain, show, turn_elsewhere};
use crate::journey::draft::{self, Unmet};
use crate::journey::facts::{Facts, Lookup};
use crate::journey::flow::Flow;
use crate::journey::input::Input;
use crate::journey::question::{Answer, Question, RawFields};
use crate::journey::values;
use crate::text::{Message, Secret};

pub(super) fn submit(flow: &Flow, facts: Facts, address: &str, input: Input) -> Result<Turn> {
    match input {
        Input::Details { fields, password, confirmation } => {
            let typed = Typed { password: password.as_ref(), confirmation: confirmation.as_ref() };
            Ok(collect(flow, facts, address, &fields, &typed))
        }
        Input::ChangeAddress => Ok(change_address(facts)),
        other => turn_elsewhere(flow, facts, &other),
    }
}

/// Takes the page as a whole: every problem is told at once, and everything but secrets is kept.
fn collect(flow: &Flow, mut facts: Facts, address: &str, fields: &RawFields, typed: &Typed<'_>) -> Turn {
    facts.typed = values::keep(flow, fields);
    let checked = values::check(flow, &facts, fields);
    let password = new_password(flow, &mut facts, address, typed);
    match checked {
        Ok(collected) => facts.values = Some(collected),
        Err(problems) => problems.into_iter().for_each(|(field, message)| facts.problem(&field, message)),
    }
    if !facts.problems.is_empty() {
        facts.values = None;
        return show(facts);
    }
    match password {
        Some(password) => ask(facts, Question::HashPassword { password }),
        None => create(flow, facts),
    }
}

fn new_password(flow: &Flow, facts: &mut Facts, address: &str, typed: &Typed<'_>) -> Option<Secret<String>> {
    if facts.federated.is_some() || !flow.has_password() {
        return None;
    }
    let names: Vec<&str> = facts.typed.values().flatten().map(String::as_str).collect();
    match credential::judge(flow, address, typed, &names) {
        Ok(good) => Some(good),
        Err((field, message)) => {
            facts.problem(field, message);
            None
        }
    }
}

/// A page without a single field would only be in the way.
pub(super) fn create_if_nothing_to_ask(flow: &Flow, mut facts: Facts) -> Turn {
    let asks_password = facts.federated.is_none() && flow.has_password();
    if asks_password || flow.fields.iter().any(values::is_shown) {
        return show(facts);
    }
    match values::check(flow, &facts, &RawFields::new()) {
        Ok(collected) => {
            facts.values = Some(collected);
            create(flow, facts)
        }
        Err(_) => show(facts),
    }
}

pub(super) fn create(flow: &Flow, mut facts: Facts) -> Turn {
    match draft::draft(flow, &facts) {
        Ok(draft) => ask(facts, Question::CreateAccount { draft: Box::new(draft) }),
        Err(Unmet::SignUpOff) => arrival::refuse_stranger(facts),
        Err(Unmet::NotLookedUp) => look_again(facts),
        Err(Unmet::Exists | Unmet::Proof | Unmet::Attribute | Unmet::Password) => {
            facts.values = None;
            facts.password = None;
            complain(facts, "", Message::new("try-again"))
        }
    }
}

/// The account was created, or somebody else was first.
pub(super) fn created(flow: &Flow, mut facts: Facts, answer: &Answer) -> Result<Turn> {
    match answer {
        Answer::Created(user) => {
            let how = facts.federated.as_ref().map_or(How::Code, |f| How::Provider(f.provider.clone()));
            Ok(arrival::welcome(flow, facts, *user, &how))
        }
        Answer::Taken => {
            facts.account = Lookup::NotAsked;
            Ok(look_again(facts))
        }
        _ => Err(Rejected::NotAsked),
    }
}

/// Asks the directory about what was proven, by the same key as the first time.
fn look_again(facts: Facts) -> Turn {
    let question = match (&facts.federated, facts.proven_address()) {
        (Some(f), address) => Question::FindIdentity {
            issuer: f.issuer.clone(),
            subject: f.subject.clone(),
            address: address.map(str::to_owned),
        },
        (None, Some(address)) => Question::FindAccount { address: address.to_owned() },
        (None, None) => return complain(facts, "", Message::new("try-again")),
    };
    ask(facts, question)
}
