//! The port: the only place that knows whether SQLite or PostgreSQL is under it.
//!
//! A transaction is a closure that awaits nothing but its own statements. SQLite runs it on a single writer
//! thread that commits many at once; PostgreSQL runs it as an ordinary transaction and runs it again after a
//! deadlock or a serialization failure. Either way the caller is answered after the commit is durable, and a
//! transaction that fails or is dropped leaves nothing behind.

mod postgres;
mod sqlite;
mod statement;
mod value;

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use futures_util::future::BoxFuture;
pub use statement::{Sql, as_text, numbered};
pub use value::{FromCell, Row, Value};
use vestibule_rules::fault::{Fault, Outcome};

use postgres::{Broken, Postgres};
use sqlite::Sqlite;

/// How often a transaction is run again before its failure is the caller's.
const RETRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// Where the data is.
#[derive(Clone)]
pub enum Settings {
    /// A file of this machine, created when it is missing.
    Sqlite {
        /// The database file; its WAL stands beside it.
        path: PathBuf,
    },
    /// A server, version 15 or later.
    Postgres {
        /// A connection URL. It holds a password: it is never logged.
        url: String,
        /// How many connections this process may open.
        max_connections: usize,
    },
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { path } => f.debug_struct("Sqlite").field("path", path).finish(),
            Self::Postgres { max_connections, .. } => {
                f.debug_struct("Postgres").field("max_connections", max_connections).finish_non_exhaustive()
            }
        }
    }
}

/// Which engine is under the port; for migrations and maintenance only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// An open database. Clones share it.
#[derive(Clone)]
pub struct Db {
    under: Arc<Under>,
}

enum Under {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Db {
    /// Opens the database and refuses one that could lose what it acknowledged. It does not migrate.
    pub async fn open(settings: Settings) -> Outcome<Self> {
        let under = match settings {
            Settings::Sqlite { path } => Under::Sqlite(Sqlite::open(&path)?),
            Settings::Postgres { url, max_connections } => {
                Under::Postgres(Postgres::open(&url, max_connections).await?)
            }
        };
        Ok(Self { under: Arc::new(under) })
    }

    /// Opens a snapshot: everything read through it is as of one instant.
    ///
    /// It holds a connection until it is dropped, so drop it before the next read or write begins: callers
    /// that each hold one and wait for another can wait for each other.
    pub async fn read(&self) -> Outcome<ReadTx> {
        let engine = match &*self.under {
            Under::Sqlite(sqlite) => Engine::Sqlite(sqlite.read().await?),
            Under::Postgres(postgres) => Engine::Postgres(postgres.begin(postgres::READ)),
        };
        Ok(ReadTx { engine, failure: None })
    }

    /// Reads without a snapshot: each statement sees what is committed when it runs. For whoever reads one row,
    /// or rows that never change, it saves PostgreSQL the opening and closing of a transaction.
    pub async fn glance(&self) -> Outcome<ReadTx> {
        let engine = match &*self.under {
            Under::Sqlite(sqlite) => Engine::Sqlite(sqlite.read().await?),
            Under::Postgres(postgres) => Engine::Postgres(postgres.glance()),
        };
        Ok(ReadTx { engine, failure: None })
    }

    /// Runs `work` as one transaction and answers after the commit.
    ///
    /// `work` may run more than once and must await nothing but `tx`. When it fails, nothing of it remains.
    pub async fn write<T, F>(&self, work: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut WriteTx) -> BoxFuture<'t, Outcome<T>> + Send + Sync + 'static,
    {
        match &*self.under {
            Under::Sqlite(sqlite) => sqlite.write(work).await,
            Under::Postgres(postgres) => write_with_retries(postgres, work).await,
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match &*self.under {
            Under::Sqlite(_) => Dialect::Sqlite,
            Under::Postgres(_) => Dialect::Postgres,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a pause before the same transaction runs again")]
async fn write_with_retries<T, F>(postgres: &Postgres, work: F) -> Outcome<T>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut WriteTx) -> BoxFuture<'t, Outcome<T>> + Send + Sync + 'static,
{
    let mut pause = FIRST_PAUSE;
    let mut retries = 0;
    loop {
        let lease = postgres.begin(postgres::WRITE);
        let mut tx = WriteTx::on(Engine::Postgres(lease));
        let result = work(&mut tx).await;
        let (fault, broken) = match (tx.take_failure().map_or(result, Err), tx.0.engine) {
            (Ok(value), Engine::Postgres(lease)) => match lease.commit().await {
                Ok(()) => return Ok(value),
                Err(failed) => failed,
            },
            (Err(fault), Engine::Postgres(lease)) => {
                let broken = lease.broken.unwrap_or(Broken::ForGood);
                (fault, broken)
            }
            (_, Engine::Sqlite(_)) => return Err(Fault::ours("a SQLite transaction on PostgreSQL")),
        };
        if broken == Broken::ForGood || retries == RETRIES {
            return Err(fault);
        }
        retries += 1;
        tracing::debug!(retries, "running a transaction again");
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

enum Engine {
    Sqlite(sqlite::Lease),
    Postgres(postgres::Lease),
}

/// A transaction that reads.
pub struct ReadTx {
    engine: Engine,
    /// The first failure of a statement; nothing may follow it.
    failure: Option<Fault>,
}

impl ReadTx {
    /// Every row of the answer.
    pub async fn all(&mut self, sql: &'static Sql, params: &[Value]) -> Outcome<Vec<Row>> {
        self.usable()?;
        let answer = match &mut self.engine {
            Engine::Sqlite(lease) => lease.all(sql, params),
            Engine::Postgres(lease) => lease.all(sql, params).await,
        };
        self.remember(answer)
    }

    /// The only row of the answer. More than one is a fault: the statement was to name a key.
    pub async fn one(&mut self, sql: &'static Sql, params: &[Value]) -> Outcome<Option<Row>> {
        let mut rows = self.all(sql, params).await?;
        if rows.len() > 1 {
            return Err(Fault::ours(format!("statement {} found {} rows for one", sql.name(), rows.len())));
        }
        Ok(rows.pop())
    }

    /// Prepares a statement without running it.
    pub async fn prepare(&mut self, sql: &'static Sql) -> Outcome<()> {
        self.usable()?;
        let answer = match &mut self.engine {
            Engine::Sqlite(lease) => lease.prepare(sql),
            Engine::Postgres(lease) => lease.prepare(sql).await,
        };
        self.remember(answer)
    }

    /// PostgreSQL ends a transaction at its first failed statement and SQLite would go on; here both end, so
    /// that no code can come to rely on one of them.
    fn usable(&self) -> Outcome<()> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    fn remember<T>(&mut self, answer: Outcome<T>) -> Outcome<T> {
        if let Err(fault) = &answer {
            self.failure = Some(fault.clone());
        }
        answer
    }
}

/// A transaction that reads and writes. It exists only inside [`Db::write`].
pub struct WriteTx(ReadTx);

impl WriteTx {
    fn on(engine: Engine) -> Self {
        Self(ReadTx { engine, failure: None })
    }

    /// Runs a statement that writes and counts the rows it changed.
    pub async fn run(&mut self, sql: &'static Sql, params: &[Value]) -> Outcome<u64> {
        self.usable()?;
        let answer = match &mut self.0.engine {
            Engine::Sqlite(lease) => lease.run(sql, params),
            Engine::Postgres(lease) => lease.run(sql, params).await,
        };
        self.remember(answer)
    }

    /// Runs several statements without parameters: migrations only.
    pub(crate) async fn script(&mut self, text: &str) -> Outcome<()> {
        self.usable()?;
        let answer = match &mut self.0.engine {
            Engine::Sqlite(lease) => lease.script(text),
            Engine::Postgres(lease) => lease.script(text).await,
        };
        self.remember(answer)
    }

    fn refuse(&mut self, fault: Fault) {
        self.0.failure = Some(fault);
    }

    fn take_failure(&mut self) -> Option<Fault> {
        self.0.failure.take()
    }

    fn sqlite(&self) -> Option<&sqlite::Lease> {
        match &self.0.engine {
            Engine::Sqlite(lease) => Some(lease),
            Engine::Postgres(_) => None,
        }
    }
}

impl Deref for WriteTx {
    type Target = ReadTx;

    fn deref(&self) -> &ReadTx {
        &self.0
    }
}

impl DerefMut for WriteTx {
    fn deref_mut(&mut self) -> &mut ReadTx {
        &mut self.0
    }
}
