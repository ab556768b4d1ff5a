//! Tokens that were spent.

use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_store::spent_tokens;

use crate::engines::on_both;
use crate::fixtures::{NOW, tenant, tenant_number, write};

#[tokio::test]
async fn a_token_is_spent_once_in_each_tenant_and_forgotten_after_its_time() -> Outcome<()> {
    // S44
    on_both(async |place| {
        let dies = NOW + Span::minutes(10);
        assert!(write!(place.db, tx => spent_tokens::spend(tx, tenant(), &[1; 32], dies))?);
        assert!(!write!(place.db, tx => spent_tokens::spend(tx, tenant(), &[1; 32], dies))?);
        assert!(write!(place.db, tx => spent_tokens::spend(tx, tenant(), &[2; 32], dies))?);
        let mut tx = place.db.read().await?;
        assert!(spent_tokens::is_spent(&mut tx, tenant(), &[1; 32]).await?);
        assert!(!spent_tokens::is_spent(&mut tx, tenant(), &[3; 32]).await?);
        assert!(!spent_tokens::is_spent(&mut tx, tenant_number(2), &[1; 32]).await?);
        drop(tx);
        assert_eq!(write!(place.db, tx => spent_tokens::remove_expired(tx, NOW, 10))?, 0);
        assert_eq!(write!(place.db, tx => spent_tokens::remove_expired(tx, dies, 10))?, 2);
        assert!(write!(place.db, tx => spent_tokens::spend(tx, tenant(), &[1; 32], dies))?);
        Ok(())
    })
    .await
}
