//! Pages of a preview: those of a flow as visitors get them, below a bar that says what they are.

use serde::Serialize;
use vestibule_rules::journey::form::Text;
use vestibule_rules::text::Message;

use super::Page;
use super::journey::JourneyPage;

/// The bar above a previewed page.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    /// The flow's name.
    pub flow: String,
    /// Who the invented visitor is.
    pub who: Message,
    /// What else there is to know about the page.
    pub note: Option<Message>,
    /// The ways to start again.
    pub starts: Vec<Choice>,
    /// The languages; fewer than two are no choice.
    pub languages: Vec<Choice>,
}

/// A link of the bar.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    /// The link's `id`.
    pub id: String,
    pub href: String,
    pub label: Text,
    /// The language of the label, where it is another one than the page's.
    pub lang: Option<String>,
    pub current: bool,
}

/// One step of a flow that is previewed.
#[derive(Clone, Debug, Serialize)]
pub struct PreviewJourneyPage {
    pub bar: Bar,
    #[serde(flatten)]
    pub journey: JourneyPage,
}

/// What a walk through the flow has come to.
#[derive(Clone, Debug, Serialize)]
pub struct PreviewEndPage {
    pub bar: Bar,
    pub title: &'static str,
    pub lead: &'static str,
    /// What would stand in the directory, as JSON.
    pub account: Option<String>,
    /// The claims of the ID token, as JSON.
    pub token: Option<String>,
    /// Where to start again.
    pub again: String,
}

fn bar() -> Bar {
    let choice = |id: &str, label: Text, current| Choice {
        id: id.to_owned(),
        href: format!("/as/{id}?lang=en"),
        label,
        lang: None,
        current,
    };
    let hostile = "Fabrikam <b>\"&amp;";
    let through = Message::new("preview-start-provider").with("provider", hostile);
    let language = |name: &str| Text::Markdown(name.to_owned());
    Bar {
        flow: "Partners <script>alert(1)</script>".to_owned(),
        who: Message::new("preview-who-through").with("name", "Robin Sample").with("provider", hostile),
        note: Some(Message::new("preview-note-code").with("code", "04821390")),
        starts: vec![
            choice("newcomer", Text::Message(Message::new("preview-start-newcomer")), true),
            choice("account", Text::Message(Message::new("preview-start-account")), false),
            choice("via-fabrikam", Text::Message(through), false),
        ],
        languages: vec![
            choice("lang-en", language("English"), true),
            Choice { lang: Some("de".to_owned()), ..choice("lang-de", language("Deutsch"), false) },
        ],
    }
}

impl Page for PreviewJourneyPage {
    const TEMPLATE: &'static str = "pages/preview_journey.html";

    fn samples() -> Vec<Self> {
        JourneyPage::samples().into_iter().map(|journey| Self { bar: bar(), journey }).collect()
    }
}

impl Page for PreviewEndPage {
    const TEMPLATE: &'static str = "pages/preview_end.html";

    fn samples() -> Vec<Self> {
        let json = "{\n  \"displayName\": \"</pre><script>alert(1)</script>\"\n}";
        let done = Self {
            bar: bar(),
            title: "preview-end-created-title",
            lead: "preview-end-created-lead",
            account: Some(json.to_owned()),
            token: Some(json.to_owned()),
            again: "/as/newcomer".to_owned(),
        };
        let cancelled = Self {
            title: "preview-end-cancelled-title",
            lead: "preview-end-cancelled-lead",
            account: None,
            token: None,
            ..done.clone()
        };
        vec![done, cancelled]
    }
}
