//! Decrypting compact JWE (RFC 7516): id_tokens and userinfo that a provider encrypts for us. Encryption says
//! nothing about who sent a token: what comes out is still to be verified.
//!
//! All that can be wrong has one name, [`NotDecrypted`], and whatever is wrong with the encrypted key is
//! noticed no earlier than a wrong authentication tag (RFC 7516 §11.5), so nobody can ask this module
//! questions about a key. RSA1_5 is not here (Bleichenbacher), nor is compression (`zip` tells lengths and
//! inflates), nor passwords, nor symmetric keys.

mod content;
mod key;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use vestibule_rules::fault::{Fault, Kind};
use zeroize::Zeroizing;

pub use self::content::ContentEncryption;
pub use self::key::{DecryptionKey, KeyManagement};

use self::content::Parts;
use crate::json;
use crate::jws::{Refusal, Unverified};

/// Longest header, encoded.
const HEADER_MAX: usize = 8 * 1024;
/// Longest token, encoded: the longest signed token, encoded once more, with header and key.
const TOKEN_MAX: usize = 100 * 1024;
/// How many of our keys one token is tried with. Each try is a private operation.
const MOST_TRIED: usize = 4;

/// The token is not for us, not whole, or not of an agreed kind. Which of these is not told, not even to the
/// log: the difference is what an attacker would ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the token cannot be decrypted")]
pub struct NotDecrypted;

impl From<NotDecrypted> for Fault {
    fn from(refusal: NotDecrypted) -> Self {
        Self::new(Kind::WrongCredential, refusal.to_string())
    }
}

/// What was in a token.
pub struct Decrypted {
    text: Zeroizing<String>,
    content_type: Option<String>,
}

impl std::fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decrypted").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

impl Decrypted {
    /// The content as it is.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signed token inside (RFC 7519 §5.2), to be verified. A `cty` of something else is refused.
    pub fn jwt(&self) -> Result<Unverified<'_>, Refusal> {
        if self.content_type.as_deref().is_some_and(|cty| cty != "jwt") {
            return Err(Refusal::WrongType);
        }
        Unverified::parse(&self.text)
    }

    /// The claims of a token that was encrypted and not signed, as userinfo may be (OpenID Connect Core
    /// 5.3.2). Everybody can encrypt for us: only the connection says who sent them.
    pub fn unsigned_claims(&self) -> Result<Map<String, Value>, Refusal> {
        if self.content_type.as_deref().is_some_and(|cty| cty != "json") {
            return Err(Refusal::WrongType);
        }
        json::object(self.text.as_bytes()).map_err(|_| Refusal::BadClaims)
    }
}

/// Whether `token` has the form of a compact JWE; a JWS has three parts (RFC 7516 §9).
pub fn is_encrypted(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() == 4
}

/// Decrypts `token` with the one of `keys` that it names; without a name, with those that fit its algorithm.
/// `agreed` are the content encryptions that were registered with the provider.
pub fn decrypt(
    token: &str,
    keys: &[&DecryptionKey],
    agreed: &[ContentEncryption],
) -> Result<Decrypted, NotDecrypted> {
    let sealed = Sealed::parse(token).ok_or(NotDecrypted)?;
    let encryption = sealed.encryption(agreed).ok_or(NotDecrypted)?;
    let algorithm = sealed.header.get("alg").and_then(Value::as_str);
    let text = keys
        .iter()
        .filter(|key| Some(key.algorithm().name()) == algorithm)
        .filter(|key| sealed.kid.as_deref().is_none_or(|kid| kid == key.kid()))
        .take(MOST_TRIED)
        .find_map(|key| sealed.open(key, encryption))
        .ok_or(NotDecrypted)?;
    Ok(Decrypted { text, content_type: sealed.content_type })
}

/// The five parts (RFC 7516 §7.1).
struct Sealed<'a> {
    /// The encoded header, which is authenticated with the content.
    protected: &'a str,
    header: Map<String, Value>,
    kid: Option<String>,
    content_type: Option<String>,
    encrypted_key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl<'a> Sealed<'a> {
    fn parse(token: &'a str) -> Option<Self> {
        if token.len() > TOKEN_MAX || !is_encrypted(token) {
            return None;
        }
        let mut parts = token.split('.');
        let protected = parts.next().filter(|header| header.len() <= HEADER_MAX)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let header = json::object(&decode(protected)?).ok()?;
        if header.contains_key("crit") || header.contains_key("zip") {
            return None;
        }
        Some(Self {
            protected,
            kid: optional_text(&header, "kid").ok()?,
            content_type: optional_text(&header, "cty").ok()?.map(|cty| short(&cty)),
            header,
            encrypted_key: decode(parts.next()?)?,
            iv: decode(parts.next()?)?,
            ciphertext: decode(parts.next()?)?,
            tag: decode(parts.next()?)?,
        })
    }

    fn encryption(&self, agreed: &[ContentEncryption]) -> Option<ContentEncryption> {
        let name = self.header.get("enc")?.as_str()?;
        ContentEncryption::parse(name).filter(|encryption| agreed.contains(encryption))
    }

    fn open(&self, key: &DecryptionKey, encryption: ContentEncryption) -> Option<Zeroizing<String>> {
        let content_key = key.content_key(&self.header, &self.encrypted_key, encryption);
        let parts = Parts {
            associated: self.protected.as_bytes(),
            iv: &self.iv,
            ciphertext: &self.ciphertext,
            tag: &self.tag,
        };
        let content = encryption.open(&content_key, &parts)?;
        std::str::from_utf8(&content).ok().map(|text| Zeroizing::new(text.to_owned()))
    }
}

/// A header parameter that must be a text when it is there.
fn optional_text(header: &Map<String, Value>, name: &str) -> Result<Option<String>, NotDecrypted> {
    header.get(name).map(|value| value.as_str().map(str::to_owned).ok_or(NotDecrypted)).transpose()
}

/// A media type as it is compared: without letter case and without `application/` (RFC 7516 §4.1.12).
fn short(media_type: &str) -> String {
    let lower = media_type.to_ascii_lowercase();
    lower.strip_prefix("application/").map_or(lower.clone(), str::to_owned)
}

#[cfg(test)]
#[path = "jwe/tests.rs"]
mod tests;
