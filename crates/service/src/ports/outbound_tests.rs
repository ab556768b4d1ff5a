use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use vestibule_rules::fault::Kind;

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn closed() -> GuardedClient {
    GuardedClient::new(&OutboundSettings::default()).unwrap()
}

fn open_to(port: Option<u16>) -> GuardedClient {
    GuardedClient::new(&OutboundSettings { allowed: loopback(port), ..OutboundSettings::default() }).unwrap()
}

fn loopback(port: Option<u16>) -> Vec<Allowed> {
    ["127.0.0.0/8", "::1/128"].map(|network| Allowed { network: network.parse().unwrap(), port }).to_vec()
}

/// A server that accepts connections, answers each with `answer` and closes it.
async fn server(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0; 4096];
            if stream.read(&mut heard).await.unwrap_or(0) > 0 {
                let _ = stream.write_all(answer).await;
            }
        }
    });
    port
}

async fn get(client: &GuardedClient, at: &str) -> Outcome<OutboundResponse> {
    client.send(OutboundRequest::get(url(at))).await
}

#[tokio::test]
async fn plain_http_and_other_schemes_are_refused() {
    let client = closed();
    for at in ["http://8.8.8.8/", "http://127.0.0.1/", "ftp://8.8.8.8/", "file:///etc/passwd", "data:,x"] {
        assert!(get(&client, at).await.unwrap_err().detail.contains("is not contacted"), "{at}");
    }
    for at in [
        "https://8.8.8.8:25/",
        "https://8.8.8.8:80/",
        "https://user@8.8.8.8/",
        "https://:pw@8.8.8.8/",
        "https://8.8.8.8:0/",
    ] {
        assert!(get(&client, at).await.unwrap_err().detail.contains("is not contacted"), "{at}");
    }
}

#[tokio::test]
async fn the_allow_list_opens_a_network() {
    let port = server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\n\r\nhi").await;
    for host in ["127.0.0.1", "localhost"] {
        let response = get(&open_to(None), &format!("http://{host}:{port}/")).await.unwrap();
        assert!(response.is_success());
        assert_eq!(response.body, b"hi");
        assert_eq!(response.header("x-one"), Some("1"));
        assert!(get(&open_to(Some(port)), &format!("http://{host}:{port}/")).await.is_ok());
        let fault = get(&open_to(Some(port ^ 1)), &format!("http://{host}:{port}/")).await.unwrap_err();
        assert!(fault.detail.contains("is not allowed"), "{}", fault.detail);
        let fault = get(&closed(), &format!("https://{host}:{port}/")).await.unwrap_err();
        assert!(fault.detail.contains("is not allowed"), "{}", fault.detail);
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let port =
        server(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n").await;
    let response = get(&open_to(None), &format!("http://127.0.0.1:{port}/")).await.unwrap();
    assert_eq!(response.status, 302);
    assert!(!response.is_success());
}

#[tokio::test]
async fn a_body_is_cut_at_the_limit() {
    let client = open_to(None);
    let announced = server(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nsecret-body").await;
    let chunked =
        server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nsecret-body\r\n0\r\n\r\n").await;
    let until_closed = server(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nsecret-body").await;
    for port in [announced, chunked, until_closed] {
        let at = url(&format!("http://127.0.0.1:{port}/"));
        let limited = |max_bytes| OutboundRequest { max_bytes, ..OutboundRequest::get(at.clone()) };
        let fault = client.send(limited(10)).await.unwrap_err();
        assert!(fault.detail.contains("more than 10 bytes"), "{}", fault.detail);
        assert!(!fault.to_string().contains("secret"));
        assert_eq!(client.send(limited(11)).await.unwrap().body, b"secret-body");
    }
}

#[tokio::test]
async fn a_server_that_does_not_finish_is_left() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let halfway = server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsecret").await;
    let at = format!("http://127.0.0.1:{}/", silent.local_addr().unwrap().port());
    let request = OutboundRequest::get(url(&at)).within(Duration::from_millis(50));
    let fault = open_to(None).send(request).await.unwrap_err();
    assert!(fault.detail.contains("took too long"), "{}", fault.detail);
    let fault = get(&open_to(None), &format!("http://127.0.0.1:{halfway}/")).await.unwrap_err();
    assert!(!fault.to_string().contains("secret"), "{fault}");
}

#[tokio::test]
async fn faults_do_not_repeat_what_is_secret() {
    let port = server(b"nonsense with a secret\r\n\r\n").await;
    let at = format!("http://127.0.0.1:{port}/path?token=hidden");
    let fault = get(&open_to(None), &at).await.unwrap_err();
    assert!(!fault.to_string().contains("hidden") && !fault.to_string().contains("nonsense"), "{fault}");
    let request = OutboundRequest::post(url(&at), "application/json", b"hidden".to_vec())
        .header("authorization", "Bearer hidden");
    assert!(!format!("{request:?}").contains("hidden"));
}

#[tokio::test]
async fn a_header_with_a_line_break_is_not_sent() {
    let port = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let request =
        OutboundRequest::get(url(&format!("http://127.0.0.1:{port}/"))).header("x-a", "b\r\nx-c: d");
    assert!(open_to(None).send(request).await.unwrap_err().detail.contains("cannot be asked this"));
}

#[test]
fn an_authority_must_be_a_certificate() {
    for pem in ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let settings = OutboundSettings { authorities: vec![pem.to_owned()], ..OutboundSettings::default() };
        assert!(GuardedClient::new(&settings).is_err(), "{pem}");
    }
}

/// A TLS server with a certificate of its own; returns its port and the certificate as PEM.
async fn tls_server() -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut heard = [0; 4096];
            let _ = stream.read(&mut heard).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            let _ = stream.shutdown().await;
        }
    });
    (port, made.cert.pem())
}

#[tokio::test]
async fn a_server_is_believed_only_under_a_known_authority_and_its_name() {
    let (port, authority) = tls_server().await;
    let settings = |authorities| OutboundSettings {
        allowed: loopback(Some(port)),
        authorities,
        ..OutboundSettings::default()
    };
    let trusting = GuardedClient::new(&settings(vec![authority])).unwrap();
    let named = format!("https://localhost:{port}/");
    assert_eq!(get(&trusting, &named).await.unwrap().body, b"ok");
    assert!(get(&trusting, &format!("https://127.0.0.1:{port}/")).await.is_err(), "another name");
    let fault = get(&GuardedClient::new(&settings(vec![])).unwrap(), &named).await.unwrap_err();
    assert!(fault.detail.contains("cannot be reached"), "{}", fault.detail);
}

#[path = "outbound_attacks.rs"]
mod attacks;
#[path = "outbound_proxied.rs"]
mod proxied;
