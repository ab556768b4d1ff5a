//! What applications prove themselves with: whether each can do what it is registered for, and names nothing that is
//! not there.

use url::Url;

use super::{Findings, Place, unique};
use crate::directory::application::{Application, PasswordCredential};
use crate::directory::credential::AuthMethod;
use crate::directory::tenant::TenantConfig;
use crate::oauth::roles;

/// As in Graph.
const MOST_FEDERATED: usize = 20;

pub(super) fn check(
    config: &TenantConfig,
    app: &Application<PasswordCredential>,
    at: &Place,
    found: &mut Findings,
) {
    method(app, at, found);
    for (i, key) in app.key_credentials.iter().enumerate() {
        if let (Some(start), Some(end)) = (key.start_at, key.end_at)
            && end <= start
        {
            let at = at.key("keyCredentials").index(i).key("endDateTime");
            found.add(&at, "S48", "the key ends before it begins");
        }
    }
    for (key, address) in
        [("jwksUri", &app.settings.jwks_uri), ("sectorIdentifierUri", &app.settings.sector_identifier_uri)]
    {
        if let Some(text) = address.as_deref().and_then(address_problem) {
            found.add(&at.key(key), "U19", text);
        }
    }
    federated(app, &at.key("federatedIdentityCredentials"), found);
    assignments(config, app, &at.key("appRoleAssignments"), found);
}

fn method(app: &Application<PasswordCredential>, at: &Place, found: &mut Findings) {
    let Some(method) = app.settings.token_endpoint_auth_method else { return };
    let at = at.key("tokenEndpointAuthMethod");
    let has_keys = !app.key_credentials.is_empty()
        || app.settings.jwks_uri.is_some()
        || !app.settings.federated_identity_credentials.is_empty();
    let has_secret = !app.password_credentials.is_empty();
    let name = method.as_str();
    if method.needs_secret() && !has_secret {
        found.add(&at, "S37", format!("{name} needs one of passwordCredentials"));
    }
    if method == AuthMethod::PrivateKeyJwt && !has_keys {
        found.add(
            &at,
            "S37",
            "private_key_jwt needs keyCredentials, a jwksUri or federatedIdentityCredentials",
        );
    }
    if method == AuthMethod::None && (has_secret || has_keys) {
        found.add(&at, "S37", "an application that proves nothing has no secret and no key; take them away");
    }
    if method == AuthMethod::None && !app.web.redirect_uris.is_empty() {
        found.add(
            &at,
            "S41",
            "a web application proves itself; register the addresses of one that cannot under spa or publicClient",
        );
    }
    // What a page holds, everybody holds who opens it.
    if method != AuthMethod::None && !app.spa.redirect_uris.is_empty() {
        found.add(&at, "S41", "a single-page application cannot prove itself; register it separately");
    }
}

fn federated(app: &Application<PasswordCredential>, at: &Place, found: &mut Findings) {
    let all = &app.settings.federated_identity_credentials;
    if all.len() > MOST_FEDERATED {
        found.add(at, "4.5", format!("an application has at most {MOST_FEDERATED} of them"));
    }
    for (i, one) in all.iter().enumerate() {
        let at = at.index(i);
        if one.name.trim().is_empty() {
            found.add(&at.key("name"), "4.5", "it needs a name");
        }
        if one.subject.is_empty() {
            found.add(
                &at.key("subject"),
                "4.5",
                "without a subject, every workload of the platform is meant",
            );
        }
        if one.audiences.is_empty() || one.audiences.iter().any(String::is_empty) {
            found.add(&at.key("audiences"), "4.5", "an audience must not be empty");
        }
        if let Some(text) = address_problem(&one.issuer) {
            found.add(&at.key("issuer"), "U19", text);
        }
    }
    let names = all.iter().enumerate().map(|(i, one)| (at.index(i).key("name"), one.name.as_str()));
    unique(names, "4.5", "the name", found);
}

/// Keys that came over an open line would be whoever's is on it.
fn address_problem(text: &str) -> Option<String> {
    let Ok(url) = Url::parse(text) else { return Some(format!("“{text}” is not an address")) };
    let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
        return Some("the address must begin with https://, or with http:// on this machine".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Some("the address must not have a user, a password or a fragment".to_owned());
    }
    None
}

fn assignments(
    config: &TenantConfig,
    app: &Application<PasswordCredential>,
    at: &Place,
    found: &mut Findings,
) {
    for (i, assigned) in app.settings.app_role_assignments.iter().enumerate() {
        let at = at.index(i);
        let named = |other: &&Application<PasswordCredential>| roles::is_called(other, &assigned.resource);
        let Some(resource) = config.applications.iter().find(named) else {
            let text = format!("no application of the tenant is “{}” as a resource", assigned.resource);
            found.add(&at.key("resource"), "S66", text);
            continue;
        };
        if !roles::offers(resource, &assigned.role) {
            let text = format!(
                "“{}” has no enabled app role “{}” whose allowedMemberTypes has Application",
                resource.display_name, assigned.role
            );
            found.add(&at.key("role"), "S66", text);
        }
    }
}
