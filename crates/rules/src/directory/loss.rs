//! What is lost between a tenant as it is and as it is to be: ways to sign in, applications, and the flows
//! that serve them (sign-up.md EXIST-06). It says what is taken away and what is left; whom that hits is
//! counted elsewhere.
//!
//! FLOW-09 decides what is no loss: while an address can be typed at all, an account goes on with the
//! password or the code that it has, whatever the flow gives to new ones.

use std::collections::BTreeSet;

use super::flow::UserFlow;
use super::provider::{EMAIL_OTP, EMAIL_PASSWORD, IdentityProvider, SealedSecret};
use super::tenant::{TenantConfig, TenantKind};
use crate::ids::ClientId;

/// Something that somebody may miss.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Loss {
    /// A provider that people signed in with.
    Provider {
        /// The name on its button.
        name: String,
        /// The issuer of the identities that it made.
        issuer: String,
        /// How it was lost.
        how: How,
        /// What is left to these people.
        left: Left,
    },
    /// No address can be typed any more, so passwords and codes are of no use.
    Local {
        /// The flows that no longer have it; none when it is gone from the whole tenant.
        flows: Vec<String>,
        /// What is left to these people.
        left: Left,
    },
    /// An application.
    Application {
        /// Its client id.
        client: ClientId,
        /// Its name.
        name: String,
    },
    /// Applications that stay, and that no flow serves any more.
    Unserved {
        /// The flow that served them.
        flow: String,
        /// Their names.
        applications: Vec<String>,
        /// Whether people who have an account can still sign in to them (FLOW-08).
        signs_in: bool,
    },
}

/// How a provider was lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum How {
    /// It was removed from the tenant.
    Removed,
    /// It was switched off.
    SwitchedOff,
    /// It is another one now: the identities of the former issuer are not known to it.
    Replaced,
    /// These flows no longer offer it.
    OffFlows(Vec<String>),
}

/// What is left to sign in with, where something was lost.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Left {
    /// The issuers of the providers that are still offered.
    pub issuers: BTreeSet<String>,
    /// Whether an address can be typed.
    pub local: bool,
}

/// Everything that is lost from `before` to `after`.
pub fn lost(before: &TenantConfig, after: &TenantConfig) -> Vec<Loss> {
    let mut found = Vec::new();
    providers(before, after, &mut found);
    local(before, after, &mut found);
    for app in &before.applications {
        if !after.applications.iter().any(|a| a.app_id == app.app_id) {
            found.push(Loss::Application { client: app.app_id, name: app.display_name.clone() });
        }
    }
    for flow in &before.user_flows {
        let applications = unserved(after, flow);
        if !applications.is_empty() {
            let signs_in = after.tenant.kind == TenantKind::Workforce;
            found.push(Loss::Unserved { flow: flow.display_name.clone(), applications, signs_in });
        }
    }
    found
}

type Provider = IdentityProvider<SealedSecret>;

fn providers(before: &TenantConfig, after: &TenantConfig, found: &mut Vec<Loss>) {
    let kind = before.tenant.kind;
    for was in before.identity_providers.iter().filter(|p| p.is_enabled) {
        let issuer = was.identity_issuer(kind);
        let loss =
            |how, left| Loss::Provider { name: was.display_name.clone(), issuer: issuer.clone(), how, left };
        let how = match after.identity_providers.iter().find(|p| p.id.key() == was.id.key()) {
            None => Some(How::Removed),
            Some(is) if is.identity_issuer(kind) != issuer => Some(How::Replaced),
            Some(is) if !is.is_enabled => Some(How::SwitchedOff),
            Some(_) => None,
        };
        let left = ways(after);
        if let Some(how) = how {
            if !left.issuers.contains(&issuer) {
                found.push(loss(how, left));
            }
            continue;
        }
        let off = flows_without(before, after, |flow| has(flow, was.id.as_str()));
        if !off.is_empty() {
            let left = narrowest(after, &off);
            found.push(loss(How::OffFlows(off.iter().map(|f| f.display_name.clone()).collect()), left));
        }
    }
}

fn local(before: &TenantConfig, after: &TenantConfig, found: &mut Vec<Loss>) {
    let off = flows_without(before, after, has_local);
    if !off.is_empty() {
        let flows = off.iter().map(|f| f.display_name.clone()).collect();
        found.push(Loss::Local { flows, left: narrowest(after, &off) });
        return;
    }
    if ways(before).local && !ways(after).local {
        found.push(Loss::Local { flows: Vec::new(), left: ways(after) });
    }
}

/// Flows that stay and that no longer have what `test` looks for, as they are to be.
fn flows_without<'c>(
    before: &TenantConfig,
    after: &'c TenantConfig,
    test: impl Fn(&UserFlow) -> bool,
) -> Vec<&'c UserFlow> {
    let had = |flow: &UserFlow| before.user_flows.iter().any(|was| was.id == flow.id && test(was));
    after.user_flows.iter().filter(|flow| had(flow) && !test(flow)).collect()
}

fn has(flow: &UserFlow, provider: &str) -> bool {
    flow.identity_providers.iter().any(|id| id.eq_ignore_ascii_case(provider))
}

fn has_local(flow: &UserFlow) -> bool {
    has(flow, EMAIL_PASSWORD) || has(flow, EMAIL_OTP)
}

/// What a whole tenant leaves to somebody: in some flow, or where no flow is needed.
fn ways(config: &TenantConfig) -> Left {
    let mut left = Left::default();
    for flow in &config.user_flows {
        let own = of_flow(config, flow);
        left.local |= own.local;
        left.issuers.extend(own.issuers);
    }
    // Guests sign in to an application without a flow by code or by any provider.
    if config.tenant.kind == TenantKind::Workforce && without_flow(config).next().is_some() {
        left.local = true;
        left.issuers.extend(enabled(config).map(|p| p.identity_issuer(config.tenant.kind)));
    }
    left
}

fn of_flow(config: &TenantConfig, flow: &UserFlow) -> Left {
    Left {
        issuers: enabled(config)
            .filter(|p| has(flow, p.id.as_str()))
            .map(|p| p.identity_issuer(config.tenant.kind))
            .collect(),
        local: has_local(flow),
    }
}

/// What is left in each of these flows: who is counted as locked out is so in at least one.
fn narrowest(config: &TenantConfig, flows: &[&UserFlow]) -> Left {
    flows
        .iter()
        .map(|flow| of_flow(config, flow))
        .reduce(|a, b| Left {
            issuers: a.issuers.intersection(&b.issuers).cloned().collect(),
            local: a.local && b.local,
        })
        .unwrap_or_default()
}

fn enabled(config: &TenantConfig) -> impl Iterator<Item = &Provider> {
    config.identity_providers.iter().filter(|p| p.is_enabled)
}

fn without_flow(config: &TenantConfig) -> impl Iterator<Item = ClientId> {
    let served = |client: ClientId| config.user_flows.iter().any(|f| f.applications.contains(&client));
    config.applications.iter().filter(|a| !a.built_in).map(|a| a.app_id).filter(move |id| !served(*id))
}

/// Names of the applications that `flow` served, that stay, and that nothing serves.
fn unserved(after: &TenantConfig, flow: &UserFlow) -> Vec<String> {
    let alone: BTreeSet<ClientId> = without_flow(after).collect();
    let apps = after.applications.iter().filter(|app| flow.applications.contains(&app.app_id));
    apps.filter(|app| alone.contains(&app.app_id)).map(|app| app.display_name.clone()).collect()
}

#[cfg(test)]
mod tests;
