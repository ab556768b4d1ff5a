use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::asymmetric::KeyKind;
use crate::client_key::ClientKey;
use crate::jwk::Algorithm;
use crate::jws::{Expected, Typ};
use crate::keyring::SigningKey;

const ALL: Expected<'_> = Expected { algorithms: &Algorithm::ALL, typ: Typ::Any };

fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der))
}

/// A public key of RFC 8410 §10.1.
const ED25519_PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

fn rsa() -> (SigningKey, PublicPem) {
    let key = SigningKey::generate("app", Timestamp::from_seconds(1_700_000_000)).unwrap();
    let read = PublicPem::read(&pem("CERTIFICATE", key.certificate())).unwrap();
    (key, read)
}

#[test]
fn a_certificate_is_known_by_its_thumbprints() {
    let (key, read) = rsa();
    assert_eq!(read.jwk["x5t"], key.kid());
    assert_eq!(read.jwk["x5t#S256"], base64url(&sha256(key.certificate())));
    assert_eq!(read.jwk["n"], serde_json::to_value(key.jwk()).unwrap()["n"]);
    assert_eq!(read.valid.unwrap().0, Timestamp::from_seconds(1_700_000_000));
    let registered = RegisteredKey::from_jwk(&read.jwk).unwrap();
    let named = |name: &str, value: &str| {
        let token = format!("{}.e30.AA", base64url(json!({name: value}).to_string().as_bytes()));
        registered.is_called(&KeyName::of(&Unverified::parse(&token).unwrap()))
    };
    let sha1 = decoded(key.kid()).unwrap();
    for (name, value) in [
        ("x5t", key.kid()),
        ("kid", key.kid()),
        ("kid", &hex(&sha1)),
        ("kid", &hex(&sha1).to_uppercase()),
        ("x5t#S256", &base64url(&sha256(key.certificate()))),
        ("x5t", &format!("{}=", key.kid())),
        ("x5t#S256", &format!("{}=", base64url(&sha256(key.certificate())))),
        ("kid", &registered.thumbprint),
    ] {
        assert!(named(name, value), "{name} {value}");
        assert!(!named(name, &format!("{value}A")), "{name}");
    }
    // S61: names are compared and never followed.
    for hostile in ["../../../dev/null", "' OR 1=1 --", "", "="] {
        assert!(!named("kid", hostile) && !named("x5t", hostile) && !named("x5t#S256", hostile));
    }
}

#[test]
fn a_token_without_a_name_says_so() {
    let name = |header: &Value| {
        let token = format!("{}.e30.AA", base64url(header.to_string().as_bytes()));
        KeyName::of(&Unverified::parse(&token).unwrap())
    };
    assert!(name(&json!({"alg": "RS256"})).is_empty());
    assert!(name(&json!({"x5t": "a"})).is_by_certificate());
    assert!(!name(&json!({"x5t": "a", "kid": "b"})).is_by_certificate());
    assert!(!name(&json!({"kid": 1})).is_empty());
}

#[test]
fn what_the_certificate_signed_verifies_with_what_was_read() {
    let (key, read) = rsa();
    let registered = RegisteredKey::from_jwk(&read.jwk).unwrap();
    let token = key.sign(&json!({"sub": "s"}), "JWT").unwrap();
    let verified = Unverified::parse(&token).unwrap().verify_with(&[registered.verifying()], &ALL).unwrap();
    assert_eq!(verified.claims["sub"], "s");
    assert_eq!(
        Unverified::parse(&token).unwrap().verify_with(&[], &ALL).unwrap_err(),
        crate::jws::Refusal::UnknownKey
    );
}

#[test]
fn a_public_key_of_every_kind_is_read() {
    let ed25519 = PublicPem::read(ED25519_PEM).unwrap();
    assert_eq!((&ed25519.jwk["crv"], ed25519.valid), (&json!("Ed25519"), None));
    // The key of RFC 7517 A.1 as SubjectPublicKeyInfo.
    let head = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ];
    let x = decoded("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4").unwrap();
    let y = decoded("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM").unwrap();
    let p256 = PublicPem::read(&pem("PUBLIC KEY", &[&head[..], &x, &y].concat())).unwrap();
    assert_eq!((&p256.jwk["kty"], &p256.jwk["crv"]), (&json!("EC"), &json!("P-256")));
    assert_eq!(p256.jwk["y"], "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
}

#[test]
fn what_is_not_a_public_key_is_refused() {
    let private = ClientKey::generate(KeyKind::P256).unwrap().pkcs8().unwrap();
    let private = PublicPem::read(&pem("PRIVATE KEY", private.expose())).unwrap_err();
    assert!(private.detail.contains("private key"), "{}", private.detail);
    for text in ["", "nonsense", &pem("PUBLIC KEY", &[1, 2]), &pem("CERTIFICATE", &[1, 2])] {
        assert!(PublicPem::read(text).is_err(), "{text}");
    }
}

#[test]
fn the_thumbprint_is_that_of_the_other_reader() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Ed25519] {
        let key = ClientKey::generate(kind).unwrap();
        let jwk = serde_json::to_value(key.jwk()).unwrap();
        assert_eq!(RegisteredKey::from_jwk(jwk.as_object().unwrap()).unwrap().thumbprint, key.kid());
    }
}
