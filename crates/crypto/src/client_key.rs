//! Signing, above all as a client of somebody else's authorization server: assertions that prove who we are (RFC 7523,
//! OpenID Connect Core 9), client secrets that are tokens (Apple), request objects (RFC 9101) and DPoP
//! proofs. A key signs with the algorithms of its type and with no other.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding,
};
use serde_json::{Map, Value, json};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Secret;

use crate::asymmetric::{KeyKind, Material, Pkcs8, PublicKeyJwk, unreadable};
use crate::digest::hmac_sha256;
use crate::jwk::Algorithm;
use crate::jws;

/// Shortest secret that HS256 may be used with (RFC 7518 §3.2).
const HS256_SECRET_MIN: usize = 32;

/// Header parameters that follow from the key and are never given by a caller. `crit` and `b64` would change
/// what is signed.
const OURS: [&str; 4] = ["alg", "kid", "crit", "b64"];

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A private key that proves who we are to other servers.
pub struct ClientKey {
    pair: Pair,
    material: Material,
    kid: String,
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl ClientKey {
    /// Makes a key. An RSA key takes some tenths of a second and belongs on a hashing thread.
    pub fn generate(kind: KeyKind) -> Outcome<Self> {
        let pair = match kind {
            KeyKind::Rsa2048 => RsaKeyPair::generate(KeySize::Rsa2048).map(Pair::Rsa),
            KeyKind::Rsa3072 => RsaKeyPair::generate(KeySize::Rsa3072).map(Pair::Rsa),
            KeyKind::Rsa4096 => RsaKeyPair::generate(KeySize::Rsa4096).map(Pair::Rsa),
            KeyKind::P256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::P256),
            KeyKind::P384 => EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map(Pair::P384),
            KeyKind::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
        };
        Self::assemble(pair.map_err(|_| Fault::ours("a client key could not be made"))?)
    }

    /// Reads a PEM text with a PKCS#8 key, such as Apple's `.p8`.
    pub fn from_pem(pem: &Secret<String>) -> Outcome<Self> {
        Self::from_pkcs8(&Pkcs8::from_pem(pem)?)
    }

    /// Reads what [`Self::pkcs8`] gave.
    pub fn from_pkcs8(key: &Pkcs8) -> Outcome<Self> {
        let der = key.expose();
        // The library names the type of a key only by reading it as one.
        let pair = RsaKeyPair::from_pkcs8(der)
            .map(Pair::Rsa)
            .or_else(|_| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Pair::P256))
            .or_else(|_| EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der).map(Pair::P384))
            .or_else(|_| Ed25519KeyPair::from_pkcs8(der).map(Pair::Ed25519))
            .map_err(|_| unreadable("it is not RSA with 2048 to 8192 bits, P-256, P-384 or Ed25519"))?;
        Self::assemble(pair)
    }

    fn assemble(pair: Pair) -> Outcome<Self> {
        let material = match &pair {
            Pair::Rsa(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                Material::rsa(n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero())
            }
            Pair::P256(pair) => Material::ec("P-256", pair.public_key().as_ref())?,
            Pair::P384(pair) => Material::ec("P-384", pair.public_key().as_ref())?,
            Pair::Ed25519(pair) => Material::ed25519(pair.public_key().as_ref()),
        };
        Ok(Self { pair, kid: material.thumbprint(), material })
    }

    /// The same key under the name that the other server gave it, such as Apple's key id.
    #[must_use]
    pub fn with_kid(mut self, kid: &str) -> Self {
        kid.clone_into(&mut self.kid);
        self
    }

    /// The private key as PKCS#8 DER, to be sealed.
    pub fn pkcs8(&self) -> Outcome<Pkcs8> {
        let der = match &self.pair {
            Pair::Rsa(pair) => pair.as_der().map(|der: Pkcs8V1Der<'_>| der.as_ref().to_vec()),
            Pair::P256(pair) | Pair::P384(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
        };
        der.map(Pkcs8::new).map_err(|_| Fault::ours("the client key could not be encoded"))
    }

    /// The name of the key: its thumbprint (RFC 7638), or the name of [`Self::with_kid`].
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithms that the key can sign with, the usual one first.
    pub const fn algorithms(&self) -> &'static [Algorithm] {
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self.pair {
            Pair::Rsa(_) => &[Rs256, Ps256, Rs384, Ps384, Rs512, Ps512],
            Pair::P256(_) => &[Es256],
            Pair::P384(_) => &[Es384],
            Pair::Ed25519(_) => &[EdDsa],
        }
    }

    /// The public half, for a `jwks_uri` or the other server's registration.
    pub fn jwk(&self) -> PublicKeyJwk {
        PublicKeyJwk { material: self.material.clone(), kid: self.kid.clone(), usage: "sig", alg: None }
    }

    /// The public half without name and use, as it is embedded in a header (RFC 9449 §4.2).
    pub(crate) const fn material(&self) -> &Material {
        &self.material
    }

    /// The public half as it stands in certificates.
    pub(crate) fn public(&self) -> &[u8] {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref(),
            Pair::P256(pair) | Pair::P384(pair) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    /// Signs `claims` as a compact JWS with `kid` and a `typ` of `JWT`. `header` adds to these or gives
    /// another `typ`.
    pub fn sign(&self, algorithm: Algorithm, header: &Map<String, Value>, claims: &Value) -> Outcome<String> {
        if let Some(name) = OURS.into_iter().find(|name| header.contains_key(*name)) {
            return Err(Fault::ours(format!("the header parameter {name} follows from the key")));
        }
        let mut all = Map::from_iter([("typ".to_owned(), json!("JWT")), ("kid".to_owned(), json!(self.kid))]);
        all.extend(header.clone());
        self.sign_with_header(algorithm, all, claims)
    }

    /// Signs `claims` with exactly `header` and `alg`.
    pub fn sign_with_header(
        &self,
        algorithm: Algorithm,
        mut header: Map<String, Value>,
        claims: &Value,
    ) -> Outcome<String> {
        header.insert("alg".to_owned(), json!(algorithm.name()));
        let input = jws::signing_input(&Value::Object(header), claims);
        let signature = self.signature(algorithm, input.as_bytes())?;
        Ok(jws::compact(input, &signature))
    }

    fn signature(&self, algorithm: Algorithm, message: &[u8]) -> Outcome<Vec<u8>> {
        if !self.algorithms().contains(&algorithm) {
            return Err(Fault::ours(format!("the key {} cannot sign with {}", self.kid, algorithm.name())));
        }
        let signature = match &self.pair {
            Pair::Rsa(pair) => rsa_signature(pair, algorithm, message),
            Pair::P256(pair) | Pair::P384(pair) => {
                pair.sign(&SystemRandom::new(), message).ok().map(|signature| signature.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => pair.try_sign(message).ok().map(|signature| signature.as_ref().to_vec()),
        };
        signature.ok_or_else(|| Fault::ours("the library refused to sign"))
    }
}

fn rsa_signature(pair: &RsaKeyPair, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
    let encoding: &'static dyn RsaEncoding = match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &RSA_PSS_SHA256,
        Algorithm::Ps384 => &RSA_PSS_SHA384,
        Algorithm::Ps512 => &RSA_PSS_SHA512,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => return None,
    };
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), message, &mut signature).ok()?;
    Some(signature)
}

/// Signs `claims` with a client secret (`client_secret_jwt`, OpenID Connect Core 9). Secrets of less than 256
/// bits are refused as RFC 7518 §3.2 demands: whoever sees one assertion could guess them offline.
pub fn sign_hs256(secret: &Secret<String>, claims: &Value) -> Outcome<String> {
    let key = secret.expose().as_bytes();
    if key.len() < HS256_SECRET_MIN {
        return Err(Fault::malformed(
            "clientSecret",
            format!(
                "client_secret_jwt needs a secret of at least {HS256_SECRET_MIN} bytes (RFC 7518 §3.2), and this one has {}",
                key.len()
            ),
        ));
    }
    let input = jws::signing_input(&json!({"typ": "JWT", "alg": "HS256"}), claims);
    let mac = hmac_sha256(key, input.as_bytes());
    Ok(jws::compact(input, &mac))
}

#[cfg(test)]
#[path = "client_key_tests.rs"]
mod tests;
