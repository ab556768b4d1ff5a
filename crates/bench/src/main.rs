//! `cargo xtask bench`: how fast the release build is on this machine, beside what the machine can do at best.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks on its terminal")]

mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::task::LocalSet;
use vestibule_bench::load::{self, Figures};
use vestibule_bench::mailbox::PostOffice;
use vestibule_bench::operations::{self, Operation};
use vestibule_bench::provider::Provider;
use vestibule_bench::server::Place;
use vestibule_bench::silent::Silence;
use vestibule_bench::tenant::{self, Apps, Tenant};
use vestibule_bench::visitor::Visitor;
use vestibule_bench::{Tried, Trouble, bare, startup};
use vestibule_crypto::jwk::Algorithm;
use vestibule_store::{Db, Settings, migrate};
use vestibule_testkit::engines::{Engine, TestDb};

/// Starts that the middle one is taken of.
const STARTS: usize = 5;
/// Writers that share commits in the bare figure.
const WRITERS: usize = 32;
/// Connections of apps.
const CONNECTIONS: [usize; 2] = [16, 64];
/// What the long form asks.
const QUESTIONS: usize = 20;
/// How often it is asked for.
const RELOADS: usize = 2_000;
/// Visitors of later runs are told apart from those of earlier ones by this much.
const APART: u64 = 10_000_000;

/// Measures a Vestibule server on this machine: start, memory, whole sign-ups over HTTP.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Args {
    /// The program to measure
    #[arg(long, value_name = "FILE", default_value = "target/release/vestibule")]
    program: PathBuf,
    /// What to measure: hash, commits, start, page, silence, load, tokens; everything when left out
    parts: Vec<String>,
    /// An empty PostgreSQL database to use; without it a private cluster is started if there is PostgreSQL
    #[arg(long, value_name = "URL")]
    postgres_url: Option<String>,
    /// SQLite alone
    #[arg(long)]
    no_postgres: bool,
    /// Who signs up: code, password, provider; all when left out
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
    /// What the provider signs with: RS256 or ES256
    #[arg(long, default_value = "RS256")]
    provider_algorithm: String,
    /// Visitors at the same time
    #[arg(long, default_value_t = 32)]
    visitors: usize,
    /// Seconds that each run is measured
    #[arg(long, default_value_t = 15)]
    seconds: u64,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("bench: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Tried<()> {
    let wants = |part: &str| args.parts.is_empty() || args.parts.iter().any(|wanted| wanted == part);
    let program = std::path::absolute(&args.program).map_err(Trouble::wrong)?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    report::machine(cores);
    let hashing = wants("hash").then_some(cores);
    if let Some(cores) = hashing {
        report::hashes(bare::hashes(cores, pause(args))?, cores);
    }
    if wants("start") {
        // One thread is enough for one visitor, and leaves the cores to the server.
        single()?.block_on(starts(&program))?;
    }
    for engine in Engine::ALL {
        if engine == Engine::Postgres && args.no_postgres {
            continue;
        }
        if wants("page") {
            single()?.block_on(page(args, &program, engine))?;
        }
        if wants("silence") {
            single()?.block_on(silence(args, &program, engine))?;
        }
        if wants("commits") {
            several()?.block_on(commits(args, engine))?;
        }
        if wants("tokens") {
            single()?.block_on(tokens(args, &program, engine))?;
        }
        if wants("load") {
            single()?.block_on(loads(args, &program, engine, hashing))?;
        }
    }
    Ok(())
}

fn pause(args: &Args) -> Duration {
    Duration::from_secs(args.seconds.div_ceil(3))
}

fn single() -> Tried<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Trouble::wrong)
}

fn several() -> Tried<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Trouble::wrong)
}

async fn starts(program: &Path) -> Tried<()> {
    let (mut empty, mut existing) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let data = folder()?;
        empty.push(startup::demo(program, data.path(), false).await?);
        // The demo may have been stopped while it made keys; the second start makes the rest.
        startup::demo(program, data.path(), true).await?;
        existing.push(startup::demo(program, data.path(), false).await?);
    }
    let data = folder()?;
    let first = startup::demo(program, data.path(), true).await?;
    let second = startup::demo(program, data.path(), true).await?;
    report::starts("empty directory", empty, first.resident_kib);
    report::starts("existing directory", existing, second.resident_kib);
    Ok(())
}

fn folder() -> Tried<tempfile::TempDir> {
    tempfile::tempdir().map_err(Trouble::wrong)
}

/// A database for one measurement; it is gone with what it holds on to.
struct Database {
    url: Option<String>,
    settings: Settings,
    cluster: Option<TestDb>,
    folder: tempfile::TempDir,
}

impl Database {
    /// `None` when there is no such engine on this machine.
    async fn open(args: &Args, engine: Engine) -> Tried<Option<Self>> {
        let folder = folder()?;
        let sqlite = Settings::Sqlite { path: folder.path().join("vestibule.db") };
        if engine == Engine::Sqlite {
            return Ok(Some(Self { url: None, settings: sqlite, cluster: None, folder }));
        }
        let max_connections = 16;
        if let Some(url) = args.postgres_url.clone() {
            let settings = Settings::Postgres { url: url.clone(), max_connections };
            return Ok(Some(Self { url: Some(url), settings, cluster: None, folder }));
        }
        match TestDb::empty(engine).await {
            Ok(cluster) => {
                let Settings::Postgres { url, .. } = cluster.settings.clone() else { return Ok(None) };
                let settings = cluster.settings.clone();
                Ok(Some(Self { url: Some(url), settings, cluster: Some(cluster), folder }))
            }
            Err(fault) => {
                println!("PostgreSQL is left out: {fault}");
                Ok(None)
            }
        }
    }

    async fn close(self) -> Tried<()> {
        match self.cluster {
            Some(cluster) => cluster.remove().await.map_err(Trouble::wrong),
            None => Ok(()),
        }
    }
}

async fn commits(args: &Args, engine: Engine) -> Tried<()> {
    let Some(database) = Database::open(args, engine).await? else { return Ok(()) };
    let db = Db::open(database.settings.clone()).await.map_err(Trouble::wrong)?;
    migrate::run(&db).await.map_err(Trouble::wrong)?;
    let alone = bare::commits(&db, 1, pause(args)).await?;
    let together = bare::commits(&db, WRITERS, pause(args)).await?;
    report::commits(engine, alone, (WRITERS, together));
    drop(db);
    database.close().await
}

async fn page(args: &Args, program: &Path, engine: Engine) -> Tried<()> {
    let Some(database) = Database::open(args, engine).await? else { return Ok(()) };
    let (office, mail_port) = PostOffice::open().await.map_err(Trouble::wrong)?;
    let ports = (mail_port, None);
    let place = Place::prepare(program, database.folder.path(), ports, database.url.as_deref())?;
    place.apply()?;
    let server = place.start().await?;
    let mut visitor = Visitor::new(&tenant::WITH_FORM, APART, place.port, &office);
    report::page(engine, &visitor.reload(QUESTIONS, RELOADS).await?)?;
    server.kill().await?;
    database.close().await
}

/// What others notice while visitors wait at providers that never answer.
async fn silence(args: &Args, program: &Path, engine: Engine) -> Tried<()> {
    let Some(database) = Database::open(args, engine).await? else { return Ok(()) };
    let local = LocalSet::new();
    let (office, mail_port) = PostOffice::open().await.map_err(Trouble::wrong)?;
    let ports = (mail_port, None);
    let place = Place::prepare(program, database.folder.path(), ports, database.url.as_deref())?;
    let silent = Silence::open(&local).await?;
    place.add(&silent.tenant())?;
    place.apply()?;
    let server = place.start().await?;
    // The server asks providers itself when it starts; they have hung up by then.
    startup::idle().await;
    for waiting in [0, 64, 512] {
        silent.hang_up();
        let resident = vestibule_bench::server::resident_kib(server.pid())?;
        let measured = local.run_until(async {
            if waiting > 0 {
                silent.fill(&local, waiting, (place.port, &office)).await;
            }
            let mut visitor = Visitor::new(&tenant::WITH_FORM, APART + waiting, place.port, &office);
            visitor.reload(QUESTIONS, RELOADS).await
        });
        let cost = measured.await?;
        let grown = vestibule_bench::server::resident_kib(server.pid())?.saturating_sub(resident);
        report::silence(engine, waiting, &cost, grown);
    }
    server.kill().await?;
    database.close().await
}

/// What apps ask of the server, on tenants of each algorithm.
async fn tokens(args: &Args, program: &Path, engine: Engine) -> Tried<()> {
    let Some(database) = Database::open(args, engine).await? else { return Ok(()) };
    let (office, mail_port) = PostOffice::open().await.map_err(Trouble::wrong)?;
    let ports = (mail_port, None);
    let place = Place::prepare(program, database.folder.path(), ports, database.url.as_deref())?;
    let all: [&'static Apps; 2] = [&tenant::WITH_APPS, &tenant::WITH_APPS_ES256];
    for apps in all {
        place.add(&apps.file())?;
    }
    place.apply()?;
    let server = place.start().await?;
    // The server makes its keys when it starts.
    startup::idle().await;
    for apps in all {
        let before = bare::signatures(pause(args))?;
        report::signatures(engine, before);
        let site = operations::Site { port: place.port, pid: server.pid(), office: &office, apps };
        for operation in Operation::ALL {
            for connections in CONNECTIONS {
                let plan = (connections, Duration::from_secs(args.seconds));
                let figures = operations::run(site, operation, plan).await?;
                report::operation(engine, (apps.algorithm, operation.name()), connections, &figures);
            }
        }
    }
    server.kill().await?;
    database.close().await
}

async fn loads(args: &Args, program: &Path, engine: Engine, hashing: Option<usize>) -> Tried<()> {
    let Some(database) = Database::open(args, engine).await? else { return Ok(()) };
    let (office, mail_port) = PostOffice::open().await.map_err(Trouble::wrong)?;
    let mut algorithms = [Algorithm::Rs256, Algorithm::Es256].into_iter();
    let algorithm = algorithms.find(|known| known.name() == args.provider_algorithm);
    let provider = Provider::open(algorithm.ok_or_else(|| Trouble::wrong("RS256 or ES256"))?)?;
    let ports = (mail_port, Some(provider.port));
    let place = Place::prepare(program, database.folder.path(), ports, database.url.as_deref())?;
    place.apply()?;
    let server = place.start().await?;
    let tenants: [&'static Tenant; 3] = [&tenant::WITH_CODE, &tenant::WITH_PASSWORD, &tenant::WITH_PROVIDER];
    let around = load::Around { office: &office, provider: &provider };
    for (run, tenant) in (1..).zip(tenants) {
        if args.mode.as_deref().is_some_and(|mode| mode != tenant.mode) {
            continue;
        }
        let plan = load::Plan {
            visitors: args.visitors,
            duration: Duration::from_secs(args.seconds),
            first: run * APART,
        };
        // A shared machine is not equally fast from minute to minute: the hash is measured on both sides.
        let cores = hashing.filter(|_| tenant.mode == tenant::WITH_PASSWORD.mode);
        let hashes = || cores.map(|cores| bare::hashes(cores, pause(args))).transpose();
        let before = hashes()?;
        let figures: Figures = load::run(&place, server.pid(), around, tenant, plan).await?;
        let rate = before.zip(hashes()?).map(|(before, after)| f64::midpoint(before, after));
        report::load(engine, tenant, args.visitors, &figures, rate);
    }
    startup::idle().await;
    report::idle(engine, vestibule_bench::server::resident_kib(server.pid())?);
    server.kill().await?;
    database.close().await
}
