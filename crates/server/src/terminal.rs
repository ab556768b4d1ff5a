//! The one place that writes to the terminal.

use std::io::Write as _;

/// Writes a line to standard output. A closed pipe is nothing to complain about.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Writes an error to standard error.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "vestibule: {text}");
}
