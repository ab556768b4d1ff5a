//! The RSA keys that sign tokens. A key is parsed once and then only signs; its private half leaves this
//! module in one way, [`SigningKey::pkcs8`], to be sealed.
//!
//! `kid` and `x5t` are the SHA-1 thumbprint of a self-signed certificate (native-auth-and-msal.md 4.2),
//! which is therefore stored with the key and never made anew.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DistinguishedName, DnType, PKCS_RSA_SHA256, PublicKeyData};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Secret;
use vestibule_rules::time::{Span, Timestamp};

use crate::digest::{base64url, sha1_for_thumbprint};
use crate::jwk::VerifyingKey;
use crate::jws;

/// How long the certificate says it is valid. Nobody checks it; keys are rotated far earlier.
const CERTIFICATE_FOR: Span = Span::days(5 * 365);

/// The public half as `discovery/v2.0/keys` publishes it. There is no `alg`, as in Entra's documents, and
/// there is no field that a private member could be put in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PublicJwk {
    pub kty: &'static str,
    #[serde(rename = "use")]
    pub usage: &'static str,
    pub kid: String,
    pub x5t: String,
    pub n: String,
    pub e: String,
    /// The certificate in standard base64, not base64url (RFC 7517 §4.7).
    pub x5c: Vec<String>,
    /// The issuer whose tokens this key signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

impl PublicJwk {
    /// The same key with the issuer that Entra's documents name.
    #[must_use]
    pub fn with_issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.to_owned());
        self
    }
}

/// A private RSA key of 2048 bits with its certificate.
pub struct SigningKey {
    pair: KeyPair,
    certificate: Vec<u8>,
    jwk: PublicJwk,
    verifying: VerifyingKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.jwk.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a key and its certificate. `subject` is the common name: the issuer or the tenant. This takes
    /// some tenths of a second and belongs on a hashing thread.
    pub fn generate(subject: &str, now: Timestamp) -> Outcome<Self> {
        let pair =
            KeyPair::generate(KeySize::Rsa2048).map_err(|_| Fault::ours("an RSA key could not be made"))?;
        let certificate = self_signed(&pair, subject, now)?;
        Self::assemble(pair, certificate)
    }

    /// Reads a key that [`Self::pkcs8`] and [`Self::certificate`] gave.
    pub fn import(pkcs8: &Secret<Vec<u8>>, certificate: &[u8]) -> Outcome<Self> {
        let pair = KeyPair::from_pkcs8(pkcs8.expose())
            .map_err(|error| Fault::ours(format!("the stored signing key cannot be read: {error}")))?;
        let public = pair.public_key().as_ref();
        // A certificate of another key would publish a `kid` that verifies nothing.
        if !certificate.windows(public.len()).any(|window| window == public) {
            return Err(Fault::ours("the stored certificate belongs to another signing key"));
        }
        Self::assemble(pair, certificate.to_vec())
    }

    fn assemble(pair: KeyPair, certificate: Vec<u8>) -> Outcome<Self> {
        let public = pair.public_key();
        let (n, e) = (public.modulus(), public.exponent());
        let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
        let kid = base64url(&sha1_for_thumbprint(&certificate));
        let verifying = VerifyingKey::from_rsa(kid.clone(), n, e)?;
        let jwk = PublicJwk {
            kty: "RSA",
            usage: "sig",
            x5t: kid.clone(),
            kid,
            n: base64url(n),
            e: base64url(e),
            x5c: vec![STANDARD.encode(&certificate)],
            issuer: None,
        };
        Ok(Self { pair, certificate, jwk, verifying })
    }

    /// The private key as PKCS#8 DER, to be sealed.
    pub fn pkcs8(&self) -> Outcome<Secret<Vec<u8>>> {
        let der: Pkcs8V1Der<'_> =
            self.pair.as_der().map_err(|_| Fault::ours("the signing key could not be encoded"))?;
        Ok(Secret::new(der.as_ref().to_vec()))
    }

    /// The certificate as DER, to be stored with the key.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The name of the key in tokens.
    pub fn kid(&self) -> &str {
        &self.jwk.kid
    }

    /// The public half, to be published.
    pub const fn jwk(&self) -> &PublicJwk {
        &self.jwk
    }

    /// The public half, to verify our own tokens.
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// Signs `claims` as a compact JWS with `alg` RS256 and the given `typ`.
    pub fn sign_rs256(&self, claims: &Value, typ: &str) -> Outcome<String> {
        let header = json!({"typ": typ, "alg": "RS256", "kid": self.jwk.kid});
        let input = jws::signing_input(&header, claims);
        let signature = rsa_signature(&self.pair, input.as_bytes())?;
        Ok(jws::compact(input, &signature))
    }
}

fn rsa_signature(pair: &KeyPair, message: &[u8]) -> Outcome<Vec<u8>> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
        .map_err(|_| Fault::ours("the library refused to sign"))?;
    Ok(signature)
}

/// The key pair as rcgen wants it, so that the certificate is signed by the pair that is already parsed.
struct CertificateSigner<'a>(&'a KeyPair);

impl PublicKeyData for CertificateSigner<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for CertificateSigner<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        rsa_signature(self.0, message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

fn self_signed(pair: &KeyPair, subject: &str, now: Timestamp) -> Outcome<Vec<u8>> {
    let date = |at: Timestamp| {
        OffsetDateTime::from_unix_timestamp(at.seconds())
            .map_err(|_| Fault::ours("the time is outside of what a certificate can say"))
    };
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, subject);
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.not_before = date(now)?;
    params.not_after = date(now + CERTIFICATE_FOR)?;
    let certificate = params
        .self_signed(&CertificateSigner(pair))
        .map_err(|error| Fault::ours(format!("the certificate could not be made: {error}")))?;
    Ok(certificate.der().to_vec())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::jwk::Algorithm;
    use crate::jws::{Expected, Typ, verify};

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
    const RS256: Expected<'_> = Expected { algorithms: &[Algorithm::Rs256], typ: Typ::OneOf(&["JWT"]) };

    fn key() -> SigningKey {
        SigningKey::generate("https://localhost/11111111-1111-4111-8111-111111111111/v2.0", NOW).unwrap()
    }

    #[test]
    fn a_token_verifies_with_the_published_key() {
        let key = key();
        let claims = json!({"sub": "s", "exp": 1_700_000_600});
        let token = key.sign_rs256(&claims, "JWT").unwrap();
        let document = json!({"keys": [key.jwk()]}).to_string();
        let keys = VerifyingKey::set(document.as_bytes()).unwrap();
        let verified = verify(&token, &keys, &RS256).unwrap();
        assert_eq!(Value::Object(verified.claims), claims);
        assert_eq!(verified.kid.as_deref(), Some(key.kid()));
        assert!(verify(&token, std::slice::from_ref(key.verifying_key()), &RS256).is_ok());
    }

    #[test]
    fn the_header_is_what_entra_writes() {
        let key = key();
        let token = key.sign_rs256(&json!({}), "JWT").unwrap();
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header, json!({"typ": "JWT", "alg": "RS256", "kid": key.kid()}));
    }

    #[test]
    fn the_published_key_has_public_members_only() {
        let key = key();
        let jwk = serde_json::to_value(key.jwk()).unwrap();
        let names: Vec<_> = jwk.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["e", "kid", "kty", "n", "use", "x5c", "x5t"]);
        assert_eq!(jwk["kid"], jwk["x5t"]);
        assert_eq!(jwk["e"], "AQAB");
        let certificate = STANDARD.decode(jwk["x5c"][0].as_str().unwrap()).unwrap();
        assert_eq!(jwk["x5t"], base64url(&sha1_for_thumbprint(&certificate)));
        let issued = serde_json::to_value(key.jwk().clone().with_issuer("https://i")).unwrap();
        assert_eq!(issued["issuer"], "https://i");
        assert_eq!(format!("{key:?}"), format!("SigningKey {{ kid: {:?}, .. }}", key.kid()));
    }

    #[test]
    fn a_key_survives_export_and_import() {
        let key = key();
        let again = SigningKey::import(&key.pkcs8().unwrap(), key.certificate()).unwrap();
        assert_eq!(key.jwk(), again.jwk());
        let claims = json!({"a": 1});
        assert_eq!(key.sign_rs256(&claims, "JWT").unwrap(), again.sign_rs256(&claims, "JWT").unwrap());
    }

    #[test]
    fn a_certificate_of_another_key_is_refused() {
        let (one, other) = (key(), key());
        assert!(SigningKey::import(&one.pkcs8().unwrap(), other.certificate()).is_err());
        assert!(SigningKey::import(&Secret::new(vec![1, 2, 3]), one.certificate()).is_err());
    }

    #[test]
    fn a_key_may_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<SigningKey>();
    }
}
