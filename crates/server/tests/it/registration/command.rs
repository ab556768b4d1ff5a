//! `vestibule client-registration`, as an operator types it.

use std::path::Path;
use std::process::Command;

use super::world::FILE;

fn run(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(arguments)
        .args(["--data", "data", "--insecure-dev"])
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[test]
fn tokens_are_made_listed_and_taken_back() {
    // S91
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("suite.yaml"), FILE).unwrap();
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    for name in ["app", "second"] {
        std::fs::write(folder.path().join("secrets").join(name), "a secret of the test").unwrap();
    }
    let good = |arguments: &[&str]| {
        let (done, text) = run(folder.path(), arguments);
        assert!(done, "{arguments:?}: {text}");
        text
    };
    good(&["apply", "suite.yaml"]);
    let token = ["client-registration", "token"];
    let made =
        good(&[&token[..], &["create", "--tenant", "suite", "--uses", "3", "--expires", "2d"]].concat());
    let (plain, id) =
        (made.lines().next().unwrap(), made.trim_end().trim_end_matches('.').rsplit(' ').next().unwrap());
    assert_eq!(plain.len(), 43, "{made}");
    let listed = good(&[&token[..], &["list", "--tenant", "suite"]].concat());
    assert!(listed.contains(id) && listed.contains("3 uses left") && !listed.contains(plain), "{listed}");
    good(&[&token[..], &["revoke", "--tenant", "suite", id]].concat());
    assert!(good(&[&token[..], &["list", "--tenant", "suite"]].concat()).contains("no tokens"));
    let (done, _) = run(folder.path(), &[&token[..], &["create", "--tenant", "nobody"]].concat());
    assert!(!done);
    let client = ["client-registration", "client"];
    assert!(good(&[&client[..], &["list", "--tenant", "suite"]].concat()).contains("No application"));
    let missing = "00000000-0000-4000-8000-000000000000";
    let (done, _) = run(folder.path(), &[&client[..], &["disable", "--tenant", "suite", missing]].concat());
    assert!(!done);
}
