//! Somebody with a browser: follows redirects, keeps cookies, reads pages by a real HTML parser, fills and
//! submits forms by labels and names. It runs no scripts, as the pages must work without.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use reqwest::Method;
use reqwest::header::{LOCATION, ORIGIN};
use reqwest::redirect::Policy;
use scraper::{ElementRef, Html, Selector};
use url::Url;
use vestibule_rules::fault::{Fault, Outcome};

/// Redirects in a row that are followed.
const REDIRECTS: usize = 20;

/// A person's browser with one tab.
pub struct Browser {
    client: reqwest::Client,
    home: url::Origin,
    page: Option<Page>,
    filled: BTreeMap<String, String>,
}

/// What the tab shows.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it is.
    pub url: Url,
    /// The status of the answer; 0 when the browser left for an address that nobody serves: the app's.
    pub status: u16,
    /// The page as it came.
    pub html: String,
}

/// An error that a page shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alert {
    pub code: String,
    pub text: String,
}

/// Somebody outside who speaks HTTP with servers of this process. The machine's certificates are of no use there, and
/// reading them takes longer than a short test.
#[expect(clippy::disallowed_methods, reason = "it stands for the outside world")]
pub fn outsider() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().tls_certs_only([])
}

impl Browser {
    /// A fresh browser. It asks nobody but the server at `origin`; going elsewhere is an arrival.
    pub fn new(origin: &str) -> Outcome<Self> {
        let client = outsider()
            .cookie_store(true)
            .redirect(Policy::none())
            .build()
            .map_err(|error| Fault::ours(format!("no browser: {error}")))?;
        let home = Url::parse(origin).map_err(|error| Fault::ours(format!("{origin}: {error}")))?.origin();
        Ok(Self { client, home, page: None, filled: BTreeMap::new() })
    }

    /// Types an address.
    pub async fn open(&mut self, url: &str) -> Outcome<()> {
        let url = Url::parse(url).map_err(|error| Fault::ours(format!("{url}: {error}")))?;
        self.go(Method::GET, url, None).await
    }

    /// Follows the link with this id.
    pub async fn click(&mut self, id: &str) -> Outcome<()> {
        let page = self.page()?;
        let link = page.find(&format!("a#{id}"), |link| link.attr("href").map(str::to_owned));
        let href = link.ok_or_else(|| page.unexpected(&format!("has no link {id}")))?;
        let url = page.join(&href)?;
        self.go(Method::GET, url, None).await
    }

    /// Fills a field, found by its name or by how its label begins.
    pub fn fill(&mut self, field: &str, value: &str) -> Outcome<()> {
        let page = self.page()?;
        let name = page.field(field).ok_or_else(|| page.unexpected(&format!("has no field “{field}”")))?;
        self.filled.insert(name, value.to_owned());
        Ok(())
    }

    /// Presses the button with this id and sends the form that it belongs to.
    pub async fn press(&mut self, button: &str) -> Outcome<()> {
        let page = self.page()?;
        let form = page.form(button).ok_or_else(|| page.unexpected(&format!("has no button {button}")))?;
        let mut fields = form.fields;
        for (name, value) in &self.filled {
            fields.retain(|(known, _)| known != name);
            fields.push((name.clone(), value.clone()));
        }
        let mut url = page.join(&form.action)?;
        if form.post {
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            return self.go(Method::POST, url, Some(body)).await;
        }
        url.query_pairs_mut().clear().extend_pairs(fields);
        self.go(Method::GET, url, None).await
    }

    /// Sends a form by hand, as somebody does who does not play by the pages.
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Outcome<()> {
        let url = Url::parse(url).map_err(|error| Fault::ours(format!("{url}: {error}")))?;
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.go(Method::POST, url, Some(body)).await
    }

    /// What the tab shows.
    pub fn page(&self) -> Outcome<&Page> {
        self.page.as_ref().ok_or_else(|| Fault::ours("the browser has opened nothing yet"))
    }

    /// The address at which the browser left for the app.
    pub fn arrived(&self) -> Outcome<&Url> {
        let page = self.page()?;
        if page.status == 0 { Ok(&page.url) } else { Err(page.unexpected("is not the app's")) }
    }

    async fn go(&mut self, method: Method, url: Url, body: Option<String>) -> Outcome<()> {
        self.filled.clear();
        let (mut method, mut url, mut body) = (method, url, body);
        for _ in 0..REDIRECTS {
            if url.origin() != self.home {
                self.page = Some(Page { url, status: 0, html: String::new() });
                return Ok(());
            }
            let mut request = self.client.request(method.clone(), url.clone());
            if let Some(body) = body.take() {
                request = request
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header(ORIGIN, self.home.ascii_serialization())
                    .body(body);
            }
            let broken = |error: reqwest::Error| Fault::ours(format!("{method} {url}: {error}"));
            let answer = request.send().await.map_err(broken)?;
            let status = answer.status();
            let location =
                answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let html = answer.text().await.map_err(broken)?;
            let page = Page { url: url.clone(), status: status.as_u16(), html };
            let Some(location) = location.filter(|_| status.is_redirection()) else {
                self.page = Some(page);
                return Ok(());
            };
            url = page.join(&location)?;
            method = Method::GET;
        }
        Err(Fault::ours(format!("more than {REDIRECTS} redirects, last to {url}")))
    }
}

struct Form {
    action: String,
    post: bool,
    /// What would be sent if nobody typed anything, with the button that was pressed.
    fields: Vec<(String, String)>,
}

impl Page {
    /// The text of the first element that a selector finds.
    pub fn text(&self, selector: &str) -> Option<String> {
        self.find(selector, |element| Some(text(element)))
    }

    /// Whether the page has such an element.
    pub fn has(&self, selector: &str) -> bool {
        self.find(selector, |_| Some(())).is_some()
    }

    /// How many such elements the page has.
    pub fn count(&self, selector: &str) -> usize {
        let document = Html::parse_document(&self.html);
        Selector::parse(selector).map_or(0, |selector| document.select(&selector).count())
    }

    /// An attribute of the first element that a selector finds.
    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.find(selector, |element| element.attr(name).map(str::to_owned))
    }

    /// The hidden fields of the page by their names.
    pub fn hidden_fields(&self) -> BTreeMap<String, String> {
        let document = Html::parse_document(&self.html);
        let Ok(selector) = Selector::parse("input[type=hidden][name]") else { return BTreeMap::new() };
        let own = |field: ElementRef<'_>, name| field.attr(name).unwrap_or_default().to_owned();
        document.select(&selector).map(|field| (own(field, "name"), own(field, "value"))).collect()
    }

    /// Every error that the page shows.
    pub fn alerts(&self) -> Vec<Alert> {
        let document = Html::parse_document(&self.html);
        let Ok(selector) = Selector::parse("[role=alert][data-error-code]") else { return Vec::new() };
        let alerts = document.select(&selector).map(|element| Alert {
            code: element.attr("data-error-code").unwrap_or_default().to_owned(),
            text: text(element),
        });
        alerts.collect()
    }

    fn find<T>(&self, selector: &str, read: impl Fn(ElementRef<'_>) -> Option<T>) -> Option<T> {
        let document = Html::parse_document(&self.html);
        let selector = Selector::parse(selector).ok()?;
        document.select(&selector).next().and_then(read)
    }

    fn join(&self, href: &str) -> Outcome<Url> {
        self.url.join(href).map_err(|error| self.unexpected(&format!("leads to “{href}”: {error}")))
    }

    /// The name of a field, by its name or by how its label begins.
    fn field(&self, wanted: &str) -> Option<String> {
        let document = Html::parse_document(&self.html);
        let fields = Selector::parse("input[name], select[name], textarea[name]").ok()?;
        let labels = Selector::parse("label[for]").ok()?;
        let named = document.select(&fields).filter_map(|field| field.attr("name"));
        if let Some(name) = named.into_iter().find(|name| *name == wanted) {
            return Some(name.to_owned());
        }
        let folded = wanted.to_lowercase();
        let label =
            document.select(&labels).find(|label| text(*label).to_lowercase().starts_with(&folded))?;
        let field = document.select(&fields).find(|field| field.attr("id") == label.attr("for"))?;
        field.attr("name").map(str::to_owned)
    }

    fn form(&self, button: &str) -> Option<Form> {
        let document = Html::parse_document(&self.html);
        let buttons = Selector::parse(&format!("button#{button}, input#{button}")).ok()?;
        let button = document.select(&buttons).next()?;
        let own =
            button.ancestors().filter_map(ElementRef::wrap).find(|element| element.value().name() == "form");
        let forms = Selector::parse("form[id]").ok()?;
        let form = match button.attr("form") {
            Some(id) => document.select(&forms).find(|form| form.attr("id") == Some(id))?,
            None => own?,
        };
        let mut fields = values(form)?;
        if let Some(name) = button.attr("name") {
            fields.push((name.to_owned(), button.attr("value").unwrap_or_default().to_owned()));
        }
        let action = button.attr("formaction").or_else(|| form.attr("action")).unwrap_or_default().to_owned();
        let post = form.attr("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
        Some(Form { action, post, fields })
    }

    /// A fault that shows the page, so that a failed test can be understood.
    pub fn unexpected(&self, what: &str) -> Fault {
        let mut shown = format!("the page at {} ({}) {what}; it says: ", self.url, self.status);
        let body = self.text("main").or_else(|| self.text("body")).unwrap_or_default();
        // Writing into a String cannot fail.
        let _ = write!(shown, "{}", body.chars().take(600).collect::<String>());
        Fault::ours(shown)
    }
}

/// What the fields of a form hold as the page came.
fn values(form: ElementRef<'_>) -> Option<Vec<(String, String)>> {
    let fields = Selector::parse("input[name], select[name], textarea[name]").ok()?;
    let chosen = Selector::parse("option[selected]").ok()?;
    let first = Selector::parse("option").ok()?;
    let mut values = Vec::new();
    for field in form.select(&fields).filter(|field| field.attr("disabled").is_none()) {
        let name = field.attr("name").unwrap_or_default().to_owned();
        let kind = field.attr("type").unwrap_or("text");
        let value = match (field.value().name(), kind) {
            ("input", "submit" | "button" | "image" | "file") => continue,
            ("input", "checkbox" | "radio") if field.attr("checked").is_none() => continue,
            ("input", "checkbox" | "radio") => field.attr("value").unwrap_or("on").to_owned(),
            ("select", _) => {
                let option = field.select(&chosen).next().or_else(|| field.select(&first).next());
                option
                    .map(|option| option.attr("value").map_or_else(|| text(option), str::to_owned))
                    .unwrap_or_default()
            }
            ("textarea", _) => field.text().collect(),
            _ => field.attr("value").unwrap_or_default().to_owned(),
        };
        values.push((name, value));
    }
    Some(values)
}

/// The text of an element as it is read: white space collapsed.
fn text(element: ElementRef<'_>) -> String {
    let words: Vec<&str> = element.text().flat_map(str::split_whitespace).collect();
    words.join(" ")
}
