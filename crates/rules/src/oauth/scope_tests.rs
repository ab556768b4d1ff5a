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
    assert_eq!(Scope::regain(text, &apps()).unwrap(), Scope::restore(text, &apps()));
    assert_eq!(Scope::regain(text, &apps()[1..]).unwrap_err(), error::SCOPE);
    for text in ["", "openid profile email address phone offline_access", "User.Read openid"] {
        assert!(Scope::regain(text, &apps()[1..]).is_ok(), "{text}");
    }
    assert_eq!(Scope::regain("resource=api://gone openid", &apps()).unwrap_err(), error::SCOPE);
}

#[test]
fn client_credentials_name_one_resource_as_a_whole() {
    // R19
    let read = |scope: &str, resource: &str| {
        let pairs = [("scope", scope), ("resource", resource)].map(|(n, v)| (n.to_owned(), v.to_owned()));
        app_only(&Params::new(pairs.to_vec()), &apps())
    };
    let orders = |text: &str| Ok((application().app_id, text.to_owned()));
    assert_eq!(read("api://orders/.default", ""), orders("api://orders/.default"));
    let graph = "https://graph.microsoft.com/.default";
    assert_eq!(read(graph, ""), Ok((GRAPH, graph.to_owned())));
    for bad in ["openid", "api://orders/orders.read", "api://orders/.default openid", "api://x/.default"] {
        assert_eq!(read(bad, ""), Err(error::SCOPE), "{bad}");
    }
    assert_eq!(read("", ""), Err(error::MISSING_PARAMETER));
    // RFC 8707
    for scope in ["", ".default", "api://orders/.default"] {
        assert_eq!(read(scope, "api://orders"), orders("api://orders/.default"), "{scope}");
    }
    assert_eq!(read(graph, "api://orders"), Err(error::TARGETS));
    assert_eq!(read("", "api://nowhere"), Err(error::TARGET));
}

#[test]
fn a_target_gives_bare_names_their_meaning() {
    let orders = |text: &str| Scope::parse_for(text, Some("api://orders"), &apps());
    let scope = orders("openid orders.read api://orders/orders.write").unwrap();
    assert_eq!((scope.audience(), scope.scp().as_str()), (application().app_id, "orders.read orders.write"));
    // R17: the text that was asked for comes back, and the stored one means the same.
    assert_eq!(scope.text(), "openid orders.read api://orders/orders.write");
    assert_eq!(Scope::restore(&scope.stored(), &apps()), scope);
    let bare = orders("").unwrap();
    assert_eq!((bare.audience(), bare.scp()), (application().app_id, String::new()));
    assert_eq!(Scope::restore(&bare.stored(), &apps()), bare);
    assert_eq!(orders("orders.delete"), Err(error::SCOPE));
    assert_eq!(orders("https://api.example/v1/orders.read"), Err(error::TARGETS));
    assert_eq!(Scope::parse_for("", Some("api://disabled"), &apps()), Err(error::TARGET));
    assert_eq!(Scope::restore("resource=api://gone openid gone.read", &apps()).text(), "openid");
    // Nobody can write the stored form into a request.
    assert_eq!(parse("resource=api://orders orders.read"), Err(error::SCOPE));
}

#[test]
fn a_token_request_stays_with_the_target_of_its_grant() {
    let granted = Scope::parse_for("openid orders.read", Some("api://orders"), &apps()).unwrap();
    let ask = |text: &str| granted.asked(&Params::decode(text), &apps()).map(|scope| scope.scp());
    for same in ["", "scope=orders.read", "resource=api://orders", "scope=openid&resource=api://orders"] {
        assert_eq!(ask(same).as_deref(), Ok("orders.read"), "{same}");
    }
    assert_eq!(ask("resource=https://api.example/v1"), Err(error::TARGET_NOT_GRANTED));
    assert_eq!(ask("resource=api://nowhere"), Err(error::TARGET));
    assert_eq!(ask("resource=orders"), Err(error::RESOURCE_PARAMETER));
    assert_eq!(ask("scope=orders.write"), Err(error::SCOPE_NOT_GRANTED));
    let openid = Scope::parse("openid", &apps()).unwrap();
    let more = openid.asked(&Params::decode("resource=api://orders"), &apps());
    assert_eq!(more, Err(error::TARGET_NOT_GRANTED));
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
