//! Answers that nobody gave. Whatever is invented, the field itself says whether it takes it.

use serde_json::Value;
use vestibule_rules::directory::flow::InputType;
use vestibule_rules::journey::flow::Field;
use vestibule_rules::journey::values;

use super::{Person, pattern};

/// A new password: long enough for every policy, and with nothing of the tenant in it.
pub(super) const PASSWORD: &str = "plum kettle outermost 47";
const PHONE: &str = "+44 20 7946 0958";
const PAGE: &str = "https://www.example.com/";

/// What the words of a name tell of the answer, the first that is found.
const BY_NAME: &[(&[&str], &str)] = &[
    (&["company", "business", "organi", "firm", "employer"], "Sample & Sons"),
    (&["street", "address"], "1 Sample Street"),
    (&["city", "town"], "Bath"),
    (&["state", "region", "county"], "Somerset"),
    (&["postal", "postcode", "zip"], "BA1 1AA"),
    (&["country"], "GB"),
    (&["job", "role", "profession"], "Buyer"),
    (&["phone", "mobile"], PHONE),
    (&["website", "homepage"], PAGE),
    (&["vat", "tax"], "GB123456789"),
    (&["number", "code", "reference"], "10247"),
    (&["comment", "message", "reason", "note"], "This answer was invented."),
];

/// What would be posted for a field; empty for a box that may stay unticked, and when nothing fits.
pub(super) fn answer(field: &Field, person: Person) -> Vec<String> {
    let takes = |posted: &Vec<String>| values::stored(field, posted).is_some();
    candidates(field, person).into_iter().map(|text| vec![text]).find(takes).unwrap_or_default()
}

/// What would stand in the directory for it.
pub(super) fn value(field: &Field, person: Person) -> Option<Value> {
    values::stored(field, &answer(field, person))
}

fn candidates(field: &Field, person: Person) -> Vec<String> {
    let options = field.input.options.iter().map(|option| option.value.clone());
    let bounds = [&field.input.minimum, &field.input.maximum];
    let bounds = bounds.into_iter().flatten().map(ToString::to_string);
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let mut all = match field.input.input_type {
        InputType::RadioSingleSelect | InputType::DropdownSingleSelect | InputType::CheckboxMultiSelect => {
            return options.collect();
        }
        InputType::CheckboxSingleSelect | InputType::Boolean => {
            return if field.input.required { texts(&["true", "1"]) } else { Vec::new() };
        }
        InputType::NumericTextBox => texts(&["36", "3", "100", "2000"]),
        InputType::DateTimeDropdown => texts(&["1988-05-17"]),
        InputType::EmailBox => texts(&[person.address]),
        InputType::Phone => texts(&[PHONE]),
        InputType::Url => texts(&[PAGE]),
        InputType::Country => texts(&["GB"]),
        InputType::Text => text(field, person),
    };
    all.extend(options);
    all.extend(bounds);
    all.extend(field.input.validation_reg_ex.iter().flat_map(|p| pattern::texts(p)));
    // A short field takes the beginning of anything, and a directory may keep texts as another type.
    let cut: Vec<String> = all.iter().map(|text| text.chars().take(field.max_length).collect()).collect();
    all.extend(cut);
    all.extend(texts(&["1", "true", "A"]));
    all
}

fn text(field: &Field, person: Person) -> Vec<String> {
    let by_id = match field.id.as_str() {
        "email" => Some(person.address),
        "displayName" => Some(person.name),
        "givenName" => Some(person.given_name),
        "surname" => Some(person.surname),
        _ => None,
    };
    let bare = vestibule_rules::directory::attribute::bare_name(field.id.as_str());
    let label = field.input.label.as_deref().unwrap_or_default();
    let words = format!("{} {} {label}", bare.unwrap_or(field.id.as_str()), field.name).to_lowercase();
    let by_name = BY_NAME.iter().find(|(known, _)| known.iter().any(|word| words.contains(word)));
    let found = by_id.into_iter().chain(by_name.map(|(_, text)| *text)).chain(["Sample"]);
    found.map(str::to_owned).collect()
}
