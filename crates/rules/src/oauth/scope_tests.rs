use proptest::prelude::*;

use super::*;
use crate::directory::application::PasswordCredential;
use crate::oauth::testing::application;

fn apps() -> Vec<Application<PasswordCredential>> {
    let mut other = application();
    other.app_id = ClientId::from_random([9; 16]);
    other.identifier_uris = vec!["https://api.example/v1".to_owned()];
    let mut disabled = application();
    disabled.app_id = ClientId::from_random([8; 16]);
    disabled.identifier_uris = vec!["api://disabled".to_owned()];
    disabled.service_principal.account_enabled = false;
    vec![application(), other, disabled]
}

fn parse(text: &str) -> Result<Scope, OAuthError> {
    Scope::parse(text, &apps())
}

#[test]
fn without_a_resource_tokens_are_for_graph() {
    let scope = parse("openid profile  email offline_access").unwrap();
    assert_eq!(scope.audience().to_string(), "00000003-0000-0000-c000-000000000000");
    assert_eq!(scope.text(), "openid profile email offline_access");
    assert_eq!(scope.scp(), "openid profile email");
    assert_eq!(parse("").unwrap(), Scope::default());
}

#[test]
fn graph_scopes_of_samples_are_understood() {
    for written in ["User.Read", "https://graph.microsoft.com/User.Read", "user.read"] {
        let scope = parse(&format!("openid {written}")).unwrap();
        assert_eq!(scope.audience(), GRAPH);
        // R17: the text that was asked for comes back.
        assert_eq!(scope.text(), format!("openid {written}"));
        assert_eq!(scope.scp(), "User.Read openid");
    }
    assert_eq!(parse("https://graph.microsoft.com/.default").unwrap().scp(), "User.Read");
    assert_eq!(parse("Mail.Read"), Err(error::SCOPE));
}

#[test]
fn an_api_of_the_tenant_is_named_by_uri_or_client_id() {
    let scope = parse("api://orders/orders.read openid api://orders/orders.write").unwrap();
    assert_eq!(scope.audience(), application().app_id);
    assert_eq!(scope.scp(), "orders.read orders.write");
    assert_eq!(scope.text(), "openid api://orders/orders.read api://orders/orders.write");
    let all = parse(&format!("{}/.default", application().app_id)).unwrap();
    assert_eq!(all.scp(), "orders.read orders.write");
    assert!(all.text().contains("/.default "));
    assert!(parse("https://api.example/v1/orders.read").is_ok());
}

#[test]
fn unknown_scopes_and_resources_are_refused() {
    for bad in [
        "api://orders/orders.delete",
        "api://orders/orders.old",
        "api://orders/",
        "api://other/orders.read",
        "api://disabled/orders.read",
        "API://orders/orders.read",
        "api://orders/Orders.Read",
        "/orders.read",
        "Openid",
    ] {
        assert_eq!(parse(bad), Err(error::SCOPE), "{bad}");
    }
    assert_eq!(parse(&"openid ".repeat(65)), Err(error::SCOPE));
}

#[test]
fn two_resources_are_one_too_many() {
    assert_eq!(
        parse("api://orders/orders.read https://api.example/v1/orders.read"),
        Err(error::TWO_RESOURCES)
    );
    assert_eq!(parse("User.Read api://orders/orders.read"), Err(error::TWO_RESOURCES));
}

#[test]
fn a_refresh_never_widens() {
    // S66
    let granted = parse("openid profile offline_access api://orders/orders.read").unwrap();
    let ask = |text| granted.narrowed(&parse(text).unwrap()).map(|scope| scope.text());
    assert_eq!(ask(""), Ok(granted.text()));
    assert_eq!(ask("openid"), Ok(granted.text()));
    assert_eq!(ask("api://orders/orders.read"), Ok(granted.text()));
    for wider in ["email", "api://orders/orders.write", "User.Read", "api://orders/.default"] {
        assert_eq!(ask(wider), Err(error::SCOPE_NOT_GRANTED), "{wider}");
    }
    let both = parse("api://orders/orders.read api://orders/orders.write").unwrap();
    let less = both.narrowed(&parse("api://orders/orders.read").unwrap()).unwrap();
    assert_eq!(less.scp(), "orders.read");
}

#[test]
fn what_has_gone_from_the_configuration_falls_out() {
    let text = "openid offline_access api://orders/orders.read api://orders/orders.gone";
    assert_eq!(Scope::restore(text, &apps()).text(), "openid offline_access api://orders/orders.read");
    assert_eq!(Scope::restore(text, &apps()[1..]).text(), "openid offline_access");
}

#[test]
fn client_credentials_name_one_resource_as_a_whole() {
    // R19
    assert_eq!(app_only("api://orders/.default", &apps()), Ok(application().app_id));
    assert_eq!(app_only("https://graph.microsoft.com/.default", &apps()), Ok(GRAPH));
    for bad in ["", "openid", "api://orders/orders.read", "api://orders/.default openid", "api://x/.default"]
    {
        assert_eq!(app_only(bad, &apps()), Err(error::SCOPE), "{bad}");
    }
}

proptest! {
    #[test]
    fn the_reported_text_means_the_same_again(words in prop::collection::vec(prop::sample::select(vec![
        "openid", "profile", "email", "offline_access", "api://orders/orders.read", "api://orders/orders.write",
        "api://orders/.default",
    ]), 0..8)) {
        let scope = parse(&words.join(" ")).unwrap();
        prop_assert_eq!(&parse(&scope.text()).unwrap(), &scope);
        prop_assert_eq!(&Scope::restore(&scope.text(), &apps()), &scope);
        prop_assert!(words.iter().all(|word| scope.text().split(' ').any(|reported| reported == *word)));
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = parse(&text);
    }
}
