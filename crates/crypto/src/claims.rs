//! What the claims of a verified token must say. Times are whole JSON numbers: `exp` as text, as a fraction
//! or as `1e999` is refused and not guessed at (security.md S61).

mod assertion;
mod hash;
mod logout;
mod tenant;

use serde_json::{Map, Value};
use vestibule_rules::time::{Span, Timestamp};

pub use self::assertion::{Asserted, ClientAssertion, WorkloadToken};
pub use self::hash::check_hash;
pub use self::logout::{LoggedOut, LogoutToken};
pub use self::tenant::issuer_of_template;

use crate::constant_time;
use crate::jws::Refusal;

/// How far clocks may be apart unless an issuer's settings say otherwise.
pub const SKEW: Span = Span::seconds(60);

/// Longest subject (OpenID Connect Core §2).
const SUBJECT_MAX: usize = 255;

/// What an id_token must say to be ours (OpenID Connect Core 3.1.3.7).
#[derive(Clone, Copy, Debug)]
pub struct IdToken<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    /// The nonce of the request; it must come back when one was sent.
    pub nonce: Option<&'a str>,
    pub now: Timestamp,
    pub skew: Span,
}

impl IdToken<'_> {
    /// Checks the claims and returns the subject.
    pub fn check<'c>(&self, claims: &'c Map<String, Value>) -> Result<&'c str, Refusal> {
        if claims.get("iss").and_then(Value::as_str) != Some(self.issuer) {
            return Err(Refusal::WrongIssuer);
        }
        let audiences = audiences(claims)?;
        if !audiences.contains(&self.client) {
            return Err(Refusal::WrongAudience);
        }
        match claims.get("azp") {
            None if audiences.len() > 1 => return Err(Refusal::WrongAuthorizedParty),
            Some(party) if party != self.client => return Err(Refusal::WrongAuthorizedParty),
            None | Some(_) => {}
        }
        check_times(claims, self.now, self.skew)?;
        seconds(claims, "iat")?.ok_or(Refusal::BadTime)?;
        if let Some(expected) = self.nonce {
            let nonce = claims.get("nonce").and_then(Value::as_str).ok_or(Refusal::WrongNonce)?;
            if !constant_time::eq_str(nonce, expected) {
                return Err(Refusal::WrongNonce);
            }
        }
        subject(claims)
    }
}

/// Checks `exp`, which must be there, and `nbf` and `iat` when they are.
pub fn check_times(claims: &Map<String, Value>, now: Timestamp, skew: Span) -> Result<(), Refusal> {
    let expires_at = seconds(claims, "exp")?.ok_or(Refusal::BadTime)?;
    if now >= expires_at + skew {
        return Err(Refusal::Expired);
    }
    for name in ["nbf", "iat"] {
        if seconds(claims, name)?.is_some_and(|at| at > now + skew) {
            return Err(Refusal::NotYetValid);
        }
    }
    Ok(())
}

/// A time claim; `None` when it is absent.
pub fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Refusal> {
    claims
        .get(name)
        .map(|value| {
            // Negative times are before any token; huge ones would saturate and never expire.
            value
                .as_i64()
                .filter(|seconds| (0..=MAX_SECONDS).contains(seconds))
                .map(Timestamp::from_seconds)
                .ok_or(Refusal::BadTime)
        })
        .transpose()
}

/// The end of the year 9999.
const MAX_SECONDS: i64 = 253_402_300_799;

/// `aud` as a list: it is one text or a list of texts (RFC 7519 §4.1.3).
pub fn audiences(claims: &Map<String, Value>) -> Result<Vec<&str>, Refusal> {
    match claims.get("aud") {
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(list)) => {
            list.iter().map(|one| one.as_str().ok_or(Refusal::WrongAudience)).collect()
        }
        Some(_) | None => Err(Refusal::WrongAudience),
    }
}

fn subject(claims: &Map<String, Value>) -> Result<&str, Refusal> {
    claims
        .get("sub")
        .and_then(Value::as_str)
        .filter(|subject| !subject.is_empty() && subject.chars().count() <= SUBJECT_MAX)
        .ok_or(Refusal::BadSubject)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn good() -> Value {
        json!({"iss": "https://idp.example", "aud": "client", "sub": "s", "exp": 1_700_000_600,
            "iat": 1_700_000_000, "nbf": 1_700_000_000, "nonce": "n"})
    }

    fn check(claims: &Value) -> Result<String, Refusal> {
        let rules = IdToken {
            issuer: "https://idp.example",
            client: "client",
            nonce: Some("n"),
            now: NOW,
            skew: SKEW,
        };
        rules.check(claims.as_object().unwrap()).map(str::to_owned)
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = good();
        claims[name] = value;
        claims
    }

    fn without(name: &str) -> Value {
        let mut claims = good();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    #[test]
    fn a_good_token_gives_its_subject() {
        assert_eq!(check(&good()).unwrap(), "s");
        assert_eq!(check(&with("aud", json!(["client"]))).unwrap(), "s");
        assert_eq!(check(&without("nbf")).unwrap(), "s");
    }

    #[test]
    fn every_claim_has_its_own_refusal() {
        let cases = [
            (with("iss", json!("https://idp.example/")), Refusal::WrongIssuer),
            (with("iss", json!(["https://idp.example"])), Refusal::WrongIssuer),
            (without("iss"), Refusal::WrongIssuer),
            (with("aud", json!("Client")), Refusal::WrongAudience),
            (with("aud", json!([])), Refusal::WrongAudience),
            (with("aud", json!(["client", 1])), Refusal::WrongAudience),
            (without("aud"), Refusal::WrongAudience),
            (with("aud", json!(["client", "other"])), Refusal::WrongAuthorizedParty),
            (with("azp", json!("other")), Refusal::WrongAuthorizedParty),
            (with("azp", json!(null)), Refusal::WrongAuthorizedParty),
            (without("exp"), Refusal::BadTime),
            (without("iat"), Refusal::BadTime),
            (with("nonce", json!("m")), Refusal::WrongNonce),
            (with("nonce", json!(1)), Refusal::WrongNonce),
            (without("nonce"), Refusal::WrongNonce),
            (with("sub", json!("")), Refusal::BadSubject),
            (with("sub", json!(7)), Refusal::BadSubject),
            (with("sub", json!("x".repeat(256))), Refusal::BadSubject),
            (without("sub"), Refusal::BadSubject),
        ];
        for (claims, refusal) in cases {
            assert_eq!(check(&claims), Err(refusal), "{claims}");
        }
        assert!(check(&with("sub", json!("x".repeat(255)))).is_ok());
    }

    #[test]
    fn several_audiences_need_the_authorized_party() {
        let mut claims = with("aud", json!(["client", "other"]));
        claims["azp"] = json!("client");
        assert!(check(&claims).is_ok());
    }

    #[test]
    fn times_are_whole_numbers() {
        for name in ["exp", "iat", "nbf"] {
            for value in [
                json!("1700000600"),
                json!(1_700_000_000.5),
                json!(1.7e9),
                json!(true),
                json!(null),
                json!([1]),
                json!(u64::MAX),
                json!(-1),
                json!(i64::MAX),
            ] {
                assert_eq!(check(&with(name, value.clone())), Err(Refusal::BadTime), "{name} {value}");
            }
        }
    }

    #[test]
    fn the_skew_is_exact_on_both_sides() {
        assert!(check(&with("exp", json!(1_699_999_941))).is_ok());
        assert_eq!(check(&with("exp", json!(1_699_999_940))), Err(Refusal::Expired));
        for name in ["nbf", "iat"] {
            assert!(check(&with(name, json!(1_700_000_060))).is_ok());
            assert_eq!(check(&with(name, json!(1_700_000_061))), Err(Refusal::NotYetValid));
        }
    }
}
