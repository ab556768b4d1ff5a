use super::*;
use crate::ids::ObjectId;
use crate::oauth::testing;

fn credential(start: Option<i64>, end: Option<i64>) -> PasswordCredential {
    PasswordCredential {
        key_id: ObjectId::from_random([1; 16]),
        display_name: None,
        hint: "abc".to_owned(),
        hash: String::new(),
        sealed: None,
        start_at: start.map(Timestamp::from_seconds),
        end_at: end.map(Timestamp::from_seconds),
    }
}

fn basic(id: &str, secret: &str) -> (String, Secret<String>) {
    (id.to_owned(), Secret::new(secret.to_owned()))
}

/// What was read, in words.
fn read(text: &str, header: Option<(String, Secret<String>)>) -> Result<String, OAuthError> {
    let Presented { client_id, shown } = presented(&Params::decode(text), header)?;
    let shown = match shown {
        Shown::Nothing => "nothing".to_owned(),
        Shown::Secret(way, secret) => format!("{way:?} {}", secret.expose()),
        Shown::Assertion(assertion) => format!("assertion {assertion}"),
    };
    Ok(format!("{} shows {shown}", client_id.unwrap_or_default()))
}

#[test]
fn one_method_and_one_client() {
    // S36, R51
    let typed = format!("client_assertion_type={ASSERTION_TYPE}&client_assertion=x");
    assert_eq!(read("client_id=a", None).unwrap(), "a shows nothing");
    assert_eq!(read("client_id=a&client_secret=s", None).unwrap(), "a shows Post s");
    assert_eq!(read("", Some(basic("a", "s"))).unwrap(), "a shows Basic s");
    assert_eq!(read("client_id=A", Some(basic("a", ""))).unwrap(), "a shows nothing");
    assert_eq!(read(&typed, None).unwrap(), " shows assertion x");
    assert_eq!(read(&format!("{typed}&client_id=a"), None).unwrap(), "a shows assertion x");
    let two = Err(error::TWO_METHODS);
    assert_eq!(read("client_secret=s", Some(basic("a", "s"))), two);
    assert_eq!(read(&format!("{typed}&client_secret=s"), None), two);
    assert_eq!(read(&typed, Some(basic("a", "s"))), two);
    assert_eq!(read("client_id=b", Some(basic("a", "s"))), Err(error::CLIENT_MISMATCH));
    assert_eq!(read("", None), Err(error::MISSING_PARAMETER));
    assert_eq!(read("client_id=a&client_assertion=x", None), Err(error::MISSING_PARAMETER));
    assert_eq!(
        read("client_id=a&client_assertion=x&client_assertion_type=urn:other", None),
        Err(error::ASSERTION_TYPE)
    );
    assert_eq!(read("client_id=a&client_id=a", None), Err(error::REPEATED));
}

#[test]
fn the_platform_decides_about_the_secret() {
    // R26, R40, S41, S48
    let now = Timestamp::from_seconds(100);
    let good = credential(Some(100), Some(101));
    let wrong = Proof::Wrong(error::WRONG_SECRET);
    for platform in [Platform::Spa, Platform::PublicClient] {
        assert_eq!(check(None, Some(platform), Proof::Nothing, now), Ok(()));
        for proof in [wrong, Proof::Secret(&good), Proof::Key] {
            assert_eq!(check(None, Some(platform), proof, now), Err(error::PUBLIC_CLIENT_SECRET));
        }
    }
    for platform in [Some(Platform::Web), None] {
        assert_eq!(check(None, platform, Proof::Nothing, now), Err(error::SECRET_MISSING));
        assert_eq!(check(None, platform, wrong, now), Err(error::WRONG_SECRET));
        assert_eq!(check(None, platform, Proof::Secret(&good), now), Ok(()));
        assert_eq!(check(None, platform, Proof::Key, now), Ok(()));
        let over = credential(None, Some(100));
        assert_eq!(check(None, platform, Proof::Secret(&over), now), Err(error::EXPIRED_SECRET));
        let early = credential(Some(101), None);
        assert_eq!(check(None, platform, Proof::Secret(&early), now), Err(error::WRONG_SECRET));
    }
}

#[test]
fn a_registered_method_is_the_only_one() {
    // S37
    let now = Timestamp::from_seconds(100);
    for method in AuthMethod::ALL {
        let registered = Some(method);
        assert_eq!(takes_secret(registered, Way::Basic), method == AuthMethod::ClientSecretBasic);
        assert_eq!(takes_secret(registered, Way::Post), method == AuthMethod::ClientSecretPost);
        assert_eq!(takes_assertion(registered, true), method == AuthMethod::ClientSecretJwt);
        assert_eq!(takes_assertion(registered, false), method == AuthMethod::PrivateKeyJwt);
        for platform in [None, Some(Platform::Web), Some(Platform::PublicClient)] {
            let nothing = check(registered, platform, Proof::Nothing, now);
            let key = check(registered, platform, Proof::Key, now);
            if method == AuthMethod::None {
                assert_eq!((nothing, key), (Ok(()), Err(error::PUBLIC_CLIENT_SECRET)));
            } else {
                assert_eq!((nothing, key), (Err(error::SECRET_MISSING), Ok(())));
            }
        }
    }
    assert!(takes_secret(None, Way::Basic) && takes_secret(None, Way::Post));
    assert!(takes_assertion(None, false) && !takes_assertion(None, true));
}

#[test]
fn without_a_redirect_address_an_app_is_what_its_platforms_are() {
    let web = || testing::only(Platform::Web, "https://app.example/cb");
    let mut fallback = web();
    fallback.is_fallback_public_client = true;
    let mut held = testing::only(Platform::PublicClient, "http://localhost");
    assert!(!has_public_side(&web()) && has_public_side(&fallback) && has_public_side(&held));
    held.settings.token_endpoint_auth_method = Some(AuthMethod::PrivateKeyJwt);
    assert!(!has_public_side(&held));
    held.settings.token_endpoint_auth_method = Some(AuthMethod::None);
    assert!(has_public_side(&held));
}

#[test]
fn an_audience_is_the_issuer_or_an_endpoint_under_any_name() {
    // R6, S43
    let (origin, issuer) = ("https://h:8443", "https://h:8443/guid/v2.0");
    let is_tenant = |name: &str| ["guid", "contoso"].contains(&name.to_lowercase().as_str());
    let ours = |audience: &str| is_audience(audience, origin, issuer, &is_tenant);
    for good in [
        issuer,
        "https://h:8443/guid/oauth2/v2.0/token",
        "https://h:8443/Contoso/oauth2/v2.0/token",
        "https://h:8443/contoso/b2c_1_x/oauth2/v2.0/token",
        "https://h:8443/contoso/oauth2/v2.0/introspect",
    ] {
        assert!(ours(good), "{good}");
    }
    for bad in [
        "",
        "https://h:8443",
        "https://h:8443/guid/v2.0/",
        "https://h:8443/other/oauth2/v2.0/token",
        "https://h:84430/guid/oauth2/v2.0/token",
        "http://h:8443/guid/oauth2/v2.0/token",
        "https://h:8443.evil.example/guid/oauth2/v2.0/token",
        "https://h:8443/guid/oauth2/v2.0/token/",
        "https://h:8443/guid/oauth2/v2.0/authorize",
        "https://h:8443/guid//oauth2/v2.0/token",
        "https://h:8443/x/y/guid/oauth2/v2.0/token",
    ] {
        assert!(!ours(bad), "{bad}");
    }
}
