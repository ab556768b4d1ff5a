//! Which passwords are good enough (SP 800-63B-4: length and a blocklist, no composition rules).

use unicode_normalization::UnicodeNormalization;

use super::flow::Flow;
use crate::text::{Message, Secret};

/// Shortest password where it is the only factor (SP 800-63B-4, A1) …
pub const MIN: usize = 15;
/// … and under `compatibility: strict` (PW-01).
pub const MIN_STRICT: usize = 8;
/// Longest password in characters (PW-01).
pub const MAX: usize = 256;

/// Guesses below which a password is on somebody's list: zxcvbn's score 2 begins here.
const GUESSES: u64 = 1_000_000;
/// zxcvbn's effort grows faster than the text; what is beyond this adds strength only.
const JUDGED: usize = 72;
/// A form full of words must not make the judgement slow.
const MOST_WORDS: usize = 200;

/// The password as it is hashed: NFC, so that both spellings of a letter are one password (A3).
pub fn normalise(password: &Secret<String>) -> Secret<String> {
    Secret::new(password.expose().nfc().collect())
}

/// The shortest password that the flow accepts.
pub const fn minimum(flow: &Flow) -> usize {
    if flow.strict { MIN_STRICT } else { MIN }
}

/// Judges a new password. `context` are words that the account's neighbours would try: names, addresses.
pub fn judge(flow: &Flow, password: &Secret<String>, context: &[&str]) -> Result<(), Message> {
    let text = password.expose();
    let length = text.chars().count();
    let minimum = minimum(flow);
    if length < minimum {
        return Err(Message::new("password-too-short").with("min", minimum));
    }
    if length > MAX {
        return Err(Message::new("password-too-long").with("max", MAX));
    }
    let words = context_words(flow, context);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let judged: String = text.chars().take(JUDGED).collect();
    if words.iter().any(|w| w.to_lowercase() == text.to_lowercase())
        || zxcvbn::zxcvbn(&judged, &words).guesses() < GUESSES
    {
        return Err(Message::new("password-easy"));
    }
    Ok(())
}

/// The words that the account's neighbours would try first, whole and in parts.
fn context_words(flow: &Flow, context: &[&str]) -> Vec<String> {
    let neighbours = [flow.tenant_name.as_str(), "vestibule"].into_iter().chain(context.iter().copied());
    let parts = |w: &str| -> Vec<String> {
        let parts = w.split(|c: char| !c.is_alphanumeric()).filter(|p| p.chars().count() > 3);
        parts.map(str::to_owned).collect()
    };
    let words = neighbours.flat_map(|w| std::iter::once(w.to_owned()).chain(parts(w)));
    words.filter(|w| !w.is_empty()).take(MOST_WORDS).collect()
}

#[cfg(test)]
mod tests;
