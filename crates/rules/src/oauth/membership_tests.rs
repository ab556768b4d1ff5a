use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::directory::application::PasswordCredential;
use crate::oauth::testing;

fn group(n: u8, security_enabled: bool) -> Group {
    Group {
        id: ObjectId::from_random([n; 16]),
        display_name: format!("Group {n}"),
        description: String::new(),
        mail_nickname: format!("group{n}"),
        security_enabled,
    }
}

fn app(kind: GroupMembershipClaims, assigned: &[(u8, Option<&str>)]) -> Application<PasswordCredential> {
    let mut app = testing::application();
    app.app_roles = serde_json::from_value(json!([
        {"value": "Read", "displayName": "Read", "allowedMemberTypes": ["User"]},
        {"value": "Write", "displayName": "Write", "allowedMemberTypes": ["User", "Application"]},
        {"value": "Robot", "displayName": "Robot", "allowedMemberTypes": ["Application"]},
        {"value": "Old", "displayName": "Old", "allowedMemberTypes": ["User"], "isEnabled": false},
    ]))
    .unwrap();
    let settings = &mut app.settings.tokens;
    settings.group_membership_claims = kind;
    let one = |(n, role): &(u8, Option<&str>)| json!({"group": group(*n, true).id, "role": role});
    settings.app_role_assigned_to =
        serde_json::from_value(json!(assigned.iter().map(one).collect::<Vec<_>>())).unwrap();
    app
}

fn standing(groups: &[u8], assigned: Vec<(ClientId, Option<String>)>) -> Standing {
    let groups = groups.iter().map(|n| ObjectId::from_random([*n; 16])).collect();
    Standing { groups, assigned }
}

#[test]
fn roles_come_of_the_person_and_of_their_groups() {
    let app = app(GroupMembershipClaims::None, &[(1, Some("Write")), (2, Some("Read")), (3, None)]);
    let own = vec![
        (app.app_id, Some("Read".to_owned())),
        (ClientId::from_random([9; 16]), Some("Write".to_owned())),
    ];
    assert_eq!(roles(&app, &standing(&[1], own.clone())), ["Read", "Write"]);
    assert_eq!(roles(&app, &standing(&[4], own)), ["Read"]);
    assert_eq!(roles(&app, &standing(&[2, 3], Vec::new())), ["Read"]);
    assert!(roles(&app, &Standing::default()).is_empty());
}

#[test]
fn an_app_that_is_assigned_admits_those_alone_that_it_is_assigned_to() {
    let mut app = app(GroupMembershipClaims::None, &[(1, None), (2, Some("Robot"))]);
    assert!(admits(&app, &Standing::default()), "it is for everybody");
    app.settings.tokens.app_role_assignment_required = true;
    assert!(!admits(&app, &Standing::default()));
    assert!(admits(&app, &standing(&[1], Vec::new())));
    assert!(admits(&app, &standing(&[], vec![(app.app_id, None)])));
    // S66: what nobody can hold lets nobody in.
    for role in ["Robot", "Old", "Unknown", ""] {
        assert!(!admits(&app, &standing(&[2], vec![(app.app_id, Some(role.to_owned()))])), "{role}");
        assert!(roles(&app, &standing(&[2], vec![(app.app_id, Some(role.to_owned()))])).is_empty(), "{role}");
    }
    let other = ClientId::from_random([9; 16]);
    assert!(!admits(&app, &standing(&[], vec![(other, None)])));
}

#[test]
fn the_setting_chooses_the_groups_that_are_told() {
    let all = [group(1, true), group(2, false), group(3, true)];
    let person = standing(&[1, 2, 9], Vec::new());
    let ids = |ns: &[u8]| GroupsClaim::Listed(ns.iter().map(|n| group(*n, true).id).collect());
    for (kind, expected) in [
        (GroupMembershipClaims::None, GroupsClaim::Absent),
        (GroupMembershipClaims::SecurityGroup, ids(&[1])),
        (GroupMembershipClaims::ApplicationGroup, ids(&[2])),
        (GroupMembershipClaims::All, ids(&[1, 2])),
    ] {
        let app = app(kind, &[(2, None), (3, None)]);
        assert_eq!(groups(&app, &all, &person, MOST_IN_TOKEN), expected, "{kind:?}");
        assert_eq!(groups(&app, &all, &Standing::default(), MOST_IN_TOKEN), GroupsClaim::Absent);
    }
    assert_eq!(groups(&app(GroupMembershipClaims::All, &[]), &all, &person, 1), GroupsClaim::TooMany);
}

proptest! {
    #[test]
    fn nobody_holds_a_role_or_is_told_of_a_group_that_is_not_theirs(
        of_person in proptest::collection::btree_set(1..20_u8, 0..12),
        assigned in proptest::collection::vec((1..20_u8, 0..5_usize), 0..12),
    ) {
        // S66
        let names = [None, Some("Read"), Some("Write"), Some("Robot"), Some("Old")];
        let assigned: Vec<_> = assigned.into_iter().map(|(n, role)| (n, names[role])).collect();
        let app = app(GroupMembershipClaims::ApplicationGroup, &assigned);
        let person = standing(&of_person.iter().copied().collect::<Vec<_>>(), Vec::new());
        for role in roles(&app, &person) {
            prop_assert!(["Read", "Write"].contains(&role));
            prop_assert!(assigned.iter().any(|(n, name)| of_person.contains(n) && *name == Some(role)));
        }
        let all: Vec<Group> = (1..20).map(|n| group(n, true)).collect();
        if let GroupsClaim::Listed(told) = groups(&app, &all, &person, MOST_IN_TOKEN) {
            prop_assert!(told.iter().all(|id| person.groups.contains(id)));
        }
    }
}
