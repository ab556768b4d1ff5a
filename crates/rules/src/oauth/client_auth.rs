//! Who redeems: how a client proves itself, and whether it must, may or must not.
//!
//! The platform of the redirect address decides (native-auth-and-msal.md 4.6): a web app has a secret, a
//! single-page app has an origin instead, an installed app has neither. An application that is registered for one
//! method is held to that. Secrets are compared and signatures verified elsewhere; the result comes in as a value.

use url::Url;

use super::error::{self, OAuthError};
use super::params::Params;
use crate::directory::application::{Application, PasswordCredential, Platform};
use crate::directory::credential::AuthMethod;
use crate::text::Secret;
use crate::time::Timestamp;

/// The one type of client assertion (RFC 7523 §2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Who the client says it is, and what it shows.
pub struct Presented {
    /// An assertion names its client itself; then the parameter may be missing (RFC 7521 §4.2).
    pub client_id: Option<String>,
    pub shown: Shown,
}

/// What a client shows to prove itself. It holds secrets: it has no `Debug`.
pub enum Shown {
    Nothing,
    Secret(Way, Secret<String>),
    Assertion(String),
}

/// Where a secret stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// In the `Authorization` header.
    Basic,
    /// In the body.
    Post,
}

impl Way {
    const fn method(self) -> AuthMethod {
        match self {
            Self::Basic => AuthMethod::ClientSecretBasic,
            Self::Post => AuthMethod::ClientSecretPost,
        }
    }
}

/// Reads client id and proof from the body or from the `Authorization` header, and one proof only (RFC 6749 §2.3,
/// security.md S36). `basic` holds both halves, already percent-decoded.
pub fn presented(params: &Params, basic: Option<(String, Secret<String>)>) -> Result<Presented, OAuthError> {
    let secret = params.get("client_secret")?;
    let assertion = assertion(params)?;
    let named = params.get("client_id")?;
    if usize::from(basic.is_some()) + usize::from(secret.is_some()) + usize::from(assertion.is_some()) > 1 {
        return Err(error::TWO_METHODS);
    }
    if let Some((id, secret)) = basic {
        if named.is_some_and(|named| !named.eq_ignore_ascii_case(&id)) {
            return Err(error::CLIENT_MISMATCH);
        }
        let shown =
            if secret.expose().is_empty() { Shown::Nothing } else { Shown::Secret(Way::Basic, secret) };
        return Ok(Presented { client_id: Some(id), shown });
    }
    let shown = match (secret, assertion) {
        (Some(secret), _) => Shown::Secret(Way::Post, Secret::new(secret.to_owned())),
        (None, Some(assertion)) => Shown::Assertion(assertion.to_owned()),
        (None, None) => Shown::Nothing,
    };
    if named.is_none() && !matches!(shown, Shown::Assertion(_)) {
        return Err(error::MISSING_PARAMETER);
    }
    Ok(Presented { client_id: named.map(str::to_owned), shown })
}

fn assertion(params: &Params) -> Result<Option<&str>, OAuthError> {
    match (params.get("client_assertion")?, params.get("client_assertion_type")?) {
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(error::MISSING_PARAMETER),
        (Some(assertion), Some(ASSERTION_TYPE)) => Ok(Some(assertion)),
        (Some(_), Some(_)) => Err(error::ASSERTION_TYPE),
    }
}

/// What looking at the proof gave.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// None was shown.
    Nothing,
    /// It is not good, and why.
    Wrong(OAuthError),
    /// It is this secret.
    Secret(&'a PasswordCredential),
    /// Something was signed with a secret that counts now.
    SecretJwt,
    /// Something was signed with a key that counts now, or by an issuer that is trusted.
    Key,
}

/// What a client has proven itself with: `azpacr` of access tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Strength {
    /// Nothing.
    #[default]
    Public,
    Secret,
    Key,
}

impl Strength {
    /// The value of the claim (native-auth-and-msal.md 4.3).
    pub const fn azpacr(self) -> &'static str {
        match self {
            Self::Public => "0",
            Self::Secret => "1",
            Self::Key => "2",
        }
    }
}

impl Proof<'_> {
    /// What it amounts to.
    pub const fn strength(&self) -> Strength {
        match self {
            Self::Nothing | Self::Wrong(_) => Strength::Public,
            Self::Secret(_) | Self::SecretJwt => Strength::Secret,
            Self::Key => Strength::Key,
        }
    }
}

/// Whether a secret is looked at that comes this way: an application that is registered for one method is held to it
/// (security.md S37).
pub fn takes_secret(registered: Option<AuthMethod>, way: Way) -> bool {
    registered.is_none_or(|method| method == way.method())
}

/// Whether an assertion that is signed with a secret, or with a key, is looked at.
pub fn takes_assertion(registered: Option<AuthMethod>, with_secret: bool) -> bool {
    match registered {
        Some(AuthMethod::ClientSecretJwt) => with_secret,
        Some(AuthMethod::PrivateKeyJwt) | None => !with_secret,
        Some(AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost | AuthMethod::None) => false,
    }
}

/// Whether the client may come without a proof. An application that is registered for a method is what that says,
/// wherever it signs people in; otherwise the platform decides, and `None` is a grant without a redirect address, which
/// takes a proof.
const fn is_public(registered: Option<AuthMethod>, platform: Option<Platform>) -> bool {
    match (registered, platform) {
        (Some(AuthMethod::None), _) | (None, Some(Platform::Spa | Platform::PublicClient)) => true,
        (None, Some(Platform::Web) | None)
        | (
            Some(
                AuthMethod::ClientSecretBasic
                | AuthMethod::ClientSecretPost
                | AuthMethod::ClientSecretJwt
                | AuthMethod::PrivateKeyJwt,
            ),
            _,
        ) => false,
    }
}

/// Whether the application has a way to come without a proof: what counts where no redirect address says which of its
/// platforms asks.
pub fn has_public_side<P>(application: &Application<P>) -> bool {
    let public = application.redirect_uris().any(|(platform, _)| platform != Platform::Web);
    is_public(application.settings.token_endpoint_auth_method, None)
        || (application.settings.token_endpoint_auth_method.is_none()
            && (public || application.is_fallback_public_client))
}

/// Decides whether the client has proven itself enough for `platform`.
pub fn check(
    registered: Option<AuthMethod>,
    platform: Option<Platform>,
    proof: Proof<'_>,
    now: Timestamp,
) -> Result<(), OAuthError> {
    match (is_public(registered, platform), proof) {
        (true, Proof::Nothing) | (false, Proof::SecretJwt | Proof::Key) => Ok(()),
        // What everybody can read out of an app proves nothing (security.md S41).
        (true, Proof::Wrong(_) | Proof::Secret(_) | Proof::SecretJwt | Proof::Key) => {
            Err(error::PUBLIC_CLIENT_SECRET)
        }
        (false, Proof::Nothing) => Err(error::SECRET_MISSING),
        (false, Proof::Wrong(error)) => Err(error),
        (false, Proof::Secret(credential)) => is_in_force(credential, now),
    }
}

/// Whether a secret counts at an instant, to the second (security.md S48).
pub fn is_in_force(credential: &PasswordCredential, now: Timestamp) -> Result<(), OAuthError> {
    if credential.end_at.is_some_and(|end| now >= end) {
        return Err(error::EXPIRED_SECRET);
    }
    if credential.start_at.is_some_and(|start| now < start) {
        return Err(error::WRONG_SECRET);
    }
    Ok(())
}

/// Whether an assertion's audience is this server (RFC 7523 §3): the issuer, or an endpoint under any name of the
/// tenant and with or without a flow, as the client sees it. `is_tenant` knows the tenant's names.
pub fn is_audience(audience: &str, origin: &str, issuer: &str, is_tenant: &dyn Fn(&str) -> bool) -> bool {
    if audience == issuer {
        return true;
    }
    let Some(path) = audience.strip_prefix(origin).and_then(|path| path.strip_prefix('/')) else {
        return false;
    };
    let segments: Vec<&str> = path.split('/').collect();
    let (tenant, endpoint) = match segments.as_slice() {
        [tenant, "oauth2", "v2.0", endpoint] => (tenant, endpoint),
        [tenant, flow, "oauth2", "v2.0", endpoint] if !flow.is_empty() => (tenant, endpoint),
        _ => return false,
    };
    is_tenant(tenant) && ["token", "introspect", "revoke", "par", "devicecode"].contains(endpoint)
}

/// Browsers name the page that asks. Only single-page apps ask from a page, and only from their own
/// (native-auth-and-msal.md 2.10, R40).
pub fn check_origin<P>(
    application: &Application<P>,
    platform: Option<Platform>,
    origin: Option<&str>,
) -> Result<(), OAuthError> {
    match (platform, origin) {
        (Some(Platform::Spa), None) => Err(error::SAME_ORIGIN),
        (Some(Platform::Spa), Some(origin)) if is_origin_of(application, origin) => Ok(()),
        (Some(Platform::Web | Platform::PublicClient) | None, None) => Ok(()),
        (Some(Platform::Web | Platform::Spa | Platform::PublicClient) | None, Some(_)) => {
            Err(error::CROSS_ORIGIN)
        }
    }
}

/// Whether `origin` is the origin of a single-page redirect address: the pages that may read answers.
/// `null`, the origin of every sandbox, is nobody's (security.md S14).
pub fn is_origin_of<P>(application: &Application<P>, origin: &str) -> bool {
    origins(application).any(|own| own == origin)
}

/// The origins of an application's single-page redirect addresses, as browsers write them.
pub fn origins<P>(application: &Application<P>) -> impl Iterator<Item = String> {
    let origin_of = |uri: &String| Url::parse(uri).ok().map(|url| url.origin()).filter(url::Origin::is_tuple);
    application.spa.redirect_uris.iter().filter_map(origin_of).map(|origin| origin.ascii_serialization())
}

#[cfg(test)]
#[path = "client_auth_tests.rs"]
mod tests;
