//! A stranger becomes a guest with a code by mail (sign-up.md 2.3, DIR-01).

use vestibule_rules::directory::user::{CreationType, UserType};
use vestibule_rules::fault::Outcome;
use vestibule_store::users;
use vestibule_testkit::{Browser, TestServer, server};

use crate::client::{Client, NONCE, STATE, claims, parameter};
use crate::demo_tenants::{APP, woodgrove};

const ADA: &str = "ada@northwind.example";

fn portal() -> Client {
    Client {
        tenant: "woodgrove",
        id: "edf3402e-18eb-4885-b1e4-cbcbdad78f60",
        secret: "woodgrove-web",
        redirect_uri: format!("{APP}/callback"),
    }
}

async fn sign_up(server: &TestServer, browser: &mut Browser) -> Outcome<()> {
    browser.open(&portal().authorize(server, &[("prompt", "create")])?).await?;
    browser.fill("username", ADA)?;
    browser.press("submit").await?;
    let code = server.inbox.await_code(ADA).await?;
    browser.fill("code", &code)?;
    browser.press("submit").await?;
    browser.fill("displayName", "Ada Lovelace")?;
    browser.fill("Business name", "Northwind Traders")?;
    browser.fill("Business registration code", "HRB 12345")?;
    browser.fill("Phone number", "+49 30 1234567")?;
    browser.press("submit").await?;
    // “Stay signed in?” is asked last; “no” is an answer too.
    if browser.page()?.has("#no") {
        browser.press("no").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_stranger_becomes_a_guest_with_a_code() -> Outcome<()> {
    server::on_both(&[&woodgrove()], async |server| {
        let mut browser = Browser::new(&server.origin)?;
        sign_up(server, &mut browser).await?;
        let back = browser.arrived()?;
        assert!(back.as_str().starts_with(&format!("{APP}/callback?")), "{back}");
        assert_eq!(parameter(back, "state").as_deref(), Some(STATE));

        let code = parameter(back, "code").unwrap();
        let (status, tokens) = portal().redeem(server, &code).await?;
        assert_eq!(status, 200, "{tokens}");
        let claims = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!(claims["nonce"], NONCE);
        assert_eq!(claims["email"], ADA);
        assert_eq!(claims["name"], "Ada Lovelace");
        assert_eq!(parameter(back, "iss").as_deref(), claims["iss"].as_str());

        let tenant = server.site.directory.tenant("woodgrove").unwrap().config.tenant.id;
        let mut tx = server.site.env.db.read().await?;
        let found = users::list_by_mail_key(&mut tx, tenant, ADA).await?;
        assert_eq!(found.len(), 1);
        let guest = &found[0];
        assert_eq!(claims["oid"], guest.id.to_string());
        assert_eq!(guest.user_type, UserType::Guest);
        assert_eq!(guest.creation_type, Some(CreationType::SelfServiceSignUp));
        assert_eq!(guest.identities[0].issuer, "mail");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_code_of_the_app_is_good_once() -> Outcome<()> {
    let server = TestServer::start(vestibule_testkit::Engine::Sqlite, &[&woodgrove()]).await?;
    let mut browser = Browser::new(&server.origin)?;
    sign_up(&server, &mut browser).await?;
    let code = parameter(browser.arrived()?, "code").unwrap();
    assert_eq!(portal().redeem(&server, &code).await?.0, 200);
    let (status, refusal) = portal().redeem(&server, &code).await?;
    assert_eq!(status, 400);
    assert_eq!(refusal["error"], "invalid_grant");
    server.finish().await
}
