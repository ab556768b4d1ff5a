//! What each grant obliges to before tokens are issued.
//!
//! The order matters: a code that was redeemed before is found out first, whoever shows it and however wrong
//! the rest is, because it has leaked (RFC 9700 §2.1.1, security.md S29). Nothing here consumes anything; the
//! store does that with guarded updates, and of any number of requests one passes its guard.

use super::device;
use super::error::{self, OAuthError};
use super::params::Params;
use super::pkce;
use crate::directory::application::{Application, Platform};
use crate::directory::credential::AuthMethod;
use crate::directory::registration::GrantType;
use crate::directory::user::User;
use crate::ids::ClientId;
use crate::time::{Span, Timestamp};

/// For how long a refresh token that was used gives its successor again: MSAL sends a request a second time
/// after a failure of the network (native-auth-and-msal.md R39, security.md S74). Codes have no such time,
/// because their second redemption must fail (R48) and is an alarm (S29).
pub const GRACE: Span = Span::seconds(10);

/// However often its tokens are rotated, a grant ends then (security.md S76).
pub const ABSOLUTE: Span = Span::days(365);

/// Parameters of token requests that occur at most once (security.md S8).
const KNOWN: &[&str] = &[
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "code",
    "code_verifier",
    "redirect_uri",
    "refresh_token",
    "scope",
    "client_info",
    "device_code",
    "assertion",
    "requested_token_use",
];

/// What a client comes with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grant {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    DeviceCode(device::Form),
    OnBehalfOf,
}

/// Which grant a request is about.
pub fn grant(params: &Params, by_get: bool) -> Result<Grant, OAuthError> {
    if by_get {
        return Err(error::USE_POST);
    }
    params.check(KNOWN)?;
    match params.require("grant_type")? {
        "authorization_code" => Ok(Grant::AuthorizationCode),
        "refresh_token" => Ok(Grant::RefreshToken),
        "client_credentials" => Ok(Grant::ClientCredentials),
        "device_code" => Ok(Grant::DeviceCode(device::Form::Msal)),
        "urn:ietf:params:oauth:grant-type:device_code" => Ok(Grant::DeviceCode(device::Form::Standard)),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => Ok(Grant::OnBehalfOf),
        // `password` too: passwords are for pages and the native API only (security.md S49).
        _ => Err(error::GRANT_TYPE),
    }
}

/// Whether the application may come with it. By its own right or for whoever gave it a token it acts only when it can
/// prove itself: otherwise whoever has such a token could trade it for others (native-auth-and-msal.md R22). One that
/// registered itself has the grants that it registered; those by which an application acts without a person before our
/// own pages are an administrator's to give (security.md S91).
pub fn check_grant<P>(application: &Application<P>, grant: Grant) -> Result<(), OAuthError> {
    let takes_proof = match grant {
        Grant::ClientCredentials | Grant::OnBehalfOf => true,
        Grant::AuthorizationCode | Grant::RefreshToken | Grant::DeviceCode(_) => false,
    };
    if takes_proof && application.settings.token_endpoint_auth_method == Some(AuthMethod::None) {
        return Err(error::GRANT_NOT_ALLOWED);
    }
    let Some(registered) = &application.registered else { return Ok(()) };
    let needed = match grant {
        Grant::AuthorizationCode => GrantType::AuthorizationCode,
        Grant::RefreshToken => GrantType::RefreshToken,
        Grant::ClientCredentials | Grant::DeviceCode(_) | Grant::OnBehalfOf => {
            return Err(error::GRANT_NOT_ALLOWED);
        }
    };
    if registered.grant_types.contains(&needed) { Ok(()) } else { Err(error::GRANT_NOT_ALLOWED) }
}

/// A code as it was found.
#[derive(Clone, Copy, Debug)]
pub struct Code<'a> {
    pub client: ClientId,
    pub issuer: &'a str,
    pub redirect_uri: &'a str,
    /// Whether the authorization request named the address.
    pub redirect_uri_sent: bool,
    pub challenge: Option<&'a str>,
    /// The thumbprint of the key that the authorization request named (RFC 9449 §10).
    pub key: Option<&'a str>,
    pub expires_at: Timestamp,
    pub redeemed: bool,
    /// The family was revoked: signed out, for example.
    pub revoked: bool,
}

/// A request to redeem one.
#[derive(Clone, Copy, Debug)]
pub struct Redeeming<'a> {
    pub client: ClientId,
    pub issuer: &'a str,
    pub redirect_uri: Option<&'a str>,
    pub shown: &'a pkce::Shown,
    /// The thumbprint of the key that the request proved.
    pub key: Option<&'a str>,
    pub now: Timestamp,
}

/// What happens to the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// It stays as it is; the client may correct itself.
    Keep(OAuthError),
    /// It leaked: it and everything that came of it dies.
    Revoke(OAuthError),
}

impl Refused {
    /// What the client is told.
    pub const fn error(self) -> OAuthError {
        match self {
            Self::Keep(error) | Self::Revoke(error) => error,
        }
    }
}

/// The obligations of the authorization code grant, in order (RFC 6749 §4.1.3, RFC 7636 §4.6).
pub fn redeem(code: &Code<'_>, request: &Redeeming<'_>) -> Result<(), Refused> {
    if code.redeemed {
        return Err(Refused::Revoke(error::CODE_REDEEMED));
    }
    if code.client != request.client {
        // Somebody else's application holds the code (S30).
        return Err(Refused::Revoke(error::CODE));
    }
    let obligations = [
        // Each listener is an issuer of its own; a code does not cross from one to the other.
        (code.issuer != request.issuer, error::CODE_OF_OTHER_TENANT),
        (code.revoked || request.now >= code.expires_at, error::CODE_EXPIRED),
        (!is_same_redirect(code, request.redirect_uri), error::REDIRECT_MISMATCH),
        (code.key.is_some() && code.key != request.key, error::OTHER_KEY),
    ];
    if let Some((_, error)) = obligations.into_iter().find(|(broken, _)| *broken) {
        return Err(Refused::Keep(error));
    }
    pkce::verify(code.challenge, request.shown).map_err(Refused::Keep)
}

fn is_same_redirect(code: &Code<'_>, given: Option<&str>) -> bool {
    match given {
        Some(given) => given == code.redirect_uri,
        None => !code.redirect_uri_sent,
    }
}

/// A refresh token as it was found, with its family.
#[derive(Clone, Copy, Debug)]
pub struct Refresh<'a> {
    pub client: ClientId,
    pub issuer: &'a str,
    pub platform: Platform,
    /// The thumbprint of the key that the token is bound to (RFC 9449 §5).
    pub key: Option<&'a str>,
    /// The sooner of the token's and the family's end.
    pub expires_at: Timestamp,
    pub revoked: bool,
    pub used: Option<Used>,
}

/// The token was exchanged before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Used {
    pub at: Timestamp,
    /// Its successor was exchanged, too: the first answer has arrived.
    pub successor_used: bool,
}

/// What a good request for new tokens gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotation {
    /// A new refresh token.
    Next,
    /// The successor that was made before, for a client that lost the answer.
    Again,
}

/// The obligations of the refresh token grant, in order (RFC 9700 §4.14.2).
pub fn refresh(
    token: &Refresh<'_>,
    client: ClientId,
    issuer: &str,
    key: Option<&str>,
    now: Timestamp,
) -> Result<Rotation, Refused> {
    if token.client != client || token.issuer != issuer {
        return Err(Refused::Keep(error::REFRESH_TOKEN));
    }
    // Before anything that kills the grant: a thief without the key must not be able to (RFC 9449 §5).
    if token.key.is_some() && token.key != key {
        return Err(Refused::Keep(error::OTHER_KEY));
    }
    if token.revoked {
        return Err(Refused::Keep(error::REFRESH_REVOKED));
    }
    if now >= token.expires_at {
        return Err(Refused::Keep(match token.platform {
            Platform::Spa => error::REFRESH_SPA_EXPIRED,
            Platform::Web | Platform::PublicClient => error::REFRESH_EXPIRED,
        }));
    }
    match token.used {
        None => Ok(Rotation::Next),
        Some(used) if !used.successor_used && now.since(used.at) <= GRACE => Ok(Rotation::Again),
        // Two parties hold one token; nobody can tell which of them is the thief (S72).
        Some(_) => Err(Refused::Revoke(error::REFRESH_REVOKED)),
    }
}

/// Why a person does not stand behind a grant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unbacked {
    Gone,
    Disabled,
    /// The person signed out everywhere, or was signed out, after the grant.
    SignedOut,
}

impl From<Unbacked> for OAuthError {
    fn from(why: Unbacked) -> Self {
        match why {
            Unbacked::Gone => error::USER_GONE,
            Unbacked::Disabled => error::USER_DISABLED,
            Unbacked::SignedOut => error::REFRESH_REVOKED,
        }
    }
}

/// The person who still stands behind a grant of that time (security.md S34, S77).
pub fn backing(user: Option<&User>, granted_at: Timestamp) -> Result<&User, Unbacked> {
    let user = user.ok_or(Unbacked::Gone)?;
    if !user.account_enabled {
        return Err(Unbacked::Disabled);
    }
    if user.sessions_valid_from > granted_at {
        return Err(Unbacked::SignedOut);
    }
    Ok(user)
}

/// The same for a request that asks for tokens.
pub fn check_user(user: Option<&User>, granted_at: Timestamp) -> Result<&User, OAuthError> {
    Ok(backing(user, granted_at)?)
}

/// The platform in a refresh token's first letter. The stored digest covers it, so it cannot be exchanged.
pub const fn marker(platform: Platform) -> char {
    match platform {
        Platform::Web => 'w',
        Platform::Spa => 's',
        Platform::PublicClient => 'p',
    }
}

/// Reads what [`marker`] wrote.
pub fn platform_of(token: &str) -> Option<Platform> {
    match token.chars().next() {
        Some('w') => Some(Platform::Web),
        Some('s') => Some(Platform::Spa),
        Some('p') => Some(Platform::PublicClient),
        Some(_) | None => None,
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
