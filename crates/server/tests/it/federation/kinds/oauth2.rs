//! Any OAuth 2.0 server that describes a token's holder (RFC 6749, RFC 6750, RFC 7636).

use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;

use super::stand_in::{CLIENT, Call, Company, Reply, StandIn, TOKEN};
use super::with_company;
use super::{Newcomer, arrive, depart, entrance, fails, makes_accounts, not_believed, refused, shown};
use crate::journeys::passage::Hand;

const MAIL: &str = "a@fabrikam.example";

pub(super) const OAUTH2: Company = Company {
    section: r#"identityProviderType: OAuth2
displayName: Fabrikam
issuer: https://id.fabrikam.example
endpoints:
  authorization: "{base}/authorize?brand=fabrikam"
  token: "{base}/token"
  userInfo: "{base}/whoami"
scope: profile:read
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }
inboundClaimMapping:
  sub: account.number
  email: account.mail
  email_verified: account.mail_proven
  displayName: { join: [account.first, account.last] }
  city: account.home.city"#,
    answer,
};

/// One whose addresses nobody named an issuer for, and which knows its clients by their name alone.
const NAMELESS: Company = Company {
    section: r#"identityProviderType: OAuth2
displayName: Fabrikam
endpoints:
  authorization: "{base}/authorize"
  token: "{base}/token"
  userInfo: "{base}/whoami"
clientAuthentication: none
clientId: "{client}"
inboundClaimMapping:
  sub: account.number
  email: account.mail
  email_verified: account.mail_proven
  displayName: { join: [account.first, account.last] }"#,
    answer: public,
};

fn answer(server: &StandIn, call: &Call) -> Reply {
    if call.path == "/token" && !call.posts_secret() {
        return Reply::error(401, json!({"error": "invalid_client"}));
    }
    public(server, call)
}

fn public(server: &StandIn, call: &Call) -> Reply {
    match call.path.as_str() {
        "/token" if call.field("client_id") != CLIENT => Reply::oauth_error("invalid_client"),
        "/token" if !server.redeems(call) || !server.proves(call) => Reply::oauth_error("invalid_grant"),
        "/token" => Reply::ok(json!({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300})),
        "/whoami" if !call.shows_token() => {
            Reply::error(401, Value::Null).with("www-authenticate", "Bearer error=\"invalid_token\"")
        }
        "/whoami" => Reply::ok(json!({"account": server.document("account", person())})),
        _ => Reply::error(404, Value::Null),
    }
}

fn person() -> Value {
    json!({
        "number": 4_711_082_615_937_i64, "mail": MAIL, "mail_proven": true, "first": "Ada", "last": "Lovelace",
        "home": {"city": "London"},
    })
}

#[tokio::test]
async fn an_account_of_any_oauth_server_becomes_a_guest_and_a_customer() -> Outcome<()> {
    for (company, issuer) in [(OAUTH2, "https://id.fabrikam.example"), (NAMELESS, "oauth2:stranger")] {
        makes_accounts(company, |_| Newcomer {
            mail: MAIL,
            subjects: ["4711082615937", "4711082615937"].map(str::to_owned),
            issuers: [issuer, issuer].map(str::to_owned),
            name: "Ada Lovelace",
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn attributes_are_made_of_what_the_server_says() -> Outcome<()> {
    with_company(OAUTH2, async |server, company| {
        let hand = Hand::new(server);
        let departure = depart(company, &hand, &entrance(&hand).await?).await?;
        assert_eq!(departure.sent["brand"], "fabrikam");
        assert_eq!(departure.sent["scope"], "profile:read");
        let answered = departure.return_with_code(&hand).await?;
        let form = shown(&hand, answered).await?;
        assert_eq!(form.page.attribute("#city", "value").as_deref(), Some("London"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_cannot_be_kept_is_no_subject_and_no_address() -> Outcome<()> {
    with_company(OAUTH2, async |server, company| {
        let long = "7".repeat(256);
        let strange =
            [json!(null), json!(""), json!([4_711]), json!({"a": 1}), json!(long), json!("a\u{0}b")];
        for number in strange {
            company.says("account", json!({"number": number}));
            fails(server, company).await?;
        }
        let unproven =
            [json!({"mail_proven": "true"}), json!({"mail_proven": null}), json!({"mail": [MAIL]})];
        for said in unproven {
            company.says("account", said);
            not_believed(server, company).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn answers_that_are_none_are_refused() -> Outcome<()> {
    with_company(OAUTH2, async |server, company| {
        let broken = [
            ("/token", Reply::oauth_error("invalid_grant")),
            ("/token", Reply::ok(json!({"token_type": "Bearer"}))),
            ("/token", Reply::ok(json!([]))),
            // An address that the answer leads to is not followed: secrets would go with it.
            ("/token", Reply::error(307, Value::Null).with("location", "/whoami")),
            ("/whoami", Reply::error(302, Value::Null).with("location", "/token")),
            ("/whoami", Reply::ok(json!("Ada"))),
            ("/whoami", Reply::error(500, Value::Null)),
        ];
        for (path, reply) in broken {
            company.answers(path, reply);
            fails(server, company).await?;
            company.repents();
        }
        let _ = arrive(server, company).await?;
        let redeemed = company.calls("/token").len();
        // RFC 9207: the answer of another server is not redeemed here.
        let hand = Hand::new(server);
        let departure = depart(company, &hand, &entrance(&hand).await?).await?;
        let answered = departure.back(&hand, &[("code", "c"), ("iss", "https://evil.example")]).await?;
        let form = shown(&hand, answered).await?;
        refused(server, &(hand, form), "refused-provider-failed").await?;
        assert_eq!(company.calls("/token").len(), redeemed);
        Ok(())
    })
    .await
}
