//! An address leads to the provider that its domain belongs to, once the domain is proven in the DNS.

use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_service::domains::{self, Claimed};
use vestibule_testkit::{Engine, TestServer};

use super::provider::Provider;
use crate::journeys::passage::{GUESTS, Hand, PORTAL, guests, tenant};

const ADA: &str = "ada@northwind.example";

async fn with_domain(test: impl AsyncFn(&TestServer, &Provider) -> Outcome<()>) -> Outcome<()> {
    for engine in Engine::ALL {
        let provider = Provider::start().await?;
        let file = guests(&provider.issuer).replacen(
            "    inboundClaimMapping:",
            "    domains: [Northwind.example]\n    inboundClaimMapping:",
            1,
        );
        let server = TestServer::start(engine, &[&file]).await?;
        test(&server, &provider).await?;
        server.finish().await?;
    }
    Ok(())
}

async fn claimed(server: &TestServer) -> Outcome<Claimed> {
    let view = server.site.directory.tenant(GUESTS).unwrap();
    Ok(domains::list(&server.site.env, &view.config).await?.remove(0))
}

/// Looks the record up now, as the job does when it is due.
async fn look(server: &TestServer) -> Outcome<Claimed> {
    let one = claimed(server).await?;
    domains::check(&server.site.env, tenant(server, GUESTS), &one, server.site.env.now()).await?;
    claimed(server).await
}

/// Whether typing the address leads to the provider; the address that the provider is told.
async fn leads(server: &TestServer, provider: &Provider, intent: &str) -> Outcome<Option<String>> {
    let hand = Hand::new(server);
    let form = hand.begin(GUESTS, PORTAL, &[("prompt", intent)]).await?;
    let answered = hand.answer(&form, &[("username", ADA)]).await?;
    let place = answered.location.unwrap();
    if !place.as_str().starts_with(&provider.issuer) {
        server.inbox.await_code(ADA).await?;
        return Ok(None);
    }
    Ok(Some(provider.sent_to(Some(place))?.sent["login_hint"].clone()))
}

#[tokio::test]
async fn an_address_leads_to_its_organisation_when_the_domain_is_proven() -> Outcome<()> {
    // F14
    with_domain(async |server, provider| {
        let now = || server.site.env.now();
        assert_eq!(claimed(server).await?.domain, "northwind.example");
        assert_eq!(leads(server, provider, "create").await?, None);
        // Somebody else's text, another tenant's, and a DNS that does not answer.
        let wanted = claimed(server).await?.wanted;
        assert_eq!(wanted.name, "_vestibule.northwind.example");
        for text in [Some("vestibule-verification=AAAA"), Some("v=spf1"), None] {
            server.dns.publish(&wanted.name, text);
            let one = look(server).await?;
            assert!(!one.is_proven(now()) && one.found.unwrap().problem.is_some());
        }
        assert_eq!(leads(server, provider, "create").await?, None);

        server.dns.publish(&wanted.name, Some(&wanted.text));
        assert!(look(server).await?.is_proven(now()));
        for intent in ["create", "login"] {
            assert_eq!(leads(server, provider, intent).await?.as_deref(), Some(ADA), "{intent}");
        }
        // A mistake in the DNS is mended within days; then nobody is led there any more.
        server.dns.publish(&wanted.name, Some("v=spf1"));
        server.clock.advance(Span::hours(71));
        assert!(look(server).await?.is_proven(now()));
        server.clock.advance(Span::hours(2));
        assert!(!look(server).await?.is_proven(now()));
        assert_eq!(leads(server, provider, "create").await?, None);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn whoever_comes_back_without_an_answer_goes_another_way() -> Outcome<()> {
    with_domain(async |server, provider| {
        let wanted = claimed(server).await?.wanted;
        server.dns.publish(&wanted.name, Some(&wanted.text));
        domains::check_due(&server.site).await?;
        server.clock.advance(Span::minutes(5));
        domains::check_due(&server.site).await?;
        let hand = Hand::new(server);
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        let answered = hand.answer(&form, &[("username", ADA)]).await?;
        let departure = provider.sent_to(answered.location)?;
        let state = departure.sent["state"].clone();
        let back = [("error", "access_denied"), ("state", &state), ("iss", &provider.issuer)];
        let answered = departure.back(&hand, &back).await?;
        let form = hand.form(answered.location.unwrap().as_str()).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("sign-up", "provider-declined"));
        let form = hand.next(&form, &[("username", ADA)]).await?;
        assert_eq!(form.asks(), "code");
        server.inbox.await_code(ADA).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn each_tenant_proves_a_domain_for_itself_and_a_domain_that_is_given_up_is_forgotten() -> Outcome<()> {
    with_domain(async |server, provider| {
        let one = claimed(server).await?;
        let other = domains::wanted(
            &server.site.env,
            vestibule_rules::ids::TenantId::from_random([9; 16]),
            &one.domain,
        );
        assert_ne!(other.text, one.wanted.text);
        server.dns.publish(&one.wanted.name, Some(&one.wanted.text));
        assert!(look(server).await?.is_proven(server.site.env.now()));
        let file = guests(&provider.issuer);
        let moved = file.replacen(
            "    issuer: \"https://second",
            "    domains: [second.example]\n    issuer: \"https://second",
            1,
        );
        server.apply(&[&moved]).await?;
        assert_eq!(claimed(server).await?.domain, "second.example");
        // The server's own job may have looked at the old domain a moment ago.
        let mut known = 2;
        for _ in 0..5 {
            server.clock.advance(Span::days(3));
            look(server).await?;
            domains::check_due(&server.site).await?;
            let mut tx = server.site.env.db.read().await?;
            known = vestibule_store::domains::list(&mut tx, tenant(server, GUESTS)).await?.len();
            if known == 1 {
                break;
            }
        }
        assert_eq!(known, 1);
        Ok(())
    })
    .await
}
