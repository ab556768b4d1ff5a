//! `vestibule consent …`.

use clap::{Args, Subcommand};

use super::Settings;

/// `vestibule consent …`.
#[derive(Subcommand, Debug)]
pub enum ConsentCommand {
    /// Grant permissions to an app: for everybody in the tenant, or for one user
    ///
    /// What is granted is asked of nobody any more. Permissions that only an administrator can grant are granted
    /// so, or in the tenant's file (oauth2PermissionGrants).
    Grant {
        #[command(flatten)]
        app: AppArgs,
        /// The values of the permissions, such as “orders.read orders.write”
        #[arg(long, required = true)]
        scope: String,
        /// The application whose permissions they are: client id or identifier URI
        #[arg(long, default_value = "https://graph.microsoft.com")]
        resource: String,
    },
    /// List what was consented to for everybody, or by one user
    List {
        /// The tenant: short name, domain or id
        tenant: String,
        /// Only what this person consented to: user id, user principal name or mail address
        #[arg(long)]
        user: Option<String>,
        /// Print JSON instead of lines
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Take back everything that an app was given for everybody, or by one user
    ///
    /// What the app got of the user ends at once: access, refresh tokens and codes.
    Revoke {
        #[command(flatten)]
        app: AppArgs,
    },
}

/// An application, named by people, and perhaps one user.
#[derive(Args, Debug)]
pub struct AppArgs {
    /// The tenant: short name, domain or id
    pub tenant: String,
    /// The application: display name or client id
    pub app: String,
    /// Only for this person: user id, user principal name or mail address
    #[arg(long)]
    pub user: Option<String>,
    #[command(flatten)]
    pub settings: Settings,
}
