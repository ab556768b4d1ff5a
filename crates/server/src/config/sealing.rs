//! `[sealing]`: the key that protects secrets at rest.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::check::Checker;

/// The key that secrets in the database are sealed with.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    /// The file with the key: 32 random bytes, raw or in base64, readable by the owner only. It is made at
    /// the first start; keep a copy apart from the database. Default: `sealing.key` in the data directory.
    key_file: Option<String>,
}

impl Raw {
    pub(super) fn check(self, data: &Path, checker: &mut Checker<'_>) -> PathBuf {
        checker.path("sealing.key_file", self.key_file.as_deref()).unwrap_or_else(|| data.join("sealing.key"))
    }
}
