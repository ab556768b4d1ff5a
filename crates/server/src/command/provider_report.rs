//! What `vestibule provider` prints: tables for people, JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use vestibule_service::federation::checkup::{Checkup, Step, Verdict, What};
use vestibule_service::federation::trial::Link;

/// The widest line of a sentence.
const WIDTH: usize = 96;
/// Where sentences begin.
const MARGIN: usize = 13;

pub(super) fn checkup(found: &Checkup, link: Option<&Link>) -> String {
    let Checkup { tenant, provider, name, kind, redirect_uris, steps } = found;
    let mut text = format!("“{name}” ({provider}, {}) of {tenant}\n", kind.as_str());
    for step in steps {
        let server = step.server.as_ref().map(|server| format!(" of {server}")).unwrap_or_default();
        let _ = write!(text, "\n{:<MARGIN$}{}{server}\n", verdict(step.verdict), title(step.what));
        text.push_str(&wrapped(&step.text));
    }
    text.push_str("\nRegister at the provider, to the letter:\n");
    for uri in redirect_uris {
        let _ = writeln!(text, "  {uri}");
    }
    if let Some(Link { url, expires_at }) = link {
        let _ = write!(text, "\nGo the whole way in a browser, until {}:\n  {url}\n", expires_at.rfc3339());
    }
    text.trim_end().to_owned()
}

/// The last line of a checkup that found something.
pub(super) fn failures(found: &Checkup) -> String {
    let failed: Vec<&Step> = found.steps.iter().filter(|step| step.verdict == Verdict::Failed).collect();
    let mut names: Vec<&str> = failed.iter().map(|step| title(step.what)).collect();
    names.dedup();
    let steps = if failed.len() == 1 { "step" } else { "steps" };
    format!("{} {steps} failed: {}", failed.len(), names.join(", "))
}

pub(super) fn checkup_json(found: &Checkup, link: Option<&Link>) -> String {
    let step = |step: &Step| {
        json!({
            "step": step.what.as_str(),
            "server": step.server,
            "result": step.verdict.as_str(),
            "text": step.text,
        })
    };
    let mut all = json!({
        "tenant": found.tenant,
        "provider": found.provider,
        "displayName": found.name,
        "identityProviderType": found.kind.as_str(),
        "redirectUris": found.redirect_uris,
        "ok": found.is_well(),
        "steps": found.steps.iter().map(step).collect::<Vec<Value>>(),
    });
    if let (Some(Link { url, expires_at }), Some(members)) = (link, all.as_object_mut()) {
        members.insert("browserTest".to_owned(), json!({ "url": url, "expiresAt": expires_at.rfc3339() }));
    }
    format!("{all:#}")
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Failed => "failed",
        Verdict::NotChecked => "not checked",
    }
}

const fn title(what: What) -> &'static str {
    match what {
        What::Configuration => "configuration",
        What::Name => "name",
        What::Certificate => "certificate",
        What::Discovery => "discovery document",
        What::Issuer => "issuer",
        What::Endpoints => "addresses",
        What::Clock => "clock",
        What::Keys => "keys",
        What::Scope => "scope",
        What::PushedRequest => "pushed request",
        What::Authorization => "page where people sign in",
        What::Client => "our client",
        What::SecretExpiry => "expiry of our secret",
    }
}

/// A sentence in lines that begin at the margin. A word is never cut: addresses are there to be copied.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let wide = word.chars().count();
        if length > 0 && MARGIN + length + 1 + wide > WIDTH {
            lines.push('\n');
            length = 0;
        }
        if length == 0 {
            lines.push_str(&" ".repeat(MARGIN));
        } else {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += wide;
    }
    lines.push('\n');
    lines
}
