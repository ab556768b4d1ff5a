//! The list of attacks is whole: each id of security.md that this tree answers for is named by a test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Ids that some test must name.
fn wanted() -> Vec<String> {
    let numbered = |letters: &str, numbers: std::ops::RangeInclusive<u32>| {
        numbers.map(|n| format!("{letters}{n}")).collect::<Vec<_>>()
    };
    // The rows of 4.2 that concern federation and linking.
    let rows = [5, 11, 13, 45, 57, 80, 82, 85, 86, 92, 110, 111, 112, 120].map(|n| format!("C{n}"));
    [numbered("RP", 1..=20), numbered("U", 11..=17), rows.to_vec()].concat()
}

/// The ids that the comments of tests name, and the tests. `RP1 to RP3` names three.
fn named(source: &str) -> BTreeMap<String, Vec<String>> {
    let range = Regex::new(r"\b(RP|U|C)(\d+)(?: to (?:RP|U|C)?(\d+)|[-–](?:RP|U|C)?(\d+))?\b").unwrap();
    let function = Regex::new(r"fn (\w+)").unwrap();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut in_test, mut name) = (false, String::new());
    let mut above = Vec::new();
    for line in source.lines() {
        let text = line.trim();
        if matches!(text, "#[test]" | "#[tokio::test]") {
            (in_test, name) = (true, String::new());
            continue;
        }
        let comment = text.strip_prefix("//").filter(|rest| !rest.starts_with(['/', '!']));
        match comment {
            // A comment stands in its test, or right above it.
            Some(comment) => above.push(comment.to_owned()),
            None if in_test && name.is_empty() => {
                name = function.captures(text).map(|all| all[1].to_owned()).unwrap_or_default();
            }
            None if !in_test => above.clear(),
            None => {}
        }
        if in_test && !name.is_empty() {
            for comment in above.drain(..) {
                for id in range.captures_iter(&comment).flat_map(|all| ids(&all)) {
                    found.entry(id).or_default().push(name.clone());
                }
            }
        }
        if line == "}" {
            in_test = false;
        }
    }
    found
}

fn ids(all: &regex::Captures<'_>) -> Vec<String> {
    let number = |n: usize| all.get(n).and_then(|text| text.as_str().parse::<u32>().ok());
    let first = number(2).unwrap();
    let last = number(3).or_else(|| number(4)).unwrap_or(first).max(first);
    (first..=last).map(|n| format!("{}{n}", &all[1])).collect()
}

/// The suite's plans of the first target, and its modules in the order in which it runs them.
const BASIC: [&str; 14] = [
    "oidcc-client-test",
    "oidcc-client-test-invalid-iss",
    "oidcc-client-test-missing-sub",
    "oidcc-client-test-invalid-aud",
    "oidcc-client-test-missing-iat",
    "oidcc-client-test-kid-absent-single-jwks",
    "oidcc-client-test-kid-absent-multiple-jwks",
    "oidcc-client-test-idtoken-sig-rs256",
    "oidcc-client-test-idtoken-sig-none",
    "oidcc-client-test-invalid-sig-rs256",
    "oidcc-client-test-userinfo-invalid-sub",
    "oidcc-client-test-nonce-invalid",
    "oidcc-client-test-scope-userinfo-claims",
    "oidcc-client-test-client-secret-basic",
];
const CONFIG: [&str; 6] = [
    "oidcc-client-test-discovery-openid-config",
    "oidcc-client-test-discovery-jwks-uri-keys",
    "oidcc-client-test-discovery-issuer-mismatch",
    "oidcc-client-test-idtoken-sig-none",
    "oidcc-client-test-signing-key-rotation-just-before-signing",
    "oidcc-client-test-signing-key-rotation",
];

const SESSIONS: [&str; 15] = [
    "oidcc-client-test-refresh-token",
    "oidcc-client-test-refresh-token-invalid-issuer",
    "oidcc-client-test-refresh-token-invalid-sub",
    "oidcc-client-test-rp-init-logout",
    "oidcc-client-test-rp-init-logout-other-state",
    "oidcc-client-test-rp-init-logout-no-state",
    "oidcc-client-test-rp-frontchannel-rpinitlogout",
    "oidcc-client-test-rp-backchannel-rpinitlogout",
    "oidcc-client-test-rp-backchannel-rpinitlogout-alg-none",
    "oidcc-client-test-rp-backchannel-rpinitlogout-no-event",
    "oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce",
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg",
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud",
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event",
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss",
];

#[test]
fn every_module_of_the_certification_plans_is_a_test_of_its_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/federation/modules");
    let plans = [
        ("basic.rs", &BASIC[..]),
        ("form_post.rs", &BASIC[..]),
        ("config.rs", &CONFIG[..]),
        ("sessions.rs", &SESSIONS[..]),
    ];
    for (file, modules) in plans {
        let source = std::fs::read_to_string(folder.join(file)).unwrap();
        for module in modules {
            let test = format!("#[tokio::test]\nasync fn {}()", module.replace('-', "_"));
            assert!(source.contains(&test), "{file} has no test {module}");
        }
    }
}

fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all.push(path);
        }
    }
}

#[test]
fn every_attack_on_federation_is_named_by_a_test() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"), &mut files);
    assert!(files.len() > 20);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        for (id, tests) in named(&std::fs::read_to_string(file).unwrap()) {
            found.entry(id).or_default().extend(tests);
        }
    }
    let missing: Vec<_> = wanted().into_iter().filter(|id| !found.contains_key(id)).collect();
    assert!(missing.is_empty(), "no test names {missing:?}");
}

#[test]
fn a_list_is_read_as_it_is_written() {
    let source = "
// RP90 stands above nothing.
const X: u8 = 1;

/// RP91 is no comment of a test.
#[tokio::test]
async fn one() {
    // RP1, U11: the attack
    call(\"RP92\");
    // RP3 to RP5, U12-14
}

fn helper() {
    // RP93
}

// C5 (CVE-2026-9087)
#[test]
fn two() {}
";
    let found = named(source);
    let ids: Vec<_> = found.keys().map(String::as_str).collect();
    assert_eq!(ids, ["C5", "RP1", "RP3", "RP4", "RP5", "U11", "U12", "U13", "U14"]);
    assert_eq!((&found["RP1"], &found["C5"]), (&vec!["one".to_owned()], &vec!["two".to_owned()]));
}
