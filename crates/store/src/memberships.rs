//! Who is in which group, and which applications are assigned to people one by one. Which groups there are, and what a
//! role means, the configuration knows.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, ObjectId, TenantId, UserId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, WriteTx};
use crate::{statements, values};

statements! {
    ADD = "INSERT INTO group_member (tenant_id, group_id, user_id, added_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (tenant_id, group_id, user_id) DO NOTHING";
    REMOVE = "DELETE FROM group_member WHERE tenant_id = $1 AND group_id = $2 AND user_id = $3";
    DROP_GROUP = "DELETE FROM group_member WHERE tenant_id = $1 AND group_id = $2";
    OF_USER = "SELECT group_id FROM group_member WHERE tenant_id = $1 AND user_id = $2 ORDER BY group_id";
    MEMBERS = "SELECT u.key, u.id, u.upn, u.mail FROM group_member AS m
               JOIN user_account AS u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
               WHERE m.tenant_id = $1 AND m.group_id = $2 AND u.key > $3 AND u.deleted_at IS NULL
               ORDER BY u.key LIMIT $4";
    SIZES = "SELECT m.group_id, COUNT(*) FROM group_member AS m
             JOIN user_account AS u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
             WHERE m.tenant_id = $1 AND u.deleted_at IS NULL GROUP BY m.group_id";
    ASSIGN = "INSERT INTO app_role_assignment (tenant_id, app_id, user_id, role, assigned_at)
              VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, user_id, app_id, role) DO NOTHING";
    UNASSIGN = "DELETE FROM app_role_assignment
                WHERE tenant_id = $1 AND app_id = $2 AND user_id = $3 AND role = $4";
    DROP_APP = "DELETE FROM app_role_assignment WHERE tenant_id = $1 AND app_id = $2";
    ASSIGNED_TO_USER = "SELECT app_id, role FROM app_role_assignment
                        WHERE tenant_id = $1 AND user_id = $2 ORDER BY app_id, role";
    ASSIGNED = "SELECT u.key, a.role, u.id, u.upn, u.mail FROM app_role_assignment AS a
                JOIN user_account AS u ON u.tenant_id = a.tenant_id AND u.id = a.user_id
                WHERE a.tenant_id = $1 AND a.app_id = $2 AND u.deleted_at IS NULL
                  AND (u.key > $3 OR (u.key = $3 AND a.role > $4))
                ORDER BY u.key, a.role LIMIT $5";
}

/// A person in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// Their place in the order of accounts.
    pub key: String,
    /// The account.
    pub id: UserId,
    /// The user principal name.
    pub upn: String,
    /// The mail address.
    pub mail: Option<String>,
}

/// Puts somebody into a group; `false` when they are in it already.
pub async fn add(
    tx: &mut WriteTx,
    tenant: TenantId,
    (group, user): (ObjectId, UserId),
    now: Timestamp,
) -> Outcome<bool> {
    Ok(tx.run(&ADD, &values![tenant, group, user, now]).await? == 1)
}

/// Takes somebody out of a group; `false` when they are not in it.
pub async fn remove(tx: &mut WriteTx, tenant: TenantId, group: ObjectId, user: UserId) -> Outcome<bool> {
    Ok(tx.run(&REMOVE, &values![tenant, group, user]).await? == 1)
}

/// Forgets who was in a group that is gone.
pub async fn drop_group(tx: &mut WriteTx, tenant: TenantId, group: &str) -> Outcome<()> {
    tx.run(&DROP_GROUP, &values![tenant, group]).await.map(drop)
}

/// The groups that somebody is in.
pub async fn groups_of(tx: &mut ReadTx, tenant: TenantId, user: UserId) -> Outcome<Vec<ObjectId>> {
    tx.all(&OF_USER, &values![tenant, user]).await?.iter().map(|row| row.get(0)).collect()
}

/// A page of the people in a group, in the order in which their accounts were made. The next page begins after the
/// last key; the first one after the empty text.
pub async fn members(
    tx: &mut ReadTx,
    tenant: TenantId,
    group: ObjectId,
    (after_key, limit): (&str, u32),
) -> Outcome<Vec<Person>> {
    let rows = tx.all(&MEMBERS, &values![tenant, group, after_key, limit]).await?;
    let person = |row: &crate::db::Row| {
        Ok(Person { key: row.get(0)?, id: row.get(1)?, upn: row.get(2)?, mail: row.get(3)? })
    };
    rows.iter().map(person).collect()
}

/// How many people are in each group that has any.
pub async fn sizes(tx: &mut ReadTx, tenant: TenantId) -> Outcome<Vec<(ObjectId, i64)>> {
    tx.all(&SIZES, &values![tenant]).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Assigns an application to somebody, in a role or in none; `false` when it is already.
pub async fn assign(
    tx: &mut WriteTx,
    tenant: TenantId,
    (app, role, user): (ClientId, Option<&str>, UserId),
    now: Timestamp,
) -> Outcome<bool> {
    Ok(tx.run(&ASSIGN, &values![tenant, app, user, role.unwrap_or_default(), now]).await? == 1)
}

/// Takes an assignment back; `false` when there is none.
pub async fn unassign(
    tx: &mut WriteTx,
    tenant: TenantId,
    (app, role, user): (ClientId, Option<&str>, UserId),
) -> Outcome<bool> {
    Ok(tx.run(&UNASSIGN, &values![tenant, app, user, role.unwrap_or_default()]).await? == 1)
}

/// Forgets whom an application was assigned to that is gone.
pub async fn drop_app(tx: &mut WriteTx, tenant: TenantId, app: &str) -> Outcome<()> {
    tx.run(&DROP_APP, &values![tenant, app]).await.map(drop)
}

/// The applications that are assigned to somebody alone, with the role.
pub async fn assigned_to(
    tx: &mut ReadTx,
    tenant: TenantId,
    user: UserId,
) -> Outcome<Vec<(ClientId, Option<String>)>> {
    let rows = tx.all(&ASSIGNED_TO_USER, &values![tenant, user]).await?;
    let one = |row: &crate::db::Row| Ok((row.get(0)?, role(row.get(1)?)));
    rows.iter().map(one).collect()
}

/// A page of the people whom an application is assigned to, each with a role. The next page begins after the last key
/// and role; the first one after two empty texts.
pub async fn assigned(
    tx: &mut ReadTx,
    tenant: TenantId,
    app: ClientId,
    ((after_key, after_role), limit): ((&str, &str), u32),
) -> Outcome<Vec<(Person, Option<String>)>> {
    let rows = tx.all(&ASSIGNED, &values![tenant, app, after_key, after_role, limit]).await?;
    let one = |row: &crate::db::Row| {
        let person = Person { key: row.get(0)?, id: row.get(2)?, upn: row.get(3)?, mail: row.get(4)? };
        Ok((person, role(row.get(1)?)))
    };
    rows.iter().map(one).collect()
}

fn role(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
