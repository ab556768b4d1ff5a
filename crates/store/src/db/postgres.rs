//! PostgreSQL under the port: a pool of connections with prepared statements, and transactions that roll
//! back when they are dropped. It may not decide anything about data.

use std::pin::pin;
use std::time::Duration;

use deadpool_postgres::{Client, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use futures_util::{FutureExt, StreamExt, join};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, NoTls};
use vestibule_rules::fault::{Fault, Outcome};

use super::statement::Sql;
use super::value::{Row, Value};

/// PostgreSQL 15, the oldest release the suite runs on.
const OLDEST: i32 = 150_000;

/// How long a caller waits for a connection before it is told that the server cannot be reached.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Guards instead of serializability: docs/decisions/0001-two-engines-one-sql.md says why.
pub(super) const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

#[derive(Clone)]
pub(super) struct Postgres {
    pool: Pool,
}

impl Postgres {
    pub(super) async fn open(url: &str, max_connections: usize) -> Outcome<Self> {
        let config = parse(url)?;
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, NoTls, manager))
            .max_size(max_connections.max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .build()
            .map_err(|e| Fault::ours(format!("cannot build the PostgreSQL pool: {e}")))?;
        let postgres = Self { pool };
        postgres.refuse_unfit().await?;
        Ok(postgres)
    }

    async fn refuse_unfit(&self) -> Outcome<()> {
        let client = self.client().await?;
        let setting = async |name: &str| {
            let row = client.query_one(&format!("SHOW {name}"), &[]).await;
            row.and_then(|row| row.try_get::<_, String>(0)).map_err(|e| fault_of(&e, "reading a setting"))
        };
        let version: i32 = setting("server_version_num").await?.parse().unwrap_or(0);
        if version < OLDEST {
            return Err(Fault::ours(format!(
                "PostgreSQL {} is too old; {} is needed",
                version / 10_000,
                OLDEST / 10_000
            )));
        }
        if setting("synchronous_commit").await? == "off" {
            return Err(Fault::ours(
                "PostgreSQL runs with synchronous_commit=off, so it may lose what it acknowledged; turn it on \
                 for this database or role",
            ));
        }
        Ok(())
    }

    async fn client(&self) -> Outcome<Client> {
        self.pool.get().await.map_err(|e| match e {
            deadpool_postgres::PoolError::Backend(e) => fault_of(&e, "connecting"),
            other => Fault::upstream(format!("no PostgreSQL connection: {other}")),
        })
    }

    /// A transaction of this mode. It takes a connection and opens with its first statement.
    pub(super) fn begin(&self, mode: &'static str) -> Lease {
        Lease { pool: self.clone(), mode: Some(mode), client: None, broken: None }
    }

    /// A connection on which every statement is a transaction of its own.
    pub(super) fn glance(&self) -> Lease {
        Lease { pool: self.clone(), mode: None, client: None, broken: None }
    }
}

fn parse(url: &str) -> Outcome<Config> {
    let wants_tls = ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"];
    let no_tls =
        "TLS to PostgreSQL is not available in this version; use sslmode=disable or prefer, or a socket";
    if wants_tls.iter().any(|mode| url.contains(mode)) {
        return Err(Fault::ours(no_tls));
    }
    // The parser's message could quote the URL, and the URL holds a password.
    let mut config: Config =
        url.parse().map_err(|_| Fault::ours("the PostgreSQL URL cannot be parsed (it is not shown here)"))?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(Fault::ours(no_tls));
    }
    if config.get_application_name().is_none() {
        config.application_name("vestibule");
    }
    Ok(config)
}

/// What a failed transaction calls for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// Serialization failure or deadlock: the same work may succeed when it runs again.
    Again,
    /// Anything else.
    ForGood,
}

/// A transaction on a connection of its own.
pub(super) struct Lease {
    pool: Postgres,
    /// The statement that opens it; without one every statement stands alone.
    mode: Option<&'static str>,
    /// The connection, once something was sent on it.
    client: Option<Client>,
    pub(super) broken: Option<Broken>,
}

/// Something to be sent inside the transaction.
#[derive(Clone, Copy)]
enum Order<'a> {
    Run(&'static Sql, &'a [Value]),
    Prepare(&'static Sql),
    Script(&'a str),
}

/// What came back: rows, and how many the statement touched.
type Reply = (Vec<tokio_postgres::Row>, u64);

impl Lease {
    pub(super) async fn all(&mut self, sql: &'static Sql, params: &[Value]) -> Outcome<Vec<Row>> {
        let (rows, _) = self.send(Order::Run(sql, params)).await?;
        if let Some(first) = rows.first() {
            sql.learn_columns(|| first.columns().iter().map(|c| c.name().to_owned()).collect());
        }
        rows.iter().map(|row| read(sql, row)).collect()
    }

    pub(super) async fn run(&mut self, sql: &'static Sql, params: &[Value]) -> Outcome<u64> {
        self.send(Order::Run(sql, params)).await.map(|(_, touched)| touched)
    }

    pub(super) async fn prepare(&mut self, sql: &'static Sql) -> Outcome<()> {
        self.send(Order::Prepare(sql)).await.map(drop)
    }

    pub(super) async fn script(&mut self, text: &str) -> Outcome<()> {
        self.send(Order::Script(text)).await.map(drop)
    }

    pub(super) async fn commit(mut self) -> Result<(), (Fault, Broken)> {
        let Some(client) = &self.client else { return Ok(()) };
        // The outcome of a commit whose connection is lost is unknown: the caller gets a fault and reads again.
        match client.batch_execute("COMMIT").await {
            Ok(()) => {
                self.client = None;
                Ok(())
            }
            Err(e) => {
                let fault = self.note(&e, "COMMIT");
                Err((fault, self.broken.unwrap_or(Broken::ForGood)))
            }
        }
    }

    /// Sends an order, the first one right behind the statement that opens the transaction: that saves a
    /// round trip. A pooled connection may have died with a server restart; nothing was committed on it, so
    /// the next one is tried.
    async fn send(&mut self, order: Order<'_>) -> Outcome<Reply> {
        if let Some(client) = &self.client {
            return order.on(client).await.map_err(|e| self.note(&e, &order.name()));
        }
        loop {
            // It stands in `self` before anything is sent, so that whoever gives up rolls back.
            let client = self.client.insert(self.pool.client().await?);
            let (opened, reply) = join!(open(client, self.mode), order.on(client));
            let failed = match (opened, self.mode) {
                (Ok(()), Some(_)) => return reply.map_err(|e| self.note(&e, &order.name())),
                (Ok(()), None) => match reply {
                    Ok(reply) => return Ok(reply),
                    Err(e) => e,
                },
                (Err(e), _) => e,
            };
            if !(ended(&failed) || client.is_closed()) {
                return Err(self.note(&failed, &order.name()));
            }
            drop(self.client.take().map(Client::take));
        }
    }

    fn note(&mut self, error: &tokio_postgres::Error, what: &str) -> Fault {
        let again = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
        let retry = error.code().is_some_and(|code| again.contains(code));
        self.broken = Some(if retry { Broken::Again } else { Broken::ForGood });
        fault_of(error, what)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(client), Some(_)) = (&self.client, self.mode) {
            // Polling once queues the message on the connection; whoever uses the connection next comes after
            // it. A connection that is closed has rolled back already.
            drop(client.batch_execute("ROLLBACK").now_or_never());
        }
    }
}

/// Whether the connection was gone before anything ran on it. What the server said as it ended the connection
/// may arrive as the answer to whatever is sent next.
fn ended(error: &tokio_postgres::Error) -> bool {
    let farewells = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN];
    error.is_closed() || error.code().is_some_and(|code| farewells.contains(code))
}

async fn open(client: &Client, mode: Option<&'static str>) -> Result<(), tokio_postgres::Error> {
    match mode {
        Some(mode) => client.batch_execute(mode).await,
        None => Ok(()),
    }
}

impl Order<'_> {
    fn name(&self) -> String {
        match self {
            Self::Run(sql, _) | Self::Prepare(sql) => sql.name(),
            Self::Script(_) => "script".to_owned(),
        }
    }

    async fn on(self, client: &Client) -> Result<Reply, tokio_postgres::Error> {
        match self {
            Self::Run(sql, params) => {
                let statement = client.prepare_cached(sql.text()).await?;
                let mut stream = pin!(client.query_raw(&statement, bind(params)).await?);
                let mut rows = Vec::new();
                while let Some(row) = stream.next().await {
                    rows.push(row?);
                }
                Ok((rows, stream.rows_affected().unwrap_or(0)))
            }
            Self::Prepare(sql) => client.prepare_cached(sql.text()).await.map(|_| (Vec::new(), 0)),
            Self::Script(text) => client.batch_execute(text).await.map(|()| (Vec::new(), 0)),
        }
    }
}

fn bind(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params
        .iter()
        .map(|value| match value {
            Value::Int(value) => value as &(dyn ToSql + Sync),
            Value::Text(value) => value,
            Value::Bytes(value) => value,
            Value::Bool(value) => value,
        })
        .collect()
}

fn read(sql: &'static Sql, row: &tokio_postgres::Row) -> Outcome<Row> {
    let cells = row.columns().iter().enumerate().map(|(i, column)| {
        let kind = column.type_();
        let value = if *kind == Type::INT8 {
            row.try_get(i).map(Value::Int)
        } else if *kind == Type::INT4 {
            row.try_get::<_, Option<i32>>(i).map(|value| Value::Int(value.map(i64::from)))
        } else if *kind == Type::BYTEA {
            row.try_get(i).map(Value::Bytes)
        } else if *kind == Type::BOOL {
            row.try_get(i).map(Value::Bool)
        } else {
            row.try_get(i).map(Value::Text)
        };
        value.map_err(|e| fault_of(&e, &sql.name()))
    });
    Ok(Row { statement: sql, cells: cells.collect::<Outcome<_>>()? })
}

/// The server's `DETAIL` quotes values, which can be personal, so it stays out of the fault.
fn fault_of(error: &tokio_postgres::Error, what: &str) -> Fault {
    let Some(db) = error.as_db_error() else {
        return if error.is_closed() || error.to_string().starts_with("error communicating") {
            Fault::upstream(format!("{what}: the connection to PostgreSQL was lost: {error}"))
        } else {
            Fault::ours(format!("{what}: {error}"))
        };
    };
    let text = format!("{what}: {} ({})", db.message(), db.code().code());
    let gone = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
    ];
    if *db.code() == SqlState::UNIQUE_VIOLATION {
        let (table, constraint) = (db.table().unwrap_or("?"), db.constraint().unwrap_or("?"));
        Fault::conflict(&violated(table, constraint), text)
    } else if gone.contains(db.code()) {
        Fault::upstream(text)
    } else {
        Fault::ours(text)
    }
}

/// Constraints are called `<table>_<last column>` (docs/migrations.md), so that both engines can name a
/// violation in the same way.
fn violated(table: &str, constraint: &str) -> String {
    let column = constraint.strip_prefix(table).map_or(constraint, |rest| rest.trim_start_matches('_'));
    format!("{table}.{column}")
}

#[cfg(test)]
mod tests {
    use super::{parse, violated};

    #[test]
    fn required_tls_is_refused_by_name() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let refused = parse(&format!("postgres://u:hunter2@db/x?sslmode={mode}")).expect_err("no TLS");
            assert!(refused.detail.starts_with("TLS to PostgreSQL is not available"), "{refused}");
        }
        assert!(parse("host=db sslmode=require").is_err());
    }

    #[test]
    fn a_bad_url_is_not_repeated() {
        let refused = parse("postgres://u:hunter2@db:port/x").expect_err("not a port");
        assert!(!refused.to_string().contains("hunter2"));
    }

    #[test]
    fn a_violation_is_named_by_its_last_column() {
        assert_eq!(violated("user_account", "user_account_upn_key"), "user_account.upn_key");
    }
}
