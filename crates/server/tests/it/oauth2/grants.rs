//! Which grants an application may come with, whatever kind of application it is (security.md S49), and what the kinds
//! are told that come in the wrong way (native-auth-and-msal.md R40).

use vestibule_rules::fault::Outcome;
use vestibule_testkit::{Engine, TestServer};

use super::app::{PAGE, PAGE_ORIGIN, WEB, back, harbour, signed_in};
use super::world::{Answer, Asks as _, EITHER, NOBODY, PAGE as SPA, PAGE_ORIGIN as SPA_ORIGIN, World};
use crate::client::parameter;

const DAEMON: &str = "a0000000-0000-4000-8000-00000000000b";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A shop with an app of each kind; one acts for itself alone and has no redirect address.
fn tenant(world: &World) -> String {
    let daemon = format!(
        "  - displayName: Daemon\n    appId: {DAEMON}\n    passwordCredentials:\n      - secret: {{ file: secrets/app }}\n"
    );
    world.tenant().replacen("userFlows:\n", &format!("{daemon}userFlows:\n"), 1)
}

/// An app as it asks when it does nothing wrong.
struct Kind {
    name: &'static str,
    id: &'static str,
    secret: Option<&'static str>,
    origin: Option<&'static str>,
}

const KINDS: [Kind; 4] = [
    Kind { name: "web", id: EITHER, secret: Some("secrets/old"), origin: None },
    Kind { name: "page", id: SPA, secret: None, origin: Some(SPA_ORIGIN) },
    Kind { name: "installed", id: NOBODY, secret: None, origin: None },
    Kind { name: "daemon", id: DAEMON, secret: Some("secrets/app"), origin: None },
];

/// What a grant is asked with, and the errors of the kinds in their order; an empty one is no error.
type Row = (&'static str, &'static [(&'static str, &'static str)], [(&'static str, u64); 4]);

const BAD_GRANT: (&str, u64) = ("invalid_grant", 70_000);
const NOT_SUPPORTED: (&str, u64) = ("unsupported_grant_type", 70_003);
const NOT_FOR_DEVICES: (&str, u64) = ("unauthorized_client", 70_002);
const NOT_ALLOWED: (&str, u64) = ("unauthorized_client", 70_001);
const NO_SECRET: (&str, u64) = ("invalid_client", 7_000_218);
const BAD_ASSERTION: (&str, u64) = ("invalid_grant", 50_013);

const ROWS: [Row; 9] = [
    ("authorization_code", &[("code", "nonsense")], [BAD_GRANT; 4]),
    ("refresh_token", &[("refresh_token", "nonsense")], [BAD_GRANT; 4]),
    ("client_credentials", &[("scope", "api://orders/.default")], [("", 0), NO_SECRET, NOT_ALLOWED, ("", 0)]),
    ("device_code", &[("device_code", "nonsense")], [NOT_FOR_DEVICES; 4]),
    (DEVICE, &[("device_code", "nonsense")], [NOT_FOR_DEVICES; 4]),
    (
        JWT_BEARER,
        &[("assertion", "a.b.c"), ("requested_token_use", "on_behalf_of"), ("scope", "openid")],
        [BAD_ASSERTION, NO_SECRET, NOT_ALLOWED, BAD_ASSERTION],
    ),
    ("implicit", &[("scope", "openid")], [NOT_SUPPORTED; 4]),
    ("password", &[("username", "ada"), ("password", "seven"), ("scope", "openid")], [NOT_SUPPORTED; 4]),
    ("urn:ietf:params:oauth:grant-type:token-exchange", &[("subject_token", "x")], [NOT_SUPPORTED; 4]),
];

async fn comes_with(server: &TestServer, kind: &Kind, grant: &str, more: &[(&str, &str)]) -> Outcome<Answer> {
    let own = kind.secret.map(vestibule_testkit::server::secret);
    let mut form = vec![("grant_type", grant), ("client_id", kind.id)];
    form.extend(own.as_ref().map(|own| ("client_secret", own.expose().as_str())));
    form.extend(more);
    let origin = kind.origin.map(|origin| ("origin", origin));
    server.ask(&server.address("token"), &form, origin.as_slice()).await
}

#[tokio::test]
async fn each_kind_of_app_has_its_grants_and_no_others() -> Outcome<()> {
    // S49
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&tenant(&world)]).await?;
    let mut wrong = Vec::new();
    for (grant, more, expected) in ROWS {
        for (kind, expected) in KINDS.iter().zip(expected) {
            let answer = comes_with(&server, kind, grant, more).await?;
            let good = if expected.0.is_empty() { answer.status == 200 } else { answer.status >= 400 };
            if !good || answer.error() != expected {
                wrong.push(format!("{grant} of {}: {:?}", kind.name, answer.body));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    server.finish().await
}

#[tokio::test]
async fn a_page_comes_across_origins_and_nobody_else_does() -> Outcome<()> {
    // R40, S41
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    let of_page = back(&hand, &PAGE.address(&server, &[])).await?;
    let of_web = back(&hand, &WEB.address(&server, &[])).await?;
    assert!(parameter(&of_page, "code").is_some() && parameter(&of_web, "code").is_some());
    let page = PAGE.redeems(&of_page);
    for (what, call, expected) in [
        ("a page from nowhere", page.clone().without("origin"), ("invalid_request", 9_002_327)),
        (
            "a page from elsewhere",
            page.clone().without("origin").with("origin", "https://evil.example"),
            ("invalid_request", 9_002_326),
        ),
        (
            "a page in a sandbox",
            page.clone().without("origin").with("origin", "null"),
            ("invalid_request", 9_002_326),
        ),
        (
            "a web app from a page",
            WEB.redeems(&of_web).with("origin", PAGE_ORIGIN),
            ("invalid_request", 9_002_326),
        ),
        ("a page with a secret", page.clone().and(&[("client_secret", "any")]), ("invalid_client", 700_025)),
    ] {
        let answer = call.token(&server).await?;
        let number = answer.body["error_codes"][0].as_u64().unwrap_or_default();
        assert_eq!((answer.text("error"), number), expected, "{what}: {}", answer.body);
        let status = if expected.0 == "invalid_client" { 401 } else { 400 };
        assert_eq!(answer.status, status, "{what}");
    }
    // Who asked in the wrong way may mend it.
    assert_eq!(page.token(&server).await?.status, 200);
    assert_eq!(WEB.redeems(&of_web).token(&server).await?.status, 200);
    server.finish().await
}
