//! `vestibule apply` and `vestibule schema`.

use std::path::Path;

use vestibule_rules::fault::{Fault, Kind};
use vestibule_service::directory::{self, Actor, Author, MachineSecrets, Source};
use vestibule_service::ports::clock::{Clock as _, SystemClock};
use vestibule_service::ports::entropy::{Draw as _, SystemEntropy};
use vestibule_store::migrate;

use crate::cli::ApplyArgs;
use crate::failure::{Done, Failure, file};
use crate::terminal::say;
use crate::wire;

pub(super) fn run(args: &ApplyArgs) -> Done {
    let config = args.settings.read()?;
    let sources = args.files.iter().map(|path| read(path)).collect::<Done<Vec<_>>>()?;
    let parsed = directory::parse(&sources, &MachineSecrets).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        wrong(&lines.join("\n"))
    })?;
    super::block_on(async {
        let db = wire::open(wire::database(&config.database)).await?;
        migrate::run(&db).await?;
        let sealing = wire::sealing(&db, &config.sealing_key_file).await?;
        let author = Author {
            actor: Actor::Operator,
            now: SystemClock.now(),
            correlation: uuid::Builder::from_random_bytes(SystemEntropy.bytes()).into_uuid().to_string(),
            entropy: &SystemEntropy,
        };
        let changes = directory::apply(&db, &sealing, parsed, &author).await.map_err(refused)?;
        for change in &changes {
            say(&change.to_string());
        }
        if changes.is_empty() {
            say("Nothing to change: every tenant is as its file says.");
        }
        Ok(())
    })
}

pub(super) fn schema() {
    say(&format!("{:#}", directory::schema()));
}

fn read(path: &Path) -> Done<Source> {
    let text = std::fs::read_to_string(path).map_err(|error| file(path, "read", &error))?;
    let base = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok(Source { name: path.display().to_string(), text, base })
}

fn refused(fault: Fault) -> Failure {
    match (&fault.kind, fault.about.as_deref()) {
        (Kind::Malformed, Some("configuration")) => wrong(&fault.detail),
        _ => fault.into(),
    }
}

fn wrong(lines: &str) -> Failure {
    let heading = if lines.contains('\n') { "there are problems" } else { "there is a problem" };
    Failure::new(format!("{heading}; nothing was changed:\n{lines}"))
}
