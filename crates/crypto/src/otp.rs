//! One-time codes: eight decimal digits, kept only as a keyed digest that is bound to its purpose and to
//! the journey that asked for it (security.md A18, A23).

use crate::{constant_time, digest};

/// How many codes there are.
const CODES: u64 = 100_000_000;

/// The largest multiple of [`CODES`] that fits; numbers at or above it are rejected.
const LIMIT: u64 = u64::MAX - u64::MAX % CODES;

/// Eight decimal digits, each code as likely as every other.
///
/// The bytes are read as two 64-bit numbers. Taking the remainder of any 64-bit number would favour small
/// codes, so a number in the incomplete last run of 10⁸ is rejected and the second one is read; below
/// [`LIMIT`] every code is the remainder of equally many numbers. Both are rejected once in 10²³ draws;
/// then the bytes are replaced by their hash, which is as good as another draw.
pub fn code_from(random: [u8; 16]) -> String {
    let mut block = random;
    loop {
        let (halves, _) = block.as_chunks::<8>();
        if let Some(number) = halves.iter().map(|half| u64::from_be_bytes(*half)).find(|n| *n < LIMIT) {
            return format!("{:08}", number % CODES);
        }
        block = digest::sha256(&block).first_chunk().copied().unwrap_or(block);
    }
}

/// What is stored of a code. `purpose` and `context` (journey, address) are part of it, so a code cannot be
/// carried to another place even if the digits agree.
pub fn code_digest(key: &[u8; 32], purpose: &str, context: &str, code: &str) -> [u8; 32] {
    digest::hmac_parts(key, &[b"otp", purpose.as_bytes(), context.as_bytes(), code.as_bytes()])
}

/// Whether two digests are of the same code.
pub fn matches(stored: &[u8], given: &[u8; 32]) -> bool {
    constant_time::eq(stored, given)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn draw(n: u64) -> [u8; 16] {
        *digest::sha256(&n.to_be_bytes()).first_chunk().unwrap()
    }

    #[test]
    fn codes_are_uniform_over_a_million_draws() {
        let mut first_three = vec![0u32; 1000];
        let mut last_three = vec![0u32; 1000];
        let draws = 1_000_000u32;
        for n in 0..draws {
            let code: usize = code_from(draw(u64::from(n))).parse().unwrap();
            first_three[code / 100_000] += 1;
            last_three[code % 1000] += 1;
        }
        // 999 degrees of freedom: mean 999, standard deviation 44.7; five of them on either side.
        for counts in [first_three, last_three] {
            let expected = f64::from(draws) / 1000.0;
            let chi: f64 = counts.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
            assert!((775.0..1223.0).contains(&chi), "chi-square {chi}");
        }
    }

    #[test]
    fn rejected_numbers_fall_through() {
        let mut second = [0xff; 16];
        second[8..].copy_from_slice(&7u64.to_be_bytes());
        assert_eq!(code_from(second), "00000007");
        let both = code_from([0xff; 16]);
        assert_eq!(both.len(), 8);
        assert_ne!(both, format!("{:08}", u64::MAX % CODES), "the incomplete run must not be used");
    }

    #[test]
    fn a_digest_is_bound_to_purpose_and_context() {
        let key = [7; 32];
        let stored = code_digest(&key, "sign-in", "journey-1", "01234567");
        assert!(matches(&stored, &code_digest(&key, "sign-in", "journey-1", "01234567")));
        for other in [
            code_digest(&key, "sign-up", "journey-1", "01234567"),
            code_digest(&key, "sign-in", "journey-2", "01234567"),
            code_digest(&key, "sign-in", "journey-1", "01234568"),
            code_digest(&[8; 32], "sign-in", "journey-1", "01234567"),
            code_digest(&key, "sign-inj", "ourney-1", "01234567"),
        ] {
            assert!(!matches(&stored, &other));
        }
        assert!(!matches(&stored[..31], &code_digest(&key, "sign-in", "journey-1", "01234567")));
    }

    proptest! {
        #[test]
        fn a_code_is_always_eight_digits(random in any::<[u8; 16]>()) {
            let code = code_from(random);
            prop_assert!(code.len() == 8 && code.bytes().all(|b| b.is_ascii_digit()));
        }
    }
}
