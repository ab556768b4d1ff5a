//! One look at a server before anything is asked of it: where its name leads, whether that may be contacted, and
//! what its certificate says. The rules are those of the Outbound port; this only tells apart what stands behind its
//! one "cannot be reached", and no byte of a request is sent.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Timestamp;

use super::guard::{Allowed, Guard, Refused};
use super::outbound::{OutboundSettings, is_web, tls};
use super::proxy::Proxy;

/// For everything: name, connection and handshake.
const LONGEST: Duration = Duration::from_secs(10);

/// A server that can be spoken to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    /// A proxy stands between: what follows is not known.
    pub proxied: bool,
    /// Where its name leads; every one of them is allowed.
    pub addresses: Vec<IpAddr>,
    /// What it shows; nothing when it is spoken to without TLS.
    pub certificate: Option<Certificate>,
}

/// A certificate that was found good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// Who vouches for it.
    pub issuer: String,
    /// The last moment at which it is good.
    pub ends: Timestamp,
}

/// Why a server cannot be spoken to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// Nothing is ever sent to such an address: its scheme, port or form.
    NeverAsked(&'static str),
    /// The name leads nowhere.
    Unknown(String),
    /// The name leads to where nothing is sent (SSRF).
    Refused(Refused),
    /// Nobody answers there.
    Unreachable(String),
    TookTooLong,
    /// It is not believed who it is.
    Certificate(Mistrust),
    /// There is no common way to speak TLS.
    Handshake(String),
}

/// Why a certificate is not believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mistrust {
    /// Nobody who is trusted vouches for it.
    UnknownIssuer,
    /// It was good until then.
    Expired(Option<Timestamp>),
    /// It becomes good then.
    NotYet(Option<Timestamp>),
    /// It is for these names.
    OtherName(Vec<String>),
    Other(String),
}

/// Looks at servers.
pub struct TlsProbe {
    allowed: Vec<Allowed>,
    proxy: Option<Proxy>,
    tls: Arc<ClientConfig>,
}

impl fmt::Debug for TlsProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsProbe").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

impl TlsProbe {
    /// As [`GuardedClient`](super::outbound::GuardedClient) is made, so that both see the same.
    pub fn new(settings: &OutboundSettings) -> Outcome<Self> {
        let OutboundSettings { allowed, authorities, proxy, .. } = settings.clone();
        Ok(Self { allowed, proxy, tls: Arc::new(tls(&authorities)?) })
    }

    /// Resolves, checks, connects and shakes hands.
    pub async fn look(&self, url: &Url) -> Result<Look, Obstacle> {
        let looking = tokio::time::timeout(LONGEST, self.look_at(url));
        looking.await.unwrap_or(Err(Obstacle::TookTooLong))
    }

    async fn look_at(&self, url: &Url) -> Result<Look, Obstacle> {
        let encrypted = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(Obstacle::NeverAsked("only https is spoken")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Obstacle::NeverAsked("the address carries credentials"));
        }
        let port = url.port_or_known_default().filter(|port| *port != 0);
        let port = port.ok_or(Obstacle::NeverAsked("the address has no port"))?;
        if self.proxy.as_ref().is_some_and(|proxy| proxy.is_for(url)) {
            return Ok(Look { proxied: true, addresses: Vec::new(), certificate: None });
        }
        let guard = Guard::new(&self.allowed, port, encrypted && is_web(port));
        let (addresses, name) = resolve(url, port).await?;
        guard.check_all(&addresses).map_err(Obstacle::Refused)?;
        let stream = TcpStream::connect(addresses.as_slice()).await;
        let stream = stream.map_err(|error| Obstacle::Unreachable(error.to_string()))?;
        let addresses = addresses.iter().map(SocketAddr::ip).collect();
        if !encrypted {
            return Ok(Look { proxied: false, addresses, certificate: None });
        }
        let shaken = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await;
        let shaken = shaken.map_err(|error| mistrust(&error))?;
        let shown = shaken.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        Ok(Look { proxied: false, addresses, certificate: shown.and_then(read) })
    }
}

async fn resolve(url: &Url, port: u16) -> Result<(Vec<SocketAddr>, ServerName<'static>), Obstacle> {
    let literal = |address: IpAddr| Ok((vec![SocketAddr::new(address, port)], ServerName::from(address)));
    match url.host() {
        None => Err(Obstacle::NeverAsked("the address has no host")),
        Some(Host::Ipv4(v4)) => literal(IpAddr::V4(v4)),
        Some(Host::Ipv6(v6)) => literal(IpAddr::V6(v6)),
        Some(Host::Domain(name)) => {
            let found = tokio::net::lookup_host((name, port)).await;
            let found: Vec<SocketAddr> =
                found.map_err(|error| Obstacle::Unknown(error.to_string()))?.collect();
            if found.is_empty() {
                return Err(Obstacle::Unknown("there is no address".to_owned()));
            }
            let name = ServerName::try_from(name.to_owned());
            Ok((found, name.map_err(|_| Obstacle::NeverAsked("the host is no name"))?))
        }
    }
}

/// What the library found, past the error of the stream that carries it.
fn mistrust(error: &std::io::Error) -> Obstacle {
    let found = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let at =
        |time: &rustls::pki_types::UnixTime| i64::try_from(time.as_secs()).ok().map(Timestamp::from_seconds);
    let Some(rustls::Error::InvalidCertificate(why)) = found else {
        return Obstacle::Handshake(error.to_string());
    };
    Obstacle::Certificate(match why {
        CertificateError::UnknownIssuer => Mistrust::UnknownIssuer,
        CertificateError::Expired => Mistrust::Expired(None),
        CertificateError::ExpiredContext { not_after, .. } => Mistrust::Expired(at(not_after)),
        CertificateError::NotValidYet => Mistrust::NotYet(None),
        CertificateError::NotValidYetContext { not_before, .. } => Mistrust::NotYet(at(not_before)),
        CertificateError::NotValidForName => Mistrust::OtherName(Vec::new()),
        CertificateError::NotValidForNameContext { presented, .. } => Mistrust::OtherName(presented.clone()),
        // Certificates of one's own making are for an authority, and not for a server.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            Mistrust::UnknownIssuer
        }
        other => Mistrust::Other(other.to_string()),
    })
}

fn read(certificate: &CertificateDer<'_>) -> Option<Certificate> {
    let (_, read) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(Certificate {
        issuer: read.issuer().to_string(),
        ends: Timestamp::from_seconds(read.validity().not_after.timestamp()),
    })
}

#[cfg(test)]
#[path = "tls_probe_tests.rs"]
mod tests;
