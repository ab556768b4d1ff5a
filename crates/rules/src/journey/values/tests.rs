use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{initial, is_asked};
use crate::directory::flow::InputType;
use crate::directory::tenant::TenantKind;
use crate::ids::{AttributeId, ProviderId};
use crate::journey::facts::{Facts, Federated};
use crate::journey::flow::{Field, Flow, Method};
use crate::journey::pages::{self, outline};
use crate::journey::question::RawFields;
use crate::journey::testing::{field, flow, options, proven, typed};

fn with(fields: Vec<Field>) -> Flow {
    Flow { fields, ..flow(TenantKind::External, &[Method::Code]) }
}

/// What is kept of a form with every field that somebody is asked for.
fn keep(flow: &Flow, posted: &RawFields) -> RawFields {
    let facts = proven(flow, "ada@example.com");
    super::keep(flow.fields.iter().filter(|f| is_asked(&facts, f)), posted)
}

/// What a whole form comes to.
fn check(
    flow: &Flow,
    facts: &Facts,
    posted: &RawFields,
) -> Result<BTreeMap<AttributeId, Value>, Vec<(String, crate::text::Message)>> {
    let facts = Facts { typed: keep(flow, posted), ..facts.clone() };
    let problems =
        |p: Vec<(&Field, crate::text::Message)>| p.into_iter().map(|(f, m)| (f.id.0.clone(), m)).collect();
    outline(flow, &facts).collected().map_err(problems)
}

fn is_complete(flow: &Flow, values: &BTreeMap<AttributeId, Value>) -> bool {
    pages::is_complete(flow, &proven(flow, "ada@example.com"), values)
}

/// What one field makes of what was typed: its value, or the problem.
fn one(field: Field, values: &[&str]) -> Value {
    let id = field.id.clone();
    let flow = with(vec![field]);
    let facts = proven(&flow, "ada@example.com");
    match check(&flow, &facts, &typed(&[(id.as_str(), values)])) {
        Ok(mut found) => found.remove(&id).unwrap_or(Value::Null),
        Err(problems) => Value::String(format!("! {}", problems[0].1.id)),
    }
}

fn claiming(flow: &Flow, claims: &[(&str, &str)]) -> Facts {
    let claims = claims.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let federated = Federated {
        provider: ProviderId::new("fabrikam"),
        issuer: "https://fabrikam.example".to_owned(),
        subject: "1".to_owned(),
        verified_email: Some("ada@example.com".to_owned()),
        claimed_email: None,
        claims,
        updates: std::collections::BTreeMap::new(),
    };
    Facts { federated: Some(federated), mailbox: None, ..proven(flow, "ada@example.com") }
}

#[test]
fn text_is_trimmed_composed_and_bounded() {
    let name = |required| field("givenName", InputType::Text, |f| f.input.required = required);
    assert_eq!(one(name(false), &["  Ada "]), json!("Ada"));
    assert_eq!(one(name(false), &["e\u{301}"]), json!("é"));
    assert_eq!(one(name(false), &[" \t "]), Value::Null);
    assert_eq!(one(name(true), &["  "]), json!("! field-required"));
    assert_eq!(one(name(true), &[]), json!("! field-required"));
    assert_eq!(one(name(false), &["D'Arcy-O’Neill Ω 李"]), json!("D'Arcy-O’Neill Ω 李"));
    assert_eq!(one(name(false), &["a\u{0}b"]), json!("! field-characters"));
    assert_eq!(one(name(false), &["a\nb"]), json!("! field-characters"));
    assert_eq!(one(name(false), &[&"x".repeat(64)]), json!("x".repeat(64)));
    assert_eq!(one(name(false), &[&"x".repeat(65)]), json!("! field-too-long"));
    // Neither blanks nor combining marks hide what follows them.
    assert_eq!(one(name(false), &[&(" ".repeat(300) + "Ada")]), json!("Ada"));
    assert_eq!(one(name(false), &[&"e\u{301}".repeat(64)]), json!("é".repeat(64)));
    let street = field("streetAddress", InputType::Text, |_| {});
    assert_eq!(one(street, &["1 Mill\r\nBath"]), json!("1 Mill\nBath"));
}

#[test]
fn a_pattern_matches_the_whole_value() {
    let register =
        || field("register", InputType::Text, |f| f.input.validation_reg_ex = Some("[A-Z]{2}|x".to_owned()));
    assert_eq!(one(register(), &["DE"]), json!("DE"));
    assert_eq!(one(register(), &["x"]), json!("x"));
    assert_eq!(one(register(), &["DEx"]), json!("! field-pattern"));
    assert_eq!(one(register(), &["aDE"]), json!("! field-pattern"));
    assert_eq!(one(register(), &[]), Value::Null);
    let broken = field("register", InputType::Text, |f| f.input.validation_reg_ex = Some("(".to_owned()));
    assert_eq!(one(broken, &["("]), json!("! field-pattern"));
}

#[test]
fn choices_are_on_the_list() {
    let select = |required| {
        field("colour", InputType::DropdownSingleSelect, |f| {
            f.input.required = required;
            f.input.options = options(&["red", "blue"]);
        })
    };
    assert_eq!(one(select(true), &["red"]), json!("red"));
    assert_eq!(one(select(true), &["RED"]), json!("! field-option"));
    assert_eq!(one(select(true), &[""]), json!("! field-choose"));
    assert_eq!(one(select(false), &[]), Value::Null);
    let topics = || {
        field("topics", InputType::CheckboxMultiSelect, |f| {
            f.input.required = true;
            f.input.options = options(&["a", "b", "c"]);
        })
    };
    assert_eq!(one(topics(), &["c", "a"]), json!("a,c"));
    assert_eq!(one(topics(), &["b", "b"]), json!("b"));
    assert_eq!(one(topics(), &["b", "z"]), json!("! field-option"));
    assert_eq!(one(topics(), &[]), json!("! field-choose"));
}

#[test]
fn boxes_and_numbers_have_their_types() {
    let terms = |required| field("terms", InputType::Boolean, |f| f.input.required = required);
    assert_eq!(one(terms(true), &["true"]), json!(true));
    assert_eq!(one(terms(true), &["false", "on"]), json!(true));
    assert_eq!(one(terms(true), &["false"]), json!("! field-must-accept"));
    assert_eq!(one(terms(true), &[]), json!("! field-must-accept"));
    assert_eq!(one(terms(false), &[]), json!(false));
    assert_eq!(one(terms(false), &["perhaps"]), json!("! field-option"));
    let age = |required| field("age", InputType::NumericTextBox, |f| f.input.required = required);
    assert_eq!(one(age(true), &[" 42 "]), json!(42));
    assert_eq!(one(age(true), &["-7"]), json!(-7));
    assert_eq!(one(age(true), &["9223372036854775807"]), json!(i64::MAX));
    for bad in ["4.2", "1e3", "9223372036854775808", "٣"] {
        assert_eq!(one(age(true), &[bad]), json!("! field-number"), "{bad}");
    }
    assert_eq!(one(age(true), &[""]), json!("! field-required"));
    assert_eq!(one(age(false), &[""]), Value::Null);
}

#[test]
fn what_is_typed_goes_before_what_a_provider_says_and_that_before_the_default() {
    let city = field("city", InputType::Text, |f| f.input.default_value = Some("London".to_owned()));
    let flow = with(vec![city.clone()]);
    assert_eq!(initial(&proven(&flow, "ada@example.com"), &city), ["London"]);
    let mut facts = claiming(&flow, &[("city", "Bath")]);
    assert_eq!(initial(&facts, &city), ["Bath"]);
    facts.typed = keep(&flow, &typed(&[("city", &["Paris"])]));
    assert_eq!(initial(&facts, &city), ["Paris"]);
    facts.typed = keep(&flow, &typed(&[]));
    assert!(initial(&facts, &city).is_empty(), "what was emptied stays empty");
}

#[test]
fn a_claim_that_cannot_be_stored_does_not_stand_in_the_way() {
    let tier = field("tier", InputType::Text, |f| {
        f.input.hidden = true;
        f.input.required = true;
        f.input.validation_reg_ex = Some("basic|gold".to_owned());
        f.input.default_value = Some("basic".to_owned());
    });
    let flow = with(vec![tier.clone()]);
    assert_eq!(initial(&claiming(&flow, &[("tier", "gold")]), &tier), ["gold"]);
    assert_eq!(initial(&claiming(&flow, &[("tier", "platinum")]), &tier), ["basic"]);
    // Where the person can mend it, it is shown.
    let city = field("city", InputType::Text, |f| f.max_length = 3);
    assert_eq!(initial(&claiming(&flow, &[("city", "Bath")]), &city), ["Bath"]);
}

#[test]
fn nothing_from_outside_reaches_a_field_that_nobody_is_asked_for() {
    let hidden = field("tier", InputType::Text, |f| f.input.hidden = true);
    let fixed = field("city", InputType::Text, |f| {
        f.input.editable = false;
        f.input.default_value = Some("Bath".to_owned());
    });
    let flow = with(vec![hidden, fixed]);
    let posted = typed(&[("tier", &["gold"]), ("city", &["Paris"]), ("isAdmin", &["true"])]);
    let mut facts = proven(&flow, "ada@example.com");
    assert!(keep(&flow, &posted).is_empty());
    facts.typed = posted.clone();
    let values = check(&flow, &facts, &posted).unwrap();
    assert_eq!(serde_json::to_value(values).unwrap(), json!({"city": "Bath"}));
}

#[test]
fn little_of_a_huge_form_is_kept() {
    let flow = with(vec![field("city", InputType::Text, |_| {})]);
    let huge = "x".repeat(100_000);
    let many: Vec<&str> = std::iter::repeat_n(huge.as_str(), 100).collect();
    let kept = keep(&flow, &typed(&[("city", &many), ("other", &many)]));
    assert_eq!(kept.len(), 1);
    assert!(kept.values().flatten().map(String::len).sum::<usize>() < 300);
}

#[test]
fn several_defaults_are_several_choices() {
    let topics = field("topics", InputType::CheckboxMultiSelect, |f| {
        f.input.default_value = Some("a,c".to_owned());
        f.input.options = options(&["a", "b", "c"]);
    });
    let flow = with(vec![topics.clone()]);
    assert_eq!(initial(&proven(&flow, "ada@example.com"), &topics), ["a", "c"]);
}

#[test]
fn a_page_is_complete_when_every_required_value_is_there() {
    let flow = with(vec![
        field("givenName", InputType::Text, |f| f.input.required = true),
        field("terms", InputType::Boolean, |f| f.input.required = true),
        field("city", InputType::Text, |_| {}),
    ]);
    let values = |name: Value, terms: Value| -> BTreeMap<_, _> {
        [("givenName", name), ("terms", terms)]
            .into_iter()
            .map(|(k, v)| (crate::ids::AttributeId::new(k), v))
            .collect()
    };
    assert!(is_complete(&flow, &values(json!("Ada"), json!(true))));
    assert!(!is_complete(&flow, &values(json!(""), json!(true))));
    assert!(!is_complete(&flow, &values(json!("Ada"), json!(false))));
    assert!(!is_complete(&flow, &values(json!("Ada"), Value::Null)));
    assert!(!is_complete(&flow, &BTreeMap::new()));
}
