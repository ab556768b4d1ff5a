//! History, drafts, steps back, and whom a removal hits (EXIST-06).

use vestibule_crypto::seal::SealingKey;
use vestibule_rules::directory::user::{ObjectIdentity, User, UserType};
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{TenantId, UserId};
use vestibule_rules::time::Timestamp;
use vestibule_service::directory::drafts::{self, Drafted};
use vestibule_service::directory::life::{self, Form, Named, Step};
use vestibule_service::directory::{Change, apply_hits, snapshot};
use vestibule_service::ports::entropy::SeededEntropy;
use vestibule_store::{Db, users};
use vestibule_testkit::engines::on_both;

use super::applying::CONTOSO;
use super::{apply_text, author, keys, lines, read, said};

const PARTNER: Named<'static> = Named { tenant: "contoso", flow: "Partner" };

/// The flow asks for one thing less.
fn shorter() -> String {
    CONTOSO.replace("        - { attribute: Business name }\n", "")
}

async fn draft(db: &Db, seed: u64, text: &str) -> Outcome<Vec<Drafted>> {
    let files = read(text).unwrap_or_else(|problems| panic!("{:#?}", lines(&problems)));
    drafts::draft(db, &keys(), &files, &author(&SeededEntropy::new(seed))).await
}

async fn take(db: &Db, seed: u64, to: Form) -> Outcome<Vec<String>> {
    let step = Step { flow: PARTNER, to, note: Some(format!("step {seed}")) };
    let changes: Vec<Change> = life::take(db, &step, &author(&SeededEntropy::new(seed))).await?;
    Ok(said(&changes))
}

async fn numbers(db: &Db) -> Outcome<Vec<(i64, i64, bool)>> {
    let all = life::history(db, Named { flow: "B2X_1_Partner", ..PARTNER }).await?;
    Ok(all.iter().map(|r| (r.number, r.flow_version, r.flow.is_some())).collect())
}

async fn version(db: &Db) -> Outcome<i64> {
    let view = snapshot::load(db).await?.tenant("contoso").cloned();
    let view = view.ok_or_else(|| Fault::missing("tenant", "contoso"))?;
    Ok(view.flow("B2X_1_Partner").map_or(0, |(_, newest)| newest.version))
}

fn refused<T>(result: Outcome<T>) -> Fault {
    result.err().unwrap_or_else(|| panic!("this had to fail"))
}

#[tokio::test]
async fn every_published_change_leaves_a_revision() {
    on_both(async |place| {
        let db = &place.db;
        apply_text(db, 1, CONTOSO).await?;
        apply_text(db, 2, CONTOSO).await?;
        assert_eq!(numbers(db).await?, [(1, 1, true)]);
        // Nothing that a journey runs on: a revision and no version. Then the other way about.
        apply_text(db, 3, &CONTOSO.replace("[Portal, Orders]", "[Portal]")).await?;
        assert_eq!(numbers(db).await?, [(2, 1, true), (1, 1, true)]);
        apply_text(
            db,
            4,
            &CONTOSO.replace("[Portal, Orders]", "[Portal]").replace("Name: Fabrikam", "Name: Fab"),
        )
        .await?;
        assert_eq!(numbers(db).await?.len(), 2);
        // Gone and back: the numbers go on.
        let without = CONTOSO.split("userFlows:").next().unwrap_or_default();
        apply_text(db, 5, without).await?;
        apply_text(db, 6, CONTOSO).await?;
        assert_eq!(numbers(db).await?, [(4, 3, true), (3, 2, false), (2, 1, true), (1, 1, true)]);
        let newest = life::history(db, PARTNER).await?.remove(0);
        assert_eq!((newest.actor.as_str(), newest.correlation.as_str()), ("operator", "test"));
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_draft_changes_nothing_until_it_is_published() {
    on_both(async |place| {
        let db = &place.db;
        apply_text(db, 1, CONTOSO).await?;
        let drafted = draft(db, 2, &shorter()).await?;
        let keys: Vec<_> = drafted.iter().flat_map(|d| d.keys.clone()).collect();
        assert_eq!(keys, ["attributeCollection.inputs[businessName]"]);
        assert_eq!((version(db).await?, numbers(db).await?.len()), (1, 1));
        assert_eq!(draft(db, 3, &shorter()).await?, []);
        assert_eq!(life::list(db).await?[0].draft_of, Some(1));

        let (from, to, differences) = life::differences(db, PARTNER, None, None).await?;
        assert_eq!((from, to, differences.len()), (Form::Revision(1), Form::Draft, 1));
        let line = "contoso: user flow “Partner” changed: attributeCollection";
        assert_eq!(take(db, 4, Form::Draft).await?, [line]);
        assert_eq!((version(db).await?, numbers(db).await?.len()), (2, 2));
        assert_eq!(life::history(db, PARTNER).await?[0].note.as_deref(), Some("step 4"));
        // The draft is spent.
        assert_eq!(refused(take(db, 5, Form::Draft).await).kind, Kind::Missing);
        assert_eq!(life::list(db).await?[0].draft_of, None);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_draft_is_not_published_over_somebody_elses_change() {
    on_both(async |place| {
        let db = &place.db;
        apply_text(db, 1, CONTOSO).await?;
        draft(db, 2, &shorter()).await?;
        apply_text(db, 3, &CONTOSO.replace("required: true", "required: false")).await?;
        let fault = refused(take(db, 4, Form::Draft).await);
        assert_eq!((&fault.kind, fault.about.as_deref()), (&Kind::Conflict, Some("draft")));
        assert!(fault.detail.contains("is at revision 2; its draft was made from revision 1"), "{fault}");
        assert_eq!(draft(db, 5, &shorter()).await?.len(), 1);
        assert_eq!(take(db, 6, Form::Draft).await?.len(), 1);
        assert_eq!(version(db).await?, 3);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_draft_goes_when_it_is_discarded_or_its_file_says_what_is_published() {
    on_both(async |place| {
        let db = &place.db;
        apply_text(db, 1, CONTOSO).await?;
        draft(db, 2, &shorter()).await?;
        let lines: Vec<_> = draft(db, 3, CONTOSO).await?.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            ["contoso: user flow “Partner” has no draft any more: the file says what is published"]
        );
        draft(db, 4, &shorter()).await?;
        let who = SeededEntropy::new(5);
        assert!(drafts::discard(db, PARTNER, &author(&who)).await?);
        assert!(!drafts::discard(db, PARTNER, &author(&who)).await?);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_draft_uses_only_what_the_tenant_has() {
    on_both(async |place| {
        let db = &place.db;
        let fault = refused(draft(db, 1, CONTOSO).await);
        assert!(fault.detail.contains("the tenant does not exist yet"), "{fault}");
        apply_text(db, 1, CONTOSO).await?;
        let ahead = CONTOSO.replace("Business name", "Line of business");
        let fault = refused(draft(db, 2, &ahead).await);
        assert_eq!((&fault.kind, fault.about.as_deref()), (&Kind::Malformed, Some("configuration")));
        let key = "userFlows[0].attributeCollection.inputs[1]";
        assert!(fault.detail.starts_with("tenant.yaml:32:") && fault.detail.contains(key), "{fault}");
        assert!(fault.detail.contains("a draft uses what the tenant has already"), "{fault}");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_new_flow_can_begin_as_a_draft() {
    on_both(async |place| {
        let db = &place.db;
        apply_text(db, 1, CONTOSO).await?;
        let second = format!("{CONTOSO}  - name: Second\n    identityProviders: [EmailOtpSignup-OAUTH]\n");
        assert_eq!(draft(db, 2, &second).await?.len(), 1);
        let step = Step { flow: Named { flow: "second", ..PARTNER }, to: Form::Draft, note: None };
        let who = SeededEntropy::new(3);
        let changes = life::take(db, &step, &author(&who)).await?;
        assert_eq!(said(&changes), ["contoso: user flow “Second” created"]);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_step_back_is_a_new_revision_and_passes_every_check() {
    on_both(async |place| {
        let db = &place.db;
        apply_text(db, 1, CONTOSO).await?;
        apply_text(db, 2, &shorter()).await?;
        assert_eq!(take(db, 3, Form::Revision(1)).await?.len(), 1);
        assert_eq!(numbers(db).await?, [(3, 3, true), (2, 2, true), (1, 1, true)]);
        assert_eq!(take(db, 4, Form::Revision(1)).await?, [""; 0]);
        assert_eq!(refused(take(db, 5, Form::Revision(9)).await).kind, Kind::Missing);

        // The provider of the first revision goes; then nothing leads back there.
        let (head, rest) = CONTOSO.split_once("identityProviders:\n").unwrap_or_default();
        let rest = rest.split_once("userFlowAttributes:").map(|(_, rest)| rest).unwrap_or_default();
        let text = format!("{head}userFlowAttributes:{}", rest.replace("[fabrikam, Email", "[Email"));
        apply_text(db, 6, &text).await?;
        let fault = refused(take(db, 7, Form::Revision(1)).await);
        assert_eq!(fault.kind, Kind::Malformed);
        assert!(fault.detail.contains("userFlows[0].identityProviders[0]"), "{fault}");
        assert!(fault.detail.contains("fabrikam"), "{fault}");
        Ok(())
    })
    .await
    .unwrap();
}

async fn guest(db: &Db, tenant: TenantId, n: u8, issuers: &'static [&'static str]) -> Outcome<()> {
    let id = UserId::from_random([n; 16]);
    let now = Timestamp::from_seconds(1_800_000_000);
    let user = User {
        id,
        user_type: UserType::Guest,
        creation_type: None,
        external_user_state: None,
        account_enabled: true,
        user_principal_name: format!("u{n}@contoso.example"),
        display_name: None,
        mail: None,
        identities: issuers
            .iter()
            .map(|issuer| ObjectIdentity {
                sign_in_type: ObjectIdentity::FEDERATED.to_owned(),
                issuer: (*issuer).to_owned(),
                issuer_assigned_id: format!("u{n}@fabrikam.example"),
            })
            .collect(),
        attributes: std::collections::BTreeMap::new(),
        created_at: now,
        sessions_valid_from: now,
        deleted_at: None,
        revision: 1,
    };
    db.write(move |tx| {
        let user = user.clone();
        Box::pin(async move { users::insert(tx, tenant, &user, &format!("{n:032}"), None).await.map(drop) })
    })
    .await
}

async fn hits(db: &Db, text: &str) -> Outcome<Vec<String>> {
    let files = read(text).unwrap_or_else(|problems| panic!("{:#?}", lines(&problems)));
    let (sealing, who): (SealingKey, _) = (keys(), SeededEntropy::new(9));
    let hits = apply_hits(db, &sealing, &files, &author(&who), "https://here.example").await?;
    Ok(hits.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn a_removal_says_whom_it_hits() {
    // EXIST-06
    on_both(async |place| {
        let db = &place.db;
        assert_eq!(hits(db, CONTOSO).await?, [""; 0]);
        apply_text(db, 1, CONTOSO).await?;
        let off = CONTOSO.replace("    clientId: us", "    isEnabled: false\n    clientId: us");
        let off = off.replace("[fabrikam, Email", "[Email");
        assert_eq!(hits(db, &off).await?, [""; 0]);

        let tenant = snapshot::load(db).await?.tenant("contoso").map(|view| view.config.tenant.id);
        let tenant = tenant.ok_or_else(|| Fault::missing("tenant", "contoso"))?;
        guest(db, tenant, 1, &["https://id.fabrikam.example"]).await?;
        guest(db, tenant, 2, &["https://id.fabrikam.example", "mail"]).await?;
        guest(db, tenant, 3, &["mail"]).await?;
        let line = "contoso: identity provider “Fabrikam” is switched off; \
                    2 accounts sign in that way, 1 of them in no other";
        assert_eq!(hits(db, &off).await?, [line]);
        let taken = CONTOSO.replace("[fabrikam, Email", "[Email");
        let line = "contoso: identity provider “Fabrikam” is no longer offered by “Partner”; \
                    2 accounts sign in that way, 1 of them in no other";
        assert_eq!(hits(db, &taken).await?, [line]);
        let codes = CONTOSO.replace(", EmailOtpSignup-OAUTH", "");
        let line = "contoso: nobody can type an email address any more in “Partner”; \
                    2 accounts sign in that way, 1 of them in no other";
        assert_eq!(hits(db, &codes).await?, [line]);
        let without = CONTOSO.split("userFlows:").next().unwrap_or_default();
        let line = "contoso: without “Partner” nobody can sign up for “Portal”, “Orders”";
        assert_eq!(hits(db, without).await?, [line]);
        // Counting changed nothing.
        assert_eq!(numbers(db).await?.len(), 1);
        Ok(())
    })
    .await
    .unwrap();
}
