//! What proves that a trial is ours: the link that an operator opens, and the state that comes back. Nothing of either
//! is stored. A link is bound to tenant, provider and time; a state also to our address and to the browser that
//! departed.

use uuid::Uuid;
use vestibule_crypto::{constant_time, digest};
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{ProviderId, TenantId};
use vestibule_rules::text::{Message, Secret};
use vestibule_rules::time::{Span, Timestamp};

use super::super::{Proof, Upstream};
use crate::env::Site;

/// How long a link is good, and all that is begun with it.
const GOOD_FOR: Span = Span::minutes(15);
/// The beginning of a trial's state. A journey's begins with the journey's id.
const MARK: &str = "trial.";

/// One link.
#[derive(Clone, Copy)]
pub(super) struct Ticket {
    id: Uuid,
    pub(super) expires_at: Timestamp,
}

/// Whom a ticket is for.
#[derive(Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) site: &'a Site,
    pub(super) tenant: TenantId,
    pub(super) provider: &'a ProviderId,
}

impl<'a> Whose<'a> {
    pub(super) fn of(upstream: Upstream<'a>) -> Self {
        Self { site: upstream.site, tenant: upstream.visit.tenant_id(), provider: &upstream.provider.id }
    }

    fn mac(self, purpose: &str, ticket: Ticket, more: &[&str]) -> String {
        let (tenant, provider) = (self.tenant.uuid(), self.provider.key());
        let ends = ticket.expires_at.seconds().to_be_bytes();
        let mut parts: Vec<&[u8]> =
            vec![purpose.as_bytes(), tenant.as_bytes(), provider.as_bytes(), ticket.id.as_bytes(), &ends];
        parts.extend(more.iter().map(|part| part.as_bytes()));
        digest::base64url(&digest::hmac_parts(&self.site.env.derived.trial, &parts))
    }
}

/// Whether a state says that it is a trial's.
pub(in crate::federation) fn is_state(state: &str) -> bool {
    state.starts_with(MARK)
}

impl Ticket {
    pub(super) fn new(site: &Site) -> Self {
        Self { id: site.env.guid(), expires_at: site.env.now() + GOOD_FOR }
    }

    /// The part of the link that nobody else can make.
    pub(super) fn token(self, whose: Whose<'_>) -> String {
        self.signed(&whose.mac("link", self, &[]))
    }

    /// Reads a link's token. Whether it is ours comes first: of a forged one nothing is told, not even its time.
    pub(super) fn read(whose: Whose<'_>, now: Timestamp, token: &str) -> Outcome<Self> {
        let foreign = || {
            Fault::missing("token", "the token of the link is not one of ours")
                .hint(Message::new("fault-trial-link"))
        };
        let ticket = Self::parse(token).ok_or_else(foreign)?;
        if !constant_time::eq_str(&ticket.token(whose), token) {
            return Err(foreign());
        }
        ticket.in_time(now)
    }

    /// The token of the form on the link's page.
    pub(super) fn csrf(self, whose: Whose<'_>) -> String {
        whose.mac("form", self, &[])
    }

    /// What comes back with the browser that holds `browser`.
    pub(super) fn state(self, whose: Whose<'_>, (origin, browser): (&str, &Secret<String>)) -> String {
        format!("{MARK}{}", self.signed(&whose.mac("state", self, &[origin, browser.expose()])))
    }

    /// Reads a state, for the browser that shows its cookie. The cookie is taken away with the first answer, so a second
    /// one fits no browser any more.
    pub(super) fn returned(
        whose: Whose<'_>,
        now: Timestamp,
        state: &str,
        (origin, browser): (&str, Option<&Secret<String>>),
    ) -> Outcome<Self> {
        let foreign = || {
            Fault::forbidden("the answer is not to a trial of this browser, or was taken before")
                .hint(Message::new("fault-trial-browser"))
        };
        let ticket = state.strip_prefix(MARK).and_then(Self::parse).ok_or_else(foreign)?;
        let browser = browser.ok_or_else(foreign)?;
        if !constant_time::eq_str(&ticket.state(whose, (origin, browser)), state) {
            return Err(foreign());
        }
        ticket.in_time(now)
    }

    pub(super) fn proof(self, whose: Whose<'_>, (origin, browser): (&str, &Secret<String>)) -> Proof {
        let made = |purpose: &str| whose.mac(purpose, self, &[origin, browser.expose()]);
        Proof { nonce: made("nonce"), verifier: made("verifier") }
    }

    fn in_time(self, now: Timestamp) -> Outcome<Self> {
        if now < self.expires_at {
            return Ok(self);
        }
        Err(Fault::new(Kind::Expired, "the link of the trial expired")
            .hint(Message::new("fault-trial-expired")))
    }

    fn signed(self, mac: &str) -> String {
        format!("{}.{}.{mac}", self.expires_at.seconds(), self.id.simple())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (ends, id) = (parts.next()?.parse().ok()?, Uuid::try_parse(parts.next()?).ok()?);
        Some(Self { id, expires_at: Timestamp::from_seconds(ends) })
    }
}
