//! Runs other programs and says which one failed.

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a program in a directory with additional variables; its output goes to the terminal.
pub(crate) fn run(
    dir: &Path,
    program: &str,
    args: &[&str],
    variables: &[(&str, &str)],
) -> Result<(), String> {
    println!("$ {program} {}", args.join(" "));
    let status = Command::new(program)
        .args(args)
        .current_dir(dir)
        .envs(variables.iter().copied())
        .status()
        .map_err(|error| format!("{program} could not be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} {} failed ({status})", args.join(" "))) }
}

/// What a program says, without the last line's end.
pub(crate) fn said(program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(args)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{program} could not be started: {error}"))?;
    let text = String::from_utf8(output.stdout).map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        Ok(text.trim_end().to_owned())
    } else {
        Err(format!("{program} {} failed ({})", args.join(" "), output.status))
    }
}

/// Whether a program answers to its name and arguments.
pub(crate) fn answers(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
