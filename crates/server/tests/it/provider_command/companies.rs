//! Providers without a discovery document, each with its own words for a code that is none.

use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;

use super::Place;
use crate::federation::kinds::stand_in::{Call, Company, Reply, StandIn};

const GITHUB: Company = Company {
    section: r#"identityProviderType: GitHub
endpoints:
  authorization: "{base}/authorize"
  token: "{base}/token"
  userInfo: "{base}/user"
  emails: "{base}/user/emails"
  tokenCheck: "{base}/applications"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer: github,
};

const FACEBOOK: Company = Company {
    section: r#"identityProviderType: Facebook
endpoints:
  authorization: "{base}/authorize"
  token: "{base}/token"
  userInfo: "{base}/me"
  tokenCheck: "{base}/debug_token"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer: facebook,
};

const MICROSOFT: Company = Company {
    section: r#"identityProviderType: MicrosoftEntra
issuer: "{base}"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer: super::checkup::answer,
};

/// GitHub tells errors with 200.
fn github(_: &StandIn, call: &Call) -> Reply {
    match call.path.as_str() {
        "/token" if !call.posts_secret() => Reply::ok(json!({"error": "incorrect_client_credentials"})),
        "/token" => Reply::ok(json!({"error": "bad_verification_code"})),
        "/authorize" => {
            Reply::error(302, Value::Null).with("location", "https://github.com/login?return_to=x")
        }
        _ => Reply::error(404, Value::Null),
    }
}

fn facebook(_: &StandIn, call: &Call) -> Reply {
    match call.path.as_str() {
        "/token" => graph_error("Invalid verification code format.", 100),
        _ => Reply::error(404, Value::Null),
    }
}

fn graph_error(message: &str, code: u32) -> Reply {
    Reply::error(400, json!({"error": {"message": message, "type": "OAuthException", "code": code}}))
}

#[tokio::test]
async fn a_company_without_a_discovery_document_is_asked_what_makes_sense() -> Outcome<()> {
    let (place, provider) = Place::with_company(GITHUB).await?;
    let found = place.test().await?;
    found.fails_at(&[]);
    let steps: Vec<&str> = found.results().into_keys().collect();
    let expected = [
        "authorization",
        "certificate",
        "client",
        "clock",
        "configuration",
        "endpoints",
        "name",
        "secretExpiry",
    ];
    assert_eq!(steps, expected);
    found.says("client", "ok", "accepts the client and its proof");
    found.says("authorization", "notChecked", "shows a page of its own");
    provider.answers("/token", Reply::ok(json!({"error": "incorrect_client_credentials"})));
    place.test().await?.says("client", "failed", "the client id or the secret is wrong");
    provider.answers("/token", Reply::ok(json!({"error": "redirect_uri_mismatch"})));
    place.test().await?.says(
        "client",
        "failed",
        "does not know our redirect address; register http://localhost",
    );
    provider.answers("/token", Reply::error(500, Value::Null));
    place.test().await?.says("client", "failed", "the token endpoint answered 500");
    place.server.finish().await
}

#[tokio::test]
async fn facebook_tells_by_numbers() -> Outcome<()> {
    let (place, provider) = Place::with_company(FACEBOOK).await?;
    place.test().await?.says("client", "ok", "accepts the client and its proof");
    provider.answers("/token", graph_error("Error validating client secret.", 1));
    place.test().await?.says("client", "failed", "(it said “Error validating client secret.”)");
    provider.answers("/token", graph_error("Error validating application. Invalid application ID.", 101));
    place.test().await?.says("client", "failed", "compare clientId");
    provider.answers("/token", graph_error("redirect_uri isn't an absolute URI", 191));
    place.test().await?.says("client", "failed", "does not know our redirect address");
    place.server.finish().await
}

#[tokio::test]
async fn where_the_answer_does_not_tell_it_is_not_called_good() -> Outcome<()> {
    let (place, provider) = Place::with_company(MICROSOFT).await?;
    let body = json!({"error": "invalid_grant", "error_description": "AADSTS9002313: Invalid request."});
    provider.answers("/token", Reply::error(400, body));
    let found = place.test().await?;
    found.fails_at(&[]);
    found.says("client", "notChecked", "looks at the code before it looks at the client");
    let words = "AADSTS50011: The redirect URI specified in the request does not match";
    provider.answers("/authorize", Reply::ok(json!(words)));
    place.test().await?.says("authorization", "failed", "does not know our redirect address");
    provider.answers("/token", Reply::ok(json!({"access_token": "a", "token_type": "Bearer"})));
    place.test().await?.says("client", "notChecked", "a code that does not exist");
    place.server.finish().await
}
