//! Signing in to an application that registered itself.

use serde_json::json;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::server::on_both;

use super::world::{Client, FILE, Host};
use crate::conformance::party::{ANN, CLIENT, Party, Seen, Variant};
use crate::conformance::suite;

#[tokio::test]
async fn nobody_is_sent_to_a_stranger_before_they_saw_a_page() -> Outcome<()> {
    // S7
    on_both(&[FILE], async |server| {
        suite::sign_up(server).await?;
        let client = Client::registers(server, json!({})).await?;
        let party = client.party(server);
        for (change, error) in [
            (("scope", "nonsense"), "invalid_scope"),
            (("response_type", "token"), "unsupported_response_type"),
            (("prompt", "none"), "login_required"),
            (("request", "x"), "request_not_supported"),
            (("max_age", "x"), "invalid_request"),
        ] {
            let Seen::Page(page) = party.ask(&[change]).await? else {
                return Err(Fault::ours(format!("{change:?} redirects")));
            };
            let to = page.page.attribute("a#onward", "href").unwrap_or_default();
            assert!(to.contains(&format!("error={error}")) || error == "unsupported_response_type", "{to}");
        }
        // By form: nothing is posted by itself.
        let endpoint = party.metadata().await?["authorization_endpoint"].as_str().unwrap().to_owned();
        let request = party.request(&[("prompt", "none"), ("response_mode", "form_post")]);
        let url = url::Url::parse_with_params(&endpoint, request).unwrap();
        let answered = party.hand.get(url.as_str()).await?;
        assert!(answered.body.contains("id=\"onward\"") && !answered.body.contains("<script"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_session_answers_only_for_strangers_that_the_person_agreed_to() -> Outcome<()> {
    // S7, S91
    on_both(&[FILE], async |server| {
        suite::sign_up(server).await?;
        let client = Client::registers(server, json!({})).await?;
        let mut party = Party::new(server, Variant::of("code"));
        party.good(&[]).await?;
        party.become_client(client.id(), crate::conformance::party::CALLBACK, &client.key);
        let Seen::Page(page) = party.ask(&[("prompt", "none")]).await? else {
            return Err(Fault::ours("a stranger learns who is signed in"));
        };
        assert!(page.page.attribute("a#onward", "href").unwrap().contains("error=login_required"));
        let Seen::Page(page) = party.ask(&[("scope", "nonsense")]).await? else {
            return Err(Fault::ours("a session opens the way to a stranger"));
        };
        assert!(page.page.attribute("a#onward", "href").unwrap().contains("error=invalid_scope"));
        // Whoever is signed in is asked for nothing but the consent, and sees whom it is for.
        let Seen::Page(page) = party.ask(&[]).await? else { return Err(Fault::ours("nobody is asked")) };
        assert!(page.page.has("button#accept") && page.page.has("#stranger"), "{}", page.page.html);
        party.good(&[]).await?;
        let Seen::App(answer) = party.ask(&[("prompt", "none")]).await? else {
            return Err(Fault::ours("the person agreed to it"));
        };
        assert!(answer.get("code").is_some());
        // More than that is asked for anew, and whoever was agreed to is told the truth at once.
        for (change, error) in
            [(("scope", "openid email"), "consent_required"), (("scope", "nonsense"), "invalid_scope")]
        {
            let Seen::App(answer) = party.ask(&[("prompt", "none"), change]).await? else {
                return Err(Fault::ours("the person agreed to it"));
            };
            assert_eq!(answer.get("error"), Some(error));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stranger_has_the_grants_and_scopes_that_it_registered() -> Outcome<()> {
    // S91
    on_both(&[FILE], async |server| {
        suite::sign_up(server).await?;
        let only_code = json!({"grant_types": ["authorization_code"], "scope": "openid offline_access"});
        let party = Client::registers(server, only_code).await?.party(server);
        let tokens = party.good(&[("scope", "openid offline_access")]).await?;
        assert!(tokens.refresh_token.is_none(), "it did not register refresh_token");
        for scope in ["openid email", "openid api://second/read", &format!("openid {CLIENT}/.default")] {
            let Seen::App(answer) = party.ask(&[("scope", scope)]).await? else {
                return Err(Fault::ours("not answered"));
            };
            assert_eq!(answer.get("error"), Some("invalid_scope"), "{scope}");
        }
        let target = [("resource", "api://second")];
        let Seen::App(answer) = party.ask(&target).await? else { return Err(Fault::ours("not answered")) };
        assert_eq!(answer.get("error"), Some("invalid_scope"));
        let scope = "api://second/.default";
        let access = tokens.access_token.unwrap();
        for form in [
            vec![("grant_type", "client_credentials"), ("scope", scope)],
            vec![
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("requested_token_use", "on_behalf_of"),
                ("assertion", access.as_str()),
                ("scope", scope),
            ],
            vec![("grant_type", "refresh_token"), ("refresh_token", "x")],
            vec![("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", "x")],
        ] {
            let (status, body) = party.token_by_key(&form).await?;
            assert_eq!((status, &body["error"]), (400, &json!("unauthorized_client")), "{form:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_claim_that_is_named_weighs_as_much_as_its_scope() -> Outcome<()> {
    // S91
    on_both(&[FILE], async |server| {
        suite::sign_up(server).await?;
        let named =
            json!({"id_token": {"email": null}, "userinfo": {"email": {"essential": true}}}).to_string();
        let asks = [("scope", "openid"), ("claims", named.as_str())];
        // What it did not register it does not get under another name.
        let party = Client::registers(server, json!({"scope": "openid"})).await?.party(server);
        let tokens = party.good(&asks).await?;
        assert!(tokens.id.get("email").is_none());
        assert!(party.told(&tokens).await?.get("email").is_none());
        // What it did register is asked for as by its scope, and agreed to as such.
        let party = Client::registers(server, json!({"scope": "openid email"})).await?.party(server);
        party.good(&[("scope", "openid")]).await?;
        let silent = async |more: (&str, &str)| -> Outcome<Option<String>> {
            let Seen::App(answer) = party.ask(&[("prompt", "none"), ("scope", "openid"), more]).await? else {
                return Err(Fault::ours("the person agreed to it"));
            };
            Ok(answer.get("error").map(str::to_owned))
        };
        assert_eq!(silent(asks[1]).await?.as_deref(), Some("consent_required"));
        let Seen::Page(page) = party.ask(&asks).await? else { return Err(Fault::ours("nobody is asked")) };
        assert!(page.page.text(".permissions").unwrap().contains("email"), "{}", page.page.html);
        let tokens = party.good(&asks).await?;
        assert_eq!(tokens.id["email"], ANN.0);
        assert_eq!(silent(("scope", "openid email")).await?, None);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn people_have_one_name_in_a_sector_and_another_in_the_next() -> Outcome<()> {
    // S71
    on_both(&[FILE], async |server| {
        suite::sign_up(server).await?;
        let host = Host::start().await?;
        let sector = host.serves("/sector", json!([crate::conformance::party::CALLBACK]).to_string());
        let sub = async |more| -> Outcome<(String, String)> {
            let party = Client::registers(server, more).await?.party(server);
            let id = party.good(&[("scope", "openid profile")]).await?.id;
            let text = |name: &str| id[name].as_str().unwrap().to_owned();
            Ok((text("sub"), text("oid")))
        };
        let (one, oid) = sub(json!({"sector_identifier_uri": sector})).await?;
        let (same, _) = sub(json!({"sector_identifier_uri": sector})).await?;
        let (other, _) = sub(json!({})).await?;
        let (another, _) = sub(json!({})).await?;
        let (public, _) = sub(json!({"subject_type": "public"})).await?;
        assert_eq!(one, same);
        assert!(one != other && other != another && one != oid);
        assert_eq!(public, oid);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_stranger_calls_itself_is_shown_and_not_believed() -> Outcome<()> {
    // S91, U22
    on_both(&[FILE], async |server| {
        let name = "<script>alert(1)</script>\" onload=\"x";
        let more =
            json!({"client_name": name, "policy_uri": "https://a.example/?a=1&b=\"><script>x</script>"});
        let party = Client::registers(server, more).await?.party(server);
        let Seen::Page(page) = party.ask(&[]).await? else { return Err(Fault::ours("no page")) };
        let html = &page.page.html;
        assert!(
            !html.contains("<script>alert") && !html.contains("<script>x") && html.contains("&lt;script&gt;")
        );
        assert!(page.page.has("#stranger") && html.contains("has not checked it"));
        let party = Party::new(server, Variant::of("code"));
        let Seen::Page(page) = party.ask(&[]).await? else { return Err(Fault::ours("no page")) };
        assert!(!page.page.has("#stranger"));
        Ok(())
    })
    .await
}
