//! The server under test. Most modules share one; those that move time have their own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::{Engine, TestServer};

use super::party::{ANN, CALLBACK, CLIENT, Seen, seen};
use crate::journeys::passage::Hand;

/// As many as there are entries, and some to spare; most are never started.
static SHARED: [OnceLock<TestServer>; 16] = [const { OnceLock::new() }; 16];
static ASKED: AtomicUsize = AtomicUsize::new(0);
/// How many modules one server takes: more sign-ins from one address in an hour are an attack, and are refused.
const MODULES: usize = 60;

/// A server that modules share: ask once and keep it, because the next one may be another.
pub(crate) fn shared() -> &'static TestServer {
    let asked = ASKED.fetch_add(1, Ordering::Relaxed) / MODULES;
    SHARED[asked % SHARED.len()].get_or_init(|| kept(async || own().await))
}

/// Two nodes that modules share which sign people out: each request arrives at the other one.
pub(crate) fn shared_nodes() -> &'static TestServer {
    static NODES: OnceLock<TestServer> = OnceLock::new();
    NODES.get_or_init(|| kept(async || on_nodes("").await))
}

/// A server on a thread of its own, because each test ends its own runtime.
fn kept(start: impl AsyncFnOnce() -> Outcome<TestServer> + Send + 'static) -> TestServer {
    let (ready, server) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.unwrap().block_on(async {
            ready.send(start().await.unwrap()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    server.recv().unwrap()
}

/// A server with the suite's client and one person.
pub(crate) async fn own() -> Outcome<TestServer> {
    with_settings((Engine::Sqlite, 1), "").await
}

/// Two nodes on one PostgreSQL, with more settings of the suite's client.
pub(crate) async fn on_nodes(more: &str) -> Outcome<TestServer> {
    with_settings((Engine::Postgres, 2), more).await
}

/// More settings are a line of the tenant's file each.
async fn with_settings((engine, nodes): (Engine, u64), more: &str) -> Outcome<TestServer> {
    let mark = "    securityProfile: oidc-compat\n";
    let file = include_str!("suite.yaml").replacen(mark, &format!("{mark}{more}"), 1);
    let server = TestServer::start_nodes(engine, nodes, &[&file]).await?;
    sign_up(&server).await?;
    Ok(server)
}

pub(crate) async fn sign_up(server: &TestServer) -> Outcome<()> {
    let hand = Hand::new(server);
    let url = format!("{}/suite/oauth2/v2.0/authorize", server.origin);
    let pairs = [
        ("client_id", CLIENT),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("prompt", "create"),
    ];
    let url = url::Url::parse_with_params(&url, pairs).unwrap();
    let Seen::Page(form) = seen(&hand, hand.get(url.as_str()).await?).await? else {
        return Err(Fault::ours("no journey began"));
    };
    let form = hand.next(&form, &[("username", ANN.0)]).await?;
    let code = server.inbox.await_code(ANN.0).await?;
    let form = hand.next(&form, &[("code", &code)]).await?;
    let phone = form.page.attribute("input[name$=phone i]", "name");
    let phone = phone.ok_or_else(|| form.page.unexpected("does not ask for a phone number"))?;
    let answers = [
        ("password", ANN.1),
        ("displayName", "Ann Lee"),
        ("givenName", "Ann"),
        ("surname", "Lee"),
        ("streetAddress", "1 Long Road"),
        ("city", "Ulm"),
        (phone.as_str(), "+49 731 123456"),
    ];
    let form = hand.next(&form, &answers).await?;
    hand.answer(&form, &[("action", "no")]).await.map(drop)
}
