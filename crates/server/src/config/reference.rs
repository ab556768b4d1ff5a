//! The reference of the configuration, generated from the doc comments of the raw types.

use std::fmt::Write as _;

use serde_json::Value;

use super::layers::{Layers, variable_names};
use super::{Raw, shape};

/// The JSON Schema of the configuration file.
pub fn schema() -> Value {
    schemars::schema_for!(Raw).to_value()
}

/// Every key, in the order of the reference.
pub fn known_keys() -> impl Iterator<Item = &'static str> {
    shape::keys().iter().map(|(key, _)| key.as_str())
}

/// What a key means, how its variable is called and what it is set to; `None` when there is no such key or
/// section.
pub fn explain(key: &str, layers: &Layers) -> Option<String> {
    let schema = schema();
    let mut text = String::new();
    let inside = format!("{key}.");
    shape::walk(&schema, &schema, "", &mut |known, at| {
        let wanted = key.is_empty() || known == key || known.starts_with(&inside);
        if !wanted || !shape::keys().iter().any(|(leaf, _)| leaf == known) {
            return;
        }
        let description =
            at.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', "\n  ");
        let [variable, _] = variable_names(known);
        let set = match layers.value(known) {
            Some(value) => format!("\n  Now: {value} ({})", layers.origin(known)),
            None => String::new(),
        };
        // Writing into a String cannot fail.
        let _ = write!(text, "{known}\n  {description}\n  Variable: {variable}{set}\n\n");
    });
    (!text.is_empty()).then(|| text.trim_end().to_owned())
}
