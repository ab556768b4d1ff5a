//! Scripts of whole journeys, in `transcripts/`: what is said, what the world is asked, what is shown.
//! They are the specification of the engine; the words of the script are explained in `transcripts/README.md`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a script that cannot be read is a failed test"
)]

#[expect(dead_code, reason = "each test file uses its part")]
mod support;

use std::path::Path;

use support::{Mood, NOW, World, come_back, failed, federated, field, flow, options, provider, say};
use vestibule_rules::directory::attribute::DataType;
use vestibule_rules::directory::condition::{Comparison, Condition};
use vestibule_rules::directory::flow::{InputType, WhenProvided};
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::ids::{AttributeId, ProviderId};
use vestibule_rules::journey::engine::{self, Rejected};
use vestibule_rules::journey::facts::{Facts, Intent, Opening};
use vestibule_rules::journey::flow::{Flow, FlowPage, Method};
use vestibule_rules::journey::form::form;
use vestibule_rules::journey::input::Input;
use vestibule_rules::journey::question::{Answer, RawFields};
use vestibule_rules::journey::step::Step;
use vestibule_rules::text::Secret;
use vestibule_rules::time::{Span, Timestamp};

struct Script {
    flow: Flow,
    world: World,
    facts: Option<Facts>,
    now: Timestamp,
    /// How many of the questions the script has spoken of.
    spoken: usize,
    rejected: Option<Rejected>,
}

#[test]
fn every_transcript_is_what_the_engine_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "txt"));
    files.sort();
    assert!(files.len() >= 14, "transcripts are missing");
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let mut script = Script {
            flow: flow(TenantKind::External, &[]),
            world: World::new(),
            facts: None,
            now: NOW,
            spoken: 0,
            rejected: None,
        };
        for (number, line) in std::fs::read_to_string(&file).unwrap().lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                script.line(line, &format!("{name}:{}", number + 1));
            }
        }
        script.end_of_turn(&name);
    }
}

impl Script {
    fn line(&mut self, line: &str, at: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        if matches!(word, ">" | "provider" | "open" | "journey") {
            self.end_of_turn(at);
        }
        match word {
            "flow" => self.set_flow(rest),
            "page" => self.flow.pages.push(FlowPage { when: self.condition(rest), ..FlowPage::default() }),
            "field" => self.add_field(rest),
            "has" => self.add_attribute(rest),
            "account" => self.add_account(rest),
            "journey" => self.facts = None,
            "open" => self.open(rest),
            ">" => self.visitor(rest, at),
            "provider" => self.provider(rest, at),
            "later" => self.now = self.now + Span::seconds(rest.parse().unwrap()),
            "world" => self.world.mood = mood(rest),
            "?" => {
                let asked = self.world.asked.get(self.spoken).map_or("nothing", String::as_str);
                assert_eq!(asked, rest, "{at}: the question");
                self.spoken += 1;
            }
            "=" => {
                assert_eq!(self.rejected, None, "{at}: the input was rejected");
                assert_eq!(self.shown(), rest, "{at}: the step");
            }
            "rejected" => assert!(self.rejected.take().is_some(), "{at}: it was taken"),
            "can" => assert!(self.offers(rest), "{at}: {rest} is not offered"),
            "cannot" => assert!(!self.offers(rest), "{at}: {rest} is offered"),
            "value" => self.value(rest, at),
            "user" => self.user(rest, at),
            "signed-in" => self.signed_in(rest, at),
            other => panic!("{at}: what is “{other}”?"),
        }
    }

    fn end_of_turn(&self, at: &str) {
        let unspoken = self.world.asked.get(self.spoken..).unwrap_or_default();
        assert!(unspoken.is_empty(), "{at}: before this the world was asked {unspoken:?}");
        assert!(self.rejected.is_none(), "{at}: before this an input was rejected");
    }

    fn set_flow(&mut self, text: &str) {
        let mut words = text.split_whitespace();
        let kind =
            if words.next() == Some("workforce") { TenantKind::Workforce } else { TenantKind::External };
        let (mut methods, mut allowed, mut strict, mut missing) = (Vec::new(), true, false, false);
        for word in words {
            match word {
                "password" => methods.push(Method::Password),
                "code" => methods.push(Method::Code),
                "no-sign-up" => allowed = false,
                "strict" => strict = true,
                "ask-missing" => missing = true,
                id => methods.push(provider(id)),
            }
        }
        let fields = std::mem::take(&mut self.flow.fields);
        let pages = std::mem::take(&mut self.flow.pages);
        self.flow = Flow {
            sign_up_allowed: allowed,
            strict,
            fields,
            pages,
            ask_missing_at_sign_in: missing,
            ..flow(kind, &methods)
        };
    }

    fn add_field(&mut self, text: &str) {
        let mut words = text.split_whitespace();
        let (name, kind) = (words.next().unwrap(), words.next().unwrap());
        let (data, input) = match kind {
            "text" => (DataType::String, InputType::Text),
            "boolean" => (DataType::Boolean, InputType::Boolean),
            "integer" => (DataType::Int64, InputType::NumericTextBox),
            "select" => (DataType::String, InputType::DropdownSingleSelect),
            other => panic!("no field is {other}"),
        };
        let mut field = field(name, data, input);
        for word in words {
            match word.split_once('=') {
                None if word == "required" => field.input.required = true,
                None if word == "hidden" => field.input.hidden = true,
                Some(("page", page)) => field.page = page.parse().unwrap(),
                Some(("when", text)) => field.input.when = self.condition(text),
                Some(("provided", "fixed")) => field.input.when_provided = WhenProvided::Fixed,
                Some(("provided", "skip")) => field.input.when_provided = WhenProvided::Skip,
                Some(("default", value)) => field.input.default_value = Some(value.to_owned()),
                Some(("options", list)) => {
                    field.input.options = options(&list.split(',').collect::<Vec<_>>());
                }
                other => panic!("what is {other:?}?"),
            }
        }
        self.flow.fields.push(field);
    }

    /// `answer:kind:business,other`, `says:city:Bath`, `method:fabrikam` or `domain:example.com`, after `not:`
    /// its opposite; nothing is no condition.
    fn condition(&self, text: &str) -> Option<Condition> {
        if text.is_empty() {
            return None;
        }
        if let Some(rest) = text.strip_prefix("not:") {
            return Some(Condition { not: self.condition(rest).map(Box::new), ..Condition::default() });
        }
        let (what, rest) = text.split_once(':').unwrap();
        let list = |text: &str| text.split(',').filter(|w| !w.is_empty()).map(str::to_owned).collect();
        let comparison = || {
            let (name, values) = rest.split_once(':').unwrap_or((rest, ""));
            Comparison { attribute: AttributeId(self.field_name(name)), is: list(values) }
        };
        Some(match what {
            "answer" => Condition { answer: Some(comparison()), ..Condition::default() },
            "says" => Condition { provider_says: Some(comparison()), ..Condition::default() },
            "method" => Condition { method: list(rest), ..Condition::default() },
            "domain" => Condition { email_domain: list(rest), ..Condition::default() },
            other => panic!("no condition is {other}"),
        })
    }

    fn add_attribute(&mut self, text: &str) {
        let (name, value) = text.split_once(' ').unwrap();
        let id = AttributeId(self.field_name(name));
        self.world.holders.last_mut().unwrap().attributes.insert(id, value.into());
    }

    fn add_account(&mut self, text: &str) {
        let (text, password) = text.split_once(" password=").map_or((text, None), |(t, p)| (t, Some(p)));
        let words: Vec<&str> = text.split_whitespace().collect();
        self.world.add(words[0], password, words.contains(&"code"), !words.contains(&"disabled"));
        if let Some(subject) = words.iter().find_map(|w| w.strip_prefix("fabrikam=")) {
            self.world.holders.last_mut().unwrap().identity =
                Some(("https://fabrikam.example".to_owned(), subject.to_owned()));
        }
    }

    fn open(&mut self, text: &str) {
        let (intent, hint) = text.split_once(' ').map_or((text, None), |(i, h)| (i, Some(h.to_owned())));
        let intent = match intent {
            "sign-in" => Intent::SignIn,
            "sign-up" => Intent::SignUp,
            "reset" => Intent::Reset,
            other => panic!("nobody comes for {other}"),
        };
        let (login_hint, domain_hint) = match hint {
            Some(hint) => match hint.strip_prefix("domain=") {
                Some(domain) => (None, Some(domain.to_owned())),
                None => (Some(hint), None),
            },
            None => (None, None),
        };
        let facts = engine::begin(&self.flow, Opening { intent, login_hint, domain_hint });
        self.facts = Some(engine::jump(&self.flow, &facts).map_or(facts, |turn| turn.facts));
    }

    fn facts(&self) -> &Facts {
        self.facts.as_ref().expect("`open` comes first")
    }

    fn visitor(&mut self, text: &str, at: &str) {
        let input = self.input(text, at);
        let facts = self.facts().clone();
        match say(&self.flow, &mut self.world, &facts, input, self.now) {
            Ok(facts) => self.facts = Some(facts),
            Err(e) => self.rejected = Some(e),
        }
    }

    fn input(&self, text: &str, at: &str) -> Input {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let secret = |t: &str| Secret::new(t.to_owned());
        match word {
            "identify" => Input::Identify { address: rest.to_owned() },
            "password" => Input::Password { password: secret(rest) },
            "new-password" => Input::NewPassword { password: secret(rest), confirmation: Some(secret(rest)) },
            // `newest`, or how many codes ago, or any text.
            "code" => {
                let back = if rest == "newest" {
                    Some(0)
                } else {
                    rest.strip_prefix("older-").and_then(|n| n.parse().ok())
                };
                let sent =
                    back.and_then(|n: usize| self.world.codes.iter().rev().nth(n)).map(|(_, _, c)| c.clone());
                Input::Code { code: sent.unwrap_or_else(|| rest.to_owned()) }
            }
            "details" | "back" => {
                let mut fields = RawFields::new();
                let mut password = None;
                for pair in rest.split(';').map(str::trim).filter(|p| !p.is_empty()) {
                    let (name, value) = pair.split_once('=').unwrap();
                    if name == "password" {
                        password = Some(secret(value));
                    } else {
                        fields.entry(self.field_name(name)).or_default().push(value.to_owned());
                    }
                }
                if word == "back" {
                    Input::Back { fields }
                } else {
                    Input::Details { fields, confirmation: password.clone(), password }
                }
            }
            "continue" => Input::Continue,
            "stay" => Input::Stay(rest == "yes"),
            "choose" => Input::ChooseProvider(ProviderId::new(rest)),
            "resend" => Input::Resend,
            "change-address" => Input::ChangeAddress,
            "sign-up" => Input::SignUpInstead,
            "sign-in" => Input::SignInInstead,
            "forgot-password" => Input::ForgotPassword,
            "cancel" => Input::Cancel,
            other => panic!("{at}: nobody says “{other}”"),
        }
    }

    fn field_name(&self, name: &str) -> String {
        let ends = |f: &&vestibule_rules::journey::flow::Field| f.id.0.ends_with(&format!("_{name}"));
        self.flow.fields.iter().find(ends).map_or_else(|| name.to_owned(), |f| f.id.0.clone())
    }

    fn provider(&mut self, text: &str, at: &str) {
        let mut words = text.split_whitespace();
        let answer: Answer = match words.next() {
            Some("declined") => Answer::FederationDeclined,
            Some("failed") => failed(),
            Some("says") => {
                let pairs: Vec<(&str, &str)> = words.map(|w| w.split_once('=').unwrap()).collect();
                let get = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
                let claims: Vec<_> =
                    pairs.iter().filter(|(n, _)| !matches!(*n, "sub" | "email")).copied().collect();
                let away = self.facts().federation.as_ref();
                let provider = away.map_or("fabrikam", |away| away.provider.as_str()).to_owned();
                federated(&provider, get("sub").unwrap(), get("email"), &claims)
            }
            other => panic!("{at}: a provider does not say {other:?}"),
        };
        let facts = self.facts().clone();
        match come_back(&self.flow, &mut self.world, &facts, answer, self.now) {
            Ok(facts) => self.facts = Some(facts),
            Err(e) => self.rejected = Some(e),
        }
    }

    /// The step with every problem, as `code ! code: code-wrong left=4`.
    fn shown(&self) -> String {
        let form = form(&self.flow, self.facts());
        let mut text = form.step.as_str().to_owned();
        if self.facts().end.is_some() {
            let cancelled = engine::next(self.facts()) == Step::Ended { cancelled: true };
            text += if cancelled { " cancelled" } else { " signed-in" };
        }
        if let Some(progress) = form.progress {
            text = format!("{text} {}/{}", progress.page, progress.of);
        }
        let told = |m: &vestibule_rules::text::Message| {
            m.args.iter().fold(m.id.clone(), |text, (name, value)| format!("{text} {name}={value}"))
        };
        for problem in &form.problems {
            text = format!("{text} ! {}", told(problem));
        }
        for field in &form.fields {
            if let Some(problem) = &field.problem {
                let name = field.name.strip_prefix(support::APP).unwrap_or(&field.name);
                text = format!("{text} ! {name}: {}", told(problem));
            }
        }
        text
    }

    fn offers(&self, action: &str) -> bool {
        let form = form(&self.flow, self.facts());
        let provider = |id: &str| form.providers.iter().any(|p| p.id.as_str() == id);
        form.actions.iter().any(|a| a.id == action)
            || form.fields.iter().any(|f| f.name == self.field_name(action))
            || action.strip_prefix("idp-").is_some_and(provider)
    }

    fn value(&self, text: &str, at: &str) {
        let (name, wanted) = text.split_once(' ').unwrap_or((text, ""));
        let name = self.field_name(name);
        let form = form(&self.flow, self.facts());
        let field = form.fields.iter().find(|f| f.name == name);
        assert_eq!(field.map(|f| f.values.join(",")).as_deref(), Some(wanted), "{at}: the value of {name}");
    }

    /// A member of the account that was created last, such as `identities.0.issuer`.
    fn user(&self, text: &str, at: &str) {
        let (path, wanted) = text.split_once(' ').unwrap_or((text, ""));
        let user = serde_json::to_value(self.world.created.last().expect("an account was created")).unwrap();
        let path = path.split('.').map(|p| self.field_name(p)).collect::<Vec<_>>().join("/");
        let found = user
            .pointer(&format!("/{path}"))
            .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
        assert_eq!(found.as_deref().unwrap_or("absent"), wanted, "{at}: {path}");
    }

    fn signed_in(&self, text: &str, at: &str) {
        let who = self.facts().authenticated.clone().unwrap_or_else(|| panic!("{at}: nobody is signed in"));
        let holder = self.world.holders.iter().find(|h| h.account.user == who.user).unwrap();
        let new = if who.created { " new" } else { "" };
        assert_eq!(format!("{} by {}{new}", holder.address, who.amr.join("+")), text, "{at}");
    }
}

fn mood(text: &str) -> Mood {
    match text {
        "honest" => Mood::Honest,
        "throttled" => Mood::Throttled,
        "taken" => Mood::Taken,
        "unproven" => Mood::Unproven,
        other => panic!("the world is not {other}"),
    }
}
