use vestibule_rules::text::Secret;
use vestibule_service::directory::{MachineSecrets, SecretSource, shape::SecretReference};

use super::{lines, read, read_all};

const GOOD: &str = "
tenant: { kind: external, displayName: Contoso, shortName: contoso }
applications:
  - displayName: Shop
    web: { redirectUris: ['https://shop.example/cb'] }
userFlows:
  - displayName: Customers
    applications: [shop]
    identityProviders: [EmailOtpSignup-OAUTH]
";

#[test]
fn a_small_file_is_enough() {
    let tenants = read(GOOD).unwrap();
    assert_eq!(tenants.len(), 1);
    assert_eq!(tenants[0].file.tenant.short_name, "contoso");
}

/// Everything that breaks the shape, with the line that it stands in.
#[test]
fn every_violation_of_the_shape_is_told_at_once() {
    let text = "\
tenant:
  id: not-a-guid
  kind: extern
  displayname: Contoso
  shortName: 12
  domains: contoso.example
  branding:
    accentColour: \"#000000\"
applications:
  - displayName: Shop
    web:
      redirectUri: https://shop.example
    passwordCredentials:
      - secret: hunter2
      - secret: {}
    accountEnabled: yes please
identityProviders: 5
userFlows:
  - displayName: Customers
    applications:
    identityProvider: [x]
extra: 1
";
    assert_eq!(
        lines(&read(text).unwrap_err()),
        [
            "tenant.yaml:1:1: tenant: “displayName” is missing here",
            "tenant.yaml:2:3: tenant.id: “not-a-guid” is not a GUID such as 4f1c2d0e-6b0a-4a57-9d3c-5f0e8f1b7a21",
            "tenant.yaml:3:3: tenant.kind: “extern” is not one of workforce, external; did you mean “external”?",
            "tenant.yaml:4:3: tenant.displayname: there is no key “displayname” here; did you mean “displayName”?",
            "tenant.yaml:5:3: tenant.shortName: this must be a text; put it in quotes: \"12\"",
            "tenant.yaml:6:3: tenant.domains: this must be a list (lines that begin with “- ”), not a text",
            "tenant.yaml:8:5: tenant.branding.accentColour: there is no key “accentColour” here; did you mean “accentColor”?",
            "tenant.yaml:12:7: applications[0].web.redirectUri: there is no key “redirectUri” here; did you mean “redirectUris”?",
            "tenant.yaml:14:9: applications[0].passwordCredentials[0].secret: this must be a block of keys and values, not a text",
            "tenant.yaml:15:9: applications[0].passwordCredentials[1].secret: say where the secret is, with either “file” or “env”",
            "tenant.yaml:16:5: applications[0].accountEnabled: this must be true or false, not a text",
            "tenant.yaml:17:1: identityProviders: this must be a list (lines that begin with “- ”), not a number",
            "tenant.yaml:19:5: userFlows[0]: “identityProviders” is missing here",
            "tenant.yaml:20:5: userFlows[0].applications: nothing stands here; write a list (lines that begin with “- ”) or leave the key out",
            "tenant.yaml:21:5: userFlows[0].identityProvider: there is no key “identityProvider” here; did you mean “identityProviders”?",
            "tenant.yaml:22:1: extra: there is no key “extra” here; known here: applications, clientRegistration, groups, identityProviders, tenant, userFlowAttributes, userFlows",
        ]
    );
}

const BROKEN: &str = "\
tenant:
  kind: workforce
  displayName: Contoso
  shortName: token-shop
  domains: [contoso]
applications:
  - displayName: Portal
    web:
      redirectUris:
        - https://portal.example/*
        - http://portal.example/cb
    passwordCredentials:
      - secret: { file: lost }
        endDateTime: tomorrow
    tokenClaims:
      - { name: sub, attribute: loyalty number }
      - { name: shoe, attribute: shoe }
identityProviders:
  - id: fabrikam
    displayName: Fabrikam
    issuer: http://id.fabrikam.example
    clientId: x
    responseType: id_token
userFlowAttributes:
  - { displayName: Loyalty number, dataType: int64 }
userFlows:
  - name: Partner
    applications: [Portal, Portel]
    identityProviders: [EmailOtpSignup-OAUTH, fabricam]
    attributeCollection:
      inputs:
        - attribute: Loyalty number
          label: '[why](javascript:alert)'
        - attribute: city
          validationRegEx: '('
  - name: B2X_1_Second
    applications: [portal]
    identityProviders: []
";

/// Everything that has the right shape and breaks a rule, also across objects.
#[test]
fn every_broken_rule_is_told_at_once() {
    assert_eq!(
        lines(&read(BROKEN).unwrap_err()),
        [
            "tenant.yaml:4:3: tenant.shortName: “token-shop” begins with “token”; Microsoft's client libraries would mangle its addresses",
            "tenant.yaml:5:13: tenant.domains[0]: “contoso” is not a domain name such as contoso.example",
            "tenant.yaml:10:11: applications[0].web.redirectUris[0]: “https://portal.example/*” contains a wildcard; write every address out",
            "tenant.yaml:11:11: applications[0].web.redirectUris[1]: “http://portal.example/cb” is not encrypted; use https, or http for localhost, 127.0.0.1 and [::1] only",
            "tenant.yaml:13:9: applications[0].passwordCredentials[0].secret: there is no lost",
            "tenant.yaml:14:9: applications[0].passwordCredentials[0].endDateTime: “tomorrow” is not a point in time such as 2026-11-24T00:00:00Z",
            "tenant.yaml:16:11: applications[0].tokenClaims[0].name: “sub” is a claim of the server itself; choose another name",
            "tenant.yaml:17:23: applications[0].tokenClaims[1].attribute: there is no attribute “shoe”; the tenant has the built-in ones and its own: loyaltyNumber",
            "tenant.yaml:21:5: identityProviders[0].issuer: “http://id.fabrikam.example” is not an https:// address (http:// is for localhost only)",
            "tenant.yaml:23:5: identityProviders[0].responseType: “id_token” would send the token through the browser; only “code” is supported (T-12)",
            "tenant.yaml:28:5: userFlows[0].applications: guests may not sign themselves up in this tenant, so no application can be attached; set tenant.authenticationFlowsPolicy.selfServiceSignUp.isEnabled to true (FLOW-01)",
            "tenant.yaml:28:28: userFlows[0].applications[1]: no application “Portel” is registered in this tenant; did you mean “Portal”? (FLOW-05)",
            "tenant.yaml:29:47: userFlows[0].identityProviders[1]: there is no provider “fabricam”; known are EmailOtpSignup-OAUTH, EmailPassword-OAUTH, fabrikam (FLOW-07)",
            "tenant.yaml:33:11: userFlows[0].attributeCollection.inputs[0].label: the link to “javascript:alert” is not an https:// or http:// address (ATTR-15)",
            "tenant.yaml:35:11: userFlows[0].attributeCollection.inputs[1].validationRegEx: the pattern cannot be used: error: unclosed group",
            "tenant.yaml:37:5: userFlows[1].applications: guests may not sign themselves up in this tenant, so no application can be attached; set tenant.authenticationFlowsPolicy.selfServiceSignUp.isEnabled to true (FLOW-01)",
            "tenant.yaml:37:20: userFlows[1].applications[0]: the application is already on the flow “Partner” (B2X_1_Partner); an application has one flow (FLOW-03)",
            "tenant.yaml:38:5: userFlows[1].identityProviders: a flow needs at least one way to sign up (FLOW-07)",
        ]
    );
}

#[test]
fn flaws_of_the_text_itself_are_told_with_the_rest() {
    let text = "tenant:\n  kind: external\n  kind: workforce\n  displayName: A\n  shortName: a\nuserFlows: &a []\napplications: *a\n";
    assert_eq!(
        lines(&read(text).unwrap_err()),
        [
            "tenant.yaml:3:3: tenant.kind: the key “kind” is here a second time; it first stands in line 2",
            "tenant.yaml:7:1: applications: nothing stands here; write a list (lines that begin with “- ”) or leave the key out",
            "tenant.yaml:7:15: applications: aliases (*name) are not supported; write it out",
        ]
    );
    let broken = lines(&read("tenant: [\n").unwrap_err());
    assert_eq!(broken.len(), 1);
    assert!(broken[0].starts_with("tenant.yaml:2:1: tenant: this is not YAML: "), "{broken:?}");
    assert_eq!(lines(&read("").unwrap_err()), ["tenant.yaml:1:1: the file is empty"]);
    assert_eq!(
        lines(&read("just words").unwrap_err()),
        ["tenant.yaml:1:1: this must be a block of keys and values, not a text"]
    );
    let deep = format!("tenant: {}{}", "[".repeat(100), "]".repeat(100));
    assert!(lines(&read(&deep).unwrap_err()).iter().any(|l| l.contains("nested too deeply")));
}

#[test]
fn problems_of_all_files_and_documents_come_together() {
    let two = format!("{GOOD}---\ntenant: {{ kind: external, displayName: B, shortName: B }}\n");
    let twin = GOOD.replace("contoso", "CONTOSO").replace("CONTOSO }", "contoso }");
    let problems =
        lines(&read_all(&[("a.yaml", &two), ("b.yaml", "tenant: 1"), ("c.yaml", &twin)]).unwrap_err());
    assert_eq!(
        problems,
        [
            "a.yaml:11:43: tenant.shortName: “B” is not a short name: use lower-case letters, digits and hyphens, begin with a letter or digit, at most 63",
            "b.yaml:1:1: tenant: this must be a block of keys and values, not a number",
            "c.yaml:2:49: tenant.shortName: “contoso” already names the tenant “Contoso” in a.yaml",
        ]
    );
}

#[test]
fn t_04_a_workforce_flow_is_named_with_or_without_its_prefix() {
    let named = |line: &str| {
        read(&format!(
            "
tenant: {{ kind: workforce, displayName: C, shortName: c }}
userFlows:
  - {line}
    identityProviders: [EmailOtpSignup-OAUTH]
"
        ))
    };
    for good in ["name: Partner", "name: B2X_1_Partner", "id: B2X_1_Partner"] {
        assert!(named(good).is_ok(), "{good}");
    }
    let nameless = lines(&named("displayName: x").unwrap_err());
    assert_eq!(nameless, ["tenant.yaml:4:5: userFlows[0].name: a flow of a workforce tenant needs a name"]);
}

#[test]
fn secrets_come_from_files_beside_the_tenant_file_and_from_variables() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good"), "  s3cret\n").unwrap();
    std::fs::write(folder.path().join("empty"), "\n").unwrap();
    let from = |file: Option<&str>, env: Option<&str>| {
        let reference = SecretReference { file: file.map(str::to_owned), env: env.map(str::to_owned) };
        MachineSecrets.read(&reference, folder.path()).map(Secret::into_inner)
    };
    assert_eq!(from(Some("good"), None), Ok("s3cret".to_owned()));
    assert!(from(None, Some("CARGO_MANIFEST_DIR")).is_ok());
    assert!(from(Some("empty"), None).unwrap_err().contains("empty"));
    assert!(from(Some("missing"), None).unwrap_err().contains("missing"));
    assert!(
        from(None, Some("VESTIBULE_NO_SUCH_VARIABLE")).unwrap_err().contains("VESTIBULE_NO_SUCH_VARIABLE")
    );
}
