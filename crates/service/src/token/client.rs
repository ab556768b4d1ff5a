//! The client of a request, found in the tenant's configuration, and what it has proven.
//!
//! Endpoints that know no redirect address call [`authenticate`], once and before anything else. The token endpoint
//! finds the client first and asks when the grant has said which platform it came to.

use vestibule_crypto::jws::Unverified;
use vestibule_rules::directory::application::{Application, PasswordCredential, Platform};
use vestibule_rules::ids::ClientId;
use vestibule_rules::oauth::client_auth::{self, Presented, Proof, Shown, Strength};
use vestibule_rules::oauth::error::{self, OAuthError};
use vestibule_rules::time::Timestamp;

use super::{Refusal, TokenRequest, proof};
use crate::env::Site;
use crate::visit::Visit;

/// An application of the tenant and what it showed.
pub(crate) struct Client<'a> {
    pub(crate) app: &'a Application<PasswordCredential>,
    proof: Proof<'a>,
    origin: Option<&'a str>,
}

/// The client of a request that no redirect address belongs to, proven as its registration demands: for
/// revocation. An application with a public side may come without a proof.
pub(crate) async fn authenticate<'a>(
    site: &Site,
    visit: &'a Visit,
    request: &'a TokenRequest,
) -> Result<Client<'a>, Refusal> {
    let client = Client::of(site, visit, request).await?;
    client.authenticate_as_registered(visit.now)?;
    Ok(client)
}

impl<'a> Client<'a> {
    /// Reads and finds the client of a request. Nothing is demanded of it yet.
    pub(crate) async fn of(
        site: &Site,
        visit: &'a Visit,
        request: &'a TokenRequest,
    ) -> Result<Self, Refusal> {
        if request.secret_in_query {
            return Err(error::SECRET_IN_QUERY.into());
        }
        let presented = client_auth::presented(&request.params, request.basic.clone())?;
        Self::find(site, visit, &presented, request.origin.as_deref()).await
    }

    /// Finds the client and looks at its proof.
    pub(crate) async fn find(
        site: &Site,
        visit: &'a Visit,
        presented: &Presented,
        origin: Option<&'a str>,
    ) -> Result<Self, Refusal> {
        let id = named(presented)?;
        let app = visit.tenant.application(id).ok_or(error::UNKNOWN_CLIENT)?;
        if !app.service_principal.account_enabled {
            return Err(error::DISABLED_CLIENT.into());
        }
        let proof = proof::of(site, visit, app, &presented.shown).await?;
        Ok(Self { app, proof, origin })
    }

    /// The application of an answer that goes through the browser: it showed nothing, and its redirect address is
    /// what it is known by.
    pub(super) const fn at_its_address(app: &'a Application<PasswordCredential>) -> Self {
        Self { app, proof: Proof::Nothing, origin: None }
    }

    /// Whether it has proven itself enough for a grant that came to `platform`.
    pub(crate) fn authenticate(&self, platform: Option<Platform>, now: Timestamp) -> Result<(), OAuthError> {
        client_auth::check(self.app.settings.token_endpoint_auth_method, platform, self.proof, now)?;
        client_auth::check_origin(self.app, platform, self.origin)
    }

    fn authenticate_as_registered(&self, now: Timestamp) -> Result<(), OAuthError> {
        let public = matches!(self.proof, Proof::Nothing) && client_auth::has_public_side(self.app);
        if !public {
            return self.authenticate(None, now);
        }
        match self.origin {
            Some(origin) if !client_auth::is_origin_of(self.app, origin) => Err(error::CROSS_ORIGIN),
            Some(_) | None => Ok(()),
        }
    }

    /// For a grant that is not there or not the client's, so that no platform says what it has to show: a
    /// proof that is wrong is still called wrong.
    pub(crate) const fn check_what_was_shown(&self) -> Result<(), OAuthError> {
        match self.proof {
            Proof::Wrong(error) => Err(error),
            Proof::Nothing | Proof::Secret(_) | Proof::SecretJwt | Proof::Key => Ok(()),
        }
    }

    /// What it has proven itself with.
    pub(crate) const fn strength(&self) -> Strength {
        self.proof.strength()
    }
}

/// The client that is named by the parameter, by the header or by the assertion itself.
fn named(presented: &Presented) -> Result<ClientId, OAuthError> {
    if let Some(id) = &presented.client_id {
        return ClientId::parse(id).ok_or(error::UNKNOWN_CLIENT);
    }
    match &presented.shown {
        Shown::Assertion(assertion) => {
            let token = Unverified::parse(assertion).map_err(|_| error::ASSERTION)?;
            let subject = token.claim("sub").and_then(|sub| sub.as_str());
            subject.and_then(ClientId::parse).ok_or(error::ASSERTION_CLIENT)
        }
        Shown::Nothing | Shown::Secret(..) => Err(error::MISSING_PARAMETER),
    }
}
