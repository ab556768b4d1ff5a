//! Who may register, and what nobody may register.

use reqwest::Method;
use serde_json::json;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::ClientId;
use vestibule_rules::time::Span;
use vestibule_testkit::server::on_both;

use super::world::{Applicant, Client, FILE, endpoint, initial, send};

const ON: &str = "  isEnabled: true\n";

#[tokio::test]
async fn nobody_registers_where_nothing_was_switched_on() -> Outcome<()> {
    // S91
    let (without, _) = FILE.split_once("clientRegistration:").unwrap();
    on_both(&[without], async |server| {
        let token = initial(server, 1).await?;
        let body = Applicant::new(json!({})).metadata;
        for (method, url) in [
            (Method::POST, endpoint(server)),
            (Method::GET, format!("{}/{}", endpoint(server), ClientId::from_random([1; 16]))),
        ] {
            let told = send(method, &url, Some(&token), Some(&body)).await?;
            assert_eq!(told.status, 404, "{told:?}");
        }
        let url = format!("{}/suite/v2.0/.well-known/openid-configuration", server.origin);
        let document = send(Method::GET, &url, None, None).await?.body;
        assert!(document.get("registration_endpoint").is_none());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn registering_takes_a_token_that_is_good() -> Outcome<()> {
    // S91
    on_both(&[FILE], async |server| {
        let body = Applicant::new(json!({})).metadata;
        let ask = async |token: Option<&str>| send(Method::POST, &endpoint(server), token, Some(&body)).await;
        let none = ask(None).await?;
        assert_eq!((none.error(), none.challenge.as_deref()), ((401, "invalid_token"), Some("Bearer")));
        for wrong in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let told = ask(Some(wrong)).await?;
            assert_eq!(told.error(), (401, "invalid_token"), "{wrong}");
            assert!(told.challenge.unwrap().starts_with("Bearer"));
        }
        // A token where logs find it is none.
        let token = initial(server, 1).await?;
        let url = format!("{}?access_token={token}", endpoint(server));
        assert_eq!(send(Method::POST, &url, None, Some(&body)).await?.status, 401);

        assert_eq!(ask(Some(&token)).await?.status, 201);
        assert_eq!(ask(Some(&token)).await?.error(), (401, "invalid_token"), "used up");
        let token = initial(server, 1).await?;
        server.clock.advance(Span::days(1));
        assert_eq!(ask(Some(&token)).await?.error(), (401, "invalid_token"), "expired");

        let token = initial(server, 2).await?;
        let all = futures_util::future::join_all((0..6).map(|_| ask(Some(&token)))).await;
        let made = all.into_iter().filter(|told| told.as_ref().is_ok_and(|told| told.status == 201)).count();
        assert_eq!(made, 2, "of six at once");
        // What is refused spends nothing.
        let token = initial(server, 1).await?;
        let bad = json!({"redirect_uris": ["javascript:alert(1)"]});
        assert_eq!(send(Method::POST, &endpoint(server), Some(&token), Some(&bad)).await?.status, 400);
        assert_eq!(ask(Some(&token)).await?.status, 201);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_open_tenant_has_its_limits() -> Outcome<()> {
    // S91, U31
    let open = FILE.replace(ON, &format!("{ON}  isOpen: true\n"));
    let few = FILE.replace(ON, &format!("{ON}  mostClients: 2\n"));
    on_both(&[&open], async |server| {
        let body = Applicant::new(json!({})).metadata;
        for _ in 0..10 {
            assert_eq!(send(Method::POST, &endpoint(server), None, Some(&body)).await?.status, 201);
        }
        assert_eq!(send(Method::POST, &endpoint(server), None, Some(&body)).await?.status, 429);
        // Somebody who shows a token that is not good is not somebody who shows none.
        assert_eq!(send(Method::POST, &endpoint(server), Some("x"), Some(&body)).await?.status, 401);
        Ok(())
    })
    .await?;
    on_both(&[&few], async |server| {
        let (one, two) =
            (Client::registers(server, json!({})).await?, Client::registers(server, json!({})).await?);
        let third = Applicant::new(json!({})).asks(server).await?;
        assert_eq!(third.error(), (403, "access_denied"));
        assert_eq!(send(Method::DELETE, one.address(), Some(one.token()), None).await?.status, 204);
        Client::registers(server, json!({})).await?;
        assert_eq!(send(Method::GET, two.address(), Some(two.token()), None).await?.status, 200);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_address_that_could_lead_astray_is_refused() -> Outcome<()> {
    // S2, S3, S4, S5, S91
    on_both(&[FILE], async |server| {
        for uri in [
            "https://a.example/*",
            "https://*.example/cb",
            "javascript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "https://a.example/cb#fragment",
            "http://a.example/cb",
            "https://user@a.example/cb",
            "/relative",
            "myapp:/cb",
            "com.example.app:/cb",
        ] {
            let told = Applicant::new(json!({"redirect_uris": [uri]})).asks(server).await?;
            assert_eq!(told.error(), (400, "invalid_redirect_uri"), "{uri}");
            assert!(!told.body.to_string().contains("alert"), "{told:?}");
        }
        for (name, value) in [
            ("logo_uri", json!("javascript:alert(1)")),
            ("policy_uri", json!("http://a.example/")),
            ("tos_uri", json!("data:text/html,x")),
            ("post_logout_redirect_uris", json!(["javascript:alert(1)"])),
            ("backchannel_logout_uri", json!("http://a.example/")),
            ("frontchannel_logout_uri", json!("javascript:alert(1)")),
            ("grant_types", json!(["authorization_code", "client_credentials"])),
            ("response_types", json!(["none"])),
            ("id_token_signed_response_alg", json!("none")),
            ("request_object_signing_alg", json!("none")),
            ("token_endpoint_auth_method", json!("tls_client_auth")),
            ("jwks", json!({"keys": [{"kty": "oct", "k": "AAAA"}]})),
            ("jwks", json!({"keys": "x"})),
            ("client_name", json!("Suite")),
            ("client_name", json!("a\u{202e}b")),
            ("client_name", json!(["x"])),
            ("scope", json!("api://second/read")),
        ] {
            let told = Applicant::new(json!({ name: value })).asks(server).await?;
            assert_eq!(told.error(), (400, "invalid_client_metadata"), "{name} {value}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_huge_or_shapeless_body_is_refused() -> Outcome<()> {
    // S91
    on_both(&[FILE], async |server| {
        let told = Applicant::new(json!({"client_uri": "x".repeat(70_000)})).asks(server).await?;
        assert_eq!(told.status, 413, "{told:?}");
        let many: Vec<String> = (0..33).map(|n| format!("https://a.example/{n}")).collect();
        let told = Applicant::new(json!({"redirect_uris": many})).asks(server).await?;
        assert_eq!(told.error(), (400, "invalid_redirect_uri"));
        let token = initial(server, 1).await?;
        for body in [json!([]), json!("x"), json!(null)] {
            let told = send(Method::POST, &endpoint(server), Some(&token), Some(&body)).await?;
            assert_eq!(told.error(), (400, "invalid_client_metadata"), "{body}");
        }
        assert_eq!(send(Method::POST, &endpoint(server), Some(&token), None).await?.status, 400);
        Ok(())
    })
    .await
}
