//! What the DNS said of domains.

use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_store::domains::{self, DomainProofRow};

use crate::engines::on_both;
use crate::fixtures::{NOW, tenant, tenant_number, write};

fn seen(minutes: i64) -> DomainProofRow {
    let at = NOW + Span::minutes(minutes);
    DomainProofRow {
        domain: "contoso.com".to_owned(),
        proven_at: Some(at),
        seen_at: Some(at),
        checked_at: at,
        problem: None,
    }
}

fn missed(minutes: i64) -> DomainProofRow {
    DomainProofRow { proven_at: None, seen_at: None, problem: Some("no record".to_owned()), ..seen(minutes) }
}

#[tokio::test]
async fn what_was_seen_once_stays_known_when_it_is_not_seen_again() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => domains::put(tx, tenant(), &missed(0)))?;
        let known = domains::find(&mut place.db.read().await?, tenant(), "contoso.com").await?;
        assert_eq!(known, Some(missed(0)));
        write!(place.db, tx => domains::put(tx, tenant(), &seen(5)))?;
        write!(place.db, tx => domains::put(tx, tenant(), &seen(9)))?;
        write!(place.db, tx => domains::put(tx, tenant(), &missed(20)))?;
        let expected =
            DomainProofRow { proven_at: seen(5).proven_at, seen_at: seen(9).seen_at, ..missed(20) };
        assert_eq!(domains::list(&mut place.db.read().await?, tenant()).await?, [expected]);
        assert!(domains::list(&mut place.db.read().await?, tenant_number(2)).await?.is_empty());
        write!(place.db, tx => domains::remove(tx, tenant(), "contoso.com"))?;
        assert!(domains::list(&mut place.db.read().await?, tenant()).await?.is_empty());
        Ok(())
    })
    .await
}
