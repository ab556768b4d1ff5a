//! From files to scenarios.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use serde::Deserialize as _;
use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::directory::check::{PathStep, WORKFORCE_PREFIX, dotted};
use vestibule_rules::directory::flow::UserFlow;
use vestibule_rules::directory::tenant::{TenantConfig, TenantKind};
use vestibule_rules::journey::flow::Flow;

use super::names::Names;
use super::shape::{AccountSection, TestFile, TestSection};
use super::{check, visitor};
use crate::directory::structure::{Structure, likely};
use crate::directory::yaml::{self, Mark, Marks};
use crate::directory::{FileProblem, Source, StandInSecrets, parse};

static STRUCTURE: LazyLock<Structure> = LazyLock::new(Structure::of::<TestFile>);

/// A file of tests in good shape, before the tenant file that it names was read.
#[derive(Clone, Debug)]
pub struct TestDocument {
    file: TestFile,
    places: Places,
    base: PathBuf,
}

/// One visitor with everything that the visit takes.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(super) stage: Arc<Stage>,
    pub(super) section: TestSection,
    pub(super) accounts: Vec<AccountSection>,
    pub(super) places: Places,
    pub(super) index: usize,
}

/// What is configured for a visitor.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) config: Arc<TenantConfig>,
    pub(super) flow: Flow,
    pub(super) app: Application<PasswordCredential>,
    pub(super) names: Names,
}

/// Why a test failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The line that was not met, and what it was about.
    pub place: FileProblem,
    /// What was shown instead, or what stands in the directory.
    pub shown: String,
}

impl Scenario {
    /// What is tested.
    pub fn name(&self) -> &str {
        &self.section.name
    }

    /// The file that it stands in.
    pub fn file(&self) -> &str {
        &self.places.file
    }

    /// Where it begins in its file.
    pub fn at(&self) -> Mark {
        self.places.marks.find(&self.path(&[]))
    }

    /// Lets the visitor through.
    pub fn run(&self) -> Result<(), Box<Failure>> {
        visitor::visit(self)
    }

    /// The path of something in this test.
    pub(super) fn path(&self, rest: &[PathStep]) -> Vec<PathStep> {
        let mut path = vec![key("tests"), PathStep::Index(self.index)];
        path.extend_from_slice(rest);
        path
    }
}

/// Where everything in a file is.
#[derive(Clone, Debug)]
pub(super) struct Places {
    file: String,
    marks: Arc<Marks>,
}

impl Places {
    pub(super) fn problem(&self, path: &[PathStep], text: impl Into<String>) -> FileProblem {
        FileProblem {
            file: self.file.clone(),
            at: self.marks.find(path),
            key: dotted(path),
            text: text.into(),
        }
    }
}

pub(super) fn key(name: &str) -> PathStep {
    PathStep::Key(name.to_owned())
}

/// Reads a file of tests, or says everything that is wrong with its shape.
pub fn read(source: &Source) -> Result<TestDocument, Vec<FileProblem>> {
    let (documents, flaws) = yaml::read(&source.text);
    let alone = |at, path: &[PathStep], text: &str| FileProblem {
        file: source.name.clone(),
        at,
        key: dotted(path),
        text: text.to_owned(),
    };
    let mut problems: Vec<FileProblem> =
        flaws.iter().map(|flaw| alone(flaw.at, &flaw.path, &flaw.text)).collect();
    let top = Mark { line: 1, column: 1 };
    let mut documents = documents.into_iter();
    let document = match (documents.next(), documents.next()) {
        (Some(document), None) => document,
        (Some(_), Some(_)) => return Err(vec![alone(top, &[], "a file of tests is one YAML document")]),
        (None, _) if problems.is_empty() => return Err(vec![alone(top, &[], "the file is empty")]),
        (None, _) => return Err(problems),
    };
    let places = Places { file: source.name.clone(), marks: Arc::new(document.marks) };
    let violations = STRUCTURE.violations(&document.value);
    problems.extend(violations.into_iter().map(|v| places.problem(&v.path, v.text)));
    problems.sort_by_key(|problem| problem.at);
    if !problems.is_empty() {
        return Err(problems);
    }
    match TestFile::deserialize(&document.value) {
        Ok(file) => Ok(TestDocument { file, places, base: source.base.clone() }),
        Err(error) => Err(vec![places.problem(&[], error.to_string())]),
    }
}

impl TestDocument {
    /// The tenant file that the tests are about.
    pub fn tenant_file(&self) -> PathBuf {
        self.base.join(&self.file.tenant)
    }

    /// The tenant file cannot be read.
    pub fn without_tenant(&self, why: &str) -> FileProblem {
        self.places.problem(&[key("tenant")], why)
    }

    /// The scenarios over the tenant file, or everything that is wrong with either file.
    pub fn scenarios(&self, mut tenant: Source) -> Result<Vec<Scenario>, Vec<FileProblem>> {
        for (word, text) in &self.file.placeholders {
            tenant.text = tenant.text.replace(&format!("{{{word}}}"), text);
        }
        let parsed = parse(std::slice::from_ref(&tenant), &StandInSecrets)?;
        let tenants: Vec<Arc<TenantConfig>> = parsed.iter().map(|t| Arc::new(t.draft())).collect();
        let mut problems = Vec::new();
        let mut scenarios = Vec::new();
        let mut stages: BTreeMap<(Option<&str>, Option<&str>), Arc<Stage>> = BTreeMap::new();
        for (index, section) in self.file.tests.iter().enumerate() {
            let names = (section.flow.as_deref(), section.app.as_deref());
            let stage = match stages.get(&names) {
                Some(known) => Ok(Arc::clone(known)),
                None => self.stage(&tenants, index, section).map(Arc::new),
            };
            match stage {
                Ok(stage) => {
                    stages.insert(names, Arc::clone(&stage));
                    let mut accounts = self.file.directory.clone();
                    accounts.extend(section.directory.iter().cloned());
                    let scenario = Scenario {
                        stage,
                        section: section.clone(),
                        accounts,
                        places: self.places.clone(),
                        index,
                    };
                    problems.extend(check::check(&scenario, self.file.directory.len()));
                    scenarios.push(scenario);
                }
                Err(problem) => problems.push(*problem),
            }
        }
        problems.sort_by_key(|problem| problem.at);
        problems.dedup();
        if problems.is_empty() { Ok(scenarios) } else { Err(problems) }
    }

    /// Finds flow and application of a test as the server finds the flow of an application.
    fn stage(
        &self,
        tenants: &[Arc<TenantConfig>],
        index: usize,
        section: &TestSection,
    ) -> Result<Stage, Box<FileProblem>> {
        let place = |name: &str, text: String| {
            let inside = [key("tests"), PathStep::Index(index), key(name)];
            let own = match name {
                "flow" => section.flow.is_some(),
                "app" => section.app.is_some(),
                _ => true,
            };
            Box::new(self.places.problem(inside.get(if own { 0 } else { 2 }..).unwrap_or_default(), text))
        };
        let app = section.app.as_ref().or(self.file.app.as_ref());
        let (tenant, flow) = match (section.flow.as_ref().or(self.file.flow.as_ref()), app) {
            (Some(name), _) => find_flow(tenants, name).map_err(|text| place("flow", text))?,
            (None, Some(name)) => find_by_app(tenants, name).map_err(|text| place("app", text))?,
            (None, None) => {
                return Err(place("name", "say where the visitor comes from: app or flow".to_owned()));
            }
        };
        let first =
            || flow.and_then(|f| tenant.applications.iter().find(|a| f.applications.contains(&a.app_id)));
        let found = app.map_or_else(first, |name| app_of(tenant, name));
        let app = found.ok_or_else(|| {
            let text = match app {
                Some(name) => format!("the tenant of the flow has no application “{name}”"),
                None => "no application of the tenant uses this flow".to_owned(),
            };
            place(if app.is_some() { "app" } else { "flow" }, text)
        })?;
        let resolved = match flow {
            Some(flow) if flow.applications.contains(&app.app_id) => Flow::resolve(tenant, flow),
            None if tenant.tenant.kind == TenantKind::Workforce => Flow::sign_in_only(tenant),
            Some(_) | None => {
                let text = format!("no such flow serves the application “{}”", app.display_name);
                return Err(place("app", text));
            }
        };
        let names = Names::new(&tenant.user_flow_attributes, &resolved);
        Ok(Stage { config: Arc::clone(tenant), flow: resolved, app: app.clone(), names })
    }
}

type Served<'t> = (&'t Arc<TenantConfig>, Option<&'t UserFlow>);

fn find_flow<'t>(tenants: &'t [Arc<TenantConfig>], name: &str) -> Result<Served<'t>, String> {
    let all = || tenants.iter().flat_map(|t| t.user_flows.iter().map(move |f| (t, f)));
    let mut matches = all().filter(|(_, flow)| is_called(flow, name));
    match (matches.next(), matches.next()) {
        (Some((tenant, flow)), None) => Ok((tenant, Some(flow))),
        (Some(_), Some(_)) => Err(format!("“{name}” names more than one flow; use its id")),
        (None, _) => {
            let guess = likely(name, all().map(|(_, flow)| flow.display_name.as_str()));
            Err(format!("there is no flow “{name}” in the tenant file{guess}"))
        }
    }
}

/// The tenant of an application, and the flow that serves it (FLOW-03: at most one).
fn find_by_app<'t>(tenants: &'t [Arc<TenantConfig>], name: &str) -> Result<Served<'t>, String> {
    let mut holders = tenants.iter().filter_map(|tenant| Some((tenant, app_of(tenant, name)?)));
    match (holders.next(), holders.next()) {
        (Some((tenant, app)), None) => {
            Ok((tenant, tenant.user_flows.iter().find(|flow| flow.applications.contains(&app.app_id))))
        }
        (Some(_), Some(_)) => Err(format!("“{name}” names more than one application; use its appId")),
        (None, _) => {
            let names = tenants.iter().flat_map(|t| &t.applications).filter(|app| !app.built_in);
            let guess = likely(name, names.map(|app| app.display_name.as_str()));
            Err(format!("there is no application “{name}” in the tenant file{guess}"))
        }
    }
}

/// Whether a flow answers to a name: its id, the id without its prefix, or its display name.
pub(crate) fn is_called(flow: &UserFlow, name: &str) -> bool {
    let id = flow.id.as_str();
    [id, id.strip_prefix(WORKFORCE_PREFIX).unwrap_or(id), &flow.display_name]
        .iter()
        .any(|known| known.to_lowercase() == name.to_lowercase())
}

fn app_of<'t>(tenant: &'t TenantConfig, name: &str) -> Option<&'t Application<PasswordCredential>> {
    let folded = name.to_lowercase();
    let mut own = tenant.applications.iter().filter(|app| !app.built_in);
    own.find(|app| app.display_name.to_lowercase() == folded || app.app_id.to_string() == folded)
}
