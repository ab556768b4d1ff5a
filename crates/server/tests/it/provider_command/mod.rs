//! `vestibule provider`, run beside the server as an administrator does.

mod browser;
mod certificates;
mod checkup;
mod companies;
mod health;
mod list;
mod map;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_store::Settings;
use vestibule_testkit::{Engine, TestServer};

use crate::federation::kinds::stand_in::{Company, StandIn};

const CUSTOMERS: &str = include_str!("../federation/kinds/customers.yaml");
/// This machine under both of its names.
const LOOPBACK: &str = "outbound.allow_networks=127.0.0.0/8,::1/128";

/// How the program ended, what it said and what it complained about.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A server whose customers come by a company.
struct Place {
    server: TestServer,
    folder: tempfile::TempDir,
    /// Further settings of the program.
    settings: Vec<String>,
    provider: Option<Arc<StandIn>>,
}

impl Place {
    /// `section` are the lines of the provider, without its id.
    async fn with_section(engine: Engine, section: &str) -> Outcome<Self> {
        let lines: String = section.lines().flat_map(|line| ["    ", line, "\n"]).collect();
        let server = TestServer::start(engine, &[&CUSTOMERS.replace("{section}\n", &lines)]).await?;
        let folder = tempfile::tempdir().unwrap();
        Ok(Self { server, folder, settings: vec![LOOPBACK.to_owned()], provider: None })
    }

    async fn with_company(company: Company) -> Outcome<(Self, Arc<StandIn>)> {
        let stand_in = StandIn::start(company).await?;
        let place = Self::at(&stand_in).await?;
        Ok((place, stand_in))
    }

    async fn at(stand_in: &StandIn) -> Outcome<Self> {
        let server =
            TestServer::start(Engine::Sqlite, &[&CUSTOMERS.replace("{section}\n", &stand_in.section())])
                .await?;
        let folder = tempfile::tempdir().unwrap();
        Ok(Self { server, folder, settings: vec![LOOPBACK.to_owned()], provider: None })
    }

    /// The provider listens as long as the place is there.
    fn keep(&mut self, provider: Arc<StandIn>) {
        self.provider = Some(provider);
    }

    fn provider(&self) -> Arc<StandIn> {
        Arc::clone(self.provider.as_ref().unwrap())
    }

    /// Runs the program, while what it asks goes on in this process.
    async fn run(&self, arguments: &[&str], input: &str) -> Outcome<Run> {
        run(&self.server, (self.folder.path(), &self.settings), arguments, input).await
    }

    /// Goes through the provider.
    async fn test(&self) -> Outcome<Found> {
        let run = self.run(&["test", "shop", "stranger", "--json"], "").await?;
        let json = serde_json::from_str(&run.out).map_err(|_| Fault::ours(run.err.clone()))?;
        Ok(Found { code: run.code, json })
    }
}

/// Runs `vestibule provider` on the database of a server.
async fn run(
    server: &TestServer,
    place: (&Path, &[String]),
    arguments: &[&str],
    input: &str,
) -> Outcome<Run> {
    program(server, place, &[&["provider"], arguments].concat(), input).await
}

/// Runs the program on the database of a server.
pub(crate) async fn program(
    server: &TestServer,
    (folder, settings): (&Path, &[String]),
    arguments: &[&str],
    input: &str,
) -> Outcome<Run> {
    let key = folder.join("test.key");
    if !key.exists() {
        std::fs::write(&key, [7; 32]).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_vestibule"));
    program.args(arguments).env_clear().current_dir(folder);
    program.arg("--set").arg(format!("sealing.key_file={}", key.display()));
    program.arg("--set").arg(format!("listeners.http.origin={}", server.origin));
    for setting in settings {
        program.arg("--set").arg(setting);
    }
    match server.database() {
        Settings::Sqlite { path } => program.arg("--set").arg(format!("database.path={}", path.display())),
        Settings::Postgres { url, .. } => program.arg("--database-url").arg(url),
    };
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ours = |error: std::io::Error| Fault::ours(error.to_string());
    let mut child = program.spawn().map_err(ours)?;
    let mut writer = child.stdin.take().unwrap();
    // A program that does not read closes its end.
    let _ = writer.write_all(input.as_bytes()).await;
    drop(writer);
    let output = child.wait_with_output().await.map_err(ours)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Run { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) })
}

/// What a checkup said.
struct Found {
    code: i32,
    json: Value,
}

impl Found {
    /// The results by the names of the steps; of steps that were taken several times, the worst.
    fn results(&self) -> BTreeMap<&str, &str> {
        let weight =
            |result: &str| ["ok", "notChecked", "warning", "failed"].iter().position(|one| *one == result);
        let mut all = BTreeMap::new();
        for step in self.steps() {
            let (name, result) = (step["step"].as_str().unwrap(), step["result"].as_str().unwrap());
            let kept = all.entry(name).or_insert(result);
            if weight(result) > weight(kept) {
                *kept = result;
            }
        }
        all
    }

    fn steps(&self) -> &[Value] {
        self.json["steps"].as_array().unwrap()
    }

    /// Asserts how a step ended, and that its sentence has these words in it.
    #[track_caller]
    fn says(&self, step: &str, result: &str, words: &str) {
        let of_step: Vec<&Value> = self.steps().iter().filter(|one| one["step"] == step).collect();
        let fits = |one: &&&Value| one["result"] == result && one["text"].as_str().unwrap().contains(words);
        assert!(of_step.iter().any(|one| fits(&one)), "{step} {result} “{words}”: {of_step:#?}");
        assert_eq!(self.code, i32::from(self.json["ok"] == false));
    }

    /// Asserts that these steps failed and no other.
    #[track_caller]
    fn fails_at(&self, steps: &[&str]) {
        let failed: Vec<&str> = self
            .results()
            .into_iter()
            .filter(|(_, result)| *result == "failed")
            .map(|(step, _)| step)
            .collect();
        assert_eq!(failed, steps, "{:#}", self.json);
        assert_eq!(self.code, i32::from(!steps.is_empty()));
    }
}
