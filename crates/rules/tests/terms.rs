//! Documents to accept, through the whole engine.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use support::{NOW, World, document, flow, open, say};
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::directory::terms::Agreement;
use vestibule_rules::journey::engine::{self, resume};
use vestibule_rules::journey::facts::{Authenticated, Facts, Intent, Opening, Review};
use vestibule_rules::journey::flow::{Flow, Method};
use vestibule_rules::journey::form::{FieldKind, form};
use vestibule_rules::journey::input::Input;
use vestibule_rules::journey::step::{Step, StepName};
use vestibule_rules::text::Secret;

fn with_terms(kind: TenantKind, method: Method, version: &str) -> Flow {
    let terms = vec![document("general", version, true), document("news", "1", false)];
    Flow { terms, ..flow(kind, &[method]) }
}

fn details(ticked: &[(&str, &str)]) -> Input {
    let fields = ticked.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]));
    let password = Some(Secret::new("plum kettle outermost 47".to_owned()));
    Input::Details { fields: fields.collect(), password, confirmation: None }
}

/// Somebody new who has proven their mailbox.
fn newcomer(flow: &Flow, world: &mut World) -> Facts {
    let facts = open(flow, Intent::SignUp);
    let address = "new@example.com".to_owned();
    let facts = say(flow, world, &facts, Input::Identify { address: address.clone() }, NOW).unwrap();
    let code = world.code_for(&address).unwrap();
    say(flow, world, &facts, Input::Code { code }, NOW).unwrap()
}

fn agreement(document: &str, version: &str, language: &str) -> Agreement {
    Agreement { document: document.to_owned(), version: version.to_owned(), language: language.to_owned() }
}

#[test]
fn without_the_required_one_there_is_no_account_and_the_other_may_be_left_out() {
    let flow = with_terms(TenantKind::External, Method::Password, "2026-11");
    let mut world = World::new();
    let facts = newcomer(&flow, &mut world);
    let boxes: Vec<_> = form(&flow, &facts).fields.iter().map(|f| (f.name.clone(), f.required)).collect();
    assert_eq!(
        boxes,
        [("password", true), ("terms-general", true), ("terms-news", false)].map(|(n, r)| (n.to_owned(), r))
    );
    for wrong in [&[][..], &[("terms-news", "en")], &[("terms-general", "fr")], &[("terms-general", "true")]]
    {
        let refused = say(&flow, &mut world, &facts, details(wrong), NOW).unwrap();
        let form = form(&flow, &refused);
        let problem = form.fields.iter().find(|f| f.name == "terms-general").unwrap().problem.clone();
        assert_eq!(problem.unwrap().id, "terms-must-accept");
        let news = form.fields.iter().find(|f| f.name == "terms-news").unwrap();
        assert_eq!(news.values.is_empty(), wrong != [("terms-news", "en")], "a tick is kept");
        assert!(world.created.is_empty());
    }
    let done = say(&flow, &mut world, &facts, details(&[("terms-general", "DE")]), NOW).unwrap();
    let user = done.authenticated.unwrap().user;
    assert_eq!(world.holder(user).unwrap().terms, [agreement("general", "2026-11", "de")]);
}

#[test]
fn a_new_version_is_asked_for_at_the_next_sign_in_and_once() {
    let flow = with_terms(TenantKind::Workforce, Method::Code, "2");
    let mut world = World::new();
    let user = world.add("old@example.com", None, true, true);
    world.holders[0].terms = vec![agreement("general", "1", "en")];
    let address = "old@example.com".to_owned();
    let sign_in = |world: &mut World| {
        let facts = open(&flow, Intent::SignIn);
        let facts = say(&flow, world, &facts, Input::Identify { address: address.clone() }, NOW).unwrap();
        let code = world.code_for(&address).unwrap();
        say(&flow, world, &facts, Input::Code { code }, NOW).unwrap()
    };
    let facts = sign_in(&mut world);
    let shown = form(&flow, &facts);
    assert_eq!(shown.step, StepName::Details);
    let names: Vec<_> = shown.fields.iter().map(|f| (f.name.as_str(), f.kind)).collect();
    assert_eq!(names, [("terms-general", FieldKind::Terms)]);
    let still = say(&flow, &mut world, &facts, details(&[]), NOW).unwrap();
    assert!(still.end.is_none());
    let done = say(&flow, &mut world, &facts, details(&[("terms-general", "en")]), NOW).unwrap();
    assert!(done.end.is_some());
    assert_eq!(world.holder(user).unwrap().terms.len(), 2);
    assert!(sign_in(&mut world).end.is_some(), "not asked twice");
}

#[test]
fn a_session_that_goes_on_is_asked_for_terms_alone() {
    let flow = with_terms(TenantKind::Workforce, Method::Code, "2");
    let mut world = World::new();
    let user = world.add("old@example.com", None, true, true);
    world.proofs.insert(user);
    let who = Authenticated { user, amr: vec!["otp".to_owned()], provider: None, created: true };
    let opening = Opening { intent: Intent::SignIn, login_hint: None, domain_hint: None };
    let facts = resume(&flow, opening, who, Review::default());
    assert!(!facts.authenticated.as_ref().unwrap().created);
    assert!(matches!(engine::next(&facts), Step::Details { .. }));
    assert_eq!(form(&flow, &facts).fields.len(), 1);
    let done = say(&flow, &mut world, &facts, details(&[("terms-general", "de")]), NOW).unwrap();
    assert!(done.end.is_some());
}
