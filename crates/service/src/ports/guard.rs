//! Which addresses an outbound request may reach. What an administrator types as a URL must not become a
//! way into the network that this server stands in (security.md 4.1, SSRF): everything that is not
//! public Internet is refused unless the operator's allow-list names it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A network that may be reached although it is not public, on one port or on all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowed {
    pub network: IpNet,
    pub port: Option<u16>,
}

/// Why an address is not contacted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused(pub IpAddr);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the address {} is not allowed", self.0)
    }
}

impl std::error::Error for Refused {}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// IPv4 that is not public (IANA special-purpose registry, RFC 6890).
const NOT_PUBLIC_V4: [Ipv4Net; 17] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    // Link-local, with the metadata services of most clouds.
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 31, 196, 0, 24),
    // 6to4 relays.
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
    // Azure's platform services: a public number that leads to the host.
    v4(168, 63, 129, 16, 32),
];

/// Global unicast. Everything else in IPv6 is refused, and with it loopback, link-local, unique local,
/// multicast, IPv4-mapped and NAT64 addresses.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// Parts of [`GLOBAL_V6`] that lead elsewhere: protocol assignments with Teredo, documentation, 6to4, AS112.
const NOT_PUBLIC_V6: [Ipv6Net; 5] = [
    v6(0x2001, 0, 0, 23),
    v6(0x2001, 0xdb8, 0, 32),
    v6(0x2002, 0, 0, 16),
    v6(0x2620, 0x4f, 0x8000, 48),
    v6(0x3fff, 0, 0, 20),
];

/// Whether the address belongs to the public Internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !NOT_PUBLIC_V4.iter().any(|network| network.contains(&v4)),
        IpAddr::V6(v6) => {
            GLOBAL_V6.contains(&v6) && !NOT_PUBLIC_V6.iter().any(|network| network.contains(&v6))
        }
    }
}

/// What a name leads to. The machine's own resolver, but for tests that need a hostile one.
#[async_trait]
pub(super) trait Names: Send + Sync {
    /// The addresses of a name.
    async fn look_up(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The machine's resolver.
pub(super) struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn look_up(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.collect())
    }
}

/// What a guard says of a name before somebody else connects to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Named {
    /// All its addresses are good.
    Good,
    /// This machine does not know the name.
    Unknown,
}

/// The rule for one kind of target: which networks are named for its port, and whether the public Internet
/// is open to it.
#[derive(Clone)]
pub(super) struct Guard {
    networks: Arc<[IpNet]>,
    public: bool,
    names: Arc<dyn Names>,
}

impl Guard {
    /// The rule for `port`; `public` is set when addresses of the public Internet are good without being
    /// named.
    pub(super) fn new(allowed: &[Allowed], port: u16, public: bool) -> Self {
        let for_port = allowed.iter().filter(|one| one.port.is_none_or(|only| only == port));
        let networks = for_port.map(|one| one.network).collect();
        Self { networks, public, names: Arc::new(SystemNames) }
    }

    /// The same rule with another resolver.
    pub(super) fn with_names(self, names: Arc<dyn Names>) -> Self {
        Self { names, ..self }
    }

    /// Whether the public Internet is open to it.
    pub(super) const fn is_open(&self) -> bool {
        self.public
    }

    /// What is known of a name that a proxy will resolve once more.
    pub(super) async fn check_name(&self, name: &str) -> Result<Named, Refused> {
        let addresses = self.names.look_up(name).await.unwrap_or_default();
        self.check_all(&addresses)?;
        Ok(if addresses.is_empty() { Named::Unknown } else { Named::Good })
    }

    /// Whether this one address may be contacted.
    pub(super) fn check(&self, address: IpAddr) -> Result<(), Refused> {
        let named = self.networks.iter().any(|network| network.contains(&address));
        if named || (self.public && is_public(address)) { Ok(()) } else { Err(Refused(address)) }
    }

    /// All of them: a name with one good and one bad address is an attempt, not a choice.
    pub(super) fn check_all(&self, addresses: &[SocketAddr]) -> Result<(), Refused> {
        addresses.iter().try_for_each(|address| self.check(address.ip()))
    }
}

/// The resolver that the HTTP client connects with. What it returns has been checked and is what the client
/// connects to, so a name that answers differently the second time gains nothing.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.names.look_up(name.as_str()).await?;
            guard.check_all(&addresses)?;
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn special_addresses_are_not_public() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn the_internet_is_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "128.0.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "2003::1",
        ] {
            assert!(is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn an_entry_opens_its_network_and_its_port_only() {
        let allowed = [
            Allowed { network: "10.1.0.0/16".parse().unwrap(), port: None },
            Allowed { network: "127.0.0.1/32".parse().unwrap(), port: Some(8443) },
        ];
        let at = |port| Guard::new(&allowed, port, true);
        assert!(at(443).check(ip("10.1.2.3")).is_ok());
        assert_eq!(at(443).check(ip("10.2.2.3")), Err(Refused(ip("10.2.2.3"))));
        assert!(at(8443).check(ip("127.0.0.1")).is_ok());
        assert!(at(8444).check(ip("127.0.0.1")).is_err());
        assert!(at(8443).check(ip("127.0.0.2")).is_err());
        assert!(at(8443).check(ip("::ffff:127.0.0.1")).is_err());
        assert!(at(8444).check(ip("8.8.8.8")).is_ok());
        assert!(Guard::new(&allowed, 80, false).check(ip("8.8.8.8")).is_err());
    }

    #[test]
    fn one_bad_address_spoils_the_name() {
        let guard = Guard::new(&[], 443, true);
        let address = |text: &str| SocketAddr::new(ip(text), 0);
        assert!(guard.check_all(&[address("8.8.8.8"), address("1.1.1.1")]).is_ok());
        assert_eq!(guard.check_all(&[address("8.8.8.8"), address("10.0.0.1")]), Err(Refused(ip("10.0.0.1"))));
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused() {
        let resolved = Guard::new(&[], 443, true).resolve("localhost".parse().unwrap()).await;
        assert!(resolved.err().unwrap().downcast_ref::<Refused>().is_some());
        let loopback = [
            Allowed { network: "127.0.0.0/8".parse().unwrap(), port: None },
            Allowed { network: "::1/128".parse().unwrap(), port: None },
        ];
        let resolved = Guard::new(&loopback, 443, true).resolve("localhost".parse().unwrap()).await;
        assert!(resolved.unwrap().count() > 0);
    }
}
