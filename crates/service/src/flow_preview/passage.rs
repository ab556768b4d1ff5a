//! One walk through a flow that is previewed.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vestibule_rules::ids::ProviderId;
use vestibule_rules::journey::engine::{self, Turn};
use vestibule_rules::journey::facts::{Facts, Intent, Opening};
use vestibule_rules::journey::flow::{Field, Flow};
use vestibule_rules::journey::form::{self, FieldKind, Form, FormField};
use vestibule_rules::journey::input::Input;
use vestibule_rules::journey::question::{Answer, Question, RawFields};
use vestibule_rules::journey::step::{Step, StepName};
use vestibule_rules::journey::values;
use vestibule_rules::text::{Message, Secret};
use vestibule_rules::time::Timestamp;

use super::invent::{self, PASSWORD};
use super::{Stage, Who};
use crate::federation;
use crate::flow_test::token::{Mint, issuer};
use crate::flow_test::world::{Resident, World};

/// Whom a minor asks.
const GUARDIAN: &str = "guardian@preview.example";
/// The invented person's subject at every provider.
const SUBJECT: &str = "preview-4711";
/// What applications ask for as a rule.
const SCOPE: &str = "openid profile email";

/// Somebody on the way through a flow.
#[derive(Clone, Debug)]
pub struct Passage {
    who: Who,
    world: World,
    facts: Facts,
    now: Timestamp,
    /// Counts what was sent, so that an older page changes nothing.
    revision: u32,
}

/// What a person in front of the preview has to know about a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// The code that a mail would have brought.
    Code(String),
    /// No mail would have been sent, and the page must not tell.
    NoCode,
    /// The password of the account.
    Password(String),
}

/// How a walk ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Ending {
    /// The person went back to the application without an account or token.
    pub cancelled: bool,
    /// The account was created on this walk.
    pub created: bool,
    /// What stands in the directory.
    pub account: Option<Value>,
    /// The claims of the ID token; nothing when no application uses the flow.
    pub token: Option<Value>,
}

impl Passage {
    /// A walk at its beginning. The same every time, but for the clock.
    pub fn begin(stage: &Stage, who: &Who, now: Timestamp) -> Self {
        let mut world = World::new(&stage.flow.default_domain);
        if *who == Who::Holder {
            world.settle(holder(stage));
        }
        let newcomer = *who != Who::Holder && stage.flow.sign_up_allowed;
        let intent = if newcomer { Intent::SignUp } else { Intent::SignIn };
        let facts = engine::begin(&stage.flow, Opening { intent, login_hint: None, domain_hint: None });
        let mut passage = Self { who: who.clone(), world, facts, now, revision: 0 };
        if let Who::Through(provider) = who {
            passage.say(stage, Input::ChooseProvider(provider.clone()));
        }
        passage
    }

    /// As whom.
    pub const fn who(&self) -> &Who {
        &self.who
    }

    /// Which state of which step a form answers.
    pub fn step_token(&self) -> String {
        format!("{}.{}", engine::next(&self.facts).name().as_str(), self.revision)
    }

    /// The form of the step, with invented answers where the person has given none.
    pub fn form(&self, stage: &Stage) -> Form {
        let mut form = form::form(&stage.flow, &self.facts);
        for field in &mut form.fields {
            let typed = self.facts.typed.contains_key(&field.name);
            if field.values.is_empty() && !field.fixed && !typed {
                field.values = self.invented(&stage.flow, field);
            }
        }
        // Nobody waits for a code in a preview.
        for action in &mut form.actions {
            action.available_at = None;
        }
        form
    }

    fn invented(&self, flow: &Flow, field: &FormField) -> Vec<String> {
        let known = flow.fields.iter().find(|known| known.id.as_str() == field.name);
        match (known, field.kind) {
            (Some(known), _) => invent::answer(known, self.who.person()),
            (None, FieldKind::Terms) => {
                field.documents.first().map(|d| d.language.clone()).into_iter().collect()
            }
            (None, FieldKind::Email) if field.name == "guardian" => vec![GUARDIAN.to_owned()],
            (None, FieldKind::Email) => vec![self.who.person().address.to_owned()],
            (None, FieldKind::CurrentPassword | FieldKind::NewPassword) => vec![PASSWORD.to_owned()],
            (None, FieldKind::Code) => self.code().map(str::to_owned).into_iter().collect(),
            (
                None,
                FieldKind::Text
                | FieldKind::Phone
                | FieldKind::Url
                | FieldKind::Multiline
                | FieldKind::Integer
                | FieldKind::SignedInteger
                | FieldKind::Date
                | FieldKind::Country
                | FieldKind::Radio
                | FieldKind::Select
                | FieldKind::Checkboxes
                | FieldKind::Checkbox,
            ) => Vec::new(),
        }
    }

    /// The code that the page waits for.
    fn code(&self) -> Option<&str> {
        let digest = &self.facts.code.as_ref()?.digest;
        self.world.code_among(std::slice::from_ref(digest))
    }

    /// What there is to know about the page.
    pub fn note(&self) -> Option<Note> {
        match engine::next(&self.facts).name() {
            StepName::Code => Some(self.code().map_or(Note::NoCode, |code| Note::Code(code.to_owned()))),
            StepName::Password => Some(Note::Password(PASSWORD.to_owned())),
            StepName::Identify
            | StepName::SignUp
            | StepName::Reset
            | StepName::NewPassword
            | StepName::Details
            | StepName::Guardian
            | StepName::GuardianWait
            | StepName::GuardianAgreed
            | StepName::Address
            | StepName::Exists
            | StepName::Refused
            | StepName::Stay
            | StepName::Leave
            | StepName::Ended => None,
        }
    }

    /// Folds in what was posted. What answers an older page, or nothing, changes nothing: `false`.
    pub fn submit(&mut self, stage: &Stage, posted: &RawFields) -> bool {
        let first = |name: &str| posted.get(name).and_then(|values| values.first()).map(String::as_str);
        if first("step") != Some(self.step_token().as_str()) {
            return false;
        }
        if first("action") == Some("resend")
            && let Some(code) = &self.facts.code
        {
            self.now = self.now.max(code.resend_at);
        }
        let step = engine::next(&self.facts).name();
        let Some(input) = Input::read(step, posted) else { return false };
        if step == StepName::GuardianWait && input == Input::Continue {
            return self.hear_guardian(stage);
        }
        self.say(stage, input)
    }

    fn say(&mut self, stage: &Stage, input: Input) -> bool {
        let Ok(turn) = engine::submit(&stage.flow, self.facts.clone(), input, self.now) else { return false };
        self.follow(stage, turn)
    }

    /// The guardian agrees as soon as somebody looks whether they did.
    fn hear_guardian(&mut self, stage: &Stage) -> bool {
        let Some(sent) = self.facts.guardian.as_ref().map(|guardian| guardian.sent) else { return false };
        let (question, answer) = (Question::Guardian { sent }, Answer::GuardianAgreed(self.now));
        let turn = engine::answer(&stage.flow, self.facts.clone(), &question, answer);
        turn.is_ok_and(|turn| self.follow(stage, turn))
    }

    /// Answers for the world and, at once, for a provider.
    fn follow(&mut self, stage: &Stage, turn: Turn) -> bool {
        let Ok(facts) = self.world.follow(&stage.flow, turn, self.now) else { return false };
        self.facts = facts;
        self.revision += 1;
        let Step::Leave { provider, attempt } = engine::next(&self.facts) else { return true };
        let answer = self.federated(stage, &provider);
        let question = Question::Federation { provider, attempt };
        match engine::answer(&stage.flow, self.facts.clone(), &question, answer) {
            Ok(turn) => match self.world.follow(&stage.flow, turn, self.now) {
                Ok(facts) => {
                    self.facts = facts;
                    true
                }
                Err(_) => false,
            },
            Err(_) => false,
        }
    }

    /// What the provider says of the invented person: all that the tenant maps.
    fn federated(&self, stage: &Stage, id: &ProviderId) -> Answer {
        let failed =
            || Answer::FederationFailed { message: Message::new("refused-provider-failed"), code: 0 };
        let Some(provider) = stage.config.identity_providers.iter().find(|p| p.id == *id) else {
            return failed();
        };
        let person = self.who.person();
        let mut claims = Map::new();
        for (attribute, rule) in provider.claim_mapping() {
            let field = stage.flow.fields.iter().find(|field| field.id.as_str() == attribute);
            let said = field.map(|field| invent::answer(field, person).join(",")).filter(|s| !s.is_empty());
            if let Some((text, claim)) = said.zip(rule.source().names().first()) {
                claims.insert((*claim).to_owned(), Value::String(text));
            }
        }
        let (_, domain) = person.address.rsplit_once('@').unwrap_or_default();
        let (subject, email) = (provider.preset().subject, provider.preset().email);
        // A field that takes the name may take less than all of it.
        claims.entry("name").or_insert_with(|| Value::from(person.name));
        let own = [(subject, SUBJECT), (email, person.address), ("hd", domain)];
        claims.extend(own.map(|(name, text)| (name.to_owned(), Value::from(text))));
        let yes = ["email_verified", "xms_edov"].map(|name| (name.to_owned(), Value::Bool(true)));
        claims.extend(yes);
        let kind = stage.config.tenant.kind;
        let said = federation::said(&claims);
        let said = federation::federated(provider, kind, &issuer(&provider.issuer()), &said);
        said.map_or_else(|_| failed(), |said| Answer::Federated(Box::new(said)))
    }

    /// What came of the walk, once it is over.
    pub fn ending(&self, stage: &Stage) -> Option<Ending> {
        let Step::Ended { cancelled } = engine::next(&self.facts) else { return None };
        let user = self.facts.authenticated.as_ref().filter(|_| !cancelled).map(|a| a.user);
        let user = user.and_then(|id| self.world.holder(id)).map(|holder| &holder.user);
        let mint = |app| Mint { config: &stage.config, app, scope: SCOPE, now: self.now };
        let token = user.zip(stage.app.as_ref()).map(|(user, app)| mint(app).id_token(&self.facts, user));
        Some(Ending {
            cancelled,
            created: self.world.created.is_some(),
            account: user.and_then(|user| serde_json::to_value(user).ok()),
            token,
        })
    }
}

/// The account of somebody who has one, made the way the flow makes them.
fn holder(stage: &Stage) -> Resident {
    let person = Who::Holder.person();
    let flow = &stage.flow;
    let kind = stage.config.tenant.kind;
    let at = |id: &ProviderId| stage.config.identity_providers.iter().find(|p| p.id == *id);
    let identities = flow
        .providers()
        .filter_map(|(id, _)| Some((issuer(&at(id)?.identity_issuer(kind)), SUBJECT.to_owned())));
    // Where nothing is missing, no question that the flow has for such an account could be seen.
    let fields: &[Field] = if flow.ask_missing_at_sign_in { &[] } else { &flow.fields };
    let is_common = |field: &&Field| {
        let page = flow.pages.get(field.page).and_then(|page| page.when.as_ref());
        page.is_none() && field.input.when.is_none() && field.input.write_to_directory
    };
    let answered = fields.iter().filter(is_common).filter_map(|field| {
        let value = invent::value(field, person).or_else(|| default(field))?;
        Some((field.id.0.clone(), value))
    });
    let mut attributes: BTreeMap<String, Value> = answered.collect();
    attributes.remove("displayName");
    Resident {
        mail: person.address.to_owned(),
        password: flow.has_password().then(|| Secret::new(PASSWORD.to_owned())),
        // An account that signs in by code has no other identity.
        identities: if flow.has_password() || !flow.has_code() { identities.collect() } else { Vec::new() },
        user_type: flow.user_type,
        enabled: true,
        display_name: Some(person.name.to_owned()),
        attributes,
    }
}

fn default(field: &Field) -> Option<Value> {
    values::stored(field, &[field.input.default_value.clone()?])
}
