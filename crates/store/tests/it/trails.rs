//! Outbox, inbox and audit log.

use std::sync::Arc;

use tokio::sync::Notify;
use vestibule_rules::fault::{Kind, Outcome};
use vestibule_rules::time::Span;
use vestibule_store::audit::{self, EntryRow};
use vestibule_store::inbox::{self, MessageRow};
use vestibule_store::outbox::{self, Claimed, MailRow};
use vestibule_store::{Db, values};

use crate::engines::{Engine, TestDb, on_both};
use crate::fixtures::{NOW, fault_of, key, tenant, tenant_number, write};

const LEASE: Span = Span::minutes(1);

fn mail(n: u8, recipient: &str) -> MailRow {
    MailRow {
        key: key(n),
        recipient_key: recipient.to_owned(),
        sealed: vec![n; 8],
        created_at: NOW,
        next_attempt_at: NOW,
    }
}

fn keys(claimed: &[Claimed]) -> Vec<String> {
    claimed.iter().map(|mail| mail.key.clone()).collect()
}

async fn claim(db: &Db, at: Span, limit: u32) -> Outcome<Vec<Claimed>> {
    write!(db, tx => outbox::claim(tx, NOW + at, LEASE, limit))
}

#[tokio::test]
async fn a_mail_is_claimed_by_one_of_two_workers() -> Outcome<()> {
    on_both(async |place| {
        for n in 1..=20 {
            let whose = tenant_number(1 + n % 2);
            write!(place.db, tx => outbox::insert(tx, whose, &mail(n, &format!("r{n}"))))?;
        }
        let (one, other) = tokio::join!(claim(&place.db, Span(0), 20), claim(&place.db, Span(0), 20));
        let mut all = keys(&one?);
        all.extend(keys(&other?));
        all.sort();
        assert_eq!(all, (1..=20).map(key).collect::<Vec<_>>());
        assert!(claim(&place.db, Span(0), 20).await?.is_empty());
        Ok(())
    })
    .await
}

/// On PostgreSQL the second worker has chosen the same mail already when the first one commits: it waits on
/// the row and must then look at its guard again (portable SQL rule 6).
#[tokio::test]
async fn a_worker_that_waited_for_another_claims_nothing_twice() -> Outcome<()> {
    let place = TestDb::migrated(Engine::Postgres).await?;
    write!(place.db, tx => outbox::insert(tx, tenant(), &mail(1, "a")))?;
    let claimed = Arc::new(Notify::new());
    let first = {
        let (watch, claimed) = (place.db.clone(), Arc::clone(&claimed));
        place.db.write(move |tx| {
            let (watch, claimed) = (watch.clone(), Arc::clone(&claimed));
            Box::pin(async move {
                let mails = outbox::claim(tx, NOW, LEASE, 1).await?;
                claimed.notify_one();
                while watch.read().await?.all(&WAITING, &[]).await?.is_empty() {
                    tokio::task::yield_now().await;
                }
                Ok(mails)
            })
        })
    };
    let second = async {
        claimed.notified().await;
        claim(&place.db, Span(0), 1).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first?.len(), second?.len()), (1, 0));
    place.remove().await
}

#[tokio::test]
async fn a_recipient_gets_mails_in_order_and_a_parked_one_blocks_nobody() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => outbox::insert(tx, tenant(), &mail(1, "a")))?;
        write!(place.db, tx => outbox::insert(tx, tenant(), &mail(2, "a")))?;
        write!(place.db, tx => outbox::insert(tx, tenant(), &mail(3, "b")))?;
        let first = claim(&place.db, Span(0), 10).await?;
        assert_eq!(keys(&first), [key(1), key(3)]);
        assert_eq!((first[0].attempts, first[0].sealed.as_slice()), (1, [1; 8].as_slice()));
        let settle = async |claimed: Claimed, park: bool| {
            place
                .db
                .write(move |tx| {
                    let claimed = claimed.clone();
                    Box::pin(async move {
                        if park {
                            outbox::park(tx, &claimed, NOW, "550 no such mailbox").await
                        } else {
                            outbox::done(tx, &claimed, NOW).await
                        }
                    })
                })
                .await
        };
        settle(first[0].clone(), true).await?;
        settle(first[1].clone(), false).await?;
        let second = claim(&place.db, Span(0), 10).await?;
        assert_eq!(keys(&second), [key(2)]);
        assert_eq!(fault_of(settle(first[1].clone(), false).await).kind, Kind::Stale);
        let mut tx = place.db.read().await?;
        let parked = outbox::list_parked(&mut tx, tenant(), 10).await?;
        assert_eq!(parked.len(), 1);
        assert_eq!(parked[0].last_error.as_deref(), Some("550 no such mailbox"));
        drop(tx);
        settle(second[0].clone(), false).await?;
        assert_eq!(outbox::next_due(&mut place.db.read().await?).await?, None);
        assert_eq!(write!(place.db, tx => outbox::remove_done(tx, NOW, 10))?, 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_claim_that_ran_out_is_lost_to_the_next_worker() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => outbox::insert(tx, tenant(), &mail(1, "a")))?;
        let slow = claim(&place.db, Span(0), 1).await?.remove(0);
        assert!(claim(&place.db, Span::seconds(59), 1).await?.is_empty());
        let quick = claim(&place.db, Span::seconds(60), 1).await?.remove(0);
        assert_eq!(quick.attempts, 2);
        let retry = async |claimed: Claimed| {
            place
                .db
                .write(move |tx| {
                    let claimed = claimed.clone();
                    Box::pin(async move {
                        outbox::retry_later(tx, &claimed, NOW + Span::hours(1), "451 later").await
                    })
                })
                .await
        };
        assert_eq!(fault_of(retry(slow).await).kind, Kind::Stale);
        retry(quick).await?;
        assert_eq!(outbox::next_due(&mut place.db.read().await?).await?, Some(NOW + Span::hours(1)));
        assert!(claim(&place.db, Span::minutes(59), 1).await?.is_empty());
        assert_eq!(claim(&place.db, Span::hours(1), 1).await?[0].attempts, 3);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_inbox_keeps_what_it_received_once() -> Outcome<()> {
    on_both(async |place| {
        let message = |n: u8| MessageRow {
            tenant: tenant(),
            key: key(n),
            recipient: "a@example.com".to_owned(),
            subject: "Your code".to_owned(),
            text: "12345678".to_owned(),
            html: "<p>12345678</p>".to_owned(),
            headers: "{}".to_owned(),
            received_at: NOW,
        };
        for n in [1, 2, 2] {
            write!(place.db, tx => inbox::insert(tx, &message(n)))?;
        }
        let mut tx = place.db.read().await?;
        assert_eq!(inbox::list(&mut tx, 10).await?, [message(2), message(1)]);
        assert_eq!(inbox::find(&mut tx, tenant(), &key(1)).await?, Some(message(1)));
        drop(tx);
        assert_eq!(write!(place.db, tx => inbox::clear(tx))?, 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_audit_log_is_paged_from_the_newest() -> Outcome<()> {
    on_both(async |place| {
        let entry = |n: u8| EntryRow {
            key: key(n),
            at: NOW,
            actor: "system".to_owned(),
            action: "user.create".to_owned(),
            target_kind: "user".to_owned(),
            target_id: format!("{n}"),
            correlation_id: "c".to_owned(),
            detail: "{}".to_owned(),
        };
        for n in 1..=5 {
            write!(place.db, tx => audit::insert(tx, tenant(), &entry(n)))?;
        }
        let mut tx = place.db.read().await?;
        let first = audit::list(&mut tx, tenant(), None, 2).await?;
        assert_eq!(first, [entry(5), entry(4)]);
        assert_eq!(audit::list(&mut tx, tenant(), Some(&first[1].key), 9).await?.len(), 3);
        assert!(audit::list(&mut tx, tenant_number(2), None, 9).await?.is_empty());
        Ok(())
    })
    .await
}

vestibule_store::statements! {
    WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
               AND wait_event_type = 'Lock'";
    BREAK_TENANT = "UPDATE outbox_mail SET tenant_id = 'not a guid' WHERE key = $1";
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => outbox::insert(tx, tenant(), &mail(1, "a")))?;
        write!(place.db, tx => tx.run(&BREAK_TENANT, &values![key(1)]))?;
        let fault = fault_of(claim(&place.db, Span(0), 1).await);
        assert!(fault.detail.contains("outbox::CLAIM, column 1 (tenant_id) is not TenantId"), "{fault}");
        assert!(fault.detail.contains(&key(1)), "{fault}");
        Ok(())
    })
    .await
}
