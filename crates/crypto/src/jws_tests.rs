use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use proptest::prelude::*;
use serde_json::json;
use vestibule_rules::time::Timestamp;

use super::*;
use crate::asymmetric::KeyKind;
use crate::client_key::ClientKey;
use crate::digest::{base64url, hmac_sha256};
use crate::keyring::SigningKey;

const ALL: Expected<'_> = Expected { algorithms: &Algorithm::ALL, typ: Typ::Any };

/// RFC 7515 A.2: the token and its RSA key.
const RFC_TOKEN: &str = concat!(
    "eyJhbGciOiJSUzI1NiJ9",
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9u",
    "JdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN",
    "9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLI",
    "hWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
);

fn rfc_key() -> VerifyingKey {
    let n = concat!(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2",
        "lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7W",
        "TBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs",
        "91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    );
    VerifyingKey::from_jwk(json!({"kty": "RSA", "n": n, "e": "AQAB"}).as_object().unwrap()).unwrap()
}

fn signing_key() -> SigningKey {
    SigningKey::generate("test", Timestamp::from_seconds(1_700_000_000)).unwrap()
}

fn forge(header: &str, claims: &str, signature: &[u8]) -> String {
    format!("{}.{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()), base64url(signature))
}

fn refusal(token: &str, keys: &[VerifyingKey]) -> Refusal {
    verify(token, keys, &ALL).unwrap_err()
}

#[test]
fn the_example_of_rfc_7515_a_2_verifies() {
    let verified = verify(RFC_TOKEN, &[rfc_key()], &ALL).unwrap();
    assert_eq!(verified.algorithm, Algorithm::Rs256);
    assert_eq!(verified.claims.get("iss"), Some(&json!("joe")));
}

#[test]
fn the_example_of_rfc_7515_a_3_verifies() {
    let token = concat!(
        "eyJhbGciOiJFUzI1NiJ9",
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let key = VerifyingKey::from_jwk(jwk.as_object().unwrap()).unwrap();
    assert!(verify(token, std::slice::from_ref(&key), &ALL).is_ok());
    // The classic attack on ECDSA: r = s = 0, and other signatures that are no numbers in range.
    for signature in [vec![0; 64], vec![0xff; 64], vec![], vec![0; 63], vec![0; 65], vec![0; 96]] {
        let forged = forge(r#"{"alg":"ES256"}"#, "{}", &signature);
        assert_eq!(refusal(&forged, std::slice::from_ref(&key)), Refusal::BadSignature);
    }
}

#[test]
fn a_signature_of_another_curve_is_refused() {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "k", "x": base64url(x), "y": base64url(y)});
    let key = [VerifyingKey::from_jwk(jwk.as_object().unwrap()).unwrap()];
    let signed = |alg: &str| {
        let input = signing_input(&json!({"alg": alg, "kid": "k"}), &json!({"sub": "s"}));
        let signature = pair.sign(&random, input.as_bytes()).unwrap();
        compact(input, signature.as_ref())
    };
    assert!(verify(&signed("ES256"), &key, &ALL).is_ok());
    assert_eq!(refusal(&signed("ES384"), &key), Refusal::KeyMismatch);
    assert_eq!(refusal(&signed("RS256"), &key), Refusal::KeyMismatch);
}

#[test]
fn none_is_no_algorithm_in_any_spelling() {
    for alg in ["none", "None", "nOnE", "NONE", "", " none"] {
        for signature in [&b""[..], b"x"] {
            let token = forge(&format!(r#"{{"alg":"{alg}"}}"#), r#"{"sub":"admin"}"#, signature);
            assert_eq!(refusal(&token, &[rfc_key()]), Refusal::WrongAlgorithm, "{alg}");
        }
    }
    for header in ["{}", r#"{"alg":null}"#, r#"{"alg":["RS256"]}"#, r#"{"alg":0}"#] {
        assert_eq!(refusal(&forge(header, "{}", b""), &[rfc_key()]), Refusal::WrongAlgorithm, "{header}");
    }
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    let key = signing_key();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", key.jwk().x5c[0]);
    let published = serde_json::to_value(key.jwk()).unwrap();
    for secret in [pem.as_bytes(), key.certificate(), published["n"].as_str().unwrap().as_bytes()] {
        for alg in ["HS256", "HS384", "HS512"] {
            let input = signing_input(&json!({"alg": alg, "kid": key.kid()}), &json!({"sub": "admin"}));
            let token = compact(input.clone(), &hmac_sha256(secret, input.as_bytes()));
            assert_eq!(refusal(&token, &[key.verifying_key().clone()]), Refusal::WrongAlgorithm);
        }
    }
}

#[test]
fn the_algorithm_must_be_agreed() {
    let only_es = Expected { algorithms: &[Algorithm::Es256], typ: Typ::Any };
    assert_eq!(verify(RFC_TOKEN, &[rfc_key()], &only_es).unwrap_err(), Refusal::WrongAlgorithm);
}

#[test]
fn a_key_that_declares_its_algorithm_is_used_for_no_other() {
    let key = signing_key();
    let mut jwk = serde_json::to_value(key.jwk()).unwrap();
    jwk["alg"] = json!("PS256");
    let declared = VerifyingKey::from_jwk(jwk.as_object().unwrap()).unwrap();
    let token = key.sign(&json!({}), "JWT").unwrap();
    assert_eq!(refusal(&token, &[declared]), Refusal::KeyMismatch);
}

#[test]
fn keys_are_found_by_name_and_never_guessed() {
    let (one, other) = (signing_key(), signing_key());
    let token = one.sign(&json!({}), "JWT").unwrap();
    let keys = [other.verifying_key().clone(), one.verifying_key().clone()];
    assert!(verify(&token, &keys, &ALL).is_ok());
    assert_eq!(refusal(&token, &keys[..1]), Refusal::UnknownKey);
    assert_eq!(refusal(RFC_TOKEN, &keys), Refusal::BadSignature);
    assert_eq!(refusal(RFC_TOKEN, &keys[..1]), Refusal::BadSignature);
    assert_eq!(refusal(RFC_TOKEN, &[]), Refusal::UnknownKey);
    for kid in [json!("../../dev/null"), json!("' OR 1=1 --"), json!("\u{0}")] {
        let forged = forge(&json!({"alg": "RS256", "kid": kid}).to_string(), "{}", b"x");
        assert_eq!(refusal(&forged, &keys), Refusal::UnknownKey);
    }
    let forged = forge(r#"{"alg":"RS256","kid":1}"#, "{}", b"x");
    assert_eq!(refusal(&forged, &keys), Refusal::BadHeader);
}

/// A token of `key` without a name.
fn unnamed(key: &ClientKey) -> String {
    key.sign_with_header(Algorithm::Es256, Map::new(), &json!({"sub": "s"})).unwrap()
}

fn p256(count: usize) -> (Vec<ClientKey>, Vec<VerifyingKey>) {
    let keys: Vec<_> = (0..count).map(|_| ClientKey::generate(KeyKind::P256).unwrap()).collect();
    let jwks: Vec<_> = keys.iter().map(ClientKey::jwk).collect();
    (keys, VerifyingKey::set(json!({"keys": jwks}).to_string().as_bytes()).unwrap())
}

/// `oidcc-client-test-kid-absent-single-jwks`
#[test]
fn without_kid_a_single_key_verifies() {
    let (keys, jwks) = p256(1);
    assert!(verify(&unnamed(&keys[0]), &jwks, &ALL).is_ok());
}

/// One key of each type is one key that fits (OpenID Connect Core 10.1).
#[test]
fn without_kid_keys_of_other_types_are_no_choice() {
    let (keys, mut jwks) = p256(1);
    jwks.push(rfc_key());
    assert!(verify(&unnamed(&keys[0]), &jwks, &ALL).is_ok());
    assert!(verify(RFC_TOKEN, &jwks, &ALL).is_ok());
}

/// `oidcc-client-test-kid-absent-multiple-jwks`
#[test]
fn without_kid_all_fitting_keys_are_tried() {
    let (keys, jwks) = p256(MOST_TRIED);
    for key in &keys {
        assert!(verify(&unnamed(key), &jwks, &ALL).is_ok());
    }
    let (strangers, _) = p256(1);
    assert_eq!(refusal(&unnamed(&strangers[0]), &jwks), Refusal::BadSignature);
}

#[test]
fn without_kid_a_long_set_is_not_tried() {
    let (keys, jwks) = p256(MOST_TRIED + 1);
    assert_eq!(refusal(&unnamed(&keys[0]), &jwks), Refusal::KeyNotNamed);
    assert!(verify(&unnamed(&keys[0]), &jwks[..MOST_TRIED], &ALL).is_ok());
    // Nor is a set that gives one name to everything.
    let mut same = serde_json::to_value(keys[0].jwk()).unwrap();
    same["kid"] = json!("same");
    let jwks = VerifyingKey::set(json!({"keys": vec![same; 50]}).to_string().as_bytes()).unwrap();
    let key = ClientKey::from_pkcs8(&keys[0].pkcs8().unwrap()).unwrap().with_kid("same");
    let token = key.sign(Algorithm::Es256, &Map::new(), &json!({})).unwrap();
    assert_eq!(refusal(&token, &jwks), Refusal::KeyNotNamed);
    assert!(verify(&token, &jwks[..2], &ALL).is_ok());
}

/// `oidcc-client-test-signing-key-rotation`
#[test]
fn an_unknown_kid_asks_for_fresh_keys() {
    let (keys, jwks) = p256(2);
    let token = keys[1].sign(Algorithm::Es256, &Map::new(), &json!({})).unwrap();
    assert_eq!(refusal(&token, &jwks[..1]), Refusal::UnknownKey);
    assert!(verify(&token, &jwks, &ALL).is_ok());
    // A name that is known is never ignored in favour of another key that would fit.
    let imposter = ClientKey::from_pkcs8(&keys[1].pkcs8().unwrap()).unwrap().with_kid(keys[0].kid());
    let token = imposter.sign(Algorithm::Es256, &Map::new(), &json!({})).unwrap();
    assert_eq!(refusal(&token, &jwks), Refusal::BadSignature);
}

/// A provider's list may be shorter than what its keys can do (RFC 8725 §3.1).
#[test]
fn a_provider_may_be_held_to_one_algorithm() {
    let key = ClientKey::generate(KeyKind::Rsa2048).unwrap();
    let jwks = VerifyingKey::set(json!({"keys": [key.jwk()]}).to_string().as_bytes()).unwrap();
    for signed in [Algorithm::Rs256, Algorithm::Ps256] {
        let token = key.sign(signed, &Map::new(), &json!({})).unwrap();
        for agreed in [Algorithm::Rs256, Algorithm::Ps256] {
            let expected = Expected { algorithms: &[agreed], typ: Typ::Any };
            assert_eq!(verify(&token, &jwks, &expected).is_ok(), signed == agreed);
        }
        let nothing = Expected { algorithms: &[], typ: Typ::Any };
        assert_eq!(verify(&token, &jwks, &nothing).unwrap_err(), Refusal::WrongAlgorithm);
    }
}

#[test]
fn a_key_inside_the_token_is_not_looked_at() {
    let attacker = signing_key();
    let header = json!({"alg": "RS256", "jwk": attacker.jwk(), "x5c": attacker.jwk().x5c, "jku": "https://evil.example"});
    let token = forge(&header.to_string(), "{}", &[0; 256]);
    assert_eq!(refusal(&token, &[rfc_key()]), Refusal::BadSignature);
}

#[test]
fn the_type_is_checked_when_asked_for() {
    let key = signing_key();
    let keys = [key.verifying_key().clone()];
    let with = |typ: Typ<'_>, token: &str| {
        verify(token, &keys, &Expected { algorithms: &[Algorithm::Rs256], typ }).map(|_| ())
    };
    let token = key.sign(&json!({}), "JWT").unwrap();
    assert_eq!(with(Typ::OneOf(&["jwt"]), &token), Ok(()));
    assert_eq!(with(Typ::OneOf(&["at+jwt", "logout+jwt"]), &token), Err(Refusal::WrongType));
    assert_eq!(with(Typ::AbsentOr(&["at+jwt"]), &token), Err(Refusal::WrongType));
    let logout = key.sign(&json!({}), "application/logout+JWT").unwrap();
    assert_eq!(with(Typ::OneOf(&["logout+jwt"]), &logout), Ok(()));
    let rfc =
        |typ| verify(RFC_TOKEN, &[rfc_key()], &Expected { algorithms: &[Algorithm::Rs256], typ }).map(|_| ());
    assert_eq!(rfc(Typ::AbsentOr(&["JWT"])), Ok(()));
    assert_eq!(rfc(Typ::OneOf(&["JWT"])), Err(Refusal::WrongType));
}

#[test]
fn reading_is_strict() {
    let good = r#"{"alg":"RS256"}"#;
    let cases = [
        (String::new(), Refusal::NotCompact),
        ("a.b".to_owned(), Refusal::NotCompact),
        (format!("{RFC_TOKEN}.x"), Refusal::NotCompact),
        (format!("{RFC_TOKEN}="), Refusal::NotCompact),
        (format!("{RFC_TOKEN}\n"), Refusal::NotCompact),
        (format!(" {RFC_TOKEN}"), Refusal::NotCompact),
        (RFC_TOKEN.replace('-', "+"), Refusal::NotCompact),
        (forge("", "{}", b"x"), Refusal::BadHeader),
        (forge("[]", "{}", b"x"), Refusal::BadHeader),
        (forge(r#"{"alg":"none","alg":"RS256"}"#, "{}", b"x"), Refusal::BadHeader),
        (forge(r#"{"alg":"RS256","kid":"a","kid":"b"}"#, "{}", b"x"), Refusal::BadHeader),
        (forge(good, r#"{"sub":"a","sub":"b"}"#, b"x"), Refusal::BadClaims),
        (forge(good, r#"{"exp":1e999}"#, b"x"), Refusal::BadClaims),
        (forge(good, "\"text\"", b"x"), Refusal::BadClaims),
        (forge(r#"{"alg":"RS256","crit":["exp"],"exp":1}"#, "{}", b"x"), Refusal::Critical),
        (forge(r#"{"alg":"RS256","crit":[]}"#, "{}", b"x"), Refusal::Critical),
        (forge(r#"{"alg":"RS256","b64":false,"crit":["b64"]}"#, "{}", b"x"), Refusal::Critical),
        (forge(&format!(r#"{{"alg":"RS256","x":"{}"}}"#, "x".repeat(8192)), "{}", b"x"), Refusal::TooLong),
        ("x".repeat(1024 * 1024), Refusal::TooLong),
        (forge(good, &format!(r#"{{"x":"{}"}}"#, "x".repeat(64 * 1024)), b"x"), Refusal::TooLong),
    ];
    for (token, expected) in cases {
        assert_eq!(refusal(&token, &[rfc_key()]), expected, "{token:.80}");
    }
}

#[test]
fn trailing_bits_of_base64_are_refused() {
    // The last character of a 256-byte signature carries four unused bits; another spelling is another token.
    let mut other = RFC_TOKEN.to_owned();
    assert_eq!(other.pop(), Some('w'));
    other.push('x');
    assert_eq!(refusal(&other, &[rfc_key()]), Refusal::NotCompact);
}

#[test]
fn an_unverified_token_tells_whose_keys_to_use() {
    let token = Unverified::parse(RFC_TOKEN).unwrap();
    assert_eq!(token.claim("iss"), Some(&json!("joe")));
    assert_eq!(token.kid(), None);
    assert!(token.verify(&[rfc_key()], &ALL).is_ok());
}

#[test]
fn an_expired_token_is_told_apart_from_a_wrong_one() {
    assert_eq!(Fault::from(Refusal::Expired).kind, Kind::Expired);
    assert_eq!(Fault::from(Refusal::BadSignature).kind, Kind::WrongCredential);
}

proptest! {
    #[test]
    fn a_changed_character_is_refused(at in 0usize..500, to in "[A-Za-z0-9_-]") {
        let at = at.min(RFC_TOKEN.len() - 1);
        let mut token = RFC_TOKEN.to_owned();
        token.replace_range(at..=at, &to);
        prop_assert!(token == RFC_TOKEN || verify(&token, &[rfc_key()], &ALL).is_err());
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), a in any::<Vec<u8>>(), b in any::<Vec<u8>>()) {
        prop_assert!(verify(&text, &[rfc_key()], &ALL).is_err());
        let token = format!("{}.{}.{}", base64url(&a), base64url(&b), base64url(&a));
        prop_assert!(verify(&token, &[rfc_key()], &ALL).is_err());
    }
}
