//! `vestibule consent`: what apps may do in people's names.

use vestibule_service::consent::{self, Granted};

use super::apply::author;
use super::user::{directory, plain};
use crate::cli::{AppArgs, ConsentCommand, Settings};
use crate::failure::{Done, Failure};
use crate::terminal::say;

pub(super) fn run(command: &ConsentCommand) -> Done {
    match command {
        ConsentCommand::Grant { app, scope, resource } => grant(app, (resource, scope)),
        ConsentCommand::List { tenant, user, json, settings } => {
            list((tenant, user.as_deref()), *json, settings)
        }
        ConsentCommand::Revoke { app } => revoke(app),
    }
}

fn grant(args: &AppArgs, (resource, scope): (&str, &str)) -> Done {
    let config = args.settings.read()?;
    super::block_on(async {
        let db = directory(&config).await?;
        let whom = (args.tenant.as_str(), args.app.as_str(), args.user.as_deref());
        let fresh = consent::grant(&db, whom, (resource, scope), &author()).await?;
        say(&match fresh.as_slice() {
            [] => "Nothing was new.".to_owned(),
            fresh => format!("Granted: {}.", fresh.join(", ")),
        });
        Ok(())
    })
}

fn list((tenant, user): (&str, Option<&str>), json: bool, settings: &Settings) -> Done {
    let config = settings.read()?;
    super::block_on(async {
        let db = directory(&config).await?;
        let all = consent::list(&db, tenant, user).await?;
        if json {
            let text = serde_json::to_string_pretty(&all);
            say(&text.map_err(|error| Failure::new(format!("the consents cannot be written: {error}")))?);
        } else if all.is_empty() {
            say("Nothing was consented to.");
        } else {
            say(&all.iter().map(line).collect::<Vec<_>>().join("\n"));
        }
        Ok(())
    })
}

fn line(granted: &Granted) -> String {
    let Granted { client_id, resource, scope, granted_at, granted_by, .. } = granted;
    let (app, resource, scope) = (plain(client_id), plain(resource), plain(scope));
    format!("{app}: {scope} of {resource}, since {granted_at} by {granted_by}")
}

fn revoke(args: &AppArgs) -> Done {
    let config = args.settings.read()?;
    super::block_on(async {
        let db = directory(&config).await?;
        let whom = (args.tenant.as_str(), args.app.as_str(), args.user.as_deref());
        let count = consent::revoke(&db, whom, &author()).await?;
        say(&match count {
            0 => "There was nothing to take back.".to_owned(),
            1 => "Took back 1 permission.".to_owned(),
            count => format!("Took back {count} permissions."),
        });
        Ok(())
    })
}
