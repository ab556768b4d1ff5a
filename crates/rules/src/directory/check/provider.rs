//! Identity providers (sign-up.md 2.9).

use url::Url;

use super::{Findings, Place, attribute, is_strict, redirect, unique};
use crate::directory::provider::{
    ClientAuthentication, EMAIL_OTP, EMAIL_PASSWORD, IdentityProvider, ResponseType, SealedSecret,
};
use crate::directory::tenant::TenantConfig;
use crate::ids::AttributeId;

/// What an issuer may begin with instead of a host: the server's own first address.
const OWN_ORIGIN: &str = "{origin}";
/// Identity key, so never an attribute.
const SUBJECT: &str = "sub";

pub(super) fn check(config: &TenantConfig, found: &mut Findings) {
    let list = Place::top("identityProviders");
    for (i, provider) in config.identity_providers.iter().enumerate() {
        one(config, provider, &list.index(i), found);
    }
    let place = |i: usize, key: &str| list.index(i).key(key);
    let providers = &config.identity_providers;
    unique(
        providers.iter().enumerate().map(|(i, p)| (place(i, "id"), p.id.as_str())),
        "2.9",
        "the provider id",
        found,
    );
    unique(
        providers.iter().enumerate().map(|(i, p)| (place(i, "displayName"), p.display_name.as_str())),
        "2.9",
        "the provider's name",
        found,
    );
}

fn one(config: &TenantConfig, provider: &IdentityProvider<SealedSecret>, at: &Place, found: &mut Findings) {
    if let Some(text) = id_problem(provider.id.as_str()) {
        found.add(&at.key("id"), "2", text);
    }
    if provider.display_name.trim().is_empty() {
        found.add(&at.key("displayName"), "2.9", "the provider needs a name for its button");
    }
    if let Some(text) = issuer_problem(&provider.issuer) {
        found.add(&at.key("issuer"), "2.9", text);
    }
    if provider.client_id.is_empty() {
        found.add(&at.key("clientId"), "2.9", "the provider gives you a client id; write it here");
    }
    if !provider.scope.split(' ').any(|scope| scope == "openid") {
        found.add(&at.key("scope"), "2.9", "the scope must contain “openid”, or there is no ID token");
    }
    if provider.response_type == ResponseType::IdToken {
        found.add(
            &at.key("responseType"),
            "T-12",
            "“id_token” would send the token through the browser; only “code” is supported",
        );
    }
    strict(config, provider, at, found);
    for attribute in provider.inbound_claim_mapping.keys() {
        let id = AttributeId::new(attribute.clone());
        if attribute != SUBJECT && attribute::find(config, &id).is_none() {
            found.add(
                &at.key("inboundClaimMapping").key(attribute),
                "IDP-OIDC-02",
                attribute::unknown(config, &id),
            );
        }
    }
}

fn strict(
    config: &TenantConfig,
    provider: &IdentityProvider<SealedSecret>,
    at: &Place,
    found: &mut Findings,
) {
    if !is_strict(config) {
        return;
    }
    if provider.client_authentication == ClientAuthentication::ClientSecretBasic {
        found.add(
            &at.key("clientAuthentication"),
            "T-12",
            "“client_secret_basic” is refused under compatibility: strict; use “client_secret_post”",
        );
    }
    if provider.client_secret.is_none() {
        found.add(&at.key("clientSecret"), "2.9", "a client secret is needed under compatibility: strict");
    }
}

/// The id is a path segment of the callback address and part of an element's id.
fn id_problem(id: &str) -> Option<String> {
    if [EMAIL_PASSWORD, EMAIL_OTP].iter().any(|local| local.eq_ignore_ascii_case(id)) {
        return Some(format!("“{id}” is built in; name it in a flow without configuring it"));
    }
    let good = id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    (!good).then(|| format!("“{id}” is not an id: use letters, digits, hyphens and underscores"))
}

fn issuer_problem(issuer: &str) -> Option<String> {
    // Any host does: what stands for the server's own address is filled in when the issuer is used.
    let filled = issuer.strip_prefix(OWN_ORIGIN).map(|rest| format!("https://own.invalid{rest}"));
    let text = filled.as_deref().unwrap_or(issuer);
    let Ok(url) = Url::parse(text) else {
        return Some(format!("“{issuer}” is not an address such as https://login.contoso.example"));
    };
    if url.query().is_some() || url.fragment().is_some() {
        return Some("an issuer has neither a query (?…) nor a fragment (#…)".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("an issuer contains no user name".to_owned());
    }
    redirect::page_problem(text)
}
