//! One small place for keys, signatures, hashing and sealing.
//!
//! Every primitive comes from a reviewed library (AWS-LC, the RustCrypto Argon2, rcgen); this crate decides
//! formats, limits and which primitive is used for what. It knows no users, requests or rows, reads no
//! clock, and never logs: time arrives as a value, and so does randomness wherever a result must be
//! replayable. Private keys and nonces are the exception: they come from the library's own generator.
//!
//! | module | holds |
//! | --- | --- |
//! | [`keyring`] | the keys that sign tokens, their certificates and public JWKs |
//! | [`jwk`], [`jws`], [`claims`] | verifying tokens of our own and of others (RFC 7515, 7517, 7519) |
//! | [`client_key`], [`asymmetric`] | signing as a client of other servers (RFC 7523), and what such keys publish |
//! | [`registered_key`], [`mac`] | what applications prove themselves with to us (RFC 7523) |
//! | [`jwe`] | decrypting what providers encrypt for us (RFC 7516) |
//! | [`dpop`] | proofs that we hold the key of a token (RFC 9449) |
//! | [`json`] | reading JSON without duplicate members |
//! | [`password`] | Argon2id and the bounded pool it runs on |
//! | [`otp`] | one-time codes |
//! | [`seal`] | secrets at rest, and keys derived by purpose |
//! | [`digest`], [`constant_time`] | hashes, client secrets, opaque tokens, pairwise subjects |

pub mod asymmetric;
pub mod claims;
pub mod client_key;
pub mod constant_time;
pub mod digest;
pub mod dpop;
pub mod json;
pub mod jwe;
pub mod jwk;
pub mod jws;
pub mod keyring;
pub mod mac;
pub mod otp;
pub mod password;
pub mod registered_key;
pub mod seal;

/// Bytes of the library's generator.
///
/// A generator that fails must end the process: every value made without it would be guessable, and no
/// caller can do anything better than stop (security.md A68).
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}
