//! Whether a tenant, taken whole, is one that the server can run: the rules between its objects and the
//! form of every value. It decides and changes nothing; every problem is found at once, so that whoever
//! wrote the configuration mends it in one go.
//!
//! A problem is placed by the keys and indices of the configuration file. The lists of a
//! [`TenantConfig`] have the order of the file, so an index means the same on both sides.

mod age;
mod application;
mod attribute;
mod condition;
mod consent;
mod credential;
mod flow;
mod lifetimes;
mod markdown;
mod original;
mod provider;
mod range;
mod redirect;
mod registration;
mod tenant;
mod terms;
mod tokens;

use std::fmt;

use super::application::{Application, PasswordCredential};
use super::tenant::{Compatibility, TenantConfig};

pub use application::RESERVED_CLAIMS;
pub use flow::{FIRST_PARTY_APPS, LIMIT_OF_FLOWS, WORKFORCE_PREFIX};

/// One step from the top of a configuration file to a place in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PathStep {
    /// A key of a mapping, as it is written in the file.
    Key(String),
    /// A position in a list, from 0.
    Index(usize),
}

/// Something that must be mended before the configuration can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where it is.
    pub path: Vec<PathStep>,
    /// The requirement that it breaks, such as `FLOW-03`.
    pub rule: &'static str,
    /// What is wrong and what would be right, for an administrator.
    pub text: String,
}

/// Every problem of the configuration, in the order of the file's sections.
pub fn check(config: &TenantConfig) -> Vec<Problem> {
    let mut found = Findings(Vec::new());
    tenant::check(config, &mut found);
    application::check(config, &mut found);
    provider::check(config, &mut found);
    attribute::check(config, &mut found);
    flow::check(config, &mut found);
    tokens::groups(config, &mut found);
    registration::check(config, &mut found);
    found.0
}

/// Every problem of an application that registers itself: what is demanded of configured ones, and that it takes no name
/// of theirs. Paths begin at the application.
pub fn registered(config: &TenantConfig, app: &Application<PasswordCredential>) -> Vec<Problem> {
    let mut found = Findings(Vec::new());
    application::one(config, app, &Place(Vec::new()), &mut found);
    registration::name(config, app, &mut found);
    found.0
}

/// Every difference that cannot be made to a tenant which has users already.
pub fn check_change(before: &TenantConfig, after: &TenantConfig) -> Vec<Problem> {
    let mut found = Findings(Vec::new());
    if before.tenant.kind != after.tenant.kind {
        let at = Place::top("tenant").key("kind");
        found.add(&at, "1.1", "the kind of a tenant cannot be changed: its users would have no way in");
    }
    for app in before.applications.iter().filter(|app| app.built_in) {
        if !after.applications.contains(app) {
            let text =
                format!("“{}” is part of the product and cannot be changed or removed", app.display_name);
            found.add(&Place::top("applications"), "FLOW-05", text);
        }
    }
    attribute::check_change(before, after, &mut found);
    terms::check_change(before, after, &mut found);
    found.0
}

/// A path in the form in which people write it: `userFlows[0].applications[1]`.
pub fn dotted(path: &[PathStep]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            PathStep::Key(key) if text.is_empty() => text.push_str(key),
            PathStep::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            PathStep::Index(index) => {
                text.push('[');
                text.push_str(&index.to_string());
                text.push(']');
            }
        }
    }
    text
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", dotted(&self.path), self.text, self.rule)
    }
}

/// The problems found so far.
struct Findings(Vec<Problem>);

impl Findings {
    fn add(&mut self, at: &Place, rule: &'static str, text: impl Into<String>) {
        self.0.push(Problem { path: at.0.clone(), rule, text: text.into() });
    }
}

/// A place in the file while the checks walk through it.
#[derive(Clone)]
struct Place(Vec<PathStep>);

impl Place {
    fn top(key: &str) -> Self {
        Self(vec![PathStep::Key(key.to_owned())])
    }

    fn key(&self, key: &str) -> Self {
        self.with(PathStep::Key(key.to_owned()))
    }

    fn index(&self, index: usize) -> Self {
        self.with(PathStep::Index(index))
    }

    fn with(&self, step: PathStep) -> Self {
        let mut path = self.0.clone();
        path.push(step);
        Self(path)
    }
}

fn is_strict(config: &TenantConfig) -> bool {
    config.tenant.compatibility == Compatibility::Strict
}

/// Reports every value after the first that is written alike but for letter case.
fn unique<'a>(
    values: impl Iterator<Item = (Place, &'a str)>,
    rule: &'static str,
    what: &str,
    found: &mut Findings,
) {
    let mut seen = std::collections::BTreeSet::new();
    for (at, value) in values {
        if !seen.insert(value.to_lowercase()) {
            found.add(&at, rule, format!("{what} “{value}” is used twice; it must be unique in the tenant"));
        }
    }
}

#[cfg(test)]
mod tests;
