//! Custom attributes, and the page that asks for attributes (sign-up.md 3).

use regex::RegexBuilder;

use super::condition::{self, Scene};
use super::{Findings, Place, is_strict, markdown, original, range, unique};
use crate::directory::attribute::{DataType, UserFlowAttribute, bare_name, find_built_in};
use crate::directory::flow::{AttributeInput, InputType, UserFlow};
use crate::directory::tenant::TenantConfig;
use crate::ids::AttributeId;
use crate::journey::flow::field;
use crate::journey::values::takes_default;

/// Most custom attributes under `compatibility: strict` (ATTR-03).
const MOST_STRICT: usize = 100;
/// Memory that a compiled pattern may take, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// The data type of an attribute that the tenant has.
pub(super) fn find(config: &TenantConfig, id: &AttributeId) -> Option<DataType> {
    if find_built_in(id.as_str()).is_some() {
        return Some(DataType::String);
    }
    config.user_flow_attributes.iter().find(|a| a.id == *id).map(|a| a.data_type)
}

/// What to say about an attribute that the tenant does not have.
pub(super) fn unknown(config: &TenantConfig, id: &AttributeId) -> String {
    let custom: Vec<&str> =
        config.user_flow_attributes.iter().filter_map(|a| bare_name(a.id.as_str())).collect();
    let known =
        if custom.is_empty() { String::new() } else { format!(" and its own: {}", custom.join(", ")) };
    format!("there is no attribute “{id}”; the tenant has the built-in ones{known}")
}

pub(super) fn check(config: &TenantConfig, found: &mut Findings) {
    let list = Place::top("userFlowAttributes");
    let attributes = &config.user_flow_attributes;
    for (i, attribute) in attributes.iter().enumerate() {
        if let Some(text) = name_problem(attribute) {
            found.add(&list.index(i).key("displayName"), "ATTR-02", text);
        }
        if is_strict(config) && i >= MOST_STRICT {
            let text = format!("at most {MOST_STRICT} custom attributes under compatibility: strict");
            found.add(&list.index(i), "ATTR-03", text);
        }
        if is_strict(config) {
            original::data_type(attribute.data_type, &list.index(i).key("dataType"), found);
        }
    }
    unique(
        attributes.iter().enumerate().filter_map(|(i, a)| {
            bare_name(a.id.as_str()).map(|name| (list.index(i).key("displayName"), name))
        }),
        "ATTR-02",
        "the attribute",
        found,
    );
}

/// Stored values have the type that the attribute had when they were collected.
pub(super) fn check_change(before: &TenantConfig, after: &TenantConfig, found: &mut Findings) {
    for (i, attribute) in after.user_flow_attributes.iter().enumerate() {
        if before
            .user_flow_attributes
            .iter()
            .any(|old| old.id == attribute.id && old.data_type != attribute.data_type)
        {
            let at = Place::top("userFlowAttributes").index(i).key("dataType");
            found.add(&at, "ATTR-01", "the type of an attribute cannot be changed; make another attribute");
        }
    }
}

fn name_problem(attribute: &UserFlowAttribute) -> Option<String> {
    let name = bare_name(attribute.id.as_str()).unwrap_or_default();
    if find_built_in(name).is_some() {
        return Some(format!("“{name}” is built in; use it without defining it"));
    }
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (!good).then(|| {
        format!(
            "“{}” cannot name an attribute: use letters, digits and spaces and begin with a letter (labels may say anything)",
            attribute.display_name
        )
    })
}

/// The inputs of one flow's page.
pub(super) fn inputs(config: &TenantConfig, flow: &UserFlow, at: &Place, found: &mut Findings) {
    let collection = &flow.attribute_collection;
    let at = at.key("attributeCollection");
    if !collection.inputs.is_empty() && !collection.views.is_empty() {
        found.add(&at.key("views"), "ATTR-10", "ask on one page (inputs) or on several (views), not both");
    }
    if is_strict(config) && collection.views.len() > 1 {
        found.add(&at.key("views"), "ATTR-10", "one page of questions under compatibility: strict");
    }
    let mut placed: Vec<(Place, &AttributeInput)> = Vec::new();
    placed.extend(collection.inputs.iter().enumerate().map(|(i, input)| (at.key("inputs").index(i), input)));
    for (v, view) in collection.views.iter().enumerate() {
        let at = at.key("views").index(v);
        if let Some(when) = &view.when {
            let before = placed.iter().map(|(_, input)| *input).collect();
            condition::check(&Scene { config, flow, before }, when, &at.key("when"), found);
        }
        if view.inputs.is_empty() {
            found.add(&at.key("inputs"), "ATTR-10", "a page needs at least one question");
        }
        placed.extend(view.inputs.iter().enumerate().map(|(i, input)| (at.key("inputs").index(i), input)));
    }
    for (i, (at, input)) in placed.iter().enumerate() {
        if let Some(when) = &input.when {
            let before = placed.iter().take(i).map(|(_, input)| *input).collect();
            condition::check(&Scene { config, flow, before }, when, &at.key("when"), found);
        }
        let place = at.key("attribute");
        match find(config, &input.attribute) {
            None => found.add(&place, "ATTR-10", unknown(config, &input.attribute)),
            Some(_) if input.attribute.as_str() == "email" => {
                found.add(&place, "3.1", "the email address is always asked for; leave it out");
            }
            Some(data_type) => fits(data_type, input, at, found),
        }
        one(config, input, at, found);
        range::check(input, at, found);
        if is_strict(config) {
            original::input(config.tenant.kind, input, at, found);
        }
    }
    unique(
        placed.iter().map(|(at, input)| (at.key("attribute"), input.attribute.as_str())),
        "ATTR-10",
        "the attribute",
        found,
    );
}

fn one(config: &TenantConfig, input: &AttributeInput, at: &Place, found: &mut Findings) {
    if input.required && input.default_value.is_none() && (input.hidden || !input.editable) {
        let why = if input.hidden { "hidden" } else { "not editable" };
        found.add(
            &at.key("required"),
            "ATTR-12",
            format!("nobody could fill it in: it is required, {why} and has no defaultValue"),
        );
    }
    for (key, text) in [("label", &input.label), ("hint", &input.hint)] {
        if let Some(text) = text {
            markdown::check(text, &at.key(key), found);
        }
    }
    if input.requires_verification {
        verification(input, &at.key("requiresVerification"), found);
    }
    let joined = input.input_type == InputType::CheckboxMultiSelect
        && find(config, &input.attribute) == Some(DataType::String);
    options(input, joined, &at.key("options"), found);
    default_value(config, input, &at.key("defaultValue"), found);
    if let Some(pattern) = &input.validation_reg_ex
        && let Err(problem) = compile(pattern)
    {
        found.add(&at.key("validationRegEx"), "U33", format!("the pattern cannot be used: {problem}"));
    }
}

/// Only what a code can be sent to can be verified.
fn verification(input: &AttributeInput, at: &Place, found: &mut Findings) {
    let text = match input.input_type {
        InputType::EmailBox if !input.hidden && input.editable => return,
        InputType::EmailBox => {
            "nobody could type the address that is to be verified: it is hidden or not editable"
        }
        InputType::Phone => "a phone number cannot be verified: there is no way to send text messages",
        InputType::Text
        | InputType::NumericTextBox
        | InputType::DateTimeDropdown
        | InputType::RadioSingleSelect
        | InputType::DropdownSingleSelect
        | InputType::CheckboxMultiSelect
        | InputType::CheckboxSingleSelect
        | InputType::Boolean
        | InputType::Url
        | InputType::Country => "only an address that is asked for with inputType: emailBox can be verified",
    };
    found.add(at, "3.3", text);
}

/// Compiles a pattern as it will be used: anchored at both ends, in linear time, within bounds.
fn compile(pattern: &str) -> Result<(), String> {
    // The bare pattern first: `a)(b` must not become good by being wrapped.
    for text in [pattern.to_owned(), format!("^(?:{pattern})$")] {
        RegexBuilder::new(&text)
            .size_limit(LARGEST_PATTERN)
            .build()
            .map_err(|e| e.to_string().lines().last().unwrap_or_default().trim().to_owned())?;
    }
    Ok(())
}

fn options(input: &AttributeInput, joined: bool, at: &Place, found: &mut Findings) {
    if input.input_type.is_choice() && input.options.is_empty() {
        found.add(at, "ATTR-10", "this kind of input needs options to choose from");
    }
    if !input.input_type.is_choice() && !input.options.is_empty() {
        found.add(
            at,
            "ATTR-10",
            "only radioSingleSelect, dropdownSingleSelect and checkboxMultiSelect have options",
        );
    }
    for (i, option) in input.options.iter().enumerate() {
        let at = at.index(i);
        markdown::check(&option.label, &at.key("label"), found);
        if option.value.is_empty() {
            found.add(&at.key("value"), "ATTR-10", "an option needs a value to store");
        }
        if joined && option.value.contains(',') {
            found.add(
                &at.key("value"),
                "ATTR-04",
                "several choices are stored with commas between them; the value must not contain one",
            );
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for (i, option) in input.options.iter().enumerate() {
        if !seen.insert(&option.value) {
            found.add(
                &at.index(i).key("value"),
                "ATTR-10",
                format!("the value “{}” is offered twice", option.value),
            );
        }
    }
}

fn default_value(config: &TenantConfig, input: &AttributeInput, at: &Place, found: &mut Findings) {
    let Some(value) = &input.default_value else { return };
    // An attribute that does not exist, or a pattern that does not compile, is told of elsewhere.
    let usable = input.validation_reg_ex.as_deref().is_none_or(|p| compile(p).is_ok());
    let Some(field) = field(config, input, is_strict(config)).filter(|_| usable) else { return };
    if !takes_default(&field, value) {
        found.add(at, "ATTR-10", format!("“{value}” is not a value that this input can have"));
    }
}

/// Whether the input yields values of the attribute's type.
fn fits(data_type: DataType, input: &AttributeInput, at: &Place, found: &mut Findings) {
    let kind = input.input_type;
    let (good, right) = match data_type {
        DataType::String => (
            !matches!(kind, InputType::NumericTextBox | InputType::Boolean | InputType::CheckboxSingleSelect),
            "text, emailBox, phone, url, country, dateTimeDropdown, radioSingleSelect, dropdownSingleSelect \
             or checkboxMultiSelect",
        ),
        DataType::Boolean => (
            matches!(kind, InputType::Boolean | InputType::CheckboxSingleSelect),
            "boolean or checkboxSingleSelect",
        ),
        DataType::Int64 => (kind == InputType::NumericTextBox, "numericTextBox"),
        DataType::StringCollection => (kind == InputType::CheckboxMultiSelect, "checkboxMultiSelect"),
        DataType::DateTime => (kind == InputType::DateTimeDropdown, "dateTimeDropdown"),
    };
    if !good {
        found.add(
            &at.key("inputType"),
            "3.3",
            format!("an attribute of this data type is asked for with {right}"),
        );
    }
}
