//! The pages on which a flow asks: which questions apply to a visitor, which page is theirs now, and what all
//! their answers come to. Nothing of it is stored but the pages that were accepted: whoever changes an
//! earlier answer is asked exactly what follows from it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::facts::Facts;
use super::flow::{Field, Flow};
use super::terms;
use super::values;
use crate::directory::condition::{Condition, Known};
use crate::directory::flow::InputType;
use crate::directory::provider::{EMAIL_OTP, EMAIL_PASSWORD};
use crate::directory::terms::Terms;
use crate::ids::AttributeId;
use crate::text::Message;

/// One page of questions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// A page of the flow, by its index.
    View(usize),
    /// The last one of several: what is the same in every flow, such as a new password and documents to accept.
    Closing,
}

/// A question that applies, and what its answer so far comes to.
#[derive(Clone, PartialEq, Debug)]
pub struct Judged<'f> {
    pub field: &'f Field,
    pub value: Result<Option<Value>, Message>,
}

/// Where a visitor is among the pages.
#[derive(Clone, PartialEq, Debug)]
pub struct Outline<'f> {
    /// Every question that applies, in order.
    pub judged: Vec<Judged<'f>>,
    /// The pages that the visitor is to see, as far as it can be known now.
    pub pages: Vec<Page>,
    /// The index in `pages` of the page that is shown.
    pub current: usize,
    /// A page that is not among them may follow from the answers on this one.
    pub may_grow: bool,
}

/// Whether a new password is asked for.
pub fn asks_password(flow: &Flow, facts: &Facts) -> bool {
    flow.has_password() && facts.federated.is_none() && facts.authenticated.is_none()
}

/// The pages for what is known now.
pub fn outline<'f>(flow: &'f Flow, facts: &Facts) -> Outline<'f> {
    let judged = judge(flow, facts);
    let shown = |page: usize| judged.iter().any(|j| j.field.page == page && values::is_shown(facts, j.field));
    let several = flow.pages.len() > 1;
    let closes = asks_password(flow, facts) || !terms::asked(flow, facts).is_empty();
    let mut pages: Vec<Page> = (0..flow.pages.len().max(1))
        .filter(|page| shown(*page) || (!several && closes))
        .map(Page::View)
        .collect();
    if several && closes {
        pages.push(Page::Closing);
    }
    let is_accepted = |page: &Page| match page {
        Page::View(index) => facts.accepted.contains(index),
        Page::Closing => false,
    };
    let current = pages.iter().position(|p| !is_accepted(p)).unwrap_or(pages.len().saturating_sub(1));
    let may_grow = match pages.get(current) {
        Some(Page::View(index)) => flow.may_follow(*index),
        Some(Page::Closing) | None => false,
    };
    Outline { judged, pages, current, may_grow }
}

impl<'f> Outline<'f> {
    /// The page that is shown; `None` when there is nothing to ask.
    pub fn page(&self) -> Option<Page> {
        self.pages.get(self.current).copied()
    }

    /// The questions on the page that is shown, fixed ones included.
    pub fn shown(&self, facts: &Facts) -> Vec<&'f Field> {
        let here = |field: &Field| self.page() == Some(Page::View(field.page));
        self.judged.iter().map(|j| j.field).filter(|f| here(f) && values::is_shown(facts, f)).collect()
    }

    /// Whether the page that is shown has the field for a new password.
    pub fn has_password(&self, flow: &Flow, facts: &Facts) -> bool {
        self.closes(flow) && asks_password(flow, facts)
    }

    /// The documents to accept on the page that is shown.
    pub fn terms(&self, flow: &'f Flow, facts: &Facts) -> Vec<&'f Terms> {
        if self.closes(flow) { terms::asked(flow, facts) } else { Vec::new() }
    }

    /// Whether the page that is shown is the one with what is the same in every flow.
    fn closes(&self, flow: &Flow) -> bool {
        match self.page() {
            Some(Page::View(_)) => flow.pages.len() <= 1,
            Some(Page::Closing) => true,
            None => false,
        }
    }

    /// Whether nothing follows the page that is shown.
    pub fn is_last(&self) -> bool {
        self.current + 1 >= self.pages.len() && !self.may_grow
    }

    /// All answers, or everything that is wrong with them.
    pub fn collected(&self) -> Result<BTreeMap<AttributeId, Value>, Vec<(&'f Field, Message)>> {
        let mut collected = BTreeMap::new();
        let mut problems = Vec::new();
        for Judged { field, value } in &self.judged {
            match value {
                Ok(Some(value)) => drop(collected.insert(field.id.clone(), value.clone())),
                Ok(None) => {}
                Err(message) => problems.push((*field, message.clone())),
            }
        }
        if problems.is_empty() { Ok(collected) } else { Err(problems) }
    }
}

impl Flow {
    /// Whether a later page may apply because of an answer on this one.
    fn may_follow(&self, page: usize) -> bool {
        let waits = |p: &super::flow::FlowPage| p.when.as_ref().is_some_and(Condition::depends_on_answers);
        let on_pages = self.pages.iter().skip(page + 1).any(waits);
        let asks =
            |f: &&Field| f.page > page && f.input.when.as_ref().is_some_and(Condition::depends_on_answers);
        on_pages || self.fields.iter().any(|f| asks(&f))
    }
}

/// Walks through the questions in their order; each can depend on the answers before it.
fn judge<'f>(flow: &'f Flow, facts: &Facts) -> Vec<Judged<'f>> {
    let mut known = Answers { flow, facts, values: BTreeMap::new() };
    let mut judged = Vec::new();
    for field in &flow.fields {
        if is_settled(flow, facts, field) || !applies(&known, field) {
            continue;
        }
        let value = values::judge(facts, field);
        if let Ok(Some(value)) = &value {
            known.values.insert(field.id.clone(), value.clone());
        }
        judged.push(Judged { field, value });
    }
    judged
}

/// An account is asked only for what it lacks and must have.
fn is_settled(flow: &Flow, facts: &Facts, field: &Field) -> bool {
    facts.review.as_ref().is_some_and(|review| {
        let asked = flow.ask_missing_at_sign_in
            && field.input.required
            && field.input.write_to_directory
            && !field.input.hidden;
        !asked || values::answers(review.attributes.get(&field.id))
    })
}

fn applies(known: &Answers<'_>, field: &Field) -> bool {
    let page = known.flow.pages.get(field.page).and_then(|p| p.when.as_ref());
    page.into_iter().chain(&field.input.when).all(|condition| condition.holds(known))
}

/// Whether these values are all that the flow demands of this visitor, and nothing of its questions that it does not ask them.
pub fn is_complete(flow: &Flow, facts: &Facts, values: &BTreeMap<AttributeId, Value>) -> bool {
    let mut known = Answers { flow, facts, values: BTreeMap::new() };
    for field in &flow.fields {
        let value = values.get(&field.id);
        let fits = match (is_settled(flow, facts, field), applies(&known, field)) {
            (true, _) | (_, false) => value.is_none(),
            (false, true) => !field.input.required || values::answers(value),
        };
        if !fits {
            return false;
        }
        known.values.extend(value.map(|v| (field.id.clone(), v.clone())));
    }
    true
}

/// What is known of a visitor while the questions are gone through.
struct Answers<'a> {
    flow: &'a Flow,
    facts: &'a Facts,
    values: BTreeMap<AttributeId, Value>,
}

impl Known for Answers<'_> {
    fn answer(&self, attribute: &AttributeId) -> Option<Vec<String>> {
        let stored = self.facts.review.as_ref().and_then(|r| r.attributes.get(attribute));
        let field = self.flow.fields.iter().find(|f| f.id == *attribute);
        let list = field.is_some_and(|f| f.input.input_type == InputType::CheckboxMultiSelect);
        match self.values.get(attribute).or(stored)? {
            Value::String(text) if list => Some(text.split(',').map(str::to_owned).collect()),
            Value::String(text) => Some(vec![text.clone()]),
            Value::Array(several) => {
                Some(several.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            other @ (Value::Bool(_) | Value::Number(_)) => Some(vec![other.to_string()]),
            Value::Null | Value::Object(_) => None,
        }
    }

    fn provider_says(&self, attribute: &AttributeId) -> Option<String> {
        self.facts.federated.as_ref()?.claims.get(attribute.as_str()).cloned()
    }

    fn came_by(&self, method: &str) -> bool {
        let provider = match (&self.facts.federated, &self.facts.authenticated) {
            (Some(federated), _) => Some(&federated.provider),
            (None, Some(authenticated)) => authenticated.provider.as_ref(),
            (None, None) => None,
        };
        let amr =
            |word: &str| self.facts.authenticated.as_ref().map(|a| a.amr.iter().any(|method| method == word));
        match provider {
            Some(provider) => provider.as_str().eq_ignore_ascii_case(method),
            None if method.eq_ignore_ascii_case(EMAIL_PASSWORD) => {
                amr("pwd").unwrap_or_else(|| self.flow.has_password())
            }
            None if method.eq_ignore_ascii_case(EMAIL_OTP) => {
                amr("otp").unwrap_or_else(|| !self.flow.has_password())
            }
            None => false,
        }
    }

    fn email_domain(&self) -> Option<String> {
        let address = self.facts.proven_address().or(self.facts.identifier.as_deref())?;
        address.rsplit_once('@').map(|(_, domain)| domain.to_owned())
    }
}

#[cfg(test)]
mod tests;
