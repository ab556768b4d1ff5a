use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::account::{AccountPage, AppsPage, ChoosePage, ConsentPage};
use super::around::{FaultPage, FormPostPage, HomePage, NumberPage, SignOutPage, SignedOutPage};
use super::device::{DeviceEntryPage, DevicePage};
use super::guardian::GuardianPage;
use super::inbox::{InboxPage, MailPage};
use super::journey::{EndedPage, JourneyPage, TermsPage};
use super::preview::{PreviewEndPage, PreviewJourneyPage};
use super::stranger::OnwardPage;
use super::trial::{TrialPage, TrialReportPage};
use super::*;
use crate::asset::compress;

/// Every page with every sample, in every locale.
fn rendered() -> Vec<(String, String)> {
    let pages = Pages::load(None).unwrap();
    let mut all = Vec::new();
    let locales: Vec<String> = pages.catalogue.locales().map(str::to_owned).collect();
    for locale in locales {
        let brand = Brand {
            privacy: Some("https://woodgrove.example/privacy".to_owned()),
            terms: Some("https://woodgrove.example/terms".to_owned()),
            text: Some("Questions? [Write to us](https://woodgrove.example/help).".to_owned()),
            style: Some("/woodgrove/brand.css?v=1".to_owned()),
            ..Brand::named("Woodgrove")
        };
        for (look, brand) in [("neutral", Brand::neutral()), ("brand", brand)] {
            let frame = Frame { locale: locale.clone(), languages: Vec::new(), brand };
            let prefix = format!("{locale}-{look}");
            add::<JourneyPage>(&pages, &frame, &prefix, &mut all);
            add::<OnwardPage>(&pages, &frame, &prefix, &mut all);
            add::<EndedPage>(&pages, &frame, &prefix, &mut all);
            add::<TermsPage>(&pages, &frame, &prefix, &mut all);
            add::<ChoosePage>(&pages, &frame, &prefix, &mut all);
            add::<ConsentPage>(&pages, &frame, &prefix, &mut all);
            add::<AccountPage>(&pages, &frame, &prefix, &mut all);
            add::<AppsPage>(&pages, &frame, &prefix, &mut all);
            add::<DeviceEntryPage>(&pages, &frame, &prefix, &mut all);
            add::<DevicePage>(&pages, &frame, &prefix, &mut all);
            add::<GuardianPage>(&pages, &frame, &prefix, &mut all);
            add::<FaultPage>(&pages, &frame, &prefix, &mut all);
            add::<NumberPage>(&pages, &frame, &prefix, &mut all);
            add::<FormPostPage>(&pages, &frame, &prefix, &mut all);
            add::<SignOutPage>(&pages, &frame, &prefix, &mut all);
            add::<SignedOutPage>(&pages, &frame, &prefix, &mut all);
            add::<HomePage>(&pages, &frame, &prefix, &mut all);
            add::<InboxPage>(&pages, &frame, &prefix, &mut all);
            add::<MailPage>(&pages, &frame, &prefix, &mut all);
            add::<PreviewJourneyPage>(&pages, &frame, &prefix, &mut all);
            add::<PreviewEndPage>(&pages, &frame, &prefix, &mut all);
            add::<TrialPage>(&pages, &frame, &prefix, &mut all);
            add::<TrialReportPage>(&pages, &frame, &prefix, &mut all);
        }
    }
    all
}

fn add<P: Page>(pages: &Pages, frame: &Frame, prefix: &str, all: &mut Vec<(String, String)>) {
    for (i, sample) in P::samples().iter().enumerate() {
        let name = P::TEMPLATE.trim_start_matches("pages/").trim_end_matches(".html");
        let html = pages.render(frame, sample).unwrap_or_else(|e| panic!("{name} {i}: {e}"));
        all.push((format!("{prefix}-{name}-{i:02}"), html));
    }
}

/// The opening tags of a page. What is text never gets here, because text is escaped.
fn tags(html: &str) -> Vec<&str> {
    html.split('<')
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .filter(|t| !t.starts_with(['/', '!']))
        .collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

#[test]
fn nothing_runs_inline() {
    for (name, html) in rendered() {
        for tag in tags(&html) {
            let element = tag.split_whitespace().next().unwrap();
            assert_ne!(element, "style", "{name}");
            if element == "script" {
                assert!(attribute(tag, "src").is_some_and(|s| s.starts_with("/assets/")), "{name}: {tag}");
            }
            for word in tag.split_whitespace().skip(1).filter(|w| w.contains('=')) {
                assert!(!word.starts_with("on") && !word.starts_with("style="), "{name}: {tag}");
            }
        }
        assert!(!html.contains("alert(1)</script>"), "{name}");
        assert!(!html.contains("javascript:"), "{name}");
    }
}

#[test]
fn every_page_says_its_language_and_has_one_heading() {
    for (name, html) in rendered() {
        assert!(html.contains("<html lang=\"en\" dir=\"ltr\">"), "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert_eq!(html.matches("<title>").count(), 1, "{name}");
        assert_eq!(html.matches("<main").count(), 1, "{name}");
        assert!(!html.contains("{ $") && !html.contains("{$"), "{name} has an argument without a value");
    }
}

#[test]
fn every_form_of_ours_proves_where_it_came_from() {
    for (name, html) in rendered() {
        for form in html.split("<form").skip(1) {
            let tag = form.split('>').next().unwrap();
            let body = form.split("</form>").next().unwrap();
            assert!(tag.contains("method=\"post\""), "{name}");
            let ours = !tag.contains("data-elsewhere");
            assert_eq!(body.contains("name=\"csrf\""), ours, "{name}");
        }
    }
}

#[test]
fn ids_are_unique_and_everything_that_is_tied_exists() {
    for (name, html) in rendered() {
        let tags = tags(&html);
        let mut ids = BTreeSet::new();
        for id in tags.iter().filter_map(|t| attribute(t, "id")) {
            assert!(ids.insert(id.to_owned()), "{name}: {id} stands twice");
        }
        for tag in &tags {
            for tie in ["for", "aria-describedby", "aria-controls"] {
                for id in attribute(tag, tie).into_iter().flat_map(str::split_whitespace) {
                    assert!(ids.contains(id), "{name}: {tie} {id}");
                }
            }
        }
        let labelled: BTreeSet<_> =
            tags.iter().filter(|t| t.starts_with("label")).filter_map(|t| attribute(t, "for")).collect();
        for tag in tags.iter().filter(|t| ["input", "select", "textarea"].iter().any(|e| t.starts_with(e))) {
            let silent = tag.contains("type=\"hidden\"") || tag.ends_with(" hidden");
            assert!(silent || labelled.contains(attribute(tag, "id").unwrap_or_default()), "{name}: {tag}");
        }
    }
}

#[test]
fn a_problem_is_tied_to_its_field() {
    for (name, html) in rendered() {
        for tag in tags(&html) {
            if tag.contains("class=\"problem\"") {
                let id = attribute(tag, "id").unwrap();
                assert!(tag.contains("role=\"alert\"") && tag.contains("data-error-code="), "{name}: {tag}");
                assert!(html.contains("aria-invalid=\"true\""), "{name}");
                let field = id.trim_end_matches("-problem");
                assert!(html.contains(&format!("id=\"{field}\"")), "{name}: {id}");
                assert!(
                    tags(&html)
                        .iter()
                        .any(|t| attribute(t, "aria-describedby").is_some_and(|d| d.contains(id))),
                    "{name}"
                );
                assert!(html.contains("<title>Error: "), "{name}");
            }
        }
    }
}

#[test]
fn enter_presses_the_primary_button() {
    for (name, html) in rendered().iter().filter(|(n, _)| n.contains("journey")) {
        let submits: Vec<_> = tags(html).into_iter().filter(|t| t.contains("type=\"submit\"")).collect();
        let Some(first) = submits.first() else { continue };
        assert_eq!(attribute(first, "id"), Some("submit"), "{name}");
        for other in &submits[1..] {
            assert!(other.contains("formnovalidate"), "{name}: {other}");
        }
    }
}

#[test]
fn a_first_page_fits_into_one_round_trip() {
    // A preview is looked at on the machine that serves it.
    for (name, html) in rendered().into_iter().filter(|(name, _)| !name.contains("preview")) {
        assert!(compress(html.as_bytes()).unwrap().len() < 6 * 1024, "{name}");
    }
}

#[test]
fn a_missing_value_is_a_fault() {
    let pages = Pages::load(None).unwrap();
    let values = context! { locale => "en", dir => "ltr", brand => Value::from(Serde(Brand::neutral())) };
    assert!(pages.fill("pages/journey.html", values).is_err());
}

#[test]
fn a_file_of_the_operator_replaces_a_template() {
    let dir = std::env::temp_dir().join(format!("vestibule-templates-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("pages")).unwrap();
    std::fs::write(dir.join("pages/home.html"), "<h1>{{ brand.name }} at home</h1>").unwrap();
    let pages = Pages::load(Some(&dir)).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!(
        pages.render(&Frame::neutral(), &HomePage { account: String::new() }).unwrap(),
        "<h1>Vestibule at home</h1>"
    );
}

/// For looking at pages in a browser: `VESTIBULE_SAMPLES=<directory> cargo test -p vestibule-web write_samples`.
#[test]
fn write_samples() {
    let Some(dir) = option_env!("VESTIBULE_SAMPLES") else { return };
    let pages = Pages::load(None).unwrap();
    let mut index = String::new();
    for (name, html) in rendered() {
        let mut html = html.replace("/woodgrove/brand.css?v=1", "brand.css");
        for asset in ["page.css", "preview.css", "trial.css", "form.js", "icon.svg"] {
            html = html.replace(pages.assets.path(asset).unwrap(), asset);
        }
        std::fs::write(format!("{dir}/{name}.html"), html).unwrap();
        writeln!(index, "{name}").unwrap();
    }
    std::fs::write(format!("{dir}/index.txt"), index).unwrap();
}
