use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;
use vestibule_rules::directory::attribute::DataType;
use vestibule_rules::ids::AttributeId;
use vestibule_rules::journey::flow::{Field, FlowPage};
use vestibule_rules::journey::form::{FieldKind, Form};
use vestibule_rules::journey::question::RawFields;
use vestibule_rules::journey::step::StepName;

use super::*;
use crate::directory::{Source, StandInSecrets, parse};
use crate::flow_test::world::BEGIN;

const TENANT: &str = r"
tenant: { kind: external, displayName: Fabrikam, shortName: fabrikam }
applications:
  - displayName: Shop
    web: { redirectUris: ['https://shop.example/callback'] }
identityProviders:
  - { id: contoso, displayName: Contoso, issuer: 'https://login.contoso.example', clientId: a, clientSecret: { env: A } }
userFlows:
  - displayName: Customers
    applications: [Shop]
    identityProviders: [METHODS]
    attributeCollection:
      inputs:
        - { attribute: displayName, required: true }
        - { attribute: givenName }
";

fn stage(methods: &str) -> Stage {
    let text = TENANT.replace("METHODS", methods);
    let source = Source { name: "tenant.yaml".to_owned(), text, base: PathBuf::new() };
    let parsed = parse(&[source], &StandInSecrets).unwrap();
    of_file(&parsed[0], None).remove(0)
}

/// The page as a browser sends it when nothing is typed.
fn untouched(form: &Form, passage: &Passage, action: &str) -> RawFields {
    let mut posted: RawFields = form
        .fields
        .iter()
        .filter(|f| !(f.values.is_empty() || (f.kind == FieldKind::Checkbox && f.values == ["false"])))
        .map(|f| (f.name.clone(), f.values.clone()))
        .collect();
    posted.insert("step".to_owned(), vec![passage.step_token()]);
    posted.insert("action".to_owned(), vec![action.to_owned()]);
    posted
}

/// Sends every page as it stands; the steps that were seen.
fn walk(stage: &Stage, who: &Who) -> (Passage, Vec<StepName>) {
    let mut passage = Passage::begin(stage, who, BEGIN);
    let mut seen = Vec::new();
    for _ in 0..40 {
        let form = passage.form(stage);
        seen.push(form.step);
        if passage.ending(stage).is_some() {
            break;
        }
        assert!(passage.submit(stage, &untouched(&form, &passage, "submit")), "{form:#?}");
        let after = passage.form(stage);
        let wrong: Vec<_> = after.fields.iter().filter(|f| f.problem.is_some()).collect();
        assert!(after.problems.is_empty() && wrong.is_empty(), "{wrong:#?} {:#?}", after.problems);
    }
    (passage, seen)
}

#[test]
fn everybody_gets_through_with_what_is_invented() {
    let all = ["EmailPassword-OAUTH", "EmailOtpSignup-OAUTH", "contoso", "EmailPassword-OAUTH, contoso"];
    for methods in all {
        let stage = stage(methods);
        for (who, _) in stage.visitors() {
            if who == Who::Holder && methods == "contoso" {
                continue; // Has nothing to type: chooses the provider.
            }
            let (passage, seen) = walk(&stage, &who);
            let ending = passage.ending(&stage).unwrap_or_else(|| panic!("{methods} {who:?} {seen:?}"));
            assert_eq!(ending.created, who != Who::Holder, "{methods} {who:?}");
            assert_eq!(ending.account.unwrap()["mail"], who.person().address);
            assert_eq!(ending.token.unwrap()["name"], who.person().name);
        }
    }
}

#[test]
fn a_holder_comes_back_through_the_provider() {
    let stage = stage("contoso");
    let mut passage = Passage::begin(&stage, &Who::Holder, BEGIN);
    let form = passage.form(&stage);
    assert!(passage.submit(&stage, &untouched(&form, &passage, "idp-contoso")));
    let form = passage.form(&stage);
    assert_eq!(form.step, StepName::Stay);
    assert!(passage.submit(&stage, &untouched(&form, &passage, "no")));
    assert!(!passage.ending(&stage).unwrap().created);
}

#[test]
fn the_note_has_the_code_and_another_one_comes_at_once() {
    let stage = stage("EmailOtpSignup-OAUTH");
    let mut passage = Passage::begin(&stage, &Who::Newcomer, BEGIN);
    assert_eq!(passage.note(), None);
    let form = passage.form(&stage);
    passage.submit(&stage, &untouched(&form, &passage, "submit"));
    let first = passage.note();
    assert!(matches!(&first, Some(Note::Code(code)) if code.len() == 8));
    let form = passage.form(&stage);
    assert!(form.actions.iter().all(|action| action.available_at.is_none()));
    assert!(passage.submit(&stage, &untouched(&form, &passage, "resend")));
    assert!(passage.form(&stage).problems.is_empty());
    assert_ne!(passage.note(), first);
}

#[test]
fn walks_are_bounded_and_the_oldest_makes_room() {
    let stage = stage("EmailOtpSignup-OAUTH");
    let passages = Passages::default();
    let walk = Passage::begin(&stage, &Who::Newcomer, BEGIN);
    for n in 0..256 {
        passages.insert(n.to_string(), walk.clone());
    }
    passages.go_on("0", |_| ()).unwrap();
    passages.insert("new".to_owned(), walk);
    assert!(passages.find("0").is_some() && passages.find("new").is_some());
    assert!(passages.find("1").is_none());
}

#[test]
fn an_older_page_changes_nothing() {
    let stage = stage("EmailOtpSignup-OAUTH");
    let mut passage = Passage::begin(&stage, &Who::Newcomer, BEGIN);
    let form = passage.form(&stage);
    let posted = untouched(&form, &passage, "submit");
    assert!(passage.submit(&stage, &posted));
    let token = passage.step_token();
    assert!(!passage.submit(&stage, &posted));
    assert_eq!(passage.step_token(), token);
}

#[test]
fn an_address_without_an_account_gets_no_code_where_nobody_signs_up() {
    let mut stage = stage("EmailOtpSignup-OAUTH");
    stage.flow.sign_up_allowed = false;
    let mut passage = Passage::begin(&stage, &Who::Holder, BEGIN);
    let mut posted = untouched(&passage.form(&stage), &passage, "submit");
    posted.insert("username".to_owned(), vec!["nobody@example.com".to_owned()]);
    passage.submit(&stage, &posted);
    assert_eq!(passage.note(), Some(Note::NoCode));
    assert!(passage.form(&stage).fields[0].values.is_empty());
}

#[test]
fn somebody_who_cancels_leaves_nothing() {
    let stage = stage("EmailOtpSignup-OAUTH");
    let mut passage = Passage::begin(&stage, &Who::Newcomer, BEGIN);
    let form = passage.form(&stage);
    assert!(passage.submit(&stage, &untouched(&form, &passage, "cancel")));
    let ending = passage.ending(&stage).unwrap();
    assert_eq!(ending, Ending { cancelled: true, created: false, account: None, token: None });
}

#[test]
fn a_provider_says_no_more_than_a_field_takes() {
    let mut stage = stage("contoso");
    for field in &mut stage.flow.fields {
        field.max_length = 1;
    }
    for (who, _) in stage.visitors().into_iter().filter(|(who, _)| *who != Who::Holder) {
        let (passage, seen) = walk(&stage, &who);
        assert!(passage.ending(&stage).is_some(), "{who:?} {seen:?}");
    }
}

/// A kind of question: type, input, least length that can be stored at all.
fn kinds() -> impl Strategy<Value = (DataType, &'static str, usize)> {
    proptest::sample::select(vec![
        (DataType::String, "text", 1),
        (DataType::String, "emailBox", 60),
        (DataType::String, "phone", 60),
        (DataType::String, "url", 60),
        (DataType::String, "country", 2),
        (DataType::String, "dateTimeDropdown", 10),
        (DataType::String, "numericTextBox", 1),
        (DataType::String, "radioSingleSelect", 10),
        (DataType::String, "dropdownSingleSelect", 10),
        (DataType::String, "checkboxMultiSelect", 10),
        (DataType::String, "boolean", 4),
        (DataType::Int64, "numericTextBox", 250),
        (DataType::Boolean, "boolean", 250),
        (DataType::Boolean, "checkboxSingleSelect", 250),
        (DataType::DateTime, "dateTimeDropdown", 250),
        (DataType::StringCollection, "checkboxMultiSelect", 10),
    ])
}

fn question() -> impl Strategy<Value = Field> {
    let id =
        proptest::sample::select(vec!["displayName", "city", "extension_0_Business name", "extension_0_x"]);
    let numbers = (-3000..3000_i64, 0..5000_i64);
    let days = ((1900..2100_u32, 1..13_u32, 1..29_u32), 0..50_u32);
    let options = proptest::collection::btree_set("[a-z]{1,8}", 1..4);
    let rest = (any::<bool>(), any::<bool>(), 0..300_usize, 0..3_usize);
    (id, kinds(), numbers, days, options, rest).prop_map(
        |(id, (data_type, kind, least), (low, more), ((year, month, day), years), options, rest)| {
            let (required, bounded, longer, page) = rest;
            // Nobody has a number for a name.
            let id = if kind == "text" { id } else { id.trim_start_matches("displayName") };
            let id = if id.is_empty() { "city" } else { id };
            let mut input = json!({ "attribute": id, "inputType": kind, "required": required });
            let options = options.iter().map(|o| json!({ "label": o.to_uppercase(), "value": o }));
            if kind.contains("Select") && kind != "checkboxSingleSelect" {
                input["options"] = options.collect();
            }
            if bounded && data_type == DataType::Int64 {
                (input["minimum"], input["maximum"]) = (json!(low), json!(low + more));
            }
            if bounded && kind == "dateTimeDropdown" {
                input["minimum"] = json!(format!("{year:04}-{month:02}-{day:02}"));
                input["maximum"] = json!(format!("{:04}-{month:02}-{day:02}", year + years));
            }
            Field {
                id: AttributeId::new(id),
                page,
                data_type,
                max_length: least + longer,
                autocomplete: String::new(),
                name: "Something".to_owned(),
                input: serde_json::from_value(input).unwrap(),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_engine_takes_whatever_is_invented(
        mut fields in proptest::collection::vec(question(), 0..12),
        method in proptest::sample::select(vec!["EmailPassword-OAUTH", "EmailOtpSignup-OAUTH", "contoso"]),
        several in any::<bool>(),
        missing in any::<bool>(),
    ) {
        let mut stage = stage(method);
        fields.sort_by_key(|field| field.page);
        for (i, field) in fields.iter_mut().enumerate() {
            if field.id.as_str().starts_with("extension") || i > 0 {
                field.id = AttributeId(format!("{}{i}", field.id));
            }
            field.page = if several { field.page } else { 0 };
            // A box in a text attribute is filled, whatever it says.
            let nothing = invent::answer(field, NEWCOMER).is_empty();
            let optional_box = field.input.input_type == vestibule_rules::directory::flow::InputType::Boolean
                || field.input.input_type == vestibule_rules::directory::flow::InputType::CheckboxSingleSelect;
            prop_assert!(!nothing || (optional_box && !field.input.required), "{field:#?}");
        }
        stage.flow.pages = if several { vec![FlowPage::default(); 3] } else { Vec::new() };
        stage.flow.fields = fields;
        stage.flow.ask_missing_at_sign_in = missing;
        for (who, _) in stage.visitors() {
            if who == Who::Holder && method == "contoso" {
                continue;
            }
            let (passage, seen) = walk(&stage, &who);
            prop_assert!(passage.ending(&stage).is_some(), "{who:?} {seen:?}");
        }
    }
}
