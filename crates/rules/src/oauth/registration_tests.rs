use serde_json::json;

use super::*;
use crate::directory::application::Platform;
use crate::directory::check;
use crate::directory::tenant::{TenantConfig, TenantKind};
use crate::ids::TenantId;

fn policy() -> ClientRegistration {
    ClientRegistration { is_enabled: true, ..ClientRegistration::default() }
}

fn asked(more: Value) -> Result<Metadata, OAuthError> {
    let mut sent = json!({"redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "none"});
    let (Value::Object(all), Value::Object(more)) = (&mut sent, more) else { return Err(error::METADATA) };
    all.extend(more);
    accept(all, &offering())
}

fn identity() -> Identity {
    Identity {
        client: ClientId::from_random([1; 16]),
        object: ObjectId::from_random([2; 16]),
        principal: ObjectId::from_random([3; 16]),
        secret: None,
        keys: Vec::new(),
        logo: None,
    }
}

fn tenant() -> TenantConfig {
    let tenant = json!({"id": TenantId::from_random([9; 16]), "kind": "external", "displayName": "Contoso",
        "shortName": "contoso"});
    let tenant: Tenant = serde_json::from_value(tenant).unwrap();
    assert_eq!(tenant.kind, TenantKind::External);
    TenantConfig {
        tenant,
        applications: Vec::new(),
        identity_providers: Vec::new(),
        user_flow_attributes: Vec::new(),
        user_flows: Vec::new(),
        groups: Vec::new(),
    }
}

/// The tenant, as far as it lets applications register themselves.
fn offering() -> Tenant {
    Tenant { client_registration: policy(), ..tenant().tenant }
}

/// The paths of what is wrong with the application that was asked for.
fn problems(more: Value) -> Vec<String> {
    let app = application(&asked(more).unwrap(), &identity(), &policy(), true);
    check::registered(&tenant(), &app).iter().map(|problem| check::dotted(&problem.path)).collect()
}

#[test]
fn what_is_left_out_is_completed() {
    let metadata =
        accept(json!({"redirect_uris": ["https://app.example/cb"]}).as_object().unwrap(), &offering());
    let metadata = metadata.unwrap();
    assert_eq!(metadata.client_name.as_deref(), Some("app.example"));
    assert_eq!(metadata.grant_types, Some(vec!["authorization_code".to_owned()]));
    assert_eq!(metadata.response_types, Some(vec!["code".to_owned()]));
    assert_eq!(metadata.token_endpoint_auth_method.as_deref(), Some("client_secret_basic"));
    assert_eq!(metadata.subject_type.as_deref(), Some("pairwise"));
    assert_eq!(metadata.scope.as_deref(), Some("openid profile email offline_access"));
}

#[test]
fn addresses_obey_the_rules_of_configured_applications() {
    // S2, S3, S4, S5, S91
    let web = |uri: &str| json!({"redirect_uris": [uri]});
    for uri in [
        "https://a.example/*",
        "https://*.example",
        "http://app.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example/1",
        "/cb",
        "https:app.example",
        "https://app.example/cb#x",
        "https://u:p@app.example/cb",
        "com.example.app:/cb",
        "myapp:/cb",
        "https://app.example\\@evil.example/cb",
        "https://app.example/a b",
    ] {
        assert_eq!(problems(web(uri)), ["spa.redirectUris[0]"], "{uri}");
    }
    let native = |uri: &str| json!({"redirect_uris": [uri], "application_type": "native"});
    for uri in ["http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb", "https://app.example/cb"] {
        assert_eq!(problems(native(uri)), [""; 0], "{uri}");
    }
    for uri in ["myapp:/cb", "http://app.example/cb", "javascript:alert(1)", "com.example.app:/cb#x"] {
        assert_eq!(problems(native(uri)), ["publicClient.redirectUris[0]"], "{uri}");
    }
}

#[test]
fn pages_and_logout_addresses_are_web_addresses() {
    // S91, U19
    for name in ["logo_uri", "policy_uri", "tos_uri", "client_uri", "jwks_uri", "sector_identifier_uri"] {
        for uri in
            ["javascript:alert(1)", "http://app.example/", "ftp://app.example/", "https://u@a.example/", "x"]
        {
            assert_eq!(asked(json!({ name: uri })), Err(error::METADATA_ADDRESS), "{name} {uri}");
        }
    }
    for uri in ["http://app.example/go", "http://localhost/go", "javascript:alert(1)", "com.example:/go"] {
        assert_eq!(asked(json!({"initiate_login_uri": uri})), Err(error::METADATA_ADDRESS), "{uri}");
    }
    for (name, path) in
        [("backchannel_logout_uri", "backChannelLogoutUri"), ("frontchannel_logout_uri", "web.logoutUrl")]
    {
        assert_eq!(problems(json!({ name: "http://evil.example/" })), [path]);
    }
    let uris = json!({"post_logout_redirect_uris": ["javascript:alert(1)"]});
    assert_eq!(problems(uris), ["postLogoutRedirectUris[0]"]);
}

#[test]
fn what_this_server_cannot_do_is_refused() {
    for name in REFUSED {
        assert_eq!(asked(json!({ *name: "RS256" })), Err(error::METADATA_NOT_SUPPORTED), "{name}");
        assert!(asked(json!({ *name: null })).is_ok());
    }
    for name in ["id_token_signed_response_alg", "userinfo_signed_response_alg"] {
        for algorithm in ["none", "HS256", "rs256"] {
            assert_eq!(asked(json!({ name: algorithm })), Err(error::METADATA_NOT_SUPPORTED));
        }
        assert!(asked(json!({ name: "RS256" })).is_ok());
    }
    assert_eq!(asked(json!({"subject_type": "private"})), Err(error::METADATA_NOT_SUPPORTED));
    assert_eq!(asked(json!({"redirect_uris": "https://app.example"})), Err(error::METADATA));
    assert_eq!(asked(json!({"redirect_uris": []})), Err(error::REGISTERED_REDIRECT));
}

#[test]
fn grants_and_response_types_go_together() {
    let of = |grants: Value, types: Value| asked(json!({"grant_types": grants, "response_types": types}));
    assert!(of(json!(["authorization_code", "refresh_token"]), json!(["code"])).is_ok());
    assert!(
        of(json!(["authorization_code", "implicit"]), json!(["code", "id_token token", "code token"]))
            .is_ok()
    );
    for (grants, types) in [
        (json!(["authorization_code"]), json!(["id_token"])),
        (json!(["implicit"]), json!(["code"])),
        (json!(["refresh_token"]), json!(["code"])),
        (json!(["authorization_code"]), json!(["code code"])),
        (json!(["authorization_code"]), json!([])),
        (json!(["authorization_code", "client_credentials"]), json!(["code"])),
        (json!(["authorization_code", "password"]), json!(["code"])),
        (json!(["urn:ietf:params:oauth:grant-type:device_code"]), json!(["code"])),
        (json!(["authorization_code", "urn:ietf:params:oauth:grant-type:jwt-bearer"]), json!(["code"])),
    ] {
        assert_eq!(of(grants.clone(), types.clone()), Err(error::METADATA_GRANTS), "{grants} {types}");
    }
    let local = json!({"redirect_uris": ["http://localhost/cb"], "response_types": ["id_token"]});
    assert_eq!(asked(local), Err(error::REGISTERED_REDIRECT));
    // S11: the profile has the last word.
    assert_eq!(problems(json!({"response_types": ["id_token"]})), ["web.implicitGrantSettings"]);
}

#[test]
fn methods_and_their_algorithms_go_together() {
    let of = |method: &str, algorithm: &str| {
        asked(json!({"token_endpoint_auth_method": method, "token_endpoint_auth_signing_alg": algorithm}))
    };
    assert!(of("private_key_jwt", "ES256").is_ok());
    assert!(of("client_secret_jwt", "HS512").is_ok());
    for (method, algorithm) in [
        ("private_key_jwt", "HS256"),
        ("client_secret_jwt", "RS256"),
        ("client_secret_basic", "HS256"),
        ("private_key_jwt", "none"),
        ("tls_client_auth", "RS256"),
    ] {
        assert_eq!(of(method, algorithm), Err(error::METADATA_METHOD), "{method} {algorithm}");
    }
    let both = json!({"jwks": {"keys": []}, "jwks_uri": "https://app.example/keys"});
    assert_eq!(asked(both), Err(error::METADATA_METHOD));
    assert_eq!(
        problems(json!({"token_endpoint_auth_method": "private_key_jwt"})),
        ["tokenEndpointAuthMethod"]
    );
}

#[test]
fn scopes_are_those_of_the_tenant_and_what_it_does_not_know_is_no_setting() {
    // S91
    assert_eq!(asked(json!({"scope": "openid api://orders/all"})).unwrap().scope.as_deref(), Some("openid"));
    assert_eq!(asked(json!({"scope": "api://orders/all"})), Err(error::METADATA_SCOPE));
    let hostile = json!({"securityProfile": "oidc-compat", "disabled": false, "enabled": true, "userFlow": "x",
        "accountEnabled": true, "scopes": ["api://orders/all"], "built_in": true, "deviceCode": true,
        "app_roles": ["Admin"], "identifier_uris": ["api://orders"]});
    let metadata = asked(hostile).unwrap();
    assert_eq!(metadata, asked(json!({})).unwrap());
    let off = ClientRegistration { is_enabled: false, ..policy() };
    assert!(!application(&metadata, &identity(), &off, true).service_principal.account_enabled);
    assert!(!application(&metadata, &identity(), &policy(), false).service_principal.account_enabled);
    let less = ClientRegistration { scopes: vec!["openid".to_owned()], ..policy() };
    assert_eq!(application(&metadata, &identity(), &less, true).registered.unwrap().scopes, ["openid"]);
}

#[test]
fn nobody_takes_a_name_that_people_know() {
    // S91
    assert_eq!(problems(json!({"client_name": "contoso"})), ["displayName"]);
    for name in ["", "  ", "a\u{202e}b", "a\nb", &"x".repeat(101)] {
        assert_eq!(asked(json!({"client_name": name})), Err(error::METADATA_NAME), "{name:?}");
    }
}

#[test]
fn the_platform_follows_from_what_it_is_and_shows() {
    let platform = |more: Value| {
        let app = application(&asked(more).unwrap(), &identity(), &policy(), true);
        app.redirect_uris().map(|(platform, _)| platform).next().unwrap()
    };
    assert_eq!(platform(json!({})), Platform::Spa);
    assert_eq!(platform(json!({"application_type": "native"})), Platform::PublicClient);
    assert_eq!(platform(json!({"token_endpoint_auth_method": "client_secret_post"})), Platform::Web);
}

#[test]
fn a_sector_lists_every_address() {
    let uris = ["https://a.example/".to_owned(), "https://b.example/".to_owned()];
    assert!(is_of_sector(br#"["https://b.example/","https://a.example/","https://c.example/"]"#, &uris));
    for document in ["[\"https://a.example/\"]", "{}", "", "[1]", "\"https://a.example/\""] {
        assert!(!is_of_sector(document.as_bytes(), &uris), "{document}");
    }
    assert!(!is_of_sector(b"[]", &[]));
}

#[test]
fn a_policy_names_what_the_tenant_has() {
    // S91, FLOW-08
    let paths = |policy: ClientRegistration| -> Vec<String> {
        let mut config = tenant();
        config.tenant.client_registration = policy;
        let found = check::check(&config);
        let paths = found.iter().map(|problem| check::dotted(&problem.path));
        paths.filter(|path| path.starts_with("clientRegistration")).collect()
    };
    assert_eq!(paths(ClientRegistration::default()), [""; 0]);
    assert_eq!(paths(policy()), ["clientRegistration.userFlow"]);
    let gone = ClientRegistration { user_flow: Some("gone".to_owned()), ..policy() };
    assert_eq!(paths(gone), ["clientRegistration.userFlow"]);
    let unknown = ["openid", "api://nobody/read", "openid email"].map(str::to_owned).to_vec();
    let hostile = ClientRegistration { scopes: unknown, most_clients: 0, ..ClientRegistration::default() };
    assert_eq!(
        paths(hostile),
        ["clientRegistration.mostClients", "clientRegistration.scopes[1]", "clientRegistration.scopes[2]"]
    );
}

#[test]
fn a_sector_is_a_host_or_the_application_itself() {
    // S71
    use crate::oauth::claims::sector;
    let of = |more: Value| sector(&application(&asked(more).unwrap(), &identity(), &policy(), true));
    let uri = |uri: &str| json!({"sector_identifier_uri": uri});
    assert_eq!(of(json!({})), Some(identity().client.to_string()));
    assert_eq!(of(uri("https://a.example/list")), of(uri("https://A.example/other")));
    assert_ne!(of(uri("https://a.example/list")), of(uri("https://b.example/list")));
    // A host that is called like a client id is not that client.
    let twin = format!("https://{}/", identity().client);
    assert_ne!(of(uri(&twin)), of(json!({})));
    assert_eq!(of(json!({"subject_type": "public"})), None);
}
