//! What is wrong with a test before it runs: names that lead nowhere, and steps that contradict themselves.
//! Each is a mistake in the file, not a failure of the flow.

use serde_json::Value;
use vestibule_rules::directory::address::Address;
use vestibule_rules::directory::attribute::{BUILT_IN, find_built_in};
use vestibule_rules::directory::check::PathStep;
use vestibule_rules::ids::ProviderId;
use vestibule_rules::journey::step::StepName;
use vestibule_rules::oauth::scope::Scope;
use vestibule_rules::time::Span;

use super::shape::{AccountSection, Ending, StepSection};
use super::suite::{Scenario, key};
use super::visitor::{DECLINES, FAILS};
use crate::directory::FileProblem;
use crate::directory::structure::likely;

/// Everything that is wrong with a scenario; the first `shared` of its accounts stand at the top of the file.
pub(super) fn check(scenario: &Scenario, shared: usize) -> Vec<FileProblem> {
    let mut work = Work { scenario, problems: Vec::new() };
    for (i, account) in scenario.accounts.iter().enumerate() {
        let path = match i.checked_sub(shared) {
            None => vec![key("directory"), PathStep::Index(i)],
            Some(own) => scenario.path(&[key("directory"), PathStep::Index(own)]),
        };
        work.account(&path, account);
    }
    let last = scenario.section.steps.len().saturating_sub(1);
    for (i, step) in scenario.section.steps.iter().enumerate() {
        let path = scenario.path(&[key("steps"), PathStep::Index(i)]);
        work.names(&path, step);
        work.deeds(&path, step, i == last);
    }
    work.outcome();
    work.problems
}

struct Work<'s> {
    scenario: &'s Scenario,
    problems: Vec<FileProblem>,
}

impl Work<'_> {
    fn problem(&mut self, path: &[PathStep], rest: &[PathStep], text: impl Into<String>) {
        let mut path = path.to_vec();
        path.extend_from_slice(rest);
        self.problems.push(self.scenario.places.problem(&path, text));
    }

    fn account(&mut self, path: &[PathStep], account: &AccountSection) {
        if Address::parse(&account.mail).is_err() {
            self.problem(path, &[key("mail")], format!("“{}” is no address", account.mail));
        }
        for provider in account.providers.keys() {
            let known = &self.scenario.stage.config.identity_providers;
            if !known.iter().any(|p| p.id.as_str() == provider) {
                let guess = likely(provider, known.iter().map(|p| p.id.as_str()));
                let text = format!("the tenant has no provider “{provider}”{guess}");
                self.problem(path, &[key("providers"), key(provider)], text);
            }
        }
        for name in account.attributes.keys() {
            self.attribute(path, &[key("attributes"), key(name)], name);
        }
    }

    fn attribute(&mut self, path: &[PathStep], rest: &[PathStep], name: &str) {
        let names = &self.scenario.stage.names;
        let id = names.id(name);
        if find_built_in(&id).is_some() || names.is_own(&id) {
            return;
        }
        let known = BUILT_IN.iter().map(|a| a.id).chain(names.attributes());
        let text = format!("the tenant has no attribute “{name}”{}", likely(name, known));
        self.problem(path, rest, text);
    }

    /// Fields that no page of the flow has, and providers that it does not offer.
    fn names(&mut self, path: &[PathStep], step: &StepSection) {
        let lists = [
            ("fields", step.fields.as_deref().unwrap_or_default()),
            ("absent", &step.absent),
            ("fixed", &step.fixed),
        ];
        for (list, written) in lists {
            for (i, name) in written.iter().enumerate() {
                // What must be absent may be an attribute that the flow does not ask for at all.
                let asked = list != "absent" || !self.is_attribute(name);
                self.field(path, &[key(list), PathStep::Index(i)], name, asked);
            }
        }
        let typed = step.typed.keys().map(|name| ("type", name));
        let shown = step.values.keys().map(|name| ("values", name));
        let wrong = step.problems.keys().map(|name| ("problems", name));
        for (block, name) in typed.chain(shown).chain(wrong) {
            self.field(path, &[key(block), key(name)], name, true);
        }
        for name in step.extension.keys() {
            let id = self.scenario.stage.names.id(name);
            let field = self.scenario.stage.flow.fields.iter().find(|f| f.id.as_str() == id);
            let text = match field {
                Some(field) if field.input.editable => continue,
                Some(_) => "an extension cannot set what is not editable".to_owned(),
                None => {
                    format!("the flow does not collect “{name}”; what it does not have is ignored (ATTR-19)")
                }
            };
            self.problem(path, &[key("extension"), key(name)], text);
        }
        let offered = step.providers.iter().flatten().enumerate();
        let offered = offered.map(|(i, id)| (vec![key("providers"), PathStep::Index(i)], id));
        let chosen = step.choose.iter().map(|id| (vec![key("choose")], id));
        for (rest, id) in offered.chain(chosen).collect::<Vec<_>>() {
            let flow = &self.scenario.stage.flow;
            if flow.provider(&ProviderId::new(id.as_str())).is_none() {
                let guess = likely(id, flow.providers().map(|(id, _)| id.as_str()));
                self.problem(path, &rest, format!("the flow does not offer the provider “{id}”{guess}"));
            }
        }
    }

    fn is_attribute(&self, name: &str) -> bool {
        let id = self.scenario.stage.names.id(name);
        find_built_in(&id).is_some() || self.scenario.stage.names.is_own(&id)
    }

    fn field(&mut self, path: &[PathStep], rest: &[PathStep], name: &str, asked: bool) {
        let names = &self.scenario.stage.names;
        if asked && !names.is_field(name) {
            let guess = likely(name, names.fields());
            let known: Vec<&str> = names.fields().collect();
            let hint = if guess.is_empty() { format!("; it has {}", known.join(", ")) } else { guess };
            self.problem(path, rest, format!("no page of the flow has a field “{name}”{hint}"));
        }
    }

    /// What the visitor does.
    fn deeds(&mut self, path: &[PathStep], step: &StepSection, last: bool) {
        let fills = !step.typed.is_empty() || step.code.is_some() || !step.extension.is_empty();
        let deeds = [
            fills || step.press.is_some(),
            step.choose.is_some(),
            step.provider.is_some(),
            step.guardian.is_some(),
        ];
        let count = deeds.iter().filter(|done| **done).count();
        if count > 1 {
            let text =
                "a visitor does one thing on a page: type or press, choose, or come back from a provider";
            self.problem(path, &[key("see")], text);
        }
        if count == 0 && step.advance.is_none() && !last {
            let text = "nothing is done here, so nothing can follow; write type, press, choose or provider";
            self.problem(path, &[key("see")], text);
        }
        if step.code.is_some() && step.typed.contains_key("code") {
            self.problem(path, &[key("code")], "the code is typed twice");
        }
        if let Some(text) = &step.advance
            && span(text).is_none()
        {
            self.problem(path, &[key("advance")], format!("“{text}” is no time such as 30s, 11m or 2h"));
        }
        for (block, values) in
            [("type", &step.typed), ("values", &step.values), ("extension", &step.extension)]
        {
            for (name, value) in values {
                if !is_plain(value) {
                    let text = "write a text, a number, true, false or a list of texts";
                    self.problem(path, &[key(block), key(name)], text);
                }
            }
        }
        self.provider(path, step);
    }

    fn provider(&mut self, path: &[PathStep], step: &StepSection) {
        let Some(reply) = &step.provider else { return };
        let text = match reply {
            _ if step.see != StepName::Leave => "a provider answers at the step “leave” only",
            Value::Object(claims) if claims.get("sub").is_some_and(Value::is_string) => return,
            Value::Object(_) => "every provider says who somebody is: “sub” is missing, or no text",
            Value::String(word) if word == DECLINES || word == FAILS => return,
            _ => "write the claims of the provider's ID token, “declines” or “fails”",
        };
        self.problem(path, &[key("provider")], text);
    }

    fn outcome(&mut self) {
        let scenario = self.scenario;
        let (then, path) = (&scenario.section.then, scenario.path(&[key("then")]));
        if then.end != Ending::Refused {
            for (name, given) in [("message", then.message.is_some()), ("code", then.code.is_some())] {
                if given {
                    self.problem(&path, &[key(name)], "only a journey that is refused has one");
                }
            }
        }
        if then.end != Ending::SignedIn && then.token.is_some() {
            self.problem(&path, &[key("token")], "only who is signed in gets a token");
        }
        if let Some(account) = &then.account {
            for name in account.attributes.keys() {
                self.attribute(&path, &[key("account"), key("attributes"), key(name)], name);
            }
            for (i, name) in account.absent.iter().enumerate() {
                self.attribute(&path, &[key("account"), key("absent"), PathStep::Index(i)], name);
            }
        }
        if let Err(error) = Scope::parse(&scenario.section.scope, &scenario.stage.config.applications) {
            let text = format!("the application cannot ask for this: {}", error.description);
            let path = scenario.path(&[key("scope")]);
            self.problem(&path, &[], text);
        }
    }
}

/// A text, a number, a truth, or a list of texts.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => true,
        Value::Array(several) => several.iter().all(Value::is_string),
        Value::Null | Value::Object(_) => false,
    }
}

/// A length of time as people write it.
pub(super) fn span(text: &str) -> Option<Span> {
    let unit = text.chars().last()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok().filter(|number| (1..100_000).contains(number))?;
    Some(match unit {
        's' => Span::seconds(number),
        'm' => Span::minutes(number),
        'h' => Span::hours(number),
        'd' => Span::days(number),
        _ => return None,
    })
}
