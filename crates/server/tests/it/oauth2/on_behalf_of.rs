//! APIs that act in the name of whoever called them (native-auth-and-msal.md R22, security.md S93).

use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::{TestServer, server};

use super::app::{Call, Prover};
use crate::client::claims;
use crate::journeys::passage::{Hand, SHOP, TILL, disable};

pub(super) const TENANT: &str = include_str!("counter.yaml");
pub(super) const COUNTER: &str = "44444444-4444-4444-8444-444444444444";
pub(super) const STOCK: &str = "55555555-5555-4555-8555-555555555555";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const DOWNSTREAM: &str = "openid profile offline_access api://stock/stock.read";
pub(super) const ADA: &str = "ada@northwind.example";
const PASSWORD: &str = "seven green lanterns in the fog";

/// Ada's browser, and what the counter got to call the till with.
pub(super) struct Called {
    pub(super) hand: Hand,
    pub(super) tokens: Value,
}

pub(super) async fn called(server: &TestServer) -> Outcome<Called> {
    let hand = Hand::new(server);
    let stay = hand.almost_customer(server, (ADA, PASSWORD)).await?;
    hand.answer(&stay, &[("action", "no")]).await?.at_app()?;
    let scope = "openid profile offline_access api://till/sell";
    let mut url = url::Url::parse(&hand.address(SHOP, COUNTER, &[])).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(n, _)| n != "scope").collect();
    url.query_pairs_mut().clear().extend_pairs(pairs).append_pair("scope", scope);
    let back = hand.get(url.as_str()).await?.at_app()?;
    let (status, tokens) = hand.redeem(SHOP, COUNTER, &back).await?;
    assert_eq!(status, 200, "{tokens}");
    Ok(Called { hand, tokens })
}

impl Called {
    pub(super) fn text(&self, name: &str) -> &str {
        self.tokens[name].as_str().unwrap()
    }

    /// The till calls the stock in the name of whoever `assertion` is about.
    async fn on_behalf(&self, assertion: &str) -> Outcome<(u16, Value)> {
        exchange(&self.hand, (SHOP, TILL), assertion).await
    }

    /// The number of the error that an assertion leads to.
    async fn refused(&self, assertion: &str) -> Outcome<u64> {
        let (status, body) = self.on_behalf(assertion).await?;
        assert_eq!((status, body["error"].as_str()), (400, Some("invalid_grant")), "{body}");
        Ok(body["error_codes"][0].as_u64().unwrap_or_default())
    }
}

async fn exchange(hand: &Hand, (tenant, app): (&str, &str), assertion: &str) -> Outcome<(u16, Value)> {
    let more = [
        ("grant_type", JWT_BEARER),
        ("assertion", assertion),
        ("requested_token_use", "on_behalf_of"),
        ("scope", DOWNSTREAM),
        ("client_info", "1"),
    ];
    hand.token(tenant, app, &more).await
}

#[tokio::test]
async fn an_api_calls_another_one_for_the_same_person() -> Outcome<()> {
    // R22
    server::on_nodes(&[TENANT], async |server| {
        let called = called(server).await?;
        let (status, tokens) = called.on_behalf(called.text("access_token")).await?;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(tokens["scope"], DOWNSTREAM);
        assert!(tokens["client_info"].is_string());
        let before = claims(called.text("access_token"));
        let said = claims(tokens["access_token"].as_str().unwrap());
        assert_eq!((said["aud"].as_str(), said["azp"].as_str()), (Some(STOCK), Some(TILL)));
        assert_eq!((said["scp"].as_str(), said["azpacr"].as_str()), (Some("stock.read"), Some("1")));
        assert_eq!((&said["oid"], &said["sid"]), (&before["oid"], &before["sid"]));
        assert_ne!(said["rh"], before["rh"]);
        let said = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!((said["aud"].as_str(), &said["oid"]), (Some(TILL), &before["oid"]));

        let refresh = tokens["refresh_token"].as_str().unwrap();
        let more = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        let (status, next) = called.hand.token(SHOP, TILL, &more).await?;
        assert_eq!(status, 200, "{next}");
        // It is the till's: the counter that called it has no use for it.
        let other = next["refresh_token"].as_str().unwrap();
        assert_eq!(called.hand.refresh(SHOP, COUNTER, other).await?, 400);

        // And so on down the line: the stock asks with what the till called it with.
        let inner = tokens["access_token"].as_str().unwrap();
        let more = [
            ("grant_type", JWT_BEARER),
            ("assertion", inner),
            ("requested_token_use", "on_behalf_of"),
            ("scope", "api://till/sell"),
        ];
        let (status, body) = called.hand.token(SHOP, STOCK, &more).await?;
        assert_eq!(status, 200, "{body}");
        assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none(), "{body}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_app_that_proves_nothing_trades_nobody_s_token() -> Outcome<()> {
    // R22, S49: whoever has come by a token for the till could otherwise call the stock with it.
    let secret =
        "    passwordCredentials:\n      - displayName: test\n        secret: { file: secrets/app }\n";
    let bare = TENANT.replacen(secret, "    tokenEndpointAuthMethod: none\n", 1);
    let bare = bare.replacen("    web:\n", "    publicClient:\n", 1);
    assert_ne!(bare, TENANT);
    server::on_both(&[TENANT], async |server| {
        let called = called(server).await?;
        server.apply(&[&bare]).await?;
        let stolen = Call::default().and(&[
            ("client_id", TILL),
            ("grant_type", JWT_BEARER),
            ("assertion", called.text("access_token")),
            ("requested_token_use", "on_behalf_of"),
            ("scope", DOWNSTREAM),
        ]);
        let answer = stolen.post(&format!("{}/{SHOP}/oauth2/v2.0/token", server.origin)).await?;
        assert_eq!(answer.refusal(), (400, "unauthorized_client"), "{}", answer.body);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn only_a_persons_access_token_for_the_caller_is_an_assertion() -> Outcome<()> {
    // R22, S61, S62, S93
    let other = TENANT
        .replace("7b9ec640-0000-4c21-9355-5f02bb133702", "7b9ec640-0000-4c21-9355-5f02bb133709")
        .replace("shortName: shop", "shortName: other")
        .replace("shop.onmicrosoft.com", "other.onmicrosoft.com")
        .replace("1e1658e3-0000-4273-a7c8-6ab461c2a4b7", "1e1658e3-0000-4273-a7c8-6ab461c2a4b9");
    server::on_nodes(&[TENANT, &other], async |server| {
        let called = called(server).await?;
        let good = called.text("access_token").to_owned();
        let app_only = [("grant_type", "client_credentials"), ("scope", "api://till/.default")];
        let (_, app_only) = called.hand.token(SHOP, COUNTER, &app_only).await?;
        let (_, downstream) = called.on_behalf(&good).await?;
        let back = called.hand.authorize(SHOP, TILL, &[]).await?.at_app()?;
        let (_, own) = called.hand.redeem(SHOP, TILL, &back).await?;
        let text = |body: &Value, name: &str| body[name].as_str().unwrap().to_owned();
        let mut parts: Vec<&str> = good.split('.').collect();
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", parts[1]);
        let stranger = text(&downstream, "access_token");
        parts[1] = stranger.split('.').nth(1).unwrap();
        let spliced = parts.join(".");
        for (what, wrong) in [
            ("an ID token of the caller", text(&own, "id_token")),
            ("an ID token of somebody else", called.text("id_token").to_owned()),
            ("a token of an application", text(&app_only, "access_token")),
            ("a token for another API", text(&downstream, "access_token")),
            ("a token for userinfo", text(&own, "access_token")),
            ("a refresh token", called.text("refresh_token").to_owned()),
            ("no signature", unsigned),
            ("the signature of another token", spliced),
            ("a part", good[..good.len() - 1].to_owned()),
            ("nothing of ours", "a.b.c".to_owned()),
        ] {
            assert_eq!(called.refused(&wrong).await?, 50_013, "{what}");
        }
        // Another tenant has the same applications, and another key.
        let (status, body) = exchange(&called.hand, ("other", TILL), &good).await?;
        assert_eq!((status, body["error_codes"][0].as_u64()), (400, Some(50_013)));
        assert_eq!(exchange(&called.hand, (SHOP, STOCK), &good).await?.1["error_codes"][0], 50_013);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_caller_proves_itself_and_says_what_it_wants() -> Outcome<()> {
    // S66, S93
    server::on_nodes(&[TENANT], async |server| {
        let called = called(server).await?;
        let url = format!("{}/{SHOP}/oauth2/v2.0/token", server.origin);
        let good = called.text("access_token");
        let mut fields = vec![
            ("grant_type", JWT_BEARER),
            ("client_id", TILL),
            ("assertion", good),
            ("requested_token_use", "on_behalf_of"),
            ("scope", DOWNSTREAM),
        ];
        for (secret, number) in [(None, "7000218"), (Some("guess"), "7000215")] {
            let mut fields = fields.clone();
            fields.extend(secret.map(|secret| ("client_secret", secret)));
            let answered = called.hand.post(&url, &fields).await?;
            assert_eq!(answered.status, 401);
            assert!(answered.body.contains(number), "{}", answered.body);
        }
        fields.drain(..2);
        for (index, value, number) in [
            (1, "", 900_144),
            (1, "something_else", 9_002_313),
            (0, "", 900_144),
            (2, "", 900_144),
            (2, "api://stock/everything", 70_011),
            (2, "api://stock/stock.read api://till/sell", 700_022),
        ] {
            let mut fields = fields.clone();
            fields[index].1 = value;
            fields.push(("grant_type", JWT_BEARER));
            let (status, body) = called.hand.token(SHOP, TILL, &fields).await?;
            assert_eq!((status, body["error_codes"][0].as_u64()), (400, Some(number)), "{value}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_assertion_is_worth_what_it_came_from() -> Outcome<()> {
    // S93, C15: whatever ends the grant of the caller ends the call, and what came of earlier calls.
    server::on_nodes(&[TENANT], async |server| {
        let called = called(server).await?;
        let (_, inner) = called.on_behalf(called.text("access_token")).await?;
        let inner = inner["refresh_token"].as_str().unwrap().to_owned();
        // A thief uses the counter's refresh token a second time: the family dies, and all below it.
        let stolen = called.text("refresh_token");
        let (_, next) = {
            let more = [("grant_type", "refresh_token"), ("refresh_token", stolen)];
            called.hand.token(SHOP, COUNTER, &more).await?
        };
        assert_eq!(called.hand.refresh(SHOP, COUNTER, next["refresh_token"].as_str().unwrap()).await?, 200);
        assert_eq!(called.hand.refresh(SHOP, COUNTER, stolen).await?, 400);
        assert_eq!(called.refused(called.text("access_token")).await?, 50_173);
        assert_eq!(called.hand.refresh(SHOP, TILL, &inner).await?, 400);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_assertion_dies_with_its_time_its_session_and_its_user() -> Outcome<()> {
    // S93, C15
    server::on_nodes(&[TENANT], async |server| {
        let called = called(server).await?;
        let (_, inner) = called.on_behalf(called.text("access_token")).await?;
        let inner = inner["refresh_token"].as_str().unwrap();
        disable(server, SHOP, ADA).await?;
        assert_eq!(called.refused(called.text("access_token")).await?, 50_057);
        assert_eq!(called.hand.refresh(SHOP, TILL, inner).await?, 400);
        server.clock.advance(Span::minutes(61));
        assert_eq!(called.refused(called.text("access_token")).await?, 500_133);
        Ok(())
    })
    .await?;
    server::on_nodes(&[TENANT], async |server| {
        let called = called(server).await?;
        let (_, inner) = called.on_behalf(called.text("access_token")).await?;
        let hint = called.text("id_token");
        let url = format!("{}/{SHOP}/oauth2/v2.0/logout?id_token_hint={hint}", server.origin);
        assert_eq!(called.hand.get(&url).await?.status, 200);
        assert_eq!(called.refused(called.text("access_token")).await?, 50_173);
        let inner = inner["refresh_token"].as_str().unwrap();
        assert_eq!(called.hand.refresh(SHOP, TILL, inner).await?, 400);
        Ok(())
    })
    .await?;
    server::on_nodes(&[TENANT], async |server| {
        // The application that the token was given to was switched off.
        let called = called(server).await?;
        let marked = "- displayName: Counter\n";
        let disabled = TENANT.replace(marked, &format!("{marked}    accountEnabled: false\n"));
        assert_ne!(disabled, TENANT);
        server.apply(&[&disabled]).await?;
        assert_eq!(called.refused(called.text("access_token")).await?, 50_173);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_api_names_the_other_one_beside_the_scope_and_binds_what_it_gets_to_its_own_key() -> Outcome<()> {
    // S79
    server::on_nodes(&[TENANT], async |server| {
        let called = called(server).await?;
        let (prover, url) = (Prover::new(), format!("{}/{SHOP}/oauth2/v2.0/token", server.origin));
        let secret = server::secret("secrets/app");
        let asks = Call::default().and(&[
            ("client_id", TILL),
            ("client_secret", secret.expose()),
            ("grant_type", JWT_BEARER),
            ("assertion", called.text("access_token")),
            ("requested_token_use", "on_behalf_of"),
            ("scope", "stock.read"),
        ]);
        let other = asks.clone().and(&[("resource", "api://nothing")]).post(&url).await?;
        assert_eq!(other.refusal(), (400, "invalid_target"));
        let proof = prover.proof(server, ("POST", &url), &json!({}));
        let tokens = asks.and(&[("resource", "api://stock")]).with("dpop", &proof).post(&url).await?;
        assert_eq!((tokens.status, tokens.text("token_type")), (200, "DPoP"), "{}", tokens.body);
        let said = claims(tokens.text("access_token"));
        assert_eq!((said["aud"].as_str(), said["scp"].as_str()), (Some(STOCK), Some("stock.read")));
        assert_eq!(said["cnf"]["jkt"], prover.thumbprint());
        Ok(())
    })
    .await
}
