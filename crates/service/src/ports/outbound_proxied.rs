//! The way by a proxy.

use std::sync::Mutex;

use vestibule_rules::text::Secret;

use super::*;

/// A proxy that answers everything itself and keeps what it heard.
async fn proxy(answer: &'static [u8]) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let length = stream.read(&mut buffer).await.unwrap_or(0);
            kept.lock().unwrap().push(String::from_utf8_lossy(&buffer[..length]).into_owned());
            let _ = stream.write_all(answer).await;
        }
    });
    (port, heard)
}

fn by(port: u16, bypass: &[&str], allowed: Vec<Allowed>) -> GuardedClient {
    let proxy = Proxy {
        url: url(&format!("http://127.0.0.1:{port}")),
        credentials: Some(("vestibule".to_owned(), Secret::new("of-the-proxy".to_owned()))),
        bypass: bypass.iter().map(|text| Bypass::parse(text).unwrap()).collect(),
    };
    GuardedClient::new(&OutboundSettings { allowed, proxy: Some(proxy), ..OutboundSettings::default() })
        .unwrap()
}

const HERE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nproxy";

#[tokio::test]
async fn requests_go_by_the_proxy_and_show_it_who_asks() {
    let (port, heard) = proxy(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n").await;
    // Only the proxy may know the name; it is told, and the tunnel it refuses is no answer.
    let fault = get(&by(port, &[], vec![]), "https://idp.invalid/token?code=secret").await.unwrap_err();
    assert!(!fault.to_string().contains("secret") && !fault.to_string().contains("of-the-proxy"), "{fault}");
    let asked = heard.lock().unwrap().join("");
    assert!(asked.starts_with("CONNECT idp.invalid:443 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.to_lowercase().contains("proxy-authorization: basic "), "{asked}");
    assert!(!asked.contains("secret"), "{asked}");

    let (port, heard) = proxy(HERE).await;
    let response = get(&by(port, &[], loopback(None)), "http://127.0.0.1:9/inside").await.unwrap();
    assert_eq!(response.body, b"proxy");
    assert!(heard.lock().unwrap()[0].starts_with("GET http://127.0.0.1:9/inside HTTP/1.1\r\n"));
}

#[tokio::test]
async fn what_is_excepted_is_asked_directly_and_never_shows_the_proxys_password() {
    let (port, heard) = proxy(HERE).await;
    let (direct, answered) = proxy(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ndirect").await;
    let client = by(port, &["127.0.0.0/8", "localhost"], loopback(None));
    for host in ["127.0.0.1", "localhost"] {
        assert_eq!(get(&client, &format!("http://{host}:{direct}/")).await.unwrap().body, b"direct");
    }
    assert!(heard.lock().unwrap().is_empty());
    assert!(!answered.lock().unwrap().join("").to_lowercase().contains("proxy-authorization"));
}

#[tokio::test]
async fn a_proxy_is_no_way_around_the_guard() {
    // U19
    let (port, heard) = proxy(HERE).await;
    let client = by(port, &[], vec![]);
    for at in [
        "https://127.0.0.1/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "https://localhost/",
        "http://idp.invalid/",
        "https://idp.invalid:25/",
        "https://user@idp.invalid/",
    ] {
        assert!(get(&client, at).await.unwrap_err().detail.contains("is not contacted"), "{at}");
    }
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_proxy_that_is_down_is_told_like_a_target_that_is() {
    let (_held, port) = attacks::shut();
    let fault = get(&by(port, &[], vec![]), "https://idp.invalid/").await.unwrap_err();
    assert!(fault.detail.contains("https://idp.invalid cannot be reached"), "{}", fault.detail);
}
