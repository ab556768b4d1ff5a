//! Three nodes on one PostgreSQL behind a front that gives each the next request: what must happen once happens once,
//! however many ask at the same time and wherever they arrive.

use std::collections::BTreeSet;

use futures_util::future::{join_all, try_join_all};
use serde_json::Value;
use url::Url;
use vestibule_rules::fault::Outcome;
use vestibule_testkit::server::secret;
use vestibule_testkit::{Engine, TestServer};

use crate::client::parameter;
use crate::journeys::passage::{
    Answered, GUESTS, Hand, ORDERS, PORTAL, SHOP, TILL, disable, guests, people, recorded, shop,
};
use crate::oauth2::world::{Asks as _, KEYED, World};

const AT_ONCE: usize = 64;
const ADA: &str = "ada@northwind.example";
const PASSWORD: &str = "seven green lanterns in the fog";
const NOBODY: &str = "https://nobody.example";
/// The app's session was ended, or its code or token used before.
const REUSED: u64 = 54_005;

async fn nodes(tenants: &[&str]) -> Outcome<TestServer> {
    TestServer::start_nodes(Engine::Postgres, 3, tenants).await
}

fn number(answer: &Value) -> Option<u64> {
    answer["error_codes"][0].as_u64()
}

async fn silent(hand: &Hand, app: &str) -> Outcome<Option<String>> {
    let back = hand.authorize(GUESTS, app, &[("prompt", "none")]).await?.at_app()?;
    Ok(parameter(&back, "error"))
}

async fn renewed(hand: &Hand, token: &str) -> Outcome<(u16, Value)> {
    hand.token(GUESTS, PORTAL, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

fn refresh_token(tokens: &Value) -> String {
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn of_64_redemptions_of_a_code_one_succeeds_and_what_it_bought_is_void() -> Outcome<()> {
    // S29
    let server = nodes(&[&guests(NOBODY)]).await?;
    let hand = Hand::new(&server);
    let back = hand.become_guest(&server, ADA).await?;
    let answers = try_join_all((0..AT_ONCE).map(|_| hand.redeem(GUESTS, PORTAL, &back))).await?;
    let (bought, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(status, _)| *status == 200);
    assert_eq!((bought.len(), refused.len()), (1, AT_ONCE - 1));
    for (status, answer) in &refused {
        assert_eq!((*status, &answer["error"], number(answer)), (400, &"invalid_grant".into(), Some(REUSED)));
    }
    assert_eq!(renewed(&hand, &refresh_token(&bought[0].1)).await?.0, 400);
    server.finish().await
}

#[tokio::test]
async fn of_64_uses_of_a_refresh_token_all_get_the_same_successor() -> Outcome<()> {
    // S73, S74
    let server = nodes(&[&guests(NOBODY)]).await?;
    let hand = Hand::new(&server);
    let back = hand.become_guest(&server, ADA).await?;
    let first = refresh_token(&hand.redeem(GUESTS, PORTAL, &back).await?.1);
    let answers = try_join_all((0..AT_ONCE).map(|_| renewed(&hand, &first))).await?;
    let successors: BTreeSet<String> = answers.iter().map(|(_, answer)| refresh_token(answer)).collect();
    assert_eq!(successors.len(), 1);
    let successor = successors.first().unwrap();
    assert_eq!(renewed(&hand, successor).await?.0, 200);
    // Whoever comes with the first one now has stolen it.
    assert_eq!(renewed(&hand, &first).await?.0, 400);
    assert_eq!(renewed(&hand, successor).await?.0, 400);
    assert_eq!(recorded(&server, GUESTS, "refresh_reuse").await?.len(), 1);
    server.finish().await
}

#[tokio::test]
async fn of_64_answers_to_a_pushed_request_one_has_a_code() -> Outcome<()> {
    // S52
    let server = nodes(&[&guests(NOBODY)]).await?;
    let hand = Hand::new(&server);
    hand.become_guest(&server, ADA).await?;
    let asks = Url::parse(&hand.address(GUESTS, PORTAL, &[])).unwrap();
    let mut form: Vec<(String, String)> = asks.query_pairs().into_owned().collect();
    form.push(("client_secret".to_owned(), secret("secrets/app").expose().clone()));
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let par = format!("{}/{GUESTS}/oauth2/v2.0/par", server.origin);
    let pushed: Value = serde_json::from_str(&hand.post(&par, &form).await?.body).unwrap();
    let name = pushed["request_uri"].as_str().unwrap();
    let address = format!("{}/{GUESTS}/oauth2/v2.0/authorize", server.origin);
    let address = Url::parse_with_params(&address, [("client_id", PORTAL), ("request_uri", name)]).unwrap();
    let answers = try_join_all((0..AT_ONCE).map(|_| hand.get(address.as_str()))).await?;
    let answers: Vec<Url> = answers.into_iter().map(Answered::at_app).collect::<Outcome<_>>()?;
    let told = |name: &str| answers.iter().filter_map(|back| parameter(back, name)).collect::<Vec<_>>();
    assert_eq!(told("code").len(), 1, "{answers:?}");
    assert_eq!(told("error"), vec!["invalid_request_uri"; AT_ONCE - 1]);
    server.finish().await
}

#[tokio::test]
async fn who_signs_out_at_one_node_is_signed_out_at_all() -> Outcome<()> {
    // S68, S86
    let server = nodes(&[&guests(NOBODY)]).await?;
    let hand = Hand::new(&server);
    let back = hand.become_guest(&server, ADA).await?;
    let (_, tokens) = hand.redeem(GUESTS, PORTAL, &back).await?;
    for app in [ORDERS, PORTAL, ORDERS] {
        assert_eq!(silent(&hand, app).await?, None);
    }
    let hint = tokens["id_token"].as_str().unwrap();
    let url = format!("{}/{GUESTS}/oauth2/v2.0/logout?id_token_hint={hint}", server.origin);
    assert!(hand.get(&url).await?.status < 400);
    let answers = try_join_all((0..AT_ONCE).map(|_| silent(&hand, ORDERS))).await?;
    assert!(answers.iter().all(|error| error.as_deref() == Some("login_required")), "{answers:?}");
    server.finish().await
}

#[tokio::test]
async fn a_disabled_account_is_dead_at_every_node_at_once() -> Outcome<()> {
    // S68, S87: there is nothing to wait for.
    let server = nodes(&[&guests(NOBODY)]).await?;
    let hand = Hand::new(&server);
    let back = hand.become_guest(&server, ADA).await?;
    let (_, tokens) = hand.redeem(GUESTS, PORTAL, &back).await?;
    let userinfo = format!("{}/{GUESTS}/openid/userinfo", server.origin);
    let bearer = tokens["access_token"].as_str().unwrap();
    assert_eq!(hand.bearing(&userinfo, bearer).await?.0, 200);
    disable(&server, GUESTS, ADA).await?;
    for _ in 0..6 {
        assert_eq!(hand.bearing(&userinfo, bearer).await?.0, 401);
        assert_eq!(silent(&hand, ORDERS).await?.as_deref(), Some("login_required"));
        assert_eq!(renewed(&hand, &refresh_token(&tokens)).await?.0, 400);
    }
    server.finish().await
}

#[tokio::test]
async fn a_journey_goes_on_at_whatever_node_its_answers_arrive() -> Outcome<()> {
    // S29, S88: 64 people at once, each through every node.
    let server = nodes(&[&guests(NOBODY)]).await?;
    let visitors = (0..AT_ONCE).map(|visitor| {
        let server = &server;
        async move {
            let (hand, address) = (Hand::new(server), format!("visitor-{visitor}@northwind.example"));
            let back = hand.become_guest(server, &address).await?;
            let (status, _) = hand.redeem(GUESTS, PORTAL, &back).await?;
            assert_eq!((status, people(server, GUESTS, &address).await?.len()), (200, 1));
            Outcome::Ok(())
        }
    });
    try_join_all(visitors).await?;
    server.finish().await
}

#[tokio::test]
async fn of_64_last_clicks_one_makes_an_account() -> Outcome<()> {
    let server = nodes(&[&shop()]).await?;
    let hand = Hand::new(&server);
    let form = hand.begin(SHOP, TILL, &[("prompt", "create")]).await?;
    let form = hand.next(&form, &[("username", ADA)]).await?;
    let code = server.inbox.await_code(ADA).await?;
    let form = hand.next(&form, &[("code", &code)]).await?;
    let last = [("password", PASSWORD), ("givenName", "Ada")];
    for answered in join_all((0..AT_ONCE).map(|_| hand.answer(&form, &last))).await {
        assert_eq!(answered?.status, 303);
    }
    assert_eq!(people(&server, SHOP, ADA).await?.len(), 1);
    server.finish().await
}

#[tokio::test]
async fn of_64_uses_of_an_assertion_one_is_taken() -> Outcome<()> {
    // S44
    let world = World::new().await?;
    let server = nodes(&[&world.tenant()]).await?;
    let assertion = world.assertion(&server, Value::Object(serde_json::Map::new()));
    let scope = format!("{KEYED}/.default");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", KEYED),
        ("scope", scope.as_str()),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.as_str()),
    ];
    let address = server.address("token");
    let answers = try_join_all((0..AT_ONCE).map(|_| server.ask(&address, &form, &[]))).await?;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    server.finish().await
}

#[tokio::test]
async fn of_64_answers_of_a_token_and_its_revocation_none_outlives_it() -> Outcome<()> {
    // S68, S77: renewals that race with the revocation of their grant.
    let server = nodes(&[&guests(NOBODY)]).await?;
    let hand = Hand::new(&server);
    let back = hand.become_guest(&server, ADA).await?;
    let first = refresh_token(&hand.redeem(GUESTS, PORTAL, &back).await?.1);
    let own = secret("secrets/app");
    let form = [("client_id", PORTAL), ("client_secret", own.expose().as_str()), ("token", &first)];
    let revoke = format!("{}/{GUESTS}/oauth2/v2.0/revoke", server.origin);
    let renewals = join_all((0..AT_ONCE).map(|_| renewed(&hand, &first)));
    let (answers, revoked) = tokio::join!(renewals, server.ask(&revoke, &form, &[]));
    assert_eq!(revoked?.status, 200);
    for answer in answers {
        let (status, answer) = answer?;
        if status == 200 {
            assert_eq!(renewed(&hand, &refresh_token(&answer)).await?.0, 400, "a branch outlived its grant");
        }
    }
    assert_eq!(renewed(&hand, &first).await?.0, 400);
    server.finish().await
}
