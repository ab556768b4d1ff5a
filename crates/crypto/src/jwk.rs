//! Public keys that verify signatures, read from a JWK (RFC 7517, 7518). A key is parsed once, for exactly
//! the algorithms that fit its type: what an attacker writes into `alg` can only choose among those.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use vestibule_rules::fault::{Fault, Kind, Outcome};

use crate::json;

/// A signature algorithm that is ever accepted. `none` and the HMAC family are not in this list and thus
/// cannot be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    /// Every algorithm, as discovery documents list them.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// The name in `alg`, compared exactly: `rs256` is not RS256. `Ed25519` is the full name of what `EdDSA` means
    /// with the one curve that is supported (RFC 9864 §2.2).
    pub fn parse(name: &str) -> Option<Self> {
        let name = if name == "Ed25519" { Self::EdDsa.name() } else { name };
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The name in `alg` (RFC 7518 §3.1, RFC 8037 §3.1).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    const fn rsa(self) -> Option<&'static RsaParameters> {
        match self {
            Self::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
            Self::Es256 | Self::Es384 | Self::EdDsa => None,
        }
    }
}

/// The members that a public key never has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key with the algorithms it can verify.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: Option<String>,
    parsed: Vec<(Algorithm, ParsedPublicKey)>,
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyingKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl VerifyingKey {
    /// Most keys that one set may hold; the rest of a longer set is not read (security.md U31).
    pub const MOST: usize = 100;

    /// Reads one JWK. A key for encryption, of an unknown type, too short, or with private members is
    /// refused.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Outcome<Self> {
        if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
            return Err(refused("it is a private or symmetric key"));
        }
        if jwk.get("use").is_some_and(|usage| usage != "sig") {
            return Err(refused("it is not for signatures"));
        }
        let verifies = |operations: &Value| {
            operations.as_array().is_some_and(|list| list.iter().any(|operation| operation == "verify"))
        };
        if jwk.get("key_ops").is_some_and(|operations| !verifies(operations)) {
            return Err(refused("its key_ops lack verify"));
        }
        let mut parsed = match (text(jwk, "kty")?, jwk.get("crv").and_then(Value::as_str)) {
            ("RSA", _) => rsa_key(jwk)?,
            ("EC", Some("P-256")) => {
                let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point(jwk, 32)?);
                vec![(Algorithm::Es256, key.map_err(|_| refused("its point is not on the curve"))?)]
            }
            ("EC", Some("P-384")) => {
                let key = ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point(jwk, 48)?);
                vec![(Algorithm::Es384, key.map_err(|_| refused("its point is not on the curve"))?)]
            }
            ("OKP", Some("Ed25519")) => {
                let key = ParsedPublicKey::new(&ED25519, fixed(jwk, "x", 32)?);
                vec![(Algorithm::EdDsa, key.map_err(|_| refused("its point is not on the curve"))?)]
            }
            _ => return Err(refused("its type or curve is not supported")),
        };
        if let Some(declared) = jwk.get("alg") {
            let declared = declared.as_str().and_then(Algorithm::parse);
            parsed.retain(|(algorithm, _)| declared == Some(*algorithm));
        }
        if parsed.is_empty() {
            return Err(refused("its alg does not fit its type"));
        }
        Ok(Self { kid: jwk.get("kid").and_then(Value::as_str).map(str::to_owned), parsed })
    }

    /// Reads a JWK set (RFC 7517 §5). Keys that cannot be used are left out, as §5 asks.
    pub fn set(document: &[u8]) -> Outcome<Vec<Self>> {
        let set = json::object(document)
            .map_err(|error| Fault::new(Kind::Upstream, format!("the key set is not good JSON: {error}")))?;
        let keys = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or_else(|| Fault::new(Kind::Upstream, "the key set has no list of keys"))?;
        Ok(keys
            .iter()
            .take(Self::MOST)
            .filter_map(Value::as_object)
            .filter_map(|jwk| Self::from_jwk(jwk).ok())
            .collect())
    }

    /// The name that tokens call this key by.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithms that it can verify.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.parsed.iter().map(|(algorithm, _)| *algorithm)
    }

    /// The key as `algorithm` uses it; `None` when it is of another type or declares another algorithm.
    pub(crate) fn for_algorithm(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        self.parsed.iter().find(|(fits, _)| *fits == algorithm).map(|(_, key)| key)
    }
}

fn refused(why: &str) -> Fault {
    Fault::malformed("jwk", format!("the key is refused: {why}"))
}

fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Outcome<&'a str> {
    jwk.get(name).and_then(Value::as_str).ok_or_else(|| refused(&format!("it has no {name}")))
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Outcome<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).map_err(|_| refused(&format!("{name} is not base64url")))
}

fn fixed(jwk: &Map<String, Value>, name: &str, length: usize) -> Outcome<Vec<u8>> {
    bytes(jwk, name).and_then(|value| {
        if value.len() == length { Ok(value) } else { Err(refused(&format!("{name} has the wrong length"))) }
    })
}

/// An uncompressed point (SEC 1 §2.3.3). The library checks that it is on the curve.
pub(crate) fn point(jwk: &Map<String, Value>, length: usize) -> Outcome<Vec<u8>> {
    Ok([&[4][..], &fixed(jwk, "x", length)?, &fixed(jwk, "y", length)?].concat())
}

fn rsa_key(jwk: &Map<String, Value>) -> Outcome<Vec<(Algorithm, ParsedPublicKey)>> {
    let trimmed = |name: &str| -> Outcome<Vec<u8>> {
        let value = bytes(jwk, name)?;
        // Some issuers write a leading zero, which RFC 7518 §6.3.1.1 forbids and which changes nothing.
        let start = value.iter().position(|byte| *byte != 0).unwrap_or(value.len());
        Ok(value.get(start..).unwrap_or_default().to_vec())
    };
    parse_rsa(&trimmed("n")?, &trimmed("e")?)
}

fn parse_rsa(n: &[u8], e: &[u8]) -> Outcome<Vec<(Algorithm, ParsedPublicKey)>> {
    let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err(refused("RSA keys have 2048 to 8192 bits"));
    }
    let components = RsaPublicKeyComponents { n, e };
    Algorithm::ALL
        .into_iter()
        .filter_map(|algorithm| algorithm.rsa().map(|parameters| (algorithm, parameters)))
        .map(|(algorithm, parameters)| {
            let key = components.to_parsed_public_key(parameters);
            Ok((algorithm, key.map_err(|_| refused("its modulus and exponent are not an RSA key"))?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The key of RFC 7515 A.3.
    fn p256() -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    fn read(jwk: &Value) -> Outcome<VerifyingKey> {
        VerifyingKey::from_jwk(jwk.as_object().unwrap())
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    #[test]
    fn names_are_exact() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.name()), Some(algorithm));
        }
        for name in ["none", "None", "nOnE", "HS256", "rs256", "RS256 ", "", "ES512", "RS1"] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_key_fits_the_algorithm_of_its_curve_only() {
        let key = read(&p256()).unwrap();
        assert!(key.for_algorithm(Algorithm::Es256).is_some());
        for algorithm in Algorithm::ALL.into_iter().filter(|a| *a != Algorithm::Es256) {
            assert!(key.for_algorithm(algorithm).is_none());
        }
    }

    #[test]
    fn the_key_of_rfc_8037_is_read() {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        assert!(read(&jwk).unwrap().for_algorithm(Algorithm::EdDsa).is_some());
        // RFC 9864 gives the same thing a full name; no other algorithm gets one by it.
        for (alg, fits) in
            [("EdDSA", true), ("Ed25519", true), ("ed25519", false), ("Ed448", false), ("ES256", false)]
        {
            let mut named = jwk.clone();
            named["alg"] = json!(alg);
            assert_eq!(read(&named).is_ok(), fits, "{alg}");
        }
    }

    #[test]
    fn unsuitable_keys_are_refused() {
        let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
        for (why, jwk) in [
            ("private", with(p256(), "d", json!("AA"))),
            ("encryption", with(p256(), "use", json!("enc"))),
            ("key_ops", with(p256(), "key_ops", json!(["sign"]))),
            ("alg of another type", with(p256(), "alg", json!("RS256"))),
            ("alg is no text", with(p256(), "alg", json!(1))),
            ("curve", with(p256(), "crv", json!("P-521"))),
            ("curve and length differ", with(p256(), "crv", json!("P-384"))),
            ("off the curve", with(p256(), "x", json!(URL_SAFE_NO_PAD.encode([1; 32])))),
            ("padding", with(p256(), "x", json!("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU="))),
            ("symmetric", json!({"kty": "oct", "k": "AAAA"})),
            ("1024 bits", json!({"kty": "RSA", "n": short, "e": "AQAB"})),
            ("no modulus", json!({"kty": "RSA", "n": "", "e": "AQAB"})),
            ("no type", json!({})),
        ] {
            assert!(read(&jwk).is_err(), "{why}");
        }
    }

    #[test]
    fn a_set_leaves_out_what_cannot_be_used() {
        let document =
            json!({"keys": [p256(), {"kty": "oct", "k": "AA"}, 7, with(p256(), "use", json!("sig"))]});
        assert_eq!(VerifyingKey::set(document.to_string().as_bytes()).unwrap().len(), 2);
        assert!(VerifyingKey::set(b"{}").is_err());
        assert!(VerifyingKey::set(b"<html>").is_err());
        let many = json!({"keys": vec![p256(); 150]});
        assert_eq!(VerifyingKey::set(many.to_string().as_bytes()).unwrap().len(), VerifyingKey::MOST);
    }
}
