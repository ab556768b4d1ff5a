//! Whom a removal would hit (EXIST-06).

use vestibule_rules::directory::user::{ObjectIdentity, User};
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::ClientId;
use vestibule_rules::time::Span;
use vestibule_store::grants;
use vestibule_store::reach::{self, Accounts, Left};
use vestibule_store::users;

use crate::engines::on_both;
use crate::fixtures::{NOW, family, key, tenant, tenant_number, user, write};

const FIRST: &str = "https://first.example";
const SECOND: &str = "https://second.example";

fn with(n: u8, issuers: &[&str]) -> User {
    let identities = issuers.iter().map(|issuer| ObjectIdentity {
        sign_in_type: ObjectIdentity::FEDERATED.to_owned(),
        issuer: (*issuer).to_owned(),
        issuer_assigned_id: format!("user{n}@example.com"),
    });
    User { identities: identities.collect(), ..user(n) }
}

#[tokio::test]
async fn accounts_are_counted_by_what_is_left_to_them() -> Outcome<()> {
    // Only the first; both; the first and a code; the first and a password; only a password; deleted.
    on_both(async |place| {
        let people: [&[&str]; 6] =
            [&[FIRST], &[FIRST, SECOND], &[FIRST, "mail"], &[FIRST, "here"], &["here"], &[FIRST]];
        for (n, issuers) in (1_u8..).zip(people) {
            write!(place.db, tx => users::insert(tx, tenant(), &with(n, issuers), &key(n), None))?;
        }
        for n in [4, 5] {
            write!(place.db, tx => users::set_password(tx, tenant(), user(n).id, "$phc", NOW))?;
        }
        write!(place.db, tx => users::remove(tx, tenant(), user(6).id, NOW))?;
        let mut tx = place.db.read().await?;
        let counted = [
            (Left { issuers: &[SECOND], local: true }, 1, 0),
            (Left { issuers: &[SECOND], local: false }, 3, 2),
            (Left { issuers: &[], local: true }, 2, 2),
            (Left { issuers: &[FIRST, SECOND], local: false }, 0, 1),
        ];
        for (left, stranded, of_password) in counted {
            let found = reach::of_issuer(&mut tx, tenant(), FIRST, left).await?;
            assert_eq!(found, Accounts { all: 4, stranded }, "{left:?}");
            if !left.local {
                let found = reach::with_password(&mut tx, tenant(), left).await?;
                assert_eq!(found, Accounts { all: 2, stranded: of_password }, "{left:?}");
            }
        }
        let elsewhere = Left { issuers: &[], local: false };
        assert_eq!(reach::of_issuer(&mut tx, tenant_number(2), FIRST, elsewhere).await?, Accounts::default());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn people_of_every_organisation_are_counted_under_the_template_of_their_issuers() -> Outcome<()> {
    on_both(async |place| {
        let template = "https://login_1.example/{tenantid}/v2.0";
        let people = [
            "https://login_1.example/aaaa/v2.0",
            "https://login_1.example/bbbb/v2.0",
            "https://loginX1.example/aaaa/v2.0",
            "https://login_1.example/aaaa/v1.0",
        ];
        for (n, issuer) in (1_u8..).zip(people) {
            write!(place.db, tx => users::insert(tx, tenant(), &with(n, &[issuer]), &key(n), None))?;
        }
        write!(place.db, tx => users::insert(tx, tenant(), &with(5, &[people[0], SECOND]), &key(5), None))?;
        let mut tx = place.db.read().await?;
        let left = Left { issuers: &[SECOND], local: false };
        let found = reach::of_issuer(&mut tx, tenant(), template, left).await?;
        assert_eq!(found, Accounts { all: 3, stranded: 2 });
        assert_eq!(reach::issuers_of(&mut tx, tenant(), template).await?, people[..2]);
        assert_eq!(reach::issuers_of(&mut tx, tenant(), SECOND).await?, [SECOND]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn only_living_grants_of_the_application_count() -> Outcome<()> {
    on_both(async |place| {
        for n in 1..=3 {
            write!(place.db, tx => grants::insert_family(tx, tenant(), &family(n)))?;
        }
        write!(place.db, tx => grants::revoke_family(tx, tenant(), family(3).id, NOW))?;
        let mut tx = place.db.read().await?;
        let client = family(1).client_id;
        assert_eq!(reach::live_grants(&mut tx, tenant(), client, NOW).await?, (2, 1));
        assert_eq!(reach::live_grants(&mut tx, tenant(), client, NOW + Span::days(91)).await?, (0, 0));
        let other = ClientId::from_random([9; 16]);
        assert_eq!(reach::live_grants(&mut tx, tenant(), other, NOW).await?, (0, 0));
        Ok(())
    })
    .await
}
