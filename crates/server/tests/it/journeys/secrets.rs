//! What must never be read anywhere: codes, passwords and tokens in the database, and these and addresses in
//! the log (security.md A8, A58, A66).

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::{Engine, TestServer};

use super::passage::{GUESTS, Hand, PORTAL, SHOP, TILL, guests, shop};
use crate::client::parameter;

const ADA: &str = "canary.ada@northwind.example";
const PASSWORD: &str = "canary: seven green lanterns";
const WRONG: &str = "canary: no lantern whatsoever";

/// A log that can be read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Does what people do, good and bad; every secret that was in anybody's hands.
async fn live(server: &TestServer) -> Outcome<Vec<(&'static str, String)>> {
    let mut secrets = vec![("password", PASSWORD.to_owned()), ("wrong password", WRONG.to_owned())];
    let hand = Hand::new(server);
    let first = hand.authorize(SHOP, TILL, &[("prompt", "create")]).await?;
    secrets.push(("browser", first.cookies[0].1.clone()));
    let form = hand.form(first.location.unwrap().as_str()).await?;
    let form = hand.next(&form, &[("username", ADA)]).await?;
    let code = server.inbox.await_code(ADA).await?;
    secrets.push(("code", code.clone()));
    Hand::new(server).get(&form.url).await?;
    let form = hand.next(&form, &[("code", "90817263")]).await?;
    secrets.push(("wrong code", "90817263".to_owned()));
    let form = hand.next(&form, &[("code", &code)]).await?;
    let stay = hand.next(&form, &[("password", PASSWORD), ("givenName", "Ada")]).await?;
    let answered = hand.answer(&stay, &[]).await?;
    secrets.push(("session", answered.session().unwrap().to_owned()));
    let back = answered.at_app()?;
    secrets.push(("authorization code", parameter(&back, "code").unwrap()));
    let (_, tokens) = hand.redeem(SHOP, TILL, &back).await?;
    hand.redeem(SHOP, TILL, &back).await?;
    for token in ["id_token", "access_token", "refresh_token"] {
        secrets.push((token, tokens[token].as_str().unwrap().to_owned()));
    }
    let thief = Hand::new(server);
    thief.with_password(ADA, WRONG).await?;
    hand.refresh(SHOP, TILL, tokens["refresh_token"].as_str().unwrap()).await?;
    // A provider that does not answer, an address that is none, too many codes.
    let form = hand.begin(GUESTS, PORTAL, &[]).await?;
    hand.next(&form, &[("action", "idp-stranger")]).await?;
    for _ in 0..6 {
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create"), ("login_hint", ADA)]).await?;
        hand.next(&form, &[("username", ADA)]).await?;
    }
    for _ in 0..5 {
        secrets.push(("code", server.inbox.await_code(ADA).await?));
    }
    let app = vestibule_testkit::server::secret("secrets/app");
    secrets.push(("client secret", app.into_inner()));
    let provider = vestibule_testkit::server::secret("secrets/stranger");
    secrets.push(("provider's secret", provider.into_inner()));
    // S38: a secret and an assertion in an address, at every endpoint that takes one elsewhere.
    let (misplaced, signed) = ("canary-of-a-secret-in-an-address", "canary.of-an.assertion-in-an-address");
    for endpoint in ["token", "par", "introspect", "revoke", "devicecode"] {
        let url = format!("{}/{SHOP}/oauth2/v2.0/{endpoint}", server.origin);
        for query in [format!("client_secret={misplaced}"), format!("client_assertion={signed}")] {
            let form = [("client_id", TILL), ("grant_type", "client_credentials"), ("token", "x")];
            let answered = hand.post(&format!("{url}?{query}"), &form).await?;
            assert_eq!(answered.status, 400, "{endpoint} {query}: {}", answered.body);
            assert!(!answered.body.contains("canary"), "{}", answered.body);
            hand.get(&format!("{url}?client_id={TILL}&{query}")).await?;
        }
    }
    secrets.extend([("misplaced secret", misplaced.to_owned()), ("misplaced assertion", signed.to_owned())]);
    server.clock.advance(Span::minutes(1));
    Ok(secrets)
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

fn hexadecimal(text: &str) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap();
    text.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[tokio::test]
async fn no_secret_is_in_the_database_or_in_the_log() -> Outcome<()> {
    // S38, A8, A58, A66
    let log = Log::default();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("vestibule=trace"))
        .with_writer(log.clone())
        .finish();
    // The server runs on this thread, so its log comes here.
    let _here = tracing::subscriber::set_default(lines);
    for engine in Engine::ALL {
        let server = TestServer::start(engine, &[&guests("http://127.0.0.1:1"), &shop()]).await?;
        let secrets = live(&server).await?;
        let dump = server.dump().await?;
        assert!(holds(&dump, "canary.ada") || holds(&dump, &hexadecimal("canary.ada")), "not a dump");
        let said = log.0.lock().unwrap().clone();
        assert!(holds(&said, "a provider cannot be reached"), "not a log");
        for (what, secret) in &secrets {
            assert!(!holds(&dump, secret), "{what} is in the database of {engine:?}");
            assert!(!holds(&dump, &hexadecimal(secret)), "{what} is in the database of {engine:?}");
            assert!(!holds(&said, secret), "{what} is in the log of {engine:?}");
        }
        let text = String::from_utf8_lossy(&said);
        let told: Vec<&str> = text.lines().filter(|line| line.contains("canary")).collect();
        assert!(told.is_empty(), "{told:?}");
        server.finish().await?;
    }
    Ok(())
}
