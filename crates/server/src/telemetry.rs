//! The log: one line an event on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// Starts the log. A second call changes nothing, so that tests can start several servers.
pub fn start(log: &Log) {
    let mut filter = EnvFilter::builder().parse_lossy(&log.level);
    // The driver writes the parameters of statements at `debug`: addresses and digests (security.md A58).
    for quiet in ["tokio_postgres=info", "postgres=info"] {
        filter = quiet.parse().into_iter().fold(filter, EnvFilter::add_directive);
    }
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let _ = if log.json { lines.json().try_init() } else { lines.with_target(false).try_init() };
}
