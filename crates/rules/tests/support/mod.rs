//! A world in memory that answers the engine's questions, and flows to walk through.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};

use vestibule_rules::directory::address::Address;
use vestibule_rules::directory::attribute::{self, DataType};
use vestibule_rules::directory::flow::{AttributeInput, InputOption, InputType, WhenProvided};
use vestibule_rules::directory::provider::claims::UpdateWhen;
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::directory::terms::{Agreement, Terms, TermsText};
use vestibule_rules::directory::user::{User, UserType};
use vestibule_rules::ids::{AttributeId, FlowId, ProviderId, UserId};
use vestibule_rules::journey::door::Door;
use vestibule_rules::journey::engine::{self, CODE_LIFETIME, Next, Rejected, Turn};
use vestibule_rules::journey::facts::{Account, Facts, Federated, Intent, Opening, Review};
use vestibule_rules::journey::flow::{Field, Flow, Method};
use vestibule_rules::journey::input::Input;
use vestibule_rules::journey::question::{Answer, Compared, Question};
use vestibule_rules::text::Message;
use vestibule_rules::time::{Span, Timestamp};

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);
pub(crate) const APP: &str = "extension_00000000000000000000000000000001_";

pub(crate) fn flow(kind: TenantKind, methods: &[Method]) -> Flow {
    Flow {
        id: FlowId::new("B2X_1_Suppliers"),
        tenant_kind: kind,
        tenant_name: "Woodgrove".to_owned(),
        default_domain: "woodgrove.onmicrosoft.com".to_owned(),
        strict: false,
        methods: methods.to_vec(),
        sign_up_allowed: true,
        user_type: if kind == TenantKind::Workforce { UserType::Guest } else { UserType::Member },
        title: None,
        description: None,
        pages: Vec::new(),
        ask_missing_at_sign_in: false,
        fields: Vec::new(),
        terms: Vec::new(),
        age: None,
    }
}

pub(crate) fn provider(id: &str) -> Method {
    Method::Provider {
        id: ProviderId::new(id),
        display_name: id.to_owned(),
        door: Door {
            known_as: vec![id.to_owned()],
            domains: vec![format!("{id}.example")],
            ..Door::default()
        },
    }
}

pub(crate) fn field(id: &str, data_type: DataType, input_type: InputType) -> Field {
    let built_in = attribute::find_built_in(id);
    let id = AttributeId(if built_in.is_some() { id.to_owned() } else { format!("{APP}{id}") });
    Field {
        id: id.clone(),
        page: 0,
        data_type,
        max_length: built_in.map_or(250, |b| b.max_length),
        autocomplete: built_in.map_or("", |b| b.autocomplete).to_owned(),
        name: if built_in.is_some() { String::new() } else { id.0.clone() },
        input: AttributeInput {
            attribute: id,
            label: None,
            hint: None,
            input_type,
            required: false,
            default_value: None,
            hidden: false,
            editable: true,
            write_to_directory: true,
            validation_reg_ex: None,
            options: Vec::new(),
            when: None,
            when_provided: WhenProvided::Editable,
            minimum: None,
            maximum: None,
            default_region: None,
            requires_verification: false,
        },
    }
}

pub(crate) fn options(values: &[&str]) -> Vec<InputOption> {
    values.iter().map(|v| InputOption { label: (*v).to_uppercase(), value: (*v).to_owned() }).collect()
}

pub(crate) fn open(flow: &Flow, intent: Intent) -> Facts {
    engine::begin(flow, Opening { intent, login_hint: None, domain_hint: None })
}

/// An account of the world.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) account: Account,
    pub(crate) address: String,
    pub(crate) password: Option<String>,
    pub(crate) identity: Option<(String, String)>,
    /// Identities that were connected later.
    pub(crate) linked: Vec<(String, String)>,
    pub(crate) attributes: BTreeMap<AttributeId, serde_json::Value>,
    pub(crate) terms: Vec<Agreement>,
}

/// A document in two languages.
pub(crate) fn document(id: &str, version: &str, required: bool) -> Terms {
    let text = |language: &str| TermsText {
        language: language.to_owned(),
        title: format!("{id} in {language}"),
        text: Some("Be kind.".to_owned()),
        link: None,
    };
    Terms {
        id: id.to_owned(),
        version: version.to_owned(),
        required,
        languages: vec![text("en"), text("de")],
    }
}

/// What the world does with the next question of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    Honest,
    Throttled,
    Taken,
    /// No domain is anybody's.
    Unproven,
}

/// Directory, mailboxes and hashes.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) holders: Vec<Holder>,
    pub(crate) mood: Mood,
    /// Every code that was sent: digest, address, plain code.
    pub(crate) codes: Vec<(String, String, String)>,
    pub(crate) hashes: Vec<(String, String)>,
    /// Addresses whose mailbox was read in this journey.
    pub(crate) read: BTreeSet<String>,
    /// Accounts for which somebody proved in this journey to be their holder.
    pub(crate) proofs: BTreeSet<UserId>,
    pub(crate) created: Vec<User>,
    /// Accounts that were signed in to in this journey with what they have: reading the mailbox of one
    /// that no code signs in is not enough.
    pub(crate) opened: BTreeSet<UserId>,
    /// Identities that a provider vouched for in this journey.
    pub(crate) came: BTreeSet<(String, String)>,
    /// Whether a guardian has agreed in this journey.
    pub(crate) agreed: bool,
    pub(crate) asked: Vec<String>,
    pub(crate) questions: Vec<Question>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            holders: Vec::new(),
            mood: Mood::Honest,
            codes: Vec::new(),
            hashes: Vec::new(),
            read: BTreeSet::new(),
            proofs: BTreeSet::new(),
            created: Vec::new(),
            opened: BTreeSet::new(),
            came: BTreeSet::new(),
            agreed: false,
            asked: Vec::new(),
            questions: Vec::new(),
        }
    }

    pub(crate) fn add(
        &mut self,
        address: &str,
        password: Option<&str>,
        has_code: bool,
        enabled: bool,
    ) -> UserId {
        let user = user_id(self.holders.len() + 1);
        let account = Account { user, enabled, has_password: password.is_some(), has_code };
        let password = password.map(str::to_owned);
        let (address, attributes) = (address.to_owned(), BTreeMap::new());
        self.holders.push(Holder {
            account,
            address,
            password,
            identity: None,
            linked: Vec::new(),
            attributes,
            terms: Vec::new(),
        });
        user
    }

    fn by_address(&self, address: &str) -> Option<&Holder> {
        self.holders.iter().find(|h| key(&h.address) == key(address))
    }

    pub(crate) fn holder(&self, user: UserId) -> Option<&Holder> {
        self.holders.iter().find(|h| h.account.user == user)
    }

    fn by_identity(&self, issuer: &str, subject: &str) -> Option<&Holder> {
        let wanted = Some((issuer.to_owned(), subject.to_owned()));
        self.holders
            .iter()
            .find(|h| h.identity == wanted || h.linked.iter().any(|l| Some(l) == wanted.as_ref()))
    }

    /// The newest code that reached a mailbox.
    pub(crate) fn code_for(&self, address: &str) -> Option<String> {
        self.codes.iter().rev().find(|(_, to, _)| to == address).map(|(_, _, code)| code.clone())
    }

    pub(crate) fn reply(&mut self, question: &Question, now: Timestamp) -> Answer {
        self.asked.push(describe(question));
        self.questions.push(question.clone());
        match question {
            Question::FindAccount { address } => {
                Answer::Account(self.by_address(address).map(|h| h.account.clone()))
            }
            Question::FindDomain { .. } => Answer::Domain(self.mood != Mood::Unproven),
            Question::SendCode { .. } | Question::CheckPassword { .. } if self.mood == Mood::Throttled => {
                let wait = Span::seconds(90);
                if matches!(question, Question::SendCode { .. }) {
                    Answer::CodeThrottled(wait)
                } else {
                    Answer::PasswordThrottled(wait)
                }
            }
            Question::SendCode { address, decoy, .. } => self.send(address, *decoy, now),
            Question::CompareCode { typed, digest, superseded } => {
                Answer::CodeCompared(self.compare(typed, digest, superseded))
            }
            Question::CheckPassword { user, password, .. } => {
                Answer::PasswordChecked(self.check_password(*user, password.expose()))
            }
            Question::HashPassword { password } => self.hash(password.expose()),
            Question::FindIdentity { issuer, subject, address } => {
                let by_identity = self.by_identity(issuer, subject).map(|h| h.account.clone());
                self.came.insert((issuer.clone(), subject.clone()));
                self.proofs.extend(by_identity.as_ref().map(|a| a.user));
                self.opened.extend(by_identity.as_ref().map(|a| a.user));
                let by_address = address.as_ref().and_then(|a| self.by_address(a)).map(|h| h.account.clone());
                Answer::Identity { by_identity, by_address }
            }
            Question::CreateAccount { .. } if self.mood == Mood::Taken => Answer::Taken,
            Question::CreateAccount { draft } => self.create(draft, now),
            Question::Review { user } => self.review(*user),
            Question::UpdateAccount { user, attributes, terms } => {
                self.update(*user, attributes, terms);
                Answer::Updated
            }
            Question::LinkIdentity { user, federated } => self.link(*user, federated),
            Question::TakeClaims { user, values } => {
                self.follow_provider(*user, values);
                Answer::ClaimsTaken
            }
            Question::AskGuardian { .. } => self.ask_guardian(now),
            Question::Guardian { .. } => unreachable!("the guardian says it"),
            Question::SetPassword { user, phc } => {
                self.set_password(*user, phc);
                Answer::PasswordSet
            }
            Question::Federation { .. } => unreachable!("the person carries it"),
        }
    }

    fn send(&mut self, address: &str, decoy: bool, now: Timestamp) -> Answer {
        let n = self.codes.len();
        let digest = format!("digest-of-code-number-{n}");
        if !decoy {
            let code = format!("{:08}", 31_415_926 + n * 1_234_567);
            self.codes.push((digest.clone(), address.to_owned(), code));
        }
        Answer::CodeSent { digest, expires_at: now + CODE_LIFETIME, resend_at: now + Span::seconds(30) }
    }

    fn hash(&mut self, password: &str) -> Answer {
        let phc = format!("hash-number-{}", self.hashes.len());
        self.hashes.push((phc.clone(), password.to_owned()));
        Answer::PasswordHashed(phc)
    }

    fn ask_guardian(&self, now: Timestamp) -> Answer {
        if self.mood == Mood::Throttled {
            return Answer::GuardianThrottled(Span::minutes(5));
        }
        Answer::GuardianAsked { expires_at: now + Span::days(7), resend_at: now + Span::seconds(30) }
    }

    fn link(&mut self, user: UserId, federated: &Federated) -> Answer {
        // EXIST-03: nothing is ever connected with an account that nobody has proven to hold, nor by an identity that
        // did not come in this journey.
        assert!(self.opened.contains(&user), "connected with an account that nobody signed in to");
        let came = (federated.issuer.clone(), federated.subject.clone());
        assert!(self.came.contains(&came), "an identity was connected that did not come");
        if self.by_identity(&came.0, &came.1).is_some() {
            return Answer::Linked(false);
        }
        for holder in self.holders.iter_mut().filter(|h| h.account.user == user) {
            assert!(holder.account.enabled, "connected with an account that is switched off");
            holder.linked.push(came.clone());
        }
        Answer::Linked(true)
    }

    fn follow_provider(
        &mut self,
        user: UserId,
        values: &BTreeMap<AttributeId, (UpdateWhen, serde_json::Value)>,
    ) {
        for holder in self.holders.iter_mut().filter(|h| h.account.user == user) {
            for (id, (when, value)) in values {
                match when {
                    UpdateWhen::Always => drop(holder.attributes.insert(id.clone(), value.clone())),
                    UpdateWhen::WhenEmpty => {
                        holder.attributes.entry(id.clone()).or_insert_with(|| value.clone());
                    }
                    UpdateWhen::Never => panic!("an attribute that stays as it is"),
                }
            }
        }
    }

    fn review(&self, user: UserId) -> Answer {
        let has = self.holder(user).map(|h| (h.attributes.clone(), h.terms.clone()));
        let (attributes, terms) = has.unwrap_or_default();
        Answer::Reviewed(Box::new(Review { attributes, terms }))
    }

    fn update(
        &mut self,
        user: UserId,
        attributes: &BTreeMap<AttributeId, serde_json::Value>,
        terms: &[Agreement],
    ) {
        for holder in self.holders.iter_mut().filter(|h| h.account.user == user) {
            holder.attributes.extend(attributes.clone());
            holder.terms.extend(terms.iter().cloned());
        }
    }

    fn check_password(&mut self, user: Option<UserId>, typed: &str) -> bool {
        let holder = self.holders.iter().find(|h| Some(h.account.user) == user);
        let good = holder.is_some_and(|h| h.password.as_deref() == Some(typed));
        self.proofs.extend(user.filter(|_| good));
        self.opened.extend(user.filter(|_| good));
        good
    }

    fn set_password(&mut self, user: UserId, phc: &str) {
        let plain = self.hashes.iter().find(|(h, _)| h == phc).map(|(_, p)| p.clone());
        for holder in self.holders.iter_mut().filter(|h| h.account.user == user) {
            holder.password.clone_from(&plain);
            self.opened.insert(user);
        }
    }

    fn compare(&mut self, typed: &str, digest: &str, superseded: &[String]) -> Compared {
        let is = |d: &str| self.codes.iter().find(|(known, _, code)| known == d && code == typed).cloned();
        if let Some((_, address, _)) = is(digest) {
            let same = |h: &&Holder| key(&h.address) == key(&address);
            let holders: Vec<UserId> = self.holders.iter().filter(same).map(|h| h.account.user).collect();
            self.proofs.extend(holders);
            let by_code = self.holders.iter().filter(same).filter(|h| h.account.has_code);
            self.opened.extend(by_code.map(|h| h.account.user));
            self.read.insert(address);
            return Compared::Match;
        }
        if superseded.iter().any(|d| is(d).is_some()) { Compared::Superseded } else { Compared::Mismatch }
    }

    fn create(&mut self, draft: &vestibule_rules::journey::draft::Draft, now: Timestamp) -> Answer {
        let identity = draft.identity();
        let federated = identity.sign_in_type == "federated" && identity.issuer != "mail";
        let identity = federated.then(|| (identity.issuer.clone(), identity.issuer_assigned_id.clone()));
        if self.by_address(draft.address()).is_some() {
            return Answer::Taken;
        }
        let plain =
            draft.password().and_then(|p| self.hashes.iter().find(|(h, _)| h == p)).map(|(_, p)| p.clone());
        let user = self.add(draft.address(), plain.as_deref(), !federated && plain.is_none(), true);
        if let Some(holder) = self.holders.last_mut() {
            holder.identity = identity;
        }
        self.proofs.insert(user);
        let created = draft.clone().into_user(user, now);
        if let Some(holder) = self.holders.last_mut() {
            let attributes = created.attributes.iter().map(|(k, v)| (AttributeId(k.clone()), v.clone()));
            holder.attributes = attributes.collect();
            holder.terms = draft.terms().to_vec();
        }
        self.created.push(created);
        Answer::Created(user)
    }
}

pub(crate) fn user_id(n: usize) -> UserId {
    UserId::parse(&format!("00000000-0000-4000-8000-{n:012}")).unwrap()
}

pub(crate) fn key(address: &str) -> String {
    Address::parse(address).unwrap().key()
}

/// Folds an input in and lets the world answer until something is shown.
pub(crate) fn say(
    flow: &Flow,
    world: &mut World,
    facts: &Facts,
    input: Input,
    now: Timestamp,
) -> Result<Facts, Rejected> {
    finish(flow, world, engine::submit(flow, facts.clone(), input, now)?, now)
}

/// The person comes back from the provider.
pub(crate) fn come_back(
    flow: &Flow,
    world: &mut World,
    facts: &Facts,
    reply: Answer,
    now: Timestamp,
) -> Result<Facts, Rejected> {
    let away = facts.federation.clone();
    let nowhere = if facts.end.is_some() { Rejected::Ended } else { Rejected::NotAsked };
    let Some(away) = away else { return Err(nowhere) };
    let question = Question::Federation { provider: away.provider, attempt: away.attempt };
    finish(flow, world, engine::answer(flow, facts.clone(), &question, reply)?, now)
}

/// The guardian agrees to a mail.
pub(crate) fn agree(
    flow: &Flow,
    world: &mut World,
    facts: &Facts,
    sent: u32,
    now: Timestamp,
) -> Result<Facts, Rejected> {
    let question = Question::Guardian { sent };
    let turn = engine::answer(flow, facts.clone(), &question, Answer::GuardianAgreed(now))?;
    world.agreed = true;
    finish(flow, world, turn, now)
}

fn finish(flow: &Flow, world: &mut World, mut turn: Turn, now: Timestamp) -> Result<Facts, Rejected> {
    for _ in 0..16 {
        let question = match &turn.next {
            Next::Show(step) => {
                assert_eq!(*step, engine::next(&turn.facts));
                return Ok(turn.facts);
            }
            Next::Ask(question) => question.clone(),
        };
        inspect(world, &turn.facts, &question);
        let answer = world.reply(&question, now);
        turn = engine::answer(flow, turn.facts, &question, answer)?;
    }
    panic!("a turn that asks for ever");
}

/// The invariants of a question.
fn inspect(world: &World, facts: &Facts, question: &Question) {
    if let Question::CreateAccount { draft } = question {
        let read = world.read.contains(draft.address());
        let vouched =
            facts.federated.as_ref().is_some_and(|f| f.verified_email.as_deref() == Some(draft.address()));
        assert!(read || vouched, "an account without a proven address: {}", draft.address());
    }
}

pub(crate) fn federated(
    provider: &str,
    subject: &str,
    email: Option<&str>,
    claims: &[(&str, &str)],
) -> Answer {
    Answer::Federated(Box::new(Federated {
        provider: ProviderId::new(provider),
        issuer: format!("https://{provider}.example"),
        subject: subject.to_owned(),
        verified_email: email.map(str::to_owned),
        claimed_email: email.is_none().then(|| "claimed@example.org".to_owned()),
        claims: claims.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>(),
        updates: claims.iter().map(|(name, _)| ((*name).to_owned(), UpdateWhen::Always)).collect(),
    }))
}

pub(crate) fn failed() -> Answer {
    Answer::FederationFailed { message: Message::new("provider-failed"), code: 0 }
}

/// A question in one line.
pub(crate) fn describe(question: &Question) -> String {
    match question {
        Question::FindAccount { address } => format!("find-account {address}"),
        Question::FindDomain { domain, provider, .. } => format!("find-domain {domain} of {provider}"),
        Question::SendCode { address, purpose, decoy, sent } => {
            format!("send-code {address} {purpose:?} number {sent}{}", if *decoy { " decoy" } else { "" })
        }
        Question::CompareCode { .. } => "compare-code".to_owned(),
        Question::CheckPassword { user, address, .. } => {
            format!("check-password {address}{}", if user.is_none() { " of nobody" } else { "" })
        }
        Question::HashPassword { .. } => "hash-password".to_owned(),
        Question::FindIdentity { subject, .. } => format!("find-identity {subject}"),
        Question::CreateAccount { draft } => format!("create-account {}", draft.address()),
        Question::Federation { provider, .. } => format!("federation {provider}"),
        Question::SetPassword { .. } => "set-password".to_owned(),
        Question::AskGuardian { address, sent } => format!("ask-guardian {address} number {sent}"),
        Question::Guardian { sent } => format!("guardian {sent}"),
        Question::Review { .. } => "review".to_owned(),
        Question::LinkIdentity { federated, .. } => format!("link-identity {}", federated.subject),
        Question::TakeClaims { values, .. } => format!("take-claims {}", values.len()),
        Question::UpdateAccount { attributes, .. } => {
            let named =
                attributes.iter().map(|(id, v)| format!(" {}={v}", id.0.strip_prefix(APP).unwrap_or(&id.0)));
            format!("update-account{}", named.collect::<String>())
        }
    }
}
