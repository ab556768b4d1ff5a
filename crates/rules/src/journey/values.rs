//! Attribute values: what may be typed, and what is stored (sign-up.md 3).

use std::collections::BTreeMap;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::facts::Facts;
use super::flow::Field;
use super::question::RawFields;
use crate::directory::attribute::DataType;
use crate::directory::flow::{InputType, WhenProvided};
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
    let good = suggestions.iter().find(|s| matches!(check_field(field, s), Ok(Some(_)))).cloned();
    let mendable = asked && field.input.input_type == InputType::Text;
    good.or_else(|| suggestions.into_iter().next().filter(|_| mendable)).unwrap_or_default()
}

/// Several choices are one text with commas wherever they are stored (ATTR-04).
fn split(field: &Field, text: &str) -> Vec<String> {
    match field.input.input_type {
        InputType::CheckboxMultiSelect => text.split(',').map(str::to_owned).collect(),
        InputType::Text
        | InputType::NumericTextBox
        | InputType::RadioSingleSelect
        | InputType::DropdownSingleSelect
        | InputType::CheckboxSingleSelect
        | InputType::Boolean => vec![text.to_owned()],
    }
}

/// What of a posted form is kept in the journey: the fields that the person was asked for and no others
/// (ATTR-19), none longer than it takes to say that it is too long. A field that was left out was emptied:
/// a browser does not post a box that is not ticked.
pub fn keep<'f>(
    fields: impl Iterator<Item = &'f Field>,
    posted: &RawFields,
) -> BTreeMap<String, Vec<String>> {
    let kept = |field: &Field| {
        let raw = posted.get(field.id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let most = field.input.options.len().max(2);
        clean(raw).take(most).map(|v| v.chars().take(field.max_length + 1).collect()).collect()
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
        Some(Value::Number(_)) => true,
        Some(Value::Array(several)) => !several.is_empty(),
        Some(Value::Null | Value::Object(_)) | None => false,
    }
}

fn check_field(field: &Field, raw: &[String]) -> Result<Option<Value>, Message> {
    let cleaned: Vec<String> = clean(raw).collect();
    match field.data_type {
        DataType::Boolean => check_boolean(field, &cleaned),
        DataType::Int64 => check_integer(field, &cleaned),
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
    matches_pattern(field, text)?;
    text.parse::<i64>().map(|n| Some(Value::from(n))).map_err(|_| Message::new("field-number"))
}

fn check_string(field: &Field, raw: &[String]) -> Result<Option<Value>, Message> {
    if raw.is_empty() {
        return if field.input.required { Err(required(field)) } else { Ok(None) };
    }
    let multiline = field.id.as_str() == "streetAddress";
    for text in raw {
        if text.chars().any(|c| c.is_control() && !(multiline && c == '\n')) {
            return Err(Message::new("field-characters"));
        }
        if !field.input.options.is_empty() && !field.input.options.iter().any(|o| o.value == *text) {
            return Err(Message::new("field-option"));
        }
    }
    let value = match field.input.input_type {
        // In the order of the options and each once, however they were posted.
        InputType::CheckboxMultiSelect => {
            let chosen =
                field.input.options.iter().map(|o| o.value.as_str()).filter(|v| raw.iter().any(|r| r == v));
            chosen.collect::<Vec<_>>().join(",")
        }
        InputType::Text
        | InputType::NumericTextBox
        | InputType::RadioSingleSelect
        | InputType::DropdownSingleSelect
        | InputType::CheckboxSingleSelect
        | InputType::Boolean => raw.first().cloned().unwrap_or_default(),
    };
    if value.chars().count() > field.max_length {
        return Err(Message::new("field-too-long").with("max", field.max_length));
    }
    matches_pattern(field, &value)?;
    Ok(Some(Value::String(value)))
}

fn required(field: &Field) -> Message {
    match field.input.input_type {
        InputType::RadioSingleSelect | InputType::DropdownSingleSelect | InputType::CheckboxMultiSelect => {
            Message::new("field-choose")
        }
        InputType::Text
        | InputType::NumericTextBox
        | InputType::CheckboxSingleSelect
        | InputType::Boolean => Message::new("field-required"),
    }
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
