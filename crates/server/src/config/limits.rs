//! `[limits]`: how often and how long.

use schemars::JsonSchema;
use serde::Deserialize;

use super::check::Checker;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How often and how long.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    /// One-time codes by mail.
    codes: RawCodes,
    /// How long sessions and tokens live.
    lifetimes: RawLifetimes,
}

/// One-time codes by mail.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
struct RawCodes {
    /// Wait before a second code can be asked for; doubled for each further one. Default: `30s`.
    resend_after: Option<String>,
    /// How many codes one address gets in an hour. Default: `5`.
    per_address_hour: Option<i64>,
    /// How many codes one address gets in a day. Default: `10`.
    per_address_day: Option<i64>,
    /// How many codes one client address may ask for in an hour. Default: `300`.
    per_source_hour: Option<i64>,
}

/// How long things live.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
struct RawLifetimes {
    /// A sign-up or sign-in that was begun. Default: `60m`.
    journey: Option<String>,
    /// An authorization code. Default: `5m`, at most `10m`.
    authorization_code: Option<String>,
    /// An access token. Default: `60m`, at most `24h`.
    access_token: Option<String>,
    /// An ID token. Default: `60m`, at most `24h`.
    id_token: Option<String>,
    /// A refresh token that is not used. Default: `90d`.
    refresh_token: Option<String>,
    /// A refresh token of a single-page app, from the sign-in on. Default: `24h`.
    spa_refresh_token: Option<String>,
    /// A session of somebody who did not choose to stay signed in. Default: `24h`.
    session: Option<String>,
    /// A session of somebody who chose to stay signed in. Default: `90d`.
    persistent_session: Option<String>,
    /// The stages of journeys that `vestibule funnel` counts, from their beginning on. Default: `90d`.
    funnel: Option<String>,
}

/// Limits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub codes: Codes,
    pub lifetimes: Lifetimes,
}

/// Limits on one-time codes.
#[derive(Clone, Copy, Debug)]
pub struct Codes {
    pub resend_after_seconds: i64,
    pub per_address_hour: i64,
    pub per_address_day: i64,
    pub per_source_hour: i64,
}

/// Lifetimes in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    pub journey: i64,
    pub authorization_code: i64,
    pub access_token: i64,
    pub id_token: i64,
    pub refresh_token: i64,
    pub spa_refresh_token: i64,
    pub session: i64,
    pub persistent_session: i64,
    pub funnel: i64,
}

impl Raw {
    pub(super) fn check(self, checker: &mut Checker<'_>) -> Limits {
        let codes = self.codes;
        let codes = Codes {
            resend_after_seconds: checker.seconds(
                "limits.codes.resend_after",
                codes.resend_after.as_deref(),
                30,
                HOUR,
            ),
            per_address_hour: checker.count(
                "limits.codes.per_address_hour",
                codes.per_address_hour,
                5,
                (1, 1000),
            ),
            per_address_day: checker.count(
                "limits.codes.per_address_day",
                codes.per_address_day,
                10,
                (1, 10_000),
            ),
            per_source_hour: checker.count(
                "limits.codes.per_source_hour",
                codes.per_source_hour,
                300,
                (1, 10_000_000),
            ),
        };
        let mut life = |name: &str, text: Option<String>, default, most| {
            checker.seconds(&format!("limits.lifetimes.{name}"), text.as_deref(), default, most)
        };
        let raw = self.lifetimes;
        let lifetimes = Lifetimes {
            journey: life("journey", raw.journey, 60 * MINUTE, DAY),
            authorization_code: life("authorization_code", raw.authorization_code, 5 * MINUTE, 10 * MINUTE),
            access_token: life("access_token", raw.access_token, 60 * MINUTE, DAY),
            id_token: life("id_token", raw.id_token, 60 * MINUTE, DAY),
            refresh_token: life("refresh_token", raw.refresh_token, 90 * DAY, 730 * DAY),
            spa_refresh_token: life("spa_refresh_token", raw.spa_refresh_token, DAY, 30 * DAY),
            session: life("session", raw.session, DAY, 30 * DAY),
            persistent_session: life("persistent_session", raw.persistent_session, 90 * DAY, 730 * DAY),
            funnel: life("funnel", raw.funnel, 90 * DAY, 730 * DAY),
        };
        Limits { codes, lifetimes }
    }
}
