//! `vestibule user`: the ways into an account, and out of all its sessions.

use vestibule_service::account::{self, Listed};
use vestibule_store::{Db, migrate};

use super::apply::author;
use crate::cli::{UserArgs, UserCommand};
use crate::config::Config;
use crate::failure::{Done, Failure};
use crate::terminal::say;
use crate::wire;

pub(super) fn run(command: &UserCommand) -> Done {
    match command {
        UserCommand::Show { user, json } => show(user, *json),
        UserCommand::Unlink { user, provider } => unlink(user, provider),
        UserCommand::SignOut { user } => sign_out(user),
    }
}

/// No secret is opened here, so the sealing key stays where it is.
pub(super) async fn directory(config: &Config) -> Done<Db> {
    let db = wire::open(wire::database(&config.database)).await?;
    migrate::run(&db).await?;
    Ok(db)
}

fn show(args: &UserArgs, json: bool) -> Done {
    let config = args.settings.read()?;
    super::block_on(async {
        let db = directory(&config).await?;
        let listed = account::show(&db, &args.tenant, &args.user).await?;
        if json {
            let text = serde_json::to_string_pretty(&listed);
            say(&text.map_err(|error| Failure::new(format!("the account cannot be written: {error}")))?);
        } else {
            say(&lines(&listed));
        }
        Ok(())
    })
}

/// What others chose is shown with control characters spelled out: a terminal obeys them.
pub(super) fn plain(text: &str) -> String {
    text.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

/// The account for people.
fn lines(listed: &Listed) -> String {
    let mut lines = vec![
        format!("{} ({})", plain(listed.display_name.as_deref().unwrap_or("no name")), listed.id),
        format!("  {}{}", listed.user_type, if listed.account_enabled { "" } else { ", switched off" }),
        format!("  user principal name  {}", plain(&listed.user_principal_name)),
        format!("  mail                 {}", plain(listed.mail.as_deref().unwrap_or("none"))),
    ];
    for identity in &listed.identities {
        let by = identity.provider.as_deref().map(|id| format!(" by {id}")).unwrap_or_default();
        lines.push(format!(
            "  {:<20} {} at {}{by}",
            identity.sign_in_type,
            plain(&identity.issuer_assigned_id),
            plain(&identity.issuer)
        ));
    }
    let ways = if listed.ways.is_empty() { "nothing".to_owned() } else { listed.ways.join(", ") };
    lines.push(format!("  leads in today       {ways}"));
    lines.join("\n")
}

fn unlink(args: &UserArgs, provider: &str) -> Done {
    let config = args.settings.read()?;
    super::block_on(async {
        let db = directory(&config).await?;
        let left = account::unlink(&db, (&args.tenant, &args.user, provider), &author()).await?;
        say(&format!("Unlinked. What leads in now: {}.", left.join(", ")));
        Ok(())
    })
}

fn sign_out(args: &UserArgs) -> Done {
    let config = args.settings.read()?;
    super::block_on(async {
        let db = directory(&config).await?;
        let ended = account::sign_out(&db, (&args.tenant, &args.user), &author()).await?;
        say(&match ended {
            1 => "Signed out everywhere: 1 session ended.".to_owned(),
            ended => format!("Signed out everywhere: {ended} sessions ended."),
        });
        Ok(())
    })
}
