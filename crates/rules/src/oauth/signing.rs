//! What a tenant's tokens are signed with. A key is made for one algorithm and used with no other: what an attacker
//! writes into a header chooses among keys and never among algorithms of one key (security.md S61).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An algorithm that tokens can be signed with (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum SigningAlgorithm {
    /// RSA with PKCS#1 v1.5 and SHA-256: what every library knows.
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
    /// RSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA on P-256 with SHA-256: short signatures.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl SigningAlgorithm {
    /// Every algorithm, in the order in which documents list them.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// The name in `alg` and in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Reads the name, letter by letter.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_has_one_name_everywhere() {
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(SigningAlgorithm::parse(algorithm.as_str()), Some(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
        }
        for name in ["none", "HS256", "rs256", "RS512", ""] {
            assert_eq!(SigningAlgorithm::parse(name), None, "{name}");
        }
    }
}
