//! What apps are told when a session ends, whoever of them listens; and what a token of elsewhere is worth there.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use http::StatusCode;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::time::Span;
use vestibule_service::notices;
use vestibule_testkit::server::on_nodes;
use vestibule_testkit::{Engine, TestServer};

use super::{ADA, BOB, at_once, harbour, sign_up};
use crate::client::{claims, parameter};
use crate::conformance::logout::logout_token;
use crate::journeys::passage::{BACK, Form, GUESTS, Hand, ORDERS, PORTAL, SHOP, TILL, shop};

/// An app that never answers; an app that answers is to be served meanwhile.
const DEAF: &str = "23232323-2323-4323-8323-232323232323";
/// Less than a server waits for an app that does not answer.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A back channel with a mind of its own: what it is told, and where it is.
struct Channel {
    address: String,
    bodies: Mutex<mpsc::UnboundedReceiver<String>>,
}

impl Channel {
    async fn of(
        handler: impl Fn(u32) -> Option<StatusCode> + Clone + Send + Sync + 'static,
    ) -> Outcome<Self> {
        let broken = |error: std::io::Error| Fault::ours(error.to_string());
        let socket = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(broken)?;
        let address = format!("http://{}/logout", socket.local_addr().map_err(broken)?);
        let (heard, bodies) = mpsc::unbounded_channel();
        let told = Arc::new(AtomicU32::new(0));
        let take = move |body: String| {
            let _ = heard.send(body);
            let answer = handler(told.fetch_add(1, Ordering::Relaxed));
            async move {
                match answer {
                    Some(status) => status,
                    None => std::future::pending().await,
                }
            }
        };
        let router = Router::new().route("/logout", post(take));
        tokio::spawn(async move { axum::serve(socket, router).await });
        Ok(Self { address, bodies: Mutex::new(bodies) })
    }

    /// The claims of the next logout token, which comes at once.
    async fn next(&self) -> Outcome<Value> {
        let mut bodies = self.bodies.lock().await;
        let body = tokio::time::timeout(AT_ONCE, bodies.recv()).await;
        let body = body.map_err(|_| Fault::ours("nobody told the app"))?;
        Ok(claims(&logout_token(&body.ok_or_else(|| Fault::ours("nobody calls any more"))?)))
    }

    /// The same when it is there already.
    async fn heard(&self) -> Option<Value> {
        self.bodies.lock().await.try_recv().ok().map(|body| claims(&logout_token(&body)))
    }
}

/// The guests' tenant with a third app, each with its back channel.
fn telling(portal: &Channel, orders: &Channel, deaf: &Channel) -> String {
    let mut file = harbour();
    for (app, channel) in [(PORTAL, portal), (ORDERS, orders)] {
        let mark = format!("    appId: {app}\n");
        assert!(file.contains(&mark));
        let more = format!("{mark}    backChannelLogoutUri: {}\n", channel.address);
        file = file.replacen(&mark, &more, 1);
    }
    let third = format!(
        "  - displayName: Deaf\n    appId: {DEAF}\n    backChannelLogoutUri: {}\n    web:\n      redirectUris: [\"{BACK}\"]\n    \
         passwordCredentials:\n      - secret: {{ file: secrets/app }}\n",
        deaf.address
    );
    file.replacen("identityProviders:\n", &format!("{third}identityProviders:\n"), 1).replacen(
        "[Portal, Orders]",
        "[Portal, Orders, Deaf]",
        1,
    )
}

/// Lets every app have tokens of whoever is signed in; the ID token of the first.
async fn visit_all(hand: &Hand) -> Outcome<String> {
    let mut first = None;
    for app in [PORTAL, ORDERS, DEAF] {
        let back = hand.authorize(GUESTS, app, &[]).await?.at_app()?;
        let (status, tokens) = hand.redeem(GUESTS, app, &back).await?;
        assert_eq!(status, 200, "{tokens}");
        first = first.or_else(|| tokens["id_token"].as_str().map(str::to_owned));
    }
    first.ok_or_else(|| Fault::ours("no ID token"))
}

fn number(claims: &Value, name: &str) -> i64 {
    claims[name].as_i64().unwrap()
}

#[tokio::test]
async fn neither_a_deaf_app_nor_a_broken_one_keeps_anybody_waiting() -> Outcome<()> {
    // S85
    for engine in Engine::ALL {
        let portal = Channel::of(|_| Some(StatusCode::OK)).await?;
        let orders = Channel::of(|times| {
            Some(if times == 0 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::NO_CONTENT })
        })
        .await?;
        let deaf = Channel::of(|_| None).await?;
        let server = TestServer::start(engine, &[&telling(&portal, &orders, &deaf)]).await?;
        let hand = Hand::new(&server);
        sign_up(&server, &hand, ADA).await?;
        let hint = visit_all(&hand).await?;
        let out = format!("{}/{GUESTS}/oauth2/v2.0/logout?id_token_hint={hint}", server.origin);
        let answered = tokio::time::timeout(AT_ONCE, hand.get(&out)).await;
        let answered = answered.map_err(|_| Fault::ours("the visitor waits for the apps"))??;
        assert_eq!(answered.status, 200);
        assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, "login_required");

        let (told, failed, unheard) = (portal.next().await?, orders.next().await?, deaf.next().await?);
        // Nor does it keep the apps of anybody else waiting, whose session ends meanwhile.
        let other = Hand::new(&server);
        sign_up(&server, &other, BOB).await?;
        let theirs = visit_all(&other).await?;
        other.get(&format!("{}/{GUESTS}/oauth2/v2.0/logout?id_token_hint={theirs}", server.origin)).await?;
        assert_eq!(portal.next().await?["sid"], claims(&theirs)["sid"]);
        assert_eq!(orders.next().await?["sid"], claims(&theirs)["sid"]);
        assert_eq!(deaf.next().await?["sid"], claims(&theirs)["sid"]);
        // Only whom it failed with is told again, and not before the wait is over.
        let mut again = None;
        for _ in 0..25 {
            server.clock.advance(Span::seconds(1));
            notices::deliver(&server.site).await?;
            again = orders.heard().await;
            if again.is_some() {
                break;
            }
        }
        let again = again.ok_or_else(|| Fault::ours("the broken app is not told again"))?;
        assert!(number(&again, "iat") - number(&failed, "iat") >= 10, "{failed} {again}");
        assert!(portal.heard().await.is_none() && orders.heard().await.is_none());
        for token in [&told, &failed, &unheard, &again] {
            let ahead = number(token, "exp") - number(token, "iat");
            assert!(0 < ahead && ahead <= 120, "{token}");
            assert!(token.get("nonce").is_none(), "{token}");
            assert_eq!(token["sid"], claims(&hint)["sid"]);
        }
        assert_eq!((&again["aud"], &again["sub"]), (&failed["aud"], &failed["sub"]));
        let mut names: Vec<_> =
            [&told, &failed, &unheard, &again].map(|token| token["jti"].to_string()).into();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 4, "two logout tokens have one name");
        server.finish().await?;
    }
    Ok(())
}

/// What the logout endpoint of the guests' tenant makes of a hint.
async fn shown(server: &TestServer, hand: &Hand, hint: &str, more: &[(&str, &str)]) -> Outcome<Form> {
    let mut pairs = vec![("id_token_hint", hint), ("post_logout_redirect_uri", BACK), ("state", "s")];
    pairs.extend(more);
    let url = format!("{}/{GUESTS}/oauth2/v2.0/logout", server.origin);
    let url = url::Url::parse_with_params(&url, pairs).unwrap();
    let answered = hand.get(url.as_str()).await?;
    if let Some(to) = answered.location {
        return Err(Fault::ours(format!("it is sent to {to}")));
    }
    hand.form(url.as_str()).await
}

#[tokio::test]
async fn an_id_token_of_another_tenant_signs_nobody_out_and_leads_nowhere() -> Outcome<()> {
    // S61, S84
    // The cookies of sessions are told apart by how the ids of their tenants begin.
    let shop = shop().replace("7b9ec640-", "8c9ec640-");
    on_nodes(&[&harbour(), &shop], async |server| {
        let hand = Hand::new(server);
        sign_up(server, &hand, ADA).await?;
        let stay = hand.almost_customer(server, (ADA, "seven green lanterns in the fog")).await?;
        let back = hand.answer(&stay, &[]).await?.at_app()?;
        let (_, tokens) = hand.redeem(SHOP, TILL, &back).await?;
        let foreign = tokens["id_token"].as_str().unwrap();
        for more in [&[][..], &[("client_id", PORTAL)], &[("client_id", TILL)]] {
            let asks = shown(server, &hand, foreign, more).await?;
            assert!(asks.page.has("input[name=csrf]"), "{}", asks.page.html);
            assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, ADA);
        }
        // Where nobody is signed in there is nothing to ask, and still nowhere to be sent.
        shown(server, &Hand::new(server), foreign, &[]).await?;
        let there = hand.authorize(SHOP, TILL, &[("prompt", "none")]).await?.at_app()?;
        assert!(parameter(&there, "code").is_some(), "the session of its own tenant ended");
        // It is good where it is from.
        let url = format!("{}/{SHOP}/oauth2/v2.0/logout", server.origin);
        let pairs = [("id_token_hint", foreign), ("post_logout_redirect_uri", BACK)];
        let url = url::Url::parse_with_params(&url, pairs).unwrap();
        hand.get(url.as_str()).await?.at_app()?;
        assert_eq!(at_once(&hand, &[("prompt", "none")]).await?, ADA);
        Ok(())
    })
    .await
}
