//! `vestibule provider …`.

use clap::{Args, Subcommand};

use super::Settings;

/// `vestibule provider …`.
#[derive(Subcommand, Debug)]
pub enum ProviderCommand {
    /// Go through a provider step by step, as a sign-in would, and say what is wrong and what to do
    ///
    /// Looks at names, certificates, the discovery document, keys, clocks, scopes and the redirect address, and
    /// shows the provider a code that cannot exist, to see whether it accepts our client. Nobody signs in and
    /// nothing is stored. Exit codes: 0 no step failed, 1 a step failed.
    Test(ProviderArgs),
}

/// A provider, named by people.
#[derive(Args, Debug)]
pub struct ProviderArgs {
    /// The tenant: short name, domain or id
    pub tenant: String,
    /// The provider: id or display name
    pub provider: String,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: Settings,
}
