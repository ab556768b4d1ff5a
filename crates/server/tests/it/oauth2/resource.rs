//! Resource indicators (RFC 8707).

use vestibule_rules::fault::Outcome;
use vestibule_testkit::server::on_both;
use vestibule_testkit::{Engine, TestServer};

use super::app::{ORDERS, WEB, at, back, client, harbour, send, signed_in};
use crate::client::{claims, parameter};

const BILLING: &str = "https://billing.example/v1";

#[tokio::test]
async fn a_resource_chooses_the_audience_at_every_step() -> Outcome<()> {
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    let changes = [("resource", "api://orders"), ("scope", "openid offline_access orders.read")];
    let url = back(&hand, &WEB.address(&server, &changes)).await?;
    let answer = WEB.redeems(&url).and(&[("resource", "api://orders")]).token(&server).await?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let access = claims(answer.text("access_token"));
    assert_eq!((access["aud"].as_str(), access["scp"].as_str()), (Some(ORDERS), Some("orders.read")));
    // R17: the very names that were asked for.
    assert_eq!(answer.text("scope"), "openid offline_access orders.read");
    for more in [&[][..], &[("resource", "api://orders")], &[("scope", "orders.read")]] {
        let first = WEB.tokens(&server, &hand, &changes).await?;
        let refreshed = WEB.refreshes(first.text("refresh_token")).and(more).token(&server).await?;
        let access = claims(refreshed.text("access_token"));
        assert_eq!((access["aud"].as_str(), access["scp"].as_str()), (Some(ORDERS), Some("orders.read")));
    }
    for pairs in [
        &[("resource", "api://orders")][..],
        &[("resource", "api://orders"), ("scope", "api://orders/.default")],
        &[("resource", "api://orders"), ("scope", ".default")],
    ] {
        let call = WEB.call(&[("grant_type", "client_credentials")]).and(pairs);
        let answer = call.token(&server).await?;
        assert_eq!(claims(answer.text("access_token"))["aud"], ORDERS, "{pairs:?}");
        assert_eq!(answer.text("scope"), "api://orders/.default");
    }
    server.finish().await
}

#[tokio::test]
async fn a_resource_that_is_not_there_or_not_granted_is_refused() -> Outcome<()> {
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    for (changes, error) in [
        (&[("resource", "api://nowhere")][..], "invalid_target"),
        (&[("resource", "api://orders"), ("resource", BILLING)], "invalid_target"),
        (
            &[("resource", "api://orders"), ("scope", "https://billing.example/v1/bills.read")],
            "invalid_target",
        ),
        (&[("resource", "api://orders#fragment")], "invalid_request"),
        (&[("resource", ORDERS)], "invalid_request"),
        (&[("resource", "api://orders"), ("scope", "bills.read")], "invalid_scope"),
    ] {
        let url = back(&hand, &WEB.address(&server, changes)).await?;
        assert_eq!(parameter(&url, "error").as_deref(), Some(error), "{changes:?}");
        let pushed = WEB.pushes(changes).push(&server).await?;
        assert_eq!(pushed.refusal(), (400, error), "{changes:?}");
    }
    // What was granted for one resource is for no other, and for none when none was named.
    let granted = [("resource", "api://orders"), ("scope", "openid offline_access")];
    for changes in [&granted[..], &[("scope", "openid offline_access")]] {
        let url = back(&hand, &WEB.address(&server, changes)).await?;
        let refused = WEB.redeems(&url).and(&[("resource", BILLING)]).token(&server).await?;
        assert_eq!(refused.refusal(), (400, "invalid_target"));
        let answer = WEB.redeems(&url).token(&server).await?;
        let refresh = WEB.refreshes(answer.text("refresh_token"));
        let refused = refresh.clone().and(&[("resource", BILLING)]).token(&server).await?;
        assert_eq!(refused.refusal(), (400, "invalid_target"));
        let old = refresh.clone().and(&[("resource", "orders")]).token(&server).await?;
        assert_eq!(old.body["error_codes"][0], 901_002);
        assert_eq!(refresh.token(&server).await?.status, 200);
    }
    let apps = WEB.call(&[("grant_type", "client_credentials"), ("resource", "api://nowhere")]);
    assert_eq!(apps.token(&server).await?.refusal(), (400, "invalid_target"));
    let two =
        [("grant_type", "client_credentials"), ("resource", BILLING), ("scope", "api://orders/.default")];
    assert_eq!(WEB.call(&two).token(&server).await?.refusal(), (400, "invalid_target"));
    let document = send(client().get(at(&server, "v2.0/.well-known/openid-configuration"))).await?;
    let par = document.text("pushed_authorization_request_endpoint");
    assert_eq!(par, at(&server, "oauth2/v2.0/par"));
    assert_eq!(document.body["require_pushed_authorization_requests"], false);
    server.finish().await
}

#[tokio::test]
async fn what_the_tenant_takes_back_is_in_no_new_token() -> Outcome<()> {
    // S34, S66
    on_both(&[&harbour()], async |server| {
        let hand = signed_in(server).await?;
        let both = "openid offline_access api://orders/orders.read api://orders/orders.write";
        let first = WEB.tokens(server, &hand, &[("scope", both)]).await?;
        assert_eq!(claims(first.text("access_token"))["scp"], "orders.read orders.write");
        let off = |file: &str, value: &str| {
            let mark = format!("        - value: {value}\n");
            file.replacen(&mark, &format!("{mark}          isEnabled: false\n"), 1)
        };
        let less = off(&harbour(), "orders.write");
        server.apply(&[&less]).await?;
        let second = WEB.refreshes(first.text("refresh_token")).token(server).await?;
        assert_eq!(claims(second.text("access_token"))["scp"], "orders.read");
        assert_eq!(second.text("scope"), "openid offline_access api://orders/orders.read");
        // A token for anybody else is not what the app asked for.
        server.apply(&[&off(&less, "orders.read")]).await?;
        let refused = WEB.refreshes(second.text("refresh_token")).token(server).await?;
        assert_eq!(refused.refusal(), (400, "invalid_scope"));
        server.apply(&[&harbour()]).await?;
        let third = WEB.refreshes(second.text("refresh_token")).token(server).await?;
        assert_eq!(third.status, 200, "the grant is as it was: {}", third.body);
        Ok(())
    })
    .await
}
