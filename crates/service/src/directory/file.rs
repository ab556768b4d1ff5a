//! Tenant files: text in, tenants out, or every problem of every file with its line.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use vestibule_rules::directory::check::{PathStep, dotted};
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::text::Secret;

use super::resolve::{Draft, resolve};
use super::secret::{ProviderSecret, SecretSource};
use super::shape::{SecretReference, TenantFile};
use super::yaml::{Mark, Marks};
use super::{structure, yaml};

/// A file to read.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name that problems are reported under.
    pub name: String,
    /// What is in it.
    pub text: String,
    /// The folder that paths of secrets begin at.
    pub base: PathBuf,
}

/// Something to mend in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileProblem {
    /// The file's name.
    pub file: String,
    /// Where in the file.
    pub at: Mark,
    /// The key, such as `userFlows[0].applications[1]`; empty when it is about the file as a whole.
    pub key: String,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, at: Mark { line, column }, key, text } = self;
        let colon = if key.is_empty() { "" } else { ": " };
        write!(f, "{file}:{line}:{column}: {key}{colon}{text}")
    }
}

/// A tenant as a file says it, in good shape and with its secrets at hand.
#[derive(Clone, Debug)]
pub struct ParsedTenant {
    /// What the file says.
    pub file: TenantFile,
    /// The file's name, for problems that only the database can show.
    pub source: String,
    pub(super) marks: Marks,
    pub(super) secrets: Secrets,
}

/// Secrets by the place that refers to them.
pub(super) type Secrets = BTreeMap<Vec<PathStep>, Secret<String>>;

impl ParsedTenant {
    /// The tenant as the file says it, with counted ids and no secrets: what can be told without a database.
    pub(crate) fn draft(&self) -> TenantConfig {
        resolve(self, None, &mut Draft::default()).config
    }

    /// Places a problem in the file.
    pub(super) fn problem(&self, path: &[PathStep], text: String) -> FileProblem {
        FileProblem { file: self.source.clone(), at: self.marks.find(path), key: dotted(path), text }
    }
}

/// Reads files, each with one or more tenants (YAML documents).
///
/// When anything is wrong, everything that is wrong is returned, in the order of files and lines.
pub fn parse(sources: &[Source], secrets: &dyn SecretSource) -> Result<Vec<ParsedTenant>, Vec<FileProblem>> {
    let mut tenants = Vec::new();
    let mut problems = Vec::new();
    for source in sources {
        let before = problems.len();
        read(source, secrets, &mut tenants, &mut problems);
        if let Some(own) = problems.get_mut(before..) {
            own.sort_by_key(|p| p.at);
        }
    }
    twins(&tenants, &mut problems);
    if problems.is_empty() { Ok(tenants) } else { Err(problems) }
}

fn read(
    source: &Source,
    secrets: &dyn SecretSource,
    tenants: &mut Vec<ParsedTenant>,
    problems: &mut Vec<FileProblem>,
) {
    let (documents, flaws) = yaml::read(&source.text);
    let readable = flaws.is_empty();
    problems.extend(flaws.into_iter().map(|flaw| FileProblem {
        file: source.name.clone(),
        at: flaw.at,
        key: dotted(&flaw.path),
        text: flaw.text,
    }));
    if documents.is_empty() && readable {
        problems.push(FileProblem {
            file: source.name.clone(),
            at: Mark { line: 1, column: 1 },
            key: String::new(),
            text: "the file is empty".to_owned(),
        });
    }
    for document in documents {
        let place = |path: &[PathStep], text: String| FileProblem {
            file: source.name.clone(),
            at: document.marks.find(path),
            key: dotted(path),
            text,
        };
        let violations = structure::violations(&document.value);
        if !violations.is_empty() {
            problems.extend(violations.into_iter().map(|v| place(&v.path, v.text)));
            continue;
        }
        match TenantFile::deserialize(&document.value) {
            Ok(file) => {
                let tenant = ParsedTenant {
                    file,
                    source: source.name.clone(),
                    marks: document.marks,
                    secrets: Secrets::new(),
                };
                tenants.push(complete(tenant, source, secrets, problems));
            }
            Err(error) => problems.push(place(&[], error.to_string())),
        }
    }
}

/// Fetches the secrets and applies every rule that needs no database.
fn complete(
    mut tenant: ParsedTenant,
    source: &Source,
    secrets: &dyn SecretSource,
    problems: &mut Vec<FileProblem>,
) -> ParsedTenant {
    for (path, reference) in references(&tenant.file) {
        match secrets.read(reference, &source.base) {
            Ok(secret) => {
                tenant.secrets.insert(path, secret);
            }
            Err(text) => problems.push(tenant.problem(&path, text)),
        }
    }
    let resolved = resolve(&tenant, None, &mut Draft::default());
    problems.extend(resolved.problems(&tenant));
    tenant
}

/// Every reference to a secret with its place.
fn references(file: &TenantFile) -> Vec<(Vec<PathStep>, &SecretReference)> {
    let mut all = Vec::new();
    for (i, app) in file.applications.iter().enumerate() {
        for (j, credential) in app.password_credentials.iter().enumerate() {
            all.push((application_secret(i, j), &credential.secret));
        }
        for (j, key) in app.key_credentials.iter().enumerate() {
            all.extend(key.pem.iter().map(|reference| (application_key(i, j, "pem"), reference)));
        }
    }
    for (i, provider) in file.identity_providers.iter().enumerate() {
        for (key, reference) in [
            (ProviderSecret::ClientSecret, &provider.client_secret),
            (ProviderSecret::ClientKey, &provider.client_key),
            (ProviderSecret::DecryptionKey, &provider.decryption_key),
        ] {
            all.extend(reference.iter().map(|reference| (provider_secret(i, key), reference)));
        }
    }
    all
}

/// Where an application's secret is referred to.
pub(super) fn application_secret(app: usize, credential: usize) -> Vec<PathStep> {
    vec![
        PathStep::Key("applications".to_owned()),
        PathStep::Index(app),
        PathStep::Key("passwordCredentials".to_owned()),
        PathStep::Index(credential),
        PathStep::Key("secret".to_owned()),
    ]
}

/// Where an application's public key stands.
pub(super) fn application_key(app: usize, credential: usize, key: &str) -> Vec<PathStep> {
    vec![
        PathStep::Key("applications".to_owned()),
        PathStep::Index(app),
        PathStep::Key("keyCredentials".to_owned()),
        PathStep::Index(credential),
        PathStep::Key(key.to_owned()),
    ]
}

/// Where a provider's secret is referred to.
pub(super) fn provider_secret(provider: usize, key: ProviderSecret) -> Vec<PathStep> {
    vec![
        PathStep::Key("identityProviders".to_owned()),
        PathStep::Index(provider),
        PathStep::Key(key.as_str().to_owned()),
    ]
}

/// Two documents must not speak of one tenant: each says the whole of it.
fn twins(tenants: &[ParsedTenant], problems: &mut Vec<FileProblem>) {
    let mut seen: BTreeMap<String, &ParsedTenant> = BTreeMap::new();
    for tenant in tenants {
        let section = &tenant.file.tenant;
        let mut names = vec![("shortName", section.short_name.to_lowercase())];
        names.extend(section.id.iter().map(|id| ("id", id.to_lowercase())));
        names.extend(section.domains.iter().map(|d| ("domains", d.to_lowercase())));
        for (key, name) in names {
            let path = [PathStep::Key("tenant".to_owned()), PathStep::Key(key.to_owned())];
            match seen.get(&name) {
                Some(first) if !std::ptr::eq(*first, tenant) => {
                    let text = format!(
                        "“{name}” already names the tenant “{}” in {}",
                        first.file.tenant.display_name, first.source
                    );
                    problems.push(tenant.problem(&path, text));
                }
                Some(_) => {}
                None => {
                    seen.insert(name, tenant);
                }
            }
        }
    }
}
