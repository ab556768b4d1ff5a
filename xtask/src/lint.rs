//! Lints while compiling: what is compiled anyway need not be checked by itself before.

use crate::process::said;

/// What `cargo clippy -- -D warnings` passes to its driver.
const FLAGS: &str = "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__";

/// The variables by which cargo compiles the workspace with clippy's driver, and every lint is an error. The driver
/// optimises a little less than the compiler, so this is for tests.
pub(crate) fn as_compiler() -> Result<[(&'static str, String); 2], String> {
    let sysroot = said("rustc", &["--print", "sysroot"])?;
    Ok([
        ("RUSTC_WORKSPACE_WRAPPER", format!("{sysroot}/bin/clippy-driver")),
        ("CLIPPY_ARGS", FLAGS.to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::as_compiler;

    /// Whether the driver accepts a library of this text, called as cargo calls it.
    fn passes(name: &str, text: &str) -> bool {
        let folder = std::env::temp_dir().join(format!("vestibule-lint-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("lib.rs"), text).unwrap();
        let [(_, driver), (variable, flags)] = as_compiler().unwrap();
        let status = Command::new(driver)
            .args(["rustc", "lib.rs", "--crate-type", "lib", "--emit", "metadata", "--edition", "2024"])
            .env(variable, flags)
            // As for a package that cargo compiles for itself.
            .env("CARGO_PRIMARY_PACKAGE", "1")
            .current_dir(&folder)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        status.success()
    }

    #[test]
    fn a_lint_fails_the_build() {
        assert!(passes("clean", "pub fn is_none(all: &[u8]) -> bool { all.is_empty() }"));
        assert!(!passes("clippy", "pub fn is_none(all: &[u8]) -> bool { all.len() == 0 }"));
        assert!(!passes("rustc", "pub fn is_none(all: &[u8]) -> bool { let unused = 1; all.is_empty() }"));
    }
}
