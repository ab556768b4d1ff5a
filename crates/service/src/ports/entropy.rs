//! Randomness. Ids, codes, salts and tokens are drawn here and passed down as values, so that a journey can
//! be replayed to the byte.

use std::sync::atomic::{AtomicU64, Ordering};

use vestibule_crypto::digest::sha256;

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `out`.
    fn fill(&self, out: &mut [u8]);
}

/// Draws arrays; every [`Entropy`] has it, also behind `dyn`.
pub trait Draw {
    /// `N` random bytes.
    fn bytes<const N: usize>(&self) -> [u8; N];
}

impl<T: Entropy + ?Sized> Draw for T {
    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

/// The generator of the operating system.
#[derive(Clone, Copy, Default, Debug)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the Entropy port itself")]
    fn fill(&self, out: &mut [u8]) {
        // A server that cannot draw secrets must not run: every token it made would be guessable
        // (security.md A68).
        if getrandom::fill(out).is_err() {
            std::process::abort();
        }
    }
}

/// Bytes that depend on a seed and on how much was drawn before. For tests and previews only.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededEntropy {
    /// Starts the sequence that belongs to `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let number = self.drawn.fetch_add(1, Ordering::SeqCst);
            let block = sha256(&[self.seed.to_be_bytes(), number.to_be_bytes()].concat());
            for (to, from) in chunk.iter_mut().zip(block) {
                *to = from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_again() {
        let draw = |seed| {
            let entropy = SeededEntropy::new(seed);
            (entropy.bytes::<16>(), entropy.bytes::<100>())
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let entropy = SeededEntropy::new(1);
        assert_ne!(entropy.bytes::<32>(), entropy.bytes::<32>());
    }

    #[test]
    fn the_system_does_not_repeat_itself() {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        assert_ne!(entropy.bytes::<32>(), entropy.bytes::<32>());
        assert_ne!(entropy.bytes::<32>(), [0; 32]);
    }
}
