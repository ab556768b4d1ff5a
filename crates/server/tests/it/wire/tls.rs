//! Which TLS the server speaks (S94), with hellos of clients that are too old to be spoken to.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use vestibule_rules::fault::Outcome;
use vestibule_server::config::Certificate;
use vestibule_server::listener::{self, Door};
use vestibule_server::tls::acceptor;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const HANDSHAKE_FAILURE: u8 = 40;
const PROTOCOL_VERSION: u8 = 70;

/// Suites that every old client has: RSA key exchange, CBC, RC4 and 3DES.
const OLD_SUITES: [u16; 8] = [0x002f, 0x0035, 0x003c, 0x003d, 0x000a, 0x0005, 0xc013, 0xc014];

struct Host {
    port: u16,
    certificate: CertificateDer<'static>,
    stop: CancellationToken,
}

async fn host() -> Host {
    let key = KeyPair::generate().unwrap();
    let signed = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let certificate = signed.der().clone();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let tls = acceptor(Certificate { chain: vec![certificate.clone()], key: private }).unwrap();
    let socket = listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let (port, stop) = (socket.local_addr().unwrap().port(), CancellationToken::new());
    let door = Door::new(socket, Some(tls), Router::new(), Arc::new(|_, _| {}));
    tokio::spawn(listener::serve_all([door], &stop).join_all());
    Host { port, certificate, stop }
}

/// A hello of TLS 1.2 or older, without an extension that it could be understood by.
fn hello(version: u16, suites: &[u16]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(u16::try_from(suites.len() * 2).unwrap().to_be_bytes());
    body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend([1, 0]);
    let groups = [0, 10, 0, 4, 0, 2, 0, 23];
    let signatures = [0, 13, 0, 6, 0, 4, 4, 1, 4, 3];
    body.extend(u16::try_from(groups.len() + signatures.len()).unwrap().to_be_bytes());
    body.extend(groups);
    body.extend(signatures);
    let mut handshake = vec![1];
    handshake.extend(&u32::try_from(body.len()).unwrap().to_be_bytes()[1..]);
    handshake.extend(body);
    let mut record = vec![HANDSHAKE, 3, 1];
    record.extend(u16::try_from(handshake.len()).unwrap().to_be_bytes());
    record.extend(handshake);
    record
}

/// The kind of the first record that comes back, and its last byte: of an alert, what it says.
async fn answered(port: u16, hello: &[u8]) -> (u8, u8) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    stream.write_all(hello).await.unwrap();
    let mut head = [0; 5];
    stream.read_exact(&mut head).await.unwrap();
    let mut payload = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    stream.read_exact(&mut payload).await.unwrap();
    (head[0], payload.last().copied().unwrap())
}

#[tokio::test]
async fn old_versions_and_weak_suites_are_refused() {
    // S94
    let host = host().await;
    for version in [0x0300, 0x0301, 0x0302] {
        let said = answered(host.port, &hello(version, &OLD_SUITES)).await;
        assert_eq!(said, (ALERT, PROTOCOL_VERSION), "{version:#x}");
        // A good suite does not make up for it.
        assert_eq!(answered(host.port, &hello(version, &[0xc02b])).await, (ALERT, PROTOCOL_VERSION));
    }
    for suite in OLD_SUITES {
        let said = answered(host.port, &hello(0x0303, &[suite])).await;
        assert_eq!(said, (ALERT, HANDSHAKE_FAILURE), "{suite:#06x}");
    }
    assert_eq!(answered(host.port, &hello(0x0303, &[0xc02b])).await.0, HANDSHAKE);
    host.stop.cancel();
}

#[tokio::test]
async fn the_two_versions_that_are_left_are_spoken() {
    // S94
    let host = host().await;
    let cases: [(&'static SupportedProtocolVersion, _); 2] =
        [(&version::TLS12, ProtocolVersion::TLSv1_2), (&version::TLS13, ProtocolVersion::TLSv1_3)];
    for (offered, spoken) in cases {
        let mut roots = RootCertStore::empty();
        roots.add(host.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[offered])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, host.port)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        assert_eq!(connected.get_ref().1.protocol_version(), Some(spoken));
    }
    host.stop.cancel();
}

#[tokio::test]
async fn the_server_chooses_among_the_suites_of_a_client() {
    // S94
    let host = host().await;
    let mut chosen = Vec::new();
    for turned in [false, true] {
        let mut roots = RootCertStore::empty();
        roots.add(host.certificate.clone()).unwrap();
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        if turned {
            provider.cipher_suites.reverse();
        }
        for offered in [&version::TLS12, &version::TLS13] {
            let config = ClientConfig::builder_with_provider(Arc::new(provider.clone()))
                .with_protocol_versions(&[offered])
                .unwrap()
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, host.port)).await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
            chosen.push(connected.get_ref().1.negotiated_cipher_suite().unwrap().suite());
        }
    }
    assert_eq!(chosen[..2], chosen[2..]);
    host.stop.cancel();
}

#[tokio::test]
async fn the_test_of_old_hellos_is_not_one_of_nothing() -> Outcome<()> {
    // A hello that is cut off gets no answer of either kind.
    let host = host().await;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, host.port)).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    assert!(!said.starts_with(b"HTTP/"), "plain HTTP was answered on a TLS port");
    host.stop.cancel();
    Ok(())
}
