//! The registration access token: what it changes, and what it never does (RFC 7592).

use reqwest::Method;
use serde_json::json;
use vestibule_rules::directory::client::SecurityProfile;
use vestibule_rules::fault::Outcome;
use vestibule_service::registration::clients::{self, Act};
use vestibule_testkit::TestServer;
use vestibule_testkit::server::on_both;

use super::world::{Client, FILE, send, tenant};
use crate::conformance::party::CALLBACK;
use crate::conformance::suite;

#[tokio::test]
async fn an_application_reads_changes_and_ends_its_registration() -> Outcome<()> {
    // S91
    on_both(&[FILE], async |server| {
        let client = Client::registers(
            server,
            json!({"token_endpoint_auth_method": "client_secret_basic",
            "jwks": null, "post_logout_redirect_uris": ["https://suite.example/bye"]}),
        )
        .await?;
        // S47: long enough for every hash.
        assert!(client.told.text("client_secret").len() >= 64);
        assert_eq!(client.told.body["client_secret_expires_at"], 0);
        let read = send(Method::GET, client.address(), Some(client.token()), None).await?;
        assert_eq!(read.status, 200, "{read:?}");
        assert!(read.body.get("client_secret").is_none(), "only its hash is kept");
        for name in ["client_id", "redirect_uris", "registration_access_token", "post_logout_redirect_uris"] {
            assert_eq!(read.body[name], client.told.body[name], "{name}");
        }
        let uris = json!([CALLBACK, "https://suite.example/second"]);
        let body = client.changed(json!({"redirect_uris": uris, "client_name": "Renamed",
            "post_logout_redirect_uris": null}));
        let told = send(Method::PUT, client.address(), Some(client.token()), Some(&body)).await?;
        assert_eq!((told.status, &told.body["redirect_uris"]), (200, &uris), "{told:?}");
        assert!(told.body.get("post_logout_redirect_uris").is_none(), "what is left out is gone");
        let app = app(server, &client);
        assert_eq!((app.display_name.as_str(), app.web.redirect_uris.len()), ("Renamed", 2));

        // Another method needs a secret of another kind.
        let body = client.changed(json!({"token_endpoint_auth_method": "client_secret_jwt"}));
        let told = send(Method::PUT, client.address(), Some(client.token()), Some(&body)).await?;
        assert!(told.text("client_secret").len() >= 64, "{told:?}");

        assert_eq!(send(Method::DELETE, client.address(), Some(client.token()), None).await?.status, 204);
        for method in [Method::GET, Method::DELETE] {
            let told = send(method, client.address(), Some(client.token()), None).await?;
            assert_eq!(told.error(), (401, "invalid_token"));
            assert!(told.challenge.unwrap().starts_with("Bearer"));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_gives_offline_access_up_has_no_grant_that_lasts() -> Outcome<()> {
    // S77
    on_both(&[FILE], async |server| {
        suite::sign_up(server).await?;
        let client = Client::registers(server, json!({"scope": "openid email offline_access"})).await?;
        let party = client.party(server);
        let tokens = party.good(&[("scope", "openid offline_access")]).await?;
        let first = tokens.refresh_token.unwrap();
        let form = [("grant_type", "refresh_token"), ("refresh_token", first.as_str())];
        let (status, body) = party.token_by_key(&form).await?;
        assert_eq!(status, 200, "{body}");
        let second = body["refresh_token"].as_str().unwrap();
        let change = async |scope: &str| {
            let body = client.changed(json!({ "scope": scope }));
            send(Method::PUT, client.address(), Some(client.token()), Some(&body)).await
        };
        assert_eq!(change("openid email").await?.body["scope"], "openid email");
        let form = [("grant_type", "refresh_token"), ("refresh_token", second)];
        let refused = async || -> Outcome<()> {
            let (status, body) = party.token_by_key(&form).await?;
            assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "{body}");
            Ok(())
        };
        refused().await?;
        // What ended does not come back.
        change("openid email offline_access").await?;
        refused().await
    })
    .await
}

fn app(
    server: &TestServer,
    client: &Client,
) -> vestibule_rules::directory::application::Application<
    vestibule_rules::directory::application::PasswordCredential,
> {
    let tenant = server.site.directory.tenant("suite").unwrap();
    tenant.application(client.client()).unwrap().clone()
}

#[tokio::test]
async fn a_token_is_good_for_its_own_application_alone() -> Outcome<()> {
    // S91
    on_both(&[FILE], async |server| {
        let (one, two) =
            (Client::registers(server, json!({})).await?, Client::registers(server, json!({})).await?);
        let body = one.changed(json!({"client_name": "Taken over"}));
        for token in [Some(two.token()), Some("x"), None] {
            for (method, body) in [(Method::GET, None), (Method::PUT, Some(&body)), (Method::DELETE, None)] {
                let told = send(method.clone(), one.address(), token, body).await?;
                assert_eq!(told.error(), (401, "invalid_token"), "{method}");
                assert!(told.challenge.unwrap().starts_with("Bearer"));
            }
        }
        // What is registered by one is not changed by the other at its own address either.
        let told = send(Method::PUT, two.address(), Some(two.token()), Some(&body)).await?;
        assert_eq!(told.error(), (400, "invalid_client_metadata"));
        let with = |address: &str| format!("{address}?access_token={}", one.token());
        assert_eq!(send(Method::GET, &with(one.address()), None, None).await?.status, 401);
        // Configured applications have no such address.
        let declared = one.address().replace(one.id(), crate::conformance::party::CLIENT);
        assert_eq!(send(Method::DELETE, &declared, Some(one.token()), None).await?.status, 401);
        assert_eq!(app(server, &one).display_name, "Dynamic client");
        let wrong = one.changed(json!({"client_secret": "guessed"}));
        let told = send(Method::PUT, one.address(), Some(one.token()), Some(&wrong)).await?;
        assert_eq!(told.error(), (400, "invalid_client_metadata"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn no_application_changes_what_the_tenant_decides() -> Outcome<()> {
    // S91, C7
    let strict = FILE.replace("  securityProfile: oidc-compat\n  scopes", "  scopes");
    on_both(&[&strict], async |server| {
        let hostile = json!({"securityProfile": "oidc-compat", "security_profile": "oidc-compat",
            "enabled": true, "disabled": false, "accountEnabled": true, "registered": null, "built_in": true,
            "userFlow": "x", "user_flow": "x", "deviceCode": true, "isFallbackPublicClient": true,
            "identifierUris": ["api://second"], "appRoleAssignments": [], "tokenClaims": [],
            "scope": "openid api://second/read"});
        let client = Client::registers(server, hostile.clone()).await?;
        let check = |told: &serde_json::Value| {
            assert_eq!(told["scope"], "openid");
            for name in hostile.as_object().unwrap().keys().filter(|name| *name != "scope") {
                assert!(told.get(name).is_none(), "{name}");
            }
            let app = app(server, &client);
            assert_eq!(app.settings.security_profile, SecurityProfile::Default);
            assert_eq!(app.registered.as_ref().unwrap().scopes, ["openid"]);
            assert!(!app.is_fallback_public_client && !app.settings.device_code && !app.built_in);
            assert!(app.identifier_uris.is_empty());
        };
        check(&client.told.body);
        let body = client.changed(hostile.clone());
        check(&send(Method::PUT, client.address(), Some(client.token()), Some(&body)).await?.body);

        let env = &server.site.env;
        clients::act(env, tenant(server), client.client(), Act::Disable).await?;
        server.site.directory.poll(&env.db).await?;
        let body = client.changed(json!({"disabled": false, "enabled": true}));
        for (method, body) in [(Method::GET, None), (Method::PUT, Some(&body)), (Method::DELETE, None)] {
            let told = send(method, client.address(), Some(client.token()), body).await?;
            assert_eq!(told.error(), (403, "access_denied"));
        }
        assert!(!app(server, &client).service_principal.account_enabled);
        let party = client.party(server);
        let crate::conformance::party::Seen::Page(page) = party.ask(&[]).await? else { panic!("redirected") };
        assert_eq!(page.page.status, 400);
        clients::act(env, tenant(server), client.client(), Act::Enable).await?;
        server.site.directory.poll(&env.db).await?;
        assert_eq!(send(Method::GET, client.address(), Some(client.token()), None).await?.status, 200);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_an_application_was_given_ends_with_it() -> Outcome<()> {
    // S91
    on_both(&[FILE], async |server| {
        suite::sign_up(server).await?;
        for by_operator in [false, true] {
            let client = Client::registers(server, json!({})).await?;
            let party = client.party(server);
            let tokens = party.good(&[("scope", "openid offline_access")]).await?;
            let access = tokens.access_token.as_deref();
            assert_eq!(party.get("openid/userinfo", access).await?.0, 200);
            if by_operator {
                clients::act(&server.site.env, tenant(server), client.client(), Act::Remove).await?;
                server.site.directory.poll(&server.site.env.db).await?;
            } else {
                let told = send(Method::DELETE, client.address(), Some(client.token()), None).await?;
                assert_eq!(told.status, 204);
            }
            assert_eq!(party.get("openid/userinfo", access).await?.0, 401);
            let form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", tokens.refresh_token.as_deref().unwrap()),
            ];
            let (status, body) = party.token_by_key(&form).await?;
            assert_eq!((status, &body["error"]), (400, &json!("unauthorized_client")));
            let crate::conformance::party::Seen::Page(page) = party.ask(&[]).await? else {
                panic!("redirected")
            };
            assert_eq!(page.page.status, 400);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_tenant_file_neither_removes_nor_reports_them() -> Outcome<()> {
    // S91
    on_both(&[FILE], async |server| {
        let client = Client::registers(server, json!({})).await?;
        assert_eq!(server.apply(&[FILE]).await?, []);
        assert_eq!(app(server, &client).display_name, "Dynamic client");
        // The tenant's policy of now is what counts.
        let changes = server.apply(&[&FILE.replace("  scopes: [openid, ", "  scopes: [")]).await?;
        assert_eq!(changes.len(), 1);
        assert!(!app(server, &client).registered.unwrap().scopes.contains(&"openid".to_owned()));
        let (without, _) = FILE.split_once("clientRegistration:").unwrap();
        server.apply(&[without]).await?;
        assert!(!app(server, &client).service_principal.account_enabled);
        assert_eq!(send(Method::GET, client.address(), Some(client.token()), None).await?.status, 404);
        server.apply(&[FILE]).await?;
        assert_eq!(send(Method::GET, client.address(), Some(client.token()), None).await?.status, 200);
        Ok(())
    })
    .await
}
