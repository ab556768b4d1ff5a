//! What may be asked about tokens, and how they end.

use serde_json::{Value, json};
use url::Url;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_store::users;
use vestibule_testkit::server::{on_nodes, secret};
use vestibule_testkit::{Engine, TestServer};

use super::world::{Answer, Asks, EITHER, NOBODY, ORDERS, PAGE, PAGE_ORIGIN, World};
use crate::client::parameter;
use crate::journeys::passage::{BACK, Hand, SHOP, TILL, disable, people, recorded, tenant};

const ADA: (&str, &str) = ("ada@customer.example", "seven green lanterns on a wall");
const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";
const SCOPE: &str = "openid profile offline_access api://orders/orders.read";

/// Becomes a customer; the tokens of the till.
async fn customer(server: &TestServer, hand: &Hand, scope: &str) -> Outcome<Value> {
    let stay = hand.almost_customer(server, ADA).await?;
    hand.answer(&stay, &[]).await?;
    tokens(hand, scope).await
}

/// Tokens of the till for who is signed in.
async fn tokens(hand: &Hand, scope: &str) -> Outcome<Value> {
    let address = Url::parse(&hand.address(SHOP, TILL, &[])).unwrap();
    let pairs = address.query_pairs().into_owned();
    let pairs =
        pairs.map(|(name, value)| if name == "scope" { (name, scope.to_owned()) } else { (name, value) });
    let mut asking = address.clone();
    asking.query_pairs_mut().clear().extend_pairs(pairs);
    let back = hand.get(asking.as_str()).await?.at_app()?;
    let (status, tokens) = hand.redeem(SHOP, TILL, &back).await?;
    assert_eq!(status, 200, "{tokens}");
    Ok(tokens)
}

async fn post(
    server: &TestServer,
    endpoint: &str,
    (client, secret_name): (&str, &str),
    token: &str,
) -> Outcome<Answer> {
    let own = secret(secret_name);
    let form = [("client_id", client), ("client_secret", own.expose().as_str()), ("token", token)];
    server.ask(&server.address(endpoint), &form, &[]).await
}

const TILLS: (&str, &str) = (TILL, "secrets/app");
const ORDERS_OWN: (&str, &str) = (ORDERS, "secrets/app");
const STRANGERS: (&str, &str) = (EITHER, "secrets/old");

async fn active(server: &TestServer, who: (&str, &str), token: &str) -> Outcome<bool> {
    let answer = post(server, "introspect", who, token).await?;
    assert_eq!((answer.status, answer.cache_control.as_str()), (200, "no-store"));
    let active = answer.body["active"] == true;
    // S67: nothing else is said of what is not active.
    assert!(active || answer.body == json!({"active": false}), "{}", answer.body);
    Ok(active)
}

#[tokio::test]
async fn a_token_is_told_to_its_owner_and_its_audience_alone() -> Outcome<()> {
    // S61, S62, S65, S67
    let world = World::new().await?;
    on_nodes(&[&world.tenant()], async |server| {
        let hand = Hand::new(server);
        let tokens = customer(server, &hand, SCOPE).await?;
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        let (access, refresh, id) = (text("access_token"), text("refresh_token"), text("id_token"));
        let told = post(server, "introspect", ORDERS_OWN, &access).await?.body;
        assert_eq!(
            (&told["active"], &told["client_id"], &told["aud"]),
            (&json!(true), &json!(TILL), &json!(ORDERS))
        );
        assert_eq!((&told["scope"], &told["token_type"]), (&json!("orders.read"), &json!("Bearer")));
        assert_eq!(told["username"], ADA.0);
        assert!(told["exp"].is_i64() && told["sub"].is_string() && told["jti"].is_string());
        assert!(active(server, TILLS, &access).await?);
        assert!(!active(server, STRANGERS, &access).await?);
        assert!(active(server, TILLS, &refresh).await?);
        for stranger in [STRANGERS, ORDERS_OWN] {
            assert!(!active(server, stranger, &refresh).await?);
        }
        // Neither another kind of token nor anything like one.
        let cut = |token: &str| token.get(..token.len() - 1).unwrap().to_owned();
        for token in
            [id, cut(&access), cut(&refresh), refresh.to_uppercase(), "x".to_owned(), "w.x".to_owned()]
        {
            assert!(!active(server, TILLS, &token).await?, "{token}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn only_who_proves_itself_may_ask() -> Outcome<()> {
    // S8, S67, RFC 7662 §2.1
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let url = server.address("introspect");
    for form in [
        vec![("token", "x"), ("client_id", NOBODY)],
        vec![("token", "x"), ("client_id", ORDERS)],
        vec![("token", "x"), ("client_id", ORDERS), ("client_secret", "wrong")],
    ] {
        let answer = server.ask(&url, &form, &[]).await?;
        assert_eq!((answer.status, answer.error().0), (401, "invalid_client"), "{form:?}");
    }
    let own = secret("secrets/app");
    let good = [("client_id", ORDERS), ("client_secret", own.expose().as_str())];
    for more in [vec![], vec![("token", "x"), ("token", "y")]] {
        let form: Vec<_> = good.into_iter().chain(more).collect();
        assert_eq!(server.ask(&url, &form, &[]).await?.error().0, "invalid_request");
    }
    // The path is native authentication's too, which is not built.
    let native = server.ask(&url, &[("client_id", TILL), ("continuation_token", "x")], &[]).await?;
    assert_eq!(native.status, 404);
    server.finish().await
}

#[tokio::test]
async fn what_a_token_rests_on_ends_it_at_once() -> Outcome<()> {
    // S68
    let world = World::new().await?;
    on_nodes(&[&world.tenant()], async |server| {
        let hand = Hand::new(server);
        let tokens = customer(server, &hand, SCOPE).await?;
        let (access, refresh) =
            (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
        assert!(active(server, ORDERS_OWN, access).await? && active(server, TILLS, refresh).await?);
        disable(server, SHOP, ADA.0).await?;
        assert!(!active(server, ORDERS_OWN, access).await? && !active(server, TILLS, refresh).await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_new_password_ends_what_was_granted_before() -> Outcome<()> {
    // S68
    let world = World::new().await?;
    on_nodes(&[&world.tenant()], async |server| {
        let hand = Hand::new(server);
        let tokens = customer(server, &hand, SCOPE).await?;
        let (access, refresh) =
            (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
        assert!(active(server, ORDERS_OWN, access).await?);
        server.clock.advance(Span::seconds(1));
        let mut user = people(server, SHOP, ADA.0).await?.remove(0);
        // What resetting a password writes.
        user.sessions_valid_from = server.site.env.now();
        let tenant = tenant(server, SHOP);
        let update = server.site.env.db.write(move |tx| {
            let user = user.clone();
            Box::pin(async move { users::update(tx, tenant, &user).await.map(drop) })
        });
        update.await?;
        assert!(!active(server, ORDERS_OWN, access).await? && !active(server, TILLS, refresh).await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_token_ends_with_its_time() -> Outcome<()> {
    // S68
    let world = World::new().await?;
    on_nodes(&[&world.tenant()], async |server| {
        let hand = Hand::new(server);
        let tokens = customer(server, &hand, SCOPE).await?;
        let access = tokens["access_token"].as_str().unwrap();
        let life = Span::seconds(tokens["expires_in"].as_i64().unwrap());
        assert!(active(server, TILLS, access).await?);
        server.clock.advance(life);
        assert!(!active(server, TILLS, access).await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn either_token_ends_the_whole_grant_and_only_for_its_owner() -> Outcome<()> {
    // S67, S68, S72
    let world = World::new().await?;
    on_nodes(&[&world.tenant()], async |server| {
        let hand = Hand::new(server);
        let first = customer(server, &hand, SCOPE).await?;
        let second = tokens(&hand, SCOPE).await?;
        for (tokens, shown) in [(first, "refresh_token"), (second, "access_token")] {
            let text = |name: &str| tokens[name].as_str().unwrap();
            for stranger in [STRANGERS, ORDERS_OWN] {
                assert_eq!(post(server, "revoke", stranger, text(shown)).await?.status, 200);
            }
            assert!(active(server, TILLS, text("access_token")).await?);
            let answer = post(server, "revoke", TILLS, text(shown)).await?;
            assert_eq!((answer.status, &answer.body), (200, &json!("")));
            assert!(!active(server, ORDERS_OWN, text("access_token")).await?, "{shown}");
            assert!(!active(server, TILLS, text("refresh_token")).await?, "{shown}");
            assert_eq!(hand.refresh(SHOP, TILL, text("refresh_token")).await?, 400);
            // Again, and nonsense: the same answer.
            assert_eq!(post(server, "revoke", TILLS, text(shown)).await?.status, 200);
            assert_eq!(post(server, "revoke", TILLS, "nonsense").await?.status, 200);
        }
        assert_eq!(recorded(server, SHOP, "grant_revoked").await?.len(), 2);
        let wrong = post(server, "revoke", (TILL, "secrets/other"), "x").await?;
        assert_eq!((wrong.status, wrong.error()), (401, ("invalid_client", 7_000_215)));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_applications_own_token_can_be_taken_back() -> Outcome<()> {
    // S67, S68
    let world = World::new().await?;
    on_nodes(&[&world.tenant()], async |server| {
        let own = secret("secrets/old");
        let proof = [("client_id", EITHER), ("client_secret", own.expose().as_str())];
        let get = async || -> Outcome<String> {
            Ok(server.credentials(&proof, &[]).await?.body["access_token"].as_str().unwrap().to_owned())
        };
        let (one, other) = (get().await?, get().await?);
        assert!(active(server, ORDERS_OWN, &one).await?);
        assert_eq!(post(server, "revoke", ORDERS_OWN, &one).await?.status, 200);
        assert!(active(server, ORDERS_OWN, &one).await?);
        assert_eq!(post(server, "revoke", STRANGERS, &one).await?.status, 200);
        assert!(!active(server, ORDERS_OWN, &one).await?);
        assert!(active(server, ORDERS_OWN, &other).await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_ends_its_own_tokens_from_its_own_origin() -> Outcome<()> {
    // R75, S14
    let world = World::new().await?;
    on_nodes(&[&world.tenant()], async |server| {
        let hand = Hand::new(server);
        customer(server, &hand, SCOPE).await?;
        let back = hand.authorize(SHOP, PAGE, &[]).await?.at_app()?;
        let code = parameter(&back, "code").unwrap();
        let origin = ("origin", PAGE_ORIGIN);
        let form = [
            ("client_id", PAGE),
            ("grant_type", "authorization_code"),
            ("redirect_uri", BACK),
            ("code", code.as_str()),
            ("code_verifier", VERIFIER),
        ];
        let tokens = server.ask(&server.address("token"), &form, &[origin]).await?;
        assert_eq!(tokens.status, 200, "{:?}", tokens.body);
        let refresh = tokens.body["refresh_token"].as_str().unwrap();
        let revoke = async |token: &str, origin: &str| {
            let form = [("client_id", PAGE), ("token", token), ("token_type_hint", "refresh_token")];
            server.ask(&server.address("revoke"), &form, &[("origin", origin)]).await
        };
        let elsewhere = revoke(refresh, "https://evil.example").await?;
        assert_eq!((elsewhere.status, elsewhere.error().1), (400, 9_002_326));
        assert_eq!(revoke(refresh, PAGE_ORIGIN).await?.status, 200);
        let form = [("client_id", PAGE), ("grant_type", "refresh_token"), ("refresh_token", refresh)];
        let again = server.ask(&server.address("token"), &form, &[origin]).await?;
        assert_eq!((again.status, &again.body["suberror"]), (400, &json!("bad_token")));
        Ok(())
    })
    .await
}
