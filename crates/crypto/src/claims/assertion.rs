//! What a token must say with which a client proves itself (RFC 7523 §3): one that it made itself, or one of an issuer
//! that its registration trusts.

use serde_json::{Map, Value};
use vestibule_rules::time::{Span, Timestamp};

use super::{SKEW, audiences, check_times};
use crate::jws::{Refusal, Typ};

/// Longest `jti`.
const NAME_MAX: usize = 255;

/// The furthest that an assertion may end in the future (security.md S42).
const LONGEST: Span = Span::minutes(60);

/// The end of the year 9999.
const MAX_SECONDS: f64 = 253_402_300_799.0;

/// A client's own assertion.
#[derive(Clone, Copy)]
pub struct ClientAssertion<'a> {
    /// The client id in its usual form; clients may write it in another letter case.
    pub client: &'a str,
    /// Whether an audience is this server.
    pub is_us: &'a dyn Fn(&str) -> bool,
    pub now: Timestamp,
}

/// A good assertion, which is still to be looked for among those that were used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asserted {
    pub jti: String,
    pub expires_at: Timestamp,
    /// How long it is good for, from when it says that it was made.
    pub life: Option<Span>,
}

impl ClientAssertion<'_> {
    /// The types that the header may give. An ID token or a logout token of ours is told apart by its issuer too.
    pub const TYP: Typ<'static> = Typ::AbsentOr(&["JWT", "client-authentication+jwt"]);

    /// Checks the claims. Unlike elsewhere, times may have a fraction, because MSAL for Python writes it
    /// (native-auth-and-msal.md R33); as text or beyond all numbers they are refused (security.md S61).
    pub fn check(&self, claims: &Map<String, Value>) -> Result<Asserted, Refusal> {
        let is_client = |name: &str| {
            claims.get(name).and_then(Value::as_str).is_some_and(|id| id.eq_ignore_ascii_case(self.client))
        };
        if !is_client("iss") {
            return Err(Refusal::WrongIssuer);
        }
        if !is_client("sub") {
            return Err(Refusal::BadSubject);
        }
        if !audiences(claims)?.into_iter().any(self.is_us) {
            return Err(Refusal::WrongAudience);
        }
        let expires_at = instant(claims, "exp")?.ok_or(Refusal::BadTime)?;
        if self.now >= expires_at {
            return Err(Refusal::Expired);
        }
        if expires_at > self.now + LONGEST {
            return Err(Refusal::BadTime);
        }
        let issued_at = instant(claims, "iat")?;
        for at in [issued_at, instant(claims, "nbf")?].into_iter().flatten() {
            if at > self.now + SKEW {
                return Err(Refusal::NotYetValid);
            }
        }
        let jti = claims.get("jti").and_then(Value::as_str);
        let jti = jti.filter(|text| !text.is_empty() && text.chars().count() <= NAME_MAX);
        let jti = jti.ok_or(Refusal::BadTokenId)?.to_owned();
        Ok(Asserted { jti, expires_at, life: issued_at.map(|at| expires_at.since(at)) })
    }
}

/// A time claim that may have a fraction.
fn instant(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Refusal> {
    claims
        .get(name)
        .map(|value| {
            let seconds = value.as_f64().filter(|seconds| (0.0..=MAX_SECONDS).contains(seconds));
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the range is checked, and a microsecond is no matter"
            )]
            seconds.map(|seconds| Timestamp((seconds * 1e6) as i64)).ok_or(Refusal::BadTime)
        })
        .transpose()
}

/// A workload's token of somebody else's issuer.
#[derive(Clone, Copy, Debug)]
pub struct WorkloadToken<'a> {
    pub issuer: &'a str,
    pub subject: &'a str,
    pub audiences: &'a [String],
    pub now: Timestamp,
}

impl WorkloadToken<'_> {
    /// The types that the header may give.
    pub const TYP: Typ<'static> = Typ::AbsentOr(&["JWT", "at+jwt"]);

    /// Checks the claims: issuer, subject and audience are compared letter by letter.
    pub fn check(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(self.issuer) {
            return Err(Refusal::WrongIssuer);
        }
        if text("sub") != Some(self.subject) {
            return Err(Refusal::BadSubject);
        }
        if !audiences(claims)?.into_iter().any(|aud| self.audiences.iter().any(|own| own == aud)) {
            return Err(Refusal::WrongAudience);
        }
        check_times(claims, self.now, SKEW)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
    const CLIENT: &str = "11111111-aaaa-4111-8111-111111111111";

    fn good() -> Value {
        json!({"iss": CLIENT, "sub": CLIENT, "aud": "https://us", "exp": 1_700_000_600, "iat": 1_700_000_000, "jti": "a"})
    }

    fn check(claims: &Value) -> Result<Asserted, Refusal> {
        let rules = ClientAssertion { client: CLIENT, is_us: &|aud| aud == "https://us", now: NOW };
        rules.check(claims.as_object().unwrap())
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
    fn a_good_assertion_gives_its_name_and_its_end() {
        let asserted = check(&good()).unwrap();
        assert_eq!((asserted.jti.as_str(), asserted.life), ("a", Some(Span::minutes(10))));
        assert_eq!(asserted.expires_at, Timestamp::from_seconds(1_700_000_600));
        for good in [
            with("aud", json!(["https://other", "https://us"])),
            with("iss", json!(CLIENT.to_uppercase())),
            with("exp", json!(1_700_003_600)),
            with("nbf", json!(1_700_000_060)),
            without("iat"),
        ] {
            assert!(check(&good).is_ok(), "{good}");
        }
    }

    #[test]
    fn times_with_a_fraction_are_read() {
        // R33
        let mut claims = with("exp", json!(1_700_000_600.5));
        claims["iat"] = json!(1_700_000_000.25);
        assert_eq!(check(&claims).unwrap().expires_at.0, 1_700_000_600_500_000);
    }

    #[test]
    fn every_claim_has_its_own_refusal() {
        // S42, S61
        for (claims, refusal) in [
            (with("iss", json!("other")), Refusal::WrongIssuer),
            (without("iss"), Refusal::WrongIssuer),
            (with("sub", json!("other")), Refusal::BadSubject),
            (without("sub"), Refusal::BadSubject),
            (with("aud", json!("https://us/")), Refusal::WrongAudience),
            (with("aud", json!([])), Refusal::WrongAudience),
            (without("aud"), Refusal::WrongAudience),
            (without("exp"), Refusal::BadTime),
            (with("exp", json!("1700000600")), Refusal::BadTime),
            (with("exp", json!(1e300)), Refusal::BadTime),
            (with("exp", json!(-1)), Refusal::BadTime),
            (with("exp", json!(null)), Refusal::BadTime),
            (with("exp", json!(1_700_003_601)), Refusal::BadTime),
            (with("exp", json!(1_700_000_000)), Refusal::Expired),
            (with("exp", json!(1_699_999_700)), Refusal::Expired),
            (with("nbf", json!(1_700_000_061)), Refusal::NotYetValid),
            (with("iat", json!(1_700_000_061)), Refusal::NotYetValid),
            (with("iat", json!("now")), Refusal::BadTime),
            (without("jti"), Refusal::BadTokenId),
            (with("jti", json!("")), Refusal::BadTokenId),
            (with("jti", json!(1)), Refusal::BadTokenId),
            (with("jti", json!("x".repeat(256))), Refusal::BadTokenId),
        ] {
            assert_eq!(check(&claims), Err(refusal), "{claims}");
        }
    }

    #[test]
    fn a_workload_is_what_is_registered_letter_by_letter() {
        let audiences = ["api://AzureADTokenExchange".to_owned()];
        let rules = WorkloadToken {
            issuer: "https://ci.example",
            subject: "repo:a/b",
            audiences: &audiences,
            now: NOW,
        };
        let good = json!({"iss": "https://ci.example", "sub": "repo:a/b", "aud": "api://AzureADTokenExchange",
            "exp": 1_700_000_600});
        assert_eq!(rules.check(good.as_object().unwrap()), Ok(()));
        for (name, value, refusal) in [
            ("iss", json!("https://ci.example/"), Refusal::WrongIssuer),
            ("sub", json!("repo:a/B"), Refusal::BadSubject),
            ("aud", json!("api://azureadtokenexchange"), Refusal::WrongAudience),
            ("exp", json!(1_699_999_000), Refusal::Expired),
            ("exp", json!(1_700_000_600.5), Refusal::BadTime),
        ] {
            let mut claims = good.clone();
            claims[name] = value;
            assert_eq!(rules.check(claims.as_object().unwrap()), Err(refusal), "{claims}");
        }
    }
}
