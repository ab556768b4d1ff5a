//! Hashes and what is made of them: opaque tokens, PKCE challenges, digests of client secrets and pairwise
//! subjects. What is kept of a token or a secret is always a digest.

use std::fmt::Write as _;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use vestibule_rules::text::Secret;

use crate::constant_time;
use crate::jwk::Algorithm;

/// SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    copy(digest::digest(&digest::SHA256, data).as_ref())
}

/// SHA-1, for the certificate thumbprint `x5t` (RFC 7517 §4.8) and nothing else: a thumbprint names a key
/// and protects nothing.
pub(crate) fn sha1_for_thumbprint(data: &[u8]) -> [u8; 20] {
    copy(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, data).as_ref())
}

/// HMAC-SHA-256 (RFC 2104).
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    copy(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref())
}

/// HMAC-SHA-256 over several parts. Each is preceded by its length, so that moving a character from one
/// part to the next gives another result.
pub fn hmac_parts(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    copy(context.sign().as_ref())
}

/// Bytes in hexadecimal, as `sha256sum` writes them.
pub fn hex(data: &[u8]) -> String {
    data.iter().fold(String::with_capacity(2 * data.len()), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Base64url without padding (RFC 7515 §2).
pub fn base64url(data: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(data)
}

/// An opaque token with 256 bits that nobody can guess.
pub fn token(random: [u8; 32]) -> String {
    base64url(&random)
}

/// The `S256` challenge of a PKCE verifier (RFC 7636 §4.2).
pub fn pkce_s256(verifier: &str) -> String {
    base64url(&sha256(verifier.as_bytes()))
}

/// `at_hash` and `c_hash` for an RS256 token: the left half of the SHA-256 (OpenID Connect Core 3.3.2.11).
pub fn half_hash(token: &str) -> String {
    half_hash_for(Algorithm::Rs256, token)
}

/// `at_hash` and `c_hash` for a token that is signed with `algorithm`: the left half of the hash that the
/// algorithm uses (OpenID Connect Core 3.1.3.6), which for Ed25519 is SHA-512 (RFC 8032 §5.1).
pub fn half_hash_for(algorithm: Algorithm, token: &str) -> String {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &digest::SHA256,
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => &digest::SHA384,
        Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::EdDsa => &digest::SHA512,
    };
    let whole = digest::digest(hash, token.as_bytes());
    let (half, _) = whole.as_ref().split_at(whole.as_ref().len() / 2);
    base64url(half)
}

/// The stored form of a client secret, `v1$salt$hash`.
///
/// Client secrets are random with 128 bits or more, so one HMAC under a salt of the record is enough: there
/// is no dictionary to try, and every token request has to compute it. Passwords go to [`crate::password`].
pub fn secret_hash(secret: &Secret<String>, salt: [u8; 16]) -> String {
    format!("v1${}${}", base64url(&salt), base64url(&hmac_sha256(&salt, secret.expose().as_bytes())))
}

/// Whether `secret` is the one `stored` was made of. A stored form that cannot be read matches nothing.
pub fn verify_secret(secret: &Secret<String>, stored: &str) -> bool {
    let mut parts = stored.split('$');
    let (Some("v1"), Some(salt), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Ok(salt), Ok(hash)) = (URL_SAFE_NO_PAD.decode(salt), URL_SAFE_NO_PAD.decode(hash)) else {
        return false;
    };
    constant_time::eq(&hmac_sha256(&salt, secret.expose().as_bytes()), &hash)
}

/// The first three characters of a client secret, which an administrator may see to tell secrets apart.
pub fn hint(secret: &Secret<String>) -> String {
    secret.expose().chars().take(3).collect()
}

/// `sub` for one sector (OpenID Connect Core 8.1): stable, and unlinkable between sectors without `key`.
pub fn pairwise(key: &[u8; 32], sector: &str, user: &str) -> String {
    base64url(&hmac_parts(key, &[b"pairwise", sector.as_bytes(), user.as_bytes()]))
}

/// The library returns slices of a length that its algorithm fixes.
fn copy<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn sha256_of_nothing_is_the_published_value() {
        assert_eq!(hex(&sha256(b"")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn sha1_of_abc_is_the_published_value() {
        assert_eq!(hex(&sha1_for_thumbprint(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn hmac_agrees_with_rfc_4231() {
        let cases: [(&[u8], &[u8], &str); 3] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, message, expected) in cases {
            assert_eq!(hex(&hmac_sha256(key, message)), expected);
        }
    }

    #[test]
    fn the_pkce_challenge_agrees_with_rfc_7636_appendix_b() {
        assert_eq!(
            pkce_s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn the_half_hash_agrees_with_the_example_of_openid_connect_core() {
        // OpenID Connect Core A.4 (c_hash) and A.3 (at_hash).
        assert_eq!(
            half_hash("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"),
            "LDktKdoQak3Pk0cnXxCltA"
        );
        assert_eq!(half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
    }

    #[test]
    fn a_token_carries_all_its_bits() {
        assert_eq!(token([0xff; 32]).len(), 43);
        assert_ne!(token([0; 32]), token([1; 32]));
    }

    #[test]
    fn a_client_secret_matches_only_itself() {
        let stored = secret_hash(&secret("q7~correct"), [3; 16]);
        assert!(stored.starts_with("v1$"));
        assert!(!stored.contains("correct"));
        assert!(verify_secret(&secret("q7~correct"), &stored));
        assert!(!verify_secret(&secret("q7~Correct"), &stored));
        assert_ne!(stored, secret_hash(&secret("q7~correct"), [4; 16]));
    }

    #[test]
    fn a_damaged_record_matches_nothing() {
        let stored = secret_hash(&secret("s"), [3; 16]);
        for damaged in
            ["", "v1$$", "v1$a", "v2$a$b", "v1$!$!", &format!("{stored}$x"), &stored.replacen("v1", "v0", 1)]
        {
            assert!(!verify_secret(&secret("s"), damaged), "{damaged}");
        }
    }

    #[test]
    fn the_hint_is_three_characters_and_not_three_bytes() {
        assert_eq!(hint(&secret("äöüß")), "äöü");
        assert_eq!(hint(&secret("a")), "a");
    }

    #[test]
    fn a_pairwise_subject_differs_by_sector_user_and_key() {
        let key = [1; 32];
        let base = pairwise(&key, "app.example", "u1");
        assert_eq!(base, pairwise(&key, "app.example", "u1"));
        assert_eq!(base.len(), 43);
        assert_ne!(base, pairwise(&key, "other.example", "u1"));
        assert_ne!(base, pairwise(&key, "app.example", "u2"));
        assert_ne!(base, pairwise(&[2; 32], "app.example", "u1"));
    }

    proptest! {
        #[test]
        fn parts_do_not_run_into_each_other(text in "[a-z]{2,12}", at in 1usize..11) {
            let at = at.min(text.len() - 1);
            let (left, right) = text.split_at(at);
            let split = hmac_parts(b"k", &[left.as_bytes(), right.as_bytes()]);
            prop_assert_ne!(split, hmac_parts(b"k", &[text.as_bytes(), b""]));
            prop_assert_ne!(split, hmac_parts(b"k", &[text.as_bytes()]));
        }

        #[test]
        fn every_secret_verifies(text in any::<String>(), salt in any::<[u8; 16]>()) {
            let stored = secret_hash(&secret(&text), salt);
            prop_assert!(verify_secret(&secret(&text), &stored));
            let longer = secret(&format!("{text}x"));
            prop_assert!(!verify_secret(&longer, &stored));
        }
    }
}
