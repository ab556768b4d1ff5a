//! The whole way of a sign-in, tried by whoever configures a provider: from a link that `vestibule provider test` prints,
//! to the provider, and back to a report. It is the code of a sign-in that runs, and nothing follows from it: nobody is
//! signed in, no account is looked for or made, nothing is stored, and how the provider fares (`health`) is not touched,
//! because that is about the people who come and not about who tries.
//!
//! | module | does |
//! | --- | --- |
//! | `ticket` | the link, and the state that comes back |
//! | `judge` | what went well, what did not, and what to do about it |

mod judge;
mod ticket;

use url::Url;
use vestibule_crypto::{constant_time, digest};
use vestibule_rules::directory::provider::kind::{Protocol, ProviderKind};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::params::Params;
use vestibule_rules::text::{Message, Secret};
use vestibule_rules::time::{Span, Timestamp};

use self::judge::Ended;
use self::ticket::{Ticket, Whose};
use super::checkup::Verdict;
use super::dry_run::{self, DryRun, Given};
use super::overview::{provider_of, tenant_of};
use super::trace::Trace;
use super::{Upstream, kept, redirect_uri};
use crate::env::Site;
use crate::visit::Visit;

pub use super::trace::Stage;
pub(super) use ticket::is_state;

/// A link to a trial.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// At this server's first address.
    pub url: String,
    pub expires_at: Timestamp,
}

/// The provider that is tried.
#[derive(Clone, Debug)]
pub struct Tried {
    pub id: String,
    pub name: String,
    pub kind: ProviderKind,
    /// Whether anybody can sign in by it.
    pub is_enabled: bool,
    /// What must be registered there.
    pub redirect_uri: String,
}

/// What the link shows.
#[derive(Clone, Debug)]
pub struct View {
    pub tried: Tried,
    pub expires_at: Timestamp,
    pub csrf: String,
    pub token: String,
}

/// What comes of the button.
pub enum Departure {
    /// The browser goes to the provider, and takes a cookie along for as long.
    Away { url: Url, browser: Secret<String>, keep: Span },
    /// The way ended before it began.
    Stays(Box<Report>),
    /// There is no such way.
    Off(View),
}

/// What came of a trial.
#[derive(Clone, Debug)]
pub struct Report {
    pub tried: Tried,
    pub steps: Vec<Step>,
    /// What the person's account would get; nothing when the way ended before that was known.
    pub becomes: Option<Becomes>,
    /// The token of the link, to try again; nothing when there is no trying.
    pub token: Option<String>,
}

impl Report {
    /// Whether no step failed.
    pub fn is_well(&self) -> bool {
        self.steps.iter().all(|step| step.verdict != Verdict::Failed)
    }
}

/// One step of the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    pub stage: Stage,
    pub verdict: Verdict,
    /// What was found, and what to do about it; nothing about a step that was not reached.
    pub text: Option<Message>,
    /// What the provider, or a part of ours, said about it.
    pub said: Option<String>,
}

/// What the person would be here.
#[derive(Clone, Debug)]
pub struct Becomes {
    pub issuer: String,
    pub subject: String,
    pub run: DryRun,
}

/// Makes a link.
///
/// Returns `Missing` when there is no such tenant or provider.
pub fn link(site: &Site, (tenant, provider): (&str, &str)) -> Outcome<Link> {
    let snapshot = site.directory.snapshot();
    let view = tenant_of(&snapshot, tenant)?;
    let provider = provider_of(view, provider)?;
    let (ticket, tenant) = (Ticket::new(site), view.config.tenant.id);
    let token = ticket.token(Whose { site, tenant, provider: &provider.id });
    let origin = site.settings.origins.first().map_or("", String::as_str);
    let url = format!("{}/test?token={token}", redirect_uri(origin, tenant, &provider.id));
    Ok(Link { url, expires_at: ticket.expires_at })
}

/// Shows what a trial will do. Nothing changes.
///
/// Returns `Missing` for a link that is not ours, and `Expired` when its time is over.
pub fn view(site: &Site, visit: &Visit, provider: &str, token: &str) -> Outcome<View> {
    let upstream = known(site, visit, provider)?;
    let ticket = Ticket::read(Whose::of(upstream), visit.now, token)?;
    Ok(shown(upstream, ticket))
}

/// Sends the browser to the provider.
///
/// Returns what [`view`] returns, and `Forbidden` when the form's token is not this link's.
pub async fn depart(
    site: &Site,
    visit: &Visit,
    provider: &str,
    (token, csrf): (&str, &str),
) -> Outcome<Departure> {
    let trace = Trace::default();
    let upstream = Upstream { trace: Some(&trace), ..known(site, visit, provider)? };
    let whose = Whose::of(upstream);
    let ticket = Ticket::read(whose, visit.now, token)?;
    if !constant_time::eq_str(&ticket.csrf(whose), csrf) {
        let fault = Fault::forbidden("the form's token is not this link's");
        return Err(fault.hint(Message::new("fault-form")));
    }
    if !upstream.provider.is_enabled {
        return Ok(Departure::Off(shown(upstream, ticket)));
    }
    let browser = Secret::new(digest::token(site.env.random()));
    let bound = (visit.origin.as_str(), &browser);
    let (state, proof) = (ticket.state(whose, bound), ticket.proof(whose, bound));
    match super::sent(upstream, &state, &proof, None).await {
        Ok(url) => Ok(Departure::Away { url, browser, keep: ticket.expires_at.since(visit.now) }),
        Err(fault) => {
            let ended = Ended::Refused(&fault);
            let steps = judge::steps(upstream, &trace.noted(), ended, (&Params::new(Vec::new()), &proof));
            Ok(Departure::Stays(Box::new(report(upstream, ticket, steps, None))))
        }
    }
}

/// Takes the browser back: everything that a sign-in would do is done but for signing in.
///
/// Returns `Forbidden` when it is not the browser that departed or was answered before, and `Expired` when it took too
/// long.
pub(super) async fn returned(
    known: Upstream<'_>,
    params: &Params,
    (state, browser): (&str, Option<&Secret<String>>),
) -> Outcome<Report> {
    let trace = Trace::default();
    let upstream = Upstream { trace: Some(&trace), ..known };
    let (whose, visit) = (Whose::of(upstream), upstream.visit);
    let ticket = Ticket::returned(whose, visit.now, state, (&visit.origin, browser))?;
    let Some(browser) = browser.filter(|_| upstream.provider.is_enabled) else {
        return Ok(report(upstream, ticket, Vec::new(), None));
    };
    let proof = ticket.proof(whose, (&visit.origin, browser));
    let judged = arrived(upstream, params, &proof).await;
    let ended = match &judged {
        Ok(Some(becomes)) => Ended::Well(becomes),
        Ok(None) => Ended::Declined,
        Err(fault) => {
            tracing::info!(provider = %upstream.provider.id, %fault, correlation = %visit.correlation, "a trial of a provider failed");
            Ended::Refused(fault)
        }
    };
    let steps = judge::steps(upstream, &trace.noted(), ended, (params, &proof));
    Ok(report(upstream, ticket, steps, judged.ok().flatten()))
}

/// The checks and the mapping of a sign-in.
async fn arrived(upstream: Upstream<'_>, params: &Params, proof: &super::Proof) -> Outcome<Option<Becomes>> {
    let Some(arrived) = super::arrival(upstream, proof, params).await? else { return Ok(None) };
    upstream.enters(Stage::Identity);
    // What a session would keep is made as well, and dropped.
    kept::of(upstream, &arrived)?;
    let (provider, said) = (upstream.provider, &arrived.said);
    let federated = super::federated(provider, upstream.tenant_kind(), &arrived.issuer, said)?;
    let given = match provider.preset().protocol {
        Protocol::OpenIdConnect => Given::Both,
        Protocol::OAuth2 => Given::UserInfo,
    };
    let run = dry_run::run(&upstream.visit.tenant, provider, given, said);
    Ok(Some(Becomes { issuer: federated.issuer, subject: federated.subject, run }))
}

/// A provider that may be switched off. Of one that is not there nothing else is told than of a link that is not ours.
fn known<'a>(site: &'a Site, visit: &'a Visit, provider: &str) -> Outcome<Upstream<'a>> {
    Upstream::known(site, visit, provider).map_err(|fault| fault.hint(Message::new("fault-trial-link")))
}

fn shown(upstream: Upstream<'_>, ticket: Ticket) -> View {
    let whose = Whose::of(upstream);
    View {
        tried: tried(upstream),
        expires_at: ticket.expires_at,
        csrf: ticket.csrf(whose),
        token: ticket.token(whose),
    }
}

fn tried(upstream: Upstream<'_>) -> Tried {
    let provider = upstream.provider;
    Tried {
        id: provider.id.to_string(),
        name: provider.display_name.clone(),
        kind: provider.identity_provider_type,
        is_enabled: provider.is_enabled,
        redirect_uri: upstream.redirect_uri(),
    }
}

fn report(upstream: Upstream<'_>, ticket: Ticket, steps: Vec<Step>, becomes: Option<Becomes>) -> Report {
    let tried = tried(upstream);
    let token = tried.is_enabled.then(|| ticket.token(Whose::of(upstream)));
    Report { tried, steps, becomes, token }
}
