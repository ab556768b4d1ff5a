use vestibule_rules::directory::flow::InputType;
use vestibule_testkit::engines::on_both;

use super::{Canary, author, keys, lines};
use vestibule_service::directory::{Source, apply, parse};
use vestibule_service::ports::entropy::SeededEntropy;

const FILES: &[(&str, &str)] = &[
    ("woodgrove.yaml", include_str!("../../../../server/demo/woodgrove.yaml")),
    ("woodgrove-customers.yaml", include_str!("../../../../server/demo/woodgrove-customers.yaml")),
    ("fabrikam.yaml", include_str!("../../../../server/demo/fabrikam.yaml")),
];

fn filled() -> Vec<Source> {
    let fill = |text: &str| {
        text.replace("{app}", "http://localhost:3000")
            .replace("{https}", "https://localhost:8443")
            .replace("{http}", "http://localhost:8080")
    };
    FILES
        .iter()
        .map(|(name, text)| Source { name: (*name).to_owned(), text: fill(text), base: "/".into() })
        .collect()
}

#[test]
fn the_demos_files_have_no_problem() {
    let problems = parse(&filled(), &Canary).err().unwrap_or_default();
    assert_eq!(lines(&problems), [""; 0]);
}

#[tokio::test]
async fn the_demo_is_applied_once_and_then_stands() {
    on_both(async |place| {
        let parsed = || parse(&filled(), &Canary).unwrap();
        let changes = apply(&place.db, &keys(), parsed(), &author(&SeededEntropy::new(1))).await?;
        assert_eq!(changes.iter().filter(|c| c.kind == "tenant").count(), 3);
        let again = apply(&place.db, &keys(), parsed(), &author(&SeededEntropy::new(2))).await?;
        assert_eq!(super::said(&again), [""; 0]);
        Ok(())
    })
    .await
    .unwrap();
}

#[test]
fn the_guides_tenant_has_no_problem() {
    let guide = include_str!("../../../../../docs/guides/first-organisation.md");
    let (_, rest) = guide.split_once("```yaml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    assert_eq!(lines(&super::read(text).err().unwrap_or_default()), [""; 0]);
    // The problem that the guide shows is the one that a reader would get.
    let slip = text.replace("applications: [Partner portal]", "applications: [Partner portl]");
    let said = lines(&super::read(&slip).unwrap_err());
    assert_eq!(said.len(), 1);
    assert!(guide.contains(&said[0]), "{said:?}");
}

#[test]
fn the_examples_of_the_guides_have_no_problem() {
    let guides = [
        include_str!("../../../../../docs/guides/what-a-flow-asks.md"),
        include_str!("../../../../../docs/guides/terms.md"),
        include_str!("../../../../../docs/guides/age.md"),
    ];
    for guide in guides {
        let (_, rest) = guide.split_once("```yaml\n").unwrap();
        let (text, _) = rest.split_once("```").unwrap();
        assert_eq!(lines(&super::read(text).err().unwrap_or_default()), [""; 0]);
    }
}

/// What an editor offers as the kind of an input is what the guide explains.
#[test]
fn the_guide_explains_every_kind_of_input() {
    let guide = include_str!("../../../../../docs/guides/what-a-flow-asks.md");
    for word in InputType::WORDS.into_iter().filter(|word| !["textBox", "date"].contains(word)) {
        assert!(guide.contains(&format!("`{word}`")), "{word}");
    }
}
