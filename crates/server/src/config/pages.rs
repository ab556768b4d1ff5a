//! `[pages]`: what people see.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::check::Checker;

/// What people see.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    /// A folder with templates that replace those of the program, under the same names. Default: none.
    templates: Option<String>,
}

impl Raw {
    pub(super) fn check(self, checker: &mut Checker<'_>) -> Option<PathBuf> {
        let folder = checker.path("pages.templates", self.templates.as_deref())?;
        if !folder.is_dir() {
            checker.problem("pages.templates", format!("{} is not a folder", folder.display()));
        }
        Some(folder)
    }
}
