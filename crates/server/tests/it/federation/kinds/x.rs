//! X. What the stand-in answers is published in “OAuth 2.0 Authorization Code Flow with PKCE”,
//! <https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token.md>, and the quickstart of `/2/users/me`,
//! <https://docs.x.com/ja/x-api/users/lookup/quickstart/authenticated-lookup.md>.

use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;

use super::stand_in::{CLIENT, Call, Company, Reply, StandIn, TOKEN, secret};
use super::{Newcomer, arrive, depart, entrance, fails, makes_accounts, not_believed, shown, with_company};
use crate::journeys::passage::Hand;

const SUBJECT: &str = "2244994945";
const MAIL: &str = "a@fabrikam.example";

const X: Company = Company {
    section: r#"identityProviderType: X
endpoints:
  authorization: "{base}/i/oauth2/authorize"
  token: "{base}/2/oauth2/token"
  userInfo: "{base}/2/users/me?user.fields=confirmed_email"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

fn answer(x: &StandIn, call: &Call) -> Reply {
    let ours = (CLIENT.to_owned(), secret().expose().clone());
    match call.path.as_str() {
        // “Working with confidential clients”: by the header and in no other way.
        "/2/oauth2/token" if call.basic() != Some(ours) => Reply::error(
            401,
            json!({"error": "unauthorized_client", "error_description": "Missing valid authorization header"}),
        ),
        "/2/oauth2/token" if !x.redeems(call) || !x.proves(call) => Reply::oauth_error("invalid_request"),
        "/2/oauth2/token" => Reply::ok(json!({
            "token_type": "bearer", "expires_in": 7_200, "access_token": TOKEN,
            "scope": "users.read tweet.read users.email",
        })),
        "/2/users/me" if !call.shows_token() => problem(),
        // Only what is asked for by `user.fields` is told beside id, name and username.
        "/2/users/me" if call.asked("user.fields") != "confirmed_email" => {
            Reply::ok(json!({"data": {"id": SUBJECT, "name": "Ada Lovelace", "username": "ada"}}))
        }
        "/2/users/me" => Reply::ok(json!({"data": x.document("me", person())})),
        _ => Reply::error(404, Value::Null),
    }
}

fn person() -> Value {
    json!({"id": SUBJECT, "name": "Ada Lovelace", "username": "ada", "confirmed_email": MAIL})
}

/// RFC 9457, as its API answers.
fn problem() -> Reply {
    let body =
        json!({"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"});
    Reply::error(401, body)
}

#[tokio::test]
async fn an_account_of_x_becomes_a_guest_and_a_customer() -> Outcome<()> {
    makes_accounts(X, |_| Newcomer {
        mail: MAIL,
        subjects: [SUBJECT, SUBJECT].map(str::to_owned),
        issuers: ["x.com", "x.com"].map(str::to_owned),
        name: "Ada Lovelace",
    })
    .await
}

#[tokio::test]
async fn the_secret_of_x_is_in_the_header_alone() -> Outcome<()> {
    with_company(X, async |server, x| {
        arrive(server, x).await?;
        let call = x.only_call("/2/oauth2/token");
        assert!(!call.form.contains_key("client_secret") && !call.body.contains(secret().expose()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_account_of_x_without_a_confirmed_address_makes_none_here() -> Outcome<()> {
    with_company(X, async |server, x| {
        x.says("me", json!({"confirmed_email": null}));
        not_believed(server, x).await?;
        x.says("me", json!({"confirmed_email": null, "email": "ceo@victim.example"}));
        not_believed(server, x).await
    })
    .await
}

#[tokio::test]
async fn errors_of_x_leave_a_way_on() -> Outcome<()> {
    with_company(X, async |server, x| {
        x.answers("/2/oauth2/token", Reply::oauth_error("invalid_request"));
        fails(server, x).await?;
        x.repents();
        x.answers("/2/users/me", problem());
        fails(server, x).await?;
        // Its API answers 200 when there is nobody to tell of.
        x.answers("/2/users/me", Reply::ok(json!({"errors": [{"title": "Not Found Error"}]})));
        fails(server, x).await?;
        x.repents();
        let hand = Hand::new(server);
        let departure = depart(x, &hand, &entrance(&hand).await?).await?;
        let answered = departure.back(&hand, &[("error", "access_denied")]).await?;
        let form = shown(&hand, answered).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("sign-up", "provider-declined"));
        Ok(())
    })
    .await
}
