//! Sockets and connections: accept, shake hands, serve, and on shutdown finish what is under way.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::HeaderValue;
use http::header::{CONNECTION, TRANSFER_ENCODING};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::failure::{Done, Failure};

/// How long a client may take to send the head of a request, or to shake hands.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long requests under way may take after the signal to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection (no descriptors left), so that the loop does not spin.
const BREATHER: Duration = Duration::from_millis(50);
/// Largest head of a request in bytes.
const HEAD_MAX: usize = 64 * 1024;
const HEAD_MAX_H2: u32 = 64 * 1024;
/// Streams of one HTTP/2 connection at once.
const STREAMS: u32 = 100;

/// Takes the request extensions of a listener: which one it is, and who called.
pub type Mark = std::sync::Arc<dyn Fn(&mut http::Extensions, IpAddr) + Send + Sync>;

/// One address that is listened on.
pub struct Door {
    pub socket: TcpListener,
    pub tls: Option<TlsAcceptor>,
    pub router: Router,
    pub mark: Mark,
    pub trusted_proxies: Vec<IpNet>,
}

impl Door {
    /// A listener that believes no proxy.
    pub const fn new(socket: TcpListener, tls: Option<TlsAcceptor>, router: Router, mark: Mark) -> Self {
        Self { socket, tls, router, mark, trusted_proxies: Vec::new() }
    }
}

/// Serves several listeners at once; the set is empty when the last has finished.
pub fn serve_all(doors: impl IntoIterator<Item = Door>, stop: &CancellationToken) -> JoinSet<()> {
    let mut serving = JoinSet::new();
    for door in doors {
        serving.spawn(serve(door, stop.clone()));
    }
    serving
}

/// Binds an address.
pub async fn bind(address: SocketAddr) -> Done<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => "; another program listens there, choose another port",
            std::io::ErrorKind::PermissionDenied => "; ports below 1024 need a permission of the system",
            _ => "",
        };
        Failure::new(format!("cannot listen on {address}: {error}{hint}"))
    })
}

/// Serves until `stop`, then finishes what is under way.
pub async fn serve(door: Door, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let door = std::sync::Arc::new(door);
    loop {
        let accepted = tokio::select! {
            accepted = door.socket.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (door, watcher) = (std::sync::Arc::clone(&door), graceful.watcher());
                tokio::spawn(async move { connection(&door, stream, peer.ip(), watcher).await });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                let _ = tokio::time::timeout(BREATHER, stop.cancelled()).await;
            }
        }
    }
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

async fn connection(door: &Door, stream: TcpStream, peer: IpAddr, watcher: Watcher) {
    // Answers are small and written whole: waiting to fill a packet only costs time.
    let _ = stream.set_nodelay(true);
    match &door.tls {
        None => http(door, stream, peer, watcher).await,
        Some(tls) => match tokio::time::timeout(PATIENCE, tls.accept(stream)).await {
            Ok(Ok(stream)) => http(door, stream, peer, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        },
    }
}

async fn http<S>(door: &Door, stream: S, peer: IpAddr, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(|mut request: hyper::Request<Incoming>| {
        let coded = request.headers().contains_key(TRANSFER_ENCODING);
        let caller = caller(peer, &request, &door.trusted_proxies);
        (door.mark)(request.extensions_mut(), caller);
        let answering = door.router.clone().oneshot(request.map(axum::body::Body::new));
        async move {
            let answer = answering.await?;
            Ok::<_, std::convert::Infallible>(if coded { last(answer) } else { answer })
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(HEAD_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_MAX_H2)
        .keep_alive_interval(Some(Duration::from_mins(1)));
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Closes the connection behind an answer. A length that stood beside a transfer coding is gone when the request arrives
/// here, and a front may have believed it: so nothing is read after a coded body (RFC 9112 §6.1).
fn last(mut answer: Response) -> Response {
    if answer.version() < hyper::Version::HTTP_2 {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// The client's address. Only a trusted proxy is believed: the last address in `X-Forwarded-For` that is not
/// a trusted proxy itself is the one that it saw; everything before could be the client's own invention.
fn caller<B>(peer: IpAddr, request: &hyper::Request<B>, trusted: &[IpNet]) -> IpAddr {
    let trusts = |ip: IpAddr| trusted.iter().any(|network| network.contains(&ip));
    if !trusts(peer) {
        return peer;
    }
    let headers = request.headers().get_all("x-forwarded-for");
    let chain: Vec<&str> =
        headers.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).collect();
    let mut caller = peer;
    for hop in chain.iter().rev() {
        let Ok(ip) = hop.trim().parse::<IpAddr>() else { break };
        caller = ip;
        if !trusts(ip) {
            break;
        }
    }
    caller
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        let request = hyper::Request::builder().header("x-forwarded-for", forwarded).body(()).unwrap();
        let trusted: Vec<IpNet> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        caller(peer.parse().unwrap(), &request, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_may_say_who_calls() {
        assert_eq!(seen("203.0.113.9", "198.51.100.1", &[]), "203.0.113.9");
        assert_eq!(seen("203.0.113.9", "198.51.100.1", &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", "198.51.100.1", &["10.0.0.0/8"]), "198.51.100.1");
    }

    #[test]
    fn what_a_client_invents_is_not_believed() {
        assert_eq!(seen("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", "198.51.100.1, nonsense", &["10.0.0.0/8"]), "10.0.0.1");
    }
}
