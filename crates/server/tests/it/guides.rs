//! A guide that needs nothing but the program, followed as it stands.

use std::path::Path;
use std::process::Command;

use regex::Regex;

/// What stands between fences, and what was said before it.
struct Block<'g> {
    before: &'g str,
    language: &'g str,
    text: &'g str,
}

fn blocks(guide: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut rest = guide;
    while let Some((before, after)) = rest.split_once("```") {
        let (language, after) = after.split_once('\n').unwrap();
        let (text, after) = after.split_once("```").unwrap();
        blocks.push(Block { before: before.trim_end(), language, text });
        rest = after;
    }
    blocks
}

/// What the commands print, as somebody sees it who has the program on their path.
fn type_in(folder: &Path, commands: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_vestibule")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", program.display());
    let mut shell = Command::new("sh");
    shell.args(["-euc", commands]).current_dir(folder).env_clear().env("PATH", path);
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{commands}{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The text without what is different each time.
fn steady(text: &str) -> String {
    let times = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|[\d.]+ ms";
    Regex::new(times).unwrap().replace_all(text, "~").into_owned()
}

#[test]
fn the_first_flow_is_made_as_the_guide_says() {
    let folder = tempfile::tempdir().unwrap();
    let name = Regex::new("Save this as `([a-z.]+)`:$").unwrap();
    let mut printed = String::new();
    let mut compared = 0;
    for block in blocks(include_str!("../../../../docs/guides/your-first-flow.md")) {
        match block.language {
            "yaml" => {
                let name = name.captures(block.before).unwrap().get(1).unwrap();
                std::fs::write(folder.path().join(name.as_str()), block.text).unwrap();
            }
            "sh" => printed = type_in(folder.path(), block.text),
            _ => {
                assert_eq!(steady(&printed), steady(block.text));
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 5);
}
