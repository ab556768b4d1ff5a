//! Apps that registered themselves: what their journeys show of them, and the page before somebody is sent to one.

use serde::Serialize;
use vestibule_rules::oauth::callback::Answer;
use vestibule_service::journey::Stranger;
use vestibule_service::visit::Segments;

use super::Page;
use crate::link;

/// The app above a journey's form. Nobody vouches for it, and the page says so.
#[derive(Clone, Debug, Serialize)]
pub struct StrangerPart {
    name: String,
    /// Its logo, which this server keeps.
    logo: Option<String>,
    policy: Option<String>,
    terms: Option<String>,
}

impl StrangerPart {
    /// The app as pages below `segments` show it.
    pub fn new(stranger: Stranger, segments: &Segments) -> Self {
        let logo = stranger.logo.map(|digest| link::app_logo(segments, stranger.client, &digest));
        Self { name: stranger.name, logo, policy: stranger.policy, terms: stranger.terms }
    }

    /// An app that tests look at.
    pub(super) fn sample() -> Self {
        Self {
            name: "Notes <b>for</b> \"everybody\"".to_owned(),
            logo: Some("/woodgrove/app-logo/0f2f1c9e-8f3c-4a53-9d0e-6a6f2c1b7a10?v=c3Jm".to_owned()),
            policy: Some("https://notes.example/privacy?a=1&b=\"2\"".to_owned()),
            terms: Some("https://notes.example/terms".to_owned()),
        }
    }
}

/// Asks before somebody is sent to an app that nobody vouches for (security.md S7).
#[derive(Clone, Debug, Serialize)]
pub struct OnwardPage {
    app: String,
    /// Where a link leads, or a form.
    target: String,
    /// What is posted there; nothing for a link.
    fields: Option<Vec<(String, String)>>,
}

impl OnwardPage {
    /// The page before an answer to an app.
    pub fn new(app: String, answer: Answer) -> Self {
        match answer {
            Answer::Redirect(target) => Self { app, target, fields: None },
            Answer::Post { action, fields } => Self { app, target: action, fields: Some(fields) },
        }
    }
}

impl Page for OnwardPage {
    const TEMPLATE: &'static str = "pages/onward.html";

    fn samples() -> Vec<Self> {
        let app = || "Notes <script>alert(1)</script>".to_owned();
        let fields = vec![("state".to_owned(), "\"><script>alert(1)</script>".to_owned())];
        vec![
            Self::new(app(), Answer::Redirect("https://notes.example/cb?error=x&state=\"1\"".to_owned())),
            Self::new(app(), Answer::Post { action: "https://notes.example/cb".to_owned(), fields }),
        ]
    }
}
