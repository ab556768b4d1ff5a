//! What people, or an administrator for everybody, let applications do: one row for each permission.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, TenantId, UserId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    // Asking again for what was given changes nothing: the first time counts.
    GRANT = "INSERT INTO consent (tenant_id, client_id, principal, resource_id, scope, granted_at, granted_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant_id, client_id, principal, resource_id, scope) DO NOTHING";
    LIST_FOR = "SELECT client_id, principal, resource_id, scope, granted_at, granted_by FROM consent
                WHERE tenant_id = $1 AND client_id = $2 AND principal IN ($3, 'everybody')
                ORDER BY principal, resource_id, scope";
    LIST_BY_PRINCIPAL = "SELECT client_id, principal, resource_id, scope, granted_at, granted_by FROM consent
                         WHERE tenant_id = $1 AND principal = $2
                         ORDER BY client_id, resource_id, scope";
    WITHDRAW = "DELETE FROM consent WHERE tenant_id = $1 AND client_id = $2 AND principal = $3";
    REMOVE_USER = "DELETE FROM consent WHERE tenant_id = $1 AND principal = $2";
}

/// Whose consent it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Principal {
    /// An administrator's, for everybody in the tenant.
    Everybody,
    /// A person's own.
    User(UserId),
}

/// The word in the column; no id of a user is one.
const EVERYBODY: &str = "everybody";

impl Principal {
    fn text(self) -> String {
        match self {
            Self::Everybody => EVERYBODY.to_owned(),
            Self::User(user) => user.to_string(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == EVERYBODY { Some(Self::Everybody) } else { UserId::parse(text).map(Self::User) }
    }
}

/// One permission as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentRow {
    /// The application that has it.
    pub client_id: ClientId,
    /// Who gave it.
    pub principal: Principal,
    /// The application whose permission it is.
    pub resource_id: ClientId,
    /// The value of the permission.
    pub scope: String,
    /// When it was given.
    pub granted_at: Timestamp,
    /// Who did that, as the audit names actors.
    pub granted_by: String,
}

fn read(row: &Row) -> Outcome<ConsentRow> {
    Ok(ConsentRow {
        client_id: row.get(0)?,
        principal: row.parsed(1, Principal::parse)?,
        resource_id: row.get(2)?,
        scope: row.get(3)?,
        granted_at: row.get(4)?,
        granted_by: row.get(5)?,
    })
}

/// Notes a consent; `false` when it was there before.
pub async fn grant(tx: &mut WriteTx, tenant: TenantId, row: &ConsentRow) -> Outcome<bool> {
    let row = values![
        tenant,
        row.client_id,
        row.principal.text(),
        row.resource_id,
        &row.scope,
        row.granted_at,
        &row.granted_by,
    ];
    Ok(tx.run(&GRANT, &row).await? == 1)
}

/// What an application may do for a user: by their own consent, and by one for everybody.
pub async fn list_for(
    tx: &mut ReadTx,
    tenant: TenantId,
    client: ClientId,
    user: UserId,
) -> Outcome<Vec<ConsentRow>> {
    tx.all(&LIST_FOR, &values![tenant, client, user.to_string()]).await?.iter().map(read).collect()
}

/// Everything that was consented to by one person, or for everybody.
pub async fn list_by_principal(
    tx: &mut ReadTx,
    tenant: TenantId,
    principal: Principal,
) -> Outcome<Vec<ConsentRow>> {
    tx.all(&LIST_BY_PRINCIPAL, &values![tenant, principal.text()]).await?.iter().map(read).collect()
}

/// Takes back everything that an application was given by one person, or for everybody; says how many permissions.
pub async fn withdraw(
    tx: &mut WriteTx,
    tenant: TenantId,
    client: ClientId,
    principal: Principal,
) -> Outcome<u64> {
    tx.run(&WITHDRAW, &values![tenant, client, principal.text()]).await
}

/// Forgets what a user consented to.
pub async fn remove_user(tx: &mut WriteTx, tenant: TenantId, user: UserId) -> Outcome<u64> {
    tx.run(&REMOVE_USER, &values![tenant, user.to_string()]).await
}
