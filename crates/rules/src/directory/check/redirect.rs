//! Which addresses an application may register (security.md S2 to S5, native-auth-and-msal.md 4.6). What is
//! registered here is later matched exactly, so anything that could widen a match is refused now.

use url::{Host, Url};

use crate::directory::application::Platform;

/// Longest redirect address under `compatibility: strict`.
const LONGEST_STRICT: usize = 256;
/// Longest redirect address otherwise; browsers and proxies do not carry more.
const LONGEST: usize = 2048;

/// The requirement that an address breaks, and how.
pub(super) type Refusal = (&'static str, String);

/// Whether `uri` may be registered under the platform.
pub(super) fn problem(uri: &str, platform: Platform, strict: bool) -> Option<Refusal> {
    let longest = if strict { LONGEST_STRICT } else { LONGEST };
    if uri.len() > longest {
        return Some(("4.6", format!("a redirect address has at most {longest} characters")));
    }
    if uri.contains('*') {
        return Some(("S2", format!("“{uri}” contains a wildcard; write every address out")));
    }
    if uri.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Some(("S1", format!("“{}” contains white space or a backslash", uri.escape_debug())));
    }
    let Ok(url) = Url::parse(uri) else {
        return Some(("S4", format!("“{uri}” is not a full address such as https://app.example/callback")));
    };
    if url.fragment().is_some() {
        return Some(("S4", format!("“{uri}” has a fragment (#…); redirect addresses have none")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some(("S4", format!("“{uri}” contains a user name; leave it out")));
    }
    scheme_problem(uri, &url, platform)
}

fn scheme_problem(uri: &str, url: &Url, platform: Platform) -> Option<Refusal> {
    match url.scheme() {
        "https" if written_in_full(uri) => None,
        "http" if written_in_full(uri) && is_loopback(url) => None,
        "http" => Some((
            "S3",
            format!("“{uri}” is not encrypted; use https, or http for localhost, 127.0.0.1 and [::1] only"),
        )),
        "https" => Some(("S4", format!("“{uri}” is not written in full, as https://host/path"))),
        scheme if !scheme.contains('.') => Some((
            if platform == Platform::PublicClient { "S5" } else { "S4" },
            format!(
                "the scheme “{scheme}:” is not allowed; use https, or for an installed app a scheme from a domain of yours, reversed, such as com.contoso.app:/callback"
            ),
        )),
        scheme => (platform != Platform::PublicClient).then(|| {
            ("S5", format!("the scheme “{scheme}:” is for installed apps; register it under publicClient"))
        }),
    }
}

/// Whether a page that people are sent to is a web address.
pub(super) fn page_problem(text: &str) -> Option<String> {
    let good = Url::parse(text).is_ok_and(|url| match url.scheme() {
        "https" => written_in_full(text),
        "http" => written_in_full(text) && is_loopback(&url),
        _ => false,
    });
    (!good).then(|| format!("“{text}” is not an https:// address (http:// is for localhost only)"))
}

/// Whether the address names this very machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The URL standard mends `https:host`; an address that is compared byte by byte must not need mending.
fn written_in_full(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| !rest.starts_with('/'))
}
