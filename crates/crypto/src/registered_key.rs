//! The public keys that applications register with us, to prove themselves by what they sign (RFC 7523): read from a
//! JWK, a JWK set, a certificate or a public key in PEM, and found again by the name that a header gives. A key is
//! known by all its names, because clients disagree about which of them to write.

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use serde_json::{Map, Value};
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::time::Timestamp;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::asymmetric::Material;
use crate::digest::{base64url, hex, sha1_for_thumbprint, sha256};
use crate::json;
use crate::jwk::VerifyingKey;
use crate::jws::Unverified;

const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const ED25519: &str = "1.3.101.112";

/// A public key under its names.
#[derive(Clone, Debug)]
pub struct RegisteredKey {
    key: VerifyingKey,
    /// The thumbprint of the key (RFC 7638).
    thumbprint: String,
    /// The thumbprints of its certificate (RFC 7515 §4.1.7 and §4.1.8).
    x5t: Option<String>,
    x5t_s256: Option<String>,
}

impl RegisteredKey {
    /// Reads one JWK; see [`VerifyingKey::from_jwk`].
    pub fn from_jwk(jwk: &Map<String, Value>) -> Outcome<Self> {
        let key = VerifyingKey::from_jwk(jwk)?;
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).map(unpadded);
        Ok(Self { key, thumbprint: thumbprint(jwk), x5t: text("x5t"), x5t_s256: text("x5t#S256") })
    }

    /// Reads a JWK set; see [`VerifyingKey::set`].
    pub fn set(document: &[u8]) -> Outcome<Vec<Self>> {
        let set = json::object(document)
            .map_err(|error| Fault::new(Kind::Upstream, format!("the key set is not good JSON: {error}")))?;
        let keys = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or_else(|| Fault::new(Kind::Upstream, "the key set has no list of keys"))?;
        let keys = keys.iter().take(VerifyingKey::MOST).filter_map(Value::as_object);
        Ok(keys.filter_map(|jwk| Self::from_jwk(jwk).ok()).collect())
    }

    /// The key itself.
    pub const fn verifying(&self) -> &VerifyingKey {
        &self.key
    }

    /// Whether every name that a header gives is one of this key.
    pub fn is_called(&self, name: &KeyName) -> bool {
        let same = |own: &Option<String>, given: &Option<String>| given.is_none() || own == given;
        same(&self.x5t, &name.x5t)
            && same(&self.x5t_s256, &name.x5t_s256)
            && name.kid.as_deref().is_none_or(|kid| self.has_kid(kid))
    }

    /// The name in its JWK, or one that follows from key or certificate. Microsoft's libraries write the SHA-1 of
    /// the certificate, in hexadecimal or not.
    fn has_kid(&self, kid: &str) -> bool {
        let own = [self.key.kid(), Some(&self.thumbprint), self.x5t.as_deref(), self.x5t_s256.as_deref()];
        own.into_iter().flatten().any(|name| name == kid)
            || self.x5t.as_deref().and_then(decoded).is_some_and(|sha1| hex(&sha1).eq_ignore_ascii_case(kid))
    }
}

/// Base64url has no padding there (RFC 7515 §2), but MSAL for Python writes it.
fn unpadded(thumbprint: &str) -> String {
    thumbprint.trim_end_matches('=').to_owned()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}

/// The names of the key in a header. They choose among registered keys; `jwk`, `jku`, `x5c` and `x5u` bring keys along
/// and are not looked at (security.md S45).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyName {
    kid: Option<String>,
    x5t: Option<String>,
    x5t_s256: Option<String>,
}

impl KeyName {
    /// What the header of a token says. A name that is no text names nothing that is registered.
    pub fn of(token: &Unverified<'_>) -> Self {
        let name = |name: &str| {
            token.header(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        let thumbprint = |member: &str| name(member).as_deref().map(unpadded);
        Self { kid: name("kid"), x5t: thumbprint("x5t"), x5t_s256: thumbprint("x5t#S256") }
    }

    /// No name at all.
    pub const fn is_empty(&self) -> bool {
        self.kid.is_none() && self.x5t.is_none() && self.x5t_s256.is_none()
    }

    /// The key is named by its certificate alone, as Microsoft's libraries do.
    pub const fn is_by_certificate(&self) -> bool {
        self.kid.is_none() && (self.x5t.is_some() || self.x5t_s256.is_some())
    }
}

/// What a PEM text holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicPem {
    /// The key with the thumbprints of its certificate, if it came in one.
    pub jwk: Map<String, Value>,
    /// From when to when the certificate says that it is valid.
    pub valid: Option<(Timestamp, Timestamp)>,
}

impl PublicPem {
    /// Reads the first certificate, or else the first public key, of a PEM text (RFC 7468).
    pub fn read(text: &str) -> Outcome<Self> {
        if text.contains("PRIVATE KEY-----") {
            return Err(refused(
                "it holds a private key, which belongs to the application alone; register its certificate or public key",
            ));
        }
        if let Ok(certificate) = CertificateDer::from_pem_slice(text.as_bytes()) {
            return of_certificate(&certificate);
        }
        let der = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes())
            .map_err(|_| refused("there is no CERTIFICATE and no PUBLIC KEY section in it"))?;
        let (_, info) = SubjectPublicKeyInfo::from_der(&der).map_err(|_| refused("it cannot be read"))?;
        checked(jwk(&info)?, None)
    }
}

fn of_certificate(der: &CertificateDer<'_>) -> Outcome<PublicPem> {
    let (_, certificate) =
        x509_parser::parse_x509_certificate(der).map_err(|_| refused("the certificate cannot be read"))?;
    let mut jwk = jwk(certificate.public_key())?;
    jwk.insert("x5t".to_owned(), base64url(&sha1_for_thumbprint(der)).into());
    jwk.insert("x5t#S256".to_owned(), base64url(&sha256(der)).into());
    let validity = certificate.validity();
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_seconds(time.timestamp());
    checked(jwk, Some((at(validity.not_before), at(validity.not_after))))
}

/// The key can be used for signatures, and not only read.
fn checked(jwk: Map<String, Value>, valid: Option<(Timestamp, Timestamp)>) -> Outcome<PublicPem> {
    VerifyingKey::from_jwk(&jwk)?;
    Ok(PublicPem { jwk, valid })
}

fn jwk(info: &SubjectPublicKeyInfo<'_>) -> Outcome<Map<String, Value>> {
    let unsupported = || refused("it is not of RSA, P-256, P-384 or Ed25519");
    let curve =
        || info.algorithm.parameters.as_ref().and_then(|p| p.as_oid().ok()).map(|oid| oid.to_string());
    let material = match info.parsed() {
        Ok(PublicKey::RSA(key)) => Material::rsa(trimmed(key.modulus), trimmed(key.exponent)),
        Ok(PublicKey::EC(point)) => match curve().as_deref() {
            Some(P256) => Material::ec("P-256", point.data())?,
            Some(P384) => Material::ec("P-384", point.data())?,
            Some(_) | None => return Err(unsupported()),
        },
        _ if info.algorithm.algorithm.to_string() == ED25519 => {
            Material::ed25519(&info.subject_public_key.data)
        }
        _ => return Err(unsupported()),
    };
    let value = serde_json::to_value(material).map_err(|e| Fault::ours(format!("a public key: {e}")))?;
    value.as_object().cloned().ok_or_else(unsupported)
}

/// Integers of DER have a leading zero where they would be negative without.
fn trimmed(integer: &[u8]) -> &[u8] {
    let start = integer.iter().position(|byte| *byte != 0).unwrap_or(integer.len());
    integer.get(start..).unwrap_or_default()
}

/// RFC 7638 §3 for a JWK whose members are known to be good: they are base64url or names of curves, and nothing in
/// them needs escaping.
fn thumbprint(jwk: &Map<String, Value>) -> String {
    let members = ["crv", "e", "kty", "n", "x", "y"].into_iter();
    let text: Vec<String> =
        members.filter_map(|name| Some(format!("\"{name}\":\"{}\"", jwk.get(name)?.as_str()?))).collect();
    base64url(&sha256(format!("{{{}}}", text.join(",")).as_bytes()))
}

fn refused(why: &str) -> Fault {
    Fault::malformed("publicKey", format!("the public key cannot be used: {why}"))
}

#[cfg(test)]
#[path = "registered_key_tests.rs"]
mod tests;
