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

/// A server that modules share. It runs on a thread of its own, because each test ends its own runtime.
pub(crate) fn shared() -> &'static TestServer {
    let asked = ASKED.fetch_add(1, Ordering::Relaxed) / MODULES;
    SHARED[asked % SHARED.len()].get_or_init(|| {
        let (ready, server) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.unwrap().block_on(async {
                ready.send(own().await.unwrap()).unwrap();
                std::future::pending::<()>().await;
            });
        });
        server.recv().unwrap()
    })
}

/// A server with the suite's client and one person.
pub(crate) async fn own() -> Outcome<TestServer> {
    with_settings("").await
}

/// The same with more settings of the suite's client, a line of the tenant's file each.
pub(crate) async fn with_settings(more: &str) -> Outcome<TestServer> {
    let mark = "    securityProfile: oidc-compat\n";
    let file = include_str!("suite.yaml").replacen(mark, &format!("{mark}{more}"), 1);
    let server = TestServer::start(Engine::Sqlite, &[&file]).await?;
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
