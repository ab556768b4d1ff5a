//! Secrets at rest: AES-256-GCM under one key that lives outside of the database, bound to the place where
//! the sealed value is stored, so that rows cannot be swapped (security.md A66, A67).
//!
//! A sealed value is `version (1) | key id (8) | nonce (12) | ciphertext and tag`. Random 96-bit nonces
//! are good for 2³² values under one key (NIST SP 800-38D §8.3), which is far beyond what is stored here.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use vestibule_rules::fault::{Fault, Outcome};
use zeroize::Zeroizing;

use crate::digest;

const VERSION: u8 = 1;
const KEY_ID_LEN: usize = 8;
const HEADER_LEN: usize = 1 + KEY_ID_LEN;

/// Names a sealing key without telling anything about it.
pub type KeyId = [u8; KEY_ID_LEN];

/// Why a sealed value cannot be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotOpened {
    #[error("it is not a sealed value")]
    NotSealed,
    /// The key is another one: a wrong key file, or a key that was rotated away and not kept.
    #[error("it was sealed with the key {} and that key is not here", hex(*.0))]
    OtherKey(KeyId),
    /// The key is right: the value was changed, cut, or moved here from another place.
    #[error("it was changed or belongs to another place")]
    Tampered,
}

impl From<NotOpened> for Fault {
    fn from(reason: NotOpened) -> Self {
        Self::ours(format!("a sealed value cannot be opened: {reason}"))
    }
}

/// The key that everything secret is sealed with.
pub struct SealingKey {
    secret: Zeroizing<[u8; 32]>,
    id: KeyId,
    aead: LessSafeKey,
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingKey({})", hex(self.id))
    }
}

impl SealingKey {
    /// Takes the 32 bytes as they are; they must be random.
    pub fn new(secret: [u8; 32]) -> Outcome<Self> {
        let secret = Zeroizing::new(secret);
        let id = digest::sha256(&*secret).first_chunk().copied().unwrap_or_default();
        // The secret itself is only ever expanded, so that no key serves two primitives.
        let sealing = Zeroizing::new(derive(&secret, "seal/aes-256-gcm")?);
        let aead =
            UnboundKey::new(&AES_256_GCM, &*sealing).map_err(|_| Fault::ours("AES is not available"))?;
        Ok(Self { secret, id, aead: LessSafeKey::new(aead) })
    }

    /// The name that sealed values carry.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Seals `plaintext` for one place, such as `applications|<tenant>|<row>|secret`.
    pub fn seal(&self, context: &str, plaintext: &[u8]) -> Outcome<Vec<u8>> {
        self.seal_with(crate::random(), context, plaintext)
    }

    /// Like [`Self::seal`] with a nonce that must never be used twice.
    fn seal_with(&self, nonce: [u8; NONCE_LEN], context: &str, plaintext: &[u8]) -> Outcome<Vec<u8>> {
        let mut sealed = [&[VERSION][..], &self.id, &nonce].concat();
        let mut body = plaintext.to_vec();
        self.aead
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated(self.id, context)),
                &mut body,
            )
            .map_err(|_| Fault::ours("the library refused to seal"))?;
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made for the same place.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        if key_id(sealed)? != self.id {
            return Err(NotOpened::OtherKey(key_id(sealed)?));
        }
        let (nonce, body) = sealed
            .get(HEADER_LEN..)
            .and_then(<[u8]>::split_first_chunk::<NONCE_LEN>)
            .ok_or(NotOpened::Tampered)?;
        let mut body = Zeroizing::new(body.to_vec());
        let opened = self
            .aead
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(associated(self.id, context)),
                &mut body,
            )
            .map_err(|_| NotOpened::Tampered)?;
        Ok(opened.to_vec())
    }

    /// A key for one purpose (cookies, csrf, journeys, pairwise): HKDF-SHA-256 (RFC 5869). Knowing one says
    /// nothing about the others or about the sealing key.
    pub fn derive(&self, purpose: &str) -> Outcome<[u8; 32]> {
        derive(&self.secret, &format!("purpose/{purpose}"))
    }

    /// Reads the key file, 32 raw bytes or their base64. When there is none and `create` is set, makes one
    /// that only the owner can read.
    pub fn load_or_create(path: &Path, create: bool) -> Outcome<Self> {
        match File::open(path) {
            Ok(file) => Self::read(path, file),
            Err(error) if error.kind() == ErrorKind::NotFound && create => Self::create(path),
            Err(error) => Err(about(path, &format!("cannot be opened: {error}"))),
        }
    }

    fn read(path: &Path, file: File) -> Outcome<Self> {
        // The mode is asked of the open file, so that it cannot be exchanged in between.
        refuse_if_others_can_read(path, &file)?;
        let mut content = Zeroizing::new(Vec::new());
        file.take(1024)
            .read_to_end(&mut content)
            .map_err(|error| about(path, &format!("cannot be read: {error}")))?;
        let secret = decode(&content)
            .ok_or_else(|| about(path, "must hold 32 bytes, raw or in base64; it holds something else"))?;
        Self::new(*secret)
    }

    fn create(path: &Path) -> Outcome<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = match options.open(path) {
            Ok(file) => file,
            // Another process was first; its key is the key.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Self::load_or_create(path, false);
            }
            Err(error) => return Err(about(path, &format!("cannot be created: {error}"))),
        };
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(crate::random());
        let text = Zeroizing::new(format!("{}\n", STANDARD.encode(*secret)));
        // Without this key everything sealed is lost, so it is on disk before anything is sealed with it.
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| about(path, &format!("cannot be written: {error}")))?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| about(path, &format!("cannot be made durable: {error}")))?;
        }
        Self::new(*secret)
    }
}

/// The key in use and those before it: values sealed earlier stay readable while they are sealed anew.
#[derive(Debug)]
pub struct SealingKeys {
    current: SealingKey,
    earlier: Vec<SealingKey>,
}

impl SealingKeys {
    pub const fn new(current: SealingKey, earlier: Vec<SealingKey>) -> Self {
        Self { current, earlier }
    }

    /// The key that new values are sealed with.
    pub const fn current(&self) -> &SealingKey {
        &self.current
    }

    /// Opens with the key that the value names.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let wanted = key_id(sealed)?;
        std::iter::once(&self.current)
            .chain(&self.earlier)
            .find(|key| key.id == wanted)
            .ok_or(NotOpened::OtherKey(wanted))?
            .open(context, sealed)
    }

    /// Whether the value should be sealed anew with the current key.
    pub fn is_outdated(&self, sealed: &[u8]) -> bool {
        key_id(sealed).is_ok_and(|id| id != self.current.id)
    }
}

fn key_id(sealed: &[u8]) -> Result<KeyId, NotOpened> {
    match sealed.split_first() {
        Some((&VERSION, rest)) => rest.first_chunk().copied().ok_or(NotOpened::NotSealed),
        Some(_) | None => Err(NotOpened::NotSealed),
    }
}

/// What is authenticated besides the ciphertext: header and place.
fn associated(id: KeyId, context: &str) -> Vec<u8> {
    [&[VERSION][..], &id, context.as_bytes()].concat()
}

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

fn derive(secret: &[u8; 32], info: &str) -> Outcome<[u8; 32]> {
    let mut out = [0; 32];
    Salt::new(HKDF_SHA256, b"vestibule")
        .extract(secret)
        .expand(&[info.as_bytes()], Bytes32)
        .and_then(|key| key.fill(&mut out))
        .map_err(|_| Fault::ours("a key could not be derived"))?;
    Ok(out)
}

fn decode(content: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    if let Ok(raw) = <[u8; 32]>::try_from(content) {
        return Some(Zeroizing::new(raw));
    }
    let text = std::str::from_utf8(content).ok()?.trim();
    let bytes =
        [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD].into_iter().find_map(|e| e.decode(text).ok())?;
    <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Zeroizing::new)
}

#[cfg(unix)]
fn refuse_if_others_can_read(path: &Path, file: &File) -> Outcome<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata().map_err(|error| about(path, &format!("cannot be examined: {error}")))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(about(path, &format!("has mode {mode:04o}: others can read it; make it 0600")));
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the unix twin can fail")]
fn refuse_if_others_can_read(_: &Path, _: &File) -> Outcome<()> {
    Ok(())
}

fn about(path: &Path, what: &str) -> Fault {
    Fault::ours(format!("the key file {} {what}", path.display()))
}

fn hex(id: KeyId) -> String {
    id.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
