//! One test for each rule; names tell the rule, assertions the place.

use serde_json::{Value, json};

use super::*;
use crate::directory::application::Application;
use crate::directory::attribute::{UserFlowAttribute, custom_id};
use crate::directory::provider::IdentityProvider;
use crate::directory::provider::claims::ClaimRule;
use crate::directory::tenant::TenantKind;
use crate::ids::ClientId;

const PORTAL: &str = "11111111-1111-4111-8111-111111111111";
const ORDERS: &str = "22222222-2222-4222-8222-222222222222";
const EXTENSIONS: &str = "33333333-3333-4333-8333-333333333333";

pub(super) fn shape<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn app(id: &str, name: &str) -> Application<crate::directory::application::PasswordCredential> {
    let principal = json!({"id": id, "accountEnabled": true});
    shape(json!({"id": id, "appId": id, "displayName": name, "servicePrincipal": principal}))
}

fn provider(id: &str) -> IdentityProvider<crate::directory::provider::SealedSecret> {
    shape(json!({
        "id": id, "displayName": id, "issuer": "https://login.fabrikam.example", "clientId": "c",
        "clientSecret": "sealed",
    }))
}

fn attribute(name: &str, data_type: &str) -> UserFlowAttribute {
    let id = custom_id(ClientId::parse(EXTENSIONS).unwrap(), name);
    shape(json!({"id": id, "displayName": name, "dataType": data_type}))
}

fn flow(id: &str, apps: &[&str]) -> crate::directory::flow::UserFlow {
    shape(
        json!({"id": id, "displayName": id, "applications": apps, "identityProviders": ["EmailOtpSignup-OAUTH"]}),
    )
}

/// A workforce tenant with two applications, one of them on a flow, and nothing wrong.
pub(super) fn good() -> TenantConfig {
    let mut extensions = app(EXTENSIONS, "aad-extensions-app");
    extensions.built_in = true;
    TenantConfig {
        tenant: shape(json!({
            "id": "44444444-4444-4444-8444-444444444444", "kind": "workforce", "displayName": "Contoso",
            "shortName": "contoso", "domains": ["contoso.example"],
            "authenticationFlowsPolicy": {"selfServiceSignUp": {"isEnabled": true}},
        })),
        applications: vec![app(PORTAL, "Portal"), app(ORDERS, "Orders"), extensions],
        identity_providers: vec![provider("fabrikam")],
        user_flow_attributes: vec![attribute("Loyalty Number", "int64"), attribute("Terms", "boolean")],
        user_flows: vec![flow("B2X_1_Partner", &[PORTAL])],
        groups: Vec::new(),
    }
}

/// The same as an external tenant under `compatibility: strict`.
fn strict() -> TenantConfig {
    let mut config = good();
    config.tenant.kind = TenantKind::External;
    config.tenant.compatibility = Compatibility::Strict;
    config.user_flows = vec![flow("55555555-5555-4555-8555-555555555555", &[PORTAL])];
    config
}

fn input(value: Value) -> TenantConfig {
    let mut config = good();
    config.user_flows[0].attribute_collection.inputs = vec![shape(value)];
    config
}

/// `path rule` of every problem.
fn problems(config: &TenantConfig) -> Vec<String> {
    check(config).iter().map(|p| format!("{} {}", dotted(&p.path), p.rule)).collect()
}

fn text(config: &TenantConfig) -> String {
    check(config).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_good_tenant_has_no_problem() {
    assert_eq!(problems(&good()), [""; 0]);
    assert_eq!(problems(&strict()), [""; 0]);
}

#[test]
fn t_01_flow_01_no_app_while_self_service_sign_up_is_off() {
    let mut config = good();
    config.tenant.authentication_flows_policy.self_service_sign_up.is_enabled = false;
    assert_eq!(problems(&config), ["userFlows[0].applications FLOW-01"]);
    // FLOW-02: an external tenant has no such switch.
    let mut config = strict();
    config.tenant.authentication_flows_policy.self_service_sign_up.is_enabled = false;
    assert_eq!(problems(&config), [""; 0]);
}

#[test]
fn t_02_flow_05_only_own_apps_can_be_attached() {
    for id in ["00000003-0000-0000-c000-000000000000", EXTENSIONS, "66666666-6666-4666-8666-666666666666"] {
        let mut config = good();
        config.user_flows[0].applications = vec![ClientId::parse(id).unwrap()];
        assert_eq!(problems(&config), ["userFlows[0].applications[0] FLOW-05"], "{id}");
    }
    let mut config = good();
    let graph = "00000003-0000-0000-c000-000000000000";
    config.applications.push(app(graph, "Ours, we say"));
    config.user_flows[0].applications = vec![ClientId::parse(graph).unwrap()];
    assert!(text(&config).contains("Microsoft Graph"));
}

#[test]
fn t_03_flow_03_an_app_has_one_flow_and_the_problem_names_it() {
    let mut config = good();
    config.user_flows.push(flow("B2X_1_Second", &[ORDERS, PORTAL]));
    assert_eq!(problems(&config), ["userFlows[1].applications[1] FLOW-03"]);
    assert!(text(&config).contains("B2X_1_Partner"));
    let mut config = good();
    config.user_flows[0].applications.push(ClientId::parse(PORTAL).unwrap());
    assert_eq!(problems(&config), ["userFlows[0].applications[1] FLOW-03"]);
}

#[test]
fn t_04_flow_ids_have_the_form_of_their_tenant() {
    for bad in ["Partner", "B2X_1_", "B2X_1_a b", "b2x_1_x"] {
        let mut config = good();
        config.user_flows[0].id = crate::ids::FlowId::new(bad);
        assert_eq!(problems(&config), ["userFlows[0].name T-04"], "{bad}");
    }
    let mut config = strict();
    config.user_flows[0].id = crate::ids::FlowId::new("B2X_1_Partner");
    assert_eq!(problems(&config), ["userFlows[0].id 1.1"]);
}

#[test]
fn t_05_flow_04_the_eleventh_flow_is_refused_under_strict_only() {
    let mut config = strict();
    config.user_flows =
        (0..11).map(|i| flow(&format!("55555555-5555-4555-8555-5555555555{i:02}"), &[])).collect();
    assert_eq!(problems(&config), ["userFlows[10] FLOW-04"]);
    config.tenant.compatibility = Compatibility::Open;
    assert_eq!(problems(&config), [""; 0]);
}

#[test]
fn flow_06_display_names_are_there_and_unique() {
    let mut config = good();
    config.user_flows.push(flow("B2X_1_Second", &[]));
    config.user_flows[1].display_name = "b2x_1_partner".to_owned();
    assert_eq!(problems(&config), ["userFlows[1].displayName FLOW-06"]);
    config.user_flows[1].display_name = " ".to_owned();
    assert_eq!(problems(&config), ["userFlows[1].displayName FLOW-06"]);
}

#[test]
fn flow_07_a_flow_has_a_known_and_enabled_provider() {
    let with = |methods: &[&str]| {
        let mut config = good();
        config.user_flows[0].identity_providers = methods.iter().map(|m| (*m).to_owned()).collect();
        config
    };
    assert_eq!(problems(&with(&[])), ["userFlows[0].identityProviders FLOW-07"]);
    assert_eq!(problems(&with(&["fabrikam", "nobody"])), ["userFlows[0].identityProviders[1] FLOW-07"]);
    assert!(text(&with(&["nobody"])).contains("EmailOtpSignup-OAUTH, EmailPassword-OAUTH, fabrikam"));
    let mut off = with(&["fabrikam"]);
    off.identity_providers[0].is_enabled = false;
    assert_eq!(problems(&off), ["userFlows[0].identityProviders[0] FLOW-07"]);
    assert_eq!(problems(&with(&["fabrikam", "fabrikam"])), ["userFlows[0].identityProviders[1] FLOW-07"]);
}

#[test]
fn guests_have_no_password_and_customers_one_local_method() {
    let mut config = good();
    config.user_flows[0].identity_providers = vec!["EmailPassword-OAUTH".to_owned()];
    assert_eq!(problems(&config), ["userFlows[0].identityProviders[0] 1.1"]);
    let mut config = strict();
    config.user_flows[0].identity_providers.push("EmailPassword-OAUTH".to_owned());
    assert_eq!(problems(&config), ["userFlows[0].identityProviders IDP-PW-02"]);
}

#[test]
fn t_12_a_provider_uses_the_code_flow_and_strict_refuses_basic() {
    let mut config = strict();
    config.identity_providers[0].settings.client_authentication = shape(json!("client_secret_basic"));
    assert_eq!(problems(&config), ["identityProviders[0].clientAuthentication T-12"]);
    config.tenant.compatibility = Compatibility::Open;
    assert_eq!(problems(&config), [""; 0]);
    config.identity_providers[0].settings.response_type = shape(json!("id_token"));
    assert_eq!(problems(&config), ["identityProviders[0].responseType T-12"]);
}

#[test]
fn the_day_on_which_a_secret_expires_is_a_day_and_there_is_a_secret() {
    for (day, ok) in
        [("2027-05-31", true), ("31.05.2027", false), ("2027-02-30", false), ("2027-5-31", false)]
    {
        let mut config = good();
        config.identity_providers[0].settings.secret_expires_at = Some(day.to_owned());
        let expected: &[&str] = if ok { &[] } else { &["identityProviders[0].secretExpiresAt 2.9"] };
        assert_eq!(problems(&config), expected, "{day}");
    }
    let mut config = good();
    config.identity_providers[0].settings.secret_expires_at = Some("31.05.2027".to_owned());
    assert!(text(&config).contains(": “31.05.2027” is not a day such as 2027-05-31"));
    config.identity_providers[0].settings.secret_expires_at = Some("2027-05-31".to_owned());
    config.identity_providers[0].client_secret = None;
    assert!(text(&config).contains(": there is no clientSecret that could expire; leave the date out"));
}

#[test]
fn the_days_of_a_secret_are_counted_by_the_calendar_of_utc() {
    let mut provider = provider("fabrikam");
    let at = |text: &str| crate::time::Timestamp::parse_rfc3339(text).unwrap();
    assert_eq!(provider.secret_days_left(at("2027-05-31T00:00:00Z")), None);
    provider.settings.secret_expires_at = Some("2027-05-31".to_owned());
    for (now, days) in
        [("2027-05-01T23:59:59Z", 30), ("2027-05-31T23:59:59Z", 0), ("2027-06-01T00:00:00Z", -1)]
    {
        assert_eq!(provider.secret_days_left(at(now)), Some(days), "{now}");
    }
}

#[test]
fn a_provider_asks_for_openid_and_has_an_honest_issuer() {
    let mut config = good();
    config.identity_providers[0].settings.scope = Some("profile openid2".to_owned());
    assert_eq!(problems(&config), ["identityProviders[0].scope 2.9"]);
    for (issuer, ok) in [
        ("https://id.example/v2.0", true),
        ("http://localhost:8080/x", true),
        ("http://127.0.0.1/x", true),
        ("{origin}/5194a16c-3ee2-4cb7-8fb5-7687952e1a02/v2.0", true),
        ("http://id.example", false),
        ("https://id.example/?a=b", false),
        ("https://id.example/#a", false),
        ("https://me@id.example", false),
        ("id.example", false),
        ("ftp://id.example", false),
        ("https:id.example", false),
    ] {
        let mut config = good();
        config.identity_providers[0].settings.issuer = Some(issuer.to_owned());
        assert_eq!(check(&config).is_empty(), ok, "{issuer}");
    }
}

#[test]
fn provider_ids_are_path_segments_and_claims_map_to_known_attributes() {
    for id in ["a/b", "", "-a", "EmailPassword-OAUTH", "a b"] {
        let mut config = good();
        config.identity_providers[0].id = crate::ids::ProviderId::new(id);
        assert_eq!(problems(&config), ["identityProviders[0].id 2"], "{id}");
    }
    let mut config = good();
    config.identity_providers[0]
        .settings
        .inbound_claim_mapping
        .insert("shoeSize".to_owned(), ClaimRule::named("shoe"));
    assert_eq!(problems(&config), ["identityProviders[0].inboundClaimMapping.shoeSize IDP-OIDC-02"]);
}

/// What is wrong with a provider of a kind in a tenant where everything else is right.
fn of_kind(kind: &str, more: impl Into<Value>) -> Vec<String> {
    let mut doc = json!({"id": "p", "displayName": "P", "clientId": "c", "clientSecret": "sealed",
        "identityProviderType": kind});
    let (all, Value::Object(more)) = (doc.as_object_mut().unwrap(), more.into()) else { panic!("an object") };
    all.extend(more);
    all.retain(|_, value| !value.is_null());
    all.entry("clientSecret").or_insert(Value::Null);
    let mut config = good();
    config.identity_providers.push(shape(doc));
    problems(&config).into_iter().map(|text| text.replace("identityProviders[1].", "")).collect()
}

#[test]
fn every_kind_of_provider_has_what_it_needs_and_nothing_of_another() {
    let none = [""; 0];
    for kind in ["Google", "Facebook", "MicrosoftAccount", "MicrosoftEntra", "GitHub", "LinkedIn", "X"] {
        assert_eq!(of_kind(kind, json!({})), none, "{kind}");
    }
    assert_eq!(of_kind("OpenIdConnect", json!({})), ["issuer 2.9"]);
    assert_eq!(of_kind("OAuth2", json!({})), ["endpoints 2.9"]);
    let endpoints = json!({"authorization": "https://a.example", "token": "https://b.example/t?x=y",
        "userInfo": "{origin}/me"});
    assert_eq!(of_kind("OAuth2", json!({ "endpoints": endpoints })), none);
    assert_eq!(of_kind("Google", json!({ "endpoints": endpoints })), ["endpoints 2.9"]);
    let bad = json!({"authorization": "http://a.example", "token": "ftp://b.example", "userInfo": "https://u@c.example"});
    let bad = of_kind("OAuth2", json!({ "endpoints": bad }));
    assert_eq!(bad, ["endpoints.authorization 2.9", "endpoints.token 2.9", "endpoints.userInfo 2.9"]);
    assert_eq!(of_kind("Google", json!({"hostedDomain": "contoso.com"})), none);
    assert_eq!(of_kind("Google", json!({"hostedDomain": "no domain"})), ["hostedDomain 2.4"]);
    assert_eq!(of_kind("Facebook", json!({"hostedDomain": "contoso.com"})), ["hostedDomain 2"]);
    assert_eq!(of_kind("Facebook", json!({"clientSecret": null})), ["clientSecret RP17"]);
    assert_eq!(of_kind("Facebook", json!({"dpop": true})), ["dpop 2.9"]);
    assert_eq!(of_kind("Facebook", json!({"signOut": "provider"})), ["signOut 2.9"]);
    assert_eq!(of_kind("Google", json!({"signOut": "provider"})), none);
    assert_eq!(of_kind("Google", json!({"keepTokensFor": ["No such app"]})), ["keepTokensFor[0] 2.9"]);
    let kept = json!({"dpop": true, "keepTokensFor": [good().applications[0].display_name]});
    assert_eq!(of_kind("Google", kept), ["keepTokensFor 2.9"]);
    assert_eq!(of_kind("Google", json!({"appId": "com.example"})), ["appId 2"]);
    let domains = json!({"domains": ["contoso.com", "no domain", "Contoso.com"]});
    assert_eq!(of_kind("Google", domains), ["domains[1] 2.9", "domains[2] 2.9"]);
    let apple =
        json!({"clientSecret": null, "clientKey": "sealed", "teamId": "ABCDE12345", "keyId": "KEY1234567"});
    assert_eq!(of_kind("Apple", apple), none);
    assert_eq!(of_kind("Apple", json!({})), ["teamId 2.6", "keyId 2.6", "clientKey 2.6", "clientSecret 2.6"]);
    let tenant = "11111111-1111-4111-8111-111111111111";
    assert_eq!(of_kind("MicrosoftEntra", json!({ "tenants": [tenant] })), none);
    let bad = json!({"tenants": [tenant, "contoso.com", "9188040d-6c67-4c5b-b112-36a304b66dad"]});
    assert_eq!(of_kind("MicrosoftEntra", bad), ["tenants[1] 2.8", "tenants[2] 2.8"]);
    assert_eq!(of_kind("Google", json!({ "tenants": [tenant] })), ["tenants 2"]);
}

#[test]
fn a_provider_is_shown_what_its_way_of_proof_needs() {
    let oidc = |more: Value| {
        let mut all = json!({"issuer": "https://idp.example"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        of_kind("OpenIdConnect", all)
    };
    let none = [""; 0];
    for (method, secret, key, problem) in [
        ("client_secret_jwt", true, false, None),
        ("client_secret_jwt", false, false, Some("clientSecret 2.9")),
        ("private_key_jwt", false, true, None),
        ("private_key_jwt", true, false, Some("clientKey 2.9")),
        ("none", false, false, None),
        ("none", true, false, Some("clientSecret 2.9")),
        ("client_secret_post", true, false, None),
        ("client_secret_basic", true, false, None),
    ] {
        let set = |set: bool| if set { json!("sealed") } else { Value::Null };
        let found =
            oidc(json!({"clientAuthentication": method, "clientSecret": set(secret), "clientKey": set(key)}));
        assert_eq!(found, problem.map_or(none.to_vec(), |p| vec![p]), "{method}");
    }
    assert_eq!(
        oidc(json!({"signingAlgorithms": ["RS256", "none", "HS256"]})),
        ["signingAlgorithms[1] RP9", "signingAlgorithms[2] RP9"]
    );
    assert_eq!(
        oidc(json!({"trustedEmailDomains": ["*", "contoso.com", "a b"]})),
        ["trustedEmailDomains[2] RP13"]
    );
    assert_eq!(oidc(json!({"wellKnown": "http://idp.example/d"})), ["wellKnown 2.9"]);
}

#[test]
fn a_rule_for_an_attribute_says_one_thing() {
    for (rule, good) in [
        (json!({"claim": "a"}), true),
        (json!({"join": ["a", "b"], "separator": ", "}), true),
        (json!({"constant": "x"}), true),
        (
            json!({"claim": "a", "split": {"at": " ", "part": -1}, "lowerCase": true, "update": "always"}),
            true,
        ),
        (json!({}), false),
        (json!({"claim": "a", "constant": "x"}), false),
        (json!({"claim": " "}), false),
        (json!({"claim": "a", "separator": ","}), false),
        (json!({"constant": "x", "from": "userInfo"}), false),
        (json!({"claim": "a", "split": {"at": "", "part": 1}}), false),
        (json!({"claim": "a", "split": {"at": " ", "part": 0}}), false),
    ] {
        let found = of_kind("Google", json!({"inboundClaimMapping": {"city": rule}}));
        assert_eq!(found.is_empty(), good, "{rule} {found:?}");
    }
}

#[test]
fn two_providers_are_not_one_issuer() {
    // RP14
    let google = json!({"id": "g2", "displayName": "G2", "clientId": "c", "clientSecret": "s", "identityProviderType": "Google"});
    let mut config = good();
    config.identity_providers.push(shape(google.clone()));
    assert_eq!(problems(&config), [""; 0]);
    let mut second = google;
    second["id"] = json!("g3");
    second["displayName"] = json!("G3");
    config.identity_providers.push(shape(second));
    assert_eq!(problems(&config), ["identityProviders[2].issuer RP14"]);
}

#[test]
fn s2_to_s5_redirect_addresses() {
    let refused = |key: &str, uri: &str| {
        let mut config = good();
        let uris = vec![uri.to_owned()];
        match key {
            "web" => config.applications[0].web.redirect_uris = uris,
            "spa" => config.applications[0].spa.redirect_uris = uris,
            _ => config.applications[0].public_client.redirect_uris = uris,
        }
        check(&config).first().map(|p| (dotted(&p.path), p.rule))
    };
    for key in ["web", "spa", "publicClient"] {
        for good in
            ["https://app.example/cb", "http://localhost:3000/cb", "http://127.0.0.1/cb", "http://[::1]/cb"]
        {
            assert_eq!(refused(key, good), None, "{key} {good}");
        }
        for (bad, rule) in [
            ("https://*.example/cb", "S2"),
            ("https://app.example/*", "S2"),
            ("http://app.example/cb", "S3"),
            ("http://localhost.evil.example/cb", "S3"),
            ("https://app.example/cb#f", "S4"),
            ("https://app.example/cb#", "S4"),
            ("https://u@app.example/cb", "S4"),
            ("/cb", "S4"),
            ("https:app.example", "S4"),
            ("https:///app.example", "S4"),
            (" https://app.example", "S1"),
            ("https://app.example\\cb", "S1"),
            ("https://app.example/\tcb", "S1"),
        ] {
            let at = format!("applications[0].{key}.redirectUris[0]");
            assert_eq!(refused(key, bad), Some((at, rule)), "{key} {bad}");
        }
        for scheme in
            ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc", "blob:x", "myapp:/cb"]
        {
            assert!(refused(key, scheme).is_some(), "{key} {scheme}");
        }
    }
    assert_eq!(refused("publicClient", "com.woodgrove.app:/callback"), None);
    assert_eq!(refused("publicClient", "myapp:/cb").unwrap().1, "S5");
    assert_eq!(refused("web", "com.woodgrove.app:/callback").unwrap().1, "S5");
}

#[test]
fn redirect_addresses_have_one_platform_and_a_length() {
    let long = format!("https://app.example/{}", "a".repeat(250));
    let mut config = strict();
    config.applications[0].web.redirect_uris = vec![long];
    assert_eq!(problems(&config), ["applications[0].web.redirectUris[0] 4.6"]);
    config.tenant.compatibility = Compatibility::Open;
    assert_eq!(problems(&config), [""; 0]);
    let mut config = good();
    config.applications[0].web.redirect_uris = vec!["https://app.example/".to_owned()];
    config.applications[0].spa.redirect_uris = vec!["https://app.example/".to_owned()];
    assert_eq!(problems(&config), ["applications[0].spa.redirectUris[0] 4.6"]);
}

#[test]
fn applications_are_told_apart() {
    let mut config = good();
    config.applications.insert(1, app(PORTAL, "portal"));
    assert_eq!(problems(&config), ["applications[1].displayName 1.2", "applications[1].appId 1.2"]);
}

#[test]
fn a_secret_ends_after_it_begins() {
    let mut config = good();
    config.applications[0].password_credentials =
        vec![shape(json!({"keyId": PORTAL, "hint": "abc", "hash": "h", "startAt": 2, "endAt": 2}))];
    assert_eq!(problems(&config), ["applications[0].passwordCredentials[0].endDateTime S39"]);
}

#[test]
fn token_claims_are_known_and_not_the_servers_own() {
    let claim = |name: &str, attribute: &str| {
        let mut config = good();
        config.applications[0].token_claims = vec![shape(json!({"name": name, "attribute": attribute}))];
        problems(&config)
    };
    assert_eq!(claim("city", "city"), [""; 0]);
    for reserved in
        ["iss", "sub", "aud", "oid", "TID", "roles", "scp", "nonce", "email_verified", "acr", "uti", "ver"]
    {
        assert_eq!(claim(reserved, "city"), ["applications[0].tokenClaims[0].name 5.4"], "{reserved}");
    }
    assert_eq!(claim("x", "extension_nothing"), ["applications[0].tokenClaims[0].attribute 5.4"]);
}

#[test]
fn attributes_are_known_asked_once_and_never_the_email() {
    assert_eq!(problems(&input(json!({"attribute": "city"}))), [""; 0]);
    assert_eq!(
        problems(&input(json!({"attribute": "shoe"}))),
        ["userFlows[0].attributeCollection.inputs[0].attribute ATTR-10"]
    );
    assert_eq!(
        problems(&input(json!({"attribute": "email"}))),
        ["userFlows[0].attributeCollection.inputs[0].attribute 3.1"]
    );
    let mut config = input(json!({"attribute": "city"}));
    let twin = config.user_flows[0].attribute_collection.inputs[0].clone();
    config.user_flows[0].attribute_collection.inputs.push(twin);
    assert_eq!(problems(&config), ["userFlows[0].attributeCollection.inputs[1].attribute ATTR-10"]);
}

#[test]
fn attr_12_what_nobody_can_fill_in_is_not_required() {
    let place = "userFlows[0].attributeCollection.inputs[0].required ATTR-12";
    assert_eq!(problems(&input(json!({"attribute": "city", "required": true, "hidden": true}))), [place]);
    assert_eq!(problems(&input(json!({"attribute": "city", "required": true, "editable": false}))), [place]);
    let with_default = json!({"attribute": "city", "required": true, "hidden": true, "defaultValue": "Ulm"});
    assert_eq!(problems(&input(with_default)), [""; 0]);
}

#[test]
fn options_belong_to_choices() {
    let at = |rest: &str| format!("userFlows[0].attributeCollection.inputs[0].{rest}");
    let choice = json!([{"label": "A", "value": "a"}]);
    assert_eq!(
        problems(&input(json!({"attribute": "city", "inputType": "radioSingleSelect"}))),
        [at("options ATTR-10")]
    );
    assert_eq!(problems(&input(json!({"attribute": "city", "options": choice}))), [at("options ATTR-10")]);
    assert_eq!(
        problems(&input(
            json!({"attribute": "city", "inputType": "checkboxMultiSelect", "options": [{"label": "A", "value": "a,b"}]})
        )),
        [at("options[0].value ATTR-04")]
    );
    assert_eq!(
        problems(&input(
            json!({"attribute": "city", "inputType": "dropdownSingleSelect", "options": choice, "defaultValue": "z"})
        )),
        [at("defaultValue ATTR-10")]
    );
}

#[test]
fn an_input_yields_the_type_of_its_attribute() {
    let config = good();
    let (number, terms) = (&config.user_flow_attributes[0].id, &config.user_flow_attributes[1].id);
    assert_eq!(problems(&input(json!({"attribute": number, "inputType": "numericTextBox"}))), [""; 0]);
    assert_eq!(
        problems(&input(json!({"attribute": terms, "inputType": "boolean", "required": true}))),
        [""; 0]
    );
    for (attribute, kind) in [(number.as_str(), "text"), (terms.as_str(), "text"), ("city", "boolean")] {
        assert_eq!(
            problems(&input(json!({"attribute": attribute, "inputType": kind}))),
            ["userFlows[0].attributeCollection.inputs[0].inputType 3.3"],
        );
    }
}

#[test]
fn u33_patterns_compile_alone_and_within_bounds() {
    let with = |pattern: &str| problems(&input(json!({"attribute": "city", "validationRegEx": pattern})));
    assert_eq!(with(r"\p{L}[\p{L} '-]*"), [""; 0]);
    for bad in ["(", "a)(b", r"(a)\1", "(?=a)", r"(\w{1,900}){900}"] {
        assert_eq!(with(bad), ["userFlows[0].attributeCollection.inputs[0].validationRegEx U33"], "{bad}");
    }
}

#[test]
fn t_25_label_links_lead_to_web_pages() {
    let with = |label: &str| problems(&input(json!({"attribute": "city", "label": label})));
    assert_eq!(with("I accept the [terms](https://a.example/t)"), [""; 0]);
    for bad in [
        "[t](javascript:alert(1))",
        "[t](/relative)",
        "[t](data:text/html,x)",
        "<javascript:alert(1)>",
        "[t][r]\n\n[r]: javascript:alert(1)",
        "[t](JaVaScRiPt:alert(1))",
    ] {
        assert_eq!(with(bad), ["userFlows[0].attributeCollection.inputs[0].label ATTR-15"], "{bad}");
    }
}

#[test]
fn attr_02_and_attr_03_custom_attributes() {
    let mut config = strict();
    config.user_flow_attributes = (0..101).map(|i| attribute(&format!("A{i}"), "string")).collect();
    assert_eq!(problems(&config), ["userFlowAttributes[100] ATTR-03"]);
    config.tenant.compatibility = Compatibility::Open;
    assert_eq!(problems(&config), [""; 0]);
    for bad in ["City", "1st", "naïve", "a-b"] {
        let mut config = good();
        // `City` alone keeps its capital and is another word than the built-in one.
        let name = if bad == "City" { "city" } else { bad };
        config.user_flow_attributes = vec![attribute(name, "string")];
        assert_eq!(problems(&config), ["userFlowAttributes[0].displayName ATTR-02"], "{bad}");
    }
    let mut config = good();
    config.user_flow_attributes.push(attribute("loyalty number", "string"));
    assert_eq!(problems(&config), ["userFlowAttributes[2].displayName ATTR-02"]);
}

#[test]
fn names_of_tenants() {
    let named = |name: &str| {
        let mut config = good();
        config.tenant.short_name = name.to_owned();
        problems(&config)
    };
    assert_eq!(named("a1-b"), [""; 0]);
    for bad in [
        "",
        "Contoso",
        "-a",
        "a_b",
        "a.b",
        "token",
        "tokens-r-us",
        "common",
        "organizations",
        "consumers",
        "tfp",
        "dev",
        "assets",
        "error",
        "health",
    ] {
        assert_eq!(named(bad), ["tenant.shortName 1.1"], "{bad}");
    }
    let domain = |name: &str| {
        let mut config = good();
        config.tenant.domains = vec![name.to_owned()];
        problems(&config)
    };
    assert_eq!(domain("bücher.example"), [""; 0]);
    assert_eq!(domain("contoso.onmicrosoft.com"), [""; 0]);
    for bad in
        ["example", "a b.example", "a..example", "token.example", "other.onmicrosoft.com", "a.example."]
    {
        assert_eq!(domain(bad), ["tenant.domains[0] 1.1"], "{bad}");
    }
}

#[test]
fn looks() {
    let mut config = good();
    let branding = &mut config.tenant.branding;
    branding.accent_color = Some("green".to_owned());
    branding.background_color = Some("#12345".to_owned());
    branding.banner_logo = Some("data:image/svg+xml;base64,AAAA".to_owned());
    branding.sign_in_page_text = Some("[x](javascript:y)".to_owned());
    branding.custom_terms_of_use_url = Some("javascript:x".to_owned());
    assert_eq!(
        problems(&config),
        [
            "tenant.branding.accentColor 6.1",
            "tenant.branding.backgroundColor 6.1",
            "tenant.branding.bannerLogo 6.1",
            "tenant.branding.signInPageText ATTR-15",
            "tenant.branding.customTermsOfUseUrl 6.1",
        ]
    );
    config.tenant.branding.banner_logo = Some(format!("data:image/png;base64,{}", "A".repeat(70_000)));
    assert!(text(&config).contains("larger than 50 KB"));
}

#[test]
fn kind_data_types_and_built_in_apps_stay() {
    let (before, mut after) = (good(), good());
    after.tenant.kind = TenantKind::External;
    after.user_flow_attributes[0].data_type = shape(json!("string"));
    let found: Vec<String> = check_change(&before, &after).iter().map(|p| dotted(&p.path)).collect();
    assert_eq!(found, ["tenant.kind", "userFlowAttributes[0].dataType"]);
    let mut after = good();
    after.applications.pop();
    let found: Vec<String> = check_change(&before, &after).iter().map(|p| dotted(&p.path)).collect();
    assert_eq!(found, ["applications"]);
}

fn terms(value: Value) -> TenantConfig {
    let mut config = good();
    config.user_flows[0].terms = shape(value);
    config
}

// TOU-01
#[test]
fn documents_are_whole_and_their_published_words_stay() {
    let one = |change: &dyn Fn(&mut Value)| {
        let mut value = json!([{
            "id": "general", "version": "1",
            "languages": [{"language": "en", "title": "Terms", "text": "Be kind."}],
        }]);
        change(&mut value);
        terms(value)
    };
    assert_eq!(problems(&one(&|_| {})), [""; 0]);
    let wrong: [(&str, Value, &str); 12] = [
        ("/0/id", json!("General"), "id"),
        ("/0/id", json!("a--b"), "id"),
        ("/0/id", json!(""), "id"),
        ("/0/version", json!(" 1"), "version"),
        ("/0/version", json!("1\n2"), "version"),
        ("/0/languages", json!([]), "languages"),
        ("/0/languages/0/language", json!("e"), "languages[0].language"),
        ("/0/languages/0/language", json!("en_GB"), "languages[0].language"),
        ("/0/languages/0/title", json!(" "), "languages[0].title"),
        ("/0/languages/0/text", json!(" "), "languages[0].text"),
        ("/0/languages/0/text", Value::Null, "languages[0]"),
        ("/0/languages/0/text", json!("x".repeat(200_001)), "languages[0].text"),
    ];
    for (pointer, value, at) in wrong {
        let config = one(&|whole| *whole.pointer_mut(pointer).unwrap() = value.clone());
        assert_eq!(problems(&config), [format!("userFlows[0].terms[0].{at} TOU-01")], "{value}");
    }
    for link in ["http://contoso.example/", "javascript:alert(1)", "contoso.example"] {
        let text = json!({"language": "en", "title": "Terms", "link": link});
        let config = one(&|whole| whole[0]["languages"][0] = text.clone());
        assert_eq!(problems(&config), ["userFlows[0].terms[0].languages[0].link TOU-01"], "{link}");
    }
    let both = one(&|whole| whole[0]["languages"][0]["link"] = json!("https://contoso.example/"));
    assert_eq!(problems(&both), ["userFlows[0].terms[0].languages[0].link TOU-01"]);
    let twice =
        one(&|whole| whole[0]["languages"] = json!([whole[0]["languages"][0], whole[0]["languages"][0]]));
    assert_eq!(problems(&twice), ["userFlows[0].terms[0].languages[1].language TOU-01"]);
    let nine: Vec<Value> = (0..9)
        .map(|n| {
            json!({
                "id": format!("d{n}"), "version": "1",
                "languages": [{"language": "en", "title": "Terms", "text": "Be kind."}],
            })
        })
        .collect();
    assert_eq!(problems(&terms(json!(nine))), ["userFlows[0].terms TOU-01"]);
    let mut original = strict();
    original.user_flows[0].terms = one(&|_| {}).user_flows[0].terms.clone();
    assert_eq!(problems(&original), ["userFlows[0].terms TOU-01"]);

    let published = one(&|_| {});
    let change = |after: &TenantConfig| check_change(&published, after).len();
    assert_eq!(change(&one(&|whole| whole[0]["languages"][0]["text"] = json!("Pay."))), 1);
    assert_eq!(change(&one(&|whole| whole[0]["languages"][0]["title"] = json!("Rules"))), 1);
    let newer = one(&|whole| {
        whole[0]["languages"][0]["text"] = json!("Pay.");
        whole[0]["version"] = json!("2");
    });
    assert_eq!(change(&newer), 0);
    let german = json!({"language": "de", "title": "Regeln", "text": "Sei nett."});
    assert_eq!(change(&one(&|whole| whole[0]["languages"] = json!([whole[0]["languages"][0], german]))), 0);
}

// AGE-01
#[test]
fn a_rule_on_age_refers_to_what_everybody_is_asked() {
    let one = |change: &dyn Fn(&mut Value)| {
        let mut value = json!({
            "inputs": [
                {"attribute": "Born", "inputType": "date", "required": true},
                {"attribute": "country", "inputType": "country"},
            ],
            "age": {"dateOfBirth": "Born", "minimum": 13, "minimumByCountry": {"DE": 16}, "country": "country"},
        });
        change(&mut value);
        let mut config = good();
        let born = attribute("Born", "dateTime");
        value["inputs"][0]["attribute"] = json!(born.id);
        if value["age"]["dateOfBirth"] == "Born" {
            value["age"]["dateOfBirth"] = json!(born.id);
        }
        config.user_flow_attributes.push(born);
        config.user_flows[0].attribute_collection.inputs = shape(value["inputs"].clone());
        config.user_flows[0].age = shape(value["age"].clone());
        config
    };
    assert_eq!(problems(&one(&|_| {})), [""; 0]);
    let skipped = problems(&one(&|whole| whole["inputs"][0]["whenProvided"] = json!("skip")));
    assert_eq!(skipped, ["userFlows[0].age.dateOfBirth AGE-01"]);
    let wrong: [(&str, Value, &[&str]); 10] = [
        ("/age/dateOfBirth", json!("city"), &["dateOfBirth"]),
        ("/age/minimum", json!(0), &["minimum"]),
        ("/age/minimum", json!(21), &["adult"]),
        ("/age/minimumByCountry", json!({"D": 16}), &["minimumByCountry.D"]),
        ("/age/minimumByCountry", json!({"de": 16}), &["minimumByCountry.de"]),
        ("/age/minimumByCountry", json!({"DE": 19}), &["minimumByCountry.DE"]),
        ("/age/country", Value::Null, &["country"]),
        ("/age/country", json!("city"), &["country"]),
        ("/inputs/0/required", json!(false), &["dateOfBirth"]),
        ("/inputs/1/when", json!({"emailDomain": ["contoso.example"]}), &["country"]),
    ];
    for (pointer, value, at) in wrong {
        let config = one(&|whole| match whole.pointer_mut(pointer) {
            Some(place) => *place = value.clone(),
            None => whole["inputs"][1]["when"] = value.clone(),
        });
        let expected: Vec<String> = at.iter().map(|at| format!("userFlows[0].age.{at} AGE-01")).collect();
        assert_eq!(problems(&config), expected, "{pointer} {value}");
    }
}
