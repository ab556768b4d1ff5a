//! The keys that providers encrypt for, and how the key of one token's content comes out of it (RFC 7518 §4).

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, UnparsedPublicKey, agree};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesBlockCipher, AesKek, KeyWrap};
use aws_lc_rs::rsa::{
    KeyPair as RsaKeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm,
    OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Secret;
use zeroize::Zeroizing;

use super::ContentEncryption;
use crate::asymmetric::{KeyKind, Material, Pkcs8, PublicKeyJwk, unreadable};
use crate::jwk;

/// Longest key of content, that of A256CBC-HS512.
const CONTENT_KEY_MAX: usize = 64;

/// How the key of a token's content is agreed on or encrypted, `alg` (RFC 7518 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyManagement {
    RsaOaep,
    RsaOaep256,
    EcdhEs,
    EcdhEsA128Kw,
    EcdhEsA256Kw,
}

impl KeyManagement {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::RsaOaep, Self::RsaOaep256, Self::EcdhEs, Self::EcdhEsA128Kw, Self::EcdhEsA256Kw];

    /// The name in `alg`, compared exactly.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The name in `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaOaep => "RSA-OAEP",
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA128Kw => "ECDH-ES+A128KW",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
        }
    }

    const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaOaep | Self::RsaOaep256)
    }
}

enum Private {
    Rsa(PrivateDecryptingKey),
    P256(agreement::PrivateKey),
    P384(agreement::PrivateKey),
}

/// A private key that providers encrypt for. It is published for one algorithm and decrypts nothing else
/// (RFC 8725 §3.1); whoever wants two algorithms has two keys.
pub struct DecryptionKey {
    private: Private,
    algorithm: KeyManagement,
    jwk: PublicKeyJwk,
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecryptionKey").field("kid", &self.jwk.kid).finish_non_exhaustive()
    }
}

impl DecryptionKey {
    /// Makes a key. An RSA key takes some tenths of a second and belongs on a hashing thread.
    pub fn generate(kind: KeyKind, algorithm: KeyManagement) -> Outcome<Self> {
        let rsa = |size| PrivateDecryptingKey::generate(size).map(Private::Rsa);
        let private = match kind {
            KeyKind::Rsa2048 => rsa(KeySize::Rsa2048),
            KeyKind::Rsa3072 => rsa(KeySize::Rsa3072),
            KeyKind::Rsa4096 => rsa(KeySize::Rsa4096),
            KeyKind::P256 => agreement::PrivateKey::generate(&ECDH_P256).map(Private::P256),
            KeyKind::P384 => agreement::PrivateKey::generate(&ECDH_P384).map(Private::P384),
            KeyKind::Ed25519 => return Err(Fault::ours("an Ed25519 key cannot decrypt")),
        };
        Self::assemble(private.map_err(|_| Fault::ours("a decryption key could not be made"))?, algorithm)
    }

    /// Reads a PEM text with a PKCS#8 key: RSA with 2048 to 8192 bits, P-256 or P-384.
    pub fn from_pem(pem: &Secret<String>, algorithm: KeyManagement) -> Outcome<Self> {
        Self::from_pkcs8(&Pkcs8::from_pem(pem)?, algorithm)
    }

    /// Reads what [`Self::pkcs8`] gave.
    pub fn from_pkcs8(key: &Pkcs8, algorithm: KeyManagement) -> Outcome<Self> {
        let der = key.expose();
        let ec = agreement::PrivateKey::from_private_key_der;
        let private = PrivateDecryptingKey::from_pkcs8(der)
            .map(Private::Rsa)
            .or_else(|_| ec(&ECDH_P256, der).map(Private::P256))
            .or_else(|_| ec(&ECDH_P384, der).map(Private::P384))
            .map_err(|_| unreadable("it is not RSA with 2048 to 8192 bits, P-256 or P-384"))?;
        Self::assemble(private, algorithm)
    }

    fn assemble(private: Private, algorithm: KeyManagement) -> Outcome<Self> {
        if matches!(private, Private::Rsa(_)) != algorithm.is_rsa() {
            return Err(unreadable(&format!("a key of its type is not for {}", algorithm.name())));
        }
        let public = |private: &agreement::PrivateKey| {
            private.compute_public_key().map_err(|_| Fault::ours("a public key could not be computed"))
        };
        let material = match &private {
            Private::Rsa(private) => rsa_material(&pkcs8(private)?)?,
            Private::P256(private) => Material::ec("P-256", public(private)?.as_ref())?,
            Private::P384(private) => Material::ec("P-384", public(private)?.as_ref())?,
        };
        let kid = material.thumbprint();
        let jwk = PublicKeyJwk { material, kid, usage: "enc", alg: Some(algorithm.name()) };
        Ok(Self { private, algorithm, jwk })
    }

    /// The same key under another name, such as the one that it was registered by.
    #[must_use]
    pub fn with_kid(mut self, kid: &str) -> Self {
        kid.clone_into(&mut self.jwk.kid);
        self
    }

    /// The private key as PKCS#8 DER, to be sealed.
    pub fn pkcs8(&self) -> Outcome<Pkcs8> {
        match &self.private {
            Private::Rsa(private) => pkcs8(private),
            Private::P256(private) | Private::P384(private) => pkcs8(private),
        }
    }

    /// The name of the key: its thumbprint (RFC 7638), or the name of [`Self::with_kid`].
    pub fn kid(&self) -> &str {
        &self.jwk.kid
    }

    /// The one algorithm that the key is for.
    pub const fn algorithm(&self) -> KeyManagement {
        self.algorithm
    }

    /// The public half, for a `jwks_uri`.
    pub const fn jwk(&self) -> &PublicKeyJwk {
        &self.jwk
    }

    /// The key of the content. Whatever is wrong with the encrypted key, a random one takes its place, so
    /// that only the tag tells (RFC 7516 §11.5). It is drawn always, so that drawing it tells nothing.
    pub(super) fn content_key(
        &self,
        header: &Map<String, Value>,
        encrypted: &[u8],
        encryption: ContentEncryption,
    ) -> Zeroizing<Vec<u8>> {
        let random = Zeroizing::new(crate::random::<CONTENT_KEY_MAX>());
        let opened = match &self.private {
            Private::Rsa(private) => open_rsa(private, self.algorithm, encrypted),
            Private::P256(private) => self.open_ec(private, ("P-256", 32), header, (encrypted, encryption)),
            Private::P384(private) => self.open_ec(private, ("P-384", 48), header, (encrypted, encryption)),
        };
        opened
            .filter(|key| key.len() == encryption.key_len())
            .unwrap_or_else(|| Zeroizing::new(random.iter().copied().take(encryption.key_len()).collect()))
    }

    /// ECDH-ES (RFC 7518 §4.6). The library refuses points that are not on the curve.
    fn open_ec(
        &self,
        private: &agreement::PrivateKey,
        (curve, coordinate_len): (&str, usize),
        header: &Map<String, Value>,
        (encrypted, encryption): (&[u8], ContentEncryption),
    ) -> Option<Zeroizing<Vec<u8>>> {
        let ephemeral = header.get("epk")?.as_object()?;
        if ephemeral.get("kty")? != "EC" || ephemeral.get("crv")? != curve || ephemeral.contains_key("d") {
            return None;
        }
        let point = jwk::point(ephemeral, coordinate_len).ok()?;
        let peer = UnparsedPublicKey::new(private.algorithm(), point);
        let derived = |name, length| {
            agree(private, &peer, (), |shared| derive(shared, name, length, header).ok_or(())).ok()
        };
        let name = self.algorithm.name();
        match self.algorithm {
            // The agreed key is the key of the content, and nothing is encrypted (§4.6).
            KeyManagement::EcdhEs if !encrypted.is_empty() => None,
            KeyManagement::EcdhEs => derived(encryption.name(), encryption.key_len()),
            KeyManagement::EcdhEsA128Kw => unwrap(&AES_128, &derived(name, 16)?, encrypted),
            KeyManagement::EcdhEsA256Kw => unwrap(&AES_256, &derived(name, 32)?, encrypted),
            KeyManagement::RsaOaep | KeyManagement::RsaOaep256 => None,
        }
    }
}

fn pkcs8<'a, K: AsDer<Pkcs8V1Der<'a>>>(key: &K) -> Outcome<Pkcs8> {
    key.as_der()
        .map(|der| Pkcs8::new(der.as_ref().to_vec()))
        .map_err(|_| Fault::ours("the decryption key could not be encoded"))
}

/// Modulus and exponent, which the library gives of a signing key only.
fn rsa_material(key: &Pkcs8) -> Outcome<Material> {
    let pair = RsaKeyPair::from_pkcs8(key.expose()).map_err(|_| unreadable("it is not an RSA key"))?;
    let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
    Ok(Material::rsa(n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero()))
}

/// RSA-OAEP (RFC 7518 §4.3).
fn open_rsa(
    private: &PrivateDecryptingKey,
    algorithm: KeyManagement,
    encrypted: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let hash: &'static OaepAlgorithm = match algorithm {
        KeyManagement::RsaOaep => &OAEP_SHA1_MGF1SHA1,
        KeyManagement::RsaOaep256 => &OAEP_SHA256_MGF1SHA256,
        KeyManagement::EcdhEs | KeyManagement::EcdhEsA128Kw | KeyManagement::EcdhEsA256Kw => return None,
    };
    // The clone counts a reference; the library has no way to decrypt with a borrowed key.
    let private = OaepPrivateDecryptingKey::new(private.clone()).ok()?;
    let mut buffer = Zeroizing::new(vec![0; private.min_output_size()]);
    let length = private.decrypt(hash, encrypted, &mut buffer, None).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

/// AES Key Wrap (RFC 7518 §4.4, RFC 3394).
fn unwrap(cipher: &'static AesBlockCipher, kek: &[u8], encrypted: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; encrypted.len()]);
    let length = AesKek::new(cipher, kek).ok()?.unwrap(encrypted, &mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

/// The Concat KDF over a shared secret (RFC 7518 §4.6.2, NIST SP 800-56A §5.8.1).
pub(super) fn derive(
    shared: &[u8],
    algorithm: &str,
    length: usize,
    header: &Map<String, Value>,
) -> Option<Zeroizing<Vec<u8>>> {
    let party = |name: &str| match header.get(name) {
        None => Some(Vec::new()),
        Some(value) => URL_SAFE_NO_PAD.decode(value.as_str()?).ok(),
    };
    let mut info = Vec::new();
    for part in [algorithm.as_bytes(), &party("apu")?, &party("apv")?] {
        info.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
        info.extend(part);
    }
    info.extend((u32::try_from(length).ok()? * 8).to_be_bytes());
    let mut key = Zeroizing::new(vec![0; length]);
    sskdf_digest(get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256)?, shared, &info, &mut key)
        .ok()?;
    Some(key)
}
