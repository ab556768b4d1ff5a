//! The provider that the conformance suite plays. It signs whatever a module wants, however a module wants it.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Map, Value, json};
use vestibule_crypto::asymmetric::KeyKind;
use vestibule_crypto::client_key::ClientKey;
use vestibule_crypto::digest::hmac_sha256;
use vestibule_crypto::jwk::Algorithm;
use vestibule_crypto::keyring::SigningKey;
use vestibule_testkit::server::BEGIN;

use super::super::kinds::stand_in::{CLIENT, Call, Company, Reply, StandIn, TOKEN, secret};

pub(crate) const SUBJECT: &str = "24400320";
pub(crate) const MAIL: &str = "ada@northwind.example";

/// Comes back by the address and wants the secret in the header, as the suite's static client does.
pub(crate) const PLAIN: Company = Company {
    section: r#"displayName: Suite
issuer: "{base}"
userInfo: always
clientAuthentication: client_secret_basic
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

/// Posts the browser back.
pub(crate) const POSTING: Company = Company {
    section: r#"displayName: Suite
issuer: "{base}"
userInfo: always
responseMode: form_post
clientAuthentication: client_secret_basic
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

/// The keys that it signs with, one after another.
static KEYS: LazyLock<[SigningKey; 2]> =
    LazyLock::new(|| ["suite", "suite later"].map(|name| SigningKey::generate(name, BEGIN).unwrap()));

/// A key of another type.
static CURVE: LazyLock<ClientKey> = LazyLock::new(|| ClientKey::generate(KeyKind::P256).unwrap());

pub(crate) fn answer(suite: &StandIn, call: &Call) -> Reply {
    let keys = suite.document("keys at", json!("/keys"));
    match call.path.as_str() {
        "/.well-known/openid-configuration" => Reply::ok(suite.document("discovery", discovery(&suite.base))),
        path if keys == path => Reply::ok(suite.document("keys", json!({"keys": [key(0)]}))),
        "/token" | "/elsewhere/token" if !proves(suite, call) => Reply::oauth_error("invalid_client"),
        "/token" | "/elsewhere/token" => {
            // Between the request and the signature.
            if suite.document("rotates", json!(false)) == true {
                rotates(suite);
            }
            Reply::ok(suite.document("token", token(suite)))
        }
        "/userinfo" | "/elsewhere/userinfo" if !call.shows_token() => {
            Reply::error(401, Value::Null).with("www-authenticate", "Bearer error=\"invalid_token\"")
        }
        "/userinfo" | "/elsewhere/userinfo" => user_info(suite),
        _ => Reply::error(404, Value::Null),
    }
}

/// The code, the verifier and the client's secret, in the header and nowhere else.
fn proves(suite: &StandIn, call: &Call) -> bool {
    let ours = (CLIENT.to_owned(), secret().into_inner());
    // A provider that knows nothing of PKCE looks at no verifier.
    let pkce = suite.proves(call) || suite.document("ignores pkce", json!(false)) == true;
    suite.redeems(call) && pkce && call.basic() == Some(ours) && !call.form.contains_key("client_secret")
}

/// OpenID Connect Discovery 1.0 §3.
fn discovery(base: &str) -> Value {
    json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "userinfo_endpoint": format!("{base}/userinfo"),
        "jwks_uri": format!("{base}/keys"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
    })
}

fn token(suite: &StandIn) -> Value {
    let now = BEGIN.seconds();
    let claims = json!({
        "iss": suite.base, "sub": SUBJECT, "aud": CLIENT, "nonce": suite.departure("nonce"),
        "iat": now, "exp": now + 300,
    });
    let id_token = signed(suite, &suite.document("id_token", claims));
    json!({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "id_token": id_token})
}

/// Claims that a scope asks for are told here and not in the ID token (OpenID Connect Core 5.4).
fn user_info(suite: &StandIn) -> Reply {
    let scope = suite.departure("scope");
    let asked = |name: &str| scope.split(' ').any(|one| one == name);
    let claims = suite.document(
        "userinfo",
        json!({
            "sub": SUBJECT,
            "name": asked("profile").then_some("Ada Lovelace"),
            "email": asked("email").then_some(MAIL),
            "email_verified": asked("email").then_some(true),
        }),
    );
    if suite.document("signs user info", json!(false)) == false {
        return Reply::ok(claims);
    }
    Reply::ok(json!(signed(suite, &claims))).with("content-type", "application/jwt")
}

/// A token of these claims. What stands in its header says how it is signed, unless the module says otherwise.
fn signed(suite: &StandIn, claims: &Value) -> String {
    let signer = usize::try_from(suite.document("signer", json!(0)).as_u64().unwrap()).unwrap();
    let header = suite.document("header", json!({"alg": "RS256", "typ": "JWT", "kid": KEYS[signer].kid()}));
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(&header), part(claims));
    let mut signature = match header["alg"].as_str() {
        Some("none") => Vec::new(),
        Some("HS256") => hmac_sha256(&hmac_key(suite), input.as_bytes()).to_vec(),
        Some("ES256") => return by_curve(suite, claims),
        _ => rs256(&KEYS[signer], input.as_bytes()),
    };
    if suite.document("breaks signatures", json!(false)) == true {
        signature[0] ^= 1;
    }
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn by_curve(suite: &StandIn, claims: &Value) -> String {
    let token = CURVE.sign(Algorithm::Es256, &Map::new(), claims).unwrap();
    if suite.document("breaks signatures", json!(false)) == false {
        return token;
    }
    let (input, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    signature[0] ^= 1;
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What a symmetric signature is made with: the client's secret, or what everybody can read.
fn hmac_key(suite: &StandIn) -> Vec<u8> {
    match suite.document("hmac key", json!("secret")).as_str() {
        Some("public") => URL_SAFE_NO_PAD.decode(key(0)["n"].as_str().unwrap()).unwrap(),
        _ => secret().into_inner().into_bytes(),
    }
}

fn rs256(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let der = PrivateKeyDer::Pkcs8(key.pkcs8().unwrap().expose().clone().into());
    let key = any_supported_type(&der).unwrap();
    key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).unwrap().sign(message).unwrap()
}

/// A key as it is published.
pub(crate) fn key(signer: usize) -> Value {
    json!(KEYS[signer].jwk())
}

/// The same key without a name.
pub(crate) fn nameless(signer: usize) -> Value {
    let mut key = key(signer);
    for name in ["kid", "x5t", "x5c"] {
        key.as_object_mut().unwrap().remove(name);
    }
    key
}

/// The key of another type, as it is published.
pub(crate) fn curve() -> Value {
    json!(CURVE.jwk())
}

/// The old key goes, and a new one signs.
pub(crate) fn rotates(suite: &StandIn) {
    suite.says("keys", json!({"keys": [key(1)]}));
    suite.says("signer", json!(1));
}

/// Tokens of these claims that the suite's key did not sign.
pub(crate) fn forgeries(claims: &Value) -> Vec<String> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned =
        |alg: &str| format!("{}.{}", part(&json!({"alg": alg, "kid": KEYS[0].kid()})), part(claims));
    let mac = |key: &[u8]| {
        let input = unsigned("HS256");
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(hmac_sha256(key, input.as_bytes())))
    };
    let other = rs256(&KEYS[1], unsigned("RS256").as_bytes());
    vec![
        format!("{}.", unsigned("none")),
        format!("{}.{}", unsigned("RS256"), URL_SAFE_NO_PAD.encode(other)),
        CURVE.sign(Algorithm::Es256, &Map::new(), claims).unwrap(),
        mac(secret().expose().as_bytes()),
        mac(&URL_SAFE_NO_PAD.decode(key(0)["n"].as_str().unwrap()).unwrap()),
    ]
}
