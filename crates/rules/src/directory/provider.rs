//! Identity providers of a tenant (sign-up.md 2).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::ProviderId;

/// The local account methods as Graph names them (sign-up.md 2).
pub const EMAIL_PASSWORD: &str = "EmailPassword-OAUTH";
/// Local accounts proven by a one-time code.
pub const EMAIL_OTP: &str = "EmailOtpSignup-OAUTH";

/// An OpenID Connect provider, with `K` as the form of its client secret.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityProvider<K> {
    pub id: ProviderId,
    pub display_name: String,
    /// Exactly the `issuer` that discovery and ID tokens must carry. `{origin}` stands for the server's own
    /// first public address, so that the demo's tenants can find each other on any port.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Option<K>,
    #[serde(default)]
    pub client_authentication: ClientAuthentication,
    /// Space separated; must contain `openid`.
    #[serde(default = "default_scope")]
    pub scope: String,
    #[serde(default)]
    pub response_type: ResponseType,
    /// Our attribute → the provider's claim. Empty means the standard names of sign-up.md 2.9.
    #[serde(default)]
    pub inbound_claim_mapping: BTreeMap<String, String>,
    #[serde(default = "yes")]
    pub is_enabled: bool,
}

/// How we prove ourselves at the provider's token endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    #[default]
    ClientSecretPost,
    /// Refused under `compatibility: strict` (sign-up.md 2.9).
    ClientSecretBasic,
}

/// What we ask the provider for. Anything but a code is refused (sign-up.md 2.9).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseType {
    #[default]
    Code,
    IdToken,
}

/// A secret as stored: sealed under the deployment's key, base64.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedSecret(pub String);

/// The scope that a provider is asked for when its configuration does not say.
pub fn default_scope() -> String {
    "openid profile email".to_owned()
}

/// Our attribute → the standard claim (sign-up.md 2.9).
pub const STANDARD_CLAIMS: &[(&str, &str)] = &[
    ("displayName", "name"),
    ("givenName", "given_name"),
    ("surname", "family_name"),
    ("streetAddress", "street_address"),
    ("city", "locality"),
    ("state", "region"),
    ("postalCode", "postal_code"),
    ("country", "country"),
];

impl<K> IdentityProvider<K> {
    /// Our attribute → the provider's claim, as configured or as the standard says.
    pub fn claim_mapping(&self) -> BTreeMap<String, String> {
        if self.inbound_claim_mapping.is_empty() {
            STANDARD_CLAIMS.iter().map(|(a, c)| ((*a).to_owned(), (*c).to_owned())).collect()
        } else {
            self.inbound_claim_mapping.clone()
        }
    }
}

const fn yes() -> bool {
    true
}
