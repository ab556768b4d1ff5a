//! The trail of a journey: which stages it reached, when, and what stood in the way (FLOW-26, LOG-01).
//!
//! A mark says nothing about the person: it holds names of stages, steps, methods and messages, never the
//! arguments of a message and never what was typed. What marks come of a turn is decided here from the facts
//! before and after it; nothing in the engine depends on them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::engine;
use super::facts::{Authenticated, Facts, Intent, Problem};
use super::flow::Flow;
use super::pages::{Page, outline};
use super::step::{Step, StepName};
use super::terms;
use crate::ids::UserId;
use crate::text::Message;
use crate::time::Timestamp;

/// Marks that are kept of one journey beside the first of each stage; what comes after them is counted.
/// Whoever types wrong codes all day makes no journey grow.
pub const MARKS_MAX: usize = 64;
/// Problems of one answer that are marked.
const PROBLEMS_MAX: usize = 8;
/// An address that has an account already, by the number that apps know (EXIST-01).
const EXISTS: u32 = 1_003_037;

/// A stage of a journey.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// The first page was asked for.
    Started,
    /// The person said how they want to prove who they are.
    MethodChosen,
    /// They proved it: a mailbox, a password or an identity at a provider.
    Verified,
    /// A page of questions was shown.
    FormShown,
    /// Every page of questions was accepted.
    Submitted,
    /// The account was created.
    Created,
    /// The person went back to the app signed in.
    SignedIn,
    /// The app fetched its tokens.
    Token,
    /// An answer was refused, or a way was closed.
    Refused,
    /// The person cancelled.
    Cancelled,
    /// Nobody answered in time.
    Abandoned,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 11] = [
        Self::Started,
        Self::MethodChosen,
        Self::Verified,
        Self::FormShown,
        Self::Submitted,
        Self::Created,
        Self::SignedIn,
        Self::Token,
        Self::Refused,
        Self::Cancelled,
        Self::Abandoned,
    ];

    /// The name in rows, JSON and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::MethodChosen => "methodChosen",
            Self::Verified => "verified",
            Self::FormShown => "formShown",
            Self::Submitted => "submitted",
            Self::Created => "created",
            Self::SignedIn => "signedIn",
            Self::Token => "token",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
        }
    }

    /// The stage with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }

    /// Whether it is a step forward, and not a reason why there was none.
    pub const fn is_progress(self) -> bool {
        match self {
            Self::Started
            | Self::MethodChosen
            | Self::Verified
            | Self::FormShown
            | Self::Submitted
            | Self::Created
            | Self::SignedIn
            | Self::Token => true,
            Self::Refused | Self::Cancelled | Self::Abandoned => false,
        }
    }
}

/// The words of Graph's sign-up log, `signUpStage` (FLOW-26).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GraphStage {
    CredentialCollection,
    CredentialValidation,
    CredentialFederation,
    Consent,
    AttributeCollectionAndValidation,
    UserCreation,
    TenantConsent,
}

impl GraphStage {
    /// The word as Graph spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CredentialCollection => "credentialCollection",
            Self::CredentialValidation => "credentialValidation",
            Self::CredentialFederation => "credentialFederation",
            Self::Consent => "consent",
            Self::AttributeCollectionAndValidation => "attributeCollectionAndValidation",
            Self::UserCreation => "userCreation",
            Self::TenantConsent => "tenantConsent",
        }
    }

    /// What is going on while a step is shown.
    pub const fn at(step: StepName) -> Self {
        match step {
            StepName::Identify | StepName::SignUp | StepName::Reset | StepName::Refused => {
                Self::CredentialCollection
            }
            StepName::Password | StepName::Code | StepName::Address | StepName::Exists => {
                Self::CredentialValidation
            }
            StepName::Leave => Self::CredentialFederation,
            StepName::Details
            | StepName::NewPassword
            | StepName::Guardian
            | StepName::GuardianWait
            | StepName::GuardianAgreed => Self::AttributeCollectionAndValidation,
            StepName::Stay | StepName::Ended => Self::UserCreation,
        }
    }
}

/// One thing that happened in a journey.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    pub stage: Stage,
    /// The word of Graph's sign-up log, where it is not the usual one: see [`Mark::graph`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    graph: Option<GraphStage>,
    /// The step at which the journey stood: the one that was answered when an answer was refused, otherwise
    /// the one that is shown from then on.
    pub step: StepName,
    /// The page of questions, counted from 1 in the order of the flow, when it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// What was chosen: `password`, `code` or the id of a provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// The account that was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The number that apps and logs know the refusal by; 0 when it has none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub code: u32,
    /// The id of the message that the person was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The field that was to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
const fn is_zero(code: &u32) -> bool {
    *code == 0
}

impl Mark {
    const fn new(stage: Stage, step: StepName) -> Self {
        Self {
            stage,
            graph: None,
            step,
            page: None,
            chosen: None,
            user: None,
            code: 0,
            message: None,
            field: None,
        }
    }

    /// A refusal at a step, with what the person was told.
    pub fn refused(step: StepName, code: u32, message: Option<&Message>) -> Self {
        Self { code, message: message.and_then(|m| word(&m.id)), ..Self::new(Stage::Refused, step) }
    }

    /// The word of Graph's sign-up log.
    pub fn graph(&self) -> GraphStage {
        self.graph.unwrap_or_else(|| usual(self.stage, self.step))
    }

    /// Only what is unusual is written down: a journey is saved often.
    fn in_graph(self, graph: GraphStage) -> Self {
        Self { graph: Some(graph).filter(|graph| *graph != usual(self.stage, self.step)), ..self }
    }
}

const fn usual(stage: Stage, step: StepName) -> GraphStage {
    match (stage, step) {
        (Stage::MethodChosen, StepName::Leave) => GraphStage::CredentialFederation,
        (Stage::Started | Stage::MethodChosen, _) => GraphStage::CredentialCollection,
        (Stage::Verified, _) => GraphStage::CredentialValidation,
        (Stage::FormShown | Stage::Submitted, _) => GraphStage::AttributeCollectionAndValidation,
        (Stage::Created | Stage::SignedIn | Stage::Token, _) => GraphStage::UserCreation,
        (Stage::Refused | Stage::Cancelled | Stage::Abandoned, step) => GraphStage::at(step),
    }
}

/// The marks of one request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Noted {
    pub at: Timestamp,
    pub correlation: Uuid,
    pub marks: Vec<Mark>,
}

/// What is kept of a journey's way while it goes on.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Trail {
    /// The language of its pages.
    pub language: String,
    /// What it counts as: who ever set out to sign up is a sign-up, else who set out for a new password a reset.
    pub intent: Option<Intent>,
    /// The method that was chosen last.
    pub method: Option<String>,
    pub requests: Vec<Noted>,
    /// How many marks there was no room for.
    pub left_out: u32,
}

impl Trail {
    /// The trail of a journey that begins.
    pub fn begin(language: &str, facts: &Facts, at: Timestamp, correlation: Uuid) -> Self {
        let mut trail = Self { language: language.to_owned(), ..Self::default() };
        let mark = Mark::new(Stage::Started, engine::next(facts).name());
        trail.note(facts.intent, vec![mark], at, correlation);
        trail
    }

    /// Every mark, in order.
    pub fn marks(&self) -> impl DoubleEndedIterator<Item = &Mark> {
        self.requests.iter().flat_map(|noted| &noted.marks)
    }

    /// Adds what a turn came to. The first mark of a stage always finds room: there are few of them.
    pub fn note(&mut self, intent: Intent, marks: Vec<Mark>, at: Timestamp, correlation: Uuid) {
        if self.intent.is_none_or(|known| weight(known) < weight(intent)) {
            self.intent = Some(intent);
        }
        let mut room = MARKS_MAX.saturating_sub(self.marks().count());
        let mut kept: Vec<Mark> = Vec::new();
        for mark in marks {
            if mark.chosen.is_some() {
                self.method.clone_from(&mark.chosen);
            }
            if room > 0 || self.is_first(&mark) {
                room = room.saturating_sub(1);
                kept.push(mark);
            } else {
                self.left_out = self.left_out.saturating_add(1);
            }
        }
        if !kept.is_empty() {
            self.requests.push(Noted { at, correlation, marks: kept });
        }
    }

    fn is_first(&self, mark: &Mark) -> bool {
        let same = |m: &Mark| m.stage == mark.stage && m.page == mark.page;
        mark.stage != Stage::Refused && !self.marks().any(same)
    }

    /// The mark of a journey that nobody goes on with.
    pub fn abandoned(&self, facts: &Facts) -> Mark {
        let step = engine::next(facts).name();
        let shown = self.marks().rev().find(|m| m.stage == Stage::FormShown && is_form(step));
        Mark { page: shown.and_then(|m| m.page), ..Mark::new(Stage::Abandoned, step) }
    }

    /// The mark of the tokens that the app fetched with what the journey ended in.
    pub fn token(&self) -> Option<Mark> {
        let end = self.marks().rev().find(|m| m.stage == Stage::SignedIn)?;
        Some(Mark::new(Stage::Token, StepName::Ended).in_graph(end.graph()))
    }
}

const fn weight(intent: Intent) -> u8 {
    match intent {
        Intent::SignIn => 0,
        Intent::Reset => 1,
        Intent::SignUp => 2,
    }
}

/// What a turn came to, from the facts before it and after it.
pub fn reached(flow: &Flow, before: &Facts, after: &Facts) -> Vec<Mark> {
    let (from, to) = (engine::next(before), engine::next(after));
    let turn = Passage { flow, before, after, from: &from, to: &to };
    let forward = [turn.chosen(), turn.verified(), turn.submitted(), turn.created()];
    let mut marks: Vec<Mark> = forward.into_iter().flatten().collect();
    marks.extend(turn.refusals());
    marks.extend([turn.shown(), turn.ended()].into_iter().flatten());
    marks
}

/// A turn from one step to another.
struct Passage<'a> {
    flow: &'a Flow,
    before: &'a Facts,
    after: &'a Facts,
    from: &'a Step,
    to: &'a Step,
}

impl Passage<'_> {
    fn mark(&self, stage: Stage) -> Mark {
        Mark::new(stage, self.to.name())
    }

    fn chosen(&self) -> Option<Mark> {
        let chosen = way(self.flow, self.after, self.to)?;
        let was = way(self.flow, self.before, self.from);
        let anew = self.from.name() != self.to.name() || was.as_ref() != Some(&chosen);
        anew.then(|| Mark { chosen: Some(chosen), ..self.mark(Stage::MethodChosen) })
    }

    fn verified(&self) -> Option<Mark> {
        // A code is gone from its step only when it was the right one, also if that helped nobody.
        let code_matched = self.from.name() == StepName::Code
            && self.before.verifying.is_none()
            && self.before.code.is_some()
            && self.after.code.is_none();
        let proven = !is_proven(self.before) && is_proven(self.after);
        let by_provider = self.after.federated.is_some()
            || self.after.authenticated.as_ref().is_some_and(|a| a.provider.is_some());
        let graph =
            if by_provider { GraphStage::CredentialFederation } else { GraphStage::CredentialValidation };
        (code_matched || proven).then(|| self.mark(Stage::Verified).in_graph(graph))
    }

    /// The questions are answered when the way leads on from them. A duplicate that came up only then, or an
    /// account that was switched off, is met after that.
    fn submitted(&self) -> Option<Mark> {
        if !is_form(self.from.name()) {
            return None;
        }
        let (before, after) = (self.before, self.after);
        let arrived = after.authenticated.is_some() && !after.catching_up;
        let collected = before.values.is_none() && after.values.is_some();
        let stopped = matches!(self.to, Step::Exists { .. } | Step::Refused(_));
        (arrived || collected || stopped).then(|| self.mark(Stage::Submitted))
    }

    fn created(&self) -> Option<Mark> {
        let user = created(self.after).filter(|_| created(self.before).is_none())?;
        Some(Mark { user: Some(user), ..self.mark(Stage::Created) })
    }

    fn refusals(&self) -> Vec<Mark> {
        let from = self.from.name();
        let problem = |p: &Problem| {
            let field = Some(p.field.clone()).filter(|name| self.is_field(name));
            Mark { field, ..Mark::refused(from, number(&p.message.id), Some(&p.message)) }
        };
        let mut marks: Vec<Mark> = self.after.problems.iter().take(PROBLEMS_MAX).map(problem).collect();
        if let (Some(refusal), false) = (&self.after.refusal, from == StepName::Refused) {
            marks.push(Mark::refused(from, refusal.code, Some(&refusal.message)));
        }
        if matches!(self.to, Step::Exists { .. }) && from != StepName::Exists {
            marks.push(Mark::refused(from, EXISTS, Some(&Message::new("exists-title"))));
        }
        let graph = if self.after.departures > self.before.departures {
            GraphStage::CredentialFederation
        } else if self.submitted().is_some() {
            GraphStage::UserCreation
        } else {
            GraphStage::at(from)
        };
        marks.into_iter().map(|mark| mark.in_graph(graph)).collect()
    }

    /// Whether a field is one of ours: the name of a field that somebody made up is a typed value.
    fn is_field(&self, name: &str) -> bool {
        matches!(name, "username" | "code" | "password" | "confirm-password" | "guardian")
            || self.flow.terms.iter().any(|t| terms::field_name(t) == name)
            || self.flow.fields.iter().any(|f| f.id.as_str() == name)
    }

    fn shown(&self) -> Option<Mark> {
        let step = self.to.name();
        let page = page_of(self.flow, self.after, step);
        let anew = self.from.name() != step || page_of(self.flow, self.before, step) != page;
        (is_form(step) && anew).then(|| Mark { page, ..self.mark(Stage::FormShown) })
    }

    fn ended(&self) -> Option<Mark> {
        let Step::Ended { cancelled } = self.to else { return None };
        if self.from.name() == StepName::Ended {
            return None;
        }
        Some(match &self.after.authenticated {
            Some(who) if !cancelled => self.mark(Stage::SignedIn).in_graph(arrival(who)),
            Some(_) | None => {
                let step = self.from.name();
                let page = page_of(self.flow, self.before, step);
                Mark { page, ..Mark::new(Stage::Cancelled, step) }
            }
        })
    }
}

/// How somebody at this step is about to prove who they are.
fn way(flow: &Flow, facts: &Facts, step: &Step) -> Option<String> {
    match step {
        // The code proves an answer, or the address of somebody whom a provider knows, and not who somebody is.
        Step::Code { .. } if facts.verifying.is_some() || facts.federated.is_some() => None,
        Step::Leave { provider, .. } => Some(provider.as_str().to_owned()),
        Step::Password { .. } => Some("password".to_owned()),
        // The code proves the mailbox of an account that will have a password.
        Step::Code { .. } if facts.intent == Intent::SignUp && flow.has_password() => {
            Some("password".to_owned())
        }
        Step::Code { .. } => Some("code".to_owned()),
        Step::Identify
        | Step::SignUp
        | Step::Reset
        | Step::NewPassword { .. }
        | Step::Details { .. }
        | Step::Guardian
        | Step::GuardianWait { .. }
        | Step::GuardianAgreed
        | Step::Address
        | Step::Exists { .. }
        | Step::Refused(_)
        | Step::Stay
        | Step::Ended { .. } => None,
    }
}

const fn is_form(step: StepName) -> bool {
    matches!(step, StepName::Details | StepName::NewPassword)
}

fn is_proven(facts: &Facts) -> bool {
    facts.proven_address().is_some() || facts.federated.is_some() || facts.authenticated.is_some()
}

fn created(facts: &Facts) -> Option<UserId> {
    facts.authenticated.as_ref().filter(|who| who.created).map(|who| who.user)
}

const fn arrival(who: &Authenticated) -> GraphStage {
    match (who.created, &who.provider) {
        (true, _) => GraphStage::UserCreation,
        (false, Some(_)) => GraphStage::CredentialFederation,
        (false, None) => GraphStage::CredentialValidation,
    }
}

/// The page that is shown, by its place in the flow: what depends on answers does not move the others.
fn page_of(flow: &Flow, facts: &Facts, step: StepName) -> Option<u32> {
    if step != StepName::Details || flow.pages.len() <= 1 {
        return None;
    }
    let index = match outline(flow, facts).page()? {
        Page::View(index) => index,
        Page::Closing => flow.pages.len(),
    };
    u32::try_from(index + 1).ok()
}

/// The id of a message, if it has the form of one.
fn word(id: &str) -> Option<String> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (id.len() <= 64 && id.bytes().all(good)).then(|| id.to_owned())
}

/// The number that apps know a problem by (native-auth-and-msal.md 3.4 and 4.5); 0 when it has none.
fn number(message: &str) -> u32 {
    match message {
        "password-wrong" => 50_126,
        "password-throttled" => 50_053,
        "code-wrong" | "code-format" | "code-missing" | "code-expired" | "code-exhausted"
        | "code-superseded" => 50_181,
        "code-throttled" | "code-resend-wait" => 90_055,
        "password-too-short" | "password-too-long" | "password-easy" => 399_246,
        "provider-declined" => 65_004,
        _ => 0,
    }
}
