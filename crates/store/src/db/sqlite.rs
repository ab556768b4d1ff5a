//! SQLite under the port: one writer thread that commits many transactions at once, and a few connections
//! for readers. It may not decide anything about data.
//!
//! Group commit: the writer takes everything that waits in its queue into one `BEGIN IMMEDIATE … COMMIT`, each
//! transaction inside a savepoint of its own, and answers nobody before the commit is on disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, ffi};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use vestibule_rules::fault::{Fault, Outcome};

use super::statement::Sql;
use super::value::{Row, Value};
use super::{Engine, WriteTx};

/// The first version without the WAL-reset bug that could lose a commit when a checkpoint and a writer met.
const OLDEST: i32 = 3_051_003;
/// How many transactions share a commit at most, so that the first caller never waits for long.
const BATCH: usize = 256;
/// How many transactions may wait for the writer before callers wait for a place in the queue.
const QUEUE: usize = 1024;
const READERS: usize = 8;
/// How long a statement waits for another process that holds the write lock.
const BUSY: Duration = Duration::from_secs(15);
const STATEMENT_CACHE: usize = 256;

/// The database file as this process uses it.
pub(super) struct Sqlite {
    queue: mpsc::Sender<Job>,
    readers: Arc<Readers>,
}

/// Told how the commit went; passes its own result on when it went well.
type Answer = Box<dyn FnOnce(&Outcome<()>) + Send>;
/// A whole transaction, run on the writer thread.
type Job = Box<dyn FnOnce(&mut WriteTx) -> Answer + Send>;

impl Sqlite {
    pub(super) fn open(path: &Path) -> Outcome<Self> {
        refuse_old(rusqlite::version_number())?;
        create_private(path)?;
        let mut writer = WriteTx::on(Engine::Sqlite(Lease::whole(connect(path)?)));
        let (queue, mut jobs) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                while let Some(first) = jobs.blocking_recv() {
                    commit_together(&mut writer, first, &mut jobs);
                }
            })
            .map_err(|e| Fault::ours(format!("cannot start the SQLite writer thread: {e}")))?;
        let readers = Readers {
            path: path.to_owned(),
            idle: Mutex::new(Vec::new()),
            seats: Arc::new(Semaphore::new(READERS)),
        };
        Ok(Self { queue, readers: Arc::new(readers) })
    }

    pub(super) async fn read(&self) -> Outcome<Lease> {
        let stopped = |_| Fault::ours("the SQLite readers are closed");
        let seat = Arc::clone(&self.readers.seats).acquire_owned().await.map_err(stopped)?;
        let idle = lock(&self.readers.idle).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect_reader(&self.readers.path)?,
        };
        let lease = Lease { connection: Some(connection), home: Some((Arc::clone(&self.readers), seat)) };
        lease.script("BEGIN DEFERRED")?;
        Ok(lease)
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut WriteTx) -> BoxFuture<'t, Outcome<T>> + Send + Sync + 'static,
    {
        let gone = || Fault::ours("the SQLite writer has stopped");
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            let result = within_savepoint(tx, &work);
            Box::new(move |committed| {
                let result = match (result, committed) {
                    (Ok(_), Err(fault)) => Err(fault.clone()),
                    (result, _) => result,
                };
                // Nobody listens any more when the request was dropped; the work is done all the same.
                drop(answer.send(result));
            })
        });
        self.queue.send(job).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// Runs `first` and whatever else is waiting, commits once, then answers everybody.
fn commit_together(tx: &mut WriteTx, first: Job, jobs: &mut mpsc::Receiver<Job>) {
    let mut outcome = script(tx, "BEGIN IMMEDIATE");
    let mut answers = vec![if outcome.is_ok() { first(tx) } else { unstarted(first, tx) }];
    while outcome.is_ok() && answers.len() < BATCH {
        // A full disk or an I/O error makes SQLite roll back everything, not only the statement at fault.
        if is_autocommit(tx) {
            outcome = Err(Fault::ours("SQLite gave up the transaction that this one shared a commit with"));
            break;
        }
        match jobs.try_recv() {
            Ok(job) => answers.push(job(tx)),
            Err(_) => break,
        }
    }
    if outcome.is_ok() {
        outcome = script(tx, "COMMIT");
    }
    if !is_autocommit(tx)
        && let Err(fault) = script(tx, "ROLLBACK")
    {
        tracing::error!(%fault, "the SQLite writer cannot roll back");
    }
    for answer in answers {
        answer(&outcome);
    }
}

/// The transaction could not even begin. Statements outside a transaction would commit one by one, so the
/// job runs against a transaction that refuses every statement, and its caller learns the reason.
fn unstarted(job: Job, tx: &mut WriteTx) -> Answer {
    tx.refuse(Fault::ours("the write transaction could not begin"));
    job(tx)
}

fn within_savepoint<T, F>(tx: &mut WriteTx, work: &F) -> Outcome<T>
where
    F: for<'t> Fn(&'t mut WriteTx) -> BoxFuture<'t, Outcome<T>>,
{
    if let Some(fault) = tx.take_failure() {
        return Err(fault);
    }
    script(tx, "SAVEPOINT one")?;
    // A panic in one caller's work must not end the writer for all others.
    let polled = catch_unwind(AssertUnwindSafe(|| work(tx).now_or_never()));
    let result = match polled {
        Ok(Some(result)) => result,
        Ok(None) => Err(Fault::ours("a write transaction awaited something other than the database")),
        Err(_) => Err(Fault::ours("a write transaction panicked")),
    };
    let result = tx.take_failure().map_or(result, Err);
    let closing = if result.is_ok() { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" };
    if let Err(fault) = script(tx, closing) {
        // What this caller did can no longer be told from the others' work: nobody in the batch may commit.
        if !is_autocommit(tx) {
            script(tx, "ROLLBACK")?;
        }
        return result.and(Err(fault));
    }
    result
}

fn script(tx: &WriteTx, text: &str) -> Outcome<()> {
    tx.sqlite().map_or_else(|| Err(Fault::ours("not a SQLite transaction")), |lease| lease.script(text))
}

fn is_autocommit(tx: &WriteTx) -> bool {
    tx.sqlite().and_then(|lease| lease.connection.as_ref()).is_none_or(Connection::is_autocommit)
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    seats: Arc<Semaphore>,
}

/// A connection in use: the writer's for the life of its thread, a reader's until it is dropped.
pub(super) struct Lease {
    connection: Option<Connection>,
    home: Option<(Arc<Readers>, OwnedSemaphorePermit)>,
}

impl Lease {
    const fn whole(connection: Connection) -> Self {
        Self { connection: Some(connection), home: None }
    }

    fn connection(&self) -> Outcome<&Connection> {
        self.connection.as_ref().ok_or_else(|| Fault::ours("the SQLite connection is gone"))
    }

    pub(super) fn script(&self, text: &str) -> Outcome<()> {
        self.connection()?.execute_batch(text).map_err(|e| fault_of(&e, text))
    }

    pub(super) fn all(&self, sql: &'static Sql, params: &[Value]) -> Outcome<Vec<Row>> {
        self.query(sql, params).map_err(|e| fault_of(&e, &sql.name()))
    }

    fn query(&self, sql: &'static Sql, params: &[Value]) -> rusqlite::Result<Vec<Row>> {
        let Some(connection) = self.connection.as_ref() else { return Err(rusqlite::Error::InvalidQuery) };
        let mut statement = connection.prepare_cached(sql.numbered())?;
        sql.learn_columns(|| statement.column_names().map(str::to_owned).collect());
        let width = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let cells = (0..width).map(|i| cell(row.get_ref(i)?)).collect::<Result<_, _>>()?;
            found.push(Row { statement: sql, cells });
        }
        Ok(found)
    }

    pub(super) fn run(&self, sql: &'static Sql, params: &[Value]) -> Outcome<u64> {
        let changed = self
            .connection()?
            .prepare_cached(sql.numbered())
            .and_then(|mut statement| statement.execute(rusqlite::params_from_iter(params)));
        changed.map(|n| n as u64).map_err(|e| fault_of(&e, &sql.name()))
    }

    pub(super) fn prepare(&self, sql: &'static Sql) -> Outcome<()> {
        self.connection()?.prepare_cached(sql.numbered()).map(drop).map_err(|e| fault_of(&e, &sql.name()))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(connection), Some((readers, _seat))) = (self.connection.take(), &self.home)
            && connection.execute_batch("ROLLBACK").is_ok()
        {
            lock(&readers.idle).push(connection);
        }
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        let reference = match self {
            Self::Int(Some(value)) => ValueRef::Integer(*value),
            Self::Text(Some(value)) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(Some(value)) => ValueRef::Blob(value),
            Self::Bool(Some(value)) => ValueRef::Integer(i64::from(*value)),
            Self::Int(None) | Self::Text(None) | Self::Bytes(None) | Self::Bool(None) => ValueRef::Null,
        };
        Ok(rusqlite::types::ToSqlOutput::Borrowed(reference))
    }
}

/// No column is a floating point number (portable SQL), so a real is as wrong as a text that is not UTF-8.
fn cell(value: ValueRef<'_>) -> rusqlite::Result<Value> {
    match value {
        ValueRef::Null => Ok(Value::Int(None)),
        ValueRef::Integer(value) => Ok(Value::Int(Some(value))),
        ValueRef::Text(_) => Ok(Value::Text(Some(value.as_str()?.to_owned()))),
        ValueRef::Blob(bytes) => Ok(Value::Bytes(Some(bytes.to_vec()))),
        ValueRef::Real(_) => Err(rusqlite::types::FromSqlError::InvalidType.into()),
    }
}

fn connect(path: &Path) -> Outcome<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let set_up = || -> rusqlite::Result<(Connection, String)> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        let mode =
            connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
        // FULL: an acknowledged write survives a power cut (security.md 5.2). The last two are the same
        // promise on systems whose fsync does not reach the disk.
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
             PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;",
        )?;
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        Ok((connection, mode))
    };
    let (connection, mode) = set_up().map_err(|e| fault_of(&e, "opening the database file"))?;
    if mode == "wal" {
        Ok(connection)
    } else {
        Err(Fault::ours(format!("SQLite cannot use WAL on this file system (journal mode {mode})")))
    }
}

/// A reader opens the file for writing too, since it may have to create the shared-memory file, and then
/// forswears it.
fn connect_reader(path: &Path) -> Outcome<Connection> {
    let connection = connect(path)?;
    connection.execute_batch("PRAGMA query_only = ON").map_err(|e| fault_of(&e, "opening a reader"))?;
    Ok(connection)
}

/// The file holds password hashes and sealed keys: nobody but its owner may read it. SQLite gives the WAL
/// the mode of the database.
fn create_private(path: &Path) -> Outcome<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(Fault::ours(format!("cannot create the database file {}: {e}", path.display()))),
    }
}

fn refuse_old(version: i32) -> Outcome<()> {
    if version >= OLDEST {
        return Ok(());
    }
    let dotted = |v: i32| format!("{}.{}.{}", v / 1_000_000, v / 1000 % 1000, v % 1000);
    Err(Fault::ours(format!("SQLite {} is too old; {} is needed", dotted(version), dotted(OLDEST))))
}

fn fault_of(error: &rusqlite::Error, what: &str) -> Fault {
    let unique = [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_PRIMARYKEY];
    match error {
        rusqlite::Error::SqliteFailure(failure, Some(message)) if unique.contains(&failure.extended_code) => {
            Fault::conflict(violated(message), format!("{what}: {message}"))
        }
        other => Fault::ours(format!("{what}: {other}")),
    }
}

/// `UNIQUE constraint failed: user_account.tenant_id, user_account.upn_key` violates `user_account.upn_key`.
fn violated(message: &str) -> &str {
    message.rsplit([' ', ',', ':']).next().unwrap_or(message)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{refuse_old, violated};

    #[test]
    fn a_sqlite_with_the_wal_reset_bug_is_refused() {
        let refused = refuse_old(3_051_002).expect_err("too old");
        assert_eq!(refused.detail, "SQLite 3.51.2 is too old; 3.51.3 is needed");
        assert!(refuse_old(3_051_003).is_ok());
        assert!(refuse_old(3_054_001).is_ok());
    }

    #[test]
    fn a_violation_is_named_by_its_last_column() {
        assert_eq!(violated("UNIQUE constraint failed: a.tenant_id, a.upn_key"), "a.upn_key");
        assert_eq!(violated("UNIQUE constraint failed: a.id"), "a.id");
    }
}
