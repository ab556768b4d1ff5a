//! Revisions and drafts of flows.

use vestibule_rules::fault::{Kind, Outcome};
use vestibule_rules::ids::FlowId;
use vestibule_store::flow_life::{self, DraftRow, RevisionRow};
use vestibule_store::objects::{self, FlowVersionRow, ObjectKind, ObjectRow};
use vestibule_store::statements;

use crate::engines::on_both;
use crate::fixtures::{NOW, fault_of, tenant, tenant_number, write};

/// As it stands in the migration.
const FILL_TEXT: &str =
    "INSERT INTO user_flow_revision (tenant_id, flow_id, revision, flow_version, doc, actor, correlation_id,
    note, created_at)
SELECT o.tenant_id, o.id, 1,
    (SELECT MAX(v.version) FROM user_flow_version AS v WHERE v.tenant_id = o.tenant_id AND v.flow_id = o.id),
    o.doc, 'migration', '', NULL, o.updated_at
FROM configuration_object AS o
WHERE o.kind = 'user_flow'";

statements! {
    FILL = FILL_TEXT;
}

fn revision(n: i64) -> RevisionRow {
    RevisionRow {
        flow_id: FlowId::new("flow"),
        revision: n,
        flow_version: n + 1,
        doc: (n != 3).then(|| format!("{{\"n\":{n}}}")),
        actor: "operator".to_owned(),
        correlation_id: "command".to_owned(),
        note: (n == 2).then(|| "asks less".to_owned()),
        created_at: NOW,
    }
}

fn draft(doc: &str) -> DraftRow {
    DraftRow {
        flow_id: FlowId::new("flow"),
        doc: doc.to_owned(),
        base_revision: 2,
        actor: "operator".to_owned(),
        created_at: NOW,
    }
}

#[tokio::test]
async fn revisions_are_counted_and_never_written_twice() -> Outcome<()> {
    on_both(async |place| {
        let flow = FlowId::new("flow");
        assert_eq!(flow_life::newest(&mut place.db.read().await?, tenant(), &flow).await?, 0);
        for n in 1..=3 {
            write!(place.db, tx => flow_life::insert(tx, tenant(), &revision(n)))?;
        }
        let again = fault_of(write!(place.db, tx => flow_life::insert(tx, tenant(), &revision(2))));
        assert_eq!(
            (again.kind, again.about.as_deref()),
            (Kind::Conflict, Some("user_flow_revision.revision"))
        );
        let mut tx = place.db.read().await?;
        assert_eq!(flow_life::newest(&mut tx, tenant(), &flow).await?, 3);
        assert_eq!(flow_life::newest(&mut tx, tenant_number(2), &flow).await?, 0);
        assert_eq!(flow_life::find(&mut tx, tenant(), &flow, 2).await?, Some(revision(2)));
        assert_eq!(flow_life::find(&mut tx, tenant(), &flow, 4).await?, None);
        let listed = flow_life::list(&mut tx, tenant(), &flow).await?;
        assert_eq!(listed, [revision(3), revision(2), revision(1)]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_flow_has_one_draft_and_only_the_one_that_was_read_is_removed() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => flow_life::put_draft(tx, tenant(), &draft("1")))?;
        write!(place.db, tx => flow_life::put_draft(tx, tenant(), &draft("2")))?;
        assert_eq!(flow_life::drafts(&mut place.db.read().await?, tenant()).await?, [draft("2")]);
        assert_eq!(flow_life::drafts(&mut place.db.read().await?, tenant_number(2)).await?, []);
        assert!(!write!(place.db, tx => flow_life::remove_draft(tx, tenant(), &draft("1")))?);
        assert!(write!(place.db, tx => flow_life::remove_draft(tx, tenant(), &draft("2")))?);
        assert_eq!(flow_life::drafts(&mut place.db.read().await?, tenant()).await?, []);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_flow_from_before_there_was_a_history_begins_one_with_what_it_is() -> Outcome<()> {
    const MIGRATION: &str = include_str!("../../migrations/0005_flow_life.sql");
    assert!(MIGRATION.contains(FILL_TEXT));
    on_both(async |place| {
        let object = |kind: ObjectKind| ObjectRow {
            kind,
            id: "flow".to_owned(),
            name_key: "flow".to_owned(),
            doc: "{}".to_owned(),
            created_at: NOW,
            updated_at: NOW,
        };
        for kind in [ObjectKind::UserFlow, ObjectKind::Application] {
            write!(place.db, tx => objects::put(tx, tenant(), &object(kind)))?;
        }
        let version = |n| FlowVersionRow {
            flow_id: FlowId::new("flow"),
            version: n,
            doc: "{}".to_owned(),
            created_at: NOW,
        };
        for n in [1, 10] {
            write!(place.db, tx => objects::insert_version(tx, tenant(), &version(n)))?;
        }
        place.db.write(|tx| Box::pin(async move { tx.run(&FILL, &[]).await })).await?;
        let listed = flow_life::list(&mut place.db.read().await?, tenant(), &FlowId::new("flow")).await?;
        let all: Vec<_> = listed.iter().map(|r| (r.revision, r.flow_version, r.doc.as_deref())).collect();
        assert_eq!(all, [(1, 10, Some("{}"))]);
        Ok(())
    })
    .await
}
