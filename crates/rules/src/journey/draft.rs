//! The choke point through which every account comes into being, whatever the method.

use std::collections::BTreeMap;

use serde_json::Value;

use super::age;
use super::facts::{Facts, Lookup};
use super::flow::Flow;
use super::pages;
use super::terms;
use super::verification;
use crate::directory::address::Address;
use crate::directory::age::AgeGroup;
use crate::directory::tenant::TenantKind;
use crate::directory::terms::Agreement;
use crate::directory::user::{CreationType, ExternalUserState, ObjectIdentity, User, UserType};
use crate::ids::{AttributeId, UserId};
use crate::time::Timestamp;

/// An account that may be created: every demand of the flow is met.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    tenant_kind: TenantKind,
    user_type: UserType,
    domain: String,
    address: String,
    identity: ObjectIdentity,
    display_name: String,
    attributes: BTreeMap<String, Value>,
    password: Option<String>,
    terms: Vec<Agreement>,
}

/// A demand of the flow that is not met.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unmet {
    #[error("the flow does not allow sign-up")]
    SignUpOff,
    #[error("no proven address")]
    Proof,
    #[error("the directory was not asked whether the account exists")]
    NotLookedUp,
    #[error("an account exists already")]
    Exists,
    #[error("a required attribute is missing")]
    Attribute,
    #[error("no password")]
    Password,
    #[error("an address that was given is not verified")]
    Verification,
    #[error("too young")]
    Age,
    #[error("no guardian has agreed")]
    Guardian,
    #[error("a document that must be accepted was not")]
    Terms,
}

/// Builds the account from the facts, or says which demand is not met.
pub fn draft(flow: &Flow, facts: &Facts) -> Result<Draft, Unmet> {
    if !flow.sign_up_allowed {
        return Err(Unmet::SignUpOff);
    }
    match facts.account {
        Lookup::NotAsked => return Err(Unmet::NotLookedUp),
        Lookup::Known(_) => return Err(Unmet::Exists),
        Lookup::Unknown => {}
    }
    let address = facts.proven_address().and_then(|a| Address::parse(a).ok()).ok_or(Unmet::Proof)?;
    let collected = facts.values.as_ref().ok_or(Unmet::Attribute)?;
    if !pages::is_complete(flow, facts, collected) {
        return Err(Unmet::Attribute);
    }
    let local_password = facts.federated.is_none() && flow.has_password();
    if local_password && facts.password.is_none() {
        return Err(Unmet::Password);
    }
    if !terms::missing(flow, facts).is_empty() {
        return Err(Unmet::Terms);
    }
    if verification::open(flow, facts, collected).is_some() {
        return Err(Unmet::Verification);
    }
    let aged = old_enough(flow, facts, collected)?;
    let mut attributes = stored(flow, collected);
    attributes.extend(aged);
    Ok(Draft {
        tenant_kind: flow.tenant_kind,
        user_type: flow.user_type,
        domain: flow.default_domain.clone(),
        identity: identity(flow, facts, &address, local_password),
        display_name: display_name(&mut attributes, &address),
        attributes,
        password: facts.password.clone().filter(|_| local_password),
        address: address.as_string(),
        terms: terms::agreements(flow, facts),
    })
}

impl Draft {
    /// The hash to store beside the account.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// What its holder has accepted.
    pub fn terms(&self) -> &[Agreement] {
        &self.terms
    }

    /// The address that was proven.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The identity by which the account is found (DIR-03).
    pub const fn identity(&self) -> &ObjectIdentity {
        &self.identity
    }

    /// The user object with the id that it gets (DIR-01, DIR-02).
    pub fn into_user(self, id: UserId, now: Timestamp) -> User {
        let (principal, creation, state) = match self.tenant_kind {
            TenantKind::Workforce => (
                format!("{}#EXT#@{}", self.address.replace('@', "_"), self.domain),
                Some(CreationType::SelfServiceSignUp),
                Some(ExternalUserState::Accepted),
            ),
            TenantKind::External => (format!("{id}@{}", self.domain), self.local_account(), None),
        };
        let mut identities = vec![self.identity];
        if self.tenant_kind == TenantKind::External {
            identities.push(ObjectIdentity {
                sign_in_type: ObjectIdentity::USER_PRINCIPAL_NAME.to_owned(),
                issuer: self.domain,
                issuer_assigned_id: principal.clone(),
            });
        }
        User {
            id,
            user_type: self.user_type,
            creation_type: creation,
            external_user_state: state,
            account_enabled: true,
            user_principal_name: principal,
            display_name: Some(self.display_name),
            mail: Some(self.address),
            identities,
            attributes: self.attributes,
            created_at: now,
            sessions_valid_from: now,
            deleted_at: None,
            revision: 1,
        }
    }

    /// DIR-02: a customer who comes through a provider has no local account.
    fn local_account(&self) -> Option<CreationType> {
        let at_provider = self.identity.sign_in_type == ObjectIdentity::FEDERATED
            && self.identity.issuer != ObjectIdentity::MAIL_ISSUER;
        (!at_provider).then_some(CreationType::LocalAccount)
    }
}

/// What the account says about its holder's age (`ageGroup` and `consentProvidedForMinor` in Graph), if the flow
/// has a rule on it.
fn old_enough(
    flow: &Flow,
    facts: &Facts,
    collected: &BTreeMap<AttributeId, Value>,
) -> Result<Vec<(String, Value)>, Unmet> {
    if flow.age.is_none() {
        return Ok(Vec::new());
    }
    let aged = facts.aged.as_ref().filter(|aged| age::is_about(flow, aged, collected)).ok_or(Unmet::Age)?;
    if facts.too_young {
        return Err(Unmet::Age);
    }
    let mut known = vec![("ageGroup".to_owned(), aged.group.as_str().into())];
    if aged.group == AgeGroup::Minor {
        if !age::needs_guardian(flow, aged.group) {
            return Err(Unmet::Age);
        }
        if facts.guardian.as_ref().is_none_or(|guardian| guardian.agreed_at.is_none()) {
            return Err(Unmet::Guardian);
        }
        known.push(("consentProvidedForMinor".to_owned(), "Granted".into()));
    }
    Ok(known)
}

fn identity(flow: &Flow, facts: &Facts, address: &Address, local_password: bool) -> ObjectIdentity {
    let (kind, issuer, assigned) = match &facts.federated {
        Some(f) => (ObjectIdentity::FEDERATED, f.issuer.clone(), f.subject.clone()),
        None if local_password => {
            (ObjectIdentity::EMAIL_ADDRESS, flow.default_domain.clone(), address.as_string())
        }
        None => (ObjectIdentity::FEDERATED, ObjectIdentity::MAIL_ISSUER.to_owned(), address.as_string()),
    };
    ObjectIdentity { sign_in_type: kind.to_owned(), issuer, issuer_assigned_id: assigned }
}

/// A directory without names is of no use to anybody: a flow that does not ask gets the best there is.
fn display_name(stored: &mut BTreeMap<String, Value>, address: &Address) -> String {
    if let Some(Value::String(name)) = stored.remove("displayName") {
        return name;
    }
    let text = |id: &str| stored.get(id).and_then(Value::as_str);
    let parts: Vec<&str> = [text("givenName"), text("surname")].into_iter().flatten().collect();
    if parts.is_empty() { address.local().to_owned() } else { parts.join(" ") }
}

/// What goes to the directory. The address is no attribute: it is `mail`, and proven.
fn stored(flow: &Flow, values: &BTreeMap<AttributeId, Value>) -> BTreeMap<String, Value> {
    flow.fields
        .iter()
        .filter(|f| f.input.write_to_directory && f.id.as_str() != "email")
        .filter_map(|f| values.get(&f.id).map(|v| (f.id.0.clone(), v.clone())))
        .collect()
}

#[cfg(test)]
mod tests;
