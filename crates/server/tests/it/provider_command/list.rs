//! `vestibule provider list`.

use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;
use vestibule_service::federation::health;
use vestibule_testkit::{Engine, TestServer};

use super::{Run, run};
use crate::federation::provider::Provider;
use crate::journeys::passage::{GUESTS, Hand, PORTAL, guests, shop};

async fn listed(server: &TestServer, arguments: &[&str]) -> Outcome<Run> {
    let folder = tempfile::tempdir().unwrap();
    run(server, (folder.path(), &[]), &[&["list"], arguments].concat(), "").await
}

#[tokio::test]
async fn every_provider_is_listed_with_its_flows_and_how_it_fares() -> Outcome<()> {
    for engine in Engine::ALL {
        let provider = Provider::start().await?;
        let file = guests(&provider.issuer)
            .replace("    inboundClaimMapping:", "    secretExpiresAt: 2126-11-24\n    inboundClaimMapping:");
        let file = file.replace("[stranger, second, ", "[stranger, ");
        let server = TestServer::start(engine, &[&file, &shop()]).await?;
        let hand = Hand::new(&server);
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        provider.travel(&hand, &form).await?;
        provider.script().broken = "token";
        let hand = Hand::new(&server);
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        provider.travel(&hand, &form).await?;
        health::save(&server.site, true).await?;

        let expected = "\
tenant     id        kind           name      flows   last success          secret expires
northgate  second    OpenIdConnect  Second    none    never                 not known
northgate  stranger  OpenIdConnect  Stranger  Guests  2026-11-24T02:25:36Z  2126-11-24
    last error at 2026-11-24T02:25:36Z, one failure since it went well: the token endpoint answered 500: no reason
";
        for arguments in [&[][..], &[GUESTS], &["NORTHGATE"]] {
            let run = listed(&server, arguments).await?;
            assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, expected, ""));
        }
        let run = listed(&server, &["--json"]).await?;
        let all: Value = serde_json::from_str(&run.out).unwrap();
        let stranger = &all[1];
        let days = stranger["secretDaysLeft"].as_i64().unwrap();
        assert!(days > 30_000);
        assert_eq!(
            stranger,
            &json!({
                "tenant": "northgate", "id": "stranger", "displayName": "Stranger",
                "identityProviderType": "OpenIdConnect", "isEnabled": true, "flows": ["Guests"],
                "lastSuccess": "2026-11-24T02:25:36Z", "lastFailure": "2026-11-24T02:25:36Z",
                "lastError": "the token endpoint answered 500: no reason", "failuresSinceSuccess": 1,
                "secretExpiresAt": "2126-11-24", "secretDaysLeft": days,
            })
        );
        let run = listed(&server, &["shop"]).await?;
        assert_eq!((run.code, run.out.as_str()), (0, "There are no identity providers.\n"));
        let run = listed(&server, &["nowhere"]).await?;
        assert_eq!((run.code, run.err.as_str()), (1, "vestibule: there is no tenant “nowhere”\n"));
        server.finish().await?;
    }
    Ok(())
}

#[test]
fn the_domains_of_providers_are_shown_with_the_record_that_proves_them() {
    let folder = tempfile::tempdir().unwrap();
    let vestibule = |arguments: &[&str]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_vestibule"));
        let output = program.args(arguments).current_dir(folder.path()).env_clear().output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let tenant = "tenant: { kind: external, displayName: Corner, shortName: corner }\n\
        identityProviders:\n  - { id: partner, displayName: Partner, issuer: 'https://idp.example', clientId: c, \
        clientAuthentication: none, domains: [Bücher.example] }\n";
    std::fs::write(folder.path().join("corner.yaml"), tenant).unwrap();
    vestibule(&["apply", "corner.yaml"]);
    let lines = vestibule(&["provider", "domains", "corner"]);
    let record = "_vestibule.xn--bcher-kva.example. TXT \"vestibule-verification=";
    assert!(lines.contains("→ partner, not proven") && lines.contains(record), "{lines}");
    // A DNS that does not answer is told, and proves nothing.
    let asked =
        ["provider", "domains", "corner", "--check", "--json", "--set", "outbound.dns_servers=127.0.0.1:9"];
    let told: serde_json::Value = serde_json::from_str(&vestibule(&asked)).unwrap();
    assert_eq!(told[0]["isProven"], false);
    assert!(told[0]["problem"].as_str().unwrap().contains("did not answer"), "{told}");
}
