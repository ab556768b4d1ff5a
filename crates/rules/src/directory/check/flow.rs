//! User flows and what they are attached to (sign-up.md 1.2).

use std::collections::BTreeMap;

use super::{Findings, Place, age, attribute, is_strict, terms, unique};
use crate::directory::flow::UserFlow;
use crate::directory::provider::{EMAIL_OTP, EMAIL_PASSWORD};
use crate::directory::tenant::{TenantConfig, TenantKind};
use crate::ids::ClientId;

/// What the id of every workforce flow begins with (sign-up.md 1.1).
pub const WORKFORCE_PREFIX: &str = "B2X_1_";
/// Most flows of an external tenant under `compatibility: strict` (FLOW-04).
pub const LIMIT_OF_FLOWS: usize = 10;

/// Well-known client ids of Microsoft's own applications; no flow may serve them (FLOW-05).
pub const FIRST_PARTY_APPS: &[(&str, &str)] = &[
    ("00000002-0000-0000-c000-000000000000", "Azure AD Graph"),
    ("00000003-0000-0000-c000-000000000000", "Microsoft Graph"),
    ("00000002-0000-0ff1-ce00-000000000000", "Exchange Online"),
    ("00000003-0000-0ff1-ce00-000000000000", "SharePoint Online"),
    ("00000004-0000-0ff1-ce00-000000000000", "Skype for Business"),
    ("00000006-0000-0ff1-ce00-000000000000", "the Office 365 portal"),
    ("04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Azure CLI"),
    ("14d82eec-204b-4c2f-b7e8-296a70dab67e", "Microsoft Graph command line tools"),
    ("1950a258-227b-4e31-a9cf-717495945fc2", "Azure PowerShell"),
    ("1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Teams"),
    ("27922004-5251-4030-b22d-91ecd9a37ea4", "Outlook"),
    ("4765445b-32c6-49b0-83e6-1d93765276ca", "Office home"),
    ("5e3ce6c0-2b1f-4285-8d4b-75ee78787346", "Microsoft Teams on the web"),
    ("797f4846-ba00-4fd7-ba43-dac1f8f63013", "Azure management"),
    ("ab9b8c07-8f02-4f72-87fa-80105867a763", "OneDrive"),
    ("c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "the Azure portal"),
    ("cc15fd57-2c6c-4117-a88c-83b1d56b4bbe", "Microsoft Teams services"),
    ("d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Office"),
    ("de8bc8b5-d9f9-48b1-a8ad-b748da725064", "Graph Explorer"),
];

pub(super) fn check(config: &TenantConfig, found: &mut Findings) {
    let list = Place::top("userFlows");
    let mut served = BTreeMap::new();
    for (i, flow) in config.user_flows.iter().enumerate() {
        let at = list.index(i);
        limits(config, i, &at, found);
        id(config.tenant.kind, flow, &at, found);
        switch(config, flow, &at, found);
        applications(config, flow, &at.key("applications"), &mut served, found);
        methods(config, flow, &at.key("identityProviders"), found);
        hidden(flow, &at.key("hiddenIdentityProviders"), found);
        attribute::inputs(config, flow, &at, found);
        terms::check(config, flow, &at, found);
        age::check(config, flow, &at, found);
        if config.tenant.kind == TenantKind::Workforce && flow.user_type_to_create.is_some() {
            found.add(
                &at.key("userTypeToCreate"),
                "DIR-01",
                "a workforce flow always creates guests; leave this out",
            );
        }
    }
    names(config, &list, found);
}

fn limits(config: &TenantConfig, index: usize, at: &Place, found: &mut Findings) {
    let limited = is_strict(config) && config.tenant.kind == TenantKind::External;
    if limited && index >= LIMIT_OF_FLOWS {
        found.add(
            at,
            "FLOW-04",
            format!("an external tenant has at most {LIMIT_OF_FLOWS} user flows under compatibility: strict"),
        );
    }
}

fn names(config: &TenantConfig, list: &Place, found: &mut Findings) {
    let flows = || config.user_flows.iter().enumerate();
    for (i, flow) in flows() {
        if flow.display_name.trim().is_empty() {
            found.add(&list.index(i).key("displayName"), "FLOW-06", "a flow needs a display name");
        }
    }
    unique(
        flows().map(|(i, f)| (list.index(i).key("displayName"), f.display_name.as_str())),
        "FLOW-06",
        "the display name",
        found,
    );
    unique(flows().map(|(i, f)| (list.index(i).key("id"), f.id.as_str())), "1.1", "the id", found);
}

fn id(kind: TenantKind, flow: &UserFlow, at: &Place, found: &mut Findings) {
    let id = flow.id.as_str();
    match kind {
        TenantKind::Workforce => {
            let name = id.strip_prefix(WORKFORCE_PREFIX).unwrap_or_default();
            let good =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
            if !good {
                found.add(&at.key("name"), "T-04", format!("“{id}” is not an id: it is {WORKFORCE_PREFIX} and a name of letters, digits, hyphens and underscores"));
            }
        }
        TenantKind::External => {
            if ClientId::parse(id).is_none() {
                found.add(
                    &at.key("id"),
                    "1.1",
                    format!("the id of a flow in an external tenant is a GUID, not “{id}”"),
                );
            }
        }
    }
}

fn switch(config: &TenantConfig, flow: &UserFlow, at: &Place, found: &mut Findings) {
    let off = !config.tenant.authentication_flows_policy.self_service_sign_up.is_enabled;
    if config.tenant.kind == TenantKind::Workforce && off && !flow.applications.is_empty() {
        found.add(
            &at.key("applications"),
            "FLOW-01",
            "guests may not sign themselves up in this tenant, so no application can be attached; set tenant.authenticationFlowsPolicy.selfServiceSignUp.isEnabled to true",
        );
    }
}

fn applications<'a>(
    config: &TenantConfig,
    flow: &'a UserFlow,
    at: &Place,
    served: &mut BTreeMap<ClientId, &'a UserFlow>,
    found: &mut Findings,
) {
    for (i, client) in flow.applications.iter().enumerate() {
        let at = at.index(i);
        let app = config.applications.iter().find(|app| app.app_id == *client);
        let first_party = FIRST_PARTY_APPS.iter().find(|(id, _)| *id == client.to_string());
        if let Some((_, name)) = first_party {
            found.add(
                &at,
                "FLOW-05",
                format!("{client} is {name}, an application of Microsoft; only your own can be attached"),
            );
        } else if let Some(app) = app.filter(|app| app.built_in) {
            found.add(
                &at,
                "FLOW-05",
                format!(
                    "“{}” is part of the product; only your own applications can be attached",
                    app.display_name
                ),
            );
        } else if app.is_none() {
            found.add(&at, "FLOW-05", format!("no application {client} is registered in this tenant"));
        }
        match served.get(client) {
            Some(first) if first.id == flow.id => {
                found.add(&at, "FLOW-03", "the application is listed twice");
            }
            Some(first) => found.add(
                &at,
                "FLOW-03",
                format!(
                    "the application is already on the flow “{}” ({}); an application has one flow",
                    first.display_name, first.id
                ),
            ),
            None => {
                served.insert(*client, flow);
            }
        }
    }
}

fn methods(config: &TenantConfig, flow: &UserFlow, at: &Place, found: &mut Findings) {
    if flow.identity_providers.is_empty() {
        found.add(at, "FLOW-07", "a flow needs at least one way to sign up");
    }
    let workforce = config.tenant.kind == TenantKind::Workforce;
    for (i, method) in flow.identity_providers.iter().enumerate() {
        let at = at.index(i);
        match (method.as_str(), config.identity_providers.iter().find(|p| p.id.as_str() == method)) {
            (EMAIL_PASSWORD, _) if workforce => {
                found.add(&at, "1.1", format!("guests have no password here; use {EMAIL_OTP} or a provider"));
            }
            (EMAIL_PASSWORD | EMAIL_OTP, _) => {}
            (_, None) => found.add(&at, "FLOW-07", unknown_method(config, method)),
            (_, Some(provider)) if !provider.is_enabled => {
                found.add(
                    &at,
                    "FLOW-07",
                    format!("the provider “{method}” is switched off (isEnabled: false)"),
                );
            }
            (_, Some(_)) => {}
        }
    }
    let hides = |method: &String| flow.hidden_identity_providers.contains(method);
    if !flow.identity_providers.is_empty() && flow.identity_providers.iter().all(hides) {
        found.add(at, "FLOW-07", "every way is hidden: whoever comes without a hint would see none");
    }
    let has = |wanted: &str| flow.identity_providers.iter().any(|m| m == wanted);
    if has(EMAIL_PASSWORD) && has(EMAIL_OTP) {
        found.add(at, "IDP-PW-02", format!("a flow has either {EMAIL_PASSWORD} or {EMAIL_OTP}, not both"));
    }
    unique(
        flow.identity_providers.iter().enumerate().map(|(i, m)| (at.index(i), m.as_str())),
        "FLOW-07",
        "the provider",
        found,
    );
}

fn hidden(flow: &UserFlow, at: &Place, found: &mut Findings) {
    for (i, id) in flow.hidden_identity_providers.iter().enumerate() {
        let at = at.index(i);
        if [EMAIL_PASSWORD, EMAIL_OTP].contains(&id.as_str()) {
            found.add(
                &at,
                "FLOW-07",
                "only a provider can be hidden; leave a local way out of identityProviders",
            );
        } else if !flow.identity_providers.contains(id) {
            found.add(&at, "FLOW-07", format!("“{id}” is not among the identityProviders of the flow"));
        }
    }
}

fn unknown_method(config: &TenantConfig, method: &str) -> String {
    let own: Vec<&str> = config.identity_providers.iter().map(|p| p.id.as_str()).collect();
    let known = [&[EMAIL_OTP, EMAIL_PASSWORD], own.as_slice()].concat().join(", ");
    format!("there is no provider “{method}”; known are {known}")
}
