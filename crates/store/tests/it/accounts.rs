//! Users, identities and passwords, and who may have which name.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use vestibule_rules::directory::address::Address;
use vestibule_rules::directory::user::{ExternalUserState, ObjectIdentity, User, UserType};
use vestibule_rules::fault::{Kind, Outcome};
use vestibule_rules::time::Span;
use vestibule_store::{Db, users};

use crate::engines::{Engine, TestDb, on_both};
use crate::fixtures::{
    NOW, fault_of, federated_identity, key, mail_identity, tenant, tenant_number, user, user_id, write,
};

async fn insert(db: &Db, user: User, key: String) -> Outcome<()> {
    db.write(move |tx| {
        let (user, key) = (user.clone(), key.clone());
        Box::pin(async move { users::insert(tx, tenant(), &user, &key, None).await })
    })
    .await
}

async fn update(db: &Db, user: User) -> Outcome<i64> {
    db.write(move |tx| {
        let user = user.clone();
        Box::pin(async move { users::update(tx, tenant(), &user).await })
    })
    .await
}

#[tokio::test]
async fn a_user_is_found_as_it_was_inserted() -> Outcome<()> {
    on_both(async |place| {
        let mut guest = user(1);
        guest.user_type = UserType::Guest;
        guest.creation_type = None;
        guest.external_user_state = Some(ExternalUserState::PendingAcceptance);
        guest.display_name = None;
        guest.identities = vec![federated_identity("Sub"), mail_identity("ÄNNE@Example.com")];
        insert(&place.db, guest.clone(), key(1)).await?;
        let mut tx = place.db.read().await?;
        assert_eq!(users::find(&mut tx, tenant(), guest.id).await?, Some(guest.clone()));
        assert_eq!(users::find(&mut tx, tenant_number(2), guest.id).await?, None);
        for identity in &guest.identities {
            let (issuer, key) = (&identity.issuer, identity.assigned_key());
            let found = users::find_by_identity(&mut tx, tenant(), issuer, &key).await?;
            assert_eq!(found.as_ref(), Some(&guest));
        }
        assert_eq!(users::find_by_identity(&mut tx, tenant(), "https://idp.example", "sub").await?, None);
        let by_upn = users::find_by_upn(&mut tx, tenant(), "U1@WOODGROVE.example").await?;
        assert_eq!(by_upn.as_ref(), Some(&guest));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_password_stands_apart_from_the_account() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => users::insert(tx, tenant(), &user(1), &key(1), Some("$argon2id$1")))?;
        write!(place.db, tx => users::insert(tx, tenant(), &user(2), &key(2), None))?;
        write!(place.db, tx => users::set_password(tx, tenant(), user_id(2), "$argon2id$2", NOW))?;
        write!(place.db, tx => users::set_password(tx, tenant(), user_id(2), "$argon2id$3", NOW))?;
        let mut tx = place.db.read().await?;
        let first = users::password(&mut tx, tenant(), user_id(1)).await?;
        assert_eq!(first.as_deref(), Some("$argon2id$1"));
        let second = users::password(&mut tx, tenant(), user_id(2)).await?;
        assert_eq!(second.as_deref(), Some("$argon2id$3"));
        assert_eq!(users::password(&mut tx, tenant(), user_id(3)).await?, None);
        drop(tx);
        assert!(write!(place.db, tx => users::set_password(tx, tenant(), user_id(9), "x", NOW)).is_err());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_sign_in_name_belongs_to_one_user() -> Outcome<()> {
    on_both(async |place| {
        insert(&place.db, user(1), key(1)).await?;
        let about = async |second: User, key: String| {
            let fault = fault_of(insert(&place.db, second, key).await);
            assert_eq!(fault.kind, Kind::Conflict);
            fault.about.unwrap_or_default()
        };
        let same_mail = User { identities: vec![mail_identity("USER1@EXAMPLE.COM")], ..user(2) };
        assert_eq!(about(same_mail, key(2)).await, "user_identity.assigned_key");
        let same_upn = User { user_principal_name: "U1@Woodgrove.Example".to_owned(), ..user(2) };
        assert_eq!(about(same_upn, key(2)).await, "user_account.upn_key");
        let same_id = User { id: user_id(1), ..user(2) };
        assert_eq!(about(same_id, key(2)).await, "user_account.id");
        assert_eq!(about(user(2), key(1)).await, "user_account.key");
        // Nothing of the refused attempts is left, and another tenant is another world.
        insert(&place.db, user(2), key(2)).await?;
        write!(place.db, tx => users::insert(tx, tenant_number(2), &user(1), &key(1), None))?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_user_is_updated_only_at_the_revision_that_was_read() -> Outcome<()> {
    on_both(async |place| {
        insert(&place.db, user(1), key(1)).await?;
        insert(&place.db, user(2), key(2)).await?;
        let mut changed = user(1);
        changed.display_name = Some("New".to_owned());
        changed.mail = None;
        changed.identities = vec![federated_identity("sub")];
        assert_eq!(update(&place.db, changed.clone()).await?, 2);
        assert_eq!(fault_of(update(&place.db, changed.clone()).await).kind, Kind::Stale);
        changed.revision = 2;
        let found = users::find(&mut place.db.read().await?, tenant(), user_id(1)).await?;
        assert_eq!(found.as_ref(), Some(&changed));
        let steals = User { identities: user(2).identities, ..changed.clone() };
        let taken = fault_of(update(&place.db, steals).await);
        assert_eq!(taken.about.as_deref(), Some("user_identity.assigned_key"));
        let found = users::find(&mut place.db.read().await?, tenant(), user_id(1)).await?;
        assert_eq!(found, Some(changed));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn users_are_listed_in_pages_and_by_mail() -> Outcome<()> {
    on_both(async |place| {
        for n in 1..=5 {
            insert(&place.db, User { mail: Some("Shared@example.com".to_owned()), ..user(n) }, key(n))
                .await?;
        }
        let mut tx = place.db.read().await?;
        let first = users::list(&mut tx, tenant(), "", 3).await?;
        let ids = |page: &[(String, User)]| page.iter().map(|(_, user)| user.id).collect::<Vec<_>>();
        assert_eq!(ids(&first), [user_id(1), user_id(2), user_id(3)]);
        let second = users::list(&mut tx, tenant(), &first[2].0, 3).await?;
        assert_eq!(ids(&second), [user_id(4), user_id(5)]);
        let by_mail = users::list_by_mail_key(&mut tx, tenant(), "shared@example.com").await?;
        assert_eq!(by_mail.len(), 5);
        assert_eq!(by_mail[0].identities, user(1).identities);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn sessions_of_a_user_can_be_dated() -> Outcome<()> {
    on_both(async |place| {
        insert(&place.db, user(1), key(1)).await?;
        let later = NOW + Span::hours(1);
        write!(place.db, tx => users::revoke_sessions(tx, tenant(), user_id(1), later))?;
        let found = users::find(&mut place.db.read().await?, tenant(), user_id(1)).await?.expect("the user");
        assert_eq!((found.sessions_valid_from, found.revision), (later, 2));
        let unknown = write!(place.db, tx => users::revoke_sessions(tx, tenant(), user_id(9), later));
        assert_eq!(fault_of(unknown).kind, Kind::Missing);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_deleted_user_gives_its_names_back() -> Outcome<()> {
    on_both(async |place| {
        insert(&place.db, user(1), key(1)).await?;
        write!(place.db, tx => users::remove(tx, tenant(), user_id(1), NOW))?;
        let again = write!(place.db, tx => users::remove(tx, tenant(), user_id(1), NOW));
        assert_eq!(fault_of(again).kind, Kind::Missing);
        assert_eq!(fault_of(update(&place.db, User { revision: 2, ..user(1) }).await).kind, Kind::Stale);
        let same_names = User { id: user_id(2), ..user(1) };
        insert(&place.db, same_names.clone(), key(2)).await?;
        let mut tx = place.db.read().await?;
        assert_eq!(users::find(&mut tx, tenant(), user_id(1)).await?, None);
        let deleted = users::find_deleted(&mut tx, tenant(), user_id(1)).await?.expect("the deleted user");
        assert_eq!((deleted.deleted_at, &deleted.identities), (Some(NOW), &user(1).identities));
        let identity = &same_names.identities[0];
        let found =
            users::find_by_identity(&mut tx, tenant(), &identity.issuer, &identity.assigned_key()).await?;
        assert_eq!(found.map(|user| user.id), Some(user_id(2)));
        assert_eq!(users::list(&mut tx, tenant(), "", 10).await?.len(), 1);
        Ok(())
    })
    .await
}

/// Addresses and subjects that differ in letter case, width, accents and normal form.
fn identities() -> impl Strategy<Value = Vec<ObjectIdentity>> {
    let local = prop::sample::select(vec![
        "anna",
        "Anna",
        "ANNA",
        "änne",
        "ÄNNE",
        "a\u{308}nne",
        "straße",
        "STRASSE",
        "ＡＮＮＡ",
        "İris",
        "iris",
        "o'neil",
        "x+y",
    ]);
    let domain =
        prop::sample::select(vec!["example.com", "EXAMPLE.com", "bücher.example", "xn--bcher-kva.example"]);
    let identity = (local, domain, any::<bool>()).prop_map(|(local, domain, federated)| {
        if federated { federated_identity(local) } else { mail_identity(&format!("{local}@{domain}")) }
    });
    prop::collection::vec(identity, 1..24)
}

#[tokio::test]
async fn both_engines_agree_on_who_may_have_which_name() -> Outcome<()> {
    let mut runner = TestRunner::deterministic();
    for _ in 0..6 {
        let wanted = identities().new_tree(&mut runner).expect("a list of identities").current();
        let mut verdicts = Vec::new();
        for engine in Engine::ALL {
            let place = TestDb::migrated(engine).await?;
            let mut verdict = Vec::new();
            for (n, identity) in (1_u8..).zip(&wanted) {
                let upn = format!("{}-{}", identity.issuer_assigned_id, u8::from(n % 3 == 0));
                let user = User { identities: vec![identity.clone()], user_principal_name: upn, ..user(n) };
                verdict.push(insert(&place.db, user, key(n)).await.map_err(|fault| fault.about));
            }
            place.remove().await?;
            verdicts.push(verdict);
        }
        assert_eq!(verdicts[0], verdicts[1], "{wanted:?}");
        // The keys decide alone: whoever comes first with a key has it.
        let mut seen = std::collections::BTreeSet::new();
        for (identity, verdict) in wanted.iter().zip(&verdicts[0]) {
            let fresh = !seen.contains(&(identity.issuer.clone(), identity.assigned_key()));
            if verdict.is_ok() {
                assert!(fresh, "{identity:?}");
                seen.insert((identity.issuer.clone(), identity.assigned_key()));
            }
            assert!(!identity.sign_in_type.is_empty());
        }
    }
    assert!(Address::parse("ÄNNE@example.com").is_ok());
    Ok(())
}
