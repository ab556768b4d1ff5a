//! The program under test, as a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio::io::AsyncBufReadExt as _;

use crate::provider;
use crate::tenant;
use crate::trouble::{Tried, Trouble};

/// How this system counts processor time: 100 ticks a second on every Linux there is.
const MILLISECONDS_PER_TICK: u64 = 10;

/// Where a server keeps everything, and how it is configured.
pub struct Place {
    pub program: PathBuf,
    pub folder: PathBuf,
    pub port: u16,
}

impl Place {
    /// Writes the configuration: a listener on a port that is free now, mail to `mail_port`, and the limits on
    /// one source raised, since all visitors come from this machine. `provider` is where the provider listens;
    /// without one, nobody comes by it.
    pub fn prepare(
        program: &Path,
        folder: &Path,
        (mail_port, provider): (u16, Option<u16>),
        database: Option<&str>,
    ) -> Tried<Self> {
        let port = free_port()?;
        let database = database.map(|url| format!("[database]\nurl = \"{url}\"\n")).unwrap_or_default();
        let text = format!(
            "data = \".\"\n{database}\
             [listeners.http]\naddress = \"127.0.0.1:{port}\"\n\
             [smtp]\nhost = \"127.0.0.1\"\nport = {mail_port}\nsecurity = \"none\"\nfrom = \"a@bench.example\"\n\
             [limits.codes]\nper_source_hour = 10000000\n\
             [outbound]\nallow_networks = [\"127.0.0.0/8\"]\n\
             [log]\nlevel = \"warn\"\n"
        );
        std::fs::write(folder.join("vestibule.toml"), text).map_err(Trouble::wrong)?;
        let tenants = tenant::FILE.replace("{provider}", &provider.unwrap_or(1).to_string());
        std::fs::write(folder.join("tenants.yaml"), tenants).map_err(Trouble::wrong)?;
        std::fs::write(folder.join("provider-secret"), provider::SECRET).map_err(Trouble::wrong)?;
        std::fs::write(folder.join("daemon-secret"), tenant::DAEMON_SECRET).map_err(Trouble::wrong)?;
        Ok(Self { program: program.to_owned(), folder: folder.to_owned(), port })
    }

    /// One more tenant beside the usual.
    pub fn add(&self, tenant: &str) -> Tried<()> {
        let file = self.folder.join("tenants.yaml");
        let text = std::fs::read_to_string(&file).map_err(Trouble::wrong)?;
        std::fs::write(file, text + tenant).map_err(Trouble::wrong)
    }

    /// Makes the tenants.
    pub fn apply(&self) -> Tried<()> {
        let output = self.command("apply").arg("tenants.yaml").output().map_err(Trouble::wrong)?;
        if output.status.success() {
            return Ok(());
        }
        Err(Trouble::wrong(format!("vestibule apply: {}", String::from_utf8_lossy(&output.stderr))))
    }

    /// Starts the server; returns when it says that it is ready.
    pub async fn start(&self) -> Tried<Server> {
        let mut command = tokio::process::Command::from(self.command("serve"));
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().map_err(Trouble::wrong)?;
        let stdout = child.stdout.take().ok_or_else(|| Trouble::wrong("the server has no output"))?;
        let mut lines = tokio::io::BufReader::new(stdout).lines();
        match lines.next_line().await.map_err(Trouble::wrong)? {
            Some(line) if line.starts_with("Vestibule is ready") => Ok(Server { child }),
            other => Err(Trouble::wrong(format!("the server did not start: {other:?}"))),
        }
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(what).current_dir(&self.folder).env_clear();
        command
    }
}

/// A running server.
pub struct Server {
    child: tokio::process::Child,
}

impl Server {
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// `kill -9`.
    pub async fn kill(mut self) -> Tried<()> {
        self.child.kill().await.map_err(Trouble::wrong)
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

/// Processor time that a process has used, in milliseconds.
pub fn cpu_milliseconds(pid: u32) -> Tried<u64> {
    task_milliseconds(&pid.to_string())
}

/// Processor time of a process, or of a thread under `process/task/thread`.
pub(crate) fn task_milliseconds(task: &str) -> Tried<u64> {
    let text = std::fs::read_to_string(format!("/proc/{task}/stat")).map_err(Trouble::wrong)?;
    // The name of the program stands in parentheses and may hold anything.
    let fields = text.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks * MILLISECONDS_PER_TICK)
}

/// Resident memory of a process in KiB.
pub fn resident_kib(pid: u32) -> Tried<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).map_err(Trouble::wrong)?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
    number.ok_or_else(|| Trouble::wrong("the system does not say how much memory is resident"))
}

/// A port that was free a moment ago, below those that systems give to connections: while a server is being
/// restarted, no visitor's own connection can take its place.
pub fn free_port() -> Tried<u16> {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap_or(0);
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (first..32_000).find(free).ok_or_else(|| Trouble::wrong("there is no free port"))
}

/// A process that is killed when it goes out of sight.
pub struct Guard(pub Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
