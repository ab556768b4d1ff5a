//! `vestibule user`: the ways into an account, and taking one away beside the running server.

use std::process::Command;

use serde_json::{Value, json};
use vestibule_rules::directory::user::ObjectIdentity;
use vestibule_rules::fault::Outcome;
use vestibule_store::{Settings, users};
use vestibule_testkit::TestServer;

use super::{ADA, entrance, with_provider};
use crate::client::parameter;
use crate::journeys::passage::{GUESTS, Hand, PORTAL, guests, people, recorded, tenant};

/// Exit code, output and complaint.
fn user(server: &TestServer, arguments: &[&str]) -> (i32, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    program.arg("user").args(arguments).env_clear();
    match server.database() {
        Settings::Sqlite { path } => program.arg("--set").arg(format!("database.path={}", path.display())),
        Settings::Postgres { url, .. } => program.arg("--database-url").arg(url),
    };
    let output = program.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn shown(server: &TestServer) -> Value {
    serde_json::from_str(&user(server, &["show", GUESTS, ADA, "--json"]).1).unwrap()
}

/// Gives the guest a mailbox that leads in as well.
async fn add_mailbox(server: &TestServer) -> Outcome<()> {
    let mut guest = people(server, GUESTS, ADA).await?.remove(0);
    guest.identities.push(ObjectIdentity {
        sign_in_type: ObjectIdentity::FEDERATED.to_owned(),
        issuer: ObjectIdentity::MAIL_ISSUER.to_owned(),
        issuer_assigned_id: ADA.to_owned(),
    });
    let tenant = tenant(server, GUESTS);
    let write = server.site.env.db.write(move |tx| {
        let guest = guest.clone();
        Box::pin(async move { users::update(tx, tenant, &guest).await.map(drop) })
    });
    write.await
}

#[tokio::test]
async fn unlinking_never_leaves_an_account_without_a_way_in() -> Outcome<()> {
    with_provider(async |server, provider| {
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let form = provider.travel(&hand, &form).await?;
        hand.answer(&form, &[("displayName", "Ada")]).await?.at_app()?;
        let identity = json!({"provider": "stranger", "signInType": "federated",
            "issuer": provider.issuer, "issuerAssignedId": "Subject-1"});
        assert_eq!(shown(server)["identities"], json!([identity]));
        assert_eq!(shown(server)["ways"], json!(["stranger"]));

        let (code, _, said) = user(server, &["unlink", GUESTS, ADA, "stranger"]);
        assert_eq!(code, 1);
        assert!(said.contains("nothing would lead into the account any more"), "{said}");
        assert_eq!(shown(server)["ways"], json!(["stranger"]));

        add_mailbox(server).await?;
        assert_eq!(shown(server)["ways"], json!(["stranger", "code"]));
        for (arguments, complaint) in [
            (["unlink", GUESTS, ADA, "second"], "no identity of a provider “second”"),
            (["unlink", GUESTS, "nobody@northwind.example", "stranger"], "there is no user"),
            (["unlink", "nowhere", ADA, "stranger"], "there is no tenant"),
        ] {
            let (code, _, said) = user(server, &arguments);
            assert!(code == 1 && said.contains(complaint), "{said}");
        }
        let (code, said, _) = user(server, &["unlink", GUESTS, ADA, "stranger"]);
        assert_eq!((code, said.trim()), (0, "Unlinked. What leads in now: code."));
        assert_eq!(recorded(server, GUESTS, "unlinkIdentity").await?.len(), 1);

        // The session that came of it is over, and whoever comes by the provider is a stranger.
        let back = hand.authorize(GUESTS, PORTAL, &[("prompt", "none")]).await?.at_app()?;
        assert_eq!(parameter(&back, "error").as_deref(), Some("login_required"));
        provider.lie(json!({"email": "another@northwind.example"}));
        let form = provider.travel(&hand, &entrance(&hand).await?).await?;
        assert_eq!(form.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_provider_that_is_switched_off_or_on_no_flow_is_no_way_in() -> Outcome<()> {
    // EXIST-06
    with_provider(async |server, provider| {
        let hand = Hand::new(server);
        let form = provider.travel(&hand, &entrance(&hand).await?).await?;
        hand.answer(&form, &[("displayName", "Ada")]).await?.at_app()?;
        let file = guests(&provider.issuer);
        let off = file.replacen("    issuer:", "    isEnabled: false\n    issuer:", 1);
        let off = off.replace("[stranger, second, ", "[second, ");
        server.apply(&[&off]).await?;
        assert_eq!(shown(server)["ways"], json!([]));
        server.apply(&[&file.replace("[stranger, second, ", "[second, ")]).await?;
        let (_, lines, _) = user(server, &["show", GUESTS, ADA]);
        assert!(lines.contains("leads in today       nothing"), "{lines}");
        Ok(())
    })
    .await
}
