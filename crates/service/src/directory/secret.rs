//! Secrets of the configuration: read from where a file refers to, kept as a hash (an application's own) or
//! sealed (what a provider gave us). They are never part of a change, an audit row or a message.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vestibule_crypto::seal::SealingKey;
use vestibule_rules::directory::application::PasswordCredential;
use vestibule_rules::directory::provider::{IdentityProvider, SealedSecret};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, ProviderId, TenantId};
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
        Ok(Secret::new(
            "a stand-in that opens nothing, and is long enough for whatever a secret is wanted for"
                .to_owned(),
        ))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the name of the variable is the tenant's configuration, not the server's"
)]
fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))
}

/// The secrets that a provider's configuration has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProviderSecret {
    /// What the provider gave us.
    ClientSecret,
    /// The private key that we prove ourselves with.
    ClientKey,
    /// The private key that the provider encrypts to.
    DecryptionKey,
}

impl ProviderSecret {
    /// Its key in the file.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecret => "clientSecret",
            Self::ClientKey => "clientKey",
            Self::DecryptionKey => "decryptionKey",
        }
    }

    /// The provider's secret of this kind.
    pub(super) const fn of(self, provider: &IdentityProvider<SealedSecret>) -> Option<&SealedSecret> {
        match self {
            Self::ClientSecret => provider.client_secret.as_ref(),
            Self::ClientKey => provider.client_key.as_ref(),
            Self::DecryptionKey => provider.decryption_key.as_ref(),
        }
    }
}

/// Whose secret it is: it can be opened for this provider of this tenant, and for this use only.
type Whose<'a> = (TenantId, &'a ProviderId, ProviderSecret);

/// Seals a secret of a provider.
pub(super) fn seal_provider_secret(
    keys: &SealingKey,
    whose: Whose<'_>,
    secret: &Secret<String>,
) -> Outcome<SealedSecret> {
    let sealed = keys.seal(&context(whose), secret.expose().as_bytes())?;
    Ok(SealedSecret(STANDARD.encode(sealed)))
}

/// Opens a secret of a provider for a request to it; nothing when it has none.
pub fn open_provider_secret(
    keys: &SealingKey,
    tenant: TenantId,
    provider: &IdentityProvider<SealedSecret>,
    secret: ProviderSecret,
) -> Outcome<Option<Secret<String>>> {
    secret.of(provider).map(|sealed| open(keys, (tenant, &provider.id, secret), sealed)).transpose()
}

pub(super) fn open(keys: &SealingKey, whose: Whose<'_>, sealed: &SealedSecret) -> Outcome<Secret<String>> {
    let provider = whose.1;
    let bytes = STANDARD
        .decode(&sealed.0)
        .map_err(|e| Fault::ours(format!("the secret of provider {provider} is not base64: {e}")))?;
    let plain = keys.open(&context(whose), &bytes)?;
    String::from_utf8(plain)
        .map(Secret::new)
        .map_err(|_| Fault::ours(format!("the secret of provider {provider} is not text")))
}

fn context((tenant, provider, secret): Whose<'_>) -> String {
    format!("identityProviders|{tenant}|{}|{}", provider.key(), secret.as_str())
}

/// The secret of an application that signs with it, opened; nothing when it is not kept.
pub fn open_application_secret(
    keys: &SealingKey,
    whose: (TenantId, ClientId),
    credential: &PasswordCredential,
) -> Outcome<Option<Secret<String>>> {
    credential.sealed.as_ref().map(|sealed| open_of_application(keys, whose, sealed)).transpose()
}

/// Seals the secret of an application.
pub(crate) fn seal_of_application(
    keys: &SealingKey,
    whose: (TenantId, ClientId),
    secret: &Secret<String>,
) -> Outcome<SealedSecret> {
    let sealed = keys.seal(&context_of_application(whose), secret.expose().as_bytes())?;
    Ok(SealedSecret(STANDARD.encode(sealed)))
}

pub(super) fn open_of_application(
    keys: &SealingKey,
    whose: (TenantId, ClientId),
    sealed: &SealedSecret,
) -> Outcome<Secret<String>> {
    let broken = |what: &str| Fault::ours(format!("the secret of application {} {what}", whose.1));
    let bytes = STANDARD.decode(&sealed.0).map_err(|_| broken("is not base64"))?;
    let plain = keys.open(&context_of_application(whose), &bytes)?;
    String::from_utf8(plain).map(Secret::new).map_err(|_| broken("is not text"))
}

fn context_of_application((tenant, client): (TenantId, ClientId)) -> String {
    format!("applications|{tenant}|{client}|passwordCredentials")
}
