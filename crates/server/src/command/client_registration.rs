//! `vestibule client-registration`: who may register applications, and what becomes of those that did.

use serde::Serialize;
use vestibule_rules::ids::{ClientId, ObjectId, TenantId};
use vestibule_rules::time::Span;
use vestibule_service::env::Env;
use vestibule_service::registration::clients::{self, Act};
use vestibule_service::registration::tokens;
use vestibule_store::tenants;

use crate::cli::{
    RegisteredArgs, RegistrationArgs, RegistrationClientCommand, RegistrationCommand,
    RegistrationTokenCommand,
};
use crate::failure::{Done, Failure};
use crate::terminal::say;
use crate::wire::{self, Plan};

pub(super) fn run(command: &RegistrationCommand) -> Done {
    match command {
        RegistrationCommand::Token(command) => token(command),
        RegistrationCommand::Client(command) => client(command),
    }
}

fn token(command: &RegistrationTokenCommand) -> Done {
    match command {
        RegistrationTokenCommand::Create { tenant, uses, expires } => with(tenant, async |env, id| {
            let (name, token) = tokens::create(env, id, Some(*uses), Some(Span::seconds(*expires))).await?;
            say(&format!("{}\n\nThis is shown once. Its id is {name}.", token.expose()));
            Ok(())
        }),
        RegistrationTokenCommand::List { tenant, json } => with(tenant, async |env, id| {
            let all = tokens::listed(env, id).await?;
            show(&all, *json, "There are no tokens.", |token| {
                let left = token.uses_left.map_or_else(|| "any number of".to_owned(), |n| n.to_string());
                let end = token.expires_at.as_deref().unwrap_or("for ever");
                format!("{}  {left} uses left, until {end}", token.id)
            })
        }),
        RegistrationTokenCommand::Revoke { tenant, token } => with(tenant, async |env, id| {
            let token =
                ObjectId::parse(token).ok_or_else(|| Failure::usage(format!("“{token}” is no id")))?;
            tokens::revoke(env, id, token).await?;
            say("Taken back.");
            Ok(())
        }),
    }
}

fn client(command: &RegistrationClientCommand) -> Done {
    match command {
        RegistrationClientCommand::List { tenant, json } => with(tenant, async |env, id| {
            let all = clients::listed(env, id).await?;
            show(&all, *json, "No application has registered itself.", |one| {
                let off = if one.enabled { "" } else { ", disabled" };
                // What strangers chose is shown with control characters spelled out: a terminal obeys them.
                let uris: Vec<_> =
                    one.redirect_uris.iter().map(|uri| uri.escape_debug().to_string()).collect();
                let name = one.name.escape_debug();
                format!(
                    "{}  {name}, since {}{off}\n    {}",
                    one.client_id,
                    one.registered_at,
                    uris.join("\n    ")
                )
            })
        }),
        RegistrationClientCommand::Disable(args) => act(args, Act::Disable, "Disabled."),
        RegistrationClientCommand::Enable(args) => act(args, Act::Enable, "Enabled."),
        RegistrationClientCommand::Remove(args) => act(args, Act::Remove, "Removed."),
    }
}

fn act(args: &RegisteredArgs, act: Act, done: &str) -> Done {
    with(&args.tenant, async |env, id| {
        let client = ClientId::parse(&args.client)
            .ok_or_else(|| Failure::usage(format!("“{}” is no client id", args.client)))?;
        clients::act(env, id, client, act).await?;
        say(done);
        Ok(())
    })
}

/// Runs `work` for a tenant that is named by people.
fn with(args: &RegistrationArgs, work: impl AsyncFnOnce(&Env, TenantId) -> Done) -> Done {
    let config = args.settings.read()?;
    super::block_on(async {
        let env = wire::env(Plan::of(&config)).await?;
        let found = tenants::find_by_name(&mut env.db.read().await?, &args.tenant.to_lowercase()).await?;
        let id = found.ok_or_else(|| Failure::new(format!("there is no tenant “{}”", args.tenant)))?;
        work(&env, id).await
    })
}

fn show<T: Serialize>(all: &[T], json: bool, none: &str, line: impl Fn(&T) -> String) -> Done {
    if json {
        let text = serde_json::to_string_pretty(all);
        say(&text.map_err(|error| Failure::new(format!("the list cannot be written: {error}")))?);
    } else if all.is_empty() {
        say(none);
    } else {
        say(&all.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    Ok(())
}
