//! The refresh token grant.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::time::Span;
use vestibule_store::{audit, users};
use vestibule_testkit::engines::on_both;

use super::{House, NATIVE, OTHER, SPA, WEB, claims, renewal, request, tenant};

const FULL: &str = "openid profile offline_access";

async fn first(house: &House, app: u8) -> Outcome<String> {
    let tokens = house.tokens(app, FULL).await?;
    tokens.refresh_token.ok_or_else(|| Fault::ours("no refresh token"))
}

#[tokio::test]
async fn every_use_rotates_and_the_old_token_kills_the_family() -> Outcome<()> {
    // R18, R27, S72
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        for app in [WEB, SPA, NATIVE] {
            let old = first(&house, app).await?;
            let renewed = house.ask(renewal(app, &old)).await.unwrap();
            assert_eq!(renewed.scope, FULL);
            let id = claims(renewed.id_token.as_deref().unwrap());
            assert!(id.get("nonce").is_none() && id["oid"] == house.user.to_string());
            let new = renewed.refresh_token.unwrap();
            assert_ne!(old, new);
            house.clock.advance(Span::seconds(11));
            assert_eq!(house.ask(renewal(app, &old)).await.err(), Some(50_173));
            assert_eq!(house.ask(renewal(app, &new)).await.err(), Some(50_173));
        }
        let entries = audit::list(&mut place.db.read().await?, tenant(1), None, 10).await?;
        assert_eq!(entries.iter().filter(|entry| entry.action == "refresh_reuse").count(), 3);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_lost_answer_is_repeated_until_its_token_was_used() -> Outcome<()> {
    // R39, S74
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let old = first(&house, SPA).await?;
        let new = house.ask(renewal(SPA, &old)).await.unwrap().refresh_token.unwrap();
        house.clock.advance(Span::seconds(10));
        let again = house.ask(renewal(SPA, &old)).await.unwrap();
        assert_eq!(again.refresh_token.as_deref(), Some(new.as_str()));
        assert!(house.ask(renewal(SPA, &new)).await.is_ok());
        // The successor was used, so somebody had the first answer.
        assert_eq!(house.ask(renewal(SPA, &old)).await.err(), Some(50_173));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hundred_parallel_uses_have_one_successor() -> Outcome<()> {
    // S73
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let old = first(&house, NATIVE).await?;
        let all = join_all((0..100).map(|_| house.ask(renewal(NATIVE, &old)))).await;
        let successors: BTreeSet<String> =
            all.into_iter().map(|answer| answer.unwrap().refresh_token.unwrap()).collect();
        assert_eq!(successors.len(), 1);
        let one = successors.first().unwrap();
        assert!(house.ask(renewal(NATIVE, one)).await.is_ok());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn rotation_prolongs_no_grant() -> Outcome<()> {
    // S76
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let token = first(&house, SPA).await?;
        house.clock.advance(Span::hours(23));
        let renewed = house.ask(renewal(SPA, &token)).await.unwrap();
        assert_eq!(renewed.refresh_token_expires_in, Some(3600));
        house.clock.advance(Span::hours(1));
        assert_eq!(house.ask(renewal(SPA, &renewed.refresh_token.unwrap())).await.err(), Some(700_084));
        let idle = first(&house, WEB).await?;
        house.clock.advance(house.site.settings.lifetimes.refresh_token);
        assert_eq!(house.ask(renewal(WEB, &idle)).await.err(), Some(700_082));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_refresh_token_is_good_for_its_client_tenant_and_scope_only() -> Outcome<()> {
    // S60, S62, S66, S75
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let token = first(&house, WEB).await?;
        assert_eq!(house.ask(renewal(OTHER, &token)).await.err(), Some(70_000));
        assert_eq!(house.ask_at(&house.visit(2), renewal(WEB, &token)).await.err(), Some(70_000));
        for variant in
            [&token[1..], &format!("{token}a"), &token.to_uppercase(), &format!("p{}", &token[1..])]
        {
            assert_eq!(house.ask(renewal(WEB, variant)).await.err(), Some(70_000), "{variant}");
        }
        let wider =
            [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", "api://2/read")];
        assert_eq!(house.ask(request(WEB, &wider)).await.err(), Some(65_001));
        assert!(house.ask(renewal(WEB, &token)).await.is_ok());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_grant_dies_with_its_user() -> Outcome<()> {
    // S34, S68, S77
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let (id, user) = (tenant(1), house.user);
        let token = first(&house, WEB).await?;
        let code = house.code(WEB, FULL).await?;
        house.clock.advance(Span::seconds(1));
        let now = house.site.env.now();
        place.db.write(move |tx| Box::pin(users::revoke_sessions(tx, id, user, now))).await?;
        assert_eq!(house.ask(renewal(WEB, &token)).await.err(), Some(50_173));
        assert_eq!(house.ask(super::redemption(WEB, &code)).await.err(), Some(50_173));
        let token = first(&house, WEB).await?;
        place
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut person =
                        users::find(tx, id, user).await?.ok_or_else(|| Fault::ours("no user"))?;
                    person.account_enabled = false;
                    users::update(tx, id, &person).await.map(drop)
                })
            })
            .await?;
        assert_eq!(house.ask(renewal(WEB, &token)).await.err(), Some(50_057));
        Ok(())
    })
    .await
}
