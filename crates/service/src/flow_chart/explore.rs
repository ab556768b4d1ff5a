//! Visitors who try every way through a flow.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vestibule_rules::directory::condition::Condition;
use vestibule_rules::directory::user::UserType;
use vestibule_rules::journey::engine::{self, Turn};
use vestibule_rules::journey::facts::{Facts, Federated, Intent, Opening};
use vestibule_rules::journey::flow::Flow;
use vestibule_rules::journey::form::{self, FieldKind, Form, FormField, Text};
use vestibule_rules::journey::input::Input;
use vestibule_rules::journey::question::{Answer, Question as Asked, RawFields};
use vestibule_rules::journey::step::{Step, StepName};
use vestibule_rules::text::Secret;

use super::{Deed, Page, Password, Question, Way, Who};
use crate::flow_test::world::{BEGIN, Resident, World};

const GUARDIAN: &str = "guardian@visitor.example";
/// Nobody who was born then may sign up alone.
const YOUNG: &str = "2026-01-01";
/// The field for the address.
const USERNAME: &str = "username";
const ADDRESS: &str = "visitor@visitor.example";
/// Good enough for every policy, and with nothing of the tenant in it.
const PASSWORD: &str = "plum kettle outermost 47";
const ISSUER: &str = "https://provider.example";
const SUBJECT: &str = "visitor";
/// Answers that one or the other kind of question accepts.
const ANSWERS: [&str; 10] = [
    "Visitor",
    "1",
    "true",
    "+44 20 7946 0958",
    "1980-05-17",
    "https://visitor.example/",
    ADDRESS,
    "GB",
    "100",
    "2000",
];
/// A flow of many pages takes a few hundred turns; this only ends a search that found a circle.
const MOST_TURNS: usize = 20_000;
/// Ways to answer one page. Beyond it each condition is still tried by itself, but not with all others.
const MOST_VARIANTS: usize = 64;

/// Who goes through the flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Visitor {
    Stranger,
    WithPassword,
    WithCode,
    WithProvider,
}

impl Visitor {
    /// Those whom a flow makes. Accounts of older methods sign in as well; they would blur the drawing.
    fn of(flow: &Flow) -> impl Iterator<Item = Self> {
        let comes = [
            (Self::Stranger, true),
            (Self::WithPassword, flow.has_password()),
            (Self::WithCode, flow.has_code()),
            (Self::WithProvider, flow.providers().next().is_some()),
        ];
        comes.into_iter().filter(|(_, comes)| *comes).map(|(visitor, _)| visitor)
    }

    /// The world in which this visitor has an account, or has none.
    fn world(self, domain: &str) -> World {
        let mut world = World::new(domain);
        let identities = vec![(ISSUER.to_owned(), SUBJECT.to_owned())];
        let (password, identities) = match self {
            Self::Stranger => return world,
            Self::WithPassword => (Some(Secret::new(PASSWORD.to_owned())), Vec::new()),
            Self::WithCode => (None, Vec::new()),
            Self::WithProvider => (None, identities),
        };
        world.settle(Resident {
            mail: ADDRESS.to_owned(),
            password,
            identities,
            user_type: UserType::Member,
            enabled: true,
            display_name: None,
            attributes: BTreeMap::new(),
        });
        world
    }
}

/// What makes two pages the same page of a drawing.
type Place = (StepName, Option<String>, Vec<(String, bool)>);

/// The answers so far that a condition asks for.
type Decided = Vec<(String, Vec<String>)>;

/// What the visitor's provider said of what conditions ask for; nothing when they came without one.
type Said = Option<BTreeMap<String, String>>;

/// Everything that was found.
pub(super) struct Found {
    places: Vec<(Place, Option<String>)>,
    /// Pages that were seen with, or without, a new password.
    passwords: BTreeSet<(usize, bool)>,
    ways: Vec<(usize, usize, Deed, Visitor)>,
    /// The names of all fields.
    pub(super) fields: BTreeSet<String>,
}

impl Found {
    /// The pages, with the attributes named by `plain`.
    pub(super) fn pages(&self, plain: impl Fn(&str) -> String) -> Vec<Page> {
        let page = |(i, ((step, extra, questions), title)): (usize, &(Place, Option<String>))| Page {
            step: *step,
            title: title.clone(),
            provider: extra.clone().filter(|_| *step == StepName::Leave),
            questions: questions
                .iter()
                .map(|(id, required)| Question { name: plain(id), required: *required })
                .collect(),
            password: match (self.passwords.contains(&(i, true)), self.passwords.contains(&(i, false))) {
                (true, true) => Password::WithoutProvider,
                (true, false) => Password::Always,
                (false, _) => Password::Never,
            },
        };
        self.places.iter().enumerate().map(page).collect()
    }

    /// The ways, each with those for whom it is when others end elsewhere.
    pub(super) fn ways(&self) -> Vec<Way> {
        let mut ways: Vec<Way> = Vec::new();
        for (from, to, deed, _) in &self.ways {
            let same = |(f, _, d, _): &&(usize, usize, Deed, Visitor)| f == from && d == deed;
            let all: Vec<_> = self.ways.iter().filter(same).collect();
            let is_stranger = |visitor: &Visitor| *visitor == Visitor::Stranger;
            let mixed = [true, false].iter().all(|kind| all.iter().any(|(.., v)| is_stranger(v) == *kind));
            let forks = all.iter().any(|(_, t, ..)| t != to);
            let here: Vec<&Visitor> = all.iter().filter(|(_, t, ..)| t == to).map(|(.., v)| v).collect();
            let returns = matches!(deed, Deed::Return | Deed::ReturnUnverified);
            let who = if !mixed || !forks {
                None
            } else if here.iter().all(|visitor| is_stranger(visitor)) {
                Some(Who::Newcomer)
            } else if here.iter().any(|visitor| is_stranger(visitor)) {
                None
            } else if returns && here.iter().all(|visitor| **visitor == Visitor::WithProvider) {
                Some(Who::Known)
            } else {
                Some(Who::Holder)
            };
            let way = Way { from: *from, to: *to, deed: deed.clone(), who };
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        ways
    }
}

/// A journey somewhere on its way.
#[derive(Clone)]
struct Spot {
    visitor: Visitor,
    world: World,
    facts: Facts,
    page: usize,
}

/// Tries everything.
pub(super) struct Explorer {
    flow: Flow,
    found: Found,
    /// What the flow's conditions ask answers for; no value stands for no answer.
    deciding: BTreeMap<String, BTreeSet<Option<String>>>,
    /// What providers can say that the flow's conditions ask for, one claim at a time; nothing first.
    saying: Vec<BTreeMap<String, String>>,
    /// Where a visitor was already, by what can make the ways from there differ.
    seen: Vec<(Visitor, Intent, usize, Said, Decided)>,
    open: VecDeque<Spot>,
}

impl Explorer {
    pub(super) fn new(flow: &Flow) -> Self {
        let mut flow = flow.clone();
        // No answer can be guessed for a pattern, and a pattern changes no way.
        for field in &mut flow.fields {
            field.input.validation_reg_ex = None;
        }
        let found = Found {
            places: Vec::new(),
            passwords: BTreeSet::new(),
            ways: Vec::new(),
            fields: BTreeSet::new(),
        };
        let (deciding, saying) = (deciding(&flow), saying(&flow));
        Self { flow, found, deciding, saying, seen: Vec::new(), open: VecDeque::new() }
    }

    pub(super) fn explore(mut self) -> Found {
        for intent in [Intent::SignIn, Intent::SignUp] {
            for visitor in Visitor::of(&self.flow.clone()) {
                let facts =
                    engine::begin(&self.flow, Opening { intent, login_hint: None, domain_hint: None });
                let world = visitor.world(&self.flow.default_domain);
                self.arrive(visitor, world, facts);
            }
        }
        for _ in 0..MOST_TURNS {
            let Some(spot) = self.open.pop_front() else { break };
            self.leave(&spot);
        }
        self.found
    }

    /// Notes the page that the facts lead to; its index.
    fn arrive(&mut self, visitor: Visitor, world: World, facts: Facts) -> usize {
        let form = form::form(&self.flow, &facts);
        let page = self.page(&form, &facts);
        let decides = |(name, _): &(&String, _)| self.deciding.contains_key(*name);
        let mut told: Decided =
            facts.typed.iter().filter(decides).map(|(name, values)| (name.clone(), values.clone())).collect();
        if self.deciding.contains_key(USERNAME) {
            let address = facts.proven_address().or(facts.identifier.as_deref());
            told.push((USERNAME.to_owned(), address.map(str::to_owned).into_iter().collect()));
        }
        let said = facts.federated.as_ref().map(|federated| federated.claims.clone());
        let key = (visitor, facts.intent, page, said, told);
        if !self.seen.contains(&key) {
            self.seen.push(key);
            self.open.push_back(Spot { visitor, world, facts, page });
        }
        page
    }

    fn page(&mut self, form: &Form, facts: &Facts) -> usize {
        self.found.fields.extend(form.fields.iter().map(|field| field.name.clone()));
        let is_new = |field: &FormField| field.kind == FieldKind::NewPassword;
        let leaves = facts.federation.as_ref().and_then(|away| self.flow.provider(&away.provider));
        let refused = facts.refusal.as_ref().map(|refusal| refusal.message.id.clone());
        let extra = leaves.map(|(_, name)| name.to_owned()).or(refused);
        let title = match &form.title {
            Text::Markdown(text) => Some(text.clone()),
            Text::Message(_) => None,
        };
        let asks = form.step == StepName::Details;
        let questions = form.fields.iter().filter(|field| asks && !is_new(field));
        let questions = questions.map(|field| (field.name.clone(), field.required)).collect();
        let place = ((form.step, extra, questions), title);
        let known = self.found.places.iter().position(|known| *known == place);
        let index = known.unwrap_or(self.found.places.len());
        if known.is_none() {
            self.found.places.push(place);
        }
        if form.step == StepName::Details {
            self.found.passwords.insert((index, form.fields.iter().any(is_new)));
        }
        index
    }

    /// Tries every way from here.
    fn leave(&mut self, spot: &Spot) {
        let form = form::form(&self.flow, &spot.facts);
        if let Step::Leave { provider, attempt } = engine::next(&spot.facts) {
            let question = Asked::Federation { provider: provider.clone(), attempt };
            let unverified = (Deed::ReturnUnverified, None, BTreeMap::new());
            let said = self.saying.iter().map(|claims| (Deed::Return, Some(ADDRESS), claims.clone()));
            for (deed, address, claims) in said.chain([unverified]).collect::<Vec<_>>() {
                let answer = Answer::Federated(Box::new(Federated {
                    provider: provider.clone(),
                    issuer: ISSUER.to_owned(),
                    subject: SUBJECT.to_owned(),
                    verified_email: address.map(str::to_owned),
                    claimed_email: None,
                    claims,
                    updates: BTreeMap::new(),
                }));
                let turn = engine::answer(&self.flow, spot.facts.clone(), &question, answer);
                self.go(spot, deed, turn.ok());
            }
            return;
        }
        if let Some(sent) = spot.facts.guardian.as_ref().map(|guardian| guardian.sent) {
            for (agrees, reply) in [(true, Answer::GuardianAgreed(BEGIN)), (false, Answer::GuardianRefused)] {
                let question = Asked::Guardian { sent };
                let turn = engine::answer(&self.flow, spot.facts.clone(), &question, reply);
                self.go(spot, Deed::Guardian(agrees), turn.ok());
            }
        }
        for provider in &form.providers {
            let input = Input::ChooseProvider(provider.id.clone());
            let turn = engine::submit(&self.flow, spot.facts.clone(), input, BEGIN).ok();
            self.go(spot, Deed::Choose(provider.display_name.clone()), turn);
        }
        let entrance = matches!(form.step, StepName::Identify | StepName::SignUp | StepName::Reset);
        for action in &form.actions {
            let input = match action.id {
                "sign-up" if entrance => Input::SignUpInstead,
                "forgot-password" => Input::ForgotPassword,
                _ => continue,
            };
            let turn = engine::submit(&self.flow, spot.facts.clone(), input, BEGIN).ok();
            self.go(spot, Deed::Link(action.id), turn);
        }
        // Whoever was refused begins anew; that needs no arrow.
        let goes_on = form.step != StepName::Refused;
        if goes_on && form.actions.iter().any(|action| action.id == "submit") {
            for choice in self.variants(&form, spot.visitor) {
                self.fill(spot, &form, &choice);
            }
        }
    }

    /// Every choice of answers on this page that a condition can tell from the others.
    fn variants(&self, form: &Form, visitor: Visitor) -> Vec<Choice> {
        let mut variants = vec![Choice::new()];
        for field in &form.fields {
            let Some(values) = self.deciding.get(&field.name) else { continue };
            // An account has the address that it has.
            if field.name == USERNAME && visitor != Visitor::Stranger {
                continue;
            }
            let with = |choice: &Choice, value: &Option<String>| {
                let mut choice = choice.clone();
                choice.insert(field.name.clone(), value.clone());
                choice
            };
            let before = variants.clone();
            let basis = if before.len() * (values.len() + 1) > MOST_VARIANTS { 1 } else { before.len() };
            variants.extend(before.iter().take(basis).flat_map(|c| values.iter().map(|v| with(c, v))));
        }
        variants
    }

    fn go(&mut self, spot: &Spot, deed: Deed, turn: Option<Turn>) {
        let mut world = spot.world.clone();
        let Some(turn) = turn else { return };
        let Ok(facts) = world.follow(&self.flow, turn, BEGIN) else { return };
        // A page that complains, or a link back to where one is, is no way.
        let stands = |facts: &Facts| (engine::next(facts), facts.accepted.clone());
        if facts.problems.is_empty() && stands(&facts) != stands(&spot.facts) {
            let to = self.arrive(spot.visitor, world, facts);
            let way = (spot.page, to, deed, spot.visitor);
            if !self.found.ways.contains(&way) {
                self.found.ways.push(way);
            }
        }
    }

    /// Sends the page, with other answers as long as it complains about the ones before.
    fn fill(&mut self, spot: &Spot, form: &Form, choice: &Choice) {
        let mut tries: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..ANSWERS.len() {
            let posted = answers(form, choice, &tries, spot);
            let Some(input) = Input::read(form.step, &posted) else { return };
            let Ok(turn) = engine::submit(&self.flow, spot.facts.clone(), input, BEGIN) else { return };
            let complaints = turn.facts.problems.clone();
            if complaints.is_empty() {
                self.go(spot, Deed::Submit, Some(turn));
                return;
            }
            for problem in complaints {
                *tries.entry(problem.field).or_default() += 1;
            }
        }
    }
}

/// Answers that were chosen, by the name of the field; no value is no answer.
type Choice = BTreeMap<String, Option<String>>;

/// Every condition of the flow, and all that are inside of them.
fn conditions(flow: &Flow) -> Vec<&Condition> {
    let pages = flow.pages.iter().filter_map(|page| page.when.as_ref());
    let questions = flow.fields.iter().filter_map(|field| field.input.when.as_ref());
    pages.chain(questions).flat_map(Condition::all).collect()
}

/// What a provider can say that makes a difference.
fn saying(flow: &Flow) -> Vec<BTreeMap<String, String>> {
    let mut all = vec![BTreeMap::new()];
    for comparison in conditions(flow).into_iter().filter_map(|c| c.provider_says.as_ref()) {
        let anything = ["Visitor".to_owned()];
        let values: &[String] = if comparison.is.is_empty() { &anything } else { &comparison.is };
        let one = |value: &String| BTreeMap::from([(comparison.attribute.0.clone(), value.clone())]);
        all.extend(values.iter().map(one));
    }
    all
}

/// The answers that the flow's conditions distinguish.
fn deciding(flow: &Flow) -> BTreeMap<String, BTreeSet<Option<String>>> {
    let all = conditions(flow);
    let mut found: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
    for comparison in all.iter().filter_map(|c| c.answer.as_ref()) {
        let values = found.entry(comparison.attribute.0.clone()).or_default();
        values.insert(None);
        values.extend(comparison.is.iter().cloned().map(Some));
    }
    let domains = all.iter().flat_map(|condition| &condition.email_domain);
    for domain in domains {
        found.entry(USERNAME.to_owned()).or_default().insert(Some(format!("visitor@{domain}")));
    }
    if let Some(rule) = &flow.age {
        found.entry(rule.date_of_birth.0.clone()).or_default().insert(Some(YOUNG.to_owned()));
    }
    found
}

/// The form with an answer in every field that was not chosen otherwise; `tries` says how many did not suit a
/// field.
fn answers(form: &Form, choice: &Choice, tries: &BTreeMap<String, usize>, spot: &Spot) -> RawFields {
    let mut posted = RawFields::new();
    for field in &form.fields {
        if let Some(chosen) = choice.get(&field.name) {
            // A box that is not ticked is not posted.
            let sent = chosen.iter().filter(|v| field.kind != FieldKind::Checkbox || *v != "false");
            posted.insert(field.name.clone(), sent.cloned().collect());
            continue;
        }
        let nth = tries.get(&field.name).copied().unwrap_or_default();
        let text = match field.kind {
            FieldKind::Email if field.name == "guardian" => GUARDIAN.to_owned(),
            FieldKind::Email => ADDRESS.to_owned(),
            FieldKind::CurrentPassword | FieldKind::NewPassword => PASSWORD.to_owned(),
            FieldKind::Code => spot.world.newest_code().unwrap_or_default().to_owned(),
            FieldKind::Checkbox => "true".to_owned(),
            FieldKind::Terms => field.documents.first().map(|d| d.language.clone()).unwrap_or_default(),
            FieldKind::Radio | FieldKind::Select | FieldKind::Checkboxes | FieldKind::Country => {
                field.options.iter().map(|o| o.value.clone()).find(|v| !v.is_empty()).unwrap_or_default()
            }
            FieldKind::Text
            | FieldKind::Phone
            | FieldKind::Multiline
            | FieldKind::Integer
            | FieldKind::SignedInteger
            | FieldKind::Url
            | FieldKind::Date => ANSWERS.get(nth).copied().unwrap_or_default().to_owned(),
        };
        posted.insert(field.name.clone(), vec![text]);
    }
    posted
}
