//! Facebook: OAuth 2.0, and a check of the token (security.md RP17). What the stand-in answers is published in
//! “Manually Build a Login Flow”,
//! <https://developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow>,
//! “Debug-Token”, <https://developers.facebook.com/docs/graph-api/reference/debug_token>,
//! “Secure Graph API Calls”, <https://developers.facebook.com/docs/graph-api/guides/secure-requests>, and
//! “Handling Errors”, <https://developers.facebook.com/docs/graph-api/guides/error-handling>.

use serde_json::{Value, json};
use vestibule_crypto::digest;
use vestibule_rules::fault::Outcome;

use super::stand_in::{CLIENT, Call, Company, Reply, StandIn, TOKEN, secret};
use super::{
    Newcomer, arrive, depart, entrance, fails, makes_accounts, not_believed, refused, shown, with_company,
};
use crate::journeys::passage::Hand;

const SUBJECT: &str = "10153421512345678";
const MAIL: &str = "a@fabrikam.example";

pub(super) const FACEBOOK: Company = Company {
    section: r#"identityProviderType: Facebook
endpoints:
  authorization: "{base}/v23.0/dialog/oauth"
  token: "{base}/v23.0/oauth/access_token"
  userInfo: "{base}/v23.0/me?fields=id,name,first_name,last_name,email"
  tokenCheck: "{base}/debug_token"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

fn answer(facebook: &StandIn, call: &Call) -> Reply {
    match call.path.as_str() {
        // “Exchanging Code for an Access Token”.
        "/v23.0/oauth/access_token" if !facebook.redeems(call) || !call.posts_secret() => {
            graph_error("Error validating verification code.", 100)
        }
        "/v23.0/oauth/access_token" => {
            Reply::ok(json!({"access_token": TOKEN, "token_type": "bearer", "expires_in": 5_183_944}))
        }
        // “Verify Graph API Calls with appsecret_proof”.
        "/v23.0/me" if call.asked("appsecret_proof") != proof() => {
            graph_error("Invalid appsecret_proof provided in the API argument", 100)
        }
        "/v23.0/me" if !call.shows_token() => graph_error("Invalid OAuth access token.", 190),
        "/v23.0/me" => Reply::ok(facebook.document("me", person())),
        // “Inspecting Access Tokens”: with a token of the app, which is its id and its secret.
        "/debug_token" if call.asked("access_token") != format!("{CLIENT}|{}", secret().expose()) => {
            graph_error("Invalid OAuth access token.", 190)
        }
        "/debug_token" if call.asked("input_token") != TOKEN => {
            Reply::ok(json!({"data": {"is_valid": false}}))
        }
        "/debug_token" => Reply::ok(json!({"data": facebook.document("token", token())})),
        _ => Reply::error(404, Value::Null),
    }
}

/// The token by the app's secret, in hexadecimal.
fn proof() -> String {
    digest::hex(&digest::hmac_sha256(secret().expose().as_bytes(), TOKEN.as_bytes()))
}

/// “Error Responses”.
fn graph_error(message: &str, code: u32) -> Reply {
    let error = json!({
        "message": message, "type": "OAuthException", "code": code, "fbtrace_id": "EJplcsCHuLu",
    });
    Reply::error(400, json!({"error": error}))
}

/// The fields of `me` that were asked for.
fn person() -> Value {
    json!({
        "id": SUBJECT, "name": "Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace", "email": MAIL,
    })
}

fn token() -> Value {
    json!({
        "app_id": CLIENT, "type": "USER", "application": "Northgate", "expires_at": 1_800_000_000,
        "is_valid": true, "issued_at": 1_795_487_136, "scopes": ["email", "public_profile"],
        "user_id": SUBJECT,
    })
}

#[tokio::test]
async fn a_facebook_account_becomes_a_guest_and_a_customer() -> Outcome<()> {
    makes_accounts(FACEBOOK, |_| Newcomer {
        mail: MAIL,
        subjects: [SUBJECT, SUBJECT].map(str::to_owned),
        issuers: ["facebook.com", "facebook.com"].map(str::to_owned),
        name: "Ada Lovelace",
    })
    .await
}

#[tokio::test]
async fn the_token_is_shown_with_a_proof_that_only_the_app_can_make() -> Outcome<()> {
    with_company(FACEBOOK, async |server, facebook| {
        arrive(server, facebook).await?;
        let call = facebook.only_call("/v23.0/me");
        let expected = proof();
        assert_eq!((expected.len(), call.asked("appsecret_proof")), (64, expected.as_str()));
        assert_eq!(call.asked("fields"), "id,name,first_name,last_name,email");
        // The secret itself goes to the app's own calls alone.
        assert!(!call.query.values().any(|value| value.contains(secret().expose())));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_token_that_was_not_made_for_us_is_refused() -> Outcome<()> {
    // RP17: the token of another app, brought here, would let that app's owner in as anybody who uses it.
    with_company(FACEBOOK, async |server, facebook| {
        let foreign = [
            json!({"app_id": "9876543210"}),
            json!({"app_id": null}),
            json!({"app_id": 1_234_567_890}),
            json!({"user_id": "10153421599999999"}),
            json!({"user_id": null}),
            json!({"is_valid": false}),
            json!({"is_valid": null}),
            json!({"is_valid": "true"}),
        ];
        for said in foreign {
            facebook.says("token", said);
            fails(server, facebook).await?;
        }
        facebook.repents();
        facebook.says("me", json!({"id": "10153421599999999"}));
        fails(server, facebook).await?;
        facebook.says("me", json!({"id": null}));
        fails(server, facebook).await
    })
    .await
}

#[tokio::test]
async fn an_account_without_an_address_makes_none_here() -> Outcome<()> {
    // Who signed up with a telephone number, or took the address out of the consent, has none.
    with_company(FACEBOOK, async |server, facebook| {
        facebook.says("me", json!({"email": null}));
        not_believed(server, facebook).await
    })
    .await
}

#[tokio::test]
async fn errors_of_facebook_leave_a_way_on() -> Outcome<()> {
    with_company(FACEBOOK, async |server, facebook| {
        for path in ["/v23.0/oauth/access_token", "/v23.0/me", "/debug_token"] {
            for status in [400, 200] {
                let error = graph_error("Error validating access token.", 190);
                facebook.answers(path, if status == 200 { Reply::ok(error.body) } else { error });
                fails(server, facebook).await?;
                facebook.repents();
            }
        }
        // “Canceled Login”.
        let hand = Hand::new(server);
        let departure = depart(facebook, &hand, &entrance(&hand).await?).await?;
        let canceled = [
            ("error_reason", "user_denied"),
            ("error", "access_denied"),
            ("error_description", "Permissions error."),
        ];
        let answered = departure.back(&hand, &canceled).await?;
        let form = shown(&hand, answered).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("sign-up", "provider-declined"));
        let departure = depart(facebook, &hand, &form).await?;
        let answered = departure.back(&hand, &[("error_code", "1349048"), ("error_message", "No.")]).await?;
        let form = shown(&hand, answered).await?;
        refused(server, &(hand, form), "refused-provider-failed").await
    })
    .await
}
