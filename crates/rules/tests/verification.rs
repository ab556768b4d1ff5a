//! Addresses that are answers, and that a code must prove (`requiresVerification`, sign-up.md 3.3).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use support::{NOW, World, field, flow, open, say};
use vestibule_rules::directory::attribute::DataType;
use vestibule_rules::directory::flow::InputType;
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::journey::engine;
use vestibule_rules::journey::facts::{Facts, Intent};
use vestibule_rules::journey::flow::{Flow, Method};
use vestibule_rules::journey::form::form;
use vestibule_rules::journey::input::Input;
use vestibule_rules::journey::question::RawFields;
use vestibule_rules::journey::step::{Step, StepName};
use vestibule_rules::text::Secret;
use vestibule_rules::time::Span;

const BILLS: &str = "bills@example.org";

fn flow_of(method: Method) -> Flow {
    let mut bills = field("Bills", DataType::String, InputType::EmailBox);
    bills.input.requires_verification = true;
    Flow { fields: vec![bills], ..flow(TenantKind::External, &[method]) }
}

fn newcomer(flow: &Flow, world: &mut World) -> Facts {
    let facts = open(flow, Intent::SignUp);
    let address = "new@example.com".to_owned();
    let facts = say(flow, world, &facts, Input::Identify { address: address.clone() }, NOW).unwrap();
    let code = world.code_for(&address).unwrap();
    say(flow, world, &facts, Input::Code { code }, NOW).unwrap()
}

fn bills(flow: &Flow, address: &str) -> Input {
    let fields = RawFields::from([(flow.fields[0].id.0.clone(), vec![address.to_owned()])]);
    let password = Some(Secret::new("plum kettle outermost 47".to_owned()));
    Input::Details { fields, password, confirmation: None }
}

#[test]
fn only_the_code_that_went_there_lets_an_answer_pass() {
    for method in [Method::Code, Method::Password] {
        let flow = flow_of(method);
        let mut world = World::new();
        let facts = newcomer(&flow, &mut world);
        let asked = say(&flow, &mut world, &facts, bills(&flow, BILLS), NOW).unwrap();
        assert!(matches!(engine::next(&asked), Step::Code { address, .. } if address == BILLS));
        assert!(world.created.is_empty());
        let wrong = say(&flow, &mut world, &asked, Input::Code { code: "00000000".to_owned() }, NOW).unwrap();
        assert_eq!(wrong.problems[0].message.id, "code-wrong");
        let late = NOW + Span::minutes(11);
        let expired = Input::Code { code: world.code_for(BILLS).unwrap() };
        let expired = say(&flow, &mut world, &wrong, expired, late).unwrap();
        assert_eq!(expired.problems[0].message.id, "code-expired");
        let again = say(&flow, &mut world, &expired, Input::Resend, late).unwrap();
        let code = world.code_for(BILLS).unwrap();
        let done = say(&flow, &mut world, &again, Input::Code { code }, late).unwrap();
        // The address of the account is the one that was proven first.
        assert_eq!(world.created[0].mail.as_deref(), Some("new@example.com"));
        assert_eq!(world.created[0].attributes[flow.fields[0].id.as_str()], BILLS);
        assert_eq!(done.mailbox.as_deref(), Some("new@example.com"));
    }
}

#[test]
fn another_address_is_another_question_and_the_own_one_is_proven() {
    let flow = flow_of(Method::Code);
    let mut world = World::new();
    let facts = newcomer(&flow, &mut world);
    let asked = say(&flow, &mut world, &facts, bills(&flow, BILLS), NOW).unwrap();
    let back = say(&flow, &mut world, &asked, Input::ChangeAddress, NOW).unwrap();
    let shown = form(&flow, &back);
    assert_eq!((shown.step, shown.fields[0].values.as_slice()), (StepName::Details, &[BILLS.to_owned()][..]));
    // The old code proves nothing about another address.
    let other = say(&flow, &mut world, &back, bills(&flow, "other@example.org"), NOW).unwrap();
    let old = world.code_for(BILLS).unwrap();
    let refused = say(&flow, &mut world, &other, Input::Code { code: old }, NOW).unwrap();
    assert_eq!(refused.problems[0].message.id, "code-superseded");
    assert!(world.created.is_empty());
    let back = say(&flow, &mut world, &refused, Input::ChangeAddress, NOW).unwrap();
    say(&flow, &mut world, &back, bills(&flow, "New@Example.com"), NOW).unwrap();
    assert_eq!(world.created.len(), 1, "the mailbox of the account was proven already");
}

#[test]
fn an_empty_answer_has_nothing_to_prove() {
    let flow = flow_of(Method::Code);
    let mut world = World::new();
    let facts = newcomer(&flow, &mut world);
    say(&flow, &mut world, &facts, bills(&flow, ""), NOW).unwrap();
    assert_eq!(world.created.len(), 1);
}
