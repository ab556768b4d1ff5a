//! What a developer can run. `cargo xtask` alone prints the list; nothing here ships.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks on its terminal")]

mod layers;
mod lint;
mod messages;
mod process;
mod suites;

use std::path::Path;
use std::process::ExitCode;

/// A command with the line that describes it.
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&Path, &[String]) -> Result<(), String>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "check",
        about: "format, lints, layers, messages: before every commit",
        run: suites::check,
    },
    Command {
        name: "layers",
        about: "refuse an arrow between crates that the architecture lacks",
        run: layers::run,
    },
    Command {
        name: "messages",
        about: "compare the message catalogue with the ids in use",
        run: messages::run,
    },
    Command {
        name: "test",
        about: "everything: check, all Rust tests, the end-to-end suite  [--postgres-url URL]",
        run: suites::test,
    },
    Command {
        name: "e2e",
        about: "the end-to-end suite alone  [--postgres-url URL] [FILE…]",
        run: suites::end_to_end,
    },
    Command {
        name: "bench",
        about: "start, memory and sign-ups of the release build  [PART…] [--postgres-url URL] [--help]",
        run: suites::bench,
    },
    Command {
        name: "deny",
        about: "licences, bans and sources of dependencies  [--advisories]",
        run: suites::deny,
    },
];

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(name) = args.next() else {
        print!("{}", manual());
        return ExitCode::SUCCESS;
    };
    let rest: Vec<String> = args.collect();
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprintln!("There is no command '{name}'.\n\n{}", manual());
        return ExitCode::from(2);
    };
    match (command.run)(&root(), &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("\nxtask {name}: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace, wherever the command was typed.
fn root() -> std::path::PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

fn manual() -> String {
    let mut text = String::from("cargo xtask <command>\n\n");
    for Command { name, about, .. } in COMMANDS {
        text.push_str("  ");
        text.push_str(name);
        text.push_str(&" ".repeat(10_usize.saturating_sub(name.len())));
        text.push_str(about);
        text.push('\n');
    }
    text.push_str("\nThe inner loop is plain cargo: cargo test -p vestibule-rules\n");
    text
}
