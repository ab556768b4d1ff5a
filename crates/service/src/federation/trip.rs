//! What ties a response to one departure of one journey at one provider.

use vestibule_crypto::{constant_time, digest};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{JourneyId, ProviderId};
use vestibule_rules::text::Message;

use super::Proof;
use crate::env::Site;
use crate::visit::Visit;

/// One departure of one journey.
pub(super) struct Trip<'a> {
    pub(super) journey: JourneyId,
    pub(super) provider: &'a ProviderId,
    pub(super) attempt: u32,
}

impl<'a> Trip<'a> {
    /// The departure that a state belongs to, if it is one of ours (security.md RP1).
    pub(super) fn read(site: &Site, visit: &Visit, provider: &'a ProviderId, state: &str) -> Outcome<Self> {
        let foreign = || {
            Fault::malformed("state", "the state is not one of ours").hint(Message::new("fault-federation"))
        };
        let mut parts = state.splitn(3, '.');
        let (Some(journey), Some(attempt), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(foreign());
        };
        let journey = JourneyId::parse(journey).ok_or_else(foreign)?;
        let attempt = attempt.parse().map_err(|_| foreign())?;
        let trip = Self { journey, provider, attempt };
        if constant_time::eq_str(&trip.state(site, visit), state) { Ok(trip) } else { Err(foreign()) }
    }

    pub(super) fn state(&self, site: &Site, visit: &Visit) -> String {
        format!("{}.{}.{}", self.journey, self.attempt, self.secret(site, visit, "state"))
    }

    /// The nonce that the ID token must carry, and what the code can be redeemed with (RFC 7636).
    pub(super) fn proof(&self, site: &Site, visit: &Visit) -> Proof {
        Proof { nonce: self.secret(site, visit, "nonce"), verifier: self.secret(site, visit, "verifier") }
    }

    fn secret(&self, site: &Site, visit: &Visit, purpose: &str) -> String {
        let (tenant, journey) = (visit.tenant_id().uuid(), self.journey.uuid());
        let parts: [&[u8]; 6] = [
            purpose.as_bytes(),
            visit.origin.as_bytes(),
            tenant.as_bytes(),
            journey.as_bytes(),
            self.provider.as_str().as_bytes(),
            &self.attempt.to_be_bytes(),
        ];
        digest::base64url(&digest::hmac_parts(&site.env.derived.federation, &parts))
    }
}
