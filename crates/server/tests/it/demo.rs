//! `vestibule demo`, as a newcomer starts it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// A demo that runs; it is stopped when the test ends, however it ends.
struct Demo {
    process: Child,
    described: Value,
}

impl Demo {
    async fn start(data: &Path) -> Self {
        let file = data.join("demo.json");
        let before = written(&file);
        let process = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["demo", "--port", "0", "--tls-port", "0", "--app-port", "0", "--data"])
            .arg(data)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut demo = Self { process, described: Value::Null };
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let ready = async {
            while written(&file) == before {
                assert!(demo.process.try_wait().unwrap().is_none(), "the demo ended");
                ticks.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ready).await.unwrap();
        demo.described = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        demo
    }

    fn text(&self, pointer: &str) -> &str {
        self.described.pointer(pointer).and_then(Value::as_str).unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The file is replaced at each start, so its number changes.
fn written(file: &Path) -> Option<(u64, std::time::SystemTime)> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = std::fs::metadata(file).ok()?;
    Some((meta.ino(), meta.modified().ok()?))
}

/// A program that trusts the demo's authority and nothing else.
fn client(authority: &Path) -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let pem = std::fs::read(authority).unwrap();
    #[expect(clippy::disallowed_methods, reason = "a visitor is the outside world")]
    reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&pem).unwrap()])
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_second_start_keeps_what_was_there() {
    let data = tempfile::tempdir().unwrap();
    let first = Demo::start(data.path()).await.described.clone();
    let second = Demo::start(data.path()).await.described.clone();
    assert_eq!(first, second);
}

#[tokio::test]
async fn the_description_is_whole_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    for tenant in ["woodgrove", "woodgrove-customers"] {
        for app in ["web", "spa", "native", "daemon", "admin"] {
            demo.text(&format!("/tenants/{tenant}/apps/{app}/clientId"));
        }
        demo.text(&format!("/tenants/{tenant}/apps/web/clientSecret"));
        demo.text(&format!("/tenants/{tenant}/flows/0"));
        let uris = demo.described.pointer(&format!("/tenants/{tenant}/apps/web/redirectUris")).unwrap();
        assert!(uris.as_array().unwrap().contains(&"http://localhost:3001/callback".into()), "{uris}");
    }
    assert_eq!(demo.text("/tenants/woodgrove/flows/0"), "B2X_1_Suppliers");
    for user in [0, 1] {
        assert!(demo.text(&format!("/tenants/fabrikam/users/{user}/password")).len() >= 15);
    }
    for file in ["demo.json", "ca-key.pem", "sealing.key", "secrets/woodgrove-web"] {
        let mode = std::fs::metadata(data.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
}

#[tokio::test]
async fn both_origins_answer_and_each_is_its_own_issuer() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    let client = client(&data.path().join(demo.text("/ca")));
    let tenant = demo.text("/tenants/woodgrove/id");
    for origin in [demo.text("/origins/http"), demo.text("/origins/https")] {
        let url = format!("{origin}/{tenant}/v2.0/.well-known/openid-configuration");
        // What a Host header says must not matter.
        let answer = client.get(url).header("host", "evil.example").send().await.unwrap();
        let metadata: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(metadata["issuer"], format!("{origin}/{tenant}/v2.0"));
    }
}

#[tokio::test]
async fn the_app_sends_a_supplier_to_the_server_and_refuses_an_answer_it_did_not_ask_for() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    let client = client(&data.path().join("ca.pem"));
    let app = demo.text("/origins/app");
    let start = client.get(format!("{app}/")).send().await.unwrap().text().await.unwrap();
    assert!(start.contains("id=\"request-account\""));

    let answer = client.get(format!("{app}/sign-up")).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let target = answer.headers()["location"].to_str().unwrap();
    let target = url::Url::parse(target).unwrap();
    let value = |name: &str| {
        target.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    };
    assert_eq!(value("client_id").as_deref(), Some(demo.text("/tenants/woodgrove/apps/web/clientId")));
    assert_eq!(value("prompt").as_deref(), Some("create"));
    assert_eq!(value("code_challenge_method").as_deref(), Some("S256"));
    assert!(value("nonce").is_some() && value("state").is_some());

    // Another browser brings the answer: login CSRF (RFC 9700 4.7).
    let stolen = format!("{app}/callback?code=x&state={}", value("state").unwrap());
    let page = client.get(stolen).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("data-error-code=\"state_mismatch\""), "{page}");
}
