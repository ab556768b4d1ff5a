//! Whether a document has the shape of a tenant file or of a file of tests: every violation of the schema at
//! once, in words that somebody understands who has never seen a schema.

use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use jsonschema::{ValidationError, Validator};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Value, json};
use vestibule_rules::directory::check::PathStep;

use super::shape::TenantFile;

/// How like a known word an unknown one must be to be taken for a slip of the pen.
const LIKENESS: f64 = 0.8;

/// The JSON Schema of a tenant file (draft 2020-12), for editors and `vestibule schema`.
pub fn schema() -> Value {
    schema_of::<TenantFile>()
}

/// The JSON Schema of one shape of file.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .with_transform(Plain)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// A problem with its place in the document.
pub(crate) struct Violation {
    pub(crate) path: Vec<PathStep>,
    pub(crate) text: String,
}

/// A schema that documents are held against.
pub(crate) struct Structure {
    schema: Value,
    validator: Option<Validator>,
}

static TENANT: LazyLock<Structure> = LazyLock::new(Structure::of::<TenantFile>);

/// Every violation of the schema of tenant files.
pub(super) fn violations(document: &Value) -> Vec<Violation> {
    TENANT.violations(document)
}

impl Structure {
    pub(crate) fn of<T: JsonSchema>() -> Self {
        let schema = schema_of::<T>();
        let validator = jsonschema::draft202012::new(&schema).ok();
        Self { schema, validator }
    }

    /// Every violation of the schema.
    pub(crate) fn violations(&self, document: &Value) -> Vec<Violation> {
        let Some(validator) = &self.validator else { return Vec::new() };
        validator.iter_errors(document).flat_map(|error| explain(&self.schema, &error)).collect()
    }
}

fn explain(root: &Value, error: &ValidationError<'_>) -> Vec<Violation> {
    let path: Vec<PathStep> = error
        .instance_path()
        .into_iter()
        .map(|segment| match segment {
            LocationSegment::Property(key) => PathStep::Key(key.into_owned()),
            LocationSegment::Index(index) => PathStep::Index(index),
        })
        .collect();
    if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
        let known = known_keys(root, &path);
        return unexpected.iter().map(|key| unknown_key(&path, key, &known)).collect();
    }
    vec![Violation { path, text: text(error) }]
}

fn text(error: &ValidationError<'_>) -> String {
    let value = error.instance();
    match error.kind() {
        ValidationErrorKind::Required { property } => format!("“{}” is missing here", plain(property)),
        ValidationErrorKind::Type { kind } => wrong_type(kind, value),
        ValidationErrorKind::Enum { options } => {
            let words: Vec<String> = options.as_array().into_iter().flatten().map(plain).collect();
            let guess = likely(&plain(value), words.iter().map(String::as_str));
            format!("“{}” is not one of {}{guess}", plain(value), words.join(", "))
        }
        ValidationErrorKind::MinLength { .. } => "this must not be empty".to_owned(),
        ValidationErrorKind::MaxLength { limit } => format!("this is longer than {limit} characters"),
        ValidationErrorKind::MinProperties { .. } | ValidationErrorKind::MaxProperties { .. } => {
            "say where the secret is, with either “file” or “env”".to_owned()
        }
        ValidationErrorKind::Pattern { .. } => {
            format!("“{}” is not a GUID such as 4f1c2d0e-6b0a-4a57-9d3c-5f0e8f1b7a21", plain(value))
        }
        other => format!("this does not fit ({})", other.keyword()),
    }
}

fn unknown_key(path: &[PathStep], key: &str, known: &[String]) -> Violation {
    let mut path = path.to_vec();
    path.push(PathStep::Key(key.to_owned()));
    let guess = likely(key, known.iter().map(String::as_str));
    let hint = if guess.is_empty() { format!("; known here: {}", known.join(", ")) } else { guess };
    Violation { path, text: format!("there is no key “{key}” here{hint}") }
}

fn wrong_type(kind: &TypeKind, value: &Value) -> String {
    let wanted = match kind {
        TypeKind::Single(single) => single.to_string(),
        TypeKind::Multiple(_) => String::new(),
    };
    let wanted = match wanted.as_str() {
        "string" => "a text",
        "boolean" => "true or false",
        "array" => "a list (lines that begin with “- ”)",
        "object" => "a block of keys and values",
        "integer" | "number" => "a number",
        _ => "something else",
    };
    match value {
        Value::Null => format!("nothing stands here; write {wanted} or leave the key out"),
        Value::Bool(_) | Value::Number(_) if wanted == "a text" => {
            format!("this must be {wanted}; put it in quotes: \"{value}\"")
        }
        Value::Bool(_) => format!("this must be {wanted}, not true or false"),
        Value::Number(_) => format!("this must be {wanted}, not a number"),
        Value::String(_) => format!("this must be {wanted}, not a text"),
        Value::Array(_) => format!("this must be {wanted}, not a list"),
        Value::Object(_) => format!("this must be {wanted}, not a block of keys"),
    }
}

/// “did you mean …?” when a known word is like the one that was written.
pub(crate) fn likely<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let folded = word.to_lowercase();
    known
        .map(|candidate| (strsim::jaro_winkler(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| format!("; did you mean “{candidate}”?"))
        .unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The keys that the schema knows at a place.
fn known_keys(root: &Value, path: &[PathStep]) -> Vec<String> {
    let mut at = followed(root, root);
    for step in path {
        at = match step {
            PathStep::Key(key) => {
                followed(root, at.get("properties").and_then(|p| p.get(key)).unwrap_or(&Value::Null))
            }
            PathStep::Index(_) => followed(root, at.get("items").unwrap_or(&Value::Null)),
        };
    }
    at.get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, _)| key.clone())
        .collect()
}

fn followed<'s>(root: &'s Value, at: &'s Value) -> &'s Value {
    let reference = at.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'));
    reference.and_then(|pointer| root.pointer(pointer)).unwrap_or(at)
}

/// Makes the schema say things in the one way that gives a good message: an optional key is one that may be
/// missing (not one that may be null), and a choice of words is an `enum`.
#[derive(Clone, Debug)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut schemars::Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        if let Some(Value::Array(types)) = object.get("type").cloned()
            && let [kind, Value::String(null)] = types.as_slice()
            && null == "null"
        {
            object.insert("type".to_owned(), kind.clone());
        }
        if let Some(Value::Array(options)) = object.get("anyOf").cloned()
            && let [Value::Object(one), null] = options.as_slice()
            && *null == json!({"type": "null"})
        {
            object.remove("anyOf");
            object.extend(one.clone());
        }
        // What is flattened into a block is checked with it, so that an unknown key is named.
        if object.get("unevaluatedProperties") == Some(&Value::Bool(false)) {
            object.remove("unevaluatedProperties");
            object.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        if object.get("default") == Some(&Value::Null) {
            object.remove("default");
        }
        words(object);
    }
}

/// Turns `oneOf` of described words into one `enum`; the descriptions go into the schema's own.
fn words(object: &mut serde_json::Map<String, Value>) {
    let Some(Value::Array(options)) = object.get("oneOf").cloned() else { return };
    let mut values = Vec::new();
    let mut notes = String::new();
    for option in &options {
        match (option.get("const"), option.get("enum")) {
            (Some(word), _) => {
                values.push(word.clone());
                if let Some(note) = option.get("description").and_then(Value::as_str) {
                    notes = format!("{notes}\n\n`{}`: {note}", plain(word));
                }
            }
            (None, Some(Value::Array(several))) => values.extend(several.iter().cloned()),
            (None, _) => return,
        }
    }
    let description = object.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = format!("{description}{notes}");
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), Value::Array(values));
    object.insert("description".to_owned(), Value::String(description.trim().to_owned()));
}
