//! Applications that registered themselves, their tokens, and what they were given.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, ObjectId};
use vestibule_rules::time::Span;
use vestibule_store::consents::{self, ConsentRow, Principal};
use vestibule_store::registered_clients::{self, ClientRow, LogoRow, TokenRow};
use vestibule_store::{Db, grants, tenants};

use crate::engines::on_both;
use crate::fixtures::{NOW, family, tenant, tenant_number, tenant_row, write};

fn client(n: u8) -> ClientRow {
    ClientRow {
        client_id: ClientId::from_random([n; 16]),
        doc: "{}".to_owned(),
        token_digest: vec![n; 32],
        enabled: true,
        revision: 1,
        created_at: NOW + Span::seconds(i64::from(n)),
        updated_at: NOW + Span::seconds(i64::from(n)),
    }
}

async fn with_tenant(db: &Db) -> Outcome<()> {
    db.write(|tx| Box::pin(async move { tenants::insert(tx, &tenant_row(1)).await })).await
}

#[tokio::test]
async fn an_application_is_changed_by_whoever_read_it_last() -> Outcome<()> {
    on_both(async |place| {
        with_tenant(&place.db).await?;
        for n in [2, 1] {
            write!(place.db, tx => registered_clients::insert(tx, tenant(), &client(n)))?;
        }
        let mut tx = place.db.read().await?;
        assert_eq!(registered_clients::list(&mut tx, tenant()).await?, [client(1), client(2)]);
        assert_eq!(registered_clients::count(&mut tx, tenant()).await?, 2);
        assert_eq!(registered_clients::find(&mut tx, tenant_number(2), client(1).client_id).await?, None);
        drop(tx);
        let (id, later) = (client(1).client_id, NOW + Span::hours(1));
        let update = async |revision: i64| {
            write!(place.db, tx => registered_clients::update(tx, tenant(), (id, revision), "{\"a\":1}", later))
        };
        assert!(update(1).await?);
        assert!(!update(1).await?, "it moved on");
        assert!(write!(place.db, tx => registered_clients::enable(tx, tenant(), id, false, later))?);
        assert!(!update(3).await?, "it is disabled");
        let found = registered_clients::find(&mut place.db.read().await?, tenant(), id).await?.unwrap();
        assert_eq!((found.doc.as_str(), found.enabled, found.revision), ("{\"a\":1}", false, 3));

        let logo = LogoRow { media_type: "image/png".to_owned(), bytes: vec![1, 2, 3] };
        for logo in [logo.clone(), LogoRow { bytes: vec![4], ..logo }] {
            let new = logo.clone();
            let set = place.db.write(move |tx| {
                let new = new.clone();
                Box::pin(async move { registered_clients::set_logo(tx, tenant(), id, Some(&new)).await })
            });
            set.await?;
            let mut tx = place.db.read().await?;
            assert_eq!(registered_clients::find_logo(&mut tx, tenant(), id).await?, Some(logo));
        }
        let consent = move |client_id| ConsentRow {
            client_id,
            principal: Principal::Everybody,
            resource_id: id,
            scope: "read".to_owned(),
            granted_at: NOW,
            granted_by: "operator".to_owned(),
        };
        for whose in [id, client(2).client_id] {
            write!(place.db, tx => consents::grant(tx, tenant(), &consent(whose)))?;
        }
        assert!(write!(place.db, tx => registered_clients::remove(tx, tenant(), id))?);
        assert!(!write!(place.db, tx => registered_clients::remove(tx, tenant(), id))?);
        let mut tx = place.db.read().await?;
        assert_eq!(registered_clients::find_logo(&mut tx, tenant(), id).await?, None);
        let left = consents::list_by_principal(&mut tx, tenant(), Principal::Everybody).await?;
        assert_eq!(left.iter().map(|row| row.client_id).collect::<Vec<_>>(), [client(2).client_id]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_token_has_so_many_uses_and_so_much_time() -> Outcome<()> {
    on_both(async |place| {
        with_tenant(&place.db).await?;
        let row = TokenRow {
            id: ObjectId::from_random([1; 16]),
            uses_left: Some(2),
            created_at: NOW,
            expires_at: Some(NOW + Span::hours(1)),
        };
        let endless =
            TokenRow { id: ObjectId::from_random([2; 16]), uses_left: None, expires_at: None, ..row.clone() };
        for (n, row) in [(1_u8, row.clone()), (2, endless.clone())] {
            let insert = place.db.write(move |tx| {
                let row = row.clone();
                Box::pin(async move { registered_clients::insert_token(tx, tenant(), &[n; 32], &row).await })
            });
            insert.await?;
        }
        let spend = async |n: u8, at| {
            write!(place.db, tx => registered_clients::spend_token(tx, tenant(), &[n; 32], at))
        };
        let over = NOW + Span::hours(1);
        assert!(!spend(1, over).await? && !spend(3, NOW).await?);
        assert!(spend(1, NOW).await? && spend(1, NOW).await? && !spend(1, NOW).await?);
        assert!(spend(2, over).await? && spend(2, over).await?);
        let mut tx = place.db.read().await?;
        assert_eq!(registered_clients::good_token(&mut tx, tenant(), &[1; 32], NOW).await?, None);
        assert_eq!(registered_clients::good_token(&mut tx, tenant(), &[2; 32], over).await?, Some(endless.id));
        assert_eq!(registered_clients::good_token(&mut tx, tenant_number(2), &[2; 32], over).await?, None);
        let listed = registered_clients::list_tokens(&mut tx, tenant()).await?;
        assert_eq!(listed, [TokenRow { uses_left: Some(0), ..row }, endless]);
        drop(tx);
        assert!(write!(place.db, tx => registered_clients::remove_token(tx, tenant(), ObjectId::from_random([2; 16])))?);
        assert!(!spend(2, NOW).await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_an_application_was_given_ends_with_all_that_came_of_it() -> Outcome<()> {
    on_both(async |place| {
        let other = ClientId::from_random([9; 16]);
        for n in [1, 2, 3] {
            let insert = place.db.write(move |tx| {
                Box::pin(async move {
                    let mut row = family(n);
                    // The second came of the first; the third is another application's own.
                    if n > 1 {
                        row.client_id = other;
                    }
                    row.parent_id = (n == 2).then(|| family(1).id);
                    grants::insert_family(tx, tenant(), &row).await
                })
            });
            insert.await?;
        }
        let client = family(1).client_id;
        assert_eq!(write!(place.db, tx => grants::revoke_families_of_client(tx, tenant(), client, NOW))?, 2);
        assert_eq!(write!(place.db, tx => grants::revoke_families_of_client(tx, tenant(), client, NOW))?, 0);
        assert_eq!(write!(place.db, tx => grants::revoke_families_of_client(tx, tenant(), other, NOW))?, 1);
        Ok(())
    })
    .await
}
