//! What administrators grant, in the file and by the command.

use vestibule_rules::fault::Outcome;
use vestibule_service::consent;
use vestibule_service::directory::{Actor, Author};
use vestibule_testkit::{TestServer, server};

use super::{ADA, BASIC, MALL, MILL, ROBOT, asked, at_once, refusal, signed_in};
use crate::client::{claims, parameter};
use crate::journeys::passage::{SHOP, recorded};

const WRITE: &str = "openid api://stock/stock.write";

fn author(server: &TestServer) -> Author<'_> {
    let env = &server.site.env;
    Author {
        actor: Actor::Operator,
        now: env.now(),
        correlation: env.guid().to_string(),
        entropy: &*env.entropy,
    }
}

#[tokio::test]
async fn a_permission_for_administrators_is_given_by_nobody_else() -> Outcome<()> {
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        for (app, scope) in [(ROBOT, WRITE), (MILL, BASIC)] {
            let silent = at_once(&hand, app, scope, &[("prompt", "none")]).await?;
            assert_eq!(silent.as_deref(), Some("consent_required"));
            let form = asked(&hand, app, scope, &[]).await?;
            assert_eq!(form.page.attribute("#admin", "data-error-code").as_deref(), Some("90094"));
            assert!(!form.page.has("#accept"));
            // A form that says yes all the same changes nothing.
            let stays = hand.answer(&form, &[("action", "accept")]).await?;
            assert_eq!(stays.location.map(String::from).as_deref(), Some(form.url.as_str()));
            let back = hand.answer(&form, &[("action", "cancel")]).await?.at_app()?;
            assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
            assert!(parameter(&back, "error_description").unwrap().starts_with("AADSTS90094:"));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_file_grants_for_everybody_and_takes_back() -> Outcome<()> {
    // S34
    let granted = MALL.replacen(
        "    consent: admin\n",
        "    consent: admin\n    oauth2PermissionGrants:\n      - { resource: \"https://graph.microsoft.com\", \
         scope: \"openid profile offline_access\" }\n      - { resource: \"api://stock\", scope: stock.write }\n",
        1,
    );
    server::on_both(&[&granted], async |server| {
        let hand = signed_in(server, ADA).await?;
        let scope = "openid offline_access api://stock/stock.write";
        let back = super::ask(&hand, MILL, scope, &[]).await?.at_app()?;
        let (_, tokens) = hand.redeem(SHOP, MILL, &back).await?;
        assert_eq!(claims(tokens["access_token"].as_str().unwrap())["scp"], "stock.write");
        server.apply(&[MALL]).await?;
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let more = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        let gone = ("invalid_grant", 65_001, "consent_required");
        assert_eq!(refusal(&hand.token(SHOP, MILL, &more).await?.1), gone);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_file_that_grants_what_there_is_not_is_refused() -> Outcome<()> {
    server::on_both(&[MALL], async |server| {
        for (resource, scope, problem) in [
            ("api://nowhere", "x", "no application of the tenant is"),
            ("api://stock", "stock.burn", "has no permission"),
        ] {
            let wrong = format!(
                "    consent: admin\n    oauth2PermissionGrants:\n      - {{ resource: \"{resource}\", scope: {scope} }}\n"
            );
            let refused = server.apply(&[&MALL.replacen("    consent: admin\n", &wrong, 1)]).await;
            let said = refused.err().map(|fault| fault.detail).unwrap_or_default();
            assert!(said.contains(problem), "{said}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_operator_grants_lists_and_revokes() -> Outcome<()> {
    // S77
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let db = &server.site.env.db;
        let graph = "https://graph.microsoft.com";
        let all = (SHOP, "Robot", None);
        let fresh = consent::grant(db, all, (graph, BASIC), &author(server)).await?;
        assert_eq!(fresh.len(), 3);
        assert!(consent::grant(db, all, (graph, BASIC), &author(server)).await?.is_empty());
        assert!(consent::grant(db, all, ("api://stock", "stock.burn"), &author(server)).await.is_err());
        assert!(consent::grant(db, (SHOP, "Nobody", None), (graph, BASIC), &author(server)).await.is_err());
        assert_eq!(at_once(&hand, ROBOT, BASIC, &[("prompt", "none")]).await?, None);
        let listed = consent::list(db, SHOP, None).await?;
        assert_eq!(listed.len(), 3);
        assert!(listed.iter().all(|one| one.consent_type == "AllPrincipals" && one.client_id == "Robot"));

        let hers = (SHOP, ROBOT, Some(ADA));
        consent::grant(db, hers, ("api://stock", "stock.write"), &author(server)).await?;
        let back = super::ask(&hand, ROBOT, &format!("offline_access {WRITE}"), &[]).await?.at_app()?;
        let (status, tokens) = hand.redeem(SHOP, ROBOT, &back).await?;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(consent::list(db, SHOP, Some(ADA)).await?.len(), 1);
        assert_eq!(consent::revoke(db, hers, &author(server)).await?, 1);
        assert_eq!(hand.refresh(SHOP, ROBOT, tokens["refresh_token"].as_str().unwrap()).await?, 400);
        assert_eq!(consent::revoke(db, all, &author(server)).await?, 3);
        let silent = at_once(&hand, ROBOT, BASIC, &[("prompt", "none")]).await?;
        assert_eq!(silent.as_deref(), Some("consent_required"));
        assert_eq!(recorded(server, SHOP, "revokeConsent").await?.len(), 2);
        Ok(())
    })
    .await
}
