//! `vestibule group …` and `vestibule role …`.

use clap::{Args, Subcommand};

use super::Settings;

/// `vestibule group …`.
#[derive(Subcommand, Debug)]
pub enum GroupCommand {
    /// List the groups of a tenant with the number of their members
    List {
        /// The tenant: short name, domain or id
        tenant: String,
        /// Print JSON instead of lines
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// List the people in a group
    Members {
        #[command(flatten)]
        group: GroupArgs,
        /// Print JSON instead of lines
        #[arg(long)]
        json: bool,
    },
    /// Put somebody into a group; their next tokens say so
    Add {
        #[command(flatten)]
        group: GroupArgs,
        /// The person: user id, user principal name or mail address
        user: String,
    },
    /// Take somebody out of a group; their next tokens say it no more
    Remove {
        #[command(flatten)]
        group: GroupArgs,
        /// The person: user id, user principal name or mail address
        user: String,
    },
}

/// A group, named by people.
#[derive(Args, Debug)]
pub struct GroupArgs {
    /// The tenant: short name, domain or id
    pub tenant: String,
    /// The group: display name or id
    pub group: String,
    #[command(flatten)]
    pub settings: Settings,
}

/// `vestibule role …`.
#[derive(Subcommand, Debug)]
pub enum RoleCommand {
    /// List the people whom an app is assigned to one by one
    ///
    /// Groups that it is assigned to stand in the tenant's file.
    List {
        /// The tenant: short name, domain or id
        tenant: String,
        /// The app: display name or client id
        app: String,
        /// Print JSON instead of lines
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Assign an app, or a role in it, to somebody
    Assign(RoleArgs),
    /// Take an assignment back; the next tokens say it no more
    Unassign(RoleArgs),
}

/// An assignment, named by people.
#[derive(Args, Debug)]
pub struct RoleArgs {
    /// The tenant: short name, domain or id
    pub tenant: String,
    /// The app: display name or client id
    pub app: String,
    /// The person: user id, user principal name or mail address
    pub user: String,
    /// One of the app's roles; without it, access and no role
    #[arg(long, value_name = "VALUE")]
    pub role: Option<String>,
    #[command(flatten)]
    pub settings: Settings,
}
