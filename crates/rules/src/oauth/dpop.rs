//! What a proof of possession has to say, and what is bound to its key (RFC 9449). Signatures are verified elsewhere.

use url::Url;

use crate::directory::application::Platform;
use crate::time::{Span, Timestamp};

/// How old a proof may be.
const MOST_AGE: Span = Span::minutes(5);
/// How far the clock of a client may be ahead of ours.
const MOST_AHEAD: Span = Span::seconds(60);

/// Whether a proof of `issued_at`, in seconds, is of now (RFC 9449 §11.1).
pub fn is_of_now(issued_at: i64, now: Timestamp) -> bool {
    // A number that no clock shows must not overflow.
    let age = now.seconds().checked_sub(issued_at);
    age.is_some_and(|age| (-MOST_AHEAD.as_seconds()..=MOST_AGE.as_seconds()).contains(&age))
}

/// How long after `now` a proof may still be shown: until then it is remembered that it was.
pub fn remembered_until(now: Timestamp) -> Timestamp {
    now + MOST_AHEAD + MOST_AGE
}

/// Whether both addresses have the same scheme, host, port and path (RFC 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3).
pub fn is_same_target(shown: &str, url: &str) -> bool {
    let shown = without_query(shown);
    shown.is_some() && shown == without_query(url)
}

fn without_query(url: &str) -> Option<String> {
    let mut url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.into())
}

/// Whether refresh tokens of the platform are bound to the key that was proven when they were given: those of apps
/// that prove themselves at every refresh are not (RFC 9449 §5).
pub const fn binds_refresh_tokens(platform: Platform) -> bool {
    match platform {
        Platform::Web => false,
        Platform::Spa | Platform::PublicClient => true,
    }
}

/// Whether a DPoP proof of the platform has to hold a nonce of this server. A proof that a script in somebody's page
/// made in advance is the danger, and only an app in a browser or on a device has pages or stores to make it in
/// (RFC 9449 §11.2).
pub const fn needs_nonce(platform: Option<Platform>) -> bool {
    match platform {
        Some(Platform::Web) | None => false,
        Some(Platform::Spa | Platform::PublicClient) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_however_it_is_spelled() {
        // S78
        let url = "https://a.example/t/oauth2/v2.0/token?x=1";
        for same in ["https://a.example/t/oauth2/v2.0/token", "HTTPS://A.example:443/t/oauth2/v2.0/token?q#f"]
        {
            assert!(is_same_target(same, url), "{same}");
        }
        for other in [
            "http://a.example/t/oauth2/v2.0/token",
            "https://b.example/t/oauth2/v2.0/token",
            "https://a.example:8443/t/oauth2/v2.0/token",
            "https://x@a.example/t/oauth2/v2.0/token",
            "https://a.example/t/oauth2/v2.0/token/",
            "https://a.example/T/oauth2/v2.0/token",
            "/t/oauth2/v2.0/token",
            "urn:a",
            "",
        ] {
            assert!(!is_same_target(other, url), "{other}");
        }
        assert!(!is_same_target("", ""));
    }

    #[test]
    fn a_proof_is_of_now_or_nothing() {
        // S78
        let now = Timestamp::from_seconds(10_000);
        for (at, good) in [
            (10_000, true),
            (9_990, true),
            (10_010, true),
            (9_700, true),
            (9_699, false),
            (10_060, true),
            (10_061, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            assert_eq!(is_of_now(at, now), good, "{at}");
            if good {
                assert!(!is_of_now(at, remembered_until(now) + Span::seconds(1)), "{at}");
            }
        }
    }
}
