//! Apps of others and what people let them do: asking, attacks on the page that asks, taking it back, and every other
//! door that leads to tokens.

mod admin;
mod asking;
mod attacks;
mod elsewhere;
mod withdrawing;

use serde_json::Value;
use url::Url;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::TestServer;

use crate::client::parameter;
use crate::journeys::passage::{Answered, Form, Hand, SHOP};

const MALL: &str = include_str!("mall.yaml");
const ROBOT: &str = "44444444-4444-4444-8444-444444444444";
const TELEVISION: &str = "66666666-6666-4666-8666-666666666666";
const MILL: &str = "77777777-7777-4777-8777-777777777777";
const BROKER: &str = "88888888-8888-4888-8888-888888888888";
const ADA: &str = "ada@northwind.example";
const EVE: &str = "eve@northwind.example";
const PASSWORD: &str = "seven green lanterns in the fog";
const BASIC: &str = "openid profile offline_access";

/// A browser in which somebody signed up, at the organisation's own app.
async fn signed_in(server: &TestServer, address: &str) -> Outcome<Hand> {
    let hand = Hand::new(server);
    let stay = hand.almost_customer(server, (address, PASSWORD)).await?;
    hand.answer(&stay, &[("action", "no")]).await?.at_app()?;
    Ok(hand)
}

/// Where an app sends the browser for a scope.
fn address(hand: &Hand, app: &str, scope: &str, more: &[(&str, &str)]) -> String {
    let mut url = Url::parse(&hand.address(SHOP, app, more)).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(n, _)| n != "scope").collect();
    url.query_pairs_mut().clear().extend_pairs(pairs).append_pair("scope", scope);
    url.into()
}

async fn ask(hand: &Hand, app: &str, scope: &str, more: &[(&str, &str)]) -> Outcome<Answered> {
    hand.get(&address(hand, app, scope, more)).await
}

/// The page that asks for consent.
async fn asked(hand: &Hand, app: &str, scope: &str, more: &[(&str, &str)]) -> Outcome<Form> {
    let answered = ask(hand, app, scope, more).await?;
    let place = answered.location.ok_or_else(|| Fault::ours(answered.body))?;
    let form = hand.form(place.as_str()).await?;
    if form.url.contains("/consent/") { Ok(form) } else { Err(form.page.unexpected("asks for no consent")) }
}

/// The error with which an app is answered at once; none when it gets a code.
async fn at_once(hand: &Hand, app: &str, scope: &str, more: &[(&str, &str)]) -> Outcome<Option<String>> {
    Ok(parameter(&ask(hand, app, scope, more).await?.at_app()?, "error"))
}

/// Agrees to what the robot asks for, and gives it its tokens.
async fn accepted(hand: &Hand, scope: &str) -> Outcome<Value> {
    let form = asked(hand, ROBOT, scope, &[]).await?;
    let back = hand.answer(&form, &[("action", "accept")]).await?.at_app()?;
    let (status, tokens) = hand.redeem(SHOP, ROBOT, &back).await?;
    if status == 200 { Ok(tokens) } else { Err(Fault::ours(tokens.to_string())) }
}

/// Error, number and suberror.
fn refusal(body: &Value) -> (&str, u64, &str) {
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    (text("error"), body["error_codes"][0].as_u64().unwrap_or_default(), text("suberror"))
}
