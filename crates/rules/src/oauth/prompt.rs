//! Whether a person has to answer before a code is issued (OpenID Connect Core 3.1.2.1, Initiating User
//! Registration 1.0). With `prompt=none` the first check that would ask becomes the error instead.

use super::authorize::{Loaded, Served, SessionFact, Verified};
use super::consent::{self, Held, Standing};
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
    pub consent: bool,
}

/// What the person is asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prompt {
    SignIn,
    SignUp,
    /// Several accounts are signed in, or the request wants its person to say which one it is.
    Choose,
    /// The session is good; its holder has to answer something before it is used.
    CatchUp,
    /// The session is good; its holder has to agree to what the application asks for.
    Consent,
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
                "consent" => prompts.consent = true,
                // This is how MSAL says that it does not mind.
                "no_session" => {}
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
    leads: Leads,
}

/// Where a check leads when a page may be shown.
#[derive(Clone, Copy)]
enum Leads {
    Begin,
    Choose,
    CatchUp,
    Consent,
}

struct Asked<'a> {
    verified: &'a Verified,
    prompts: Prompts,
    choose: bool,
    session: Option<SessionFact>,
    consent: &'a Standing,
    now: Timestamp,
}

/// In order; the first that asks decides.
const CHECKS: &[Check] = &[
    Check {
        asks: |a| a.prompts.create || a.prompts.login,
        refusal: error::SIGN_IN_AGAIN,
        leads: Leads::Begin,
    },
    Check { asks: |a| a.choose, refusal: error::SIGN_IN_AGAIN, leads: Leads::Choose },
    // Whoever a hint names and is not here, is nobody: never a silent switch to somebody else (security.md S22).
    Check { asks: |a| a.session.is_none(), refusal: error::NO_SESSION, leads: Leads::Begin },
    // It is somebody else than the request is about, or is not as sure as it has to be.
    Check { asks: falls_short, refusal: error::SIGN_IN_AGAIN, leads: Leads::Begin },
    Check { asks: is_too_old, refusal: error::SIGN_IN_AGAIN, leads: Leads::Begin },
    // Whoever is asked for more than what follows signs in first, and is asked for this on the way.
    Check { asks: owes_terms, refusal: error::OWES_TERMS, leads: Leads::CatchUp },
    Check {
        asks: |a| matches!(a.consent, Standing::NeedsAdmin(_)),
        refusal: error::ADMIN_CONSENT,
        leads: Leads::Consent,
    },
    Check { asks: |a| matches!(a.consent, Standing::Ask(_)), refusal: error::CONSENT, leads: Leads::Consent },
];

/// What the request and the session together ask for: nothing, a person, or an error.
pub fn decide(
    verified: &Verified,
    prompts: Prompts,
    loaded: &Loaded<'_>,
) -> Result<Option<Prompt>, OAuthError> {
    let consent = standing(verified, loaded.held, loaded);
    let asked = Asked {
        verified,
        prompts,
        choose: loaded.choose,
        session: loaded.session,
        consent: &consent,
        now: loaded.now,
    };
    let Some(check) = CHECKS.iter().find(|check| (check.asks)(&asked)) else { return Ok(None) };
    if prompts.none {
        return Err(check.refusal);
    }
    Ok(Some(match check.leads {
        Leads::Begin => begin_with(prompts, loaded.served),
        Leads::Choose => Prompt::Choose,
        Leads::CatchUp => Prompt::CatchUp,
        Leads::Consent => Prompt::Consent,
    }))
}

/// Whether somebody has to agree to a request whose client is there.
fn standing(verified: &Verified, held: &Held, loaded: &Loaded<'_>) -> Standing {
    let asked = (held, verified.asks_consent);
    loaded
        .application
        .map_or(Standing::Given, |app| consent::judge(app, &verified.asked(), loaded.applications, asked))
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

fn falls_short(asked: &Asked<'_>) -> bool {
    asked.session.is_some_and(|session| !session.meets_demands)
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
        assert_eq!(parse("consent no_session"), Ok(Prompts { consent: true, ..Prompts::default() }));
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
