//! `[outbound]`: requests that the server makes itself.

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;

use super::check::Checker;

/// Requests that the server makes, such as those to identity providers.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    /// PEM files with further certificate authorities, for providers with a private certificate.
    ca_files: Vec<String>,
    /// Private networks that requests may go to, such as `10.20.0.0/16`. Without it the server talks to
    /// public addresses only, so that nobody can make it ask inside your network. Default: none.
    allow_networks: Vec<String>,
}

/// Limits of requests that the server makes.
#[derive(Clone, Debug, Default)]
pub struct Outbound {
    /// Further authorities as PEM.
    pub authorities: Vec<String>,
    pub allow_networks: Vec<IpNet>,
}

impl Raw {
    pub(super) fn check(self, checker: &mut Checker<'_>) -> Outbound {
        let authorities = checker.files("outbound.ca_files", &self.ca_files);
        let mut allow_networks = Vec::new();
        for text in &self.allow_networks {
            match text.parse::<IpNet>() {
                Ok(network) if network.prefix_len() == 0 => {
                    checker.unsafe_value("outbound.allow_networks", "every address would be allowed");
                    allow_networks.push(network);
                }
                Ok(network) => allow_networks.push(network),
                Err(_) => {
                    checker.problem(
                        "outbound.allow_networks",
                        format!("“{text}” is not a network such as 10.20.0.0/16"),
                    );
                }
            }
        }
        Outbound { authorities, allow_networks }
    }
}
