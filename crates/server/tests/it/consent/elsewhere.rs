//! Doors beside the authorization endpoint: devices, calls in somebody's name, tokens through the browser, requests that
//! were pushed.

use serde_json::Value;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::{TestServer, server};

use super::{ADA, BROKER, MALL, TELEVISION, asked, at_once, refusal, signed_in};
use crate::journeys::passage::{Form, Hand, SHOP, TILL};

const MSAL: &str = "device_code";

/// What a device gets: the code that it keeps, and the one that it shows.
async fn device(server: &TestServer, scope: &str) -> Outcome<(String, String)> {
    let hand = Hand::new(server);
    let url = format!("{}/{SHOP}/oauth2/v2.0/devicecode", server.origin);
    let answered = hand.post(&url, &[("client_id", TELEVISION), ("scope", scope)]).await?;
    let body: Value = serde_json::from_str(&answered.body).map_err(|e| Fault::ours(e.to_string()))?;
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    Ok((text("device_code"), text("user_code")))
}

async fn type_code(server: &TestServer, hand: &Hand, code: &str) -> Outcome<Form> {
    let form = hand.form(&format!("{}/{SHOP}/device", server.origin)).await?;
    hand.next(&form, &[("user_code", code)]).await
}

async fn poll(server: &TestServer, kept: &str) -> Outcome<Value> {
    let url = format!("{}/{SHOP}/oauth2/v2.0/token", server.origin);
    let fields = [("grant_type", MSAL), ("client_id", TELEVISION), ("device_code", kept)];
    let answered = Hand::new(server).post(&url, &fields).await?;
    serde_json::from_str(&answered.body).map_err(|e| Fault::ours(e.to_string()))
}

#[tokio::test]
async fn letting_a_device_in_agrees_to_what_the_page_shows() -> Outcome<()> {
    // S92, S34
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let scope = "openid offline_access api://stock/stock.read";
        let (kept, shown) = device(server, scope).await?;
        let form = type_code(server, &hand, &shown).await?;
        let said = form.page.text("main").unwrap();
        assert!(said.contains("See what is in stock") && said.contains("Sign you in"), "{said}");
        // What the page did not show is not agreed to.
        let forged = [("csrf", form.csrf.as_str()), ("step", "other"), ("action", "continue")];
        hand.post(&form.url, &forged).await?;
        assert_eq!(poll(server, &kept).await?["error"], "authorization_pending");
        hand.answer(&form, &[("action", "continue")]).await?;
        let tokens = poll(server, &kept).await?;
        let refresh = tokens["refresh_token"].as_str().unwrap_or_else(|| panic!("{tokens}"));
        // The next device is not asked about again, and the consent is one that can be taken back.
        let (_, shown) = device(server, scope).await?;
        assert!(!type_code(server, &hand, &shown).await?.page.has("ul.permissions"));
        let apps = hand.form(&format!("{}/{SHOP}/account/apps", server.origin)).await?;
        hand.answer(&apps, &[("client", TELEVISION)]).await?;
        let url = format!("{}/{SHOP}/oauth2/v2.0/token", server.origin);
        let fields = [("grant_type", "refresh_token"), ("client_id", TELEVISION), ("refresh_token", refresh)];
        assert_eq!(hand.post(&url, &fields).await?.status, 400);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_device_gets_nothing_that_only_an_administrator_gives() -> Outcome<()> {
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let (kept, shown) = device(server, "openid api://stock/stock.write").await?;
        let form = type_code(server, &hand, &shown).await?;
        assert!(form.page.text("h1").unwrap().contains("administrator"));
        // Anybody can write a form.
        let csrf = type_code(server, &hand, &device(server, "openid").await?.1).await?;
        for token in [form.csrf.as_str(), csrf.csrf.as_str()] {
            let fields = [("csrf", token), ("step", csrf.step.as_str()), ("action", "continue")];
            hand.post(&form.url, &fields).await?;
        }
        assert_eq!(poll(server, &kept).await?["error"], "authorization_pending");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_device_whose_consent_was_withdrawn_before_it_asked_gets_nothing() -> Outcome<()> {
    // S34
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        let (kept, shown) = device(server, "openid offline_access").await?;
        let form = type_code(server, &hand, &shown).await?;
        hand.answer(&form, &[("action", "continue")]).await?;
        let apps = hand.form(&format!("{}/{SHOP}/account/apps", server.origin)).await?;
        hand.answer(&apps, &[("client", TELEVISION)]).await?;
        assert_ne!(poll(server, &kept).await?["error"], Value::Null);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_api_of_others_calls_nobody_without_consent() -> Outcome<()> {
    // S93
    server::on_both(&[MALL], async |server| {
        let hand = signed_in(server, ADA).await?;
        // The organisation's own app calls the broker; that Ada uses the app says nothing about the broker's calls.
        let back = super::ask(&hand, TILL, "openid api://broker/deal", &[]).await?.at_app()?;
        let (_, tokens) = hand.redeem(SHOP, TILL, &back).await?;
        let assertion = tokens["access_token"].as_str().unwrap();
        let downstream = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("requested_token_use", "on_behalf_of"),
            ("assertion", assertion),
            ("scope", "api://stock/stock.read"),
        ];
        let refused = hand.token(SHOP, BROKER, &downstream).await?.1;
        assert_eq!(refusal(&refused), ("invalid_grant", 65_001, "consent_required"));
        let form = asked(&hand, BROKER, "api://stock/stock.read", &[]).await?;
        hand.answer(&form, &[("action", "accept")]).await?.at_app()?;
        let (status, body) = hand.token(SHOP, BROKER, &downstream).await?;
        assert_eq!(status, 200, "{body}");
        let mut more = downstream;
        more[3] = ("scope", "api://stock/stock.write");
        let refused = hand.token(SHOP, BROKER, &more).await?.1;
        assert_eq!(refusal(&refused), ("invalid_grant", 65_001, "consent_required"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tokens_through_the_browser_wait_for_consent_too() -> Outcome<()> {
    let front = MALL.replacen(
        "    publisherDomain: robots.example\n    info:",
        "    securityProfile: oidc-compat\n    info:",
        1,
    );
    let front = front.replacen(
        "      termsOfServiceUrl: https://robots.example/terms\n    web:\n",
        "      termsOfServiceUrl: https://robots.example/terms\n    web:\n      implicitGrantSettings: \
         { enableIdTokenIssuance: true, enableAccessTokenIssuance: true }\n",
        1,
    );
    server::on_both(&[&front], async |server| {
        let hand = signed_in(server, ADA).await?;
        let more = [("prompt", "none")];
        let url = super::address(&hand, super::ROBOT, "openid", &more);
        let url = url.replace("response_type=code", "response_type=id_token+token");
        let back = hand.get(&url).await?.at_app()?;
        let fragment = back.fragment().unwrap();
        assert!(fragment.contains("error=consent_required") && !fragment.contains("token="), "{fragment}");
        assert_eq!(at_once(&hand, TILL, "openid", &more).await?, None);
        Ok(())
    })
    .await
}
