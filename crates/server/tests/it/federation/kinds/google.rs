//! Google. What the stand-in answers is published in “Google OpenID Connect API Reference”,
//! <https://developers.google.com/identity/openid-connect/reference>.

use serde_json::{Value, json};
use vestibule_crypto::digest::half_hash;
use vestibule_rules::fault::Outcome;

use super::stand_in::{Call, Company, Reply, StandIn, TOKEN};
use super::{Newcomer, arrive, depart, entrance, fails, makes_accounts, not_believed, refused, with_company};
use crate::journeys::passage::{GUESTS, Hand, people};

const SUBJECT: &str = "110169484474386276334";
const MAIL: &str = "a@gmail.com";

const GOOGLE: Company = Company {
    section: r#"identityProviderType: Google
issuer: "{base}"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

/// Only accounts of one organisation.
const WORKSPACE: Company = Company {
    section: r#"identityProviderType: Google
issuer: "{base}"
hostedDomain: northwind.example
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

fn answer(google: &StandIn, call: &Call) -> Reply {
    match call.path.as_str() {
        // “Discovery Document”.
        "/.well-known/openid-configuration" => {
            Reply::ok(google.document("discovery", discovery(&google.base)))
        }
        "/oauth2/v3/certs" => Reply::ok(google.keys()),
        // “Token Endpoint”: errors as in RFC 6749.
        "/token" if !google.redeems(call) || !google.proves(call) => Reply::oauth_error("invalid_grant"),
        "/token" if !call.posts_secret() => Reply::oauth_error("invalid_client"),
        "/token" => Reply::ok(json!({
            "access_token": TOKEN, "expires_in": 3_920, "scope": "openid email profile",
            "token_type": "Bearer", "id_token": google.id_token(person(google)),
        })),
        _ => Reply::error(404, Value::Null),
    }
}

fn discovery(base: &str) -> Value {
    json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/o/oauth2/v2/auth"),
        "device_authorization_endpoint": format!("{base}/device/code"),
        "token_endpoint": format!("{base}/token"),
        "userinfo_endpoint": format!("{base}/v1/userinfo"),
        "revocation_endpoint": format!("{base}/revoke"),
        "jwks_uri": format!("{base}/oauth2/v3/certs"),
        "response_types_supported": ["code", "token", "id_token", "code token", "code id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["plain", "S256"],
    })
}

/// “ID token claims”.
fn person(google: &StandIn) -> Value {
    json!({
        "iss": google.base, "azp": super::stand_in::CLIENT, "sub": SUBJECT, "at_hash": half_hash(TOKEN),
        "email": MAIL, "email_verified": true, "name": "Ada Lovelace", "given_name": "Ada",
        "family_name": "Lovelace", "picture": "https://lh3.googleusercontent.com/a-/ada=s96-c",
    })
}

#[tokio::test]
async fn a_google_account_becomes_a_guest_and_a_customer() -> Outcome<()> {
    makes_accounts(GOOGLE, |_| Newcomer {
        mail: MAIL,
        subjects: [SUBJECT, SUBJECT].map(str::to_owned),
        issuers: ["google.com", "google.com"].map(str::to_owned),
        name: "Ada Lovelace",
    })
    .await
}

#[tokio::test]
async fn only_accounts_of_the_organisation_that_is_welcome_come_in() -> Outcome<()> {
    with_company(WORKSPACE, async |server, google| {
        for hosted in [json!(null), json!("fabrikam.example"), json!(["northwind.example"]), json!("")] {
            google.says("id_token", json!({"hd": hosted, "email": "ada@northwind.example"}));
            let arrived = arrive(server, google).await?;
            refused(server, &arrived, "refused-provider-organisation").await?;
        }
        let hand = Hand::new(server);
        let departure = depart(google, &hand, &entrance(&hand).await?).await?;
        assert_eq!(departure.sent["hd"], "northwind.example");
        google.says("id_token", json!({"hd": "northwind.example", "email": "ada@northwind.example"}));
        assert_eq!(arrive(server, google).await?.1.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn google_is_believed_the_mailboxes_that_it_runs() -> Outcome<()> {
    // U17: an account of Google may have any address that its owner proved once, and lost since.
    with_company(GOOGLE, async |server, google| {
        let foreign = [
            json!({"email": "ada@northwind.example"}),
            json!({"email": "ada@northwind.example", "hd": "fabrikam.example"}),
            json!({"email": MAIL, "email_verified": false}),
            json!({"email": MAIL, "email_verified": "true"}),
        ];
        for claims in foreign {
            google.says("id_token", claims);
            not_believed(server, google).await?;
        }
        for own in ["b@googlemail.com", "c@gmail.com"] {
            google.says("id_token", json!({"email": own}));
            assert_eq!(arrive(server, google).await?.1.asks(), "details");
        }
        google.says("id_token", json!({"email": "ada@northwind.example", "hd": "northwind.example"}));
        assert_eq!(arrive(server, google).await?.1.asks(), "details");
        assert!(people(server, GUESTS, "ada@northwind.example").await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_error_of_google_leaves_a_way_on() -> Outcome<()> {
    with_company(GOOGLE, async |server, google| {
        google.answers("/token", Reply::oauth_error("invalid_grant"));
        fails(server, google).await?;
        google.repents();
        // Its issuer of old, which it names beside the modern one, is another text than the configured one.
        google.says("id_token", json!({"iss": "accounts.google.com"}));
        fails(server, google).await
    })
    .await
}
