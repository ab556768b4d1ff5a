//! Documents to accept: which ones a visitor is asked about, what they have ticked, and whether that is all
//! that the flow demands.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::flow::Flow;
use super::question::RawFields;
use crate::directory::terms::{Agreement, Terms};

/// What the name of a document's box begins with.
pub const PREFIX: &str = "terms-";

/// The name of a document's box.
pub fn field_name(terms: &Terms) -> String {
    format!("{PREFIX}{}", terms.id)
}

impl Flow {
    /// Whether nobody gets on who has not accepted something.
    pub fn demands_terms(&self) -> bool {
        self.terms.iter().any(|terms| terms.required)
    }
}

/// The documents that this visitor is asked about: a newcomer about all, an account about the required ones
/// that it has not accepted in their present version.
pub fn asked<'f>(flow: &'f Flow, facts: &Facts) -> Vec<&'f Terms> {
    let is_asked = |terms: &&Terms| match (&facts.authenticated, &facts.review) {
        (None, _) => true,
        (Some(_), Some(review)) => terms.required && !has(&review.terms, terms),
        (Some(_), None) => false,
    };
    flow.terms.iter().filter(is_asked).collect()
}

/// Whether this version of the document is among those accepted.
pub fn has(accepted: &[Agreement], terms: &Terms) -> bool {
    accepted.iter().any(|a| a.document == terms.id && a.version == terms.version)
}

/// What of a posted form is kept: the language of each document that was ticked. A box that was not ticked is
/// not posted.
pub(super) fn keep(flow: &Flow, facts: &Facts, posted: &RawFields) -> BTreeMap<String, String> {
    let ticked = |terms: &Terms| {
        let language = posted.get(&field_name(terms))?.first()?;
        Some((terms.id.clone(), terms.in_language(language)?.language.clone()))
    };
    asked(flow, facts).into_iter().filter_map(ticked).collect()
}

/// The required documents that were not ticked.
pub(super) fn missing<'f>(flow: &'f Flow, facts: &Facts) -> Vec<&'f Terms> {
    let open = |terms: &&Terms| terms.required && !facts.agreed.contains_key(&terms.id);
    asked(flow, facts).into_iter().filter(open).collect()
}

/// What the visitor accepts with this passage.
pub(super) fn agreements(flow: &Flow, facts: &Facts) -> Vec<Agreement> {
    let agreed = |terms: &Terms| {
        let language = facts.agreed.get(&terms.id)?;
        let language = terms.in_language(language)?.language.clone();
        Some(Agreement { document: terms.id.clone(), version: terms.version.clone(), language })
    };
    asked(flow, facts).into_iter().filter_map(agreed).collect()
}
