//! Email addresses. Syntax is RFC 5321 by a library; domains are compared as A-labels (UTS 46).

use unicode_normalization::UnicodeNormalization;

/// A syntactically good address with one mailbox: no display name, no comment, no quoted local part, no
/// address literal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    local: String,
    domain: String,
}

/// Why a text is not an address that mail can be sent to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a deliverable email address")]
pub struct NotAnAddress;

impl Address {
    /// Longest address that SMTP can carry (RFC 5321 4.5.3.1.3).
    const MAX: usize = 254;

    /// Reads an address as a person typed it; white space around it is dropped.
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let text: String = text.trim().nfc().collect();
        // Before anything is mapped: IDNA would drop some of these without a word.
        if text.len() > Self::MAX || text.chars().any(|c| c.is_control() || is_invisible(c)) {
            return Err(NotAnAddress);
        }
        let options = email_address::Options::default().without_display_text().without_domain_literal();
        let parsed =
            email_address::EmailAddress::parse_with_options(&text, options).map_err(|_| NotAnAddress)?;
        let local = parsed.local_part();
        let domain = idna::domain_to_ascii_strict(parsed.domain()).map_err(|_| NotAnAddress)?;
        if !is_plain(local) || !is_host(&domain) {
            return Err(NotAnAddress);
        }
        let address = Self { local: local.to_owned(), domain };
        if address.as_string().len() > Self::MAX { Err(NotAnAddress) } else { Ok(address) }
    }

    /// The address to write in an envelope and in `mail`.
    pub fn as_string(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    /// The domain as an A-label in lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The form in which addresses are compared: compatibility-folded and without letter case. It is never
    /// written to; mail goes to the address that was stored.
    pub fn key(&self) -> String {
        let folded: String = self.local.nfkc().collect::<String>().to_lowercase().nfkc().collect();
        format!("{folded}@{}", self.domain)
    }

    /// The address with most of it hidden, for a page that must not tell it to a stranger: `c***r@co**o**o.com`.
    pub fn masked(&self) -> String {
        let hide = |text: &str| {
            let chars: Vec<char> = text.chars().collect();
            match (chars.first(), chars.last()) {
                (Some(first), Some(last)) if chars.len() > 2 => format!("{first}***{last}"),
                (Some(first), _) => format!("{first}***"),
                _ => "***".to_owned(),
            }
        };
        let (name, rest) = self.domain.split_once('.').unwrap_or((self.domain.as_str(), ""));
        let dot = if rest.is_empty() { "" } else { "." };
        format!("{}@{}{dot}{rest}", hide(&self.local), hide(name))
    }
}

/// Nothing quoted, and nothing that only looks like another letter: `ﬀ` and `ff` are two mailboxes with one
/// comparison key, so a code to the one must not open the account of the other (U29).
fn is_plain(local: &str) -> bool {
    !local.starts_with('"') && local.nfkc().eq(local.chars())
}

/// A name with a dot that is not a number, or `localhost`, which demos on one machine use.
fn is_host(domain: &str) -> bool {
    let top = domain.rsplit_once('.').map(|(_, top)| top);
    domain == "localhost" || top.is_some_and(|t| !t.bytes().all(|b| b.is_ascii_digit()))
}

/// Characters that change how a text looks or is compared without being seen.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests;
