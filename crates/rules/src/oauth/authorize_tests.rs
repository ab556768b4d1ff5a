use super::*;
use crate::directory::application::ImplicitGrantSettings;
use crate::directory::client::SecurityProfile;
use crate::ids::UserId;
use crate::oauth::callback::ResponseMode;
use crate::oauth::consent::Permission;
use crate::oauth::scope::GRAPH;
use crate::oauth::testing::application;
use crate::time::Span;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

/// A good request of the web app with some parameters changed; an empty value leaves one out.
fn request(changes: &[(&str, &str)]) -> Params {
    let client = application().app_id.to_string();
    let mut pairs: Vec<(String, String)> = [
        ("client_id", client.as_str()),
        ("redirect_uri", "https://app.example/cb"),
        ("response_type", "code"),
        ("scope", "openid profile"),
        ("state", "xyz"),
        ("nonce", "n"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
    .into_iter()
    .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name))
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    pairs.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Params::new(pairs)
}

fn session(age: i64) -> SessionFact {
    SessionFact {
        user: UserId::from_random([7; 16]),
        auth_time: NOW - Span::seconds(age),
        owes_terms: false,
        meets_demands: true,
    }
}

fn decide_with(changes: &[(&str, &str)], change: impl FnOnce(&mut Loaded<'_>)) -> Decision {
    let app = application();
    let applications = [app.clone()];
    let mut loaded = Loaded {
        application: Some(&app),
        applications: &applications,
        session: None,
        choose: false,
        held: &Held::new(),
        served: Served::Flow,
        pushed: Pushed::No,
        now: NOW,
    };
    change(&mut loaded);
    decide(&request(changes), &loaded)
}

/// The decision in a few words.
fn outcome(decision: &Decision) -> String {
    match decision {
        Decision::Refuse(fault) => format!("page {}", fault.code),
        Decision::Return(callback, error) => {
            format!("{} {} {}", error.code.as_str(), error.number, callback.state().unwrap_or("-"))
        }
        Decision::Interact(_, Prompt::SignUp) => "sign up".to_owned(),
        Decision::Interact(_, Prompt::SignIn) => "sign in".to_owned(),
        Decision::Interact(_, Prompt::CatchUp) => "catch up".to_owned(),
        Decision::Interact(_, Prompt::Choose) => "choose".to_owned(),
        Decision::Interact(_, Prompt::Consent) => "consent".to_owned(),
        Decision::Issue(_) => "issue".to_owned(),
    }
}

fn on(changes: &[(&str, &str)]) -> String {
    outcome(&decide_with(changes, |_| {}))
}

#[test]
fn until_the_address_is_verified_nothing_is_redirected() {
    // R44, S6
    for (changes, expected) in [
        (&[("client_id", "")][..], "page 900144"),
        (&[("client_id", "not-a-guid")], "page 700016"),
        (&[("client_id", "00000000-0000-4000-8000-000000000000")], "page 700016"),
        (&[("client_id", "a"), ("client_id", "b")], "page 9002313"),
        (&[("redirect_uri", "https://app.example/cb/")], "page 50011"),
        (&[("redirect_uri", "")], "page 900144"),
        (&[("redirect_uri", "%")], "page 90102"),
        (
            &[("redirect_uri", "https://app.example/cb"), ("redirect_uri", "https://app.example/cb")],
            "page 9002313",
        ),
        // Another problem does not come first.
        (&[("redirect_uri", "https://evil.example/"), ("response_type", "token")], "page 50011"),
    ] {
        assert_eq!(on(changes), expected, "{changes:?}");
    }
    assert_eq!(outcome(&decide_with(&[], |loaded| loaded.application = None)), "page 700016");
    let mut disabled = application();
    disabled.service_principal.account_enabled = false;
    let applications = [disabled.clone()];
    let loaded = Loaded {
        application: Some(&disabled),
        applications: &applications,
        session: None,
        choose: false,
        held: &Held::new(),
        served: Served::Flow,
        pushed: Pushed::No,
        now: NOW,
    };
    assert_eq!(outcome(&decide(&request(&[]), &loaded)), "page 7000112");
}

#[test]
fn afterwards_the_application_is_told() {
    // S7, S8, S11, S12, S24, S25
    let (no_challenge, no_method) = (("code_challenge", ""), ("code_challenge_method", ""));
    let spa = ("redirect_uri", "https://spa.example/");
    for (changes, expected) in [
        (&[("state", "a"), ("state", "b")][..], "invalid_request 9002313 -"),
        (&[("state", "a\r\nb")], "invalid_request 9002313 -"),
        (&[("response_mode", "web_message")], "invalid_request 70007 xyz"),
        (&[("nonce", "1"), ("nonce", "2")], "invalid_request 9002313 xyz"),
        (&[("login_hint", "a\0")], "invalid_request 9002313 xyz"),
        (&[("request", "e30.e30.")], "request_not_supported 0 xyz"),
        (&[("request_uri", "https://app.example/r")], "request_uri_not_supported 0 xyz"),
        (&[("response_type", "")], "unsupported_response_type 70005 xyz"),
        (&[("response_type", "magic")], "unsupported_response_type 70005 xyz"),
        (&[("response_type", "token")], "unsupported_response_type 700054 xyz"),
        (&[("response_type", "code id_token")], "unsupported_response_type 700054 xyz"),
        (&[("resource", "x")], "invalid_request 901002 xyz"),
        (&[("resource", "api://orders#a")], "invalid_request 901002 xyz"),
        (&[("resource", "00000003-0000-0000-c000-000000000000")], "invalid_request 901002 xyz"),
        (&[("resource", "api://unknown")], "invalid_target 500011 xyz"),
        (&[("resource", "api://orders"), ("resource", "api://orders")], "invalid_target 0 xyz"),
        (&[("resource", "api://orders"), ("scope", "User.Read")], "invalid_scope 70011 xyz"),
        (
            &[("resource", "api://orders"), ("scope", "https://graph.microsoft.com/User.Read")],
            "invalid_target 0 xyz",
        ),
        (&[("dpop_jkt", "short")], "invalid_request 0 xyz"),
        (&[("scope", "openid Files.Read")], "invalid_scope 70011 xyz"),
        (&[("scope", "User.Read api://orders/orders.read")], "invalid_scope 700022 xyz"),
        (&[spa, no_challenge, no_method], "invalid_request 9002325 xyz"),
        (
            &[("redirect_uri", "http://localhost:5000"), no_challenge, no_method],
            "invalid_request 9002325 xyz",
        ),
        (&[spa, no_challenge], "invalid_request 9002325 xyz"),
        (&[spa, no_method], "invalid_request 501491 xyz"),
        (
            &[spa, ("code_challenge", CHALLENGE), ("code_challenge_method", "plain")],
            "invalid_request 501491 xyz",
        ),
        (&[("code_challenge", CHALLENGE), ("code_challenge_method", "plain")], "invalid_request 501491 xyz"),
        (&[("prompt", "none login")], "invalid_request 90023 xyz"),
        (&[("max_age", "soon")], "invalid_request 9002313 xyz"),
        (&[("prompt", "none")], "login_required 50058 xyz"),
    ] {
        assert_eq!(on(changes), expected, "{changes:?}");
    }
}

#[test]
fn good_requests_begin_or_end_as_they_ask() {
    // R37, R42, S21, S22
    let with = |changes: &[(&str, &str)], age| {
        outcome(&decide_with(changes, |loaded| loaded.session = Some(session(age))))
    };
    assert_eq!(on(&[]), "sign in");
    assert_eq!(on(&[("prompt", "create")]), "sign up");
    assert_eq!(on(&[("unknown", "x"), ("unknown", "y"), ("claims", "{}")]), "sign in"); // S10
    assert_eq!(on(&[("scope", "")]), "sign in");
    assert_eq!(with(&[], 10), "issue");
    assert_eq!(with(&[("prompt", "consent")], 10), "consent");
    assert_eq!(with(&[("prompt", "none")], 10), "issue");
    assert_eq!(with(&[("prompt", "create")], 10), "sign up");
    assert_eq!(with(&[("max_age", "10")], 10), "issue");
    assert_eq!(with(&[("max_age", "9")], 10), "sign in");
    assert_eq!(with(&[("max_age", "0")], 0), "sign in");
    assert_eq!(with(&[("max_age", "9"), ("prompt", "none")], 10), "login_required 50058 xyz");
    assert_eq!(with(&[("prompt", "login")], 10), "sign in");
}

#[test]
fn a_person_with_several_accounts_says_which_one_it_is() {
    // R42
    let among = |changes: &[(&str, &str)]| outcome(&decide_with(changes, |loaded| loaded.choose = true));
    assert_eq!(among(&[]), "choose");
    assert_eq!(among(&[("prompt", "select_account")]), "choose");
    assert_eq!(among(&[("prompt", "login select_account")]), "sign in");
    assert_eq!(among(&[("prompt", "create")]), "sign up");
}

#[test]
fn an_app_of_others_is_consented_to_before_it_gets_anything() {
    // S21
    let mut app = application();
    app.settings.consent = crate::directory::consent::ConsentPolicy::Required;
    let applications = [app.clone()];
    let on = |changes: &[(&str, &str)], owes_terms: bool, held: &Held| {
        let loaded = Loaded {
            application: Some(&app),
            applications: &applications,
            session: Some(SessionFact { owes_terms, ..session(1) }),
            choose: false,
            held,
            served: Served::Flow,
            pushed: Pushed::No,
            now: NOW,
        };
        outcome(&decide(&request(changes), &loaded))
    };
    let given = ["openid", "profile"].map(|value| Permission { resource: GRAPH, value: value.to_owned() });
    let given = Held::from(given);
    assert_eq!(on(&[], false, &Held::new()), "consent");
    assert_eq!(on(&[("prompt", "none")], false, &Held::new()), "consent_required 65001 xyz");
    assert_eq!(on(&[], true, &Held::new()), "catch up");
    assert_eq!(on(&[], false, &given), "issue");
    assert_eq!(on(&[("prompt", "none")], false, &given), "issue");
    assert_eq!(on(&[("prompt", "consent")], false, &given), "consent");
    assert_eq!(on(&[("scope", "openid email")], false, &given), "consent");
}

#[test]
fn an_application_without_a_flow_signs_nobody_up() {
    // FLOW-08
    let served =
        |changes: &[(&str, &str)], served| outcome(&decide_with(changes, |loaded| loaded.served = served));
    assert_eq!(served(&[], Served::Nothing), "page 500208");
    assert_eq!(served(&[("prompt", "none")], Served::Nothing), "access_denied 500208 xyz");
    assert_eq!(served(&[("prompt", "create")], Served::SignInOnly), "sign in");
}

#[test]
fn a_verified_request_keeps_what_was_asked() {
    let changes = [
        ("redirect_uri", "http://localhost:4711"),
        ("response_mode", "form_post"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("login_hint", "ann@example.com"),
        ("mkt", "de-DE"),
        ("client_info", "1"),
        ("max_age", "60"),
    ];
    let Decision::Interact(verified, _) = decide_with(&changes, |_| {}) else { panic!("sign in") };
    assert_eq!(verified.platform, Platform::PublicClient);
    assert_eq!(verified.callback.redirect_uri(), "http://localhost:4711");
    assert_eq!(verified.callback.mode(), ResponseMode::FormPost);
    assert_eq!((verified.nonce.as_deref(), verified.ui_locales.as_deref()), (Some("n"), Some("de-DE")));
    assert!(verified.wants_client_info && verified.redirect_uri_sent);
    assert_eq!((verified.max_age, verified.code_challenge.as_deref()), (Some(60), Some(CHALLENGE)));
    let stored = serde_json::to_string(&verified).unwrap();
    assert_eq!(serde_json::from_str::<Verified>(&stored).unwrap(), *verified);
}

#[test]
fn a_stored_request_is_looked_up_again() {
    // S34
    let Decision::Interact(verified, _) = decide_with(&[], |_| {}) else { panic!("sign in") };
    let app = application();
    assert!(resume(&verified, Some(&app)).is_ok());
    assert_eq!(resume(&verified, None).unwrap_err().code, 700_016);
    let mut changed = application();
    changed.service_principal.account_enabled = false;
    assert_eq!(resume(&verified, Some(&changed)).unwrap_err().code, 7_000_112);
    let mut moved = application();
    moved.spa.redirect_uris.append(&mut moved.web.redirect_uris);
    // Not `Stale`: nothing that the person does again would help.
    assert_eq!(resume(&verified, Some(&moved)).unwrap_err().kind, Kind::Forbidden);
    moved.spa.redirect_uris.clear();
    assert_eq!(resume(&verified, Some(&moved)).unwrap_err().code, 50_011);
}

#[test]
fn a_resource_is_named_beside_the_scope() {
    let Decision::Interact(verified, _) =
        decide_with(&[("resource", "api://orders"), ("scope", "openid orders.read")], |_| {})
    else {
        panic!("sign in")
    };
    assert_eq!(
        (verified.scope.audience(), verified.scope.scp()),
        (application().app_id, "orders.read".into())
    );
    assert_eq!(verified.scope.text(), "openid orders.read");
}

#[test]
fn an_application_that_must_push_is_not_asked_by_address() {
    // S50, S52
    let mut app = application();
    app.settings.require_pushed_authorization_requests = true;
    let applications = [app.clone()];
    let as_pushed = |pushed| {
        let loaded = Loaded {
            application: Some(&app),
            applications: &applications,
            session: None,
            choose: false,
            held: &Held::new(),
            served: Served::Flow,
            pushed,
            now: NOW,
        };
        outcome(&decide(&request(&[]), &loaded))
    };
    assert_eq!(as_pushed(Pushed::No), "invalid_request 0 xyz");
    assert_eq!(as_pushed(Pushed::Stands("n")), "sign in");
    assert_eq!(as_pushed(Pushed::Over), "invalid_request_uri 0 xyz");
    let Decision::Interact(verified, _) = decide_with(&[], |loaded| loaded.pushed = Pushed::Stands("n"))
    else {
        panic!("sign in")
    };
    assert_eq!(verified.pushed.as_deref(), Some("n"));
}

#[test]
fn whoever_pushes_learns_of_every_mistake_at_once() {
    // S51
    let app = application();
    let applications = [app.clone()];
    let loaded = Loaded {
        application: Some(&app),
        applications: &applications,
        session: None,
        choose: false,
        held: &Held::new(),
        served: Served::Flow,
        pushed: Pushed::No,
        now: NOW,
    };
    let push = |changes: &[(&str, &str)]| match check_pushed(&request(changes), &loaded) {
        Ok(()) => "good".to_owned(),
        Err(error) => format!("{} {}", error.code.as_str(), error.number),
    };
    assert_eq!(push(&[]), "good");
    for (changes, expected) in [
        (&[("redirect_uri", "https://evil.example/")][..], "invalid_request 50011"),
        (&[("redirect_uri", "%")], "invalid_request 90102"),
        (&[("redirect_uri", "")], "invalid_request 900144"),
        (&[("request_uri", "urn:ietf:params:oauth:request_uri:x")], "invalid_request 0"),
        (&[("scope", "a"), ("scope", "b")], "invalid_request 9002313"),
        (&[("state", "a"), ("state", "a")], "invalid_request 9002313"),
        (&[("client_id", "a"), ("client_id", "a")], "invalid_request 9002313"),
        (&[("response_type", "magic")], "unsupported_response_type 70005"),
        (&[("prompt", "none login")], "invalid_request 90023"),
    ] {
        assert_eq!(push(changes), expected, "{changes:?}");
    }
    // Who is signed in is nobody's business here.
    assert_eq!(push(&[("prompt", "none")]), "good");
    let kept = kept(&request(&[("client_secret", "hush"), ("client_assertion", "hush"), ("foo", "bar")]));
    assert!(kept.iter().all(|(name, value)| value != "hush" && name != "foo"), "{kept:?}");
}

#[test]
fn rows_have_names_of_their_own() {
    let mut names: Vec<_> = TABLE.iter().map(|row| row.name).collect();
    names.dedup();
    assert_eq!(names.len(), TABLE.len());
}

/// The decision for the web app with both boxes ticked, under a profile.
fn under(profile: SecurityProfile, changes: &[(&str, &str)]) -> Decision {
    let mut app = application();
    app.settings.security_profile = profile;
    app.web.implicit_grant_settings =
        ImplicitGrantSettings { enable_access_token_issuance: true, enable_id_token_issuance: true };
    let applications = [app.clone()];
    let loaded = Loaded {
        application: Some(&app),
        applications: &applications,
        session: None,
        choose: false,
        held: &Held::new(),
        pushed: Pushed::No,
        served: Served::Flow,
        now: NOW,
    };
    decide(&request(changes), &loaded)
}

#[test]
fn tokens_come_through_the_browser_where_profile_and_app_allow_it() {
    // S11, S12, oidcc-ensure-request-without-nonce-fails
    for text in ResponseType::ALL {
        let changes = [("response_type", text)];
        let compat = under(SecurityProfile::OidcCompat, &changes);
        let Decision::Interact(verified, _) = &compat else { panic!("{text} {compat:?}") };
        let front = text != "code";
        let mode = if front { ResponseMode::Fragment } else { ResponseMode::Query };
        assert_eq!(verified.callback.mode(), mode, "{text}");
        let expected = if front { "unsupported_response_type 700054 xyz" } else { "sign in" };
        assert_eq!(outcome(&under(SecurityProfile::Default, &changes)), expected, "{text}");

        let query =
            under(SecurityProfile::OidcCompat, &[("response_type", text), ("response_mode", "query")]);
        assert_eq!(outcome(&query), if front { "invalid_request 70007 xyz" } else { "sign in" }, "{text}");
        if let Decision::Return(callback, _) = query {
            assert_eq!(callback.mode(), ResponseMode::Fragment);
        }
        let posted =
            under(SecurityProfile::OidcCompat, &[("response_type", text), ("response_mode", "form_post")]);
        assert_eq!(outcome(&posted), "sign in");

        let needs_nonce = text.contains("id_token");
        let bare = under(SecurityProfile::OidcCompat, &[("response_type", text), ("nonce", "")]);
        assert_eq!(
            outcome(&bare),
            if needs_nonce { "invalid_request 900144 xyz" } else { "sign in" },
            "{text}"
        );
        let no_openid = under(SecurityProfile::OidcCompat, &[("response_type", text), ("scope", "profile")]);
        assert_eq!(outcome(&no_openid), if needs_nonce { "invalid_request 900144 xyz" } else { "sign in" });
    }
}

#[test]
fn the_profile_decides_about_pkce_of_web_apps() {
    // S24, S25, oidcc-server
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    assert_eq!(outcome(&under(SecurityProfile::OidcCompat, &without)), "sign in");
    assert_eq!(outcome(&under(SecurityProfile::Default, &without)), "invalid_request 9002325 xyz");
    for uri in ["https://spa.example/", "http://localhost:4711"] {
        let public = [without[0], without[1], ("redirect_uri", uri)];
        for profile in SecurityProfile::ALL {
            assert_eq!(outcome(&under(profile, &public)), "invalid_request 9002325 xyz", "{uri}");
        }
    }
    let plain = [("code_challenge_method", "plain")];
    assert_eq!(outcome(&under(SecurityProfile::OidcCompat, &plain)), "invalid_request 501491 xyz");
    let implicit = [without[0], without[1], ("response_type", "id_token")];
    assert_eq!(outcome(&under(SecurityProfile::OidcCompat, &implicit)), "sign in");
}

#[test]
fn without_a_code_there_is_no_refresh_token() {
    let changes = [("response_type", "id_token token"), ("scope", "openid offline_access")];
    let Decision::Interact(verified, _) = under(SecurityProfile::OidcCompat, &changes) else { panic!() };
    assert_eq!(verified.scope.text(), "openid");
}

#[test]
fn the_docs_name_every_parameter() {
    let page = include_str!("../../../../docs/reference/requests.md");
    for name in ["client_id", "redirect_uri", "state", "resource"].iter().chain(super::KNOWN) {
        assert!(page.contains(&format!("`{name}`")), "docs/reference/requests.md lacks {name}");
    }
}
