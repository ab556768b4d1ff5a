//! What providers tell once.

use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_store::told_once;

use crate::engines::on_both;
use crate::fixtures::{NOW, tenant, tenant_number, write};

#[tokio::test]
async fn what_was_told_once_is_kept_for_its_time() -> Outcome<()> {
    on_both(async |place| {
        let dies = NOW + Span::days(30);
        write!(place.db, tx => told_once::put(tx, tenant(), (&[1; 32], b"Ada"), dies))?;
        write!(place.db, tx => told_once::put(tx, tenant(), (&[1; 32], b"Ada L"), dies))?;
        let mut tx = place.db.read().await?;
        assert_eq!(told_once::find(&mut tx, tenant(), &[1; 32], NOW).await?.as_deref(), Some(&b"Ada L"[..]));
        assert_eq!(told_once::find(&mut tx, tenant(), &[2; 32], NOW).await?, None);
        assert_eq!(told_once::find(&mut tx, tenant_number(2), &[1; 32], NOW).await?, None);
        assert_eq!(told_once::find(&mut tx, tenant(), &[1; 32], dies).await?, None);
        drop(tx);
        assert_eq!(write!(place.db, tx => told_once::remove_expired(tx, NOW, 10))?, 0);
        assert_eq!(write!(place.db, tx => told_once::remove_expired(tx, dies, 10))?, 1);
        Ok(())
    })
    .await
}
