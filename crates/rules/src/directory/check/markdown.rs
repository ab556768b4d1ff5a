//! Links in texts that administrators write (ATTR-15). The pages render with the same parser, so what
//! passes here cannot turn into something else there.

use pulldown_cmark::{Event, Parser, Tag};

use super::{Findings, Place};

/// Reports links that lead anywhere but to a web page: `javascript:` in a label would run in the visitor's
/// browser.
pub(super) fn check(text: &str, at: &Place, found: &mut Findings) {
    for event in Parser::new(text) {
        if let Event::Start(Tag::Link { dest_url, .. }) = event
            && !leads_to_a_page(&dest_url)
        {
            found.add(
                at,
                "ATTR-15",
                format!("the link to “{dest_url}” is not an https:// or http:// address"),
            );
        }
    }
}

fn leads_to_a_page(target: &str) -> bool {
    let Ok(url) = url::Url::parse(target) else { return false };
    matches!(url.scheme(), "https" | "http") && url.has_host()
}
