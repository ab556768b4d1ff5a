//! Spellings of an address, and of the word that it is proven (security.md U17, C120).

use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;

use super::{arrive, suite, with_hostile};
use crate::journeys::passage::{GUESTS, Hand, people, recorded};

const VICTIM: &str = suite::MAIL;

/// Everything but `true` that a provider may say where it should say `true`.
fn words() -> Vec<Value> {
    let texts =
        ["true", "True", "TRUE", " true", "true ", "1", "yes", "on", "t", "false", "", "null", "\u{ff54}rue"];
    let mut all: Vec<Value> = texts.map(Value::from).to_vec();
    all.extend([
        json!(null),
        json!(false),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.0),
        json!([]),
        json!([true]),
        json!(["true"]),
        json!({}),
        json!({"value": true}),
        json!({VICTIM: true}),
    ]);
    all
}

#[tokio::test]
async fn no_word_but_true_says_that_an_address_is_proven() -> Outcome<()> {
    // U17
    with_hostile(suite::PLAIN, async |server, provider| {
        Hand::new(server).become_guest(server, VICTIM).await?;
        assert!(words().len() >= 25);
        for word in words() {
            provider.says("userinfo", json!({"email_verified": word}));
            let (_, form) = arrive(server, provider).await?;
            assert_eq!((form.asks(), form.problem().as_str()), ("address", ""), "{word}");
        }
        // A word in the ID token is none on the address that user info tells.
        provider.says("userinfo", json!({"email_verified": false}));
        provider.says("id_token", json!({"email_verified": true}));
        assert_eq!(arrive(server, provider).await?.1.asks(), "address");
        assert_eq!(recorded(server, GUESTS, "signIn").await?.len(), 1);
        Ok(())
    })
    .await
}

/// Addresses that are the victim's, in another spelling: their account is there, and its owner is asked.
const SAME: [&str; 7] = [
    "ada@northwind.example",
    "ADA@NORTHWIND.EXAMPLE",
    "Ada@Northwind.Example",
    " ada@northwind.example",
    "ada@northwind.example ",
    "ada@northwind.example\n",
    "ada@north\u{ff37}ind.example",
];

/// Addresses that two readers would read as two: nobody is believed to have them.
const NEITHER: [&str; 44] = [
    "",
    "@",
    "ada",
    "ada@",
    "@northwind.example",
    "ada@@northwind.example",
    "ada@evil.example@northwind.example",
    "ada@northwind.example@evil.example",
    "\"ada@northwind.example\"@evil.example",
    "\"ada\"@northwind.example",
    "\"ada@evil.example \"@northwind.example",
    "ada@northwind.example,mallory@evil.example",
    "mallory@evil.example,ada@northwind.example",
    "ada@northwind.example;mallory@evil.example",
    "mallory@evil.example ada@northwind.example",
    "Ada <ada@northwind.example>",
    "<ada@northwind.example>",
    "mailto:ada@northwind.example",
    "ada(comment)@northwind.example",
    "ada@northwind.example(comment)",
    "(comment)ada@northwind.example",
    "ada@(evil.example)northwind.example",
    "ada @northwind.example",
    "ada@ northwind.example",
    "a da@northwind.example",
    ".ada@northwind.example",
    "ada.@northwind.example",
    "a..da@northwind.example",
    "ada@northwind..example",
    "ada@.northwind.example",
    "ada@northwind.example.",
    "ada@northwind.example..",
    "ada@-northwind.example",
    "ada@[127.0.0.1]",
    "ada@127.0.0.1",
    "ada@northwind.example\u{0}",
    "ada\u{0}@northwind.example",
    "ada@northwind.example\r\nBcc: mallory@evil.example",
    "ada@northwind.example%0aBcc:mallory@evil.example",
    "ada\u{200b}@northwind.example",
    "ada@north\u{ad}wind.example",
    "\u{202e}ada@northwind.example",
    "\u{ff41}da@northwind.example",
    "ada@northwind.example/../evil",
];

/// Addresses that only look like the victim's, or go to them at some companies: they are other mailboxes.
const OTHERS: [&str; 12] = [
    "ada+mallory@northwind.example",
    "a.da@northwind.example",
    "ada@evil.northwind.example",
    "ada@northwind.example.evil.example",
    "ada@xn--northwnd-q2a.example",
    "ada@northw\u{131}nd.example",
    "\u{430}da@northwind.example",
    "ad\u{e1}@northwind.example",
    "ada@n\u{f6}rthwind.example",
    "ada%northwind.example@evil.example",
    "ada!evil.example@northwind.example",
    "ada'--@northwind.example",
];

#[tokio::test]
async fn no_spelling_of_an_address_leads_into_somebody_else_s_account() -> Outcome<()> {
    // U17, C120 (CVE-2026-40574), C119: the provider is believed, and says what it likes.
    with_hostile(suite::PLAIN, async |server, provider| {
        Hand::new(server).become_guest(server, VICTIM).await?;
        let before = people(server, GUESTS, VICTIM).await?;
        let cases = [("exists", &SAME[..]), ("address", &NEITHER[..]), ("details", &OTHERS[..])];
        let mut wrong = Vec::new();
        for (expected, spellings) in cases {
            for spelling in spellings {
                provider.says("userinfo", json!({"email": spelling}));
                let (_, form) = arrive(server, provider).await?;
                if form.asks() != expected {
                    wrong.push(format!("{spelling:?} leads to {} and not to {expected}", form.asks()));
                }
                // What is offered to be proven is nothing that two readers read as two.
                let offered = form.page.attribute("#username", "value").unwrap_or_default();
                if !(offered.is_empty() || expected != "address") {
                    wrong.push(format!("{spelling:?} is offered as {offered:?}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(people(server, GUESTS, VICTIM).await?, before);
        assert_eq!(recorded(server, GUESTS, "signIn").await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_address_that_is_no_text_is_none() -> Outcome<()> {
    // U17
    with_hostile(suite::PLAIN, async |server, provider| {
        for address in [json!([VICTIM]), json!({"value": VICTIM}), json!(1), json!(true), json!(null)] {
            provider.says("userinfo", json!({"email": address}));
            let (_, form) = arrive(server, provider).await?;
            assert_eq!(form.asks(), "address", "{address}");
        }
        Ok(())
    })
    .await
}
