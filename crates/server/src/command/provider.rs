//! `vestibule provider`: what the providers of a tenant are, how they fare, and what is wrong with one.

use std::sync::Arc;

use vestibule_rules::fault::{Fault, Kind};
use vestibule_service::env::Site;
use vestibule_service::federation::checkup::checkup;
use vestibule_service::ports::tls_probe::TlsProbe;

use super::provider_report as print;
use crate::cli::{ProviderArgs, ProviderCommand};
use crate::config::Config;
use crate::failure::{Done, Failure};
use crate::terminal::say;
use crate::wire::{self, Plan};

pub(super) fn run(command: &ProviderCommand) -> Done {
    match command {
        ProviderCommand::Test(args) => test(args),
    }
}

fn test(args: &ProviderArgs) -> Done {
    let config = args.settings.read()?;
    super::block_on(async {
        let plan = Plan::of(&config);
        let probe = TlsProbe::new(&plan.allowed, &plan.authorities)?;
        let site = site(&config, plan).await?;
        let found = checkup(&site, &probe, (&args.tenant, &args.provider)).await.map_err(explained)?;
        say(&if args.json { print::checkup_json(&found) } else { print::checkup(&found) });
        // What failed stands above.
        if found.is_well() { Ok(()) } else { Err(Failure::new(print::failures(&found))) }
    })
}

/// The running deployment as this process sees it.
async fn site(config: &Config, plan: Plan) -> Done<Arc<Site>> {
    let env = wire::env(plan).await?;
    let pages = wire::pages(None)?;
    wire::site(env, wire::settings(config), &pages).await
}

/// What is not there is said in its own words.
fn explained(fault: Fault) -> Failure {
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
