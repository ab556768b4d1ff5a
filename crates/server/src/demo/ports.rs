//! The demo's ports. An issuer contains its port, so one that was chosen freely is kept: accounts and tokens
//! of the last start would be strangers otherwise.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::failure::{Done, Failure};
use crate::listener;

use super::files;

const FILE: &str = "ports.json";
/// How often another free port is tried when the one for IPv4 is taken for IPv6.
const TRIES: usize = 20;

/// What was used at the last start.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    http: u16,
    https: u16,
    app: u16,
}

/// The sockets of one port: `localhost` means both 127.0.0.1 and ::1.
pub struct Port {
    pub number: u16,
    pub sockets: Vec<TcpListener>,
}

/// The demo's three ports, bound.
pub struct Ports {
    pub http: Port,
    pub https: Port,
    pub app: Port,
}

/// The ports that somebody asked for; 0 is any free one.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub http: u16,
    pub https: u16,
    pub app: u16,
}

/// Binds the ports and remembers them.
pub async fn bind(data: &Path, wanted: Wanted) -> Done<Ports> {
    let path = data.join(FILE);
    let kept: Kept =
        std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let ports = Ports {
        http: one(wanted.http, kept.http).await?,
        https: one(wanted.https, kept.https).await?,
        app: one(wanted.app, kept.app).await?,
    };
    let now = Kept { http: ports.http.number, https: ports.https.number, app: ports.app.number };
    let text = serde_json::to_vec(&now).map_err(|error| Failure::new(error.to_string()))?;
    files::write(&path, &text)?;
    Ok(ports)
}

async fn one(wanted: u16, kept: u16) -> Done<Port> {
    if wanted != 0 {
        return both(wanted).await;
    }
    if kept != 0
        && let Ok(port) = both(kept).await
    {
        return Ok(port);
    }
    let mut last = Failure::new("there is no free port");
    for _ in 0..TRIES {
        match both(0).await {
            Ok(port) => return Ok(port),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

async fn both(port: u16) -> Done<Port> {
    let v4 = listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let address = v4.local_addr().map_err(|error| Failure::new(error.to_string()))?;
    let number = address.port();
    let mut sockets = vec![v4];
    match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, number))).await {
        Ok(v6) => sockets.push(v6),
        // Another program there would get the requests of every browser that prefers IPv6.
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            return Err(Failure::new(format!(
                "cannot listen on [::1]:{number}: another program listens there"
            )));
        }
        // No IPv6 on this machine: then localhost is 127.0.0.1 alone.
        Err(_) => {}
    }
    Ok(Port { number, sockets })
}
