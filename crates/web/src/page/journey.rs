//! The page of a journey's step, and the page of a journey that is over.

use serde::Serialize;
use vestibule_rules::directory::terms::{self, TermsText};
use vestibule_rules::journey::form::{FieldKind, Form, FormField, Text};
use vestibule_rules::journey::step::StepName;
use vestibule_rules::text::Message;
use vestibule_rules::time::Timestamp;
use vestibule_service::journey::Standing;

use super::Page;
use super::stranger::StrangerPart;
use super::ways::{Device, Ways};
use crate::country;

/// Where the form goes and what proves that it came from here.
#[derive(Clone, Debug)]
pub struct Way {
    /// The path that the form posts to.
    pub action: String,
    pub csrf: String,
    /// The step and revision that the form answers.
    pub step: String,
}

/// One step, as the rules ask it.
#[derive(Clone, Debug, Serialize)]
pub struct JourneyPage {
    action: String,
    csrf: String,
    step: String,
    form: Form,
    /// The field that has the focus when the page opens; empty for none.
    focus: String,
    /// How many problems there are.
    problems: usize,
    /// Their ids, for tests and support.
    codes: String,
    /// Seconds until another code can be asked for.
    wait: i64,
    /// The address that a password belongs to, for password managers.
    account: Option<String>,
    /// The language of the names of countries; empty when there are none.
    names: String,
    ways: Ways,
    /// The app, when nobody vouches for it.
    stranger: Option<StrangerPart>,
}

impl JourneyPage {
    /// Prepares a form for its template. `hint` is the tenant's own hint at the address field.
    pub fn new(way: Way, mut form: Form, hint: Option<&str>, now: Timestamp) -> Self {
        if let Some(field) = form.fields.iter_mut().find(|f| f.name == "username" && f.hint.is_none()) {
            field.hint = hint.map(|text| Text::Markdown(text.to_owned()));
        }
        let problems = problems(&form);
        let until = form.actions.iter().filter_map(|a| a.available_at).max();
        Self {
            focus: focus(&form, problems.len()).to_owned(),
            codes: problems.iter().map(|m| m.id.as_str()).collect::<Vec<_>>().join(" "),
            problems: problems.len(),
            wait: until.map_or(0, |at| at.since(now).as_seconds_ceil().clamp(0, 86_400)),
            account: account(&form),
            action: way.action,
            csrf: way.csrf,
            step: way.step,
            names: String::new(),
            stranger: None,
            ways: Ways::new(form.providers.clone(), Device::default()),
            form,
        }
    }

    /// The page as a device shows it that has been here before, or that is no browser.
    #[must_use]
    pub fn on(mut self, device: Device<'_>) -> Self {
        self.ways = Ways::new(self.form.providers.clone(), device);
        self
    }

    /// The page of a journey to an app that registered itself.
    #[must_use]
    pub fn to(mut self, stranger: Option<StrangerPart>) -> Self {
        self.stranger = stranger;
        self
    }

    /// The page with the names of countries in the first of the languages that has them, and with documents in
    /// the language that suits best.
    #[must_use]
    pub fn in_language(mut self, languages: &[String]) -> Self {
        for field in &mut self.form.fields {
            match field.kind {
                FieldKind::Country => self.names = country::name(languages, &mut field.options),
                FieldKind::Terms => in_one_language(field, languages),
                _ => {}
            }
        }
        self
    }
}

/// Leaves the words that the visitor is shown: ticking the box accepts these and no others.
fn in_one_language(field: &mut FormField, languages: &[String]) {
    let Some(shown) = terms::choose(&field.documents, languages).cloned() else { return };
    field.label = Text::Message(Message::new("field-terms").with("title", &shown.title));
    field.documents = vec![shown];
}

fn problems(form: &Form) -> Vec<&Message> {
    form.problems.iter().chain(form.fields.iter().filter_map(|f| f.problem.as_ref())).collect()
}

/// One problem: its field. Several: the summary, which the template focuses. None: the field of a step that
/// asks for one thing only; a longer form is read from its top.
fn focus(form: &Form, problems: usize) -> &str {
    if problems == 1 {
        return form.fields.iter().find(|f| f.problem.is_some()).map_or("", |f| &f.name);
    }
    let short = match form.step {
        StepName::Identify
        | StepName::SignUp
        | StepName::Reset
        | StepName::Password
        | StepName::Code
        | StepName::Address
        | StepName::Guardian
        | StepName::NewPassword => true,
        StepName::Details
        | StepName::GuardianWait
        | StepName::GuardianAgreed
        | StepName::Exists
        | StepName::Refused
        | StepName::Stay
        | StepName::Leave
        | StepName::Ended => false,
    };
    if problems == 0 && short { form.fields.first().map_or("", |f| &f.name) } else { "" }
}

/// Password managers save a password under the address that stands in the same form.
fn account(form: &Form) -> Option<String> {
    let secret = |kind| matches!(kind, FieldKind::CurrentPassword | FieldKind::NewPassword);
    form.fields.iter().find(|f| secret(f.kind))?;
    match form.lead.as_ref()? {
        Text::Message(lead) => lead.args.get("address").cloned(),
        Text::Markdown(_) => None,
    }
}

impl Page for JourneyPage {
    const TEMPLATE: &'static str = "pages/journey.html";

    fn samples() -> Vec<Self> {
        let forms = super::samples::forms().into_iter().enumerate();
        forms
            .map(|(i, form)| {
                let way = Way {
                    action: "/woodgrove/journey/0f2f1c9e-8f3c-4a53-9d0e-6a6f2c1b7a10".to_owned(),
                    csrf: "c3Jm\"><script>alert(1)</script>".to_owned(),
                    step: format!("{}.3", form.step.as_str()),
                };
                let now = Timestamp::from_seconds(1_795_486_536);
                let stranger = (i == 0).then(StrangerPart::sample);
                Self::new(way, form, None, now).to(stranger).in_language(&["de".to_owned()])
            })
            .collect()
    }
}

/// A document that a journey asks to accept.
#[derive(Clone, Debug, Serialize)]
pub struct TermsPage {
    version: String,
    document: TermsText,
}

impl TermsPage {
    /// The page of a document in one language.
    pub const fn new(version: String, document: TermsText) -> Self {
        Self { version, document }
    }
}

impl Page for TermsPage {
    const TEMPLATE: &'static str = "pages/terms.html";

    fn samples() -> Vec<Self> {
        let text = "# 1. Who we are\n\nWoodgrove sells **timber** and [tools](https://woodgrove.example/tools).\n\n\
                    # 2. What you promise\n\n1. You are who you say.\n2. You keep your password to yourself.\n\n\
                    <script>alert(1)</script>";
        let document = |title: &str| TermsText {
            language: "en".to_owned(),
            title: title.to_owned(),
            text: Some(text.to_owned()),
            link: None,
        };
        vec![
            Self::new("2026-11".to_owned(), document("Terms of use")),
            Self::new("\"><script>alert(1)</script>".to_owned(), document("<script>alert(1)</script>")),
        ]
    }
}

/// A journey that somebody comes back to when it is over.
#[derive(Clone, Debug, Serialize)]
pub struct EndedPage {
    title: &'static str,
    lead: &'static str,
    app_name: String,
    /// The app's address, if it has one that a browser can go to.
    back: Option<String>,
}

impl EndedPage {
    /// The page of a journey that takes no more answers.
    pub fn new(standing: Standing, app_name: String, back: Option<String>) -> Self {
        let (title, lead) = match standing {
            Standing::Cancelled => ("ended-cancelled-title", "ended-cancelled-lead"),
            Standing::Expired => ("ended-expired-title", "ended-expired-lead"),
            Standing::SignedIn | Standing::Open => ("ended-signed-in-title", "ended-signed-in-lead"),
        };
        Self { title, lead, app_name, back }
    }
}

impl Page for EndedPage {
    const TEMPLATE: &'static str = "pages/ended.html";

    fn samples() -> Vec<Self> {
        vec![
            Self::new(
                Standing::SignedIn,
                "Woodgrove <b>Suppliers</b>".to_owned(),
                Some("http://localhost:3000".to_owned()),
            ),
            Self::new(Standing::Cancelled, "Woodgrove Suppliers".to_owned(), None),
            Self::new(
                Standing::Expired,
                "Woodgrove Suppliers".to_owned(),
                Some("http://localhost:3000".to_owned()),
            ),
        ]
    }
}
