//! Which registered redirect address a request means (RFC 9700 §2.1, RFC 8252 §7.3).
//!
//! Addresses are compared as the texts that they are: parsing, decoding or normalising before the comparison
//! is how look-alikes get through. The one exception is the port of a loopback address of an installed app,
//! and it too is found in the text.

use url::Url;

use super::error::{self, OAuthError};
use crate::directory::application::{Application, Platform};
use crate::fault::{Fault, Kind};
use crate::text::Message;

/// Hosts whose port an installed app chooses at run time (native-auth-and-msal.md 4.6).
const LOOPBACKS: [&str; 3] = ["http://localhost", "http://127.0.0.1", "http://[::1]"];

/// The redirect address of a request and the platform that it is registered under.
pub fn find<P>(application: &Application<P>, given: Option<&str>) -> Result<(Platform, String), Fault> {
    let mut registered = application.redirect_uris();
    let Some(first) = registered.next() else {
        return Err(refused(&error::REDIRECT_UNREGISTERED, "redirect-unregistered"));
    };
    let Some(given) = given else {
        // RFC 6749 §3.1.2.3: it may be left out when there is only one that could be meant.
        return match registered.next() {
            None => Ok((first.0, first.1.to_owned())),
            Some(_) => Err(refused(&error::MISSING_PARAMETER, "redirect-missing")),
        };
    };
    if Url::parse(given).is_err() {
        return Err(refused(&error::REDIRECT_MALFORMED, "redirect-malformed"));
    }
    application
        .redirect_uris()
        .find(|(platform, uri)| matches(*platform, uri, given))
        .map(|(platform, _)| (platform, given.to_owned()))
        .ok_or_else(|| refused(&error::REDIRECT_UNKNOWN, "redirect-mismatch"))
}

/// Whether `given` is the address `registered`.
pub fn matches(platform: Platform, registered: &str, given: &str) -> bool {
    if !is_plain(given) {
        return false;
    }
    match platform {
        Platform::Web | Platform::Spa => registered == given,
        Platform::PublicClient => registered == given || is_same_loopback(registered, given),
    }
}

/// No registered address has any of these; a request that has one is an attack whatever else it matches.
fn is_plain(given: &str) -> bool {
    given.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '#' | '\\'))
}

fn is_same_loopback(registered: &str, given: &str) -> bool {
    match (loopback(registered), loopback(given)) {
        (Some((host, path)), Some((other_host, other_path))) => {
            // `http://localhost` and `http://localhost/` are one address (RFC 3986 §6.2.3), and MSAL sends
            // the first with a port of its own.
            host == other_host && (path == other_path || (is_root(path) && is_root(other_path)))
        }
        (None, _) | (_, None) => false,
    }
}

fn is_root(path: &str) -> bool {
    matches!(path, "" | "/")
}

/// Splits a loopback address into host, with its port dropped, and what follows.
fn loopback(uri: &str) -> Option<(&'static str, &str)> {
    let (host, rest) = LOOPBACKS.iter().find_map(|host| uri.strip_prefix(host).map(|rest| (*host, rest)))?;
    let rest = match rest.strip_prefix(':') {
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (port, rest) = rest.split_at(end);
            port.parse::<u16>().ok().filter(|port| *port != 0)?;
            rest
        }
        None => rest,
    };
    // What follows must not go on with the host: `http://localhost.evil.example`, `http://localhost@evil`.
    (rest.is_empty() || rest.starts_with('/') || rest.starts_with('?')).then_some((host, rest))
}

fn refused(error: &OAuthError, hint: &str) -> Fault {
    Fault::new(Kind::Malformed, error.description)
        .about("redirect_uri")
        .code(error.number)
        .hint(Message::new(hint))
}

#[cfg(test)]
#[path = "redirect_tests.rs"]
mod tests;
