//! `vestibule migrate`.

use vestibule_store::migrate;

use crate::cli::Settings;
use crate::failure::Done;
use crate::terminal::say;
use crate::wire;

pub(super) fn run(settings: &Settings) -> Done {
    let config = settings.read()?;
    super::block_on(async {
        let db = wire::open(wire::database(&config.database)).await?;
        let applied = migrate::run(&db).await?;
        for migration in &applied {
            say(&format!("applied {:04} {}", migration.version, migration.name));
        }
        if applied.is_empty() {
            say("The schema is up to date.");
        }
        Ok(())
    })
}
