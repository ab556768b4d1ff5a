//! What strangers type to do harm, sent as a browser sends it: shown escaped, stored exactly or refused (U22, U33).

use unicode_normalization::UnicodeNormalization as _;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::server;

use super::passage::{GUESTS, Hand, PORTAL, guests, people};
use crate::client::claims;

#[path = "../../../../rules/tests/support/corpus.rs"]
mod corpus;

const ADA: &str = "ada@northwind.example";
const NOBODY: &str = "https://nobody.example";
/// What nothing that is typed may bring onto a page.
const MARKUP: &str = "script, img, iframe, object, b, [onerror], [onload], style, base";

fn flow() -> String {
    guests(NOBODY) + "        - { attribute: streetAddress }\n        - { attribute: city, required: true }\n"
}

/// What a line that was typed is stored as.
fn stored(text: &str) -> String {
    text.trim().replace("\r\n", "\n").nfc().collect()
}

#[tokio::test]
async fn a_page_shows_it_as_text() -> Outcome<()> {
    server::on_both(&[&flow()], async |server| {
        let hand = Hand::new(server);
        let (form, code) = hand.ask_for_code(server, ADA).await?;
        let mut form = hand.next(&form, &[("code", &code)]).await?;
        let usual = form.page.count(MARKUP);
        let (mut taken, inputs) = (0, corpus::hostile());
        for input in &inputs {
            // The city is missing, so that the page comes again with what was typed.
            let answer = [("displayName", input.as_str()), ("streetAddress", input)];
            let answered = hand.answer(&form, &answer).await?;
            let Some(location) = answered.location else {
                assert!(answered.status == 413 && input.len() >= 20_000, "{} {input:.80}", answered.status);
                continue;
            };
            form = hand.form(location.as_str()).await?;
            assert_eq!(form.asks(), "details");
            assert_eq!(form.page.count(MARKUP), usual, "{input:?}");
            if !form.page.has("#displayName-problem") {
                let shown = form.page.attribute("#displayName", "value").unwrap_or_default();
                assert_eq!(shown, stored(input), "{input:?}");
                taken += 1;
            }
        }
        assert!(inputs.len() > 1_000 && taken > 100, "{taken} of {}", inputs.len());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_directory_and_the_token_have_exactly_what_was_typed() -> Outcome<()> {
    server::on_both(&[&flow()], async |server| {
        let mut taken = 0;
        for (n, text) in corpus::TEXTS.iter().enumerate() {
            server.clock.advance(Span::minutes(10));
            let (hand, address) = (Hand::new(server), format!("visitor{n}@northwind.example"));
            let (form, code) = hand.ask_for_code(server, &address).await?;
            let form = hand.next(&form, &[("code", &code)]).await?;
            let answered = hand.answer(&form, &[("displayName", *text), ("city", text)]).await?;
            let Ok(back) = answered.at_app() else {
                assert!(people(server, GUESTS, &address).await?.is_empty(), "{text:?}");
                continue;
            };
            let user = people(server, GUESTS, &address).await?.remove(0);
            assert_eq!(user.display_name.as_deref(), Some(stored(text).as_str()));
            assert_eq!(user.attributes["city"], stored(text));
            let (_, tokens) = hand.redeem(GUESTS, PORTAL, &back).await?;
            assert_eq!(claims(tokens["id_token"].as_str().unwrap())["name"], stored(text));
            taken += 1;
        }
        assert!(taken > 30, "{taken}");
        Ok(())
    })
    .await
}
