//! Instants and spans as values. Nothing here reads a clock.

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A length of time in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub i64);

impl Span {
    pub const fn seconds(n: i64) -> Self {
        Self(n * 1_000_000)
    }

    pub const fn minutes(n: i64) -> Self {
        Self::seconds(n * 60)
    }

    pub const fn hours(n: i64) -> Self {
        Self::minutes(n * 60)
    }

    pub const fn days(n: i64) -> Self {
        Self::hours(n * 24)
    }

    /// Whole seconds, rounded up: what a person or a `Retry-After` header is told to wait.
    pub const fn as_seconds_ceil(self) -> i64 {
        (self.0 + 999_999).div_euclid(1_000_000)
    }

    /// Whole seconds, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

impl Timestamp {
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Whole seconds since the epoch, as `iat` and `exp` carry them.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The time from `earlier` to `self`; negative when `self` is first.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The day in UTC.
    pub(crate) fn date(self) -> time::Date {
        time::OffsetDateTime::from_unix_timestamp(self.seconds())
            .map_or(time::Date::MIN, time::OffsetDateTime::date)
    }

    /// RFC 3339 with seconds in UTC, such as `2026-11-24T02:25:36Z`.
    pub fn rfc3339(self) -> String {
        self.format(time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"))
    }

    /// The form of the error envelope, `2026-11-24 02:25:36Z` (native-auth-and-msal.md 4.5).
    pub fn error_envelope(self) -> String {
        self.format(time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z"))
    }

    /// Reads RFC 3339; `None` when `text` is anything else.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000).ok().map(Self)
    }

    fn format(self, layout: &[time::format_description::BorrowedFormatItem<'_>]) -> String {
        time::OffsetDateTime::from_unix_timestamp(self.seconds())
            .ok()
            .and_then(|at| at.format(layout).ok())
            .unwrap_or_else(|| self.0.to_string())
    }
}

impl std::ops::Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl std::ops::Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}
