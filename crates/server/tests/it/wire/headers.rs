//! What stands at the head of every answer, whoever asks and however (S15 to S17, S89, S94, S95).

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use axum::Router;
use http::HeaderMap;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_server::listener::{self, Door};
use vestibule_server::wire;
use vestibule_testkit::browser::outsider;
use vestibule_testkit::{Engine, TestServer};

use crate::journeys::passage::{GUESTS, Hand, PORTAL, SHOP, TILL, guests, shop};

const NOBODY: &str = "https://nobody.example";
const ADA: &str = "ada@northwind.example";
const PASSWORD: &str = "seven green lanterns in the fog";

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

async fn get(url: &str, headers: &[(&str, &str)]) -> Outcome<Answer> {
    let broken = |error: reqwest::Error| Fault::ours(error.to_string());
    let client = outsider().redirect(reqwest::redirect::Policy::none()).build().map_err(broken)?;
    let mut request = client.get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.map_err(broken)?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Ok(Answer { status, headers, body: answer.text().await.map_err(broken)? })
}

#[tokio::test]
async fn no_page_can_be_framed_or_tells_where_its_reader_was() -> Outcome<()> {
    // S14, S15, S17, S65
    let server = TestServer::start(Engine::Sqlite, &[&guests(NOBODY), &shop()]).await?;
    let hand = Hand::new(&server);
    let begun = hand.authorize(GUESTS, PORTAL, &[]).await?;
    let journey = begun.location.unwrap();
    let at = |path: &str| format!("{}{path}", server.origin);
    let wrong = hand.address(SHOP, TILL, &[]).replace("localhost%3A3001", "elsewhere.example");
    let pages = [
        at("/"),
        at(&format!("/{SHOP}")),
        at(&format!("/{SHOP}/device")),
        at(&format!("/{SHOP}/oauth2/v2.0/logout")),
        at("/nobody/oauth2/v2.0/authorize"),
        at("/nothing/there/at/all"),
        wrong,
        journey.to_string(),
    ];
    for page in &pages {
        let answer = get(page, &[("origin", "https://elsewhere.example"), ("accept", "text/html")]).await?;
        assert!(answer.header("content-type").starts_with("text/html"), "{page}: {}", answer.status);
        assert_eq!(answer.header("x-frame-options"), "DENY", "{page}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{policy}");
        assert!(!policy.contains("script-src *") && !policy.contains("unsafe-inline"), "{policy}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{page}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{page}");
        assert_eq!(answer.header("cache-control"), "no-store", "{page}");
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{page}");
    }
    server.finish().await
}

#[tokio::test]
async fn after_a_form_the_browser_is_sent_on_without_it() -> Outcome<()> {
    // S16: 307 and 308 would carry a password to where the redirect leads.
    let server = TestServer::start(Engine::Sqlite, &[&shop()]).await?;
    let hand = Hand::new(&server);
    let stay = hand.almost_customer(&server, (ADA, PASSWORD)).await?;
    assert_eq!(hand.answer(&stay, &[("action", "no")]).await?.status, 303);
    let form = Hand::new(&server).begin(SHOP, TILL, &[]).await?;
    let other = Hand::new(&server);
    let form_of_other = other.begin(SHOP, TILL, &[]).await?;
    assert_ne!(form.url, form_of_other.url);
    let asked = other.next(&form_of_other, &[("username", ADA)]).await?;
    for password in ["wrong all over again", PASSWORD] {
        assert_eq!(other.answer(&asked, &[("password", password)]).await?.status, 303);
    }
    server.finish().await
}

#[tokio::test]
async fn the_issuer_is_what_was_configured_whatever_a_request_says() -> Outcome<()> {
    // S89, S95
    let server = TestServer::start(Engine::Sqlite, &[&shop()]).await?;
    let document = format!("{}/{SHOP}/v2.0/.well-known/openid-configuration", server.origin);
    let honest = get(&document, &[]).await?;
    let lies = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x_forwarded_host", "evil.example"),
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-port", "1"),
        ("x-forwarded-prefix", "/evil.example"),
        ("x-original-url", "/evil.example"),
        ("x-rewrite-url", "/evil.example"),
        ("x-forwarded-for", "evil.example"),
        ("x-real-ip", "evil.example"),
        ("forwarded", "host=evil.example;proto=http"),
    ];
    for lie in lies {
        let answer = get(&document, &[lie]).await?;
        assert_eq!((answer.status, &answer.body), (200, &honest.body), "{lie:?}");
        assert!(!format!("{:?}", answer.headers).contains("evil"), "{lie:?}");
    }
    let page = get(&format!("{}/{SHOP}/oauth2/v2.0/logout", server.origin), &lies).await?;
    assert!(!page.body.contains("evil.example"));
    server.finish().await
}

#[tokio::test]
async fn the_key_set_has_public_members_alone_and_is_not_made_anew_by_strangers() -> Outcome<()> {
    // S89
    let server = TestServer::start(Engine::Sqlite, &[&shop()]).await?;
    let address = format!("{}/{SHOP}/discovery/v2.0/keys", server.origin);
    let before = get(&address, &[]).await?.body;
    let keys: Value = serde_json::from_str(&before).unwrap();
    let keys = keys["keys"].as_array().unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
    }
    let userinfo = format!("{}/{SHOP}/openid/userinfo", server.origin);
    for number in 0..200 {
        let header = format!(r#"{{"alg":"RS256","typ":"JWT","kid":"stranger-{number}"}}"#);
        let token =
            [header.as_bytes(), b"{}", b"signature"].map(vestibule_crypto::digest::base64url).join(".");
        assert_eq!(get(&userinfo, &[("authorization", &format!("Bearer {token}"))]).await?.status, 401);
    }
    assert_eq!(get(&address, &[]).await?.body, before);
    server.finish().await
}

#[tokio::test]
async fn browsers_are_held_to_tls_for_two_years() -> Outcome<()> {
    // S94
    let server = TestServer::start(Engine::Sqlite, &[&shop()]).await?;
    let pages = wire::pages(None).map_err(|failure| Fault::ours(failure.to_string()))?;
    for (origin, promised) in [("https://entrance.example", "max-age=63072000"), (server.origin.as_str(), "")]
    {
        let socket = listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let (port, stop) = (socket.local_addr().unwrap().port(), CancellationToken::new());
        let door = Door::new(socket, None, wire::router(&server.site, &pages, None), wire::mark(origin));
        tokio::spawn(listener::serve_all([door], &stop).join_all());
        let answer = get(&format!("http://localhost:{port}/{SHOP}"), &[]).await?;
        assert_eq!(answer.header("strict-transport-security"), promised);
        stop.cancel();
    }
    server.finish().await
}

/// The proxies that are configured, the headers of a request, and who is taken for the caller.
type Called = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static str);

/// Whom a listener takes for the caller when these proxies are configured and these headers come.
async fn caller(trusted: &[&str], headers: &[(&str, &str)]) -> Outcome<IpAddr> {
    let socket = listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let (port, stop) = (socket.local_addr().unwrap().port(), CancellationToken::new());
    let seen = Arc::new(Mutex::new(None));
    let mark = Arc::clone(&seen);
    let door = Door {
        trusted_proxies: trusted.iter().map(|network| network.parse().unwrap()).collect(),
        ..Door::new(
            socket,
            None,
            Router::new().fallback(async || "here"),
            Arc::new(move |_, ip| *mark.lock().unwrap() = Some(ip)),
        )
    };
    tokio::spawn(listener::serve_all([door], &stop).join_all());
    let answer = get(&format!("http://127.0.0.1:{port}/"), headers).await?;
    assert_eq!(answer.status, 200, "{headers:?}");
    stop.cancel();
    let seen = *seen.lock().unwrap();
    seen.ok_or_else(|| Fault::ours("nobody called"))
}

#[tokio::test]
async fn who_called_is_said_by_a_configured_proxy_alone_and_in_one_header() -> Outcome<()> {
    // S95
    const NAME: &str = "x-forwarded-for";
    const PROXY: &[&str] = &["127.0.0.0/8", "10.0.0.0/8"];
    let peer = "127.0.0.1";
    let cases: [Called; 14] = [
        // Nobody is configured, or somebody else is.
        (&[], &[(NAME, "198.51.100.1")], peer),
        (&["10.0.0.0/8"], &[(NAME, "198.51.100.1")], peer),
        (&[], &[(NAME, "198.51.100.1"), (NAME, "198.51.100.2")], peer),
        // The proxy is.
        (PROXY, &[], peer),
        (PROXY, &[(NAME, "198.51.100.1")], "198.51.100.1"),
        (PROXY, &[(NAME, "198.51.100.1, 10.0.0.2")], "198.51.100.1"),
        (PROXY, &[(NAME, "2001:db8::1")], "2001:db8::1"),
        // What the client wrote itself stands before what the proxy added, in the same line or in a line of its own.
        (PROXY, &[(NAME, "192.0.2.66, 198.51.100.1")], "198.51.100.1"),
        (PROXY, &[(NAME, "192.0.2.66"), (NAME, "198.51.100.1")], "198.51.100.1"),
        (
            PROXY,
            &[(NAME, "192.0.2.66, 10.0.0.9"), (NAME, "198.51.100.1"), (NAME, "10.0.0.2")],
            "198.51.100.1",
        ),
        (PROXY, &[(NAME, "198.51.100.1"), (NAME, "nonsense")], peer),
        (PROXY, &[(NAME, "198.51.100.1, , ")], peer),
        // Twins of other names say nothing.
        (
            PROXY,
            &[("x_forwarded_for", "192.0.2.66"), ("x-forwarded_for", "192.0.2.66"), (NAME, "198.51.100.1")],
            "198.51.100.1",
        ),
        (
            PROXY,
            &[
                ("x_forwarded_for", "192.0.2.66"),
                ("x-real-ip", "192.0.2.66"),
                ("forwarded", "for=192.0.2.66"),
                ("true-client-ip", "192.0.2.66"),
                ("cf-connecting-ip", "192.0.2.66"),
            ],
            peer,
        ),
    ];
    for (trusted, headers, expected) in cases {
        assert_eq!(caller(trusted, headers).await?.to_string(), expected, "{trusted:?} {headers:?}");
    }
    Ok(())
}
