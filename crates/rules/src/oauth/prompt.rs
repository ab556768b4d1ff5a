//! Whether a person has to answer before a code is issued (OpenID Connect Core 3.1.2.1, Initiating User
//! Registration 1.0). With `prompt=none` the first check that would ask becomes the error instead.

use super::authorize::{Hint, Loaded, Served, SessionFact, Verified};
use super::error::{self, OAuthError};
use crate::time::{Span, Timestamp};

/// The values of `prompt`.
#[expect(clippy::struct_excessive_bools, reason = "a set of words that a request may combine")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Prompts {
    pub none: bool,
    pub login: bool,
    pub select_account: bool,
    pub create: bool,
}

/// What the person is asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prompt {
    SignIn,
    SignUp,
    /// The session is good; its holder has to answer something before it is used.
    CatchUp,
}

impl Prompts {
    /// Reads the parameter.
    pub fn parse(text: Option<&str>) -> Result<Self, OAuthError> {
        let mut prompts = Self::default();
        let mut others = 0;
        for word in text.unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
            others += 1;
            match word {
                "none" => prompts.none = true,
                "login" => prompts.login = true,
                "select_account" => prompts.select_account = true,
                "create" => prompts.create = true,
                // Administrators consent for everybody, so there is nothing to ask; `no_session` is how MSAL
                // says that it does not mind.
                "consent" | "no_session" => {}
                _ => return Err(error::PROMPT),
            }
        }
        if prompts.none && others > 1 { Err(error::PROMPT) } else { Ok(prompts) }
    }
}

/// A reason to ask, and what `prompt=none` turns it into.
struct Check {
    asks: fn(&Asked<'_>) -> bool,
    refusal: OAuthError,
}

struct Asked<'a> {
    verified: &'a Verified,
    prompts: Prompts,
    session: Option<SessionFact>,
    hint: Hint,
    now: Timestamp,
}

/// In order; the first that asks decides.
const CHECKS: &[Check] = &[
    Check {
        asks: |a| a.prompts.create || a.prompts.login || a.prompts.select_account,
        refusal: error::SIGN_IN_AGAIN,
    },
    Check { asks: |a| a.session.is_none(), refusal: error::NO_SESSION },
    Check { asks: is_too_old, refusal: error::SIGN_IN_AGAIN },
    // Never a silent switch to somebody else (security.md S22).
    Check { asks: |a| a.hint == Hint::OtherUser, refusal: error::NO_SESSION },
    // Last: whoever is asked for more than this signs in first, and is asked for this on the way.
    Check { asks: owes_terms, refusal: error::OWES_TERMS },
];

/// What the request and the session together ask for: nothing, a person, or an error.
pub fn decide(
    verified: &Verified,
    prompts: Prompts,
    loaded: &Loaded<'_>,
) -> Result<Option<Prompt>, OAuthError> {
    let asked = Asked { verified, prompts, session: loaded.session, hint: loaded.hint, now: loaded.now };
    match CHECKS.iter().find(|check| (check.asks)(&asked)) {
        None => Ok(None),
        Some(check) if prompts.none => Err(check.refusal),
        Some(check) if check.refusal == error::OWES_TERMS => Ok(Some(Prompt::CatchUp)),
        Some(_) => Ok(Some(begin_with(prompts, loaded.served))),
    }
}

/// Without a flow nobody can sign up, whatever the request asks for.
const fn begin_with(prompts: Prompts, served: Served) -> Prompt {
    match served {
        Served::Flow if prompts.create => Prompt::SignUp,
        Served::Flow | Served::SignInOnly | Served::Nothing => Prompt::SignIn,
    }
}

fn owes_terms(asked: &Asked<'_>) -> bool {
    asked.session.is_some_and(|session| session.owes_terms)
}

fn is_too_old(asked: &Asked<'_>) -> bool {
    let (Some(max_age), Some(session)) = (asked.verified.max_age, asked.session) else { return false };
    // `max_age=0` is `prompt=login` (OpenID Connect Core 3.1.2.1).
    max_age == 0 || asked.now.since(session.auth_time) > Span::seconds(max_age)
}

/// Reads `max_age`.
pub fn max_age(text: Option<&str>) -> Result<Option<i64>, OAuthError> {
    /// Longer than any session lives; larger numbers mean the same and would overflow.
    const LONGEST: u64 = 10 * 366 * 24 * 3600;
    let Some(text) = text else { return Ok(None) };
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(error::MAX_AGE);
    }
    let seconds = text.parse::<u64>().unwrap_or(LONGEST).min(LONGEST);
    i64::try_from(seconds).map(Some).map_err(|_| error::MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_read_and_none_stands_alone() {
        let parse = |text| Prompts::parse(Some(text));
        assert_eq!(Prompts::parse(None), Ok(Prompts::default()));
        assert_eq!(parse("login create"), Ok(Prompts { login: true, create: true, ..Prompts::default() }));
        assert_eq!(parse("consent"), Ok(Prompts::default()));
        assert_eq!(parse("none"), Ok(Prompts { none: true, ..Prompts::default() }));
        for bad in ["none login", "none consent", "Login", "everything"] {
            assert_eq!(parse(bad), Err(error::PROMPT), "{bad}");
        }
    }

    #[test]
    fn max_age_is_a_whole_number() {
        assert_eq!(max_age(None), Ok(None));
        assert_eq!(max_age(Some("0")), Ok(Some(0)));
        assert_eq!(max_age(Some("3600")), Ok(Some(3600)));
        assert!(max_age(Some("99999999999999999999999")).is_ok());
        for bad in ["-1", "1.5", "1e3", "+1", " 1", "x"] {
            assert_eq!(max_age(Some(bad)), Err(error::MAX_AGE), "{bad}");
        }
    }
}
