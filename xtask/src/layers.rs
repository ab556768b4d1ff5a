//! Arrows between crates point one way, and only where the architecture draws them.
//!
//! Only normal and build dependencies are arrows of the product; a test may use more.

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// A workspace crate and the workspace crates it may use, without the prefix of their package names.
const ARROWS: &[(&str, &[&str])] = &[
    ("rules", &[]),
    ("crypto", &["rules"]),
    ("store", &["rules"]),
    ("service", &["rules", "crypto", "store"]),
    ("web", &["rules", "service"]),
    ("server", &["rules", "crypto", "store", "service", "web"]),
    ("testkit", &["rules", "crypto", "store", "service", "web", "server"]),
    // A development crate like testkit: what it measures is a process of its own.
    ("bench", &["rules", "crypto", "store", "testkit"]),
    ("xtask", &[]),
];

/// All that pure decisions may use: no runtime, no sockets, no files, no clock, no dice.
const PURE: &[&str] = &[
    "email_address",
    "idna",
    // Numbering plans as data; it is asked and answers.
    "phonenumber",
    // Labels are checked by the parser that renders them.
    "pulldown-cmark",
    "regex",
    // A list of codes.
    "rust_iso3166",
    "schemars",
    "serde",
    "serde_json",
    "thiserror",
    "time",
    "unicode-normalization",
    "url",
    "uuid",
    // Word lists and arithmetic.
    "zxcvbn",
];

/// Development crates that make databases for tests; they are in no product.
const MAKERS: &[&str] = &["testkit"];

/// Crates from outside that have one home each.
const HOMES: &[(&str, &str)] = &[
    ("rusqlite", "store"),
    ("libsqlite3-sys", "store"),
    ("tokio-postgres", "store"),
    ("deadpool-postgres", "store"),
];

/// One workspace crate with its product dependencies.
#[derive(Debug)]
struct Crate {
    name: String,
    uses: BTreeSet<String>,
}

/// Fails with every arrow that should not be there.
pub(crate) fn run(root: &Path, _args: &[String]) -> Result<(), String> {
    let crates = read(root)?;
    let problems = judge(&crates);
    if problems.is_empty() {
        println!("layers: {} crates, every arrow in the table", crates.len());
        return Ok(());
    }
    Err(problems.join("\n  "))
}

fn read(root: &Path) -> Result<Vec<Crate>, String> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .map_err(|error| format!("cargo metadata failed: {error}"))?;
    let crates = metadata.workspace_packages().into_iter().map(|package| Crate {
        name: short(package.name.as_str()).to_owned(),
        uses: package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .map(|dependency| short(&dependency.name).to_owned())
            .collect(),
    });
    Ok(crates.collect())
}

fn short(package: &str) -> &str {
    package.strip_prefix("vestibule-").unwrap_or(package)
}

fn judge(crates: &[Crate]) -> Vec<String> {
    let members: BTreeSet<&str> = crates.iter().map(|one| one.name.as_str()).collect();
    let mut problems = Vec::new();
    for one in crates {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == one.name) else {
            problems.push(format!("{} is not in the table of crates (xtask/src/layers.rs)", one.name));
            continue;
        };
        for used in &one.uses {
            if members.contains(used.as_str()) {
                if !allowed.contains(&used.as_str()) {
                    problems.push(format!("{} must not depend on {used}", one.name));
                }
            } else if let Some((_, home)) =
                HOMES.iter().find(|(name, home)| name == used && *home != one.name)
                && !MAKERS.contains(&one.name.as_str())
            {
                problems.push(format!("{} must not depend on {used}: its one home is {home}", one.name));
            } else if one.name == "rules" && !PURE.contains(&used.as_str()) {
                problems.push(format!("rules must stay pure, and {used} is not on its list"));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::{Crate, judge};

    fn sample(name: &str, uses: &[&str]) -> Crate {
        Crate { name: name.into(), uses: uses.iter().map(|used| (*used).to_owned()).collect() }
    }

    #[test]
    fn arrows_of_the_table_pass() {
        let crates = [
            sample("rules", &["serde", "url"]),
            sample("store", &["rules", "rusqlite", "tokio"]),
            sample("service", &["rules", "store"]),
            sample("web", &["rules", "service", "axum"]),
        ];
        assert_eq!(judge(&crates), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_against_the_grain_is_named() {
        let crates = [sample("rules", &[]), sample("store", &["rules"]), sample("web", &["store"])];
        assert_eq!(judge(&crates), ["web must not depend on store"]);
    }

    #[test]
    fn rules_may_not_reach_the_world() {
        for foreign in ["tokio", "axum", "rusqlite", "reqwest", "getrandom"] {
            assert_eq!(judge(&[sample("rules", &[foreign])]).len(), 1, "{foreign}");
        }
    }

    #[test]
    fn sql_has_one_home() {
        let problems =
            judge(&[sample("service", &["rusqlite"]), sample("store", &["rusqlite", "tokio-postgres"])]);
        assert_eq!(problems, ["service must not depend on rusqlite: its one home is store"]);
    }

    #[test]
    fn an_unknown_crate_must_be_placed_first() {
        assert_eq!(judge(&[sample("helpers", &[])]).len(), 1);
    }
}
