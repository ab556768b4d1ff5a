//! `vestibule token …`.

use clap::{Args, Subcommand};

use super::Settings;

/// `vestibule token …`.
#[derive(Subcommand, Debug)]
pub enum TokenCommand {
    /// Say what a token is and contains, and why it would be accepted or refused
    ///
    /// Reads an ID token, access token or refresh token from standard input, so that it does not end up in the history
    /// of the shell. Checks what an API checks (signature, issuer, times, audience, permissions), and what only this
    /// server knows: whether the person, the session, the consent and the app behind it still stand. Nothing is changed.
    /// The exit code is 0 when the token would be accepted, and 1 when it would not.
    Explain(TokenArgs),
}

/// `vestibule token explain`.
#[derive(Args, Debug)]
pub struct TokenArgs {
    /// The tenant: short name, domain or id. Left out, it is the one that the token names; a refresh token names none
    #[arg(long)]
    pub tenant: Option<String>,
    /// Whoever checks the token: client id, or an identifier URI of the tenant's
    #[arg(long)]
    pub audience: Option<String>,
    /// A permission that the token has to carry in “scp”, such as “orders.read”
    #[arg(long)]
    pub scope: Option<String>,
    /// An app role that the token has to carry in “roles”
    #[arg(long)]
    pub role: Option<String>,
    /// Print JSON instead of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: Settings,
}
