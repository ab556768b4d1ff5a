//! Names of countries in the visitor's language and in its order of letters, as CLDR has them.

use icu_collator::Collator;
use icu_collator::options::CollatorOptions;
use icu_experimental::displaynames::DisplayNamesOptions;
use icu_experimental::displaynames::multi::RegionDisplayNames;
use icu_locale_core::Locale;
use icu_locale_core::subtags::Region;
use vestibule_rules::journey::form::Choice;

/// The language that has names before all others fail.
const FALLBACK: &str = "en";

/// Gives the codes their names and sorts by them. Answers with the language that was used: the first of
/// those wanted that CLDR knows. A code without a name keeps itself for one.
pub fn name(languages: &[String], countries: &mut [Choice]) -> String {
    let mut wanted = languages.iter().map(String::as_str).chain([FALLBACK]);
    let Some((locale, names)) = wanted.find_map(names) else { return FALLBACK.to_owned() };
    for country in countries.iter_mut() {
        let region = Region::try_from_str(&country.value).ok();
        if let Some(name) = region.and_then(|region| names.of(region)) {
            name.clone_into(&mut country.label);
        }
    }
    match Collator::try_new((&locale).into(), CollatorOptions::default()) {
        Ok(collator) => countries.sort_by(|a, b| collator.compare(&a.label, &b.label)),
        Err(_) => countries.sort_by(|a, b| a.label.cmp(&b.label)),
    }
    locale.to_string()
}

/// The names of a language. An unknown one has none, and neither has `und`, into which anything falls.
fn names(language: &str) -> Option<(Locale, RegionDisplayNames)> {
    let mut locale = Locale::try_from_str(language).ok()?;
    // What a browser says of calendars and the like does not matter here.
    locale.extensions = icu_locale_core::extensions::Extensions::default();
    if locale.id.language.is_unknown() {
        return None;
    }
    let names = RegionDisplayNames::try_new((&locale).into(), DisplayNamesOptions::default()).ok()?;
    names.of(icu_locale_core::subtags::region!("DE")).is_some().then_some((locale, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(languages: &[&str], codes: &[&str]) -> (String, Vec<String>) {
        let languages: Vec<String> = languages.iter().map(|l| (*l).to_owned()).collect();
        let choice = |code: &&str| Choice { value: (*code).to_owned(), label: (*code).to_owned() };
        let mut countries: Vec<Choice> = codes.iter().map(choice).collect();
        let language = name(&languages, &mut countries);
        (language, countries.into_iter().map(|c| format!("{} {}", c.value, c.label)).collect())
    }

    #[test]
    fn names_and_order_are_those_of_the_language() {
        let (language, german) = named(&["de-CH-1996-u-co-phonebk"], &["DE", "ZM", "AT", "SE"]);
        assert_eq!(german, ["DE Deutschland", "AT Österreich", "ZM Sambia", "SE Schweden"]);
        assert_eq!(language, "de-CH-1996");
        let (_, swedish) = named(&["sv"], &["AT", "ZM", "AX"]);
        assert_eq!(swedish, ["ZM Zambia", "AX Åland", "AT Österrike"]);
        assert_eq!(named(&["ar"], &["AT"]).1, ["AT النمسا"]);
    }

    #[test]
    fn a_language_that_nobody_knows_is_passed_over() {
        for unknown in ["xx", "und", "*", "", "q=", "qaa-Latn", "\u{202E}"] {
            assert_eq!(named(&[unknown, "fr"], &["DE"]), ("fr".to_owned(), vec!["DE Allemagne".to_owned()]));
            assert_eq!(named(&[unknown], &["DE"]), ("en".to_owned(), vec!["DE Germany".to_owned()]));
        }
    }

    #[test]
    fn a_code_without_a_name_keeps_itself() {
        assert_eq!(named(&["en"], &["1", "DE"]).1, ["1 1", "DE Germany"]);
    }
}
