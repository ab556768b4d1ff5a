//! The one place that writes to the terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Writes a line to standard output. A closed pipe is nothing to complain about.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Writes an error to standard error.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "vestibule: {text}");
}

/// Asks whoever sits at the terminal. Nothing comes back when nobody does, so that a script cannot agree by
/// accident.
pub fn asked(question: &str) -> Option<bool> {
    let (input, output) = (std::io::stdin(), std::io::stdout());
    if !input.is_terminal() || !output.is_terminal() {
        return None;
    }
    let mut output = output.lock();
    let _ = write!(output, "{question} [y/N] ");
    let _ = output.flush();
    let mut answer = String::new();
    let read = input.lock().read_line(&mut answer);
    Some(read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
