//! Several accounts in one browser, requests that wait, and what was consented to.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{BrowserId, ClientId, RequestId};
use vestibule_rules::time::Span;
use vestibule_store::consents::{self, ConsentRow, Principal};
use vestibule_store::grants;
use vestibule_store::sessions::{self, SessionRow};
use vestibule_store::waiting_requests::{self, WaitingRow};

use crate::engines::on_both;
use crate::fixtures::{NOW, family, session, tenant, tenant_number, user_id, write};

fn client(n: u8) -> ClientId {
    ClientId::from_random([n; 16])
}

#[tokio::test]
async fn a_browser_has_several_sessions_and_one_cookie_leads_to_each_of_them_in_turn() -> Outcome<()> {
    on_both(async |place| {
        let browser = BrowserId::from_random([1; 16]);
        let late = || SessionRow { last_seen_at: NOW + Span::seconds(1), ..session(2) };
        write!(place.db, tx => sessions::insert(tx, tenant(), &session(1)))?;
        write!(place.db, tx => sessions::insert(tx, tenant(), &late()))?;
        assert!(write!(place.db, tx => sessions::join(tx, tenant(), &[1; 32], browser))?);
        assert!(write!(place.db, tx => sessions::join(tx, tenant(), &[2; 32], browser))?);
        assert!(
            !write!(place.db, tx => sessions::join(tx, tenant(), &[2; 32], BrowserId::from_random([2; 16])))?
        );
        let digests = async || {
            let mut tx = place.db.read().await?;
            let rows = sessions::list_by_browser(&mut tx, tenant(), browser).await?;
            Ok(rows.into_iter().map(|row| row.digest[0]).collect::<Vec<_>>())
        };
        assert_eq!(digests().await?, [2, 1]);
        assert!(write!(place.db, tx => sessions::replace_cookie(tx, tenant(), (&[1; 32], &[3; 32])))?);
        assert!(!write!(place.db, tx => sessions::replace_cookie(tx, tenant(), (&[1; 32], &[4; 32])))?);
        assert_eq!(digests().await?, [2, 3]);
        assert!(write!(place.db, tx => sessions::leave(tx, tenant(), &[2; 32], NOW))?);
        assert_eq!(digests().await?, [3]);
        let left = sessions::find(&mut place.db.read().await?, tenant(), &[2; 32]).await?.unwrap();
        assert_eq!((left.revoked_at, left.browser_id), (Some(NOW), None));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_waiting_request_is_answered_once_and_in_time() -> Outcome<()> {
    on_both(async |place| {
        let row = |n: u8| WaitingRow {
            id: RequestId::from_random([n; 16]),
            browser_digest: vec![1; 32],
            doc: "{}".to_owned(),
            created_at: NOW,
            expires_at: NOW + Span::hours(1),
            answered_at: None,
        };
        let late = NOW + Span::hours(1);
        write!(place.db, tx => waiting_requests::insert(tx, tenant(), &row(1)))?;
        write!(place.db, tx => waiting_requests::insert(tx, tenant(), &row(2)))?;
        let id = row(1).id;
        let mut tx = place.db.read().await?;
        assert_eq!(waiting_requests::find(&mut tx, tenant(), id).await?, Some(row(1)));
        assert_eq!(waiting_requests::find(&mut tx, tenant_number(2), id).await?, None);
        drop(tx);
        assert!(write!(place.db, tx => waiting_requests::answer(tx, tenant(), id, NOW))?);
        assert!(!write!(place.db, tx => waiting_requests::answer(tx, tenant(), id, NOW))?);
        assert!(!write!(place.db, tx => waiting_requests::answer(tx, tenant(), row(2).id, late))?);
        assert_eq!(write!(place.db, tx => waiting_requests::remove_expired(tx, late, 10))?, 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_consent_is_kept_for_a_person_and_an_app_until_it_is_withdrawn() -> Outcome<()> {
    // S77
    on_both(async |place| {
        let row = |app: u8, principal, scope: &str| ConsentRow {
            client_id: client(app),
            principal,
            resource_id: client(9),
            scope: scope.to_owned(),
            granted_at: NOW,
            granted_by: "operator".to_owned(),
        };
        let (ada, bob) = (Principal::User(user_id(1)), Principal::User(user_id(2)));
        let all = [
            row(1, ada, "read"),
            row(1, bob, "write"),
            row(1, Principal::Everybody, "list"),
            row(2, ada, "read"),
        ];
        for row in all.clone() {
            let given = place.db.write(move |tx| {
                let row = row.clone();
                Box::pin(async move { consents::grant(tx, tenant(), &row).await })
            });
            assert!(given.await?);
        }
        assert!(!write!(place.db, tx => consents::grant(tx, tenant(), &row(1, ada, "read")))?);
        let scopes = async |app: u8, user: u8| {
            let mut tx = place.db.read().await?;
            let rows = consents::list_for(&mut tx, tenant(), client(app), user_id(user)).await?;
            Ok(rows.into_iter().map(|row| row.scope).collect::<Vec<_>>())
        };
        let mut of_ada = scopes(1, 1).await?;
        of_ada.sort();
        assert_eq!(of_ada, ["list", "read"]);
        let mine = consents::list_by_principal(&mut place.db.read().await?, tenant(), ada).await?;
        assert_eq!(mine, [all[0].clone(), all[3].clone()]);

        write!(place.db, tx => grants::insert_family(tx, tenant(), &family(1)))?;
        assert_eq!(write!(place.db, tx => consents::withdraw(tx, tenant(), client(1), ada))?, 1);
        let whose = (user_id(1), client(1));
        assert_eq!(
            write!(place.db, tx => grants::revoke_families_of_user_at_client(tx, tenant(), whose, NOW))?,
            1
        );
        assert_eq!(
            write!(place.db, tx => grants::revoke_families_of_user_at_client(tx, tenant(), whose, NOW))?,
            0
        );
        assert_eq!(scopes(1, 1).await?, ["list"]);
        assert_eq!(scopes(2, 1).await?, ["read"]);
        assert_eq!(write!(place.db, tx => consents::remove_user(tx, tenant(), user_id(1)))?, 1);
        Ok(())
    })
    .await
}
