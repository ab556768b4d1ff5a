use std::sync::Arc;

use vestibule_service::directory::{Directory, snapshot};
use vestibule_testkit::engines::on_both;

use super::apply_text;
use super::applying::CONTOSO;

#[tokio::test]
async fn a_snapshot_finds_tenants_by_every_name_and_reads_only_what_changed() {
    on_both(async |place| {
        let db = &place.db;
        let directory = Directory::new(snapshot::load(db).await?);
        assert!(directory.tenant("contoso").is_none());
        assert!(!directory.poll(db).await?);

        apply_text(db, 1, CONTOSO).await?;
        apply_text(db, 2, "tenant: { kind: external, displayName: Other, shortName: other }").await?;
        assert!(directory.poll(db).await?);
        let view = directory.tenant("CONTOSO").unwrap();
        for name in
            ["Contoso.Example", "contoso.onmicrosoft.com", &view.config.tenant.id.to_string().to_uppercase()]
        {
            assert!(Arc::ptr_eq(&directory.tenant(name).unwrap(), &view), "{name}");
        }
        let portal = view.config.applications.iter().find(|a| a.display_name == "Portal").unwrap();
        let (flow, version) = view.flow_for(portal.app_id).unwrap();
        assert_eq!((flow.id.as_str(), version.version), ("B2X_1_Partner", 1));
        assert!(view.flow("b2x_1_partner").is_some());

        assert!(!directory.poll(db).await?);
        let other = directory.tenant("other").unwrap();
        apply_text(db, 3, &CONTOSO.replace("isSignUpAllowed: true", "isSignUpAllowed: false")).await?;
        assert!(directory.poll(db).await?);
        let (_, version) = directory
            .tenant("contoso")
            .and_then(|v| v.flow("B2X_1_Partner").map(|(f, v)| (f.clone(), v.clone())))
            .unwrap();
        assert_eq!((version.version, version.flow.sign_up_allowed), (2, false));
        assert!(Arc::ptr_eq(&directory.tenant("other").unwrap(), &other), "what did not change is kept");
        assert_eq!(view.version, 1, "a request keeps the view it began with");
        Ok(())
    })
    .await
    .unwrap();
}
