//! `vestibule config`: what can be set, what is set, and whether it is good.

use crate::cli::ConfigCommand;
use crate::config;
use crate::failure::{Done, Failure};
use crate::terminal::say;

pub(super) fn run(command: ConfigCommand) -> Done {
    match command {
        ConfigCommand::Check(settings) => {
            let config = settings.read()?;
            for warning in &config.warnings {
                say(warning);
            }
            say("The configuration is good.");
            Ok(())
        }
        ConfigCommand::Explain { key, settings } => {
            let key = key.unwrap_or_default();
            let text = config::explain(&key, &settings.layers());
            let text = text.ok_or_else(|| {
                let keys: Vec<_> = config::known_keys().collect();
                Failure::usage(format!("there is no setting {key}; there are:\n  {}", keys.join("\n  ")))
            })?;
            say(&text);
            Ok(())
        }
        ConfigCommand::Schema => {
            say(&format!("{:#}", config::schema()));
            Ok(())
        }
    }
}
