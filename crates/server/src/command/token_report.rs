//! What `vestibule token explain` prints: text for people, JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use vestibule_rules::oauth::token::Unbacked;
use vestibule_rules::time::Timestamp;
use vestibule_service::issued::Lapse;
use vestibule_service::keys::rotation::State;
use vestibule_service::token_explain::{Explained, Finding, TokenKind, Verdict};

use super::user::plain;

/// Where values begin.
const MARGIN: usize = 22;

pub(super) fn text(found: &Explained) -> String {
    let of = found.tenant.as_ref().map(|tenant| format!(" of {tenant}")).unwrap_or_default();
    let mut text = format!("{}{of}\n", kind(found.kind));
    for (title, members) in [("Header", &found.header), ("Claims", &found.claims)] {
        if members.is_empty() {
            continue;
        }
        let _ = write!(text, "\n{title}\n");
        for (name, value) in members {
            let _ = writeln!(text, "  {:<MARGIN$}{}", plain(name), shown(name, value));
        }
    }
    if !found.findings.is_empty() {
        text.push_str("\nChecks\n");
    }
    for finding in &found.findings {
        let _ = writeln!(text, "  {:<11}{}", verdict(finding.verdict()), words(finding, found.now));
    }
    let _ = write!(text, "\n{}", summary(found));
    text
}

pub(super) fn json(found: &Explained) -> String {
    let one = |finding: &Finding| json!({ "check": name(finding), "result": verdict(finding.verdict()), "text": words(finding, found.now) });
    let all = json!({
        "kind": kind(found.kind),
        "tenant": found.tenant,
        "header": found.header,
        "claims": found.claims,
        "accepted": found.verdict() == Verdict::Holds,
        "result": verdict(found.verdict()),
        "checks": found.findings.iter().map(one).collect::<Vec<Value>>(),
    });
    format!("{all:#}")
}

const fn kind(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Id => "ID token: tells an app who signed in, and opens no API",
        TokenKind::Access => "Access token for a person",
        TokenKind::AppOnly => "Access token for an app itself",
        TokenKind::Refresh => "Refresh token: opaque, only the token endpoint reads it",
        TokenKind::Other => "Signed statement that is neither ID token nor access token",
        TokenKind::Encrypted => "Encrypted token: only its recipient can read it",
        TokenKind::Nothing => "Nothing that Vestibule gives out",
    }
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "ok",
        Verdict::Refused => "refused",
        Verdict::Withdrawn => "withdrawn",
        Verdict::Note => "note",
    }
}

fn summary(found: &Explained) -> &'static str {
    match (found.kind, found.verdict()) {
        (TokenKind::Encrypted, _) => "It cannot be judged without the recipient's key.",
        (_, Verdict::Refused) => "Refused, by everybody who checks it.",
        (_, Verdict::Withdrawn) => {
            "Withdrawn: introspection, userinfo and the token endpoint refuse it. An API that checks the signature alone \
             takes an access token until it expires."
        }
        (TokenKind::Refresh, _) => "The token endpoint would exchange it.",
        (_, Verdict::Holds | Verdict::Note) => "Accepted.",
    }
}

/// A claim; times in a form that people read, too.
fn shown(name: &str, value: &Value) -> String {
    let time = matches!(name, "exp" | "nbf" | "iat" | "auth_time" | "updated_at")
        .then(|| value.as_i64().map(|at| format!("{at}  ({})", Timestamp::from_seconds(at).rfc3339())));
    let text = || match value {
        Value::String(text) => plain(text),
        other => plain(&other.to_string()),
    };
    time.flatten().unwrap_or_else(text)
}

const fn name(finding: &Finding) -> &'static str {
    match finding {
        Finding::Unreadable(_) | Finding::Encrypted => "form",
        Finding::UnknownRefreshToken | Finding::Exchanged { .. } | Finding::Spent => "use",
        Finding::Signed { .. } | Finding::BadSignature { .. } => "signature",
        Finding::Issuer { .. } => "issuer",
        Finding::Expires { .. } | Finding::NotBefore { .. } | Finding::BadTime { .. } => "time",
        Finding::Audience { .. } => "audience",
        Finding::Client { .. } => "client",
        Finding::Person { .. } | Finding::Lapsed(_) => "grant",
        Finding::Scope { .. } => "scope",
        Finding::Role { .. } => "role",
        Finding::Bound { .. } => "proof",
    }
}

fn words(finding: &Finding, now: Timestamp) -> String {
    match finding {
        Finding::Unreadable(why) => format!("It cannot be read: {why}."),
        Finding::Encrypted => {
            "It is encrypted for somebody else, so nothing about it can be checked here.".to_owned()
        }
        Finding::UnknownRefreshToken => {
            "No such refresh token is kept: it is another tenant's, cut off, or was deleted after its time."
                .to_owned()
        }
        Finding::Exchanged { at } => format!(
            "It was exchanged at {}. Whoever shows it again ends the whole grant, because one of the two stole it.",
            at.rfc3339()
        ),
        Finding::Signed { kid, algorithm, state } => signed(kid.as_deref(), algorithm, *state),
        Finding::BadSignature { why, kid, known } => {
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let kid = kid.as_deref().map_or_else(|| "no key".to_owned(), plain);
            format!("{}. It names {kid}; the tenant's keys are: {known}.", capital(&why.to_string()))
        }
        Finding::Issuer { said, expected, good } => issuer(said.as_deref(), expected, *good),
        Finding::Expires { at, over: true } => {
            format!("It expired at {}, {} ago.", at.rfc3339(), length(now.since(*at).as_seconds()))
        }
        Finding::Expires { at, over: false } => {
            format!("It lives until {}, {} from now.", at.rfc3339(), length(at.since(now).as_seconds()))
        }
        Finding::NotBefore { at } => {
            format!("It is not good before {}: is the clock of this machine right?", at.rfc3339())
        }
        Finding::BadTime { claim } => format!("“{claim}” is missing, or is no whole number of seconds."),
        Finding::Audience { .. } => audience(finding),
        Finding::Client { id, name: None, .. } => format!("The tenant has no app {} any more.", plain(id)),
        Finding::Client { id, name: Some(name), enabled } => {
            let state = if *enabled { "" } else { ", which is switched off" };
            format!("It was given to “{}” ({id}){state}.", plain(name))
        }
        Finding::Person { name } => format!("{} and the grant behind it stand.", plain(name)),
        Finding::Lapsed(why) => lapsed(*why).to_owned(),
        Finding::Spent => "The app revoked it.".to_owned(),
        Finding::Scope { wanted, there, good } => carried("scp", wanted, there, *good),
        Finding::Role { wanted, there, good } => carried("roles", wanted, there, *good),
        Finding::Bound { thumbprint } => format!(
            "It is bound to the key {}: without a fresh DPoP proof of that key it is refused.",
            plain(thumbprint)
        ),
    }
}

fn signed(kid: Option<&str>, algorithm: &str, state: Option<State>) -> String {
    let state = match state {
        Some(State::Current) => "which signs now",
        Some(State::Previous) => "which signed before and is published still",
        Some(State::Next) => "which is to sign later",
        None => "which the token does not name",
    };
    format!("{algorithm}, by the key {}, {state}.", kid.map(plain).unwrap_or_default())
}

fn issuer(said: Option<&str>, expected: &[String], good: bool) -> String {
    let said = said.map_or_else(|| "nobody".to_owned(), plain);
    if good {
        return format!("Issued by {said}, which is this tenant at an address of this server.");
    }
    format!("Issued by {said}; whoever trusts this server expects {}.", expected.join(" or "))
}

fn audience(finding: &Finding) -> String {
    let Finding::Audience { said, name, wanted, good } = finding else { return String::new() };
    let whom = match (said.as_slice(), name) {
        ([], _) => "It is for nobody".to_owned(),
        (said, None) => format!("It is for {}", plain(&said.join(", "))),
        (said, Some(name)) => format!("It is for “{}” ({})", plain(name), plain(&said.join(", "))),
    };
    match (good, wanted) {
        (true, _) if name.is_none() && wanted.is_none() => format!("{whom}: userinfo, and no API of yours."),
        (true, _) => format!("{whom}."),
        (false, Some(wanted)) => format!("{whom}, and not for {}: another API refuses it.", plain(wanted)),
        (false, None) => format!("{whom}, which is no app of the tenant's."),
    }
}

const fn lapsed(why: Lapse) -> &'static str {
    match why {
        Lapse::Unknown => "The grant behind it is over: it ended long ago.",
        Lapse::Revoked => {
            "The grant behind it was revoked: signed out of, revoked by the app, or a code or refresh token was used twice."
        }
        Lapse::ConsentWithdrawn => "The consent behind it was withdrawn.",
        Lapse::Person(Unbacked::Gone) => "The account was deleted.",
        Lapse::Person(Unbacked::Disabled) => "The account is switched off.",
        Lapse::Person(Unbacked::SignedOut) => "The person was signed out everywhere after it was given.",
    }
}

fn carried(claim: &str, wanted: &str, there: &[String], good: bool) -> String {
    if good {
        return format!("“{claim}” has {}.", plain(wanted));
    }
    let there = if there.is_empty() { "nothing".to_owned() } else { plain(&there.join(" ")) };
    format!("“{claim}” has {there}, and not {}.", plain(wanted))
}

/// A length of time in its largest unit.
fn length(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..120 => (seconds, "seconds"),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit}")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
