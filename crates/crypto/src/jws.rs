//! Compact JWS (RFC 7515) as JWTs use it: one signature, one set of claims. Reading is strict, because
//! whatever two readers understand differently is an attack waiting for its second reader.
//!
//! The algorithm comes from the caller's list and must fit the key that verifies; the header can only pick
//! among what both allow. Keys never come from the token: `jwk`, `jku`, `x5c` and `x5u` are not looked at. The one
//! exception is a proof of possession, which says nothing but that its sender has the key in it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use vestibule_rules::fault::{Fault, Kind};

use crate::asymmetric::Material;
use crate::json;
use crate::jwk::{Algorithm, VerifyingKey};

/// Longest header, encoded.
const HEADER_MAX: usize = 8 * 1024;
/// Longest token, encoded.
const TOKEN_MAX: usize = 64 * 1024;
/// Most keys that one token is tried with, so that a token cannot make us try a whole set.
const MOST_TRIED: usize = 8;

/// Why a token is refused. For logs and tests; the other party learns that it was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("the token is too long")]
    TooLong,
    #[error("the token is not three base64url parts")]
    NotCompact,
    #[error("the header is not one JSON object without duplicate members")]
    BadHeader,
    #[error("the claims are not one JSON object without duplicate members")]
    BadClaims,
    #[error("the header names critical extensions")]
    Critical,
    #[error("the algorithm is not allowed here")]
    WrongAlgorithm,
    #[error("the token is of another type")]
    WrongType,
    #[error("no key has the name that the token gives")]
    UnknownKey,
    #[error("too many keys fit what the token says of its key")]
    KeyNotNamed,
    #[error("the key in the header cannot be used")]
    BadKey,
    #[error("the named key is of another type than the algorithm")]
    KeyMismatch,
    #[error("the signature is wrong")]
    BadSignature,
    #[error("the issuer is another one")]
    WrongIssuer,
    #[error("the token is for another audience")]
    WrongAudience,
    #[error("the authorized party is missing or another one")]
    WrongAuthorizedParty,
    #[error("a time claim is missing or not a whole number")]
    BadTime,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the nonce is missing or another one")]
    WrongNonce,
    #[error("the subject is missing, empty or too long")]
    BadSubject,
    #[error("the hash of a token or code is of another one")]
    WrongHash,
    #[error("the event is not a logout")]
    NotLogout,
    #[error("the name of the token or of the session is missing, empty or too long")]
    BadTokenId,
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let kind = if refusal == Refusal::Expired { Kind::Expired } else { Kind::WrongCredential };
        Self::new(kind, format!("token refused: {refusal}"))
    }
}

/// Which `typ` a token may have. Values are compared without letter case and without `application/`
/// (RFC 7515 §4.1.9).
#[derive(Clone, Copy, Debug)]
pub enum Typ<'a> {
    /// Whatever it says; the claims must tell kinds of tokens apart.
    Any,
    /// One of these, or none.
    AbsentOr(&'a [&'a str]),
    /// One of these.
    OneOf(&'a [&'a str]),
}

/// What the verifier accepts.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The algorithms that are agreed with the issuer.
    pub algorithms: &'a [Algorithm],
    pub typ: Typ<'a>,
}

/// The claims of a token whose signature is good. Nothing else about them is checked yet.
#[derive(Clone, Debug)]
pub struct Verified {
    pub algorithm: Algorithm,
    /// The name of the key, when the token gives one.
    pub kid: Option<String>,
    pub claims: Map<String, Value>,
}

/// The members of a token's second part.
pub(crate) type Claims = Map<String, Value>;

/// A token that was read and not verified. Its claims may be used to find the keys, and for nothing else.
pub struct Unverified<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

/// Verifies `token` with one of `keys`.
pub fn verify(token: &str, keys: &[VerifyingKey], expected: &Expected<'_>) -> Result<Verified, Refusal> {
    Unverified::parse(token)?.verify(keys, expected)
}

impl<'a> Unverified<'a> {
    /// Reads the three parts.
    pub fn parse(token: &'a str) -> Result<Self, Refusal> {
        if token.len() > TOKEN_MAX {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::NotCompact)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::NotCompact)?;
        if claims.contains('.') {
            return Err(Refusal::NotCompact);
        }
        if header.len() > HEADER_MAX {
            return Err(Refusal::TooLong);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::NotCompact);
        let (header, claims, signature) = (decode(header)?, decode(claims)?, decode(signature)?);
        let header = json::object(&header).map_err(|_| Refusal::BadHeader)?;
        if header.contains_key("crit") {
            return Err(Refusal::Critical);
        }
        let claims = json::object(&claims).map_err(|_| Refusal::BadClaims)?;
        Ok(Self { signed, signature, header, claims })
    }

    /// The name of the key that the token asks for.
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// A claim as the sender wrote it: enough to look up whose keys to use.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// A parameter of the header as the sender wrote it: enough to choose among known keys.
    pub fn header(&self, name: &str) -> Option<&Value> {
        self.header.get(name)
    }

    /// Header and claims as the sender wrote them, to be shown to somebody.
    pub const fn parts(&self) -> (&Map<String, Value>, &Map<String, Value>) {
        (&self.header, &self.claims)
    }

    /// Checks header and signature.
    pub fn verify(self, keys: &[VerifyingKey], expected: &Expected<'_>) -> Result<Verified, Refusal> {
        let algorithm = self.check_header(expected)?;
        let kid = self.checked_kid()?;
        let candidates = candidates(keys, kid.as_deref(), algorithm)?;
        self.verify_by(&candidates, algorithm)
    }

    /// Checks header and signature with keys that were chosen by what the header names; `kid` chooses no further.
    pub fn verify_with(self, keys: &[&VerifyingKey], expected: &Expected<'_>) -> Result<Verified, Refusal> {
        let algorithm = self.check_header(expected)?;
        if keys.is_empty() {
            return Err(Refusal::UnknownKey);
        }
        let fitting: Vec<_> =
            keys.iter().copied().filter(|key| key.for_algorithm(algorithm).is_some()).collect();
        match fitting.len() {
            0 => Err(Refusal::KeyMismatch),
            1..=MOST_TRIED => self.verify_by(&fitting, algorithm),
            _ => Err(Refusal::KeyNotNamed),
        }
    }

    fn check_header(&self, expected: &Expected<'_>) -> Result<Algorithm, Refusal> {
        let name = self.header.get("alg").and_then(Value::as_str).ok_or(Refusal::WrongAlgorithm)?;
        let algorithm = Algorithm::parse(name).ok_or(Refusal::WrongAlgorithm)?;
        if !expected.algorithms.contains(&algorithm) {
            return Err(Refusal::WrongAlgorithm);
        }
        check_typ(self.header.get("typ"), expected.typ)?;
        Ok(algorithm)
    }

    fn checked_kid(&self) -> Result<Option<String>, Refusal> {
        match self.header.get("kid") {
            None => Ok(None),
            Some(Value::String(kid)) => Ok(Some(kid.clone())),
            Some(_) => Err(Refusal::BadHeader),
        }
    }

    /// Checks the type alone.
    pub fn check_typ(&self, typ: Typ<'_>) -> Result<(), Refusal> {
        check_typ(self.header.get("typ"), typ)
    }

    fn verify_by(self, keys: &[&VerifyingKey], algorithm: Algorithm) -> Result<Verified, Refusal> {
        let kid = self.checked_kid()?;
        let good = |key: &&VerifyingKey| {
            key.for_algorithm(algorithm)
                .is_some_and(|key| key.verify_sig(self.signed.as_bytes(), &self.signature).is_ok())
        };
        if !keys.iter().any(good) {
            return Err(Refusal::BadSignature);
        }
        Ok(Verified { algorithm, kid, claims: self.claims })
    }

    /// What is signed, and the signature.
    pub(crate) fn signed(&self) -> (&str, &[u8]) {
        (self.signed, &self.signature)
    }

    /// The claims, once the signature was found good by other means.
    pub(crate) fn into_claims(self) -> Map<String, Value> {
        self.claims
    }

    /// Checks header and signature with the public key in the header (RFC 9449 §4.3); the key and the claims.
    pub(crate) fn verify_by_own_key(self, expected: &Expected<'_>) -> Result<(Material, Claims), Refusal> {
        let algorithm = self.check_header(expected)?;
        let Some(Value::Object(jwk)) = self.header.get("jwk") else { return Err(Refusal::BadHeader) };
        let key = VerifyingKey::from_jwk(jwk).map_err(|_| Refusal::BadKey)?;
        let parsed = key.for_algorithm(algorithm).ok_or(Refusal::KeyMismatch)?;
        parsed.verify_sig(self.signed.as_bytes(), &self.signature).map_err(|_| Refusal::BadSignature)?;
        Ok((Material::of(jwk).ok_or(Refusal::BadKey)?, self.claims))
    }
}

/// The keys that may have signed: those of the name that the token gives, and without a name those that fit
/// the algorithm. OpenID Connect Core 10.1 asks for names when there are several keys, but servers forget
/// them, so a few are tried. A name that no key has says that the keys were rotated: the caller reads them
/// again (10.1.1).
fn candidates<'k>(
    keys: &'k [VerifyingKey],
    kid: Option<&str>,
    algorithm: Algorithm,
) -> Result<Vec<&'k VerifyingKey>, Refusal> {
    let named: Vec<_> = keys.iter().filter(|key| kid.is_none() || key.kid() == kid).collect();
    if named.is_empty() {
        return Err(Refusal::UnknownKey);
    }
    let fitting: Vec<_> = named.into_iter().filter(|key| key.for_algorithm(algorithm).is_some()).collect();
    match (kid, fitting.len()) {
        (Some(_), 0) => Err(Refusal::KeyMismatch),
        (None, 0) => Err(Refusal::UnknownKey),
        (_, 1..=MOST_TRIED) => Ok(fitting),
        (_, _) => Err(Refusal::KeyNotNamed),
    }
}

fn check_typ(typ: Option<&Value>, expected: Typ<'_>) -> Result<(), Refusal> {
    let (allowed, absent_is_good) = match expected {
        Typ::Any => return Ok(()),
        Typ::AbsentOr(allowed) => (allowed, true),
        Typ::OneOf(allowed) => (allowed, false),
    };
    let short = |text: &str| {
        let lower = text.to_ascii_lowercase();
        lower.strip_prefix("application/").map_or(lower.clone(), str::to_owned)
    };
    let good = match typ {
        None => absent_is_good,
        Some(value) => {
            value.as_str().is_some_and(|typ| allowed.iter().any(|other| short(other) == short(typ)))
        }
    };
    if good { Ok(()) } else { Err(Refusal::WrongType) }
}

/// The signing input: both parts encoded and joined (RFC 7515 §5.1).
pub(crate) fn signing_input(header: &Value, claims: &Value) -> String {
    let mut text = URL_SAFE_NO_PAD.encode(header.to_string());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut text);
    text
}

/// The token: signing input and signature.
pub(crate) fn compact(mut signing_input: String, signature: &[u8]) -> String {
    signing_input.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut signing_input);
    signing_input
}

#[cfg(test)]
#[path = "jws_tests.rs"]
mod tests;
