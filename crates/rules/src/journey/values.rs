//! Attribute values: what may be typed, and what is stored (sign-up.md 3).

use std::collections::BTreeMap;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

pub(crate) mod date;
pub(crate) mod text;

use super::facts::Facts;
use super::flow::{Field, Flow};
use super::question::RawFields;
use crate::directory::attribute::DataType;
use crate::directory::flow::{Bound, InputType, WhenProvided};
use crate::directory::provider::claims::UpdateWhen;
use crate::ids::AttributeId;
use crate::text::Message;

/// The value with which a field starts: what was typed before, else the provider's claim, else the default
/// (ATTR-18). A suggestion that could not be stored is passed over, unless the person can mend it.
pub fn initial(facts: &Facts, field: &Field) -> Vec<String> {
    let asked = is_asked(facts, field);
    if let Some(typed) = facts.typed.get(field.id.as_str()).filter(|_| asked) {
        return typed.clone();
    }
    let claim = claim(facts, field);
    let suggestions: Vec<Vec<String>> = [claim, field.input.default_value.as_ref()]
        .into_iter()
        .flatten()
        .map(|text| split(field, text))
        .collect();
    let good = suggestions.iter().find(|s| matches!(check_field(field, s), Ok(Some(_))));
    let good = good.map(|suggestion| shown(field, suggestion));
    let mendable = asked && is_typed(field.input.input_type);
    good.or_else(|| suggestions.into_iter().next().filter(|_| mendable)).unwrap_or_default()
}

/// Whether the value is written into a box, where a wrong one can be mended.
const fn is_typed(kind: InputType) -> bool {
    matches!(kind, InputType::Text | InputType::EmailBox | InputType::Phone | InputType::Url)
}

/// Several choices are one text with commas wherever they come from (ATTR-04).
fn split(field: &Field, text: &str) -> Vec<String> {
    if field.input.input_type == InputType::CheckboxMultiSelect {
        return text.split(',').map(str::to_owned).collect();
    }
    vec![text.to_owned()]
}

/// A suggestion as the page shows it: numbers of phones grouped, countries by the code of their option.
fn shown(field: &Field, suggestion: &[String]) -> Vec<String> {
    let one = |text: &String| match field.input.input_type {
        InputType::Phone => text::phone(field, text).map_or_else(|_| text.clone(), |phone| phone.shown),
        InputType::Country => text::country(text).unwrap_or(text).to_owned(),
        InputType::Text
        | InputType::NumericTextBox
        | InputType::EmailBox
        | InputType::DateTimeDropdown
        | InputType::RadioSingleSelect
        | InputType::DropdownSingleSelect
        | InputType::CheckboxMultiSelect
        | InputType::CheckboxSingleSelect
        | InputType::Boolean
        | InputType::Url => text.clone(),
    };
    suggestion.iter().map(one).collect()
}

/// Whether a configured default is a value of the field. A box that must be ticked may begin without.
pub(crate) fn takes_default(field: &Field, default: &str) -> bool {
    let mut field = field.clone();
    field.input.required = false;
    matches!(check_field(&field, &split(&field, default)), Ok(Some(_)))
}

/// What the field stores when this is posted; nothing when it refuses it or is left empty.
pub fn stored(field: &Field, posted: &[String]) -> Option<Value> {
    check_field(field, posted).ok().flatten()
}

/// What the field stores when a provider says this; nothing when it cannot.
pub fn suggested(field: &Field, text: &str) -> Option<Value> {
    stored(field, &split(field, text))
}

/// What of a posted form is kept in the journey: the fields that the person was asked for and no others
/// (ATTR-19), none longer than it takes to say that it is too long. A field that was left out was emptied:
/// a browser does not post a box that is not ticked.
pub fn keep<'f>(
    fields: impl Iterator<Item = &'f Field>,
    posted: &RawFields,
) -> BTreeMap<String, Vec<String>> {
    let kept = |field: &Field| {
        let is_date = field.input.input_type == InputType::DateTimeDropdown;
        let parts = is_date.then(|| date::posted(field.id.as_str(), posted)).flatten();
        let whole = || posted.get(field.id.as_str()).cloned().unwrap_or_default();
        let raw = parts.unwrap_or_else(whole);
        let most = field.input.options.len().max(2);
        clean(&raw).take(most).map(|v| v.chars().take(field.max_length + 1).collect()).collect()
    };
    fields.map(|f| (f.id.0.clone(), kept(f))).collect()
}

/// Whether the person sees the field.
pub fn is_shown(facts: &Facts, field: &Field) -> bool {
    let skipped = field.input.when_provided == WhenProvided::Skip && is_provided(facts, field);
    !field.input.hidden && !skipped
}

/// Whether the person fills the field in.
pub fn is_asked(facts: &Facts, field: &Field) -> bool {
    let open = match field.input.when_provided {
        WhenProvided::Editable => true,
        WhenProvided::Fixed | WhenProvided::Skip => !is_provided(facts, field),
    };
    !field.input.hidden && field.input.editable && open
}

fn claim<'f>(facts: &'f Facts, field: &Field) -> Option<&'f String> {
    facts.federated.as_ref().and_then(|f| f.claims.get(field.id.as_str()))
}

/// Whether the provider has said a value that can be stored.
fn is_provided(facts: &Facts, field: &Field) -> bool {
    claim(facts, field).is_some_and(|text| matches!(check_field(field, &split(field, text)), Ok(Some(_))))
}

/// What an account takes over from the provider that its holder came by: values that can be stored, of attributes
/// that the flow asks for (IDP-OIDC-02).
pub fn updates(flow: &Flow, facts: &Facts) -> BTreeMap<AttributeId, (UpdateWhen, Value)> {
    let Some(federated) = &facts.federated else { return BTreeMap::new() };
    // What a code has proven is not replaced by a word that nobody proved.
    let wanted = |field: &&Field| {
        let input = &field.input;
        input.write_to_directory && !input.requires_verification && field.id.as_str() != "email"
    };
    let value = |field: &Field| {
        let when = *federated.updates.get(field.id.as_str()).filter(|when| **when != UpdateWhen::Never)?;
        let value = check_field(field, &split(field, claim(facts, field)?)).ok().flatten()?;
        Some((field.id.clone(), (when, value)))
    };
    flow.fields.iter().filter(wanted).filter_map(value).collect()
}

/// The value that stands in a field now, or what is wrong with it.
pub(super) fn judge(facts: &Facts, field: &Field) -> Result<Option<Value>, Message> {
    // What an extension said goes before what was typed (ATTR-18), and is never shown in the field.
    let supplied = facts.supplied.get(field.id.as_str()).cloned();
    check_field(field, &supplied.unwrap_or_else(|| initial(facts, field)))
}

/// Whether a required field is answered by this value.
pub(super) fn answers(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(ticked)) => *ticked,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Number(_)) => true,
        Some(Value::Null | Value::Object(_)) | None => false,
    }
}

fn check_field(field: &Field, raw: &[String]) -> Result<Option<Value>, Message> {
    let cleaned: Vec<String> = clean(raw).collect();
    match field.data_type {
        DataType::Boolean => check_boolean(field, &cleaned),
        DataType::Int64 => check_integer(field, &cleaned),
        DataType::DateTime => date::check(field, &cleaned),
        DataType::StringCollection => check_collection(field, &cleaned),
        DataType::String if field.input.input_type == InputType::DateTimeDropdown => {
            date::check(field, &cleaned)
        }
        DataType::String => check_string(field, &cleaned),
    }
}

/// Values without the white space around them, in NFC, and with one kind of line end: browsers post two
/// characters where they counted one.
fn clean(raw: &[String]) -> impl Iterator<Item = String> {
    raw.iter().map(|v| v.trim().replace("\r\n", "\n").nfc().collect::<String>()).filter(|v| !v.is_empty())
}

fn check_boolean(field: &Field, raw: &[String]) -> Result<Option<Value>, Message> {
    let ticked = match raw.last().map(String::as_str) {
        Some("true" | "on" | "1") => true,
        None | Some("false" | "off" | "0") => false,
        Some(_) => return Err(Message::new("field-option")),
    };
    if field.input.required && !ticked {
        return Err(Message::new("field-must-accept"));
    }
    Ok(Some(Value::Bool(ticked)))
}

fn check_integer(field: &Field, raw: &[String]) -> Result<Option<Value>, Message> {
    let Some(text) = raw.first() else {
        return if field.input.required { Err(required(field)) } else { Ok(None) };
    };
    // Word processors and some keyboards write the sign of a negative number as U+2212.
    let text = text.replace('\u{2212}', "-");
    matches_pattern(field, &text)?;
    let number = text.parse::<i64>().map_err(|_| Message::new("field-number"))?;
    if let Some(Bound::Number(least)) = field.input.minimum
        && number < least
    {
        return Err(Message::new("field-number-low").with("min", least));
    }
    if let Some(Bound::Number(most)) = field.input.maximum
        && number > most
    {
        return Err(Message::new("field-number-high").with("max", most));
    }
    Ok(Some(Value::from(number)))
}

/// Several choices, in the order of the options and each once, however they were posted.
fn choices<'f>(field: &'f Field, raw: &[String]) -> Result<Vec<&'f str>, Message> {
    let values = || field.input.options.iter().map(|o| o.value.as_str());
    if raw.iter().any(|r| values().all(|v| v != r)) {
        return Err(Message::new("field-option"));
    }
    Ok(values().filter(|v| raw.iter().any(|r| r == v)).collect())
}

fn check_collection(field: &Field, raw: &[String]) -> Result<Option<Value>, Message> {
    let chosen = choices(field, raw)?;
    if chosen.is_empty() {
        return if field.input.required { Err(required(field)) } else { Ok(None) };
    }
    if chosen.iter().any(|value| value.chars().count() > field.max_length) {
        return Err(Message::new("field-too-long").with("max", field.max_length));
    }
    Ok(Some(chosen.into()))
}

fn check_string(field: &Field, raw: &[String]) -> Result<Option<Value>, Message> {
    let Some(first) = raw.first() else {
        return if field.input.required { Err(required(field)) } else { Ok(None) };
    };
    let value = if field.input.input_type == InputType::CheckboxMultiSelect {
        choices(field, raw)?.join(",")
    } else if !field.input.options.is_empty() {
        let offered = field.input.options.iter().any(|o| o.value == *first);
        if offered { first.clone() } else { return Err(Message::new("field-option")) }
    } else {
        text::characters(field, first)?;
        text::name(field, first)?;
        // Before it is read as anything: what `keep` has cut must not pass for the whole.
        within(field, first)?;
        text::stored(field, first)?
    };
    within(field, &value)?;
    matches_pattern(field, &value)?;
    Ok(Some(Value::String(value)))
}

fn within(field: &Field, text: &str) -> Result<(), Message> {
    let good = text.chars().count() <= field.max_length;
    if good { Ok(()) } else { Err(Message::new("field-too-long").with("max", field.max_length)) }
}

fn required(field: &Field) -> Message {
    let choose = field.input.input_type.is_choice() || field.input.input_type == InputType::Country;
    Message::new(if choose { "field-choose" } else { "field-required" })
}

/// A pattern that does not compile was refused when the flow was stored; here it matches nothing.
fn matches_pattern(field: &Field, text: &str) -> Result<(), Message> {
    let Some(pattern) = &field.input.validation_reg_ex else { return Ok(()) };
    let whole = format!("^(?:{pattern})$");
    let good = regex::RegexBuilder::new(&whole).size_limit(1 << 20).build().is_ok_and(|r| r.is_match(text));
    if good { Ok(()) } else { Err(Message::new("field-pattern")) }
}

#[cfg(test)]
mod tests;
