//! What clients read first: the discovery document and the key set.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::metadata;
use vestibule_rules::oauth::signing::SigningAlgorithm;

use crate::env::Site;
use crate::registration;
use crate::visit::Visit;

/// Whoever asks chooses among the names of a tenant and the flows in the path, so not every document is kept.
const MOST: usize = 256;

/// The discovery documents that were asked for lately, by the address that their endpoints begin with.
#[derive(Default)]
pub struct Documents {
    known: RwLock<HashMap<String, Document>>,
}

/// A document with what it was made from.
struct Document {
    facts: Facts,
    text: Arc<[u8]>,
}

/// What a document says besides where its endpoints are.
#[derive(PartialEq, Eq)]
struct Facts {
    issuer: String,
    signing: Vec<SigningAlgorithm>,
    registration: bool,
}

impl Documents {
    fn find(&self, base: &str, facts: &Facts) -> Option<Arc<[u8]>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(base).filter(|document| document.facts == *facts).map(|document| Arc::clone(&document.text))
    }

    fn keep(&self, base: String, document: Document) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(base, document);
    }
}

/// The discovery document for the address that was asked: endpoints echo its segments, the issuer is the
/// same under all of them (native-auth-and-msal.md R1 to R6).
pub async fn document(site: &Site, visit: &Visit) -> Outcome<Arc<[u8]>> {
    let base = format!("{}{}", visit.origin, visit.segments.path());
    let facts = Facts {
        issuer: visit.issuer(),
        signing: site.keyring.algorithms(&site.env, visit.tenant_id(), visit.now).await?,
        registration: registration::is_on(visit),
    };
    if let Some(text) = site.documents.find(&base, &facts) {
        return Ok(text);
    }
    let mut document = metadata::document(&base, &facts.issuer, &facts.signing);
    if let (true, Value::Object(members)) = (facts.registration, &mut document) {
        let endpoint = format!("{base}{}", registration::ENDPOINT);
        members.insert("registration_endpoint".to_owned(), endpoint.into());
    }
    let text: Arc<[u8]> = serde_json::to_vec(&document)
        .map_err(|error| Fault::ours(format!("the discovery document cannot be written: {error}")))?
        .into();
    site.documents.keep(base, Document { facts, text: Arc::clone(&text) });
    Ok(text)
}

/// The key set of the tenant.
pub async fn keys(site: &Site, visit: &Visit) -> Outcome<Arc<[u8]>> {
    site.keyring.jwks(&site.env, visit.tenant_id(), &visit.issuer()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(issuer: &str) -> Facts {
        Facts { issuer: issuer.to_owned(), signing: vec![SigningAlgorithm::Rs256], registration: false }
    }

    #[test]
    fn a_document_is_found_as_long_as_it_is_true_and_never_too_many_are_kept() {
        let documents = Documents::default();
        for number in 0..=MOST {
            let document = Document { facts: facts("here"), text: b"{}".as_slice().into() };
            documents.keep(format!("https://login.example/{number}"), document);
            assert!(documents.known.read().unwrap().len() <= MOST);
        }
        let last = format!("https://login.example/{MOST}");
        assert_eq!(documents.find(&last, &facts("here")).as_deref(), Some(b"{}".as_slice()));
        assert_eq!(documents.find(&last, &facts("there")), None);
        let registers = Facts { registration: true, ..facts("here") };
        assert_eq!(documents.find(&last, &registers), None);
        assert_eq!(documents.find("https://login.example/0", &facts("here")), None);
    }
}
