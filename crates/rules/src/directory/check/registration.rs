//! Applications that register themselves: the tenant's policy, and whose name nobody may take.

use super::{Findings, Place};
use crate::directory::application::{Application, PasswordCredential};
use crate::directory::tenant::{TenantConfig, TenantKind};
use crate::oauth::scope::Scope;

/// The snapshot of a tenant has all of them.
const MOST: u32 = 10_000;

pub(super) fn check(config: &TenantConfig, found: &mut Findings) {
    let policy = &config.tenant.client_registration;
    let at = Place::top("clientRegistration");
    if policy.most_clients == 0 || policy.most_clients > MOST {
        found.add(&at.key("mostClients"), "S91", format!("between 1 and {MOST}"));
    }
    for (i, scope) in policy.scopes.iter().enumerate() {
        let one_word = !scope.is_empty() && !scope.contains(' ');
        if !one_word || Scope::parse(scope, &config.applications).is_err() {
            let text =
                format!("“{scope}” is not a scope of OpenID Connect or of an application of the tenant");
            found.add(&at.key("scopes").index(i), "S91", text);
        }
    }
    if policy.is_enabled && policy.scopes.is_empty() {
        found.add(&at.key("scopes"), "S91", "without a scope there is nothing to ask for");
    }
    match &policy.user_flow {
        Some(id) if !config.user_flows.iter().any(|flow| flow.id.as_str() == id) => {
            let text = format!("no user flow of the tenant is called “{id}”");
            found.add(&at.key("userFlow"), "FLOW-05", text);
        }
        None if policy.is_enabled && config.tenant.kind == TenantKind::External => {
            let text = "in an external tenant nobody signs in to an application without a flow; name one";
            found.add(&at.key("userFlow"), "FLOW-08", text);
        }
        Some(_) | None => {}
    }
}

/// Somebody who reads a name that they know takes the application for that one.
pub(super) fn name(config: &TenantConfig, app: &Application<PasswordCredential>, found: &mut Findings) {
    let folded = app.display_name.to_lowercase();
    let mut known = config.applications.iter().filter(|other| other.registered.is_none());
    let taken = known.any(|other| other.display_name.to_lowercase() == folded)
        || config.tenant.display_name.to_lowercase() == folded;
    if taken {
        let text = format!("“{}” is the name of another application or of the tenant", app.display_name);
        found.add(&Place(Vec::new()).key("displayName"), "S91", text);
    }
}
