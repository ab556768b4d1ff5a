use std::collections::BTreeSet;

use super::*;

/// Words in quotes that look like the id of a message, in the sources of the rules.
fn ids_in(sources: &[String]) -> BTreeSet<String> {
    const FAMILIES: &[&str] = &[
        "action",
        "client",
        "address",
        "code",
        "details",
        "ended",
        "exists",
        "fault",
        "field",
        "identify",
        "leave",
        "new-password",
        "password",
        "provider",
        "refused",
        "redirect",
        "reset",
        "sign-up",
        "stay",
        "try",
    ];
    let mut ids = BTreeSet::new();
    for source in sources {
        for quoted in source.split('"').skip(1).step_by(2) {
            let is_id = quoted.contains('-') && quoted.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            if is_id && FAMILIES.iter().any(|f| quoted.strip_prefix(f).is_some_and(|r| r.starts_with('-'))) {
                ids.insert(quoted.to_owned());
            }
        }
    }
    ids
}

/// The sources of the layers that name messages, without their tests.
fn sources(folder: &str) -> Vec<String> {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![crates.join(folder)];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !name.contains("tests") {
                sources.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    sources
}

/// In the sources, but autocomplete tokens or names of links (their labels begin with `action-`).
const OTHER: &[&str] = &["new-password", "sign-up"];

#[test]
fn everything_that_the_rules_say_has_words() {
    let catalogue = Catalogue::load().unwrap();
    let (rules, service) = (sources("rules/src"), sources("service/src"));
    let mut ids = ids_in(&rules);
    let named = |source: &String| {
        let calls = source.split("Message::new(\"").skip(1);
        calls.filter_map(|call| call.split('"').next()).map(str::to_owned).collect::<Vec<_>>()
    };
    ids.extend(rules.iter().chain(&service).flat_map(named));
    ids.retain(|id| !OTHER.contains(&id.as_str()));
    for link in ["forgot-password", "change-address", "sign-up", "sign-in", "resend"] {
        ids.insert(format!("action-{link}"));
    }
    for attribute in vestibule_rules::directory::attribute::BUILT_IN {
        ids.insert(format!("attribute-{}", attribute.id));
    }
    assert!(ids.len() > 60, "{ids:?}");
    for locale in catalogue.locales() {
        let missing: Vec<_> = ids.iter().filter(|id| !catalogue.has(id, locale)).collect();
        assert!(missing.is_empty(), "{locale} lacks {missing:?}");
    }
}

#[test]
fn every_message_has_a_comment_for_translators() {
    for path in Files::iter() {
        let text = String::from_utf8(Files::get(&path).unwrap().data.into_owned()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        for pair in lines.windows(2) {
            if pair[1].starts_with(|c: char| c.is_ascii_alphabetic()) {
                assert!(pair[0].starts_with("# "), "{path}: {}", pair[1]);
            }
        }
    }
}

#[test]
fn plurals_follow_the_number() {
    let catalogue = Catalogue::load().unwrap();
    let text = |left: u8| catalogue.text(&Message::new("code-wrong").with("left", left), "en");
    assert_eq!(text(1), "That is not the code. You can try once more.");
    assert_eq!(text(4), "That is not the code. You can try 4 more times.");
}

#[test]
fn a_code_keeps_its_leading_zeros() {
    let catalogue = Catalogue::load().unwrap();
    let subject = Message::new("mail-code-subject").with("code", "00012345").with("tenant", "Woodgrove");
    assert_eq!(catalogue.text(&subject, "en"), "00012345 is your Woodgrove code");
}

#[test]
fn an_unknown_locale_falls_back_to_english_and_an_unknown_id_to_itself() {
    let catalogue = Catalogue::load().unwrap();
    assert_eq!(catalogue.text(&Message::new("action-next"), "xx"), "Next");
    assert_eq!(catalogue.text(&Message::new("no-such-message"), "en"), "no-such-message");
}

fn below(folder: &str) -> String {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut all = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    all
}

#[test]
fn everything_that_a_template_says_has_words() {
    let catalogue = Catalogue::load().unwrap();
    let templates = below("templates");
    // Not part of a longer name, such as `rejectattr(`.
    let calls =
        templates.match_indices("t(").filter(|(at, _)| !templates[..*at].ends_with(char::is_alphanumeric));
    for (at, _) in calls {
        let call = &templates[at + 2..];
        let Some(quote) = call.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
        let id = call[1..].split(quote).next().unwrap();
        assert!(catalogue.has(id, FALLBACK), "{id}");
    }
}

#[test]
fn no_message_is_left_over() {
    let everything = sources("rules/src").concat()
        + &sources("service/src").concat()
        + &below("templates")
        + &below("src");
    for path in Files::iter() {
        let text = String::from_utf8(Files::get(&path).unwrap().data.into_owned()).unwrap();
        for line in text.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_alphabetic())) {
            let id = line.split(" =").next().unwrap();
            let named = |id: &str| {
                everything.contains(&format!("\"{id}\"")) || everything.contains(&format!("'{id}'"))
            };
            let by_rule = ["attribute-", "action-"].iter().any(|f| id.starts_with(f));
            assert!(named(id) || by_rule, "{path}: {id} is not used");
        }
    }
}
