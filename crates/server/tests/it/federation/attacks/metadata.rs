//! What a provider publishes about itself, and where it points.

use serde_json::json;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::TestServer;

use super::{entrance, fails, joins, nobody_is_in, suite, with_hostile};
use crate::federation::kinds::stand_in::{Reply, StandIn};
use crate::journeys::passage::Hand;

/// The button leads nowhere.
async fn stays(server: &TestServer, provider: &StandIn, why: &str) -> Outcome<()> {
    let hand = Hand::new(server);
    let form = entrance(&hand).await?;
    let form = hand.next(&form, &[("action", "idp-stranger")]).await?;
    assert_eq!((form.asks(), form.problem().as_str()), ("refused", "refused-provider-failed"), "{why}");
    assert!(provider.calls("/token").is_empty());
    nobody_is_in(server).await
}

#[tokio::test]
async fn an_issuer_that_is_almost_the_one_is_another() -> Outcome<()> {
    // RP7
    with_hostile(suite::PLAIN, async |server, provider| {
        let base = provider.base.as_str();
        let almost = [
            format!("{base}/"),
            format!("{base}?"),
            format!("{base}#"),
            format!("{base}/."),
            format!(" {base}"),
            base.replace("http:", "HTTP:"),
            base.replace("http:", "https:"),
            base.replace("127.0.0.1", "localhost"),
            base.replace("127.0.0.1", "127.1"),
            base.replace("//", "//x@"),
            String::new(),
        ];
        for issuer in almost {
            provider.says("discovery", json!({"issuer": issuer}));
            stays(server, provider, &issuer).await?;
        }
        for issuer in [json!(null), json!([base]), json!(1)] {
            provider.says("discovery", json!({"issuer": issuer}));
            stays(server, provider, &issuer.to_string()).await?;
        }
        provider.repents();
        joins(server, provider).await.map(drop)
    })
    .await
}

/// Addresses that a provider has no business with: other machines of ours, and the cloud's own.
const INWARD: [&str; 12] = [
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/token",
    "http://192.168.0.1/token",
    "http://172.16.0.1/token",
    "http://100.64.0.1/token",
    "http://0.0.0.0/token",
    "http://[::1]/token",
    "http://[fe80::1]/token",
    "http://[fd00::1]/token",
    "http://[64:ff9b::a9fe:a9fe]/token",
    "http://[::ffff:169.254.169.254]/token",
    "http://2852039166/token",
];

#[tokio::test]
async fn no_endpoint_leads_into_our_own_network() -> Outcome<()> {
    // RP8, U19, C86 (CVE-2025-67494), C112 (CVE-2026-56739): the token, the keys and user info are asked from here.
    with_hostile(suite::PLAIN, async |server, provider| {
        for name in ["token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            for address in INWARD {
                provider.says("discovery", json!({ name: address }));
                // What is known of a provider is believed for an hour.
                server.clock.advance(Span::hours(1));
                let now = server.site.env.now().seconds();
                provider.says("id_token", json!({"iat": now, "exp": now + 300}));
                fails(server, provider, &format!("{name} {address}")).await?;
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn credentials_follow_no_redirect() -> Outcome<()> {
    // RP8, C112 (CVE-2026-56739)
    with_hostile(suite::PLAIN, async |server, provider| {
        let trap = format!("{}/trap", provider.base);
        for path in ["/keys", "/token", "/userinfo"] {
            for status in [301, 302, 303, 307, 308] {
                let reply = Reply::error(status, json!({"access_token": "a", "sub": suite::SUBJECT}));
                provider.answers(path, reply.with("location", &trap));
                fails(server, provider, &format!("{path} {status}")).await?;
            }
            provider.repents();
        }
        assert!(provider.calls("/trap").is_empty());
        joins(server, provider).await.map(drop)
    })
    .await?;
    with_hostile(suite::PLAIN, async |server, provider| {
        let path = "/.well-known/openid-configuration";
        let reply = Reply::error(302, json!({}));
        provider.answers(path, reply.with("location", &format!("{}/trap", provider.base)));
        stays(server, provider, path).await?;
        assert!(provider.calls("/trap").is_empty());
        Ok(())
    })
    .await
}
