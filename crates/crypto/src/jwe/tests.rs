use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, ECDH_P384, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::cipher::{AES_128, AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac::{HMAC_SHA256, HMAC_SHA512};
use aws_lc_rs::key_wrap::{self, AesKek, KeyWrap};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use vestibule_rules::text::Secret;

use super::*;
use crate::asymmetric::{KeyKind, Material, Pkcs8};
use crate::client_key::ClientKey;
use crate::digest::base64url;
use crate::jwk::{Algorithm, VerifyingKey};
use crate::jws::{Expected, Typ};

/// Tokens of the RFCs and of panva/jose, with the keys that they are for.
#[derive(Deserialize)]
struct Corpus {
    keys: BTreeMap<String, String>,
    vectors: Vec<Vector>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Vector {
    source: String,
    key: String,
    alg: String,
    enc: String,
    /// The name that the RFC gives its key.
    kid: Option<String>,
    text: String,
    token: String,
}

#[derive(Deserialize)]
struct Refused {
    source: String,
    key: String,
    token: String,
}

static VECTORS: LazyLock<Corpus> =
    LazyLock::new(|| serde_json::from_str(include_str!("vectors.json")).unwrap());

fn vector_key(name: &str, algorithm: KeyManagement) -> DecryptionKey {
    DecryptionKey::from_pem(&Secret::new(VECTORS.keys[name].clone()), algorithm).unwrap()
}

/// A key for each algorithm, and for each curve where there are two.
static KEYS: LazyLock<Vec<DecryptionKey>> = LazyLock::new(|| {
    let rsa = [KeyManagement::RsaOaep, KeyManagement::RsaOaep256].map(|a| vector_key("rfc7516-a1", a));
    let ec = KeyManagement::ALL.into_iter().filter(|algorithm| algorithm.name().starts_with("ECDH"));
    let ec =
        ec.flat_map(|a| [KeyKind::P256, KeyKind::P384].map(|kind| DecryptionKey::generate(kind, a).unwrap()));
    rsa.into_iter().chain(ec).collect()
});

/// The encrypting side, as a provider has it; the product itself never encrypts.
fn encrypt(key: &DecryptionKey, encryption: ContentEncryption, extra: &Value, text: &[u8]) -> String {
    let mut header = json!({"alg": key.algorithm().name(), "enc": encryption.name()});
    header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let mut content_key = crate::random::<64>()[..encryption.key_len()].to_vec();
    let encrypted = match &key.jwk().material {
        Material::Rsa { .. } => rsa_encrypted(key, &content_key),
        Material::Ec { crv, x, y } => {
            let algorithm = if *crv == "P-256" { &ECDH_P256 } else { &ECDH_P384 };
            let ephemeral = PrivateKey::generate(algorithm).unwrap();
            let point = ephemeral.compute_public_key().unwrap();
            header["epk"] = json!(Material::ec(crv, point.as_ref()).unwrap());
            let ours =
                [vec![4], URL_SAFE_NO_PAD.decode(x).unwrap(), URL_SAFE_NO_PAD.decode(y).unwrap()].concat();
            let agreed = |name: &str, length| {
                agree(&ephemeral, UnparsedPublicKey::new(algorithm, &ours), (), |shared| {
                    Ok(key::derive(shared, name, length, header.as_object().unwrap()).unwrap())
                })
                .unwrap()
            };
            let wrapped = |cipher, length| {
                let mut out = vec![0; content_key.len() + 8];
                let kek = agreed(key.algorithm().name(), length);
                AesKek::new(cipher, &kek).unwrap().wrap(&content_key, &mut out).unwrap();
                out
            };
            match key.algorithm() {
                KeyManagement::EcdhEsA128Kw => wrapped(&key_wrap::AES_128, 16),
                KeyManagement::EcdhEsA256Kw => wrapped(&key_wrap::AES_256, 32),
                _ => {
                    content_key = agreed(encryption.name(), encryption.key_len()).to_vec();
                    Vec::new()
                }
            }
        }
        Material::Okp { .. } => unreachable!("no such decryption key"),
    };
    sealed(&header.to_string(), &encrypted, encryption, (&content_key, text))
}

fn rsa_encrypted(key: &DecryptionKey, content_key: &[u8]) -> Vec<u8> {
    let public = PrivateDecryptingKey::from_pkcs8(key.pkcs8().unwrap().expose()).unwrap().public_key();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let hash = match key.algorithm() {
        KeyManagement::RsaOaep => &OAEP_SHA1_MGF1SHA1,
        _ => &OAEP_SHA256_MGF1SHA256,
    };
    let mut out = vec![0; public.ciphertext_size()];
    public.encrypt(hash, content_key, &mut out, None).unwrap();
    out
}

/// Encrypts the content and joins the parts.
fn sealed(
    header: &str,
    encrypted: &[u8],
    encryption: ContentEncryption,
    (content_key, text): (&[u8], &[u8]),
) -> String {
    let protected = base64url(header.as_bytes());
    let mut body = text.to_vec();
    let gcm = |algorithm, body: &mut Vec<u8>| {
        let key = LessSafeKey::new(UnboundKey::new(algorithm, content_key).unwrap());
        let iv = crate::random::<12>();
        let aad = Aad::from(protected.as_bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(iv), aad, body).unwrap();
        let tag = body.split_off(body.len() - 16);
        (iv.to_vec(), tag)
    };
    let cbc = |hash, block, body: &mut Vec<u8>| {
        let (mac_key, aes_key) = content_key.split_at(content_key.len() / 2);
        let iv = crate::random::<16>();
        let key =
            PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(block, aes_key).unwrap()).unwrap();
        key.less_safe_encrypt(body, EncryptionContext::Iv128(iv.into())).unwrap();
        let parts = Parts { associated: protected.as_bytes(), iv: &iv, ciphertext: body, tag: b"" };
        let tag = content::cbc_tag(hash, mac_key, &parts).unwrap();
        (iv.to_vec(), tag)
    };
    let (iv, tag) = match encryption {
        ContentEncryption::A128Gcm => gcm(&AES_128_GCM, &mut body),
        ContentEncryption::A256Gcm => gcm(&AES_256_GCM, &mut body),
        ContentEncryption::A128CbcHs256 => cbc(HMAC_SHA256, &AES_128, &mut body),
        ContentEncryption::A256CbcHs512 => cbc(HMAC_SHA512, &AES_256, &mut body),
    };
    [&protected, &base64url(encrypted), &base64url(&iv), &base64url(&body), &base64url(&tag)]
        .map(String::as_str)
        .join(".")
}

fn all(token: &str, key: &DecryptionKey) -> Result<Decrypted, NotDecrypted> {
    decrypt(token, &[key], &ContentEncryption::ALL)
}

fn refused(token: &str, key: &DecryptionKey) -> bool {
    all(token, key).is_err()
}

#[test]
fn the_tokens_of_rfc_7516_rfc_7520_and_another_implementation_are_read() {
    for vector in &VECTORS.vectors {
        let key = vector_key(&vector.key, KeyManagement::parse(&vector.alg).unwrap());
        let encryption = ContentEncryption::parse(&vector.enc).unwrap();
        let key = match &vector.kid {
            Some(kid) => key.with_kid(kid),
            None => key,
        };
        let what = format!("{} {} {}", vector.source, vector.alg, vector.enc);
        let decrypted = decrypt(&vector.token, &[&key], &[encryption]).expect(&what);
        assert_eq!(decrypted.text(), vector.text, "{what}");
        let others: Vec<_> = ContentEncryption::ALL.into_iter().filter(|e| *e != encryption).collect();
        assert!(decrypt(&vector.token, &[&key], &others).is_err(), "{what}: not agreed");
    }
}

#[test]
fn rsa1_5_is_refused_even_with_the_right_key() {
    for vector in &VECTORS.refused {
        for algorithm in [KeyManagement::RsaOaep, KeyManagement::RsaOaep256] {
            assert!(refused(&vector.token, &vector_key(&vector.key, algorithm)), "{}", vector.source);
        }
    }
    assert_eq!(KeyManagement::parse("RSA1_5"), None);
}

#[test]
fn the_concat_kdf_agrees_with_rfc_7518_appendix_c() {
    let decode = |text| URL_SAFE_NO_PAD.decode(text).unwrap();
    let bob =
        PrivateKey::from_private_key(&ECDH_P256, &decode("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"));
    let alice = [
        vec![4],
        decode("gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"),
        decode("SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"),
    ]
    .concat();
    let header = json!({"apu": "QWxpY2U", "apv": "Qm9i"});
    let key = agree(&bob.unwrap(), UnparsedPublicKey::new(&ECDH_P256, alice), (), |shared| {
        Ok(key::derive(shared, "A128GCM", 16, header.as_object().unwrap()).unwrap())
    });
    assert_eq!(base64url(&key.unwrap()), "VqqN6vgjbSBcIijNcacQGg");
}

#[test]
fn every_combination_goes_there_and_back() {
    for key in KEYS.iter() {
        for encryption in ContentEncryption::ALL {
            let token = encrypt(key, encryption, &json!({"kid": key.kid()}), "text – Ünicode".as_bytes());
            assert_eq!(all(&token, key).unwrap().text(), "text – Ünicode");
            assert!(is_encrypted(&token));
        }
    }
}

#[test]
fn a_signed_token_inside_is_verified_by_its_own_keys() {
    let (provider, key) = (ClientKey::generate(KeyKind::P256).unwrap(), &KEYS[0]);
    let signed = provider.sign(Algorithm::Es256, &Map::new(), &json!({"sub": "s"})).unwrap();
    let keys = VerifyingKey::set(json!({"keys": [provider.jwk()]}).to_string().as_bytes()).unwrap();
    let expected = Expected { algorithms: &[Algorithm::Es256], typ: Typ::Any };
    for extra in [json!({}), json!({"cty": "JWT"}), json!({"cty": "application/jwt"})] {
        let token = encrypt(key, ContentEncryption::A256Gcm, &extra, signed.as_bytes());
        let decrypted = all(&token, key).unwrap();
        let verified = decrypted.jwt().unwrap().verify(&keys, &expected).unwrap();
        assert_eq!(verified.claims["sub"], "s");
        assert!(decrypted.unsigned_claims().is_err());
    }
    let token = encrypt(key, ContentEncryption::A256Gcm, &json!({"cty": "text/plain"}), signed.as_bytes());
    assert_eq!(all(&token, key).unwrap().jwt().err(), Some(Refusal::WrongType));
}

#[test]
fn userinfo_may_be_encrypted_and_not_signed() {
    let key = &KEYS[0];
    let token = encrypt(key, ContentEncryption::A128Gcm, &json!({}), br#"{"sub":"s"}"#);
    assert_eq!(all(&token, key).unwrap().unsigned_claims().unwrap()["sub"], "s");
    let token = encrypt(key, ContentEncryption::A128Gcm, &json!({"cty": "JWT"}), br#"{"sub":"s"}"#);
    assert!(all(&token, key).unwrap().unsigned_claims().is_err());
    let token = encrypt(key, ContentEncryption::A128Gcm, &json!({}), br#"{"sub":"a","sub":"b"}"#);
    assert!(all(&token, key).unwrap().unsigned_claims().is_err());
}

#[test]
fn every_changed_bit_of_every_part_is_noticed() {
    for key in [&KEYS[1], &KEYS[2], &KEYS[4]] {
        for encryption in [ContentEncryption::A128CbcHs256, ContentEncryption::A256Gcm] {
            let token = encrypt(key, encryption, &json!({}), b"some text of more than one block");
            let parts: Vec<_> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
            for (index, part) in parts.iter().enumerate() {
                // Every byte of what is short, and each 16th of a long encrypted key.
                for at in (0..part.len()).step_by(if part.len() > 200 { 16 } else { 1 }) {
                    let mut changed = parts.clone();
                    changed[index][at] ^= 1;
                    let token: Vec<_> = changed.iter().map(|part| base64url(part)).collect();
                    assert!(refused(&token.join("."), key), "part {index} byte {at}");
                }
                for cut in [Vec::new(), part.iter().skip(1).copied().collect(), [&part[..], &[0]].concat()] {
                    let mut changed = parts.clone();
                    if changed[index] != cut {
                        changed[index] = cut;
                        let token: Vec<_> = changed.iter().map(|part| base64url(part)).collect();
                        assert!(refused(&token.join("."), key), "part {index} cut");
                    }
                }
            }
        }
    }
}

#[test]
fn the_tag_has_one_length() {
    for encryption in ContentEncryption::ALL {
        let token = encrypt(&KEYS[2], encryption, &json!({}), b"some text of more than one block");
        let parts: Vec<_> = token.split('.').collect();
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let (body, tag) = (decode(parts[3]), decode(parts[4]));
        let joined = [&body[..], &tag].concat();
        // Another border between content and tag would be another spelling of the same token.
        for border in 0..=joined.len() {
            let (body_part, tag_part) = joined.split_at(border);
            let (body_part, tag_part) = (base64url(body_part), base64url(tag_part));
            let moved = [parts[0], parts[1], parts[2], &body_part, &tag_part].join(".");
            assert_eq!(refused(&moved, &KEYS[2]), border != body.len(), "{encryption:?} {border}");
        }
    }
}

#[test]
fn a_key_that_cannot_be_opened_is_replaced_by_a_random_one() {
    let header = json!({});
    let encryption = ContentEncryption::A256CbcHs512;
    for key in KEYS.iter() {
        let one = key.content_key(header.as_object().unwrap(), b"garbage", encryption);
        let other = key.content_key(header.as_object().unwrap(), b"garbage", encryption);
        assert_eq!(one.len(), encryption.key_len());
        assert_ne!(*one, *other, "it must not be a key that anybody knows");
    }
    // A key of another length, well encrypted, is one that cannot be opened too.
    let key = &KEYS[0];
    let short = rsa_encrypted(key, &[7; 16]);
    let opened = key.content_key(header.as_object().unwrap(), &short, encryption);
    assert_eq!(opened.len(), encryption.key_len());
    assert!(!opened.starts_with(&[7; 16]));
}

#[test]
fn header_parameters_that_change_the_meaning_are_refused() {
    let key = &KEYS[0];
    let encryption = ContentEncryption::A256Gcm;
    for extra in [
        json!({"zip": "DEF"}),
        json!({"crit": ["exp"], "exp": 1}),
        json!({"crit": []}),
        json!({"kid": 1}),
        json!({"kid": "another"}),
        json!({"cty": ["JWT"]}),
        json!({"alg": "RSA1_5"}),
        json!({"alg": "RSA-OAEP-256"}),
        json!({"alg": "dir"}),
        json!({"alg": "none"}),
        json!({"alg": null}),
        json!({"alg": "rsa-oaep"}),
        json!({"enc": "A192GCM"}),
        json!({"enc": "A128GCM"}),
        json!({"enc": "none"}),
        json!({"enc": 1}),
    ] {
        assert!(refused(&encrypt(key, encryption, &extra, b"text"), key), "{extra}");
    }
    for header in [
        "",
        "[]",
        r#"{"alg":"RSA-OAEP"}"#,
        r#"{"enc":"A256GCM"}"#,
        r#"{"alg":"RSA1_5","alg":"RSA-OAEP","enc":"A256GCM"}"#,
    ] {
        let token = sealed(header, &rsa_encrypted(key, &[1; 32]), encryption, (&[1; 32], b"text"));
        assert!(refused(&token, key), "{header}");
    }
}

#[test]
fn a_bad_ephemeral_key_is_refused() {
    let key = DecryptionKey::generate(KeyKind::P256, KeyManagement::EcdhEs).unwrap();
    let encryption = ContentEncryption::A256Gcm;
    let good = encrypt(&key, encryption, &json!({}), b"text");
    let (header, rest) = good.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    let p384 = DecryptionKey::generate(KeyKind::P384, KeyManagement::EcdhEs).unwrap();
    for (name, value) in [
        // The attack on curves: a point that is on another, weaker curve.
        ("y", json!(base64url(&[1; 32]))),
        ("x", json!(base64url(&[0; 32]))),
        ("x", json!(base64url(&[1; 31]))),
        ("x", json!(1)),
        ("crv", json!("P-384")),
        ("crv", json!("X25519")),
        ("kty", json!("OKP")),
        ("d", json!("AA")),
    ] {
        let mut changed = header.clone();
        changed["epk"][name] = value;
        let object = changed.as_object().unwrap();
        assert!(refused(&format!("{}.{rest}", base64url(changed.to_string().as_bytes())), &key), "{name}");
        let (one, other) =
            (key.content_key(object, b"", encryption), key.content_key(object, b"", encryption));
        assert_ne!(*one, *other, "{name} {}: nothing was agreed with it", changed["epk"][name]);
    }
    for epk in [json!(null), json!("text"), json!({}), json!(p384.jwk())] {
        let mut changed = header.clone();
        changed["epk"] = epk;
        assert!(refused(&format!("{}.{rest}", base64url(changed.to_string().as_bytes())), &key));
    }
    // What is agreed directly is encrypted nowhere (RFC 7518 §4.6).
    let parts: Vec<_> = good.split('.').collect();
    assert!(refused(&[parts[0], "AAAA", parts[2], parts[3], parts[4]].join("."), &key));
}

#[test]
fn keys_are_found_by_name_or_by_their_algorithm() {
    let encryption = ContentEncryption::A256Gcm;
    let make = || DecryptionKey::generate(KeyKind::P256, KeyManagement::EcdhEs).unwrap();
    let keys: Vec<_> = (0..6).map(|_| make()).collect();
    let all: Vec<_> = keys.iter().collect();
    let named = encrypt(&keys[5], encryption, &json!({"kid": keys[5].kid()}), b"text");
    assert!(decrypt(&named, &all, &[encryption]).is_ok());
    assert!(decrypt(&named, &all[..5], &[encryption]).is_err());
    assert!(decrypt(&named, &[], &[encryption]).is_err());
    let unnamed = |key| encrypt(key, encryption, &json!({}), b"text");
    assert!(decrypt(&unnamed(&keys[MOST_TRIED - 1]), &all, &[encryption]).is_ok());
    assert!(decrypt(&unnamed(&keys[MOST_TRIED]), &all, &[encryption]).is_err(), "the bound holds");
    let other = DecryptionKey::generate(KeyKind::P256, KeyManagement::EcdhEsA128Kw).unwrap();
    assert!(
        decrypt(&unnamed(&other), &[&keys[0], &keys[1], &keys[2], &keys[3], &other], &[encryption]).is_ok()
    );
}

#[test]
fn sizes_are_bounded() {
    let key = &KEYS[2];
    let encryption = ContentEncryption::A128Gcm;
    let content = |length: usize| encrypt(key, encryption, &json!({}), &vec![b'x'; length]);
    assert!(all(&content(64 * 1024), key).is_ok());
    assert!(refused(&content(TOKEN_MAX), key));
    let header = json!({"x": "x".repeat(HEADER_MAX)});
    assert!(refused(&encrypt(key, encryption, &header, b"text"), key));
    assert!(refused(&encrypt(key, encryption, &json!({}), b"\xff"), key), "no text");
    assert_eq!(all(&content(0), key).unwrap().text(), "");
    let token = content(1);
    for text in [format!("{token}."), format!("{token}.x"), format!("{token}="), token.replacen('.', "", 1)] {
        assert!(refused(&text, key));
    }
}

#[test]
fn one_error_says_nothing() {
    let fault = Fault::from(NotDecrypted);
    assert_eq!((fault.kind, fault.detail.as_str()), (Kind::WrongCredential, "the token cannot be decrypted"));
}

#[test]
fn keys_keep_to_the_algorithms_of_their_type() {
    for (kind, algorithm) in [
        (KeyKind::P256, KeyManagement::RsaOaep),
        (KeyKind::Rsa2048, KeyManagement::EcdhEs),
        (KeyKind::Ed25519, KeyManagement::EcdhEs),
    ] {
        assert!(DecryptionKey::generate(kind, algorithm).is_err(), "{kind:?} {algorithm:?}");
    }
    for algorithm in KeyManagement::ALL {
        assert_eq!(KeyManagement::parse(algorithm.name()), Some(algorithm));
    }
    for encryption in ContentEncryption::ALL {
        assert_eq!(ContentEncryption::parse(encryption.name()), Some(encryption));
    }
    let ed25519 = ClientKey::generate(KeyKind::Ed25519).unwrap().pkcs8().unwrap();
    assert!(DecryptionKey::from_pkcs8(&ed25519, KeyManagement::EcdhEs).is_err());
}

#[test]
fn a_key_survives_export_and_publishes_public_members_only() {
    for key in KEYS.iter() {
        let again = DecryptionKey::from_pkcs8(&key.pkcs8().unwrap(), key.algorithm()).unwrap();
        assert_eq!(key.jwk(), again.jwk());
        let jwk = serde_json::to_value(key.jwk()).unwrap();
        assert_eq!((&jwk["use"], &jwk["alg"]), (&json!("enc"), &json!(key.algorithm().name())));
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(jwk.get(private).is_none());
        }
        assert_eq!(format!("{key:?}"), format!("DecryptionKey {{ kid: {:?}, .. }}", key.kid()));
        let token = encrypt(key, ContentEncryption::A128Gcm, &json!({}), b"hidden");
        assert!(!format!("{:?}", all(&token, key).unwrap()).contains("hidden"));
        // A key for encryption is no key that signatures are verified with.
        assert!(VerifyingKey::from_jwk(jwk.as_object().unwrap()).is_err());
    }
}

#[test]
fn keys_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<DecryptionKey>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_encrypted_is_what_is_read(
        text in ".*", key in 2usize..8, encryption in 0usize..4, apu in any::<Vec<u8>>(), apv in any::<Vec<u8>>(),
    ) {
        let (key, encryption) = (&KEYS[key], ContentEncryption::ALL[encryption]);
        let extra = json!({"apu": base64url(&apu), "apv": base64url(&apv)});
        let token = encrypt(key, encryption, &extra, text.as_bytes());
        let decrypted = all(&token, key).unwrap();
        prop_assert_eq!(decrypted.text(), &text);
    }

    #[test]
    fn a_changed_character_is_refused(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.-]") {
        let vector = &VECTORS.vectors[2];
        let key = vector_key(&vector.key, KeyManagement::EcdhEs).with_kid(vector.kid.as_deref().unwrap());
        let at = at.index(vector.token.len());
        let mut token = vector.token.clone();
        token.replace_range(at..=at, &to);
        prop_assert!(token == vector.token || refused(&token, &key));
    }

    #[test]
    fn no_text_makes_it_panic(
        text in any::<String>(), key in 0usize..8, encryption in 0usize..4, extra in any::<BTreeMap<String, String>>(),
        parts in prop::array::uniform4(any::<Vec<u8>>()),
    ) {
        let (key, encryption) = (&KEYS[key], ContentEncryption::ALL[encryption]);
        prop_assert!(refused(&text, key));
        let mut header = json!(extra);
        header["alg"] = json!(key.algorithm().name());
        header["enc"] = json!(encryption.name());
        for epk in [json!(key.jwk()), json!(extra)] {
            header["epk"] = epk;
            let mut token = base64url(header.to_string().as_bytes());
            for part in &parts {
                token.push('.');
                token.push_str(&base64url(part));
            }
            prop_assert!(refused(&token, key));
        }
    }

    #[test]
    fn no_bytes_are_a_key_by_chance(bytes in any::<Vec<u8>>()) {
        for algorithm in KeyManagement::ALL {
            prop_assert!(DecryptionKey::from_pkcs8(&Pkcs8::new(bytes.clone()), algorithm).is_err());
        }
    }
}
