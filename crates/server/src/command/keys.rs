//! `vestibule keys`: the keys that sign tokens.

use vestibule_rules::fault::Kind;
use vestibule_rules::ids::TenantId;
use vestibule_service::env::Site;
use vestibule_service::keys::rotation::{self, Listed, State};

use super::provider::site;
use crate::cli::{KeysCommand, Settings};
use crate::failure::{Done, Failure};
use crate::terminal::say;
use crate::wire::Plan;

pub(super) fn run(command: &KeysCommand) -> Done {
    match command {
        KeysCommand::List { tenant, json, settings } => list(tenant, *json, settings),
        KeysCommand::Rotate { tenant, compromised, settings } => rotate(tenant, *compromised, settings),
    }
}

fn list(tenant: &str, json: bool, settings: &Settings) -> Done {
    let config = settings.read()?;
    super::block_on(async {
        let site = site(&config, Plan::of(&config)).await?;
        show(&site, find(&site, tenant)?, json).await
    })
}

fn rotate(tenant: &str, compromised: bool, settings: &Settings) -> Done {
    let config = settings.read()?;
    super::block_on(async {
        let site = site(&config, Plan::of(&config)).await?;
        let id = find(&site, tenant)?;
        rotation::rotate(&site.env, id, compromised).await.map_err(|fault| {
            if fault.kind == Kind::Conflict { Failure::new(fault.detail) } else { fault.into() }
        })?;
        show(&site, id, false).await
    })
}

fn find(site: &Site, tenant: &str) -> Done<TenantId> {
    let view = site.directory.tenant(tenant);
    view.map(|view| view.config.tenant.id)
        .ok_or_else(|| Failure::new(format!("there is no tenant “{tenant}”")))
}

async fn show(site: &Site, tenant: TenantId, json: bool) -> Done {
    let keys = rotation::listed(&site.env, tenant).await?;
    if json {
        let text = serde_json::to_string_pretty(&keys);
        say(&text.map_err(|error| Failure::new(format!("the keys cannot be written: {error}")))?);
    } else if keys.is_empty() {
        say("The tenant has no keys yet; its first token makes them.");
    } else {
        say(&keys.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    Ok(())
}

fn line(key: &Listed) -> String {
    let from = &key.active_from;
    let state = match key.state {
        State::Next => format!("signs from {from}"),
        State::Current => format!("signs since {from}"),
        State::Previous => format!("signed from {from}"),
    };
    let end = key.retire_at.as_ref().map(|at| format!(", published until {at}")).unwrap_or_default();
    format!("{}  {}  {state}{end}", key.kid, key.algorithm)
}
