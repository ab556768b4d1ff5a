//! Who is in which group, and whom applications are assigned to.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, ObjectId};
use vestibule_store::{memberships, users};

use crate::engines::on_both;
use crate::fixtures::{NOW, key, tenant, tenant_number, user, user_id, write};

fn group(n: u8) -> ObjectId {
    ObjectId::from_random([n; 16])
}

fn app(n: u8) -> ClientId {
    ClientId::from_random([n; 16])
}

#[tokio::test]
async fn a_group_has_each_member_once_and_each_tenant_its_own() -> Outcome<()> {
    on_both(async |place| {
        for n in [1, 2, 3] {
            write!(place.db, tx => users::insert(tx, tenant(), &user(n), &key(n), None))?;
        }
        for (g, u, expected) in [(1, 1, true), (1, 2, true), (1, 1, false), (2, 1, true), (1, 3, true)] {
            let added = write!(place.db, tx => memberships::add(tx, tenant(), (group(g), user_id(u)), NOW))?;
            assert_eq!(added, expected);
        }
        write!(place.db, tx => users::remove(tx, tenant(), user_id(3), NOW))?;
        let mut tx = place.db.read().await?;
        assert_eq!(memberships::groups_of(&mut tx, tenant(), user_id(1)).await?.len(), 2);
        assert!(memberships::groups_of(&mut tx, tenant_number(2), user_id(1)).await?.is_empty());
        let mut sizes = memberships::sizes(&mut tx, tenant()).await?;
        sizes.sort();
        assert_eq!(sizes, [(group(1), 2), (group(2), 1)]);
        let first = memberships::members(&mut tx, tenant(), group(1), ("", 1)).await?;
        let second = memberships::members(&mut tx, tenant(), group(1), (&first[0].key, 5)).await?;
        assert_eq!((first[0].id, second[0].id, second.len()), (user_id(1), user_id(2), 1));
        drop(tx);
        assert!(write!(place.db, tx => memberships::remove(tx, tenant(), group(1), user_id(2)))?);
        assert!(!write!(place.db, tx => memberships::remove(tx, tenant(), group(1), user_id(2)))?);
        write!(place.db, tx => memberships::drop_group(tx, tenant(), &group(1).to_string()))?;
        let mut tx = place.db.read().await?;
        assert_eq!(memberships::groups_of(&mut tx, tenant(), user_id(1)).await?, [group(2)]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_assignment_is_one_of_person_app_and_role() -> Outcome<()> {
    on_both(async |place| {
        for n in [1, 2] {
            write!(place.db, tx => users::insert(tx, tenant(), &user(n), &key(n), None))?;
        }
        for (a, role, u, expected) in [
            (1, None, 1, true),
            (1, Some("Read"), 1, true),
            (1, Some("Read"), 1, false),
            (1, Some("Read"), 2, true),
            (2, None, 1, true),
        ] {
            let whom = (app(a), role, user_id(u));
            let assigned = write!(place.db, tx => memberships::assign(tx, tenant(), whom, NOW))?;
            assert_eq!(assigned, expected);
        }
        let mut tx = place.db.read().await?;
        let own = memberships::assigned_to(&mut tx, tenant(), user_id(1)).await?;
        assert_eq!(own, [(app(1), None), (app(1), Some("Read".to_owned())), (app(2), None)]);
        let (mut seen, mut after) = (Vec::new(), (String::new(), String::new()));
        loop {
            let from = ((after.0.as_str(), after.1.as_str()), 1);
            let page = memberships::assigned(&mut tx, tenant(), app(1), from).await?;
            let Some((person, role)) = page.into_iter().next() else { break };
            after = (person.key.clone(), role.clone().unwrap_or_default());
            seen.push((person.id, role));
        }
        let read = Some("Read".to_owned());
        assert_eq!(seen, [(user_id(1), None), (user_id(1), read.clone()), (user_id(2), read)]);
        drop(tx);
        let whom = (app(1), None, user_id(1));
        assert!(write!(place.db, tx => memberships::unassign(tx, tenant(), whom))?);
        assert!(!write!(place.db, tx => memberships::unassign(tx, tenant(), whom))?);
        write!(place.db, tx => memberships::drop_app(tx, tenant(), &app(1).to_string()))?;
        let mut tx = place.db.read().await?;
        assert_eq!(memberships::assigned_to(&mut tx, tenant(), user_id(1)).await?, [(app(2), None)]);
        Ok(())
    })
    .await
}
