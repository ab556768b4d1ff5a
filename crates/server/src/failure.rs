//! Why a command did not do what it was asked, in words for a terminal.

use std::fmt;

use vestibule_rules::fault::Fault;

use crate::config::Problems;

/// Why a command ended early.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    text: String,
    code: u8,
}

/// The result of a command.
pub type Done<T = ()> = Result<T, Failure>;

impl Failure {
    /// It did not work out.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 1 }
    }

    /// The command line or the configuration is wrong.
    pub fn usage(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 2 }
    }

    /// The exit code of the program.
    pub const fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        let count = problems.0.len();
        let heading = if count == 1 { "there is a problem" } else { "there are problems" };
        Self::usage(format!("{heading} with the configuration:\n{problems}"))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let about = fault.about.map(|about| format!("{about}: ")).unwrap_or_default();
        Self::new(format!("{about}{}", fault.detail))
    }
}

/// Says which file could not be handled.
pub fn file(path: &std::path::Path, doing: &str, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be {doing}: {error}", path.display()))
}
