//! Whose scripts may read answers (security.md S14, native-auth-and-msal.md 2.10).

use reqwest::Method;
use vestibule_rules::fault::Outcome;
use vestibule_testkit::{Engine, TestServer};

use super::app::{Answer, HARBOUR, PAGE_ORIGIN, at, client, harbour, send};

/// The origin of a single-page app of another tenant, and only there.
const ELSEWHERE: &str = "https://spa.elsewhere.example";

fn elsewhere() -> String {
    format!(
        "tenant: {{ id: 7b9ec640-0000-4c21-9355-5f02bb133711, kind: workforce, displayName: Elsewhere, \
         shortName: elsewhere, domains: [elsewhere.onmicrosoft.com] }}\n\
         applications:\n  - displayName: Page\n    appId: 55555555-5555-4555-8555-555555555501\n    \
         spa: {{ redirectUris: [\"{ELSEWHERE}/app\"] }}\n"
    )
}

async fn ask(method: &Method, url: &str, origin: &str) -> Outcome<Answer> {
    let mut request = client().request(method.clone(), url).header("origin", origin);
    if *method == Method::OPTIONS {
        request = request.header("access-control-request-method", "POST");
        request = request.header("access-control-request-headers", "content-type, dpop, x-evil");
    }
    send(request).await
}

fn allowed(answer: &Answer) -> Option<&str> {
    assert!(answer.header("access-control-allow-credentials").is_none());
    answer.header("access-control-allow-origin")
}

const CALLED: [(Method, &str); 5] = [
    (Method::POST, "oauth2/v2.0/token"),
    (Method::POST, "oauth2/v2.0/par"),
    (Method::POST, "oauth2/v2.0/devicecode"),
    (Method::GET, "openid/userinfo"),
    (Method::GET, "federation/google/token"),
];

#[tokio::test]
async fn only_pages_that_the_tenant_registered_may_read_answers() -> Outcome<()> {
    // S14, C98
    let server = TestServer::start(Engine::Sqlite, &[&harbour(), &elsewhere()]).await?;
    for (method, path) in CALLED {
        for method in [method, Method::OPTIONS] {
            let answer = ask(&method, &at(&server, path), PAGE_ORIGIN).await?;
            assert_eq!(allowed(&answer), Some(PAGE_ORIGIN), "{method} {path}");
            assert_eq!(answer.header("vary"), Some("origin"));
            if method == Method::OPTIONS {
                assert_eq!(answer.status, 204);
                assert_eq!(answer.header("access-control-allow-headers"), Some("content-type, dpop"));
            } else {
                let exposed = answer.header("access-control-expose-headers").unwrap();
                assert!(exposed.contains("dpop-nonce") && exposed.contains("x-ms-request-id"));
            }
            for foreign in [
                "null",
                "https://evil.example",
                "http://localhost:3002/",
                "http://localhost:3002.evil.example",
                "https://localhost:3002",
                "HTTP://LOCALHOST:3002",
                // The address of a web app, which has a server to ask from.
                "http://localhost:3001",
                ELSEWHERE,
                server.origin.as_str(),
            ] {
                let answer = ask(&method, &at(&server, path), foreign).await?;
                assert_eq!(allowed(&answer), None, "{method} {path} from {foreign}");
                assert!(answer.header("access-control-allow-methods").is_none());
            }
        }
    }
    server.finish().await
}

#[tokio::test]
async fn the_origins_are_the_tenants_under_each_of_its_names_and_change_with_it() -> Outcome<()> {
    let server = TestServer::start(Engine::Sqlite, &[&harbour(), &elsewhere()]).await?;
    let token = |name: &str| format!("{}/{name}/oauth2/v2.0/token", server.origin);
    let id = server.site.directory.tenant(HARBOUR).unwrap().config.tenant.id.to_string();
    for name in [HARBOUR, "HARBOUR", "harbour.onmicrosoft.com", &id, "harbour/b2x_1_guests"] {
        let answer = ask(&Method::POST, &token(name), PAGE_ORIGIN).await?;
        assert_eq!(allowed(&answer), Some(PAGE_ORIGIN), "{name}");
    }
    assert_eq!(allowed(&ask(&Method::POST, &token("elsewhere"), ELSEWHERE).await?), Some(ELSEWHERE));
    for name in ["elsewhere", "nobody"] {
        assert_eq!(allowed(&ask(&Method::POST, &token(name), PAGE_ORIGIN).await?), None, "{name}");
    }
    let moved = harbour().replace("http://localhost:3002/", "https://page.example/app");
    server.apply(&[&moved, &elsewhere()]).await?;
    assert_eq!(allowed(&ask(&Method::POST, &token(HARBOUR), PAGE_ORIGIN).await?), None);
    let answer = ask(&Method::POST, &token(HARBOUR), "https://page.example").await?;
    assert_eq!(allowed(&answer), Some("https://page.example"));
    server.finish().await
}

#[tokio::test]
async fn documents_are_everybodys_and_pages_are_nobodys() -> Outcome<()> {
    // S14, R9
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    for path in ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"] {
        for origin in ["https://evil.example", "null", PAGE_ORIGIN] {
            assert_eq!(allowed(&ask(&Method::GET, &at(&server, path), origin).await?), Some("*"), "{path}");
        }
    }
    for path in ["oauth2/v2.0/authorize", "oauth2/v2.0/logout", "journey/0", ""] {
        for method in [Method::GET, Method::OPTIONS] {
            let answer = ask(&method, &at(&server, path), PAGE_ORIGIN).await?;
            let cors = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control"));
            assert_eq!(cors.count(), 0, "{method} {path}");
        }
    }
    server.finish().await
}
