//! Text becomes HTML in one way, for templates and for administrators' texts.

/// Adds text so that it stays text, between tags and in quoted attributes.
pub fn push(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
}

/// The text as HTML.
pub fn html(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    push(&mut html, text);
    html
}
