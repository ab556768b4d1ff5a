//! Where an access token may stand, and that no answer with a token or about one is kept on its way.

use vestibule_rules::fault::Outcome;
use vestibule_testkit::{Engine, TestServer};

use super::app::{Answer, Call, PAGE, WEB, at, back, client, harbour, send, signed_in, userinfo};

#[tokio::test]
async fn a_token_in_an_address_is_not_looked_at() -> Outcome<()> {
    // S64
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    let tokens = WEB.tokens(&server, &hand, &[]).await?;
    let good = tokens.text("access_token");
    assert_eq!(userinfo(&server, ("Bearer", good), &[]).await?.status, 200);
    let place = at(&server, "openid/userinfo");
    let query = [("access_token", good)];
    let by_get = send(client().get(&place).query(&query)).await?;
    assert_eq!(by_get.status, 401, "{}", by_get.body);
    assert!(by_get.header("www-authenticate").is_some_and(|says| says.starts_with("Bearer")));
    assert_eq!(send(client().post(&place).query(&query)).await?.status, 401);
    // Beside a good one it is nothing, and in place of a bad one, too.
    assert_eq!(send(client().get(&place).query(&query).bearer_auth(good)).await?.status, 200);
    assert_eq!(send(client().get(&place).query(&query).bearer_auth("bad")).await?.status, 401);
    let both = client().post(&place).bearer_auth(good).form(&query);
    let both = send(both).await?;
    assert_eq!(both.refusal(), (400, "invalid_request"), "two ways at once");
    server.finish().await
}

#[tokio::test]
async fn no_answer_with_a_token_or_about_one_is_kept() -> Outcome<()> {
    // S65
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    let url = back(&hand, &WEB.address(&server, &[])).await?;
    let tokens = WEB.redeems(&url).token(&server).await?;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    let about = |token: &str| WEB.call(&[("token", token)]);
    let nobody = Call::default().and(&[("client_id", WEB.id), ("token", access)]);
    let (introspect, revoke) = (at(&server, "oauth2/v2.0/introspect"), at(&server, "oauth2/v2.0/revoke"));
    let device = at(&server, "oauth2/v2.0/devicecode");
    let answers: Vec<(&str, u16, Answer)> = vec![
        ("userinfo", 200, userinfo(&server, ("Bearer", access), &[]).await?),
        ("userinfo of nobody", 401, userinfo(&server, ("Bearer", "x"), &[]).await?),
        ("userinfo by another scheme", 401, userinfo(&server, ("DPoP", access), &[]).await?),
        ("a refresh", 200, WEB.refreshes(refresh).token(&server).await?),
        ("a code again", 400, WEB.redeems(&url).token(&server).await?),
        ("no grant", 400, WEB.call(&[]).token(&server).await?),
        ("no client", 400, Call::default().and(&[("grant_type", "refresh_token")]).token(&server).await?),
        ("a page from nowhere", 400, PAGE.redeems(&url).without("origin").token(&server).await?),
        ("by GET", 400, send(client().get(at(&server, "oauth2/v2.0/token"))).await?),
        ("introspection", 200, about(access).post(&introspect).await?),
        ("introspection of nothing", 200, about("x").post(&introspect).await?),
        ("introspection by nobody", 401, nobody.post(&introspect).await?),
        ("revocation", 200, about("x").post(&revoke).await?),
        ("revocation by nobody", 401, nobody.post(&revoke).await?),
        ("a pushed request", 201, WEB.pushes(&[]).push(&server).await?),
        ("a pushed request that is none", 400, WEB.pushes(&[("scope", "unknown")]).push(&server).await?),
        ("a device that may not", 400, WEB.call(&[("scope", "openid")]).post(&device).await?),
    ];
    for (what, status, answer) in answers.iter().chain([&("tokens", 200, tokens)]) {
        assert_eq!(answer.status, *status, "{what}: {}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
    }
    server.finish().await
}
