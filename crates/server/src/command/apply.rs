//! `vestibule apply` and `vestibule schema`.

use std::path::{Path, PathBuf};

use vestibule_crypto::seal::SealingKey;
use vestibule_rules::fault::{Fault, Kind};
use vestibule_service::directory::{self, Actor, Author, Hit, MachineSecrets, ParsedTenant, Source};
use vestibule_service::ports::clock::{Clock as _, SystemClock};
use vestibule_service::ports::entropy::{Draw as _, SystemEntropy};
use vestibule_store::{Db, migrate};

use crate::cli::ApplyArgs;
use crate::config::Config;
use crate::failure::{Done, Failure, file};
use crate::terminal::{asked, say};
use crate::wire;

pub(super) fn run(args: &ApplyArgs) -> Done {
    let config = args.files.settings.read()?;
    let parsed = parse(&args.files.files)?;
    super::block_on(async {
        let (db, sealing) = open(&config).await?;
        let author = author();
        let hits = directory::apply_hits(&db, &sealing, &parsed, &author, &origin(&config)).await;
        agree(&hits.map_err(refused)?, args.yes)?;
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

/// Reads files of tenants.
pub(super) fn parse(files: &[PathBuf]) -> Done<Vec<ParsedTenant>> {
    let sources = files.iter().map(|path| read(path)).collect::<Done<Vec<_>>>()?;
    directory::parse(&sources, &MachineSecrets).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        wrong(&lines.join("\n"))
    })
}

/// The database, migrated, and the key of what is sealed in it.
pub(super) async fn open(config: &Config) -> Done<(Db, SealingKey)> {
    let db = wire::open(wire::database(&config.database)).await?;
    migrate::run(&db).await?;
    let sealing = wire::sealing(&db, &config.sealing_key_file).await?;
    Ok((db, sealing))
}

/// Whoever runs a command here.
pub(super) fn author() -> Author<'static> {
    Author {
        actor: Actor::Operator,
        now: SystemClock.now(),
        correlation: uuid::Builder::from_random_bytes(SystemEntropy.bytes()).into_uuid().to_string(),
        entropy: &SystemEntropy,
    }
}

/// What `{origin}` in a provider's issuer stands for.
pub(super) fn origin(config: &Config) -> String {
    config.listeners.first().map(|door| door.origin.clone()).unwrap_or_default()
}

/// Says whom a change hits, and goes on only if that is wanted.
pub(super) fn agree(hits: &[Hit], yes: bool) -> Done {
    for hit in hits {
        say(&hit.to_string());
    }
    if hits.is_empty() || yes {
        return Ok(());
    }
    match asked("Go on?") {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::new("nothing was changed")),
        None => Err(Failure::new("nothing was changed: people lose something; if that is meant, say --yes")),
    }
}

pub(super) fn schema() {
    say(&format!("{:#}", directory::schema()));
}

pub(super) fn read(path: &Path) -> Done<Source> {
    let text = std::fs::read_to_string(path).map_err(|error| file(path, "read", &error))?;
    let base = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok(Source { name: path.display().to_string(), text, base })
}

/// Problems with their lines; anything else as it is.
pub(super) fn refused(fault: Fault) -> Failure {
    match (&fault.kind, fault.about.as_deref()) {
        (Kind::Malformed, Some("configuration")) => wrong(&fault.detail),
        _ => fault.into(),
    }
}

fn wrong(lines: &str) -> Failure {
    let heading = if lines.contains('\n') { "there are problems" } else { "there is a problem" };
    Failure::new(format!("{heading}; nothing was changed:\n{lines}"))
}
