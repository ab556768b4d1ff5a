//! Attackers who are there before the victim (security.md 4.1, pre-hijacking).

use serde_json::json;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::{Engine, TestServer};

use super::{arrive, joins, returns, suite, travel, with_hostile_on_both};
use crate::federation::kinds::stand_in::StandIn;
use crate::journeys::passage::{GUESTS, Hand, SHOP, TILL, people, recorded};

const MAIL: &str = suite::MAIL;
const PASSWORD: &str = "correct horse battery staple";
const GUESSES: [&str; 5] = ["00000000", "11111111", "22222222", "33333333", "44444444"];

#[tokio::test]
async fn a_password_that_was_chosen_before_the_owner_came_opens_nothing() -> Outcome<()> {
    // U11: the attacker signs up with the victim's address, and the victim comes by the provider.
    for engine in Engine::ALL {
        let provider = StandIn::start(suite::PLAIN).await?;
        let file = include_str!("../kinds/customers.yaml").replace("{section}\n", &provider.section());
        let server = TestServer::start(engine, &[&file]).await?;
        let thief = Hand::new(&server);
        let form = thief.begin(SHOP, TILL, &[("prompt", "create")]).await?;
        let parked = thief.next(&form, &[("username", MAIL)]).await?;
        server.inbox.await_code(MAIL).await?;
        let early = [("password", PASSWORD), ("displayName", "Eve"), ("username", MAIL)];
        assert!(thief.answer(&parked, &early).await?.at_app().is_err());
        assert!(people(&server, SHOP, MAIL).await?.is_empty());

        let victim = Hand::new(&server);
        let form = victim.begin(SHOP, TILL, &[("prompt", "create")]).await?;
        let form = travel(&provider, &victim, &form).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("details", ""));
        let stay = victim.next(&form, &[("displayName", "Ada Lovelace")]).await?;
        victim.answer(&stay, &[("action", "no")]).await?.at_app()?;
        let owner = people(&server, SHOP, MAIL).await?;
        assert_eq!(owner.len(), 1);

        let mut form = thief.form(&parked.url).await?;
        for guess in GUESSES {
            form = thief.next(&form, &[("code", guess), ("password", PASSWORD)]).await?;
            assert_eq!(form.asks(), "code");
        }
        let form = Hand::new(&server).with_password(MAIL, PASSWORD).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("password", "password-wrong"));
        assert_eq!(people(&server, SHOP, MAIL).await?, owner);
        assert_eq!(recorded(&server, SHOP, "signIn").await?.len(), 1);
        server.finish().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_identity_that_waited_beside_an_address_is_not_there_when_its_owner_comes() -> Outcome<()> {
    // U13, U15: the attacker's provider names the victim's address, and does not even say that it is proven.
    with_hostile_on_both(suite::PLAIN, async |server, provider| {
        provider.says("userinfo", json!({"email_verified": null}));
        let (thief, form) = arrive(server, provider).await?;
        assert_eq!(form.asks(), "address");
        let parked = thief.next(&form, &[("username", MAIL)]).await?;
        assert_eq!(parked.asks(), "code");
        server.inbox.await_code(MAIL).await?;
        // It blocks nobody: the owner comes with a code of their own, which does not fit the attacker's journey.
        let owner = Hand::new(server);
        let (form, code) = owner.ask_for_code(server, MAIL).await?;
        let form_of_thief = thief.next(&parked, &[("code", &code)]).await?;
        assert_eq!(form_of_thief.asks(), "code");
        let form = owner.next(&form, &[("code", &code)]).await?;
        owner.answer(&form, &[("displayName", "Ada")]).await?.at_app()?;
        let before = people(server, GUESTS, MAIL).await?;
        assert!(before[0].identities.iter().all(|one| one.issuer != provider.base));

        let mut form = thief.form(&parked.url).await?;
        for guess in GUESSES {
            form = thief.next(&form, &[("code", guess)]).await?;
            assert_eq!(form.asks(), "code");
        }
        // Nor does the attacker's account at the provider lead there later.
        let (_, form) = returns(server, provider).await?;
        assert_eq!(form.asks(), "address");
        assert_eq!(people(server, GUESTS, MAIL).await?, before);
        assert_eq!(recorded(server, GUESTS, "signIn").await?.len(), 1);
        assert!(recorded(server, GUESTS, "identityLink").await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_address_that_waits_to_be_proven_is_dropped_for_the_next_one_and_does_not_wait_for_long()
-> Outcome<()> {
    // U14: the only change of an address that waits for a proof is one within a journey.
    with_hostile_on_both(suite::PLAIN, async |server, provider| {
        const HERS: &str = "mallory@evil.example";
        provider.says("userinfo", json!({"email": null}));
        let (thief, form) = arrive(server, provider).await?;
        let form = thief.next(&form, &[("username", HERS)]).await?;
        let own = server.inbox.await_code(HERS).await?;
        // A proof of her own mailbox is none of the one that she changes to.
        let form = thief.next(&form, &[("action", "change-address")]).await?;
        let form = thief.next(&form, &[("username", MAIL)]).await?;
        let code = server.inbox.await_code(MAIL).await?;
        let form = thief.next(&form, &[("code", &own)]).await?;
        assert_eq!(form.asks(), "code");
        // And the victim's code is none of her own, when she changes back.
        let form = thief.next(&form, &[("action", "change-address")]).await?;
        let form = thief.next(&form, &[("username", HERS)]).await?;
        let again = server.inbox.await_code(HERS).await?;
        let form = thief.next(&form, &[("code", &code)]).await?;
        assert_eq!(form.asks(), "code");
        server.clock.advance(Span::minutes(30));
        let form = thief.next(&form, &[("code", &again)]).await?;
        assert_eq!(form.asks(), "code", "a proof waited for half an hour");
        for address in [MAIL, HERS] {
            assert!(people(server, GUESTS, address).await?.is_empty());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_provider_that_vouches_for_somebody_else_s_address_connects_nothing() -> Outcome<()> {
    // RP13, U15, C5, C111 (CVE-2026-15611): even verified, it is the account's owner who must say so.
    with_hostile_on_both(suite::PLAIN, async |server, provider| {
        joins(server, provider).await?;
        let before = people(server, GUESTS, MAIL).await?;
        provider.says("id_token", json!({"sub": "mallory"}));
        provider.says("userinfo", json!({"sub": "mallory"}));
        for (thief, form) in [arrive(server, provider).await?, returns(server, provider).await?] {
            assert_eq!(form.asks(), "exists");
            for fields in [vec![("action", "submit"), ("displayName", "Eve")], vec![("code", "00000000")]] {
                assert!(thief.answer(&form, &fields).await?.at_app().is_err());
            }
        }
        assert_eq!(people(server, GUESTS, MAIL).await?, before);
        assert!(recorded(server, GUESTS, "identityLink").await?.is_empty());
        assert_eq!(recorded(server, GUESTS, "signIn").await?.len(), 1);
        Ok(())
    })
    .await
}
