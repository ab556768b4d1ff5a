//! How old a newcomer is, and whether a guardian has to agree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::flow::Flow;
use super::values::date;
use crate::directory::age::{AgeGroup, Below};
use crate::ids::AttributeId;
use crate::time::Timestamp;

/// What a newcomer's date of birth came to when they sent it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Aged {
    /// The date of birth that was judged, and the country. Others must be judged anew.
    pub born: String,
    pub country: Option<String>,
    pub group: AgeGroup,
}

/// A parent or guardian who was asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Guardian {
    pub address: String,
    /// Counts the mails of this journey. Only the link in the newest one is of use.
    pub sent: u32,
    pub expires_at: Timestamp,
    /// When another mail may be sent.
    pub resend_at: Timestamp,
    /// When they agreed.
    pub agreed_at: Option<Timestamp>,
}

/// Judges the answers by the flow's rule. Nothing without a rule, or without a date of birth.
pub(super) fn judge(flow: &Flow, values: &BTreeMap<AttributeId, Value>, now: Timestamp) -> Option<Aged> {
    let rule = flow.age.as_ref()?;
    let text = |id: &AttributeId| values.get(id).and_then(Value::as_str).map(str::to_owned);
    let born = text(&rule.date_of_birth)?;
    let country = rule.country.as_ref().and_then(text);
    let group = rule.group(date::years(&born, now)?, country.as_deref());
    Some(Aged { born, country, group })
}

/// Whether the judgement is about these answers.
pub(super) fn is_about(flow: &Flow, aged: &Aged, values: &BTreeMap<AttributeId, Value>) -> bool {
    let Some(rule) = &flow.age else { return false };
    let text = |id: &AttributeId| values.get(id).and_then(Value::as_str);
    text(&rule.date_of_birth) == Some(&aged.born)
        && rule.country.as_ref().and_then(text) == aged.country.as_deref()
}

/// Whether somebody of this group needs a guardian under the flow.
pub(super) fn needs_guardian(flow: &Flow, group: AgeGroup) -> bool {
    group == AgeGroup::Minor && flow.age.as_ref().is_some_and(|rule| rule.below == Below::Guardian)
}
