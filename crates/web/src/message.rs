//! The message catalogue: the only place with prose. Layers below name a message; here it becomes words.

use std::collections::BTreeMap;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use rust_embed::RustEmbed;
use unic_langid::LanguageIdentifier;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Message;

/// The locale in which every message exists.
pub const FALLBACK: &str = "en";

/// Arguments that choose a plural form. All others are text: a code keeps its leading zeros.
const NUMBERS: &[&str] = &["count", "left", "max", "min", "minutes", "seconds"];

#[derive(RustEmbed)]
#[folder = "locales/"]
struct Files;

/// All messages in all locales.
pub struct Catalogue {
    bundles: BTreeMap<String, FluentBundle<FluentResource>>,
}

impl Catalogue {
    /// Reads the catalogue that is part of the program. A message that stands twice or does not parse is a
    /// fault.
    pub fn load() -> Outcome<Self> {
        let mut bundles = BTreeMap::new();
        for path in Files::iter() {
            let Some((locale, _)) = path.split_once('/') else { continue };
            let file = Files::get(&path).ok_or_else(|| Fault::ours(format!("{path} is gone")))?;
            let text =
                String::from_utf8(file.data.into_owned()).map_err(|e| Fault::ours(format!("{path}: {e}")))?;
            let resource =
                FluentResource::try_new(text).map_err(|(_, e)| Fault::ours(format!("{path}: {e:?}")))?;
            if !bundles.contains_key(locale) {
                bundles.insert(locale.to_owned(), bundle(locale)?);
            }
            if let Some(bundle) = bundles.get_mut(locale) {
                bundle.add_resource(resource).map_err(|e| Fault::ours(format!("{path}: {e:?}")))?;
            }
        }
        Ok(Self { bundles })
    }

    /// The words of a message. Falls back to English, and to the id where a message does not exist, so that
    /// a missing translation never takes a page away.
    pub fn text(&self, message: &Message, locale: &str) -> String {
        self.find(message, locale)
            .or_else(|| self.find(message, FALLBACK))
            .unwrap_or_else(|| message.id.clone())
    }

    /// Whether the message exists in exactly this locale.
    pub fn has(&self, id: &str, locale: &str) -> bool {
        self.bundles.get(locale).is_some_and(|b| b.get_message(id).is_some_and(|m| m.value().is_some()))
    }

    /// The locales that have messages.
    pub fn locales(&self) -> impl Iterator<Item = &str> {
        self.bundles.keys().map(String::as_str)
    }

    fn find(&self, message: &Message, locale: &str) -> Option<String> {
        let bundle = self.bundles.get(locale)?;
        let pattern = bundle.get_message(&message.id)?.value()?;
        let mut args = FluentArgs::new();
        for (name, value) in &message.args {
            match value.parse::<i32>() {
                Ok(number) if NUMBERS.contains(&name.as_str()) => args.set(name.as_str(), number),
                Ok(_) | Err(_) => args.set(name.as_str(), value.as_str()),
            }
        }
        // An argument that the message does not get is left in braces; the catalogue's test finds it.
        let mut errors = Vec::new();
        Some(bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned())
    }
}

fn bundle(locale: &str) -> Outcome<FluentBundle<FluentResource>> {
    let id: LanguageIdentifier = locale
        .parse()
        .map_err(|e| Fault::ours(format!("locales/{locale} is not named after a language: {e}")))?;
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // Isolation marks would end up in codes and addresses that people copy.
    bundle.set_use_isolating(false);
    Ok(bundle)
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
