//! Proof Key for Code Exchange (RFC 7636), `S256` only: `plain` protects against nobody who can read the
//! authorization request (security.md S25). Hashing is not done here; the challenge of a verifier comes in
//! as a value.

use super::error::{self, OAuthError};
use super::params::Params;

/// Base64url of a SHA-256.
const CHALLENGE_LENGTH: usize = 43;

/// The challenge of an authorization request. `required` says whether the client may do without one.
pub fn challenge(params: &Params, required: bool) -> Result<Option<String>, OAuthError> {
    let Some(challenge) = params.get("code_challenge")? else {
        // A method without a challenge is a client that believes itself protected.
        return match params.get("code_challenge_method")? {
            None if !required => Ok(None),
            None | Some(_) => Err(error::CHALLENGE_REQUIRED),
        };
    };
    // RFC 7636 §4.3: an absent method means `plain`.
    if params.get("code_challenge_method")? != Some("S256") {
        return Err(error::CHALLENGE_METHOD);
    }
    let good = challenge.len() == CHALLENGE_LENGTH
        && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if good { Ok(Some(challenge.to_owned())) } else { Err(error::CHALLENGE_SIZE) }
}

/// Whether a verifier has the form of RFC 7636 §4.1.
pub fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

/// What the token endpoint was shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// No verifier.
    Nothing,
    /// A verifier of the wrong form.
    Malformed,
    /// The `S256` challenge of the verifier.
    Challenge(String),
}

/// Compares what the code is bound to with what was shown.
pub fn verify(bound: Option<&str>, shown: &Shown) -> Result<(), OAuthError> {
    match (bound, shown) {
        (None, Shown::Nothing) => Ok(()),
        // Both are hashes: how long a comparison takes tells nothing about a verifier.
        (Some(bound), Shown::Challenge(shown)) if bound == shown => Ok(()),
        // S26 and, for a verifier without a challenge, the downgrade of S27.
        (None | Some(_), Shown::Nothing | Shown::Malformed | Shown::Challenge(_)) => {
            Err(error::VERIFIER_MISMATCH)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn asked(text: &str, required: bool) -> Result<Option<String>, OAuthError> {
        challenge(&Params::decode(text), required)
    }

    #[test]
    fn only_s256_is_accepted() {
        // S24, S25
        assert_eq!(asked("", false), Ok(None));
        assert_eq!(asked("", true), Err(error::CHALLENGE_REQUIRED));
        assert_eq!(asked("code_challenge_method=S256", false), Err(error::CHALLENGE_REQUIRED));
        let good = format!("code_challenge={GOOD}");
        assert_eq!(asked(&format!("{good}&code_challenge_method=S256"), true), Ok(Some(GOOD.to_owned())));
        for method in ["", "&code_challenge_method=plain", "&code_challenge_method=s256"] {
            assert_eq!(asked(&format!("{good}{method}"), false), Err(error::CHALLENGE_METHOD), "{method}");
        }
        for bad in [&GOOD[1..], &format!("{GOOD}x"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw=cM"] {
            let text = format!("code_challenge={bad}&code_challenge_method=S256");
            assert_eq!(asked(&text, true), Err(error::CHALLENGE_SIZE), "{bad}");
        }
    }

    #[test]
    fn a_verifier_must_fit_and_may_not_be_left_out_or_added() {
        // S26, S27
        let shown = |text: &str| Shown::Challenge(text.to_owned());
        assert_eq!(verify(None, &Shown::Nothing), Ok(()));
        assert_eq!(verify(Some("c"), &shown("c")), Ok(()));
        for (bound, shown) in [
            (Some("c"), Shown::Nothing),
            (Some("c"), Shown::Malformed),
            (Some("c"), shown("d")),
            (None, shown("c")),
            (None, Shown::Malformed),
        ] {
            assert_eq!(verify(bound, &shown), Err(error::VERIFIER_MISMATCH));
        }
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        assert!(is_verifier(&"a".repeat(43)) && is_verifier(&"-._~Az09".repeat(16)));
        assert!(!is_verifier(&"a".repeat(42)) && !is_verifier(&"a".repeat(129)));
        assert!(!is_verifier(&"ä".repeat(43)) && !is_verifier(&" ".repeat(43)));
    }
}
