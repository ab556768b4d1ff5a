//! Rows to begin with. Each is complete and valid; a test changes what it is about.

use std::collections::BTreeMap;

use vestibule_rules::directory::user::{CreationType, ObjectIdentity, User, UserType};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, FlowId, GrantId, JourneyId, SessionId, TenantId, UserId};
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::grants::{CodeRow, FamilyRow, RefreshRow};
use vestibule_store::journeys::JourneyRow;
use vestibule_store::migrate::order_key;
use vestibule_store::sessions::SessionRow;
use vestibule_store::tenants::TenantRow;

pub(crate) const NOW: Timestamp = Timestamp(1_795_000_000_000_000);
pub(crate) const DIGEST: [u8; 32] = [7; 32];

pub(crate) fn tenant() -> TenantId {
    tenant_number(1)
}

pub(crate) fn tenant_number(n: u8) -> TenantId {
    TenantId::from_random([n; 16])
}

pub(crate) fn user_id(n: u8) -> UserId {
    UserId::from_random([n; 16])
}

/// The key of the `n`th row made after [`NOW`].
pub(crate) fn key(n: u8) -> String {
    order_key(NOW + Span::seconds(i64::from(n)), [n; 10])
}

pub(crate) fn tenant_row(n: u8) -> TenantRow {
    TenantRow {
        id: tenant_number(n),
        kind: "external".to_owned(),
        short_name: format!("tenant-{n}"),
        display_name: format!("Tenant {n}"),
        doc: "{}".to_owned(),
        config_version: 1,
        created_at: NOW,
    }
}

pub(crate) fn mail_identity(address: &str) -> ObjectIdentity {
    ObjectIdentity {
        sign_in_type: ObjectIdentity::EMAIL_ADDRESS.to_owned(),
        issuer: "woodgrove.example".to_owned(),
        issuer_assigned_id: address.to_owned(),
    }
}

pub(crate) fn federated_identity(subject: &str) -> ObjectIdentity {
    ObjectIdentity {
        sign_in_type: ObjectIdentity::FEDERATED.to_owned(),
        issuer: "https://idp.example".to_owned(),
        issuer_assigned_id: subject.to_owned(),
    }
}

pub(crate) fn user(n: u8) -> User {
    let address = format!("user{n}@example.com");
    User {
        id: user_id(n),
        user_type: UserType::Member,
        creation_type: Some(CreationType::LocalAccount),
        external_user_state: None,
        account_enabled: true,
        user_principal_name: format!("u{n}@woodgrove.example"),
        display_name: Some(format!("User {n}")),
        mail: Some(address.clone()),
        identities: vec![mail_identity(&address)],
        attributes: BTreeMap::from([("city".to_owned(), "Vaduz".into())]),
        created_at: NOW,
        sessions_valid_from: NOW,
        deleted_at: None,
        revision: 1,
    }
}

pub(crate) fn journey(n: u8) -> JourneyRow {
    JourneyRow {
        id: JourneyId::from_random([n; 16]),
        key: key(n),
        client_id: ClientId::from_random([1; 16]),
        flow_id: FlowId::new("B2X_1_sign_up"),
        flow_version: 3,
        browser_digest: DIGEST.to_vec(),
        state: r#"{"v":1}"#.to_owned(),
        revision: 1,
        created_at: NOW,
        expires_at: NOW + Span::hours(1),
        ended: false,
    }
}

pub(crate) fn session(n: u8) -> SessionRow {
    SessionRow {
        sid: SessionId::from_random([1; 16]),
        user_id: user_id(1),
        digest: vec![n; 32],
        auth_time: NOW,
        amr: r#"["pwd"]"#.to_owned(),
        provider: None,
        persistent: true,
        created_at: NOW,
        expires_at: NOW + Span::hours(8),
        last_seen_at: NOW,
        revoked_at: None,
        browser_id: None,
    }
}

pub(crate) fn family(n: u8) -> FamilyRow {
    FamilyRow {
        id: GrantId::from_random([n; 16]),
        client_id: ClientId::from_random([1; 16]),
        user_id: user_id(1),
        sid: SessionId::from_random([1; 16]),
        issuer: "https://login.example/t/v2.0".to_owned(),
        scope: "openid offline_access".to_owned(),
        auth_time: NOW,
        created_at: NOW,
        expires_at: NOW + Span::days(90),
        revoked_at: None,
        doc: Some(r#"{"amr":["pwd"]}"#.to_owned()),
        parent_id: None,
    }
}

pub(crate) fn code(n: u8) -> CodeRow {
    CodeRow {
        grant_id: family(n).id,
        client_id: ClientId::from_random([1; 16]),
        digest: vec![n; 32],
        redirect_uri: "https://app.example/cb".to_owned(),
        platform: "web".to_owned(),
        scope: "openid".to_owned(),
        nonce: None,
        code_challenge: Some("challenge".to_owned()),
        issuer: "https://login.example/t/v2.0".to_owned(),
        created_at: NOW,
        expires_at: NOW + Span::minutes(10),
        redeemed_at: None,
        doc: "{}".to_owned(),
    }
}

pub(crate) fn refresh(n: u8) -> RefreshRow {
    RefreshRow {
        grant_id: family(n).id,
        client_id: ClientId::from_random([1; 16]),
        digest: vec![n; 32],
        scope: "openid".to_owned(),
        created_at: NOW,
        expires_at: NOW + Span::days(90),
        used_at: None,
        successor_sealed: None,
        generation: 0,
        dpop_jkt: Some("thumbprint".to_owned()),
    }
}

/// The fault of something that had to fail.
pub(crate) fn fault_of<T>(result: Outcome<T>) -> Fault {
    result.err().expect("this had to fail")
}

/// Runs one expression in a write transaction: `write!(place.db, tx => users::insert(tx, …))`.
/// What the expression uses must be `Copy` or a static.
macro_rules! write {
    ($db:expr, $tx:ident => $work:expr) => {
        $db.write(move |$tx| Box::pin(async move { $work.await })).await
    };
}
pub(crate) use write;
