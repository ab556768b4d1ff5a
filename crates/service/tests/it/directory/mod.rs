//! Tenants as files: reading, applying, serving.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail where a test would")]

mod applying;
mod demo;
mod life;
mod problems;
mod schema;
mod serving;

use std::path::Path;

use vestibule_crypto::seal::SealingKey;
use vestibule_rules::fault::Outcome;
use vestibule_rules::text::Secret;
use vestibule_rules::time::Timestamp;
use vestibule_service::directory::shape::SecretReference;
use vestibule_service::directory::{
    Actor, Author, Change, FileProblem, ParsedTenant, SecretSource, Source, apply, parse,
};
use vestibule_service::ports::entropy::SeededEntropy;
use vestibule_store::Db;

/// Secrets whose text tells where they ended up.
struct Canary;

impl SecretSource for Canary {
    fn read(&self, reference: &SecretReference, _: &Path) -> Result<Secret<String>, String> {
        let name = reference.file.clone().or_else(|| reference.env.clone()).unwrap_or_default();
        if name.contains("lost") {
            Err(format!("there is no {name}"))
        } else {
            Ok(Secret::new(format!("canary-{name}")))
        }
    }
}

fn read(text: &str) -> Result<Vec<ParsedTenant>, Vec<FileProblem>> {
    read_all(&[("tenant.yaml", text)])
}

fn read_all(files: &[(&str, &str)]) -> Result<Vec<ParsedTenant>, Vec<FileProblem>> {
    let sources: Vec<Source> = files
        .iter()
        .map(|(name, text)| Source { name: (*name).to_owned(), text: (*text).to_owned(), base: "/".into() })
        .collect();
    parse(&sources, &Canary)
}

fn lines(problems: &[FileProblem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

fn keys() -> SealingKey {
    SealingKey::new([7; 32]).unwrap()
}

fn author(entropy: &SeededEntropy) -> Author<'_> {
    Author {
        actor: Actor::Operator,
        now: Timestamp::from_seconds(1_800_000_000),
        correlation: "test".to_owned(),
        entropy,
    }
}

/// Applies `text`, which must be free of problems that a file alone can have.
async fn apply_text(db: &Db, seed: u64, text: &str) -> Outcome<Vec<Change>> {
    let files = read(text).unwrap_or_else(|problems| panic!("{:#?}", lines(&problems)));
    apply(db, &keys(), files, &author(&SeededEntropy::new(seed))).await
}

fn said(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}
