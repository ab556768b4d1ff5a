//! Texts: which characters may be in one, and what makes a text an email address, a phone number, the address
//! of a web page or a country. A text is stored exactly as it was typed or refused, but for white space around
//! it, line ends and NFC.

use std::str::FromStr;

use phonenumber::country::Id;

use crate::directory::address::Address;
use crate::directory::flow::InputType;
use crate::journey::flow::Field;
use crate::text::Message;

/// Most characters of a phone number as people write it.
const PHONE_MAX: usize = 40;

/// What a text of that kind of input is stored as.
pub(super) fn stored(field: &Field, text: &str) -> Result<String, Message> {
    match field.input.input_type {
        InputType::EmailBox => email(text),
        InputType::Phone => phone(field, text).map(|number| number.stored),
        InputType::Url => url(text),
        InputType::Country => country(text).map(str::to_owned).ok_or_else(|| Message::new("field-option")),
        InputType::Text
        | InputType::NumericTextBox
        | InputType::DateTimeDropdown
        | InputType::RadioSingleSelect
        | InputType::DropdownSingleSelect
        | InputType::CheckboxMultiSelect
        | InputType::CheckboxSingleSelect
        | InputType::Boolean => Ok(text.to_owned()),
    }
}

/// Refuses what a reader could not see or would be deceived by.
pub(super) fn characters(field: &Field, text: &str) -> Result<(), Message> {
    let multiline = field.id.as_str() == "streetAddress";
    if text.chars().any(reorders) {
        return Err(Message::new("field-direction"));
    }
    let bad = |c: char| (c.is_control() && !(multiline && c == '\n')) || is_unseen(c);
    if text.chars().any(bad) || text.chars().all(|c| c.is_whitespace() || joins(c)) {
        return Err(Message::new("field-characters"));
    }
    Ok(())
}

/// The names of people have a letter in them, of whatever script (ATTR-16).
pub(super) fn name(field: &Field, text: &str) -> Result<(), Message> {
    let is_name = matches!(field.id.as_str(), "displayName" | "givenName" | "surname");
    if is_name && !text.chars().any(char::is_alphabetic) {
        return Err(Message::new("field-name"));
    }
    Ok(())
}

/// Characters that make a text read otherwise than it is stored, or hide in it.
pub(crate) const fn misleads(c: char) -> bool {
    reorders(c) || is_unseen(c)
}

/// Embeddings, overrides and isolates make the rest of a line read otherwise than it is stored ("Trojan
/// Source"). The marks that writers of Arabic and Hebrew need (U+200E, U+200F, U+061C) reorder nothing but
/// themselves and stay.
const fn reorders(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{206F}')
}

/// Separators that break lines of exports, invisible spaces, annotation anchors and private tags. Joiners
/// stay: names in Persian, Hindi and family emoji need them.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{200B}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Characters that show nothing alone: a value of nothing else would look empty.
const fn joins(c: char) -> bool {
    matches!(
        c,
        '\u{200C}'..='\u{200F}' | '\u{61C}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}'
            | '\u{180B}'..='\u{180E}' | '\u{FE00}'..='\u{FE0F}' | '\u{2800}'
    )
}

fn email(text: &str) -> Result<String, Message> {
    Address::parse(text).map(|address| address.as_string()).map_err(|_| Message::new("field-email"))
}

/// A phone number.
pub(super) struct Phone {
    /// E.164.
    pub(super) stored: String,
    /// Grouped as people of its country write it for abroad.
    pub(super) shown: String,
}

/// Reads a phone number. Letters are refused: an extension would be lost in E.164.
pub(super) fn phone(field: &Field, text: &str) -> Result<Phone, Message> {
    let home = field.input.default_region.as_deref().and_then(|code| Id::from_str(code).ok());
    let readable = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-–‑().//".contains(c);
    let wrong = || Message::new(if home.is_some() { "field-phone-home" } else { "field-phone" });
    if text.chars().count() > PHONE_MAX || !text.chars().all(readable) {
        return Err(wrong());
    }
    let number = phonenumber::parse(home, text).ok().filter(phonenumber::is_valid).ok_or_else(wrong)?;
    Ok(Phone {
        stored: number.format().mode(phonenumber::Mode::E164).to_string(),
        shown: number.format().mode(phonenumber::Mode::International).to_string(),
    })
}

/// Whether the phone library knows numbers of that country.
pub(crate) fn has_phones(code: &str) -> bool {
    country(code) == Some(code) && Id::from_str(code).is_ok()
}

/// The address of a web page in the URL standard's own form. `example.com` is what most people type; an
/// account in front of the host could only deceive.
fn url(text: &str) -> Result<String, Message> {
    let wrong = || Message::new("field-url");
    let complete = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = url::Url::parse(&complete).map_err(|_| wrong())?;
    let host = url.host_str().unwrap_or_default();
    let named = text.contains("://") || host.trim_end_matches('.').contains('.');
    let good = matches!(url.scheme(), "http" | "https")
        && !host.is_empty()
        && named
        && url.username().is_empty()
        && url.password().is_none()
        && !text.contains(char::is_whitespace);
    if good { Ok(url.into()) } else { Err(wrong()) }
}

/// The code of a country (ISO 3166-1 alpha-2), in whatever letter case it was written.
pub(crate) fn country(text: &str) -> Option<&'static str> {
    countries().find(|code| code.eq_ignore_ascii_case(text))
}

/// The codes of all countries.
pub(crate) fn countries() -> impl Iterator<Item = &'static str> {
    rust_iso3166::ALL_ALPHA2.iter().copied()
}
