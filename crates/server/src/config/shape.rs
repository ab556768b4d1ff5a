//! Which keys there are and what their values look like, taken from the schema that the raw types generate:
//! one description serves the check, the environment, the reference and editors.

use std::sync::LazyLock;

use serde_json::Value;

/// How like a known word an unknown one must be to be taken for a slip of the pen.
const LIKENESS: f64 = 0.8;

/// What a value looks like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Text,
    Integer,
    Boolean,
    /// A list of texts.
    List,
    /// One of a few words.
    Word(Vec<String>),
}

impl Kind {
    /// Why `value` cannot be the value of such a key.
    pub(super) fn objection(&self, value: &Value) -> Option<String> {
        let (good, wanted) = match self {
            Self::Text => (value.is_string(), "a text in quotes".to_owned()),
            Self::Integer => (value.is_i64(), "a whole number".to_owned()),
            Self::Boolean => (value.is_boolean(), "true or false".to_owned()),
            Self::List => {
                let texts = value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
                (texts, "a list of texts".to_owned())
            }
            Self::Word(words) => {
                let known = value.as_str().is_some_and(|word| words.iter().any(|known| known == word));
                (known, format!("one of {}", words.join(", ")))
            }
        };
        (!good).then(|| format!("this must be {wanted}, not {value}"))
    }
}

/// Every key with its kind, in the order of the schema.
pub(super) fn keys() -> &'static [(String, Kind)] {
    static KEYS: LazyLock<Vec<(String, Kind)>> = LazyLock::new(|| {
        let schema = super::reference::schema();
        let mut keys = Vec::new();
        walk(&schema, &schema, "", &mut |key, at| {
            if let Some(kind) = kind(&schema, at) {
                keys.push((key.to_owned(), kind));
            }
        });
        keys
    });
    &KEYS
}

/// Visits every key and section below `at`.
pub(super) fn walk(root: &Value, at: &Value, prefix: &str, visit: &mut dyn FnMut(&str, &Value)) {
    let at = followed(root, at);
    for (name, inner) in at.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        visit(&key, inner);
        walk(root, inner, &key, visit);
    }
}

/// The schema that `at` stands for: references are followed, and of “this or null” it is this.
fn followed<'s>(root: &'s Value, at: &'s Value) -> &'s Value {
    if let Some(pointer) = at.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#')) {
        return root.pointer(pointer).map_or(at, |target| followed(root, target));
    }
    match at.get("anyOf").and_then(Value::as_array).and_then(|options| options.first()) {
        Some(first) => followed(root, first),
        None => at,
    }
}

fn kind(root: &Value, at: &Value) -> Option<Kind> {
    let at = followed(root, at);
    if let Some(options) = at.get("oneOf").and_then(Value::as_array) {
        let words = options.iter().filter_map(|option| option.get("const")?.as_str().map(str::to_owned));
        return Some(Kind::Word(words.collect()));
    }
    if let Some(words) = at.get("enum").and_then(Value::as_array) {
        return Some(Kind::Word(words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()));
    }
    let named = match at.get("type")? {
        Value::Array(types) => types.first()?.as_str()?,
        one => one.as_str()?,
    };
    match named {
        "string" => Some(Kind::Text),
        "integer" => Some(Kind::Integer),
        "boolean" => Some(Kind::Boolean),
        "array" => Some(Kind::List),
        _ => None,
    }
}

/// “did you mean …?” when a known word is like the one that was written.
pub(super) fn likely<'a>(word: &str, known: impl Iterator<Item = &'a String>) -> String {
    let folded = word.to_lowercase();
    known
        .map(|candidate| (strsim::jaro_winkler(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| format!("; did you mean “{candidate}”?"))
        .unwrap_or_default()
}

/// A likely key of the same section, or the list of them.
pub(super) fn likely_beside(key: &str, keys: &[(String, Kind)]) -> String {
    let (section, name) = key.rsplit_once('.').map_or(("", key), |(section, name)| (section, name));
    let mut beside: Vec<String> = keys
        .iter()
        .filter_map(|(known, _)| {
            if section.is_empty() {
                Some(known.as_str())
            } else {
                known.strip_prefix(section)?.strip_prefix('.')
            }
        })
        .filter_map(|rest| rest.split('.').next().map(str::to_owned))
        .collect();
    beside.dedup();
    let guess = likely(name, beside.iter());
    if guess.is_empty() { format!("; known here: {}", beside.join(", ")) } else { guess }
}
