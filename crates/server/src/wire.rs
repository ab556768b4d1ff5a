//! Builds a server out of settings: ports to the world, storage, keys, listeners, jobs.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vestibule_crypto::password::HashPool;
use vestibule_crypto::seal::SealingKey;
use vestibule_rules::time::Span;
use vestibule_service::directory::{Directory, snapshot};
use vestibule_service::discovery::Documents;
use vestibule_service::env::{CodeLimits, DerivedKeys, Env, Lifetimes, Settings, Site};
use vestibule_service::federation::health::Health;
use vestibule_service::federation::metadata::Providers;
use vestibule_service::jobs;
use vestibule_service::key_sets::KeySets;
use vestibule_service::keys::Keyring;
use vestibule_service::ports::clock::{Clock, SystemClock};
use vestibule_service::ports::entropy::{Entropy, SystemEntropy};
use vestibule_service::ports::mailer::{Mailer, Security, Sender, SmtpMailer, SmtpSettings};
use vestibule_service::ports::outbound::{GuardedClient, OutboundSettings};
use vestibule_service::ports::txt::DnsTxt;
use vestibule_store::{Db, db, deployment, migrate};
use vestibule_web::{App, AppState, DevInbox, Letters, Listener, Pages, Peer};

use crate::config::{self, Config};
use crate::failure::{Done, Failure};
use crate::listener::Mark;

/// Jobs that may wait for a hashing thread, for each thread: more would wait longer than people do.
const HASHES_WAITING: usize = 32;
/// The fact that says which key the database's secrets are sealed with.
const SEALED_WITH: &str = "sealing-key";

/// What storage and the ports to the world are made of.
pub struct Plan {
    pub database: db::Settings,
    pub sealing_key_file: PathBuf,
    pub outbound: OutboundSettings,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl Plan {
    /// The plan of a configuration.
    pub fn of(config: &Config) -> Self {
        Self {
            database: database(&config.database),
            sealing_key_file: config.sealing_key_file.clone(),
            outbound: config.outbound.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

/// Opens and migrates storage, loads the sealing key, builds the ports.
pub async fn env(plan: Plan) -> Done<Env> {
    let db = open(plan.database).await?;
    migrate::run(&db).await?;
    let sealing = sealing(&db, &plan.sealing_key_file).await?;
    assemble(db, sealing, &plan.outbound, (plan.clock, plan.entropy))
}

/// An environment over storage that is open and migrated.
pub fn assemble(
    db: Db,
    sealing: SealingKey,
    outbound: &OutboundSettings,
    (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
) -> Done<Env> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(Env {
        clock,
        entropy,
        outbound: Arc::new(GuardedClient::new(outbound)?),
        txt: Arc::new(DnsTxt { servers: outbound.dns_servers.clone() }),
        db,
        derived: Arc::new(DerivedKeys::new(&sealing)?),
        sealing: Arc::new(sealing),
        hashing: Arc::new(HashPool::new(cores, cores * HASHES_WAITING)?),
    })
}

/// Opens the database, making the folder of a file.
pub async fn open(settings: db::Settings) -> Done<Db> {
    if let db::Settings::Sqlite { path } = &settings
        && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|error| crate::failure::file(folder, "created", &error))?;
    }
    Ok(Db::open(settings).await?)
}

/// The key that the database's secrets are sealed with.
///
/// A key is made only for a database that has none yet. A missing or another key must never be replaced by a
/// new one: everything that was sealed would be lost at the moment it is needed.
pub async fn sealing(db: &Db, path: &Path) -> Done<SealingKey> {
    let expected = deployment::get(&mut db.read().await?, SEALED_WITH).await?;
    if expected.is_some() && !path.exists() {
        return Err(Failure::new(format!(
            "the database has secrets that were sealed with a key, and the key file {} is not there; \
             put it back from where you keep its copy",
            path.display()
        )));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| crate::failure::file(folder, "created", &error))?;
    }
    let key = SealingKey::load_or_create(path, expected.is_none())?;
    let id = u64::from_be_bytes(key.id());
    let id = format!("{id:016x}");
    let written = id.clone();
    let stands = db
        .write(move |tx| {
            let id = written.clone();
            Box::pin(async move { deployment::put_if_absent(tx, SEALED_WITH, &id).await })
        })
        .await?;
    if stands == id {
        return Ok(key);
    }
    Err(Failure::new(format!(
        "the key file {} holds another key ({id}) than the database was sealed with ({stands})",
        path.display()
    )))
}

/// A server over an environment.
pub async fn site(env: Env, settings: Settings, pages: &Arc<Pages>) -> Done<Arc<Site>> {
    let directory = Directory::new(snapshot::load(&env.db).await?);
    let letters = Arc::new(Letters::new(Arc::clone(pages)));
    Ok(Arc::new(Site {
        env,
        directory,
        keyring: Keyring::default(),
        documents: Documents::default(),
        settings,
        letters,
        providers: Providers::default(),
        key_sets: KeySets::default(),
        provider_health: Health::default(),
        mail_waiting: Notify::new(),
        notices_waiting: Notify::new(),
    }))
}

/// Reads every template and message; one that is broken is told now and not to a visitor.
pub fn pages(templates: Option<&Path>) -> Done<Arc<Pages>> {
    Ok(Arc::new(Pages::load(templates)?))
}

/// Every route of a server. The inbox under `/dev` is a development server's only.
pub fn router(site: &Arc<Site>, pages: &Arc<Pages>, dev: Option<DevInbox>) -> axum::Router {
    let app = App { site: Arc::clone(site), pages: Arc::clone(pages), dev };
    vestibule_web::router(AppState::new(app))
}

/// What a listener adds to each request: which one it is, and who called.
pub fn mark(origin: &str) -> Mark {
    let listener = Listener { origin: origin.to_owned(), secure: origin.starts_with("https:") };
    Arc::new(move |extensions: &mut http::Extensions, caller: IpAddr| {
        extensions.insert(listener.clone());
        extensions.insert(Peer(caller));
    })
}

/// Runs jobs beside the listeners until all of them have stopped.
pub async fn run(
    mut serving: JoinSet<()>,
    site: Arc<Site>,
    mailer: Arc<dyn Mailer>,
    stop: CancellationToken,
) {
    let jobs = tokio::spawn(jobs::run(site, mailer, stop));
    while serving.join_next().await.is_some() {}
    if jobs.await.is_err() {
        tracing::error!("the background jobs ended with a panic");
    }
}

/// Cancelled at SIGTERM or SIGINT.
pub fn signals() -> Done<CancellationToken> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|error| Failure::new(format!("signals cannot be received: {error}")))?;
    tokio::spawn(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
        told.cancel();
    });
    Ok(stop)
}

/// Where the data is, as the store wants it.
pub fn database(database: &config::Database) -> db::Settings {
    match database {
        config::Database::Sqlite { path } => db::Settings::Sqlite { path: path.clone() },
        config::Database::Postgres { url, max_connections } => {
            db::Settings::Postgres { url: url.expose().clone(), max_connections: *max_connections }
        }
    }
}

/// Limits and addresses, as use cases want them.
pub fn settings(config: &Config) -> Settings {
    let (codes, lives) = (config.limits.codes, config.limits.lifetimes);
    Settings {
        origins: config.listeners.iter().map(|listener| listener.origin.clone()).collect(),
        codes: CodeLimits {
            resend_after: Span::seconds(codes.resend_after_seconds),
            per_address_hour: codes.per_address_hour,
            per_address_day: codes.per_address_day,
            per_source_hour: codes.per_source_hour,
        },
        lifetimes: Lifetimes {
            journey: Span::seconds(lives.journey),
            authorization_code: Span::seconds(lives.authorization_code),
            access_token: Span::seconds(lives.access_token),
            id_token: Span::seconds(lives.id_token),
            refresh_token: Span::seconds(lives.refresh_token),
            spa_refresh_token: Span::seconds(lives.spa_refresh_token),
            session: Span::seconds(lives.session),
            persistent_session: Span::seconds(lives.persistent_session),
            funnel: Span::seconds(lives.funnel),
        },
    }
}

/// The mail server of a configuration.
pub fn smtp(smtp: &config::Smtp) -> Done<SmtpMailer> {
    let settings = SmtpSettings {
        host: smtp.host.clone(),
        port: smtp.port,
        security: match smtp.security {
            config::Protection::Starttls => Security::StartTls,
            config::Protection::Tls => Security::Tls,
            config::Protection::None => Security::None,
        },
        username: smtp.username.clone(),
        password: smtp.password.clone(),
        from: Sender { address: smtp.from.clone(), name: smtp.from_name.clone() },
        timeout: std::time::Duration::from_secs(smtp.timeout_seconds),
        authorities: smtp.authorities.clone(),
    };
    SmtpMailer::new(settings).map_err(|fault| {
        Failure::usage(format!("smtp.{}: {}", fault.about.unwrap_or_default(), fault.detail))
    })
}
