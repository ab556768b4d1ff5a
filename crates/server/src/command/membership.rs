//! `vestibule group` and `vestibule role`.

use serde::Serialize;
use vestibule_service::membership::{self, Deed, ListedGroup, ListedPerson};

use super::apply::author;
use super::user::directory;
use crate::cli::{GroupCommand, RoleArgs, RoleCommand, Settings};
use crate::failure::{Done, Failure};
use crate::terminal::say;

pub(super) fn group(command: &GroupCommand) -> Done {
    match command {
        GroupCommand::List { tenant, json, settings } => list(settings, *json, async |db| {
            let groups = membership::list_groups(db, tenant).await?;
            Ok((groups.iter().map(group_line).collect(), groups))
        }),
        GroupCommand::Members { group, json } => list(&group.settings, *json, async |db| {
            let people = membership::list_members(db, &group.tenant, &group.group).await?;
            Ok((people.iter().map(person_line).collect(), people))
        }),
        GroupCommand::Add { group, user } => {
            change(&group.settings, (&group.tenant, user), &Deed::Add { group: &group.group })
        }
        GroupCommand::Remove { group, user } => {
            change(&group.settings, (&group.tenant, user), &Deed::Remove { group: &group.group })
        }
    }
}

pub(super) fn role(command: &RoleCommand) -> Done {
    match command {
        RoleCommand::List { tenant, app, json, settings } => list(settings, *json, async |db| {
            let people = membership::list_assigned(db, tenant, app).await?;
            Ok((people.iter().map(person_line).collect(), people))
        }),
        RoleCommand::Assign(RoleArgs { tenant, app, user, role, settings }) => {
            change(settings, (tenant, user), &Deed::Assign { app, role: role.as_deref() })
        }
        RoleCommand::Unassign(RoleArgs { tenant, app, user, role, settings }) => {
            change(settings, (tenant, user), &Deed::Unassign { app, role: role.as_deref() })
        }
    }
}

fn list<T: Serialize>(
    settings: &Settings,
    json: bool,
    read: impl AsyncFnOnce(&vestibule_store::Db) -> Done<(Vec<String>, Vec<T>)>,
) -> Done {
    let config = settings.read()?;
    super::block_on(async {
        let (lines, all) = read(&directory(&config).await?).await?;
        if json {
            let text = serde_json::to_string_pretty(&all);
            say(&text.map_err(|error| Failure::new(format!("the list cannot be written: {error}")))?);
        } else if lines.is_empty() {
            say("There is none.");
        } else {
            say(&lines.join("\n"));
        }
        Ok(())
    })
}

fn change(settings: &Settings, whom: (&str, &str), deed: &Deed<'_>) -> Done {
    let config = settings.read()?;
    super::block_on(async {
        let db = directory(&config).await?;
        let changed = membership::change(&db, whom, deed, &author()).await?;
        say(if changed { "Done." } else { "It is so already." });
        Ok(())
    })
}

/// What others chose is shown with control characters spelled out: a terminal obeys them.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

fn group_line(group: &ListedGroup) -> String {
    let kind = if group.security_enabled { "" } else { "  no security group" };
    format!("{}  {}  {}{kind}", group.id, plain(&group.display_name), group.members)
}

fn person_line(person: &ListedPerson) -> String {
    let shown = person.mail.as_deref().unwrap_or(&person.user_principal_name);
    let role = person.role.as_deref().map(|role| format!("  {}", plain(role))).unwrap_or_default();
    format!("{}  {}{role}", person.id, plain(shown))
}
