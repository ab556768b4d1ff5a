//! `vestibule flow test`: scripted visitors, and a report for people and for a CI.

use std::path::Path;
use std::time::Instant;

use vestibule_service::directory::FileProblem;
use vestibule_service::flow_test::{self, Scenario};

use super::apply::read;
use super::flow_report::{Outcome, junit, lines};
use crate::cli::FlowTestArgs;
use crate::failure::{Done, Failure, file};
use crate::terminal::say;

pub(super) fn run(args: &FlowTestArgs) -> Done {
    let begun = Instant::now();
    let scenarios = collect(args)?;
    let wanted = args.filter.as_deref().unwrap_or_default().to_lowercase();
    let outcomes: Vec<Outcome> = scenarios
        .iter()
        .filter(|scenario| scenario.name().to_lowercase().contains(&wanted))
        .map(|scenario| {
            let begun = Instant::now();
            let failure = scenario.run().err();
            Outcome { scenario, failure, took: begun.elapsed() }
        })
        .collect();
    if outcomes.is_empty() {
        return Err(Failure::usage(format!("no test has “{wanted}” in its name")));
    }
    say(&lines(&outcomes));
    if let Some(path) = &args.junit {
        write(path, &outcomes)?;
    }
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    let all = outcomes.len();
    let tests = if all == 1 { "test" } else { "tests" };
    let took = begun.elapsed().as_millis();
    if failed > 0 {
        return Err(Failure::new(format!("{failed} of {all} {tests} failed ({took} ms)")));
    }
    say(&format!("{all} {tests} passed ({took} ms)"));
    Ok(())
}

/// Every scenario of every file, or everything that is wrong with any of them.
fn collect(args: &FlowTestArgs) -> Done<Vec<Scenario>> {
    let mut problems: Vec<FileProblem> = Vec::new();
    let mut scenarios = Vec::new();
    for path in &args.files {
        match of_file(path)? {
            Ok(some) => scenarios.extend(some),
            Err(some) => problems.extend(some),
        }
    }
    if problems.is_empty() {
        return Ok(scenarios);
    }
    let heading = if problems.len() == 1 { "there is a problem" } else { "there are problems" };
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Err(Failure::usage(format!("{heading}; nothing was tested:\n{}", lines.join("\n"))))
}

fn of_file(path: &Path) -> Done<Result<Vec<Scenario>, Vec<FileProblem>>> {
    let source = read(path).map_err(|failure| Failure::usage(failure.to_string()))?;
    Ok(flow_test::read(&source).and_then(|document| {
        let tenant = read(&document.tenant_file());
        let tenant = tenant.map_err(|failure| vec![document.without_tenant(&failure.to_string())])?;
        document.scenarios(tenant)
    }))
}

fn write(path: &Path, outcomes: &[Outcome<'_>]) -> Done {
    let report = junit(outcomes)
        .map_err(|error| Failure::new(format!("the JUnit report cannot be written: {error}")))?;
    std::fs::write(path, report).map_err(|error| file(path, "written", &error))
}
