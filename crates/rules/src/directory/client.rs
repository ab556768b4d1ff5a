//! What an application is held to as a client of this server, and what it is let do. The doc comments are those of the
//! file's schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::consent::{ConsentPolicy, InformationalUrl, PermissionGrant};
use super::credential::{AppRoleAssignment, AuthMethod, FederatedIdentityCredential};
use super::tokens::TokenSettings;
use crate::oauth::signing::SigningAlgorithm;

/// Everything about a client that is neither its name, nor an address of a platform, nor a secret.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// What is demanded of the application. `default` is OAuth 2.1; `oidc-compat` lets older applications do what
    /// OpenID Connect Core allows. See docs/reference/security-profiles.md.
    #[serde(skip_serializing_if = "SecurityProfile::is_usual")]
    pub security_profile: SecurityProfile,
    /// Where the app is told, server to server, that somebody signed out (OpenID Connect Back-Channel Logout 1.0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back_channel_logout_uri: Option<String>,
    /// Where browsers may be sent after signing out, beside the redirect addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where the app begins a sign-in that it did not ask for itself (OpenID Connect Core 4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// How the application proves itself; no other way is accepted then. Without it, a secret may come in the header
    /// or in the body, and what is signed with a registered key is accepted too. See
    /// docs/guides/apps-that-prove-themselves.md.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// Where the application publishes its public keys, as a JWK set. A key that is new there is good within a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Workloads of other platforms that act as the application, with a token that their platform gives them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub federated_identity_credentials: Vec<FederatedIdentityCredential>,
    /// Roles that the application itself holds in others: the `roles` of its app-only tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub app_role_assignments: Vec<AppRoleAssignment>,
    /// Whether an application that has a secret may sign people in on another device, by a code that they type there.
    /// Applications with `isFallbackPublicClient` may anyway. See docs/guides/devices.md.
    #[serde(skip_serializing_if = "is_off")]
    pub device_code: bool,
    /// Refuses authorization requests that come in a browser's address: the app pushes them to the server first and
    /// sends the browser with the `request_uri` that it got (RFC 9126).
    #[serde(skip_serializing_if = "is_off")]
    pub require_pushed_authorization_requests: bool,
    /// Refuses token requests without a DPoP proof: every access token of the app is bound to a key of its own, and of
    /// no use to who steals the token alone (RFC 9449). Response types with `token` are refused then, because what
    /// comes through the browser is bound to nothing.
    #[serde(skip_serializing_if = "is_off")]
    pub dpop_bound_access_tokens: bool,
    /// Whether the app knows people by names that no other app has for them, or by the name that all such apps share.
    /// `pairwise` unless you say otherwise.
    #[serde(skip_serializing_if = "SubjectType::is_usual")]
    pub subject_type: SubjectType,
    /// Applications with the same host here know people by the same names (OpenID Connect Core 8.1). Another host means
    /// other names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// Userinfo answers the app with a signed token instead of plain JSON. It is what the tenant signs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// How long ago, in seconds, people may have signed in where a request of the app does not say (`max_age`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u32>,
    #[serde(flatten)]
    pub tokens: TokenSettings,
    /// Who has to agree before the application gets tokens in somebody's name. `implicit` is for the organisation's own
    /// applications. See docs/guides/consent.md.
    #[serde(skip_serializing_if = "ConsentPolicy::is_usual")]
    pub consent: ConsentPolicy,
    /// Permissions that the application has for everybody, without asking anybody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub oauth2_permission_grants: Vec<PermissionGrant>,
    /// Who publishes the application, for the page that asks for consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher_domain: Option<String>,
    /// Links on the page that asks for consent.
    #[serde(skip_serializing_if = "InformationalUrl::is_empty")]
    pub info: InformationalUrl,
}

/// Which names an application knows people by (OpenID Connect Core 8).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SubjectType {
    /// Another one for each sector.
    #[default]
    Pairwise,
    /// One for all: the id of the user.
    Public,
}

impl SubjectType {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
    const fn is_usual(&self) -> bool {
        matches!(self, Self::Pairwise)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
const fn is_off(setting: &bool) -> bool {
    !*setting
}

/// The name of a row of demands (security.md 0.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecurityProfile {
    /// OAuth 2.1.
    #[default]
    Default,
    /// OpenID Connect Core as the certification of 2014 knows it.
    OidcCompat,
}

impl SecurityProfile {
    /// Every profile, in the order of the table.
    pub const ALL: [Self; 2] = [Self::OidcCompat, Self::Default];

    /// The name in configuration files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::OidcCompat => "oidc-compat",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
    const fn is_usual(&self) -> bool {
        matches!(self, Self::Default)
    }
}
