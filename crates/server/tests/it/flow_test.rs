//! `vestibule flow`: flows tested and drawn without a browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use roxmltree::Document;

/// What a run of the program said and how it ended.
struct Run {
    code: i32,
    out: String,
    err: String,
}

fn flow(folder: &Path, arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .arg("flow")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo")
}

/// A folder with the files of the guide.
fn guide() -> tempfile::TempDir {
    let guide = include_str!("../../../../docs/guides/test-a-flow.md");
    let mut blocks = guide.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let folder = tempfile::tempdir().unwrap();
    for name in ["partners.yaml", "partners.test.yaml"] {
        std::fs::write(folder.path().join(name), blocks.next().unwrap()).unwrap();
    }
    folder
}

/// Changes one thing in a file.
fn slip(folder: &Path, name: &str, right: &str, wrong: &str) {
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(right), "{right}");
    std::fs::write(path, text.replacen(right, wrong, 1)).unwrap();
}

fn has(picture: &Document<'_>, tag: &str) -> bool {
    picture.descendants().any(|node| node.tag_name().name() == tag)
}

// FLOW-20, FLOW-21, FLOW-24, FLOW-25, IDP-OIDC-01, EXIST-02, EXIST-03
#[test]
fn the_demos_flows_pass_their_tests() {
    let run = flow(&demo(), &["test", "woodgrove.test.yaml", "woodgrove-customers.test.yaml"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains("17 tests passed"), "{}", run.out);
}

// T-26: the guide's extension sets a hidden attribute, which is stored and never shown.
#[test]
fn the_guide_works_as_it_stands() {
    let folder = guide();
    let run = flow(folder.path(), &["test", "partners.test.yaml"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains("3 tests passed"), "{}", run.out);
    let run = flow(folder.path(), &["show", "partners.yaml", "--format", "svg"]);
    assert_eq!(run.code, 0, "{}", run.err);
    Document::parse(&run.out).unwrap();
}

#[test]
fn a_failure_says_where_it_is_what_was_expected_and_what_was_shown() {
    let folder = guide();
    slip(folder.path(), "partners.test.yaml", "field-required", "field-pattern");
    let run = flow(folder.path(), &["test", "partners.test.yaml"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("1 of 3 tests failed"), "{}", run.err);
    let text = include_str!("../../../../docs/guides/test-a-flow.md");
    let block = text.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(run.out.contains(block), "{}", run.out);
}

#[test]
fn everything_that_a_test_can_expect_can_fail() {
    let cases = [
        ("see: details", "see: stay", "the step “stay”"),
        ("absent: [Risk]", "title: Welcome", "the title “Welcome”"),
        (
            "fields: [displayName, Business name]",
            "fields: [Business name, displayName]",
            "exactly the fields",
        ),
        ("absent: [Risk]", "absent: [displayName]", "no field “displayName”"),
        ("absent: [Risk]", "fixed: [displayName]", "which cannot be changed"),
        (
            "values: { displayName: Ada }",
            "values: { displayName: Eve }",
            "\"Eve\" in the field “displayName”",
        ),
        (
            "problems: { Business name: field-required }",
            "absent: []",
            "no problem beside the field “Business name”",
        ),
        ("absent: [Risk]", "notices: [try-again]", "the problem with the page as a whole try-again"),
        ("providers: [fabrikam]", "providers: []", "the providers (none)"),
        ("providers: [fabrikam]", "can: [resend]", "the button “resend”"),
        ("providers: [fabrikam]", "cannot: [cancel]", "no button “cancel”"),
        ("type: { displayName: Ada Lovelace }", "type: { Risk: low }", "the page has the field “Risk”"),
        ("code: newest", "code: superseded", "the visitor has such a code"),
        ("code: newest", "press: jump", "the page has the button “jump”"),
        ("email_verified: true", "email_verified: false", "the step “details”"),
        ("end: refused, code: 50057", "end: open", "something is still asked"),
        ("created: true", "created: false", "no account was created"),
        ("userType: Guest", "userType: Member", "expected    \"Member\""),
        ("userType: Guest", "usertype: Guest", "did you mean “userType”?"),
        ("Risk: low }\n      token", "Risk: high }\n      token", "but it was  \"low\""),
        ("userType: Guest", "absent: [displayName]", "no value of “displayName”"),
        ("absent: [idp]", "absent: [name]", "no claim “name”"),
        ("token: { name: Ada Lovelace", "token: { name: Eve", "expected    \"Eve\""),
        ("code: 50057", "code: 50034", "but it was  50057"),
        ("code: 50057", "message: refused-no-account", "the refusal “refused-no-account”"),
    ];
    for (right, wrong, said) in cases {
        let folder = guide();
        slip(folder.path(), "partners.test.yaml", right, wrong);
        let run = flow(folder.path(), &["test", "partners.test.yaml"]);
        assert_eq!(run.code, 1, "{wrong}: {}{}", run.out, run.err);
        assert!(run.out.contains(said), "{wrong}: {}", run.out);
    }
}

#[test]
fn what_is_wrong_in_a_file_is_told_before_anything_runs() {
    let cases = [
        ("see: details", "see: detials", "tests[0].steps[2].see: “detials” is not one of"),
        ("displayName, Business name]", "displayName, Busines name]", "did you mean “Business name”?"),
        ("choose: fabrikam", "choose: fabricam", "did you mean “fabrikam”?"),
        ("app: Partner portal", "app: Partner portl", "app: there is no application “Partner portl”"),
        ("created: true", "create: true", "there is no key “create” here; did you mean “created”?"),
        ("extension: { Risk", "extension: { city", "the flow does not collect “city”"),
        ("code: newest", "advance: soon", "“soon” is no time"),
        ("tenant: partners.yaml", "tenant: partner.yaml", "2:1: tenant: "),
        ("sub: \"4711\"", "iss: \"4711\"", "“sub” is missing"),
        ("code: newest\n", "title: Code\n", "nothing is done here"),
    ];
    for (right, wrong, said) in cases {
        let folder = guide();
        slip(folder.path(), "partners.test.yaml", right, wrong);
        let run = flow(folder.path(), &["test", "partners.test.yaml"]);
        assert_eq!(run.code, 2, "{wrong}: {}{}", run.out, run.err);
        assert!(run.err.contains(said) && run.err.contains("partners.test.yaml:"), "{wrong}: {}", run.err);
        assert_eq!(run.out, "");
    }
}

#[test]
fn a_problem_in_the_tenant_file_is_told_as_apply_tells_it() {
    let folder = guide();
    slip(folder.path(), "partners.yaml", "EmailOtpSignup-OAUTH", "EmailOtpSignin-OAUTH");
    let run = flow(folder.path(), &["test", "partners.test.yaml"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("partners.yaml:28:25: userFlows[0].identityProviders[0]"), "{}", run.err);
}

#[test]
fn only_tests_with_a_word_in_their_name_run() {
    let run = flow(&demo(), &["test", "woodgrove.test.yaml", "--filter", "FABRIKAM"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("4 tests passed"), "{}", run.out);
    let run = flow(&demo(), &["test", "woodgrove.test.yaml", "--filter", "nobody"]);
    assert_eq!(run.code, 2);
}

#[test]
fn the_report_for_a_ci_is_xml_and_says_the_same() {
    let folder = guide();
    slip(
        folder.path(),
        "partners.test.yaml",
        "Risk: low }\n      token",
        "Risk: <high> & \"dry\" }\n      token",
    );
    let run = flow(folder.path(), &["test", "partners.test.yaml", "--junit", "report.xml"]);
    assert_eq!(run.code, 1, "{}", run.err);
    let report = std::fs::read_to_string(folder.path().join("report.xml")).unwrap();
    let report = Document::parse(&report).unwrap();
    let all = |name: &str| report.descendants().filter(|n| n.has_tag_name(name)).collect::<Vec<_>>();
    assert_eq!(report.root_element().attribute("failures"), Some("1"));
    assert_eq!(all("testcase").len(), 3);
    assert!(all("testcase").iter().all(|case| case.attribute("time").is_some()));
    let failure = all("failure").pop().unwrap();
    let case = failure.parent().unwrap();
    assert_eq!(case.attribute("name"), Some("a partner signs up with a code"));
    assert_eq!(failure.attribute("message"), Some(r#"expected "<high> & \"dry\"""#));
    assert!(failure.text().unwrap().contains("but it was  \"low\""), "{:?}", failure.text());
}

#[test]
fn two_hundred_visitors_are_through_at_once() {
    let folder = guide();
    let path = folder.path().join("partners.test.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, tests) = text.split_once("tests:\n").unwrap();
    let many: String = std::iter::repeat_n(tests.trim_end(), 67).collect::<Vec<_>>().join("\n");
    std::fs::write(&path, format!("{head}tests:\n{many}\n")).unwrap();
    let run = flow(folder.path(), &["test", "partners.test.yaml"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let last = run.out.lines().last().unwrap();
    assert!(last.starts_with("201 tests passed"), "{last}");
    println!("{last}");
}

#[test]
fn the_demos_flows_are_drawn() {
    for (name, file) in [("suppliers", "woodgrove.yaml"), ("customers", "woodgrove-customers.yaml")] {
        let filled = ["show", file, "--placeholder", "app=http://localhost:3000"];
        let run = flow(&demo(), &filled);
        assert_eq!(run.code, 0, "{}", run.err);
        insta::assert_snapshot!(format!("flow_{name}_mermaid"), run.out);
        let run = flow(&demo(), &[&filled[..], &["--format", "svg"]].concat());
        assert_eq!(run.code, 0, "{}", run.err);
        let picture = Document::parse(&run.out).unwrap();
        assert!(["title", "desc"].iter().all(|tag| has(&picture, tag)));
        insta::assert_snapshot!(format!("flow_{name}_svg"), run.out);
    }
}

#[test]
fn each_page_of_several_is_drawn_and_the_way_around_one_that_is_conditional() {
    let text = include_str!("../../../../docs/guides/what-a-flow-asks.md");
    let block = text.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tenant.yaml"), block).unwrap();
    let run = flow(folder.path(), &["show", "tenant.yaml"]);
    assert_eq!(run.code, 0, "{}", run.err);
    insta::assert_snapshot!("flow_of_several_pages_mermaid", run.out);
}

/// The step of the guide about terms, for a visitor who is new, and one who accepted an older version.
const TERMS: &str = r"
tenant: tenant.yaml
app: Shop
directory:
  - mail: old@example.com
    password: plum kettle outermost 47
    terms: { general: 2025-01 }
tests:
  - name: a newcomer accepts
    start: sign-up
    steps:
      - { see: sign-up, type: { username: mia@example.com } }
      - { see: code, code: newest }
      - see: details
        fields: [password, displayName, terms-general, terms-newsletter]
        type: { displayName: Mia, password: plum kettle outermost 47 }
      - see: details
        problems: { terms-general: terms-must-accept }
{step}
  - name: a new version
    start: sign-in
    steps:
      - { see: identify, type: { username: old@example.com } }
      - { see: password, type: { password: plum kettle outermost 47 } }
      - { see: details, title: details-terms-title, fields: [terms-general], type: { terms-general: de } }
    then:
      end: open
      terms: { general: 2026-11 }
";

// TOU-01
#[test]
fn terms_are_tested_as_their_guide_says() {
    let guide = include_str!("../../../../docs/guides/terms.md");
    let blocks: Vec<&str> =
        guide.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tenant.yaml"), blocks[0]).unwrap();
    let step = blocks[1].replacen("      - see: details\n", "", 1).replace("displayName: Mia, ", "");
    let tests = TERMS.replace("{step}", step.trim_end());
    std::fs::write(folder.path().join("terms.test.yaml"), &tests).unwrap();
    let run = flow(folder.path(), &["test", "terms.test.yaml"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains("2 tests passed"), "{}", run.out);
    slip(folder.path(), "terms.test.yaml", "terms: { general: 2026-11 }", "terms: { general: 2026-12 }");
    let run = flow(folder.path(), &["test", "terms.test.yaml"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("the visitor has accepted general 2026-12"), "{}", run.out);
    let run = flow(folder.path(), &["show", "tenant.yaml"]);
    assert_eq!(run.code, 0, "{}", run.err);
}

const AGE: &str = r"
tenant: tenant.yaml
app: Shop
tests:
  - name: of full age
    start: sign-up
    steps:
      - { see: sign-up, type: { username: mia@example.com } }
      - { see: code, code: newest }
      - { see: details, type: { birthday: 1990-05-17, country: FR } }
    then:
      end: open
      created: true
      account: { ageGroup: Adult }
  - name: with a guardian
    start: sign-up
    steps:
      - { see: sign-up, type: { username: tom@example.com } }
      - { see: code, code: newest }
      - { see: details, type: { birthday: 2015-05-17, country: FR } }
      - { see: guardian, type: { guardian: tom@example.com } }
      - { see: guardian, problems: { guardian: guardian-own-address }, type: { guardian: mum@example.com } }
      - { see: guardian-wait, can: [resend, change-address], press: submit }
      - { see: guardian-wait, guardian: agrees }
      - { see: guardian-agreed, press: submit }
    then:
      end: open
      account: { ageGroup: Minor, consentProvidedForMinor: Granted }
  - name: without
    start: sign-up
    steps:
      - { see: sign-up, type: { username: tom@example.com } }
      - { see: code, code: newest }
      - { see: details, type: { birthday: 2011-12-17, country: DE } }
      - { see: guardian, type: { guardian: mum@example.com } }
      - { see: guardian-wait, guardian: refuses }
    then: { end: refused, message: refused-guardian, created: false }
";

// AGE-01
#[test]
fn the_guide_about_age_is_tested_and_drawn() {
    let guide = include_str!("../../../../docs/guides/age.md");
    let tenant = guide.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tenant.yaml"), tenant).unwrap();
    std::fs::write(folder.path().join("age.test.yaml"), AGE).unwrap();
    let run = flow(folder.path(), &["test", "age.test.yaml"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let run = flow(folder.path(), &["show", "tenant.yaml"]);
    assert_eq!(run.code, 0, "{}", run.err);
    insta::assert_snapshot!("flow_with_a_guardian_mermaid", run.out);
}

const CONDITIONAL: &str = r"
tenant:
  kind: external
  displayName: Contoso
  shortName: contoso
identityProviders:
  - id: fabrikam
    displayName: Fabrikam
    issuer: https://login.fabrikam.example
    clientId: contoso
    clientSecret: { env: SECRET }
    inboundClaimMapping: { city: town }
userFlows:
  - displayName: Customers
    identityProviders: [EmailOtpSignup-OAUTH, fabrikam]
    attributeCollection:
      views:
        - title: Everybody
          inputs: [{ attribute: displayName, required: true }]
        - title: From Northwind
          when: { emailDomain: [northwind.example] }
          inputs: [{ attribute: jobTitle }]
        - title: In Bath
          when: { providerSays: { attribute: city, is: [Bath] } }
          inputs: [{ attribute: streetAddress }]
        - title: By Fabrikam
          when: { method: [fabrikam] }
          inputs: [{ attribute: postalCode }]
";

#[test]
fn pages_that_hang_on_the_domain_the_provider_or_the_method_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tenant.yaml"), CONDITIONAL).unwrap();
    let run = flow(folder.path(), &["show", "tenant.yaml"]);
    assert_eq!(run.code, 0, "{}", run.err);
    for title in ["Everybody", "From Northwind", "In Bath", "By Fabrikam"] {
        assert!(run.out.contains(title), "{title}: {}", run.out);
    }
    insta::assert_snapshot!("flow_with_conditions_mermaid", run.out);
}

#[test]
fn a_drawing_shows_what_an_administrator_wrote_and_runs_nothing_of_it() {
    let folder = guide();
    let hostile = "attributeCollection:\n      title: '</text><script>\"|]'";
    slip(folder.path(), "partners.yaml", "attributeCollection:", hostile);
    let run = flow(folder.path(), &["show", "partners.yaml", "--flow", "partners", "--format", "svg"]);
    let picture = Document::parse(&run.out).unwrap();
    assert!(picture.descendants().any(|n| n.text() == Some("</text><script>\"|]")));
    assert!(!has(&picture, "script"));
    let run = flow(folder.path(), &["show", "partners.yaml"]);
    assert!(run.out.contains("[\"#60;/text#62;#60;script#62;#34;#124;]<br/>"), "{}", run.out);
    let run = flow(folder.path(), &["show", "partners.yaml", "--flow", "guests"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("choose one with --flow: Partners"), "{}", run.err);
}

#[test]
fn the_schema_of_tests_is_written_down() {
    let run = flow(&demo(), &["schema"]);
    let kept = include_str!("../../../../docs/reference/flow-test.schema.json");
    assert!(run.out == kept, "regenerate it: vestibule flow schema > docs/reference/flow-test.schema.json");
}
