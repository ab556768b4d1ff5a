//! Reads the form of a page as cheaply as can be done honestly: every value that is sent back was found in
//! the page. It knows the HTML that the server writes, not HTML at large.

/// A form that is to be posted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Form {
    pub action: String,
    /// Fields that go back as they are.
    pub hidden: Vec<(String, String)>,
    /// Names and kinds of the fields that somebody fills in.
    pub fields: Vec<(String, String)>,
    /// The values of the buttons.
    pub buttons: Vec<String>,
}

/// The first form that is posted.
pub fn read(page: &str) -> Option<Form> {
    let mut form = None;
    for tag in page.split('<').skip(1) {
        let tag = tag.split_once('>').map_or(tag, |(tag, _)| tag);
        let name = tag.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
        match (name, &mut form) {
            ("form", None) if attribute(tag, "method").as_deref() == Some("post") => {
                form = Some(Form { action: attribute(tag, "action").unwrap_or_default(), ..Form::default() });
            }
            ("/form", Some(_)) => break,
            ("input" | "select" | "textarea", Some(form)) => form.field(tag),
            ("button", Some(form)) => form.buttons.extend(attribute(tag, "value")),
            _ => {}
        }
    }
    form
}

/// The addresses of the page's style sheets.
pub fn style_sheets(page: &str) -> Vec<String> {
    let tags = page.split('<').filter_map(|tag| tag.split_once('>').map(|(tag, _)| tag));
    tags.filter(|tag| tag.starts_with("link") && attribute(tag, "rel").as_deref() == Some("stylesheet"))
        .filter_map(|tag| attribute(tag, "href"))
        .collect()
}

impl Form {
    fn field(&mut self, tag: &str) {
        let Some(name) = attribute(tag, "name") else { return };
        let kind = attribute(tag, "type").unwrap_or_else(|| "text".to_owned());
        if kind == "hidden" {
            self.hidden.push((name, attribute(tag, "value").unwrap_or_default()));
        } else if self.fields.iter().all(|(known, _)| *known != name) {
            self.fields.push((name, kind));
        }
    }
}

/// The value of an attribute that is written with double quotes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("=\"") {
        let (value, next) = after.split_once('"')?;
        let found = before.rsplit(|c: char| c.is_ascii_whitespace()).next();
        if found == Some(name) {
            return Some(unescape(value));
        }
        rest = next;
    }
    None
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let plain =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&#x27;", "'")];
    let text = plain.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    text.replace("&amp;", "&")
}

/// The error that a page reports, if it does.
pub fn error(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("data-error-code=\"")?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_stands() {
        let page = r#"<main><form method="post" action="/t/journey/1?a=b&amp;c" novalidate>
            <input type="hidden" name="csrf" value="x_-"><input type="hidden" name="step" value="code.2">
            <input type="email" value="a@b" readonly hidden>
            <input class="code" type="text" id="code" name="code" required>
            <select id="country" name="country"><option value="">-</option></select>
            <button type="submit" id="submit" name="action" value="submit">Go</button></form>
            <form method="post" action="/other"><input name="no" type="text"></form>"#;
        let form = read(page).unwrap();
        assert_eq!(form.action, "/t/journey/1?a=b&c");
        assert_eq!(form.hidden, [("csrf".into(), "x_-".into()), ("step".into(), "code.2".into())]);
        assert_eq!(form.fields, [("code".into(), "text".into()), ("country".into(), "text".into())]);
        assert_eq!(form.buttons, ["submit"]);
        assert_eq!(read("<p>nothing</p>"), None);
    }

    #[test]
    fn an_error_is_found_by_its_code() {
        assert_eq!(error(r#"<div role="alert" data-error-code="code-wrong">"#), Some("code-wrong"));
        assert_eq!(error("<p>"), None);
    }
}
