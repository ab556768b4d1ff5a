//! Whether a condition can hold at all: it may speak only of what is known by then, and some visitor must be
//! able to meet it. A question that nobody is ever asked is a mistake, not a setting.

use std::collections::BTreeMap;

use super::{Findings, Place, attribute};
use crate::directory::attribute::DataType;
use crate::directory::condition::{Comparison, Condition, Known};
use crate::directory::flow::{AttributeInput, InputType, UserFlow};
use crate::directory::provider::{EMAIL_OTP, EMAIL_PASSWORD};
use crate::directory::tenant::TenantConfig;
use crate::ids::AttributeId;

/// More combinations than this are not tried out; such a condition is taken for one that can hold.
const MOST_COMBINATIONS: usize = 20_000;

/// Where a condition stands.
pub(super) struct Scene<'a> {
    pub(super) config: &'a TenantConfig,
    pub(super) flow: &'a UserFlow,
    /// The questions that come before it.
    pub(super) before: Vec<&'a AttributeInput>,
}

/// Checks the condition of a question or page.
pub(super) fn check(scene: &Scene<'_>, condition: &Condition, at: &Place, found: &mut Findings) {
    let Scene { config, flow, before } = scene;
    let count = found.0.len();
    for inner in condition.all() {
        let answered = inner.answer.as_ref().and_then(|a| answer_problem(config, before, a));
        let said = inner.provider_says.as_ref().and_then(|s| said_problem(config, flow, s));
        for (key, text) in [("answer", answered), ("providerSays", said)] {
            if let Some(text) = text {
                found.add(&at.key(key), "ATTR-10", text);
            }
        }
        for method in inner.method.iter().filter(|m| !offers(flow, m)) {
            let known = flow.identity_providers.join(", ");
            let text = format!("nobody comes by “{method}”; the flow has {known}");
            found.add(&at.key("method"), "FLOW-07", text);
        }
    }
    if found.0.len() == count && !can_hold(flow, condition, before) {
        found.add(at, "ATTR-10", "this can never hold, so the question would never be asked");
    }
}

fn offers(flow: &UserFlow, method: &str) -> bool {
    flow.identity_providers.iter().any(|m| m.eq_ignore_ascii_case(method))
}

fn answer_problem(config: &TenantConfig, before: &[&AttributeInput], answer: &Comparison) -> Option<String> {
    if attribute::find(config, &answer.attribute).is_none() {
        return Some(attribute::unknown(config, &answer.attribute));
    }
    let Some(input) = before.iter().find(|i| i.attribute == answer.attribute) else {
        return Some(format!("“{}” is not asked before this; a condition looks back only", answer.attribute));
    };
    let values = values_of(config, input)?;
    let strange: Vec<&str> = answer
        .is
        .iter()
        .filter(|is| !values.iter().any(|v| v.eq_ignore_ascii_case(is.trim())))
        .map(String::as_str)
        .collect();
    (!strange.is_empty()).then(|| {
        format!(
            "“{}” is no answer to “{}”; answers are {}",
            strange.join("”, “"),
            answer.attribute,
            values.join(", ")
        )
    })
}

/// The only values that a question can have; `None` when any text is one.
fn values_of(config: &TenantConfig, input: &AttributeInput) -> Option<Vec<String>> {
    if attribute::find(config, &input.attribute) == Some(DataType::Boolean) {
        return Some(vec!["true".to_owned(), "false".to_owned()]);
    }
    let values: Vec<String> = input.options.iter().map(|o| o.value.clone()).collect();
    (!values.is_empty()).then_some(values)
}

fn said_problem(config: &TenantConfig, flow: &UserFlow, said: &Comparison) -> Option<String> {
    if attribute::find(config, &said.attribute).is_none() {
        return Some(attribute::unknown(config, &said.attribute));
    }
    let mut own = config.identity_providers.iter().filter(|p| offers(flow, p.id.as_str()));
    let mapped = own.any(|p| p.claim_mapping().contains_key(said.attribute.as_str()));
    (!mapped).then(|| {
        format!("no provider of this flow maps a claim to “{}” (inboundClaimMapping)", said.attribute)
    })
}

/// Tries out every combination of what the condition tells apart.
fn can_hold(flow: &UserFlow, condition: &Condition, before: &[&AttributeInput]) -> bool {
    let parts = condition.all();
    let answers = domains(parts.iter().filter_map(|c| c.answer.as_ref()), |id, seen| {
        let input = before.iter().find(|i| i.attribute == *id);
        let several = input.is_some_and(|i| i.input_type == InputType::CheckboxMultiSelect);
        let mut sets = vec![None];
        if several && seen.len() <= 8 {
            for mask in 1..(1_usize << seen.len()) {
                let chosen = seen.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0);
                sets.push(Some(chosen.map(|(_, v)| v.clone()).collect()));
            }
        } else {
            sets.extend(seen.into_iter().map(|value| Some(vec![value])));
        }
        let free = input.is_some_and(|i| i.options.is_empty());
        if free || input.is_some_and(|i| i.options.len() > sets.len()) {
            sets.push(Some(vec!["\u{0}another".to_owned()]));
        }
        sets
    });
    let says = domains(parts.iter().filter_map(|c| c.provider_says.as_ref()), |_, seen| {
        let mut values = vec![None, Some(vec!["\u{0}another".to_owned()])];
        values.extend(seen.into_iter().map(|value| Some(vec![value])));
        values
    });
    let mut email_domains: Vec<String> = parts.iter().flat_map(|c| c.email_domain.clone()).collect();
    email_domains.push("\u{0}another".to_owned());
    let mut visitors = vec![Visitor::default()];
    for (is_answer, (id, sets)) in
        answers.into_iter().map(|d| (true, d)).chain(says.into_iter().map(|d| (false, d)))
    {
        visitors = crossed(&visitors, &sets, |visitor, set| visitor.know(is_answer, &id, set));
        if visitors.len() > MOST_COMBINATIONS {
            return true;
        }
    }
    let ways = crossed(&visitors, &flow.identity_providers, |v, method| v.method.clone_from(method));
    let all = crossed(&ways, &email_domains, |v, domain| v.domain.clone_from(domain));
    all.len() > MOST_COMBINATIONS || all.iter().any(|visitor| condition.holds(visitor))
}

type Values = Option<Vec<String>>;

fn domains<'c>(
    comparisons: impl Iterator<Item = &'c Comparison>,
    sets: impl Fn(&AttributeId, Vec<String>) -> Vec<Values>,
) -> BTreeMap<AttributeId, Vec<Values>> {
    let mut seen: BTreeMap<AttributeId, Vec<String>> = BTreeMap::new();
    for comparison in comparisons {
        let values = seen.entry(comparison.attribute.clone()).or_default();
        values.extend(comparison.is.iter().map(|v| v.trim().to_lowercase()));
        values.sort();
        values.dedup();
    }
    seen.into_iter().map(|(id, values)| (id.clone(), sets(&id, values))).collect()
}

fn crossed<T>(visitors: &[Visitor], values: &[T], set: impl Fn(&mut Visitor, &T)) -> Vec<Visitor> {
    let with = |visitor: &Visitor, value: &T| {
        let mut visitor = visitor.clone();
        set(&mut visitor, value);
        visitor
    };
    visitors
        .iter()
        .flat_map(|v| values.iter().map(move |value| (v, value)))
        .map(|(v, value)| with(v, value))
        .collect()
}

/// Somebody who might come.
#[derive(Clone, Default)]
struct Visitor {
    answers: BTreeMap<AttributeId, Vec<String>>,
    says: BTreeMap<AttributeId, Vec<String>>,
    method: String,
    domain: String,
}

impl Visitor {
    fn know(&mut self, is_answer: bool, id: &AttributeId, values: &Values) {
        let known = if is_answer { &mut self.answers } else { &mut self.says };
        known.extend(values.clone().map(|values| (id.clone(), values)));
    }
}

impl Known for Visitor {
    fn answer(&self, attribute: &AttributeId) -> Option<Vec<String>> {
        self.answers.get(attribute).cloned()
    }

    fn provider_says(&self, attribute: &AttributeId) -> Option<String> {
        let local = self.method == EMAIL_PASSWORD || self.method == EMAIL_OTP;
        self.says.get(attribute).filter(|_| !local).and_then(|values| values.first().cloned())
    }

    fn came_by(&self, method: &str) -> bool {
        self.method.eq_ignore_ascii_case(method)
    }

    fn email_domain(&self) -> Option<String> {
        Some(self.domain.clone())
    }
}

#[cfg(test)]
mod tests;
