//! What the settings of an application say about consent. The doc comments are those of the file's schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who has to agree before an application gets tokens in somebody's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ConsentPolicy {
    /// Nobody: the application is the organisation's own.
    #[default]
    Implicit,
    /// Whoever signs in; an administrator for permissions of the type `Admin`.
    Required,
    /// An administrator, for everything.
    Admin,
}

impl ConsentPolicy {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
    pub(super) const fn is_usual(&self) -> bool {
        matches!(self, Self::Implicit)
    }
}

/// Permissions that an administrator grants to the application for everybody (Graph: `oauth2PermissionGrant` with the
/// `consentType` `AllPrincipals`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PermissionGrant {
    /// The application whose permissions they are, by `appId` or one of its `identifierUris`. Those of OpenID Connect
    /// belong to `https://graph.microsoft.com`.
    pub resource: String,
    /// Their values, separated by spaces.
    pub scope: String,
}

/// Where people learn more about an application (Graph: `informationalUrl`).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InformationalUrl {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_statement_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms_of_service_url: Option<String>,
}

impl InformationalUrl {
    pub(super) const fn is_empty(&self) -> bool {
        self.privacy_statement_url.is_none() && self.terms_of_service_url.is_none()
    }
}
