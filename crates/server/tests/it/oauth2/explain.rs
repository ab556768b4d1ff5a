//! `vestibule token explain`: what tokens say, and why they are taken or refused.

use serde_json::{Value, json};
use vestibule_rules::fault::{Kind, Outcome};
use vestibule_rules::oauth::token::Unbacked;
use vestibule_rules::time::Span;
use vestibule_service::issued::Lapse;
use vestibule_service::token_explain::{Explained, Finding, TokenKind, Verdict, Wanted, explain};
use vestibule_testkit::{TestServer, server};

use super::on_behalf_of::{ADA, COUNTER, STOCK, TENANT, called};
use super::world::forge;
use crate::journeys::passage::{SHOP, TILL, disable};
use crate::provider_command::program;

fn at(tenant: &str) -> Wanted {
    Wanted { tenant: Some(tenant.to_owned()), ..Wanted::default() }
}

async fn explained(server: &TestServer, token: &str) -> Outcome<Explained> {
    explain(&server.site, token, &Wanted::default()).await
}

fn refusals(found: &Explained) -> Vec<&Finding> {
    found.findings.iter().filter(|finding| finding.verdict() == Verdict::Refused).collect()
}

#[tokio::test]
async fn a_good_token_is_for_whom_it_is_for_and_carries_what_it_carries() -> Outcome<()> {
    server::on_both(&[TENANT], async |server| {
        let called = called(server).await?;
        let access = called.text("access_token");
        let found = explained(server, access).await?;
        assert_eq!(
            (found.kind, found.verdict()),
            (TokenKind::Access, Verdict::Holds),
            "{:?}",
            found.findings
        );
        assert_eq!(found.tenant.as_deref(), Some(SHOP));
        assert_eq!(found.claims["azp"], COUNTER);
        assert!(found.findings.contains(&Finding::Person { name: ADA.to_owned() }));
        for (audience, scope, taken) in [
            (TILL, "sell", Verdict::Holds),
            ("api://till", "sell", Verdict::Holds),
            (STOCK, "sell", Verdict::Refused),
            (TILL, "refund", Verdict::Refused),
        ] {
            let wanted = Wanted {
                audience: Some(audience.to_owned()),
                scope: Some(scope.to_owned()),
                ..Wanted::default()
            };
            assert_eq!(explain(&server.site, access, &wanted).await?.verdict(), taken, "{audience} {scope}");
        }
        let wanted = Wanted { role: Some("Orders.Read".to_owned()), ..Wanted::default() };
        assert_eq!(explain(&server.site, access, &wanted).await?.verdict(), Verdict::Refused);
        let found = explained(server, called.text("id_token")).await?;
        assert_eq!((found.kind, found.verdict()), (TokenKind::Id, Verdict::Holds), "{:?}", found.findings);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_token_that_is_no_token_of_ours_says_why() -> Outcome<()> {
    server::on_both(&[TENANT], async |server| {
        let called = called(server).await?;
        let access = called.text("access_token");
        let claims = Value::Object(explained(server, access).await?.claims);
        let (signed, _) = access.rsplit_once('.').unwrap();
        let forged = [
            format!("{signed}.AAAA"),
            forge(&json!({"alg": "none", "typ": "JWT"}), &claims, None),
            forge(&json!({"alg": "HS256", "typ": "JWT"}), &claims, Some(b"secret")),
        ];
        for token in &forged {
            let found = explained(server, token).await?;
            assert!(matches!(found.findings.first(), Some(Finding::BadSignature { .. })), "{found:?}");
            // Nothing is told of a person whom a forgery names.
            assert!(
                !found.findings.iter().any(|one| matches!(one, Finding::Person { .. } | Finding::Lapsed(_)))
            );
        }
        for (token, kind) in [("", TokenKind::Nothing), ("a.b.c.d.e", TokenKind::Encrypted)] {
            let found = explained(server, token).await?;
            assert_eq!((found.kind, found.verdict()), (kind, Verdict::Refused));
        }
        let other = json!({"aud": TILL, "iss": "https://elsewhere.example/v2.0"});
        let missing = explained(server, &forge(&json!({"alg": "none"}), &other, None)).await.unwrap_err();
        assert_eq!(missing.kind, Kind::Missing);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_was_taken_back_is_told_from_what_has_expired() -> Outcome<()> {
    server::on_both(&[TENANT], async |server| {
        let called = called(server).await?;
        let access = called.text("access_token");
        disable(server, SHOP, ADA).await?;
        let found = explained(server, access).await?;
        assert_eq!(found.verdict(), Verdict::Withdrawn);
        assert!(found.findings.contains(&Finding::Lapsed(Lapse::Person(Unbacked::Disabled))), "{found:?}");
        server.clock.advance(Span::hours(2));
        let found = explained(server, access).await?;
        assert!(matches!(refusals(&found).as_slice(), [Finding::Expires { over: true, .. }]), "{found:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_refresh_token_is_looked_up_and_not_used() -> Outcome<()> {
    server::on_both(&[TENANT], async |server| {
        let called = called(server).await?;
        let refresh = called.text("refresh_token");
        assert_eq!(explained(server, refresh).await.unwrap_err().kind, Kind::Missing);
        for _ in 0..2 {
            let found = explain(&server.site, refresh, &at(SHOP)).await?;
            assert_eq!((found.kind, found.verdict()), (TokenKind::Refresh, Verdict::Holds), "{found:?}");
        }
        let more = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        assert_eq!(called.hand.token(SHOP, COUNTER, &more).await?.0, 200);
        let found = explain(&server.site, refresh, &at(SHOP)).await?;
        assert!(matches!(refusals(&found).as_slice(), [Finding::Exchanged { .. }]), "{found:?}");
        let unknown = explain(&server.site, &format!("{refresh}x"), &at(SHOP)).await?;
        assert_eq!(refusals(&unknown), [&Finding::UnknownRefreshToken]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_command_reads_standard_input_and_answers_in_words() -> Outcome<()> {
    server::on_both(&[TENANT], async |server| {
        let called = called(server).await?;
        let folder = tempfile::tempdir().unwrap();
        // The program has the clock of this machine, and the test another.
        let explain = async |arguments: &[&str], token: &str| {
            program(server, (folder.path(), &[]), &[&["token", "explain"], arguments].concat(), token).await
        };
        let run = explain(&[], &format!("{}\n", called.text("access_token"))).await?;
        assert!(
            run.out.contains("Access token for a person of") && run.out.contains("by the key"),
            "{}",
            run.out
        );
        assert!(!run.out.contains(called.text("access_token")));
        let run = explain(&["--json", "--audience", STOCK], called.text("access_token")).await?;
        let told: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!((run.code, &told["accepted"]), (1, &json!(false)), "{}", run.err);
        let checks = told["checks"].as_array().unwrap();
        assert!(checks.iter().any(|one| one["check"] == "audience" && one["result"] == "refused"), "{told}");
        let run = explain(&["--tenant", "nowhere"], called.text("access_token")).await?;
        assert!(run.code == 1 && run.err.contains("there is no tenant “nowhere”"), "{}", run.err);
        Ok(())
    })
    .await
}
