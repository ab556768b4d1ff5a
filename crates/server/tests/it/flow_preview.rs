//! `vestibule flow preview`: a flow in a browser, with nothing behind it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use vestibule_testkit::Browser;
use vestibule_testkit::browser::outsider;

/// A preview that runs until it is dropped.
struct Preview {
    process: Child,
    origin: String,
}

impl Drop for Preview {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(["flow", "preview"]).args(arguments).current_dir(folder).env_clear();
    command
}

fn preview(folder: &Path, arguments: &[&str]) -> Preview {
    // What a browser of these tests does TLS with, if it ever did.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut process = command(folder, arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let origin = line.trim().trim_end_matches('/').rsplit_once(": ").unwrap().1.to_owned();
    Preview { process, origin }
}

/// How a preview that does not come about ends: code and words.
fn refused(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = command(folder, arguments);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    // One that came about after all would serve for ever.
    if !line.is_empty() {
        process.kill().unwrap();
    }
    let output = process.wait_with_output().unwrap();
    assert_eq!(line, "", "{arguments:?}");
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn vestibule(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    let output = command.args(arguments).current_dir(folder).env_clear().output().unwrap();
    assert!(output.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo")
}

fn suppliers() -> Preview {
    preview(&demo(), &["woodgrove.yaml", "--placeholder", "app=http://localhost:3000"])
}

async fn at(preview: &Preview, path: &str) -> Browser {
    let mut browser = Browser::new(&preview.origin).unwrap();
    browser.open(&format!("{}{path}", preview.origin)).await.unwrap();
    browser
}

/// Sends every page as it stands until the walk is over; the headings that were seen.
async fn walk(browser: &mut Browser) -> Vec<String> {
    let mut seen = Vec::new();
    for _ in 0..20 {
        let page = browser.page().unwrap();
        assert_eq!(page.status, 200, "{}", page.html);
        assert!(page.alerts().is_empty(), "{:?}", page.alerts());
        assert!(page.has("aside.preview"), "{}", page.html);
        seen.push(page.text("h1").unwrap());
        if page.has("#again") {
            return seen;
        }
        browser.press("submit").await.unwrap();
    }
    panic!("{seen:?}");
}

fn json(browser: &Browser, id: &str) -> Value {
    serde_json::from_str(&browser.page().unwrap().text(id).unwrap()).unwrap()
}

#[tokio::test]
async fn a_newcomer_gets_an_account_and_a_token_with_what_was_invented() {
    let preview = suppliers();
    let mut browser = at(&preview, "/").await;
    let seen = walk(&mut browser).await;
    assert_eq!(seen.first().unwrap(), "Create your account");
    assert!(seen.contains(&"Enter your code".to_owned()), "{seen:?}");
    assert_eq!(seen.last().unwrap(), "The account would exist now");
    let (account, token) = (json(&browser, "#preview-account"), json(&browser, "#preview-token"));
    assert_eq!(account["mail"], "robin.sample@newcomer.example");
    assert_eq!(account["userType"], "Guest");
    assert_eq!(token["name"], "Robin Sample");
    assert!(token["businessName"].is_string(), "{token}");
    // And once more, from the beginning.
    browser.click("again").await.unwrap();
    assert_eq!(browser.page().unwrap().text("h1").unwrap(), "Create your account");
}

#[tokio::test]
async fn a_provider_answers_at_once() {
    let preview = suppliers();
    let mut browser = at(&preview, "/").await;
    browser.press("idp-fabrikam").await.unwrap();
    let seen = walk(&mut browser).await;
    assert!(!seen.contains(&"Enter your code".to_owned()), "{seen:?}");
    assert!(json(&browser, "#preview-token")["idp"].is_string());
    // The way through the bar begins behind the provider.
    browser.click("preview-as-via-fabrikam").await.unwrap();
    assert_eq!(walk(&mut browser).await, seen[..seen.len()]);
    assert!(browser.page().unwrap().text(".preview-who").unwrap().contains("Fabrikam"));
}

#[tokio::test]
async fn somebody_with_an_account_signs_in() {
    let preview = suppliers();
    let mut browser = at(&preview, "/").await;
    browser.click("preview-as-account").await.unwrap();
    let seen = walk(&mut browser).await;
    assert_eq!(seen.last().unwrap(), "The visitor would be signed in");
    assert_eq!(json(&browser, "#preview-account")["displayName"], "Alex Example");
}

#[tokio::test]
async fn the_page_says_which_code_to_type_and_a_wrong_one_is_refused() {
    let preview = suppliers();
    let mut browser = at(&preview, "/").await;
    browser.press("submit").await.unwrap();
    let note = browser.page().unwrap().text("#preview-note").unwrap();
    let code = browser.page().unwrap().attribute("#code", "value").unwrap();
    assert!(note.contains(&code), "{note}");
    browser.fill("code", "00000000").unwrap();
    browser.press("submit").await.unwrap();
    assert_eq!(browser.page().unwrap().alerts().len(), 1);
    // A second walk in another tab is another one.
    let mut other = at(&preview, "/as/newcomer").await;
    walk(&mut other).await;
    browser.press("submit").await.unwrap();
    assert!(browser.page().unwrap().has("#displayName"), "{}", browser.page().unwrap().html);
}

#[tokio::test]
async fn the_languages_are_those_of_the_pages() {
    let preview = suppliers();
    let locales = std::fs::read_dir(demo().join("../../web/locales")).unwrap();
    for locale in locales {
        let locale = locale.unwrap().file_name().into_string().unwrap();
        let mut browser = at(&preview, &format!("/as/newcomer?lang={locale}")).await;
        assert_eq!(browser.page().unwrap().attribute("html", "lang").unwrap(), locale);
        // The choice is kept on the way.
        browser.press("submit").await.unwrap();
        assert_eq!(browser.page().unwrap().attribute("html", "lang").unwrap(), locale);
        assert!(browser.page().unwrap().url.query().unwrap().contains(&locale));
        walk(&mut browser).await;
    }
    // What is no language of ours goes nowhere.
    let browser = at(&preview, "/as/newcomer?lang=%22%3E%3Cb%3E").await;
    assert!(!browser.page().unwrap().html.contains("<b>"));
}

/// Asks as a program does; the status, the headers and the body.
async fn ask(preview: &Preview, path: &str, headers: &[(&str, &str)], body: Option<String>) -> (u16, String) {
    let client = outsider().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let url = format!("{}{path}", preview.origin);
    let mut request = if body.is_some() { client.post(url) } else { client.get(url) };
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn another_site_can_neither_send_a_form_nor_read_a_page() {
    let preview = suppliers();
    let browser = at(&preview, "/as/newcomer").await;
    let csrf = browser.page().unwrap().attribute("[name=csrf]", "value").unwrap();
    let body = |csrf: &str| format!("csrf={csrf}&step=sign-up.0&action=submit&username=a%40example.com");
    let cases = [
        (vec![("sec-fetch-site", "cross-site")], body(&csrf), 403),
        (vec![("sec-fetch-site", "same-site")], body(&csrf), 403),
        (vec![("origin", "https://evil.example")], body(&csrf), 403),
        (vec![], body("guessed"), 403),
        (vec![("host", "evil.example")], body(&csrf), 403),
        (vec![("sec-fetch-site", "same-origin")], body(&csrf), 303),
    ];
    for (headers, body, status) in cases {
        assert_eq!(ask(&preview, "/as/newcomer", &headers, Some(body)).await.0, status, "{headers:?}");
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "203.0.113.7", ""] {
        assert_eq!(ask(&preview, "/as/newcomer", &[("host", host)], None).await.0, 403, "{host}");
    }
    assert_eq!(ask(&preview, "/as/newcomer", &[("host", "localhost:1")], None).await.0, 200);
    assert_eq!(ask(&preview, "/walk/0123", &[], None).await.0, 404);
    assert_eq!(ask(&preview, "/as/nobody", &[], None).await.0, 404);
    assert_eq!(ask(&preview, "/woodgrove/oauth2/v2.0/token", &[], None).await.0, 404);
}

#[tokio::test]
async fn every_answer_has_the_headers_of_a_servers_pages() {
    let preview = suppliers();
    let client = outsider().build().unwrap();
    for path in ["/as/newcomer", "/as/via-fabrikam"] {
        let answer = client.get(format!("{}{path}", preview.origin)).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.ends_with("form-action 'self'"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        assert!(!answer.headers().contains_key("set-cookie"));
    }
}

const HOSTILE: &str = r#"
tenant: { kind: external, displayName: 'Wood<b>grove', shortName: woodgrove }
applications:
  - displayName: Shop
    web: { redirectUris: ["https://shop.example/callback"] }
userFlowAttributes:
  - { displayName: Colour }
  - { displayName: Number plate }
userFlows:
  - displayName: '<script>alert(1)</script>'
    applications: [Shop]
    identityProviders: [EmailOtpSignup-OAUTH]
    attributeCollection:
      inputs:
        - { attribute: displayName, label: '<img src=x onerror=alert(1)>', required: true }
        - { attribute: Number plate, required: true, validationRegEx: '[A-Z]{2}\d\d [A-Z]{3}' }
        - attribute: Colour
          inputType: radioSingleSelect
          required: true
          options: [{ label: '"><script>alert(1)</script>', value: '</pre><script>alert(1)</script>' }]
"#;

#[tokio::test]
async fn whatever_a_file_says_is_text() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tenant.yaml"), HOSTILE).unwrap();
    let preview = preview(folder.path(), &["tenant.yaml"]);
    let mut browser = at(&preview, "/").await;
    for _ in 0..6 {
        let page = browser.page().unwrap();
        assert!(!page.has("img[src=x]") && !page.has("[onerror]"), "{}", page.html);
        assert!(!page.html.contains("alert(1)</script>"), "{}", page.html);
        if page.has("#again") {
            break;
        }
        browser.press("submit").await.unwrap();
    }
    let account = json(&browser, "#preview-account");
    let attributes = account["attributes"].as_object().unwrap();
    let of = |name: &str| attributes.iter().find(|(id, _)| id.ends_with(name)).unwrap().1.as_str().unwrap();
    assert_eq!(of("Colour"), "</pre><script>alert(1)</script>");
    assert_eq!(of("numberPlate").len(), 8);
}

/// Every row of every table, and the bytes of the file.
fn contents(folder: &Path) -> (Vec<String>, Vec<u8>) {
    let path = std::fs::read_dir(folder.join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "db"))
        .unwrap();
    let db = rusqlite::Connection::open(&path).unwrap();
    let names: Vec<String> = db
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut rows = Vec::new();
    for name in names {
        let mut statement = db.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let values = (0..columns).map(|i| format!("{:?}", row.get_ref(i).unwrap()));
            rows.push(format!("{name}: {}", values.collect::<Vec<_>>().join(", ")));
        }
    }
    drop(db);
    (rows, std::fs::read(path).unwrap())
}

const DRAFTED: &str = r#"
tenant: { kind: external, displayName: Contoso, shortName: contoso }
applications:
  - displayName: Shop
    web: { redirectUris: ["https://shop.example/callback"] }
userFlows:
  - displayName: Customers
    applications: [Shop]
    identityProviders: [EmailPassword-OAUTH]
    attributeCollection:
      inputs:
        - { attribute: displayName, label: Your name, required: true }
"#;

#[tokio::test]
async fn a_draft_is_shown_and_nothing_of_the_database_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, file) = (folder.path(), folder.path().join("tenant.yaml"));
    std::fs::write(&file, DRAFTED).unwrap();
    vestibule(folder, &["apply", "tenant.yaml", "--data", "data"]);
    let (code, said) = refused(folder, &["--draft", "Customers", "--data", "data"]);
    assert_eq!((code, said.trim()), (1, "vestibule: the flow “Customers” of contoso has no draft"));
    std::fs::write(&file, DRAFTED.replace("Your name", "Your full name")).unwrap();
    vestibule(folder, &["flow", "draft", "tenant.yaml", "--data", "data"]);
    let before = contents(folder);
    assert!(!before.0.is_empty());
    for tenant in [None, Some("contoso")] {
        let mut arguments = vec!["--draft", "customers", "--data", "data"];
        arguments.extend(tenant.into_iter().flat_map(|tenant| ["--tenant", tenant]));
        let preview = preview(folder, &arguments);
        let mut browser = at(&preview, "/").await;
        browser.press("submit").await.unwrap();
        browser.press("submit").await.unwrap();
        assert!(browser.page().unwrap().html.contains("Your full name"));
        walk(&mut browser).await;
        assert_eq!(json(&browser, "#preview-account")["displayName"], "Robin Sample");
    }
    let after = contents(folder);
    assert_eq!(before.0, after.0);
    assert!(before.1 == after.1, "the file is another one");
    assert!(!after.0.iter().any(|row| row.starts_with("outbox:") || row.starts_with("users:")));

    let (code, said) = refused(folder, &["--draft", "Nobody", "--data", "data"]);
    assert_eq!(code, 1);
    assert!(said.contains("the tenant has no flow “Nobody”; there are: Customers"), "{said}");
    let (code, said) = refused(folder, &["--draft", "Customers", "--tenant", "nobody", "--data", "data"]);
    assert_eq!(code, 1);
    assert!(said.contains("there is no tenant “nobody”"), "{said}");
    let (code, said) = refused(folder, &["--draft", "Customers", "--data", "elsewhere"]);
    assert_eq!(code, 1);
    assert!(said.contains("there is no database at"), "{said}");
    assert!(!folder.join("elsewhere").exists());
}

#[test]
fn what_cannot_be_previewed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.yaml"), DRAFTED).unwrap();
    std::fs::write(folder.path().join("bad.yaml"), DRAFTED.replace("label:", "lable:")).unwrap();
    let cases: [(&[&str], &str); 8] = [
        (&["good.yaml", "--flow", "Nobody"], "there is no such flow; choose one with --flow: Customers"),
        (&["bad.yaml"], "there is a problem; nothing can be previewed:\nbad.yaml:12:37: userFlows[0]"),
        (&["missing.yaml"], "missing.yaml cannot be read"),
        (&[], "<FILE>"),
        (&["good.yaml", "--draft", "Customers"], "cannot be used with"),
        (&["good.yaml", "--tenant", "contoso"], "cannot be used with|--draft"),
        (&["good.yaml", "--listen", "0.0.0.0:80"], "a preview is for this machine only"),
        (&["good.yaml", "--listen", "localhost"], "write it as 127.0.0.1:8090"),
    ];
    for (arguments, said) in cases {
        let (code, words) = refused(folder.path(), arguments);
        assert_eq!(code, 2, "{arguments:?} {words}");
        assert!(said.split('|').any(|said| words.contains(said)), "{arguments:?} {words}");
    }
}

#[test]
fn a_signal_ends_it_in_peace() {
    let mut preview = suppliers();
    let killed = Command::new("kill").args(["-INT", &preview.process.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(preview.process.wait().unwrap().code(), Some(0));
}

/// A folder with the tenant file of a guide.
fn of_guide(guide: &str) -> tempfile::TempDir {
    let text = guide.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tenant.yaml"), text).unwrap();
    folder
}

#[tokio::test]
async fn documents_can_be_read_and_are_accepted() {
    let folder = of_guide(include_str!("../../../../docs/guides/terms.md"));
    let preview = preview(folder.path(), &["tenant.yaml"]);
    let mut browser = at(&preview, "/").await;
    while !browser.page().unwrap().has("#terms-general") {
        browser.press("submit").await.unwrap();
    }
    assert_eq!(browser.page().unwrap().attribute("#terms-general", "value").as_deref(), Some("en"));
    let link = browser.page().unwrap().attribute(".field:has(#terms-general) .hint a", "href").unwrap();
    let (status, body) = ask(&preview, &link, &[], None).await;
    assert!(status == 200 && body.contains("<h2>1. What we sell</h2>"), "{body}");
    assert_eq!(ask(&preview, &link.replace("=en", "=fr"), &[], None).await.0, 404);
    assert_eq!(walk(&mut browser).await.last().unwrap(), "The account would exist now");
}

#[tokio::test]
async fn a_guardian_agrees_as_soon_as_somebody_looks() {
    let folder = of_guide(include_str!("../../../../docs/guides/age.md"));
    let preview = preview(folder.path(), &["tenant.yaml"]);
    let mut browser = at(&preview, "/").await;
    while !browser.page().unwrap().has("fieldset input[name$='.year']") {
        browser.press("submit").await.unwrap();
    }
    let year = browser.page().unwrap().attribute("input[name$='.year']", "name").unwrap();
    browser.fill(&year, "2020").unwrap();
    let seen = walk(&mut browser).await;
    assert!(seen.contains(&"Waiting for their answer".to_owned()), "{seen:?}");
    assert_eq!(json(&browser, "#preview-account")["attributes"]["consentProvidedForMinor"], "Granted");
}
