//! Documents that visitors accept (sign-up.md 10: versioned terms with evidence, in place of TOU-01's bare
//! checkbox).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A document in one version. A version never changes its words; it may get more languages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Terms {
    /// What tells the document from others of the flow: lower-case letters, digits and hyphens.
    #[schemars(regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"), length(max = 32))]
    pub id: String,
    /// The version, such as `2026-11`. People who accepted another one are asked again when they sign in.
    #[schemars(length(min = 1, max = 64))]
    pub version: String,
    /// `false`: the box may stay empty. Such a document is shown at sign-up only.
    #[serde(default = "yes")]
    pub required: bool,
    /// The document in each language, the one for everybody else first.
    #[schemars(length(min = 1))]
    pub languages: Vec<TermsText>,
}

/// A document in one language: its words, or where they are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TermsText {
    /// The language as a BCP 47 tag, such as `en` or `pt-BR`.
    pub language: String,
    /// The name by which visitors know it.
    #[schemars(length(min = 1, max = 256))]
    pub title: String,
    /// The words, in Markdown without HTML and pictures.
    #[serde(default)]
    pub text: Option<String>,
    /// Where the words are, instead of `text`: an `https` address.
    #[serde(default)]
    pub link: Option<String>,
}

/// One document that somebody accepted, in the language in which it was shown to them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agreement {
    /// The document.
    pub document: String,
    /// Its version.
    pub version: String,
    /// The language, as the document writes it.
    pub language: String,
}

impl Terms {
    /// The document in the language that the tag names.
    pub fn in_language(&self, language: &str) -> Option<&TermsText> {
        self.languages.iter().find(|text| text.language.eq_ignore_ascii_case(language))
    }
}

impl TermsText {
    /// What an acceptance is evidence of: title, then text or address, with an empty line between them.
    pub fn evidence(&self) -> String {
        let words = self.text.as_deref().or(self.link.as_deref()).unwrap_or_default();
        format!("{}\n\n{words}", self.title)
    }
}

/// The document for somebody who reads these languages, the best one first (RFC 4647 section 3.4, lookup).
pub fn choose<'t>(texts: &'t [TermsText], languages: &[String]) -> Option<&'t TermsText> {
    let exact = |tag: &str| texts.iter().find(|text| text.language.eq_ignore_ascii_case(tag));
    let lookup = |tag: &String| {
        let mut tag = tag.as_str();
        loop {
            if let Some(found) = exact(tag) {
                return Some(found);
            }
            tag = tag.rsplit_once('-')?.0;
        }
    };
    languages.iter().find_map(lookup).or_else(|| texts.first())
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(languages: &[&str]) -> Vec<TermsText> {
        let text = |language: &&str| TermsText {
            language: (*language).to_owned(),
            title: format!("Terms in {language}"),
            text: Some("Be kind.".to_owned()),
            link: None,
        };
        languages.iter().map(text).collect()
    }

    #[test]
    fn the_reader_gets_the_nearest_language_and_else_the_first() {
        let texts = texts(&["en", "de", "pt-BR"]);
        let chosen = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|tag| (*tag).to_owned()).collect();
            choose(&texts, &wanted).unwrap().language.clone()
        };
        assert_eq!(chosen(&["de-AT", "en"]), "de");
        assert_eq!(chosen(&["PT-br"]), "pt-BR");
        assert_eq!(chosen(&["pt"]), "en");
        assert_eq!(chosen(&["fr", "de"]), "de");
        assert_eq!(chosen(&[]), "en");
        assert_eq!(choose(&[], &["de".to_owned()]), None);
    }

    #[test]
    fn the_evidence_holds_all_that_was_shown() {
        let [mut text] = <[TermsText; 1]>::try_from(texts(&["en"])).unwrap();
        assert_eq!(text.evidence(), "Terms in en\n\nBe kind.");
        text.text = None;
        text.link = Some("https://woodgrove.example/terms".to_owned());
        assert_eq!(text.evidence(), "Terms in en\n\nhttps://woodgrove.example/terms");
    }
}
