//! How long tokens may live.

use super::{Findings, Place};
use crate::directory::lifetimes::{Length, Lifetimes};

pub(super) fn check(lifetimes: &Lifetimes, at: &Place, found: &mut Findings) {
    for ((key, least, most), length) in lifetimes.written() {
        let at = at.key(key);
        match length.span() {
            None => {
                let text = format!("“{}” is not a length of time such as 30m, 12h or 7d", length.0);
                found.add(&at, "S76", text);
            }
            Some(span) if span < least.1 || span > most.1 => {
                let text = format!("“{}” is not between {} and {}", length.0, least.0, most.0);
                found.add(&at, "S76", text);
            }
            Some(_) => {}
        }
    }
    let span = |length: &Option<Length>| length.as_ref().and_then(Length::span);
    if let (Some(idle), Some(absolute)) =
        (span(&lifetimes.refresh_token), span(&lifetimes.refresh_token_absolute))
        && idle > absolute
    {
        found.add(
            &at.key("refreshToken"),
            "S76",
            "it is longer than refreshTokenAbsolute, after which the grant has ended",
        );
    }
}
