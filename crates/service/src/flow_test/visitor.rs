//! One passage through a flow: look at the page, compare, do what the test says, and look again.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vestibule_rules::directory::check::PathStep;
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::directory::terms::Agreement;
use vestibule_rules::directory::user::UserType;
use vestibule_rules::ids::ProviderId;
use vestibule_rules::journey::engine::{self, Rejected, Turn};
use vestibule_rules::journey::extension;
use vestibule_rules::journey::facts::{Facts, Opening};
use vestibule_rules::journey::form::{self, FieldKind, Form};
use vestibule_rules::journey::input::Input;
use vestibule_rules::journey::question::{Answer, Question, RawFields};
use vestibule_rules::journey::step::Step;
use vestibule_rules::text::{Message, Secret};
use vestibule_rules::time::{Span, Timestamp};

use super::check::span;
use super::expect::Unmet;
use super::expect::{self, Shown};
use super::shape::{AccountSection, Code, GuardianWord, StepSection};
use super::suite::{Failure, Scenario, Stage, key};
use super::token::{Mint, issuer};
use super::world::{BEGIN, Resident, World};
use crate::federation;

/// The person says no at the provider.
pub(super) const DECLINES: &str = "declines";
/// The provider fails.
pub(super) const FAILS: &str = "fails";

/// Lets the visitor of a scenario through.
pub(super) fn visit(scenario: &Scenario) -> Result<(), Box<Failure>> {
    let stage = &scenario.stage;
    let mut visitor = Visitor::new(scenario);
    for (i, step) in scenario.section.steps.iter().enumerate() {
        let form = visitor.form();
        let path = scenario.path(&[key("steps"), PathStep::Index(i)]);
        let done = expect::page(step, &form, &stage.names).and_then(|()| visitor.act(step, &form));
        done.map_err(|unmet| Box::new(failure(scenario, path, unmet, &form)))?;
    }
    let form = visitor.form();
    let path = scenario.path(&[key("then")]);
    visitor.outcome().map_err(|unmet| Box::new(failure(scenario, path, unmet, &form)))
}

fn failure(scenario: &Scenario, mut path: Vec<PathStep>, unmet: Unmet, form: &Form) -> Failure {
    path.extend(unmet.path);
    let shown = unmet.instead.unwrap_or_else(|| Shown { form, names: &scenario.stage.names }.to_string());
    Failure { place: scenario.places.problem(&path, unmet.text), shown }
}

struct Visitor<'s> {
    scenario: &'s Scenario,
    stage: &'s Stage,
    world: World,
    facts: Facts,
    now: Timestamp,
}

impl<'s> Visitor<'s> {
    fn new(scenario: &'s Scenario) -> Self {
        let stage: &Stage = &scenario.stage;
        let mut world = World::new(&stage.flow.default_domain);
        for account in &scenario.accounts {
            let user = world.settle(resident(stage, account));
            for (document, version) in &account.terms {
                let (document, version) = (document.clone(), version.clone());
                world.accept(user, Agreement { document, version, language: String::new() });
            }
        }
        let section = &scenario.section;
        let opening = Opening {
            intent: section.start.intent(),
            login_hint: section.login_hint.clone(),
            domain_hint: section.domain_hint.clone(),
        };
        let facts = engine::begin(&stage.flow, opening);
        let facts = engine::jump(&stage.flow, &facts).map_or(facts, |turn| turn.facts);
        Self { scenario, stage, world, facts, now: BEGIN }
    }

    fn form(&self) -> Form {
        form::form(&self.stage.flow, &self.facts)
    }

    /// Does what the test says on the page that is shown.
    fn act(&mut self, step: &StepSection, form: &Form) -> Result<(), Unmet> {
        if let Some(wait) = step.advance.as_deref().and_then(span) {
            self.now = self.now + wait;
        }
        if let Some(reply) = &step.provider {
            return self.come_back(reply);
        }
        if let Some(word) = step.guardian {
            return self.hear_guardian(word);
        }
        let fills = !step.typed.is_empty() || step.code.is_some() || !step.extension.is_empty();
        let action = match (&step.choose, &step.press) {
            (Some(provider), _) => {
                let wanted = ProviderId::new(provider.as_str()).key();
                if !form.providers.iter().any(|p| p.id.key() == wanted) {
                    return Err(Unmet::at("choose", format!("the page offers the provider “{provider}”")));
                }
                format!("idp-{provider}")
            }
            (None, Some(button)) => button.clone(),
            (None, None) if fills => "submit".to_owned(),
            (None, None) => return Ok(()),
        };
        if step.choose.is_none() && !form.actions.iter().any(|a| a.id == action) {
            let at = if step.press.is_some() { "press" } else { "see" };
            return Err(Unmet::at(at, format!("the page has the button “{action}”")));
        }
        let posted = self.posted(step, form, action)?;
        self.post(step, form, &posted)
    }

    /// The form as a browser posts it: what stands in it, with what the visitor typed.
    fn posted(&mut self, step: &StepSection, form: &Form, action: String) -> Result<RawFields, Unmet> {
        let mut posted: RawFields = form
            .fields
            .iter()
            .filter(|field| !field.values.is_empty())
            .map(|field| (field.name.clone(), field.values.clone()))
            .collect();
        for (name, value) in &step.typed {
            let id = self.stage.names.id(name);
            let path = || vec![key("type"), key(name)];
            match form.fields.iter().find(|field| field.name == id) {
                None => return Err(Unmet::new(path(), format!("the page has the field “{name}”"))),
                Some(field) if field.fixed => {
                    return Err(Unmet::new(path(), format!("the field “{name}” can be changed")));
                }
                // The box of a document says in which language it was read.
                Some(field) if field.kind == FieldKind::Terms && *value == Value::Bool(true) => {
                    let first = field.documents.first().map(|document| document.language.clone());
                    posted.insert(id, first.into_iter().collect())
                }
                Some(_) => posted.insert(id, texts(value)),
            };
        }
        if let Some(code) = step.code {
            let code = self.code(code)?;
            posted.insert("code".to_owned(), vec![code]);
        }
        posted.insert("action".to_owned(), vec![action]);
        Ok(posted)
    }

    fn code(&mut self, code: Code) -> Result<String, Unmet> {
        let newest = self.world.newest_code().map(str::to_owned);
        let found = match code {
            Code::Newest => newest,
            Code::Wrong => Some(self.world.wrong_code()),
            Code::Superseded => self.world.code_among(&self.facts.superseded).map(str::to_owned),
            Code::Expired => {
                if let Step::Code { expires_at, .. } = engine::next(&self.facts) {
                    self.now = self.now.max(expires_at + Span::seconds(1));
                }
                newest
            }
        };
        found.ok_or_else(|| Unmet::at("code", "the visitor has such a code; none was sent".to_owned()))
    }

    fn post(&mut self, step: &StepSection, form: &Form, posted: &RawFields) -> Result<(), Unmet> {
        let Some(input) = Input::read(form.step, posted) else {
            return Err(Unmet::at("see", "the page can be answered like this".to_owned()));
        };
        if !step.extension.is_empty() {
            let set = step.extension.iter().map(|(name, value)| (self.stage.names.id(name), texts(value)));
            extension::supply(&self.stage.flow, &mut self.facts, &set.collect());
        }
        let turn = engine::submit(&self.stage.flow, self.facts.clone(), input, self.now);
        self.follow(turn)
    }

    /// Comes back from the provider with what it says.
    fn come_back(&mut self, reply: &Value) -> Result<(), Unmet> {
        let Step::Leave { provider, attempt } = engine::next(&self.facts) else {
            return Err(Unmet::at("provider", "the visitor is at a provider".to_owned()));
        };
        let answer = match reply {
            Value::Object(claims) => self.federated(&provider, claims)?,
            Value::String(word) if word == DECLINES => Answer::FederationDeclined,
            _ => Answer::FederationFailed { message: Message::new("refused-provider-failed"), code: 0 },
        };
        let question = Question::Federation { provider, attempt };
        let turn = engine::answer(&self.stage.flow, self.facts.clone(), &question, answer);
        self.follow(turn)
    }

    /// The guardian answers the newest mail.
    fn hear_guardian(&mut self, word: GuardianWord) -> Result<(), Unmet> {
        let waits = matches!(engine::next(&self.facts), Step::GuardianWait { expires_at, .. } if self.now < expires_at);
        let Some(guardian) = self.facts.guardian.as_ref().filter(|_| waits) else {
            return Err(Unmet::at("guardian", "the visitor waits for a guardian".to_owned()));
        };
        let question = Question::Guardian { sent: guardian.sent };
        let answer = match word {
            GuardianWord::Agrees => Answer::GuardianAgreed(self.now),
            GuardianWord::Refuses => Answer::GuardianRefused,
        };
        let turn = engine::answer(&self.stage.flow, self.facts.clone(), &question, answer);
        self.follow(turn)
    }

    fn federated(&self, id: &ProviderId, claims: &Map<String, Value>) -> Result<Answer, Unmet> {
        let providers = &self.stage.config.identity_providers;
        let refused = |text: String| Unmet::at("provider", text);
        let provider = providers.iter().find(|p| p.id == *id);
        let provider = provider.ok_or_else(|| refused(format!("the tenant has the provider “{id}”")))?;
        let kind = self.stage.config.tenant.kind;
        let said =
            federation::federated(provider, kind, &issuer(&provider.issuer()), &federation::said(claims));
        let said =
            said.map_err(|fault| refused(format!("the provider's token is good: {}", fault.detail)))?;
        Ok(Answer::Federated(Box::new(said)))
    }

    /// Lets the world answer until something is shown.
    fn follow(&mut self, turn: Result<Turn, Rejected>) -> Result<(), Unmet> {
        let facts = turn.and_then(|turn| self.world.follow(&self.stage.flow, turn, self.now));
        self.facts = facts.map_err(|rejected| {
            Unmet::at("see", format!("the page can be answered like this: {rejected}"))
        })?;
        Ok(())
    }

    /// Compares where the journey ended, what stands in the directory and what the application gets.
    fn outcome(&self) -> Result<(), Unmet> {
        let then = &self.scenario.section.then;
        expect::ending(then, &self.facts)?;
        let signed_in = self.facts.authenticated.as_ref().map(|a| a.user);
        if let Some(wanted) = then.created
            && wanted != self.world.created.is_some()
        {
            let text = if wanted { "an account was created" } else { "no account was created" };
            return Err(Unmet::at("created", text.to_owned()));
        }
        if let Some(account) = &then.account {
            let holder = signed_in.or(self.world.created).and_then(|id| self.world.holder(id));
            let Some(holder) = holder else {
                return Err(Unmet::at("account", "the visitor has an account".to_owned()));
            };
            expect::account(account, &holder.user, &self.stage.names)?;
        }
        if let Some(wanted) = &then.terms {
            let holder = signed_in.or(self.world.created);
            expect::terms(wanted, &holder.map(|id| self.world.accepted(id)).unwrap_or_default())?;
        }
        match (&then.token, signed_in.and_then(|id| self.world.holder(id))) {
            (Some(token), Some(holder)) => {
                let mint = Mint {
                    config: &self.stage.config,
                    app: &self.stage.app,
                    scope: &self.scenario.section.scope,
                    now: self.now,
                };
                expect::token(token, &mint.id_token(&self.facts, &holder.user))
            }
            (Some(_), None) => Err(Unmet::at("token", "the visitor is signed in".to_owned())),
            (None, _) => Ok(()),
        }
    }
}

/// What a form posts for a value of a test; a box that is not ticked is not posted.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Bool(false) | Value::Null => Vec::new(),
        Value::Array(several) => several.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Bool(true) | Value::Number(_) | Value::Object(_) => vec![value.to_string()],
    }
}

/// An account of the test's directory.
fn resident(stage: &Stage, section: &AccountSection) -> Resident {
    let mut attributes: BTreeMap<String, Value> =
        section.attributes.iter().map(|(name, value)| (stage.names.id(name), value.clone())).collect();
    let display_name = attributes.remove("displayName").as_ref().and_then(Value::as_str).map(str::to_owned);
    let own = TenantKind::Workforce == stage.flow.tenant_kind;
    let identity = |(name, subject): (&String, &String)| {
        let known = stage.config.identity_providers.iter().find(|p| p.id.as_str() == name);
        (
            known.map_or_else(String::new, |p| issuer(&p.identity_issuer(stage.config.tenant.kind))),
            subject.clone(),
        )
    };
    Resident {
        mail: section.mail.clone(),
        password: section.password.clone().map(Secret::new),
        identities: section.providers.iter().map(identity).collect(),
        user_type: section.user_type.unwrap_or(if own { UserType::Guest } else { UserType::Member }),
        enabled: section.enabled,
        display_name,
        attributes,
    }
}
