use super::*;

async fn look(at: &str) -> Obstacle {
    TlsProbe::new(&OutboundSettings::default()).unwrap().look(&Url::parse(at).unwrap()).await.unwrap_err()
}

#[tokio::test]
async fn nothing_is_connected_to_that_the_outbound_port_would_not_ask() {
    for at in [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "http://8.8.8.8/",
        "https://8.8.8.8:25/",
        "https://8.8.8.8:80/",
    ] {
        assert!(matches!(look(at).await, Obstacle::Refused(_)), "{at}");
    }
    for at in ["ftp://8.8.8.8/", "https://user@8.8.8.8/", "https://8.8.8.8:0/", "data:,x"] {
        assert!(matches!(look(at).await, Obstacle::NeverAsked(_)), "{at}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_from_one_that_is_not_there() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let plain = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await
    });
    let allowed = vec![Allowed { network: "127.0.0.0/8".parse().unwrap(), port: None }];
    let probe = TlsProbe::new(&OutboundSettings { allowed, ..OutboundSettings::default() }).unwrap();
    let url = Url::parse(&format!("https://127.0.0.1:{port}/")).unwrap();
    assert!(matches!(probe.look(&url).await, Err(Obstacle::Handshake(_))));
    plain.await.unwrap().unwrap();
    assert!(matches!(probe.look(&url).await, Err(Obstacle::Unreachable(_))));
}

#[tokio::test]
async fn what_stands_behind_a_proxy_is_not_looked_at() {
    let proxy = Proxy {
        url: Url::parse("http://127.0.0.1:1").unwrap(),
        credentials: None,
        bypass: vec![crate::ports::proxy::Bypass::parse("corp.example").unwrap()],
    };
    let probe =
        TlsProbe::new(&OutboundSettings { proxy: Some(proxy), ..OutboundSettings::default() }).unwrap();
    let look = probe.look(&Url::parse("https://idp.invalid/").unwrap()).await.unwrap();
    assert!(look.proxied && look.certificate.is_none());
    let direct = probe.look(&Url::parse("https://corp.example.corp.example/").unwrap()).await;
    assert!(direct.is_err());
}
