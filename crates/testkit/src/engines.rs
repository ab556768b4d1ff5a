//! A database for each test, on both engines.
//!
//! SQLite: a copy of a migrated file. PostgreSQL: a clone of a migrated template, on the server that
//! `VESTIBULE_TEST_POSTGRES` names (a superuser's URL) or on a private cluster that this process starts and
//! that ends with it, however it ends. A machine without PostgreSQL fails loudly instead of skipping.

use std::io::{BufRead, BufReader, Read};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt;
use tokio::sync::OnceCell;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_store::{Db, Settings, migrate};

/// The engines that the product runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// The embedded engine.
    Sqlite,
    /// The server.
    Postgres,
}

impl Engine {
    /// Both, in the order in which tests run.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// A database of one test.
pub struct TestDb {
    /// Which engine it is on.
    pub engine: Engine,
    /// The open database.
    pub db: Db,
    /// How to open it once more, as a second process would.
    pub settings: Settings,
    /// Holds the directory until the test ends.
    _directory: Option<tempfile::TempDir>,
    name: Option<String>,
}

impl TestDb {
    /// A database with the newest schema and no rows.
    pub async fn migrated(engine: Engine) -> Outcome<Self> {
        match engine {
            Engine::Sqlite => {
                let template = sqlite_template().await?;
                let directory = tempfile::tempdir().map_err(|e| ours("a temporary directory", &e))?;
                let path = directory.path().join("vestibule.db");
                // The schema may still stand in the template's WAL.
                for suffix in ["", "-wal"] {
                    let from = PathBuf::from(format!("{}{suffix}", template.display()));
                    if from.exists() {
                        let to = format!("{}{suffix}", path.display());
                        std::fs::copy(&from, to).map_err(|e| ours("copying the template", &e))?;
                    }
                }
                Self::open(engine, Settings::Sqlite { path }, Some(directory), None).await
            }
            Engine::Postgres => {
                let template = postgres_template().await?;
                // Copying files costs half of what logging each of their pages does.
                Self::on_server(&format!("TEMPLATE {template} STRATEGY FILE_COPY")).await
            }
        }
    }

    /// A database without any table.
    pub async fn empty(engine: Engine) -> Outcome<Self> {
        match engine {
            Engine::Sqlite => {
                let directory = tempfile::tempdir().map_err(|e| ours("a temporary directory", &e))?;
                let path = directory.path().join("vestibule.db");
                Self::open(engine, Settings::Sqlite { path }, Some(directory), None).await
            }
            Engine::Postgres => Self::on_server("").await,
        }
    }

    /// Everything that is in the database, as somebody finds it who has stolen the file or a dump. What a
    /// server writes as `\x…` is in hexadecimal digits.
    pub async fn dump(&self) -> Outcome<Vec<u8>> {
        match &self.settings {
            Settings::Sqlite { path } => {
                let mut all = Vec::new();
                for suffix in ["", "-wal"] {
                    let file = format!("{}{suffix}", path.display());
                    all.extend(std::fs::read(file).map_err(|e| ours("reading the database", &e))?);
                }
                Ok(all)
            }
            Settings::Postgres { url, .. } => dump_server(url).await,
        }
    }

    async fn on_server(options: &str) -> Outcome<Self> {
        let name = fresh_name("test");
        administer(&format!("CREATE DATABASE {name} {options}")).await?;
        let settings = Settings::Postgres { url: url_of(&name)?, max_connections: 16 };
        Self::open(Engine::Postgres, settings, None, Some(name)).await
    }

    async fn open(
        engine: Engine,
        settings: Settings,
        directory: Option<tempfile::TempDir>,
        name: Option<String>,
    ) -> Outcome<Self> {
        let db = Db::open(settings.clone()).await?;
        Ok(Self { engine, db, settings, _directory: directory, name })
    }

    /// Drops the database; a temporary directory goes by itself.
    pub async fn remove(self) -> Outcome<()> {
        let Self { db, name, .. } = self;
        drop(db);
        match name {
            Some(name) => administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await,
            None => Ok(()),
        }
    }
}

/// Runs `test` on a migrated database of each engine. A failure says on which one.
pub async fn on_both(test: impl AsyncFn(&TestDb) -> Outcome<()>) -> Outcome<()> {
    for engine in Engine::ALL {
        let place = TestDb::migrated(engine).await?;
        run_on(place, &test).await?;
    }
    Ok(())
}

/// Runs `test` on a database without tables, of each engine.
pub async fn on_both_empty(test: impl AsyncFn(&TestDb) -> Outcome<()>) -> Outcome<()> {
    for engine in Engine::ALL {
        let place = TestDb::empty(engine).await?;
        run_on(place, &test).await?;
    }
    Ok(())
}

async fn run_on(place: TestDb, test: &impl AsyncFn(&TestDb) -> Outcome<()>) -> Outcome<()> {
    let engine = place.engine;
    let result = AssertUnwindSafe(test(&place)).catch_unwind().await;
    let removed = place.remove().await;
    match result {
        Ok(Ok(())) => removed,
        Ok(Err(mut fault)) => {
            fault.detail = format!("on {engine:?}: {}", fault.detail);
            Err(fault)
        }
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
            resume_unwind(Box::new(format!("on {engine:?}: {}", said.unwrap_or_default())))
        }
    }
}

async fn sqlite_template() -> Outcome<&'static PathBuf> {
    /// Stays open, so that nothing moves between the file and its WAL while they are copied.
    static TEMPLATE: OnceCell<(PathBuf, Db, tempfile::TempDir)> = OnceCell::const_new();
    let made = TEMPLATE.get_or_try_init(async || {
        let directory = tempfile::tempdir().map_err(|e| ours("a temporary directory", &e))?;
        let path = directory.path().join("template.db");
        let db = Db::open(Settings::Sqlite { path: path.clone() }).await?;
        migrate::run(&db).await?;
        Ok::<_, Fault>((path, db, directory))
    });
    made.await.map(|(path, _, _)| path)
}

async fn postgres_template() -> Outcome<&'static str> {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let made = TEMPLATE.get_or_try_init(async || {
        let name = fresh_name("template");
        administer(&format!("CREATE DATABASE {name}")).await?;
        let db = Db::open(Settings::Postgres { url: url_of(&name)?, max_connections: 1 }).await?;
        migrate::run(&db).await?;
        Ok::<_, Fault>(name)
    });
    made.await.map(String::as_str)
}

/// A name that no other process and no other test uses.
fn fresh_name(kind: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("vestibule_{kind}_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Creating and dropping databases cannot be done in a transaction, so it goes past the port.
async fn administer(command: &str) -> Outcome<()> {
    let url = server_url()?;
    let (client, connection) = tokio_postgres::connect(url.as_str(), tokio_postgres::NoTls)
        .await
        .map_err(|e| ours("connecting to the test server", &e))?;
    let connection = tokio::spawn(connection);
    let result = client.batch_execute(command).await.map_err(|e| ours(command, &e));
    drop(client);
    // The server has closed the session when the connection ends.
    drop(connection.await);
    result
}

async fn dump_server(url: &str) -> Outcome<Vec<u8>> {
    let failed = |e: tokio_postgres::Error| ours("dumping the database", &e);
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.map_err(failed)?;
    let connection = tokio::spawn(connection);
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let mut all = Vec::new();
    for table in client.query(tables, &[]).await.map_err(failed)? {
        let table: String = table.get(0);
        let rows = format!("SELECT CAST(t AS TEXT) FROM \"{table}\" AS t");
        for row in client.query(rows.as_str(), &[]).await.map_err(failed)? {
            all.extend(row.get::<_, String>(0).into_bytes());
            all.push(b'\n');
        }
    }
    drop(client);
    drop(connection.await);
    Ok(all)
}

fn url_of(database: &str) -> Outcome<String> {
    let mut url = server_url()?.clone();
    url.set_path(database);
    Ok(url.into())
}

fn server_url() -> Outcome<&'static url::Url> {
    static SERVER: OnceLock<Outcome<(url::Url, Option<Child>)>> = OnceLock::new();
    match SERVER.get_or_init(find_or_start_server) {
        Ok((url, _)) => Ok(url),
        Err(fault) => Err(fault.clone()),
    }
}

#[expect(clippy::disallowed_methods, reason = "a variable of the test run, not configuration of the product")]
fn find_or_start_server() -> Outcome<(url::Url, Option<Child>)> {
    let (text, child) = match std::env::var("VESTIBULE_TEST_POSTGRES") {
        Ok(url) => (url, None),
        Err(_) => start_cluster().map(|(url, child)| (url, Some(child)))?,
    };
    let url = url::Url::parse(&text).map_err(|e| ours("VESTIBULE_TEST_POSTGRES", &e))?;
    Ok((url, child))
}

/// Makes a cluster, reports its directory, and takes it away when standard input closes: that is when the
/// test process ends, even when it is killed. The locale differs from byte order on purpose.
const CLUSTER: &str = r#"
set -e
initdb=$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)
if [ -z "$initdb" ]; then
    echo "no PostgreSQL server programs (initdb) on this machine" >&2
    exit 1
fi
bin=$(dirname "$initdb")
# Making and dropping a database is a few hundred files, which memory does in no time.
place=/dev/shm
[ -d "$place" ] && [ -w "$place" ] && [ "$(df -Pk "$place" | awk 'NR==2 {print $4}')" -gt 2000000 ] || place=${TMPDIR:-/tmp}
dir=$(mktemp -d "$place/vestibule-pg-XXXXXX")
cd "$dir"
make() { "$initdb" -D "$dir/data" -U postgres -A trust -E UTF8 "$@" >"$dir/log" 2>&1; }
make --locale-provider=icu --icu-locale=en --locale=C.UTF-8 || { rm -rf "$dir/data"; make; } || { cat "$dir/log" >&2; exit 1; }
"$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" -o "-k '$dir' -c listen_addresses='' -c fsync=off -c max_connections=300" start >/dev/null 2>&1 || { cat "$dir/log" >&2; exit 1; }
echo "$dir"
cat >/dev/null
"$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
rm -rf "$dir"
"#;

fn start_cluster() -> Outcome<(String, Child)> {
    // The server refuses to run as root.
    let root = Command::new("id").arg("-u").output().is_ok_and(|answer| answer.stdout.starts_with(b"0\n"));
    let mut command = if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh", "-c", CLUSTER]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", CLUSTER]);
        command
    };
    let mut child = command
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| ours("starting a private PostgreSQL cluster", &e))?;
    let mut directory = String::new();
    if let Some(stdout) = child.stdout.take() {
        let read = BufReader::new(stdout).read_line(&mut directory);
        read.map_err(|e| ours("starting a private PostgreSQL cluster", &e))?;
    }
    if directory.trim().is_empty() {
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            drop(stderr.read_to_string(&mut said));
        }
        return Err(Fault::ours(format!(
            "the tests need PostgreSQL: install its server programs or set VESTIBULE_TEST_POSTGRES ({})",
            said.trim()
        )));
    }
    let host = directory.trim().replace('%', "%25").replace('/', "%2F");
    Ok((format!("postgresql://postgres@{host}/postgres"), child))
}

fn ours(what: &str, error: &dyn std::error::Error) -> Fault {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    Fault::ours(format!("{what}: {error}{cause}"))
}
