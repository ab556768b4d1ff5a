//! Configuration: defaults, then a TOML file, then the environment, then flags. Each later layer wins.
//!
//! Every section is a raw shape, whose doc comments are the reference, and a checked type. Reading collects
//! every problem with its key and where that key was set; a key that nobody knows is a problem and never
//! ignored (security.md A61). What tenants change at run time is data and not here.

mod check;
mod database;
mod layers;
mod limits;
mod listeners;
mod log;
mod mail;
mod outbound;
mod pages;
mod problem;
mod reference;
mod sealing;
mod shape;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use vestibule_service::ports::outbound::OutboundSettings;

pub use check::Checker;
pub use database::Database;
pub use layers::{Layers, Origin};
pub use limits::{Codes, Lifetimes, Limits};
pub use listeners::{Certificate, Listener};
pub use log::Log;
pub use mail::{Protection, Smtp};
pub use problem::{Problem, Problems};
pub use reference::{explain, known_keys, schema};
pub(crate) use vestibule_rules::length::parse as length_of_time;

/// The file that is read when none is named and it is there.
pub const DEFAULT_FILE: &str = "vestibule.toml";

/// The settings of a Vestibule server.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Vestibule configuration")]
struct Raw {
    /// The directory that everything is kept in: the database, keys. Created when it is missing.
    /// Default: `data`.
    data: Option<String>,
    /// Permits settings that are unsafe outside of development, such as a public address without TLS.
    /// Default: `false`.
    insecure_dev: bool,
    /// Where the data is.
    database: database::Raw,
    /// Where the server listens.
    listeners: listeners::Raw,
    /// The key that secrets in the database are sealed with.
    sealing: sealing::Raw,
    /// The mail server that letters are handed to.
    smtp: mail::Raw,
    /// Requests that the server makes, such as those to identity providers.
    outbound: outbound::Raw,
    /// What people see.
    pages: pages::Raw,
    /// How often and how long.
    limits: limits::Raw,
    /// What is written to standard error while the server runs.
    log: log::Raw,
}

/// The settings, checked.
#[derive(Debug)]
pub struct Config {
    pub data: PathBuf,
    pub insecure_dev: bool,
    pub database: Database,
    pub listeners: Vec<Listener>,
    pub sealing_key_file: PathBuf,
    /// Without one, the server cannot send mail; `serve` refuses to start then.
    pub smtp: Option<Smtp>,
    pub outbound: OutboundSettings,
    /// A folder with templates that replace those of the program.
    pub templates: Option<PathBuf>,
    pub limits: Limits,
    pub log: Log,
    /// Things to say loudly at start: unsafe settings that were permitted.
    pub warnings: Vec<String>,
}

impl Config {
    /// Checks what the layers say, and returns everything that is wrong with it.
    pub fn read(layers: &Layers) -> Result<Self, Problems> {
        let raw: Raw = layers.deserialize()?;
        let mut checker = Checker::new(layers, raw.insecure_dev);
        let data = checker.path("data", raw.data.as_deref()).unwrap_or_else(|| PathBuf::from("data"));
        let database = raw.database.check(&data, &mut checker);
        let listeners = raw.listeners.check(&mut checker);
        let sealing_key_file = raw.sealing.check(&data, &mut checker);
        let smtp = raw.smtp.check(&mut checker);
        let outbound = raw.outbound.check(&mut checker);
        let templates = raw.pages.check(&mut checker);
        let limits = raw.limits.check(&mut checker);
        let log = raw.log.check(&mut checker);
        let insecure_dev = raw.insecure_dev;
        let warnings = checker.finish()?;
        let config = Self {
            data,
            insecure_dev,
            database,
            listeners,
            sealing_key_file,
            smtp,
            outbound,
            templates,
            limits,
            log,
            warnings,
        };
        Ok(config)
    }
}
