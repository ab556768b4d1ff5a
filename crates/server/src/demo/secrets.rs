//! The demo's secrets: made once, one file each, readable by the owner only. The tenants' files refer to them.

use std::path::{Path, PathBuf};

use vestibule_crypto::digest;
use vestibule_rules::text::Secret;
use vestibule_service::ports::entropy::{Draw as _, Entropy};

use super::files;
use crate::failure::Done;

/// What passwords begin with, so that they can be told apart in a terminal; the rest is random.
const WORDS: [&str; 16] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "ivory", "juniper", "kestrel",
    "lagoon", "maple", "nectar", "orchid", "pebble",
];

/// The folder of the secrets.
pub(super) struct Secrets {
    folder: PathBuf,
}

impl Secrets {
    /// Opens the folder in the data directory, making it if need be.
    pub(super) fn open(data: &Path) -> Done<Self> {
        let folder = data.join("secrets");
        files::directory(&folder)?;
        Ok(Self { folder })
    }

    /// The secret of that name; made when there is none.
    pub(super) fn client(&self, name: &str, entropy: &dyn Entropy) -> Done<Secret<String>> {
        self.get_or_make(name, || digest::token(entropy.bytes()))
    }

    /// The password of that name; made when there is none.
    pub(super) fn password(&self, name: &str, entropy: &dyn Entropy) -> Done<Secret<String>> {
        self.get_or_make(name, || {
            let words = entropy.bytes::<2>().map(|byte| WORDS.get(usize::from(byte % 16)).copied());
            let word = |at: usize| words.get(at).copied().flatten().unwrap_or("quarry");
            format!("{}-{}-{}", word(0), word(1), digest::base64url(&entropy.bytes::<9>()))
        })
    }

    fn get_or_make(&self, name: &str, make: impl FnOnce() -> String) -> Done<Secret<String>> {
        let path = self.folder.join(name);
        if let Some(text) = files::read(&path)? {
            let text = text.trim();
            if !text.is_empty() {
                return Ok(Secret::new(text.to_owned()));
            }
        }
        let secret = make();
        files::write(&path, secret.as_bytes())?;
        Ok(Secret::new(secret))
    }
}
