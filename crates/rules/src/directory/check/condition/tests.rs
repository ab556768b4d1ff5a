use serde_json::{Value, json};

use crate::directory::check::check;
use crate::directory::check::tests::{good, shape};
use crate::directory::tenant::TenantConfig;

/// Three questions; the last one has the condition.
fn asking(when: &Value) -> TenantConfig {
    let mut config = good();
    config.user_flow_attributes.push(shape(json!({
        "id": "extension_33333333333343338333333333333333_kind", "displayName": "kind", "dataType": "string"})));
    let options = json!([{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]);
    let flow = &mut config.user_flows[0];
    flow.identity_providers.push("fabrikam".to_owned());
    flow.attribute_collection.inputs = vec![
        shape(
            json!({"attribute": config.user_flow_attributes[2].id, "inputType": "radioSingleSelect", "options": options}),
        ),
        shape(json!({"attribute": "jobTitle"})),
        shape(json!({"attribute": "city", "when": when})),
    ];
    config
}

fn problems(when: &Value) -> Vec<String> {
    check(&asking(when)).iter().map(ToString::to_string).collect()
}

fn kind(is: &[&str]) -> Value {
    json!({"attribute": "extension_33333333333343338333333333333333_kind", "is": is})
}

#[test]
fn what_somebody_can_meet_is_fine() {
    for when in [
        json!({}),
        json!({"answer": kind(&["a"])}),
        json!({"answer": kind(&[])}),
        json!({"not": {"answer": kind(&["A", "b"])}}),
        json!({"answer": {"attribute": "jobTitle", "is": ["Buyer"]}}),
        json!({"method": ["fabrikam"], "providerSays": {"attribute": "displayName"}}),
        json!({"emailDomain": ["example.com"], "not": {"emailDomain": ["example.org"]}}),
        json!({"any": [{"method": ["EmailOtpSignup-OAUTH"]}, {"answer": kind(&["b"])}]}),
    ] {
        assert_eq!(problems(&when), [""; 0], "{when}");
    }
}

#[test]
fn what_nobody_can_meet_is_refused_at_its_place() {
    let never = "userFlows[0].attributeCollection.inputs[2].when: this can never hold";
    for when in [
        json!({"answer": kind(&["a"]), "not": {"answer": kind(&["a", "b"])}}),
        json!({"emailDomain": ["example.com"], "not": {"emailDomain": ["EXAMPLE.com"]}}),
        json!({"method": ["EmailOtpSignup-OAUTH"], "providerSays": {"attribute": "displayName"}}),
        json!({"method": ["EmailOtpSignup-OAUTH"], "not": {"method": ["emailotpsignup-oauth"]}}),
    ] {
        let found = problems(&when);
        assert!(found.len() == 1 && found[0].starts_with(never), "{when}: {found:?}");
    }
}

#[test]
fn a_condition_speaks_of_what_is_known_by_then() {
    for (when, text) in [
        (json!({"answer": {"attribute": "city"}}), "is not asked before this"),
        (json!({"answer": {"attribute": "nowhere"}}), "there is no attribute"),
        (json!({"answer": kind(&["a", "c"])}), "“c” is no answer"),
        (json!({"providerSays": {"attribute": "jobTitle"}}), "maps a claim"),
        (json!({"any": [{"method": ["google"]}]}), "nobody comes by “google”"),
    ] {
        let found = problems(&when);
        assert!(found.len() == 1 && found[0].contains(text), "{when}: {found:?}");
    }
}

#[test]
fn questions_stand_on_one_page_or_on_several() {
    let mut config = good();
    let input = |id: &str| json!({"attribute": id});
    config.user_flows[0].attribute_collection = shape(json!({
        "inputs": [input("jobTitle")],
        "views": [{"inputs": [input("city")]}, {"inputs": [input("city")]}, {"inputs": []}],
    }));
    let found: Vec<String> = check(&config).iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].contains("not both") && found[1].contains("at least one question"));
    assert!(found[2].starts_with("userFlows[0].attributeCollection.views[1].inputs[0].attribute"));
}
