//! The token endpoint, and the codes that lead to it.
//!
//! What is allowed is decided in the rules; here rows are read, secrets compared, tokens signed and
//! everything is written in one guarded transaction. Codes and refresh tokens are 256 random bits, known to
//! the store by their digest only. Signing happens outside of transactions, and before the guard: an answer
//! is ready when the code is spent, so a crash in between costs a signature and not a sign-in.

pub(crate) mod assertion;
pub(crate) mod client;
pub mod code;
mod device_code;
mod front;
pub mod hint;
mod lives;
mod mint;
mod on_behalf_of;
mod proof;
pub mod pushed;
mod redeem;
mod refresh;
mod workload;

use serde::Serialize;
use vestibule_crypto::digest::{base64url, sha256};
use vestibule_rules::directory::application::Platform;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ProviderId, SessionId, TenantId, UserId};
use vestibule_rules::oauth::claims::{self, Issuance};
use vestibule_rules::oauth::dpop::needs_nonce;
use vestibule_rules::oauth::error::{self, OAuthError};
use vestibule_rules::oauth::params::Params;
use vestibule_rules::oauth::roles;
use vestibule_rules::oauth::scope::{self, Scope};
use vestibule_rules::oauth::token::{Grant, check_grant, grant};
use vestibule_rules::text::Secret;
use vestibule_store::{ReadTx, sessions};

use crate::consent;
use crate::dpop::{self, Demands, Possession};
use crate::env::Site;
use crate::visit::Visit;
use client::Client;

pub(crate) use code::FamilyDoc;
pub use code::{NewCode, PreparedCode, prepare_code};
pub(crate) use front::{Granted, grant as grant_request};
pub(crate) use lives::end_of_grant;
pub(crate) use mint::subject;

/// A request to the token endpoint.
#[derive(Default)]
pub struct TokenRequest {
    /// The body; a query is for correlation ids only, never for credentials (security.md S38).
    pub params: Params,
    /// Client id and secret of an `Authorization: Basic` header, percent-decoded.
    pub basic: Option<(String, Secret<String>)>,
    /// The `Origin` header.
    pub origin: Option<String>,
    /// A secret or an assertion stands in the address, where logs of others find it (security.md S38).
    pub secret_in_query: bool,
    /// It came by GET.
    pub by_get: bool,
    /// What it shows of a key.
    pub possession: Possession,
}

/// The answer (native-auth-and-msal.md 2.6). It holds tokens: it has no `Debug`.
#[derive(Serialize)]
pub struct TokenResponse {
    pub token_type: &'static str,
    pub scope: String,
    pub expires_in: i64,
    pub ext_expires_in: i64,
    pub access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_info: Option<String>,
}

/// Why there are no tokens.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// The request is not good enough; the client learns why.
    Protocol(OAuthError),
    /// Something else went wrong; the detail is for the log.
    Fault(Fault),
}

impl Refusal {
    /// What the client learns.
    pub fn error(&self) -> OAuthError {
        match self {
            Self::Protocol(error) => *error,
            Self::Fault(fault) => OAuthError::from(fault),
        }
    }
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::Protocol(error)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// One request with what every grant needs of it.
struct Call<'a> {
    site: &'a Site,
    visit: &'a Visit,
    params: &'a Params,
    client: Client<'a>,
    possession: &'a Possession,
}

impl Call<'_> {
    /// The thumbprint of the key that the tokens will be bound to. A proof is good once, so this is asked once.
    async fn key(&self, platform: Option<Platform>) -> Result<Option<String>, Refusal> {
        let demands = Demands { nonce: needs_nonce(platform), access_token: None };
        let key = dpop::proven(self.site, self.visit, self.possession, demands).await?;
        if key.is_none() && self.client.app.settings.dpop_bound_access_tokens {
            return Err(error::PROOF_REQUIRED.into());
        }
        Ok(key)
    }
}

/// `token_type` of tokens that are bound to a key, and of those that are not (RFC 9449 §5).
const fn token_type(key: Option<&str>) -> &'static str {
    match key {
        Some(_) => "DPoP",
        None => "Bearer",
    }
}

/// Exchanges a grant for tokens.
pub async fn exchange(site: &Site, visit: &Visit, request: TokenRequest) -> Result<TokenResponse, Refusal> {
    let grant = grant(&request.params, request.by_get)?;
    let client = Client::of(site, visit, &request).await?;
    check_grant(client.app, grant)?;
    let call = Call { site, visit, params: &request.params, client, possession: &request.possession };
    match grant {
        Grant::AuthorizationCode => redeem::redeem(&call).await,
        Grant::RefreshToken => refresh::refresh(&call).await,
        Grant::ClientCredentials => client_credentials(&call).await,
        Grant::DeviceCode(form) => device_code::redeem(&call, form).await,
        Grant::OnBehalfOf => on_behalf_of::exchange(&call).await,
    }
}

/// A token for the application itself. It writes nothing: there is nothing to take back.
async fn client_credentials(call: &Call<'_>) -> Result<TokenResponse, Refusal> {
    let Call { site, visit, params, client, .. } = call;
    client.authenticate(None, visit.now)?;
    let key = call.key(None).await?;
    let (audience, scope) = scope::app_only(params, &visit.tenant.config.applications)?;
    let life = lives::access_token(site, visit, client.app.app_id, audience);
    let issuance = Issuance {
        issuer: &visit.issuer(),
        tenant: visit.tenant_id(),
        client: client.app.app_id,
        scope: &Scope::default(),
        now: visit.now,
        uti: &base64url(&site.env.random::<16>()),
        strength: client.strength(),
    };
    let roles = roles::held(client.app, audience, &visit.tenant.config.applications);
    let resource = visit.tenant.application(audience);
    if roles.is_empty() && resource.is_some_and(|app| app.settings.tokens.app_role_assignment_required) {
        return Err(error::ROLE_NOT_ASSIGNED.into());
    }
    let claims = claims::app_only(&issuance, client.app.service_principal.id, (audience, &roles), life);
    let claims = claims::bound(claims, key.as_deref());
    let access_token = site.keyring.sign(&site.env, visit.tenant_id(), &claims, visit.now).await?;
    Ok(TokenResponse {
        token_type: token_type(key.as_deref()),
        scope,
        expires_in: life.as_seconds(),
        ext_expires_in: life.as_seconds(),
        access_token,
        refresh_token: None,
        refresh_token_expires_in: None,
        id_token: None,
        client_info: None,
    })
}

/// What is left of a granted scope, as it was stored, by what the tenant offers and by the consents of this moment
/// (security.md S34).
async fn granted(call: &Call<'_>, user: UserId, stored: &str) -> Result<Scope, Refusal> {
    let scope = Scope::regain(stored, &call.visit.tenant.config.applications)?;
    consented(call, user, &scope).await
}

/// What is left of a scope by the consents of this moment.
async fn consented(call: &Call<'_>, user: UserId, scope: &Scope) -> Result<Scope, Refusal> {
    let whose = (call.client.app.app_id, user);
    let mut tx = call.site.env.db.glance().await?;
    let left = consent::remaining(&mut tx, call.visit, whose, scope).await?;
    left.ok_or_else(|| error::CONSENT_GONE.into())
}

/// What the store knows a code or refresh token by.
pub(crate) fn digest_of(token: &str) -> Vec<u8> {
    sha256(token.as_bytes()).to_vec()
}

/// The provider by which a session began.
async fn provider_of(tx: &mut ReadTx, tenant: TenantId, sid: SessionId) -> Outcome<Option<ProviderId>> {
    let cookies = sessions::list_by_sid(tx, tenant, sid).await?;
    Ok(cookies.into_iter().find_map(|session| session.provider.map(ProviderId)))
}

/// The issuer of the provider that somebody signed in with, for the claim `idp`.
fn issuer_of(site: &Site, visit: &Visit, provider: Option<&ProviderId>) -> Option<String> {
    let provider = visit.tenant.provider(provider?.as_str())?;
    let origin = site.settings.origins.first().map_or(visit.origin.as_str(), String::as_str);
    Some(provider.identity_issuer(visit.tenant.config.tenant.kind).replace("{origin}", origin))
}
