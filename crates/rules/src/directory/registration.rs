//! Applications that register themselves (RFC 7591): what a tenant lets them do, and what marks one of them.
//!
//! Whatever an application registers, the policy is the tenant's: it is looked up when the application is used, and
//! nothing that the application sends changes it (security.md S91).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::client::SecurityProfile;
use crate::oauth::response_type::ResponseType;

/// Applications that register themselves at `registration_endpoint` (RFC 7591, RFC 7592). See
/// docs/guides/client-registration.md.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClientRegistration {
    /// Whether applications may register themselves. Off unless you say otherwise. Switched off again, those that did
    /// are as good as disabled.
    pub is_enabled: bool,
    /// Whether that takes no initial access token, so that anybody on the Internet can do it. Off unless you say
    /// otherwise; `vestibule client-registration token create` makes tokens.
    pub is_open: bool,
    /// How many registered applications the tenant has at most.
    #[schemars(range(min = 1, max = 10_000))]
    pub most_clients: u32,
    /// What is demanded of them.
    pub security_profile: SecurityProfile,
    /// Every scope that they may ask for, letter by letter.
    pub scopes: Vec<String>,
    /// The user flow that serves them, by id, name or display name. Without one, nobody signs up for them, and in an
    /// external tenant nobody signs in to them either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_flow: Option<String>,
}

impl Default for ClientRegistration {
    fn default() -> Self {
        Self {
            is_enabled: false,
            is_open: false,
            most_clients: 100,
            security_profile: SecurityProfile::Default,
            scopes: ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec(),
            user_flow: None,
        }
    }
}

impl ClientRegistration {
    /// Whether nothing was configured.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What marks an application that registered itself, and bounds it beyond what it has in common with the others.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// What it may ask for.
    pub scopes: Vec<String>,
    /// What it registered of the grants that such an application may have.
    pub grant_types: Vec<GrantType>,
    pub response_types: Vec<ResponseType>,
    /// The one algorithm that its assertions are signed with.
    pub assertion_algorithm: Option<String>,
    /// The digest of its logo, which this server keeps.
    pub logo: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
}

impl Registered {
    /// Whether grants of it outlast their access tokens (security.md S77).
    pub fn may_have_refresh_tokens(&self) -> bool {
        self.grant_types.contains(&GrantType::RefreshToken)
            && self.scopes.iter().any(|scope| scope == "offline_access")
    }
}

/// The grants that an application may register. The others act without a person before the server's own pages: those are
/// an administrator's to give.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    AuthorizationCode,
    Implicit,
    RefreshToken,
}
