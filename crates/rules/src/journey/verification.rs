//! Addresses that visitors give as answers, and that a code must prove to be theirs (`requiresVerification`,
//! sign-up.md 3.3).

use std::collections::BTreeMap;

use serde_json::Value;

use super::facts::Facts;
use super::flow::Flow;
use crate::directory::address::Address;
use crate::ids::AttributeId;

/// The form in which addresses are compared.
pub(super) fn key(address: &str) -> String {
    Address::parse(address).map_or_else(|_| address.to_lowercase(), |address| address.key())
}

/// The first answer that has yet to be verified. The address of the account is proven already.
pub(super) fn open(flow: &Flow, facts: &Facts, values: &BTreeMap<AttributeId, Value>) -> Option<String> {
    let demanded = flow.fields.iter().filter(|field| field.input.requires_verification);
    let given = demanded.filter_map(|field| values.get(&field.id).and_then(Value::as_str));
    let own = facts.proven_address().map(key);
    let is_open = |address: &&str| {
        let key = key(address);
        !facts.verified.contains(&key) && own.as_ref() != Some(&key)
    };
    given.filter(|text| !text.is_empty()).find(is_open).map(str::to_owned)
}
