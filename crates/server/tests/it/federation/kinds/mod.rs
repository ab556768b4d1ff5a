//! Providers of every kind, each against a stand-in that answers as the company publishes (sign-up.md 2.2 to 2.9,
//! T-09, DIR-01, DIR-02).

mod apple;
mod apple_reports;
mod client_proof;
mod facebook;
mod github;
mod google;
mod linked_in;
mod microsoft;
mod oauth2;
pub(crate) mod stand_in;
mod standard;
mod trial;
mod x;

use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;
use vestibule_rules::directory::user::User;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::{Engine, TestServer};

use self::stand_in::{CODE, Company, Fields, StandIn};
use crate::journeys::passage::{Answered, Form, GUESTS, Hand, PORTAL, SHOP, TILL};
use crate::journeys::passage::{people, recorded};

/// The organisation whose guests come, and the shop whose customers come.
const BOTH: [(&str, &str); 2] = [(GUESTS, PORTAL), (SHOP, TILL)];

/// Runs a test against a server and a company, on each engine.
async fn with_company(
    company: Company,
    test: impl AsyncFn(&TestServer, &Arc<StandIn>) -> Outcome<()>,
) -> Outcome<()> {
    for engine in Engine::ALL {
        let stand_in = StandIn::start(company).await?;
        let [guests, customers] = [include_str!("guests.yaml"), include_str!("customers.yaml")]
            .map(|file| file.replace("{section}\n", &stand_in.section()));
        let server = TestServer::start(engine, &[&guests, &customers]).await?;
        test(&server, &stand_in).await?;
        server.finish().await?;
    }
    Ok(())
}

/// A browser on its way to a company.
pub(super) struct Departure {
    /// Where it was sent.
    pub(super) url: Url,
    /// What the company was asked for, by the browser or before it (RFC 9126).
    pub(super) sent: Fields,
}

impl Departure {
    /// Comes back with any parameters, in the way that was asked for.
    pub(super) async fn back(&self, hand: &Hand, parameters: &[(&str, &str)]) -> Outcome<Answered> {
        let place = &self.sent["redirect_uri"];
        let mut all = vec![("state", self.sent["state"].as_str())];
        all.extend(parameters);
        if self.sent.get("response_mode").is_some_and(|mode| mode == "form_post") {
            let carried = hand.post_across(place, &all).await?;
            let onward = carried.location.ok_or_else(|| Fault::ours(carried.body))?;
            return hand.get(onward.as_str()).await;
        }
        hand.get(Url::parse_with_params(place, all).unwrap().as_str()).await
    }

    /// Comes back with a code.
    pub(super) async fn return_with_code(&self, hand: &Hand) -> Outcome<Answered> {
        self.back(hand, &[("code", CODE)]).await
    }
}

/// The first page for newcomers.
pub(super) async fn entrance(hand: &Hand) -> Outcome<Form> {
    hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await
}

/// Presses the company's button.
pub(super) async fn depart(stand_in: &StandIn, hand: &Hand, form: &Form) -> Outcome<Departure> {
    let answered = hand.answer(form, &[("action", "idp-stranger")]).await?;
    sent(stand_in, answered)
}

/// Takes what the browser is sent with, however it came to be sent.
fn sent(stand_in: &StandIn, answered: Answered) -> Outcome<Departure> {
    let url = answered.location.ok_or_else(|| Fault::ours("nowhere to go"))?;
    if !url.as_str().starts_with(&stand_in.base) {
        return Err(Fault::ours(format!("leads to {url} and not to the company")));
    }
    let query: Fields = url.query_pairs().into_owned().collect();
    // A pushed request was remembered when it arrived.
    if !query.contains_key("request_uri") {
        stand_in.departed(&query);
    }
    Ok(Departure { url, sent: stand_in.departed_with() })
}

/// To the company and back, and what is shown then.
pub(super) async fn travel(stand_in: &StandIn, hand: &Hand, form: &Form) -> Outcome<Form> {
    let departure = depart(stand_in, hand, form).await?;
    let answered = departure.return_with_code(hand).await?;
    shown(hand, answered).await
}

pub(super) async fn shown(hand: &Hand, answered: Answered) -> Outcome<Form> {
    let location = answered.location.ok_or_else(|| Fault::ours(answered.body))?;
    hand.form(location.as_str()).await
}

/// A newcomer's way to the company and back.
pub(super) async fn arrive(server: &TestServer, stand_in: &StandIn) -> Outcome<(Hand, Form)> {
    let hand = Hand::new(server);
    let form = entrance(&hand).await?;
    let form = travel(stand_in, &hand, &form).await?;
    Ok((hand, form))
}

/// Goes on to the app: an external tenant asks whether to stay signed in.
async fn at_app(hand: &Hand, mut answered: Answered) -> Outcome<Url> {
    if let Some(place) = answered.location.clone().filter(|place| place.path().contains("/journey/")) {
        let form = hand.form(place.as_str()).await?;
        assert_eq!(form.asks(), "stay");
        answered = hand.answer(&form, &[("action", "no")]).await?;
    }
    answered.at_app()
}

/// The details that a flow asks of newcomers.
async fn complete(hand: &Hand, form: &Form) -> Outcome<Url> {
    assert_eq!((form.asks(), form.problem().as_str()), ("details", ""));
    let answered = hand.answer(form, &[("displayName", "Ada Lovelace"), ("city", "")]).await?;
    at_app(hand, answered).await
}

/// The way ended, nobody was let in, and there is another way to go.
async fn refused(server: &TestServer, (hand, form): &(Hand, Form), problem: &str) -> Outcome<()> {
    assert_eq!((form.asks(), form.problem().as_str()), ("refused", problem));
    for (tenant, _) in BOTH {
        assert!(recorded(server, tenant, "signUp").await?.is_empty());
        assert!(recorded(server, tenant, "signIn").await?.is_empty());
    }
    let other = hand.next(form, &[]).await?;
    assert!(other.page.has("#idp-stranger"), "{}", other.asks());
    Ok(())
}

/// Whoever comes now has an address that the company is not believed: there is no account before a code proved one.
async fn not_believed(server: &TestServer, stand_in: &StandIn) -> Outcome<()> {
    let (_, form) = arrive(server, stand_in).await?;
    assert_eq!((form.asks(), form.problem().as_str()), ("address", ""));
    for (tenant, _) in BOTH {
        assert!(recorded(server, tenant, "userCreation").await?.is_empty());
        assert!(recorded(server, tenant, "signIn").await?.is_empty());
    }
    Ok(())
}

/// Whoever comes now is refused because of what the company said.
async fn fails(server: &TestServer, stand_in: &StandIn) -> Outcome<()> {
    let arrived = arrive(server, stand_in).await?;
    refused(server, &arrived, "refused-provider-failed").await
}

/// Whom an account is made for.
struct Newcomer {
    mail: &'static str,
    /// What guests and customers are told apart by.
    subjects: [String; 2],
    /// What guests' and customers' identities are filed under.
    issuers: [String; 2],
    /// The name that the company tells; empty when it tells none.
    name: &'static str,
}

/// T-09, DIR-01, DIR-02: the first visit makes a guest or a customer, the second one meets the same account.
async fn makes_accounts(company: Company, newcomer: impl Fn(&StandIn) -> Newcomer) -> Outcome<()> {
    with_company(company, async |server, stand_in| {
        let newcomer = newcomer(stand_in);
        let filed = newcomer.issuers.iter().zip(&newcomer.subjects);
        for ((tenant, app), (issuer, subject)) in BOTH.into_iter().zip(filed) {
            let hand = Hand::new(server);
            let form = hand.begin(tenant, app, &[("prompt", "create")]).await?;
            let form = travel(stand_in, &hand, &form).await?;
            let name = form.page.attribute("#displayName", "value").unwrap_or_default();
            assert_eq!((form.asks(), form.problem().as_str(), name.as_str()), ("details", "", newcomer.name));
            complete(&hand, &form).await?;
            let user = people(server, tenant, newcomer.mail).await?.remove(0);
            check(&user, tenant, (issuer, subject), newcomer.mail);

            let again = Hand::new(server);
            let form = again.begin(tenant, app, &[]).await?;
            let departure = depart(stand_in, &again, &form).await?;
            let answered = departure.return_with_code(&again).await?;
            at_app(&again, answered).await?;
            assert_eq!(recorded(server, tenant, "signIn").await?.len(), 2);
            assert_eq!(people(server, tenant, newcomer.mail).await?.len(), 1);
        }
        Ok(())
    })
    .await
}

fn check(user: &User, tenant: &str, (issuer, subject): (&str, &str), mail: &str) {
    let user = serde_json::to_value(user).unwrap();
    let federated = json!({
        "signInType": "federated", "issuer": issuer, "issuerAssignedId": subject,
    });
    let identities = user["identities"].as_array().unwrap();
    assert_eq!(
        identities.iter().filter(|one| one["signInType"] == "federated").collect::<Vec<_>>(),
        [&federated]
    );
    assert_eq!(user["mail"], mail);
    assert_eq!(user["displayName"], "Ada Lovelace");
    if tenant == GUESTS {
        let name = format!("{}#EXT#@northgate.onmicrosoft.com", mail.replace('@', "_"));
        assert_eq!(user["userPrincipalName"], name);
        assert_eq!((&user["userType"], &user["externalUserState"]), (&json!("Guest"), &json!("Accepted")));
        assert_eq!(user["creationType"], "SelfServiceSignUp");
    } else {
        // A customer who comes through a company has no local account.
        assert_eq!((&user["userType"], &user["externalUserState"]), (&json!("Member"), &Value::Null));
        assert_eq!(user["creationType"], Value::Null);
        let name = format!("{}@shop.onmicrosoft.com", user["id"].as_str().unwrap());
        assert_eq!(user["userPrincipalName"], name);
    }
}
