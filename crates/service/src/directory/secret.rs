//! Secrets of the configuration: read from where a file refers to, kept as a hash (an application's own) or
//! sealed (what a provider gave us). They are never part of a change, an audit row or a message.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vestibule_crypto::seal::SealingKey;
use vestibule_rules::directory::provider::{IdentityProvider, SealedSecret};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ProviderId, TenantId};
use vestibule_rules::text::Secret;

use super::shape::SecretReference;

/// Where references to secrets lead.
pub trait SecretSource {
    /// The secret, or why it cannot be had. `base` is the folder that relative paths begin at.
    fn read(&self, reference: &SecretReference, base: &Path) -> Result<Secret<String>, String>;
}

/// Files and environment variables of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineSecrets;

impl SecretSource for MachineSecrets {
    fn read(&self, reference: &SecretReference, base: &Path) -> Result<Secret<String>, String> {
        let text = match reference {
            SecretReference { file: Some(file), .. } => std::fs::read_to_string(base.join(file))
                .map_err(|e| format!("the secret file {} cannot be read: {e}", base.join(file).display()))?,
            SecretReference { env: Some(name), .. } => variable(name)?,
            SecretReference { file: None, env: None } => return Err("say where the secret is".to_owned()),
        };
        let text = text.trim();
        if text.is_empty() {
            return Err("the secret is empty".to_owned());
        }
        Ok(Secret::new(text.to_owned()))
    }
}

/// A stand-in for every secret: where flows are tested there are none, and none is needed.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandInSecrets;

impl SecretSource for StandInSecrets {
    fn read(&self, _: &SecretReference, _: &Path) -> Result<Secret<String>, String> {
        Ok(Secret::new("a stand-in that opens nothing".to_owned()))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the name of the variable is the tenant's configuration, not the server's"
)]
fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))
}

/// Seals what a provider gave us. It can be opened for this provider of this tenant only.
pub fn seal_provider_secret(
    keys: &SealingKey,
    tenant: TenantId,
    provider: &ProviderId,
    secret: &Secret<String>,
) -> Outcome<SealedSecret> {
    let sealed = keys.seal(&context(tenant, provider), secret.expose().as_bytes())?;
    Ok(SealedSecret(STANDARD.encode(sealed)))
}

/// Opens the secret of a provider for a request to it.
pub fn open_provider_secret(
    keys: &SealingKey,
    tenant: TenantId,
    provider: &IdentityProvider<SealedSecret>,
) -> Outcome<Option<Secret<String>>> {
    provider.client_secret.as_ref().map(|sealed| open(keys, tenant, &provider.id, sealed)).transpose()
}

pub(super) fn open(
    keys: &SealingKey,
    tenant: TenantId,
    provider: &ProviderId,
    sealed: &SealedSecret,
) -> Outcome<Secret<String>> {
    let bytes = STANDARD
        .decode(&sealed.0)
        .map_err(|e| Fault::ours(format!("the secret of provider {provider} is not base64: {e}")))?;
    let plain = keys.open(&context(tenant, provider), &bytes)?;
    String::from_utf8(plain)
        .map(Secret::new)
        .map_err(|_| Fault::ours(format!("the secret of provider {provider} is not text")))
}

fn context(tenant: TenantId, provider: &ProviderId) -> String {
    format!("identityProviders|{tenant}|{}|clientSecret", provider.key())
}
