//! What an application proves itself with, beside secrets: public keys, workloads of other platforms, and which of the
//! ways it is held to. The doc comments of what stands in files are those of the file's schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::ObjectId;
use crate::time::Timestamp;

/// A way to prove itself (OpenID Connect Core 9).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// The secret in the `Authorization` header.
    ClientSecretBasic,
    /// The secret in the body.
    ClientSecretPost,
    /// A token that is signed with the secret. The secret is kept, sealed, to verify it.
    ClientSecretJwt,
    /// A token that is signed with a private key, whose public half is registered or published.
    PrivateKeyJwt,
    /// Nothing: the application can keep no secret.
    None,
}

impl AuthMethod {
    /// Every method, in the order in which discovery lists them.
    pub const ALL: [Self; 5] = [
        Self::ClientSecretPost,
        Self::ClientSecretBasic,
        Self::ClientSecretJwt,
        Self::PrivateKeyJwt,
        Self::None,
    ];

    /// The name on the wire and in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }

    /// Whether a secret is what it needs.
    pub const fn needs_secret(self) -> bool {
        match self {
            Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt => true,
            Self::PrivateKeyJwt | Self::None => false,
        }
    }
}

/// A public key of an application as it is stored (Graph: `keyCredential`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyCredential {
    pub key_id: ObjectId,
    #[serde(default)]
    pub display_name: Option<String>,
    /// The key, with the thumbprints of its certificate if it came in one.
    pub jwk: Map<String, Value>,
    #[serde(default)]
    pub start_at: Option<Timestamp>,
    #[serde(default)]
    pub end_at: Option<Timestamp>,
}

impl KeyCredential {
    /// Whether it counts at an instant, to the second (security.md S48).
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.start_at.is_none_or(|start| now >= start) && self.end_at.is_none_or(|end| now < end)
    }
}

/// A workload of another platform that acts as the application (Graph: `federatedIdentityCredential`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FederatedIdentityCredential {
    /// What tells it from others.
    pub name: String,
    /// The platform: the `iss` of its tokens. Its keys are found by its discovery document.
    pub issuer: String,
    /// The workload: the `sub` of its tokens, letter by letter.
    pub subject: String,
    /// The `aud` of its tokens. `api://AzureADTokenExchange` unless you say otherwise.
    #[serde(default = "usual_audiences")]
    pub audiences: Vec<String>,
    /// For administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn usual_audiences() -> Vec<String> {
    vec!["api://AzureADTokenExchange".to_owned()]
}

/// A role that the application holds in another one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppRoleAssignment {
    /// The other application, by `appId` or one of its `identifierUris`.
    pub resource: String,
    /// The `value` of one of its app roles, which has to have `Application` among its `allowedMemberTypes`.
    pub role: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_from_its_start_to_its_end() {
        // S48
        let at = |seconds| Some(Timestamp::from_seconds(seconds));
        let key = |start_at, end_at| KeyCredential {
            key_id: ObjectId::from_random([1; 16]),
            display_name: None,
            jwk: Map::new(),
            start_at,
            end_at,
        };
        let counts = |key: &KeyCredential, second| key.is_in_force(Timestamp::from_seconds(second));
        let key_of = key(at(10), at(20));
        assert_eq!([9, 10, 19, 20].map(|second| counts(&key_of, second)), [false, true, true, false]);
        assert!(counts(&key(None, None), 0));
    }

    #[test]
    fn names_are_those_on_the_wire() {
        for method in AuthMethod::ALL {
            assert_eq!(serde_json::to_value(method).unwrap(), method.as_str());
        }
    }
}
