use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;
use crate::jwk::VerifyingKey;
use crate::jws::{Expected, Typ, verify};

const KINDS: [KeyKind; 4] = [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384, KeyKind::Ed25519];

fn pem(key: &ClientKey) -> Secret<String> {
    let body = STANDARD.encode(key.pkcs8().unwrap().expose());
    let lines: Vec<_> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    Secret::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")))
}

fn published(key: &ClientKey) -> Vec<VerifyingKey> {
    VerifyingKey::set(json!({"keys": [key.jwk()]}).to_string().as_bytes()).unwrap()
}

fn header(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

#[test]
fn every_algorithm_of_a_key_verifies_with_what_it_publishes() {
    for kind in KINDS {
        let key = ClientKey::generate(kind).unwrap();
        for algorithm in Algorithm::ALL {
            let signed = key.sign(algorithm, &Map::new(), &json!({"iss": "client"}));
            if !key.algorithms().contains(&algorithm) {
                assert!(signed.is_err(), "{kind:?} {algorithm:?}");
                continue;
            }
            let expected = Expected { algorithms: &[algorithm], typ: Typ::OneOf(&["JWT"]) };
            let verified = verify(&signed.unwrap(), &published(&key), &expected).unwrap();
            assert_eq!(Value::Object(verified.claims), json!({"iss": "client"}));
            assert_eq!(verified.kid.as_deref(), Some(key.kid()));
        }
    }
}

#[test]
fn a_key_survives_pem_and_pkcs8() {
    for kind in KINDS {
        let key = ClientKey::generate(kind).unwrap();
        assert_eq!(ClientKey::from_pem(&pem(&key)).unwrap().jwk(), key.jwk());
        assert_eq!(ClientKey::from_pkcs8(&key.pkcs8().unwrap()).unwrap().jwk(), key.jwk());
        let windows = Secret::new(format!("Bag Attributes\r\n{}", pem(&key).expose().replace('\n', "\r\n")));
        assert_eq!(ClientKey::from_pem(&windows).unwrap().jwk(), key.jwk());
    }
}

#[test]
fn the_signature_agrees_with_rfc_8037_a_4() {
    let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let key = ClientKey::from_pkcs8(&Pkcs8::new([&prefix[..], &seed].concat())).unwrap();
    assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    assert_eq!(
        URL_SAFE_NO_PAD.encode(key.signature(Algorithm::EdDsa, message).unwrap()),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}

#[test]
fn the_header_is_ours_but_for_what_a_caller_adds() {
    let key = ClientKey::generate(KeyKind::P256).unwrap().with_kid("ABC123DEFG");
    let sign = |extra: Value| key.sign(Algorithm::Es256, extra.as_object().unwrap(), &json!({}));
    assert_eq!(header(&sign(json!({})).unwrap()), json!({"alg": "ES256", "typ": "JWT", "kid": "ABC123DEFG"}));
    assert_eq!(
        header(&sign(json!({"typ": "oauth-authz-req+jwt", "x5t": "t"})).unwrap()),
        json!({"alg": "ES256", "typ": "oauth-authz-req+jwt", "kid": "ABC123DEFG", "x5t": "t"})
    );
    for name in OURS {
        assert!(sign(json!({name: "none"})).is_err(), "{name}");
    }
}

#[test]
fn the_published_key_has_public_members_only() {
    let names = |kind| {
        let jwk = serde_json::to_value(ClientKey::generate(kind).unwrap().jwk()).unwrap();
        let mut names: Vec<_> = jwk.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names(KeyKind::Rsa2048), "e kid kty n use");
    assert_eq!(names(KeyKind::P256), "crv kid kty use x y");
    assert_eq!(names(KeyKind::Ed25519), "crv kid kty use x");
}

#[test]
fn short_rsa_keys_and_other_curves_are_refused() {
    // Made by `openssl genpkey`: RSA with 1024 bits, then secp256k1.
    let rsa = include_str!("client_key_tests/rsa1024.pem");
    let k256 = include_str!("client_key_tests/secp256k1.pem");
    for text in [rsa, k256] {
        let fault = ClientKey::from_pem(&Secret::new(text.to_owned())).unwrap_err();
        assert!(fault.detail.contains("2048"), "{}", fault.detail);
    }
}

#[test]
fn debug_tells_the_name_only() {
    for kind in KINDS {
        let key = ClientKey::generate(kind).unwrap();
        assert_eq!(format!("{key:?}"), format!("ClientKey {{ kid: {:?}, .. }}", key.kid()));
        assert_eq!(format!("{:?}", key.pkcs8().unwrap()), "Pkcs8(…)");
    }
}

#[test]
fn keys_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<ClientKey>();
}

#[test]
fn the_mac_agrees_with_rfc_7515_a_1() {
    // The header of A.1 has line breaks that ours has not, so the example is checked below the format.
    let key = URL_SAFE_NO_PAD
        .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
        .unwrap();
    let input = concat!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    );
    assert_eq!(
        URL_SAFE_NO_PAD.encode(hmac_sha256(&key, input.as_bytes())),
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
}

#[test]
fn a_secret_signs_when_it_is_long_enough() {
    let secret = |length| Secret::new("s".repeat(length));
    let token = sign_hs256(&secret(32), &json!({"sub": "client"})).unwrap();
    assert_eq!(header(&token), json!({"alg": "HS256", "typ": "JWT"}));
    let (input, mac) = token.rsplit_once('.').unwrap();
    assert_eq!(mac, URL_SAFE_NO_PAD.encode(hmac_sha256(secret(32).expose().as_bytes(), input.as_bytes())));
    for length in [0, 31] {
        let fault = sign_hs256(&secret(length), &json!({})).unwrap_err();
        assert!(fault.detail.contains("at least 32 bytes"), "{}", fault.detail);
    }
}

proptest! {
    #[test]
    fn no_bytes_are_a_key_by_chance(bytes in any::<Vec<u8>>(), text in any::<String>()) {
        prop_assert!(ClientKey::from_pkcs8(&Pkcs8::new(bytes.clone())).is_err());
        prop_assert!(ClientKey::from_pem(&Secret::new(text)).is_err());
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(bytes)
        );
        prop_assert!(ClientKey::from_pem(&Secret::new(pem)).is_err());
    }

    #[test]
    fn what_is_signed_is_what_is_read(claims in proptest::collection::btree_map(".*", ".*", 0..5)) {
        let key = ClientKey::generate(KeyKind::P256).unwrap();
        let token = key.sign(Algorithm::Es256, &Map::new(), &json!(claims)).unwrap();
        let expected = Expected { algorithms: &[Algorithm::Es256], typ: Typ::Any };
        let verified = verify(&token, &published(&key), &expected).unwrap();
        prop_assert_eq!(Value::Object(verified.claims), json!(claims));
    }
}
