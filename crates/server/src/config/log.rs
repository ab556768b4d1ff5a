//! `[log]`: what is written to standard error while the server runs.

use schemars::JsonSchema;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use super::check::Checker;

/// What is written to standard error while the server runs.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    /// `error`, `warn`, `info`, `debug` or `trace`, or directives such as `info,vestibule_web=debug`.
    /// Default: `info`.
    level: Option<String>,
    /// One JSON object a line instead of text. Default: `false`.
    json: bool,
}

/// What is logged, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    pub level: String,
    pub json: bool,
}

impl Raw {
    pub(super) fn check(self, checker: &mut Checker<'_>) -> Log {
        let level = self.level.unwrap_or_else(|| "info".to_owned());
        if EnvFilter::builder().parse(&level).is_err() {
            checker.problem(
                "log.level",
                format!("“{level}” is not error, warn, info, debug, trace or a list of directives"),
            );
        }
        Log { level, json: self.json }
    }
}
