//! What a hostile address, name or answer gets (security.md U19 to U21).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Loopback, private, link-local and the metadata services of clouds.
const FORBIDDEN: [[u8; 4]; 8] = [
    [127, 0, 0, 1],
    [10, 0, 0, 1],
    [169, 254, 169, 254],
    [192, 168, 1, 1],
    [172, 16, 0, 1],
    [100, 100, 100, 200],
    [0, 0, 0, 0],
    [168, 63, 129, 16],
];

/// Ways in which URLs can say one IPv4 address.
fn spellings([a, b, c, d]: [u8; 4]) -> Vec<String> {
    let number = u32::from_be_bytes([a, b, c, d]);
    let tail = u32::from_be_bytes([0, b, c, d]);
    let (high, low) = (number >> 16, number & 0xffff);
    let other = |text: String, zero: u32| -> String {
        let digit = |c: char| c.to_digit(10).map_or(c, |digit| char::from_u32(zero + digit).unwrap());
        text.chars().map(digit).collect()
    };
    let dotted = format!("{a}.{b}.{c}.{d}");
    let percent = dotted.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    vec![
        dotted.clone(),
        format!("{dotted}."),
        percent,
        dotted.replace('.', "\u{3002}"),
        dotted.replace('.', "\u{ff0e}"),
        other(dotted.clone(), 0xff10),
        other(dotted.clone(), 0x1d7ce),
        format!("{number}"),
        format!("{number:#x}"),
        format!("{number:#X}").replace("0X", "0X0"),
        format!("0{number:o}"),
        format!("000{number:o}"),
        format!("{a}.{tail}"),
        format!("{a:#x}.{tail:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("{a:#x}.{b}.0{c:o}.{d}"),
        format!("{a}.{b}.{}", u32::from(c) << 8 | u32::from(d)),
        format!("[::ffff:{dotted}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:FFFF:{high:04X}:{low:04X}]"),
        format!("[::{dotted}]"),
        format!("[64:ff9b::{dotted}]"),
        format!("[64:ff9b:1::{high:x}:{low:x}]"),
        format!("[2002:{high:x}:{low:x}::]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("[2001:0:{high:x}:{low:x}::]"),
        format!("[2001:0:1:1:0:0:{:x}:{:x}]", high ^ 0xffff, low ^ 0xffff),
        format!("[fe80::{high:x}:{low:x}]"),
    ]
}

/// Listens at both loopback addresses and tells whether anybody came.
struct Listeners(Vec<std::net::TcpListener>);

impl Listeners {
    fn start() -> (Self, u16) {
        let first = std::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let mut all = vec![first];
        // A machine may have no IPv6.
        all.extend(std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, port)).ok());
        for listener in &all {
            listener.set_nonblocking(true).unwrap();
        }
        (Self(all), port)
    }

    /// A connection that was merely opened and closed again still waits to be accepted.
    fn nobody_came(&self) -> bool {
        self.0.iter().all(|listener| listener.accept().is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock))
    }
}

/// A port that nobody listens at and nobody else can take.
pub(super) fn shut() -> (tokio::net::TcpSocket, u16) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

#[test]
fn a_listener_notices_whoever_came_and_went() {
    let (listeners, port) = Listeners::start();
    assert!(listeners.nobody_came());
    drop(std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap());
    assert!(!listeners.nobody_came());
}

#[tokio::test]
async fn no_spelling_of_an_inner_address_sends_a_packet() {
    // U19, C43, C86
    let (listeners, port) = Listeners::start();
    let mut hosts: Vec<String> = FORBIDDEN.into_iter().flat_map(spellings).collect();
    hosts.extend(
        [
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[fd00:ec2::254]",
            "[fec0::1]",
            "[ff02::1]",
            "0",
            "127.1",
            "0x7f.1",
        ]
        .map(str::to_owned),
    );
    assert!(hosts.len() >= 200, "{}", hosts.len());
    let client = closed();
    for host in &hosts {
        let text = format!("https://{host}:{port}/");
        // What is no URL is refused before there is a request.
        let Ok(url) = Url::parse(&text) else { continue };
        let fault = client.send(OutboundRequest::get(url)).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Upstream);
        assert!(fault.detail.contains("is not allowed"), "{host}: {}", fault.detail);
        assert!(
            get(&client, &text.replace("https:", "http:"))
                .await
                .unwrap_err()
                .detail
                .contains("is not allowed")
        );
    }
    let parsed = hosts.iter().filter(|host| Url::parse(&format!("https://{host}:{port}/")).is_ok()).count();
    assert!(parsed >= 200, "{parsed} of {} are addresses", hosts.len());
    for at in [
        format!("https://localhost:{port}/"),
        format!("https://LOCALHOST.:{port}/"),
        format!("https://user:secret@127.0.0.1:{port}/"),
        format!("https://8.8.8.8:{port}@127.0.0.1:{port}/"),
        format!("gopher://127.0.0.1:{port}/_GET"),
        format!("ftp://127.0.0.1:{port}/"),
        format!("ws://127.0.0.1:{port}/"),
        "file:///etc/passwd".to_owned(),
        "data:,x".to_owned(),
    ] {
        assert!(get(&client, &at).await.is_err(), "{at}");
    }
    assert!(listeners.nobody_came());
}

#[tokio::test]
async fn an_error_does_not_tell_whether_an_inner_port_is_open() {
    // U21: nothing is sent in either case, so no answer can take longer.
    let (listeners, open) = Listeners::start();
    let (_held, shut) = shut();
    for host in ["127.0.0.1", "localhost"] {
        let mut said = Vec::new();
        for port in [open, shut] {
            let fault = get(&closed(), &format!("https://{host}:{port}/")).await.unwrap_err();
            said.push(fault.to_string().replace(&port.to_string(), "PORT"));
        }
        assert_eq!(said[0], said[1]);
    }
    assert!(listeners.nobody_came());
}

/// A resolver that somebody hostile answers for.
struct Hostile {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Names for Hostile {
    async fn look_up(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.answers[turn.min(self.answers.len() - 1)].iter().map(|ip| SocketAddr::new(*ip, 0)).collect())
    }
}

fn hostile(settings: &OutboundSettings, answers: &[&[&str]]) -> GuardedClient {
    let address = |text: &&str| text.parse().unwrap();
    let answers = answers.iter().map(|answer| answer.iter().map(address).collect()).collect();
    let names: Arc<dyn Names> = Arc::new(Hostile { answers, asked: AtomicUsize::new(0) });
    GuardedClient::with_names(settings, &names).unwrap()
}

#[tokio::test]
async fn a_name_that_leads_inside_at_any_time_is_refused() {
    // U19: a private address behind a public name, one bad address among good ones, DNS rebinding.
    let (listeners, port) = Listeners::start();
    for inside in ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"] {
        let client = hostile(&OutboundSettings::default(), &[&[inside]]);
        let fault = get(&client, &format!("https://idp.example:{port}/")).await.unwrap_err();
        assert!(fault.detail.contains("is not allowed"), "{}", fault.detail);
        let client = hostile(&OutboundSettings::default(), &[&["8.8.8.8", inside]]);
        assert!(get(&client, &format!("https://idp.example:{port}/")).await.is_err());
    }
    // The first answer is good and is what is connected to; the second leads elsewhere.
    let good = server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi").await;
    let only = Allowed { network: "127.0.0.1/32".parse().unwrap(), port: None };
    let settings = OutboundSettings { allowed: vec![only], ..OutboundSettings::default() };
    let client = hostile(&settings, &[&["127.0.0.1"], &["127.0.0.2"]]);
    let at = format!("http://idp.example:{good}/");
    assert_eq!(get(&client, &at).await.unwrap().body, b"hi");
    let fault = get(&client, &at).await.unwrap_err();
    assert!(fault.detail.contains("127.0.0.2 is not allowed"), "{}", fault.detail);
    assert!(listeners.nobody_came());
}

#[tokio::test]
async fn nothing_is_sent_to_where_an_answer_points() {
    // U19, U20: a redirect with credentials on the way, of every kind.
    let (listeners, port) = Listeners::start();
    for status in
        ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let answer = format!(
            "HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:{port}/latest/meta-data\r\nRefresh: 0; \
             url=http://127.0.0.1:{port}/\r\nAlt-Svc: h2=\":{port}\"\r\nContent-Length: 0\r\n\r\n"
        );
        let redirecting = server(answer.leak().as_bytes()).await;
        let at = url(&format!("http://127.0.0.1:{redirecting}/token"));
        let request =
            OutboundRequest::post(at, "application/x-www-form-urlencoded", b"client_secret=x".to_vec())
                .header("authorization", "Basic eDp5");
        let response = open_to(None).send(request).await.unwrap();
        assert!(!response.is_success());
    }
    assert!(listeners.nobody_came());
}

#[tokio::test]
async fn a_bomb_is_neither_unpacked_nor_read_to_its_end() {
    // U19: bodies that are compressed, endless or slow, and headers without end.
    let bomb = {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        io::Write::write_all(&mut packed, &vec![b' '; 16 * 1024 * 1024]).unwrap();
        packed.finish().unwrap()
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        bomb.len()
    );
    let packed = server([head.as_bytes(), &bomb].concat().leak()).await;
    let response = get(&open_to(None), &format!("http://127.0.0.1:{packed}/")).await.unwrap();
    assert_eq!(response.body, bomb, "it is handed on as it came");

    let endless = endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nagain\r\n").await;
    let fault = get(&open_to(None), &format!("http://127.0.0.1:{endless}/")).await.unwrap_err();
    assert!(fault.detail.contains("more than 1048576 bytes"), "{}", fault.detail);
    let headers = self::endless(b"HTTP/1.1 200 OK\r\n", b"X-Again: and again\r\n").await;
    assert!(get(&open_to(None), &format!("http://127.0.0.1:{headers}/")).await.is_err());
}

/// A server that says `begin` and then `more` until it is hung up on.
async fn endless(begin: &'static [u8], more: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0; 4096];
            let _ = stream.read(&mut heard).await;
            let _ = stream.write_all(begin).await;
            while stream.write_all(more).await.is_ok() {}
        }
    });
    port
}

#[tokio::test]
async fn a_target_that_is_down_is_left_alone_and_others_are_not() {
    // F15
    let (_held, port) = shut();
    let client = open_to(None);
    let down = format!("http://127.0.0.1:{port}/");
    for _ in 0..5 {
        assert!(get(&client, &down).await.unwrap_err().detail.contains("cannot be reached"));
    }
    assert!(get(&client, &down).await.unwrap_err().detail.contains("rests"));
    let up = server(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n").await;
    for _ in 0..12 {
        let response = get(&client, &format!("http://127.0.0.1:{up}/")).await.unwrap();
        assert_eq!(response.status, 503, "an answer is an answer");
    }
}
