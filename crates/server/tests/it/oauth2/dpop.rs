//! Tokens that are bound to a key (RFC 9449).

use serde_json::json;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::server::on_nodes;
use vestibule_testkit::{Engine, TestServer};

use super::app::{Answer, BANK, PAGE, Prover, WEB, at, back, client, harbour, send, signed_in, userinfo};
use crate::client::{claims, parameter};

/// The nonce that an answer gives.
fn nonce(answer: &Answer) -> String {
    answer.header("dpop-nonce").unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_page_gets_tokens_that_only_its_key_can_use() -> Outcome<()> {
    // S79, S80, S83
    on_nodes(&[&harbour()], async |server| {
        let (hand, prover) = (signed_in(server).await?, Prover::new());
        let url = back(&hand, &PAGE.address(server, &[])).await?;
        // A page has to show that its proof was made now, and the code waits for that.
        let first =
            PAGE.redeems(&url).with("dpop", &prover.at_token(server, &json!({}))).token(server).await?;
        assert_eq!(first.refusal(), (400, "use_dpop_nonce"));
        let given = nonce(&first);
        let proof = prover.at_token(server, &json!({"nonce": given}));
        let tokens = PAGE.redeems(&url).with("dpop", &proof).token(server).await?;
        assert_eq!((tokens.status, tokens.text("token_type")), (200, "DPoP"), "{}", tokens.body);
        assert_eq!(nonce(&tokens), given);
        assert_eq!(tokens.header("cache-control"), Some("no-store"));
        let access = tokens.text("access_token");
        assert_eq!(claims(access)["cnf"], json!({"jkt": prover.thumbprint()}));
        assert!(claims(tokens.text("id_token")).get("cnf").is_none());

        let proof = prover.at_userinfo(server, access, &json!({}));
        let told = userinfo(server, ("DPoP", access), &[&proof]).await?;
        assert_eq!(told.status, 200, "{}", told.body);
        assert_eq!(told.body["sub"], claims(tokens.text("id_token"))["sub"]);

        let bearer = userinfo(server, ("Bearer", access), &[]).await?;
        assert_eq!(bearer.refusal(), (401, "invalid_token"));
        assert!(bearer.header("www-authenticate").unwrap().starts_with("DPoP error=\"invalid_token\""));
        let form = client().post(at(server, "openid/userinfo")).form(&[("access_token", access)]);
        assert_eq!(send(form).await?.status, 401);

        // The refresh token is the key's, too.
        let refresh = PAGE.refreshes(tokens.text("refresh_token"));
        let other = Prover::new();
        for call in
            [refresh.clone(), refresh.clone().with("dpop", &other.at_token(server, &json!({"nonce": given})))]
        {
            assert_eq!(call.token(server).await?.refusal(), (400, "invalid_grant"));
        }
        let proof = prover.at_token(server, &json!({"nonce": given}));
        let renewed = refresh.with("dpop", &proof).token(server).await?;
        assert_eq!((renewed.status, renewed.text("token_type")), (200, "DPoP"), "{}", renewed.body);
        assert_eq!(claims(renewed.text("access_token"))["cnf"]["jkt"], prover.thumbprint());
        // So is its successor.
        let again = PAGE.refreshes(renewed.text("refresh_token")).token(server).await?;
        assert_eq!(again.refusal(), (400, "invalid_grant"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_web_app_chooses_a_key_at_every_refresh() -> Outcome<()> {
    // RFC 9449 §5
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let (hand, prover) = (signed_in(&server).await?, Prover::new());
    let url = back(&hand, &WEB.address(&server, &[])).await?;
    // Its secret says that the proof is of now well enough.
    let proof = prover.at_token(&server, &json!({}));
    let tokens = WEB.redeems(&url).with("dpop", &proof).token(&server).await?;
    assert_eq!((tokens.status, tokens.text("token_type")), (200, "DPoP"), "{}", tokens.body);
    let plain = WEB.refreshes(tokens.text("refresh_token")).token(&server).await?;
    assert_eq!((plain.status, plain.text("token_type")), (200, "Bearer"));
    assert!(claims(plain.text("access_token")).get("cnf").is_none());
    let other = Prover::new();
    let proof = other.at_token(&server, &json!({}));
    let bound = WEB.refreshes(plain.text("refresh_token")).with("dpop", &proof).token(&server).await?;
    assert_eq!(claims(bound.text("access_token"))["cnf"]["jkt"], other.thumbprint());
    let own = WEB.call(&[("grant_type", "client_credentials"), ("scope", "api://orders/.default")]);
    let own = own.with("dpop", &prover.at_token(&server, &json!({}))).token(&server).await?;
    assert_eq!(own.text("token_type"), "DPoP", "{}", own.body);
    assert_eq!(claims(own.text("access_token"))["cnf"]["jkt"], prover.thumbprint());
    server.finish().await
}

#[tokio::test]
async fn an_app_that_must_bind_its_tokens_gets_none_without_a_proof() -> Outcome<()> {
    // S82
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let (hand, prover) = (signed_in(&server).await?, Prover::new());
    let pushed = BANK.pushes(&[]).push(&server).await?;
    let url = back(&hand, &BANK.brings(&server, pushed.text("request_uri"), &[])).await?;
    assert_eq!(BANK.redeems(&url).token(&server).await?.refusal(), (400, "invalid_request"));
    let proof = prover.at_token(&server, &json!({}));
    let tokens = BANK.redeems(&url).with("dpop", &proof).token(&server).await?;
    assert_eq!(tokens.text("token_type"), "DPoP", "{}", tokens.body);
    let refresh = BANK.refreshes(tokens.text("refresh_token"));
    assert_eq!(refresh.token(&server).await?.refusal(), (400, "invalid_request"));
    let own = BANK.call(&[("grant_type", "client_credentials"), ("scope", "api://orders/.default")]);
    assert_eq!(own.token(&server).await?.refusal(), (400, "invalid_request"));
    server.finish().await
}

#[tokio::test]
async fn a_code_is_bound_to_the_key_that_its_request_named() -> Outcome<()> {
    // S81
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let (hand, prover, other) = (signed_in(&server).await?, Prover::new(), Prover::new());
    let jkt = prover.thumbprint();
    let named = WEB.address(&server, &[("dpop_jkt", &jkt)]);
    let pushed = WEB.pushes(&[("dpop_jkt", &jkt)]).push(&server).await?;
    let by_proof = WEB.pushes(&[]).with("dpop", &prover.at_par(&server, &json!({}))).push(&server).await?;
    let both = WEB.pushes(&[("dpop_jkt", &jkt)]).with("dpop", &prover.at_par(&server, &json!({})));
    let both = both.push(&server).await?;
    let brought = |answer: &Answer| WEB.brings(&server, answer.text("request_uri"), &[]);
    for address in [named, brought(&pushed), brought(&by_proof), brought(&both)] {
        let url = back(&hand, &address).await?;
        let redeem = WEB.redeems(&url);
        assert_eq!(redeem.token(&server).await?.refusal(), (400, "invalid_grant"), "{address}");
        let foreign = redeem.clone().with("dpop", &other.at_token(&server, &json!({})));
        assert_eq!(foreign.token(&server).await?.refusal(), (400, "invalid_grant"), "{address}");
        let good = redeem.with("dpop", &prover.at_token(&server, &json!({}))).token(&server).await?;
        assert_eq!(good.status, 200, "{}", good.body);
    }
    let mismatch = WEB.pushes(&[("dpop_jkt", &jkt)]).with("dpop", &other.at_par(&server, &json!({})));
    assert_eq!(mismatch.push(&server).await?.refusal(), (400, "invalid_dpop_proof"));
    let url = back(&hand, &WEB.address(&server, &[("dpop_jkt", "short")])).await?;
    assert_eq!(parameter(&url, "error").as_deref(), Some("invalid_request"));
    server.finish().await
}

#[tokio::test]
async fn nonces_are_the_servers_own_and_rotate() -> Outcome<()> {
    // S83
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let prover = Prover::new();
    let ask = async |nonce: Option<&str>| {
        let call = WEB.call(&[("grant_type", "client_credentials"), ("scope", "api://orders/.default")]);
        call.with("dpop", &prover.at_token(&server, &json!({"nonce": nonce}))).token(&server).await
    };
    let first = nonce(&ask(None).await?);
    assert_eq!(first.len(), 43);
    assert_eq!(nonce(&ask(Some(&first)).await?), first);
    server.clock.advance(Span::minutes(5));
    let second = ask(Some(&first)).await?;
    assert_eq!(second.status, 200);
    assert_ne!(nonce(&second), first);
    server.clock.advance(Span::minutes(5));
    let third = ask(Some(&first)).await?;
    assert_eq!(third.refusal(), (400, "use_dpop_nonce"));
    assert_eq!(ask(Some(&nonce(&third))).await?.status, 200);
    for made_up in ["", "nonce", &"A".repeat(43), &first.to_uppercase(), &first[1..]] {
        assert_eq!(ask(Some(made_up)).await?.refusal(), (400, "use_dpop_nonce"), "{made_up}");
    }
    // Another node with the same key: nothing was stored about it.
    let given = vestibule_service::dpop::nonce(&server.site, server.site.env.now());
    assert_eq!(nonce(&third), given);
    // Who shows no proof is offered none.
    let plain = WEB.call(&[("grant_type", "client_credentials"), ("scope", "api://orders/.default")]);
    assert!(plain.token(&server).await?.header("dpop-nonce").is_none());
    server.finish().await
}
