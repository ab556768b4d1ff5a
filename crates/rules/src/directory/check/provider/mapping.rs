//! From a provider's claims to attributes.

use super::super::{Findings, Place, attribute};
use super::Provider;
use crate::directory::provider::claims::ClaimSource;
use crate::directory::tenant::TenantConfig;
use crate::ids::AttributeId;

/// What tells people apart and how they are written to; no attributes, though a provider may name them otherwise.
const PROTOCOL: [&str; 2] = ["sub", "email_verified"];

pub(super) fn check(config: &TenantConfig, provider: &Provider, at: &Place, found: &mut Findings) {
    for (attribute, rule) in &provider.settings.inbound_claim_mapping {
        let id = AttributeId::new(attribute.clone());
        let place = at.key("inboundClaimMapping").key(attribute);
        if !PROTOCOL.contains(&attribute.as_str()) && attribute::find(config, &id).is_none() {
            found.add(&place, "IDP-OIDC-02", attribute::unknown(config, &id));
        }
        if let Some(text) = problem(&rule.source()) {
            found.add(&place, "2.9", text);
        }
    }
}

fn problem(source: &ClaimSource) -> Option<&'static str> {
    if source.ways() != 1 {
        return Some("say exactly one of claim, firstOf, join and constant");
    }
    if source.names().iter().any(|name| name.trim().is_empty()) {
        return Some("a claim has a name");
    }
    if source.separator.is_some() && source.join.is_empty() {
        return Some("a separator stands between the claims of join");
    }
    if source.constant.is_some() && source.from.is_some() {
        return Some("a constant comes from nowhere; leave from out");
    }
    match &source.split {
        Some(split) if split.at.is_empty() => Some("say what the text is split at"),
        Some(split) if split.part == 0 => Some("the first part is 1, the last one -1"),
        Some(_) | None => None,
    }
}
