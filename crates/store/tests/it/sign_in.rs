//! Journeys, throttles, sessions and grants.

use futures_util::future::join_all;
use vestibule_rules::fault::{Kind, Outcome};
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::grants::{self, CodeRow, FamilyRow};
use vestibule_store::journeys::{self, JourneyRow, Saved};
use vestibule_store::sessions::{self, SessionRow};
use vestibule_store::throttle::{self, Bucket};

use crate::engines::on_both;
use crate::fixtures::{
    NOW, code, family, fault_of, journey, refresh, session, tenant, tenant_number, user_id, write,
};

#[tokio::test]
async fn a_journey_is_saved_only_at_the_revision_that_was_read() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => journeys::insert(tx, tenant(), &journey(1)))?;
        let found = journeys::find(&mut place.db.read().await?, tenant(), journey(1).id).await?;
        assert_eq!(found, Some(journey(1)));
        let saved = || Saved { state: "{\"v\":2}".to_owned(), expires_at: NOW + Span::hours(2), ended: true };
        let id = journey(1).id;
        assert_eq!(write!(place.db, tx => journeys::save(tx, tenant(), id, 1, &saved()))?, 2);
        let late = fault_of(write!(place.db, tx => journeys::save(tx, tenant(), id, 1, &saved())));
        assert_eq!(late.kind, Kind::Stale);
        let elsewhere =
            fault_of(write!(place.db, tx => journeys::save(tx, tenant_number(2), id, 2, &saved())));
        assert_eq!(elsewhere.kind, Kind::Stale);
        let found = journeys::find(&mut place.db.read().await?, tenant(), id).await?.expect("the journey");
        assert_eq!((found.state.as_str(), found.revision, found.ended), ("{\"v\":2}", 2, true));
        let twice = fault_of(write!(place.db, tx => journeys::insert(tx, tenant(), &journey(1))));
        assert_eq!(twice.kind, Kind::Conflict);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn journeys_that_are_over_are_removed_oldest_first() -> Outcome<()> {
    on_both(async |place| {
        for n in 1..=5 {
            let expires_at = NOW + Span::minutes(i64::from(n));
            write!(place.db, tx => journeys::insert(tx, tenant(), &JourneyRow { expires_at, ..journey(n) }))?;
        }
        let now = NOW + Span::minutes(3);
        // Not before their stages stand elsewhere.
        assert_eq!(write!(place.db, tx => journeys::remove_expired(tx, now, 2))?, 0);
        assert_eq!(write!(place.db, tx => journeys::claim_over(tx, now, now, 9))?.len(), 3);
        assert_eq!(write!(place.db, tx => journeys::remove_expired(tx, now, 2))?, 2);
        assert_eq!(write!(place.db, tx => journeys::remove_expired(tx, now, 2))?, 1);
        assert_eq!(write!(place.db, tx => journeys::remove_expired(tx, now, 2))?, 0);
        let mut tx = place.db.read().await?;
        assert!(journeys::find(&mut tx, tenant(), journey(3).id).await?.is_none());
        assert!(journeys::find(&mut tx, tenant(), journey(4).id).await?.is_some());
        Ok(())
    })
    .await
}

const BUCKET: Bucket<'_> = Bucket { name: "password:1", window: Span::minutes(10), limit: 3 };

#[tokio::test]
async fn a_window_allows_its_limit_and_then_says_how_long_to_wait() -> Outcome<()> {
    on_both(async |place| {
        let spend =
            async |now: Timestamp| write!(place.db, tx => throttle::spend(tx, tenant(), &BUCKET, now));
        for minute in 0..3 {
            assert_eq!(spend(NOW + Span::minutes(minute)).await?, Ok(()));
        }
        assert_eq!(spend(NOW + Span::minutes(4)).await?, Err(Span::minutes(6)));
        let other_tenant = write!(place.db, tx => throttle::spend(tx, tenant_number(2), &BUCKET, NOW))?;
        assert_eq!(other_tenant, Ok(()));
        let mut tx = place.db.read().await?;
        assert_eq!(throttle::peek(&mut tx, tenant(), &BUCKET, NOW).await?, 3);
        assert_eq!(throttle::peek(&mut tx, tenant(), &BUCKET, NOW + Span::minutes(10)).await?, 0);
        drop(tx);
        assert_eq!(spend(NOW + Span::minutes(10)).await?, Ok(()));
        assert_eq!(
            throttle::peek(&mut place.db.read().await?, tenant(), &BUCKET, NOW + Span::minutes(10)).await?,
            1
        );
        write!(place.db, tx => throttle::reset(tx, tenant(), BUCKET.name))?;
        assert_eq!(throttle::peek(&mut place.db.read().await?, tenant(), &BUCKET, NOW).await?, 0);
        assert_eq!(write!(place.db, tx => throttle::remove_old(tx, NOW, 10))?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn parallel_attempts_share_one_window() -> Outcome<()> {
    on_both(async |place| {
        let attempts = (0..40).map(|_| {
            place.db.write(|tx| Box::pin(async move { throttle::spend(tx, tenant(), &BUCKET, NOW).await }))
        });
        let results = join_all(attempts).await.into_iter().collect::<Outcome<Vec<_>>>()?;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_session_lives_until_it_is_revoked() -> Outcome<()> {
    on_both(async |place| {
        let other = || SessionRow {
            sid: vestibule_rules::ids::SessionId::from_random([9; 16]),
            provider: Some("google".to_owned()),
            ..session(3)
        };
        write!(place.db, tx => sessions::insert(tx, tenant(), &session(1)))?;
        write!(place.db, tx => sessions::insert(tx, tenant(), &session(2)))?;
        write!(place.db, tx => sessions::insert(tx, tenant(), &other()))?;
        let (seen, dies) = (NOW + Span::minutes(5), NOW + Span::hours(9));
        write!(place.db, tx => sessions::touch(tx, tenant(), &[1; 32], seen, dies))?;
        let mut tx = place.db.read().await?;
        let touched = SessionRow { last_seen_at: seen, expires_at: dies, ..session(1) };
        assert_eq!(sessions::find(&mut tx, tenant(), &[1; 32]).await?, Some(touched));
        assert_eq!(sessions::find(&mut tx, tenant(), &[3; 32]).await?, Some(other()));
        assert_eq!(sessions::find(&mut tx, tenant_number(2), &[1; 32]).await?, None);
        assert_eq!(sessions::list_by_sid(&mut tx, tenant(), session(1).sid).await?.len(), 2);
        drop(tx);
        assert!(write!(place.db, tx => sessions::revoke(tx, tenant(), &[1; 32], seen))?);
        assert!(!write!(place.db, tx => sessions::revoke(tx, tenant(), &[1; 32], dies))?);
        let ended = fault_of(write!(place.db, tx => sessions::touch(tx, tenant(), &[1; 32], seen, dies)));
        assert_eq!(ended.kind, Kind::Missing);
        assert_eq!(write!(place.db, tx => sessions::revoke_sid(tx, tenant(), session(1).sid, seen))?, 1);
        assert_eq!(write!(place.db, tx => sessions::revoke_for_user(tx, tenant(), user_id(1), seen))?, 1);
        let found = sessions::find(&mut place.db.read().await?, tenant(), &[1; 32]).await?;
        assert_eq!(found.and_then(|session| session.revoked_at), Some(seen));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_code_is_found_by_its_digest_within_its_tenant() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => grants::insert_family(tx, tenant(), &family(1)))?;
        let full = || CodeRow { nonce: Some("n".to_owned()), ..code(1) };
        write!(place.db, tx => grants::insert_code(tx, tenant(), &full()))?;
        let mut tx = place.db.read().await?;
        assert_eq!(grants::find_family(&mut tx, tenant(), family(1).id).await?, Some(family(1)));
        assert_eq!(grants::find_code(&mut tx, tenant(), &[1; 32]).await?, Some(full()));
        assert_eq!(grants::find_code(&mut tx, tenant_number(2), &[1; 32]).await?, None);
        assert_eq!(grants::find_code_any_tenant(&mut tx, &[1; 32]).await?, Some(tenant()));
        assert_eq!(grants::find_code_any_tenant(&mut tx, &[2; 32]).await?, None);
        drop(tx);
        let orphan = write!(place.db, tx => grants::insert_code(tx, tenant(), &code(2)));
        assert_eq!(fault_of(orphan).kind, Kind::Ours);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn of_sixty_four_parallel_redemptions_one_wins() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => grants::insert_family(tx, tenant(), &family(1)))?;
        write!(place.db, tx => grants::insert_code(tx, tenant(), &code(1)))?;
        write!(place.db, tx => grants::insert_refresh(tx, tenant(), &refresh(1)))?;
        let redemptions = (0..64).map(|_| {
            let db = place.db.clone();
            tokio::spawn(async move {
                write!(db, tx => grants::redeem_code(tx, tenant(), &[1; 32], NOW + Span::seconds(1)))
            })
        });
        let mut won = 0;
        for redeemed in join_all(redemptions).await {
            won += u32::from(redeemed.expect("no panic")?);
        }
        assert_eq!(won, 1);
        let uses = (0..64).map(|n: u8| {
            let db = place.db.clone();
            tokio::spawn(async move {
                write!(db, tx => grants::use_refresh(tx, tenant(), &[1; 32], NOW + Span::seconds(1), &[n]))
            })
        });
        let mut won = 0;
        for used in join_all(uses).await {
            won += u32::from(used.expect("no panic")?);
        }
        assert_eq!(won, 1);
        let mut tx = place.db.read().await?;
        let code = grants::find_code(&mut tx, tenant(), &[1; 32]).await?.expect("the code");
        assert_eq!(code.redeemed_at, Some(NOW + Span::seconds(1)));
        let token = grants::find_refresh(&mut tx, tenant(), &[1; 32]).await?.expect("the token");
        assert_eq!((token.used_at, token.successor_sealed.map(|s| s.len())), (code.redeemed_at, Some(1)));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn families_are_revoked_alone_by_session_and_by_user() -> Outcome<()> {
    on_both(async |place| {
        let elsewhere =
            || FamilyRow { sid: vestibule_rules::ids::SessionId::from_random([9; 16]), ..family(4) };
        for n in 1..=3 {
            write!(place.db, tx => grants::insert_family(tx, tenant(), &family(n)))?;
        }
        write!(place.db, tx => grants::insert_family(tx, tenant(), &elsewhere()))?;
        let sid = family(1).sid;
        assert!(write!(place.db, tx => grants::revoke_family(tx, tenant(), family(1).id, NOW))?);
        assert!(!write!(place.db, tx => grants::revoke_family(tx, tenant(), family(1).id, NOW))?);
        assert_eq!(write!(place.db, tx => grants::revoke_families_of_session(tx, tenant(), sid, NOW))?, 2);
        let user = user_id(1);
        assert_eq!(write!(place.db, tx => grants::revoke_families_of_user(tx, tenant(), user, NOW))?, 1);
        let mut tx = place.db.read().await?;
        assert_eq!(grants::list_families_of_session(&mut tx, tenant(), sid).await?.len(), 3);
        let found = grants::find_family(&mut tx, tenant(), elsewhere().id).await?;
        assert_eq!(found.and_then(|family| family.revoked_at), Some(NOW));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_died_long_ago_goes_and_a_family_goes_last() -> Outcome<()> {
    on_both(async |place| {
        let late = NOW + Span::days(800);
        write!(place.db, tx => sessions::insert(tx, tenant(), &session(1)))?;
        write!(place.db, tx => grants::insert_family(tx, tenant(), &family(1)))?;
        write!(place.db, tx => grants::insert_code(tx, tenant(), &code(1)))?;
        write!(place.db, tx => grants::insert_refresh(tx, tenant(), &refresh(1)))?;
        assert_eq!(write!(place.db, tx => sessions::remove_expired(tx, NOW, 10))?, 0);
        assert_eq!(write!(place.db, tx => grants::remove_expired(tx, NOW, 10))?, 0);
        assert_eq!(write!(place.db, tx => sessions::remove_expired(tx, late, 10))?, 1);
        assert_eq!(write!(place.db, tx => grants::remove_expired(tx, late, 10))?, 3);
        let mut tx = place.db.read().await?;
        assert_eq!(grants::find_family(&mut tx, tenant(), family(1).id).await?, None);
        Ok(())
    })
    .await
}
