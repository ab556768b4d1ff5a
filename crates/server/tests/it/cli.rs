//! The program as somebody types it.

use std::path::Path;
use std::process::Command;

/// What a run of the program said and how it ended.
struct Run {
    code: i32,
    out: String,
    err: String,
}

fn vestibule(folder: &Path, arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn help_says_what_there_is() {
    let run = vestibule(folder().path(), &["--help"]);
    assert_eq!(run.code, 0);
    insta::assert_snapshot!("help", run.out);
}

#[test]
fn every_command_has_help() {
    for command in [
        "serve",
        "demo",
        "migrate",
        "apply",
        "schema",
        "flow",
        "terms",
        "user",
        "consent",
        "group",
        "role",
        "provider",
        "funnel",
        "config",
        "client-registration",
        "keys",
        "token",
    ] {
        let run = vestibule(folder().path(), &[command, "--help"]);
        assert_eq!(run.code, 0, "{}", run.err);
        insta::assert_snapshot!(format!("help_{command}"), run.out);
    }
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let folder = folder();
    std::fs::write(folder.path().join("vestibule.toml"), "[smtp]\nhost = \"mail\"\nprot = 25\n").unwrap();
    let run = vestibule(folder.path(), &["serve"]);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("vestibule.toml:3: smtp.prot: there is no such key; did you mean “port”?"),
        "{}",
        run.err
    );
}

#[test]
fn a_missing_secret_file_is_named() {
    let folder = folder();
    let text =
        "[smtp]\nhost = \"mail\"\nfrom = \"a@b.example\"\nusername = \"u\"\npassword_file = \"nope\"\n";
    std::fs::write(folder.path().join("vestibule.toml"), text).unwrap();
    let run = vestibule(folder.path(), &["config", "check"]);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("vestibule.toml:5: smtp.password_file: the file nope cannot be read"),
        "{}",
        run.err
    );
}

#[test]
fn a_second_apply_changes_nothing() {
    let folder = folder();
    let tenant = "tenant: { kind: external, displayName: Contoso, shortName: contoso }\n";
    std::fs::write(folder.path().join("contoso.yaml"), tenant).unwrap();
    let first = vestibule(folder.path(), &["apply", "contoso.yaml"]);
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(first.out.contains("contoso: tenant “Contoso” created"), "{}", first.out);
    let second = vestibule(folder.path(), &["apply", "contoso.yaml"]);
    assert_eq!(second.code, 0, "{}", second.err);
    assert_eq!(second.out, "Nothing to change: every tenant is as its file says.\n");
}

const SHOP: &str = "\
tenant: { kind: external, displayName: Corner, shortName: corner }
applications:
  - displayName: Till
    appId: 33333333-3333-4333-8333-333333333333
    spa: { redirectUris: ['https://till.example/'] }
userFlows:
  - displayName: Customers
    applications: [Till]
    identityProviders: [EmailOtpSignup-OAUTH]
    attributeCollection:
      inputs:
        - { attribute: givenName }
";

#[test]
fn a_flow_is_drafted_compared_published_and_rolled_back() {
    let folder = folder();
    let run = |arguments: &[&str]| {
        let run = vestibule(folder.path(), arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.err);
        run.out
    };
    let file = |text: &str| std::fs::write(folder.path().join("corner.yaml"), text).unwrap();
    file(SHOP);
    run(&["apply", "corner.yaml"]);
    file(&SHOP.replace("{ attribute: givenName }", "{ attribute: givenName, required: true }"));
    let said = "corner: user flow “Customers” has a draft: attributeCollection.inputs[givenName].required\n";
    assert_eq!(run(&["flow", "draft", "corner.yaml"]), said);
    let said = "Nothing to draft: every flow, or its draft, is as its file says.\n";
    assert_eq!(run(&["flow", "draft", "corner.yaml"]), said);
    assert!(run(&["flow", "list"]).ends_with("revision 1, run as version 1, with a draft\n"));
    assert_eq!(
        run(&["flow", "diff", "corner", "customers"]),
        "From revision 1 to the draft:\n  attributeCollection.inputs[givenName].required: false → true\n"
    );
    let json: serde_json::Value =
        serde_json::from_str(&run(&["flow", "diff", "corner", "customers", "--json"])).unwrap();
    assert_eq!(json["differences"][0]["after"], true);
    let said = "corner: user flow “Customers” changed: attributeCollection\n";
    assert_eq!(run(&["flow", "publish", "corner", "customers", "--note", "we need the name"]), said);
    assert_eq!(run(&["flow", "rollback", "corner", "customers", "--to", "1"]), said);
    let said = "Nothing to publish: the flow is that already.\n";
    assert_eq!(run(&["flow", "rollback", "corner", "customers", "--to", "1"]), said);
    let history = run(&["flow", "history", "corner", "customers"]);
    assert_eq!(history.lines().count(), 3, "{history}");
    assert!(history.contains("we need the name"), "{history}");
    let said = "Nothing to discard: the flow has no draft.\n";
    assert_eq!(run(&["flow", "discard", "corner", "customers"]), said);
}

#[test]
fn a_flow_that_is_not_there_is_told_with_those_that_are() {
    let folder = folder();
    std::fs::write(folder.path().join("corner.yaml"), SHOP).unwrap();
    vestibule(folder.path(), &["apply", "corner.yaml"]);
    let run = vestibule(folder.path(), &["flow", "publish", "corner", "Partners"]);
    assert_eq!(run.code, 1);
    assert_eq!(run.err, "vestibule: the tenant has no flow “Partners”; there are: Customers\n");
    let run = vestibule(folder.path(), &["flow", "publish", "corner", "Customers"]);
    assert_eq!((run.code, run.err.as_str()), (1, "vestibule: the flow has no draft\n"));
}

#[test]
fn a_removal_is_refused_without_a_terminal_unless_it_is_meant() {
    // EXIST-06
    let folder = folder();
    std::fs::write(folder.path().join("corner.yaml"), SHOP).unwrap();
    vestibule(folder.path(), &["apply", "corner.yaml"]);
    let without = SHOP.split("userFlows:").next().unwrap();
    std::fs::write(folder.path().join("corner.yaml"), without).unwrap();
    let refused = vestibule(folder.path(), &["apply", "corner.yaml"]);
    assert_eq!(refused.code, 1);
    assert_eq!(refused.out, "corner: without “Customers” nobody can sign up or sign in for “Till”\n");
    assert!(refused.err.contains("nothing was changed") && refused.err.contains("--yes"), "{}", refused.err);
    assert!(vestibule(folder.path(), &["flow", "list"]).out.contains("“Customers”"));
    let meant = vestibule(folder.path(), &["apply", "--yes", "corner.yaml"]);
    assert_eq!(meant.code, 0, "{}", meant.err);
    assert!(meant.out.contains("user flow “Customers” removed"), "{}", meant.out);
}

#[test]
fn a_problem_in_a_tenant_is_told_with_file_line_and_key() {
    let folder = folder();
    let tenant = "tenant:\n  kind: extrenal\n  displayName: Contoso\n  shortName: contoso\n";
    std::fs::write(folder.path().join("contoso.yaml"), tenant).unwrap();
    let run = vestibule(folder.path(), &["apply", "contoso.yaml"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("contoso.yaml:2:3: tenant.kind: “extrenal” is not one of"), "{}", run.err);
}

#[test]
fn a_lost_sealing_key_is_never_replaced() {
    let folder = folder();
    let tenant = "tenant: { kind: external, displayName: Contoso, shortName: contoso }\n";
    std::fs::write(folder.path().join("contoso.yaml"), tenant).unwrap();
    assert_eq!(vestibule(folder.path(), &["apply", "contoso.yaml"]).code, 0);
    let key = folder.path().join("data/sealing.key");
    std::fs::remove_file(&key).unwrap();
    let run = vestibule(folder.path(), &["apply", "contoso.yaml"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("the key file data/sealing.key is not there"), "{}", run.err);
    assert!(!key.exists());
    std::fs::write(&key, [9; 32]).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let run = vestibule(folder.path(), &["apply", "contoso.yaml"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("holds another key"), "{}", run.err);
}

#[test]
fn the_schemas_are_json() {
    for arguments in [&["schema"][..], &["config", "schema"]] {
        let run = vestibule(folder().path(), arguments);
        let schema: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(schema["type"], "object");
    }
}
