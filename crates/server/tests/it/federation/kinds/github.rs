//! GitHub: OAuth 2.0, a list of addresses, and a check of the token (security.md RP17). What the stand-in answers is
//! published in “Authorizing OAuth apps”,
//! <https://docs.github.com/es/enterprise-server@3.20/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>,
//! “Troubleshooting OAuth app access token request errors”,
//! <https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/>, “REST
//! API endpoints for emails”, <https://docs.github.com/enterprise-server@3.16/rest/users/emails>, and “REST API
//! endpoints for OAuth authorizations”, <https://docs.github.com/en/enterprise-server@3.16/rest/apps/oauth-applications>.

use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;

use super::stand_in::{CLIENT, Call, Company, Reply, StandIn, TOKEN, secret};
use super::{
    Newcomer, arrive, complete, depart, entrance, fails, makes_accounts, not_believed, shown, with_company,
};
use crate::journeys::passage::{GUESTS, Hand, people};

const SUBJECT: u64 = 583_231;
const MAIL: &str = "a@fabrikam.example";

const GITHUB: Company = Company {
    section: r#"identityProviderType: GitHub
endpoints:
  authorization: "{base}/login/oauth/authorize"
  token: "{base}/login/oauth/access_token"
  userInfo: "{base}/user"
  emails: "{base}/user/emails"
  tokenCheck: "{base}/applications"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

fn answer(github: &StandIn, call: &Call) -> Reply {
    match call.path.as_str() {
        // Without this header the answer is a form and not JSON.
        "/login/oauth/access_token" if !call.header("accept").contains("application/json") => {
            Reply::ok(json!("access_token=t&token_type=bearer"))
        }
        "/login/oauth/access_token" if !call.posts_secret() => error("incorrect_client_credentials"),
        "/login/oauth/access_token" if !github.redeems(call) || !github.proves(call) => {
            error("bad_verification_code")
        }
        "/login/oauth/access_token" => {
            Reply::ok(json!({"access_token": TOKEN, "scope": "read:user,user:email", "token_type": "bearer"}))
        }
        // Requests without a User-Agent are turned away, whatever they ask.
        _ if call.header("user-agent").is_empty() => Reply::error(403, json!({"message": "Forbidden"})),
        "/applications/1234567890/token" => check(github, call),
        "/user" | "/user/emails" if !call.shows_token() => {
            Reply::error(401, json!({"message": "Bad credentials", "status": "401"}))
        }
        "/user" => Reply::ok(github.document("user", person())),
        "/user/emails" => Reply::ok(github.document("emails", addresses())),
        _ => Reply::error(404, json!({"message": "Not Found"})),
    }
}

/// Errors of the token endpoint come with 200.
fn error(code: &str) -> Reply {
    Reply::ok(json!({"error": code, "error_description": "Not what was expected.", "error_uri": "/apps"}))
}

/// “Check a token”: with the app's own name and secret; a token of another app is not found.
fn check(github: &StandIn, call: &Call) -> Reply {
    let ours = (CLIENT.to_owned(), secret().expose().clone());
    let asked: Value = serde_json::from_str(&call.body).unwrap_or_default();
    if call.method != http::Method::POST || call.basic() != Some(ours) || asked["access_token"] != TOKEN {
        return Reply::error(404, json!({"message": "Not Found"}));
    }
    let honest = json!({
        "id": 1, "url": "https://api.github.example/authorizations/1", "scopes": ["read:user", "user:email"],
        "token": TOKEN, "token_last_eight": "e-person", "note": null, "fingerprint": null,
        "app": {"name": "Northgate", "client_id": CLIENT, "url": "https://northgate.example"},
        "user": {"login": "ada", "id": SUBJECT, "type": "User", "site_admin": false},
    });
    Reply::ok(github.document("check", honest))
}

/// “Get the authenticated user”: the address in it is the one that the profile shows to everybody.
fn person() -> Value {
    json!({
        "login": "ada", "id": SUBJECT, "node_id": "MDQ6VXNlcjU4MzIzMQ==", "type": "User",
        "name": "Ada Lovelace", "company": null, "email": "shown@fabrikam.example",
    })
}

fn addresses() -> Value {
    json!([
        {"email": "b@fabrikam.example", "verified": true, "primary": false, "visibility": null},
        {"email": MAIL, "verified": true, "primary": true, "visibility": "private"},
    ])
}

#[tokio::test]
async fn a_github_account_becomes_a_guest_and_a_customer() -> Outcome<()> {
    makes_accounts(GITHUB, |_| Newcomer {
        mail: MAIL,
        subjects: [SUBJECT.to_string(), SUBJECT.to_string()],
        issuers: ["github.com", "github.com"].map(str::to_owned),
        name: "Ada Lovelace",
    })
    .await
}

#[tokio::test]
async fn the_address_of_the_profile_counts_for_nothing() -> Outcome<()> {
    with_company(GITHUB, async |server, github| {
        github.says("user", json!({"email": "ceo@victim.example", "email_verified": true}));
        let lists = [
            json!([]),
            json!([{"email": MAIL, "verified": false, "primary": true}]),
            json!([{"email": MAIL, "verified": true, "primary": false}]),
            json!([{"email": MAIL, "verified": "true", "primary": true}]),
            json!([{"email": MAIL, "primary": true}]),
            json!([{"verified": true, "primary": true}]),
            json!([MAIL]),
            json!({"message": "Not what was expected."}),
        ];
        for list in lists {
            github.answers("/user/emails", Reply::ok(list));
            not_believed(server, github).await?;
        }
        github.repents();
        github.says("user", json!({"email": "ceo@victim.example", "email_verified": true}));
        let (hand, form) = arrive(server, github).await?;
        complete(&hand, &form).await?;
        assert!(people(server, GUESTS, "ceo@victim.example").await?.is_empty());
        assert_eq!(people(server, GUESTS, MAIL).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_token_that_was_not_made_for_us_is_refused() -> Outcome<()> {
    // RP17
    with_company(GITHUB, async |server, github| {
        let foreign = [
            json!({"app": {"name": "Another", "client_id": "9876543210"}}),
            json!({"app": null}),
            json!({"user": {"login": "bob", "id": 1}}),
            json!({"user": {"login": "ada", "id": SUBJECT.to_string()}}),
            json!({"user": null}),
        ];
        for said in foreign {
            github.says("check", said);
            fails(server, github).await?;
        }
        github.repents();
        github.answers("/applications/1234567890/token", Reply::error(404, json!({"message": "Not Found"})));
        fails(server, github).await
    })
    .await
}

#[tokio::test]
async fn errors_of_github_leave_a_way_on() -> Outcome<()> {
    with_company(GITHUB, async |server, github| {
        for code in ["bad_verification_code", "incorrect_client_credentials", "redirect_uri_mismatch"] {
            github.answers("/login/oauth/access_token", error(code));
            fails(server, github).await?;
        }
        github.repents();
        for path in ["/user", "/user/emails"] {
            github.answers(path, Reply::error(401, json!({"message": "Bad credentials"})));
            fails(server, github).await?;
            github.repents();
        }
        let hand = Hand::new(server);
        let departure = depart(github, &hand, &entrance(&hand).await?).await?;
        let no = [("error", "access_denied"), ("error_description", "The user has denied your application.")];
        let answered = departure.back(&hand, &no).await?;
        let form = shown(&hand, answered).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("sign-up", "provider-declined"));
        Ok(())
    })
    .await
}
