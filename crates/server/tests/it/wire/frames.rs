//! HTTP/2 connections that make work and want no answer (S97). The frames are written by hand, as no honest client sends
//! them.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use vestibule_bench::Trouble;
use vestibule_bench::mailbox::PostOffice;
use vestibule_bench::server::{Place, resident_kib};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::browser::outsider;
use vestibule_testkit::{Engine, TestServer};

use crate::journeys::passage::shop;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `GET http://localhost/health`: the first three are entries of HPACK's table (RFC 7541, appendix A).
const REQUEST: &[u8] = b"\x82\x86\x44\x07/health\x41\x09localhost";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// What an attacker sends after the preface and the settings.
type Flood = fn() -> Vec<u8>;

/// Requests that are taken back at once (CVE-2023-44487).
fn rapid_reset() -> Vec<u8> {
    let one = |number: u32| {
        let stream = 2 * number + 1;
        let opened = frame(HEADERS, END_STREAM | END_HEADERS, stream, REQUEST);
        [opened, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    };
    (0..20_000).flat_map(one).collect()
}

/// A head that goes on and on (CVE-2024-27983 and its kin).
fn continuation() -> Vec<u8> {
    let field = [b"\x40\x06x-long\x7f\x81\x01".to_vec(), vec![b'a'; 256]].concat();
    let mut flood = frame(HEADERS, END_STREAM, 1, REQUEST);
    for _ in 0..20_000 {
        flood.extend(frame(CONTINUATION, 0, 1, &field));
    }
    flood
}

/// Frames of a body without a byte in them (CVE-2019-9518).
fn empty_data() -> Vec<u8> {
    let post: Vec<u8> = [b"\x83".as_slice(), &REQUEST[1..]].concat();
    let mut flood = frame(HEADERS, END_HEADERS, 1, &post);
    for _ in 0..200_000 {
        flood.extend(frame(DATA, 0, 1, &[]));
    }
    flood
}

/// Settings that each want an answer (CVE-2019-9515).
fn settings() -> Vec<u8> {
    (0..200_000).flat_map(|_| frame(SETTINGS, 0, 0, &[])).collect()
}

/// Pings that each want an answer, from somebody who reads none (CVE-2019-9512).
fn pings() -> Vec<u8> {
    (0..200_000).flat_map(|_| frame(PING, 0, 0, &[7; 8])).collect()
}

const FLOODS: [(&str, Flood); 5] = [
    ("rapid reset", rapid_reset),
    ("continuation", continuation),
    ("empty data", empty_data),
    ("settings", settings),
    ("pings", pings),
];

async fn connect(server: &TestServer, window: u32) -> Outcome<TcpStream> {
    connect_to(server.origin.trim_start_matches("http://"), window).await
}

async fn connect_to(address: &str, window: u32) -> Outcome<TcpStream> {
    let broken = |error: std::io::Error| Fault::ours(error.to_string());
    let mut stream = TcpStream::connect(address).await.map_err(broken)?;
    let initial_window = [b"\x00\x04".as_slice(), &window.to_be_bytes()].concat();
    let hello = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &initial_window)].concat();
    stream.write_all(&hello).await.map_err(broken)?;
    Ok(stream)
}

/// The kinds of the frames that came; `Err` when the connection was reset.
async fn frames(stream: &mut TcpStream, until: impl Fn(&[u8]) -> bool) -> std::io::Result<Vec<u8>> {
    let mut kinds = Vec::new();
    let mut head = [0; 9];
    while !until(&kinds) {
        if stream.read_exact(&mut head).await.is_err() {
            break;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap_or_default()];
        stream.read_exact(&mut payload).await?;
        kinds.push(head[3]);
    }
    Ok(kinds)
}

async fn healthy(server: &TestServer) -> bool {
    let client = outsider().build().unwrap();
    let answer = client.get(format!("{}/health", server.origin)).send().await;
    answer.is_ok_and(|answer| answer.status() == 200)
}

#[tokio::test]
async fn an_honest_request_over_http_2_is_answered() -> Outcome<()> {
    // What the floods below begin with is right.
    let server = TestServer::start(Engine::Sqlite, &[&shop()]).await?;
    let mut stream = connect(&server, 65_535).await?;
    let request = frame(HEADERS, END_STREAM | END_HEADERS, 1, REQUEST);
    stream.write_all(&request).await.map_err(|error| Fault::ours(error.to_string()))?;
    let kinds = frames(&mut stream, |kinds| kinds.contains(&HEADERS) || kinds.contains(&GOAWAY)).await;
    assert!(kinds.is_ok_and(|kinds| kinds.contains(&HEADERS) && !kinds.contains(&GOAWAY)));
    drop(stream);
    server.finish().await
}

#[tokio::test]
async fn floods_end_their_connection_and_nobody_else_s() -> Outcome<()> {
    // S97
    let server = TestServer::start(Engine::Sqlite, &[&shop()]).await?;
    for (name, flood) in FLOODS {
        let mut stream = connect(&server, 65_535).await?;
        let flooding = async {
            // The server hangs up, or stops reading from somebody who reads nothing.
            let bytes = flood();
            let _ = tokio::time::timeout(Duration::from_secs(20), stream.write_all(&bytes)).await;
        };
        let others = async {
            for _ in 0..20 {
                assert!(healthy(&server).await, "{name} keeps others out");
            }
        };
        tokio::join!(flooding, others);
        assert!(healthy(&server).await, "{name} brought the server down");
        drop(stream);
    }
    server.finish().await
}

#[tokio::test]
async fn who_takes_requests_back_too_often_is_sent_away() -> Outcome<()> {
    // S97: the connection ends, and with it the work.
    let server = TestServer::start(Engine::Sqlite, &[&shop()]).await?;
    for (name, flood) in [("rapid reset", rapid_reset as Flood), ("continuation", continuation as Flood)] {
        let stream = connect(&server, 65_535).await?;
        let (mut reader, mut writer) = stream.into_split();
        let writing = tokio::spawn(async move {
            let _ = writer.write_all(&flood()).await;
            writer
        });
        let mut said = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), reader.read_to_end(&mut said)).await;
        assert!(read.is_ok(), "{name} is let go on");
        drop(writing);
    }
    server.finish().await
}

#[tokio::test]
async fn somebody_who_takes_nothing_in_holds_nothing_up() -> Outcome<()> {
    // S97: a window of zero bytes, and a hundred answers that wait for it.
    let server = TestServer::start(Engine::Sqlite, &[&shop()]).await?;
    let mut stream = connect(&server, 0).await?;
    let requests: Vec<u8> = (0..100)
        .flat_map(|number| frame(HEADERS, END_STREAM | END_HEADERS, 2 * number + 1, REQUEST))
        .collect();
    stream.write_all(&requests).await.map_err(|error| Fault::ours(error.to_string()))?;
    for _ in 0..20 {
        assert!(healthy(&server).await);
    }
    drop(stream);
    server.finish().await
}

/// How long others wait at most while somebody floods, when they wait hardly at all otherwise. Without optimisation a frame
/// takes many times as long.
const FLOOR: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });
/// How often it is measured until others were hardly held up: the processors have other tests to run.
const ROUNDS: usize = 10;
/// What a flood may leave in the server's memory.
const GROWTH_KIB: u64 = 64 * 1024;

/// A server in a process of its own, whose memory is nobody else's.
struct Apart {
    client: reqwest::Client,
    address: String,
    pid: u32,
}

/// What 100 requests met.
#[derive(Debug)]
struct Met {
    /// How long 95 of them took at most.
    took: Duration,
    /// The server's memory at its largest.
    peak_kib: u64,
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn wrong(trouble: Trouble) -> Fault {
    Fault::ours(trouble.to_string())
}

async fn usual(server: &Apart) -> Outcome<Met> {
    let (mut took, mut peak_kib) = (Vec::new(), 0);
    for _ in 0..100 {
        let began = Instant::now();
        let answer = server.client.get(format!("http://{}/health", server.address)).send().await;
        let answer = answer.map_err(|error| Fault::ours(error.to_string()))?;
        assert_eq!(answer.status(), 200);
        took.push(began.elapsed());
        peak_kib = resident_kib(server.pid).map_err(wrong)?.max(peak_kib);
    }
    took.sort();
    Ok(Met { took: took[94], peak_kib })
}

/// Floods again and again until others have had their answers.
async fn flooded(server: &Apart, bytes: &[u8]) -> Outcome<Met> {
    let flooding = async {
        loop {
            let Ok(mut stream) = connect_to(&server.address, 65_535).await else { continue };
            // Whoever is hung up on comes back; whoever is not read waits for it.
            let _ = stream.write_all(bytes).await;
        }
    };
    tokio::select! {
        met = usual(server) => met,
        () = flooding => Err(Fault::ours("a flood has no end")),
    }
}

#[tokio::test]
async fn a_flood_costs_others_hardly_any_time_and_the_server_no_memory() -> Outcome<()> {
    // S97
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let (_office, mail_port) = PostOffice::open().await.map_err(|error| wrong(Trouble::wrong(error)))?;
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_vestibule"));
    let place = Place::prepare(program, folder.path(), (mail_port, None), None).map_err(wrong)?;
    place.apply().map_err(wrong)?;
    let process = place.start().await.map_err(wrong)?;
    let address = format!("127.0.0.1:{}", place.port);
    let server = Apart { client: outsider().build().unwrap(), address, pid: process.pid() };
    for (name, flood) in FLOODS {
        let bytes = flood();
        let mut seen = Vec::new();
        // What a flood itself does to others it does in every round.
        for _ in 0..ROUNDS {
            let (idle, during) = (usual(&server).await?, flooded(&server, &bytes).await?);
            let growth = during.peak_kib.saturating_sub(idle.peak_kib);
            assert!(growth < GROWTH_KIB, "{name}: the server grows by {growth} KiB");
            let good = during.took <= FLOOR.max(2 * idle.took);
            seen.push((idle, during, good));
            if good {
                break;
            }
        }
        assert!(seen.iter().any(|(_, _, good)| *good), "{name} holds others up: {seen:?}");
    }
    process.kill().await.map_err(wrong)
}
