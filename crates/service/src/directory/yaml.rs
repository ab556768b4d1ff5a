//! YAML to JSON values, with the line and column of every node. It decides nothing about tenants.
//!
//! Anchors and aliases are refused: a reader of the file should see what a tenant is without chasing them,
//! and nested ones are a known way to exhaust memory.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr::{Scalar, ScalarStyle, Tag};
use saphyr_parser::{Event, Marker, Parser, Span, StrInput};
use serde_json::{Map, Number, Value};
use vestibule_rules::directory::check::PathStep;

/// Deepest nesting that is read; a tenant needs eight.
const DEEPEST: usize = 32;

/// A place in the text, both counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mark {
    /// The line.
    pub line: usize,
    /// The column in characters.
    pub column: usize,
}

/// Where everything in one document is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks(BTreeMap<Vec<PathStep>, Mark>);

impl Marks {
    /// The place of `path`, or of the nearest thing around it that is written down.
    pub(crate) fn find(&self, path: &[PathStep]) -> Mark {
        (0..=path.len())
            .rev()
            .find_map(|end| path.get(..end).and_then(|part| self.0.get(part)))
            .copied()
            .unwrap_or(Mark { line: 1, column: 1 })
    }
}

/// One document of a file.
pub(crate) struct Document {
    pub(crate) value: Value,
    pub(crate) marks: Marks,
}

/// Something that is wrong with the text itself.
pub(crate) struct Flaw {
    pub(crate) at: Mark,
    pub(crate) path: Vec<PathStep>,
    pub(crate) text: String,
}

/// Reads every document of `text`. What can be read is returned together with every flaw.
pub(crate) fn read(text: &str) -> (Vec<Document>, Vec<Flaw>) {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        marks: Marks::default(),
        flaws: Vec::new(),
        path: Vec::new(),
        broken: false,
    };
    let mut documents = Vec::new();
    while let Some((event, _)) = reader.next() {
        if matches!(event, Event::DocumentStart(_)) {
            let Some((event, span)) = reader.next() else { break };
            let value = reader.node(event, span);
            if reader.broken {
                break;
            }
            documents.push(Document { value, marks: std::mem::take(&mut reader.marks) });
        }
    }
    (documents, reader.flaws)
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    marks: Marks,
    flaws: Vec<Flaw>,
    path: Vec<PathStep>,
    /// After a syntax error nothing that follows means anything.
    broken: bool,
}

impl<'t> Reader<'t> {
    /// The next event; a syntax error is noted and ends the text.
    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        if self.broken {
            return None;
        }
        match self.parser.next_event()? {
            Ok((Event::StreamEnd, _)) => None,
            Ok(next) => Some(next),
            Err(error) => {
                self.broken = true;
                let at = mark(*error.marker());
                self.flaws.push(Flaw {
                    at,
                    path: self.path.clone(),
                    text: format!("this is not YAML: {}", error.info()),
                });
                None
            }
        }
    }

    fn flaw(&mut self, at: Marker, text: impl Into<String>) {
        self.flaws.push(Flaw { at: mark(at), path: self.path.clone(), text: text.into() });
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Value {
        // A key has noted its own place already: that is where an editor should jump.
        self.marks.0.entry(self.path.clone()).or_insert_with(|| mark(span.start));
        if self.path.len() > DEEPEST {
            self.flaw(span.start, "this is nested too deeply");
            self.broken = true;
            return Value::Null;
        }
        match event {
            Event::Scalar(text, style, _, tag) => self.scalar(text, style, tag.as_ref(), span),
            Event::SequenceStart(..) => self.list(),
            Event::MappingStart(..) => self.mapping(),
            Event::Alias(_) => {
                self.flaw(span.start, "aliases (*name) are not supported; write it out");
                Value::Null
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => Value::Null,
        }
    }

    fn list(&mut self) -> Value {
        let mut items = Vec::new();
        while let Some((event, span)) = self.next() {
            if event == Event::SequenceEnd {
                break;
            }
            self.path.push(PathStep::Index(items.len()));
            let item = self.node(event, span);
            self.path.pop();
            items.push(item);
        }
        Value::Array(items)
    }

    fn mapping(&mut self) -> Value {
        let mut entries = Map::new();
        while let Some((event, span)) = self.next() {
            if event == Event::MappingEnd {
                break;
            }
            let key = if let Event::Scalar(text, ..) = &event {
                text.to_string()
            } else {
                self.flaw(span.start, "a key is a word");
                self.node(event, span);
                String::new()
            };
            let Some((event, value_span)) = self.next() else { break };
            self.path.push(PathStep::Key(key.clone()));
            let first = self.marks.0.get(&self.path).copied();
            if let Some(first) = first {
                self.flaw(
                    span.start,
                    format!("the key “{key}” is here a second time; it first stands in line {}", first.line),
                );
            } else {
                self.marks.0.insert(self.path.clone(), mark(span.start));
            }
            let value = self.node(event, value_span);
            self.path.pop();
            if first.is_none() {
                entries.insert(key, value);
            }
        }
        Value::Object(entries)
    }

    fn scalar(
        &mut self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        tag: Option<&Cow<'t, Tag>>,
        span: Span,
    ) -> Value {
        match Scalar::parse_from_cow_and_metadata(text, style, tag) {
            Some(Scalar::Null) => Value::Null,
            Some(Scalar::Boolean(value)) => Value::Bool(value),
            Some(Scalar::Integer(value)) => Value::Number(value.into()),
            Some(Scalar::FloatingPoint(value)) => {
                Number::from_f64(value.into_inner()).map_or(Value::Null, Value::Number)
            }
            // No database keeps it in a text.
            Some(Scalar::String(value)) if value.contains('\0') => {
                self.flaw(span.start, "a text cannot contain the character U+0000");
                Value::Null
            }
            Some(Scalar::String(value)) => Value::String(value.into_owned()),
            None => {
                self.flaw(span.start, "this value does not fit its tag; leave the tag out");
                Value::Null
            }
        }
    }
}

fn mark(at: Marker) -> Mark {
    Mark { line: at.line(), column: at.col() + 1 }
}
