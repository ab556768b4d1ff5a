//! The layers below the settings: a file, the environment, flags. Each value remembers where it came from,
//! so that a problem can name the place.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Problems};
use super::shape::{self, Kind};

/// Variables that begin so are configuration.
const PREFIX: &str = "VESTIBULE_";
/// Variables that begin so are not: the configuration file's own name, what Kubernetes sets for a service that
/// is called `vestibule`, and what the project's own test suites use.
const NOT_OURS: [&str; 6] = [
    "VESTIBULE_CONFIG",
    "VESTIBULE_SERVICE_",
    "VESTIBULE_PORT",
    "VESTIBULE_E2E_",
    "VESTIBULE_TEST_",
    "VESTIBULE_BIN",
];

/// Where a value was set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    Default,
    File { path: PathBuf, line: usize },
    Variable(String),
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag => f.write_str("command line"),
        }
    }
}

/// All layers, one over the other.
#[derive(Default)]
pub struct Layers {
    values: Map<String, Value>,
    origins: BTreeMap<String, Origin>,
    problems: Vec<Problem>,
}

impl Layers {
    /// Lays a TOML file over what is there.
    pub fn file(&mut self, path: &Path) {
        let whole = |line, text: String| Problem {
            origin: Origin::File { path: path.to_owned(), line },
            key: String::new(),
            text,
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.problems.push(whole(0, format!("the file cannot be read: {error}"))),
        };
        match DeTable::parse(&text) {
            Ok(table) => {
                let place = Place { path, text: &text };
                self.table(&place, "", table.get_ref());
            }
            Err(error) => {
                let line = error.span().map_or(0, |span| line_of(&text, span.start));
                self.problems.push(whole(line, error.message().to_owned()));
            }
        }
    }

    /// Lays the variables of an environment over what is there: `VESTIBULE_SECTION__KEY`, or with a single
    /// underscore.
    pub fn environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        let keys = shape::keys();
        for (name, text) in variables {
            if !name.starts_with(PREFIX) || NOT_OURS.iter().any(|prefix| name.starts_with(prefix)) {
                continue;
            }
            let origin = Origin::Variable(name.clone());
            let found = keys.iter().find(|(key, _)| variable_names(key).contains(&name));
            if let Some((key, kind)) = found {
                self.text(key, kind, &text, origin);
            } else {
                let names: Vec<String> = keys.iter().flat_map(|(key, _)| variable_names(key)).collect();
                let text = format!("there is no such setting{}", shape::likely(&name, names.iter()));
                self.problems.push(Problem { origin, key: String::new(), text });
            }
        }
    }

    /// Lays one setting of the command line over what is there.
    pub fn flag(&mut self, key: &str, text: &str) {
        let keys = shape::keys();
        if let Some((key, kind)) = keys.iter().find(|(known, _)| known == key) {
            self.text(key, kind, text, Origin::Flag);
        } else {
            let guess = shape::likely(key, keys.iter().map(|(key, _)| key));
            let text = format!("there is no such setting{guess}");
            self.problems.push(Problem { origin: Origin::Flag, key: key.to_owned(), text });
        }
    }

    /// Where a key was set.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// The text of a key that was set, for `config explain`. It may be a secret's place, never a secret.
    pub fn value(&self, key: &str) -> Option<String> {
        let mut parts = key.split('.');
        let first = self.values.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part)).map(ToString::to_string)
    }

    /// The raw settings, or everything that is wrong with their shape.
    pub(super) fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Problems> {
        if !self.problems.is_empty() {
            return Err(Problems(self.problems.clone()));
        }
        serde_json::from_value(Value::Object(self.values.clone())).map_err(|error| {
            Problem { origin: Origin::Default, key: String::new(), text: error.to_string() }.into()
        })
    }

    /// A value that is written as a text: variables and flags.
    fn text(&mut self, key: &str, kind: &Kind, text: &str, origin: Origin) {
        let value = match kind {
            Kind::Boolean => text.parse().ok().map(Value::Bool),
            Kind::Integer => text.parse::<i64>().ok().map(Value::from),
            Kind::Text | Kind::Word(_) => Some(Value::from(text)),
            Kind::List => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Some(parts.map(Value::from).collect())
            }
        };
        let value = value.unwrap_or_else(|| Value::from(text));
        self.leaf(key, kind, value, origin);
    }

    fn table(&mut self, place: &Place<'_>, prefix: &str, table: &DeTable<'_>) {
        let keys = shape::keys();
        for (name, value) in table {
            let key = if prefix.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{prefix}.{}", name.get_ref())
            };
            let origin = place.origin(name.span().start);
            let inside = format!("{key}.");
            if let Some((_, kind)) = keys.iter().find(|(known, _)| *known == key) {
                self.leaf(&key, kind, json(value.get_ref()), origin);
            } else if keys.iter().any(|(known, _)| known.starts_with(&inside)) {
                match value.get_ref() {
                    DeValue::Table(table) => self.table(place, &key, table),
                    other => {
                        let text = format!("this must be a table, not {}", other.type_str());
                        self.problems.push(Problem { origin, key, text });
                    }
                }
            } else {
                let text = format!("there is no such key{}", shape::likely_beside(&key, keys));
                self.problems.push(Problem { origin, key, text });
            }
        }
    }

    fn leaf(&mut self, key: &str, kind: &Kind, value: Value, origin: Origin) {
        if let Some(text) = kind.objection(&value) {
            return self.problems.push(Problem { origin, key: key.to_owned(), text });
        }
        self.origins.insert(key.to_owned(), origin);
        put(&mut self.values, key, value);
    }
}

fn put(map: &mut Map<String, Value>, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            map.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = map.entry(section).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// The two spellings of a key's variable. The double underscore is the exact one; the single one is what
/// people write.
pub(super) fn variable_names(key: &str) -> [String; 2] {
    let upper = key.to_uppercase();
    [format!("{PREFIX}{}", upper.replace('.', "__")), format!("{PREFIX}{}", upper.replace('.', "_"))]
}

struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    fn origin(&self, at: usize) -> Origin {
        Origin::File { path: self.path.to_owned(), line: line_of(self.text, at) }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Datetime(at) => Value::from(at.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref())))
            .collect::<Map<_, _>>()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_keys_share_a_variable() {
        let mut names: Vec<_> = shape::keys()
            .iter()
            .flat_map(|(key, _)| {
                let [exact, short] = variable_names(key);
                if exact == short { vec![exact] } else { vec![exact, short] }
            })
            .collect();
        names.sort();
        let before = names.len();
        names.dedup();
        assert_eq!(before, names.len());
        assert!(names.iter().all(|name| !NOT_OURS.iter().any(|prefix| name.starts_with(prefix))));
    }
}
