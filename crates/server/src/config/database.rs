//! `[database]`: a file of this machine, or a PostgreSQL server.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use vestibule_rules::text::Secret;

use super::check::Checker;

/// Where the data is.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    /// The SQLite file. Default: `vestibule.db` in the data directory.
    path: Option<String>,
    /// The URL of a PostgreSQL server, version 15 or later, instead of a file:
    /// `postgres://user:password@host/database`. If it holds a password, prefer `url_file`.
    url: Option<String>,
    /// A file with the URL in it.
    url_file: Option<String>,
    /// How many connections to PostgreSQL this process may open. Default: `8`.
    max_connections: Option<i64>,
}

/// Where the data is.
#[derive(Clone, Debug)]
pub enum Database {
    Sqlite { path: PathBuf },
    Postgres { url: Secret<String>, max_connections: usize },
}

impl Raw {
    pub(super) fn check(self, data: &Path, checker: &mut Checker<'_>) -> Database {
        let from_file = checker.secret("database.url_file", self.url_file.as_deref());
        let max = checker.count("database.max_connections", self.max_connections, 8, (1, 1000));
        if self.url.is_some() && self.url_file.is_some() {
            checker.problem("database.url_file", "the URL is given twice, here and as database.url");
        }
        let url = self.url.map(Secret::new).or(from_file);
        if url.is_some() && self.path.is_some() {
            checker.problem("database.path", "this names a file and database.url a server; choose one");
        }
        if let Some(url) = url {
            check_url(&url, checker);
            return Database::Postgres { url, max_connections: usize::try_from(max).unwrap_or(8) };
        }
        let path = checker.path("database.path", self.path.as_deref());
        Database::Sqlite { path: path.unwrap_or_else(|| data.join("vestibule.db")) }
    }
}

/// The value itself is never repeated: it can hold a password.
fn check_url(url: &Secret<String>, checker: &mut Checker<'_>) {
    let scheme = url.expose().split_once("://").map(|(scheme, _)| scheme);
    if !matches!(scheme, Some("postgres" | "postgresql")) {
        checker.problem("database.url", "the URL must begin with postgres://");
    }
}
