//! What an administrator configures in a tenant: applications, providers, attributes, flows. The store keeps
//! their documents and their uniqueness; what stands in a document is decided elsewhere.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{FlowId, TenantId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    LIST = "SELECT kind, id, name_key, doc, created_at, updated_at FROM configuration_object
            WHERE tenant_id = $1 ORDER BY kind, id";
    FIND = "SELECT kind, id, name_key, doc, created_at, updated_at FROM configuration_object
            WHERE tenant_id = $1 AND kind = $2 AND id = $3";
    PUT = "INSERT INTO configuration_object (tenant_id, kind, id, name_key, doc, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (tenant_id, kind, id) DO UPDATE
           SET name_key = excluded.name_key, doc = excluded.doc, updated_at = excluded.updated_at";
    REMOVE = "DELETE FROM configuration_object WHERE tenant_id = $1 AND kind = $2 AND id = $3";
    INSERT_VERSION = "INSERT INTO user_flow_version (tenant_id, flow_id, version, doc, created_at)
                      VALUES ($1, $2, $3, $4, $5)";
    FIND_VERSION = "SELECT flow_id, version, doc, created_at FROM user_flow_version
                    WHERE tenant_id = $1 AND flow_id = $2 AND version = $3";
    LATEST_VERSION = "SELECT flow_id, version, doc, created_at FROM user_flow_version
                      WHERE tenant_id = $1 AND flow_id = $2 ORDER BY version DESC LIMIT 1";
}

/// What an object is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ObjectKind {
    /// An application registration.
    Application,
    /// An identity provider.
    IdentityProvider,
    /// A user flow attribute.
    UserFlowAttribute,
    /// A user flow; its versions stand in a table of their own.
    UserFlow,
    /// A group; its members stand in a table of their own.
    Group,
}

impl ObjectKind {
    const ALL: [Self; 5] =
        [Self::Application, Self::IdentityProvider, Self::UserFlowAttribute, Self::UserFlow, Self::Group];

    /// The word for the kind in its column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::IdentityProvider => "identity_provider",
            Self::UserFlowAttribute => "user_flow_attribute",
            Self::UserFlow => "user_flow",
            Self::Group => "group",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A configuration object as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectRow {
    /// What it is.
    pub kind: ObjectKind,
    /// Its id, unique within tenant and kind.
    pub id: String,
    /// Its folded name, unique within tenant and kind.
    pub name_key: String,
    /// The object as JSON.
    pub doc: String,
    /// When it was made; a later [`put`] does not change it.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// One version of a user flow. It never changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlowVersionRow {
    /// The flow.
    pub flow_id: FlowId,
    /// Its version, counted up.
    pub version: i64,
    /// The flow as JSON.
    pub doc: String,
    /// When the version was made.
    pub created_at: Timestamp,
}

fn read(row: &Row) -> Outcome<ObjectRow> {
    Ok(ObjectRow {
        kind: row.parsed(0, ObjectKind::parse)?,
        id: row.get(1)?,
        name_key: row.get(2)?,
        doc: row.get(3)?,
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
    })
}

fn read_version(row: &Row) -> Outcome<FlowVersionRow> {
    Ok(FlowVersionRow {
        flow_id: row.get(0)?,
        version: row.get(1)?,
        doc: row.get(2)?,
        created_at: row.get(3)?,
    })
}

/// Every object of a tenant, by kind and id.
pub async fn list(tx: &mut ReadTx, tenant: TenantId) -> Outcome<Vec<ObjectRow>> {
    tx.all(&LIST, &values![tenant]).await?.iter().map(read).collect()
}

/// One object.
pub async fn find(
    tx: &mut ReadTx,
    tenant: TenantId,
    kind: ObjectKind,
    id: &str,
) -> Outcome<Option<ObjectRow>> {
    tx.one(&FIND, &values![tenant, kind.as_str(), id]).await?.as_ref().map(read).transpose()
}

/// Adds or replaces an object. A name that another object of the kind has is a conflict about
/// `configuration_object.name_key`.
pub async fn put(tx: &mut WriteTx, tenant: TenantId, object: &ObjectRow) -> Outcome<()> {
    let row = values![
        tenant,
        object.kind.as_str(),
        &object.id,
        &object.name_key,
        &object.doc,
        object.created_at,
        object.updated_at,
    ];
    tx.run(&PUT, &row).await.map(drop)
}

/// Removes an object; `false` when there was none.
pub async fn remove(tx: &mut WriteTx, tenant: TenantId, kind: ObjectKind, id: &str) -> Outcome<bool> {
    Ok(tx.run(&REMOVE, &values![tenant, kind.as_str(), id]).await? == 1)
}

/// Adds a version of a flow. A version that exists is a conflict about `user_flow_version.version`.
pub async fn insert_version(tx: &mut WriteTx, tenant: TenantId, version: &FlowVersionRow) -> Outcome<()> {
    let row = values![tenant, &version.flow_id, version.version, &version.doc, version.created_at];
    tx.run(&INSERT_VERSION, &row).await.map(drop)
}

/// One version of a flow.
pub async fn find_version(
    tx: &mut ReadTx,
    tenant: TenantId,
    flow: &FlowId,
    version: i64,
) -> Outcome<Option<FlowVersionRow>> {
    let found = tx.one(&FIND_VERSION, &values![tenant, flow, version]).await?;
    found.as_ref().map(read_version).transpose()
}

/// The newest version of a flow.
pub async fn latest_version(
    tx: &mut ReadTx,
    tenant: TenantId,
    flow: &FlowId,
) -> Outcome<Option<FlowVersionRow>> {
    let found = tx.one(&LATEST_VERSION, &values![tenant, flow]).await?;
    found.as_ref().map(read_version).transpose()
}
