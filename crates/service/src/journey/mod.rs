//! The runner: the only caller of the journey engine. It loads a journey, folds in what a person said, asks
//! the world with no transaction open, and saves facts and effects in one transaction that is guarded by the
//! journey's revision. If the revision moved, somebody else was first and the current step is shown: of many
//! parallel guesses at a code exactly one is judged.

mod effects;
mod finish;
pub mod guardian;
mod request;
pub(crate) mod rulings;
pub(crate) mod stages;
mod stranger;
mod world;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vestibule_crypto::{constant_time, digest};
use vestibule_rules::directory::terms::TermsText;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{DeviceId, JourneyId, SessionId};
use vestibule_rules::journey::engine::{self, Next, Rejected, Turn};
use vestibule_rules::journey::facts::{Authenticated, Facts, Federation, Opening, Pending};
use vestibule_rules::journey::flow::Flow;
use vestibule_rules::journey::form::{self, Form};
use vestibule_rules::journey::input::Input;
use vestibule_rules::journey::question::{Answer, Question, RawFields};
use vestibule_rules::journey::step::Step;
use vestibule_rules::journey::trail::{self, Mark, Trail};
use vestibule_rules::text::{Message, Secret};
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::journeys::{self, JourneyRow};
use vestibule_store::objects;

use self::effects::Effects;
use self::finish::Ending;
pub use self::request::{ForDevice, Request};
pub use self::stranger::Stranger;
use crate::directory::snapshot::TenantView;
use crate::env::Site;
use crate::federation::{self, Kept};
use crate::hop::{Hop, To};
use crate::session::{self, Session};
use crate::visit::Visit;

/// Characters of a token that [`digest::token`] makes: 256 bits in base64url.
const TOKEN_CHARS: usize = 43;

/// Everything that a page of a journey needs.
pub struct View {
    pub form: Form,
    /// The value of the hidden field that says which state of which step is answered.
    pub step: String,
    pub csrf: String,
    pub app_name: String,
    /// The app registered itself.
    pub stranger: Option<Stranger>,
    /// Where the app lives, for a way back to it.
    pub app_origin: Option<String>,
    /// The device that is decided about when the journey is over.
    pub device: Option<DeviceId>,
    pub tenant: Arc<TenantView>,
    /// `ui_locales` of the request.
    pub locales: Option<String>,
    pub standing: Standing,
    /// How long the browser's binding has to outlive the browser: somebody else decides, days later.
    pub keep_browser: Option<Span>,
}

/// Whether a journey still asks for something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    Open,
    /// The person cancelled.
    Cancelled,
    SignedIn,
    /// Nobody answered in time.
    Expired,
}

/// What is stored of a journey beside its columns.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    facts: Facts,
    /// The request that the journey answers; it never changes.
    request: Request,
    /// The issuer at which it began: a journey is not carried over to another listener.
    issuer: String,
    ended_at: Option<Timestamp>,
    /// When the person proved who they are. What ends older sessions ends this journey's way to one too.
    #[serde(default)]
    authenticated_at: Option<Timestamp>,
    /// The session that goes on: the journey lives no longer than it does in this browser.
    #[serde(default)]
    continues: Option<SessionId>,
    /// The session that the end began.
    #[serde(default)]
    sid: Option<SessionId>,
    /// The last departure whose response was taken; each is asked about at its provider once.
    #[serde(default)]
    taken: u32,
    /// What the session keeps of the provider that the person came by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
    /// The stages that were reached, until they are moved to rows of their own.
    #[serde(default)]
    trail: Trail,
}

impl State {
    /// The state with new facts.
    fn after(&self, flow: &Flow, facts: &Facts, visit: &Visit) -> Self {
        let (mut state, now) = (self.clone(), visit.now);
        state.trail.note(facts.intent, trail::reached(flow, &self.facts, facts), now, visit.correlation);
        state.ended_at = facts.end.as_ref().map(|_| now);
        state.authenticated_at = facts.authenticated.as_ref().map(|_| self.authenticated_at.unwrap_or(now));
        // It goes on as the same person's, or not at all.
        let who = |facts: &Facts| facts.authenticated.as_ref().map(|a| a.user);
        state.continues = self.continues.filter(|_| who(facts) == who(&self.facts));
        state.facts = facts.clone();
        state
    }
}

/// One request to one journey.
#[derive(Clone, Copy)]
struct Scene<'a> {
    site: &'a Site,
    visit: &'a Visit,
    loaded: &'a Loaded,
}

/// A journey that was read for this browser.
struct Loaded {
    row: JourneyRow,
    state: State,
    flow: Arc<Flow>,
    /// Its time is over: it can be looked at and takes no more answers.
    expired: bool,
}

impl Loaded {
    /// Which state of which step a form answers.
    fn step_token(&self) -> String {
        format!("{}.{}", engine::next(&self.state.facts).name().as_str(), self.row.revision)
    }
}

/// With what a journey begins.
pub struct Beginning {
    pub opening: Opening,
    /// The session of somebody who is signed in and has yet to answer something.
    pub session: Option<Session>,
    /// The request that the journey answers.
    pub request: Request,
}

/// Begins a journey under a version of a flow, and pins that version.
pub async fn start(
    site: &Site,
    visit: &Visit,
    (flow, version): (&Flow, i64),
    Beginning { opening, session, request }: Beginning,
) -> Outcome<Hop> {
    let known = browser(visit);
    let fresh = known.is_none().then(|| new_browser(site));
    let browser = fresh.as_ref().or(known);
    let id = JourneyId::from_random(site.env.random());
    let client_id = request.client_id();
    let authenticated_at = session.as_ref().map(|session| session.auth_time);
    let continues = session.as_ref().map(|session| session.sid);
    let facts = match session {
        Some(session) => resumed(site, visit, flow, (opening, session)).await?,
        None => engine::begin(flow, opening),
    };
    let state = State {
        authenticated_at,
        trail: Trail::begin(&visit.language, &facts, visit.now, visit.correlation),
        facts,
        request,
        issuer: visit.issuer(),
        ended_at: None,
        continues,
        sid: None,
        taken: 0,
        kept: None,
    };
    let row = JourneyRow {
        id,
        key: site.env.order_key(visit.now),
        client_id,
        flow_id: flow.id.clone(),
        flow_version: version,
        browser_digest: browser.map(browser_digest).unwrap_or_default(),
        state: write(&state)?,
        revision: 1,
        created_at: visit.now,
        expires_at: visit.now + site.settings.lifetimes.journey,
        ended: false,
    };
    let (tenant, new) = (visit.tenant_id(), row.clone());
    site.env
        .db
        .write(move |tx| {
            let row = new.clone();
            Box::pin(async move { journeys::insert(tx, tenant, &row).await })
        })
        .await?;
    let hop = match engine::jump(flow, &state.facts) {
        Some(turn) => {
            let loaded = Loaded { row, state, flow: Arc::new(flow.clone()), expired: false };
            Box::pin(run(site, visit, loaded, turn)).await?
        }
        None => Hop::to(To::Journey(id)),
    };
    Ok(Hop { browser: fresh, ..hop })
}

/// The facts of somebody whose session goes on, with what their account has.
async fn resumed(
    site: &Site,
    visit: &Visit,
    flow: &Flow,
    (opening, session): (Opening, Session),
) -> Outcome<Facts> {
    let review = world::review(site, visit, flow, session.user).await?;
    let Session { user, amr, provider, .. } = session;
    Ok(engine::resume(flow, opening, Authenticated { user, amr, provider, created: false }, review))
}

/// Where the journey is. Nothing changes.
pub async fn view(site: &Site, visit: &Visit, id: JourneyId) -> Outcome<View> {
    let loaded = load(site, visit, id).await?;
    let request = &loaded.state.request;
    let application = visit.tenant.application(request.client_id());
    let step = engine::next(&loaded.state.facts);
    Ok(View {
        form: form::form(&loaded.flow, &loaded.state.facts),
        step: loaded.step_token(),
        csrf: own_csrf(site, visit, id),
        app_name: application.map_or_else(String::new, |a| a.display_name.clone()),
        stranger: application.and_then(Stranger::of),
        app_origin: request.app_origin(),
        device: request.device(),
        tenant: Arc::clone(&visit.tenant),
        locales: request.ui_locales().map(str::to_owned),
        standing: match step {
            Step::Ended { cancelled: true } => Standing::Cancelled,
            Step::Ended { cancelled: false } => Standing::SignedIn,
            _ if loaded.expired => Standing::Expired,
            _ => Standing::Open,
        },
        keep_browser: matches!(step, Step::GuardianWait { .. })
            .then(|| loaded.row.expires_at.since(visit.now)),
    })
}

/// A document as a journey shows it.
pub struct Document {
    pub version: String,
    pub text: TermsText,
    /// `ui_locales` of the request.
    pub locales: Option<String>,
}

/// The words of a document that the journey's flow asks to accept, in one language. Nothing changes.
///
/// Returns `Missing` when the flow has no such document, or not in this language, or its words are elsewhere.
pub async fn document(
    site: &Site,
    visit: &Visit,
    id: JourneyId,
    (document, language): (&str, &str),
) -> Outcome<Document> {
    let Loaded { flow, state, .. } = load(site, visit, id).await?;
    let terms = flow.terms.iter().find(|terms| terms.id == document);
    let found = terms.and_then(|terms| Some((terms, terms.in_language(language)?)));
    match found.filter(|(_, text)| text.text.is_some()) {
        Some((terms, text)) => Ok(Document {
            version: terms.version.clone(),
            text: text.clone(),
            locales: state.request.ui_locales().map(str::to_owned),
        }),
        None => Err(Fault::missing("document", "the flow has no such document in this language")),
    }
}

/// Folds in what a person posted.
pub async fn submit(site: &Site, visit: &Visit, id: JourneyId, fields: RawFields) -> Outcome<Hop> {
    let loaded = load(site, visit, id).await?;
    let posted = |name: &str| fields.get(name).and_then(|v| v.first()).map_or("", String::as_str);
    let expected = own_csrf(site, visit, id);
    if !constant_time::eq_str(posted("csrf"), &expected) {
        return Err(
            Fault::forbidden("the form's token is not this browser's").hint(Message::new("fault-form"))
        );
    }
    if loaded.row.ended {
        return finish::again(site, visit, &loaded).await;
    }
    if loaded.expired {
        return Ok(Hop::to(To::Journey(id)));
    }
    // A form of an older state: a back button, a second tab, a second click. It changes nothing.
    if posted("step") != loaded.step_token() {
        return Ok(Hop::to(To::Journey(id)));
    }
    let step = engine::next(&loaded.state.facts).name();
    let Some(input) = Input::read(step, &fields) else { return Ok(Hop::to(To::Journey(id))) };
    match engine::submit(&loaded.flow, loaded.state.facts.clone(), input, visit.now) {
        Ok(turn) => run(site, visit, loaded, turn).await,
        Err(Rejected::NotAsked | Rejected::Ended) => {
            tracing::info!(journey = %id, step = step.as_str(), correlation = %visit.correlation, "an input that the step does not ask for");
            Ok(Hop::to(To::Journey(id)))
        }
    }
}

/// Folds in what a provider said at the end of a departure. A late or repeated return only shows where the
/// journey is.
pub(crate) async fn returned(site: &Site, visit: &Visit, id: JourneyId, answer: Returned) -> Outcome<Hop> {
    let mut loaded = load(site, visit, id).await?;
    loaded.state.kept = answer.kept;
    let question = Question::Federation { provider: answer.provider, attempt: answer.attempt };
    match engine::answer(&loaded.flow, loaded.state.facts.clone(), &question, answer.answer) {
        Ok(turn) => run(site, visit, loaded, turn).await,
        Err(Rejected::NotAsked | Rejected::Ended) => Ok(Hop::to(To::Journey(id))),
    }
}

/// A provider's answer to one departure.
pub(crate) struct Returned {
    pub provider: vestibule_rules::ids::ProviderId,
    pub attempt: u32,
    pub answer: Answer,
    pub kept: Option<Kept>,
}

/// Takes the response to a departure, if the journey waits for it in this browser. Of two requests that
/// bring the same one only the first goes on to the provider: the second would spoil the code for both.
pub(crate) async fn take(site: &Site, visit: &Visit, id: JourneyId, pending: &Pending) -> Outcome<bool> {
    let loaded = load(site, visit, id).await?;
    let Pending::Federation { attempt, .. } = pending else { return Ok(false) };
    let waits = !loaded.row.ended && !loaded.expired && loaded.state.facts.pending.as_ref() == Some(pending);
    if !waits || loaded.state.taken >= *attempt {
        return Ok(false);
    }
    let state = State { taken: *attempt, ..loaded.state.clone() };
    let scene = Scene { site, visit, loaded: &loaded };
    match effects::save(scene, &state, &Effects::default(), None).await {
        Ok(()) => Ok(true),
        Err(fault) if fault.kind == Kind::Stale => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// The token of our own forms, bound to a cookie and to one thing.
pub fn csrf(site: &Site, cookie: &str, about: &str) -> String {
    digest::base64url(&digest::hmac_parts(
        &site.env.derived.page,
        &[b"csrf", cookie.as_bytes(), about.as_bytes()],
    ))
}

fn own_csrf(site: &Site, visit: &Visit, id: JourneyId) -> String {
    csrf(site, visit.browser.as_ref().map_or("", |b| b.expose().as_str()), &id.to_string())
}

async fn run(site: &Site, visit: &Visit, loaded: Loaded, turn: Turn) -> Outcome<Hop> {
    let scene = Scene { site, visit, loaded: &loaded };
    let outcome = Box::pin(go_on(scene, turn)).await;
    if let Err(fault) = &outcome {
        note_refusal(scene, fault).await;
    }
    outcome
}

/// Nothing of the turn was saved, but why it was refused belongs to the journey's trail. The person is told
/// all the same if that cannot be written.
async fn note_refusal(scene: Scene<'_>, fault: &Fault) {
    let Scene { visit, loaded, .. } = scene;
    if !matches!(fault.kind, Kind::Forbidden | Kind::Expired) {
        return;
    }
    let mut state = loaded.state.clone();
    let step = engine::next(&state.facts).name();
    let mark = Mark::refused(step, fault.code, fault.hint.as_ref());
    state.trail.note(state.facts.intent, vec![mark], visit.now, visit.correlation);
    if let Err(fault) = effects::save(scene, &state, &Effects::default(), None).await {
        tracing::debug!(%fault, correlation = %visit.correlation, "a refusal could not be noted");
    }
}

async fn go_on(scene: Scene<'_>, mut turn: Turn) -> Outcome<Hop> {
    let Scene { site, visit, loaded } = scene;
    let id = loaded.row.id;
    let mut effects = Effects::default();
    loop {
        let step = loop {
            match turn.next {
                Next::Show(step) => break step,
                Next::Ask(question) => {
                    let answer = world::ask(scene, &turn.facts, &question, &mut effects).await?;
                    turn = engine::answer(&loaded.flow, turn.facts, &question, answer).map_err(unasked)?;
                }
            }
        };
        let departure = match &step {
            Step::Leave { provider, attempt } => {
                let login_hint = turn.facts.federation.as_ref().and_then(|away| away.login_hint.clone());
                let away = Federation { provider: provider.clone(), attempt: *attempt, login_hint };
                match Box::pin(federation::departure(site, visit, id, &away)).await {
                    Ok(url) => Some(url),
                    Err(fault) => {
                        tracing::warn!(%provider, %fault, correlation = %visit.correlation, "a provider cannot be reached");
                        turn = unreachable_provider(&loaded.flow, turn.facts, (provider, *attempt))?;
                        continue;
                    }
                }
            }
            _ => None,
        };
        let mut state = loaded.state.after(&loaded.flow, &turn.facts, visit);
        let ending = finish::prepare(site, visit, &state).await?;
        state.sid = ending.as_ref().and_then(Ending::sid);
        match effects::save(scene, &state, &effects, ending.as_ref()).await {
            Ok(()) => {
                if effects.has_mail() {
                    site.mail_waiting.notify_one();
                }
                return Ok(match (departure, ending) {
                    (Some(url), _) => Hop::to(To::Provider(url)),
                    (None, Some(ending)) => ending.hop(site, visit).await?,
                    (None, None) => Hop::to(To::Journey(id)),
                });
            }
            Err(fault) => match effects.undo(&fault) {
                Some((facts, question, answer)) => {
                    turn = engine::answer(&loaded.flow, facts, &question, answer).map_err(unasked)?;
                }
                None if fault.kind == Kind::Stale => return Box::pin(overtaken(site, visit, id)).await,
                None => return Err(fault),
            },
        }
    }
}

/// Somebody was first: the other tab, or the first of two clicks. Where that led is where this one goes.
async fn overtaken(site: &Site, visit: &Visit, id: JourneyId) -> Outcome<Hop> {
    let loaded = load(site, visit, id).await?;
    if loaded.row.ended { finish::again(site, visit, &loaded).await } else { Ok(Hop::to(To::Journey(id))) }
}

fn unreachable_provider(
    flow: &Flow,
    facts: Facts,
    (provider, attempt): (&vestibule_rules::ids::ProviderId, u32),
) -> Outcome<Turn> {
    let question = Question::Federation { provider: provider.clone(), attempt };
    let answer = Answer::FederationFailed { message: Message::new("refused-provider-failed"), code: 0 };
    engine::answer(flow, facts, &question, answer).map_err(unasked)
}

fn unasked(rejected: Rejected) -> Fault {
    Fault::ours(format!("the engine refused the runner's answer: {rejected}"))
}

/// Reads a journey for this browser. Another browser gets the answer of a journey that does not exist
/// (security.md S88).
async fn load(site: &Site, visit: &Visit, id: JourneyId) -> Outcome<Loaded> {
    let gone = || {
        Fault::missing("journey", "no such journey in this browser").hint(Message::new("fault-journey-gone"))
    };
    let loaded = find(site, visit, id).await?.ok_or_else(gone)?;
    let browser = visit.browser.as_ref().map(browser_digest).unwrap_or_default();
    if !constant_time::eq(&loaded.row.browser_digest, &browser) || loaded.state.issuer != visit.issuer() {
        return Err(gone());
    }
    // Whoever signed out meanwhile left nobody signed in: not here either, and nothing is accepted in their name.
    if let (Some(sid), false) = (loaded.state.continues, loaded.row.ended)
        && session::of_browser(site, visit).await?.by_sid(sid).is_none()
    {
        return Err(gone());
    }
    Ok(loaded)
}

/// Reads a journey, whoever asks.
async fn find(site: &Site, visit: &Visit, id: JourneyId) -> Outcome<Option<Loaded>> {
    let tenant = visit.tenant_id();
    // One row, and a version that never changes.
    let mut tx = site.env.db.glance().await?;
    let Some(row) = journeys::find(&mut tx, tenant, id).await? else { return Ok(None) };
    let state = read_state(&row)?;
    let flow = match visit.tenant.flow(row.flow_id.as_str()) {
        Some((_, current)) if current.version == row.flow_version => Arc::clone(&current.flow),
        _ if row.flow_version == 0 => Arc::new(Flow::sign_in_only(&visit.tenant.config)),
        _ => {
            let version = objects::find_version(&mut tx, tenant, &row.flow_id, row.flow_version).await?;
            let version = version.ok_or_else(|| {
                Fault::ours(format!("flow {} has no version {}", row.flow_id, row.flow_version))
            })?;
            let flow = serde_json::from_str(&version.doc);
            Arc::new(flow.map_err(|e| Fault::ours(format!("user_flow_version.doc of {}: {e}", row.flow_id)))?)
        }
    };
    let expired = row.expires_at <= visit.now && !row.ended;
    Ok(Some(Loaded { row, state, flow, expired }))
}

/// What binds this browser. A value that we did not make binds nothing: it may be empty, or somebody else's choice.
pub(crate) fn browser(visit: &Visit) -> Option<&Secret<String>> {
    visit.browser.as_ref().filter(|value| value.expose().len() == TOKEN_CHARS)
}

/// A value for a browser that has none.
pub(crate) fn new_browser(site: &Site) -> Secret<String> {
    Secret::new(digest::token(site.env.random()))
}

pub(crate) fn browser_digest(value: &Secret<String>) -> Vec<u8> {
    digest::sha256(value.expose().as_bytes()).to_vec()
}

fn read_state(row: &JourneyRow) -> Outcome<State> {
    serde_json::from_str(&row.state).map_err(|e| Fault::ours(format!("journey.state of {}: {e}", row.id)))
}

fn write(state: &State) -> Outcome<String> {
    serde_json::to_string(state).map_err(|e| Fault::ours(format!("journey.state: {e}")))
}
