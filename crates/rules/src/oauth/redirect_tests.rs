use std::collections::BTreeSet;

use super::*;
use crate::oauth::testing::{application, only};

const EXACT: [&str; 5] = [
    "https://app.example/cb",
    "https://app.example/cb?tenant=1",
    "https://app.example:8443/",
    "http://localhost:3001/callback",
    "https://app.example",
];

fn code(app: &Application<impl Sized>, given: Option<&str>) -> Result<Platform, u32> {
    find(app, given).map(|(platform, _)| platform).map_err(|fault| fault.code)
}

#[test]
fn each_address_belongs_to_its_platform() {
    let app = application();
    assert_eq!(code(&app, Some("https://app.example/cb")), Ok(Platform::Web));
    assert_eq!(code(&app, Some("https://spa.example/")), Ok(Platform::Spa));
    assert_eq!(code(&app, Some("com.example.app:/callback")), Ok(Platform::PublicClient));
}

#[test]
fn refusals_have_their_numbers() {
    // R44, S6, 4.5
    let app = application();
    assert_eq!(code(&app, Some("https://app.example/other")), Err(50_011));
    assert_eq!(code(&app, Some("not an address")), Err(90_102));
    assert_eq!(code(&app, Some("/relative")), Err(90_102));
    assert_eq!(code(&app, None), Err(900_144));
    let mut none = only(Platform::Web, "https://app.example/cb");
    assert_eq!(code(&none, None), Ok(Platform::Web));
    none.web.redirect_uris.clear();
    assert_eq!(code(&none, Some("https://app.example/cb")), Err(900_971));
}

#[test]
fn loopback_ports_are_free_for_installed_apps_only() {
    // S3, R24
    let cases = [
        ("http://localhost", "http://localhost:49152", true),
        ("http://localhost", "http://localhost:49152/", true),
        ("http://localhost", "http://localhost/", true),
        ("http://localhost/", "http://localhost:1", true),
        ("http://127.0.0.1:8400/cb", "http://127.0.0.1:5/cb", true),
        ("http://[::1]/cb", "http://[::1]:65535/cb", true),
        ("http://localhost", "http://localhost:49152/cb", false),
        ("http://localhost/cb", "http://localhost:49152/cb/", false),
        ("http://localhost/cb", "http://localhost:49152/CB", false),
        ("http://localhost/cb", "http://localhost:49152/cb?x=1", false),
        ("http://localhost", "http://127.0.0.1:49152", false),
        ("http://localhost", "http://LOCALHOST:49152", false),
        ("http://localhost", "http://localhost:", false),
        ("http://localhost", "http://localhost:0", false),
        ("http://localhost", "http://localhost:65536", false),
        ("http://localhost", "http://localhost:1.evil.example", false),
        ("http://localhost", "http://localhost:1@evil.example", false),
        ("http://localhost", "http://localhost.evil.example", false),
        ("http://localhost", "http://localhost@evil.example", false),
        ("http://localhost", "http://localhost\\@evil.example", false),
        ("http://localhost", "http://localhost:1#x", false),
        ("http://localhost", "https://localhost:49152", false),
        ("https://localhost/cb", "https://localhost:49152/cb", false),
        ("http://127.0.0.2/cb", "http://127.0.0.2:49152/cb", false),
    ];
    for (registered, given, good) in cases {
        assert_eq!(matches(Platform::PublicClient, registered, given), good, "{registered} {given}");
        for platform in [Platform::Web, Platform::Spa] {
            assert!(!matches(platform, registered, given), "{platform:?} {registered} {given}");
        }
    }
}

#[test]
fn look_alikes_are_other_addresses() {
    // S1
    let registered = "https://app.example/cb";
    for given in [
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://app.example/cb?",
        "https://app.example/cb?x=1",
        "https://app.example/cb#",
        "https://app.example/cb#x",
        "https://app.example:443/cb",
        "HTTPS://app.example/cb",
        "https://APP.example/cb",
        "https://app.example/%63b",
        "https://app.example/x/../cb",
        "https://app.example/./cb",
        "https://app.example/cb;x",
        "https://app.example\\cb",
        "https://app.example/cb\t",
        "https://app.example/c\nb",
        "https://user@app.example/cb",
        "https://app.example@evil.example/cb",
        "https://app.example.evil.example/cb",
        "https://app.example./cb",
        "https://арр.example/cb",
        "https:/app.example/cb",
        "//app.example/cb",
        " https://app.example/cb",
        "https://app.example/cb ",
        "http://app.example/cb",
        "https://app.example//cb",
        "https://app.example/cb\0",
        "javascript:alert(1)//https://app.example/cb",
        "",
    ] {
        for platform in [Platform::Web, Platform::Spa, Platform::PublicClient] {
            assert!(!matches(platform, registered, given), "{given:?}");
        }
    }
}

/// What look-alikes are made with: separators, encodings of them, once and twice, and whole hosts.
const PIECES: [&str; 32] = [
    "/",
    "//",
    ".",
    "..",
    "%2e",
    "%2f",
    "%252f",
    "%25252e",
    "%00",
    "?",
    "#",
    "@",
    ":",
    ":80",
    ":80@evil.example",
    ";",
    "\\",
    "\t",
    "\n",
    " ",
    "&",
    "x",
    "X",
    "\u{0}",
    "\u{430}",
    "*",
    "evil.example",
    "%",
    "+",
    "xn--",
    "a@",
    "[::1]",
];

/// Every address that one change makes of `registered`: one of the pieces put in at each place, and each byte by
/// another one, in the other case, encoded, doubled or left out.
fn mutants(registered: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for at in 0..=registered.len() {
        let (left, right) = registered.split_at(at);
        all.extend(PIECES.iter().map(|piece| format!("{left}{piece}{right}")));
        let Some(byte) = right.bytes().next() else { continue };
        let rest = &right[1..];
        let others = (0..128_u8).filter(|other| *other != byte).map(char::from);
        all.extend(others.map(|other| format!("{left}{other}{rest}")));
        all.insert(format!("{left}%{byte:02x}{rest}"));
        all.insert(format!("{left}%{byte:02X}{rest}"));
        all.insert(format!("{left}%25{byte:02x}{rest}"));
        all.insert(format!("{left}{right}{right}"));
        all.insert(format!("{left}{rest}"));
        all.insert(left.to_owned());
        all.insert(right.to_owned());
    }
    // Letters of another alphabet that look the same.
    for (latin, twin) in
        [("a", "\u{430}"), ("e", "\u{435}"), ("o", "\u{43e}"), ("p", "\u{440}"), ("c", "\u{441}")]
    {
        all.insert(registered.replace(latin, twin));
    }
    all.insert(format!("javascript:alert(1)//{registered}"));
    all.insert(format!("https://evil.example/?{registered}"));
    all.remove(registered);
    all
}

#[test]
fn no_mutant_of_a_registered_address_matches() {
    // S1
    for registered in EXACT {
        let all = mutants(registered);
        assert!(all.len() >= 500, "{} of {registered}", all.len());
        for given in all {
            assert!(!matches(Platform::Web, registered, &given), "{registered} {given:?}");
            assert!(!matches(Platform::Spa, registered, &given), "{registered} {given:?}");
        }
    }
}

#[test]
fn a_mutant_of_a_loopback_address_matches_only_by_its_port() {
    // S1, S3
    for registered in ["http://localhost/cb", "http://127.0.0.1:8400/cb", "http://[::1]/cb"] {
        let all = mutants(registered);
        assert!(all.len() >= 500, "{} of {registered}", all.len());
        for given in all.iter().filter(|given| matches(Platform::PublicClient, registered, given)) {
            // Read by an independent parser, everything but the port is the same.
            let (a, b) = (Url::parse(registered).unwrap(), Url::parse(given).unwrap());
            assert_eq!((a.scheme(), a.host_str(), a.path()), (b.scheme(), b.host_str(), b.path()), "{given}");
            assert_eq!((b.query(), b.fragment(), b.username()), (None, None, ""), "{given}");
        }
    }
}
