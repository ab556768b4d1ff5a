//! The message catalogue and the ids in use say the same.
//!
//! An id that code or a template names must be in the English catalogue, and an id of the catalogue must be
//! named somewhere. An id that is put together (`format!("country-{code}")`, `"country-" ~ code`) names every
//! id with that beginning.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

/// What the sources name.
#[derive(Default, Debug)]
struct Named {
    /// Ids that must exist, with the file that names them.
    required: BTreeMap<String, String>,
    /// Beginnings of ids that are put together.
    beginnings: BTreeSet<String>,
    /// Every literal that could be an id.
    literals: BTreeSet<String>,
}

/// The kinds of text that name messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rust,
    Template,
}

/// Fails with every id that is missing or that nobody uses.
pub(crate) fn run(root: &Path, _args: &[String]) -> Result<(), String> {
    let patterns = Patterns::new().map_err(|error| error.to_string())?;
    let mut catalogue = BTreeMap::new();
    for file in files(&root.join("crates/web/locales/en"), &["ftl"])? {
        let text = read(&file)?;
        patterns.define(&text, &shown(root, &file), &mut catalogue);
    }
    let mut named = Named::default();
    for entry in list(&root.join("crates"))? {
        for file in files(&entry.join("src"), &["rs"])? {
            if file.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests")) {
                continue;
            }
            patterns.collect(Kind::Rust, &read(&file)?, &shown(root, &file), &mut named);
        }
    }
    for file in files(&root.join("crates/web/templates"), &["html", "txt", "subject", "jinja", "xml"])? {
        patterns.collect(Kind::Template, &read(&file)?, &shown(root, &file), &mut named);
    }
    let problems = compare(&catalogue, &named);
    if problems.is_empty() {
        println!("messages: {} in the catalogue, all used, none missing", catalogue.len());
        return Ok(());
    }
    Err(problems.join("\n  "))
}

/// Where a message is defined, and which others its text refers to.
#[derive(Debug)]
struct Definition {
    file: String,
    refers_to: Vec<String>,
}

struct Patterns {
    definition: Regex,
    reference: Regex,
    rust_call: Regex,
    rust_format: Regex,
    template_call: Regex,
    template_join: Regex,
    literal: Regex,
}

impl Patterns {
    fn new() -> Result<Self, regex_lite::Error> {
        let id = "[a-zA-Z][a-zA-Z0-9_-]*";
        Ok(Self {
            definition: Regex::new(&format!(r"^({id})\s*="))?,
            reference: Regex::new(&format!(r"\{{\s*({id})(?:\.{id})?\s*\}}"))?,
            rust_call: Regex::new(&format!(r#"Message::new\(\s*"({id})"\s*[,)]"#))?,
            rust_format: Regex::new(r#"format!\(\s*"([a-zA-Z][a-zA-Z0-9_-]*-)\{"#)?,
            template_call: Regex::new(&format!(r#"\b(?:t|msg)\(\s*["']({id})["']\s*[,)]"#))?,
            template_join: Regex::new(r#"["']([a-zA-Z][a-zA-Z0-9_-]*-)["']\s*~"#)?,
            literal: Regex::new(&format!(r#"["']({id})["']"#))?,
        })
    }

    fn define(&self, text: &str, file: &str, into: &mut BTreeMap<String, Definition>) {
        let mut current: Option<String> = None;
        for line in text.lines() {
            if line.starts_with('#') {
                continue;
            }
            if let Some(id) = self.definition.captures(line).and_then(|found| found.get(1)) {
                current = Some(id.as_str().to_owned());
                let definition = Definition { file: file.to_owned(), refers_to: Vec::new() };
                into.insert(id.as_str().to_owned(), definition);
            }
            let Some(definition) = current.as_ref().and_then(|id| into.get_mut(id)) else { continue };
            let others = self.reference.captures_iter(line).filter_map(|found| found.get(1));
            definition.refers_to.extend(others.map(|other| other.as_str().to_owned()));
        }
    }

    fn collect(&self, kind: Kind, text: &str, file: &str, into: &mut Named) {
        let text = if kind == Kind::Rust { product_code(text) } else { text.to_owned() };
        let (call, join) = match kind {
            Kind::Rust => (&self.rust_call, &self.rust_format),
            Kind::Template => (&self.template_call, &self.template_join),
        };
        let first = |pattern: &Regex| -> Vec<String> {
            let groups = pattern.captures_iter(&text).filter_map(|found| found.get(1));
            groups.map(|group| group.as_str().to_owned()).collect()
        };
        for id in first(call) {
            into.required.entry(id).or_insert_with(|| file.to_owned());
        }
        into.beginnings.extend(first(join));
        into.literals.extend(first(&self.literal));
    }
}

/// Source text without comments and without the unit tests at its end, which name ids of their own.
fn product_code(text: &str) -> String {
    let code = match text.find("\n#[cfg(test)]\nmod tests {") {
        Some(end) => text.split_at(end).0,
        None => text,
    };
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn compare(catalogue: &BTreeMap<String, Definition>, named: &Named) -> Vec<String> {
    let mut problems = Vec::new();
    for (id, file) in &named.required {
        if !catalogue.contains_key(id) {
            problems.push(format!("{file} names '{id}', which the catalogue lacks"));
        }
    }
    let referred: Vec<&String> = catalogue.values().flat_map(|definition| &definition.refers_to).collect();
    for (id, definition) in catalogue {
        let used = named.literals.contains(id)
            || referred.contains(&id)
            || named.beginnings.iter().any(|beginning| id.starts_with(beginning));
        if !used {
            problems.push(format!("{} defines '{id}', which nothing uses", definition.file));
        }
    }
    problems
}

fn shown(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).display().to_string()
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.sort();
    Ok(paths)
}

/// All files below a folder with one of the endings; a folder that does not exist has none.
fn files(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in list(&folder)? {
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .and_then(|ending| ending.to_str())
                .is_some_and(|ending| endings.contains(&ending))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, Kind, Named, Patterns, compare};

    fn judge(catalogue: &str, sources: &[(Kind, &str)]) -> Vec<String> {
        let patterns = Patterns::new().unwrap();
        let mut defined = BTreeMap::new();
        patterns.define(catalogue, "en/pages.ftl", &mut defined);
        let mut named = Named::default();
        for (kind, text) in sources {
            patterns.collect(*kind, text, "source", &mut named);
        }
        compare(&defined, &named)
    }

    #[test]
    fn matching_catalogue_and_sources_pass() {
        let problems = judge(
            "# Title\ncode-title = Enter your code\ncode-wrong =\n    This is not the code.\n",
            &[
                (Kind::Template, "<h1>{{ t(\"code-title\", brand=brand) }}</h1>"),
                (Kind::Rust, "fn f() { Message::new(\n    \"code-wrong\") }"),
            ],
        );
        assert_eq!(problems, Vec::<String>::new());
    }

    #[test]
    fn a_missing_id_is_named_with_its_file() {
        let sources =
            [(Kind::Rust, "fault.hint(Message::new(\"gone\"))"), (Kind::Template, "{{ msg('lost') }}")];
        let problems = judge("", &sources);
        assert_eq!(
            problems,
            [
                "source names 'gone', which the catalogue lacks",
                "source names 'lost', which the catalogue lacks"
            ]
        );
    }

    #[test]
    fn an_unused_id_is_named_with_its_file() {
        assert_eq!(judge("old = Old", &[]), ["en/pages.ftl defines 'old', which nothing uses"]);
    }

    #[test]
    fn an_id_in_a_table_of_literals_counts_as_used() {
        assert_eq!(
            judge("locked = Locked", &[(Kind::Rust, "Kind::Locked => \"locked\",")]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn ids_put_together_use_all_with_their_beginning() {
        let catalogue = "country-de = Germany\ncountry-fr = France\nstate-x = X";
        let sources =
            [(Kind::Rust, "format!(\"country-{code}\")"), (Kind::Template, "{{ t(\"state-\" ~ code) }}")];
        assert_eq!(judge(catalogue, &sources), Vec::<String>::new());
    }

    #[test]
    fn a_message_may_be_used_by_another_message() {
        let catalogue = "brand-line = By { maker }\nmaker = Woodgrove";
        assert_eq!(judge(catalogue, &[(Kind::Template, "{{ t('brand-line') }}")]), Vec::<String>::new());
    }

    #[test]
    fn tests_and_comments_name_nothing() {
        let source = "/// Like `Message::new(\"example\")`.\nfn f() {}\n\n#[cfg(test)]\nmod tests { fn g() { Message::new(\"only-here\"); } }";
        assert_eq!(judge("", &[(Kind::Rust, source)]), Vec::<String>::new());
    }
}
