//! What people accepted.

use vestibule_rules::fault::{Kind, Outcome};
use vestibule_rules::ids::FlowId;
use vestibule_rules::time::Span;
use vestibule_store::terms::{self, AcceptanceRow};
use vestibule_store::users;

use crate::engines::on_both;
use crate::fixtures::{NOW, fault_of, key, tenant, tenant_number, user, user_id, write};

fn acceptance(n: u8, who: u8, document: &str) -> AcceptanceRow {
    AcceptanceRow {
        key: key(n),
        user_id: user_id(who),
        flow_id: FlowId::new("flow"),
        flow_version: 3,
        document: document.to_owned(),
        version: format!("2026-{n:02}"),
        language: "de".to_owned(),
        digest: "ab".repeat(32),
        accepted_at: NOW + Span::seconds(i64::from(n)),
        source_address: "192.0.2.7".to_owned(),
        correlation_id: "request".to_owned(),
        withdrawn_at: None,
        withdrawn_by: None,
    }
}

fn nth(n: u8) -> AcceptanceRow {
    acceptance(n, if n == 2 { 2 } else { 1 }, if n == 3 { "privacy" } else { "general" })
}

#[tokio::test]
async fn what_was_accepted_is_kept_in_order_and_for_each_tenant() -> Outcome<()> {
    on_both(async |place| {
        for n in [1_u8, 2, 3] {
            write!(place.db, tx => terms::insert(tx, tenant(), &nth(n)))?;
        }
        let again = fault_of(write!(place.db, tx => terms::insert(tx, tenant(), &acceptance(2, 2, "x"))));
        assert_eq!((again.kind, again.about.as_deref()), (Kind::Conflict, Some("terms_acceptance.key")));
        let mut tx = place.db.read().await?;
        let of_first = terms::list_by_user(&mut tx, tenant(), user_id(1)).await?;
        assert_eq!(of_first, [nth(1), nth(3)]);
        assert!(terms::list_by_user(&mut tx, tenant_number(2), user_id(1)).await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_withdrawal_leaves_the_evidence_and_hits_one_document() -> Outcome<()> {
    on_both(async |place| {
        let acts = [(1, 1, "general"), (2, 1, "general"), (3, 1, "privacy"), (4, 2, "general")];
        for (n, who, document) in acts {
            write!(place.db, tx => terms::insert(tx, tenant(), &acceptance(n, who, document)))?;
        }
        let later = NOW + Span::hours(1);
        let withdrawn = write!(place.db, tx => terms::withdraw(
            tx, tenant(), (user_id(1), &FlowId::new("flow"), "general"), (later, "operator")
        ))?;
        assert_eq!(withdrawn, 2);
        let again = write!(place.db, tx => terms::withdraw(
            tx, tenant(), (user_id(1), &FlowId::new("flow"), "general"), (later + Span::hours(1), "somebody")
        ))?;
        assert_eq!(again, 0);
        let mut tx = place.db.read().await?;
        let all = terms::page(&mut tx, tenant(), "", 10).await?;
        let told: Vec<_> = all.iter().map(|a| (a.row.withdrawn_at, a.row.withdrawn_by.as_deref())).collect();
        let gone = (Some(later), Some("operator"));
        assert_eq!(told, [gone, gone, (None, None), (None, None)]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn pages_name_the_account_also_when_it_is_gone() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => users::insert(tx, tenant(), &user(1), &key(1), None))?;
        for n in 1..=3 {
            write!(place.db, tx => terms::insert(tx, tenant(), &acceptance(n, n, "general")))?;
        }
        write!(place.db, tx => users::remove(tx, tenant(), user(1).id, NOW))?;
        let mut tx = place.db.read().await?;
        let first = terms::page(&mut tx, tenant(), "", 2).await?;
        let rest = terms::page(&mut tx, tenant(), &first[1].row.key, 2).await?;
        assert_eq!((first.len(), rest.len()), (2, 1));
        assert_eq!(first[0].mail, user(1).mail);
        assert_eq!((first[1].mail.as_deref(), first[1].upn.as_deref()), (None, None));
        Ok(())
    })
    .await
}
