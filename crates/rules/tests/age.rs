//! How old newcomers must be, through the whole engine (AGE-01).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::collections::BTreeMap;

use support::{NOW, World, agree, field, flow, open, say};
use vestibule_rules::directory::age::{AgeRule, Below};
use vestibule_rules::directory::attribute::DataType;
use vestibule_rules::directory::flow::InputType;
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::ids::AttributeId;
use vestibule_rules::journey::engine::{self, Rejected};
use vestibule_rules::journey::facts::{Facts, Intent};
use vestibule_rules::journey::flow::{Flow, Method};
use vestibule_rules::journey::form::{answers, form};
use vestibule_rules::journey::input::Input;
use vestibule_rules::journey::question::{Answer, Question, RawFields};
use vestibule_rules::journey::step::Step;
use vestibule_rules::time::Span;

const PARENT: &str = "parent@example.org";

/// 13 years, in Germany 16; NOW is 2026-11-18 in UTC.
fn aged(below: Below) -> Flow {
    let mut born = field("Born", DataType::DateTime, InputType::DateTimeDropdown);
    born.input.required = true;
    let country = field("country", DataType::String, InputType::Country);
    let age = AgeRule {
        date_of_birth: born.id.clone(),
        minimum: 13,
        minimum_by_country: BTreeMap::from([("DE".to_owned(), 16)]),
        country: Some(AttributeId::new("country")),
        adult: 18,
        below,
    };
    Flow { fields: vec![born, country], age: Some(age), ..flow(TenantKind::External, &[Method::Code]) }
}

fn newcomer(flow: &Flow, world: &mut World) -> Facts {
    let facts = open(flow, Intent::SignUp);
    let address = "new@example.com".to_owned();
    let facts = say(flow, world, &facts, Input::Identify { address: address.clone() }, NOW).unwrap();
    let code = world.code_for(&address).unwrap();
    say(flow, world, &facts, Input::Code { code }, NOW).unwrap()
}

fn answer(flow: &Flow, world: &mut World, facts: &Facts, (born, country): (&str, &str)) -> Facts {
    let name = flow.fields[0].id.0.clone();
    let fields = [(name, vec![born.to_owned()]), ("country".to_owned(), vec![country.to_owned()])];
    let input = Input::Details { fields: RawFields::from(fields), password: None, confirmation: None };
    say(flow, world, facts, input, NOW).unwrap()
}

fn to(address: &str) -> Input {
    Input::Guardian { address: address.to_owned() }
}

#[test]
fn the_birthday_decides_and_the_country_with_it() {
    let flow = aged(Below::Block);
    let today = NOW.rfc3339();
    let (year, day) = (today[..4].parse::<i32>().unwrap(), &today[4..10]);
    let of = |years: i32| format!("{}{day}", year - years);
    let groups = [
        (of(13), "FR", Some("NotAdult")),
        (of(18), "FR", Some("Adult")),
        (of(16), "DE", Some("NotAdult")),
        (of(13), "DE", None),
        (of(15), "DE", None),
        (of(12), "FR", None),
        (format!("{}-12-31", year - 13), "FR", None),
        (of(13), "", Some("NotAdult")),
    ];
    for (born, country, group) in groups {
        let mut world = World::new();
        let facts = newcomer(&flow, &mut world);
        let facts = answer(&flow, &mut world, &facts, (&born, country));
        let Some(group) = group else {
            assert!(world.created.is_empty(), "{born} {country}");
            assert_eq!(facts.refusal.unwrap().message.id, "refused-too-young");
            continue;
        };
        assert_eq!(world.created[0].attributes["ageGroup"], group, "{born} {country}");
        assert!(!world.created[0].attributes.contains_key("consentProvidedForMinor"));
    }
}

#[test]
fn another_date_of_birth_is_not_taken_after_a_refusal() {
    let flow = aged(Below::Block);
    let mut world = World::new();
    let facts = newcomer(&flow, &mut world);
    let refused = answer(&flow, &mut world, &facts, ("2020-01-01", "FR"));
    let again = say(&flow, &mut world, &refused, Input::Continue, NOW).unwrap();
    let again = say(&flow, &mut world, &again, Input::SignUpInstead, NOW).unwrap_or(again);
    let address = "new@example.com".to_owned();
    let again = say(&flow, &mut world, &again, Input::Identify { address: address.clone() }, NOW).unwrap();
    let code = world.code_for(&address).unwrap();
    let again = say(&flow, &mut world, &again, Input::Code { code }, NOW).unwrap();
    let again = answer(&flow, &mut world, &again, ("1990-01-01", "FR"));
    assert_eq!(again.refusal.unwrap().message.id, "refused-too-young");
    assert!(world.created.is_empty());
}

#[test]
fn a_minor_waits_for_the_guardian_and_goes_on() {
    let flow = aged(Below::Guardian);
    let mut world = World::new();
    let facts = newcomer(&flow, &mut world);
    let facts = answer(&flow, &mut world, &facts, ("2016-02-29", "FR"));
    assert_eq!(engine::next(&facts), Step::Guardian);
    for (typed, problem) in [("", "address-invalid"), ("New@Example.com", "guardian-own-address")] {
        let refused = say(&flow, &mut world, &facts, to(typed), NOW).unwrap();
        assert_eq!(refused.problems[0].message.id, problem);
    }
    let waiting = say(&flow, &mut world, &facts, to(PARENT), NOW).unwrap();
    assert!(matches!(engine::next(&waiting), Step::GuardianWait { .. }));
    // Nothing that the visitor does gets them on.
    let still = say(&flow, &mut world, &waiting, Input::Continue, NOW).unwrap();
    assert!(matches!(engine::next(&still), Step::GuardianWait { .. }) && world.created.is_empty());
    // What the guardian is shown.
    let shown: Vec<_> = answers(&flow, &still).iter().map(|f| (f.values.clone(), f.fixed)).collect();
    assert_eq!(shown, [(vec!["2016-02-29".to_owned()], true), (vec!["FR".to_owned()], true)]);
    let soon = say(&flow, &mut world, &still, Input::Resend, NOW).unwrap();
    assert_eq!(soon.problems[0].message.id, "guardian-resend-wait");
    let later = NOW + Span::minutes(1);
    let resent = say(&flow, &mut world, &soon, Input::Resend, later).unwrap();
    // The older mail is of no use any more.
    assert_eq!(agree(&flow, &mut world, &resent, 1, later), Err(Rejected::NotAsked));
    let agreed = agree(&flow, &mut world, &resent, 2, later).unwrap();
    assert_eq!(engine::next(&agreed), Step::GuardianAgreed);
    assert_eq!(agree(&flow, &mut world, &agreed, 2, later), Err(Rejected::NotAsked));
    let done = say(&flow, &mut world, &agreed, Input::Continue, later).unwrap();
    assert!(done.authenticated.is_some_and(|who| who.created));
    let attributes = &world.created[0].attributes;
    assert_eq!(
        (&attributes["ageGroup"], &attributes["consentProvidedForMinor"]),
        (&"Minor".into(), &"Granted".into())
    );
}

#[test]
fn a_guardian_who_refuses_or_does_not_answer_lets_nobody_in() {
    let flow = aged(Below::Guardian);
    let mut world = World::new();
    let facts = newcomer(&flow, &mut world);
    let facts = answer(&flow, &mut world, &facts, ("2016-02-29", "FR"));
    let waiting = say(&flow, &mut world, &facts, to(PARENT), NOW).unwrap();
    let refused =
        engine::answer(&flow, waiting.clone(), &Question::Guardian { sent: 1 }, Answer::GuardianRefused);
    assert_eq!(refused.unwrap().facts.refusal.unwrap().message.id, "refused-guardian");
    let late = NOW + Span::days(8);
    let expired = say(&flow, &mut world, &waiting, Input::Continue, late).unwrap();
    assert_eq!(engine::next(&expired), Step::Guardian);
    assert_eq!(expired.problems[0].message.id, "guardian-expired");
    assert_eq!(agree(&flow, &mut world, &expired, 1, late), Err(Rejected::NotAsked));
    let other = say(&flow, &mut world, &waiting, Input::ChangeAddress, NOW).unwrap();
    assert_eq!(agree(&flow, &mut world, &other, 1, NOW), Err(Rejected::NotAsked));
    assert_eq!(form(&flow, &other).fields[0].values, [PARENT]);
    // Back at the questions, an age that would need nobody's word: it was another one a minute ago.
    let back = say(&flow, &mut world, &other, Input::Back { fields: RawFields::new() }, NOW).unwrap();
    assert!(matches!(engine::next(&back), Step::Details { .. }));
    assert!(world.created.is_empty());
    let older = answer(&flow, &mut world, &back, ("2000-02-29", "FR"));
    assert_eq!(engine::next(&older), Step::Guardian);
    let elsewhere = say(&flow, &mut world, &older, Input::Back { fields: RawFields::new() }, NOW).unwrap();
    let elsewhere = say(&flow, &mut world, &elsewhere, Input::ChangeAddress, NOW).unwrap();
    assert!(elsewhere.minor, "forgotten on the way to another address");
    assert!(world.created.is_empty());
    // Who signs up anew is asked anew.
    let anew = newcomer(&flow, &mut world);
    answer(&flow, &mut world, &anew, ("2000-02-29", "FR"));
    assert_eq!(world.created[0].attributes["ageGroup"], "Adult");
}
