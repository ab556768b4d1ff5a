//! What applications say about consent: grants that mean something, links that lead somewhere.

use super::{Findings, Place, redirect};
use crate::directory::application::{Application, PasswordCredential};
use crate::directory::tenant::TenantConfig;
use crate::oauth::consent;
use crate::oauth::scope::GRAPH;

/// The permissions of Graph that apps may have (sign-up.md 5.2).
const OF_GRAPH: &[&str] = &["openid", "profile", "email", "address", "phone", "offline_access", "User.Read"];

pub(super) fn check(
    config: &TenantConfig,
    app: &Application<PasswordCredential>,
    at: &Place,
    found: &mut Findings,
) {
    let info = &app.settings.info;
    for (key, page) in [
        ("privacyStatementUrl", &info.privacy_statement_url),
        ("termsOfServiceUrl", &info.terms_of_service_url),
    ] {
        if let Some(text) = page.as_deref().and_then(redirect::page_problem) {
            found.add(&at.key("info").key(key), "S4", text);
        }
    }
    for (i, grant) in app.settings.oauth2_permission_grants.iter().enumerate() {
        let at = at.key("oauth2PermissionGrants").index(i);
        let Some(resource) = consent::resource(&grant.resource, &config.applications) else {
            let text = format!("no application of the tenant is “{}” as a resource", grant.resource);
            found.add(&at.key("resource"), "S66", text);
            continue;
        };
        for permission in consent::permissions(resource, &grant.scope) {
            if !offers(config, &permission) {
                let text = format!("“{}” has no permission “{}”", grant.resource, permission.value);
                found.add(&at.key("scope"), "S66", text);
            }
        }
    }
}

/// Whether there is such a permission.
fn offers(config: &TenantConfig, permission: &consent::Permission) -> bool {
    if permission.resource == GRAPH {
        return OF_GRAPH.contains(&permission.value.as_str());
    }
    let api = config.applications.iter().find(|app| app.app_id == permission.resource);
    api.is_some_and(|app| app.api.oauth2_permission_scopes.iter().any(|s| s.value == permission.value))
}
