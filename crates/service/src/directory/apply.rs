//! Makes tenants what their files say, all of them or none.

use std::collections::BTreeSet;

use vestibule_crypto::digest;
use vestibule_crypto::seal::SealingKey;
use vestibule_rules::directory::application::PasswordCredential;
use vestibule_rules::directory::check::{self, PathStep};
use vestibule_rules::directory::provider::SealedSecret;
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{ClientId, ProviderId, TenantId};
use vestibule_rules::text::Secret;
use vestibule_store::{Db, ReadTx, tenants};

use super::change::{Author, carry_out, load, plan_for};
use super::file::{FileProblem, ParsedTenant};
use super::impact::{self, Hit};
use super::plan::{Change, Plan};
use super::resolve::{Make, resolve};
use super::secret::{self, ProviderSecret};
use crate::ports::entropy::{Draw as _, Entropy};

/// Makes every tenant of `files` what its file says, in one transaction, and says what changed. What is as it
/// should be is left alone: a second time there is nothing to say.
///
/// Problems that only the database can show (a name that another tenant has, a change that users forbid) come
/// back as one fault of kind [`Kind::Malformed`] about `configuration`; its detail has a line for each, as
/// [`FileProblem`] writes it.
pub async fn apply(
    db: &Db,
    keys: &SealingKey,
    files: Vec<ParsedTenant>,
    author: &Author<'_>,
) -> Outcome<Vec<Change>> {
    match apply_once(db, keys, &files, author).await {
        Err(fault) if fault.kind == Kind::Stale => apply_once(db, keys, &files, author).await,
        other => other,
    }
}

async fn apply_once(
    db: &Db,
    keys: &SealingKey,
    files: &[ParsedTenant],
    author: &Author<'_>,
) -> Outcome<Vec<Change>> {
    let mut tx = db.read().await?;
    let prepared = prepare(&mut tx, keys, files, author).await?;
    drop(tx);
    carry_out(db, prepared.into_iter().map(|p| p.plan).collect(), author).await
}

/// Whom [`apply`] would hit with these files: everybody who would miss what they remove. Problems are told as
/// [`apply`] tells them.
pub async fn apply_hits(
    db: &Db,
    keys: &SealingKey,
    files: &[ParsedTenant],
    author: &Author<'_>,
    origin: &str,
) -> Outcome<Vec<Hit>> {
    let mut tx = db.read().await?;
    let mut hits = Vec::new();
    for Prepared { before, plan } in prepare(&mut tx, keys, files, author).await? {
        if let Some(before) = before {
            hits.extend(impact::count(&mut tx, (&before, &plan.wanted), author.now, origin).await?);
        }
    }
    Ok(hits)
}

/// What one tenant is, and what it takes to make it what its file says.
struct Prepared {
    before: Option<TenantConfig>,
    plan: Plan,
}

async fn prepare(
    tx: &mut ReadTx,
    keys: &SealingKey,
    files: &[ParsedTenant],
    author: &Author<'_>,
) -> Outcome<Vec<Prepared>> {
    let names = tenants::all_names(tx).await?;
    let mut problems = Vec::new();
    let mut wanted = Vec::new();
    let mut plans = Vec::new();
    for file in files {
        let id = find(file, &names);
        let stored = match id {
            Some(id) => load(tx, id).await?,
            None => None,
        };
        let mut make = Real::new(keys, author.entropy);
        let resolved = resolve(file, stored.as_ref().map(|s| &s.config), &mut make);
        make.done()?;
        problems.extend(resolved.problems(file));
        if let Some(stored) = &stored {
            let broken = check::check_change(&stored.config, &resolved.config);
            problems.extend(broken.into_iter().map(|p| file.problem(&p.path, p.text)));
        }
        let plan = plan_for(tx, stored.as_ref(), &resolved.config).await?;
        plans.push(Prepared { before: stored.map(|s| s.config), plan });
        wanted.push((file, resolved.config));
    }
    problems.extend(taken(&wanted, &names));
    refuse(&problems)?;
    Ok(plans)
}

/// One fault for every problem, as [`apply`] promises it.
pub(super) fn refuse(problems: &[FileProblem]) -> Outcome<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Err(Fault::malformed("configuration", lines.join("\n")))
}

/// The stored tenant that a file is about: by id if it has one, else by short name.
pub(super) fn find(file: &ParsedTenant, names: &[(String, TenantId)]) -> Option<TenantId> {
    let section = &file.file.tenant;
    let name = section.id.as_ref().unwrap_or(&section.short_name).to_lowercase();
    names.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

/// Names that a tenant outside this call has already.
fn taken(wanted: &[(&ParsedTenant, TenantConfig)], names: &[(String, TenantId)]) -> Vec<FileProblem> {
    let here: BTreeSet<TenantId> = wanted.iter().map(|(_, config)| config.tenant.id).collect();
    let mut problems = Vec::new();
    for (file, config) in wanted {
        for (name, owner) in names.iter().filter(|(_, owner)| !here.contains(owner)) {
            if config.tenant.names().contains(name) {
                let text = format!("the name “{name}” belongs to the tenant {owner}");
                problems.push(file.problem(&name_path(config, name), text));
            }
        }
    }
    problems
}

fn name_path(config: &TenantConfig, name: &str) -> Vec<PathStep> {
    let tenant = PathStep::Key("tenant".to_owned());
    match config.tenant.domains.iter().position(|d| d.to_lowercase() == name) {
        Some(i) => vec![tenant, PathStep::Key("domains".to_owned()), PathStep::Index(i)],
        None => vec![tenant, PathStep::Key("shortName".to_owned())],
    }
}

/// Ids from the entropy port, secrets under the deployment's key.
pub(super) struct Real<'a> {
    keys: &'a SealingKey,
    entropy: &'a dyn Entropy,
    failed: Option<Fault>,
}

impl<'a> Real<'a> {
    pub(super) const fn new(keys: &'a SealingKey, entropy: &'a dyn Entropy) -> Self {
        Self { keys, entropy, failed: None }
    }

    /// Whether everything could be sealed.
    pub(super) fn done(self) -> Outcome<()> {
        self.failed.map_or(Ok(()), Err)
    }
}

impl Make for Real<'_> {
    fn bytes(&mut self) -> [u8; 16] {
        self.entropy.bytes()
    }

    fn hash(&mut self, secret: &Secret<String>) -> (String, String) {
        (digest::hint(secret), digest::secret_hash(secret, self.entropy.bytes()))
    }

    fn is_of(&self, secret: &Secret<String>, stored: &PasswordCredential) -> bool {
        digest::verify_secret(secret, &stored.hash)
    }

    fn seal(
        &mut self,
        whose: (TenantId, &ProviderId, ProviderSecret),
        secret: &Secret<String>,
        stored: Option<&SealedSecret>,
    ) -> SealedSecret {
        // Sealing is never the same twice, so what holds the same secret stays as it is.
        let same =
            |sealed: &&SealedSecret| secret::open(self.keys, whose, sealed).is_ok_and(|old| old == *secret);
        if let Some(sealed) = stored.filter(same) {
            return sealed.clone();
        }
        secret::seal_provider_secret(self.keys, whose, secret).unwrap_or_else(|fault| {
            self.failed = Some(fault);
            SealedSecret(String::new())
        })
    }

    fn seal_of_application(
        &mut self,
        whose: (TenantId, ClientId),
        secret: &Secret<String>,
        stored: Option<&SealedSecret>,
    ) -> SealedSecret {
        let same = |sealed: &&SealedSecret| {
            secret::open_of_application(self.keys, whose, sealed).is_ok_and(|old| old == *secret)
        };
        if let Some(sealed) = stored.filter(same) {
            return sealed.clone();
        }
        secret::seal_of_application(self.keys, whose, secret).unwrap_or_else(|fault| {
            self.failed = Some(fault);
            SealedSecret(String::new())
        })
    }
}
