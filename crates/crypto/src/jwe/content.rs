//! Content encryption (RFC 7518 §5): AES-GCM, and AES-CBC with HMAC, composed of the library's primitives
//! exactly as §5.2 says. Nothing is decrypted before its tag is good, so padding tells nobody anything.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_256, AES_CBC_IV_LEN, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::hmac::{self, HMAC_SHA256, HMAC_SHA512};
use aws_lc_rs::{aead, cipher};
use zeroize::Zeroizing;

use crate::constant_time;

/// Length of the tag of AES-GCM (RFC 7518 §5.3); the library would take it for part of the content.
const GCM_TAG_LEN: usize = 16;

/// How content is encrypted, `enc` (RFC 7518 §5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContentEncryption {
    A128CbcHs256,
    A256CbcHs512,
    A128Gcm,
    A256Gcm,
}

/// What one tag is over.
pub(super) struct Parts<'a> {
    pub(super) associated: &'a [u8],
    pub(super) iv: &'a [u8],
    pub(super) ciphertext: &'a [u8],
    pub(super) tag: &'a [u8],
}

impl ContentEncryption {
    /// Every one, as discovery documents list them.
    pub const ALL: [Self; 4] = [Self::A128CbcHs256, Self::A256CbcHs512, Self::A128Gcm, Self::A256Gcm];

    /// The name in `enc`, compared exactly.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encryption| encryption.name() == name)
    }

    /// The name in `enc`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A256CbcHs512 => "A256CBC-HS512",
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// Length of its key in bytes.
    pub(super) const fn key_len(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A128CbcHs256 | Self::A256Gcm => 32,
            Self::A256CbcHs512 => 64,
        }
    }

    /// Checks the tag and decrypts.
    pub(super) fn open(self, key: &[u8], parts: &Parts<'_>) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::A128CbcHs256 => open_cbc(HMAC_SHA256, &AES_128, key, parts),
            Self::A256CbcHs512 => open_cbc(HMAC_SHA512, &AES_256, key, parts),
            Self::A128Gcm => open_gcm(&AES_128_GCM, key, parts),
            Self::A256Gcm => open_gcm(&AES_256_GCM, key, parts),
        }
    }
}

/// AES-GCM (RFC 7518 §5.3).
fn open_gcm(
    algorithm: &'static aead::Algorithm,
    key: &[u8],
    parts: &Parts<'_>,
) -> Option<Zeroizing<Vec<u8>>> {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let nonce = <[u8; NONCE_LEN]>::try_from(parts.iv).ok()?;
    if parts.tag.len() != GCM_TAG_LEN {
        return None;
    }
    let mut body = Zeroizing::new([parts.ciphertext, parts.tag].concat());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = key.open_in_place(nonce, Aad::from(parts.associated), &mut body).ok()?.len();
    body.truncate(length);
    Some(body)
}

/// AES-CBC with HMAC (RFC 7518 §5.2.2.2): the first half of the key is for the HMAC, the second for AES, and
/// the tag is the first half of the HMAC.
fn open_cbc(
    hash: hmac::Algorithm,
    block: &'static cipher::Algorithm,
    key: &[u8],
    parts: &Parts<'_>,
) -> Option<Zeroizing<Vec<u8>>> {
    let (mac_key, aes_key) = key.split_at(key.len() / 2);
    let iv = <[u8; AES_CBC_IV_LEN]>::try_from(parts.iv).ok()?;
    let expected = cbc_tag(hash, mac_key, parts)?;
    if !constant_time::eq(&expected, parts.tag) {
        return None;
    }
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(block, aes_key).ok()?).ok()?;
    let mut body = Zeroizing::new(parts.ciphertext.to_vec());
    let length = key.decrypt(&mut body, DecryptionContext::Iv128(iv.into())).ok()?.len();
    body.truncate(length);
    Some(body)
}

pub(super) fn cbc_tag(hash: hmac::Algorithm, mac_key: &[u8], parts: &Parts<'_>) -> Option<Vec<u8>> {
    let associated_bits = u64::try_from(parts.associated.len()).ok()? * 8;
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hash, mac_key));
    for part in [parts.associated, parts.iv, parts.ciphertext, &associated_bits.to_be_bytes()] {
        mac.update(part);
    }
    let whole = mac.sign();
    whole.as_ref().get(..mac_key.len()).map(<[u8]>::to_vec)
}
