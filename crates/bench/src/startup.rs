//! How long `vestibule demo` takes until somebody can use it, and what it keeps in memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::server::{self, Guard};
use crate::trouble::{Tried, Trouble};

/// How often it is looked whether the demo is ready.
const LOOK: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(30);
/// Keys that are made in the background and memory that hashing gave back: idle is after that.
const SETTLED: Duration = Duration::from_secs(15);

/// One start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start {
    /// Until demo.json was written anew.
    pub described: Duration,
    /// Until the first page of a sign-up had been answered as well.
    pub answered: Duration,
    pub resident_kib: u64,
}

/// Starts the demo in a directory, asks for a page, and stops it. With `settle` it is left alone for a while
/// before its memory is read.
pub async fn demo(program: &Path, data: &Path, settle: bool) -> Tried<Start> {
    let file = data.join("demo.json");
    let before = written(&file);
    let begun = Instant::now();
    let child = Command::new(program)
        .args(["demo", "--port", "0", "--tls-port", "0", "--app-port", "0", "--data"])
        .arg(data)
        .stdout(Stdio::null())
        .spawn()
        .map_err(Trouble::wrong)?;
    let demo = Guard(child);
    let mut ticks = tokio::time::interval(LOOK);
    while written(&file) == before {
        if begun.elapsed() > PATIENCE {
            return Err(Trouble::wrong("the demo does not become ready"));
        }
        ticks.tick().await;
    }
    let described = begun.elapsed();
    first_page(&file).await?;
    let answered = begun.elapsed();
    if settle {
        idle().await;
    }
    Ok(Start { described, answered, resident_kib: server::resident_kib(demo.0.id())? })
}

/// Waits until a server has nothing left to do.
#[expect(clippy::disallowed_methods, reason = "idle means that nothing happens for a while")]
pub async fn idle() {
    tokio::time::sleep(SETTLED).await;
}

/// The file is replaced at each start, so its number changes.
fn written(file: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    Some(std::fs::metadata(file).ok()?.ino())
}

/// The page on which a supplier begins.
async fn first_page(file: &Path) -> Tried<()> {
    let text = std::fs::read(file).map_err(Trouble::wrong)?;
    let described: Value = serde_json::from_slice(&text).map_err(Trouble::wrong)?;
    let text_at = |pointer: &str| {
        let text = described.pointer(pointer).and_then(Value::as_str);
        text.ok_or_else(|| Trouble::wrong(format!("demo.json has no {pointer}")))
    };
    let number = |origin: &str| origin.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
    let port = number(text_at("/origins/http")?).ok_or_else(|| Trouble::wrong("an origin without a port"))?;
    let client_id = text_at("/tenants/woodgrove/apps/native/clientId")?;
    let verifier = vestibule_crypto::digest::pkce_s256("a-verifier-of-forty-three-characters-or-more");
    let mut client = Client::new(port);
    let mut path = format!(
        "/woodgrove/oauth2/v2.0/authorize?client_id={client_id}&redirect_uri=http%3A%2F%2Flocalhost\
         &response_type=code&scope=openid&prompt=create&code_challenge={verifier}&code_challenge_method=S256"
    );
    loop {
        let answer = client.get(&path).await?;
        match answer.location {
            Some(location) => path = location,
            None if answer.status == 200 => return Ok(()),
            None => return Err(Trouble::wrong(format!("the first page has status {}", answer.status))),
        }
    }
}
