//! What goes into a statement and what comes out of it: four kinds of value, each with its null, and rows
//! that name the statement and the column when something unexpected stands in them.

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{
    AttributeId, BrowserId, ClientId, DeviceId, FlowId, GrantId, JourneyId, ObjectId, ProviderId, RequestId,
    SessionId, TenantId, UserId,
};
use vestibule_rules::time::Timestamp;

use super::statement::Sql;

/// A parameter or a cell. The null is typed, because PostgreSQL binds by type.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A 64-bit integer; times are integer microseconds.
    Int(Option<i64>),
    /// A text; ids and JSON are texts.
    Text(Option<String>),
    /// Bytes: digests and sealed values.
    Bytes(Option<Vec<u8>>),
    /// A boolean.
    Bool(Option<bool>),
}

macro_rules! from_plain {
    ($($kind:ident: $($plain:ty => $convert:expr),+;)+) => {$($(
        impl From<$plain> for Value {
            fn from(value: $plain) -> Self {
                let convert: fn($plain) -> _ = $convert;
                Self::$kind(Some(convert(value)))
            }
        }

        impl From<Option<$plain>> for Value {
            fn from(value: Option<$plain>) -> Self {
                let convert: fn($plain) -> _ = $convert;
                Self::$kind(value.map(convert))
            }
        }
    )+)+};
}

from_plain! {
    Int: i64 => |v| v, i32 => i64::from, u32 => i64::from, Timestamp => |v| v.0;
    Text: &str => str::to_owned, String => |v| v, &String => Clone::clone;
    Bytes: Vec<u8> => |v| v, &[u8] => <[u8]>::to_vec, &Vec<u8> => Clone::clone, [u8; 32] => |v| v.to_vec();
    Bool: bool => |v| v;
}

macro_rules! from_guid {
    ($($id:ty),+) => {$(
        impl From<$id> for Value {
            fn from(value: $id) -> Self {
                Self::Text(Some(value.to_string()))
            }
        }

        impl From<Option<$id>> for Value {
            fn from(value: Option<$id>) -> Self {
                Self::Text(value.map(|id| id.to_string()))
            }
        }

        impl FromCell for $id {
            const EXPECTED: &'static str = stringify!($id);

            fn from_cell(cell: &Value) -> Option<Self> {
                text_of(cell).and_then(Self::parse)
            }
        }
    )+};
}

macro_rules! from_name {
    ($($id:ty),+) => {$(
        impl From<&$id> for Value {
            fn from(value: &$id) -> Self {
                Self::Text(Some(value.as_str().to_owned()))
            }
        }

        impl From<Option<&$id>> for Value {
            fn from(value: Option<&$id>) -> Self {
                Self::Text(value.map(|id| id.as_str().to_owned()))
            }
        }

        impl FromCell for $id {
            const EXPECTED: &'static str = stringify!($id);

            fn from_cell(cell: &Value) -> Option<Self> {
                text_of(cell).map(Self::new)
            }
        }
    )+};
}

from_guid!(
    TenantId, UserId, ClientId, ObjectId, JourneyId, SessionId, GrantId, DeviceId, BrowserId, RequestId
);
from_name!(FlowId, ProviderId, AttributeId);

/// Parameters of a statement, in the order of `$1`, `$2` and so on.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::db::Value::from($value)),*] };
}

fn text_of(cell: &Value) -> Option<&str> {
    match cell {
        Value::Text(text) => text.as_deref(),
        Value::Int(_) | Value::Bytes(_) | Value::Bool(_) => None,
    }
}

/// A type that a cell can be read as.
pub trait FromCell: Sized {
    /// How the type is called in a fault.
    const EXPECTED: &'static str;

    /// The value, or `None` when the cell holds something else.
    fn from_cell(cell: &Value) -> Option<Self>;
}

impl FromCell for i64 {
    const EXPECTED: &'static str = "an integer";

    fn from_cell(cell: &Value) -> Option<Self> {
        match cell {
            Value::Int(value) => *value,
            Value::Text(_) | Value::Bytes(_) | Value::Bool(_) => None,
        }
    }
}

impl FromCell for Timestamp {
    const EXPECTED: &'static str = "a time";

    fn from_cell(cell: &Value) -> Option<Self> {
        i64::from_cell(cell).map(Timestamp)
    }
}

impl FromCell for String {
    const EXPECTED: &'static str = "a text";

    fn from_cell(cell: &Value) -> Option<Self> {
        text_of(cell).map(str::to_owned)
    }
}

impl FromCell for Vec<u8> {
    const EXPECTED: &'static str = "bytes";

    fn from_cell(cell: &Value) -> Option<Self> {
        match cell {
            Value::Bytes(value) => value.clone(),
            Value::Int(_) | Value::Text(_) | Value::Bool(_) => None,
        }
    }
}

impl FromCell for bool {
    const EXPECTED: &'static str = "a boolean";

    fn from_cell(cell: &Value) -> Option<Self> {
        match cell {
            Value::Bool(value) => *value,
            // SQLite keeps a boolean as the integers 0 and 1.
            Value::Int(Some(0)) => Some(false),
            Value::Int(Some(1)) => Some(true),
            Value::Int(_) | Value::Text(_) | Value::Bytes(_) => None,
        }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_cell(cell: &Value) -> Option<Self> {
        match cell {
            Value::Int(None) | Value::Text(None) | Value::Bytes(None) | Value::Bool(None) => Some(None),
            Value::Int(_) | Value::Text(_) | Value::Bytes(_) | Value::Bool(_) => T::from_cell(cell).map(Some),
        }
    }
}

/// One row of an answer.
pub struct Row {
    pub(super) statement: &'static Sql,
    pub(super) cells: Vec<Value>,
}

impl Row {
    /// Reads the column at `index`, counted from 0.
    pub fn get<T: FromCell>(&self, index: usize) -> Outcome<T> {
        self.cells
            .get(index)
            .and_then(T::from_cell)
            .ok_or_else(|| self.unexpected(index, &format!("is not {}", T::EXPECTED)))
    }

    /// Reads the text at `index` as something that has a text form of its own.
    pub fn parsed<T>(&self, index: usize, parse: impl FnOnce(&str) -> Option<T>) -> Outcome<T> {
        let text: String = self.get(index)?;
        parse(&text).ok_or_else(|| self.unexpected(index, "cannot be read"))
    }

    /// The fault for a row that this version cannot read. It names statement, column and the id in the first
    /// two columns, never the value itself: a value can be personal.
    pub fn unexpected(&self, index: usize, problem: &str) -> Fault {
        let id: Vec<String> = self.cells.iter().take(2).map(identifying).collect();
        Fault::ours(format!(
            "statement {}, column {} ({}) {problem}; row {}",
            self.statement.name(),
            index + 1,
            self.statement.column(index),
            id.join(" / "),
        ))
    }
}

/// GUIDs and order keys identify a row without telling anything about a person; everything else is left out.
fn identifying(cell: &Value) -> String {
    match cell {
        Value::Text(Some(text))
            if text.len() >= 32 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') =>
        {
            text.clone()
        }
        Value::Int(_) | Value::Text(_) | Value::Bytes(_) | Value::Bool(_) => "…".to_owned(),
    }
}
