//! DPoP proofs as they are shown to us (RFC 9449 §4.3). A good proof says that the sender of this one request has the
//! private half of the key in it. Whether the proof was shown before, and whether its nonce is ours, is for the caller.

use serde_json::Value;
use vestibule_rules::oauth::dpop::{is_of_now, is_same_target};
use vestibule_rules::time::Timestamp;

use crate::digest::{base64url, sha256};
use crate::jwk::Algorithm;
use crate::jws::{self, Expected, Typ, Unverified};

/// Longest name of a proof.
const JTI_MAX: usize = 256;

/// The request that a proof has to be for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// The address as the client sees it.
    pub url: &'a str,
    /// The access token that it carries; none at the authorization server's own endpoints.
    pub access_token: Option<&'a str>,
    pub now: Timestamp,
}

/// What a good proof says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The thumbprint of the key (RFC 7638).
    pub thumbprint: String,
    /// The name of the proof, which its key gives once.
    pub jti: String,
    pub nonce: Option<String>,
}

/// Why a proof is refused. For the log; the other party learns that it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("it is not a signed proof: {0}")]
    NotSigned(#[from] jws::Refusal),
    #[error("it is for another method")]
    WrongMethod,
    #[error("it is for another address")]
    WrongTarget,
    #[error("it is too old, or of the future, or has no time")]
    WrongTime,
    #[error("it is for another access token, or for none")]
    WrongToken,
    #[error("its name is missing, empty or too long")]
    BadName,
    #[error("its nonce is not a text")]
    BadNonce,
}

/// Checks one proof.
pub fn verify(proof: &str, request: &Request<'_>) -> Result<Shown, Refusal> {
    let expected = Expected { algorithms: &Algorithm::ALL, typ: Typ::OneOf(&["dpop+jwt"]) };
    let (key, claims) = Unverified::parse(proof)?.verify_by_own_key(&expected)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("htm") != Some(request.method) {
        return Err(Refusal::WrongMethod);
    }
    if !text("htu").is_some_and(|target| is_same_target(target, request.url)) {
        return Err(Refusal::WrongTarget);
    }
    let issued_at = claims.get("iat").and_then(Value::as_i64);
    if !issued_at.is_some_and(|at| is_of_now(at, request.now)) {
        return Err(Refusal::WrongTime);
    }
    let ath = request.access_token.map(|token| base64url(&sha256(token.as_bytes())));
    if ath.is_some() && text("ath") != ath.as_deref() {
        return Err(Refusal::WrongToken);
    }
    let jti = text("jti").filter(|jti| !jti.is_empty() && jti.len() <= JTI_MAX).ok_or(Refusal::BadName)?;
    let nonce = match claims.get("nonce") {
        None => None,
        Some(Value::String(nonce)) => Some(nonce.clone()),
        Some(_) => return Err(Refusal::BadNonce),
    };
    Ok(Shown { thumbprint: key.thumbprint(), jti: jti.to_owned(), nonce })
}

#[cfg(test)]
#[path = "shown_tests.rs"]
mod tests;
