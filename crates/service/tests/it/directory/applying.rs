use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{FlowId, TenantId};
use vestibule_service::directory::{Author, ProviderSecret, change, open_provider_secret, snapshot};
use vestibule_service::ports::entropy::SeededEntropy;
use vestibule_store::{Db, audit, objects, tenants};
use vestibule_testkit::engines::on_both;

use super::{apply_text, author, keys, read_all, said};

pub(super) const CONTOSO: &str = "
tenant:
  kind: workforce
  displayName: Contoso
  shortName: contoso
  domains: [contoso.example]
  authenticationFlowsPolicy: { selfServiceSignUp: { isEnabled: true } }
applications:
  - displayName: Portal
    web: { redirectUris: ['https://portal.example/cb'] }
    passwordCredentials:
      - displayName: first
        secret: { file: portal }
  - displayName: Orders
    spa: { redirectUris: ['https://orders.example/'] }
identityProviders:
  - id: fabrikam
    displayName: Fabrikam
    issuer: https://id.fabrikam.example
    clientId: us
    clientSecret: { env: FABRIKAM }
userFlowAttributes:
  - { displayName: Business name }
userFlows:
  - name: Partner
    applications: [Portal, Orders]
    identityProviders: [fabrikam, EmailOtpSignup-OAUTH]
    isSignUpAllowed: true
    attributeCollection:
      inputs:
        - { attribute: displayName, required: true }
        - { attribute: Business name }
";

async fn contoso(db: &Db) -> Outcome<std::sync::Arc<vestibule_service::directory::TenantView>> {
    let found = snapshot::load(db).await?.tenant("contoso").cloned();
    found.ok_or_else(|| Fault::missing("tenant", "contoso"))
}

async fn newest_version(db: &Db, tenant: TenantId, flow: &str) -> Outcome<i64> {
    let found = objects::latest_version(&mut db.read().await?, tenant, &FlowId::new(flow)).await?;
    Ok(found.map_or(0, |row| row.version))
}

async fn audited(db: &Db, tenant: TenantId) -> Outcome<Vec<audit::EntryRow>> {
    audit::list(&mut db.read().await?, tenant, None, 100).await
}

#[tokio::test]
async fn a_tenant_is_created_and_a_second_time_nothing_changes() {
    on_both(async |place| {
        let db = &place.db;
        let mut lines = said(&apply_text(db, 1, CONTOSO).await?);
        lines.sort();
        assert_eq!(
            lines,
            [
                "contoso: application “Orders” created",
                "contoso: application “Portal” created",
                "contoso: application “aad-extensions-app” created",
                "contoso: attribute “Business name” created",
                "contoso: identity provider “Fabrikam” created",
                "contoso: tenant “Contoso” created",
                "contoso: user flow “Partner” created",
            ]
        );
        let view = contoso(db).await?;
        // Other randomness: nothing may be drawn for what exists.
        assert_eq!(said(&apply_text(db, 2, CONTOSO).await?), [""; 0]);
        let same = contoso(db).await?;
        assert_eq!((&same.config, same.version), (&view.config, view.version));
        assert_eq!(newest_version(db, view.config.tenant.id, "B2X_1_Partner").await?, 1);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_change_is_exactly_that_change() {
    on_both(async |place| {
        let db = &place.db;
        apply_text(db, 1, CONTOSO).await?;
        let before = contoso(db).await?;
        let tenant = before.config.tenant.id;
        let applied = async |seed: u64, text: &str| -> Outcome<(Vec<String>, i64)> {
            let lines = said(&apply_text(db, seed, text).await?);
            Ok((lines, newest_version(db, tenant, "B2X_1_Partner").await?))
        };
        // Nothing that a journey runs on: the flow keeps its version.
        let text = CONTOSO.replace("https://orders.example/", "https://orders.example/x");
        assert_eq!(
            applied(2, &text).await?,
            (vec!["contoso: application “Orders” changed: spa".to_owned()], 1)
        );
        let text = text.replace("required: true", "required: false");
        let line = "contoso: user flow “Partner” changed: attributeCollection";
        assert_eq!(applied(3, &text).await?, (vec![line.to_owned()], 2));
        // The name stands on the provider's button, so the flow that shows it has a new version too.
        let text = text.replace("displayName: Fabrikam", "displayName: Fab");
        let line = "contoso: identity provider “Fab” changed: displayName";
        assert_eq!(applied(4, &text).await?, (vec![line.to_owned()], 3));
        // Back again is a version of its own; journeys pin theirs.
        assert_eq!(applied(5, CONTOSO).await?.1, 4);
        let after = contoso(db).await?;
        assert_eq!(after.config, before.config);
        assert!(after.version > before.version);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn what_the_file_does_not_name_is_removed_but_for_what_is_built_in() {
    on_both(async |place| {
        let db = &place.db;
        apply_text(db, 1, CONTOSO).await?;
        let bare = "
tenant:
  kind: workforce
  displayName: Contoso
  shortName: contoso
  domains: [contoso.example]
  authenticationFlowsPolicy: { selfServiceSignUp: { isEnabled: true } }
applications:
  - displayName: Orders
    spa: { redirectUris: ['https://orders.example/'] }
";
        let mut lines = said(&apply_text(db, 2, bare).await?);
        lines.sort();
        assert_eq!(
            lines,
            [
                "contoso: application “Portal” removed",
                "contoso: attribute “Business name” removed",
                "contoso: identity provider “Fabrikam” removed (whoever signs in with it cannot any more)",
                "contoso: user flow “Partner” removed",
            ]
        );
        let left = contoso(db).await?;
        let mut names: Vec<&str> = left.config.applications.iter().map(|a| a.display_name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["Orders", "aad-extensions-app"]);
        // A flow that comes back goes on counting, because versions never change: the same again is the
        // version that there was, anything else the next.
        apply_text(db, 3, CONTOSO).await?;
        assert_eq!(contoso(db).await?.flow("B2X_1_Partner").map(|(_, v)| v.version), Some(1));
        apply_text(db, 4, bare).await?;
        apply_text(db, 5, &CONTOSO.replace("required: true", "required: false")).await?;
        assert_eq!(contoso(db).await?.flow("B2X_1_Partner").map(|(_, v)| v.version), Some(2));
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_failure_leaves_nothing_behind_of_any_tenant() {
    on_both(async |place| {
        let db = &place.db;
        apply_text(db, 1, CONTOSO).await?;
        let thief =
            "tenant: { kind: external, displayName: Thief, shortName: thief, domains: [CONTOSO.example] }";
        let honest = "tenant: { kind: external, displayName: Honest, shortName: honest }";
        let files = read_all(&[("honest.yaml", honest), ("thief.yaml", thief)]).unwrap();
        let fault = vestibule_service::directory::apply(db, &keys(), files, &author(&SeededEntropy::new(9)))
            .await
            .unwrap_err();
        assert_eq!(fault.kind, Kind::Malformed);
        assert!(
            fault
                .detail
                .starts_with("thief.yaml:1:75: tenant.domains[0]: the name “contoso.example” belongs to"),
            "{}",
            fault.detail
        );
        let snapshot = snapshot::load(db).await?;
        assert_eq!(snapshot.tenants().count(), 1);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_domain_can_move_and_two_applications_can_swap_names() {
    on_both(async |place| {
        let db = &place.db;
        apply_text(db, 1, CONTOSO).await?;
        let moved = CONTOSO.replace("domains: [contoso.example]", "domains: []");
        let heir =
            "tenant: { kind: external, displayName: Heir, shortName: heir, domains: [contoso.example] }";
        let files = read_all(&[("heir.yaml", heir), ("contoso.yaml", &moved)]).unwrap();
        vestibule_service::directory::apply(db, &keys(), files, &author(&SeededEntropy::new(2))).await?;
        let found = tenants::find_by_name(&mut db.read().await?, "contoso.example").await?;
        assert_eq!(found, snapshot::load(db).await?.tenant("heir").map(|v| v.config.tenant.id));

        let view = contoso(db).await?;
        let swap = |config: &mut vestibule_rules::directory::tenant::TenantConfig| {
            for app in &mut config.applications {
                match app.display_name.as_str() {
                    "Portal" => app.display_name = "Orders".to_owned(),
                    "Orders" => app.display_name = "Portal".to_owned(),
                    _ => {}
                }
            }
            Ok(())
        };
        let entropy = SeededEntropy::new(3);
        let lines = said(&change(db, view.config.tenant.id, &author(&entropy), swap).await?);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines.iter().all(|l| l.ends_with("changed: displayName")), "{lines:?}");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_change_that_breaks_a_rule_is_refused_whole() {
    on_both(async |place| {
        let db = &place.db;
        apply_text(db, 1, CONTOSO).await?;
        let view = contoso(db).await?;
        let entropy = SeededEntropy::new(2);
        let author: Author<'_> = author(&entropy);
        let fault = change(db, view.config.tenant.id, &author, |config| {
            config.tenant.display_name = "Renamed".to_owned();
            config.tenant.authentication_flows_policy.self_service_sign_up.is_enabled = false;
            Ok(())
        })
        .await
        .unwrap_err();
        assert!(fault.detail.contains("FLOW-01"), "{}", fault.detail);
        assert_eq!(contoso(db).await?.config, view.config);
        let external = CONTOSO
            .replace("kind: workforce", "kind: external")
            .replace("name: Partner", "displayName: Partner");
        let fault = apply_text(db, 3, &external).await.unwrap_err();
        assert!(fault.detail.contains("the kind of a tenant cannot be changed"), "{}", fault.detail);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn somebody_elses_change_in_between_is_met_by_starting_over() {
    on_both(async |place| {
        let db = &place.db;
        apply_text(db, 1, CONTOSO).await?;
        let id = contoso(db).await?.config.tenant.id;
        let names = ["One", "Two"];
        let entropy = SeededEntropy::new(2);
        let author = author(&entropy);
        let rename = |name: &'static str| {
            let author = &author;
            async move {
                change(db, id, author, move |config| {
                    config.tenant.display_name = format!("{}{name}", config.tenant.display_name);
                    Ok(())
                })
                .await
            }
        };
        let (one, two) = tokio::join!(rename(names[0]), rename(names[1]));
        one?;
        two?;
        let name = contoso(db).await?.config.tenant.display_name.clone();
        assert!(["ContosoOneTwo", "ContosoTwoOne"].contains(&name.as_str()), "{name}: no change may be lost");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn every_change_is_recorded_and_no_secret_with_it() {
    on_both(async |place| {
        let db = &place.db;
        let mut changes = apply_text(db, 1, CONTOSO).await?;
        let rotated = CONTOSO
            .replace("{ file: portal }", "{ file: portal-2 }")
            .replace("env: FABRIKAM", "env: FABRIKAM_2");
        let second = apply_text(db, 2, &rotated).await?;
        let mut lines = said(&second);
        lines.sort();
        assert_eq!(
            lines,
            [
                "contoso: application “Portal” changed: passwordCredentials",
                "contoso: identity provider “Fabrikam” changed: clientSecret",
            ]
        );
        changes.extend(second);
        let view = contoso(db).await?;
        let entries = audited(db, view.config.tenant.id).await?;
        assert_eq!(entries.len(), changes.len());
        assert!(entries.iter().all(|e| e.actor == "operator" && e.correlation_id == "test"));
        for text in [format!("{entries:?}"), format!("{changes:?}"), format!("{view:?}")] {
            assert!(!text.contains("canary"), "a secret got out");
        }
        for entry in &entries {
            let stored = view.config.applications.iter().flat_map(|a| &a.password_credentials);
            assert!(stored.into_iter().all(|s| !entry.detail.contains(&s.hash)), "a hash got out");
        }
        let provider = view.provider("FABRIKAM").unwrap();
        let secret =
            open_provider_secret(&keys(), view.config.tenant.id, provider, ProviderSecret::ClientSecret)?
                .unwrap();
        assert_eq!(secret.expose(), "canary-FABRIKAM_2");
        let portal = view.config.applications.iter().find(|a| a.display_name == "Portal").unwrap();
        let [credential] = portal.password_credentials.as_slice() else { panic!("one secret") };
        assert_eq!(credential.hint, "can");
        let right = vestibule_rules::text::Secret::new("canary-portal-2".to_owned());
        assert!(vestibule_crypto::digest::verify_secret(&right, &credential.hash));
        Ok(())
    })
    .await
    .unwrap();
}
