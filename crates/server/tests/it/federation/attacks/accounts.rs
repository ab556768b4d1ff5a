//! Whose account it is, and who may still come in.

use std::sync::Arc;

use serde_json::json;
use vestibule_rules::fault::Outcome;
use vestibule_testkit::{Engine, TestServer};

use super::{
    arrive, depart, entrance, file, joins, nobody_is_in, returns, shown, suite, with_hostile,
    with_hostile_on_both,
};
use crate::federation::kinds::stand_in::StandIn;
use crate::journeys::passage::{Form, GUESTS, Hand, PORTAL, disable, people, recorded};

const MAIL: &str = suite::MAIL;
const OTHER: &str = "countess@northwind.example";

/// How many came in.
async fn sign_ins(server: &TestServer) -> Outcome<usize> {
    Ok(recorded(server, GUESTS, "signIn").await?.len())
}

#[tokio::test]
async fn one_subject_at_two_providers_is_two_people() -> Outcome<()> {
    // RP12, RP14: the hostile provider knows whom it wants to be, and calls its user so.
    for engine in Engine::ALL {
        let [honest, hostile] = [StandIn::start(suite::PLAIN).await?, StandIn::start(suite::PLAIN).await?];
        let both = file(&honest)
            .replace(
                "userFlows:",
                &format!("  - id: hostile\n{}userFlows:", hostile.section().replace("Suite", "Hostile")),
            )
            .replace("[stranger,", "[stranger, hostile,");
        let server = TestServer::start(engine, &[&both]).await?;
        joins(&server, &honest).await?;
        let victim = people(&server, GUESTS, MAIL).await?;

        let (hand, form) = by_the_other(&server, &hostile).await?;
        assert_eq!(form.asks(), "exists", "the address has an account, and it is not this identity's");
        // Going on takes a proof of the account's own: the provider that its owner came by.
        let form = hand.next(&form, &[]).await?;
        assert_eq!(form.asks(), "identify");
        assert_eq!(people(&server, GUESTS, MAIL).await?, victim);

        hostile.says("userinfo", json!({"email": OTHER}));
        let (hand, form) = by_the_other(&server, &hostile).await?;
        assert_eq!(form.asks(), "details");
        hand.answer(&form, &[("displayName", "Ada Lovelace")]).await?.at_app()?;
        let other = people(&server, GUESTS, OTHER).await?.remove(0);
        assert_ne!(other.id, victim[0].id);
        assert_eq!(other.identities[0].issuer_assigned_id, victim[0].identities[0].issuer_assigned_id);
        assert_ne!(other.identities[0].issuer, victim[0].identities[0].issuer);
        server.finish().await?;
    }
    Ok(())
}

/// To the provider that came second, and back.
async fn by_the_other(server: &TestServer, provider: &Arc<StandIn>) -> Outcome<(Hand, Form)> {
    let hand = Hand::new(server);
    let form = entrance(&hand).await?;
    let away = hand.answer(&form, &[("action", "idp-hostile")]).await?.location.unwrap();
    let sent = away.query_pairs().into_owned().collect();
    provider.departed(&sent);
    let departure = super::super::kinds::Departure { url: away, sent };
    let form = shown(&hand, departure.return_with_code(&hand).await?).await?;
    Ok((hand, form))
}

#[tokio::test]
async fn who_was_switched_off_comes_in_by_no_provider() -> Outcome<()> {
    // C57 (CVE-2025-53942), C78: also when it happens while they are at the provider.
    with_hostile_on_both(suite::PLAIN, async |server, provider| {
        joins(server, provider).await?;
        let away = Hand::new(server);
        let departure = depart(provider, &away, &away.begin(GUESTS, PORTAL, &[]).await?).await?;
        disable(server, GUESTS, MAIL).await?;
        let under_way = shown(&away, departure.return_with_code(&away).await?).await?;
        let (_, later) = returns(server, provider).await?;
        let (_, newcomer) = arrive(server, provider).await?;
        for form in [under_way, later, newcomer] {
            assert_eq!(form.asks(), "refused", "{}", form.problem());
        }
        assert_eq!((sign_ins(server).await?, people(server, GUESTS, MAIL).await?.len()), (1, 1));
        Ok(())
    })
    .await
}

/// What an administrator does to a provider that is no longer welcome.
fn unwelcome(file: &str) -> [(&'static str, String); 2] {
    let from_flow = file.replace("[stranger, Email", "[Email");
    let switched_off = from_flow.replace("  - id: stranger\n", "  - id: stranger\n    isEnabled: false\n");
    let begin = file.find("identityProviders:\n  - id").unwrap();
    let end = file.find("userFlows:").unwrap();
    let deleted = from_flow.replace(&file[begin..end], "");
    [("switched off", switched_off), ("deleted", deleted)]
}

#[tokio::test]
async fn a_provider_that_is_no_longer_welcome_lets_nobody_in_at_any_step() -> Outcome<()> {
    // RP15, C11 (CVE-2026-2603), C85 (CVE-2025-64717)
    for engine in Engine::ALL {
        let provider = StandIn::start(suite::PLAIN).await?;
        let welcome = file(&provider);
        let server = TestServer::start(engine, &[&welcome]).await?;
        joins(&server, &provider).await?;
        for (what, without) in unwelcome(&welcome) {
            let (away, at_details, before) = (Hand::new(&server), Hand::new(&server), Hand::new(&server));
            let departure = depart(&provider, &away, &away.begin(GUESTS, PORTAL, &[]).await?).await?;
            provider.says("id_token", json!({"sub": "newcomer"}));
            provider.says("userinfo", json!({"sub": "newcomer", "email": OTHER}));
            let entered = entrance(&at_details).await?;
            let sent = depart(&provider, &at_details, &entered).await?;
            let details = shown(&at_details, sent.return_with_code(&at_details).await?).await?;
            assert_eq!(details.asks(), "details");
            provider.repents();
            provider.departed(&departure.sent);
            let door = before.begin(GUESTS, PORTAL, &[]).await?;
            server.apply(&[&without]).await?;

            // The page that still has the button, the way back, and the last page.
            let pressed = before.answer(&door, &[("action", "idp-stranger")]).await?;
            assert!(pressed.location.is_none_or(|to| !to.as_str().starts_with(&provider.base)), "{what}");
            let back = departure.return_with_code(&away).await?;
            assert!(back.at_app().is_err(), "{what}");
            let finished = at_details.answer(&details, &[("displayName", "Eve")]).await?;
            assert!(finished.at_app().is_err(), "{what}: a newcomer came in at the last page");
            assert!(people(&server, GUESTS, OTHER).await?.is_empty(), "{what}");
            let jumped = Hand::new(&server).authorize(GUESTS, PORTAL, &[("domain_hint", "stranger")]).await?;
            assert!(!jumped.location.unwrap().as_str().starts_with(&provider.base), "{what}");
            assert_eq!(sign_ins(&server).await?, 1, "{what}");
            server.apply(&[&welcome]).await?;
        }
        server.finish().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_provider_opens_no_door_that_is_closed_to_newcomers() -> Outcome<()> {
    // C80 (CVE-2024-49757): before they leave, while they are away, and at the last page.
    for engine in Engine::ALL {
        let provider = StandIn::start(suite::PLAIN).await?;
        let open = file(&provider);
        let closed = open
            .replace(
                "selfServiceSignUp:\n      isEnabled: true",
                "selfServiceSignUp:\n      isEnabled: false",
            )
            .replace("applications: [Portal]", "applications: []");
        assert_ne!(open, closed);
        let server = TestServer::start(engine, &[&open]).await?;
        let (_, details) = arrive(&server, &provider).await?;
        let (away, last) = (Hand::new(&server), Hand::new(&server));
        let form = entrance(&last).await?;
        let sent = depart(&provider, &last, &form).await?;
        let at_last = shown(&last, sent.return_with_code(&last).await?).await?;
        assert_eq!((details.asks(), at_last.asks()), ("details", "details"));
        let departure = depart(&provider, &away, &entrance(&away).await?).await?;
        server.apply(&[&closed]).await?;

        assert!(last.answer(&at_last, &[("displayName", "Eve")]).await?.at_app().is_err());
        nobody_is_in(&server).await?;
        let back = shown(&away, departure.return_with_code(&away).await?).await?;
        assert!(away.answer(&back, &[("displayName", "Eve")]).await?.at_app().is_err());
        nobody_is_in(&server).await?;
        let (hand, form) = returns(&server, &provider).await?;
        assert_eq!(form.asks(), "refused", "{}", form.problem());
        let other = hand.next(&form, &[]).await?;
        assert!(!other.page.has("#displayName"));
        nobody_is_in(&server).await?;
        server.finish().await?;
    }
    Ok(())
}

#[tokio::test]
async fn nothing_that_is_posted_stands_for_a_provider_s_word() -> Outcome<()> {
    // C45 (CVE-2026-49448), C46, U44: the step that waits for the provider is answered by hand.
    with_hostile(suite::PLAIN, async |server, provider| {
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        depart(provider, &hand, &form).await?;
        let posts: [&[(&str, &str)]; 9] = [
            &[("action", "")],
            &[("action", "stay")],
            &[("action", "no")],
            &[("action", "resend")],
            &[("code", "12345678")],
            &[("action", "submit"), ("displayName", "Eve"), ("email", MAIL)],
            &[("action", "submit"), ("username", MAIL), ("code", "00000000")],
            &[("action", "submit"), ("sub", suite::SUBJECT), ("email_verified", "true")],
            &[("step", "details.2"), ("displayName", "Eve")],
        ];
        for fields in posts {
            let waiting = hand.form(&form.url).await?;
            assert_eq!(waiting.asks(), "leave", "{fields:?}");
            let answered = hand.answer(&waiting, fields).await?;
            let to = answered.location.as_ref().map(|to| to.as_str().to_owned()).unwrap_or_default();
            assert!(answered.at_app().is_err(), "{fields:?} let somebody in at {to}");
            nobody_is_in(server).await?;
        }
        assert!(provider.calls("/token").is_empty());
        Ok(())
    })
    .await
}
