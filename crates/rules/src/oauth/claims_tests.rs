use super::*;
use crate::ids::AttributeId;

fn user() -> User {
    let identity = |kind: &str, issuer: &str, id: &str| ObjectIdentity {
        sign_in_type: kind.to_owned(),
        issuer: issuer.to_owned(),
        issuer_assigned_id: id.to_owned(),
    };
    User {
        id: UserId::from_random([1; 16]),
        user_type: UserType::Member,
        creation_type: None,
        external_user_state: None,
        account_enabled: true,
        user_principal_name: "1@t.onmicrosoft.com".to_owned(),
        display_name: Some("Ann Äß".to_owned()),
        mail: Some("ann@example.com".to_owned()),
        identities: vec![
            identity("userPrincipalName", "t.onmicrosoft.com", "1@t.onmicrosoft.com"),
            identity("emailAddress", "t.onmicrosoft.com", "Ann@example.com"),
        ],
        attributes: [("city", "Ulm"), ("givenName", "Ann"), ("extension_a_code", "7")]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect(),
        created_at: Timestamp::default(),
        sessions_valid_from: Timestamp::default(),
        deleted_at: None,
        revision: 0,
    }
}

fn scope(text: &str) -> Scope {
    Scope::parse::<()>(text, &[]).unwrap()
}

fn issuance(scope: &Scope) -> Issuance<'_> {
    Issuance {
        issuer: "https://h/t/v2.0",
        tenant: TenantId::from_random([2; 16]),
        client: ClientId::from_random([3; 16]),
        scope,
        now: Timestamp::from_seconds(1_700_000_000),
        uti: "u",
        strength: Strength::Secret,
    }
}

fn subject(user: &User) -> Subject<'_> {
    Subject {
        user,
        sub: "s",
        sid: SessionId::from_random([4; 16]),
        grant: GrantId::from_random([5; 16]),
        idp: None,
    }
}

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn mapping(name: &str, attribute: &str) -> TokenClaim {
    TokenClaim { name: name.to_owned(), attribute: AttributeId::new(attribute), tokens: ClaimTarget::usual() }
}

fn id(user: &User, text: &str, sign_in: &SignIn<'_>) -> Value {
    id_token(&issuance(&scope(text)), &subject(user), sign_in, &Added::default(), Span::minutes(60))
}

#[test]
fn an_id_token_has_the_claims_of_the_contract() {
    // T-30
    let token = id(&user(), "openid profile email", &SignIn { nonce: Some("n"), ..SignIn::default() });
    insta::assert_json_snapshot!(token, @r#"
    {
      "aud": "03030303-0303-4303-8303-030303030303",
      "email": "ann@example.com",
      "email_verified": true,
      "exp": 1700003600,
      "iat": 1700000000,
      "iss": "https://h/t/v2.0",
      "name": "Ann Äß",
      "nbf": 1700000000,
      "nonce": "n",
      "oid": "01010101-0101-4101-8101-010101010101",
      "preferred_username": "Ann@example.com",
      "sid": "04040404-0404-4404-8404-040404040404",
      "sub": "s",
      "tid": "02020202-0202-4202-8202-020202020202",
      "uti": "u",
      "ver": "2.0"
    }
    "#);
}

#[test]
fn claims_come_with_their_scope_only() {
    let plain = id(&user(), "openid", &SignIn::default());
    assert_eq!(names(&plain), ["aud", "exp", "iat", "iss", "nbf", "sid", "sub", "uti", "ver"]);
    let hinted =
        SignIn { login_hint: Some("O.x"), auth_time: Some(Timestamp::from_seconds(5)), ..SignIn::default() };
    let with = id(&user(), "openid profile", &hinted);
    assert_eq!((&with["login_hint"], &with["auth_time"]), (&json!("O.x"), &json!(5)));
    assert!(with.get("email").is_none() && with.get("nonce").is_none());
}

#[test]
fn guests_show_their_address_by_default_and_their_provider() {
    let mut guest = user();
    guest.user_type = UserType::Guest;
    guest.identities.truncate(1);
    let about = Subject { idp: Some("https://fabrikam"), ..subject(&guest) };
    let token = id_token(
        &issuance(&scope("openid")),
        &about,
        &SignIn::default(),
        &Added::default(),
        Span::minutes(60),
    );
    assert_eq!(token["email"], "ann@example.com");
    assert_eq!(token["idp"], "https://fabrikam");
    // Nobody proved it here.
    assert!(token.get("email_verified").is_none());
}

#[test]
fn attributes_come_only_when_mapped_and_never_over_the_protocol() {
    // T-30
    let claims = [
        mapping("town", "city"),
        mapping("code", "extension_a_code"),
        mapping("none", "country"),
        mapping("sub", "city"),
    ];
    let user = user();
    let added = Added { mapped: &claims, ..Added::default() };
    let openid = scope("openid");
    let token = id_token(&issuance(&openid), &subject(&user), &SignIn::default(), &added, Span::minutes(60));
    assert_eq!((&token["town"], &token["code"], &token["sub"]), (&json!("Ulm"), &json!("7"), &json!("s")));
    assert!(token.get("none").is_none() && token.get("city").is_none());
}

#[test]
fn an_access_token_names_its_audience_and_its_client() {
    let user = user();
    let scope = scope("openid profile offline_access User.Read");
    let token = access_token(&issuance(&scope), &subject(&user), &Added::default(), Span::minutes(60));
    assert_eq!(token["aud"], "00000003-0000-0000-c000-000000000000");
    assert_eq!(token["azp"], "03030303-0303-4303-8303-030303030303");
    assert_eq!((&token["azpacr"], &token["scp"]), (&json!("1"), &json!("User.Read openid profile")));
    assert!(token.get("nonce").is_none() && token.get("roles").is_none());
}

#[test]
fn an_application_is_its_own_subject() {
    // S69
    let scope = Scope::default();
    let principal = ObjectId::from_random([6; 16]);
    let token =
        app_only(&issuance(&scope), principal, (ClientId::from_random([7; 16]), &[]), Span::minutes(60));
    assert_eq!(
        (&token["sub"], &token["oid"]),
        (&json!(principal.to_string()), &json!(principal.to_string()))
    );
    assert!(token.get("scp").is_none() && token.get("sid").is_none());
}

#[test]
fn an_attribute_is_told_where_it_is_mapped_to() {
    let mut claims = [mapping("town", "city"), mapping("family", "surname")];
    claims[0].tokens = vec![ClaimTarget::Userinfo];
    let user = user();
    let told = userinfo(&user, "s", ("openid", &[]), &claims);
    assert_eq!(told, json!({"sub": "s", "town": "Ulm"}));
    let added = Added { mapped: &claims, ..Added::default() };
    let openid = scope("openid");
    let token = access_token(&issuance(&openid), &subject(&user), &added, Span::minutes(60));
    assert!(token.get("town").is_none());
}

#[test]
fn userinfo_says_what_was_granted() {
    let all = userinfo(&user(), "s", ("openid profile email", &[]), &[]);
    assert_eq!(names(&all), ["email", "email_verified", "given_name", "name", "preferred_username", "sub"]);
    assert_eq!(names(&userinfo(&user(), "s", ("openid User.Read", &[]), &[])), ["sub"]);
}

#[test]
fn an_address_and_a_number_come_with_their_scopes_or_when_named() {
    // oidcc-scope-address, oidcc-scope-phone, oidcc-claims-essential
    let mut user = user();
    user.attributes.insert(format!("extension_{}_Phone", "0".repeat(32)), json!("+49 731 1"));
    let all = userinfo(&user, "s", ("openid address phone", &[]), &[]);
    assert_eq!(names(&all), ["address", "phone_number", "phone_number_verified", "sub"]);
    assert_eq!((&all["address"], &all["phone_number"]), (&json!({"locality": "Ulm"}), &json!("+49 731 1")));
    assert_eq!(all["phone_number_verified"], false);
    let named = ["name".to_owned(), "phone_number".to_owned()];
    assert_eq!(names(&userinfo(&user, "s", ("openid", &named), &[])), ["name", "phone_number", "sub"]);
    user.attributes.clear();
    assert_eq!(names(&userinfo(&user, "s", ("openid address phone", &named), &[])), ["name", "sub"]);
}

#[test]
fn an_id_token_alone_says_what_userinfo_would() {
    let alone = SignIn { replaces_userinfo: true, ..SignIn::default() };
    let token = id(&user(), "openid profile address", &alone);
    assert_eq!((&token["given_name"], &token["address"]), (&json!("Ann"), &json!({"locality": "Ulm"})));
    let named = ["given_name".to_owned()];
    let token = id(&user(), "openid", &SignIn { named: &named, ..SignIn::default() });
    assert_eq!(token["given_name"], "Ann");
    assert!(token.get("name").is_none());
}

#[test]
fn acr_claims_no_more_than_happened() {
    // S70
    for (amr, expected) in [("pwd", "2"), ("otp", "1"), ("fed", "1")] {
        let amr = [amr.to_owned()];
        let token = id(&user(), "openid", &SignIn { amr: &amr, ..SignIn::default() });
        assert_eq!((&token["acr"], &token["amr"]), (&json!(expected), &json!(amr)));
    }
}
