//! What applications prove themselves with: secrets and public keys of a file become what is stored of them.

use vestibule_crypto::mac::MacAlgorithm;
use vestibule_crypto::registered_key::{PublicPem, RegisteredKey};
use vestibule_rules::directory::application::PasswordCredential;
use vestibule_rules::directory::check::PathStep;
use vestibule_rules::directory::credential::{AuthMethod, KeyCredential};
use vestibule_rules::directory::provider::SealedSecret;
use vestibule_rules::ids::{ClientId, ObjectId, TenantId};
use vestibule_rules::text::Secret;
use vestibule_rules::time::Timestamp;

use super::Resolver;
use crate::directory::file::{application_key, application_secret};
use crate::directory::shape::{ApplicationSection, KeySection, PasswordSection};

/// When a credential counts.
type Life = (Option<Timestamp>, Option<Timestamp>);

impl Resolver<'_> {
    /// The secrets of an application; with `client_secret_jwt` they are kept, sealed, to verify what it signs.
    pub(super) fn credentials(
        &mut self,
        app: usize,
        section: &ApplicationSection,
        whose: (TenantId, ClientId),
        stored: &[PasswordCredential],
    ) -> Vec<PasswordCredential> {
        let signs = section.settings.token_endpoint_auth_method == Some(AuthMethod::ClientSecretJwt);
        let mut credentials = Vec::new();
        for (i, credential) in section.password_credentials.iter().enumerate() {
            let path = application_secret(app, i);
            let PasswordSection { display_name, start_date_time, end_date_time, .. } = credential;
            let (start_at, end_at) = self.life(&path, start_date_time.as_deref(), end_date_time.as_deref());
            let (key_id, hint, hash) = self.kept(&path, stored);
            let before = stored.iter().find(|s| s.key_id == key_id).and_then(|s| s.sealed.as_ref());
            let sealed = if signs { self.sealed(&path, whose, before) } else { None };
            let display_name = display_name.clone();
            credentials.push(PasswordCredential {
                key_id,
                display_name,
                hint,
                hash,
                sealed,
                start_at,
                end_at,
            });
        }
        credentials
    }

    /// A secret that is stored already keeps its id and hash, so applying twice changes nothing.
    fn kept(&mut self, path: &[PathStep], stored: &[PasswordCredential]) -> (ObjectId, String, String) {
        let Some(secret) = self.parsed.secrets.get(path) else {
            return (ObjectId::from_random(self.make.bytes()), String::new(), String::new());
        };
        if let Some(same) = stored.iter().find(|s| self.make.is_of(secret, s)) {
            return (same.key_id, same.hint.clone(), same.hash.clone());
        }
        let (hint, hash) = self.make.hash(secret);
        (ObjectId::from_random(self.make.bytes()), hint, hash)
    }

    fn sealed(
        &mut self,
        path: &[PathStep],
        whose: (TenantId, ClientId),
        before: Option<&SealedSecret>,
    ) -> Option<SealedSecret> {
        let secret: &Secret<String> = self.parsed.secrets.get(path)?;
        let (length, least) = (secret.expose().len(), MacAlgorithm::Hs256.secret_min());
        if length < least {
            let text = format!(
                "client_secret_jwt needs a secret of at least {least} bytes, as long as the hash that it signs with, and this one has {length} (S47)"
            );
            self.problem(path.to_vec(), text);
            return None;
        }
        Some(self.make.seal_of_application(whose, secret, before))
    }

    /// The public keys of an application.
    pub(super) fn keys(
        &mut self,
        app: usize,
        section: &ApplicationSection,
        stored: &[KeyCredential],
    ) -> Vec<KeyCredential> {
        let mut keys = Vec::new();
        for (i, key) in section.key_credentials.iter().enumerate() {
            let path = application_key(app, i, "pem");
            let (start, end) = (key.start_date_time.as_deref(), key.end_date_time.as_deref());
            let (start_at, end_at) = self.life(&path, start, end);
            let Some(PublicPem { jwk, valid }) = self.public_key(app, i, key) else { continue };
            let known = stored.iter().find(|s| s.jwk == jwk).map(|s| s.key_id);
            keys.push(KeyCredential {
                key_id: known.unwrap_or_else(|| ObjectId::from_random(self.make.bytes())),
                display_name: key.display_name.clone(),
                jwk,
                start_at: start_at.or(valid.map(|(from, _)| from)),
                end_at: end_at.or(valid.map(|(_, to)| to)),
            });
        }
        keys
    }

    fn public_key(&mut self, app: usize, index: usize, key: &KeySection) -> Option<PublicPem> {
        let pem = application_key(app, index, "pem");
        let (path, read) = match (&key.jwk, &key.pem) {
            (Some(jwk), None) => {
                let read = RegisteredKey::from_jwk(jwk).map(|_| PublicPem { jwk: jwk.clone(), valid: None });
                (application_key(app, index, "jwk"), read)
            }
            (None, Some(_)) => {
                // What cannot be fetched is a problem already.
                let text = self.parsed.secrets.get(&pem)?;
                (pem, PublicPem::read(text.expose()))
            }
            (None, None) | (Some(_), Some(_)) => {
                let mut path = pem;
                path.pop();
                self.problem(path, "say what the key is, with either “jwk” or “pem”".to_owned());
                return None;
            }
        };
        read.map_err(|fault| self.problem(path, fault.detail)).ok()
    }

    /// When a credential counts; `path` leads to something in it.
    fn life(&mut self, path: &[PathStep], start: Option<&str>, end: Option<&str>) -> Life {
        (self.instant(path, "startDateTime", start), self.instant(path, "endDateTime", end))
    }

    fn instant(&mut self, path: &[PathStep], key: &str, text: Option<&str>) -> Option<Timestamp> {
        let text = text?;
        let at = Timestamp::parse_rfc3339(text);
        if at.is_none() {
            let mut path = path.to_vec();
            path.pop();
            path.push(PathStep::Key(key.to_owned()));
            self.problem(path, format!("“{text}” is not a point in time such as 2026-11-24T00:00:00Z"));
        }
        at
    }
}
