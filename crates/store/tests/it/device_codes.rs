//! Devices that wait, and grants that end with another.

use futures_util::future::join_all;
use vestibule_rules::fault::{Kind, Outcome};
use vestibule_rules::ids::{ClientId, DeviceId, GrantId};
use vestibule_rules::oauth::device::Status;
use vestibule_rules::time::Span;
use vestibule_store::device_codes::{self, DeviceCodeRow};
use vestibule_store::grants::{self, FamilyRow};

use crate::engines::on_both;
use crate::fixtures::{NOW, family, fault_of, tenant, tenant_number, write};

const ISSUER: &str = "https://login.example/t/v2.0";

fn device(n: u8) -> DeviceCodeRow {
    DeviceCodeRow {
        digest: vec![n; 32],
        id: DeviceId::from_random([n; 16]),
        user_code_digest: vec![n; 32],
        client_id: ClientId::from_random([1; 16]),
        scope: "openid".to_owned(),
        issuer: ISSUER.to_owned(),
        source: "192.0.2.7".to_owned(),
        status: Status::Waiting,
        browser_digest: None,
        grant_id: None,
        interval: Span::seconds(5),
        polled_at: None,
        created_at: NOW,
        expires_at: NOW + Span::minutes(15),
    }
}

#[tokio::test]
async fn the_browser_that_typed_a_code_last_decides_once() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => device_codes::insert(tx, tenant(), &device(1)))?;
        let twice = DeviceCodeRow { digest: vec![2; 32], id: DeviceId::from_random([2; 16]), ..device(1) };
        let twice: &'static DeviceCodeRow = Box::leak(Box::new(twice));
        assert_eq!(fault_of(write!(place.db, tx => device_codes::insert(tx, tenant(), twice))).kind, Kind::Conflict);

        let id = device(1).id;
        let take = async |browser: u8, at| {
            let code: &[u8] = &[1; 32];
            let taken = place
                .db
                .write(move |tx| {
                    Box::pin(async move {
                        device_codes::take(tx, tenant(), (code, ISSUER), &[browser; 32], at).await
                    })
                })
                .await?;
            Ok::<_, vestibule_rules::fault::Fault>(taken.map(|row| row.id))
        };
        let settle = async |browser: u8, status, at| {
            let grant = Some(GrantId::from_random([1; 16]));
            place
                .db
                .write(move |tx| {
                    Box::pin(async move {
                        let by: [u8; 32] = [browser; 32];
                        device_codes::settle(tx, tenant(), (id, &by), (status, grant), at).await
                    })
                })
                .await
        };
        let over = NOW + Span::minutes(15);
        assert_eq!(take(1, over).await?, None);
        let elsewhere = write!(place.db, tx => device_codes::take(tx, tenant_number(2), (&[1; 32], ISSUER), &[1; 32], NOW))?;
        assert_eq!(elsewhere, None);
        let other_issuer =
            write!(place.db, tx => device_codes::take(tx, tenant(), (&[1; 32], "https://j"), &[1; 32], NOW))?;
        assert_eq!(other_issuer, None);
        assert_eq!(take(1, NOW).await?, Some(id));
        assert_eq!(take(2, NOW).await?, Some(id));
        assert!(!settle(1, Status::Approved, NOW).await?);
        assert!(!settle(2, Status::Approved, over).await?);
        assert!(settle(2, Status::Approved, NOW).await?);
        assert!(!settle(2, Status::Declined, NOW).await?);
        assert_eq!(take(2, NOW).await?, None);
        let found = device_codes::find_by_id(&mut place.db.read().await?, tenant(), id).await?.unwrap();
        assert_eq!((found.status, found.grant_id), (Status::Approved, Some(GrantId::from_random([1; 16]))));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn of_many_requests_one_gets_the_tokens() -> Outcome<()> {
    on_both(async |place| {
        let approved = DeviceCodeRow { status: Status::Approved, ..device(1) };
        let approved: &'static DeviceCodeRow = Box::leak(Box::new(approved));
        write!(place.db, tx => device_codes::insert(tx, tenant(), approved))?;
        let over = NOW + Span::minutes(15);
        assert!(!write!(place.db, tx => device_codes::redeem(tx, tenant(), &[1; 32], over))?);
        let all = (0..40).map(|_| {
            place
                .db
                .write(|tx| Box::pin(async move { device_codes::redeem(tx, tenant(), &[1; 32], NOW).await }))
        });
        let won = join_all(all).await.into_iter().collect::<Outcome<Vec<_>>>()?;
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        // Who asks once more changes nothing.
        write!(place.db, tx => device_codes::polled(tx, tenant(), &[1; 32], (NOW, Span::seconds(10))))?;
        let found = device_codes::find(&mut place.db.read().await?, tenant(), &[1; 32]).await?.unwrap();
        assert_eq!((found.status, found.polled_at), (Status::Redeemed, None));

        write!(place.db, tx => device_codes::insert(tx, tenant(), &device(2)))?;
        write!(place.db, tx => device_codes::polled(tx, tenant(), &[2; 32], (NOW, Span::seconds(10))))?;
        let found = device_codes::find(&mut place.db.read().await?, tenant(), &[2; 32]).await?.unwrap();
        assert_eq!((found.polled_at, found.interval), (Some(NOW), Span::seconds(10)));
        assert_eq!(write!(place.db, tx => device_codes::remove_expired(tx, NOW, 10))?, 0);
        assert_eq!(write!(place.db, tx => device_codes::remove_expired(tx, over, 1))?, 1);
        assert_eq!(write!(place.db, tx => device_codes::remove_expired(tx, over, 10))?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_grant_ends_with_the_grant_that_it_came_of() -> Outcome<()> {
    on_both(async |place| {
        let below = |n: u8, parent: u8| FamilyRow {
            parent_id: Some(GrantId::from_random([parent; 16])),
            ..family(n)
        };
        let rows = [family(1), below(2, 1), below(3, 2), family(4), below(5, 4)];
        for row in rows {
            let row: &'static FamilyRow = Box::leak(Box::new(row));
            write!(place.db, tx => grants::insert_family(tx, tenant(), row))?;
        }
        assert!(write!(place.db, tx => grants::hold_family(tx, tenant(), family(1).id))?);
        assert!(write!(place.db, tx => grants::revoke_family(tx, tenant(), family(1).id, NOW))?);
        let mut tx = place.db.read().await?;
        let mut revoked = Vec::new();
        for n in 1..=5 {
            let row = grants::find_family(&mut tx, tenant(), family(n).id).await?.unwrap();
            revoked.push(row.revoked_at.is_some());
        }
        drop(tx);
        assert_eq!(revoked, [true, true, true, false, false]);
        assert!(!write!(place.db, tx => grants::hold_family(tx, tenant(), family(3).id))?);
        // A child that slipped in below goes when somebody asks again.
        let late: &'static FamilyRow = Box::leak(Box::new(below(6, 3)));
        write!(place.db, tx => grants::insert_family(tx, tenant(), late))?;
        assert!(!write!(place.db, tx => grants::revoke_family(tx, tenant(), family(1).id, NOW))?);
        let row = grants::find_family(&mut place.db.read().await?, tenant(), late.id).await?;
        assert!(row.unwrap().revoked_at.is_some());
        Ok(())
    })
    .await
}
