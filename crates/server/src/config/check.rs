//! What every section needs to check itself: problems with their place, paths, secret files.

use std::path::{Path, PathBuf};

use vestibule_rules::length;
use vestibule_rules::text::Secret;

use super::layers::{Layers, Origin};
use super::problem::{Problem, Problems};

/// Longest file that is taken for a secret.
const SECRET_MAX: usize = 16 * 1024;

/// Collects what is wrong.
pub struct Checker<'a> {
    layers: &'a Layers,
    insecure_dev: bool,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(layers: &'a Layers, insecure_dev: bool) -> Self {
        Self { layers, insecure_dev, problems: Vec::new(), warnings: Vec::new() }
    }

    /// The warnings, or everything that is wrong.
    pub(super) fn finish(self) -> Result<Vec<String>, Problems> {
        if self.problems.is_empty() { Ok(self.warnings) } else { Err(Problems(self.problems)) }
    }

    pub(super) fn problem(&mut self, key: &str, text: impl Into<String>) {
        let origin = self.layers.origin(key);
        self.problems.push(Problem { origin, key: key.to_owned(), text: text.into() });
    }

    /// Something that is unsafe outside of development: refused, or permitted loudly.
    pub(super) fn unsafe_value(&mut self, key: &str, text: &str) {
        if self.insecure_dev {
            self.warnings.push(format!("UNSAFE: {key}: {text} (permitted by insecure_dev)"));
        } else {
            self.problem(key, format!("{text}; for development only, insecure_dev = true permits it"));
        }
    }

    /// A path; one that stands in a file is relative to that file's folder.
    pub(super) fn path(&self, key: &str, text: Option<&str>) -> Option<PathBuf> {
        let text = text?;
        let base = match self.layers.origin(key) {
            Origin::File { path, .. } => path.parent().map(Path::to_owned).unwrap_or_default(),
            Origin::Default | Origin::Variable(_) | Origin::Flag => PathBuf::new(),
        };
        Some(base.join(text))
    }

    /// The content of a file that is named by a key.
    pub(super) fn file(&mut self, key: &str, name: Option<&str>) -> Option<String> {
        let path = self.path(key, name)?;
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) => {
                self.problem(key, format!("the file {} cannot be read: {error}", path.display()));
                None
            }
        }
    }

    /// The contents of several files that are named by one key.
    pub(super) fn files(&mut self, key: &str, names: &[String]) -> Vec<String> {
        names.iter().filter_map(|name| self.file(key, Some(name))).collect()
    }

    /// A secret in a file of its own; white space around it does not count.
    pub(super) fn secret(&mut self, key: &str, name: Option<&str>) -> Option<Secret<String>> {
        let text = self.file(key, name)?;
        let text = text.trim();
        if text.is_empty() || text.len() > SECRET_MAX {
            self.problem(key, "the file does not hold a secret: it is empty or far too long");
            return None;
        }
        Some(Secret::new(text.to_owned()))
    }

    /// A length of time in seconds within limits.
    pub(super) fn seconds(&mut self, key: &str, text: Option<&str>, default: i64, most: i64) -> i64 {
        let Some(text) = text else { return default };
        match length::parse(text) {
            Some(seconds) if seconds <= most => seconds,
            Some(_) => {
                self.problem(key, format!("“{text}” is longer than the {most} seconds that are permitted"));
                default
            }
            None => {
                self.problem(key, format!("“{text}” is not a length of time such as 30s, 10m, 24h or 90d"));
                default
            }
        }
    }

    /// A whole number within limits.
    pub(super) fn count(&mut self, key: &str, number: Option<i64>, default: i64, limits: (i64, i64)) -> i64 {
        let (least, most) = limits;
        match number {
            None => default,
            Some(number) if (least..=most).contains(&number) => number,
            Some(number) => {
                self.problem(key, format!("{number} is not between {least} and {most}"));
                default
            }
        }
    }
}
