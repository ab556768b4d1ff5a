//! Pages: typed values that are rendered by templates. Templates are part of the program; an operator can
//! put files of the same name into a directory to override them without a compiler. What a compiler would
//! have checked is won back here: values that do not exist are faults, every template is parsed at the start,
//! and a test renders every page with every sample.

pub mod account;
pub mod around;
pub mod device;
pub mod guardian;
pub mod inbox;
pub mod journey;
pub mod preview;
mod samples;
pub mod stranger;
pub mod trial;
pub mod ways;

use std::path::Path;
use std::sync::Arc;

use minijinja::value::{Kwargs, Serde, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value, context, escape_formatter,
};
use rust_embed::RustEmbed;
use serde::Serialize;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Message;

use crate::asset::Assets;
use crate::brand::Brand;
use crate::escape;
use crate::locale;
use crate::markdown;
use crate::message::{Catalogue, FALLBACK};

#[derive(RustEmbed)]
#[folder = "templates/"]
struct Files;

/// A page: the values of one template.
pub trait Page: Serialize {
    /// The template's name.
    const TEMPLATE: &'static str;

    /// Values with which tests, and operators who change the template, look at it.
    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

/// Whose page it is, and in which language.
#[derive(Clone, Debug)]
pub struct Frame {
    pub locale: String,
    /// What the visitor would rather read, best first, also where we have no words in it: names of countries
    /// exist in every language.
    pub languages: Vec<String>,
    pub brand: Brand,
}

impl Frame {
    /// A page in English that belongs to nobody.
    pub fn neutral() -> Self {
        Self { locale: FALLBACK.to_owned(), languages: Vec::new(), brand: Brand::neutral() }
    }
}

/// Everything that renders: templates, messages, assets.
pub struct Pages {
    templates: Environment<'static>,
    pub catalogue: Arc<Catalogue>,
    pub assets: Arc<Assets>,
}

impl Pages {
    /// Parses every template. Files below `overrides` replace those of the program.
    pub fn load(overrides: Option<&Path>) -> Outcome<Self> {
        let catalogue = Arc::new(Catalogue::load()?);
        let assets = Arc::new(Assets::load()?);
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        // The engine's own escaping spends six bytes on each slash of an address.
        templates.set_formatter(|out, state, value| match value.as_str() {
            Some(text) if matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe() => {
                out.write_str(&escape::html(text)).map_err(Error::from)
            }
            Some(_) | None => escape_formatter(out, state, value),
        });
        words(&mut templates, &catalogue);
        let paths = Arc::clone(&assets);
        templates.add_function("asset", move |name: String| {
            let path = paths.path(&name).map(|p| Value::from_safe_string(p.to_owned()));
            path.ok_or_else(|| misused(format!("there is no asset {name}")))
        });
        for name in Files::iter() {
            let text = read(&name, overrides)?;
            templates.add_template_owned(name.to_string(), text).map_err(|e| broken(&e))?;
        }
        Ok(Self { templates, catalogue, assets })
    }

    /// Renders a page in its frame.
    pub fn render<P: Page>(&self, frame: &Frame, page: &P) -> Outcome<String> {
        let values = context! {
            locale => frame.locale.as_str(),
            dir => locale::direction(&frame.locale),
            brand => Value::from(Serde(&frame.brand)),
            page => Value::from(Serde(page)),
        };
        self.fill(P::TEMPLATE, values)
    }

    /// Fills any template; `values` must have a `locale`.
    pub(crate) fn fill(&self, template: &str, values: Value) -> Outcome<String> {
        self.templates.get_template(template).and_then(|t| t.render(values)).map_err(|e| broken(&e))
    }
}

fn read(name: &str, overrides: Option<&Path>) -> Outcome<String> {
    if let Some(path) = overrides.map(|dir| dir.join(name)).filter(|path| path.is_file()) {
        return std::fs::read_to_string(&path).map_err(|e| Fault::ours(format!("{}: {e}", path.display())));
    }
    let file = Files::get(name).ok_or_else(|| Fault::ours(format!("{name} is gone")))?;
    String::from_utf8(file.data.into_owned()).map_err(|e| Fault::ours(format!("{name}: {e}")))
}

/// The ways in which a template gets at words: `t("id", name=value)`, and the filters `say` for messages and
/// administrators' texts, `plain` for the same without links, `markdown` for text that may have links, `document` for a whole document.
fn words(templates: &mut Environment<'static>, catalogue: &Arc<Catalogue>) {
    let messages = Arc::clone(catalogue);
    templates.add_function(
        "t",
        move |state: &State<'_, '_>, id: String, args: Kwargs| -> Result<String, Error> {
            let mut message = Message::new(&id);
            for name in args.args() {
                let value: Value = args.get(name)?;
                message = message.with(name, value);
            }
            Ok(messages.text(&message, &locale_of(state)))
        },
    );
    let messages = Arc::clone(catalogue);
    templates.add_filter("say", move |state: &State<'_, '_>, value: Value| -> Result<Value, Error> {
        if let Some(text) = member(&value, "markdown") {
            return Ok(Value::from_safe_string(markdown::to_html(&text.to_string())));
        }
        Ok(Value::from(messages.text(&message(&value)?, &locale_of(state))))
    });
    let messages = Arc::clone(catalogue);
    templates.add_filter("plain", move |state: &State<'_, '_>, value: Value| -> Result<String, Error> {
        if let Some(text) = value.as_str() {
            return Ok(markdown::to_text(text));
        }
        if let Some(text) = member(&value, "markdown") {
            return Ok(markdown::to_text(&text.to_string()));
        }
        Ok(messages.text(&message(&value)?, &locale_of(state)))
    });
    templates.add_filter("document", |text: String| Value::from_safe_string(markdown::document(&text)));
    templates.add_filter("markdown", |text: String| Value::from_safe_string(markdown::to_html(&text)));
}

/// A message, bare or as the variant of a text.
fn message(value: &Value) -> Result<Message, Error> {
    let inner = member(value, "message").unwrap_or_else(|| value.clone());
    let id = member(&inner, "id").ok_or_else(|| misused(format!("{value} is not a message")))?;
    let mut message = Message::new(&id.to_string());
    if let Some(args) = member(&inner, "args") {
        for name in args.try_iter()? {
            let arg = args.get_item(&name)?;
            message = message.with(&name.to_string(), arg);
        }
    }
    Ok(message)
}

fn member(value: &Value, name: &str) -> Option<Value> {
    let found = (value.kind() == ValueKind::Map).then(|| value.get_attr(name).ok()).flatten()?;
    (!found.is_undefined() && !found.is_none()).then_some(found)
}

fn locale_of(state: &State<'_, '_>) -> String {
    state.lookup("locale").map_or_else(|| FALLBACK.to_owned(), |l| l.to_string())
}

fn misused(detail: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail)
}

/// A template's fault tells where it is: for the log, never for the page.
fn broken(error: &Error) -> Fault {
    Fault::ours(format!("template: {error:#}"))
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
