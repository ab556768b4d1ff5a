//! What was expected and what is there, compared and put into words.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use vestibule_rules::directory::check::PathStep;
use vestibule_rules::directory::terms::Agreement;
use vestibule_rules::directory::user::User;
use vestibule_rules::journey::engine;
use vestibule_rules::journey::facts::Facts;
use vestibule_rules::journey::form::{FieldKind, Form, FormField, Text};
use vestibule_rules::journey::step::{Step, StepName};
use vestibule_rules::oauth::claims::attribute;
use vestibule_rules::text::Message;

use super::names::Names;
use super::shape::{AccountExpectation, Ending, StepSection, ThenSection, TokenExpectation};
use super::suite::key;
use crate::directory::structure::likely;

type Met = Result<(), Unmet>;

/// An expectation that was not met.
pub(super) struct Unmet {
    /// The place below the step or `then`.
    pub(super) path: Vec<PathStep>,
    /// What was expected.
    pub(super) text: String,
    /// What is there instead, when it is not the page.
    pub(super) instead: Option<String>,
}

impl Unmet {
    pub(super) fn new(path: Vec<PathStep>, text: String) -> Self {
        Self { path, text, instead: None }
    }

    pub(super) fn at(name: &str, text: String) -> Self {
        Self::new(vec![key(name)], text)
    }

    fn instead(mut self, text: impl Into<String>) -> Self {
        self.instead = Some(text.into());
        self
    }
}

/// Compares a page.
pub(super) fn page(step: &StepSection, form: &Form, names: &Names) -> Met {
    if form.step != step.see {
        return Err(Unmet::at("see", format!("the step “{}”", step.see.as_str())));
    }
    if let Some(title) = &step.title
        && said(&form.title) != *title
    {
        return Err(Unmet::at("title", format!("the title “{title}”")).instead(said(&form.title)));
    }
    fields(step, form, names)?;
    problems(step, form, names)?;
    if let Some(offered) = &step.providers {
        let shown: Vec<String> = form.providers.iter().map(|p| p.id.key()).collect();
        let wanted: Vec<String> = offered.iter().map(|id| id.to_lowercase()).collect();
        if shown != wanted {
            return Err(Unmet::at("providers", format!("the providers {}", list(offered))));
        }
    }
    let is_there = |id: &String| form.actions.iter().any(|action| action.id == *id);
    if let Some(missing) = step.can.iter().find(|id| !is_there(id)) {
        return Err(Unmet::at("can", format!("the button “{missing}”")));
    }
    if let Some(extra) = step.cannot.iter().find(|id| is_there(id)) {
        return Err(Unmet::at("cannot", format!("no button “{extra}”")));
    }
    Ok(())
}

fn fields(step: &StepSection, form: &Form, names: &Names) -> Met {
    let find = |name: &str| form.fields.iter().find(|field| field.name == names.id(name));
    if let Some(wanted) = &step.fields {
        let ids: Vec<String> = wanted.iter().map(|name| names.id(name)).collect();
        if !form.fields.iter().map(|field| &field.name).eq(ids.iter()) {
            return Err(Unmet::at("fields", format!("exactly the fields {}", list(wanted))));
        }
    }
    if let Some(name) = step.absent.iter().find(|name| find(name).is_some()) {
        return Err(Unmet::at("absent", format!("no field “{name}”")));
    }
    if let Some(name) = step.fixed.iter().find(|name| !find(name).is_some_and(|field| field.fixed)) {
        return Err(Unmet::at("fixed", format!("the field “{name}”, which cannot be changed")));
    }
    for (name, wanted) in &step.values {
        let shown = find(name).map(|field| field.values.as_slice());
        if shown.is_none_or(|shown| !stands(wanted, shown)) {
            let text = format!("{wanted} in the field “{name}”");
            return Err(Unmet::new(vec![key("values"), key(name)], text));
        }
    }
    Ok(())
}

/// Whether a value of a test stands in a field.
fn stands(wanted: &Value, shown: &[String]) -> bool {
    match wanted {
        Value::Array(several) => several.iter().map(Value::as_str).eq(shown.iter().map(|s| Some(s.as_str()))),
        Value::Bool(ticked) => shown.iter().any(|text| text == "true") == *ticked,
        Value::String(text) if text.is_empty() => shown.iter().all(String::is_empty),
        Value::String(text) => shown == [text.as_str()],
        Value::Null | Value::Number(_) | Value::Object(_) => shown == [wanted.to_string()],
    }
}

fn problems(step: &StepSection, form: &Form, names: &Names) -> Met {
    for (name, wanted) in &step.problems {
        let id = names.id(name);
        let shown =
            form.fields.iter().find(|field| field.name == id).and_then(|field| field.problem.as_ref());
        if shown.is_none_or(|message| message.id != *wanted) {
            let text = format!("the problem “{wanted}” beside the field “{name}”");
            return Err(Unmet::new(vec![key("problems"), key(name)], text));
        }
    }
    let expected = |id: &str| step.problems.keys().any(|name| names.id(name) == id);
    if let Some(field) = form.fields.iter().find(|f| f.problem.is_some() && !expected(&f.name)) {
        let text = format!("no problem beside the field “{}”", names.plain(&field.name));
        return Err(Unmet::at("see", text));
    }
    let shown: Vec<&str> = form.problems.iter().map(|message| message.id.as_str()).collect();
    // A refusal says why by itself; whoever does not care need not write it down.
    let silent = step.notices.is_empty() && form.step == StepName::Refused;
    if shown != step.notices && !silent {
        let text = if step.notices.is_empty() {
            "no problem with the page as a whole".to_owned()
        } else {
            format!("the problem with the page as a whole {}", list(&step.notices))
        };
        return Err(Unmet::at(if step.notices.is_empty() { "see" } else { "notices" }, text));
    }
    Ok(())
}

/// Compares what the visitor has accepted; of several versions of a document the last one counts.
pub(super) fn terms(wanted: &BTreeMap<String, String>, accepted: &[Agreement]) -> Met {
    let has: BTreeMap<String, String> =
        accepted.iter().map(|a| (a.document.clone(), a.version.clone())).collect();
    if has == *wanted {
        return Ok(());
    }
    let shown = |all: &BTreeMap<String, String>| {
        let each: Vec<String> =
            all.iter().map(|(document, version)| format!("{document} {version}")).collect();
        if each.is_empty() { "nothing".to_owned() } else { each.join(", ") }
    };
    Err(Unmet::at("terms", format!("the visitor has accepted {}", shown(wanted))).instead(shown(&has)))
}

/// Compares where the journey is.
pub(super) fn ending(then: &ThenSection, facts: &Facts) -> Met {
    let step = engine::next(facts);
    let is = match &step {
        Step::Ended { cancelled: true } => Ending::Cancelled,
        Step::Ended { cancelled: false } => Ending::SignedIn,
        Step::Refused(_) => Ending::Refused,
        Step::Identify
        | Step::SignUp
        | Step::Reset
        | Step::Password { .. }
        | Step::Code { .. }
        | Step::NewPassword { .. }
        | Step::Details { .. }
        | Step::Guardian
        | Step::GuardianWait { .. }
        | Step::GuardianAgreed
        | Step::Address
        | Step::Exists { .. }
        | Step::Stay
        | Step::Leave { .. } => Ending::Open,
    };
    if is != then.end {
        let text = match then.end {
            Ending::SignedIn => "the visitor is signed in",
            Ending::Cancelled => "the visitor went back to the application",
            Ending::Refused => "the visitor was refused",
            Ending::Open => "something is still asked",
        };
        return Err(Unmet::at("end", text.to_owned()));
    }
    let Step::Refused(refusal) = step else { return Ok(()) };
    if let Some(message) = &then.message
        && *message != refusal.message.id
    {
        return Err(Unmet::at("message", format!("the refusal “{message}”")));
    }
    match then.code {
        Some(code) if code != refusal.code => {
            Err(Unmet::at("code", format!("the number {code}")).instead(refusal.code.to_string()))
        }
        Some(_) | None => Ok(()),
    }
}

/// Compares an account as it stands in the directory.
pub(super) fn account(wanted: &AccountExpectation, user: &User, names: &Names) -> Met {
    let within = |rest: Vec<PathStep>| [vec![key("account")], rest].concat();
    let actual = serde_json::to_value(user).unwrap_or_default();
    for (name, value) in &wanted.properties {
        // `ageGroup` and its kin are properties in Graph, and nothing that anybody is asked.
        let is = match actual.get(name).or_else(|| user.attributes.get(name)) {
            None if !value.is_null() => {
                let known = actual.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
                let text = format!("an account has the property “{name}”{}", likely(name, known));
                return Err(Unmet::new(within(vec![key(name)]), text).instead("no such property"));
            }
            found => found.unwrap_or(&Value::Null),
        };
        if let Some((path, text, instead)) = differs(value, is) {
            let path = within([vec![key(name)], path].concat());
            return Err(Unmet::new(path, text).instead(instead));
        }
    }
    for (name, value) in &wanted.attributes {
        let is = attribute(user, &names.id(name)).unwrap_or(Value::Null);
        if let Some((_, text, instead)) = differs(value, &is) {
            let path = within(vec![key("attributes"), key(name)]);
            return Err(Unmet::new(path, text).instead(instead));
        }
    }
    for (i, name) in wanted.absent.iter().enumerate() {
        if let Some(is) = attribute(user, &names.id(name)) {
            let path = within(vec![key("absent"), PathStep::Index(i)]);
            return Err(Unmet::new(path, format!("no value of “{name}”")).instead(is.to_string()));
        }
    }
    Ok(())
}

/// Compares the claims of a token.
pub(super) fn token(wanted: &TokenExpectation, claims: &Value) -> Met {
    for (name, value) in &wanted.claims {
        if let Some((_, text, instead)) = differs(value, claims.get(name).unwrap_or(&Value::Null)) {
            return Err(Unmet::new(vec![key("token"), key(name)], text).instead(instead));
        }
    }
    match wanted.absent.iter().enumerate().find_map(|(i, name)| Some((i, name, claims.get(name)?))) {
        Some((i, name, is)) => {
            let path = vec![key("token"), key("absent"), PathStep::Index(i)];
            Err(Unmet::new(path, format!("no claim “{name}”")).instead(is.to_string()))
        }
        None => Ok(()),
    }
}

type Difference = (Vec<PathStep>, String, String);

/// The first difference; of a block only the keys that are named count, a list counts whole.
fn differs(wanted: &Value, is: &Value) -> Option<Difference> {
    let below = |step: PathStep, found: Option<Difference>| {
        found.map(|(path, text, instead)| ([vec![step], path].concat(), text, instead))
    };
    match (wanted, is) {
        (Value::Object(keys), Value::Object(_)) => keys
            .iter()
            .find_map(|(name, value)| below(key(name), differs(value, is.get(name).unwrap_or(&Value::Null)))),
        (Value::Array(wanted), Value::Array(is)) if wanted.len() == is.len() => wanted
            .iter()
            .zip(is)
            .enumerate()
            .find_map(|(i, (wanted, is))| below(PathStep::Index(i), differs(wanted, is))),
        _ if wanted == is => None,
        _ => Some((Vec::new(), wanted.to_string(), is.to_string())),
    }
}

fn said(text: &Text) -> String {
    match text {
        Text::Message(message) => message.id.clone(),
        Text::Markdown(text) => text.clone(),
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "(none)".to_owned() } else { names.join(", ") }
}

fn told(message: &Message) -> String {
    let mut text = message.id.clone();
    for (name, value) in &message.args {
        text = format!("{text} {name}={value}");
    }
    text
}

/// A page in a few lines.
pub(super) struct Shown<'a> {
    pub(super) form: &'a Form,
    pub(super) names: &'a Names,
}

impl Shown<'_> {
    fn field(&self, field: &FormField) -> String {
        let mut text = self.names.plain(&field.name).to_owned();
        let secret =
            matches!(field.kind, FieldKind::CurrentPassword | FieldKind::NewPassword | FieldKind::Code);
        if field.required {
            text.push('*');
        }
        if !secret {
            let values = field.values.join(", ");
            text =
                if values.is_empty() { format!("{text}: empty") } else { format!("{text}: “{values}”") };
        }
        if field.fixed {
            text.push_str(" (fixed)");
        }
        match &field.problem {
            Some(problem) => format!("{text} ✗ {}", told(problem)),
            None => text,
        }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = self.form;
        write!(f, "the step “{}”, titled “{}”", form.step.as_str(), said(&form.title))?;
        for problem in &form.problems {
            write!(f, "\n  ✗ {}", told(problem))?;
        }
        for field in &form.fields {
            write!(f, "\n  {}", self.field(field))?;
        }
        if !form.providers.is_empty() {
            let ids: Vec<&str> = form.providers.iter().map(|p| p.id.as_str()).collect();
            write!(f, "\n  providers: {}", ids.join(", "))?;
        }
        if !form.actions.is_empty() {
            let ids: Vec<&str> = form.actions.iter().map(|a| a.id).collect();
            write!(f, "\n  buttons: {}", ids.join(", "))?;
        }
        Ok(())
    }
}
