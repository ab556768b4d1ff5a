//! The registered public keys of a tenant's applications, parsed once.

use std::collections::HashMap;

use vestibule_crypto::registered_key::RegisteredKey;
use vestibule_rules::directory::credential::KeyCredential;
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::ClientId;
use vestibule_rules::time::Timestamp;

/// Keys by application.
#[derive(Debug, Default)]
pub struct ClientKeys(HashMap<ClientId, Vec<(KeyCredential, RegisteredKey)>>);

impl ClientKeys {
    /// Parses every key of a tenant.
    pub(super) fn new(config: &TenantConfig) -> Outcome<Self> {
        let mut all = HashMap::new();
        for app in config.applications.iter().filter(|app| !app.key_credentials.is_empty()) {
            let mut keys = Vec::new();
            for credential in &app.key_credentials {
                keys.push((credential.clone(), RegisteredKey::from_jwk(&credential.jwk)?));
            }
            all.insert(app.app_id, keys);
        }
        Ok(Self(all))
    }

    /// The keys of an application that count at an instant.
    pub fn of(&self, client: ClientId, now: Timestamp) -> impl Iterator<Item = &RegisteredKey> {
        let keys = self.0.get(&client).into_iter().flatten();
        keys.filter(move |(credential, _)| credential.is_in_force(now)).map(|(_, key)| key)
    }
}
