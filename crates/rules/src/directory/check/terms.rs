//! Documents to accept, and what may become of one that was published.

use std::collections::BTreeSet;

use url::Url;

use super::{Findings, Place, is_strict};
use crate::directory::flow::UserFlow;
use crate::directory::tenant::TenantConfig;
use crate::directory::terms::{Terms, TermsText};

/// Most documents of one flow: a page with more boxes is read by nobody.
const MOST: usize = 8;
/// Most characters of one text.
const LONGEST: usize = 200_000;

pub(super) fn check(config: &TenantConfig, flow: &UserFlow, at: &Place, found: &mut Findings) {
    let at = at.key("terms");
    if is_strict(config) && !flow.terms.is_empty() {
        found.add(
            &at,
            "TOU-01",
            "the original has no documents to accept; ask with a required boolean (compatibility: strict)",
        );
    }
    if flow.terms.len() > MOST {
        found.add(&at, "TOU-01", format!("a flow has at most {MOST} documents to accept"));
    }
    let mut seen = BTreeSet::new();
    for (i, terms) in flow.terms.iter().enumerate() {
        let at = at.index(i);
        if !is_id(&terms.id) {
            let text =
                format!("“{}” is no id: at most 32 lower-case letters, digits and single hyphens", terms.id);
            found.add(&at.key("id"), "TOU-01", text);
        } else if !seen.insert(&terms.id) {
            found.add(&at.key("id"), "TOU-01", format!("the flow has two documents “{}”", terms.id));
        }
        let version = terms.version.trim();
        if version.is_empty() || version != terms.version || !is_line(version, 64) {
            let text = "a version is one line of at most 64 characters without white space around it";
            found.add(&at.key("version"), "TOU-01", text);
        }
        languages(terms, &at.key("languages"), found);
    }
}

fn languages(terms: &Terms, at: &Place, found: &mut Findings) {
    if terms.languages.is_empty() {
        found.add(at, "TOU-01", "a document needs its words in one language at least");
    }
    let mut seen = BTreeSet::new();
    for (i, text) in terms.languages.iter().enumerate() {
        let at = at.index(i);
        if !is_tag(&text.language) {
            let problem = format!("“{}” is no language tag such as en or pt-BR", text.language);
            found.add(&at.key("language"), "TOU-01", problem);
        } else if !seen.insert(text.language.to_lowercase()) {
            let problem = format!("the document has the language “{}” twice", text.language);
            found.add(&at.key("language"), "TOU-01", problem);
        }
        if text.title.trim().is_empty() || !is_line(&text.title, 256) {
            let problem = "a title is one line of at most 256 characters";
            found.add(&at.key("title"), "TOU-01", problem);
        }
        words(text, &at, found);
    }
}

fn words(text: &TermsText, at: &Place, found: &mut Findings) {
    match (&text.text, &text.link) {
        (Some(_), Some(_)) => found.add(&at.key("link"), "TOU-01", "give text or link, not both"),
        (None, None) => found.add(at, "TOU-01", "give the words as text, or where they are as link"),
        (Some(words), None) if words.trim().is_empty() => {
            found.add(&at.key("text"), "TOU-01", "the text is empty");
        }
        (Some(words), None) if words.chars().count() > LONGEST => {
            found.add(&at.key("text"), "TOU-01", format!("a text has at most {LONGEST} characters"));
        }
        (Some(_), None) => {}
        (None, Some(link)) => {
            let good = Url::parse(link).is_ok_and(|url| url.scheme() == "https" && url.has_host());
            if !good {
                found.add(&at.key("link"), "TOU-01", format!("“{link}” is no https address"));
            }
        }
    }
}

/// The words of a version that could have been accepted stay what they were. Languages may be added.
pub(super) fn check_change(before: &TenantConfig, after: &TenantConfig, found: &mut Findings) {
    for (f, flow) in after.user_flows.iter().enumerate() {
        let Some(old) = before.user_flows.iter().find(|old| old.id == flow.id) else { continue };
        for (i, terms) in flow.terms.iter().enumerate() {
            let same = |old: &&Terms| old.id == terms.id && old.version == terms.version;
            let Some(old) = old.terms.iter().find(same) else { continue };
            for (l, text) in terms.languages.iter().enumerate() {
                if old.in_language(&text.language).is_some_and(|old| old.evidence() != text.evidence()) {
                    let at = Place::top("userFlows").index(f).key("terms").index(i);
                    let at = at.key("languages").index(l);
                    let problem = format!(
                        "version {} of “{}” was published with other words; give the new ones a new version",
                        terms.version, terms.id
                    );
                    found.add(&at, "TOU-01", problem);
                }
            }
        }
    }
}

fn is_id(id: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    id.len() <= 32 && id.split('-').all(part)
}

fn is_line(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(char::is_control)
}

/// The shape of a tag (RFC 5646 section 2.1): a language, and subtags of at most eight letters and digits.
fn is_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=8).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}
