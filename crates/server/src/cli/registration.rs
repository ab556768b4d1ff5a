//! `vestibule client-registration …`.

use clap::{Args, Subcommand};

use super::Settings;

/// `vestibule client-registration …`.
#[derive(Subcommand, Debug)]
pub enum RegistrationCommand {
    /// Make, list and take back the tokens that let applications register
    #[command(subcommand)]
    Token(RegistrationTokenCommand),
    /// List, disable, enable and remove applications that registered themselves
    #[command(subcommand)]
    Client(RegistrationClientCommand),
}

/// `vestibule client-registration token …`.
#[derive(Subcommand, Debug)]
pub enum RegistrationTokenCommand {
    /// Make an initial access token and show it, this once
    Create {
        #[command(flatten)]
        tenant: RegistrationArgs,
        /// How many applications may register with it
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..))]
        uses: i64,
        /// How long it is good for, such as `24h` or `30d`
        #[arg(long, value_name = "LENGTH", default_value = "7d", value_parser = life)]
        expires: i64,
    },
    /// List the tokens of a tenant, without the tokens themselves
    List {
        #[command(flatten)]
        tenant: RegistrationArgs,
        /// Print JSON instead of lines
        #[arg(long)]
        json: bool,
    },
    /// Take a token back; applications that registered with it stay
    Revoke {
        #[command(flatten)]
        tenant: RegistrationArgs,
        /// The id of the token
        token: String,
    },
}

/// `vestibule client-registration client …`.
#[derive(Subcommand, Debug)]
pub enum RegistrationClientCommand {
    /// List the applications that registered themselves, oldest first
    List {
        #[command(flatten)]
        tenant: RegistrationArgs,
        /// Print JSON instead of lines
        #[arg(long)]
        json: bool,
    },
    /// Let an application sign nobody in, and take back what it was given
    Disable(RegisteredArgs),
    /// Let a disabled application be used again
    Enable(RegisteredArgs),
    /// Remove an application, and take back what it was given
    Remove(RegisteredArgs),
}

/// A tenant.
#[derive(Args, Debug)]
pub struct RegistrationArgs {
    /// The tenant: short name, domain or id
    #[arg(long, value_name = "TENANT")]
    pub tenant: String,
    #[command(flatten)]
    pub settings: Settings,
}

/// An application that registered itself.
#[derive(Args, Debug)]
pub struct RegisteredArgs {
    #[command(flatten)]
    pub tenant: RegistrationArgs,
    /// The client id
    pub client: String,
}

/// A length of time in seconds.
fn life(text: &str) -> Result<i64, String> {
    crate::config::length_of_time(text).ok_or_else(|| "write it as 24h or 30d".to_owned())
}
