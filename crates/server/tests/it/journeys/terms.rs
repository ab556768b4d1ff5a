//! Documents that visitors accept: the evidence, the next version, and the way back out (TOU-01, ATTR-11).

use vestibule_crypto::digest;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_service::directory::life::Named;
use vestibule_service::directory::{Actor, Author};
use vestibule_service::terms::{self, Acceptance};
use vestibule_testkit::{TestServer, server};

use super::passage::{GUESTS, Hand, PORTAL, guests, people, recorded};
use crate::client::parameter;

const ADA: &str = "ada@northwind.example";
const NOBODY: &str = "https://nobody.example";
const ENGLISH: &str = "# Scope\n\nBe *kind* to [us](https://northgate.example/us). <script>alert(1)</script>";

/// The guests' flow with two documents; the text of the first is only what `version` says it is.
fn with_terms(version: &str, words: &str) -> String {
    let documents = format!(
        r#"    terms:
      - id: general
        version: "{version}"
        languages:
          - {{ language: en, title: Terms of supply, text: {words:?} }}
          - {{ language: de, title: Lieferbedingungen, text: "Sei nett ({version})." }}
      - id: news
        version: "1"
        required: false
        languages:
          - {{ language: en, title: Newsletter, link: "https://northgate.example/news" }}
"#
    );
    guests(NOBODY) + &documents
}

/// Everything that was accepted. The tests' time stands still, so the order is made here.
async fn all(server: &TestServer) -> Outcome<Vec<Acceptance>> {
    let mut found = Vec::new();
    terms::export(&server.site.env.db, GUESTS, |acceptance| found.push(acceptance)).await?;
    found.sort_by_key(|a| (a.document.clone(), a.version.clone(), a.language.clone()));
    Ok(found)
}

fn author(server: &TestServer) -> Author<'_> {
    let env = &server.site.env;
    Author {
        actor: Actor::Operator,
        now: env.clock.now(),
        correlation: env.guid().to_string(),
        entropy: &*env.entropy,
    }
}

#[tokio::test]
async fn an_account_comes_with_the_evidence_of_what_was_shown() -> Outcome<()> {
    server::on_nodes(&[&with_terms("2026-11", ENGLISH)], async |server| {
        let hand = Hand::new(server);
        let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create"), ("ui_locales", "de-AT")]).await?;
        let form = hand.next(&form, &[("username", ADA)]).await?;
        let code = server.inbox.await_code(ADA).await?;
        let form = hand.next(&form, &[("code", &code)]).await?;
        // The box stands for the words that this visitor can read, and they are one click away.
        assert_eq!(form.page.attribute("#terms-general", "value").as_deref(), Some("de"));
        assert_eq!(form.page.attribute("#terms-news", "value").as_deref(), Some("en"));
        assert!(form.page.text("label[for=terms-general]").unwrap().contains("Lieferbedingungen"));
        let link = |field: &str| {
            form.page.attribute(&format!("#{field} ~ label"), "for").unwrap();
            form.page.attribute(&format!(".field:has(#{field}) .hint a"), "href")
        };
        assert_eq!(link("terms-news").as_deref(), Some("https://northgate.example/news"));
        assert!(link("terms-general").unwrap().ends_with("/terms/general?language=de"));
        let document = hand.get(&format!("{}/terms/general?language=en", form.url)).await?;
        assert_eq!(document.status, 200);
        assert!(document.body.contains("<h2>Scope</h2>") && document.body.contains("<em>kind</em>"));
        assert!(!document.body.contains("<script>alert"), "{}", document.body);
        for missing in ["general?language=fr", "news?language=en", "other?language=en", "general"] {
            assert_eq!(hand.get(&format!("{}/terms/{missing}", form.url)).await?.status, 404, "{missing}");
        }
        let elsewhere = Hand::new(server).get(&format!("{}/terms/general?language=en", form.url)).await?;
        assert_eq!(elsewhere.status, 404, "another browser reads nothing of this journey");

        for unticked in [&[("displayName", "Ada")][..], &[("displayName", "Ada"), ("terms-general", "xx")]] {
            let again = hand.answer(&form, unticked).await?;
            let again = hand.form(again.location.unwrap().as_str()).await?;
            assert_eq!(again.problem(), "terms-must-accept");
            assert!(people(server, GUESTS, ADA).await?.is_empty());
        }
        let form = hand.form(&form.url).await?;
        let answer = [("displayName", "Ada"), ("terms-general", "de"), ("terms-news", "en")];
        hand.answer(&form, &answer).await?.at_app()?;
        let user = people(server, GUESTS, ADA).await?.remove(0);
        let evidence = all(server).await?;
        let told: Vec<_> = evidence
            .iter()
            .map(|a| (a.document.as_str(), a.version.as_str(), a.language.as_str(), a.user_id.as_str()))
            .collect();
        let id = user.id.to_string();
        assert_eq!(told, [("general", "2026-11", "de", id.as_str()), ("news", "1", "en", id.as_str())]);
        let words = "Lieferbedingungen\n\nSei nett (2026-11).";
        assert_eq!(evidence[0].digest, digest::hex(&digest::sha256(words.as_bytes())));
        assert_eq!(evidence[0].source_address, "127.0.0.1");
        assert_eq!(evidence[0].mail.as_deref(), Some(ADA));
        assert_eq!(evidence[0].withdrawn_at, None);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_new_version_is_asked_for_also_of_who_is_signed_in() -> Outcome<()> {
    server::on_nodes(&[&with_terms("1", ENGLISH)], async |server| {
        let hand = Hand::new(server);
        let (form, code) = hand.ask_for_code(server, ADA).await?;
        let form = hand.next(&form, &[("code", &code)]).await?;
        hand.answer(&form, &[("displayName", "Ada"), ("terms-general", "en")]).await?.at_app()?;
        hand.authorize(GUESTS, PORTAL, &[]).await?.at_app()?;

        server.apply(&[&with_terms("2", "Be kinder.")]).await?;
        let silent = hand.authorize(GUESTS, PORTAL, &[("prompt", "none")]).await?.at_app()?;
        assert_eq!(parameter(&silent, "error").as_deref(), Some("interaction_required"));
        // Nobody proves again who they are: the session is good.
        let form = hand.begin(GUESTS, PORTAL, &[]).await?;
        assert_eq!(form.asks(), "details");
        assert!(form.page.has("#terms-general") && !form.page.has("#displayName, #terms-news"));
        let again = hand.next(&form, &[]).await?;
        assert_eq!(again.problem(), "terms-must-accept");
        let before = recorded(server, GUESTS, "signIn").await?.len();
        let back = hand.answer(&again, &[("terms-general", "en")]).await?.at_app()?;
        assert!(parameter(&back, "code").is_some());
        assert_eq!(recorded(server, GUESTS, "signIn").await?.len(), before + 1);
        hand.authorize(GUESTS, PORTAL, &[("prompt", "none")]).await?.at_app()?;
        let versions: Vec<_> = all(server).await?.into_iter().map(|a| a.version).collect();
        assert_eq!(versions, ["1", "2"]);

        // Cancelling is a way out, and accepts nothing.
        server.apply(&[&with_terms("3", "Be kindest.")]).await?;
        let form = hand.begin(GUESTS, PORTAL, &[]).await?;
        let back = hand.answer(&form, &[("action", "cancel")]).await?.at_app()?;
        assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
        assert_eq!(all(server).await?.len(), 2);
        // Whoever comes without a session is asked after the proof.
        let other = Hand::new(server);
        let form = other.begin(GUESTS, PORTAL, &[("login_hint", ADA)]).await?;
        let form = other.next(&form, &[("username", ADA)]).await?;
        let code = server.inbox.await_code(ADA).await?;
        let form = other.next(&form, &[("code", &code)]).await?;
        other.answer(&form, &[("terms-general", "en")]).await?.at_app()?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_signed_out_meanwhile_accepts_nothing_and_is_not_signed_in_again() -> Outcome<()> {
    // S87: the journey that asks for new terms is only as good as the session that it goes on from.
    server::on_nodes(&[&with_terms("1", ENGLISH)], async |server| {
        let hand = Hand::new(server);
        let (form, code) = hand.ask_for_code(server, ADA).await?;
        let form = hand.next(&form, &[("code", &code)]).await?;
        let back = hand.answer(&form, &[("displayName", "Ada"), ("terms-general", "en")]).await?.at_app()?;
        let (_, tokens) = hand.redeem(GUESTS, PORTAL, &back).await?;
        server.apply(&[&with_terms("2", "Be kinder.")]).await?;
        let open = hand.begin(GUESTS, PORTAL, &[]).await?;
        let hint = tokens["id_token"].as_str().unwrap();
        let out = format!("{}/{GUESTS}/oauth2/v2.0/logout?id_token_hint={hint}", server.origin);
        assert_eq!(hand.get(&out).await?.status, 200);
        // Somebody else sits down at the browser and finds the page in its history.
        assert_eq!(hand.get(&open.url).await?.status, 404);
        let answered = hand.answer(&open, &[("terms-general", "en")]).await?;
        assert_eq!((answered.status, answered.session()), (404, None));
        let silent = hand.authorize(GUESTS, PORTAL, &[("prompt", "none")]).await?.at_app()?;
        assert_eq!(parameter(&silent, "error").as_deref(), Some("login_required"));
        assert_eq!(all(server).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_session_that_went_on_ends_with_all_that_it_gave() -> Outcome<()> {
    // S77
    server::on_nodes(&[&with_terms("1", ENGLISH)], async |server| {
        let hand = Hand::new(server);
        let (form, code) = hand.ask_for_code(server, ADA).await?;
        let form = hand.next(&form, &[("code", &code)]).await?;
        let back = hand.answer(&form, &[("displayName", "Ada"), ("terms-general", "en")]).await?.at_app()?;
        let (_, before) = hand.redeem(GUESTS, PORTAL, &back).await?;
        server.apply(&[&with_terms("2", "Be kinder.")]).await?;
        let form = hand.begin(GUESTS, PORTAL, &[]).await?;
        hand.answer(&form, &[("terms-general", "en")]).await?.at_app()?;
        // The hint of the first sign-in still names this session, and signing out closes what it opened.
        let hint = before["id_token"].as_str().unwrap();
        let out = format!("{}/{GUESTS}/oauth2/v2.0/logout?id_token_hint={hint}", server.origin);
        assert_eq!(hand.get(&out).await?.status, 200);
        let silent = hand.authorize(GUESTS, PORTAL, &[("prompt", "none")]).await?.at_app()?;
        assert_eq!(parameter(&silent, "error").as_deref(), Some("login_required"));
        let token = before["refresh_token"].as_str().unwrap();
        assert_eq!(hand.refresh(GUESTS, PORTAL, token).await?, 400);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_withdrawn_is_asked_for_again_and_the_evidence_stays() -> Outcome<()> {
    server::on_nodes(&[&with_terms("1", ENGLISH)], async |server| {
        let hand = Hand::new(server);
        let (form, code) = hand.ask_for_code(server, ADA).await?;
        let form = hand.next(&form, &[("code", &code)]).await?;
        hand.answer(&form, &[("displayName", "Ada"), ("terms-general", "en")]).await?.at_app()?;
        let (db, author) = (&server.site.env.db, author(server));
        let flow = Named { tenant: GUESTS, flow: "Guests" };
        let wrong = [("nobody@northwind.example", "general"), (ADA, "other"), ("nonsense", "general")];
        for (user, document) in wrong {
            let refused = terms::withdraw(db, flow, (user, document), &author).await.unwrap_err();
            assert_eq!(refused.kind, Kind::Missing, "{user} {document}");
        }
        assert_eq!(terms::withdraw(db, flow, (ADA, "general"), &author).await?, 1);
        assert_eq!(terms::withdraw(db, flow, (ADA, "general"), &author).await?, 0);
        assert_eq!(recorded(server, GUESTS, "termsWithdrawal").await?.len(), 1);
        let form = hand.begin(GUESTS, PORTAL, &[]).await?;
        assert!(form.page.has("#terms-general"));
        hand.answer(&form, &[("terms-general", "de")]).await?.at_app()?;
        let evidence = all(server).await?;
        let holds: Vec<_> =
            evidence.iter().map(|a| (a.language.as_str(), a.withdrawn_by.as_deref())).collect();
        assert_eq!(holds, [("de", None), ("en", Some("operator"))]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_published_version_keeps_its_words() -> Outcome<()> {
    server::on_nodes(&[&with_terms("1", ENGLISH)], async |server| {
        let refused = server.apply(&[&with_terms("1", "Pay more.")]).await.unwrap_err();
        assert!(refused.to_string().contains("give the new ones a new version"), "{refused}");
        assert!(server.apply(&[&with_terms("1", ENGLISH)]).await?.is_empty());
        let changed = server.apply(&[&with_terms("2", "Pay more.")]).await?;
        assert_eq!(changed.len(), 1);
        Ok::<(), Fault>(())
    })
    .await
}

#[tokio::test]
async fn the_name_of_an_old_version_with_other_words_is_no_way_around_asking() -> Outcome<()> {
    server::on_nodes(&[&with_terms("1", ENGLISH)], async |server| {
        let hand = Hand::new(server);
        let (form, code) = hand.ask_for_code(server, ADA).await?;
        let form = hand.next(&form, &[("code", &code)]).await?;
        hand.answer(&form, &[("displayName", "Ada"), ("terms-general", "en")]).await?.at_app()?;
        for (version, words, error) in [
            ("2", "Pay more.", Some("interaction_required")),
            ("1", "Pay even more.", Some("interaction_required")),
            ("2", "Pay more.", Some("interaction_required")),
            ("1", ENGLISH, None),
        ] {
            server.apply(&[&with_terms(version, words)]).await?;
            let silent = hand.authorize(GUESTS, PORTAL, &[("prompt", "none")]).await?.at_app()?;
            assert_eq!(parameter(&silent, "error").as_deref(), error, "{version}: {words}");
        }
        Ok(())
    })
    .await
}
