//! Signing up and in at an OpenID provider: an honest one, and one that is not (security.md RP1 to RP15,
//! sign-up.md 2.9, T-09 to T-11).

mod attacks;
mod domains;
mod door;
pub(crate) mod kinds;
mod modules;
pub(crate) mod provider;
mod sign_out;
mod slow;
mod unlinking;

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_store::journeys;
use vestibule_testkit::server::BEGIN;
use vestibule_testkit::{TestServer, server};

use self::provider::{Provider, Signed};
use crate::client::parameter;
use crate::journeys::passage::{Answered, Form, GUESTS, Hand, ORDERS, PORTAL};
use crate::journeys::passage::{guests, people, recorded, tenant};

const ADA: &str = "ada@northwind.example";

/// Runs a test against a server and a provider of its own, on each engine.
async fn with_provider(test: impl AsyncFn(&TestServer, &Arc<Provider>) -> Outcome<()>) -> Outcome<()> {
    for engine in vestibule_testkit::Engine::ALL {
        let provider = Provider::start().await?;
        let server = TestServer::start(engine, &[&guests(&provider.issuer)]).await?;
        test(&server, &provider).await?;
        server.finish().await?;
    }
    Ok(())
}

/// Whether an answer only shows where the journey is.
fn shows(answered: &Answered, form: &Form) -> bool {
    let journey = form.url.rsplit('/').next().unwrap();
    answered.location.as_ref().is_some_and(|url| url.path().ends_with(&format!("/journey/{journey}")))
}

/// The first page for newcomers.
async fn entrance(hand: &Hand) -> Outcome<Form> {
    hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await
}

/// The way ended, nobody was let in, and there is another way to go.
async fn refused(server: &TestServer, hand: &Hand, form: &Form, problem: &str) -> Outcome<()> {
    assert_eq!((form.asks(), form.problem().as_str()), ("refused", problem));
    assert!(people(server, GUESTS, ADA).await?.is_empty());
    assert!(recorded(server, GUESTS, "signIn").await?.is_empty());
    let other = hand.next(form, &[]).await?;
    assert!(other.page.has("#idp-stranger"), "{}", other.asks());
    Ok(())
}

#[tokio::test]
async fn a_stranger_becomes_a_guest_by_a_provider_and_comes_back_unasked() -> Outcome<()> {
    // T-09, T-11, DIR-01, FLOW-20
    with_provider(async |server, provider| {
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let departure = provider.depart(&hand, &form).await?;
        assert_eq!(departure.sent["code_challenge_method"], "S256");
        assert_eq!(departure.sent["response_type"], "code");
        let back = provider.come_back(&hand, &departure).await?.location.unwrap();
        let form = hand.form(back.as_str()).await?;
        assert_eq!(form.asks(), "details");
        assert_eq!(form.page.attribute("#displayName", "value").as_deref(), Some("Ada Lovelace"));
        // IDP-OIDC-02: what the flow does not ask for is not even kept on the way.
        let id = vestibule_rules::ids::JourneyId::parse(form.url.rsplit('/').next().unwrap()).unwrap();
        let mut tx = server.site.env.db.read().await?;
        let row = journeys::find(&mut tx, tenant(server, GUESTS), id).await?.unwrap();
        assert!(!row.state.contains("London"), "{}", row.state);
        drop(tx);
        hand.answer(&form, &[("displayName", "Ada Lovelace")]).await?.at_app()?;

        let guest = people(server, GUESTS, ADA).await?.remove(0);
        let expected = json!({
            "id": guest.id,
            "userType": "Guest",
            "creationType": "SelfServiceSignUp",
            "externalUserState": "Accepted",
            "accountEnabled": true,
            "userPrincipalName": "ada_northwind.example#EXT#@northgate.onmicrosoft.com",
            "displayName": "Ada Lovelace",
            "mail": ADA,
            "identities": [{
                "signInType": "federated", "issuer": provider.issuer, "issuerAssignedId": "Subject-1",
            }],
            "attributes": {},
            "createdAt": BEGIN,
            "sessionsValidFrom": BEGIN,
            "deletedAt": null,
            "revision": 1,
        });
        assert_eq!(serde_json::to_value(&guest).unwrap(), expected);

        // RP12: the subject counts and not the address, which may change.
        provider.lie(json!({"email": "countess@northwind.example", "email_verified": false}));
        let again = Hand::new(server);
        let form = again.begin(GUESTS, ORDERS, &[]).await?;
        let departure = provider.depart(&again, &form).await?;
        provider.come_back(&again, &departure).await?.at_app()?;
        assert_eq!(recorded(server, GUESTS, "signIn").await?.len(), 2);
        // `sub` is case-sensitive.
        provider.lie(json!({"sub": "subject-1", "email": "other@northwind.example"}));
        let other = Hand::new(server);
        let form = entrance(&other).await?;
        assert_eq!(provider.travel(&other, &form).await?.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_account_follows_its_provider_as_far_as_the_mapping_says() -> Outcome<()> {
    // IDP-OIDC-02
    for engine in vestibule_testkit::Engine::ALL {
        let provider = Provider::start().await?;
        let file = guests(&provider.issuer);
        let following = |when: &str| {
            file.replacen(
                "displayName: name\n",
                &format!("displayName: {{ claim: name, update: {when} }}\n"),
                1,
            )
        };
        let server = TestServer::start(engine, &[&following("never")]).await?;
        let hand = Hand::new(&server);
        let form = entrance(&hand).await?;
        let form = provider.travel(&hand, &form).await?;
        hand.answer(&form, &[("displayName", "Ada Lovelace")]).await?.at_app()?;
        for (when, says, name) in [
            ("never", "Ada King", "Ada Lovelace"),
            ("whenEmpty", "Ada King", "Ada Lovelace"),
            ("always", "Ada King", "Ada King"),
            // What the flow would not take from a visitor is not taken from a provider.
            ("always", "\u{202e}gniK adA", "Ada King"),
        ] {
            server.apply(&[&following(when)]).await?;
            provider.lie(json!({"name": says, "email": "other@northwind.example"}));
            let again = Hand::new(&server);
            let form = again.begin(GUESTS, PORTAL, &[]).await?;
            let departure = provider.depart(&again, &form).await?;
            provider.come_back(&again, &departure).await?.at_app()?;
            let guest = people(&server, GUESTS, ADA).await?.remove(0);
            assert_eq!(guest.display_name.as_deref(), Some(name), "{when} {says}");
            assert_eq!(guest.mail.as_deref(), Some(ADA));
        }
        assert_eq!(recorded(&server, GUESTS, "userUpdate").await?.len(), 1);
        server.finish().await?;
    }
    Ok(())
}

/// What a provider can say that vouches for nothing.
fn unvouched() -> Vec<Value> {
    vec![
        json!({"email_verified": false}),
        json!({"email_verified": null}),
        json!({"email_verified": "true"}),
        json!({"email_verified": 1}),
        json!({"email_verified": [true]}),
        json!({"email": null}),
        json!({"email": [ADA]}),
        json!({"email": "ada@evil.example@northwind.example"}),
        json!({"email": "Ada <ada@northwind.example>"}),
        json!({"email": "ada@northwind.example\u{0}"}),
    ]
}

#[tokio::test]
async fn an_address_that_the_provider_does_not_vouch_for_makes_no_account_where_the_original_is_followed()
-> Outcome<()> {
    // T-10, U17, IDP-OIDC-01
    for engine in vestibule_testkit::Engine::ALL {
        let provider = Provider::start().await?;
        let strict = guests(&provider.issuer).replacen("  kind:", "  compatibility: strict\n  kind:", 1);
        let server = TestServer::start(engine, &[&strict]).await?;
        for lie in unvouched() {
            provider.lie(lie);
            let hand = Hand::new(&server);
            let form = entrance(&hand).await?;
            let form = provider.travel(&hand, &form).await?;
            refused(&server, &hand, &form, "90100").await?;
        }
        server.finish().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_address_that_the_provider_does_not_vouch_for_is_proven_by_a_code() -> Outcome<()> {
    // RP13, U15, U17
    with_provider(async |server, provider| {
        for lie in unvouched() {
            provider.lie(lie.clone());
            let hand = Hand::new(server);
            let form = entrance(&hand).await?;
            let form = provider.travel(&hand, &form).await?;
            assert_eq!(form.asks(), "address", "{lie}");
            assert!(people(server, GUESTS, ADA).await?.is_empty());
        }
        provider.lie(json!({"email_verified": false}));
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let form = provider.travel(&hand, &form).await?;
        assert_eq!(form.page.attribute("#username", "value").as_deref(), Some(ADA));
        let form = hand.next(&form, &[("username", "ada@elsewhere.example")]).await?;
        assert_eq!(form.asks(), "code");
        let code = server.inbox.await_code("ada@elsewhere.example").await?;
        let form = hand.next(&form, &[("code", &code)]).await?;
        assert_eq!(form.asks(), "details");
        hand.answer(&form, &[("displayName", "Ada")]).await?.at_app()?;
        let guest = people(server, GUESTS, "ada@elsewhere.example").await?.remove(0);
        assert_eq!(guest.identities.len(), 1);
        assert_eq!(guest.identities[0].issuer, provider.issuer);
        // The address that the provider named stands nowhere, and its owner is free to come.
        assert!(people(server, GUESTS, ADA).await?.is_empty());
        Hand::new(server).become_guest(server, ADA).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_proof_of_one_identity_is_none_for_another() -> Outcome<()> {
    // C5 (CVE-2026-9087)
    with_provider(async |server, provider| {
        provider.lie(json!({"email": null, "sub": "first"}));
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let form = provider.travel(&hand, &form).await?;
        let waiting = hand.next(&form, &[("username", ADA)]).await?;
        let code = server.inbox.await_code(ADA).await?;
        // The same browser and journey, and another account at the provider.
        let form = hand.next(&waiting, &[("action", "sign-up")]).await?;
        provider.lie(json!({"email": null, "sub": "second"}));
        let form = provider.travel(&hand, &form).await?;
        assert_eq!(form.asks(), "address");
        let form = hand.next(&form, &[("username", ADA)]).await?;
        server.inbox.await_code(ADA).await?;
        let form = hand.next(&form, &[("code", &code)]).await?;
        assert_eq!(form.asks(), "code", "the code of the first identity was taken for the second");
        assert!(people(server, GUESTS, ADA).await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_account_is_connected_by_who_proves_both_sides() -> Outcome<()> {
    // EXIST-03, RP13
    with_provider(async |server, provider| {
        Hand::new(server).become_guest(server, ADA).await?;
        let before = people(server, GUESTS, ADA).await?;
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let exists = provider.travel(&hand, &form).await?;
        assert_eq!(exists.asks(), "exists");
        // Going on takes a proof of the account's own kind; the provider's word is none.
        let form = hand.next(&exists, &[]).await?;
        assert_eq!(form.asks(), "code");
        assert_eq!(people(server, GUESTS, ADA).await?, before);
        let code = server.inbox.await_code(ADA).await?;
        hand.answer(&form, &[("code", &code)]).await?.at_app()?;
        let after = people(server, GUESTS, ADA).await?.remove(0);
        assert_eq!((after.id, after.identities.len()), (before[0].id, 2));
        assert_eq!(after.identities[1].issuer_assigned_id, "Subject-1");
        assert_eq!(recorded(server, GUESTS, "identityLink").await?.len(), 1);
        let notice = server.inbox.await_mail(ADA).await?;
        assert_eq!(notice.subject, "Stranger now leads to your Northgate account");
        assert!(notice.text.contains("If it was not"), "{}", notice.text);
        // Both lead to it from now on, and no third person by the same address.
        let again = Hand::new(server);
        let form = again.begin(GUESTS, PORTAL, &[]).await?;
        let departure = provider.depart(&again, &form).await?;
        provider.come_back(&again, &departure).await?.at_app()?;
        assert_eq!(people(server, GUESTS, ADA).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_thief_connects_nothing_with_somebody_else_s_account() -> Outcome<()> {
    // EXIST-03, U15
    with_provider(async |server, provider| {
        Hand::new(server).become_guest(server, ADA).await?;
        let before = people(server, GUESTS, ADA).await?;
        let thief = Hand::new(server);
        let form = entrance(&thief).await?;
        let exists = provider.travel(&thief, &form).await?;
        let mut form = thief.next(&exists, &[]).await?;
        server.inbox.await_code(ADA).await?;
        for guess in ["00000000", "11111111", "22222222", "33333333", "44444444", "55555555"] {
            form = thief.next(&form, &[("code", guess)]).await?;
            assert_eq!(form.asks(), "code");
        }
        // Their own account does not become the bridge either.
        let form = thief.next(&form, &[("action", "change-address")]).await?;
        let form = thief.next(&form, &[("username", "mallory@evil.example")]).await?;
        let code = server.inbox.await_code("mallory@evil.example").await?;
        let form = thief.next(&form, &[("code", &code)]).await?;
        thief.answer(&form, &[("displayName", "Mallory")]).await?.at_app()?;
        assert_eq!(people(server, GUESTS, ADA).await?, before);
        let mallory = people(server, GUESTS, "mallory@evil.example").await?.remove(0);
        assert!(mallory.identities.iter().all(|i| i.issuer != provider.issuer));
        assert!(recorded(server, GUESTS, "identityLink").await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_token_that_lies_is_refused() -> Outcome<()> {
    // RP3, RP9
    with_provider(async |server, provider| {
        let now = BEGIN.seconds();
        let lies = [
            json!({"iss": "https://evil.example"}),
            json!({"iss": format!("{}/", provider.issuer)}),
            json!({"iss": null}),
            json!({"aud": "another"}),
            json!({"aud": ["northgate", "another"]}),
            json!({"azp": "another"}),
            json!({"at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q"}),
            json!({"at_hash": 1}),
            json!({"nonce": null}),
            json!({"nonce": "of another sign-in"}),
            json!({"exp": now - 61}),
            json!({"exp": null}),
            json!({"exp": format!("{}", now + 300)}),
            json!({"iat": now + 61}),
            json!({"nbf": now + 61}),
            json!({"sub": null}),
            json!({"sub": ""}),
            json!({"sub": 7}),
            json!({"sub": "a\u{0}b"}),
        ];
        for lie in lies {
            provider.lie(lie.clone());
            let hand = Hand::new(server);
            let form = entrance(&hand).await?;
            let form = provider.travel(&hand, &form).await?;
            assert_eq!(form.asks(), "refused", "{lie}");
            refused(server, &hand, &form, "refused-provider-failed").await?;
        }
        provider.lie(json!({}));
        for signed in [Signed::None, Signed::WithTheSecret, Signed::ByTheOtherKeyUnderAFalseName] {
            provider.script().signed = signed;
            let hand = Hand::new(server);
            let form = entrance(&hand).await?;
            let form = provider.travel(&hand, &form).await?;
            refused(server, &hand, &form, "refused-provider-failed").await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_response_fits_one_departure_of_one_browser_at_one_provider() -> Outcome<()> {
    // RP1, RP2, RP6
    with_provider(async |server, provider| {
        let (hand, victim) = (Hand::new(server), Hand::new(server));
        let form = entrance(&hand).await?;
        let departure = provider.depart(&hand, &form).await?;
        let state = departure.sent["state"].clone();

        for strange in ["", "x", "a.b.c", &state[..state.len() - 1], &format!("{state}A")] {
            let answered = departure.back(&hand, &[("code", "c"), ("state", strange)]).await?;
            assert_eq!(answered.status, 400, "{strange}");
        }
        assert_eq!(departure.back(&hand, &[("code", "c")]).await?.status, 400);
        // Login CSRF: the attacker's way back in the victim's browser.
        assert_eq!(provider.come_back(&victim, &departure).await?.status, 404);
        let second = departure.sent["redirect_uri"].replace("/stranger", "/second");
        let crossed = format!("{second}?code=c&state={state}");
        assert_eq!(hand.get(&crossed).await?.status, 400);
        assert_eq!(Provider::count(&provider.redemptions), 0);

        // A second departure makes the first one's response worthless.
        let form = hand.form(&form.url).await?;
        let newer = provider.depart(&hand, &form).await.err();
        assert!(newer.is_some(), "at this step the way leads on by its own button");
        let again = hand.answer(&form, &[]).await?.location.unwrap();
        assert_ne!(parameter(&again, "state").as_deref(), Some(state.as_str()));
        let older = provider.come_back(&hand, &departure).await?;
        assert!(shows(&older, &form));
        assert_eq!(Provider::count(&provider.redemptions), 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_response_is_good_once_and_not_after_the_end() -> Outcome<()> {
    // RP1, C82 (CVE-2025-46815)
    with_provider(async |server, provider| {
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let departure = provider.depart(&hand, &form).await?;
        // Two tabs bring it at once.
        let (one, two) =
            tokio::join!(provider.come_back(&hand, &departure), provider.come_back(&hand, &departure));
        assert_eq!((one?.location, hand.form(&form.url).await?.asks()), (two?.location, "details"));
        let redeemed = Provider::count(&provider.redemptions);
        assert_eq!(redeemed, 1);
        provider.come_back(&hand, &departure).await?;
        assert_eq!(Provider::count(&provider.redemptions), redeemed);

        let late = Hand::new(server);
        let form = entrance(&late).await?;
        let departure = provider.depart(&late, &form).await?;
        let away = late.form(&form.url).await?;
        assert_eq!(away.asks(), "leave");
        late.answer(&away, &[("action", "cancel")]).await?.at_app()?;
        let answered = provider.come_back(&late, &departure).await?;
        assert!(shows(&answered, &form));
        assert_eq!(Provider::count(&provider.redemptions), redeemed);
        assert!(people(server, GUESTS, ADA).await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_response_of_another_issuer_is_refused() -> Outcome<()> {
    // RP5, RFC 9207
    with_provider(async |server, provider| {
        for iss in [Some("https://evil.example"), None] {
            let hand = Hand::new(server);
            let form = entrance(&hand).await?;
            let departure = provider.depart(&hand, &form).await?;
            let mut parameters = vec![("code", "c"), ("state", departure.sent["state"].as_str())];
            parameters.extend(iss.map(|iss| ("iss", iss)));
            let back = departure.back(&hand, &parameters).await?.location.unwrap();
            let form = hand.form(back.as_str()).await?;
            refused(server, &hand, &form, "refused-provider-failed").await?;
        }
        assert_eq!(Provider::count(&provider.redemptions), 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_provider_that_calls_itself_by_another_name_is_not_used() -> Outcome<()> {
    // RP7
    let provider = Provider::start().await?;
    provider.script().issuer_in_discovery = Some(format!("{}/", provider.issuer));
    server::on_both(&[&guests(&provider.issuer)], async |server| {
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let form = hand.next(&form, &[("action", "idp-stranger")]).await?;
        refused(server, &hand, &form, "refused-provider-failed").await
    })
    .await
}

#[tokio::test]
async fn who_says_no_at_the_provider_chooses_again() -> Outcome<()> {
    // RP18
    with_provider(async |server, provider| {
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let departure = provider.depart(&hand, &form).await?;
        let state = departure.sent["state"].as_str();
        let no = [("error", "access_denied"), ("state", state), ("iss", &provider.issuer)];
        let back = departure.back(&hand, &no).await?.location.unwrap();
        let form = hand.form(back.as_str()).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("sign-up", "provider-declined"));

        let departure = provider.depart(&hand, &form).await?;
        let state = departure.sent["state"].as_str();
        let words = "<script>alert(1)</script>";
        let broken =
            [("error", words), ("error_description", words), ("state", state), ("iss", &provider.issuer)];
        let back = departure.back(&hand, &broken).await?.location.unwrap();
        let form = hand.form(back.as_str()).await?;
        assert!(!form.page.html.contains("alert(1)"));
        refused(server, &hand, &form, "refused-provider-failed").await
    })
    .await
}

#[tokio::test]
async fn a_broken_provider_leaves_a_way_on() -> Outcome<()> {
    with_provider(async |server, provider| {
        for broken in ["keys", "token"] {
            provider.script().broken = broken;
            let hand = Hand::new(server);
            let form = entrance(&hand).await?;
            let form = provider.travel(&hand, &form).await?;
            refused(server, &hand, &form, "refused-provider-failed").await?;
        }
        provider.script().broken = "discovery";
        server.clock.advance(Span::hours(1));
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let form = hand.next(&form, &[("action", "idp-stranger")]).await?;
        refused(server, &hand, &form, "refused-provider-failed").await?;
        // It recovers, and so does the same journey.
        provider.script().broken = "-";
        provider.script().later = 3_600;
        let form = hand.form(&form.url).await?;
        assert_eq!(provider.travel(&hand, &form).await?.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_slow_provider_holds_up_nobody_else() -> Outcome<()> {
    with_provider(async |server, provider| {
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let departure = provider.depart(&hand, &form).await?;
        provider.script().hangs = "token";
        let waiting = async {
            let back = provider.come_back(&hand, &departure).await?.location.unwrap();
            hand.form(back.as_str()).await
        };
        let others = async {
            provider.reached.notified().await;
            let back = Hand::new(server).become_guest(server, "bob@northwind.example").await;
            // The page of the one who waits can be looked at meanwhile.
            let seen = hand.form(&form.url).await;
            provider.go_on.notify_one();
            Ok::<_, vestibule_rules::fault::Fault>((back?, seen?))
        };
        let (waited, others) = tokio::join!(waiting, others);
        assert_eq!((waited?.asks(), others?.1.asks()), ("details", "leave"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_crowd_asks_a_provider_once() -> Outcome<()> {
    // RP10
    with_provider(async |server, provider| {
        let hands: Vec<Hand> = (0..10).map(|_| Hand::new(server)).collect();
        // Known to everybody, then too old for everybody at once.
        provider.depart(&hands[0], &entrance(&hands[0]).await?).await?;
        server.clock.advance(Span::hours(1));
        let mut forms = Vec::new();
        for hand in &hands {
            forms.push(entrance(hand).await?);
        }
        let before = Provider::count(&provider.discoveries);
        provider.script().hangs = "discovery";
        let press = [("action", "idp-stranger")];
        let all = hands.iter().zip(&forms).map(|(hand, form)| hand.answer(form, &press));
        let release = async {
            provider.reached.notified().await;
            provider.script().hangs = "-";
            // Those who come from now on share the answer, or find it.
            provider.go_on.notify_one();
        };
        let (answers, ()) = tokio::join!(futures_util::future::join_all(all), release);
        for answer in answers {
            assert!(answer?.location.unwrap().as_str().starts_with(&provider.issuer));
        }
        assert_eq!(Provider::count(&provider.discoveries), before + 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_key_that_is_not_known_is_looked_for_once_a_minute() -> Outcome<()> {
    // RP10, U31
    with_provider(async |server, provider| {
        let travel = async || {
            let hand = Hand::new(server);
            let form = entrance(&hand).await?;
            provider.travel(&hand, &form).await.map(|form| form.asks().to_owned())
        };
        assert_eq!(travel().await?, "details");
        assert_eq!(Provider::count(&provider.key_reads), 1);
        provider.script().signed = Signed::ByTheOtherKey;
        for _ in 0..3 {
            assert_eq!(travel().await?, "refused");
        }
        // At once, although the set is young: keys may change right after they were read. And then not again.
        assert_eq!(Provider::count(&provider.key_reads), 2);
        server.clock.advance(Span::minutes(1));
        for _ in 0..3 {
            assert_eq!(travel().await?, "refused");
        }
        assert_eq!(Provider::count(&provider.key_reads), 3);
        provider.script().publishes_other_key = true;
        server.clock.advance(Span::minutes(1));
        assert_eq!(travel().await?, "details");
        assert_eq!(Provider::count(&provider.key_reads), 4);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_provider_that_is_taken_away_lets_nobody_in_any_more() -> Outcome<()> {
    // RP15
    with_provider(async |server, provider| {
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let departure = provider.depart(&hand, &form).await?;
        let without = guests(&provider.issuer)
            .replace("[stranger, second, Email", "[Email")
            .replace("    clientId: northgate", "    isEnabled: false\n    clientId: northgate");
        server.apply(&[&without]).await?;
        assert_eq!(provider.come_back(&hand, &departure).await?.status, 404);
        assert_eq!(Provider::count(&provider.redemptions), 0);
        // The journey goes on by another way.
        let form = hand.form(&form.url).await?;
        let form = hand.next(&form, &[("action", "sign-in")]).await?;
        assert_eq!(form.asks(), "identify");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_button_leads_to_a_provider_that_keeps_its_pages_elsewhere() -> Outcome<()> {
    // Browsers hold a redirect after a form against the policy of the form's page, so it names no addresses.
    let provider = Provider::start().await?;
    provider.script().authorization_endpoint = Some("http://login.localhost:9/authorize?kept=1".to_owned());
    server::on_both(&[&guests(&provider.issuer)], async |server| {
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let policy = hand.get(&form.url).await?.policy;
        assert!(policy.contains("default-src 'none'") && !policy.contains("form-action"), "{policy}");
        let there = hand.answer(&form, &[("action", "idp-stranger")]).await?.location.unwrap();
        assert!(
            there.as_str().starts_with("http://login.localhost:9/authorize?kept=1&client_id="),
            "{there}"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_provider_never_leads_to_what_is_no_web_address() -> Outcome<()> {
    // RP8
    for hostile in ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd"] {
        let provider = Provider::start().await?;
        provider.script().authorization_endpoint = Some(hostile.to_owned());
        let server =
            TestServer::start(vestibule_testkit::Engine::Sqlite, &[&guests(&provider.issuer)]).await?;
        let hand = Hand::new(&server);
        let form = entrance(&hand).await?;
        let form = hand.next(&form, &[("action", "idp-stranger")]).await?;
        refused(&server, &hand, &form, "refused-provider-failed").await?;
        server.finish().await?;
    }
    Ok(())
}
