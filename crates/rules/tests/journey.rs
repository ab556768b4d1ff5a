//! Random flows, random visitors: what must hold whatever anybody does (issue 3, section 4).

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

mod support;

use proptest::prelude::*;
use support::{
    Mood, NOW, World, agree, come_back, document, failed, federated, field, flow, open, options, provider,
    say,
};
use vestibule_rules::directory::age::{AgeRule, Below};
use vestibule_rules::directory::attribute::DataType;
use vestibule_rules::directory::condition::{Comparison, Condition};
use vestibule_rules::directory::flow::{InputType, WhenProvided};
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::directory::terms::Agreement;
use vestibule_rules::directory::user::User;
use vestibule_rules::ids::ProviderId;
use vestibule_rules::journey::engine::{self, Rejected};
use vestibule_rules::journey::facts::{End, Facts, Intent};
use vestibule_rules::journey::flow::{Field, Flow, FlowPage, Method};
use vestibule_rules::journey::form::form;
use vestibule_rules::journey::input::Input;
use vestibule_rules::journey::question::{Answer, Compared, Question, RawFields};
use vestibule_rules::journey::step::{Step, StepName};
use vestibule_rules::journey::trail::{self, MARKS_MAX, Stage, Trail};
use vestibule_rules::text::Secret;
use vestibule_rules::time::{Span, Timestamp};

const GOOD: &str = "canary plum kettle outermost 71";
const ADDRESSES: &[&str] = &[
    "pw@example.com",
    "code@example.com",
    "social@example.com",
    "off-pw@example.com",
    "off-code@example.com",
    "both@example.com",
    "new@example.com",
    "led@fabrikam.example",
    "Other@Example.com",
    "not an address",
    "",
];

fn world() -> World {
    let mut world = World::new();
    world.add("pw@example.com", Some("canary of the holder"), false, true);
    world.add("code@example.com", None, true, true);
    world.add("social@example.com", None, false, true);
    world.holders[2].identity = Some(("https://fabrikam.example".to_owned(), "social".to_owned()));
    world.add("off-pw@example.com", Some("canary of the holder"), false, false);
    world.add("off-code@example.com", None, true, false);
    world.add("both@example.com", Some("canary of the holder"), true, true);
    world
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    let templates = vec![
        field("displayName", DataType::String, InputType::Text),
        Field {
            input: with(&field("givenName", DataType::String, InputType::Text), |i| i.required = true),
            ..field("givenName", DataType::String, InputType::Text)
        },
        custom("Tier", DataType::String, InputType::Text, |i| {
            i.hidden = true;
            i.required = true;
            i.default_value = Some("basic".to_owned());
        }),
        custom("Fixed", DataType::String, InputType::Text, |i| {
            i.editable = false;
            i.required = true;
            i.default_value = Some("fixed".to_owned());
        }),
        custom("Colour", DataType::String, InputType::DropdownSingleSelect, |i| {
            i.required = true;
            i.options = options(&["red", "blue"]);
        }),
        custom("Size", DataType::String, InputType::RadioSingleSelect, |i| {
            i.options = options(&["s", "m"]);
            i.default_value = Some("m".to_owned());
        }),
        custom("Topics", DataType::String, InputType::CheckboxMultiSelect, |i| {
            i.required = true;
            i.options = options(&["a", "b", "c"]);
            i.default_value = Some("a,c".to_owned());
        }),
        custom("Terms", DataType::Boolean, InputType::Boolean, |i| i.required = true),
        custom("News", DataType::Boolean, InputType::CheckboxSingleSelect, |i| {
            i.default_value = Some("true".to_owned());
        }),
        custom("Age", DataType::Int64, InputType::NumericTextBox, |i| i.required = true),
        custom("Register", DataType::String, InputType::Text, |i| {
            i.required = true;
            i.validation_reg_ex = Some("[A-Z]{2}[0-9]+".to_owned());
        }),
        custom("Unstored", DataType::String, InputType::Text, |i| {
            i.required = true;
            i.write_to_directory = false;
        }),
    ];
    proptest::sample::subsequence(templates.clone(), 0..=templates.len())
}

fn with(
    field: &Field,
    change: impl FnOnce(&mut vestibule_rules::directory::flow::AttributeInput),
) -> vestibule_rules::directory::flow::AttributeInput {
    let mut input = field.input.clone();
    change(&mut input);
    input
}

fn custom(
    name: &str,
    data: DataType,
    kind: InputType,
    change: impl FnOnce(&mut vestibule_rules::directory::flow::AttributeInput),
) -> Field {
    let plain = field(name, data, kind);
    Field { input: with(&plain, change), ..plain }
}

fn flows() -> impl Strategy<Value = Flow> {
    let methods = proptest::sample::subsequence(
        vec![Method::Password, Method::Code, provider("fabrikam"), provider("contoso")],
        1..=4,
    );
    let settings = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let documents = vec![document("general", "2", true), document("news", "1", false)];
    let terms = proptest::sample::subsequence(documents, 0..=2);
    // Who is shown in `filled` is 25.
    let age = proptest::sample::select(vec![None, Some(20), Some(30)]);
    (settings, methods, fields(), layouts(), terms, age).prop_map(
        |((external, allowed, strict, missing), methods, mut fields, layout, terms, age)| {
            let kind = if external { TenantKind::External } else { TenantKind::Workforce };
            let pages = lay_out(&mut fields, &layout);
            let plain = flow(kind, &methods);
            if age == Some(20) || terms.len() == 2 {
                fields.insert(0, bills());
            }
            let age = age.map(|minimum| {
                let birthday = born();
                let date_of_birth = birthday.id.clone();
                fields.insert(0, birthday);
                AgeRule { date_of_birth, minimum, adult: 40, ..guarded() }
            });
            let ask_missing_at_sign_in = missing;
            Flow {
                sign_up_allowed: allowed,
                strict,
                fields,
                pages,
                ask_missing_at_sign_in,
                terms,
                age,
                ..plain
            }
        },
    )
}

fn bills() -> Field {
    custom("Bills", DataType::String, InputType::EmailBox, |i| i.requires_verification = true)
}

fn born() -> Field {
    custom("Born", DataType::DateTime, InputType::DateTimeDropdown, |i| i.required = true)
}

fn guarded() -> AgeRule {
    AgeRule {
        date_of_birth: born().id,
        minimum: 30,
        minimum_by_country: std::collections::BTreeMap::new(),
        country: None,
        adult: 40,
        below: Below::Guardian,
    }
}

/// How many pages there are, and for each field whether the next page begins at it, on what it depends, and
/// what becomes of it when the provider knows it.
#[derive(Clone, Debug)]
struct Layout {
    pages: usize,
    fields: Vec<(bool, Dependence, usize)>,
    /// On what each page depends.
    conditions: Vec<Dependence>,
}

/// On which of the questions before, and on which of some answers to it.
type Dependence = Option<(usize, usize)>;

fn layouts() -> impl Strategy<Value = Layout> {
    let condition = || proptest::option::weighted(0.3, (0..12_usize, 0..4_usize));
    let field = (any::<bool>(), condition(), 0..3_usize);
    let fields = proptest::collection::vec(field, 12);
    (0..4_usize, fields, proptest::collection::vec(condition(), 4))
        .prop_map(|(pages, fields, conditions)| Layout { pages, fields, conditions })
}

fn lay_out(fields: &mut [Field], layout: &Layout) -> Vec<FlowPage> {
    let mut page = 0;
    let mut first = vec![0; layout.pages];
    for i in 0..fields.len() {
        let (turns, when, provided) = layout.fields[i];
        if turns && page + 1 < layout.pages {
            page += 1;
            first[page] = i;
        }
        let when = when.and_then(|(n, value)| on_an_answer(&fields[..i], n, value));
        fields[i].page = page;
        fields[i].input.when = when;
        fields[i].input.when_provided =
            [WhenProvided::Editable, WhenProvided::Fixed, WhenProvided::Skip][provided];
    }
    let page = |n: usize| {
        let when = layout.conditions[n].and_then(|(i, value)| on_an_answer(&fields[..first[n]], i, value));
        FlowPage { when, ..FlowPage::default() }
    };
    (0..layout.pages).map(page).collect()
}

/// A condition on an answer that comes before and is stored. An account's name is made up when nobody was
/// asked for it, so it tells nothing about answers.
fn on_an_answer(before: &[Field], n: usize, value: usize) -> Option<Condition> {
    let tells = |f: &&Field| f.input.write_to_directory && f.id.as_str() != "displayName";
    let stored: Vec<&Field> = before.iter().filter(tells).collect();
    let field = *stored.get(n % stored.len().max(1))?;
    let is = [vec![], vec!["red".to_owned()], vec!["true".to_owned(), "S".to_owned()], vec!["b".to_owned()]];
    let answer = Comparison { attribute: field.id.clone(), is: is[value].clone() };
    let condition = Condition { answer: Some(answer), ..Condition::default() };
    Some(if n.is_multiple_of(2) {
        condition
    } else {
        Condition { not: Some(Box::new(condition)), ..Condition::default() }
    })
}

/// Whether a condition of [`on_an_answer`] holds for what stands in the directory; written anew, so that the
/// engine is not its own judge.
fn holds(flow: &Flow, user: &User, condition: &Condition) -> bool {
    if let Some(inner) = &condition.not {
        return !holds(flow, user, inner);
    }
    let Some(answer) = &condition.answer else { return true };
    let field = flow.fields.iter().find(|f| f.id == answer.attribute).unwrap();
    let value = match user.attributes.get(field.id.as_str()) {
        Some(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        None => return false,
    };
    let parts: Vec<&str> = if field.input.input_type == InputType::CheckboxMultiSelect {
        value.split(',').collect()
    } else {
        vec![&value]
    };
    answer.is.is_empty() || answer.is.iter().any(|is| parts.iter().any(|p| p.eq_ignore_ascii_case(is)))
}

fn applies(flow: &Flow, user: &User, field: &Field) -> bool {
    let page = flow.pages.get(field.page).and_then(|p| p.when.as_ref());
    page.into_iter().chain(&field.input.when).all(|c| holds(flow, user, c))
}

/// What a visitor, an attacker or the world does next.
#[derive(Clone, Debug)]
enum Act {
    Say(Input),
    /// Types the n-th code from the end of all that were sent, whatever became of it.
    TypeCode(usize),
    Fill,
    Back(Answer),
    /// Answers the n-th question of the past once more.
    Replay(usize, Answer),
    Wait(i64),
    Mood(Mood),
    /// The guardian agrees to the mail with this number.
    Agree(u32),
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn inputs() -> impl Strategy<Value = Input> {
    let passwords = proptest::sample::select(vec!["", "canary", GOOD, "canary of the holder"]);
    let texts = proptest::sample::select(vec!["", "true", "red", "canary-free", "12", "AB12", "a", "\u{7}"]);
    let names = proptest::sample::select(vec![
        "displayName",
        "givenName",
        "extension_00000000000000000000000000000001_Tier",
        "password",
        "x",
    ]);
    prop_oneof![
        6 => proptest::sample::select(ADDRESSES).prop_map(|a| Input::Identify { address: a.to_owned() }),
        2 => passwords.clone().prop_map(|p| Input::Password { password: secret(p) }),
        1 => "[0-9]{8}|[0-9]{3}|zz".prop_map(|code| Input::Code { code }),
        1 => passwords.clone().prop_map(|p| Input::NewPassword { password: secret(p), confirmation: Some(secret(p)) }),
        1 => (names, texts, passwords).prop_map(|(n, t, p)| Input::Details {
            fields: RawFields::from([(n.to_owned(), vec![t.to_owned()])]), password: Some(secret(p)), confirmation: None,
        }),
        2 => Just(Input::Continue),
        1 => Just(Input::Back { fields: RawFields::new() }),
        1 => any::<bool>().prop_map(Input::Stay),
        2 => proptest::sample::select(vec!["fabrikam", "contoso", "nobody"]).prop_map(|p| Input::ChooseProvider(ProviderId::new(p))),
        2 => proptest::sample::select(ADDRESSES).prop_map(|a| Input::Guardian { address: a.to_owned() }),
        1 => Just(Input::Resend),
        2 => Just(Input::ChangeAddress),
        1 => Just(Input::SignUpInstead),
        1 => Just(Input::SignInInstead),
        1 => Just(Input::ForgotPassword),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let emails = proptest::sample::select(vec![
        None,
        Some("new@example.com"),
        Some("pw@example.com"),
        Some("social@example.com"),
        Some("a@b@c.com"),
        Some("off-code@example.com"),
    ]);
    prop_oneof![
        6 => (proptest::sample::select(vec!["fabrikam", "contoso"]), proptest::sample::select(vec!["social", "stranger"]), emails)
            .prop_map(|(p, s, e)| federated(p, s, e, &[("givenName", "Ada"), ("city", "Bath")])),
        1 => Just(Answer::FederationDeclined),
        1 => Just(failed()),
        1 => Just(Answer::CodeCompared(Compared::Match)),
        1 => Just(Answer::PasswordChecked(true)),
        1 => Just(Answer::Created(support::user_id(1))),
        1 => Just(Answer::PasswordSet),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        10 => inputs().prop_map(Act::Say),
        6 => prop_oneof![4 => Just(0_usize), 1 => 1..4_usize].prop_map(Act::TypeCode),
        4 => Just(Act::Fill),
        3 => answers().prop_map(Act::Back),
        2 => (1..3_u32).prop_map(Act::Agree),
        1 => (0..6_usize, answers()).prop_map(|(n, a)| Act::Replay(n, a)),
        1 => proptest::sample::select(vec![1, 31, 599, 601]).prop_map(Act::Wait),
        1 => proptest::sample::select(vec![Mood::Honest, Mood::Honest, Mood::Throttled, Mood::Taken]).prop_map(Act::Mood),
    ];
    proptest::collection::vec(act, 1..24)
}

fn intents() -> impl Strategy<Value = Intent> {
    proptest::sample::select(vec![Intent::SignIn, Intent::SignUp, Intent::Reset])
}

/// A page filled in as the flow wants it.
fn filled(flow: &Flow) -> Input {
    let value = |f: &Field| match (f.data_type, f.input.input_type) {
        (DataType::Boolean, _) => "true",
        (DataType::Int64, _) => "42",
        (DataType::DateTime, _) => "2001-02-28",
        (DataType::String, InputType::EmailBox) => "bills@example.org",
        (DataType::String, InputType::DropdownSingleSelect) => "red",
        (DataType::String, InputType::RadioSingleSelect) => "s",
        (DataType::String, InputType::CheckboxMultiSelect) | (DataType::StringCollection, _) => "b",
        (DataType::String, _) if f.input.validation_reg_ex.is_some() => "DE123",
        (DataType::String, _) => "Ada",
    };
    let typed = flow.fields.iter().map(|f| (f.id.0.clone(), vec![value(f).to_owned()]));
    let ticked = flow.terms.iter().map(|t| (format!("terms-{}", t.id), vec!["de".to_owned()]));
    let fields = typed.chain(ticked).collect();
    Input::Details { fields, password: Some(secret(GOOD)), confirmation: Some(secret(GOOD)) }
}

fn act(
    flow: &Flow,
    world: &mut World,
    facts: &Facts,
    act: Act,
    now: &mut Timestamp,
) -> Result<Facts, Rejected> {
    match act {
        Act::Say(input) => say(flow, world, facts, input, *now),
        Act::Fill => say(flow, world, facts, filled(flow), *now),
        Act::TypeCode(n) => {
            let code =
                world.codes.iter().rev().nth(n).map_or_else(|| "00000000".to_owned(), |(_, _, c)| c.clone());
            say(flow, world, facts, Input::Code { code }, *now)
        }
        Act::Back(answer) => come_back(flow, world, facts, answer, *now),
        Act::Replay(n, answer) => {
            let Some(question) = world.questions.iter().rev().nth(n).cloned() else {
                return Ok(facts.clone());
            };
            let replayed = engine::answer(flow, facts.clone(), &question, answer);
            assert!(replayed.is_err(), "an answer to {question:?} was taken twice");
            Ok(facts.clone())
        }
        Act::Wait(seconds) => {
            *now = *now + Span::seconds(seconds);
            Ok(facts.clone())
        }
        Act::Agree(sent) => agree(flow, world, facts, sent, *now),
        Act::Mood(mood) => {
            world.mood = mood;
            Ok(facts.clone())
        }
    }
}

fn check(flow: &Flow, world: &World, facts: &Facts) {
    let json = serde_json::to_string(facts).unwrap();
    let back: Facts = serde_json::from_str(&json).unwrap();
    assert_eq!(back, *facts, "facts survive storage");
    assert_eq!(engine::next(&back), engine::next(facts));
    assert_eq!(form(flow, &back), form(flow, facts));
    assert!(!json.contains("canary of") && !json.contains(GOOD), "a plain password in {json}");
    for (_, _, code) in &world.codes {
        assert!(!json.contains(code.as_str()), "a plain code in {json}");
    }
    if let Some(who) = &facts.authenticated {
        assert!(world.proofs.contains(&who.user), "nobody proved to be {:?}", who.user);
        let holder = world.holders.iter().find(|h| h.account.user == who.user).unwrap();
        assert!(holder.account.enabled, "a disabled account was signed in");
    }
    if facts.end == Some(End::SignedIn) {
        let who = facts.authenticated.as_ref().unwrap_or_else(|| panic!("an end without an account"));
        let holder = world.holder(who.user).unwrap();
        for terms in flow.terms.iter().filter(|t| t.required) {
            let same = |a: &&Agreement| a.document == terms.id && a.version == terms.version;
            let accepted = holder.terms.iter().find(same);
            assert!(accepted.is_some_and(|a| a.language == "de"), "{} was not accepted", terms.id);
        }
        let has = &holder.attributes;
        let lacks = |f: &&Field| f.input.required && f.input.write_to_directory && !f.input.hidden;
        let always =
            |f: &&Field| f.input.when.is_none() && flow.pages.get(f.page).is_none_or(|p| p.when.is_none());
        if flow.ask_missing_at_sign_in && !who.created {
            for f in flow.fields.iter().filter(lacks).filter(always) {
                assert!(has.contains_key(&f.id), "{} was not asked for at sign-in", f.id);
            }
        }
    }
    for user in &world.created {
        if let Some(address) = user.attributes.get(bills().id.as_str()).and_then(serde_json::Value::as_str) {
            assert!(world.read.contains(address), "{address} was not verified");
        }
        if let Some(rule) = &flow.age {
            let minor = rule.minimum > 25;
            let group = if minor { "Minor" } else { "NotAdult" };
            assert_eq!(user.attributes["ageGroup"], group);
            assert_eq!(user.attributes.contains_key("consentProvidedForMinor"), minor);
            assert!(!minor || world.agreed, "no guardian has agreed");
        }
        for f in flow.fields.iter().filter(|f| f.input.write_to_directory && f.id.as_str() != "displayName") {
            let (there, asked) = (user.attributes.contains_key(f.id.as_str()), applies(flow, user, f));
            assert!(there || !asked || !f.input.required, "{} is missing", f.id);
            assert!(asked || !there, "{} is there and was not to be asked", f.id);
        }
        let tier = user.attributes.get("extension_00000000000000000000000000000001_Tier");
        assert!(tier.is_none_or(|t| t == "basic"), "a hidden field was written from outside");
    }
}

/// What a turn leaves in the trail, and what must hold of it (FLOW-26, LOG-01).
fn leave(flow: &Flow, trail: &mut Trail, before: &Facts, after: &Facts) {
    trail.note(after.intent, trail::reached(flow, before, after), NOW, uuid::Uuid::nil());
    let count = |stage| trail.marks().filter(|m| m.stage == stage).count();
    let signed_in = after.end == Some(End::SignedIn);
    assert_eq!(count(Stage::SignedIn), usize::from(signed_in));
    assert_eq!(count(Stage::Cancelled), usize::from(after.end.is_some() && !signed_in));
    assert_eq!(count(Stage::Created), usize::from(after.authenticated.as_ref().is_some_and(|w| w.created)));
    assert!(count(Stage::Verified) > 0 || after.authenticated.is_none(), "signed in without a proof");
    assert!(trail.marks().count() <= MARKS_MAX + 8 + flow.pages.len());
    let json = serde_json::to_string(trail).unwrap();
    for secret in ["@", "canary", "Ada", "fresh", "stranger"] {
        assert!(!json.contains(secret), "{secret} in {json}");
    }
}

/// What stands on the page, as a browser sends it.
fn as_shown(flow: &Flow, facts: &Facts) -> RawFields {
    form(flow, facts).fields.into_iter().filter(|f| !f.fixed).map(|f| (f.name, f.values)).collect()
}

/// Nothing can be said or answered after the end.
fn assert_absorbs(flow: &Flow, world: &World, facts: &Facts, input: Input) {
    assert_eq!(engine::submit(flow, facts.clone(), input, NOW), Err(Rejected::Ended));
    assert_eq!(engine::submit(flow, facts.clone(), Input::Cancel, NOW), Err(Rejected::Ended));
    for question in &world.questions {
        assert_eq!(engine::answer(flow, facts.clone(), question, Answer::PasswordSet), Err(Rejected::Ended));
    }
}

/// Somebody who wants to get in and does what the page asks.
fn cooperate(flow: &Flow, world: &mut World, facts: &Facts, now: &mut Timestamp) -> Facts {
    let mut facts = facts.clone();
    world.mood = Mood::Honest;
    for _ in 0..60 {
        let before = *now;
        facts = match cooperative(flow, world, &facts, now) {
            Some(Ok(facts)) => facts,
            Some(Err(e)) => panic!("{e} at {:?}", engine::next(&facts)),
            None => return facts,
        };
        assert!(*now >= before);
    }
    panic!("a dead end: {facts:#?}");
}

fn cooperative(
    flow: &Flow,
    world: &mut World,
    facts: &Facts,
    now: &mut Timestamp,
) -> Option<Result<Facts, Rejected>> {
    let (newcomer, subject) =
        if flow.sign_up_allowed { ("fresh@example.org", "fresh") } else { ("code@example.com", "social") };
    let input = match engine::next(facts) {
        Step::Identify | Step::SignUp if flow.has_local() => Input::Identify { address: newcomer.to_owned() },
        Step::Identify | Step::SignUp => Input::ChooseProvider(flow.providers().next().unwrap().0.clone()),
        Step::Leave { provider, .. } => {
            let known = flow.provider(&ProviderId::new("fabrikam")).is_some();
            let subject = if known { subject } else { "stranger" };
            return Some(come_back(
                flow,
                world,
                facts,
                federated(provider.as_str(), subject, Some("fresh@example.org"), &[]),
                *now,
            ));
        }
        Step::Reset => Input::SignInInstead,
        Step::Address => Input::Identify { address: newcomer.to_owned() },
        Step::Password { address } => {
            match world.holders.iter().find(|h| h.address == address).and_then(|h| h.password.clone()) {
                Some(password) => Input::Password { password: secret(&password) },
                None if flow.sign_up_allowed => Input::SignUpInstead,
                None => Input::ChangeAddress,
            }
        }
        Step::Code { address, .. } => {
            let fact = facts.code.as_ref().unwrap();
            if fact.decoy {
                Input::ChangeAddress
            } else if fact.tries_left == 0 || *now >= fact.expires_at {
                *now = *now + Span::seconds(31);
                Input::Resend
            } else {
                Input::Code { code: world.code_for(&address).unwrap() }
            }
        }
        Step::NewPassword { .. } => {
            Input::NewPassword { password: secret(GOOD), confirmation: Some(secret(GOOD)) }
        }
        Step::Details { .. } => filled(flow),
        Step::Guardian => Input::Guardian { address: "parent@example.org".to_owned() },
        Step::GuardianWait { expires_at, .. } if *now < expires_at => {
            let sent = facts.guardian.as_ref().unwrap().sent;
            return Some(agree(flow, world, facts, sent, *now));
        }
        Step::GuardianWait { .. } | Step::GuardianAgreed | Step::Exists { .. } | Step::Refused(_) => {
            Input::Continue
        }
        Step::Stay => Input::Stay(true),
        Step::Ended { .. } => return None,
    };
    Some(say(flow, world, facts, input, *now))
}

/// Whether the cooperative visitor of above has a way in at all.
fn has_a_way(flow: &Flow) -> bool {
    let first = flow.providers().next().map(|(id, _)| id.as_str().to_owned());
    flow.sign_up_allowed || flow.has_local() || first.as_deref() == Some("fabrikam")
}

/// Anything that anybody does in a flow, and then its end if somebody works towards it.
fn assert_invariants(flow: &Flow, intent: Intent, acts: Vec<Act>, last: Input) {
    let (mut world, mut now) = (world(), NOW);
    let mut facts = open(flow, intent);
    let mut trail = Trail::begin("en", &facts, NOW, uuid::Uuid::nil());
    for a in acts {
        match act(flow, &mut world, &facts, a, &mut now) {
            Ok(after) => {
                leave(flow, &mut trail, &facts, &after);
                facts = after;
            }
            Err(e) => assert_eq!(e == Rejected::Ended, facts.end.is_some()),
        }
        check(flow, &world, &facts);
    }
    if has_a_way(flow) && facts.end.is_none() {
        facts = cooperate(flow, &mut world, &facts, &mut now);
        assert_eq!(&facts.end, &Some(End::SignedIn));
        check(flow, &world, &facts);
    }
    if facts.end.is_none() {
        facts = say(flow, &mut world, &facts, Input::Cancel, now).unwrap();
    }
    assert_absorbs(flow, &world, &facts, last);
}

// Ten thousand flows, by two tests that run beside each other.
proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_anybody_does_the_invariants_hold(flow in flows(), intent in intents(), acts in acts(), last in inputs()) {
        assert_invariants(&flow, intent, acts, last);
    }

    #[test]
    fn whatever_anybody_else_does_the_invariants_hold(flow in flows(), intent in intents(), acts in acts(), last in inputs()) {
        assert_invariants(&flow, intent, acts, last);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever goes back and forth, and sends what each page shows, ends with the same account as whoever goes
    /// straight on.
    #[test]
    fn back_and_forth_loses_nothing(flow in flows(), backs in proptest::collection::vec(0..3_usize, 12)) {
        let flow = Flow { sign_up_allowed: true, methods: vec![Method::Code, provider("fabrikam")], ..flow };
        let mut accounts = Vec::new();
        for wanders in [false, true] {
            let (mut world, mut now) = (world(), NOW);
            let mut facts = open(&flow, Intent::SignUp);
            for input in [Input::Identify { address: "fresh@example.org".to_owned() }, Input::Continue] {
                let code = world.code_for("fresh@example.org").map(|code| Input::Code { code });
                facts = say(&flow, &mut world, &facts, code.unwrap_or(input), now).unwrap();
            }
            for back in backs.iter().filter(|_| wanders) {
                if !matches!(engine::next(&facts), Step::Details { .. }) {
                    break;
                }
                facts = say(&flow, &mut world, &facts, filled(&flow), now).unwrap();
                for _ in 0..*back {
                    if matches!(engine::next(&facts), Step::Details { .. }) {
                        let Input::Details { fields, .. } = filled(&flow) else { unreachable!() };
                        facts = say(&flow, &mut world, &facts, Input::Back { fields }, now).unwrap();
                        let again = form(&flow, &facts);
                        prop_assert!(again.fields.iter().all(|f| f.problem.is_none()));
                    }
                }
                if *back > 0 && matches!(engine::next(&facts), Step::Details { .. }) {
                    let fields = as_shown(&flow, &facts);
                    // A page that was never filled in has nothing to lose.
                    if fields.is_empty() || !fields.keys().all(|name| facts.typed.contains_key(name)) {
                        continue;
                    }
                    facts = say(&flow, &mut world, &facts, Input::Details { fields, password: None, confirmation: None }, now).unwrap();
                }
            }
            facts = cooperate(&flow, &mut world, &facts, &mut now);
            prop_assert_eq!(&facts.end, &Some(End::SignedIn));
            let user = world.created.pop().unwrap();
            accounts.push((user.display_name, user.attributes));
        }
        prop_assert_eq!(&accounts[0], &accounts[1]);
    }

    #[test]
    fn a_turn_that_was_cut_short_opens_no_door(flow in flows(), intent in intents(), acts in acts(), cut in proptest::collection::vec(any::<bool>(), 24), stale in answers()) {
        let (mut world, mut now) = (world(), NOW);
        let mut facts = open(&flow, intent);
        for (a, cut) in acts.into_iter().zip(cut) {
            if let (true, Act::Say(input)) = (cut, &a) {
                // The world fails after the question, and what is stored is the state in between.
                if let Ok(turn) = engine::submit(&flow, facts.clone(), input.clone(), now) {
                    facts = turn.facts;
                }
                for question in world.questions.clone() {
                    if facts.pending == Some(question.pending()) {
                        let reply = if matches!(question, Question::Federation { .. }) { stale.clone() } else { world.reply(&question, now) };
                        if let Ok(turn) = engine::answer(&flow, facts.clone(), &question, reply) {
                            facts = turn.facts;
                        }
                    }
                }
            } else if !matches!(a, Act::Replay(..)) && let Ok(after) = act(&flow, &mut world, &facts, a, &mut now) {
                facts = after;
            }
            check(&flow, &world, &facts);
        }
        if has_a_way(&flow) && facts.end.is_none() {
            facts = cooperate(&flow, &mut world, &facts, &mut now);
            prop_assert_eq!(&facts.end, &Some(End::SignedIn));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// U1 for the entrances where an existing account must not show: the same inputs over two directories,
    /// of which one knows the address, give the same forms as long as no proof is given.
    #[test]
    fn before_a_proof_a_known_address_looks_like_an_unknown_one(flow in flows(), reset in any::<bool>(), who in 0..6_usize, inputs in proptest::collection::vec(inputs(), 1..20), waits in proptest::collection::vec(0..400_i64, 20)) {
        let (mut full, mut empty) = (world(), World::new());
        let intent = if reset { Intent::Reset } else { Intent::SignUp };
        let (mut one, mut two) = (open(&flow, intent), open(&flow, intent));
        let address = ADDRESSES[who].to_owned();
        let mut now = NOW;
        let first = std::iter::once(Input::Identify { address: address.clone() });
        for (input, wait) in first.chain(inputs).zip(waits) {
            now = now + Span::seconds(wait);
            // The way into sign-in differs by what the account has (T-07); it is compared below.
            let allowed = matches!(input, Input::Code { .. } | Input::Resend | Input::ChangeAddress | Input::Continue | Input::Stay(_) | Input::Details { .. })
                || matches!(&input, Input::Identify { address: a } if *a == address);
            if !allowed || engine::next(&one).name() == StepName::Identify {
                continue;
            }
            let a = say(&flow, &mut full, &one, input.clone(), now);
            let b = say(&flow, &mut empty, &two, input, now);
            prop_assert_eq!(a.is_ok(), b.is_ok());
            if let (Ok(a), Ok(b)) = (a, b) {
                (one, two) = (a, b);
            }
            prop_assert_eq!(form(&flow, &one), form(&flow, &two));
        }
    }

    /// At sign-in a stranger is asked for what the flow gives new accounts, exactly as their holders are.
    #[test]
    fn at_sign_in_a_stranger_looks_like_the_flow_s_own_accounts(flow in flows(), inputs in proptest::collection::vec(inputs(), 1..20)) {
        prop_assume!(flow.has_local());
        let holder = if flow.has_password() { "pw@example.com" } else { "code@example.com" };
        let (mut full, mut empty) = (world(), World::new());
        let (mut one, mut two) = (open(&flow, Intent::SignIn), open(&flow, Intent::SignIn));
        let first = std::iter::once(Input::Identify { address: holder.to_owned() });
        for input in first.chain(inputs) {
            let allowed = match &input {
                Input::Identify { address } => address == holder,
                Input::Password { password } => password.expose() != "canary of the holder",
                _ => true,
            };
            let wrong_code = matches!(&input, Input::Code { code } if full.codes.iter().any(|(_, _, c)| c == code));
            if !allowed || wrong_code {
                continue;
            }
            let a = say(&flow, &mut full, &one, input.clone(), NOW);
            let b = say(&flow, &mut empty, &two, input, NOW);
            prop_assert_eq!(a.is_ok(), b.is_ok());
            if let (Ok(a), Ok(b)) = (a, b) {
                (one, two) = (a, b);
            }
            prop_assert_eq!(form(&flow, &one), form(&flow, &two));
        }
    }
}

/// The state in between was stored, and an answer to an older question of the same kind arrives.
fn assert_refused(flow: &Flow, facts: &Facts, input: Input, older: &Question, answer: Answer) {
    let turn = engine::submit(flow, facts.clone(), input, NOW).unwrap();
    assert_eq!(turn.facts.pending, Some(older.pending()), "the kinds are the same");
    assert_eq!(engine::answer(flow, turn.facts, older, answer), Err(Rejected::NotAsked), "{older:?}");
}

#[test]
fn an_answer_to_an_older_question_of_the_same_kind_is_refused() {
    let flow = flow(TenantKind::External, &[Method::Password, provider("fabrikam")]);
    let mut world = world();
    let identify = |a: &str| Input::Identify { address: a.to_owned() };
    let password = || Input::Password { password: secret("canary") };
    let start = open(&flow, Intent::SignIn);

    let older = Question::FindAccount { address: "pw@example.com".to_owned() };
    let account = world.holders[0].account.clone();
    assert_refused(
        &flow,
        &start,
        identify("new@example.com"),
        &older,
        Answer::Account(Some(account.clone())),
    );

    // The password of one account opens no other.
    let both = say(&flow, &mut world, &start, identify("both@example.com"), NOW).unwrap();
    for (user, address) in [(Some(account.user), "pw@example.com"), (Some(account.user), "both@example.com")]
    {
        let older = Question::CheckPassword {
            user,
            address: address.to_owned(),
            password: secret("canary of the holder"),
        };
        assert_refused(&flow, &both, password(), &older, Answer::PasswordChecked(true));
    }

    // A code that was replaced proves nothing, neither does a question about a decoy.
    let waiting =
        say(&flow, &mut world, &open(&flow, Intent::SignUp), identify("new@example.com"), NOW).unwrap();
    let code = Input::Code { code: "12345678".to_owned() };
    let older = Question::CompareCode {
        typed: "12345678".to_owned(),
        digest: "another".to_owned(),
        superseded: Vec::new(),
    };
    assert_refused(&flow, &waiting, code, &older, Answer::CodeCompared(Compared::Match));
    let older = Question::SendCode {
        address: "pw@example.com".to_owned(),
        purpose: vestibule_rules::journey::question::Purpose::SignUp,
        decoy: false,
        sent: 2,
    };
    let sent = Answer::CodeSent { digest: "another".to_owned(), expires_at: NOW, resend_at: NOW };
    let later = engine::submit(&flow, waiting.clone(), Input::Resend, NOW + Span::seconds(60)).unwrap();
    assert_eq!(engine::answer(&flow, later.facts, &older, sent), Err(Rejected::NotAsked));
}

#[test]
fn only_the_draft_that_the_facts_lead_to_becomes_an_account() {
    let flow = flow(TenantKind::External, &[Method::Password]);
    let mut world = world();
    let identify = Input::Identify { address: "new@example.com".to_owned() };
    let waiting = say(&flow, &mut world, &open(&flow, Intent::SignUp), identify, NOW).unwrap();
    let code = world.code_for("new@example.com").unwrap();
    let proven = say(&flow, &mut world, &waiting, Input::Code { code }, NOW).unwrap();
    world.mood = Mood::Taken;
    say(&flow, &mut world, &proven, filled(&flow), NOW).unwrap();
    let asked = |q: &&Question| matches!(q, Question::CreateAccount { .. });
    let older = world.questions.iter().find(asked).unwrap().clone();
    let again = engine::submit(&flow, proven, filled(&flow), NOW).unwrap();
    let engine::Next::Ask(hash) = &again.next else { panic!("a password is hashed") };
    let again =
        engine::answer(&flow, again.facts, hash, Answer::PasswordHashed("another".to_owned())).unwrap();
    assert_eq!(again.facts.pending, Some(older.pending()));
    let created = Answer::Created(support::user_id(1));
    assert_eq!(engine::answer(&flow, again.facts, &older, created), Err(Rejected::NotAsked));
}

#[test]
fn the_end_of_one_departure_does_not_answer_for_another() {
    let flow = flow(TenantKind::External, &[provider("fabrikam"), provider("contoso")]);
    let mut world = world();
    let start = open(&flow, Intent::SignIn);
    let account = world.holders[0].account.clone();
    let leave = || Input::ChooseProvider(ProviderId::new("fabrikam"));
    let away = say(&flow, &mut world, &start, leave(), NOW).unwrap();
    let older = Question::Federation { provider: ProviderId::new("fabrikam"), attempt: 1 };
    assert_eq!(older.pending(), away.pending.clone().unwrap());
    let again = say(&flow, &mut world, &away, Input::Continue, NOW).unwrap();
    let back = federated("fabrikam", "social", None, &[]);
    assert_eq!(engine::answer(&flow, again.clone(), &older, back.clone()), Err(Rejected::NotAsked));
    let newer = Question::Federation { provider: ProviderId::new("fabrikam"), attempt: 2 };
    let other = federated("contoso", "social", None, &[]);
    assert_eq!(engine::answer(&flow, again.clone(), &newer, other), Err(Rejected::NotAsked));
    let turn = engine::answer(&flow, again, &newer, back).unwrap();
    let older = Question::FindIdentity {
        issuer: "https://fabrikam.example".to_owned(),
        subject: "x".to_owned(),
        address: None,
    };
    let found = Answer::Identity { by_identity: Some(account), by_address: None };
    assert_eq!(engine::answer(&flow, turn.facts, &older, found), Err(Rejected::NotAsked));
}
