//! What providers keep of sessions.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::SessionId;
use vestibule_rules::time::Span;
use vestibule_store::provider_sessions::{self, ProviderSessionRow};
use vestibule_store::sessions::{self, SessionRow};

use crate::engines::on_both;
use crate::fixtures::{NOW, session, tenant, tenant_number, user_id, write};

fn kept(n: u8) -> ProviderSessionRow {
    ProviderSessionRow {
        sid: SessionId::from_random([n; 16]),
        provider: "stranger".to_owned(),
        provider_sid: Some("theirs".to_owned()),
        sealed: Some(vec![n; 3]),
        expires_at: NOW + Span::hours(8),
    }
}

fn begun(n: u8) -> SessionRow {
    SessionRow { sid: kept(n).sid, provider: Some("stranger".to_owned()), ..session(n) }
}

fn late() -> SessionRow {
    SessionRow { auth_time: NOW + Span::seconds(2), ..begun(4) }
}

fn nameless() -> ProviderSessionRow {
    ProviderSessionRow { provider_sid: None, sealed: None, ..kept(4) }
}

#[tokio::test]
async fn what_is_kept_is_found_by_our_session_by_theirs_and_by_its_person() -> Outcome<()> {
    on_both(async |place| {
        for n in [1, 2, 3] {
            write!(place.db, tx => sessions::insert(tx, tenant(), &begun(n)))?;
            write!(place.db, tx => provider_sessions::put(tx, tenant(), &kept(n)))?;
        }
        write!(place.db, tx => sessions::insert(tx, tenant(), &late()))?;
        write!(place.db, tx => provider_sessions::put(tx, tenant(), &nameless()))?;
        // A second click writes the same once more.
        write!(place.db, tx => provider_sessions::put(tx, tenant(), &nameless()))?;
        write!(place.db, tx => sessions::revoke_sid(tx, tenant(), kept(3).sid, NOW))?;

        let mut tx = place.db.read().await?;
        assert_eq!(provider_sessions::find(&mut tx, tenant(), kept(1).sid).await?, Some(kept(1)));
        assert_eq!(provider_sessions::find(&mut tx, tenant(), kept(4).sid).await?, Some(nameless()));
        assert_eq!(provider_sessions::find(&mut tx, tenant_number(2), kept(1).sid).await?, None);
        let sids = [kept(1).sid, kept(2).sid];
        let theirs = ("stranger", "theirs");
        let found = provider_sessions::list_by_provider_sid(&mut tx, tenant(), theirs, NOW).await?;
        assert_eq!(found, sids);
        let who = ("stranger", user_id(1));
        assert_eq!(provider_sessions::list_by_user(&mut tx, tenant(), who, NOW).await?, sids);
        let later = NOW + Span::seconds(2);
        assert_eq!(provider_sessions::list_by_user(&mut tx, tenant(), who, later).await?.len(), 3);
        for (provider, sid) in [("stranger", "ours"), ("second", "theirs")] {
            let none =
                provider_sessions::list_by_provider_sid(&mut tx, tenant(), (provider, sid), later).await?;
            assert!(none.is_empty());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn sealed_tokens_are_replaced_once_and_go_with_their_session() -> Outcome<()> {
    on_both(async |place| {
        let sid = kept(1).sid;
        write!(place.db, tx => provider_sessions::put(tx, tenant(), &kept(1)))?;
        assert!(write!(place.db, tx => provider_sessions::reseal(tx, tenant(), sid, (&[1; 3], &[9; 3])))?);
        assert!(!write!(place.db, tx => provider_sessions::reseal(tx, tenant(), sid, (&[1; 3], &[8; 3])))?);
        let row = provider_sessions::find(&mut place.db.read().await?, tenant(), sid).await?;
        assert_eq!(row.and_then(|row| row.sealed), Some(vec![9; 3]));
        write!(place.db, tx => provider_sessions::remove(tx, tenant(), sid))?;
        assert!(!write!(place.db, tx => provider_sessions::reseal(tx, tenant(), sid, (&[9; 3], &[7; 3])))?);

        write!(place.db, tx => provider_sessions::put(tx, tenant(), &kept(2)))?;
        assert_eq!(write!(place.db, tx => provider_sessions::remove_expired(tx, NOW, 10))?, 0);
        let late = NOW + Span::hours(9);
        assert_eq!(write!(place.db, tx => provider_sessions::remove_expired(tx, late, 10))?, 1);
        Ok(())
    })
    .await
}
