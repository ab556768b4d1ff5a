//! What counts as lost (EXIST-06), and what does not (FLOW-09).

use serde_json::{Value, json};

use super::*;

const PORTAL: &str = "11111111-1111-4111-8111-111111111111";
const FABRIKAM: &str = "https://fabrikam.example";

fn shape<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn flow(name: &str, apps: &[&str], methods: &[&str]) -> UserFlow {
    shape(json!({"id": name, "displayName": name, "applications": apps, "identityProviders": methods}))
}

/// An external tenant with one application, whose flow offers a provider and a code.
fn shop() -> TenantConfig {
    TenantConfig {
        tenant: shape(json!({
            "id": "44444444-4444-4444-8444-444444444444", "kind": "external", "displayName": "Corner",
            "shortName": "corner",
        })),
        applications: vec![shape(json!({
            "id": PORTAL, "appId": PORTAL, "displayName": "Portal",
            "servicePrincipal": {"id": PORTAL, "accountEnabled": true},
        }))],
        identity_providers: vec![shape(json!({
            "id": "fabrikam", "displayName": "Fabrikam", "issuer": FABRIKAM, "clientId": "c",
            "clientSecret": null,
        }))],
        user_flow_attributes: Vec::new(),
        user_flows: vec![flow("Customers", &[PORTAL], &["fabrikam", EMAIL_OTP])],
        groups: Vec::new(),
    }
}

fn local() -> Left {
    Left { issuers: BTreeSet::new(), local: true }
}

fn of_fabrikam(how: How, left: Left) -> Loss {
    Loss::Provider { name: "Fabrikam".to_owned(), issuer: FABRIKAM.to_owned(), how, left }
}

#[test]
fn nothing_is_lost_when_nothing_changes() {
    assert_eq!(lost(&shop(), &shop()), []);
}

#[test]
fn a_provider_is_lost_in_four_ways() {
    let mut removed = shop();
    removed.identity_providers.clear();
    removed.user_flows = vec![flow("Customers", &[PORTAL], &[EMAIL_OTP])];
    assert_eq!(lost(&shop(), &removed), [of_fabrikam(How::Removed, local())]);

    let mut off = shop();
    off.identity_providers[0].is_enabled = false;
    assert_eq!(lost(&shop(), &off), [of_fabrikam(How::SwitchedOff, local())]);
    // What was off already is not lost again.
    assert_eq!(lost(&off, &removed), []);

    let mut other = shop();
    other.identity_providers[0].settings.issuer = Some("https://other.example".to_owned());
    let left = Left { issuers: BTreeSet::from(["https://other.example".to_owned()]), local: true };
    assert_eq!(lost(&shop(), &other), [of_fabrikam(How::Replaced, left)]);

    let mut taken = shop();
    taken.user_flows = vec![flow("Customers", &[PORTAL], &[EMAIL_OTP])];
    let how = How::OffFlows(vec!["Customers".to_owned()]);
    assert_eq!(lost(&shop(), &taken), [of_fabrikam(how, local())]);
}

#[test]
fn passwords_instead_of_codes_lock_nobody_out() {
    // FLOW-09, T-07
    let mut after = shop();
    after.user_flows = vec![flow("Customers", &[PORTAL], &["fabrikam", EMAIL_PASSWORD])];
    assert_eq!(lost(&shop(), &after), []);
}

#[test]
fn a_flow_in_which_no_address_can_be_typed_loses_codes_and_passwords() {
    let mut after = shop();
    after.user_flows = vec![flow("Customers", &[PORTAL], &["fabrikam"])];
    let left = Left { issuers: BTreeSet::from([FABRIKAM.to_owned()]), local: false };
    assert_eq!(lost(&shop(), &after), [Loss::Local { flows: vec!["Customers".to_owned()], left }]);
}

#[test]
fn an_application_is_lost_when_it_goes_and_unserved_when_only_its_flow_goes() {
    let mut gone = shop();
    gone.applications.clear();
    gone.user_flows = vec![flow("Customers", &[], &["fabrikam", EMAIL_OTP])];
    let client = shop().applications[0].app_id;
    assert_eq!(lost(&shop(), &gone), [Loss::Application { client, name: "Portal".to_owned() }]);

    let mut moved = shop();
    moved.user_flows = vec![flow("Others", &[PORTAL], &["fabrikam", EMAIL_OTP])];
    assert_eq!(lost(&shop(), &moved), []);

    let mut unserved = shop();
    unserved.user_flows.push(flow("Others", &[], &["fabrikam", EMAIL_OTP]));
    unserved.user_flows.remove(0);
    let applications = vec!["Portal".to_owned()];
    let flow = "Customers".to_owned();
    assert_eq!(lost(&shop(), &unserved), [Loss::Unserved { flow, applications, signs_in: false }]);
}

#[test]
fn guests_go_on_without_a_flow_in_a_workforce_tenant() {
    let mut before = shop();
    before.tenant.kind = TenantKind::Workforce;
    let mut after = before.clone();
    after.user_flows.clear();
    let found = lost(&before, &after);
    assert!(matches!(found.as_slice(), [Loss::Unserved { signs_in: true, .. }]), "{found:?}");
}
