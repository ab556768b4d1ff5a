//! What clients read first: the discovery document and the key set.

use std::sync::Arc;

use serde_json::Value;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::metadata;

use crate::env::Site;
use crate::registration;
use crate::visit::Visit;

/// The discovery document for the address that was asked: endpoints echo its segments, the issuer is the
/// same under all of them (native-auth-and-msal.md R1 to R6).
pub async fn document(site: &Site, visit: &Visit) -> Outcome<Vec<u8>> {
    let base = format!("{}{}", visit.origin, visit.segments.path());
    let signing = site.keyring.algorithms(&site.env, visit.tenant_id(), visit.now).await?;
    let mut document = metadata::document(&base, &visit.issuer(), &signing);
    if let (true, Value::Object(members)) = (registration::is_on(visit), &mut document) {
        let endpoint = format!("{base}{}", registration::ENDPOINT);
        members.insert("registration_endpoint".to_owned(), endpoint.into());
    }
    serde_json::to_vec(&document)
        .map_err(|error| Fault::ours(format!("the discovery document cannot be written: {error}")))
}

/// The key set of the tenant.
pub async fn keys(site: &Site, visit: &Visit) -> Outcome<Arc<[u8]>> {
    site.keyring.jwks(&site.env, visit.tenant_id(), &visit.issuer()).await
}
