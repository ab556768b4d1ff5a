//! The checks and suites, in the order in which they fail cheapest.

use std::path::Path;

use crate::process::{answers, run};
use crate::{layers, lint, messages};

/// Where the Rust tests look for a PostgreSQL server; without it they use SQLite alone.
const POSTGRES_FOR_TESTS: &str = "VESTIBULE_TEST_POSTGRES";
/// Where the end-to-end suite looks for one.
const POSTGRES_FOR_E2E: &str = "VESTIBULE_E2E_DATABASE";

/// A panic tells its place without it; only backtraces need the lines, and they take a sixth of the compiler's time.
const WITHOUT_LINES: [(&str, &str); 1] = [("CARGO_PROFILE_DEV_DEBUG", "false")];

/// Where Debian puts Chromium; the suite takes the first that is there.
const BROWSERS: [&str; 2] = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];

/// Files of the end-to-end suite that see nothing of the engine: pages, forms, other people's servers, and the minute
/// that a second code takes.
const SAME_ON_BOTH: [&str; 22] = [
    "accounts.test.mjs",
    "attributes.test.mjs",
    "clients.test.mjs",
    "codes.test.mjs",
    "customers.test.mjs",
    "device.test.mjs",
    "discovery.test.mjs",
    "guides.test.mjs",
    "harmless.test.mjs",
    "kinds.test.mjs",
    "lakeside.test.mjs",
    "msal.test.mjs",
    "no-script.test.mjs",
    "pages.test.mjs",
    "par-dpop.test.mjs",
    "providers.test.mjs",
    "python.test.mjs",
    "registered.test.mjs",
    "screenshots.test.mjs",
    "silent.test.mjs",
    "single-page.test.mjs",
    "trial.test.mjs",
];

/// Format, lints, layers, messages.
pub(crate) fn check(root: &Path, _args: &[String]) -> Result<(), String> {
    check_text(root)?;
    run(root, "cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])
}

/// The checks that compile nothing.
fn check_text(root: &Path) -> Result<(), String> {
    run(root, "cargo", &["fmt", "--all", "--", "--check"], &[])?;
    layers::run(root, &[])?;
    messages::run(root, &[])?;
    if answers("cargo", &["deny", "--version"]) {
        deny(root, &[])?;
    }
    Ok(())
}

/// Everything that must be green before a change lands.
pub(crate) fn test(root: &Path, args: &[String]) -> Result<(), String> {
    let options = Options::read(args)?;
    if !options.files.is_empty() {
        return Err(format!("'{}' is not an option of test", options.files.join(" ")));
    }
    // A missing browser is said now, not after ten minutes of tests.
    end_to_end_tools()?;
    check_text(root)?;
    let postgres = options.postgres.as_deref();
    let linting = lint::as_compiler()?;
    let mut variables: Vec<(&str, &str)> =
        linting.iter().map(|(name, value)| (*name, value.as_str())).collect();
    variables.extend(WITHOUT_LINES);
    variables.extend(postgres.map(|url| (POSTGRES_FOR_TESTS, url)));
    // It leaves the program behind that the suite then runs. No example stands in a doc comment, and looking for one
    // in each crate takes a while.
    run(root, "cargo", &["test", "--workspace", "--lib", "--bins", "--tests"], &variables)?;
    if postgres.is_some() {
        suite(root, postgres, &of_storage(root)?)?;
    }
    suite(root, None, &[])
}

/// The files of the suite without those that hang on the browser and on other people's servers alone: the Rust tests
/// run the same journeys on both engines.
fn of_storage(root: &Path) -> Result<Vec<String>, String> {
    let folder = std::fs::read_dir(root.join("e2e/tests")).map_err(|error| format!("e2e/tests: {error}"))?;
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
    let wanted = |name: &String| name.ends_with(".test.mjs") && !SAME_ON_BOTH.contains(&name.as_str());
    let mut files: Vec<String> =
        folder.filter_map(name).filter(wanted).map(|name| format!("tests/{name}")).collect();
    files.sort_unstable();
    Ok(files)
}

/// The end-to-end suite, whole or some files of it.
pub(crate) fn end_to_end(root: &Path, args: &[String]) -> Result<(), String> {
    let options = Options::read(args)?;
    end_to_end_tools()?;
    run(root, "cargo", &["build", "--package", "vestibule-server", "--bin", "vestibule"], &[])?;
    suite(root, options.postgres.as_deref(), &options.files)
}

/// Measures the release build; everything after the command is for the benchmark.
pub(crate) fn bench(root: &Path, args: &[String]) -> Result<(), String> {
    let built = ["build", "--release", "--package", "vestibule-server", "--package", "vestibule-bench"];
    run(root, "cargo", &built, &[])?;
    let program = if cfg!(windows) { "vestibule-bench.exe" } else { "vestibule-bench" };
    let program = root.join("target/release").join(program);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    run(root, &program.display().to_string(), &args, &[])
}

/// Licences, bans and sources; with `--advisories` also known vulnerabilities, which needs a network.
pub(crate) fn deny(root: &Path, args: &[String]) -> Result<(), String> {
    if !answers("cargo", &["deny", "--version"]) {
        println!(
            "cargo-deny is not installed, so dependencies were not checked: cargo install cargo-deny --locked"
        );
        return Ok(());
    }
    run(root, "cargo", &["deny", "--offline", "check", "bans", "licenses", "sources"], &[])?;
    if args.iter().any(|arg| arg == "--advisories") {
        run(root, "cargo", &["deny", "check", "advisories"], &[])?;
    }
    Ok(())
}

fn suite(root: &Path, postgres: Option<&str>, files: &[String]) -> Result<(), String> {
    let folder = root.join("e2e");
    if !packages_are_current(&folder) {
        run(&folder, "npm", &["ci", "--no-audit", "--no-fund"], &[])?;
    }
    let mut args = vec!["run.mjs"];
    args.extend(files.iter().map(String::as_str));
    let variables: Vec<(&str, &str)> = postgres.map(|url| (POSTGRES_FOR_E2E, url)).into_iter().collect();
    run(&folder, "node", &args, &variables)
}

fn end_to_end_tools() -> Result<(), String> {
    if !answers("node", &["--test", "--version"]) || !answers("npm", &["--version"]) {
        return Err("the end-to-end suite needs Node.js 20 or newer with npm".into());
    }
    // Debian leaves both out of python3; without them `python3 -m venv` fails half-way.
    if !answers("python3", &["-c", "import ensurepip, venv"]) {
        return Err("the end-to-end suite needs Python 3 with venv: apt-get install python3-venv".into());
    }
    if !answers("openssl", &["version"]) {
        return Err("the end-to-end suite needs openssl: apt-get install openssl".into());
    }
    #[expect(clippy::disallowed_methods, reason = "a developer's tool is configured by its environment")]
    let named = std::env::var("CHROMIUM").ok();
    let browsers: Vec<&str> = named.as_deref().map_or_else(|| BROWSERS.to_vec(), |named| vec![named]);
    if !browsers.iter().any(|browser| Path::new(browser).exists()) {
        return Err(format!(
            "the end-to-end suite needs Chromium, and {} does not exist: \
             install it (apt-get install chromium-headless-shell) or name it in CHROMIUM",
            browsers.join(" or ")
        ));
    }
    Ok(())
}

/// npm leaves a copy of the lock file behind when it has installed everything in it.
fn packages_are_current(folder: &Path) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    let locked = modified(&folder.join("package-lock.json"));
    matches!((installed, locked), (Some(installed), Some(locked)) if installed >= locked)
}

#[derive(Default)]
struct Options {
    postgres: Option<String>,
    files: Vec<String>,
}

impl Options {
    fn read(args: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--postgres-url" {
                options.postgres = Some(args.next().ok_or("--postgres-url needs a URL")?.clone());
            } else if let Some(url) = arg.strip_prefix("--postgres-url=") {
                options.postgres = Some(url.to_owned());
            } else if arg.starts_with('-') {
                return Err(format!("there is no option '{arg}'"));
            } else {
                options.files.push(arg.clone());
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn read(args: &[&str]) -> Result<Options, String> {
        Options::read(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_and_files_are_told_apart() {
        let options = read(&["--postgres-url", "postgres://x/y", "tests/tokens.test.mjs"]).unwrap();
        assert_eq!(options.postgres.as_deref(), Some("postgres://x/y"));
        assert_eq!(options.files, ["tests/tokens.test.mjs"]);
        assert_eq!(read(&["--postgres-url=postgres://z"]).unwrap().postgres.as_deref(), Some("postgres://z"));
    }

    #[test]
    fn an_unknown_option_is_refused() {
        assert!(read(&["--postgres"]).is_err());
        assert!(read(&["--postgres-url"]).is_err());
    }
}
