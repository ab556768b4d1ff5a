//! The way to the right door: an app that names the provider, buttons that are not shown, and the one that was
//! used last (sign-up.md 5, native-auth-and-msal.md R42).

use serde_json::json;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::{Engine, TestServer, server};

use super::provider::{Departure, Provider};
use super::with_provider;
use crate::client::parameter;
use crate::journeys::passage::{Form, GUESTS, Hand, PORTAL, guests, people};

const ADA: &str = "ada@northwind.example";
const WEBVIEW: &str =
    "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A; wv) AppleWebKit/537.36 Chrome/120.0 Safari/537.36";

/// Begins with a hint that leads away at once.
async fn jump(hand: &Hand, provider: &Provider, more: &[(&str, &str)]) -> Outcome<Departure> {
    provider.sent_to(hand.authorize(GUESTS, PORTAL, more).await?.location)
}

async fn shown(hand: &Hand, location: Option<reqwest::Url>) -> Outcome<Form> {
    hand.form(location.ok_or_else(|| Fault::ours("nowhere to go"))?.as_str()).await
}

#[tokio::test]
async fn an_app_that_names_the_provider_leads_straight_there() -> Outcome<()> {
    // R42: not by way of a page of ours, whatever the app calls it
    with_provider(async |server, provider| {
        let issuer = provider.issuer.to_uppercase();
        for hint in ["stranger", " Stranger ", &issuer] {
            jump(&Hand::new(server), provider, &[("domain_hint", hint)]).await?;
        }
        let hand = Hand::new(server);
        let departure =
            jump(&hand, provider, &[("domain_hint", "stranger"), ("login_hint", ADA), ("prompt", "create")])
                .await?;
        assert_eq!(departure.sent["login_hint"], ADA);
        let form = shown(&hand, provider.come_back(&hand, &departure).await?.location).await?;
        assert_eq!(form.asks(), "details");
        hand.answer(&form, &[("displayName", "Ada")]).await?.at_app()?;
        assert_eq!(people(server, GUESTS, ADA).await?.len(), 1);
        // Who is signed in goes nowhere.
        let back = hand.authorize(GUESTS, PORTAL, &[("domain_hint", "stranger")]).await?.at_app()?;
        assert!(parameter(&back, "code").is_some());
        // A name that nobody has is no obstacle.
        let other = Hand::new(server);
        let form = other.begin(GUESTS, PORTAL, &[("domain_hint", "nobody.example")]).await?;
        assert_eq!(form.asks(), "identify");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_is_turned_back_at_the_named_provider_is_not_sent_there_again() -> Outcome<()> {
    with_provider(async |server, provider| {
        let hand = Hand::new(server);
        let departure = jump(&hand, provider, &[("domain_hint", "stranger")]).await?;
        let (state, issuer) = (departure.sent["state"].clone(), provider.issuer.clone());
        let declined = [("error", "access_denied"), ("state", state.as_str()), ("iss", issuer.as_str())];
        let form = shown(&hand, departure.back(&hand, &declined).await?.location).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("identify", "provider-declined"));
        assert!(form.page.has("#username") && form.page.has("#idp-stranger"));

        // One that cannot be reached is told as such, and there is another way.
        provider.script().broken = "/.well-known/openid-configuration";
        let broken = server.apply(&[&guests(&format!("{}/gone", provider.issuer))]).await;
        broken?;
        let hand = Hand::new(server);
        let form = hand.begin(GUESTS, PORTAL, &[("domain_hint", "stranger")]).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("refused", "refused-provider-failed"));
        let form = hand.next(&form, &[]).await?;
        assert_eq!(form.asks(), "identify");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hidden_provider_has_no_button_and_is_found_by_its_name() -> Outcome<()> {
    for engine in Engine::ALL {
        let provider = Provider::start().await?;
        let methods = "identityProviders: [stranger, second, EmailOtpSignup-OAUTH]";
        let hidden = format!("{methods}\n    hiddenIdentityProviders: [stranger]");
        let text = guests(&provider.issuer).replace(methods, &hidden);
        let server = TestServer::start(engine, &[&text]).await?;
        let hand = Hand::new(&server);
        let form = hand.begin(GUESTS, PORTAL, &[]).await?;
        assert!(form.page.has("#idp-second") && !form.page.has("#idp-stranger"));
        jump(&Hand::new(&server), &provider, &[("domain_hint", "stranger")]).await?;

        let all = hidden.replace(", EmailOtpSignup-OAUTH", "").replace("[stranger]", "[stranger, second]");
        let refused = server.apply(&[&guests(&provider.issuer).replace(methods, &all)]).await.unwrap_err();
        assert!(refused.to_string().contains("every way is hidden"), "{refused}");
        let local = hidden.replace("hiddenIdentityProviders: [stranger]", "hiddenIdentityProviders: [third]");
        let refused = server.apply(&[&guests(&provider.issuer).replace(methods, &local)]).await.unwrap_err();
        assert!(
            refused.to_string().contains("hiddenIdentityProviders[0]")
                || refused.to_string().contains("third")
        );
        server.finish().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_way_that_was_used_last_comes_first_next_time() -> Outcome<()> {
    with_provider(async |server, provider| {
        let hand = Hand::new(server);
        let departure = jump(&hand, provider, &[("domain_hint", "stranger"), ("prompt", "create")]).await?;
        let form = shown(&hand, provider.come_back(&hand, &departure).await?.location).await?;
        let arrived = hand.answer(&form, &[("displayName", "Ada")]).await?;
        let kept = arrived.set_cookies.iter().find(|cookie| cookie.contains("-last-")).unwrap();
        // The browser keeps the provider's name, and nothing about who it was.
        assert!(
            kept.contains("=stranger;") && kept.contains("HttpOnly") && kept.contains("Max-Age="),
            "{kept}"
        );
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "login")]).await?;
        assert!(form.page.has("#idp-stranger .last") && !form.page.has("#idp-second .last"));
        assert!(!Hand::new(server).begin(GUESTS, PORTAL, &[]).await?.page.has(".last"));
        // An address is used instead: nothing stands out any more.
        let form = hand.next(&form, &[("username", "grace@northwind.example")]).await?;
        let code = server.inbox.await_code("grace@northwind.example").await?;
        let form = hand.next(&form, &[("code", &code)]).await?;
        hand.answer(&form, &[("displayName", "Grace")]).await?.at_app()?;
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "login")]).await?;
        assert!(!form.page.has(".last"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn google_is_not_offered_inside_another_app() -> Outcome<()> {
    let google = json!({
        "id": "google", "displayName": "Google", "identityProviderType": "Google",
        "clientId": "x.apps.googleusercontent.com", "clientSecret": { "file": "secrets/stranger" },
    });
    let text = guests("https://nobody.example")
        .replace(
            "identityProviders:\n  - id: stranger",
            &format!("identityProviders:\n  - {google}\n  - id: stranger"),
        )
        .replace("[stranger, second", "[google, stranger");
    server::on_both(&[&text], async |server| {
        let hand = Hand::new(server);
        let form = hand.begin(GUESTS, PORTAL, &[]).await?;
        assert!(form.page.has("#idp-google.look-google svg") && !form.page.has("#elsewhere"));
        let inside = hand.as_agent(&form.url, WEBVIEW).await?;
        assert!(inside.has("#elsewhere") && inside.has("#idp-stranger") && !inside.has("#idp-google"));
        Ok(())
    })
    .await
}
