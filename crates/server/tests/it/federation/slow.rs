//! A tenant with a thousand providers, many of which accept a connection and say nothing: that is their own
//! visitors' trouble and nobody else's (security.md RP10).

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use futures_util::future::{join_all, try_join_all};
use tokio::net::{TcpListener, TcpStream};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::{Engine, TestServer};

use super::provider::Provider;
use super::{ADA, entrance};
use crate::journeys::passage::{Form, GUESTS, Hand, guests, people};

const PROVIDERS: usize = 1_000;
const SILENT: usize = 64;
const GRACE: &str = "grace@northwind.example";

/// Doors that somebody can go through and where nobody answers. Each has a port of its own, as each provider
/// has a host of its own.
async fn silent_doors() -> Outcome<Vec<TcpListener>> {
    let bound = try_join_all((0..SILENT).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))).await;
    bound.map_err(|error| Fault::ours(error.to_string()))
}

/// The guests' tenant with a thousand providers more; the first ones are silent and in the flow.
fn crowded(issuer: &str, doors: &[TcpListener]) -> String {
    let (mut providers, mut methods) = (String::new(), String::new());
    for number in 0..PROVIDERS {
        let issuer = match doors.get(number) {
            Some(door) => format!("http://{}", door.local_addr().unwrap()),
            None => format!("https://p{number}.example"),
        };
        write!(
            providers,
            "  - id: p{number}\n    displayName: Provider {number}\n    issuer: \"{issuer}\"\n    \
             clientId: northgate\n    clientSecret: {{ file: secrets/stranger }}\n",
        )
        .unwrap();
        if number < doors.len() {
            write!(methods, "p{number}, ").unwrap();
        }
    }
    guests(issuer).replacen("  - id: second\n", &format!("{providers}  - id: second\n"), 1).replacen(
        "[stranger, second,",
        &format!("[stranger, second, {methods}"),
        1,
    )
}

#[tokio::test]
async fn others_sign_up_while_visitors_wait_at_providers_that_never_answer() -> Outcome<()> {
    // RP10
    for engine in Engine::ALL {
        let provider = Provider::start().await?;
        let doors = silent_doors().await?;
        let server = TestServer::start(engine, &[&crowded(&provider.issuer, &doors)]).await?;

        // Everybody stands before the buttons first: the product's patience with a provider runs in real time.
        let mut ready = Vec::new();
        for _ in 0..SILENT {
            let hand = Hand::new(&server);
            let form = entrance(&hand).await?;
            ready.push((hand, form));
        }
        let (ada, grace) = (Hand::new(&server), Hand::new(&server));
        let press = |(number, (hand, form)): (usize, (Hand, Form))| {
            tokio::spawn(async move {
                let form = hand.next(&form, &[("action", &format!("idp-p{number}"))]).await?;
                Ok::<_, Fault>((form.asks().to_owned(), form.problem()))
            })
        };
        let waiting: Vec<_> = ready.into_iter().enumerate().map(press).collect();
        // All of them have knocked; the connections are held until the test lets go.
        let held: Vec<TcpStream> = join_all(doors.iter().map(TcpListener::accept))
            .await
            .into_iter()
            .map(|met| met.unwrap().0)
            .collect();

        let form = provider.travel(&ada, &entrance(&ada).await?).await?;
        ada.answer(&form, &[("displayName", "Ada")]).await?.at_app()?;
        grace.become_guest(&server, GRACE).await?;
        assert!(waiting.iter().all(|visitor| !visitor.is_finished()), "on {engine:?}");
        for address in [ADA, GRACE] {
            assert_eq!(people(&server, GUESTS, address).await?.len(), 1, "{address}");
        }

        // Whoever waited is told, and can go another way.
        drop((held, doors));
        for visitor in waiting {
            let told = visitor.await.map_err(|error| Fault::ours(error.to_string()))??;
            assert_eq!(told, ("refused".to_owned(), "refused-provider-failed".to_owned()));
        }
        server.finish().await?;
    }
    Ok(())
}

#[tokio::test]
async fn of_a_thousand_providers_a_page_shows_those_of_its_flow() -> Outcome<()> {
    for engine in Engine::ALL {
        let text = crowded("https://stranger.example", &[]);
        let server = TestServer::start(engine, &[&text]).await?;
        let form = entrance(&Hand::new(&server)).await?;
        assert!(form.page.has("#idp-stranger") && form.page.has("#idp-second"), "on {engine:?}");
        assert_eq!(form.page.html.matches("id=\"idp-").count(), 2, "on {engine:?}");
        // The same file once more changes nothing.
        assert!(server.apply(&[&text]).await?.is_empty(), "on {engine:?}");
        server.finish().await?;
    }
    Ok(())
}
