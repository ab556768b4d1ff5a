use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::directory::user::ObjectIdentity;
use crate::ids::{AttributeId, UserId};

const CODE: &str = "extension_0123456789abcdef0123456789abcdef_code";

fn user() -> User {
    let attributes = [("surname", "Lee"), ("givenName", "Ann"), ("country", "de"), (CODE, "7")];
    User {
        id: UserId::from_random([1; 16]),
        user_type: UserType::Member,
        creation_type: None,
        external_user_state: None,
        account_enabled: true,
        user_principal_name: "ann_mail.example#EXT#@t.onmicrosoft.com".to_owned(),
        display_name: Some("Ann Lee".to_owned()),
        mail: Some("ann@mail.example".to_owned()),
        identities: vec![ObjectIdentity {
            sign_in_type: ObjectIdentity::EMAIL_ADDRESS.to_owned(),
            issuer: "t.onmicrosoft.com".to_owned(),
            issuer_assigned_id: "ann@mail.example".to_owned(),
        }],
        attributes: attributes.into_iter().map(|(k, v)| (k.to_owned(), Value::from(v))).collect(),
        created_at: Timestamp::default(),
        sessions_valid_from: Timestamp::default(),
        deleted_at: None,
        revision: 0,
    }
}

fn asked(name: &str, properties: &[&str]) -> OptionalClaim {
    OptionalClaim {
        name: name.to_owned(),
        source: None,
        essential: false,
        additional_properties: properties.iter().map(|&p| p.to_owned()).collect(),
    }
}

fn added(user: &User, added: &Added<'_>) -> Value {
    let mut claims = Map::new();
    added.put(&mut claims, user);
    Value::Object(claims)
}

#[test]
fn every_optional_claim_says_what_its_name_says() {
    let optional: Vec<OptionalClaim> =
        OptionalName::ALL.iter().map(|name| asked(name.as_str(), &[])).chain([asked(CODE, &[])]).collect();
    let circumstances = Circumstances {
        auth_time: Some(Timestamp::from_seconds(1_700_000_000)),
        sid: Some(SessionId::from_random([4; 16])),
        login_hint: Some("O.hint"),
        address: Some("192.0.2.7"),
        tenant_country: Some("AT"),
        groups_at: None,
    };
    let all = Added { optional: &optional, circumstances, ..Added::default() };
    insta::assert_json_snapshot!(added(&user(), &all), @r#"
    {
      "acct": 0,
      "auth_time": 1700000000,
      "ctry": "DE",
      "email": "ann@mail.example",
      "email_verified": true,
      "extn.code": "7",
      "family_name": "Lee",
      "given_name": "Ann",
      "ipaddr": "192.0.2.7",
      "login_hint": "O.hint",
      "preferred_username": "ann@mail.example",
      "sid": "04040404-0404-4404-8404-040404040404",
      "tenant_ctry": "AT",
      "upn": "ann_mail.example#EXT#@t.onmicrosoft.com",
      "verified_primary_email": [
        "ann@mail.example"
      ]
    }
    "#);
    let nothing = Added { optional: &optional, ..Added::default() };
    let mut bare = user();
    bare.attributes = BTreeMap::new();
    bare.mail = None;
    bare.identities = Vec::new();
    let names: Vec<String> = added(&bare, &nothing).as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["acct", "preferred_username", "upn"], "what is not there is left out");
}

#[test]
fn an_address_that_nobody_proved_is_no_verified_one() {
    // U15 to U17
    let mut other = user();
    other.mail = Some("boss@company.example".to_owned());
    let optional = [asked("verified_primary_email", &[])];
    let added = added(&other, &Added { optional: &optional, ..Added::default() });
    assert_eq!(added, json!({}));
}

#[test]
fn a_guest_has_a_user_principal_name_when_it_is_asked_for() {
    let mut guest = user();
    guest.user_type = UserType::Guest;
    let upn = |properties: &[&str]| {
        let optional = [asked("upn", properties)];
        added(&guest, &Added { optional: &optional, ..Added::default() }).get("upn").cloned()
    };
    assert_eq!(upn(&[]), None);
    assert_eq!(upn(&[GUESTS_TOO]).unwrap(), guest.user_principal_name);
    assert_eq!(upn(&[GUESTS_WITHOUT_HASH]).unwrap(), "ann_mail.example_EXT_@t.onmicrosoft.com");
}

#[test]
fn groups_that_are_too_many_are_not_there_in_one_way_or_the_other() {
    let groups = |groups, groups_at| {
        let circumstances = Circumstances { groups_at, ..Circumstances::default() };
        added(&user(), &Added { circumstances, groups, ..Added::default() })
    };
    let id = crate::ids::ObjectId::from_random([1; 16]);
    assert_eq!(groups(GroupsClaim::Absent, Some("https://h")), json!({}));
    assert_eq!(groups(GroupsClaim::Listed(vec![id]), None), json!({"groups": [id]}));
    assert_eq!(groups(GroupsClaim::TooMany, None), json!({"hasgroups": true}));
    assert_eq!(
        groups(GroupsClaim::TooMany, Some("https://h/x")),
        json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://h/x"}}})
    );
}

fn name() -> impl Strategy<Value = String> {
    let reserved = proptest::sample::select(RESERVED_CLAIMS).prop_map(str::to_owned);
    let upper = proptest::sample::select(RESERVED_CLAIMS).prop_map(str::to_uppercase);
    prop_oneof![reserved, upper, "[a-z_]{1,8}", any::<String>()]
}

proptest! {
    #[test]
    fn no_attribute_stands_under_a_name_that_means_something(
        names in proptest::collection::vec(name(), 0..20),
        value in any::<String>(),
    ) {
        // S60 to S71
        let mut user = user();
        user.attributes.insert(CODE.to_owned(), Value::from(value));
        let claims: Vec<TokenClaim> = names
            .into_iter()
            .map(|name| TokenClaim { name, attribute: AttributeId::new(CODE), tokens: ClaimTarget::usual() })
            .collect();
        for target in ClaimTarget::usual() {
            for name in mapped(&user, &claims, target).keys() {
                prop_assert!(!RESERVED_CLAIMS.contains(&name.to_lowercase().as_str()), "{}", name);
            }
        }
        prop_assert!(mapped(&user, &claims, ClaimTarget::Userinfo).is_empty());
    }
}
