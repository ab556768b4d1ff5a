//! A forward proxy, where a network lets nobody out without one (RFC 9110 §7.3.2). Which targets go by it is decided
//! here; that they are good ones is still checked, as far as this machine can resolve their names.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};
use vestibule_rules::text::Secret;

/// The proxy and the targets that it is not for.
#[derive(Clone)]
pub struct Proxy {
    /// `http` or `https`, without credentials.
    pub url: Url,
    /// User name and password for it (RFC 7617).
    pub credentials: Option<(String, Secret<String>)>,
    pub bypass: Vec<Bypass>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// Targets that are asked directly.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Bypass {
    /// A host name and every name below it, in lower case.
    Domain(String),
    /// Addresses that stand in a URL themselves.
    Network(IpNet),
}

impl Bypass {
    /// Reads a domain (`corp.example`), an address or a network (`10.0.0.0/8`); none when it is none of them.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(network) = text.parse::<IpNet>() {
            return Some(Self::Network(network));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::Network(address.into()));
        }
        match Host::parse(text.strip_prefix('.').unwrap_or(text)).ok()? {
            Host::Domain(name) => Some(Self::Domain(name)),
            Host::Ipv4(address) => Some(Self::Network(IpAddr::from(address).into())),
            Host::Ipv6(address) => Some(Self::Network(IpAddr::from(address).into())),
        }
    }

    fn covers(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::Domain(domain), Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            (Self::Network(network), Host::Ipv4(address)) => network.contains(&IpAddr::from(*address)),
            (Self::Network(network), Host::Ipv6(address)) => network.contains(&IpAddr::from(*address)),
            (Self::Domain(_), Host::Ipv4(_) | Host::Ipv6(_)) | (Self::Network(_), Host::Domain(_)) => false,
        }
    }
}

impl Proxy {
    /// Whether this target is reached by the proxy.
    pub(super) fn is_for(&self, url: &Url) -> bool {
        url.host().is_some_and(|host| !self.bypass.iter().any(|bypass| bypass.covers(&host)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bypass_covers_a_name_and_those_below_it_and_networks_that_are_written_out() {
        let proxy = Proxy {
            url: Url::parse("http://proxy.example:3128").unwrap(),
            credentials: None,
            bypass: ["corp.example", ".dev.example", "10.0.0.0/8", "::1"]
                .map(|text| Bypass::parse(text).unwrap())
                .to_vec(),
        };
        for direct in [
            "https://corp.example/",
            "https://Login.Corp.example./",
            "https://dev.example/",
            "https://a.b.dev.example/",
            "https://10.1.2.3/",
            "http://[::1]:8080/",
        ] {
            assert!(!proxy.is_for(&Url::parse(direct).unwrap()), "{direct}");
        }
        for proxied in ["https://notcorp.example/", "https://corp.example.evil.example/", "https://11.0.0.1/"]
        {
            assert!(proxy.is_for(&Url::parse(proxied).unwrap()), "{proxied}");
        }
        assert_eq!(Bypass::parse("a b"), None);
        assert_eq!(Bypass::parse(""), None);
    }
}
