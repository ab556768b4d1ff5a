//! How providers fare.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::ProviderId;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::objects::{self, ObjectKind, ObjectRow};
use vestibule_store::provider_health::{self, HealthRow};

use crate::engines::{TestDb, on_both};
use crate::fixtures::{NOW, tenant, tenant_number, write};

fn at(seconds: i64) -> Timestamp {
    NOW + Span::seconds(seconds)
}

/// The last success, the last failure, and how many there were: what one node tells, or what is known.
type Seen = (Option<i64>, Option<(i64, &'static str)>, i64);

fn seen((success, failure, failures): Seen) -> HealthRow {
    HealthRow {
        tenant: tenant(),
        provider: google(),
        last_success_at: success.map(at),
        last_failure_at: failure.map(|(seconds, _)| at(seconds)),
        last_error: failure.map(|(_, error)| error.to_owned()),
        failures,
    }
}

fn object(id: &str) -> ObjectRow {
    ObjectRow {
        kind: ObjectKind::IdentityProvider,
        id: id.to_owned(),
        name_key: id.to_owned(),
        doc: "{}".to_owned(),
        created_at: NOW,
        updated_at: NOW,
    }
}

async fn configure(place: &TestDb, n: u8) -> Outcome<()> {
    write!(place.db, tx => objects::put(tx, tenant_number(n), &object("google")))
}

fn google() -> ProviderId {
    ProviderId::new("google")
}

async fn known(place: &TestDb) -> Outcome<Vec<HealthRow>> {
    provider_health::list(&mut place.db.read().await?, Some(tenant())).await
}

#[tokio::test]
async fn failures_add_up_until_a_success_and_the_later_instant_stands() -> Outcome<()> {
    on_both(async |place| {
        configure(place, 1).await?;
        let told: [(Seen, Seen); 7] = [
            ((None, Some((1, "first")), 2), (None, Some((1, "first")), 2)),
            // Another node failed before that, and tells it later.
            ((None, Some((0, "older")), 1), (None, Some((1, "first")), 3)),
            ((None, Some((5, "newer")), 1), (None, Some((5, "newer")), 4)),
            // What failed before the success is over.
            ((Some(9), None, 0), (Some(9), Some((5, "newer")), 0)),
            ((Some(8), None, 0), (Some(9), Some((5, "newer")), 0)),
            // A success and what failed after it, told at once.
            ((Some(12), Some((13, "last")), 3), (Some(12), Some((13, "last")), 3)),
            ((None, Some((13, "the same moment")), 1), (Some(12), Some((13, "the same moment")), 4)),
        ];
        for (one, expected) in told {
            write!(place.db, tx => provider_health::note(tx, &seen(one)))?;
            assert_eq!(known(place).await?, [seen(expected)]);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_not_configured_has_no_health_and_what_is_removed_loses_it() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => provider_health::note(tx, &seen((Some(1), None, 0))))?;
        assert!(known(place).await?.is_empty());
        configure(place, 1).await?;
        configure(place, 2).await?;
        let other = || HealthRow { tenant: tenant_number(2), ..seen((Some(2), None, 0)) };
        write!(place.db, tx => provider_health::note(tx, &seen((Some(1), None, 0))))?;
        write!(place.db, tx => provider_health::note(tx, &other()))?;
        assert!(write!(place.db, tx => provider_health::remove(tx, tenant(), &google()))?);
        assert!(!write!(place.db, tx => provider_health::remove(tx, tenant(), &google()))?);
        assert!(known(place).await?.is_empty());
        assert_eq!(provider_health::list(&mut place.db.read().await?, None).await?, [other()]);
        Ok(())
    })
    .await
}
