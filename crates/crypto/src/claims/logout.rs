//! Logout tokens: a provider says that somebody signed out there (OpenID Connect Back-Channel Logout 1.0).

use serde_json::{Map, Value};
use vestibule_rules::time::{Span, Timestamp};

use super::{audiences, check_times, seconds, subject};
use crate::jws::{Refusal, Typ};

/// The event that a logout token is about (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Longest `jti` and `sid`: both are remembered.
const NAME_MAX: usize = 255;

/// What a logout token must say to be for us (§2.6). Whether its `jti` was seen before, the caller knows.
#[derive(Clone, Copy, Debug)]
pub struct LogoutToken<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    pub now: Timestamp,
    pub skew: Span,
}

/// Who signed out: a subject everywhere, one session, or a session of a subject.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoggedOut<'c> {
    pub subject: Option<&'c str>,
    pub session: Option<&'c str>,
    /// The token's own name, to notice that it comes again.
    pub jti: &'c str,
}

impl LogoutToken<'_> {
    /// The types that the header may give. An id_token may have none either: the claims tell them apart.
    pub const TYP: Typ<'static> = Typ::AbsentOr(&["logout+jwt", "JWT"]);

    /// Checks the claims and returns who signed out.
    pub fn check<'c>(&self, claims: &'c Map<String, Value>) -> Result<LoggedOut<'c>, Refusal> {
        if claims.get("iss").and_then(Value::as_str) != Some(self.issuer) {
            return Err(Refusal::WrongIssuer);
        }
        if !audiences(claims)?.contains(&self.client) {
            return Err(Refusal::WrongAudience);
        }
        check_times(claims, self.now, self.skew)?;
        seconds(claims, "iat")?.ok_or(Refusal::BadTime)?;
        let event = claims.get("events").and_then(|events| events.get(EVENT));
        if !event.is_some_and(Value::is_object) {
            return Err(Refusal::NotLogout);
        }
        // With a nonce it could be shown to somebody as an id_token (§2.4).
        if claims.contains_key("nonce") {
            return Err(Refusal::WrongNonce);
        }
        let jti = name(claims, "jti")?.ok_or(Refusal::BadTokenId)?;
        let session = name(claims, "sid")?;
        let subject = if claims.contains_key("sub") { Some(subject(claims)?) } else { None };
        if subject.is_none() && session.is_none() {
            return Err(Refusal::BadSubject);
        }
        Ok(LoggedOut { subject, session, jti })
    }
}

/// A name that is a text when it is there.
fn name<'c>(claims: &'c Map<String, Value>, claim: &str) -> Result<Option<&'c str>, Refusal> {
    claims
        .get(claim)
        .map(|value| {
            value
                .as_str()
                .filter(|text| !text.is_empty() && text.chars().count() <= NAME_MAX)
                .ok_or(Refusal::BadTokenId)
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::asymmetric::KeyKind;
    use crate::claims::SKEW;
    use crate::client_key::ClientKey;
    use crate::jwk::{Algorithm, VerifyingKey};
    use crate::jws::{Expected, verify};

    /// The example of §2.4, whose times are moved.
    fn good() -> Value {
        json!({"iss": "https://server.example.com", "sub": "248289761001", "aud": "s6BhdRkqt3",
            "iat": 1_700_000_000, "exp": 1_700_000_120, "jti": "bWJq",
            "sid": "08a5019c-17e1-4977-8f42-65a12843ea02", "events": {EVENT: {}}})
    }

    const RULES: LogoutToken<'_> = LogoutToken {
        issuer: "https://server.example.com",
        client: "s6BhdRkqt3",
        now: Timestamp::from_seconds(1_700_000_000),
        skew: SKEW,
    };

    fn check(claims: &Value) -> Result<(Option<&str>, Option<&str>, &str), Refusal> {
        RULES.check(claims.as_object().unwrap()).map(|out| (out.subject, out.session, out.jti))
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
    fn a_good_token_says_who_signed_out() {
        let (subject, session) = ("248289761001", "08a5019c-17e1-4977-8f42-65a12843ea02");
        assert_eq!(check(&good()), Ok((Some(subject), Some(session), "bWJq")));
        assert_eq!(check(&without("sub")), Ok((None, Some(session), "bWJq")));
        assert_eq!(check(&without("sid")), Ok((Some(subject), None, "bWJq")));
        assert!(check(&with("aud", json!(["s6BhdRkqt3", "other"]))).is_ok());
        assert!(
            check(&with("events", json!({EVENT: {"reason": "x"}, "https://other.example/event": {}})))
                .is_ok()
        );
    }

    #[test]
    fn every_claim_has_its_own_refusal() {
        for (claims, refusal) in [
            (with("iss", json!("https://server.example.com/")), Refusal::WrongIssuer),
            (without("iss"), Refusal::WrongIssuer),
            (with("aud", json!("other")), Refusal::WrongAudience),
            (without("aud"), Refusal::WrongAudience),
            (without("exp"), Refusal::BadTime),
            (without("iat"), Refusal::BadTime),
            (with("exp", json!(1_699_999_940)), Refusal::Expired),
            (with("iat", json!(1_700_000_061)), Refusal::NotYetValid),
            (without("events"), Refusal::NotLogout),
            (with("events", json!({})), Refusal::NotLogout),
            (with("events", json!(EVENT)), Refusal::NotLogout),
            (with("events", json!([EVENT])), Refusal::NotLogout),
            (with("events", json!({EVENT: null})), Refusal::NotLogout),
            (with("events", json!({EVENT: true})), Refusal::NotLogout),
            (with("events", json!({EVENT: []})), Refusal::NotLogout),
            (with("events", json!({"http://schemas.openid.net/event/other": {}})), Refusal::NotLogout),
            (with("nonce", json!("n")), Refusal::WrongNonce),
            (with("nonce", json!(null)), Refusal::WrongNonce),
            (without("jti"), Refusal::BadTokenId),
            (with("jti", json!("")), Refusal::BadTokenId),
            (with("jti", json!(1)), Refusal::BadTokenId),
            (with("jti", json!("x".repeat(256))), Refusal::BadTokenId),
            (with("sid", json!("")), Refusal::BadTokenId),
            (with("sid", json!(null)), Refusal::BadTokenId),
            (with("sub", json!("")), Refusal::BadSubject),
            (with("sub", json!(null)), Refusal::BadSubject),
        ] {
            assert_eq!(check(&claims), Err(refusal), "{claims}");
        }
        let mut nobody = without("sub");
        nobody.as_object_mut().unwrap().remove("sid");
        assert_eq!(check(&nobody), Err(Refusal::BadSubject));
    }

    #[test]
    fn an_id_token_is_no_logout_token_nor_the_other_way_round() {
        let id_token = json!({"iss": RULES.issuer, "aud": RULES.client, "sub": "s", "iat": 1_700_000_000,
            "exp": 1_700_000_120, "jti": "j", "sid": "x"});
        assert_eq!(check(&id_token), Err(Refusal::NotLogout));
        let rules = crate::claims::IdToken {
            issuer: RULES.issuer,
            client: RULES.client,
            nonce: Some("n"),
            now: RULES.now,
            skew: SKEW,
        };
        assert_eq!(rules.check(good().as_object().unwrap()), Err(Refusal::WrongNonce));
    }

    #[test]
    fn the_type_is_logout_jwt_or_absent() {
        let key = ClientKey::generate(KeyKind::P256).unwrap();
        let keys = VerifyingKey::set(json!({"keys": [key.jwk()]}).to_string().as_bytes()).unwrap();
        let expected = Expected { algorithms: &[Algorithm::Es256], typ: LogoutToken::TYP };
        let result = |header: Value| {
            let token = key.sign_with_header(Algorithm::Es256, header.as_object().unwrap().clone(), &good());
            verify(&token.unwrap(), &keys, &expected).map(|_| ())
        };
        for typ in ["logout+jwt", "application/logout+jwt", "LOGOUT+JWT", "JWT"] {
            assert_eq!(result(json!({"typ": typ})), Ok(()), "{typ}");
        }
        assert_eq!(result(json!({})), Ok(()));
        for typ in ["at+jwt", "dpop+jwt", "secevent+jwt", ""] {
            assert_eq!(result(json!({"typ": typ})), Err(Refusal::WrongType), "{typ}");
        }
    }

    proptest! {
        #[test]
        fn no_claims_make_it_panic(name in "(iss|aud|exp|iat|events|nonce|jti|sid|sub)", text in ".*", number in any::<i64>()) {
            for value in [json!(text), json!(number), json!([text]), json!({EVENT: text}), json!(null)] {
                let _ = check(&with(&name, value));
            }
        }
    }
}
