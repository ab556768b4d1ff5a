//! What somebody else said, as it may stand in a log, a table or on a terminal: bounded, in one line, and without
//! what looks like a secret, a code or a token. A provider that is asked with a secret may say it back.

/// Longest quotation, in characters.
const LONGEST: usize = 200;
/// A word of so many letters and digits is a secret until it is known to be something else.
const LONG_WORD: usize = 20;
const TAKEN_OUT: &str = "[…]";

/// A quotation; `secrets` are taken out wherever they stand.
pub(crate) fn quote(text: &str, secrets: &[&str]) -> String {
    // More than this cannot become a quotation, and need not be gone through.
    let mut text: String = text.chars().take(LONGEST * 20).collect();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, TAKEN_OUT);
    }
    let (mut quoted, mut word) = (String::new(), String::new());
    for c in text.chars().chain([' ']) {
        if is_of_a_word(c) {
            word.push(c);
            continue;
        }
        quoted.push_str(if is_secret(&word) { TAKEN_OUT } else { &word });
        quoted.push(c);
        word.clear();
    }
    let line = quoted.split_whitespace().collect::<Vec<_>>().join(" ");
    let long = line.chars().count() > LONGEST;
    let line: String = line.chars().take(LONGEST).collect();
    // Marks that turn the direction of a text would make a terminal show something else.
    let line = line.chars().flat_map(|c| if is_harmless(c) { vec![c] } else { c.escape_unicode().collect() });
    line.chain(long.then_some('…')).collect()
}

const fn is_of_a_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '+' | '/' | '=' | '%')
}

fn is_harmless(c: char) -> bool {
    let turns =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !turns
}

/// A JWT, or a long run of letters and digits that is neither the name of something nor a GUID.
fn is_secret(word: &str) -> bool {
    let word = word.trim_matches(['.', '=', '/']);
    if word.starts_with("eyJ") {
        return true;
    }
    // The parts of an address are looked at one by one.
    word.split(['/', '.', '=']).any(|part| {
        let letters = part.chars().any(|c| c.is_ascii_alphabetic());
        let digits = part.chars().filter(char::is_ascii_digit).count();
        part.len() >= LONG_WORD && letters && digits > 1 && uuid::Uuid::try_parse(part).is_err()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_harmless_stays_as_it_is() {
        for text in [
            "invalid_client: the client is not known",
            "AADSTS7000215: Invalid client secret provided.",
            "Trace ID: f86ee3a2-1c21-48b0-97fb-ab08841b2100",
            "see https://idp.example.com/oauth2/errors/invalid_client_credentials",
            "clé “inconnue”",
        ] {
            assert_eq!(quote(text, &[]), text);
        }
    }

    #[test]
    fn secrets_codes_and_tokens_are_taken_out() {
        assert_eq!(quote("wrong secret: hunter2!", &["hunter2"]), "wrong secret: […]!");
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
        assert_eq!(quote(&format!("bad {jwt}, sorry"), &[]), "bad […], sorry");
        assert_eq!(quote("code=4f0dDeadBeef4f0dDeadBeef4f0d was used", &[]), "[…] was used");
        assert_eq!(quote("4/0AX4XfWh8a9bC0dE1fG2hI3jK4lM5n", &[]), "[…]");
        assert_eq!(quote("eyJ and “ghp_16C7e42F292c6912E7710c838347Ae178B4a”", &[]), "[…] and “[…]”");
    }

    #[test]
    fn a_quotation_is_one_short_line_that_a_terminal_shows_as_it_is() {
        assert_eq!(quote("a\r\n\tb\u{1b}[31m c", &[]), "a b\\u{1b}[31m c");
        assert_eq!(quote("x\u{202e}y", &[]), "x\\u{202e}y");
        let long = quote(&"word ".repeat(10_000), &[]);
        assert_eq!(long.chars().count(), LONGEST + 1);
        // What is cut off cannot hide a half of a secret: it was taken out before.
        let text = format!("{}hunter2 and more", "x ".repeat(97));
        assert!(!quote(&text, &["hunter2"]).contains("hunt"));
    }
}
