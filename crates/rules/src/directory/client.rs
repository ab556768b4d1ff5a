//! What an application is held to as a client of this server, and what it is let do. The doc comments are those of the
//! file's schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything about a client that is neither its name, nor an address of a platform, nor a secret.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// What is demanded of the application. `default` is OAuth 2.1; `oidc-compat` lets older applications do what
    /// OpenID Connect Core allows. See docs/reference/security-profiles.md.
    #[serde(skip_serializing_if = "SecurityProfile::is_usual")]
    pub security_profile: SecurityProfile,
    /// Refuses authorization requests that come in a browser's address: the app pushes them to the server first and
    /// sends the browser with the `request_uri` that it got (RFC 9126).
    #[serde(skip_serializing_if = "is_off")]
    pub require_pushed_authorization_requests: bool,
    /// Refuses token requests without a DPoP proof: every access token of the app is bound to a key of its own, and of
    /// no use to who steals the token alone (RFC 9449).
    #[serde(skip_serializing_if = "is_off")]
    pub dpop_bound_access_tokens: bool,
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

    const fn is_usual(&self) -> bool {
        matches!(self, Self::Default)
    }
}
