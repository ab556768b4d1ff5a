//! What may be said to a person: a message id with arguments. Prose lives in the message catalogue of the
//! web layer and nowhere below it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A message of the catalogue with its arguments.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// The id in the catalogue, such as `code-wrong`.
    pub id: String,
    /// Arguments by name. A number is written in decimal digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

impl Message {
    /// A message without arguments.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), args: BTreeMap::new() }
    }

    /// The same message with one more argument.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts are written where they stand")]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }
}

/// A value that must never be printed, logged or serialised.
///
/// It has no `Debug`, `Display` or `Serialize`; reading it takes an explicit [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for the one place that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> std::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
