//! A step as a form: typed fields with constraints, current values and problems, and the actions that are
//! allowed. Pages and the JSON API are two renderers of it; secrets never have a value here.

use serde::Serialize;

use super::engine::{CODE_LENGTH, next};
use super::facts::{Facts, Intent};
use super::flow::{Field, Flow, FlowPage};
use super::linking;
use super::pages::{Page, outline};
use super::password;
use super::step::{Step, StepName};
use super::terms;
use super::values;
use crate::directory::attribute::DataType;
use crate::directory::flow::{Bound, InputOption, InputType};
use crate::directory::provider::kind::ProviderKind;
use crate::directory::terms::{Terms, TermsText};
use crate::ids::ProviderId;
use crate::text::Message;
use crate::time::Timestamp;

/// Everything a renderer needs for one step.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Form {
    pub step: StepName,
    /// What to do, as the page's only `h1`.
    pub title: Text,
    /// One sentence of help.
    pub lead: Option<Text>,
    /// Problems with the form as a whole.
    pub problems: Vec<Message>,
    pub fields: Vec<FormField>,
    /// The primary action first.
    pub actions: Vec<Action>,
    /// Providers to choose instead.
    pub providers: Vec<ProviderButton>,
    /// Which page of how many this is, when there are several; more may follow from the answers.
    pub progress: Option<Progress>,
    /// The number of a refusal, 0 when there is none.
    pub code: u32,
    /// A question folded away below the form, with its answer.
    pub help: Option<(Message, Message)>,
}

/// How far somebody is among pages that are known so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Progress {
    /// The page that is shown, from 1.
    pub page: usize,
    pub of: usize,
}

/// Words from the catalogue, or an administrator's own with Markdown links.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Text {
    Message(Message),
    Markdown(String),
}

/// One field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FormField {
    /// `name` and `id` of the input.
    pub name: String,
    pub kind: FieldKind,
    pub label: Text,
    pub hint: Option<Text>,
    /// Choices with their labels; a label may carry Markdown links.
    pub options: Vec<Choice>,
    /// Current values; one for all kinds but [`FieldKind::Checkboxes`]. Empty for secrets.
    pub values: Vec<String>,
    pub required: bool,
    /// Shown, and not to be changed.
    pub fixed: bool,
    /// HTML `autocomplete` token; empty means none.
    pub autocomplete: String,
    pub max_length: usize,
    /// The document to accept, in every language that it has; a page shows one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<TermsText>,
    pub problem: Option<Message>,
}

/// One choice of a field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Choice {
    pub value: String,
    pub label: String,
}

/// How a field is rendered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    Email,
    Text,
    Phone,
    Url,
    Multiline,
    Integer,
    /// A whole number that may be below zero: keypads of numbers lack the sign.
    SignedInteger,
    /// Day, month and year; the value is `year-month-day`, with parts that may be missing.
    Date,
    /// A list of countries: the options are codes, and the renderer knows their names.
    Country,
    CurrentPassword,
    NewPassword,
    Code,
    Radio,
    Select,
    Checkboxes,
    Checkbox,
    /// A box whose value is the language of the document that is accepted with it.
    Terms,
}

/// A button or link of the form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Action {
    /// The `id` of the button and the value that is posted as `action`.
    pub id: &'static str,
    pub label: Message,
    pub style: ActionStyle,
    /// Until when the action is of no use; absent when it works now.
    pub available_at: Option<Timestamp>,
}

/// The weight of an action on the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionStyle {
    Primary,
    Quiet,
    Link,
}

/// A provider to choose.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProviderButton {
    pub id: ProviderId,
    pub kind: ProviderKind,
    pub display_name: String,
    /// `Sign up with …` or `Continue with …`.
    pub label: Message,
}

/// The form of the step that the facts lead to.
pub fn form(flow: &Flow, facts: &Facts) -> Form {
    let step = next(facts);
    let mut form = Form {
        step: step.name(),
        title: Text::Message(Message::new(title(&step, facts))),
        lead: None,
        problems: facts.problems.iter().filter(|p| p.field.is_empty()).map(|p| p.message.clone()).collect(),
        fields: Vec::new(),
        actions: Vec::new(),
        providers: Vec::new(),
        progress: None,
        code: 0,
        help: None,
    };
    match &step {
        Step::Identify | Step::SignUp | Step::Reset => identify(flow, facts, &mut form),
        Step::Password { address } => password_page(flow, facts, address, &mut form),
        Step::Code { .. } => code(facts, &step, &mut form),
        Step::NewPassword { address } => {
            form.lead = said(Message::new("new-password-lead").with("address", address));
            new_password(flow, &mut form);
            form.actions = vec![primary("action-save-password"), link("change-address")];
        }
        Step::Details { address, .. } => details(flow, facts, address, &mut form),
        Step::Guardian => guardian(flow, facts, &mut form),
        Step::GuardianWait { address, resend_at, .. } => waiting(address, *resend_at, &mut form),
        Step::GuardianAgreed => {
            form.lead = said(Message::new("guardian-agreed-lead"));
            form.actions = vec![primary("action-create-account")];
        }
        Step::Address => own_address(flow, facts, &mut form),
        Step::Exists { address } => exists(flow, facts, address, &mut form),
        Step::Refused(refusal) => {
            form.problems = vec![refusal.message.clone()];
            form.code = refusal.code;
            form.actions = vec![primary("action-another-way")];
        }
        Step::Stay => {
            form.lead = said(Message::new("stay-lead"));
            form.actions = vec![primary("action-yes"), action("no", "action-no", ActionStyle::Quiet)];
        }
        Step::Leave { provider, .. } => leave(flow, provider, &mut form),
        Step::Ended { .. } => {}
    }
    if !matches!(step, Step::Stay | Step::Ended { .. }) {
        form.actions.push(action("cancel", "action-cancel", ActionStyle::Quiet));
    }
    place_problems(facts, &mut form);
    form
}

fn title(step: &Step, facts: &Facts) -> &'static str {
    match step {
        Step::Identify => "identify-title",
        Step::SignUp => "sign-up-title",
        Step::Reset => "reset-title",
        Step::Password { .. } => "password-title",
        Step::Code { .. } if facts.verifying.is_some() => "code-title-attribute",
        Step::Code { .. } if facts.intent == Intent::Reset => "code-title-reset",
        Step::Code { .. } => "code-title",
        Step::NewPassword { .. } => "new-password-title",
        Step::Details { .. } => "details-title",
        Step::Guardian => "guardian-title",
        Step::GuardianWait { .. } => "guardian-wait-title",
        Step::GuardianAgreed => "guardian-agreed-title",
        Step::Address => "address-title",
        Step::Exists { .. } => "exists-title",
        Step::Refused(_) => "refused-title",
        Step::Stay => "stay-title",
        Step::Leave { .. } => "leave-title",
        Step::Ended { cancelled: true } => "ended-title-cancelled",
        Step::Ended { cancelled: false } => "ended-title",
    }
}

fn identify(flow: &Flow, facts: &Facts, form: &mut Form) {
    let (lead, submit, other) = match facts.intent {
        Intent::SignIn => ("identify-lead", "action-next", flow.sign_up_allowed.then_some("sign-up")),
        Intent::SignUp if flow.has_password() || flow.has_code() => {
            ("sign-up-lead", "action-send-code", Some("sign-in"))
        }
        Intent::SignUp => ("sign-up-lead-provider", "action-next", Some("sign-in")),
        Intent::Reset => ("reset-lead", "action-send-code", Some("sign-in")),
    };
    form.lead = said(Message::new(lead).with("tenant", &flow.tenant_name));
    if flow.has_local() {
        form.fields.push(FormField {
            autocomplete: "username".to_owned(),
            values: facts.opening.login_hint.clone().into_iter().collect(),
            max_length: 254,
            ..blank(FieldKind::Email, "username", "field-username")
        });
        form.actions.push(primary(submit));
    }
    form.actions.extend(other.map(|id| match facts.intent {
        Intent::SignUp => action(id, "action-sign-in-instead", ActionStyle::Link),
        Intent::SignIn | Intent::Reset => link(id),
    }));
    if facts.intent == Intent::SignIn && flow.has_password() {
        form.actions.push(link("forgot-password"));
    }
    if facts.intent != Intent::Reset {
        let id = if facts.intent == Intent::SignUp { "provider-sign-up" } else { "provider-sign-in" };
        form.providers = flow
            .buttons()
            .map(|(provider, name, kind)| ProviderButton {
                id: provider.clone(),
                kind,
                display_name: name.to_owned(),
                label: Message::new(id).with("provider", name),
            })
            .collect();
    }
}

fn password_page(flow: &Flow, facts: &Facts, address: &str, form: &mut Form) {
    form.lead = said(match &facts.linking {
        Some(linking) => {
            let provider = name_of(flow, &linking.federated.provider);
            Message::new("password-connect-lead").with("address", address).with("provider", provider)
        }
        None => Message::new("password-lead").with("address", address),
    });
    form.fields.push(secret(FieldKind::CurrentPassword, "password", "field-password"));
    form.actions = vec![primary("action-sign-in"), link("forgot-password"), link("change-address")];
    if flow.sign_up_allowed {
        form.actions.push(link("sign-up"));
    }
}

fn leave(flow: &Flow, provider: &ProviderId, form: &mut Form) {
    let name = name_of(flow, provider);
    form.title = Text::Message(Message::new("leave-title").with("provider", &name));
    form.lead = said(Message::new("leave-lead").with("provider", &name));
    let go = Message::new("action-continue-provider").with("provider", name);
    form.actions = vec![primary_message(go), action("sign-in", "action-another-way", ActionStyle::Link)];
}

/// The name on a provider's button.
fn name_of(flow: &Flow, provider: &ProviderId) -> String {
    flow.provider(provider).map_or_else(|| provider.to_string(), |(_, name)| name.to_owned())
}

/// Which address is theirs, as their provider does not vouch for one.
fn own_address(flow: &Flow, facts: &Facts, form: &mut Form) {
    let provider = facts.federated.as_ref().map_or_else(String::new, |f| name_of(flow, &f.provider));
    form.lead = said(Message::new("address-lead").with("provider", provider));
    form.fields.push(FormField {
        autocomplete: "email".to_owned(),
        values: facts.opening.login_hint.clone().into_iter().collect(),
        max_length: 254,
        ..blank(FieldKind::Email, "username", "field-username")
    });
    form.actions =
        vec![primary("action-send-code"), action("sign-in", "action-sign-in-instead", ActionStyle::Link)];
}

/// There is an account: to sign in, and to connect it with the provider that they came by.
fn exists(flow: &Flow, facts: &Facts, address: &str, form: &mut Form) {
    if let Some(linking) = linking::offered(flow, facts) {
        let provider = name_of(flow, &linking.federated.provider);
        let lead = Message::new("exists-connect-lead").with("address", address).with("provider", &provider);
        form.lead = said(lead);
        form.actions = vec![
            primary_message(Message::new("action-connect").with("provider", provider)),
            action("sign-in", "action-sign-in-unconnected", ActionStyle::Link),
        ];
    } else {
        form.lead = said(Message::new("exists-lead").with("address", address));
        form.actions = vec![primary("action-continue-sign-in")];
    }
    if flow.sign_up_allowed {
        form.actions.push(link("sign-up"));
    }
}

fn code(facts: &Facts, step: &Step, form: &mut Form) {
    let Step::Code { address, resend_at, exhausted, .. } = step else { return };
    form.lead = said(Message::new("code-lead").with("address", address));
    form.fields.push(FormField {
        autocomplete: "one-time-code".to_owned(),
        max_length: CODE_LENGTH + 4,
        // Whoever comes back to a burnt code learns why it is of no use before typing it.
        problem: exhausted.then(|| Message::new("code-exhausted")),
        ..blank(FieldKind::Code, "code", "field-code")
    });
    let signs_in = facts.intent == Intent::SignIn && facts.verifying.is_none();
    let submit = if signs_in { "action-sign-in" } else { "action-verify" };
    let mut again = link("resend");
    again.available_at = Some(*resend_at);
    form.actions = vec![primary(submit), again, link("change-address")];
    form.help =
        Some((Message::new("code-help-question"), Message::new("code-help-answer").with("address", address)));
}

/// Whom to ask.
fn guardian(flow: &Flow, facts: &Facts, form: &mut Form) {
    form.lead = said(Message::new("guardian-lead").with("tenant", &flow.tenant_name));
    form.fields.push(FormField {
        hint: said(Message::new("field-guardian-hint")),
        values: facts.guardian_typed.clone().into_iter().collect(),
        max_length: 254,
        ..blank(FieldKind::Email, "guardian", "field-guardian")
    });
    form.actions = vec![primary("action-ask-guardian"), action("back", "action-back", ActionStyle::Quiet)];
}

/// For whom the page waits, and how to help it along.
fn waiting(address: &str, resend_at: Timestamp, form: &mut Form) {
    form.lead = said(Message::new("guardian-wait-lead").with("address", address));
    let mut again = action("resend", "action-resend-guardian", ActionStyle::Link);
    again.available_at = Some(resend_at);
    let other = action("change-address", "action-change-guardian", ActionStyle::Link);
    form.actions = vec![primary("action-check-again"), again, other];
}

/// What somebody has answered, as their guardian is shown it: questions with their answers, none of them to be
/// changed.
pub fn answers(flow: &Flow, facts: &Facts) -> Vec<FormField> {
    let outline = outline(flow, facts);
    let shown = outline.judged.iter().map(|judged| judged.field).filter(|f| values::is_shown(facts, f));
    shown.map(|f| FormField { fixed: true, ..attribute(facts, f) }).filter(|f| !f.values.is_empty()).collect()
}

fn details(flow: &Flow, facts: &Facts, address: &str, form: &mut Form) {
    let outline = outline(flow, facts);
    let (title, description) = match outline.page().and_then(|page| view(flow, page)) {
        Some(view) => (&view.title, &view.description),
        None => (&flow.title, &flow.description),
    };
    let lead = match outline.page() {
        _ if facts.catching_up => {
            let only_terms = outline.shown(facts).is_empty();
            let (title, lead) = if only_terms {
                ("details-terms-title", "details-terms-lead")
            } else {
                ("details-missing-title", "details-missing-lead")
            };
            form.title = Text::Message(Message::new(title));
            Message::new(lead).with("tenant", &flow.tenant_name)
        }
        Some(Page::Closing) => {
            form.title = Text::Message(Message::new("details-closing-title"));
            Message::new("details-lead").with("address", address)
        }
        Some(Page::View(_)) | None => Message::new("details-lead").with("address", address),
    };
    // The administrator's words are about the page as newcomers see it.
    let theirs = !facts.catching_up && outline.page() != Some(Page::Closing);
    if let Some(title) = title.as_ref().filter(|_| theirs) {
        form.title = Text::Markdown(title.clone());
    }
    form.lead = match description.as_ref().filter(|_| theirs) {
        Some(text) => Some(Text::Markdown(text.clone())),
        None => said(lead),
    };
    if outline.has_password(flow, facts) {
        new_password(flow, form);
    }
    form.fields.extend(outline.shown(facts).into_iter().map(|f| attribute(facts, f)));
    form.fields.extend(outline.terms(flow, facts).into_iter().map(|document| accept(facts, document)));
    form.progress =
        (outline.pages.len() > 1).then(|| Progress { page: outline.current + 1, of: outline.pages.len() });
    let submit = match (outline.is_last(), facts.catching_up) {
        (false, _) | (true, true) => "action-next",
        (true, false) => "action-create-account",
    };
    form.actions = vec![primary(submit)];
    if outline.current > 0 {
        form.actions.push(action("back", "action-back", ActionStyle::Quiet));
    }
    if !facts.catching_up {
        form.actions.push(link("change-address"));
    }
}

/// The page's own words; a flow of one page has them itself.
fn view(flow: &Flow, page: Page) -> Option<&FlowPage> {
    match page {
        Page::View(index) => flow.pages.get(index),
        Page::Closing => None,
    }
}

fn new_password(flow: &Flow, form: &mut Form) {
    let mut field = secret(FieldKind::NewPassword, "password", "field-new-password");
    field.hint = said(Message::new("field-new-password-hint").with("min", password::minimum(flow)));
    form.fields.push(field);
    if flow.strict {
        form.fields.push(secret(FieldKind::NewPassword, "confirm-password", "field-confirm-password"));
    }
}

/// The box of a document. Ticking it says in which language it was read.
fn accept(facts: &Facts, document: &Terms) -> FormField {
    let title = document.languages.first().map_or("", |text| text.title.as_str());
    FormField {
        label: Text::Message(Message::new("field-terms").with("title", title)),
        values: facts.agreed.get(&document.id).cloned().into_iter().collect(),
        required: document.required,
        documents: document.languages.clone(),
        ..blank(FieldKind::Terms, &terms::field_name(document), "field-terms")
    }
}

fn attribute(facts: &Facts, field: &Field) -> FormField {
    let input = &field.input;
    let label = match (&input.label, field.name.as_str()) {
        (Some(label), _) => Text::Markdown(label.clone()),
        (None, "") => Text::Message(Message::new(&format!("attribute-{}", field.id))),
        (None, name) => Text::Markdown(name.to_owned()),
    };
    FormField {
        name: field.id.0.clone(),
        kind: field_kind(field),
        label,
        hint: input.hint.clone().map(Text::Markdown).or_else(|| range_hint(field)),
        options: choices(field),
        values: values::initial(facts, field),
        required: input.required,
        fixed: !values::is_asked(facts, field),
        autocomplete: field.autocomplete.clone(),
        max_length: field.max_length,
        documents: Vec::new(),
        problem: None,
    }
}

fn field_kind(field: &Field) -> FieldKind {
    let below_zero = |bound: &Option<Bound>| matches!(bound, Some(Bound::Number(n)) if *n < 0);
    match (field.data_type, field.input.input_type) {
        (DataType::Boolean, _) | (DataType::String, InputType::Boolean | InputType::CheckboxSingleSelect) => {
            FieldKind::Checkbox
        }
        (DataType::Int64, _) if below_zero(&field.input.minimum) => FieldKind::SignedInteger,
        (DataType::Int64, _) | (DataType::String, InputType::NumericTextBox) => FieldKind::Integer,
        (DataType::DateTime, _) | (DataType::String, InputType::DateTimeDropdown) => FieldKind::Date,
        (DataType::StringCollection, _) | (DataType::String, InputType::CheckboxMultiSelect) => {
            FieldKind::Checkboxes
        }
        (DataType::String, InputType::RadioSingleSelect) => FieldKind::Radio,
        (DataType::String, InputType::DropdownSingleSelect) => FieldKind::Select,
        (DataType::String, InputType::EmailBox) => FieldKind::Email,
        (DataType::String, InputType::Phone) => FieldKind::Phone,
        (DataType::String, InputType::Url) => FieldKind::Url,
        (DataType::String, InputType::Country) => FieldKind::Country,
        (DataType::String, InputType::Text) => match field.autocomplete.as_str() {
            "tel" => FieldKind::Phone,
            "street-address" => FieldKind::Multiline,
            _ => FieldKind::Text,
        },
    }
}

/// What may be typed, where the administrator does not say it.
fn range_hint(field: &Field) -> Option<Text> {
    let Some((Bound::Number(min), Bound::Number(max))) =
        field.input.minimum.as_ref().zip(field.input.maximum.as_ref())
    else {
        return (field.input.input_type == InputType::Phone && field.input.default_region.is_none())
            .then(|| Text::Message(Message::new("field-phone-hint")));
    };
    said(Message::new("field-range-hint").with("min", min).with("max", max))
}

/// The choices: the administrator's, or the codes of all countries.
fn choices(field: &Field) -> Vec<Choice> {
    if field.input.input_type == InputType::Country {
        let choice = |code: &str| Choice { value: code.to_owned(), label: code.to_owned() };
        return values::text::countries().map(choice).collect();
    }
    let choice = |o: &InputOption| Choice { value: o.value.clone(), label: o.label.clone() };
    field.input.options.iter().map(choice).collect()
}

fn place_problems(facts: &Facts, form: &mut Form) {
    for problem in facts.problems.iter().filter(|p| !p.field.is_empty()) {
        match form.fields.iter_mut().find(|f| f.name == problem.field) {
            Some(field) => field.problem = Some(problem.message.clone()),
            // A problem with a field that is not shown must still be told.
            None => form.problems.push(problem.message.clone()),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it fills optional members")]
fn said(message: Message) -> Option<Text> {
    Some(Text::Message(message))
}

fn blank(kind: FieldKind, name: &str, label: &str) -> FormField {
    FormField {
        name: name.to_owned(),
        kind,
        label: Text::Message(Message::new(label)),
        hint: None,
        options: Vec::new(),
        values: Vec::new(),
        required: true,
        fixed: false,
        autocomplete: String::new(),
        max_length: password::MAX,
        documents: Vec::new(),
        problem: None,
    }
}

fn secret(kind: FieldKind, name: &str, label: &str) -> FormField {
    let autocomplete = if kind == FieldKind::NewPassword { "new-password" } else { "current-password" };
    FormField { autocomplete: autocomplete.to_owned(), ..blank(kind, name, label) }
}

fn primary(label: &str) -> Action {
    primary_message(Message::new(label))
}

const fn primary_message(label: Message) -> Action {
    Action { id: "submit", label, style: ActionStyle::Primary, available_at: None }
}

fn link(id: &'static str) -> Action {
    action(id, &format!("action-{id}"), ActionStyle::Link)
}

fn action(id: &'static str, label: &str, style: ActionStyle) -> Action {
    Action { id, label: Message::new(label), style, available_at: None }
}

#[cfg(test)]
mod tests;
