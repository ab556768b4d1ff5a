//! What strangers type to do harm: it is refused or stored exactly as it was typed, whatever the kind of
//! field. And the limits of sign-up.md 3, each at the limit and one beyond.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/corpus.rs"]
mod corpus;
#[expect(dead_code, reason = "each test file uses its part")]
mod support;

use corpus::hostile;
use serde_json::Value;
use support::{field, flow, open, options};
use unicode_normalization::UnicodeNormalization;
use vestibule_rules::directory::attribute::{BUILT_IN, CUSTOM_MAX, CUSTOM_MAX_STRICT, DataType};
use vestibule_rules::directory::flow::InputType;
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::journey::facts::{Facts, Intent, Lookup};
use vestibule_rules::journey::flow::{Field, Flow, Method};
use vestibule_rules::journey::form::form;
use vestibule_rules::journey::pages::outline;
use vestibule_rules::journey::question::RawFields;
use vestibule_rules::journey::values;

/// What a field makes of what was posted: the stored value, nothing, or the id of the problem.
fn stored(field: &Field, posted: &[&str]) -> Result<Option<Value>, String> {
    let name = field.id.0.clone();
    let flow = Flow { fields: vec![field.clone()], ..flow(TenantKind::External, &[Method::Code]) };
    let mut facts = Facts {
        mailbox: Some("ada@example.com".to_owned()),
        account: Lookup::Unknown,
        ..open(&flow, Intent::SignUp)
    };
    let raw = RawFields::from([(name, posted.iter().map(|v| (*v).to_owned()).collect())]);
    facts.typed = values::keep(flow.fields.iter(), &raw);
    // The page can be shown again whatever stands in it.
    assert_eq!(form(&flow, &facts).fields.len(), 1);
    match outline(&flow, &facts).collected() {
        Ok(found) => Ok(found.into_values().next()),
        Err(problems) => Err(problems.into_iter().next().unwrap().1.id),
    }
}

fn is_forbidden(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{200B}' | '\u{FEFF}')
        || (c.is_control() && c != '\n')
}

/// ATTR-16, U33: a thousand hostile inputs for each kind of text.
#[test]
fn what_is_hostile_is_refused_or_stored_exactly() {
    let inputs = hostile();
    assert!(inputs.len() >= 1_000, "{} inputs", inputs.len());
    let texts = [
        "displayName",
        "givenName",
        "surname",
        "jobTitle",
        "streetAddress",
        "city",
        "state",
        "postalCode",
        "country",
        "Note",
    ];
    for name in texts {
        let field = field(name, DataType::String, InputType::Text);
        let mut taken = 0;
        for input in &inputs {
            let Ok(Some(Value::String(value))) = stored(&field, &[input]) else { continue };
            let typed: String = input.trim().replace("\r\n", "\n").nfc().collect();
            assert_eq!(value, typed, "{name}: {input:?}");
            assert!(!value.chars().any(is_forbidden), "{name}: {value:?}");
            assert!(name == "streetAddress" || !value.contains('\n'), "{name}: {value:?}");
            taken += 1;
        }
        assert!(
            taken > 100,
            "{name}: markup, formulas and other scripts are somebody's text; {taken} were taken"
        );
    }
}

/// What has a form of its own is stored in that form, and reading it again changes nothing.
#[test]
fn what_has_a_form_is_stored_in_it_or_refused() {
    let inputs = hostile();
    let kinds = [
        (DataType::String, InputType::EmailBox),
        (DataType::String, InputType::Phone),
        (DataType::String, InputType::Url),
        (DataType::String, InputType::Country),
        (DataType::String, InputType::DateTimeDropdown),
        (DataType::DateTime, InputType::DateTimeDropdown),
        (DataType::Int64, InputType::NumericTextBox),
        (DataType::Boolean, InputType::Boolean),
    ];
    for (data, kind) in kinds {
        let field = field("Custom", data, kind);
        for input in &inputs {
            let Ok(Some(value)) = stored(&field, &[input]) else { continue };
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert!(!text.chars().any(|c| is_forbidden(c) || c.is_whitespace()), "{kind:?}: {text:?}");
            assert_eq!(stored(&field, &[&text]), Ok(Some(value)), "{kind:?}: {input:?}");
            let known = match kind {
                InputType::Url => text.starts_with("http://") || text.starts_with("https://"),
                InputType::Phone => text.starts_with('+') && text[1..].bytes().all(|b| b.is_ascii_digit()),
                InputType::Country => text.len() == 2,
                InputType::DateTimeDropdown => text.len() == 10,
                _ => true,
            };
            assert!(known, "{kind:?}: {text:?}");
        }
    }
}

/// A choice is one of those that were offered, however it was posted.
#[test]
fn a_choice_that_was_not_offered_is_refused() {
    for (data, kind) in [
        (DataType::String, InputType::RadioSingleSelect),
        (DataType::String, InputType::DropdownSingleSelect),
        (DataType::String, InputType::CheckboxMultiSelect),
        (DataType::StringCollection, InputType::CheckboxMultiSelect),
    ] {
        let mut field = field("Custom", data, kind);
        field.input.options = options(&["a", "b"]);
        for input in hostile() {
            assert_eq!(stored(&field, &[&input]).ok().flatten(), None, "{kind:?}: {input:?}");
        }
        assert!(stored(&field, &["a"]).unwrap().is_some());
    }
}

/// Sign-up.md 3.1: the longest value of each built-in attribute, and one character more.
#[test]
fn built_in_attributes_end_where_the_contract_says() {
    let limits = [
        ("displayName", 256),
        ("givenName", 64),
        ("surname", 64),
        ("jobTitle", 128),
        ("streetAddress", 1024),
        ("city", 128),
        ("state", 128),
        ("postalCode", 40),
        ("country", 128),
    ];
    assert_eq!(limits.len() + 1, BUILT_IN.len(), "and the address");
    for (name, most) in limits {
        let field = field(name, DataType::String, InputType::Text);
        for letter in ["x", "é", "王"] {
            assert_eq!(
                stored(&field, &[&letter.repeat(most)]),
                Ok(Some(letter.repeat(most).into())),
                "{name}"
            );
            assert_eq!(
                stored(&field, &[&letter.repeat(most + 1)]),
                Err("field-too-long".to_owned()),
                "{name}"
            );
        }
    }
}

/// ATTR-03, ATTR-04: 250 characters under `compatibility: strict`, counted over the joined choices.
#[test]
fn custom_attributes_end_where_the_contract_says() {
    assert_eq!((CUSTOM_MAX_STRICT, CUSTOM_MAX), (250, 4096));
    for most in [CUSTOM_MAX_STRICT, CUSTOM_MAX] {
        let text = Field { max_length: most, ..field("Note", DataType::String, InputType::Text) };
        assert!(stored(&text, &[&"x".repeat(most)]).is_ok());
        assert_eq!(stored(&text, &[&"x".repeat(most + 1)]), Err("field-too-long".to_owned()));
        let (one, two) = ("a".repeat(most / 2), "b".repeat(most - most / 2 - 1));
        let mut choices =
            Field { max_length: most, ..field("Topics", DataType::String, InputType::CheckboxMultiSelect) };
        choices.input.options = options(&[&one, &two, "c"]);
        assert_eq!(stored(&choices, &[&one, &two]), Ok(Some(format!("{one},{two}").into())));
        assert_eq!(stored(&choices, &[&one, &two, "c"]), Err("field-too-long".to_owned()));
        let list = Field { data_type: DataType::StringCollection, ..choices };
        assert_eq!(stored(&list, &[&one, &two, "c"]).unwrap().unwrap().as_array().unwrap().len(), 3);
    }
}

/// ATTR-01: an Int is a whole number of 64 bits.
#[test]
fn numbers_end_where_sixty_four_bits_do() {
    let number = field("Count", DataType::Int64, InputType::NumericTextBox);
    for good in [i64::MIN, -1, 0, i64::MAX] {
        assert_eq!(stored(&number, &[&good.to_string()]), Ok(Some(good.into())));
    }
    for bad in ["9223372036854775808", "-9223372036854775809", "1.5", "1e3", "٣"] {
        assert_eq!(stored(&number, &[bad]), Err("field-number".to_owned()), "{bad}");
    }
}
