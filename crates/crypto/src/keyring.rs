//! The keys that sign tokens. A key is made for one algorithm, parsed once, and then only signs; its private half
//! leaves this module in one way, [`SigningKey::pkcs8`], to be sealed.
//!
//! `kid` and `x5t` are the SHA-1 thumbprint of a self-signed certificate (native-auth-and-msal.md 4.2),
//! which is therefore stored with the key and never made anew.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519,
    PKCS_RSA_SHA256,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::signing::SigningAlgorithm;
use vestibule_rules::text::Secret;
use vestibule_rules::time::{Span, Timestamp};

use crate::asymmetric::{KeyKind, Material, Pkcs8};
use crate::client_key::ClientKey;
use crate::digest::{base64url, sha1_for_thumbprint};
use crate::jwk::{Algorithm, VerifyingKey};

/// How long the certificate says it is valid. Nobody checks it; keys are rotated far earlier.
const CERTIFICATE_FOR: Span = Span::days(5 * 365);

impl From<SigningAlgorithm> for Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Rs256 => Self::Rs256,
            SigningAlgorithm::Ps256 => Self::Ps256,
            SigningAlgorithm::Es256 => Self::Es256,
            SigningAlgorithm::EdDsa => Self::EdDsa,
        }
    }
}

/// The public half as `discovery/v2.0/keys` publishes it. There is no field that a private member could be put in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PublicJwk {
    #[serde(flatten)]
    pub material: Material,
    #[serde(rename = "use")]
    pub usage: &'static str,
    pub kid: String,
    pub x5t: String,
    /// The one algorithm of the key. RS256 is not named, as in Entra's documents: it is what nobody has to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<&'static str>,
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

/// A private key for one algorithm, with its certificate.
pub struct SigningKey {
    key: ClientKey,
    algorithm: SigningAlgorithm,
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
    /// Makes an RSA key for RS256; see [`Self::generate_for`].
    pub fn generate(subject: &str, now: Timestamp) -> Outcome<Self> {
        Self::generate_for(SigningAlgorithm::Rs256, subject, now)
    }

    /// Makes a key and its certificate. `subject` is the common name: the issuer or the tenant. For RSA this takes
    /// some tenths of a second and belongs on a hashing thread.
    pub fn generate_for(algorithm: SigningAlgorithm, subject: &str, now: Timestamp) -> Outcome<Self> {
        let key = ClientKey::generate(match algorithm {
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => KeyKind::Rsa2048,
            SigningAlgorithm::Es256 => KeyKind::P256,
            SigningAlgorithm::EdDsa => KeyKind::Ed25519,
        })?;
        let certificate = self_signed(&key, algorithm, subject, now)?;
        Self::assemble(key, algorithm, certificate)
    }

    /// Reads a key that [`Self::pkcs8`] and [`Self::certificate`] gave. One that is of another type than its
    /// algorithm is refused: the row was tampered with.
    pub fn import(algorithm: SigningAlgorithm, pkcs8: &Secret<Vec<u8>>, certificate: &[u8]) -> Outcome<Self> {
        let key = ClientKey::from_pkcs8(&Pkcs8::new(pkcs8.expose().clone())).map_err(|fault| {
            Fault::ours(format!("the stored signing key cannot be read: {}", fault.detail))
        })?;
        let public = key.public();
        // A certificate of another key would publish a `kid` that verifies nothing.
        if !certificate.windows(public.len()).any(|window| window == public) {
            return Err(Fault::ours("the stored certificate belongs to another signing key"));
        }
        Self::assemble(key, algorithm, certificate.to_vec())
    }

    fn assemble(key: ClientKey, algorithm: SigningAlgorithm, certificate: Vec<u8>) -> Outcome<Self> {
        if !key.algorithms().contains(&algorithm.into()) {
            return Err(Fault::ours(format!("the signing key is none for {}", algorithm.as_str())));
        }
        let kid = base64url(&sha1_for_thumbprint(&certificate));
        let jwk = PublicJwk {
            material: key.material().clone(),
            usage: "sig",
            x5t: kid.clone(),
            kid,
            alg: (algorithm != SigningAlgorithm::Rs256).then_some(algorithm.as_str()),
            x5c: vec![STANDARD.encode(&certificate)],
            issuer: None,
        };
        let verifying = verifying(&jwk, algorithm)?;
        Ok(Self { key, algorithm, certificate, jwk, verifying })
    }

    /// The private key as PKCS#8 DER, to be sealed.
    pub fn pkcs8(&self) -> Outcome<Secret<Vec<u8>>> {
        Ok(Secret::new(self.key.pkcs8()?.expose().to_vec()))
    }

    /// The certificate as DER, to be stored with the key.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The one algorithm that the key signs with.
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The name of the key in tokens.
    pub fn kid(&self) -> &str {
        &self.jwk.kid
    }

    /// The public half, to be published.
    pub const fn jwk(&self) -> &PublicJwk {
        &self.jwk
    }

    /// The public half, to verify our own tokens: with the key's own algorithm and with no other.
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// Signs `claims` as a compact JWS with the given `typ`.
    pub fn sign(&self, claims: &Value, typ: &str) -> Outcome<String> {
        let header =
            Map::from_iter([("typ".to_owned(), json!(typ)), ("kid".to_owned(), json!(self.jwk.kid))]);
        self.key.sign_with_header(self.algorithm.into(), header, claims)
    }
}

fn verifying(jwk: &PublicJwk, algorithm: SigningAlgorithm) -> Outcome<VerifyingKey> {
    let value = serde_json::to_value(&jwk.material);
    let Ok(Value::Object(mut members)) = value else {
        return Err(Fault::ours("a public key has no JSON form"));
    };
    members.insert("kid".to_owned(), json!(jwk.kid));
    members.insert("alg".to_owned(), json!(algorithm.as_str()));
    VerifyingKey::from_jwk(&members)
}

fn self_signed(
    key: &ClientKey,
    algorithm: SigningAlgorithm,
    subject: &str,
    now: Timestamp,
) -> Outcome<Vec<u8>> {
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
    let refused = |error: rcgen::Error| Fault::ours(format!("the certificate could not be made: {error}"));
    let signature = match algorithm {
        SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => &PKCS_RSA_SHA256,
        SigningAlgorithm::Es256 => &PKCS_ECDSA_P256_SHA256,
        SigningAlgorithm::EdDsa => &PKCS_ED25519,
    };
    let private = key.pkcs8()?;
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(private.expose()), signature);
    Ok(params.self_signed(&pair.map_err(refused)?).map_err(refused)?.der().to_vec())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::jws::{Expected, Refusal, Typ, verify};

    const RS: SigningAlgorithm = SigningAlgorithm::Rs256;
    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
    const RS256: Expected<'_> = Expected { algorithms: &[Algorithm::Rs256], typ: Typ::OneOf(&["JWT"]) };

    fn key() -> SigningKey {
        SigningKey::generate("https://localhost/11111111-1111-4111-8111-111111111111/v2.0", NOW).unwrap()
    }

    #[test]
    fn a_token_verifies_with_the_published_key() {
        let key = key();
        let claims = json!({"sub": "s", "exp": 1_700_000_600});
        let token = key.sign(&claims, "JWT").unwrap();
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
        let token = key.sign(&json!({}), "JWT").unwrap();
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
        let again = SigningKey::import(RS, &key.pkcs8().unwrap(), key.certificate()).unwrap();
        assert_eq!(key.jwk(), again.jwk());
        let claims = json!({"a": 1});
        assert_eq!(key.sign(&claims, "JWT").unwrap(), again.sign(&claims, "JWT").unwrap());
    }

    #[test]
    fn a_certificate_of_another_key_is_refused() {
        let (one, other) = (key(), key());
        assert!(SigningKey::import(RS, &one.pkcs8().unwrap(), other.certificate()).is_err());
        assert!(SigningKey::import(RS, &Secret::new(vec![1, 2, 3]), one.certificate()).is_err());
    }

    #[test]
    fn a_key_signs_and_verifies_with_its_own_algorithm_only() {
        // S61
        for algorithm in SigningAlgorithm::ALL {
            let key = SigningKey::generate_for(algorithm, "tenant", NOW).unwrap();
            let own = std::slice::from_ref(key.verifying_key());
            assert_eq!(key.verifying_key().algorithms().collect::<Vec<_>>(), [algorithm.into()]);
            let token = key.sign(&json!({"sub": "s"}), "JWT").unwrap();
            let any = Expected { algorithms: &Algorithm::ALL, typ: Typ::OneOf(&["JWT"]) };
            assert_eq!(verify(&token, own, &any).unwrap().algorithm, algorithm.into());
            let document = json!({"keys": [key.jwk()]}).to_string();
            assert!(verify(&token, &VerifyingKey::set(document.as_bytes()).unwrap(), &any).is_ok());
            let again = SigningKey::import(algorithm, &key.pkcs8().unwrap(), key.certificate()).unwrap();
            assert_eq!((again.jwk(), again.algorithm()), (key.jwk(), algorithm));
            let (_, certificate) = x509_parser::parse_x509_certificate(key.certificate()).unwrap();
            assert!(certificate.subject().to_string().contains("tenant"));
            for other in SigningAlgorithm::ALL.into_iter().filter(|other| *other != algorithm) {
                let read = SigningKey::import(other, &key.pkcs8().unwrap(), key.certificate());
                // Both kinds of RSA have the same keys; what a row says decides.
                let both_rsa = [algorithm, other].iter().all(|a| matches!(a.as_str(), "RS256" | "PS256"));
                assert_eq!(read.is_ok(), both_rsa);
                if let Ok(read) = read {
                    let read = std::slice::from_ref(read.verifying_key());
                    assert_eq!(verify(&token, read, &any).unwrap_err(), Refusal::KeyMismatch);
                }
            }
        }
    }

    #[test]
    fn a_key_may_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<SigningKey>();
    }
}
