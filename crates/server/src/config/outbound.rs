//! `[outbound]`: requests that the server makes itself.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;
use vestibule_rules::text::Secret;
use vestibule_service::ports::outbound::{Allowed, Bypass, OutboundSettings, Proxy};

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
    /// A forward proxy that requests go by, such as `http://proxy.corp.example:3128`. Names are still checked as far
    /// as this machine resolves them; the proxy itself must refuse the rest of your network. Default: none, and
    /// the environment's proxy variables are not read.
    proxy: Option<String>,
    /// A file with `user:password` for the proxy.
    proxy_credentials_file: Option<String>,
    /// Domains (with everything below them), addresses and networks that are reached without the proxy.
    proxy_bypass: Vec<String>,
    /// DNS servers that are asked for the TXT records of domains, such as `10.0.0.53:53`. Default: those of the
    /// machine.
    dns_servers: Vec<String>,
}

impl Raw {
    pub(super) fn check(self, checker: &mut Checker<'_>) -> OutboundSettings {
        OutboundSettings {
            authorities: checker.files("outbound.ca_files", &self.ca_files),
            allowed: self.allowed(checker),
            allowed_to_strangers: Vec::new(),
            proxy: self.proxy(checker),
            dns_servers: self.dns_servers(checker),
        }
    }

    fn dns_servers(&self, checker: &mut Checker<'_>) -> Vec<SocketAddr> {
        let read = |text: &String| {
            let address = text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)));
            if address.is_err() {
                let problem = format!("“{text}” is not an address such as 10.0.0.53 or 10.0.0.53:53");
                checker.problem("outbound.dns_servers", problem);
            }
            address.ok()
        };
        self.dns_servers.iter().filter_map(read).collect()
    }

    fn proxy(&self, checker: &mut Checker<'_>) -> Option<Proxy> {
        let credentials =
            checker.secret("outbound.proxy_credentials_file", self.proxy_credentials_file.as_deref());
        let mut bypass = Vec::new();
        for text in &self.proxy_bypass {
            match Bypass::parse(text) {
                Some(one) => bypass.push(one),
                None => checker.problem(
                    "outbound.proxy_bypass",
                    format!("“{text}” is not a domain, an address or a network"),
                ),
            }
        }
        let Some(text) = &self.proxy else {
            if self.proxy_credentials_file.is_some() || !self.proxy_bypass.is_empty() {
                checker.problem(
                    "outbound.proxy",
                    "there is no proxy for the credentials or exceptions that are set",
                );
            }
            return None;
        };
        let url = Url::parse(text).ok().filter(is_proxy);
        if url.is_none() {
            checker.problem(
                "outbound.proxy",
                "this is not an address such as http://proxy.corp.example:3128; credentials belong into \
                 outbound.proxy_credentials_file",
            );
        }
        let parts = credentials.as_ref().map(|secret| secret.expose().split_once(':'));
        if parts == Some(None) {
            checker.problem("outbound.proxy_credentials_file", "the file does not hold user:password");
        }
        let credentials =
            parts.flatten().map(|(name, password)| (name.to_owned(), Secret::new(password.to_owned())));
        Some(Proxy { url: url?, credentials, bypass })
    }

    fn allowed(&self, checker: &mut Checker<'_>) -> Vec<Allowed> {
        let mut allowed = Vec::new();
        for text in &self.allow_networks {
            match text.parse::<IpNet>() {
                Ok(network) if network.prefix_len() == 0 => {
                    checker.unsafe_value("outbound.allow_networks", "every address would be allowed");
                    allowed.push(Allowed { network, port: None });
                }
                Ok(network) => allowed.push(Allowed { network, port: None }),
                Err(_) => {
                    checker.problem(
                        "outbound.allow_networks",
                        format!("“{text}” is not a network such as 10.20.0.0/16"),
                    );
                }
            }
        }
        allowed
    }
}

fn is_proxy(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
}
