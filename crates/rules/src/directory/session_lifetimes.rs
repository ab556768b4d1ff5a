//! How long sessions of a tenant last. The doc comments are those of the file's schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::length;
use crate::time::{Span, Timestamp};

/// How long people of the tenant stay signed in. What is left out is as the server is configured
/// (`limits.lifetimes`).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SessionLifetimes {
    /// The session of somebody who did not choose to stay signed in, from signing in on, such as `12h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute: Option<String>,
    /// The same when no app asks for it meanwhile, such as `30m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<String>,
    /// The session of somebody who chose to stay signed in, from signing in on, such as `30d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_absolute: Option<String>,
    /// The same when no app asks for it meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_idle: Option<String>,
}

/// The longest that any of them may be.
pub const LONGEST: Span = Span::days(730);

/// Reads `30s`, `10m`, `24h` or `90d`; `None` when `text` is anything else, or longer than [`LONGEST`].
pub fn parse(text: &str) -> Option<Span> {
    let seconds = length::parse(text).filter(|_| text.starts_with(|first: char| first.is_ascii_digit()))?;
    (seconds <= LONGEST.as_seconds()).then(|| Span::seconds(seconds))
}

/// The two ends of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lifetime {
    /// From the sign-in on.
    pub absolute: Span,
    /// From the last use on.
    pub idle: Span,
}

impl Lifetime {
    /// When a session is over that began with a sign-in at `auth_time` and was used last at `seen_at`.
    pub fn ends_at(self, auth_time: Timestamp, seen_at: Timestamp) -> Timestamp {
        (auth_time + self.absolute).min(seen_at + self.idle)
    }
}

impl SessionLifetimes {
    /// Every length by its key.
    pub fn all(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("absolute", self.absolute.as_deref()),
            ("idle", self.idle.as_deref()),
            ("persistentAbsolute", self.persistent_absolute.as_deref()),
            ("persistentIdle", self.persistent_idle.as_deref()),
        ]
    }

    /// The lifetime of a session; `usual` is how long one lasts where the tenant says nothing.
    pub fn of(&self, persistent: bool, usual: Span) -> Lifetime {
        let (absolute, idle) = if persistent {
            (&self.persistent_absolute, &self.persistent_idle)
        } else {
            (&self.absolute, &self.idle)
        };
        let read = |text: &Option<String>| text.as_deref().and_then(parse);
        let absolute = read(absolute).unwrap_or(usual);
        Lifetime { absolute, idle: read(idle).unwrap_or(absolute) }
    }

    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_a_number_and_a_unit() {
        assert_eq!(parse("30s"), Some(Span::seconds(30)));
        assert_eq!(parse("90d"), Some(Span::days(90)));
        for bad in ["", "30", "s", "-5m", "+5m", "0h", "1w", "731d", "9223372036854775807d"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_session_ends_when_it_is_idle_or_old_whichever_is_first() {
        // A42
        let text = |text: &str| Some(text.to_owned());
        let lifetimes = SessionLifetimes { absolute: text("8h"), idle: text("30m"), ..Default::default() };
        let begun = Timestamp::from_seconds(1_000);
        let short = lifetimes.of(false, Span::hours(24));
        assert_eq!(short.ends_at(begun, begun), begun + Span::minutes(30));
        assert_eq!(short.ends_at(begun, begun + Span::minutes(470)), begun + Span::hours(8));
        let long = lifetimes.of(true, Span::days(90));
        assert_eq!(long, Lifetime { absolute: Span::days(90), idle: Span::days(90) });
    }
}
