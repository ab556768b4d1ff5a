//! What the flow collects, page by page, and the way from there to the account.

use std::collections::BTreeMap;

use serde_json::Value;

use super::arrival::{self, How};
use super::code;
use super::credential::{self, Typed};
use super::guardian;
use super::{Rejected, Result, Turn, ask, change_address, complain, show, turn_elsewhere};
use crate::directory::age::AgeGroup;
use crate::ids::AttributeId;
use crate::journey::age::{self, Aged};
use crate::journey::draft::{self, Unmet};
use crate::journey::facts::{Facts, Lookup};
use crate::journey::flow::{Field, Flow};
use crate::journey::input::Input;
use crate::journey::pages::{self, Page, outline};
use crate::journey::question::{Answer, Question, RawFields};
use crate::journey::terms;
use crate::journey::values;
use crate::journey::verification;
use crate::text::{Message, Secret};
use crate::time::Timestamp;

pub(super) fn submit(
    flow: &Flow,
    facts: Facts,
    address: &str,
    (input, now): (Input, Timestamp),
) -> Result<Turn> {
    match input {
        Input::Details { .. } if facts.too_young && facts.authenticated.is_none() => {
            Ok(guardian::refuse_age(facts))
        }
        Input::Details { fields, password, confirmation } => {
            let typed = Typed { password: password.as_ref(), confirmation: confirmation.as_ref() };
            Ok(collect(flow, facts, (address, now), &fields, &typed))
        }
        Input::Back { fields } => Ok(back(flow, facts, &fields)),
        Input::ChangeAddress if !facts.catching_up => Ok(change_address(facts)),
        other if !facts.catching_up => turn_elsewhere(flow, facts, &other),
        _ => Err(Rejected::NotAsked),
    }
}

/// Takes the page as a whole: every problem is told at once, and everything but secrets is kept.
fn collect(
    flow: &Flow,
    mut facts: Facts,
    (address, now): (&str, Timestamp),
    fields: &RawFields,
    typed: &Typed<'_>,
) -> Turn {
    if facts.catching_up && facts.review.is_none() {
        return arrival::review(facts);
    }
    let page = keep(flow, &mut facts, fields);
    let password = new_password(flow, &mut facts, address, typed);
    accept(flow, &mut facts);
    let shown = outline(flow, &facts);
    for judged in shown.judged.iter().filter(|j| page.is_on(j.field)) {
        // A question that follows from an answer on the same page could not be shown before.
        let is_new = values::is_asked(&facts, judged.field) && !page.showed(judged.field);
        match &judged.value {
            _ if is_new => facts.problem(judged.field.id.as_str(), Message::new("field-follows")),
            Err(message) => facts.problem(judged.field.id.as_str(), message.clone()),
            Ok(_) => {}
        }
    }
    facts.values = None;
    if !facts.problems.is_empty() {
        return show(facts);
    }
    if let Some(Page::View(index)) = page.page {
        facts.accepted.insert(index);
    }
    let after = outline(flow, &facts);
    match after.page() {
        Some(Page::View(index)) if !facts.accepted.contains(&index) => show(facts),
        Some(Page::Closing) if page.page != Some(Page::Closing) => show(facts),
        Some(_) | None => finish(flow, facts, password, now),
    }
}

/// What was posted to the page that was shown.
struct Posted<'f> {
    page: Option<Page>,
    asked: Vec<&'f Field>,
}

impl Posted<'_> {
    /// Whether the field stands on the page. On a flow's only page everything does, seen or not.
    fn is_on(&self, field: &Field) -> bool {
        self.page == Some(Page::View(field.page))
    }

    fn showed(&self, field: &Field) -> bool {
        self.asked.iter().any(|f| f.id == field.id)
    }
}

fn keep<'f>(flow: &'f Flow, facts: &mut Facts, fields: &RawFields) -> Posted<'f> {
    let before = outline(flow, facts);
    let asked: Vec<&Field> = before.shown(facts).into_iter().filter(|f| values::is_asked(facts, f)).collect();
    if !before.terms(flow, facts).is_empty() {
        facts.agreed = terms::keep(flow, facts, fields);
    }
    facts.typed.extend(values::keep(asked.iter().copied(), fields));
    Posted { page: before.page(), asked }
}

/// To the page before. What stands on this one is kept as it is and looked at when it is sent again; what was
/// accepted from there on is gone through once more, for it may follow from what is changed now.
fn back(flow: &Flow, mut facts: Facts, fields: &RawFields) -> Turn {
    keep(flow, &mut facts, fields);
    let shown = outline(flow, &facts);
    let before = shown.current.checked_sub(1).and_then(|i| shown.pages.get(i)).copied();
    if let Some(Page::View(index)) = before {
        facts.accepted.retain(|accepted| *accepted < index);
        facts.values = None;
    }
    show(facts)
}

/// Every page was accepted: all the answers together make the account, or the first page with a problem is
/// shown again.
fn finish(flow: &Flow, mut facts: Facts, password: Option<Secret<String>>, now: Timestamp) -> Turn {
    match outline(flow, &facts).collected() {
        Ok(collected) => {
            facts.aged = age::judge(flow, &collected, now);
            stay_minor(flow, &mut facts);
            facts.guardian = None;
            facts.values = Some(collected);
        }
        Err(problems) => {
            let first = problems.iter().map(|(field, _)| field.page).min().unwrap_or_default();
            facts.accepted.retain(|accepted| *accepted < first);
            for (field, message) in problems.into_iter().filter(|(field, _)| field.page == first) {
                facts.problem(field.id.as_str(), message);
            }
            return show(facts);
        }
    }
    let blocked = |aged: &Aged| aged.group == AgeGroup::Minor && !age::needs_guardian(flow, aged.group);
    if facts.authenticated.is_none() && facts.aged.as_ref().is_some_and(blocked) {
        return guardian::refuse_age(facts);
    }
    match (&facts.authenticated, password) {
        (Some(_), _) => update(flow, facts),
        (None, Some(password)) => ask(facts, Question::HashPassword { password }),
        (None, None) => create(flow, facts),
    }
}

/// The page about guardians tells a child which answer gets past it, so a second date changes nothing.
fn stay_minor(flow: &Flow, facts: &mut Facts) {
    let Some(aged) = facts.aged.as_mut() else { return };
    if age::needs_guardian(flow, AgeGroup::Minor) {
        facts.minor |= aged.group == AgeGroup::Minor;
        if facts.minor {
            aged.group = AgeGroup::Minor;
        }
    }
}

/// Whether these values, and what was accepted, are all that the flow demands of somebody who has an account.
pub(super) fn is_enough(flow: &Flow, facts: &Facts, values: &BTreeMap<AttributeId, Value>) -> bool {
    pages::is_complete(flow, facts, values)
        && terms::missing(flow, facts).is_empty()
        && verification::open(flow, facts, values).is_none()
}

/// The account that has signed in gets what it lacked.
fn update(flow: &Flow, mut facts: Facts) -> Turn {
    if facts.values.as_ref().is_some_and(|values| verification::open(flow, &facts, values).is_some()) {
        return verify(flow, facts);
    }
    let complete = facts.values.as_ref().is_some_and(|values| is_enough(flow, &facts, values));
    match (&facts.authenticated, facts.values.clone()) {
        (Some(who), Some(attributes)) if complete => {
            let terms = terms::agreements(flow, &facts);
            let question = Question::UpdateAccount { user: who.user, attributes, terms };
            ask(facts, question)
        }
        _ => {
            facts.values = None;
            complain(facts, "", Message::new("try-again"))
        }
    }
}

/// Nobody gets past the page with the documents without accepting what must be accepted.
fn accept(flow: &Flow, facts: &mut Facts) {
    if outline(flow, facts).terms(flow, facts).is_empty() {
        return;
    }
    for document in terms::missing(flow, facts) {
        facts.problem(&terms::field_name(document), Message::new("terms-must-accept"));
    }
}

fn new_password(flow: &Flow, facts: &mut Facts, address: &str, typed: &Typed<'_>) -> Option<Secret<String>> {
    if !outline(flow, facts).has_password(flow, facts) {
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
    let ahead = outline(flow, &facts);
    if ahead.page().is_some() {
        return show(facts);
    }
    match ahead.collected() {
        Ok(collected) => {
            facts.values = Some(collected);
            create(flow, facts)
        }
        Err(_) => show(facts),
    }
}

/// An address that was given as an answer is proven by a code.
fn verify(flow: &Flow, mut facts: Facts) -> Turn {
    let open = facts.values.as_ref().and_then(|values| verification::open(flow, &facts, values));
    match open {
        Some(address) => {
            code::supersede(&mut facts);
            code::verify(facts, address)
        }
        None => show(facts),
    }
}

/// An address was verified: to the next one, or to the account.
pub(super) fn go_on(flow: &Flow, facts: Facts) -> Turn {
    if facts.authenticated.is_some() { update(flow, facts) } else { create(flow, facts) }
}

pub(super) fn create(flow: &Flow, mut facts: Facts) -> Turn {
    match draft::draft(flow, &facts) {
        Ok(draft) => ask(facts, Question::CreateAccount { draft: Box::new(draft) }),
        Err(Unmet::SignUpOff) => arrival::refuse_stranger(facts),
        Err(Unmet::NotLookedUp) => look_again(facts),
        Err(Unmet::Age) => guardian::refuse_age(facts),
        Err(Unmet::Guardian) => show(facts),
        Err(Unmet::Verification) => verify(flow, facts),
        Err(Unmet::Exists | Unmet::Proof | Unmet::Attribute | Unmet::Password | Unmet::Terms) => {
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
