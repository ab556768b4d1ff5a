//! Migrations, and the same schema on both engines.

use std::collections::BTreeMap;

use vestibule_rules::fault::{Kind, Outcome};
use vestibule_store::{Db, migrate, statements, values};

use crate::engines::{Engine, TestDb, on_both, on_both_empty};
use crate::fixtures::fault_of;

statements! {
    RECORD = "INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)";
    EDIT = "UPDATE schema_migration SET checksum = 'edited' WHERE version = $1";
    SQLITE_COLUMNS = "SELECT m.name, c.name, c.type, c.\"notnull\" = 0 FROM sqlite_schema AS m
                      JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
    SQLITE_UNIQUE = "SELECT m.name, i.name, c.name FROM sqlite_schema AS m
                     JOIN pragma_index_list(m.name) AS i JOIN pragma_index_info(i.name) AS c
                     WHERE m.type = 'table' AND i.\"unique\" = 1 ORDER BY m.name, i.name, c.seqno";
    SQLITE_INDEXES = "SELECT m.name, i.name, c.name FROM sqlite_schema AS m
                      JOIN pragma_index_list(m.name) AS i JOIN pragma_index_info(i.name) AS c
                      WHERE m.type = 'table' AND i.\"unique\" = 0 ORDER BY m.name, i.name, c.seqno";
    POSTGRES_COLUMNS = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT),
                            is_nullable = 'YES'
                        FROM information_schema.columns WHERE table_schema = 'public'";
    POSTGRES_UNIQUE = "SELECT CAST(t.relname AS TEXT), CAST(i.relname AS TEXT), CAST(a.attname AS TEXT)
                       FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid
                       JOIN pg_class AS i ON i.oid = x.indexrelid
                       JOIN pg_attribute AS a ON a.attrelid = i.oid
                       WHERE x.indisunique AND t.relnamespace = CAST('public' AS regnamespace)
                       ORDER BY t.relname, i.relname, a.attnum";
    POSTGRES_INDEXES = "SELECT CAST(t.relname AS TEXT), CAST(i.relname AS TEXT), CAST(a.attname AS TEXT)
                        FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid
                        JOIN pg_class AS i ON i.oid = x.indexrelid
                        JOIN pg_attribute AS a ON a.attrelid = i.oid
                        WHERE NOT x.indisunique AND t.relnamespace = CAST('public' AS regnamespace)
                        ORDER BY t.relname, i.relname, a.attnum";
}

#[tokio::test]
async fn an_empty_database_is_migrated_once() -> Outcome<()> {
    on_both_empty(async |place| {
        let waiting = migrate::pending(&place.db).await?;
        assert!(waiting.len() >= 3);
        assert_eq!(migrate::run(&place.db).await?, waiting);
        assert!(migrate::run(&place.db).await?.is_empty());
        assert!(migrate::pending(&place.db).await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn two_processes_may_migrate_at_once() -> Outcome<()> {
    on_both_empty(async |place| {
        let other = Db::open(place.settings.clone()).await?;
        let waiting = migrate::pending(&place.db).await?.len();
        let (one, two) = tokio::join!(migrate::run(&place.db), migrate::run(&other));
        assert_eq!(one?.len() + two?.len(), waiting);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn even_the_first_table_may_be_created_by_two_at_once() -> Outcome<()> {
    on_both_empty(async |place| {
        let other = Db::open(place.settings.clone()).await?;
        let (one, two) = tokio::join!(migrate::run(&place.db), migrate::run(&other));
        assert!(one?.len() + two?.len() >= 3);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() -> Outcome<()> {
    on_both(async |place| {
        place
            .db
            .write(|tx| {
                Box::pin(async move { tx.run(&RECORD, &values![9999_i64, "from_the_future", "0"]).await })
            })
            .await?;
        for fault in [fault_of(migrate::run(&place.db).await), fault_of(migrate::pending(&place.db).await)] {
            assert_eq!(fault.kind, Kind::Ours);
            assert!(fault.detail.contains("9999 (from_the_future)"), "{fault}");
            assert!(fault.detail.contains("newer version"), "{fault}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_migration_that_was_edited_is_refused() -> Outcome<()> {
    on_both(async |place| {
        place.db.write(|tx| Box::pin(async move { tx.run(&EDIT, &values![1_i64]).await })).await?;
        let fault = fault_of(migrate::run(&place.db).await);
        assert!(fault.detail.contains("migration 1 (directory) was applied with another text"), "{fault}");
        Ok(())
    })
    .await
}

type Columns = BTreeMap<(String, String), (&'static str, bool)>;
/// Index columns by table and index.
type Indexes = BTreeMap<(String, String), Vec<String>>;

async fn columns(place: &TestDb) -> Outcome<Columns> {
    let statement = match place.engine {
        Engine::Sqlite => &SQLITE_COLUMNS,
        Engine::Postgres => &POSTGRES_COLUMNS,
    };
    let rows = place.db.read().await?.all(statement, &[]).await?;
    rows.iter()
        .map(|row| {
            let kind: String = row.get(2)?;
            let kind = match kind.as_str() {
                "TEXT" | "text" => "text",
                // SQLite keeps booleans as integers.
                "INTEGER" | "bigint" | "boolean" => "number",
                "BLOB" | "bytea" => "bytes",
                _ => "unknown",
            };
            Ok(((row.get(0)?, row.get(1)?), (kind, row.get(3)?)))
        })
        .collect()
}

async fn indexes(place: &TestDb, unique: bool) -> Outcome<Indexes> {
    let statement = match (place.engine, unique) {
        (Engine::Sqlite, true) => &SQLITE_UNIQUE,
        (Engine::Sqlite, false) => &SQLITE_INDEXES,
        (Engine::Postgres, true) => &POSTGRES_UNIQUE,
        (Engine::Postgres, false) => &POSTGRES_INDEXES,
    };
    let mut found = Indexes::new();
    for row in place.db.read().await?.all(statement, &[]).await? {
        found.entry((row.get(0)?, row.get(1)?)).or_default().push(row.get(2)?);
    }
    Ok(found)
}

#[tokio::test]
async fn both_engines_have_the_same_tables_and_indexes() -> Outcome<()> {
    let sqlite = TestDb::migrated(Engine::Sqlite).await?;
    let postgres = TestDb::migrated(Engine::Postgres).await?;
    assert_eq!(columns(&sqlite).await?, columns(&postgres).await?);
    assert!(columns(&sqlite).await?.values().all(|(kind, _)| *kind != "unknown"));

    // SQLite names the indexes of constraints itself, so those are compared by table and columns.
    let nameless = |indexes: Indexes| {
        let mut all: Vec<_> = indexes.into_iter().map(|((table, _), columns)| (table, columns)).collect();
        // An integer primary key is SQLite's row id and has no index.
        all.retain(|(table, _)| table != "schema_migration");
        all.sort();
        all
    };
    let unique = indexes(&postgres, true).await?;
    assert_eq!(nameless(indexes(&sqlite, true).await?), nameless(unique.clone()));
    assert_eq!(indexes(&sqlite, false).await?, indexes(&postgres, false).await?);

    for ((table, index), columns) in &unique {
        // Constraints are called <table>_<last column>: that is how both engines can name a violation.
        assert_eq!(*index, format!("{table}_{}", columns.last().expect("a column")));
        let leads = columns.first().map(String::as_str);
        let global = ["tenant", "tenant_name", "deployment", "schema_migration"];
        assert!(leads == Some("tenant_id") || global.contains(&table.as_str()), "{table} {index}");
    }
    sqlite.remove().await?;
    postgres.remove().await
}
