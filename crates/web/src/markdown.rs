//! What administrators write in labels and texts: plain text with links, and nothing else (ATTR-15). The
//! text is theirs and the page is ours, so everything that is not a link to a web page comes out as text.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::escape;

/// The text as HTML in which only `a` occurs.
pub fn to_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut open: Vec<bool> = Vec::new();
    walk(text, |piece| match piece {
        Piece::Text(words) => escape::push(&mut html, words),
        Piece::Open(target) => {
            let target = web_address(target);
            if let Some(url) = &target {
                html.push_str("<a href=\"");
                escape::push(&mut html, url);
                html.push_str("\" target=\"_blank\" rel=\"noopener\">");
            }
            open.push(target.is_some());
        }
        Piece::Close => {
            if open.pop() == Some(true) {
                html.push_str("</a>");
            }
        }
    });
    html
}

/// The text without its links' targets.
pub fn to_text(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    walk(text, |piece| {
        if let Piece::Text(words) = piece {
            plain.push_str(words);
        }
    });
    plain
}

enum Piece<'a> {
    Text(&'a str),
    Open(&'a str),
    Close,
}

/// A whole document as HTML: headings, paragraphs, lists, emphasis, tables and links to web pages. HTML in it is
/// shown as text, and pictures as their description, so that a page never loads anything from elsewhere.
pub fn document(text: &str) -> String {
    let mut links: Vec<bool> = Vec::new();
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => {
            let target = web_address(&dest_url);
            links.push(target.is_some());
            let open = |url: &String| {
                format!("<a href=\"{}\" target=\"_blank\" rel=\"noopener\">", escape::html(url)).into()
            };
            target.as_ref().map(open).map(Event::InlineHtml)
        }
        Event::End(TagEnd::Link) => (links.pop() == Some(true)).then(|| Event::InlineHtml("</a>".into())),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        // The page has its heading; those of the document stand below it.
        Event::Start(Tag::Heading { level, .. }) => Some(Event::Html(below(level, "").into())),
        Event::End(TagEnd::Heading(level)) => Some(Event::Html(below(level, "/").into())),
        Event::Html(raw) | Event::InlineHtml(raw) => Some(Event::Text(raw)),
        other => Some(other),
    });
    let mut html = String::with_capacity(2 * text.len());
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

/// A tag of a heading one level further down.
const fn below(level: HeadingLevel, end: &str) -> &'static str {
    match (level, end.is_empty()) {
        (HeadingLevel::H1, true) => "<h2>",
        (HeadingLevel::H1, false) => "</h2>",
        (HeadingLevel::H2, true) => "<h3>",
        (HeadingLevel::H2, false) => "</h3>",
        (_, true) => "<h4>",
        (_, false) => "</h4>",
    }
}

/// Hands over text and links in order. Other marks are shown as they were typed.
fn walk(text: &str, mut take: impl FnMut(Piece<'_>)) {
    // Only links are Markdown here, so what stands outside them is copied from the source: a label such as
    // “1. Terms *and* more” keeps its digits and stars.
    let mut done = 0;
    let mut depth = 0_usize;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                if depth == 0 {
                    take(Piece::Text(text.get(done..range.start).unwrap_or_default()));
                    done = range.end;
                }
                depth += 1;
                take(Piece::Open(&dest_url));
            }
            Event::End(TagEnd::Link) => {
                depth = depth.saturating_sub(1);
                take(Piece::Close);
            }
            Event::Text(words) | Event::Code(words) | Event::Html(words) | Event::InlineHtml(words)
                if depth > 0 =>
            {
                take(Piece::Text(&words));
            }
            Event::SoftBreak | Event::HardBreak if depth > 0 => take(Piece::Text(" ")),
            _ => {}
        }
    }
    take(Piece::Text(text.get(done..).unwrap_or_default()));
}

/// The address if it leads to a web page; `javascript:` and its kin would run in the visitor's browser.
fn web_address(target: &str) -> Option<String> {
    let url = url::Url::parse(target).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_becomes_a_link_that_opens_beside_the_form() {
        assert_eq!(
            to_html("I accept the [terms](https://woodgrove.example/terms?a=1&b=2) and more"),
            "I accept the <a href=\"https://woodgrove.example/terms?a=1&amp;b=2\" target=\"_blank\" \
             rel=\"noopener\">terms</a> and more"
        );
    }

    #[test]
    fn anything_else_stays_as_it_was_typed() {
        for text in ["**bold** _and_ `code`", "# Heading", "1. one", "- item", "a  b", "> quote", "* * *"] {
            assert_eq!(to_html(text), text.replace('>', "&gt;"), "{text}");
            assert_eq!(to_text(text), text);
        }
    }

    #[test]
    fn hostile_text_never_becomes_markup() {
        let hostile = [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html,<script>alert(1)</script>)",
            "[x](https://a.example/\"onmouseover=\"alert(1))",
            "[<img src=x onerror=alert(1)>](https://a.example/)",
            "![x](https://a.example/\"><script>alert(1)</script>)",
            "[![x](javascript:alert(1))](https://a.example/)",
            "<javascript:alert(1)>",
            "[x]: javascript:alert(1)\n\n[x]",
            "```html\n<script>alert(1)</script>\n```",
            "&lt;script&gt; &#60;script&#62;",
            "[x](vbscript:a) [y](//evil.example) [z](/path) [w](https:evil)",
        ];
        for text in hostile {
            let html = to_html(text);
            let links = html.matches("<a href=\"http").count();
            assert_eq!(html.matches('<').count(), links + html.matches("</a>").count(), "{html}");
            assert_eq!(links, html.matches("</a>").count(), "{html}");
            for attribute in html.split("<a ").skip(1) {
                let tag = attribute.split('>').next().unwrap_or_default();
                assert_eq!(tag.matches('"').count(), 6, "{html}");
            }
        }
    }

    #[test]
    fn a_document_has_structure_and_no_markup_of_its_own() {
        assert_eq!(
            document(
                "# 1. Scope\n\nBe *kind*.\n\n- [a](https://a.example/?x=1&y=2)\n- [b](javascript:alert(1))"
            ),
            "<h2>1. Scope</h2>\n<p>Be <em>kind</em>.</p>\n<ul>\n<li><a href=\"https://a.example/?x=1&amp;y=2\" \
             target=\"_blank\" rel=\"noopener\">a</a></li>\n<li>b</li>\n</ul>\n"
        );
        let hostile = [
            "<script>alert(1)</script>",
            "text <img src=x onerror=alert(1)> text",
            "![x](https://evil.example/pixel.png)",
            "[![x](https://evil.example/pixel.png)](javascript:alert(1))",
            "[x](https://a.example/\"onmouseover=\"alert(1))",
            "# <iframe src=//evil.example>",
            "```\"><script>\n<b>\n```",
            "| <b> | [x](data:text/html,1) |\n| --- | --- |\n| a | <svg onload=alert(1)> |",
            "<div>\n\n*x*\n\n</div>",
        ];
        for text in hostile {
            let html = document(text);
            for bad in ["<script", "<img", "<iframe", "<svg", "<div", "<b>", "javascript:", "data:"] {
                assert!(!html.contains(bad), "{bad} in {html}");
            }
            for tag in html.split('<').skip(1) {
                let tag = tag.split('>').next().unwrap_or_default();
                assert!(!tag.contains(" on") && !tag.contains("\"on"), "{html}");
            }
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_keeps_its_words() {
        assert_eq!(to_html("see [our terms](javascript:alert(1)) here"), "see our terms here");
        assert_eq!(to_text("I accept the [terms](https://a.example/)."), "I accept the terms.");
    }
}
