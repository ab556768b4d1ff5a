//! Tenants, objects, flow versions, keys and the deployment's facts.

use futures_util::future::join_all;
use vestibule_rules::fault::{Kind, Outcome};
use vestibule_rules::ids::FlowId;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::keys::{self, KeyRow};
use vestibule_store::objects::{self, FlowVersionRow, ObjectKind, ObjectRow};
use vestibule_store::{deployment, tenants};

use crate::engines::on_both;
use crate::fixtures::{NOW, fault_of, tenant, tenant_number, tenant_row, write};

#[tokio::test]
async fn a_tenant_is_found_as_it_was_inserted() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => tenants::insert(tx, &tenant_row(1)))?;
        write!(place.db, tx => tenants::insert(tx, &tenant_row(2)))?;
        let mut tx = place.db.read().await?;
        assert_eq!(tenants::find(&mut tx, tenant()).await?, Some(tenant_row(1)));
        assert_eq!(tenants::find(&mut tx, tenant_number(9)).await?, None);
        assert_eq!(tenants::list(&mut tx).await?.len(), 2);
        assert_eq!(tenants::list_heads(&mut tx).await?, [(tenant(), 1), (tenant_number(2), 1)]);
        drop(tx);
        let twice = fault_of(write!(place.db, tx => tenants::insert(tx, &tenant_row(1))));
        assert_eq!((twice.kind, twice.about.as_deref()), (Kind::Conflict, Some("tenant.id")));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_tenant_is_updated_only_at_the_version_that_was_read() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => tenants::insert(tx, &tenant_row(1)))?;
        assert_eq!(write!(place.db, tx => tenants::update(tx, tenant(), 1, "{\"a\":1}", "New"))?, 2);
        let late = fault_of(write!(place.db, tx => tenants::update(tx, tenant(), 1, "{}", "Late")));
        assert_eq!(late.kind, Kind::Stale);
        assert_eq!(write!(place.db, tx => tenants::advance(tx, tenant()))?, 3);
        let unknown = fault_of(write!(place.db, tx => tenants::advance(tx, tenant_number(9))));
        assert_eq!(unknown.kind, Kind::Missing);
        let found = tenants::find(&mut place.db.read().await?, tenant()).await?.expect("the tenant");
        assert_eq!((found.display_name.as_str(), found.config_version), ("New", 3));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_name_belongs_to_one_tenant() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => tenants::insert(tx, &tenant_row(1)))?;
        write!(place.db, tx => tenants::insert(tx, &tenant_row(2)))?;
        let set = async |n: u8, names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            place
                .db
                .write(move |tx| {
                    let names = names.clone();
                    Box::pin(async move { tenants::set_names(tx, tenant_number(n), &names).await })
                })
                .await
        };
        set(1, &["b.example", "a.example"]).await?;
        set(1, &["a.example", "c.example"]).await?;
        let taken = fault_of(set(2, &["d.example", "a.example"]).await);
        assert_eq!((taken.kind, taken.about.as_deref()), (Kind::Conflict, Some("tenant_name.name_key")));
        let mut tx = place.db.read().await?;
        assert_eq!(tenants::names(&mut tx, tenant()).await?, ["a.example", "c.example"]);
        assert!(tenants::names(&mut tx, tenant_number(2)).await?.is_empty());
        assert_eq!(tenants::find_by_name(&mut tx, "c.example").await?, Some(tenant()));
        assert_eq!(tenants::find_by_name(&mut tx, "b.example").await?, None);
        assert_eq!(tenants::all_names(&mut tx).await?.len(), 2);
        Ok(())
    })
    .await
}

fn object(id: &str, name: &str) -> ObjectRow {
    ObjectRow {
        kind: ObjectKind::Application,
        id: id.to_owned(),
        name_key: name.to_owned(),
        doc: "{}".to_owned(),
        created_at: NOW,
        updated_at: NOW,
    }
}

#[tokio::test]
async fn an_object_is_put_found_replaced_and_removed() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => objects::put(tx, tenant(), &object("1", "shop")))?;
        let later = NOW + Span::minutes(1);
        let changed = move || ObjectRow {
            doc: "{\"b\":2}".to_owned(),
            created_at: later,
            updated_at: later,
            ..object("1", "store")
        };
        write!(place.db, tx => objects::put(tx, tenant(), &changed()))?;
        write!(place.db, tx => objects::put(tx, tenant(), &object("2", "shop")))?;
        let flow = || ObjectRow { kind: ObjectKind::UserFlow, ..object("1", "store") };
        write!(place.db, tx => objects::put(tx, tenant(), &flow()))?;
        let taken = fault_of(write!(place.db, tx => objects::put(tx, tenant(), &object("2", "store"))));
        assert_eq!(
            (taken.kind, taken.about.as_deref()),
            (Kind::Conflict, Some("configuration_object.name_key"))
        );
        let mut tx = place.db.read().await?;
        let stored = ObjectRow { created_at: NOW, ..changed() };
        let found = objects::find(&mut tx, tenant(), ObjectKind::Application, "1").await?;
        assert_eq!(found.as_ref(), Some(&stored));
        assert_eq!(objects::list(&mut tx, tenant()).await?, [stored, object("2", "shop"), flow()]);
        assert!(objects::list(&mut tx, tenant_number(2)).await?.is_empty());
        drop(tx);
        assert!(write!(place.db, tx => objects::remove(tx, tenant(), ObjectKind::Application, "1"))?);
        assert!(!write!(place.db, tx => objects::remove(tx, tenant(), ObjectKind::Application, "1"))?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn keys_sort_by_their_bytes_whatever_the_locale() -> Outcome<()> {
    on_both(async |place| {
        for id in ["b", "B", "a", "_", "é", "A1", "a-1"] {
            write!(place.db, tx => objects::put(tx, tenant(), &object(id, id)))?;
        }
        let listed = objects::list(&mut place.db.read().await?, tenant()).await?;
        let ids: Vec<&str> = listed.iter().map(|object| object.id.as_str()).collect();
        assert_eq!(ids, ["A1", "B", "_", "a", "a-1", "b", "é"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn versions_of_a_flow_stay() -> Outcome<()> {
    on_both(async |place| {
        let version = |version| FlowVersionRow {
            flow_id: FlowId::new("flow"),
            version,
            doc: format!("{{\"n\":{version}}}"),
            created_at: NOW,
        };
        for n in [1, 2, 10] {
            write!(place.db, tx => objects::insert_version(tx, tenant(), &version(n)))?;
        }
        let again = fault_of(write!(place.db, tx => objects::insert_version(tx, tenant(), &version(2))));
        assert_eq!((again.kind, again.about.as_deref()), (Kind::Conflict, Some("user_flow_version.version")));
        let mut tx = place.db.read().await?;
        let flow = FlowId::new("flow");
        assert_eq!(objects::find_version(&mut tx, tenant(), &flow, 2).await?, Some(version(2)));
        assert_eq!(objects::find_version(&mut tx, tenant(), &flow, 3).await?, None);
        assert_eq!(objects::latest_version(&mut tx, tenant(), &flow).await?, Some(version(10)));
        assert_eq!(objects::latest_version(&mut tx, tenant_number(2), &flow).await?, None);
        Ok(())
    })
    .await
}

fn signing_key(kid: String, active_from: Timestamp) -> KeyRow {
    KeyRow {
        kid,
        algorithm: "RS256".to_owned(),
        sealed_private: vec![1, 2, 3],
        certificate: vec![4],
        public_jwk: "{}".to_owned(),
        created_at: NOW,
        active_from,
        retire_at: None,
    }
}

#[tokio::test]
async fn keys_are_listed_in_the_order_in_which_they_sign() -> Outcome<()> {
    on_both(async |place| {
        let late = || signing_key("a".to_owned(), NOW + Span::days(1));
        let early = || signing_key("b".to_owned(), NOW);
        assert!(write!(place.db, tx => keys::insert(tx, tenant(), &late()))?);
        assert!(write!(place.db, tx => keys::insert(tx, tenant(), &early()))?);
        assert!(!write!(place.db, tx => keys::insert(tx, tenant(), &early()))?);
        let listed = keys::list(&mut place.db.read().await?, tenant()).await?;
        assert!(listed == [early(), late()]);
        assert!(write!(place.db, tx => keys::retire(tx, tenant(), "b", NOW + Span::days(2)))?);
        assert!(!write!(place.db, tx => keys::retire(tx, tenant(), "b", NOW + Span::days(4)))?);
        assert!(!write!(place.db, tx => keys::remove_retired(tx, tenant(), "b", NOW))?);
        assert!(write!(place.db, tx => keys::remove_retired(tx, tenant(), "b", NOW + Span::days(3)))?);
        assert_eq!(keys::list(&mut place.db.read().await?, tenant()).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nodes_that_start_together_agree_on_the_first_key() -> Outcome<()> {
    on_both(async |place| {
        write!(place.db, tx => tenants::insert(tx, &tenant_row(1)))?;
        let attempts = (0..16).map(|n| {
            place.db.write(move |tx| {
                Box::pin(async move {
                    keys::insert_first(tx, tenant(), &signing_key(format!("kid-{n}"), NOW)).await
                })
            })
        });
        let won = join_all(attempts).await.into_iter().collect::<Outcome<Vec<_>>>()?;
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        assert_eq!(keys::list(&mut place.db.read().await?, tenant()).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_fact_about_the_deployment_is_written_once() -> Outcome<()> {
    on_both(async |place| {
        assert_eq!(write!(place.db, tx => deployment::put_if_absent(tx, "check", "1"))?, "1");
        assert_eq!(write!(place.db, tx => deployment::put_if_absent(tx, "check", "2"))?, "1");
        let mut tx = place.db.read().await?;
        assert_eq!(deployment::get(&mut tx, "check").await?.as_deref(), Some("1"));
        assert_eq!(deployment::get(&mut tx, "other").await?, None);
        Ok(())
    })
    .await
}
