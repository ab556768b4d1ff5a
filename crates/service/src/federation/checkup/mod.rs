//! A provider is gone through step by step, as a sign-in would, and each step says in words what is wrong and what to
//! do. Nobody signs in and nothing is stored: the provider is asked for what it publishes, and refuses a code that
//! cannot exist.
//!
//! | module | step |
//! | --- | --- |
//! | `connection` | names, addresses, certificates, clock |
//! | `document` | the discovery document and the keys |
//! | `request` | what people are sent with: redirect address, scope, PAR |
//! | `client` | what the provider makes of our proof |

mod client;
mod connection;
mod document;
mod request;

use std::collections::BTreeMap;

use url::Url;
use vestibule_rules::directory::provider::kind::{Protocol, ProviderKind};
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::text::Secret;
use vestibule_rules::time::Timestamp;

pub(super) use self::client::{Meaning, meaning};
use self::document::Read;
pub(super) use self::request::{Refusal, named, refusal};
use super::overview::{flows_with, lifetime};
use super::quote::quote;
use super::{Upstream, client as proven};
use crate::directory::TenantView;
use crate::env::Site;
use crate::ports::tls_probe::TlsProbe;
use crate::visit::Visit;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkup {
    /// The tenant's short name.
    pub tenant: String,
    /// The provider's id.
    pub provider: String,
    /// The provider's name.
    pub name: String,
    pub kind: ProviderKind,
    /// What is to be registered at the provider, for each address of this server.
    pub redirect_uris: Vec<String>,
    pub steps: Vec<Step>,
}

impl Checkup {
    /// Whether no step failed.
    pub fn is_well(&self) -> bool {
        self.steps.iter().all(|step| step.verdict != Verdict::Failed)
    }
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    pub what: What,
    /// The server that it is about, when there can be several.
    pub server: Option<String>,
    pub verdict: Verdict,
    /// What was found, and what to do about it.
    pub text: String,
}

/// What a step looks at, in the order of the steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Configuration,
    Name,
    Certificate,
    Discovery,
    Issuer,
    Endpoints,
    Clock,
    Keys,
    Scope,
    PushedRequest,
    Authorization,
    Client,
    SecretExpiry,
}

impl What {
    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Name => "name",
            Self::Certificate => "certificate",
            Self::Discovery => "discovery",
            Self::Issuer => "issuer",
            Self::Endpoints => "endpoints",
            Self::Clock => "clock",
            Self::Keys => "keys",
            Self::Scope => "scope",
            Self::PushedRequest => "pushedRequest",
            Self::Authorization => "authorization",
            Self::Client => "client",
            Self::SecretExpiry => "secretExpiry",
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Ok,
    /// It works, and somebody should look at it.
    Warning,
    Failed,
    /// The answer does not tell, or an earlier step stands in the way.
    NotChecked,
}

impl Verdict {
    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::NotChecked => "notChecked",
        }
    }
}

/// Goes through a provider.
///
/// Returns `Missing` when there is no such tenant or provider.
pub async fn checkup(site: &Site, probe: &TlsProbe, (tenant, provider): (&str, &str)) -> Outcome<Checkup> {
    let snapshot = site.directory.snapshot();
    let view = super::overview::tenant_of(&snapshot, tenant)?;
    let found = super::overview::provider_of(view, provider)?;
    let visit = Visit::of_operator(site, view);
    let upstream = Upstream { site, visit: &visit, provider: found, trace: None };
    let mut run = Run {
        upstream,
        probe,
        reached: BTreeMap::new(),
        clock_seen: false,
        steps: Vec::new(),
        secrets: upstream.unspeakable(),
    };
    run.configuration(view);
    match found.preset().protocol {
        Protocol::OpenIdConnect => run.openid().await,
        Protocol::OAuth2 => run.oauth2().await,
    }
    run.secret_expiry();
    let origins = site.settings.origins.iter();
    Ok(Checkup {
        tenant: view.config.tenant.short_name.clone(),
        provider: found.id.to_string(),
        name: found.display_name.clone(),
        kind: found.identity_provider_type,
        redirect_uris: origins
            .map(|origin| super::redirect_uri(origin, visit.tenant_id(), &found.id))
            .collect(),
        steps: run.steps,
    })
}

/// A checkup on its way.
struct Run<'a> {
    upstream: Upstream<'a>,
    probe: &'a TlsProbe,
    /// Servers that were looked at, and whether they can be spoken to.
    reached: BTreeMap<String, bool>,
    clock_seen: bool,
    steps: Vec<Step>,
    /// What no quotation may repeat.
    secrets: Vec<Secret<String>>,
}

impl Run<'_> {
    fn now(&self) -> Timestamp {
        self.upstream.site.env.now()
    }

    fn tell(&mut self, what: What, verdict: Verdict, text: impl Into<String>) {
        self.steps.push(Step { what, server: None, verdict, text: text.into() });
    }

    fn ok(&mut self, what: What, text: impl Into<String>) {
        self.tell(what, Verdict::Ok, text);
    }

    fn failed(&mut self, what: What, text: impl Into<String>) {
        self.tell(what, Verdict::Failed, text);
    }

    fn unknown(&mut self, what: What, text: impl Into<String>) {
        self.tell(what, Verdict::NotChecked, text);
    }

    /// What cannot be known before something else is mended.
    fn held_up(&mut self, steps: &[What], by: &str) {
        for what in steps {
            self.unknown(*what, format!("not known before {by}"));
        }
    }

    /// What somebody else said, between quotation marks.
    fn quoted(&self, text: &str) -> String {
        let secrets: Vec<&str> = self.secrets.iter().map(|secret| secret.expose().as_str()).collect();
        format!("“{}”", quote(text, &secrets))
    }

    /// A fault of our own, of the port or of a library.
    fn reason(&self, fault: &Fault) -> String {
        let secrets: Vec<&str> = self.secrets.iter().map(|secret| secret.expose().as_str()).collect();
        quote(&fault.detail, &secrets)
    }

    fn configuration(&mut self, view: &TenantView) {
        let provider = self.upstream.provider;
        let flows = flows_with(&view.config, &provider.id);
        if !provider.is_enabled {
            let text =
                "the provider is not enabled, so no page offers it; leave isEnabled out to change that";
            self.tell(What::Configuration, Verdict::Warning, text);
        } else if flows.is_empty() {
            let text = format!(
                "no flow names the provider, so no page offers it; write {} into identityProviders of a flow",
                provider.id
            );
            self.tell(What::Configuration, Verdict::Warning, text);
        } else {
            self.ok(What::Configuration, format!("offered by “{}”", flows.join("”, “")));
        }
    }

    async fn openid(&mut self) {
        let Some(Read { metadata, document }) = self.discovery().await else {
            let rest = [What::Keys, What::Scope, What::Authorization, What::Client];
            return self.held_up(&rest, "the discovery document can be used");
        };
        let endpoints =
            [Some(&metadata.token_endpoint), Some(&metadata.jwks_uri), metadata.userinfo_endpoint.as_ref()];
        for url in endpoints.into_iter().flatten() {
            self.connect(url).await;
        }
        self.keys(&metadata, &document).await;
        self.scope(&document);
        let pushes =
            self.upstream.provider.settings.pushed_authorization_request || metadata.demands_pushed_requests;
        match if pushes { self.push(&metadata).await.map(Some) } else { Some(None) } {
            Some(reference) => {
                self.authorization(&metadata.authorization_endpoint, reference.as_deref()).await;
            }
            None => self.held_up(&[What::Authorization], "the pushed request is taken"),
        }
        self.client_of_openid(&metadata, &document).await;
    }

    async fn oauth2(&mut self) {
        let Some(endpoints) = self.upstream.provider.endpoints() else {
            return self.failed(What::Endpoints, "the provider has no addresses; write them into endpoints");
        };
        let named = [
            ("authorization", Some(&endpoints.authorization)),
            ("token", Some(&endpoints.token)),
            ("userInfo", Some(&endpoints.user_info)),
            ("emails", endpoints.emails.as_ref()),
            ("tokenCheck", endpoints.token_check.as_ref()),
        ];
        let mut addresses: BTreeMap<&str, Url> = BTreeMap::new();
        for (name, text) in named.into_iter().filter_map(|(name, text)| Some((name, text?))) {
            match proven::address(self.upstream.site, text) {
                Ok(url) => drop(addresses.insert(name, url)),
                Err(fault) => {
                    let reason = self.reason(&fault);
                    self.failed(What::Endpoints, format!("endpoints.{name} is no address: {reason}"));
                }
            }
        }
        let plain: Vec<&str> =
            addresses.iter().filter(|(_, url)| url.scheme() != "https").map(|(name, _)| *name).collect();
        if plain.is_empty() {
            self.ok(What::Endpoints, "every address is on https");
        } else {
            let text = format!("not on https: {}; that is for tests on one machine only", plain.join(", "));
            self.tell(What::Endpoints, Verdict::Warning, text);
        }
        for (_, url) in addresses.iter().filter(|(name, _)| **name != "authorization") {
            self.connect(url).await;
        }
        if let Some(url) = addresses.get("authorization") {
            self.authorization(url, None).await;
        }
        if let Some(url) = addresses.get("token") {
            self.client_of_oauth2(url).await;
        }
    }

    fn secret_expiry(&mut self) {
        let provider = self.upstream.provider;
        if provider.client_secret.is_none() {
            return;
        }
        let (verdict, text) = match lifetime(provider, self.now()) {
            None => (
                Verdict::NotChecked,
                "no date is known; write the one that the provider shows into secretExpiresAt, and the log warns \
                 30 days ahead"
                    .to_owned(),
            ),
            Some(life) if life.is_over() => {
                (Verdict::Failed, format!("the client secret expired on {}; have the provider make a new one", life.date))
            }
            Some(life) if life.is_short() => {
                (Verdict::Warning, format!("the client secret expires on {}, {}", life.date, life.words()))
            }
            Some(life) => (Verdict::Ok, format!("good until {}, {}", life.date, life.words())),
        };
        self.tell(What::SecretExpiry, verdict, text);
    }
}

/// Whether a fault is about what we hold ourselves and not about the other side.
pub(super) fn is_ours(fault: &Fault) -> bool {
    matches!(fault.kind, Kind::Ours | Kind::Malformed)
}
