//! Apps that are to be told that a session ended.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::ClientId;
use vestibule_rules::time::Span;
use vestibule_store::Db;
use vestibule_store::grants::{self, FamilyRow};
use vestibule_store::logout_notices::{self, Notice};

use crate::engines::on_both;
use crate::fixtures::{NOW, family, tenant, user_id, write};

fn of_client(n: u8, client: u8) -> FamilyRow {
    FamilyRow { client_id: ClientId::from_random([client; 16]), ..family(n) }
}

#[tokio::test]
async fn each_app_of_an_ended_session_is_told_once() -> Outcome<()> {
    // S85
    on_both(async |place| {
        for (n, client) in [(1, 1), (2, 1), (3, 2), (4, 3)] {
            write!(place.db, tx => grants::insert_family(tx, tenant(), &of_client(n, client)))?;
        }
        // What was taken back before was told before.
        write!(place.db, tx => grants::revoke_family(tx, tenant(), family(4).id, NOW))?;
        let sid = family(1).sid;
        write!(place.db, tx => grants::revoke_families_of_session(tx, tenant(), sid, NOW))?;
        write!(place.db, tx => grants::revoke_families_of_user(tx, tenant(), user_id(1), NOW))?;

        let lease = Span::seconds(30);
        let claimed = write!(place.db, tx => logout_notices::claim(tx, NOW, lease, 10))?;
        let mut clients: Vec<_> = claimed.iter().map(|notice| notice.client_id).collect();
        clients.sort();
        assert_eq!(clients, [of_client(1, 1).client_id, of_client(3, 2).client_id]);
        assert!(claimed.iter().all(|notice| notice.sid == sid && notice.attempts == 1));
        assert!(write!(place.db, tx => logout_notices::claim(tx, NOW, lease, 10))?.is_empty());

        let [first, second] = claimed.try_into().unwrap();
        let later = NOW + Span::minutes(5);
        assert!(remove(&place.db, &first).await?);
        assert!(!remove(&place.db, &first).await?);
        assert!(retry(&place.db, &second).await?);
        assert!(write!(place.db, tx => logout_notices::claim(tx, NOW + lease, lease, 10))?.is_empty());
        let again = write!(place.db, tx => logout_notices::claim(tx, later, lease, 10))?;
        assert_eq!((again.len(), again[0].attempts), (1, 2));
        // Whoever comes back after the lease ran out finds it no longer theirs.
        assert!(!retry(&place.db, &second).await?);
        Ok(())
    })
    .await
}

async fn remove(db: &Db, notice: &Notice) -> Outcome<bool> {
    let notice = notice.clone();
    let write = db.write(move |tx| {
        let notice = notice.clone();
        Box::pin(async move { logout_notices::remove(tx, &notice).await })
    });
    write.await
}

async fn retry(db: &Db, notice: &Notice) -> Outcome<bool> {
    let notice = notice.clone();
    let write = db.write(move |tx| {
        let notice = notice.clone();
        Box::pin(async move { logout_notices::retry_later(tx, &notice, NOW + Span::minutes(5)).await })
    });
    write.await
}
