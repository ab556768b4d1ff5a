//! The page that a parent or guardian is led to by a mail.

use serde::Serialize;
use vestibule_rules::journey::form::{FieldKind, Form, FormField, Text};
use vestibule_rules::text::Message;
use vestibule_service::journey::guardian::{GuardianStanding, GuardianView};

use super::Page;
use crate::country;

/// What a newcomer has answered, and whether their guardian agrees.
#[derive(Clone, Debug, Serialize)]
pub struct GuardianPage {
    open: bool,
    title: Message,
    lead: Message,
    answers: Vec<Answered>,
    csrf: String,
}

/// A question with its answers as they were shown.
#[derive(Clone, Debug, Serialize)]
struct Answered {
    label: Text,
    /// What was typed.
    values: Vec<String>,
    /// Whether the answer is a ticked box, and nothing else.
    ticked: bool,
    /// Year, month and day of a date.
    date: Option<[String; 3]>,
}

impl GuardianPage {
    /// Prepares the page; names of countries are in the first of the languages that has them.
    pub fn new(view: GuardianView, languages: &[String]) -> Self {
        let (title, lead) = match view.standing {
            GuardianStanding::Open => ("guardian-page-title", "guardian-page-lead"),
            GuardianStanding::Agreed => ("guardian-page-agreed-title", "guardian-page-agreed-lead"),
            GuardianStanding::Refused => ("guardian-page-refused-title", "guardian-page-refused-lead"),
            GuardianStanding::Replaced => ("guardian-page-over-title", "guardian-page-replaced-lead"),
            GuardianStanding::Expired => ("guardian-page-over-title", "guardian-page-expired-lead"),
        };
        let about = |id: &str| {
            let message = Message::new(id).with("tenant", &view.tenant_name);
            message.with("address", &view.visitor).with("app", &view.app_name)
        };
        Self {
            open: view.standing == GuardianStanding::Open,
            title: about(title),
            lead: about(lead),
            answers: view.answers.into_iter().map(|field| answered(field, languages)).collect(),
            csrf: view.csrf,
        }
    }
}

fn answered(mut field: FormField, languages: &[String]) -> Answered {
    if field.kind == FieldKind::Country {
        country::name(languages, &mut field.options);
    }
    let shown = |value: &String| {
        let choice = field.options.iter().find(|option| option.value == *value);
        choice.map_or_else(|| value.clone(), |choice| choice.label.clone())
    };
    let ticked = field.kind == FieldKind::Checkbox;
    let parts = field.values.first().filter(|_| field.kind == FieldKind::Date);
    let date = parts.and_then(|text| {
        let parts: Vec<String> =
            text.split('-').map(|part| part.trim_start_matches('0').to_owned()).collect();
        parts.try_into().ok()
    });
    let values = if ticked || date.is_some() { Vec::new() } else { field.values.iter().map(shown).collect() };
    Answered { label: field.label, values, ticked, date }
}

impl Page for GuardianPage {
    const TEMPLATE: &'static str = "pages/guardian.html";

    fn samples() -> Vec<Self> {
        let details = |form: &&Form| form.fields.len() > 8;
        let forms = super::samples::forms();
        let answers = forms.iter().find(details).map(|form| form.fields.clone()).unwrap_or_default();
        let answers: Vec<FormField> = answers.into_iter().filter(|f| !f.values.is_empty()).collect();
        let view = |standing| GuardianView {
            standing,
            visitor: "\"><script>alert(1)</script>@contoso.example".to_owned(),
            app_name: "Woodgrove <b>Shop</b>".to_owned(),
            tenant_name: "Woodgrove".to_owned(),
            answers: answers.clone(),
            csrf: "c3Jm\"><script>alert(1)</script>".to_owned(),
        };
        let all = [
            GuardianStanding::Open,
            GuardianStanding::Agreed,
            GuardianStanding::Refused,
            GuardianStanding::Replaced,
            GuardianStanding::Expired,
        ];
        all.into_iter().map(|standing| Self::new(view(standing), &["de".to_owned()])).collect()
    }
}
