//! Migrations: forward only, each in one transaction, recorded with a checksum of its text.
//!
//! There is no lock to take. Whoever inserts the row of a migration into `schema_migration` applies it in the
//! same transaction; a second process waits on that row and then finds the work done.

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::time::Timestamp;

use crate::db::{Db, Dialect, ReadTx};
use crate::{statements, values};

struct Migration {
    version: i64,
    name: &'static str,
    text: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "directory", text: include_str!("../migrations/0001_directory.sql") },
    Migration { version: 2, name: "sign_in", text: include_str!("../migrations/0002_sign_in.sql") },
    Migration { version: 3, name: "outbox", text: include_str!("../migrations/0003_outbox.sql") },
    Migration { version: 4, name: "expiry", text: include_str!("../migrations/0004_expiry.sql") },
    Migration { version: 5, name: "flow_life", text: include_str!("../migrations/0005_flow_life.sql") },
    Migration { version: 6, name: "terms", text: include_str!("../migrations/0006_terms.sql") },
    Migration { version: 7, name: "funnel", text: include_str!("../migrations/0007_funnel.sql") },
    Migration {
        version: 8,
        name: "provider_sessions",
        text: include_str!("../migrations/0008_provider_sessions.sql"),
    },
    Migration {
        version: 9,
        name: "domain_proofs",
        text: include_str!("../migrations/0009_domain_proofs.sql"),
    },
    Migration {
        version: 10,
        name: "provider_health",
        text: include_str!("../migrations/0010_provider_health.sql"),
    },
    Migration { version: 11, name: "told_once", text: include_str!("../migrations/0011_told_once.sql") },
    Migration { version: 12, name: "grant_doc", text: include_str!("../migrations/0012_grant_doc.sql") },
    Migration {
        version: 13,
        name: "logout_notices",
        text: include_str!("../migrations/0013_logout_notices.sql"),
    },
    Migration {
        version: 14,
        name: "spent_tokens",
        text: include_str!("../migrations/0014_spent_tokens.sql"),
    },
    Migration { version: 15, name: "device_code", text: include_str!("../migrations/0015_device_code.sql") },
    Migration {
        version: 16,
        name: "pushed_requests",
        text: include_str!("../migrations/0016_pushed_requests.sql"),
    },
    Migration {
        version: 17,
        name: "registered_clients",
        text: include_str!("../migrations/0017_registered_clients.sql"),
    },
    Migration { version: 18, name: "groups", text: include_str!("../migrations/0018_groups.sql") },
    Migration { version: 19, name: "accounts", text: include_str!("../migrations/0019_accounts.sql") },
];

const RECORD: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    version {int} NOT NULL,
    name {text} NOT NULL,
    checksum {text} NOT NULL,
    CONSTRAINT schema_migration_version PRIMARY KEY (version)
) {strict}";

statements! {
    LIST = "SELECT version, name, checksum FROM schema_migration ORDER BY version";
    CLAIM = "INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)
             ON CONFLICT (version) DO NOTHING";
}

/// A migration that was applied, or that waits to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// Its number, counted from 1 without gaps.
    pub version: i64,
    /// Its name, as in its file's name.
    pub name: &'static str,
}

/// Brings the schema up to date and says what that took. Safe to run in several processes at once.
pub async fn run(db: &Db) -> Outcome<Vec<Applied>> {
    let dialect = db.dialect();
    create_record(db).await?;
    refuse_unknown(&mut db.read().await?).await?;
    let mut applied = Vec::new();
    for migration in MIGRATIONS {
        let script = render(migration.text, dialect);
        let ran = db
            .write(move |tx| {
                let script = script.clone();
                Box::pin(async move {
                    let row = values![migration.version, migration.name, checksum(migration.text)];
                    let mine = tx.run(&CLAIM, &row).await? == 1;
                    if mine {
                        tx.script(&script).await?;
                    }
                    Ok(mine)
                })
            })
            .await?;
        if ran {
            applied.push(Applied { version: migration.version, name: migration.name });
        }
    }
    Ok(applied)
}

/// The migrations that [`run`] would apply. It refuses what [`run`] refuses and changes no table of ours.
pub async fn pending(db: &Db) -> Outcome<Vec<Applied>> {
    create_record(db).await?;
    let done = refuse_unknown(&mut db.read().await?).await?;
    let waiting = MIGRATIONS.iter().filter(|m| !done.contains(&m.version));
    Ok(waiting.map(|m| Applied { version: m.version, name: m.name }).collect())
}

/// Two processes that create the table at the same moment can collide in PostgreSQL's catalogue in spite of
/// `IF NOT EXISTS`; the one that lost tries again and finds it.
async fn create_record(db: &Db) -> Outcome<()> {
    let script = render(RECORD, db.dialect());
    let create = async || {
        let script = script.clone();
        db.write(move |tx| {
            let script = script.clone();
            Box::pin(async move { tx.script(&script).await })
        })
        .await
    };
    match create().await {
        Ok(()) => Ok(()),
        Err(_) => create().await,
    }
}

async fn refuse_unknown(tx: &mut ReadTx) -> Outcome<Vec<i64>> {
    let mut done = Vec::new();
    for row in tx.all(&LIST, &[]).await? {
        let (version, name, recorded): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let Some(known) = MIGRATIONS.iter().find(|m| m.version == version) else {
            return Err(Fault::ours(format!(
                "the database has migration {version} ({name}), which this version of Vestibule does not know; \
                 it was migrated by a newer version: run that one, or restore a backup taken before"
            )));
        };
        if recorded != checksum(known.text) {
            return Err(Fault::ours(format!(
                "migration {version} ({name}) was applied with another text than this version of Vestibule \
                 carries; a migration must never change after it was released"
            )));
        }
        done.push(version);
    }
    Ok(done)
}

/// Replaces the type words by the engine's types.
fn render(text: &str, dialect: Dialect) -> String {
    let words = match dialect {
        Dialect::Sqlite => [
            ("{id}", "TEXT"),
            ("{key}", "TEXT"),
            ("{text}", "TEXT"),
            ("{int}", "INTEGER"),
            ("{bool}", "INTEGER"),
            ("{bytes}", "BLOB"),
            ("{time}", "INTEGER"),
            ("{strict}", "STRICT"),
        ],
        // Byte order, whatever the database's locale says, so that pages and cursors agree with SQLite.
        Dialect::Postgres => [
            ("{id}", "TEXT COLLATE \"C\""),
            ("{key}", "TEXT COLLATE \"C\""),
            ("{text}", "TEXT"),
            ("{int}", "BIGINT"),
            ("{bool}", "BOOLEAN"),
            ("{bytes}", "BYTEA"),
            ("{time}", "BIGINT"),
            ("{strict}", ""),
        ],
    };
    words.iter().fold(text.to_owned(), |text, (word, kind)| text.replace(word, kind))
}

/// FNV-1a (64 bits) over the text without carriage returns. It notices an edit, which is all it is for;
/// whoever can forge it can change the tables as well.
fn checksum(text: &str) -> String {
    let hash = text.bytes().filter(|byte| *byte != b'\r').fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// The internal key of a row: 32 hexadecimal digits that sort by time, six bytes of milliseconds and then
/// ten random ones. It stays inside: an id that shows when somebody signed up must not leave the house.
pub fn order_key(at: Timestamp, random: [u8; 10]) -> String {
    use std::fmt::Write as _;

    let milliseconds = u64::try_from(at.0.div_euclid(1000)).unwrap_or(0) & 0xffff_ffff_ffff;
    let mut key = format!("{milliseconds:012x}");
    for byte in random {
        // Writing to a string cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_from_one_without_gaps() {
        assert!(MIGRATIONS.iter().map(|m| m.version).eq(1..=i64::try_from(MIGRATIONS.len()).unwrap()));
    }

    #[test]
    fn every_type_word_is_known() {
        for migration in MIGRATIONS {
            for dialect in [Dialect::Sqlite, Dialect::Postgres] {
                assert!(!render(migration.text, dialect).contains(['{', '}']), "{}", migration.name);
            }
        }
    }

    #[test]
    fn a_checksum_notices_an_edit_but_no_line_ends() {
        assert_eq!(checksum("a\r\nb"), checksum("a\nb"));
        assert_ne!(checksum("a"), checksum("b"));
    }

    #[test]
    fn order_keys_sort_by_time() {
        let earlier = order_key(Timestamp(1_000_000), [255; 10]);
        let later = order_key(Timestamp(1_001_000), [0; 10]);
        assert_eq!(earlier.len(), 32);
        assert!(earlier < later);
    }
}
