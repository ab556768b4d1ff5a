//! The client of a token request, found in the tenant's configuration.

use vestibule_crypto::digest::verify_secret;
use vestibule_rules::directory::application::{Application, PasswordCredential, Platform};
use vestibule_rules::ids::ClientId;
use vestibule_rules::oauth::client_auth::{self, Presented, Proof};
use vestibule_rules::oauth::error::{self, OAuthError};
use vestibule_rules::time::Timestamp;

use crate::visit::Visit;

/// An application of the tenant and what it showed.
pub(crate) struct Client<'a> {
    pub(crate) app: &'a Application<PasswordCredential>,
    proof: Proof<'a>,
    origin: Option<&'a str>,
}

impl<'a> Client<'a> {
    pub(crate) fn find(
        visit: &'a Visit,
        presented: &Presented,
        origin: Option<&'a str>,
    ) -> Result<Self, OAuthError> {
        let id = ClientId::parse(&presented.client_id).ok_or(error::UNKNOWN_CLIENT)?;
        let app = visit.tenant.application(id).ok_or(error::UNKNOWN_CLIENT)?;
        if !app.service_principal.account_enabled {
            return Err(error::DISABLED_CLIENT);
        }
        let proof = match &presented.secret {
            None => Proof::Nothing,
            Some(secret) => app
                .password_credentials
                .iter()
                .find(|credential| verify_secret(secret, &credential.hash))
                .map_or(Proof::Wrong, Proof::Secret),
        };
        Ok(Self { app, proof, origin })
    }

    /// Whether it has proven itself enough for a grant that came to `platform`.
    pub(crate) fn authenticate(&self, platform: Option<Platform>, now: Timestamp) -> Result<(), OAuthError> {
        client_auth::check(platform, self.proof, now)?;
        client_auth::check_origin(self.app, platform, self.origin)
    }

    /// For a grant that is not there or not the client's, so that no platform says what it has to show: a
    /// wrong secret is still called wrong.
    pub(crate) const fn check_what_was_shown(&self) -> Result<(), OAuthError> {
        match self.proof {
            Proof::Wrong => Err(error::WRONG_SECRET),
            Proof::Nothing | Proof::Secret(_) => Ok(()),
        }
    }

    pub(crate) const fn has_secret(&self) -> bool {
        matches!(self.proof, Proof::Secret(_))
    }
}
