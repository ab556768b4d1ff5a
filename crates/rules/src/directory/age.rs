//! How old somebody must be to sign up (sign-up.md AGE-01: the original has no such rule).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::AttributeId;

/// What a flow demands of the age of newcomers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgeRule {
    /// The attribute in which the flow asks for the date of birth.
    #[schemars(with = "String")]
    pub date_of_birth: AttributeId,
    /// The years somebody must have lived to sign up by themselves.
    #[schemars(range(min = 1, max = 99))]
    pub minimum: u8,
    /// Other years for visitors of a country (ISO 3166-1 alpha-2), such as `FR: 15`.
    #[serde(default)]
    pub minimum_by_country: BTreeMap<String, u8>,
    /// The attribute in which the flow asks for the country.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub country: Option<AttributeId>,
    /// The years from which on somebody is of full age.
    #[serde(default = "eighteen")]
    pub adult: u8,
    /// What becomes of whoever is younger.
    #[serde(default)]
    pub below: Below,
}

/// What becomes of somebody who is too young to sign up by themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Below {
    /// They cannot sign up.
    #[default]
    Block,
    /// A parent or guardian is asked by mail, and the account is marked as a minor's.
    Guardian,
}

/// `ageGroup` of a user in Graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AgeGroup {
    /// Too young to decide alone.
    Minor,
    /// Old enough to sign up, and not of full age.
    NotAdult,
    /// Of full age.
    Adult,
}

impl AgeGroup {
    /// The word in Graph.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minor => "Minor",
            Self::NotAdult => "NotAdult",
            Self::Adult => "Adult",
        }
    }
}

impl AgeRule {
    /// The years that a visitor of this country must have lived.
    pub fn minimum_in(&self, country: Option<&str>) -> u8 {
        let own = country.and_then(|country| {
            self.minimum_by_country.iter().find(|(code, _)| code.eq_ignore_ascii_case(country))
        });
        own.map_or(self.minimum, |(_, years)| *years)
    }

    /// The group of somebody of this age.
    pub fn group(&self, years: i32, country: Option<&str>) -> AgeGroup {
        if years < i32::from(self.minimum_in(country)) {
            AgeGroup::Minor
        } else if years < i32::from(self.adult) {
            AgeGroup::NotAdult
        } else {
            AgeGroup::Adult
        }
    }
}

const fn eighteen() -> u8 {
    18
}
