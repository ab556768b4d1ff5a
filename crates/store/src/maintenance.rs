//! What an engine needs so that it stays quick. It decides nothing about data.

use vestibule_rules::fault::Outcome;

use crate::db::{Db, Dialect};

/// As long as a table was never analysed, PostgreSQL cannot tell a key from a mere tenant: every index looks
/// equally good to it, and a plan that reads a whole tenant for one row stays in use.
const ANALYSE_NEW_TABLES: &str = "
DO $$ DECLARE t regclass; BEGIN
  FOR t IN SELECT relid FROM pg_stat_user_tables
           WHERE schemaname = current_schema() AND n_live_tup >= 50
             AND last_analyze IS NULL AND last_autoanalyze IS NULL
             AND has_table_privilege(relid, 'INSERT')
  LOOP EXECUTE format('ANALYZE %s', t); END LOOP;
END $$";

/// Has the engine look at tables that have got their first rows. Later it does so by itself; SQLite needs no
/// help, for it always prefers a whole unique key.
pub async fn analyse_new_tables(db: &Db) -> Outcome<()> {
    match db.dialect() {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => db.write(|tx| Box::pin(tx.script(ANALYSE_NEW_TABLES))).await,
    }
}
