//! The product in this process: a real database, real HTTP on a free port; time, randomness and mail are the
//! test's.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpListener;
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
use vestibule_store::db::{self, Db};

use crate::engines::{Engine, TestDb};
use crate::inbox::Inbox;
use crate::{front, signing_keys};

/// When tests begin: 2026-11-24T02:25:36Z.
pub const BEGIN: Timestamp = Timestamp::from_seconds(1_795_487_136);
const SEED: u64 = 7;

/// A running server: one node, or several on one database behind a front.
pub struct TestServer {
    /// Its address without a slash at the end; also its issuers' root.
    pub origin: String,
    pub clock: Arc<TestClock>,
    pub inbox: Inbox,
    /// What the DNS says; at first nothing.
    pub dns: Arc<TestTxt>,
    /// The first node's.
    pub site: Arc<Site>,
    /// Those of the nodes after the first.
    others: Vec<Arc<Site>>,
    database: TestDb,
    stop: CancellationToken,
    running: Vec<JoinHandle<()>>,
}

/// What all nodes of a server share.
struct World {
    clock: Arc<TestClock>,
    inbox: Inbox,
    dns: Arc<TestTxt>,
    stop: CancellationToken,
    origin: String,
}

impl World {
    /// Each node draws other random numbers.
    fn env(&self, db: Db, node: u64) -> Outcome<Env> {
        let env = env(db, Arc::clone(&self.clock), SEED + node)?;
        Ok(Env { txt: Arc::clone(&self.dns) as Arc<dyn TxtRecords>, ..env })
    }

    /// A node that answers at `socket` under the name that all have.
    async fn node(&self, env: Env, socket: TcpListener) -> Outcome<(Arc<Site>, JoinHandle<()>)> {
        let pages = wire::pages(None).map_err(ours)?;
        let settings = Settings {
            origins: vec![self.origin.clone()],
            codes: CodeLimits::default(),
            lifetimes: Lifetimes::default(),
        };
        let site = wire::site(env, settings, &pages).await.map_err(ours)?;
        let router = wire::router(&site, &pages, None);
        let doors = [Door::new(socket, None, router, wire::mark(&self.origin))];
        let serving = listener::serve_all(doors, &self.stop);
        let mailer = Arc::new(self.inbox.clone());
        let running = tokio::spawn(wire::run(serving, Arc::clone(&site), mailer, self.stop.clone()));
        Ok((site, running))
    }
}

impl TestServer {
    /// Starts a server over an empty directory and applies the tenants, given as the text of their files.
    /// `{http}` in them is the server's address.
    pub async fn start(engine: Engine, tenants: &[&str]) -> Outcome<Self> {
        Self::start_nodes(engine, 1, tenants).await
    }

    /// Starts several nodes on one database behind a front that gives each the next request.
    pub async fn start_nodes(engine: Engine, nodes: u64, tenants: &[&str]) -> Outcome<Self> {
        // The second server of a process finds it installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let database = TestDb::migrated(engine).await?;
        let (socket, origin) = free_socket().await?;
        let world = World {
            clock: Arc::new(TestClock::new(BEGIN)),
            inbox: Inbox::default(),
            dns: Arc::new(TestTxt::default()),
            stop: CancellationToken::new(),
            origin,
        };
        let env = world.env(database.db.clone(), 0)?;
        apply_to(&env, &world.origin, tenants).await?;
        signing_keys::ready(&env).await?;
        let (mut others, mut running) = (Vec::new(), Vec::new());
        let site = if nodes == 1 {
            let (site, first) = world.node(env, socket).await?;
            running.push(first);
            site
        } else {
            let (own, address) = free_socket().await?;
            let (site, first) = world.node(env, own).await?;
            running.push(first);
            let mut addresses = vec![address];
            for node in 1..nodes {
                let (own, address) = free_socket().await?;
                let db = Db::open(database.settings.clone()).await?;
                let (site, one) = world.node(world.env(db, node)?, own).await?;
                others.push(site);
                running.push(one);
                addresses.push(address);
            }
            running.push(front::start(socket, addresses, &world.stop)?);
            site
        };
        let World { clock, inbox, dns, stop, origin } = world;
        Ok(Self { origin, clock, inbox, dns, site, others, database, stop, running })
    }

    /// Applies tenants as `vestibule apply` does, and shows the change at once.
    pub async fn apply(&self, tenants: &[&str]) -> Outcome<Vec<Change>> {
        let changes = apply_to(&self.site.env, &self.origin, tenants).await?;
        for site in self.nodes() {
            site.directory.poll(&site.env.db).await?;
        }
        Ok(changes)
    }

    /// Lets each node notice that keys rotated, one after the other.
    pub async fn learn_of_keys(&self) -> Outcome<()> {
        for site in self.nodes() {
            site.keyring.poll(&site.env).await?;
        }
        Ok(())
    }

    fn nodes(&self) -> impl Iterator<Item = &Arc<Site>> {
        std::iter::once(&self.site).chain(&self.others)
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
        for node in self.running {
            node.await.map_err(|error| Fault::ours(format!("the server panicked: {error}")))?;
        }
        let unread = self.inbox.unread();
        drop((self.site, self.others));
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
        let stop = CancellationToken::new();
        // A balancer in front of both gives them one public address.
        let world = World {
            clock: Arc::clone(&first.clock),
            inbox: first.inbox.clone(),
            dns: Arc::clone(&first.dns),
            stop: stop.clone(),
            origin: first.origin.clone(),
        };
        let db = Db::open(first.database.settings.clone()).await?;
        let (socket, origin) = free_socket().await?;
        let (site, running) = world.node(world.env(db, 1)?, socket).await?;
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
    on(&[(Engine::Sqlite, 1), (Engine::Postgres, 1)], tenants, test).await
}

/// Runs a test against one node on SQLite, and against two on PostgreSQL that get the requests in turn: nothing of what
/// it does may hang on one process.
pub async fn on_nodes(tenants: &[&str], test: impl AsyncFn(&TestServer) -> Outcome<()>) -> Outcome<()> {
    on(&[(Engine::Sqlite, 1), (Engine::Postgres, 2)], tenants, test).await
}

async fn on(
    places: &[(Engine, u64)],
    tenants: &[&str],
    test: impl AsyncFn(&TestServer) -> Outcome<()>,
) -> Outcome<()> {
    for &(engine, nodes) in places {
        let place = |mut fault: Fault| {
            fault.detail = format!("on {engine:?} with {nodes} nodes: {}", fault.detail);
            fault
        };
        let server = TestServer::start_nodes(engine, nodes, tenants).await.map_err(place)?;
        test(&server).await.map_err(place)?;
        server.finish().await.map_err(place)?;
    }
    Ok(())
}

/// A listener on a free port, and its address.
async fn free_socket() -> Outcome<(TcpListener, String)> {
    let socket = listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.map_err(ours)?;
    let port = socket.local_addr().map_err(|error| Fault::ours(error.to_string()))?.port();
    Ok((socket, format!("http://localhost:{port}")))
}

fn env(db: Db, clock: Arc<TestClock>, seed: u64) -> Outcome<Env> {
    let sealing = SealingKey::new([7; 32])?;
    let loopback = "127.0.0.0/8".parse().map_err(|_| Fault::ours("not a network"))?;
    let one = "127.0.0.1/32".parse().map_err(|_| Fault::ours("not a network"))?;
    let outbound = OutboundSettings {
        allowed: vec![Allowed { network: loopback, port: None }],
        // The other addresses of this machine stand for what strangers may not reach.
        allowed_to_strangers: vec![Allowed { network: one, port: None }],
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
