//! What a journey leaves behind: the stages that it reached and what stood in the way (FLOW-26, LOG-01).

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "each test file uses its part")]
mod support;

use support::{NOW, World, come_back, failed, federated, field, flow, open, provider, say};
use uuid::Uuid;
use vestibule_rules::directory::attribute::DataType;
use vestibule_rules::directory::flow::InputType;
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::ids::ProviderId;
use vestibule_rules::journey::engine;
use vestibule_rules::journey::facts::{Facts, Intent};
use vestibule_rules::journey::flow::{Flow, FlowPage, Method};
use vestibule_rules::journey::input::Input;
use vestibule_rules::journey::question::{Answer, RawFields};
use vestibule_rules::journey::trail::{self, GraphStage, MARKS_MAX, Mark, Stage, Trail};
use vestibule_rules::text::Secret;

const ADA: &str = "ada@example.com";
const GOOD: &str = "plum kettle outermost 71";

/// Somebody on their way.
struct Visitor {
    flow: Flow,
    world: World,
    facts: Facts,
    trail: Trail,
}

impl Visitor {
    fn new(flow: Flow, intent: Intent) -> Self {
        let facts = open(&flow, intent);
        let trail = Trail::begin("en", &facts, NOW, Uuid::from_u128(1));
        Self { flow, world: World::new(), facts, trail }
    }

    fn say(&mut self, input: Input) {
        let after = say(&self.flow, &mut self.world, &self.facts, input, NOW).unwrap();
        self.go(after);
    }

    fn come_back(&mut self, answer: Answer) {
        let after = come_back(&self.flow, &mut self.world, &self.facts, answer, NOW).unwrap();
        self.go(after);
    }

    fn go(&mut self, after: Facts) {
        let marks = trail::reached(&self.flow, &self.facts, &after);
        self.trail.note(after.intent, marks, NOW, Uuid::from_u128(2));
        self.facts = after;
    }

    fn type_address(&mut self) {
        self.say(Input::Identify { address: ADA.to_owned() });
    }

    fn type_code(&mut self) {
        let code = self.world.code_for(ADA).unwrap();
        self.say(Input::Code { code });
    }

    fn fill(&mut self, pairs: &[(&str, &str)]) {
        let fields: RawFields = pairs.iter().map(|(n, v)| ((*n).to_owned(), vec![(*v).to_owned()])).collect();
        let password = Some(Secret::new(GOOD.to_owned()));
        self.say(Input::Details { fields, password: password.clone(), confirmation: password });
    }

    /// The marks, each in one line.
    fn lines(&self) -> Vec<String> {
        self.trail.marks().map(line).collect()
    }
}

fn line(mark: &Mark) -> String {
    let mut parts = vec![mark.stage.as_str().to_owned()];
    parts.extend(mark.page.map(|page| page.to_string()));
    parts.extend(mark.chosen.clone());
    if mark.stage == Stage::Refused {
        parts.extend([mark.step.as_str().to_owned(), mark.code.to_string()]);
        parts.extend(mark.message.clone());
        parts.extend(mark.field.clone());
    }
    parts.push(format!("({})", mark.graph().as_str()));
    parts.join(" ")
}

fn shop() -> Flow {
    let mut name = field("givenName", DataType::String, InputType::Text);
    name.input.required = true;
    Flow { fields: vec![name], ..flow(TenantKind::External, &[Method::Password, provider("fabrikam")]) }
}

fn partners() -> Flow {
    Flow { fields: shop().fields, ..flow(TenantKind::Workforce, &[Method::Code, provider("fabrikam")]) }
}

#[test]
fn a_sign_up_passes_every_stage() {
    // FLOW-26
    let mut ada = Visitor::new(shop(), Intent::SignUp);
    ada.type_address();
    ada.type_code();
    ada.fill(&[("givenName", "Ada")]);
    ada.say(Input::Stay(false));
    let expected = [
        "started (credentialCollection)",
        "methodChosen password (credentialCollection)",
        "verified (credentialValidation)",
        "formShown (attributeCollectionAndValidation)",
        "submitted (attributeCollectionAndValidation)",
        "created (userCreation)",
        "signedIn (userCreation)",
    ];
    assert_eq!(ada.lines(), expected);
    assert_eq!(ada.trail.method.as_deref(), Some("password"));
    let created = ada.trail.marks().find_map(|m| m.user);
    assert_eq!(created, ada.facts.authenticated.as_ref().map(|who| who.user));
    assert_eq!(ada.trail.token().unwrap().graph(), GraphStage::UserCreation);
}

#[test]
fn a_sign_up_by_a_provider_is_federation_until_the_form() {
    // FLOW-26
    let mut ada = Visitor::new(partners(), Intent::SignIn);
    ada.say(Input::ChooseProvider(ProviderId::new("fabrikam")));
    ada.come_back(federated("fabrikam", "1", Some(ADA), &[]));
    ada.fill(&[("givenName", "Ada")]);
    let expected = [
        "started (credentialCollection)",
        "methodChosen fabrikam (credentialFederation)",
        "verified (credentialFederation)",
        "formShown (attributeCollectionAndValidation)",
        "submitted (attributeCollectionAndValidation)",
        "created (userCreation)",
        "signedIn (userCreation)",
    ];
    assert_eq!(ada.lines(), expected);
    // They began at the entrance for account holders and left with an account.
    assert_eq!(ada.trail.intent, Some(Intent::SignUp));
}

#[test]
fn what_stands_in_the_way_is_named_by_code_message_and_field() {
    // T-31, LOG-01
    let mut ada = Visitor::new(shop(), Intent::SignUp);
    ada.say(Input::Identify { address: "nobody at home".to_owned() });
    ada.type_address();
    ada.say(Input::Code { code: "00000000".to_owned() });
    ada.type_code();
    ada.fill(&[("givenName", "")]);
    ada.say(Input::Cancel);
    let expected = [
        "started (credentialCollection)",
        "refused sign-up 0 address-invalid username (credentialCollection)",
        "methodChosen password (credentialCollection)",
        "refused code 50181 code-wrong code (credentialValidation)",
        "verified (credentialValidation)",
        "formShown (attributeCollectionAndValidation)",
        "refused details 0 field-required givenName (attributeCollectionAndValidation)",
        "cancelled (attributeCollectionAndValidation)",
    ];
    assert_eq!(ada.lines(), expected);
}

#[test]
fn an_address_that_is_taken_is_told_apart_before_and_after_the_form() {
    // T-31, EXIST-01
    let mut ada = Visitor::new(partners(), Intent::SignUp);
    ada.world.add(ADA, None, true, true);
    ada.type_address();
    ada.type_code();
    assert_eq!(ada.lines()[3], "refused code 1003037 exists-title (credentialValidation)");
    ada.say(Input::Continue);
    assert_eq!(ada.lines()[4], "signedIn (credentialValidation)");
    assert_eq!(ada.trail.intent, Some(Intent::SignUp));

    let mut late = Visitor::new(partners(), Intent::SignUp);
    late.type_address();
    late.type_code();
    late.world.add(ADA, None, true, true);
    late.fill(&[("givenName", "Ada")]);
    let lines = late.lines();
    assert_eq!(lines[4], "submitted (attributeCollectionAndValidation)");
    assert_eq!(lines[5], "refused details 1003037 exists-title (userCreation)");
}

#[test]
fn a_stranger_is_refused_after_the_proof() {
    // T-31
    let flow = Flow { sign_up_allowed: false, ..partners() };
    let mut eve = Visitor::new(flow, Intent::SignIn);
    eve.say(Input::ChooseProvider(ProviderId::new("fabrikam")));
    eve.come_back(federated("fabrikam", "eve", Some(ADA), &[]));
    assert_eq!(eve.lines()[2..], ["refused leave 50034 refused-no-account (credentialFederation)"]);
    eve.say(Input::Continue);
    eve.say(Input::ChooseProvider(ProviderId::new("fabrikam")));
    eve.come_back(failed());
    eve.say(Input::Continue);
    eve.say(Input::ChooseProvider(ProviderId::new("fabrikam")));
    eve.come_back(Answer::FederationDeclined);
    let lines = eve.lines();
    assert_eq!(lines[4], "refused leave 0 provider-failed (credentialFederation)");
    assert_eq!(lines[6], "refused leave 65004 provider-declined (credentialFederation)");
}

#[test]
fn every_page_of_questions_is_a_stage_of_its_own() {
    let mut second = field("city", DataType::String, InputType::Text);
    second.page = 1;
    let first = shop().fields.remove(0);
    let pages = vec![FlowPage::default(), FlowPage::default()];
    let mut ada = Visitor::new(Flow { fields: vec![first, second], pages, ..partners() }, Intent::SignUp);
    ada.type_address();
    ada.type_code();
    ada.fill(&[("givenName", "Ada")]);
    ada.say(Input::Back { fields: RawFields::new() });
    ada.fill(&[("givenName", "Ada")]);
    assert_eq!(ada.trail.abandoned(&ada.facts).page, Some(2));
    ada.fill(&[("city", "Bath")]);
    let shown: Vec<u32> = ada.trail.marks().filter_map(|m| m.page).collect();
    assert_eq!(shown, [1, 2, 1, 2]);
    assert_eq!(ada.lines().last().unwrap(), "signedIn (userCreation)");
}

#[test]
fn a_reset_and_a_sign_in_have_the_same_stages() {
    let mut ada = Visitor::new(shop(), Intent::SignIn);
    ada.world.add(ADA, Some("forgotten"), false, true);
    ada.type_address();
    ada.say(Input::Password { password: Secret::new("wrong".to_owned()) });
    ada.say(Input::ForgotPassword);
    ada.type_code();
    let password = Secret::new(GOOD.to_owned());
    ada.say(Input::NewPassword { password: password.clone(), confirmation: Some(password) });
    ada.say(Input::Stay(true));
    let expected = [
        "started (credentialCollection)",
        "methodChosen password (credentialCollection)",
        "refused password 50126 password-wrong password (credentialValidation)",
        "methodChosen code (credentialCollection)",
        "verified (credentialValidation)",
        "formShown (attributeCollectionAndValidation)",
        "submitted (attributeCollectionAndValidation)",
        "signedIn (credentialValidation)",
    ];
    assert_eq!(ada.lines(), expected);
    assert_eq!(ada.trail.intent, Some(Intent::Reset));
}

#[test]
fn whoever_types_wrong_codes_all_day_makes_no_journey_grow() {
    let mut eve = Visitor::new(shop(), Intent::SignUp);
    for _ in 0..500 {
        eve.say(Input::Identify { address: "x".to_owned() });
    }
    assert_eq!(eve.trail.marks().count(), MARKS_MAX);
    assert_eq!(eve.trail.left_out, 500 - 63);
    // What matters is still told.
    eve.type_address();
    eve.type_code();
    eve.fill(&[("givenName", "Ada")]);
    eve.say(Input::Stay(false));
    assert_eq!(eve.trail.marks().count(), MARKS_MAX + 6);
    assert_eq!(eve.lines().last().unwrap(), "signedIn (userCreation)");
}

#[test]
fn a_mark_tells_nothing_that_was_typed() {
    let mut ada = Visitor::new(shop(), Intent::SignUp);
    ada.type_address();
    ada.type_code();
    ada.fill(&[("givenName", ""), ("Canary", "canary")]);
    ada.facts.problem("canary-field", vestibule_rules::text::Message::new("Canary <b>").with("x", "canary"));
    let again = ada.facts.clone();
    ada.go(again);
    let json = serde_json::to_string(&ada.trail).unwrap();
    assert!(!json.to_lowercase().contains("canary") && !json.contains('@'), "{json}");
    let back: Trail = serde_json::from_str(&json).unwrap();
    assert_eq!(back, ada.trail);
    assert_eq!(engine::next(&ada.facts).name(), back.marks().next_back().unwrap().step);
}
