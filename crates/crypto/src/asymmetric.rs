//! What the keys of our client side have in common: their kinds, how their private half is read, and what
//! is published of them. The published shapes have no field that a private member could be put in.

use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Serialize;
use serde_json::{Map, Value};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Secret;
use zeroize::{Zeroize as _, Zeroizing};

use crate::digest::{base64url, sha256};

/// The kinds of keys that are made here. Keys that are brought along may be RSA keys of other sizes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyKind {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    P256,
    P384,
    Ed25519,
}

/// The members of a public JWK that are the key (RFC 7518 §6, RFC 8037 §2).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "kty")]
pub enum Material {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Ec { crv: &'static str, x: String, y: String },
    #[serde(rename = "OKP")]
    Okp { crv: &'static str, x: String },
}

impl Material {
    /// Modulus and exponent, big-endian without leading zeros.
    pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Self {
        Self::Rsa { n: base64url(n), e: base64url(e) }
    }

    /// An uncompressed point (SEC 1 §2.3.3), as the library gives it.
    pub(crate) fn ec(crv: &'static str, point: &[u8]) -> Outcome<Self> {
        let Some((4, coordinates)) = point.split_first() else {
            return Err(Fault::ours("the library gave a point in another form"));
        };
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        Ok(Self::Ec { crv, x: base64url(x), y: base64url(y) })
    }

    pub(crate) fn ed25519(public: &[u8]) -> Self {
        Self::Okp { crv: "Ed25519", x: base64url(public) }
    }

    /// The members of a public JWK, as they are written: the caller has read it as a key.
    pub(crate) fn of(jwk: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let own = |name: &str| text(name).map(str::to_owned);
        Some(match (text("kty")?, text("crv")) {
            ("RSA", _) => Self::Rsa { n: own("n")?, e: own("e")? },
            ("EC", Some("P-256")) => Self::Ec { crv: "P-256", x: own("x")?, y: own("y")? },
            ("EC", Some("P-384")) => Self::Ec { crv: "P-384", x: own("x")?, y: own("y")? },
            ("OKP", Some("Ed25519")) => Self::Okp { crv: "Ed25519", x: own("x")? },
            _ => return None,
        })
    }

    /// The SHA-256 thumbprint (RFC 7638 §3): a name that follows from the key alone.
    pub fn thumbprint(&self) -> String {
        // The members in the order of their names and without white space (§3.3). Their values are
        // base64url or constants, so nothing needs escaping.
        let canonical = match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::Ec { crv, x, y } => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Okp { crv, x } => format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#),
        };
        base64url(&sha256(canonical.as_bytes()))
    }
}

/// A public key as our `jwks_uri` publishes it (RFC 7517 §4).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PublicKeyJwk {
    #[serde(flatten)]
    pub material: Material,
    pub kid: String,
    /// `sig` or `enc`: no key does both (RFC 7517 §4.2).
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// The one algorithm of the key, when it has only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<&'static str>,
}

/// A private key as PKCS#8 DER (RFC 5958), to be sealed or read. It is wiped when it is dropped.
#[derive(Clone)]
pub struct Pkcs8(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Pkcs8 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pkcs8(…)")
    }
}

impl Pkcs8 {
    /// Takes the DER as it is; reading a key of it finds out whether it is one.
    pub fn new(der: Vec<u8>) -> Self {
        Self(Zeroizing::new(der))
    }

    /// The first `PRIVATE KEY` section of a PEM text (RFC 7468 §10).
    pub fn from_pem(pem: &Secret<String>) -> Outcome<Self> {
        let mut key = PrivatePkcs8KeyDer::from_pem_slice(pem.expose().as_bytes()).map_err(|_| {
            unreadable("there is no readable PRIVATE KEY section; encrypted and older forms are not read, convert them with `openssl pkcs8 -topk8 -nocrypt`")
        })?;
        let der = Self::new(key.secret_pkcs8_der().to_vec());
        key.zeroize();
        Ok(der)
    }

    /// The DER itself, for the one place that seals it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

pub(crate) fn unreadable(why: &str) -> Fault {
    Fault::malformed("privateKey", format!("the private key cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_thumbprint_agrees_with_rfc_7638_3_1() {
        let n = concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV",
            "4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7",
            "d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF4",
            "4-csFCur-kEgU8awapJzKnqDKgw"
        );
        let key = Material::Rsa { n: n.to_owned(), e: "AQAB".to_owned() };
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn the_thumbprint_agrees_with_rfc_8037_a_3_and_rfc_9449_6_1() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned();
        let key = Material::Okp { crv: "Ed25519", x };
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let key = Material::Ec {
            crv: "P-256",
            x: "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs".to_owned(),
            y: "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA".to_owned(),
        };
        assert_eq!(key.thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }

    #[test]
    fn a_published_key_is_flat() {
        let material = Material::Okp { crv: "Ed25519", x: "AA".to_owned() };
        let jwk = PublicKeyJwk { material, kid: "k".to_owned(), usage: "sig", alg: None };
        assert_eq!(
            serde_json::to_value(jwk).unwrap(),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "k", "use": "sig"})
        );
    }

    #[test]
    fn other_sections_are_not_read_as_keys() {
        for text in [
            "",
            "-----BEGIN PRIVATE KEY-----\n",
            "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
        ] {
            let fault = Pkcs8::from_pem(&Secret::new(text.to_owned())).unwrap_err();
            assert!(fault.detail.contains("PKCS#8") || fault.detail.contains("pkcs8"), "{}", fault.detail);
        }
    }
}
