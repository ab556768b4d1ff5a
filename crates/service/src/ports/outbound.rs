//! The one way out by HTTP: identity providers, extensions and web hooks. The client resolves once, checks
//! every address and connects to what it checked; it follows no redirect, takes no proxy from its environment, and
//! bounds time, size and what one target may cost. An error never repeats what the other side said.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
pub use reqwest::Method;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};
use vestibule_rules::fault::{Fault, Outcome};

pub use super::guard::Allowed;
use super::guard::{Guard, Named, Names, Refused, SystemNames};
pub use super::proxy::{Bypass, Proxy};
use super::targets::{Place, Targets};

/// A request to somebody else's server.
#[derive(Clone)]
pub struct OutboundRequest {
    pub method: Method,
    pub url: Url,
    /// Names and values; a repeated name is sent repeatedly.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// A longer body is a fault.
    pub max_bytes: usize,
    /// For everything: name, connection, answer and body.
    pub timeout: Duration,
    pub whose: Whose,
}

/// Who chose the address of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// An administrator, for whom the operator's allow-list opens private networks.
    Administrator,
    /// Anybody: nothing but the public Internet is reached.
    Stranger,
}

impl fmt::Debug for OutboundRequest {
    /// Query, headers and body may hold credentials and are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, target(&self.url), self.url.path())
    }
}

impl OutboundRequest {
    /// Default of `max_bytes`.
    pub const MAX_BYTES: usize = 1024 * 1024;
    /// Default of `timeout`.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// A request without headers and body, within the default bounds.
    pub const fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: Vec::new(),
            max_bytes: Self::MAX_BYTES,
            timeout: Self::TIMEOUT,
            whose: Whose::Administrator,
        }
    }

    /// A `GET`.
    pub const fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A `POST` with a body of the given type.
    #[must_use]
    pub fn post(url: Url, content_type: &str, body: Vec<u8>) -> Self {
        Self { body, ..Self::new(Method::POST, url) }.header("content-type", content_type)
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same request to an address that somebody chose whom nobody knows.
    #[must_use]
    pub const fn chosen_by(mut self, whose: Whose) -> Self {
        self.whose = whose;
        self
    }

    /// The same request for a shorter answer.
    #[must_use]
    pub const fn at_most(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The same request with other time to live.
    #[must_use]
    pub const fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// What came back, whatever its status.
#[derive(Clone)]
pub struct OutboundResponse {
    pub status: u16,
    /// Names are in lower case; values that are not text are left out.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl fmt::Debug for OutboundResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

impl OutboundResponse {
    /// The first header of that name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Whether the status is 2xx. A redirect is not: it is never followed.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}

/// Sends requests to other servers.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// Sends one request. Statuses are answers; a fault means that there is none.
    async fn send(&self, request: OutboundRequest) -> Outcome<OutboundResponse>;
}

/// How this server's own requests get out.
#[derive(Clone, Debug, Default)]
pub struct OutboundSettings {
    /// Private networks that may be reached.
    pub allowed: Vec<Allowed>,
    /// Those that may be reached where strangers choose the address. No configuration opens any.
    pub allowed_to_strangers: Vec<Allowed>,
    /// Further certificate authorities of the operator, as PEM.
    pub authorities: Vec<String>,
    pub proxy: Option<Proxy>,
    /// DNS servers that are asked for the records of domains, instead of the machine's own.
    pub dns_servers: Vec<SocketAddr>,
}

/// A client that goes directly, or by what `route` sets.
fn client(tls: &ClientConfig, route: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Outcome<Client> {
    #[expect(clippy::disallowed_methods, reason = "this is the Outbound port itself")]
    let builder = Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(Duration::from_secs(5))
        .user_agent("vestibule");
    route(builder).build().map_err(|error| Fault::ours(format!("the HTTP client cannot be built: {error}")))
}

/// What a target's scheme and port open up.
struct Door {
    guard: Guard,
    client: Client,
}

impl Door {
    fn new(guard: Guard, tls: &ClientConfig) -> Outcome<Self> {
        let client = client(tls, |builder| builder.dns_resolver(guard.clone()))?;
        Ok(Self { guard, client })
    }
}

/// The way by a proxy. Its own address is the operator's and not checked.
struct Detour {
    proxy: Proxy,
    client: Client,
}

impl Detour {
    fn new(proxy: Proxy, tls: &ClientConfig) -> Outcome<Self> {
        let refused = |error: reqwest::Error| Fault::malformed("proxy", error.to_string());
        let mut rule = reqwest::Proxy::all(proxy.url.clone()).map_err(refused)?;
        if let Some((name, password)) = &proxy.credentials {
            rule = rule.basic_auth(name, password.expose());
        }
        let client = client(tls, |builder| builder.proxy(rule))?;
        Ok(Self { proxy, client })
    }
}

/// The doors of one scheme. The resolver is told a name and no port, so every port that the allow-list names
/// has a client with a resolver of its own.
struct Doors {
    by_port: BTreeMap<u16, Door>,
    /// Ports that web servers use.
    web: Door,
    /// The other ports below 1024: mail, databases and the like, which a public name must not lead to.
    other: Door,
}

/// Whether a web server may be expected at this port.
pub(super) const fn is_web(port: u16) -> bool {
    port == 443 || port >= 1024
}

impl Doors {
    /// `public` is set when the scheme may go to the public Internet.
    fn new(
        allowed: &[Allowed],
        public: bool,
        (tls, names): (&ClientConfig, &Arc<dyn Names>),
    ) -> Outcome<Self> {
        let door = |guard: Guard| Door::new(guard.with_names(Arc::clone(names)), tls);
        let anywhere: Vec<Allowed> = allowed.iter().copied().filter(|one| one.port.is_none()).collect();
        let by_port = allowed
            .iter()
            .filter_map(|one| one.port)
            .map(|port| Ok((port, door(Guard::new(allowed, port, public && is_web(port)))?)))
            .collect::<Outcome<_>>()?;
        Ok(Self {
            by_port,
            web: door(Guard::new(&anywhere, 443, public))?,
            other: door(Guard::new(&anywhere, 0, false))?,
        })
    }

    fn door(&self, port: u16) -> &Door {
        let unnamed = if is_web(port) { &self.web } else { &self.other };
        self.by_port.get(&port).unwrap_or(unnamed)
    }
}

/// The production client.
pub struct GuardedClient {
    https: Doors,
    /// Plain HTTP reaches nothing but what the allow-list names.
    http: Doors,
    /// The same where a stranger chose the address.
    strangers: (Doors, Doors),
    detour: Option<Detour>,
    targets: Targets,
}

impl GuardedClient {
    /// A client within these settings; a fault when an authority or the proxy cannot be used.
    pub fn new(settings: &OutboundSettings) -> Outcome<Self> {
        Self::with_names(settings, &(Arc::new(SystemNames) as Arc<dyn Names>))
    }

    fn with_names(settings: &OutboundSettings, names: &Arc<dyn Names>) -> Outcome<Self> {
        let tls = tls(&settings.authorities)?;
        let detour = settings.proxy.clone().map(|proxy| Detour::new(proxy, &tls)).transpose()?;
        Ok(Self {
            https: Doors::new(&settings.allowed, true, (&tls, names))?,
            http: Doors::new(&settings.allowed, false, (&tls, names))?,
            strangers: (
                Doors::new(&settings.allowed_to_strangers, true, (&tls, names))?,
                Doors::new(&settings.allowed_to_strangers, false, (&tls, names))?,
            ),
            detour,
            targets: Targets::default(),
        })
    }

    /// The client for this target. An address in the URL itself never reaches a resolver and is checked here.
    async fn client(&self, url: &Url, whose: Whose) -> Outcome<&Client> {
        let refused = |why: &str| Fault::upstream(format!("{} is not contacted: {why}", target(url)));
        let (https, http) = match whose {
            Whose::Administrator => (&self.https, &self.http),
            Whose::Stranger => (&self.strangers.0, &self.strangers.1),
        };
        let doors = match url.scheme() {
            "https" => https,
            "http" => http,
            _ => return Err(refused("only https is spoken")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("its URL carries credentials"));
        }
        let port = url.port_or_known_default().filter(|port| *port != 0);
        let door = doors.door(port.ok_or_else(|| refused("it has no port"))?);
        let detour = self.detour.as_ref().filter(|detour| detour.proxy.is_for(url));
        let address = match url.host() {
            None => return Err(refused("it has no host")),
            Some(Host::Domain(name)) => {
                if detour.is_some() {
                    let known = door.guard.check_name(name).await.map_err(|why| refused(&why.to_string()))?;
                    if known == Named::Unknown && !door.guard.is_open() {
                        return Err(refused("its name is not known here"));
                    }
                }
                None
            }
            Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
            Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
        };
        if let Some(address) = address {
            door.guard.check(address).map_err(|why| refused(&why.to_string()))?;
        }
        Ok(detour.map_or(&door.client, |detour| &detour.client))
    }

    /// The way to a target and a place at it.
    async fn way(&self, at: &str, url: &Url, whose: Whose) -> Outcome<(&Client, Place)> {
        let client = self.client(url, whose).await?;
        Ok((client, self.targets.enter(at).await?))
    }
}

#[async_trait]
impl Outbound for GuardedClient {
    async fn send(&self, request: OutboundRequest) -> Outcome<OutboundResponse> {
        let at = target(&request.url);
        let begun = Instant::now();
        let way = tokio::time::timeout(request.timeout, self.way(&at, &request.url, request.whose)).await;
        let (client, place) =
            way.unwrap_or_else(|_| Err(Fault::upstream(format!("{at} has too many requests waiting"))))?;
        let left = request.timeout.saturating_sub(begun.elapsed());
        let mut builder = client.request(request.method, request.url).timeout(left);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if !request.body.is_empty() {
            builder = builder.body(request.body);
        }
        match answer(&at, builder, request.max_bytes).await {
            Ok(response) => {
                place.answered();
                Ok(response)
            }
            Err(NoAnswer::Theirs(fault)) => {
                place.failed();
                Err(fault)
            }
            Err(NoAnswer::Refused(fault)) => Err(fault),
        }
    }
}

/// Why there is no answer that can be used.
enum NoAnswer {
    /// The target cannot be reached, is silent or breaks off.
    Theirs(Fault),
    /// It was not asked, or said more than is read: nothing is wrong with it.
    Refused(Fault),
}

async fn answer(at: &str, request: RequestBuilder, max_bytes: usize) -> Result<OutboundResponse, NoAnswer> {
    let too_long =
        || NoAnswer::Refused(Fault::upstream(format!("{at} answered with more than {max_bytes} bytes")));
    let mut response = request.send().await.map_err(|error| failed(at, &error))?;
    if response.content_length().is_some_and(|length| length > max_bytes as u64) {
        return Err(too_long());
    }
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(at, &error))? {
        if body.len() + chunk.len() > max_bytes {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(OutboundResponse { status, headers, body })
}

/// Scheme, host and port: all of a URL that may stand in a log.
fn target(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// The library's errors name the URL with its query; the causes below them do not.
fn failed(at: &str, error: &reqwest::Error) -> NoAnswer {
    let mut cause = error.source();
    let mut last = String::new();
    while let Some(inner) = cause {
        if inner.is::<Refused>() {
            return NoAnswer::Refused(Fault::upstream(format!("{at} is not contacted: {inner}")));
        }
        last = inner.to_string();
        cause = inner.source();
    }
    let what = if error.is_timeout() {
        "took too long"
    } else if error.is_connect() {
        "cannot be reached"
    } else if error.is_builder() {
        return NoAnswer::Refused(Fault::upstream(format!("{at} cannot be asked this: {last}")));
    } else {
        "broke off"
    };
    NoAnswer::Theirs(Fault::upstream(format!("{at} {what}: {last}")))
}

/// TLS with the compiled-in authorities and those of the operator. The provider is named here, so that no
/// process-wide default decides about it.
pub(super) fn tls(authorities: &[String]) -> Outcome<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in authorities {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| not_an_authority(&error.to_string()))?;
            roots.add(certificate).map_err(|error| not_an_authority(&error.to_string()))?;
        }
        if roots.len() == before {
            return Err(not_an_authority("there is no certificate in it"));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::ours(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn not_an_authority(why: &str) -> Fault {
    Fault::malformed("authorities", format!("a certificate authority cannot be used: {why}"))
}

#[cfg(test)]
#[path = "outbound_tests.rs"]
mod tests;
