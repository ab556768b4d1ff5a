//! `vestibule provider …`.

use std::path::PathBuf;

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
    Test {
        #[command(flatten)]
        provider: ProviderArgs,
        /// Print also a link, good for 15 minutes: whoever opens it goes the whole way there and back, and gets a report
        #[arg(long)]
        browser: bool,
    },
    /// List providers with the flows that lead to them, their last success and error, and when their secret expires
    List {
        /// Only this tenant: short name, domain or id
        tenant: Option<String>,
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Show what a provider's claims would become, attribute by attribute, and why
    ///
    /// Reads an ID token or a JSON object of claims. An object with the members idToken and userInfo gives both
    /// parts, each as a token or as claims. Nothing of a token is checked: it may be old, and of anybody.
    Map {
        #[command(flatten)]
        provider: ProviderArgs,
        /// Read from this file instead of standard input
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Show the domains that lead to providers, and the DNS record that proves each
    Domains {
        /// The tenant: short name, domain or id
        tenant: String,
        /// Look the records up now
        #[arg(long)]
        check: bool,
        /// Print JSON instead of lines
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
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
