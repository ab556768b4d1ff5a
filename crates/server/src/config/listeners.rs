//! `[listeners.http]` and `[listeners.https]`: where the server listens and how the outside calls that.

use std::net::SocketAddr;

use ipnet::IpNet;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

use super::check::Checker;

/// Where the server listens. Without any listener it is `http` on 127.0.0.1:8080.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    /// A listener without TLS: for this machine, or behind a proxy that terminates TLS.
    http: Option<RawHttp>,
    /// A listener with TLS.
    https: Option<RawHttps>,
}

/// A listener without TLS.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
struct RawHttp {
    /// Address and port. Default: `127.0.0.1:8080`.
    address: Option<String>,
    /// How browsers and apps reach this listener, such as `https://login.example.org`: scheme and host, with
    /// a port if it is not the usual one. It is the root of every issuer. Default: `http://localhost` with
    /// the port.
    origin: Option<String>,
    /// Networks of proxies whose `X-Forwarded-For` is believed, such as `10.0.0.0/8`. Default: none.
    trusted_proxies: Vec<String>,
}

/// A listener with TLS.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
struct RawHttps {
    /// Address and port. Default: `0.0.0.0:8443`.
    address: Option<String>,
    /// How browsers and apps reach this listener, such as `https://login.example.org`.
    origin: Option<String>,
    /// A PEM file with the certificate and those between it and the root.
    certificate_file: Option<String>,
    /// A PEM file with the certificate's private key.
    key_file: Option<String>,
    /// Networks of proxies whose `X-Forwarded-For` is believed. Default: none.
    trusted_proxies: Vec<String>,
}

/// One listener.
#[derive(Debug)]
pub struct Listener {
    pub address: SocketAddr,
    /// The public address without a slash at the end.
    pub origin: String,
    pub certificate: Option<Certificate>,
    pub trusted_proxies: Vec<IpNet>,
}

/// What a TLS listener proves itself with.
#[derive(Debug)]
pub struct Certificate {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl Raw {
    pub(super) fn check(self, checker: &mut Checker<'_>) -> Vec<Listener> {
        let none = self.http.is_none() && self.https.is_none();
        let http = self.http.or_else(|| none.then(RawHttp::default));
        let mut listeners = Vec::new();
        // The https listener is the first: its origin is what `{origin}` in a tenant's file stands for.
        listeners.extend(self.https.and_then(|raw| raw.check(checker)));
        listeners.extend(http.and_then(|raw| raw.check(checker)));
        if let [first, second] = listeners.as_slice()
            && first.origin == second.origin
        {
            checker.problem("listeners.http.origin", "both listeners have the same origin");
        }
        listeners
    }
}

impl RawHttp {
    fn check(self, checker: &mut Checker<'_>) -> Option<Listener> {
        let address = address("listeners.http.address", self.address.as_deref(), "127.0.0.1:8080", checker)?;
        let text = self.origin.unwrap_or_else(|| format!("http://localhost:{}", address.port()));
        let origin = origin("listeners.http.origin", &text, checker)?;
        let trusted_proxies = networks("listeners.http.trusted_proxies", &self.trusted_proxies, checker);
        Some(Listener { address, origin, certificate: None, trusted_proxies })
    }
}

impl RawHttps {
    fn check(self, checker: &mut Checker<'_>) -> Option<Listener> {
        let address = address("listeners.https.address", self.address.as_deref(), "0.0.0.0:8443", checker)?;
        let certificate = certificate(&self, checker);
        let trusted_proxies = networks("listeners.https.trusted_proxies", &self.trusted_proxies, checker);
        let Some(text) = self.origin else {
            checker.problem("listeners.https.origin", "say how browsers reach this listener");
            return None;
        };
        let origin = origin("listeners.https.origin", &text, checker)?;
        if !origin.starts_with("https:") {
            checker.problem("listeners.https.origin", "the origin of this listener must begin with https://");
        }
        Some(Listener { address, origin, certificate: Some(certificate?), trusted_proxies })
    }
}

fn address(key: &str, text: Option<&str>, default: &str, checker: &mut Checker<'_>) -> Option<SocketAddr> {
    let text = text.unwrap_or(default);
    let parsed = text.parse().ok();
    if parsed.is_none() {
        checker.problem(
            key,
            format!("“{text}” is not an address with a port such as 127.0.0.1:8080 or [::]:8443"),
        );
    }
    parsed
}

/// An origin in the form in which it is compared and written: no slash at the end.
fn origin(key: &str, text: &str, checker: &mut Checker<'_>) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| {
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        bare && url.username().is_empty() && url.password().is_none() && url.has_host()
    });
    let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https")) else {
        checker.problem(key, format!("“{text}” is not an origin such as https://login.example.org"));
        return None;
    };
    if url.scheme() == "http" && !loopback(&url) {
        checker.unsafe_value(key, "passwords and codes would cross the network unprotected: use https");
    }
    Some(url.origin().ascii_serialization())
}

fn loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn networks(key: &str, texts: &[String], checker: &mut Checker<'_>) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in texts {
        match text.parse::<IpNet>() {
            Ok(network) if network.prefix_len() == 0 => {
                checker.unsafe_value(key, "everybody would be a trusted proxy and could choose an address");
                networks.push(network);
            }
            Ok(network) => networks.push(network),
            Err(_) => checker.problem(key, format!("“{text}” is not a network such as 10.0.0.0/8")),
        }
    }
    networks
}

fn certificate(raw: &RawHttps, checker: &mut Checker<'_>) -> Option<Certificate> {
    if raw.certificate_file.is_none() {
        checker.problem("listeners.https.certificate_file", "this listener needs a certificate");
    }
    if raw.key_file.is_none() {
        checker.problem("listeners.https.key_file", "this listener needs the private key of its certificate");
    }
    let chain = checker.file("listeners.https.certificate_file", raw.certificate_file.as_deref());
    let key = checker.file("listeners.https.key_file", raw.key_file.as_deref());
    let (chain, key) = (chain?, key?);
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes()).filter_map(Result::ok).collect();
    if chain.is_empty() {
        checker.problem("listeners.https.certificate_file", "there is no certificate in this file");
    }
    match PrivateKeyDer::from_pem_slice(key.as_bytes()) {
        Ok(key) if !chain.is_empty() => Some(Certificate { chain, key }),
        Ok(_) => None,
        Err(_) => {
            checker.problem("listeners.https.key_file", "there is no private key in this file");
            None
        }
    }
}
