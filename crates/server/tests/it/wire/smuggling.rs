//! Requests that two servers in a row would read differently (S96). Each goes out as raw bytes, with a second request
//! behind it that must never be answered.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::{Engine, TestServer};

use crate::journeys::passage::shop;

/// What a front that reads the first request otherwise would have let through.
const SECOND: &str = "GET /health?smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Everything that comes back until the server closes the connection.
async fn answers(server: &TestServer, bytes: &[u8]) -> Outcome<String> {
    let broken = |error: std::io::Error| Fault::ours(error.to_string());
    let address = server.origin.trim_start_matches("http://");
    let (mut reader, mut writer) = TcpStream::connect(address).await.map_err(broken)?.into_split();
    let mut said = Vec::new();
    // A server that has closed already may not take it all, and then the system cuts the connection.
    let exchange = async { tokio::join!(writer.write_all(bytes), reader.read_to_end(&mut said)) };
    let done = tokio::time::timeout(Duration::from_secs(20), exchange).await;
    let _ = done.map_err(|_| Fault::ours("the connection stays open"))?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

fn head(lines: &[&str]) -> String {
    let mut head = "POST /shop/oauth2/v2.0/logout HTTP/1.1\r\nHost: localhost\r\n".to_owned();
    for line in lines {
        head.push_str(line);
        head.push_str("\r\n");
    }
    head + "\r\n"
}

fn with_second(text: &str) -> Vec<u8> {
    [text.as_bytes(), SECOND.as_bytes()].concat()
}

/// Names and requests.
fn corpus() -> Vec<(&'static str, String)> {
    let chunked = "Transfer-Encoding: chunked";
    vec![
        ("two lengths", head(&["Content-Length: 0", "Content-Length: 44"])),
        ("a list of lengths", head(&["Content-Length: 0, 44"])),
        ("a length with a sign", head(&["Content-Length: +0"])),
        ("a negative length", head(&["Content-Length: -1"])),
        ("a hexadecimal length", head(&["Content-Length: 0x10"])),
        ("a length beyond every number", head(&["Content-Length: 99999999999999999999"])),
        ("chunked is not last", head(&["Transfer-Encoding: chunked, identity"]) + "0\r\n\r\n"),
        ("an unknown coding", head(&["Transfer-Encoding: xchunked"]) + "0\r\n\r\n"),
        ("two codings", head(&[chunked, "Transfer-Encoding: identity"]) + "0\r\n\r\n"),
        ("a tab before the coding", head(&["Transfer-Encoding:\x0bchunked"]) + "0\r\n\r\n"),
        ("a space before the colon", head(&["Transfer-Encoding : chunked"]) + "0\r\n\r\n"),
        ("a folded header", head(&["X-Long: one\r\n two"])),
        ("a folded coding", head(&["Transfer-Encoding:\r\n chunked"]) + "0\r\n\r\n"),
        ("a header without a colon", head(&["Nonsense"])),
        ("a header without a name", head(&[": nothing"])),
        ("a NUL in a header", head(&["X-Nul: a\0b"])),
        ("a return in a header", head(&["X-Return: a\rb"])),
        ("a chunk size that is none", head(&[chunked]) + "zz\r\n\r\n"),
        ("a chunk size with a sign", head(&[chunked]) + "-1\r\n\r\n"),
        ("a chunk size beyond every number", head(&[chunked]) + "fffffffffffffffff\r\n"),
        ("a chunk that does not end", head(&[chunked]) + "1\r\naXX0\r\n\r\n"),
        ("a NUL in the path", "GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        ("a space in the path", "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        ("a version that is none", "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n".to_owned()),
        ("a method with a colon", "GE:T / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        ("only line feeds in a folded header", "GET / HTTP/1.1\nHost: a\n b\n\n".to_owned()),
    ]
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused_and_the_connection_closed() -> Outcome<()> {
    // S96
    let server = TestServer::start(Engine::Sqlite, &[&shop()]).await?;
    for (name, text) in corpus() {
        let said = answers(&server, &with_second(&text))
            .await
            .map_err(|fault| Fault::ours(format!("{name}: {fault}")))?;
        assert!(said.starts_with("HTTP/1.1 400 "), "{name}: {said}");
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{name} let a second request in: {said}");
        assert!(!said.contains("200 OK"), "{name}: {said}");
    }
    server.finish().await
}

#[tokio::test]
async fn nothing_is_read_behind_a_coded_body() -> Outcome<()> {
    // S96: a length beside a coding is dropped on the way in, as RFC 9112 allows, so the connection ends instead.
    let server = TestServer::start(Engine::Sqlite, &[&shop()]).await?;
    let lines: [&[&str]; 3] = [
        &["Transfer-Encoding: chunked", "Content-Length: 4"],
        &["Content-Length: 6", "Transfer-Encoding: chunked"],
        &["Transfer-Encoding: chunked"],
    ];
    for lines in lines {
        let said = answers(&server, &with_second(&(head(lines) + "0\r\n\r\n"))).await?;
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{said}");
        assert!(said.to_ascii_lowercase().contains("connection: close"), "{said}");
    }
    server.finish().await
}

#[tokio::test]
async fn two_requests_in_a_row_are_two_requests() -> Outcome<()> {
    // The answers above are not those of a server that closes every connection.
    let server = TestServer::start(Engine::Sqlite, &[&shop()]).await?;
    let last = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let said = answers(&server, [SECOND.as_bytes(), last.as_bytes()].concat().as_slice()).await?;
    assert_eq!(said.matches("HTTP/1.1 200 OK").count(), 2, "{said}");
    server.finish().await
}

#[tokio::test]
async fn a_head_without_an_end_is_not_read_for_ever() -> Outcome<()> {
    // S96, S97
    let server = TestServer::start(Engine::Sqlite, &[&shop()]).await?;
    let long = format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: {}", "a".repeat(2_000_000));
    let said = answers(&server, long.as_bytes()).await?;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 431 "), "{said}");
    let many =
        "GET /health HTTP/1.1\r\nHost: localhost\r\n".to_owned() + &"X-Many: a\r\n".repeat(500) + "\r\n";
    let said = answers(&server, many.as_bytes()).await?;
    assert!(said.starts_with("HTTP/1.1 431 "), "{said}");
    server.finish().await
}
