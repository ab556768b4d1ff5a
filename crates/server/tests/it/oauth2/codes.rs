//! Codes: nobody guesses one, nothing like one is taken for it, and what changes meanwhile does not spoil it.

use serde_json::Value;
use url::Url;
use vestibule_crypto::digest::{base64url, sha256};
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_service::keys::rotation;
use vestibule_testkit::server::SecondNode;
use vestibule_testkit::{TestServer, server};

use super::app::{HARBOUR, WEB, harbour, signed_in};
use crate::client::{claims, parameter};
use crate::journeys::passage::{GUESTS, Hand, PORTAL, guests, tenant};

const ADA: &str = "ada@northwind.example";
const NOBODY: &str = "https://nobody.example";

/// The address with another code in it.
fn with_code(back: &Url, code: &str) -> Url {
    let mut other = back.clone();
    other.query_pairs_mut().clear().append_pair("code", code);
    other
}

async fn is_refused(hand: &Hand, back: &Url, code: &str) -> Outcome<bool> {
    let (status, answer) = hand.redeem(GUESTS, PORTAL, &with_code(back, code)).await?;
    // What is no text of a parameter at all is told apart.
    Ok(status == 400 && ["invalid_grant", "invalid_request"].iter().any(|error| answer["error"] == *error))
}

/// What is nearly the code.
fn nearly(code: &str) -> Vec<String> {
    let flipped =
        |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    let last = code.len() - 1;
    vec![
        code[..last].to_owned(),
        code[1..].to_owned(),
        code[..code.len() / 2].to_owned(),
        format!("{code}A"),
        format!("{code}\0"),
        format!("{code} "),
        format!("{code}="),
        format!("\0{code}"),
        format!("{code}{code}"),
        code.chars().map(flipped).collect(),
        code.to_lowercase(),
        code.chars().rev().collect(),
    ]
}

async fn code(server: &TestServer) -> Outcome<(Hand, Url, String)> {
    let hand = Hand::new(server);
    let back = hand.become_guest(server, ADA).await?;
    let code = parameter(&back, "code").unwrap();
    Ok((hand, back, code))
}

#[tokio::test]
async fn a_code_cannot_be_guessed_and_nothing_like_it_is_taken() -> Outcome<()> {
    // S33, S60
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let (hand, back, code) = code(server).await?;
        // 128 bits are 22 letters of 64.
        assert!(code.len() >= 22, "{code}");
        let stored = server.dump().await?;
        assert!(!stored.windows(code.len()).any(|bytes| bytes == code.as_bytes()), "it is stored as it is");
        for guess in nearly(&code).into_iter().filter(|guess| *guess != code) {
            assert!(is_refused(&hand, &back, &guess).await?, "{guess:?}");
        }
        let mut throttled = 0;
        for guess in (0..300_u32).map(|n| base64url(&sha256(&n.to_be_bytes()))) {
            let (status, answer) = hand.redeem(GUESTS, PORTAL, &with_code(&back, &guess)).await?;
            assert!(matches!(status, 400 | 429), "{answer}");
            throttled += u32::from(status == 429);
        }
        assert!(throttled >= 200, "{throttled}");
        // Who has the code is not one of those who guess.
        assert_eq!(hand.redeem(GUESTS, PORTAL, &back).await?.0, 200);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_code_outlives_a_change_of_keys_and_is_good_once() -> Outcome<()> {
    // S35
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let (hand, back, code) = code(server).await?;
        rotation::rotate(&server.site.env, tenant(server, GUESTS), true).await?;
        let (status, tokens) = hand.redeem(GUESTS, PORTAL, &back).await?;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(claims(tokens["id_token"].as_str().unwrap())["aud"], PORTAL);
        assert!(is_refused(&hand, &back, &code).await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn no_answer_is_sent_to_whichever_page_has_opened_the_window() -> Outcome<()> {
    // S12, S23: there is no mode of answering by message, so there is no target to be wrong about.
    server::on_nodes(&[&guests(NOBODY)], async |server| {
        let hand = Hand::new(server);
        for mode in ["web_message", "post_message", "jwt"] {
            let back = hand.authorize(GUESTS, PORTAL, &[("response_mode", mode)]).await?.at_app()?;
            assert_eq!(parameter(&back, "error").as_deref(), Some("invalid_request"), "{mode}");
        }
        let url = format!("{}/{GUESTS}/v2.0/.well-known/openid-configuration", server.origin);
        let document: Value = serde_json::from_str(&hand.get(&url).await?.body).unwrap();
        assert_eq!(
            document["response_modes_supported"],
            serde_json::json!(["query", "fragment", "form_post"])
        );
        Ok(())
    })
    .await
}

/// Whether a code of the web app is redeemed when it is so old.
async fn lives(server: &TestServer, hand: &Hand, age: Span) -> Outcome<bool> {
    let url = super::app::back(hand, &WEB.address(server, &[])).await?;
    assert!(parameter(&url, "code").is_some(), "{url}");
    server.clock.advance(age);
    let answer = WEB.redeems(&url).token(server).await?;
    if answer.status != 200 {
        assert_eq!(answer.refusal(), (400, "invalid_grant"));
        assert_eq!(answer.body["error_codes"][0], 70_008, "{}", answer.body);
    }
    Ok(answer.status == 200)
}

#[tokio::test]
async fn a_code_is_good_for_a_minute() -> Outcome<()> {
    // S32
    server::on_nodes(&[&harbour()], async |server| {
        let hand = signed_in(server).await?;
        assert!(lives(server, &hand, Span::seconds(59)).await?);
        assert!(!lives(server, &hand, Span::seconds(60)).await?);
        assert!(!lives(server, &hand, Span::seconds(61)).await?);
        assert!(!lives(server, &hand, Span::hours(1)).await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes_at_most_whatever_the_profile() -> Outcome<()> {
    // S32: found out by asking, not by what the settings say.
    let mark = format!("    appId: {}\n", WEB.id);
    let file = harbour().replacen(&mark, &format!("{mark}    securityProfile: oidc-compat\n"), 1);
    server::on_nodes(&[&file], async |server| {
        let hand = signed_in(server).await?;
        let (mut good, mut refused) = (0, 3_600);
        assert!(!lives(server, &hand, Span::seconds(refused)).await?);
        while refused - good > 1 {
            let middle = i64::midpoint(good, refused);
            if lives(server, &hand, Span::seconds(middle)).await? {
                good = middle;
            } else {
                refused = middle;
            }
        }
        assert!((30..=600).contains(&refused), "a code lives for {refused} seconds");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_code_outlives_the_secret_of_its_app_and_the_process_that_made_it() -> Outcome<()> {
    // S35, S48
    let old = harbour();
    let mark = format!("    appId: {}\n", WEB.id);
    let (before, after) = old.split_once(&mark).unwrap();
    let file = format!("{before}{mark}{}", after.replacen("secrets/app", "secrets/rotated", 1));
    server::on_both(&[&old], async |server| {
        let hand = signed_in(server).await?;
        let code = async || super::app::back(&hand, &WEB.address(server, &[])).await;
        let (rotated, restarted) = (code().await?, code().await?);
        server.apply(&[&file]).await?;
        assert_eq!(WEB.redeems(&rotated).token(server).await?.refusal(), (401, "invalid_client"));
        let own = server::secret("secrets/rotated");
        let mut call = WEB.redeems(&rotated);
        call.form.retain(|(name, _)| name != "client_secret");
        let call = call.and(&[("client_secret", own.expose())]);
        assert_eq!(call.token(server).await?.status, 200);
        assert_eq!(call.token(server).await?.refusal(), (400, "invalid_grant"));
        // A process that began after the code was made, and has its database and its key alone.
        let fresh = SecondNode::beside(server).await?;
        let there = format!("{}/{HARBOUR}/oauth2/v2.0/token", fresh.origin);
        let mut call = WEB.redeems(&restarted);
        call.form.retain(|(name, _)| name != "client_secret");
        let call = call.and(&[("client_secret", own.expose())]);
        assert_eq!(call.post(&there).await?.status, 200);
        assert_eq!(call.post(&there).await?.refusal(), (400, "invalid_grant"));
        assert_eq!(call.token(server).await?.refusal(), (400, "invalid_grant"));
        fresh.finish().await
    })
    .await
}
