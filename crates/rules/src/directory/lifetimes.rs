//! How long tokens live: what an application says, else what its tenant says, else what the operator says.
//!
//! Whoever shortens is always heard: an access token lives no longer than both the application that holds it and the
//! API that takes it allow. The end of a grant is fixed when it begins, and no rotation moves it (security.md S76).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Span;

/// How long tokens live. What is left out follows from the tenant's `tokens.lifetimes`, and what is left out there from
/// the server's `limits.lifetimes`. A length is a number and `s`, `m`, `h` or `d`, such as `30m`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Lifetimes {
    /// An access token: `1m` to `24h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<Length>,
    /// An ID token: `1m` to `24h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<Length>,
    /// A refresh token that is not used: `10m` to `365d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Length>,
    /// All refresh tokens of one sign-in together, however often they are used: `10m` to `365d`. Those of a
    /// single-page app live a day at most, whatever stands here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_absolute: Option<Length>,
}

/// A length of time as it is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Length(pub String);

impl Length {
    /// What it says; `None` when it says nothing that can be read.
    pub fn span(&self) -> Option<Span> {
        let unit = self.0.chars().last()?;
        let digits = self.0.strip_suffix(unit)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: i64 = digits.parse().ok().filter(|number| (1..=1_000_000).contains(number))?;
        match unit {
            's' => Some(Span::seconds(number)),
            'm' => Some(Span::minutes(number)),
            'h' => Some(Span::hours(number)),
            'd' => Some(Span::days(number)),
            _ => None,
        }
    }
}

/// The least and the most that may be written, under its key.
pub type Bound = (&'static str, (&'static str, Span), (&'static str, Span));

const SHORT: [(&str, Span); 2] = [("1m", Span::minutes(1)), ("24h", Span::hours(24))];
const LONG: [(&str, Span); 2] = [("10m", Span::minutes(10)), ("365d", Span::days(365))];

impl Lifetimes {
    /// What is written, with its bounds.
    pub fn written(&self) -> impl Iterator<Item = (Bound, &Length)> {
        let [least, most] = SHORT;
        let [least_long, most_long] = LONG;
        [
            (("accessToken", least, most), &self.access_token),
            (("idToken", least, most), &self.id_token),
            (("refreshToken", least_long, most_long), &self.refresh_token),
            (("refreshTokenAbsolute", least_long, most_long), &self.refresh_token_absolute),
        ]
        .into_iter()
        .filter_map(|(bound, length)| Some((bound, length.as_ref()?)))
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How long the tokens of one grant live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lives {
    pub access_token: Span,
    pub id_token: Span,
    /// From one use of a refresh token to the next.
    pub idle: Span,
    /// From the beginning of the grant to its end.
    pub absolute: Span,
}

impl Lives {
    /// What holds for an application of a tenant; the operator's values are in `self`.
    #[must_use]
    pub fn within(self, tenant: &Lifetimes, application: &Lifetimes) -> Self {
        let pick = |of: fn(&Lifetimes) -> &Option<Length>, usual: Span| {
            let said = |lifetimes| of(lifetimes).as_ref().and_then(Length::span);
            said(application).or_else(|| said(tenant)).unwrap_or(usual)
        };
        Self {
            access_token: pick(|l| &l.access_token, self.access_token),
            id_token: pick(|l| &l.id_token, self.id_token),
            idle: pick(|l| &l.refresh_token, self.idle),
            absolute: pick(|l| &l.refresh_token_absolute, self.absolute),
        }
    }

    /// How long an access token of the application `client` for the API `resource` lives: what either of them says,
    /// and the shorter of the two when both say something. `self` is [`Self::within`] of neither.
    pub fn access_token(self, client: &Lifetimes, resource: Option<&Lifetimes>) -> Span {
        let said = |lifetimes: &Lifetimes| lifetimes.access_token.as_ref().and_then(Length::span);
        let both = [said(client), resource.and_then(said)];
        both.into_iter().flatten().min().unwrap_or(self.access_token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Lives = Lives {
        access_token: Span::minutes(60),
        id_token: Span::minutes(60),
        idle: Span::days(90),
        absolute: Span::days(365),
    };

    fn lives(text: &str) -> Lifetimes {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_length_is_a_number_and_a_unit() {
        let span = |text: &str| Length(text.to_owned()).span();
        assert_eq!(span("90s"), Some(Span::seconds(90)));
        assert_eq!(span("7d"), Some(Span::days(7)));
        for bad in ["", "m", "5", "0m", "-5m", "+5m", "5 m", "5w", "5ü", "9999999d", "1e3s"] {
            assert_eq!(span(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_application_is_heard_before_the_tenant_and_the_tenant_before_the_operator() {
        let tenant = lives(r#"{"accessToken": "30m", "refreshToken": "14d"}"#);
        let app = lives(r#"{"accessToken": "10m", "refreshTokenAbsolute": "30d"}"#);
        let found = USUAL.within(&tenant, &app);
        assert_eq!((found.access_token, found.id_token), (Span::minutes(10), Span::minutes(60)));
        assert_eq!((found.idle, found.absolute), (Span::days(14), Span::days(30)));
    }

    #[test]
    fn an_access_token_lives_as_long_as_both_sides_allow() {
        let (short, long, silent) =
            (lives(r#"{"accessToken": "5m"}"#), lives(r#"{"accessToken": "2h"}"#), Lifetimes::default());
        assert_eq!(USUAL.access_token(&long, Some(&short)), Span::minutes(5));
        assert_eq!(USUAL.access_token(&short, Some(&long)), Span::minutes(5));
        assert_eq!(USUAL.access_token(&long, Some(&silent)), Span::hours(2));
        assert_eq!(USUAL.access_token(&silent, Some(&short)), Span::minutes(5));
        assert_eq!(USUAL.access_token(&silent, None), Span::minutes(60));
    }
}
