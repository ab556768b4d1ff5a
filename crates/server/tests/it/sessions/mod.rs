//! Several accounts in one browser, how long sessions last, and what ends them everywhere.

mod accounts;
mod everywhere;
mod lifetimes;
mod telling;

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::TestServer;
use vestibule_testkit::browser::Page;

use crate::client::{claims, parameter};
use crate::journeys::passage::{Answered, Form, GUESTS, Hand, PORTAL, guests};

pub(crate) const ADA: &str = "ada@northwind.example";
pub(crate) const BOB: &str = "bob@northwind.example";
const NOBODY: &str = "https://nobody.example";

pub(crate) fn harbour() -> String {
    guests(NOBODY)
}

/// Signs somebody up in a browser in which others may be signed in; their name is that of their address.
pub(crate) async fn sign_up(server: &TestServer, hand: &Hand, address: &str) -> Outcome<()> {
    let (form, code) = hand.ask_for_code(server, address).await?;
    let form = hand.next(&form, &[("code", &code)]).await?;
    let name = address.split('@').next().unwrap();
    hand.answer(&form, &[("displayName", name)]).await?.at_app().map(drop)
}

/// A browser with Ada and Bob, who came last.
pub(crate) async fn both(server: &TestServer) -> Outcome<Hand> {
    let hand = Hand::new(server);
    sign_up(server, &hand, ADA).await?;
    sign_up(server, &hand, BOB).await?;
    Ok(hand)
}

/// The page that asks which account it is.
pub(crate) async fn asked(hand: &Hand, more: &[(&str, &str)]) -> Outcome<Form> {
    let form = hand.begin(GUESTS, PORTAL, more).await?;
    if form.url.contains("/choose/") { Ok(form) } else { Err(form.page.unexpected("asks for no account")) }
}

/// The value of the button of an account: its session.
pub(crate) fn sid_of(page: &Page, address: &str) -> Outcome<String> {
    for number in 1..=page.count(".accounts li") {
        let button = format!("#account-{number}");
        if page.text(&button).is_some_and(|text| text.contains(address)) {
            return Ok(page.attribute(&button, "value").unwrap_or_default());
        }
    }
    Err(page.unexpected(&format!("does not list {address}")))
}

/// Chooses an account as the page lets.
pub(crate) async fn choose(hand: &Hand, form: &Form, address: &str) -> Outcome<Answered> {
    hand.answer(form, &[("account", &sid_of(&form.page, address)?)]).await
}

/// Whose tokens an app gets at once; the error, when it gets none.
pub(crate) async fn at_once(hand: &Hand, more: &[(&str, &str)]) -> Outcome<String> {
    let back = hand.authorize(GUESTS, PORTAL, more).await?.at_app()?;
    if let Some(error) = parameter(&back, "error") {
        return Ok(error);
    }
    Ok(id_token(hand, &back).await?["preferred_username"].as_str().unwrap_or_default().to_owned())
}

/// The claims of the ID token behind a code.
pub(crate) async fn id_token(hand: &Hand, back: &url::Url) -> Outcome<serde_json::Value> {
    let (_, tokens) = hand.redeem(GUESTS, PORTAL, back).await?;
    let token = tokens["id_token"].as_str().ok_or_else(|| Fault::ours(tokens.to_string()))?;
    Ok(claims(token))
}
