//! LinkedIn. What the stand-in answers is published in “Sign In with LinkedIn using OpenID Connect”,
//! <https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2>, and
//! “Authorization Code Flow (3-legged OAuth)”,
//! <https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow>.

use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;

use super::stand_in::{Call, Company, Reply, StandIn, TOKEN};
use super::{Newcomer, depart, entrance, fails, makes_accounts, not_believed, shown, with_company};
use crate::journeys::passage::Hand;

const SUBJECT: &str = "782bbtaQ";
const MAIL: &str = "a@fabrikam.example";

const LINKED_IN: Company = Company {
    section: r#"identityProviderType: LinkedIn
endpoints:
  authorization: "{base}/oauth/v2/authorization"
  token: "{base}/oauth/v2/accessToken"
  userInfo: "{base}/v2/userinfo"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

fn answer(linked_in: &StandIn, call: &Call) -> Reply {
    match call.path.as_str() {
        // “Step 3: Exchange Authorization Code for an Access Token”.
        // An app with a secret that brings a PKCE verifier is turned away.
        "/oauth/v2/accessToken" if !call.posts_secret() || !call.field("code_verifier").is_empty() => {
            Reply::oauth_error("invalid_client")
        }
        "/oauth/v2/accessToken" if !linked_in.redeems(call) => Reply::oauth_error("invalid_request"),
        "/oauth/v2/accessToken" => Reply::ok(json!({
            "access_token": TOKEN, "expires_in": 5_184_000, "scope": "email,openid,profile",
            "token_type": "Bearer", "id_token": linked_in.id_token(id_token()),
        })),
        // “Retrieving Member Profiles”.
        "/v2/userinfo" if !call.shows_token() => Reply::error(
            401,
            json!({"serviceErrorCode": 65_600, "message": "Invalid access token", "status": 401}),
        ),
        "/v2/userinfo" => Reply::ok(linked_in.document("userinfo", person())),
        _ => Reply::error(404, Value::Null),
    }
}

/// There is no nonce in it, so it proves nothing about this departure.
fn id_token() -> Value {
    json!({"iss": "https://www.linkedin.com/oauth", "nonce": "of another sign-in", "sub": "somebody-else"})
}

/// “Response Body Schema”.
fn person() -> Value {
    json!({
        "sub": SUBJECT, "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace",
        "picture": "https://media.linkedin.example/ada", "locale": {"country": "GB", "language": "en"},
        "email": MAIL, "email_verified": true,
    })
}

#[tokio::test]
async fn a_linked_in_account_becomes_a_guest_and_a_customer() -> Outcome<()> {
    makes_accounts(LINKED_IN, |_| Newcomer {
        mail: MAIL,
        subjects: [SUBJECT, SUBJECT].map(str::to_owned),
        issuers: ["linkedin.com", "linkedin.com"].map(str::to_owned),
        name: "Ada Lovelace",
    })
    .await
}

#[tokio::test]
async fn an_address_of_linked_in_counts_when_it_is_verified() -> Outcome<()> {
    // “email” and “email_verified” are optional members.
    with_company(LINKED_IN, async |server, linked_in| {
        for said in
            [json!({"email_verified": false}), json!({"email_verified": null}), json!({"email": null})]
        {
            linked_in.says("userinfo", said);
            not_believed(server, linked_in).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn errors_of_linked_in_leave_a_way_on() -> Outcome<()> {
    with_company(LINKED_IN, async |server, linked_in| {
        linked_in.answers("/oauth/v2/accessToken", Reply::oauth_error("invalid_request"));
        fails(server, linked_in).await?;
        linked_in.repents();
        linked_in.answers("/v2/userinfo", Reply::error(401, json!({"status": 401})));
        fails(server, linked_in).await?;
        linked_in.repents();
        // “Your application is rejected”: at its sign-in page, or at the consent.
        for no in ["user_cancelled_login", "user_cancelled_authorize"] {
            let hand = Hand::new(server);
            let departure = depart(linked_in, &hand, &entrance(&hand).await?).await?;
            let answered = departure.back(&hand, &[("error", no), ("error_description", "No.")]).await?;
            let form = shown(&hand, answered).await?;
            assert_eq!((form.asks(), form.problem().as_str()), ("sign-up", "provider-declined"));
        }
        Ok(())
    })
    .await
}
