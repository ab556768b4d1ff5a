//! DPoP proofs as a client makes them (RFC 9449): a token that is bound to a key is of no use to whoever
//! steals the token alone. Those that others show to us are checked in [`shown`].

pub mod shown;

use serde_json::{Map, Value, json};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Secret;
use vestibule_rules::time::Timestamp;

use crate::asymmetric::{KeyKind, Pkcs8};
use crate::client_key::ClientKey;
use crate::digest::{base64url, sha256};
use crate::jwk::Algorithm;

/// The key that tokens are bound to: P-256, because every server that does DPoP takes ES256.
#[derive(Debug)]
pub struct DpopKey(ClientKey);

/// One request that a proof is for. A proof is good for one request, so `jti` is drawn anew for each.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    pub method: &'a str,
    /// The address of the request; its query and fragment are left out of the proof (RFC 9449 §4.2).
    pub url: &'a str,
    /// The access token that the request carries; none at the token endpoint.
    pub access_token: Option<&'a Secret<String>>,
    /// The last `DPoP-Nonce` of this server (RFC 9449 §8 and §9).
    pub nonce: Option<&'a str>,
    pub jti: &'a str,
    pub issued_at: Timestamp,
}

impl DpopKey {
    /// Makes a key.
    pub fn generate() -> Outcome<Self> {
        ClientKey::generate(KeyKind::P256).map(Self)
    }

    /// Reads what [`Self::pkcs8`] gave.
    pub fn from_pkcs8(der: &Pkcs8) -> Outcome<Self> {
        let key = ClientKey::from_pkcs8(der)?;
        if key.algorithms() != [Algorithm::Es256] {
            return Err(Fault::ours("the stored DPoP key is of another type"));
        }
        Ok(Self(key))
    }

    /// The private key as PKCS#8 DER, to be sealed: refresh tokens may stay bound to it.
    pub fn pkcs8(&self) -> Outcome<Pkcs8> {
        self.0.pkcs8()
    }

    /// The value of `dpop_jkt` and of the confirmation `jkt` (RFC 9449 §6.1, §10).
    pub fn thumbprint(&self) -> String {
        self.0.material().thumbprint()
    }

    /// The value of the `DPoP` header (RFC 9449 §4.2).
    pub fn proof(&self, proof: &Proof<'_>) -> Outcome<String> {
        let header = Map::from_iter([
            ("typ".to_owned(), json!("dpop+jwt")),
            ("jwk".to_owned(), json!(self.0.material())),
        ]);
        let target = proof.url.split(['?', '#']).next().unwrap_or_default();
        let mut claims = Map::from_iter([
            ("jti".to_owned(), json!(proof.jti)),
            ("htm".to_owned(), json!(proof.method)),
            ("htu".to_owned(), json!(target)),
            ("iat".to_owned(), json!(proof.issued_at.seconds())),
        ]);
        if let Some(token) = proof.access_token {
            claims.insert("ath".to_owned(), json!(base64url(&sha256(token.expose().as_bytes()))));
        }
        if let Some(nonce) = proof.nonce {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        self.0.sign_with_header(Algorithm::Es256, header, &Value::Object(claims))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;
    use crate::jwk::VerifyingKey;
    use crate::jws::{Expected, Typ, verify};

    const REQUEST: Proof<'_> = Proof {
        method: "POST",
        url: "https://server.example.com/token",
        access_token: None,
        nonce: None,
        jti: "-BwC3ESc6acc2lTc",
        issued_at: Timestamp::from_seconds(1_562_262_616),
    };

    fn header(token: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
    }

    /// Checks a proof as a server does, with the key that it carries, and gives its claims.
    fn claims(token: &str) -> Value {
        let key = VerifyingKey::from_jwk(header(token)["jwk"].as_object().unwrap()).unwrap();
        let expected = Expected { algorithms: &[Algorithm::Es256], typ: Typ::OneOf(&["dpop+jwt"]) };
        Value::Object(verify(token, &[key], &expected).unwrap().claims)
    }

    #[test]
    fn a_proof_for_the_token_endpoint_is_the_one_of_rfc_9449_4_2() {
        let key = DpopKey::generate().unwrap();
        let token = key.proof(&REQUEST).unwrap();
        assert_eq!(
            claims(&token),
            json!({"jti": "-BwC3ESc6acc2lTc", "htm": "POST", "htu": "https://server.example.com/token",
                "iat": 1_562_262_616})
        );
        let header = header(&token);
        let mut names: Vec<_> = header.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["alg", "jwk", "typ"]);
        let mut members: Vec<_> = header["jwk"].as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["crv", "kty", "x", "y"]);
    }

    #[test]
    fn the_hash_of_the_access_token_agrees_with_rfc_9449_7_1() {
        let token = Secret::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".to_owned());
        let proof = Proof { method: "GET", access_token: Some(&token), nonce: Some("n"), ..REQUEST };
        let claims = claims(&DpopKey::generate().unwrap().proof(&proof).unwrap());
        assert_eq!(claims["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
        assert_eq!(claims["nonce"], "n");
    }

    #[test]
    fn query_and_fragment_are_left_out() {
        let key = DpopKey::generate().unwrap();
        for url in [
            "https://a.example/u?x=1",
            "https://a.example/u#f",
            "https://a.example/u?x#f",
            "https://a.example/u",
        ] {
            assert_eq!(claims(&key.proof(&Proof { url, ..REQUEST }).unwrap())["htu"], "https://a.example/u");
        }
    }

    #[test]
    fn a_key_survives_export_and_import() {
        let key = DpopKey::generate().unwrap();
        let again = DpopKey::from_pkcs8(&key.pkcs8().unwrap()).unwrap();
        assert_eq!(key.thumbprint(), again.thumbprint());
        let other = ClientKey::generate(KeyKind::P384).unwrap();
        assert!(DpopKey::from_pkcs8(&other.pkcs8().unwrap()).is_err());
        assert!(!format!("{key:?}").contains("pair"));
    }

    proptest! {
        #[test]
        fn any_request_can_be_proven(method in ".*", url in ".*", nonce in ".*", jti in ".*") {
            let key = DpopKey::generate().unwrap();
            let proof = Proof { method: &method, url: &url, nonce: Some(&nonce), jti: &jti, ..REQUEST };
            let claims = claims(&key.proof(&proof).unwrap());
            prop_assert_eq!(&claims["htm"], &method);
            prop_assert_eq!(&claims["nonce"], &nonce);
            prop_assert_eq!(&claims["jti"], &jti);
        }
    }
}
