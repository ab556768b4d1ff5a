//! What the runner decides about its world without asking anybody. The tests of flows decide the same here,
//! over a world in memory.

use std::collections::BTreeMap;
use vestibule_crypto::constant_time;

use serde_json::Value;
use vestibule_rules::directory::provider::claims::UpdateWhen;
use vestibule_rules::directory::terms::Agreement;
use vestibule_rules::directory::user::{ObjectIdentity, User};
use vestibule_rules::ids::AttributeId;
use vestibule_rules::journey::facts::{Account, Federated, Review};
use vestibule_rules::journey::question::Compared;
use vestibule_rules::time::Span;

/// The resend interval is doubled at most this often.
const DOUBLINGS: u32 = 4;

/// Under which issuers an address may be an identity, the first one first.
pub(crate) const fn address_issuers(domain: &str) -> [&str; 2] {
    [domain, ObjectIdentity::MAIL_ISSUER]
}

/// What a journey may know of an account.
pub(crate) fn account(user: &User, has_password: bool) -> Account {
    let has_code = user.identities.iter().any(|i| i.issuer == ObjectIdentity::MAIL_ISSUER);
    Account { user: user.id, enabled: user.account_enabled, has_password, has_code }
}

/// The identity by which a provider's person is found.
pub(crate) fn identity_at(federated: &Federated) -> ObjectIdentity {
    ObjectIdentity {
        sign_in_type: ObjectIdentity::FEDERATED.to_owned(),
        issuer: federated.issuer.clone(),
        issuer_assigned_id: federated.subject.clone(),
    }
}

/// How long to wait after the code with this number before another may be asked for.
pub(crate) fn resend_wait(first: Span, sent: u32) -> Span {
    Span(first.0 << sent.saturating_sub(1).min(DOUBLINGS))
}

/// How the digest of a typed code compares.
pub(crate) fn compare(typed: &str, expected: &str, superseded: &[String]) -> Compared {
    let same = |stored: &str| constant_time::eq_str(stored, typed);
    if same(expected) {
        Compared::Match
    } else if superseded.iter().any(|old| same(old)) {
        Compared::Superseded
    } else {
        Compared::Mismatch
    }
}

/// What an account has of what a flow can ask for.
pub(crate) fn review(user: &User, terms: Vec<Agreement>) -> Review {
    let stored = user.attributes.iter().map(|(id, value)| (AttributeId(id.clone()), value.clone()));
    let name = user.display_name.clone().map(|name| (AttributeId::new("displayName"), Value::String(name)));
    Review { attributes: stored.chain(name).collect(), terms }
}

/// What an account takes over from its provider: what it lacks, and what is to follow the provider and differs.
pub(crate) fn claims_to_take(
    user: &User,
    values: &BTreeMap<AttributeId, (UpdateWhen, Value)>,
) -> BTreeMap<AttributeId, Value> {
    let has = review(user, Vec::new()).attributes;
    let changed = values.iter().filter(|(id, (when, value))| match (when, has.get(*id)) {
        (UpdateWhen::Never, _) | (UpdateWhen::WhenEmpty, Some(_)) => false,
        (UpdateWhen::WhenEmpty | UpdateWhen::Always, None) => true,
        (UpdateWhen::Always, Some(old)) => old != value,
    });
    changed.map(|(id, (_, value))| (id.clone(), value.clone())).collect()
}

/// Gives an account attributes beside those it has.
pub(crate) fn add_attributes(user: &mut User, attributes: &BTreeMap<AttributeId, Value>) {
    for (id, value) in attributes {
        match (id.as_str(), value) {
            ("displayName", Value::String(name)) => user.display_name = Some(name.clone()),
            (id, value) => drop(user.attributes.insert(id.to_owned(), value.clone())),
        }
    }
}
