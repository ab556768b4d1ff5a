use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Map, json};
use vestibule_rules::text::Secret;

use super::*;
use crate::asymmetric::KeyKind;
use crate::client_key::ClientKey;
use crate::dpop::{DpopKey, Proof};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const AT: Request<'_> = Request {
    method: "POST",
    url: "https://a.example/t/oauth2/v2.0/token?x=1",
    access_token: None,
    now: NOW,
};

fn good() -> Value {
    json!({"jti": "j", "htm": "POST", "htu": "https://a.example/t/oauth2/v2.0/token", "iat": NOW.seconds()})
}

/// A proof of a key with some header parameters and claims changed; `null` leaves one out.
fn proof(key: &ClientKey, algorithm: Algorithm, (header, claims): (Value, Value)) -> String {
    let mut full = Map::from_iter([
        ("typ".to_owned(), json!("dpop+jwt")),
        ("jwk".to_owned(), serde_json::to_value(key.material()).unwrap()),
    ]);
    let mut body = good();
    let changed = |into: &mut Map<String, Value>, changes: &Value| {
        for (name, value) in changes.as_object().unwrap() {
            into.insert(name.clone(), value.clone());
        }
        into.retain(|_, value| !value.is_null());
    };
    changed(&mut full, &header);
    changed(body.as_object_mut().unwrap(), &claims);
    key.sign_with_header(algorithm, full, &body).unwrap()
}

fn refusal(header: Value, claims: Value) -> Option<Refusal> {
    let key = ClientKey::generate(KeyKind::P256).unwrap();
    verify(&proof(&key, Algorithm::Es256, (header, claims)), &AT).err()
}

#[test]
fn our_own_proofs_are_good() {
    let key = DpopKey::generate().unwrap();
    let token = Secret::new("token".to_owned());
    let made = key.proof(&Proof {
        method: "GET",
        url: "https://a.example/info",
        access_token: Some(&token),
        nonce: Some("n"),
        jti: "j",
        issued_at: NOW,
    });
    let request =
        Request { method: "GET", url: "https://a.example/info", access_token: Some("token"), now: NOW };
    let shown = verify(&made.unwrap(), &request).unwrap();
    assert_eq!(
        (shown.thumbprint, shown.jti, shown.nonce.as_deref()),
        (key.thumbprint(), "j".to_owned(), Some("n"))
    );
}

#[test]
fn every_kind_of_key_may_prove() {
    for (kind, algorithm) in [
        (KeyKind::P256, Algorithm::Es256),
        (KeyKind::P384, Algorithm::Es384),
        (KeyKind::Ed25519, Algorithm::EdDsa),
        (KeyKind::Rsa2048, Algorithm::Ps256),
        (KeyKind::Rsa2048, Algorithm::Rs256),
    ] {
        let key = ClientKey::generate(kind).unwrap();
        let shown = verify(&proof(&key, algorithm, (json!({}), json!({}))), &AT).unwrap();
        assert_eq!(shown.thumbprint, key.material().thumbprint());
    }
}

#[test]
fn the_algorithms_of_the_metadata_are_those_that_verify() {
    let known: Vec<_> = Algorithm::ALL.into_iter().map(Algorithm::name).collect();
    let told = vestibule_rules::oauth::metadata::DPOP_ALGORITHMS;
    assert_eq!(told.len(), known.len());
    assert!(told.iter().all(|name| known.contains(name)));
}

#[test]
fn a_proof_that_says_something_else_is_refused() {
    // S78
    use Refusal::{BadName, BadNonce, NotSigned, WrongMethod, WrongTarget, WrongTime};

    let now = NOW.seconds();
    let nothing = || json!({});
    for (claims, expected) in [
        (json!({"htm": "GET"}), WrongMethod),
        (json!({"htm": "post"}), WrongMethod),
        (json!({"htm": null}), WrongMethod),
        (json!({"htu": null}), WrongTarget),
        (json!({"htu": "http://a.example/t/oauth2/v2.0/token"}), WrongTarget),
        (json!({"htu": "https://b.example/t/oauth2/v2.0/token"}), WrongTarget),
        (json!({"htu": "https://a.example:8443/t/oauth2/v2.0/token"}), WrongTarget),
        (json!({"htu": "https://x@a.example/t/oauth2/v2.0/token"}), WrongTarget),
        (json!({"htu": "https://a.example/t/oauth2/v2.0/token/"}), WrongTarget),
        (json!({"htu": "https://a.example/other/oauth2/v2.0/token"}), WrongTarget),
        (json!({"htu": "/t/oauth2/v2.0/token"}), WrongTarget),
        (json!({"iat": null}), WrongTime),
        (json!({"iat": "now"}), WrongTime),
        (json!({"iat": now - 301}), WrongTime),
        (json!({"iat": now + 61}), WrongTime),
        (json!({"iat": i64::MIN}), WrongTime),
        (json!({"jti": null}), BadName),
        (json!({"jti": ""}), BadName),
        (json!({"jti": "j".repeat(257)}), BadName),
        (json!({"nonce": 7}), BadNonce),
    ] {
        assert_eq!(refusal(nothing(), claims.clone()), Some(expected), "{claims}");
    }
    for (header, expected) in [
        (json!({"typ": "JWT"}), jws::Refusal::WrongType),
        (json!({"typ": null}), jws::Refusal::WrongType),
        (json!({"jwk": null}), jws::Refusal::BadHeader),
        (json!({"jwk": "key"}), jws::Refusal::BadHeader),
        (json!({"jwk": {"kty": "oct", "k": "AAAA"}}), jws::Refusal::BadKey),
    ] {
        assert_eq!(refusal(header.clone(), nothing()), Some(NotSigned(expected)), "{header}");
    }
}

#[test]
fn a_proof_by_another_key_or_with_a_private_one_is_refused() {
    // S78
    let (key, other) =
        (ClientKey::generate(KeyKind::P256).unwrap(), ClientKey::generate(KeyKind::P256).unwrap());
    let jwk = serde_json::to_value(other.material()).unwrap();
    let stolen = proof(&key, Algorithm::Es256, (json!({"jwk": jwk}), json!({})));
    assert_eq!(verify(&stolen, &AT), Err(Refusal::NotSigned(jws::Refusal::BadSignature)));
    let rsa = serde_json::to_value(ClientKey::generate(KeyKind::Rsa2048).unwrap().material()).unwrap();
    let mixed = proof(&key, Algorithm::Es256, (json!({"jwk": rsa}), json!({})));
    assert_eq!(verify(&mixed, &AT), Err(Refusal::NotSigned(jws::Refusal::KeyMismatch)));
    for member in ["d", "p", "oth", "k"] {
        let mut jwk = serde_json::to_value(key.material()).unwrap();
        jwk[member] = json!("AA");
        let told = proof(&key, Algorithm::Es256, (json!({"jwk": jwk}), json!({})));
        assert_eq!(verify(&told, &AT), Err(Refusal::NotSigned(jws::Refusal::BadKey)), "{member}");
    }
    for alg in ["none", "HS256"] {
        let header = json!({"typ": "dpop+jwt", "alg": alg, "jwk": key.material()});
        let parts = [header.to_string(), good().to_string()].map(|part| URL_SAFE_NO_PAD.encode(part));
        for signature in ["", "AAAA"] {
            let forged = format!("{}.{}.{signature}", parts[0], parts[1]);
            assert_eq!(verify(&forged, &AT), Err(Refusal::NotSigned(jws::Refusal::WrongAlgorithm)));
        }
    }
}

#[test]
fn spellings_of_one_address_and_clocks_that_differ_a_little_are_accepted() {
    // S78
    let now = NOW.seconds();
    for claims in [
        json!({"htu": "HTTPS://A.example:443/t/oauth2/v2.0/token"}),
        json!({"htu": "https://a.example/t/oauth2/v2.0/token?q#f"}),
        json!({"iat": now - 10}),
        json!({"iat": now + 10}),
        json!({"iat": now - 300}),
    ] {
        assert_eq!(refusal(json!({}), claims.clone()), None, "{claims}");
    }
    assert_eq!(refusal(json!({"typ": "application/DPoP+JWT", "kid": "mine"}), json!({})), None);
}

#[test]
fn a_proof_for_a_resource_names_the_token() {
    // S78
    let key = ClientKey::generate(KeyKind::P256).unwrap();
    let request = Request { access_token: Some("token"), ..AT };
    let ath = base64url(&sha256(b"token"));
    for (claims, good) in [
        (json!({"ath": ath}), true),
        (json!({}), false),
        (json!({"ath": base64url(&sha256(b"other"))}), false),
        (json!({"ath": "token"}), false),
    ] {
        let shown = verify(&proof(&key, Algorithm::Es256, (json!({}), claims.clone())), &request);
        assert_eq!(shown.is_ok(), good, "{claims}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        prop_assert!(verify(&text, &AT).is_err());
    }
}
