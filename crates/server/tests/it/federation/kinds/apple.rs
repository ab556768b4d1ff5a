//! Apple: the answer is posted, and the secret is a statement that is signed anew each time. What the stand-in
//! answers is published in “Sign in with Apple REST API”,
//! <https://developer.apple.com/documentation/signinwithapplerestapi.md>, “Request an authorization to the Sign in
//! with Apple server” there, “Token validation”,
//! <https://developer.apple.com/documentation/signinwithapplerestapi/generate-and-validate-tokens.md>, “Receiving a
//! User’s Identity Token”,
//! <https://developer.apple.com/documentation/signinwithapple/receiving-a-users-identity-token.md>, “UserI” and
//! “firstName”, <https://developer.apple.com/documentation/signinwithapplejs/namei/firstname.md>, and “TN3107”,
//! <https://developer.apple.com/documentation/technotes/tn3107-resolving-sign-in-with-apple-response-errors.md>.

use serde_json::{Value, json};
use vestibule_crypto::client_key::ClientKey;
use vestibule_crypto::digest::half_hash;
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};
use vestibule_crypto::jws::{Expected, Typ, verify};
use vestibule_rules::fault::Outcome;
use vestibule_testkit::TestServer;
use vestibule_testkit::server::BEGIN;

use super::stand_in::{CLIENT, CODE, Call, Company, Reply, StandIn, TOKEN};
use super::{Newcomer, depart, entrance, fails, makes_accounts, not_believed, shown, travel, with_company};
use crate::client::parameter;
use crate::journeys::passage::{Form, Hand};

pub(super) const SUBJECT: &str = "001473.fe6f3b5fd4ba4d3ea0d1d2b2c1a2b3c4.1144";
pub(super) const MAIL: &str = "a8x9@privaterelay.appleid.com";
const KEY: &str = "secrets/AuthKey_ABC123DEFG.p8";

pub(super) const APPLE: Company = Company {
    section: r#"identityProviderType: Apple
issuer: "{base}"
clientId: "{client}"
teamId: DEF123GHIJ
keyId: ABC123DEFG
appId: com.northgate.app
clientKey: { file: secrets/AuthKey_ABC123DEFG.p8 }"#,
    answer,
};

fn answer(apple: &StandIn, call: &Call) -> Reply {
    match call.path.as_str() {
        "/.well-known/openid-configuration" => Reply::ok(discovery(&apple.base)),
        "/auth/keys" => Reply::ok(apple.keys()),
        // TN3107: errors have one member.
        "/auth/token" if call.field("client_id") != CLIENT || signed(call).is_none() => {
            Reply::error(400, json!({"error": "invalid_client"}))
        }
        "/auth/token" if !apple.redeems(call) => Reply::error(400, json!({"error": "invalid_grant"})),
        // TokenResponse.
        "/auth/token" => Reply::ok(json!({
            "access_token": TOKEN, "token_type": "Bearer", "expires_in": 3_600,
            "refresh_token": "r.0.abcd.efg", "id_token": apple.id_token(person(apple)),
        })),
        _ => Reply::error(404, Value::Null),
    }
}

fn discovery(base: &str) -> Value {
    json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/auth/authorize"),
        "token_endpoint": format!("{base}/auth/token"),
        "revocation_endpoint": format!("{base}/auth/revoke"),
        "jwks_uri": format!("{base}/auth/keys"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "name"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    })
}

/// “The value can either be a String or a Boolean”: <https://developer.apple.com/forums/thread/662175>. There is no
/// name in it.
fn person(apple: &StandIn) -> Value {
    json!({
        "iss": apple.base, "sub": SUBJECT, "at_hash": half_hash(TOKEN), "email": MAIL,
        "email_verified": "true", "is_private_email": "true", "auth_time": BEGIN.seconds(),
        "nonce_supported": true,
    })
}

/// The claims of the secret, when it is signed with the private key of the `.p8` file (“Creating a client secret”).
fn signed(call: &Call) -> Option<Value> {
    let key = ClientKey::from_pem(&vestibule_testkit::server::secret(KEY)).unwrap().with_kid("ABC123DEFG");
    let keys = VerifyingKey::set(json!({"keys": [key.jwk()]}).to_string().as_bytes()).unwrap();
    let expected = Expected { algorithms: &[Algorithm::Es256], typ: Typ::AbsentOr(&["JWT"]) };
    let verified = verify(call.field("client_secret"), &keys, &expected).ok()?;
    (verified.kid.as_deref() == Some("ABC123DEFG")).then_some(Value::Object(verified.claims))
}

#[tokio::test]
async fn an_apple_account_becomes_a_guest_and_a_customer() -> Outcome<()> {
    makes_accounts(APPLE, |_| Newcomer {
        mail: MAIL,
        subjects: [SUBJECT, SUBJECT].map(str::to_owned),
        issuers: ["apple.com", "apple.com"].map(str::to_owned),
        name: "",
    })
    .await
}

#[tokio::test]
async fn the_secret_is_signed_with_the_key_that_apple_gave() -> Outcome<()> {
    with_company(APPLE, async |server, apple| {
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        travel(apple, &hand, &form).await?;
        let claims = signed(&apple.only_call("/auth/token")).unwrap();
        let expected = json!({
            "iss": "DEF123GHIJ", "sub": CLIENT, "aud": "https://appleid.apple.com",
            "iat": BEGIN.seconds(), "exp": BEGIN.seconds() + 600,
        });
        assert_eq!(claims, expected);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_posted_answer_arrives_without_cookies_and_shows_its_code_to_nobody() -> Outcome<()> {
    with_company(APPLE, async |server, apple| {
        let (hand, thief) = (Hand::new(server), Hand::new(server));
        let form = entrance(&hand).await?;
        let departure = depart(apple, &hand, &form).await?;
        assert_eq!(departure.sent["response_mode"], "form_post");
        assert_eq!(departure.sent["scope"], "openid name email");
        let place = &departure.sent["redirect_uri"];
        let user = r#"{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"ada@evil.example"}"#;
        let posted = [("state", departure.sent["state"].as_str()), ("code", CODE), ("user", user)];
        let carried = hand.post_across(place, &posted).await?;
        assert_eq!((carried.status, carried.cookies.len()), (303, 0));
        let onward = carried.location.unwrap();
        let sealed = parameter(&onward, "response").unwrap();
        assert_eq!(onward.query_pairs().count(), 1);
        for private in [CODE, "Lovelace", departure.sent["state"].as_str()] {
            assert!(!onward.as_str().contains(private) && !carried.body.contains(private), "{private}");
        }
        // Nothing happens before the browser shows whose it is, and another browser's is nobody's.
        assert!(apple.calls("/auth/token").is_empty());
        assert_eq!(thief.get(onward.as_str()).await?.status, 404);
        let mut other = onward.clone();
        let turned: String = sealed.chars().rev().collect();
        other.query_pairs_mut().clear().append_pair("response", &turned);
        assert_eq!(hand.get(other.as_str()).await?.status, 400);
        assert!(apple.calls("/auth/token").is_empty());
        let answered = hand.get(onward.as_str()).await?;
        let form = shown(&hand, answered).await?;
        assert_eq!(form.asks(), "details");
        assert_eq!(apple.only_call("/auth/token").field("code"), CODE);
        assert!(!form.page.html.contains("evil.example"));
        // Once is all that it is good for.
        hand.get(onward.as_str()).await?;
        assert!(apple.calls("/auth/token").is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_post_that_is_no_answer_leads_nowhere() -> Outcome<()> {
    with_company(APPLE, async |server, apple| {
        let hand = Hand::new(server);
        let departure = depart(apple, &hand, &entrance(&hand).await?).await?;
        let place = &departure.sent["redirect_uri"];
        let long = "x".repeat(5_000);
        assert_eq!(hand.post_across(place, &[("code", &long)]).await?.status, 400);
        for strange in [vec![], vec![("code", CODE)], vec![("code", CODE), ("state", "a.b.c")]] {
            let carried = hand.post_across(place, &strange).await?;
            assert_eq!(hand.get(carried.location.unwrap().as_str()).await?.status, 400);
        }
        assert!(apple.calls("/auth/token").is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn apple_says_in_two_ways_that_an_address_is_verified() -> Outcome<()> {
    with_company(APPLE, async |server, apple| {
        for unproven in [json!("false"), json!(false), json!(null), json!("TRUE"), json!(1)] {
            apple.says("id_token", json!({"email_verified": unproven}));
            not_believed(server, apple).await?;
        }
        // “The email claim may be empty” with accounts of a school.
        for none in [json!(""), json!(null)] {
            apple.says("id_token", json!({"email": none}));
            not_believed(server, apple).await?;
        }
        for proven in [json!("true"), json!(true)] {
            apple.says("id_token", json!({"email_verified": proven}));
            assert_eq!(super::arrive(server, apple).await?.1.asks(), "details");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_name_that_apple_tells_once_fills_in_the_form() -> Outcome<()> {
    // “The raw data is passed directly to your app from the browser”: a name, and no proof of anything.
    with_company(APPLE, async |server, apple| {
        let told = [
            (
                r#"{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"ada@evil.example"}"#,
                "Ada Lovelace",
            ),
            (r#"{"name":{"firstName":"Ada","lastName":" "}}"#, "Ada"),
            (r#"{"name":{"lastName":"Lovelace"},"sub":"another"}"#, "Lovelace"),
            (r#"{"name":{"firstName":["Ada"],"lastName":7}}"#, ""),
            (r#"{"name":"Ada"}"#, ""),
            ("Ada Lovelace", ""),
        ];
        for (user, name) in told {
            let form = with_user(server, apple, user).await?;
            assert_eq!(form.asks(), "details", "{user}");
            let shown = form.page.attribute("#displayName", "value").unwrap_or_default();
            assert_eq!(shown, name, "{user}");
        }
        let hostile = r#"{"name":{"firstName":"<script>alert(1)</script>"}}"#;
        let form = with_user(server, apple, hostile).await?;
        assert!(!form.page.html.contains("<script>alert(1)"));
        // An address in it is nobody's, and neither is a word on one.
        apple.says("id_token", json!({"email": null}));
        let user = r#"{"name":{"firstName":"Ada"},"email":"ada@evil.example","email_verified":true}"#;
        let form = with_user(server, apple, user).await?;
        assert_eq!(
            (form.asks(), form.page.attribute("#username", "value").unwrap_or_default().as_str()),
            ("address", "")
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_name_that_apple_told_is_there_still_when_the_first_time_came_to_nothing() -> Outcome<()> {
    with_company(APPLE, async |server, apple| {
        let shown = |form: &Form| form.page.attribute("#displayName", "value").unwrap_or_default();
        let first = with_user(server, apple, r#"{"name":{"firstName":"Ada","lastName":"Lovelace"}}"#).await?;
        assert_eq!(shown(&first), "Ada Lovelace");
        // Apple says nothing of it any more. Nor is it anybody else's, or kept for ever.
        assert_eq!(shown(&super::arrive(server, apple).await?.1), "Ada Lovelace");
        apple.says("id_token", json!({"sub": "another"}));
        assert_eq!(shown(&super::arrive(server, apple).await?.1), "");
        apple.says("id_token", json!({"sub": SUBJECT}));
        server.clock.advance(vestibule_rules::time::Span::days(31));
        let now = BEGIN.seconds() + 31 * 86_400;
        apple.says("id_token", json!({"sub": SUBJECT, "iat": now, "exp": now + 600}));
        assert_eq!(shown(&super::arrive(server, apple).await?.1), "");
        Ok(())
    })
    .await
}

/// What is shown to a newcomer whose answer has this beside the code.
async fn with_user(server: &TestServer, apple: &StandIn, user: &str) -> Outcome<Form> {
    let hand = Hand::new(server);
    let departure = depart(apple, &hand, &entrance(&hand).await?).await?;
    let answered = departure.back(&hand, &[("code", CODE), ("user", user)]).await?;
    shown(&hand, answered).await
}

#[tokio::test]
async fn errors_of_apple_leave_a_way_on() -> Outcome<()> {
    with_company(APPLE, async |server, apple| {
        for error in ["invalid_client", "invalid_grant"] {
            apple.answers("/auth/token", Reply::error(400, json!({"error": error})));
            fails(server, apple).await?;
        }
        let hand = Hand::new(server);
        let departure = depart(apple, &hand, &entrance(&hand).await?).await?;
        let answered = departure.back(&hand, &[("error", "user_cancelled_authorize")]).await?;
        let form = shown(&hand, answered).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("sign-up", "provider-declined"));
        Ok(())
    })
    .await
}
