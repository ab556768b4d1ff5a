//! The port itself: isolation, group commit, retries, and what a failure leaves behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use tokio::sync::Barrier;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_store::{Db, deployment, maintenance, statements, values};

use crate::engines::{Engine, TestDb, on_both};
use crate::fixtures::{fault_of, write};

statements! {
    READ = "SELECT name FROM deployment WHERE name = $1";
    COUNT = "SELECT COUNT(*) FROM deployment";
    ADD = "INSERT INTO deployment (name, value) VALUES ($1, $2)";
    APPEND = "UPDATE deployment SET value = value || $2 WHERE name = $1";
    REFUSED_SERIALIZATION = "DO $body$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $body$";
    NOT_SQL = "SELECT nothing FROM nowhere WHERE a = $1";
    END_ALL_CONNECTIONS = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
                           WHERE datname = current_database() AND pid <> pg_backend_pid()";
    TELL_STATISTICS = "SELECT COUNT(*) FROM (SELECT pg_stat_force_next_flush()) AS told";
    ANALYSED = "SELECT COUNT(*) FROM pg_stats WHERE tablename = 'deployment'";
    TEXT_AS_INTEGER = "SELECT value AS amount FROM deployment WHERE name = $1";
}

async fn count(db: &Db) -> Outcome<i64> {
    db.read().await?.one(&COUNT, &[]).await?.map_or(Ok(0), |row| row.get(0))
}

#[tokio::test]
async fn every_statement_prepares() -> Outcome<()> {
    on_both(async |place| {
        for statement in vestibule_store::statements() {
            place.db.read().await?.prepare(statement).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_write_that_fails_leaves_nothing() -> Outcome<()> {
    on_both(async |place| {
        let result: Outcome<()> = place
            .db
            .write(|tx| {
                Box::pin(async move {
                    deployment::put_if_absent(tx, "a", "1").await?;
                    Err(Fault::forbidden("changed its mind"))
                })
            })
            .await;
        assert_eq!(fault_of(result).kind, Kind::Forbidden);
        assert_eq!(count(&place.db).await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_write_that_panics_ends_alone() -> Outcome<()> {
    on_both(async |place| {
        let db = place.db.clone();
        let panicking = tokio::spawn(async move {
            db.write::<(), _>(|tx| {
                Box::pin(async move {
                    deployment::put_if_absent(tx, "a", "1").await?;
                    panic!("a bug")
                })
            })
            .await
        });
        // SQLite answers with a fault, since the writer outlives the panic; PostgreSQL's caller panics.
        assert!(!matches!(panicking.await, Ok(Ok(()))));
        write!(place.db, tx => deployment::put_if_absent(tx, "b", "2"))?;
        assert_eq!(count(&place.db).await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_transaction_ends_with_its_first_failed_statement() -> Outcome<()> {
    on_both(async |place| {
        let result = place
            .db
            .write(|tx| {
                Box::pin(async move {
                    tx.run(&ADD, &values!["a", "1"]).await?;
                    let second = tx.run(&ADD, &values!["a", "2"]).await;
                    assert!(second.is_err());
                    // Going on after a failure is not possible, and ignoring it does not commit.
                    assert!(tx.run(&ADD, &values!["b", "3"]).await.is_err());
                    Ok(())
                })
            })
            .await;
        let fault = fault_of(result);
        assert_eq!((fault.kind, fault.about.as_deref()), (Kind::Conflict, Some("deployment.name")));
        assert_eq!(count(&place.db).await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_failure_does_not_touch_the_others_that_share_its_commit() -> Outcome<()> {
    on_both(async |place| {
        let writes = (0..200_u32).map(|n| {
            place.db.write(move |tx| {
                Box::pin(async move {
                    tx.run(&ADD, &values![format!("{n:03}"), "x"]).await?;
                    if n % 7 == 0 { Err(Fault::forbidden("every seventh")) } else { Ok(n) }
                })
            })
        });
        let results = join_all(writes).await;
        let kept = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(kept, 171);
        assert_eq!(count(&place.db).await?, 171);
        let mut tx = place.db.read().await?;
        assert!(tx.one(&READ, &values!["007"]).await?.is_none());
        assert!(tx.one(&READ, &values!["008"]).await?.is_some());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn two_hundred_writers_lose_nothing() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => deployment::put_if_absent(tx, "log", ""))?;
        let writes = (0..200).map(|_| {
            let db = place.db.clone();
            tokio::spawn(async move {
                db.write(|tx| Box::pin(async move { tx.run(&APPEND, &values!["log", "x"]).await })).await
            })
        });
        for written in join_all(writes).await {
            assert_eq!(written.expect("no panic")?, 1);
        }
        let log = deployment::get(&mut place.db.read().await?, "log").await?;
        assert_eq!(log.map(|log| log.len()), Some(200));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_read_is_as_of_one_instant() -> Outcome<()> {
    on_both(async |place| {
        let mut before = place.db.read().await?;
        assert_eq!(deployment::get(&mut before, "a").await?, None);
        write!(place.db, tx => deployment::put_if_absent(tx, "a", "1"))?;
        assert_eq!(deployment::get(&mut before, "a").await?, None);
        drop(before);
        assert_eq!(deployment::get(&mut place.db.read().await?, "a").await?.as_deref(), Some("1"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn reads_that_are_dropped_give_their_connection_back() -> Outcome<()> {
    on_both(async |place| {
        for _ in 0..100 {
            deployment::get(&mut place.db.read().await?, "a").await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_reader_cannot_write() -> Outcome<()> {
    on_both(async |place| {
        let mut tx = place.db.read().await?;
        assert!(tx.all(&ADD, &values!["a", "1"]).await.is_err());
        drop(tx);
        assert_eq!(count(&place.db).await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_fault_names_the_statement_and_the_column() -> Outcome<()> {
    on_both(async |place| {
        let refused = fault_of(place.db.read().await?.all(&NOT_SQL, &values!["x"]).await);
        assert!(refused.detail.contains("port::NOT_SQL"), "{refused}");
        write!(place.db, tx => deployment::put_if_absent(tx, "a", "secret"))?;
        let row = place.db.read().await?.one(&TEXT_AS_INTEGER, &values!["a"]).await?.expect("a row");
        let fault = fault_of(row.get::<i64>(0));
        assert!(fault.detail.contains("TEXT_AS_INTEGER, column 1 (amount) is not an integer"), "{fault}");
        assert!(!fault.detail.contains("secret"), "{fault}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_serialization_failure_is_tried_again() -> Outcome<()> {
    let place = TestDb::migrated(Engine::Postgres).await?;
    let attempts = Arc::new(AtomicU32::new(0));
    let fails_twice = Arc::clone(&attempts);
    place
        .db
        .write(move |tx| {
            let attempt = fails_twice.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                tx.run(&ADD, &values!["a", "1"]).await?;
                if attempt < 2 {
                    tx.run(&REFUSED_SERIALIZATION, &[]).await?;
                }
                Ok(())
            })
        })
        .await?;
    assert_eq!(attempts.load(Ordering::SeqCst), 3);
    assert_eq!(count(&place.db).await?, 1);

    let attempts = Arc::new(AtomicU32::new(0));
    let fails_always = Arc::clone(&attempts);
    let result = place
        .db
        .write(move |tx| {
            fails_always.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move { tx.run(&REFUSED_SERIALIZATION, &[]).await })
        })
        .await;
    assert_eq!(fault_of(result).kind, Kind::Ours);
    assert_eq!(attempts.load(Ordering::SeqCst), 4);
    place.remove().await
}

#[tokio::test]
async fn both_sides_of_a_deadlock_commit_in_the_end() -> Outcome<()> {
    let place = TestDb::migrated(Engine::Postgres).await?;
    write!(place.db, tx => deployment::put_if_absent(tx, "a", ""))?;
    write!(place.db, tx => deployment::put_if_absent(tx, "b", ""))?;
    let both_hold_one = Arc::new(Barrier::new(2));
    let cross = |first: &'static str, second: &'static str| {
        let barrier = Arc::clone(&both_hold_one);
        let attempts = AtomicU32::new(0);
        place.db.write(move |tx| {
            let barrier = Arc::clone(&barrier);
            let first_attempt = attempts.fetch_add(1, Ordering::SeqCst) == 0;
            Box::pin(async move {
                tx.run(&APPEND, &values![first, "x"]).await?;
                if first_attempt {
                    barrier.wait().await;
                }
                tx.run(&APPEND, &values![second, "x"]).await
            })
        })
    };
    let (one, other) = tokio::join!(cross("a", "b"), cross("b", "a"));
    assert_eq!((one?, other?), (1, 1));
    let mut tx = place.db.read().await?;
    assert_eq!(deployment::get(&mut tx, "a").await?.as_deref(), Some("xx"));
    assert_eq!(deployment::get(&mut tx, "b").await?.as_deref(), Some("xx"));
    drop(tx);
    place.remove().await
}

#[tokio::test]
async fn a_transaction_begins_anew_when_its_connection_had_died() -> Outcome<()> {
    let place = TestDb::migrated(Engine::Postgres).await?;
    let other = Db::open(place.settings.clone()).await?;
    for died in ["read", "write", "glance"] {
        let seen = count(&place.db).await?;
        other.read().await?.one(&END_ALL_CONNECTIONS, &[]).await?;
        match died {
            "read" => assert_eq!(count(&place.db).await?, seen),
            "write" => drop(write!(place.db, tx => deployment::put_if_absent(tx, died, "1"))?),
            _ => {
                let row = place.db.glance().await?.one(&READ, &values!["write"]).await?;
                assert!(row.is_some());
            }
        }
    }
    assert_eq!(count(&place.db).await?, 1);
    place.remove().await
}

#[tokio::test]
async fn a_glance_sees_each_commit_and_a_read_sees_one_instant() -> Outcome<()> {
    let place = TestDb::migrated(Engine::Postgres).await?;
    let mut glance = place.db.glance().await?;
    let mut read = place.db.read().await?;
    let counted = |row: Option<vestibule_store::Row>| row.map_or(Ok(-1), |row| row.get::<i64>(0));
    assert_eq!(counted(glance.one(&COUNT, &[]).await?)?, 0);
    assert_eq!(counted(read.one(&COUNT, &[]).await?)?, 0);
    write!(place.db, tx => deployment::put_if_absent(tx, "a", "1"))?;
    assert_eq!(counted(glance.one(&COUNT, &[]).await?)?, 1);
    assert_eq!(counted(read.one(&COUNT, &[]).await?)?, 0);
    drop((glance, read));
    place.remove().await
}

#[tokio::test]
async fn a_table_is_analysed_when_it_gets_its_first_rows() -> Outcome<()> {
    on_both(async |place| {
        maintenance::analyse_new_tables(&place.db).await?;
        place
            .db
            .write(|tx| {
                Box::pin(async move {
                    for n in 0..60 {
                        tx.run(&ADD, &values![format!("{n}"), "x"]).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        if place.engine == Engine::Postgres {
            let analysed = async || -> Outcome<i64> {
                place.db.glance().await?.one(&ANALYSED, &[]).await?.map_or(Ok(0), |row| row.get(0))
            };
            assert_eq!(analysed().await?, 0);
            place.db.glance().await?.one(&TELL_STATISTICS, &[]).await?;
            maintenance::analyse_new_tables(&place.db).await?;
            assert_eq!(analysed().await?, 2);
        }
        maintenance::analyse_new_tables(&place.db).await
    })
    .await
}

#[tokio::test]
async fn a_transaction_that_awaits_something_else_is_refused_on_sqlite() -> Outcome<()> {
    let place = TestDb::migrated(Engine::Sqlite).await?;
    let result: Outcome<()> = place
        .db
        .write(|tx| {
            Box::pin(async move {
                tx.run(&ADD, &values!["a", "1"]).await?;
                std::future::pending().await
            })
        })
        .await;
    assert!(fault_of(result).detail.contains("awaited something other"));
    assert_eq!(count(&place.db).await?, 0);
    place.remove().await
}

#[tokio::test]
async fn a_second_process_may_write_to_the_same_database() -> Outcome<()> {
    on_both(async |place| {
        let other = Db::open(place.settings.clone()).await?;
        write!(place.db, tx => deployment::put_if_absent(tx, "n", ""))?;
        let writes =
            (0..40).map(|n| {
                let db = if n % 2 == 0 { place.db.clone() } else { other.clone() };
                async move {
                    db.write(|tx| Box::pin(async move { tx.run(&APPEND, &values!["n", "x"]).await })).await
                }
            });
        for written in join_all(writes).await {
            assert_eq!(written?, 1);
        }
        let log = deployment::get(&mut other.read().await?, "n").await?;
        assert_eq!(log.map(|log| log.len()), Some(40));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_could_lose_data_is_refused() -> Outcome<()> {
    let place = TestDb::migrated(Engine::Postgres).await?;
    let vestibule_store::Settings::Postgres { url, .. } = &place.settings else { unreachable!() };
    let settings =
        |more: &str| vestibule_store::Settings::Postgres { url: format!("{url}?{more}"), max_connections: 1 };
    let off = fault_of(Db::open(settings("options=-c%20synchronous_commit%3Doff")).await);
    assert!(off.detail.contains("synchronous_commit=off"), "{off}");
    let tls = fault_of(Db::open(settings("sslmode=require")).await);
    assert!(tls.detail.contains("TLS to PostgreSQL is not available"), "{tls}");
    place.remove().await
}
