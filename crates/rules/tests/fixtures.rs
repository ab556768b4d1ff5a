//! Journeys as earlier versions stored them: they load for ever, and mean what they meant. A new field of
//! the facts needs a default; a new form of the facts needs a new file beside the old ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "each test file uses its part")]
mod support;

use support::{NOW, World, come_back, federated, flow, provider, say};
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::journey::engine::{self, Next};
use vestibule_rules::journey::facts::{End, Facts};
use vestibule_rules::journey::flow::Method;
use vestibule_rules::journey::input::Input;
use vestibule_rules::text::Secret;

fn stored() -> Vec<(String, serde_json::Value)> {
    let text = include_str!("fixtures/journey-v1.json");
    let cases: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap();
    cases.into_iter().collect()
}

#[test]
fn every_journey_that_was_ever_stored_loads_and_shows_its_step() {
    let cases = stored();
    assert_eq!(cases.len(), 13);
    for (name, json) in cases {
        let facts: Facts = serde_json::from_value(json.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let step = name.split(':').next().unwrap_or_default();
        assert_eq!(engine::next(&facts).name().as_str(), step, "{name}");
        let serde_json::Value::Object(written) = serde_json::to_value(&facts).unwrap() else {
            panic!("{name}")
        };
        for (key, value) in json.as_object().unwrap() {
            assert_eq!(written.get(key), Some(value), "{name}: {key}");
        }
    }
}

#[test]
fn a_stored_journey_goes_on() {
    let flow = flow(TenantKind::External, &[Method::Password, provider("fabrikam")]);
    for (name, json) in stored() {
        let mut facts: Facts = serde_json::from_value(json).unwrap();
        let mut world = World::new();
        if facts.end.is_some() {
            assert!(say(&flow, &mut world, &facts, Input::Continue, NOW).is_err(), "{name}");
            continue;
        }
        if facts.federation.is_some() {
            let back = federated("fabrikam", "sub-1", Some("ada@example.com"), &[]);
            facts = come_back(&flow, &mut world, &facts, back, NOW).unwrap();
        }
        if facts.authenticated.is_some() {
            facts = say(&flow, &mut world, &facts, Input::Stay(true), NOW).unwrap();
            assert_eq!(facts.end, Some(End::SignedIn), "{name}");
            continue;
        }
        let input = match name.split(':').next().unwrap_or_default() {
            "password" => Input::Password { password: Secret::new("x".to_owned()) },
            "code" => Input::Code { code: "12345678".to_owned() },
            _ => Input::Cancel,
        };
        let turn = engine::submit(&flow, facts, input, NOW).unwrap();
        assert!(
            turn.facts.end.is_some() || matches!(turn.next, Next::Ask(_)) || !turn.facts.problems.is_empty()
        );
    }
}
