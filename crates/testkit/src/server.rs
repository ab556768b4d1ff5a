//! The product in this process: a real database, real HTTP on a free port; time, randomness and mail are the
//! test's.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vestibule_crypto::asymmetric::KeyKind;
use vestibule_crypto::client_key::ClientKey;
use vestibule_crypto::keyring::SigningKey;
use vestibule_crypto::seal::SealingKey;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Secret;
use vestibule_rules::time::Timestamp;
use vestibule_server::failure::Failure;
use vestibule_server::listener::{self, Door};
use vestibule_server::wire;
use vestibule_service::directory::shape::SecretReference;
use vestibule_service::directory::{self, Actor, Author, Change, SecretSource, Source};
use vestibule_service::env::{CodeLimits, Env, Lifetimes, Settings, Site};
use vestibule_service::ports::clock::TestClock;
use vestibule_service::ports::entropy::SeededEntropy;
use vestibule_service::ports::outbound::{Allowed, OutboundSettings};
use vestibule_service::ports::txt::{TestTxt, TxtRecords};
use vestibule_store::db;

use crate::engines::{Engine, TestDb};
use crate::inbox::Inbox;

/// When tests begin: 2026-11-24T02:25:36Z.
pub const BEGIN: Timestamp = Timestamp::from_seconds(1_795_487_136);
const SEED: u64 = 7;
/// Another node draws other random numbers.
const SEED_OF_SECOND: u64 = 8;

/// A running server.
pub struct TestServer {
    /// Its address without a slash at the end; also its issuers' root.
    pub origin: String,
    pub clock: Arc<TestClock>,
    pub inbox: Inbox,
    /// What the DNS says; at first nothing.
    pub dns: Arc<TestTxt>,
    pub site: Arc<Site>,
    database: TestDb,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl TestServer {
    /// Starts a server over an empty directory and applies the tenants, given as the text of their files.
    /// `{http}` in them is the server's address.
    pub async fn start(engine: Engine, tenants: &[&str]) -> Outcome<Self> {
        // The second server of a process finds it installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let database = TestDb::migrated(engine).await?;
        let clock = Arc::new(TestClock::new(BEGIN));
        let dns = Arc::new(TestTxt::default());
        let env = Env { txt: Arc::clone(&dns) as Arc<dyn TxtRecords>, ..env(&database, Arc::clone(&clock))? };
        let socket = listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.map_err(ours)?;
        let port = socket.local_addr().map_err(|error| Fault::ours(error.to_string()))?.port();
        let origin = format!("http://localhost:{port}");
        apply_to(&env, &origin, tenants).await?;
        let pages = wire::pages(None).map_err(ours)?;
        let settings = Settings {
            origins: vec![origin.clone()],
            codes: CodeLimits::default(),
            lifetimes: Lifetimes::default(),
        };
        let site = wire::site(env, settings, &pages).await.map_err(ours)?;
        let inbox = Inbox::default();
        let stop = CancellationToken::new();
        let router = wire::router(&site, &pages, None);
        let doors = [Door::new(socket, None, router, wire::mark(&origin))];
        let serving = listener::serve_all(doors, &stop);
        let mailer = Arc::new(inbox.clone());
        let running = tokio::spawn(wire::run(serving, Arc::clone(&site), mailer, stop.clone()));
        Ok(Self { origin, clock, inbox, dns, site, database, stop, running })
    }

    /// Applies tenants as `vestibule apply` does, and shows the change at once.
    pub async fn apply(&self, tenants: &[&str]) -> Outcome<Vec<Change>> {
        let changes = apply_to(&self.site.env, &self.origin, tenants).await?;
        self.site.directory.poll(&self.site.env.db).await?;
        Ok(changes)
    }

    /// Where the database is, for another process.
    pub fn database(&self) -> &db::Settings {
        &self.database.settings
    }

    /// Everything that is in the database; see [`TestDb::dump`].
    pub async fn dump(&self) -> Outcome<Vec<u8>> {
        self.database.dump().await
    }

    /// Stops the server, and checks that nothing is left over: every mail was read.
    pub async fn finish(self) -> Outcome<()> {
        self.stop.cancel();
        self.running.await.map_err(|error| Fault::ours(format!("the server panicked: {error}")))?;
        let unread = self.inbox.unread();
        drop(self.site);
        self.database.remove().await?;
        if unread.is_empty() { Ok(()) } else { Err(Fault::ours(format!("unread mail: {unread:?}"))) }
    }
}

/// A second node: another process over the database of a running server, as far as one process can be two. It has the
/// time of the first one, and a name of its own.
pub struct SecondNode {
    /// Its address without a slash at the end.
    pub origin: String,
    pub site: Arc<Site>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl SecondNode {
    /// Starts beside `first`, behind the same public address.
    pub async fn beside(first: &TestServer) -> Outcome<Self> {
        let db = db::Db::open(first.database.settings.clone()).await?;
        let env = env_over(db, (Arc::clone(&first.clock), SEED_OF_SECOND))?;
        let env = Env { txt: Arc::clone(&first.dns) as Arc<dyn TxtRecords>, ..env };
        let socket = listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.map_err(ours)?;
        let port = socket.local_addr().map_err(|error| Fault::ours(error.to_string()))?.port();
        let origin = format!("http://localhost:{port}");
        let pages = wire::pages(None).map_err(ours)?;
        let settings = Settings {
            origins: vec![first.origin.clone()],
            codes: CodeLimits::default(),
            lifetimes: Lifetimes::default(),
        };
        let site = wire::site(env, settings, &pages).await.map_err(ours)?;
        let stop = CancellationToken::new();
        let router = wire::router(&site, &pages, None);
        // A balancer in front of both gives them one public address.
        let doors = [Door::new(socket, None, router, wire::mark(&first.origin))];
        let serving = listener::serve_all(doors, &stop);
        let mailer = Arc::new(first.inbox.clone());
        let running = tokio::spawn(wire::run(serving, Arc::clone(&site), mailer, stop.clone()));
        Ok(Self { origin, site, stop, running })
    }

    /// Stops the node; the first one goes on.
    pub async fn finish(self) -> Outcome<()> {
        self.stop.cancel();
        self.running.await.map_err(|error| Fault::ours(format!("the second node panicked: {error}")))
    }
}

/// Runs a test against a server on each engine. A failure says on which one.
pub async fn on_both(tenants: &[&str], test: impl AsyncFn(&TestServer) -> Outcome<()>) -> Outcome<()> {
    for engine in Engine::ALL {
        let place = |mut fault: Fault| {
            fault.detail = format!("on {engine:?}: {}", fault.detail);
            fault
        };
        let server = TestServer::start(engine, tenants).await.map_err(place)?;
        test(&server).await.map_err(place)?;
        server.finish().await.map_err(place)?;
    }
    Ok(())
}

fn env(database: &TestDb, clock: Arc<TestClock>) -> Outcome<Env> {
    env_over(database.db.clone(), (clock, SEED))
}

fn env_over(db: db::Db, (clock, seed): (Arc<TestClock>, u64)) -> Outcome<Env> {
    let sealing = SealingKey::new([7; 32])?;
    let loopback = "127.0.0.0/8".parse().map_err(|_| Fault::ours("not a network"))?;
    let outbound = OutboundSettings {
        allowed: vec![Allowed { network: loopback, port: None }],
        ..OutboundSettings::default()
    };
    let entropy = Arc::new(SeededEntropy::new(seed));
    wire::assemble(db, sealing, &outbound, (clock, entropy)).map_err(ours)
}

async fn apply_to(env: &Env, origin: &str, tenants: &[&str]) -> Outcome<Vec<Change>> {
    let sources: Vec<Source> = tenants
        .iter()
        .enumerate()
        .map(|(number, text)| Source {
            name: format!("tenant-{number}.yaml"),
            text: text.replace("{http}", origin),
            base: PathBuf::new(),
        })
        .collect();
    let parsed = directory::parse(&sources, &TestSecrets).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Fault::ours(lines.join("\n"))
    })?;
    let author = Author {
        actor: Actor::Operator,
        now: env.clock.now(),
        correlation: env.guid().to_string(),
        entropy: &*env.entropy,
    };
    directory::apply(&env.db, &env.sealing, parsed, &author).await
}

/// Secrets of a test need no file: each is called as the file would be.
struct TestSecrets;

impl SecretSource for TestSecrets {
    fn read(&self, reference: &SecretReference, _: &Path) -> Result<Secret<String>, String> {
        let name = reference.file.as_deref().or(reference.env.as_deref());
        name.map(secret).ok_or_else(|| "say where the secret is".to_owned())
    }
}

/// What a tenant's file refers to by this name: a P-256 key in `….p8`, an RSA key in `….pem`, its certificate in `….crt`,
/// otherwise a text.
///
/// # Panics
///
/// When the library cannot make a key.
pub fn secret(name: &str) -> Secret<String> {
    let kind = match Path::new(name).extension().and_then(|ending| ending.to_str()) {
        Some("crt") => return certificate(name),
        Some("p8") => KeyKind::P256,
        Some("pem") => KeyKind::Rsa2048,
        Some(_) | None => return Secret::new(format!("the secret in {name}")),
    };
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    Secret::new(keys.entry(name.to_owned()).or_insert_with(|| private_key(kind)).clone())
}

/// The certificate of the RSA key in the `….pem` of the same name, which is made with it.
#[expect(clippy::expect_used, reason = "a test without a key has nothing to say")]
fn certificate(name: &str) -> Secret<String> {
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = keys.get(name) {
        return Secret::new(known.clone());
    }
    let key = SigningKey::generate(name, BEGIN).expect("the library makes keys");
    let private = key.pkcs8().expect("the library writes keys");
    let private = pem("PRIVATE KEY", private.expose());
    keys.insert(Path::new(name).with_extension("pem").to_string_lossy().into_owned(), private);
    let certificate = pem("CERTIFICATE", key.certificate());
    keys.insert(name.to_owned(), certificate.clone());
    Secret::new(certificate)
}

/// RFC 7468.
fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der))
}

/// Keys by the names of their files: a file does not change between two looks at it.
static KEYS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// A new private key as PKCS#8 (RFC 7468 §10).
#[expect(clippy::expect_used, reason = "a test without a key has nothing to say")]
fn private_key(kind: KeyKind) -> String {
    let der = ClientKey::generate(kind).and_then(|key| key.pkcs8()).expect("the library makes keys");
    pem("PRIVATE KEY", der.expose())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn ours(failure: Failure) -> Fault {
    Fault::ours(failure.to_string())
}
