//! Pushed requests and proofs: each is good once.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::ClientId;
use vestibule_rules::time::Span;
use vestibule_store::proofs;
use vestibule_store::pushed_requests::{self, PushedRow};

use crate::engines::on_both;
use crate::fixtures::{NOW, tenant, tenant_number, write};

#[tokio::test]
async fn a_pushed_request_is_spent_once() -> Outcome<()> {
    on_both(async |place| {
        let dies = NOW + Span::minutes(5);
        let row = PushedRow {
            client_id: ClientId::from_random([1; 16]),
            parameters: "[[\"state\",\"Zustand\"]]".to_owned(),
            expires_at: dies,
            used_at: None,
        };
        let new = row.clone();
        let insert = place.db.write(move |tx| {
            let new = new.clone();
            Box::pin(async move { pushed_requests::insert(tx, tenant(), &[1; 32], &new).await })
        });
        insert.await?;
        let mut tx = place.db.read().await?;
        assert_eq!(pushed_requests::find(&mut tx, tenant(), &[1; 32]).await?, Some(row.clone()));
        assert_eq!(pushed_requests::find(&mut tx, tenant_number(2), &[1; 32]).await?, None);
        drop(tx);
        assert!(!write!(place.db, tx => pushed_requests::spend(tx, tenant_number(2), &[1; 32], NOW))?);
        assert!(write!(place.db, tx => pushed_requests::spend(tx, tenant(), &[1; 32], NOW))?);
        assert!(!write!(place.db, tx => pushed_requests::spend(tx, tenant(), &[1; 32], NOW))?);
        let mut tx = place.db.read().await?;
        let found = pushed_requests::find(&mut tx, tenant(), &[1; 32]).await?;
        assert_eq!(found, Some(PushedRow { used_at: Some(NOW), ..row }));
        drop(tx);
        assert_eq!(write!(place.db, tx => pushed_requests::remove_expired(tx, NOW, 10))?, 0);
        assert_eq!(write!(place.db, tx => pushed_requests::remove_expired(tx, dies, 10))?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_proof_is_noted_once() -> Outcome<()> {
    on_both(async |place| {
        let dies = NOW + Span::minutes(6);
        assert!(write!(place.db, tx => proofs::insert(tx, tenant(), &[1; 32], dies))?);
        assert!(!write!(place.db, tx => proofs::insert(tx, tenant(), &[1; 32], dies))?);
        assert!(write!(place.db, tx => proofs::insert(tx, tenant_number(2), &[1; 32], dies))?);
        assert_eq!(write!(place.db, tx => proofs::remove_expired(tx, NOW, 10))?, 0);
        assert_eq!(write!(place.db, tx => proofs::remove_expired(tx, dies, 1))?, 1);
        assert_eq!(write!(place.db, tx => proofs::remove_expired(tx, dies, 10))?, 1);
        Ok(())
    })
    .await
}
