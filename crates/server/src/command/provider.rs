//! `vestibule provider`: what the providers of a tenant are, how they fare, and what is wrong with one.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use vestibule_rules::fault::{Fault, Kind};
use vestibule_service::domains;
use vestibule_service::env::Site;
use vestibule_service::federation::checkup::checkup;
use vestibule_service::federation::dry_run::dry_run;
use vestibule_service::federation::overview;
use vestibule_service::federation::trial;
use vestibule_service::ports::clock::{Clock as _, SystemClock};
use vestibule_service::ports::tls_probe::TlsProbe;
use vestibule_store::migrate;

use super::{provider_domains, provider_list, provider_map, provider_report as print};
use crate::cli::{ProviderArgs, ProviderCommand, Settings};
use crate::config::Config;
use crate::failure::{Done, Failure, file};
use crate::terminal::say;
use crate::wire::{self, Plan};

/// Most that is read of a token, in bytes.
const LONGEST: u64 = 1024 * 1024;

pub(super) fn run(command: &ProviderCommand) -> Done {
    match command {
        ProviderCommand::Test { provider, browser } => test(provider, *browser),
        ProviderCommand::List { tenant, json, settings } => list(tenant.as_deref(), *json, settings),
        ProviderCommand::Map { provider, file } => map(provider, file.as_deref()),
        ProviderCommand::Domains { tenant, check, json, settings } => {
            domains(tenant, (*check, *json), settings)
        }
    }
}

fn test(args: &ProviderArgs, browser: bool) -> Done {
    let config = args.settings.read()?;
    super::block_on(async {
        let plan = Plan::of(&config);
        let probe = TlsProbe::new(&plan.outbound)?;
        let site = site(&config, plan).await?;
        let named = (args.tenant.as_str(), args.provider.as_str());
        let found = checkup(&site, &probe, named).await.map_err(explained)?;
        let link = browser.then(|| trial::link(&site, named)).transpose().map_err(explained)?;
        let print = if args.json { print::checkup_json } else { print::checkup };
        say(&print(&found, link.as_ref()));
        // What failed stands above.
        if found.is_well() { Ok(()) } else { Err(Failure::new(print::failures(&found))) }
    })
}

fn list(tenant: Option<&str>, json: bool, settings: &Settings) -> Done {
    let config = settings.read()?;
    super::block_on(async {
        let db = wire::open(wire::database(&config.database)).await?;
        migrate::run(&db).await?;
        let all = overview::list(&db, tenant, SystemClock.now()).await.map_err(explained)?;
        say(&if json { provider_list::json(&all) } else { provider_list::table(&all) });
        Ok(())
    })
}

fn map(args: &ProviderArgs, path: Option<&Path>) -> Done {
    let config = args.settings.read()?;
    let text = given(path)?;
    super::block_on(async {
        let db = wire::open(wire::database(&config.database)).await?;
        migrate::run(&db).await?;
        let named = (args.tenant.as_str(), args.provider.as_str());
        let run = dry_run(&db, named, &text).await.map_err(explained)?;
        say(&if args.json { provider_map::json(&run) } else { provider_map::table(&run) });
        Ok(())
    })
}

fn domains(tenant: &str, (check, json): (bool, bool), settings: &Settings) -> Done {
    let config = settings.read()?;
    super::block_on(async {
        let site = site(&config, Plan::of(&config)).await?;
        let view = site.directory.tenant(tenant);
        let view = view.ok_or_else(|| Failure::new(format!("there is no tenant “{tenant}”")))?;
        let now = site.env.now();
        let mut all = domains::list(&site.env, &view.config).await?;
        if check {
            for claimed in &all {
                domains::check(&site.env, view.config.tenant.id, claimed, now).await?;
            }
            all = domains::list(&site.env, &view.config).await?;
        }
        say(&if json { provider_domains::json(&all, now) } else { provider_domains::lines(&all, now) });
        Ok(())
    })
}

/// The token or the claims. More than this is neither.
pub(super) fn given(path: Option<&Path>) -> Done<String> {
    let mut text = String::new();
    if let Some(path) = path {
        let read = File::open(path).and_then(|opened| opened.take(LONGEST).read_to_string(&mut text));
        read.map_err(|error| file(path, "read", &error))?;
    } else {
        let read = std::io::stdin().lock().take(LONGEST).read_to_string(&mut text);
        read.map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
    }
    Ok(text)
}

/// The running deployment as this process sees it.
pub(super) async fn site(config: &Config, plan: Plan) -> Done<Arc<Site>> {
    let env = wire::env(plan).await?;
    let pages = wire::pages(None)?;
    wire::site(env, wire::settings(config), &pages).await
}

/// What is not there is said in its own words.
pub(super) fn explained(fault: Fault) -> Failure {
    match fault.kind {
        Kind::Missing => Failure::new(fault.detail),
        Kind::Malformed => Failure::usage(fault.detail),
        Kind::WrongClient
        | Kind::WrongCredential
        | Kind::Expired
        | Kind::Used
        | Kind::Forbidden
        | Kind::Conflict
        | Kind::Stale
        | Kind::Throttled(_)
        | Kind::Upstream
        | Kind::Ours => fault.into(),
    }
}
