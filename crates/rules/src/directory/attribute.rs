//! Attributes that a flow can ask for (sign-up.md 3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AttributeId, ClientId};

/// The type of a value in the directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DataType {
    #[default]
    String,
    Boolean,
    Int64,
    /// Several texts: an array in the directory and in tokens.
    StringCollection,
    /// A date of the calendar, kept as `YYYY-MM-DD`.
    DateTime,
}

/// A custom attribute of a tenant. The built-in ones are [`BUILT_IN`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserFlowAttribute {
    /// `extension_<app id without hyphens>_<Name>` (ATTR-02).
    pub id: AttributeId,
    /// The name an administrator gave.
    pub display_name: String,
    #[serde(default)]
    pub description: String,
    pub data_type: DataType,
}

/// A built-in attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BuiltIn {
    pub id: &'static str,
    /// What a browser is told to fill in (HTML `autocomplete`).
    pub autocomplete: &'static str,
    /// Longest value in characters.
    pub max_length: usize,
}

const fn built_in(id: &'static str, autocomplete: &'static str, max_length: usize) -> BuiltIn {
    BuiltIn { id, autocomplete, max_length }
}

/// The ten built-in attributes (sign-up.md 3.1).
pub const BUILT_IN: &[BuiltIn] = &[
    built_in("email", "email", 254),
    built_in("displayName", "name", 256),
    built_in("givenName", "given-name", 64),
    built_in("surname", "family-name", 64),
    built_in("jobTitle", "organization-title", 128),
    built_in("streetAddress", "street-address", 1024),
    built_in("city", "address-level2", 128),
    built_in("state", "address-level1", 128),
    built_in("postalCode", "postal-code", 40),
    built_in("country", "country-name", 128),
];

/// Longest value of a custom String attribute under `compatibility: strict` (ATTR-03) …
pub const CUSTOM_MAX_STRICT: usize = 250;
/// … and otherwise.
pub const CUSTOM_MAX: usize = 4096;

/// What the directory knows of everybody and nobody is asked for. Claims can be made of it.
pub const OF_EVERYBODY: &[&str] = &["id", "mail", "userPrincipalName", "userType", "createdDateTime"];

/// The built-in attribute of that id.
pub fn find_built_in(id: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|a| a.id == id)
}

/// The id of a custom attribute: spaces go, and what stood after one begins with a capital
/// (`Loyalty Number` → `…_loyaltyNumber`, ATTR-02).
pub fn custom_id(extensions_app: ClientId, name: &str) -> AttributeId {
    let mut words = name.split_whitespace();
    let first = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    let joined = if rest.is_empty() {
        first.to_owned()
    } else {
        lower_first(first) + &rest.iter().map(|w| upper_first(w)).collect::<String>()
    };
    AttributeId(format!("extension_{}_{joined}", extensions_app.simple()))
}

/// The administrator's part of a custom id: what follows `extension_<app id>_`.
pub fn bare_name(id: &str) -> Option<&str> {
    let rest = id.strip_prefix("extension_")?;
    let (app, name) = rest.split_once('_')?;
    (app.len() == 32 && app.bytes().all(|b| b.is_ascii_hexdigit())).then_some(name)
}

fn lower_first(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

fn upper_first(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}
