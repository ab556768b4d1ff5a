//! Tokens that are signed with a secret which two parties share (`client_secret_jwt`, OpenID Connect Core 9). They are
//! verified apart from those of [`crate::jws`], so that no public key can ever be taken for a secret (security.md S61).

use aws_lc_rs::hmac;
use serde_json::{Map, Value};
use vestibule_rules::text::Secret;

use crate::jws::{Refusal, Unverified};

/// The HMAC algorithms of RFC 7518 §3.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MacAlgorithm {
    Hs256,
    Hs384,
    Hs512,
}

impl MacAlgorithm {
    /// Every algorithm, as discovery documents list them.
    pub const ALL: [Self; 3] = [Self::Hs256, Self::Hs384, Self::Hs512];

    /// The name in `alg`, compared exactly.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The name in `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// The length of the hash in bytes, and the least length of a secret (RFC 7518 §3.2): whoever sees one token could
    /// guess a shorter one offline.
    pub const fn secret_min(self) -> usize {
        match self {
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 => 64,
        }
    }

    const fn library(self) -> hmac::Algorithm {
        match self {
            Self::Hs256 => hmac::HMAC_SHA256,
            Self::Hs384 => hmac::HMAC_SHA384,
            Self::Hs512 => hmac::HMAC_SHA512,
        }
    }
}

/// The algorithm of a token that is signed with a secret.
pub fn algorithm(token: &Unverified<'_>) -> Option<MacAlgorithm> {
    token.header("alg").and_then(Value::as_str).and_then(MacAlgorithm::parse)
}

/// The claims of a token that one of `secrets` signed. Secrets that are too short for the algorithm do not count.
pub fn verify(token: Unverified<'_>, secrets: &[Secret<String>]) -> Result<Map<String, Value>, Refusal> {
    let algorithm = algorithm(&token).ok_or(Refusal::WrongAlgorithm)?;
    let (signed, signature) = token.signed();
    let good = |secret: &Secret<String>| {
        let key = secret.expose().as_bytes();
        let key = (key.len() >= algorithm.secret_min()).then(|| hmac::Key::new(algorithm.library(), key));
        key.is_some_and(|key| hmac::verify(&key, signed.as_bytes(), signature).is_ok())
    };
    if secrets.iter().any(good) { Ok(token.into_claims()) } else { Err(Refusal::BadSignature) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client_key::sign_hs256;
    use crate::digest::hmac_sha256;
    use crate::jws;

    fn secret(length: usize) -> Secret<String> {
        Secret::new("s".repeat(length))
    }

    fn check(token: &str, secrets: &[Secret<String>]) -> Result<Map<String, Value>, Refusal> {
        verify(Unverified::parse(token)?, secrets)
    }

    #[test]
    fn the_right_one_of_several_secrets_is_found() {
        let token = sign_hs256(&secret(32), &json!({"sub": "s"})).unwrap();
        assert_eq!(check(&token, &[secret(40), secret(32)]).unwrap()["sub"], "s");
        assert_eq!(check(&token, &[secret(33)]).unwrap_err(), Refusal::BadSignature);
        assert_eq!(check(&token, &[]).unwrap_err(), Refusal::BadSignature);
    }

    #[test]
    fn a_secret_shorter_than_the_hash_signs_nothing() {
        // S47
        for (algorithm, length) in [("HS256", 31), ("HS384", 47), ("HS512", 63)] {
            let sign = |length: usize| {
                let input = jws::signing_input(&json!({"alg": algorithm}), &json!({}));
                let key = secret(length);
                let key = hmac::Key::new(
                    MacAlgorithm::parse(algorithm).unwrap().library(),
                    key.expose().as_bytes(),
                );
                let mac = hmac::sign(&key, input.as_bytes());
                jws::compact(input, mac.as_ref())
            };
            assert_eq!(check(&sign(length), &[secret(length)]).unwrap_err(), Refusal::BadSignature);
            assert!(check(&sign(length + 1), &[secret(length + 1)]).is_ok(), "{algorithm}");
        }
    }

    #[test]
    fn discovery_lists_what_is_verified() {
        let asymmetric = crate::jwk::Algorithm::ALL.map(crate::jwk::Algorithm::name);
        let all = asymmetric.into_iter().chain(MacAlgorithm::ALL.map(MacAlgorithm::name));
        assert!(all.eq(vestibule_rules::oauth::metadata::ASSERTION_ALGORITHMS));
    }

    #[test]
    fn other_algorithms_are_refused() {
        for name in ["none", "RS256", "hs256", "HS256 ", ""] {
            let input = jws::signing_input(&json!({"alg": name}), &json!({}));
            let mac = hmac_sha256(secret(32).expose().as_bytes(), input.as_bytes());
            let token = jws::compact(input, &mac);
            assert_eq!(check(&token, &[secret(32)]).unwrap_err(), Refusal::WrongAlgorithm, "{name}");
        }
    }
}
