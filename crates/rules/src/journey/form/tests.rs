use crate::directory::flow::InputType;
use crate::directory::tenant::TenantKind;
use crate::ids::ProviderId;
use crate::journey::facts::{Authenticated, Facts, Federation, Intent, Refusal};
use crate::journey::flow::{Flow, Method};
use crate::journey::form::form;
use crate::journey::testing::{fabrikam, field, flow, open, options, proven, waiting};
use crate::text::Message;

fn full() -> Flow {
    let mut flow = flow(TenantKind::External, &[Method::Password, fabrikam()]);
    flow.fields = vec![
        field("givenName", InputType::Text, |f| f.input.required = true),
        field("streetAddress", InputType::Text, |_| {}),
        field("phone", InputType::Text, |f| {
            f.autocomplete = "tel".to_owned();
            f.input.editable = false;
            f.input.default_value = Some("+44".to_owned());
        }),
        field("colour", InputType::DropdownSingleSelect, |f| f.input.options = options(&["red", "blue"])),
        field("topics", InputType::CheckboxMultiSelect, |f| f.input.options = options(&["a", "b"])),
        field("age", InputType::NumericTextBox, |f| f.input.hint = Some("In years".to_owned())),
        field("tier", InputType::Text, |f| f.input.hidden = true),
        field("terms", InputType::Boolean, |f| {
            f.input.required = true;
            f.input.label = Some("I accept the [terms](https://woodgrove.example/terms)".to_owned());
        }),
    ];
    flow
}

/// The form in short: what a person can do and say at each step.
fn short(flow: &Flow, facts: &Facts) -> serde_json::Value {
    serde_json::to_value(form(flow, facts)).unwrap()
}

#[test]
fn the_entrances_and_the_code() {
    let flow = full();
    let forms = [
        short(&flow, &open(&flow, Intent::SignIn)),
        short(&flow, &open(&flow, Intent::SignUp)),
        short(&flow, &open(&flow, Intent::Reset)),
        short(&flow, &waiting(&flow, "ada@example.com")),
    ];
    insta::assert_json_snapshot!(forms);
}

#[test]
fn the_page_with_the_questions() {
    let flow = full();
    let mut facts = proven(&flow, "ada@example.com");
    facts.problem("givenName", Message::new("field-required"));
    facts.problem("tier", Message::new("field-pattern"));
    facts.problem("", Message::new("try-again"));
    insta::assert_json_snapshot!(short(&flow, &facts));
}

#[test]
fn the_pages_that_only_say_something() {
    let flow = full();
    let refusal = Refusal { code: 50057, message: Message::new("refused-disabled") };
    let away = Federation { provider: ProviderId::new("fabrikam"), attempt: 1, login_hint: None };
    let who = Authenticated {
        user: crate::ids::UserId::from_random([1; 16]),
        amr: Vec::new(),
        provider: None,
        created: true,
    };
    let start = open(&flow, Intent::SignUp);
    let forms = [
        short(&flow, &Facts { refusal: Some(refusal), ..start.clone() }),
        short(&flow, &Facts { federation: Some(away), ..start.clone() }),
        short(&flow, &Facts { authenticated: Some(who), ..start }),
    ];
    insta::assert_json_snapshot!(forms);
}

#[test]
fn a_burnt_code_says_so_before_anything_is_typed() {
    let flow = full();
    let mut facts = waiting(&flow, "ada@example.com");
    facts.code.as_mut().unwrap().tries_left = 0;
    assert_eq!(form(&flow, &facts).fields[0].problem, Some(Message::new("code-exhausted")));
    facts.problem("code", Message::new("code-expired"));
    assert_eq!(form(&flow, &facts).fields[0].problem, Some(Message::new("code-expired")));
}

#[test]
fn no_secret_has_a_value() {
    let flow = Flow { strict: true, ..full() };
    let form = form(&flow, &proven(&flow, "ada@example.com"));
    let secrets: Vec<_> = form.fields.iter().filter(|f| f.name.contains("password")).collect();
    assert_eq!(secrets.len(), 2);
    assert!(secrets.iter().all(|f| f.values.is_empty()));
}
