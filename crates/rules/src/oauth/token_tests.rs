use super::*;
use crate::directory::user::UserType;
use crate::ids::UserId;
use crate::oauth::pkce::Shown;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn client(byte: u8) -> ClientId {
    ClientId::from_random([byte; 16])
}

fn code() -> Code<'static> {
    Code {
        client: client(1),
        issuer: "https://i",
        redirect_uri: "https://app.example/cb",
        redirect_uri_sent: true,
        challenge: Some("c"),
        key: None,
        expires_at: Timestamp::from_seconds(1_001),
        redeemed: false,
        revoked: false,
    }
}

fn shown() -> Shown {
    Shown::Challenge("c".to_owned())
}

fn request(shown: &Shown) -> Redeeming<'_> {
    Redeeming {
        client: client(1),
        issuer: "https://i",
        redirect_uri: Some("https://app.example/cb"),
        shown,
        key: None,
        now: NOW,
    }
}

#[test]
fn only_the_grants_that_are_built_are_taken() {
    let read = |text: &str| grant(&Params::decode(text), false);
    assert_eq!(read("grant_type=authorization_code"), Ok(Grant::AuthorizationCode));
    assert_eq!(read("grant_type=refresh_token"), Ok(Grant::RefreshToken));
    assert_eq!(read("grant_type=client_credentials"), Ok(Grant::ClientCredentials));
    assert_eq!(read("grant_type=password"), Err(error::GRANT_TYPE)); // S49
    assert_eq!(read("grant_type="), Err(error::MISSING_PARAMETER)); // S9
    assert_eq!(read("grant_type=refresh_token&scope=a&scope=b"), Err(error::REPEATED)); // S8
    assert_eq!(read("grant_type=refresh_token&x-client-SKU=&x-client-SKU="), Ok(Grant::RefreshToken)); // R51
    assert_eq!(grant(&Params::default(), true), Err(error::USE_POST));
}

#[test]
fn a_code_is_redeemed_only_as_it_was_asked_for() {
    let good = shown();
    assert_eq!(redeem(&code(), &request(&good)), Ok(()));
    let nothing = Shown::Nothing;
    let wrong = Shown::Challenge("d".to_owned());
    let keep = |error| Err(Refused::Keep(error));
    // R48, S26, S31, S32
    assert_eq!(redeem(&code(), &request(&nothing)), keep(error::VERIFIER_MISMATCH));
    assert_eq!(redeem(&code(), &request(&wrong)), keep(error::VERIFIER_MISMATCH));
    let other = Redeeming { redirect_uri: Some("https://app.example/cB"), ..request(&good) };
    assert_eq!(redeem(&code(), &other), keep(error::REDIRECT_MISMATCH));
    let absent = Redeeming { redirect_uri: None, ..request(&good) };
    assert_eq!(redeem(&code(), &absent), keep(error::REDIRECT_MISMATCH));
    assert_eq!(redeem(&Code { redirect_uri_sent: false, ..code() }, &absent), Ok(()));
    let late = Redeeming { now: Timestamp::from_seconds(1_001), ..request(&good) };
    assert_eq!(redeem(&code(), &late), keep(error::CODE_EXPIRED));
    assert_eq!(redeem(&Code { revoked: true, ..code() }, &request(&good)), keep(error::CODE_EXPIRED));
    let elsewhere = Redeeming { issuer: "http://i", ..request(&good) };
    assert_eq!(redeem(&code(), &elsewhere), keep(error::CODE_OF_OTHER_TENANT));
}

#[test]
fn a_code_that_leaked_kills_what_came_of_it() {
    // S29, S30
    let good = shown();
    let thief = Redeeming { client: client(2), ..request(&good) };
    assert_eq!(redeem(&code(), &thief), Err(Refused::Revoke(error::CODE)));
    let spent = Code { redeemed: true, ..code() };
    for again in [request(&good), thief, Redeeming { now: Timestamp::from_seconds(9_999), ..request(&good) }]
    {
        assert_eq!(redeem(&spent, &again), Err(Refused::Revoke(error::CODE_REDEEMED)));
    }
}

fn token() -> Refresh<'static> {
    Refresh {
        client: client(1),
        issuer: "https://i",
        platform: Platform::Web,
        key: None,
        expires_at: Timestamp::from_seconds(2_000),
        revoked: false,
        used: None,
    }
}

#[test]
fn a_refresh_token_rotates_once_and_repeats_for_a_moment() {
    // R39, S72, S74
    let ask = |token: Refresh<'_>| refresh(&token, client(1), "https://i", None, NOW);
    let used = |seconds, successor_used| {
        let at = NOW - Span::seconds(seconds);
        Refresh { used: Some(Used { at, successor_used }), ..token() }
    };
    assert_eq!(ask(token()), Ok(Rotation::Next));
    assert_eq!(ask(used(0, false)), Ok(Rotation::Again));
    assert_eq!(ask(used(10, false)), Ok(Rotation::Again));
    assert_eq!(ask(used(11, false)), Err(Refused::Revoke(error::REFRESH_REVOKED)));
    assert_eq!(ask(used(0, true)), Err(Refused::Revoke(error::REFRESH_REVOKED)));
}

#[test]
fn a_refresh_token_is_good_for_its_client_and_its_time() {
    // R27, S75, S76
    let ask = |token: Refresh<'_>| refresh(&token, client(1), "https://i", None, NOW).map_err(Refused::error);
    assert_eq!(ask(Refresh { client: client(2), ..token() }), Err(error::REFRESH_TOKEN));
    assert_eq!(ask(Refresh { issuer: "https://j", ..token() }), Err(error::REFRESH_TOKEN));
    assert_eq!(ask(Refresh { revoked: true, ..token() }), Err(error::REFRESH_REVOKED));
    assert_eq!(ask(Refresh { expires_at: NOW, ..token() }), Err(error::REFRESH_EXPIRED));
    let spa = Refresh { expires_at: NOW, platform: Platform::Spa, ..token() };
    assert_eq!(ask(spa), Err(error::REFRESH_SPA_EXPIRED));
    assert_eq!(error::REFRESH_REVOKED.suberror, Some("bad_token"));
}

#[test]
fn what_is_bound_to_a_key_takes_the_key() {
    // S81, RFC 9449 §5
    let good = shown();
    let bound = Code { key: Some("k"), ..code() };
    for key in [None, Some("other")] {
        let request = Redeeming { key, ..request(&good) };
        assert_eq!(redeem(&bound, &request), Err(Refused::Keep(error::OTHER_KEY)));
        assert_eq!(redeem(&code(), &request), Ok(()));
        // Whoever has the token alone cannot even end the grant with it.
        let used = Some(Used { at: NOW - Span::minutes(1), successor_used: true });
        for token in [Refresh { key: Some("k"), ..token() }, Refresh { key: Some("k"), used, ..token() }] {
            let refused = refresh(&token, client(1), "https://i", key, NOW);
            assert_eq!(refused, Err(Refused::Keep(error::OTHER_KEY)));
        }
    }
    assert_eq!(redeem(&bound, &Redeeming { key: Some("k"), ..request(&good) }), Ok(()));
    let token = Refresh { key: Some("k"), ..token() };
    assert_eq!(refresh(&token, client(1), "https://i", Some("k"), NOW), Ok(Rotation::Next));
}

#[test]
fn a_grant_needs_its_user() {
    // S34, S77
    let mut user = User {
        id: UserId::from_random([1; 16]),
        user_type: UserType::Member,
        creation_type: None,
        external_user_state: None,
        account_enabled: true,
        user_principal_name: "u".to_owned(),
        display_name: None,
        mail: None,
        identities: Vec::new(),
        attributes: std::collections::BTreeMap::new(),
        created_at: NOW,
        sessions_valid_from: NOW,
        deleted_at: None,
        revision: 0,
    };
    assert_eq!(check_user(None, NOW), Err(error::USER_GONE));
    assert!(check_user(Some(&user), NOW).is_ok());
    assert_eq!(check_user(Some(&user), NOW - Span::seconds(1)), Err(error::REFRESH_REVOKED));
    user.account_enabled = false;
    assert_eq!(check_user(Some(&user), NOW), Err(error::USER_DISABLED));
}

#[test]
fn the_platform_is_read_from_the_token() {
    for platform in [Platform::Web, Platform::Spa, Platform::PublicClient] {
        assert_eq!(platform_of(&format!("{}.x", marker(platform))), Some(platform));
    }
    assert_eq!(platform_of(""), None);
    assert_eq!(platform_of("W.x"), None);
}
