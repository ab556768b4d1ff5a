use serde_json::json;

use super::{Unmet, draft};
use crate::directory::flow::InputType;
use crate::directory::tenant::TenantKind;
use crate::directory::user::UserType;
use crate::ids::{ProviderId, UserId};
use crate::journey::facts::{Account, Facts, Federated, Lookup};
use crate::journey::flow::{Flow, Method};
use crate::journey::testing::{NOW, fabrikam, field, flow, proven};

fn id() -> UserId {
    UserId::parse("0a0a0a0a-0000-4000-8000-000000000001").unwrap()
}

fn collected(flow: &Flow, address: &str, values: &serde_json::Value) -> Facts {
    Facts { values: serde_json::from_value(values.clone()).unwrap(), ..proven(flow, address) }
}

fn through_fabrikam(facts: Facts) -> Facts {
    let federated = Federated {
        provider: ProviderId::new("fabrikam"),
        issuer: "https://fabrikam.example".to_owned(),
        subject: "Sub-1".to_owned(),
        verified_email: facts.mailbox.clone(),
        claimed_email: None,
        claims: std::collections::BTreeMap::new(),
        updates: std::collections::BTreeMap::new(),
    };
    Facts { mailbox: None, federated: Some(federated), ..facts }
}

fn user(flow: &Flow, facts: &Facts) -> serde_json::Value {
    serde_json::to_value(draft(flow, facts).unwrap().into_user(id(), NOW)).unwrap()
}

#[test]
fn a_guest_stands_in_the_directory_as_dir_01_says() {
    let mut flow = flow(TenantKind::Workforce, &[Method::Code, fabrikam()]);
    flow.fields = vec![field("displayName", InputType::Text, |_| {}), field("city", InputType::Text, |_| {})];
    let facts = collected(&flow, "Ada_L@fabrikam.com", &json!({"displayName": "Ada", "city": "Bath"}));
    let mut expected = json!({
        "id": "0a0a0a0a-0000-4000-8000-000000000001",
        "userType": "Guest",
        "creationType": "SelfServiceSignUp",
        "externalUserState": "Accepted",
        "accountEnabled": true,
        "userPrincipalName": "Ada_L_fabrikam.com#EXT#@woodgrove.onmicrosoft.com",
        "displayName": "Ada",
        "mail": "Ada_L@fabrikam.com",
        "identities": [{"signInType": "federated", "issuer": "mail", "issuerAssignedId": "Ada_L@fabrikam.com"}],
        "attributes": {"city": "Bath"},
        "createdAt": NOW.0,
        "sessionsValidFrom": NOW.0,
        "deletedAt": null,
        "revision": 1,
    });
    assert_eq!(user(&flow, &facts), expected);
    expected["identities"] = json!([
        {"signInType": "federated", "issuer": "https://fabrikam.example", "issuerAssignedId": "Sub-1"}
    ]);
    assert_eq!(user(&flow, &through_fabrikam(facts)), expected);
}

#[test]
fn a_customer_stands_in_the_directory_as_dir_02_says() {
    let local = flow(TenantKind::External, &[Method::Password, fabrikam()]);
    let facts =
        Facts { password: Some("phc".to_owned()), ..collected(&local, "ada@example.com", &json!({})) };
    let principal = "0a0a0a0a-0000-4000-8000-000000000001@woodgrove.onmicrosoft.com";
    let by_name = json!({"signInType": "userPrincipalName", "issuer": "woodgrove.onmicrosoft.com", "issuerAssignedId": principal});
    let mut expected = json!({
        "id": "0a0a0a0a-0000-4000-8000-000000000001",
        "userType": "Member",
        "creationType": "LocalAccount",
        "externalUserState": null,
        "accountEnabled": true,
        "userPrincipalName": principal,
        "displayName": "ada",
        "mail": "ada@example.com",
        "identities": [
            {"signInType": "emailAddress", "issuer": "woodgrove.onmicrosoft.com", "issuerAssignedId": "ada@example.com"},
            by_name,
        ],
        "attributes": {},
        "createdAt": NOW.0,
        "sessionsValidFrom": NOW.0,
        "deletedAt": null,
        "revision": 1,
    });
    assert_eq!(user(&local, &facts), expected);
    assert_eq!(draft(&local, &facts).unwrap().password(), Some("phc"));

    let by_code = flow(TenantKind::External, &[Method::Code]);
    expected["identities"] = json!([{"signInType": "federated", "issuer": "mail", "issuerAssignedId": "ada@example.com"}, by_name]);
    assert_eq!(user(&by_code, &facts), expected);
    assert_eq!(draft(&by_code, &facts).unwrap().password(), None);

    let social = through_fabrikam(facts);
    expected["identities"] = json!([
        {"signInType": "federated", "issuer": "https://fabrikam.example", "issuerAssignedId": "Sub-1"},
        by_name,
    ]);
    expected["creationType"] = json!(null);
    assert_eq!(user(&local, &social), expected);
    assert_eq!(draft(&local, &social).unwrap().password(), None);

    let guest = Flow { user_type: UserType::Guest, ..by_code };
    assert_eq!(user(&guest, &collected(&guest, "ada@example.com", &json!({})))["userType"], "Guest");
}

#[test]
fn an_account_has_a_name_and_only_what_is_to_be_stored() {
    let mut flow = flow(TenantKind::External, &[Method::Code]);
    let name =
        |f: &Flow, v: &serde_json::Value| user(f, &collected(f, "ada@example.com", v))["displayName"].clone();
    flow.fields =
        vec![field("givenName", InputType::Text, |_| {}), field("surname", InputType::Text, |_| {})];
    assert_eq!(name(&flow, &json!({"givenName": "Ada", "surname": "Lovelace"})), "Ada Lovelace");
    assert_eq!(name(&flow, &json!({"surname": "Lovelace"})), "Lovelace");
    assert_eq!(name(&flow, &json!({})), "ada");
    // ATTR-13: collected, and not stored, neither as itself nor as part of a name.
    flow.fields = vec![
        field("givenName", InputType::Text, |f| f.input.write_to_directory = false),
        field("city", InputType::Text, |_| {}),
    ];
    let facts =
        collected(&flow, "ada@example.com", &json!({"givenName": "Ada", "city": "Bath", "isAdmin": true}));
    let user = user(&flow, &facts);
    assert_eq!((&user["displayName"], &user["attributes"]), (&json!("ada"), &json!({"city": "Bath"})));
}

#[test]
fn every_demand_is_met_or_there_is_no_account() {
    let mut flow = flow(TenantKind::External, &[Method::Password]);
    flow.fields = vec![field("city", InputType::Text, |f| f.input.required = true)];
    let good = Facts {
        password: Some("phc".to_owned()),
        ..collected(&flow, "ada@example.com", &json!({"city": "Bath"}))
    };
    assert!(draft(&flow, &good).is_ok());
    let refused = |facts: Facts| draft(&flow, &facts).unwrap_err();
    let known = Account { user: id(), enabled: true, has_password: false, has_code: false };
    assert_eq!(refused(Facts { account: Lookup::NotAsked, ..good.clone() }), Unmet::NotLookedUp);
    assert_eq!(refused(Facts { account: Lookup::Known(known), ..good.clone() }), Unmet::Exists);
    assert_eq!(refused(Facts { mailbox: None, ..good.clone() }), Unmet::Proof);
    assert_eq!(refused(Facts { mailbox: Some("no address".to_owned()), ..good.clone() }), Unmet::Proof);
    assert_eq!(refused(Facts { values: None, ..good.clone() }), Unmet::Attribute);
    let empty = serde_json::from_value(json!({"city": ""})).unwrap();
    assert_eq!(refused(Facts { values: empty, ..good.clone() }), Unmet::Attribute);
    assert_eq!(refused(Facts { password: None, ..good.clone() }), Unmet::Password);
    let closed = Flow { sign_up_allowed: false, ..flow.clone() };
    assert_eq!(draft(&closed, &good).unwrap_err(), Unmet::SignUpOff);
}
