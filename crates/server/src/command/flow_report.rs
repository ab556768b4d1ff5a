//! The report of `vestibule flow test`: lines for people, XML for a CI.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};
use vestibule_service::flow_test::{Failure, Scenario};

/// How one test ended.
pub(super) struct Outcome<'s> {
    pub(super) scenario: &'s Scenario,
    pub(super) failure: Option<Box<Failure>>,
    pub(super) took: Duration,
}

/// One line for each test, and below a failed one what was expected and what was shown.
pub(super) fn lines(outcomes: &[Outcome<'_>]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut file = None;
    for Outcome { scenario, failure, took } in outcomes {
        if file != Some(scenario.file()) {
            file = Some(scenario.file());
            lines.push(scenario.file().to_owned());
        }
        let mark = if failure.is_some() { "✗" } else { "✓" };
        let milliseconds = took.as_secs_f64() * 1000.0;
        lines.push(format!("  {mark} {} ({milliseconds:.1} ms)", scenario.name()));
        if let Some(failure) = failure {
            lines.extend(words(failure).lines().map(|line| format!("      {line}")));
        }
    }
    lines.join("\n")
}

/// A failure in words: where, what was expected, what was shown.
fn words(failure: &Failure) -> String {
    let place = &failure.place;
    let shown = failure.shown.replace('\n', "\n            ");
    format!(
        "{}:{}:{}: {}\nexpected    {}\nbut it was  {shown}",
        place.file, place.at.line, place.at.column, place.key, place.text
    )
}

/// The report as XML: a suite for each file.
pub(super) fn junit(outcomes: &[Outcome<'_>]) -> Result<String, SerializeError> {
    let mut report = Report::new("vestibule flow test");
    for tests in outcomes.chunk_by(|a, b| a.scenario.file() == b.scenario.file()) {
        let Some(first) = tests.first() else { continue };
        let mut suite = TestSuite::new(first.scenario.file());
        suite.set_time(tests.iter().map(|test| test.took).sum());
        for Outcome { scenario, failure, took } in tests {
            let status = match failure {
                None => TestCaseStatus::success(),
                Some(failure) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(format!("expected {}", failure.place.text));
                    status.set_type("expectation");
                    status.set_description(words(failure));
                    status
                }
            };
            let mut case = TestCase::new(scenario.name(), status);
            case.set_classname(scenario.file());
            case.set_time(*took);
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report.set_time(outcomes.iter().map(|test| test.took).sum());
    report.to_string()
}
