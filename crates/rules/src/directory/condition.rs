//! When something is asked: conditions over what is known of a visitor so far.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::AttributeId;

/// Everything that is said here must hold; nothing said always holds.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Condition {
    /// An earlier answer.
    pub answer: Option<Comparison>,
    /// What the visitor's provider said of an attribute (by its claim mapping), whether the flow asks for it
    /// or not.
    pub provider_says: Option<Comparison>,
    /// The way in: `EmailPassword-OAUTH`, `EmailOtpSignup-OAUTH` or the id of a provider; any of them.
    pub method: Vec<String>,
    /// The domain of the proven address, such as `example.com`; any of them.
    pub email_domain: Vec<String>,
    /// At least one of these must hold.
    pub any: Vec<Condition>,
    /// This must not hold.
    pub not: Option<Box<Condition>>,
}

/// An attribute and the values that it may have.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Comparison {
    /// A built-in attribute or one of your own.
    #[schemars(with = "String")]
    pub attribute: AttributeId,
    /// Any of these values, letter case aside; a list of choices has to contain one of them. Left out: any
    /// value at all.
    #[serde(default)]
    pub is: Vec<String>,
}

impl Condition {
    /// This condition and every one inside it.
    pub fn all(&self) -> Vec<&Self> {
        let mut found = vec![self];
        for inner in self.any.iter().chain(self.not.as_deref()) {
            found.extend(inner.all());
        }
        found
    }

    /// Whether an answer decides, so that it cannot be known before the page with the question was sent.
    pub fn depends_on_answers(&self) -> bool {
        self.all().iter().any(|c| c.answer.is_some())
    }

    /// The same with every attribute's name replaced.
    #[must_use]
    pub fn with_attributes(mut self, id_of: &dyn Fn(&AttributeId) -> AttributeId) -> Self {
        for comparison in self.answer.iter_mut().chain(self.provider_says.iter_mut()) {
            comparison.attribute = id_of(&comparison.attribute);
        }
        self.any = self.any.into_iter().map(|c| c.with_attributes(id_of)).collect();
        self.not = self.not.map(|c| Box::new(c.with_attributes(id_of)));
        self
    }
}

/// What a condition is judged by.
pub trait Known {
    /// The stored value of an answer, each choice of a list by itself; `None` when there is none.
    fn answer(&self, attribute: &AttributeId) -> Option<Vec<String>>;
    /// What the provider said.
    fn provider_says(&self, attribute: &AttributeId) -> Option<String>;
    /// Whether the visitor came by this method.
    fn came_by(&self, method: &str) -> bool;
    /// The domain of the proven address.
    fn email_domain(&self) -> Option<String>;
}

impl Condition {
    /// Whether the condition holds for what is known.
    pub fn holds(&self, known: &dyn Known) -> bool {
        let is_one = |wanted: &[String], value: &str| {
            wanted.is_empty() || wanted.iter().any(|w| w.trim().to_lowercase() == value.trim().to_lowercase())
        };
        let answered = self.answer.as_ref().is_none_or(|c| {
            known.answer(&c.attribute).is_some_and(|values| values.iter().any(|v| is_one(&c.is, v)))
        });
        let said = self
            .provider_says
            .as_ref()
            .is_none_or(|c| known.provider_says(&c.attribute).is_some_and(|value| is_one(&c.is, &value)));
        let method = self.method.is_empty() || self.method.iter().any(|m| known.came_by(m));
        let domain = self.email_domain.is_empty()
            || known.email_domain().is_some_and(|domain| is_one(&self.email_domain, &domain));
        answered
            && said
            && method
            && domain
            && (self.any.is_empty() || self.any.iter().any(|c| c.holds(known)))
            && self.not.as_ref().is_none_or(|c| !c.holds(known))
    }
}
