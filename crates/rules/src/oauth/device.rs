//! The device authorization grant (RFC 8628): the code that a device shows, which applications may use it, and what a
//! device is told that asks whether somebody has signed in.
//!
//! Clients come in two forms. MSAL for Node sends `grant_type=device_code` and gives up at any answer but
//! `authorization_pending`; everybody else sends the name of RFC 8628 and is told to slow down when it asks too often
//! (native-auth-and-msal.md R23, R32).

use super::error::{self, OAuthError};
use super::token::Refused;
use crate::directory::application::{Application, Platform};
use crate::ids::ClientId;
use crate::time::{Span, Timestamp};

/// For how long a code waits.
pub const LIFETIME: Span = Span::minutes(15);

/// How long a device waits between two questions, and by how much longer after each that came too soon (RFC 8628 §3.5).
pub const INTERVAL: Span = Span::seconds(5);

/// A question that is early by less than this was held up or hurried by the network, not by the device.
const JITTER: Span = Span::seconds(1);

/// Wrong codes that one source may type in an hour.
pub const WRONG_OF_SOURCE: (Span, i64) = (Span::hours(1), 10);

/// Wrong codes that a tenant takes in a day. Of 20⁸ codes somebody who may try 2,000 finds a given one once in
/// 12.8 million days; even with twelve devices waiting at every moment it stays below 10⁻⁶ a day (security.md S92).
pub const WRONG_OF_TENANT: (Span, i64) = (Span::days(1), 2_000);

/// Codes that one source may ask for in an hour: a row is written for each.
pub const CODES_OF_SOURCE: (Span, i64) = (Span::hours(1), 300);

/// Consonants that cannot be taken for each other and make no words (RFC 8628 §6.1).
const LETTERS: [char; 20] =
    ['B', 'C', 'D', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Z'];
const LENGTH: usize = 8;
const HALF: usize = LENGTH / 2;

/// What a person types: eight letters, 34 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// Draws a code. Of 128 random bits the remainder favours no code by more than 10⁻²⁷.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        let mut number = u128::from_be_bytes(bytes);
        let letters = (0..LENGTH).filter_map(|_| {
            let place = usize::try_from(number % 20).ok();
            number /= 20;
            place.and_then(|place| LETTERS.get(place))
        });
        Self(letters.collect())
    }

    /// Reads what somebody typed, in any letter case, with or without dash and spaces. `None` is no code at all.
    pub fn read(typed: &str) -> Option<Self> {
        let spacing =
            |c: &char| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}' | '.' | '_');
        let code: String = typed.chars().filter(spacing).take(LENGTH + 1).collect::<String>().to_uppercase();
        let good = code.chars().count() == LENGTH && code.chars().all(|c| LETTERS.contains(&c));
        good.then_some(Self(code))
    }

    /// The letters, for its digest.
    pub fn letters(&self) -> &str {
        &self.0
    }

    /// As a device shows it.
    pub fn shown(&self) -> String {
        let (first, second) = self.0.split_at_checked(HALF).unwrap_or((&self.0, ""));
        format!("{first}-{second}")
    }
}

/// The platform whose rules an application follows with this grant: those of an installed app, or those of a web app,
/// which proves itself. An error when it may not use the grant.
pub const fn platform<P>(application: &Application<P>) -> Result<Platform, OAuthError> {
    if application.is_fallback_public_client {
        Ok(Platform::PublicClient)
    } else if application.settings.device_code {
        Ok(Platform::Web)
    } else {
        Err(error::DEVICE_FLOW)
    }
}

/// How a device asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `device_code`: MSAL for Node.
    Msal,
    /// `urn:ietf:params:oauth:grant-type:device_code`.
    Standard,
}

/// How far a code has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Nobody has decided yet.
    Waiting,
    /// Somebody signed in and agreed.
    Approved,
    Declined,
    /// The device has its tokens.
    Redeemed,
}

impl Status {
    /// The name in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Redeemed => "redeemed",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Approved, Self::Declined, Self::Redeemed]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// A device code as it was found.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    pub client: ClientId,
    pub issuer: &'a str,
    pub status: Status,
    pub expires_at: Timestamp,
    /// What came of it was taken back: somebody signed out, for example.
    pub revoked: bool,
    /// When the device asked last.
    pub polled_at: Option<Timestamp>,
    pub interval: Span,
}

/// A device's question.
#[derive(Clone, Copy, Debug)]
pub struct Polling<'a> {
    pub client: ClientId,
    pub issuer: &'a str,
    pub form: Form,
    pub now: Timestamp,
}

/// Whether the device gets its tokens now, and otherwise what it is told (RFC 8628 §3.5).
///
/// A code that is shown once more after the device has its tokens has leaked, as an authorization code would have
/// (RFC 9700 §2.1.1).
pub fn poll(code: &Waiting<'_>, asks: &Polling<'_>) -> Result<(), Refused> {
    if code.client != asks.client || code.issuer != asks.issuer {
        return Err(Refused::Keep(error::DEVICE_CODE));
    }
    let expired = asks.now >= code.expires_at;
    match code.status {
        Status::Redeemed => Err(Refused::Revoke(error::DEVICE_REDEEMED)),
        Status::Declined => Err(Refused::Keep(error::DEVICE_DECLINED)),
        Status::Waiting | Status::Approved if expired => Err(Refused::Keep(error::DEVICE_EXPIRED)),
        Status::Waiting if asks.form == Form::Standard && is_too_soon(code, asks.now) => {
            Err(Refused::Keep(error::DEVICE_SLOW_DOWN))
        }
        Status::Waiting => Err(Refused::Keep(error::DEVICE_PENDING)),
        Status::Approved if code.revoked => Err(Refused::Keep(error::DEVICE_REVOKED)),
        Status::Approved => Ok(()),
    }
}

fn is_too_soon(code: &Waiting<'_>, now: Timestamp) -> bool {
    code.polled_at.is_some_and(|last| now.since(last).0 + JITTER.0 < code.interval.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::application;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn code(status: Status) -> Waiting<'static> {
        Waiting {
            client: ClientId::from_random([2; 16]),
            issuer: "https://i",
            status,
            expires_at: NOW + Span::seconds(1),
            revoked: false,
            polled_at: None,
            interval: INTERVAL,
        }
    }

    fn asks(form: Form) -> Polling<'static> {
        Polling { client: ClientId::from_random([2; 16]), issuer: "https://i", form, now: NOW }
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = UserCode::from_random([9; 16]);
        let shown = code.shown();
        assert_eq!(shown.len(), 9);
        for typed in [
            shown.clone(),
            shown.to_lowercase(),
            shown.replace('-', ""),
            format!(" {} ", shown.replace('-', " – ")),
        ] {
            assert!(UserCode::read(&typed) == Some(code.clone()), "{typed}");
        }
        for bad in ["", "BCDF", "BCDFGHJKL", "BCDF-GHJA", "BCDF-GHJ1", "BCDF-GHJK\0", "ßßßßßßßß"] {
            assert!(UserCode::read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn every_letter_is_drawn_about_as_often() {
        let mut counts = std::collections::BTreeMap::new();
        for n in 0_u128..2_000 {
            let bytes = n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes();
            for letter in UserCode::from_random(bytes).letters().chars() {
                *counts.entry(letter).or_insert(0) += 1;
            }
        }
        assert_eq!(counts.len(), 20);
        assert!(counts.values().all(|count| (700..900).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_guess_is_right_less_than_once_in_a_million_days() {
        // S92
        let codes = 20_i64.pow(8);
        assert!(codes >= 1 << 20);
        assert!(WRONG_OF_TENANT.1 * 12 * 1_000_000 <= codes);
    }

    #[test]
    fn an_app_is_let_use_the_grant() {
        let mut app = application();
        assert_eq!(platform(&app), Err(error::DEVICE_FLOW));
        app.settings.device_code = true;
        assert_eq!(platform(&app), Ok(Platform::Web));
        app.is_fallback_public_client = true;
        assert_eq!(platform(&app), Ok(Platform::PublicClient));
    }

    #[test]
    fn a_device_is_told_how_far_it_is() {
        // R23, R32
        let keep = |error| Err(Refused::Keep(error));
        for form in [Form::Msal, Form::Standard] {
            assert_eq!(poll(&code(Status::Waiting), &asks(form)), keep(error::DEVICE_PENDING));
            assert_eq!(poll(&code(Status::Declined), &asks(form)), keep(error::DEVICE_DECLINED));
            assert_eq!(poll(&code(Status::Approved), &asks(form)), Ok(()));
            let revoked = Waiting { revoked: true, ..code(Status::Approved) };
            assert_eq!(poll(&revoked, &asks(form)), keep(error::DEVICE_REVOKED));
            let twice = Err(Refused::Revoke(error::DEVICE_REDEEMED));
            assert_eq!(poll(&code(Status::Redeemed), &asks(form)), twice);
            for status in [Status::Waiting, Status::Approved] {
                let over = Waiting { expires_at: NOW, ..code(status) };
                assert_eq!(poll(&over, &asks(form)), keep(error::DEVICE_EXPIRED));
                let other = Polling { client: ClientId::from_random([3; 16]), ..asks(form) };
                assert_eq!(poll(&code(status), &other), keep(error::DEVICE_CODE));
                let elsewhere = Polling { issuer: "https://j", ..asks(form) };
                assert_eq!(poll(&code(status), &elsewhere), keep(error::DEVICE_CODE));
            }
        }
    }

    #[test]
    fn only_the_standard_form_is_told_to_slow_down() {
        // R23
        let at =
            |seconds: i64| Waiting { polled_at: Some(NOW - Span::seconds(seconds)), ..code(Status::Waiting) };
        assert_eq!(poll(&at(1), &asks(Form::Msal)), Err(Refused::Keep(error::DEVICE_PENDING)));
        assert_eq!(poll(&at(1), &asks(Form::Standard)), Err(Refused::Keep(error::DEVICE_SLOW_DOWN)));
        for seconds in [4, 5] {
            assert_eq!(poll(&at(seconds), &asks(Form::Standard)), Err(Refused::Keep(error::DEVICE_PENDING)));
        }
    }

    #[test]
    fn a_status_survives_being_stored() {
        for status in [Status::Waiting, Status::Approved, Status::Declined, Status::Redeemed] {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(Status::parse("other"), None);
    }
}
