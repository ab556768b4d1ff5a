//! Stages of journeys: moved once, listed in pages, found by the request, removed when they are old.

use vestibule_rules::fault::{Kind, Outcome};
use vestibule_rules::ids::{ClientId, FlowId, JourneyId, SessionId, TenantId, UserId};
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::grants::{self, CodeRow, FamilyRow};
use vestibule_store::journeys::{self, JourneyRow, Saved};
use vestibule_store::stages::{self, StageRow};

use crate::engines::on_both;
use crate::fixtures::{NOW, code, family, fault_of, journey, tenant, tenant_number, write};

fn at(minutes: u8) -> Timestamp {
    NOW + Span::minutes(i64::from(minutes))
}

fn stage(tenant: TenantId, journey: u8, sequence: i64) -> StageRow {
    StageRow {
        tenant,
        journey: JourneyId::from_random([journey; 16]),
        sequence,
        started_at: at(journey),
        at: at(journey) + Span::seconds(sequence),
        stage: "verified".to_owned(),
        graph_stage: "credentialValidation".to_owned(),
        step: "details".to_owned(),
        page: (sequence % 2 == 0).then_some(sequence),
        correlation: (sequence % 3 > 0).then(|| format!("{journey:08x}-0000-4000-8000-{sequence:012x}")),
        client: ClientId::from_random([1; 16]),
        flow: FlowId::new("B2X_1_sign_up"),
        flow_version: 3,
        intent: "signUp".to_owned(),
        method: Some("code".to_owned()),
        language: "en".to_owned(),
        chosen: (sequence == 2).then(|| "code".to_owned()),
        user: (sequence == 4).then(|| UserId::from_random([9; 16])),
        error_code: 50_181,
        message: (sequence % 2 == 1).then(|| "code-wrong".to_owned()),
        field: (sequence % 2 == 1).then(|| "code".to_owned()),
        left_out: 7,
    }
}

async fn add(db: &vestibule_store::Db, rows: Vec<StageRow>) -> Outcome<()> {
    db.write(move |tx| {
        let rows = rows.clone();
        Box::pin(async move { stages::insert(tx, &rows).await })
    })
    .await
}

#[tokio::test]
async fn stages_are_added_in_bulk_and_read_in_pages() -> Outcome<()> {
    on_both(async |place| {
        // More than one statement's worth, with a rest; two tenants have a journey of the same id.
        let mut all = Vec::new();
        for journey in 1..=3 {
            for tenant in [1, 2].map(tenant_number) {
                all.extend((1..=7).map(|sequence| stage(tenant, journey, sequence)));
            }
        }
        add(&place.db, all.clone()).await?;
        all.sort_by_key(|row| {
            (row.started_at, row.tenant.to_string(), row.journey.to_string(), row.sequence)
        });
        let mut tx = place.db.read().await?;
        let (mut read, mut last) = (Vec::new(), None);
        loop {
            let page = stages::list(&mut tx, (NOW, None), last.as_ref(), 5).await?;
            let Some(end) = page.last() else { break };
            last = Some(end.clone());
            read.extend(page);
        }
        assert_eq!(read, all);
        assert_eq!(stages::list(&mut tx, (at(3), None), None, 99).await?.len(), 14);
        let second = stages::list(&mut tx, (NOW, Some(tenant_number(2))), None, 99).await?;
        assert_eq!(second.len(), 21);
        assert!(second.iter().all(|row| row.tenant == tenant_number(2)));
        let one = stages::list_of_journey(&mut tx, tenant_number(2), all[0].journey).await?;
        assert_eq!(one, all[7..14]);
        drop(tx);
        let twice = fault_of(add(&place.db, vec![all[0].clone()]).await);
        assert_eq!(twice.kind, Kind::Conflict);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_journey_is_found_by_any_of_its_requests_within_its_tenant() -> Outcome<()> {
    on_both(async |place| {
        let rows = [1, 2].map(|journey| (1..=4).map(move |n| stage(tenant(), journey, n)));
        add(&place.db, rows.into_iter().flatten().collect()).await?;
        let mut tx = place.db.read().await?;
        let (one, two) = (JourneyId::from_random([1; 16]), JourneyId::from_random([2; 16]));
        let whole = "00000001-0000-4000-8000-000000000004";
        assert_eq!(stages::find_by_correlation(&mut tx, tenant(), whole, 9).await?, [one]);
        assert_eq!(stages::find_by_correlation(&mut tx, tenant(), "00000002", 9).await?, [two]);
        assert_eq!(stages::find_by_correlation(&mut tx, tenant(), "0000000", 9).await?, [one, two]);
        assert_eq!(stages::find_by_correlation(&mut tx, tenant(), "0000000", 1).await?, [one]);
        assert!(stages::find_by_correlation(&mut tx, tenant_number(2), whole, 9).await?.is_empty());
        assert!(stages::find_by_correlation(&mut tx, tenant(), "00000003", 9).await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn old_stages_go_oldest_first() -> Outcome<()> {
    on_both(async |place| {
        let rows = (1..=4).flat_map(|journey| (1..=2).map(move |n| stage(tenant(), journey, n)));
        add(&place.db, rows.collect()).await?;
        let mut counts = Vec::new();
        for _ in 0..3 {
            counts.push(write!(place.db, tx => stages::remove_old(tx, at(3), 4))?);
        }
        assert_eq!(counts, [4, 2, 0]);
        let left = stages::list(&mut place.db.read().await?, (NOW, None), None, 99).await?;
        assert_eq!(left.iter().map(|row| row.started_at).collect::<Vec<_>>(), [at(4), at(4)]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_journey_that_is_over_is_given_out_once() -> Outcome<()> {
    on_both(async |place| {
        for n in 1..=20 {
            let row = JourneyRow { expires_at: at(n), ..journey(n) };
            let whose = tenant_number(1 + n % 2);
            let insert = place.db.write(move |tx| {
                let row = row.clone();
                Box::pin(async move { journeys::insert(tx, whose, &row).await })
            });
            insert.await?;
        }
        let claim = async |limit| write!(place.db, tx => journeys::claim_over(tx, at(15), at(16), limit));
        // Workers that wait for the same rows come back short; asking until nothing comes gives out the rest.
        let (one, two, three) = tokio::join!(claim(9), claim(9), claim(9));
        let mut all = [one?, two?, three?].concat();
        loop {
            let more = claim(4).await?;
            if more.is_empty() {
                break;
            }
            all.extend(more);
        }
        let mut all: Vec<_> = all.into_iter().map(|(_, row)| row.expires_at).collect();
        all.sort();
        assert_eq!(all, (1..=15).map(at).collect::<Vec<_>>());

        // Whoever had read it before is too late with their answer.
        let saved = Saved { state: "{}".to_owned(), expires_at: at(1), ended: true };
        let save = place.db.write(move |tx| {
            let saved = saved.clone();
            Box::pin(async move { journeys::save(tx, tenant_number(2), journey(1).id, 1, &saved).await })
        });
        assert_eq!(fault_of(save.await).kind, Kind::Stale);

        let mut tx = place.db.read().await?;
        let first = journeys::list_unmoved(&mut tx, NOW, None, 3).await?;
        let rest = journeys::list_unmoved(&mut tx, NOW, first.last(), 9).await?;
        let expiries =
            |page: &[(TenantId, JourneyRow)]| page.iter().map(|(_, r)| r.expires_at).collect::<Vec<_>>();
        assert_eq!(expiries(&first), [16, 17, 18].map(at));
        assert_eq!(expiries(&rest), [19, 20].map(at));
        assert_eq!(rest[1], (tenant_number(1), JourneyRow { expires_at: at(20), ..journey(20) }));
        assert!(journeys::list_unmoved(&mut tx, at(1), None, 9).await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tokens_are_those_of_the_session_the_app_and_the_time() -> Outcome<()> {
    on_both(async |place| {
        let (sid, client) = (SessionId::from_random([1; 16]), ClientId::from_random([1; 16]));
        let add = async |n: u8, code: CodeRow, revoked_at: Option<Timestamp>| {
            let family = FamilyRow { revoked_at, ..family(n) };
            let (add, family) = (code, family);
            let work = place.db.write(move |tx| {
                let (family, code) = (family.clone(), add.clone());
                Box::pin(async move {
                    grants::insert_family(tx, tenant(), &family).await?;
                    grants::insert_code(tx, tenant(), &code).await
                })
            });
            work.await
        };
        let first = async |sid, client| {
            let mut tx = place.db.read().await?;
            grants::first_token(&mut tx, tenant(), (sid, client), (at(1), at(2))).await
        };
        let issued = |n: u8, minute: u8, redeemed: Option<u8>| CodeRow {
            created_at: at(minute),
            redeemed_at: redeemed.map(at),
            ..code(n)
        };
        // Before and after the time, not redeemed, and shown by a thief.
        add(1, issued(1, 0, Some(3)), None).await?;
        add(2, issued(2, 3, Some(4)), None).await?;
        add(3, issued(3, 1, None), None).await?;
        add(4, issued(4, 1, Some(2)), Some(at(2))).await?;
        assert_eq!(first(sid, client).await?, None);
        add(5, issued(5, 2, Some(6)), None).await?;
        add(6, issued(6, 1, Some(5)), Some(at(7))).await?;
        assert_eq!(first(sid, client).await?, Some(at(5)));
        assert_eq!(first(SessionId::from_random([2; 16]), client).await?, None);
        assert_eq!(first(sid, ClientId::from_random([2; 16])).await?, None);
        Ok(())
    })
    .await
}
