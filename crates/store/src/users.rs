//! Users, the identities they sign in with, and their passwords.
//!
//! Uniqueness of sign-in names is decided here and nowhere else: by the keys of `user_account` and
//! `user_identity`, in the transaction that inserts.

use serde::Serialize;
use serde::de::DeserializeOwned;
use vestibule_rules::directory::address::Address;
use vestibule_rules::directory::user::{ObjectIdentity, User};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{TenantId, UserId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO user_account (tenant_id, key, id, user_type, creation_type, external_user_state,
                  account_enabled, upn, upn_key, mail, mail_key, display_name, attributes, created_at,
                  sessions_valid_from, deleted_at, revision)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    FIND = "SELECT id, key, user_type, creation_type, external_user_state, account_enabled, upn, mail,
                display_name, attributes, created_at, sessions_valid_from, deleted_at, revision
            FROM user_account WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL";
    FIND_DELETED = "SELECT id, key, user_type, creation_type, external_user_state, account_enabled, upn, mail,
                        display_name, attributes, created_at, sessions_valid_from, deleted_at, revision
                    FROM user_account WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NOT NULL";
    FIND_BY_IDENTITY = "SELECT u.id, u.key, u.user_type, u.creation_type, u.external_user_state,
                            u.account_enabled, u.upn, u.mail, u.display_name, u.attributes, u.created_at,
                            u.sessions_valid_from, u.deleted_at, u.revision
                        FROM user_identity AS i
                        JOIN user_account AS u ON u.tenant_id = i.tenant_id AND u.id = i.user_id
                        WHERE i.tenant_id = $1 AND i.issuer = $2 AND i.assigned_key = $3
                          AND u.deleted_at IS NULL";
    FIND_BY_UPN = "SELECT id, key, user_type, creation_type, external_user_state, account_enabled, upn, mail,
                       display_name, attributes, created_at, sessions_valid_from, deleted_at, revision
                   FROM user_account WHERE tenant_id = $1 AND upn_key = $2 AND deleted_at IS NULL";
    LIST_BY_MAIL = "SELECT id, key, user_type, creation_type, external_user_state, account_enabled, upn, mail,
                        display_name, attributes, created_at, sessions_valid_from, deleted_at, revision
                    FROM user_account WHERE tenant_id = $1 AND mail_key = $2 AND deleted_at IS NULL
                    ORDER BY key";
    LIST = "SELECT id, key, user_type, creation_type, external_user_state, account_enabled, upn, mail,
                display_name, attributes, created_at, sessions_valid_from, deleted_at, revision
            FROM user_account WHERE tenant_id = $1 AND key > $2 AND deleted_at IS NULL ORDER BY key LIMIT $3";
    IDENTITIES = "SELECT user_id, sign_in_type, issuer, issuer_assigned_id FROM user_identity
                  WHERE tenant_id = $1 AND user_id = $2 ORDER BY position";
    UPDATE = "UPDATE user_account
              SET user_type = $4, creation_type = $5, external_user_state = $6, account_enabled = $7, upn = $8,
                  upn_key = $9, mail = $10, mail_key = $11, display_name = $12, attributes = $13,
                  sessions_valid_from = $14, revision = revision + 1
              WHERE tenant_id = $1 AND id = $2 AND revision = $3 AND deleted_at IS NULL";
    DROP_IDENTITIES = "DELETE FROM user_identity WHERE tenant_id = $1 AND user_id = $2";
    ADD_IDENTITY = "INSERT INTO user_identity (tenant_id, issuer, assigned_key, user_id, position,
                        sign_in_type, issuer_assigned_id)
                    VALUES ($1, $2, $3, $4, $5, $6, $7)";
    REVOKE_SESSIONS = "UPDATE user_account SET sessions_valid_from = $3, revision = revision + 1
                       WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL";
    REMOVE = "UPDATE user_account
              SET deleted_at = $3, sessions_valid_from = $3, upn_key = id || ':' || upn_key,
                  revision = revision + 1
              WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL";
    RELEASE_IDENTITIES = "UPDATE user_identity SET assigned_key = 'deleted:' || user_id || ':' || assigned_key
                          WHERE tenant_id = $1 AND user_id = $2";
    PASSWORD = "SELECT phc FROM user_password WHERE tenant_id = $1 AND user_id = $2";
    SET_PASSWORD = "INSERT INTO user_password (tenant_id, user_id, phc, changed_at) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (tenant_id, user_id) DO UPDATE
                    SET phc = excluded.phc, changed_at = excluded.changed_at";
}

/// Adds a user with its identities and, when there is one, the hash of its password (PHC form).
///
/// Conflicts are about `user_account.upn_key`, `user_identity.assigned_key` or `user_account.id`.
pub async fn insert(
    tx: &mut WriteTx,
    tenant: TenantId,
    user: &User,
    key: &str,
    password: Option<&str>,
) -> Outcome<()> {
    let row = values![
        tenant,
        key,
        user.id,
        word(&user.user_type)?,
        user.creation_type.as_ref().map(word).transpose()?,
        user.external_user_state.as_ref().map(word).transpose()?,
        user.account_enabled,
        &user.user_principal_name,
        address_key(&user.user_principal_name),
        user.mail.as_deref(),
        user.mail.as_deref().map(address_key),
        user.display_name.as_deref(),
        attributes(user)?,
        user.created_at,
        user.sessions_valid_from,
        user.deleted_at,
        user.revision,
    ];
    tx.run(&INSERT, &row).await?;
    add_identities(tx, tenant, user).await?;
    match password {
        Some(phc) => set_password(tx, tenant, user.id, phc, user.created_at).await,
        None => Ok(()),
    }
}

/// The user with this id, unless it was deleted.
pub async fn find(tx: &mut ReadTx, tenant: TenantId, id: UserId) -> Outcome<Option<User>> {
    let row = tx.one(&FIND, &values![tenant, id]).await?;
    complete(tx, tenant, row).await
}

/// The deleted user with this id.
pub async fn find_deleted(tx: &mut ReadTx, tenant: TenantId, id: UserId) -> Outcome<Option<User>> {
    let row = tx.one(&FIND_DELETED, &values![tenant, id]).await?;
    complete(tx, tenant, row).await
}

/// The user who signs in with an identity; `assigned_key` comes from [`ObjectIdentity::assigned_key`].
pub async fn find_by_identity(
    tx: &mut ReadTx,
    tenant: TenantId,
    issuer: &str,
    assigned_key: &str,
) -> Outcome<Option<User>> {
    let row = tx.one(&FIND_BY_IDENTITY, &values![tenant, issuer, assigned_key]).await?;
    complete(tx, tenant, row).await
}

/// The user with this user principal name, in any letter case.
pub async fn find_by_upn(tx: &mut ReadTx, tenant: TenantId, upn: &str) -> Outcome<Option<User>> {
    let row = tx.one(&FIND_BY_UPN, &values![tenant, address_key(upn)]).await?;
    complete(tx, tenant, row).await
}

/// Every user with this mail address; `mail_key` comes from [`Address::key`]. Mail is not unique.
pub async fn list_by_mail_key(tx: &mut ReadTx, tenant: TenantId, mail_key: &str) -> Outcome<Vec<User>> {
    let rows = tx.all(&LIST_BY_MAIL, &values![tenant, mail_key]).await?;
    Ok(complete_all(tx, tenant, rows).await?.into_iter().map(|(_, user)| user).collect())
}

/// A page of users with their keys, in the order they were made. The next page begins after the last key;
/// the first one after the empty text.
pub async fn list(
    tx: &mut ReadTx,
    tenant: TenantId,
    after_key: &str,
    limit: u32,
) -> Outcome<Vec<(String, User)>> {
    let rows = tx.all(&LIST, &values![tenant, after_key, limit]).await?;
    complete_all(tx, tenant, rows).await
}

/// Replaces a user and its identities, if it still has `user.revision`. Returns the new revision.
///
/// Conflicts as for [`insert`]. Id, key and creation time stay.
pub async fn update(tx: &mut WriteTx, tenant: TenantId, user: &User) -> Outcome<i64> {
    let row = values![
        tenant,
        user.id,
        user.revision,
        word(&user.user_type)?,
        user.creation_type.as_ref().map(word).transpose()?,
        user.external_user_state.as_ref().map(word).transpose()?,
        user.account_enabled,
        &user.user_principal_name,
        address_key(&user.user_principal_name),
        user.mail.as_deref(),
        user.mail.as_deref().map(address_key),
        user.display_name.as_deref(),
        attributes(user)?,
        user.sessions_valid_from,
    ];
    if tx.run(&UPDATE, &row).await? == 0 {
        let detail = format!("user {} is not at revision {}", user.id, user.revision);
        return Err(Fault::stale(detail).about("user"));
    }
    tx.run(&DROP_IDENTITIES, &values![tenant, user.id]).await?;
    add_identities(tx, tenant, user).await?;
    Ok(user.revision + 1)
}

/// Ends every session and refresh token that is older than `at`.
pub async fn revoke_sessions(tx: &mut WriteTx, tenant: TenantId, id: UserId, at: Timestamp) -> Outcome<()> {
    found(tx.run(&REVOKE_SESSIONS, &values![tenant, id, at]).await?, id)
}

/// Marks a user as deleted. Its user principal name and identities are free for somebody else from now on,
/// as [`find_deleted`] shows they still belong to the record.
pub async fn remove(tx: &mut WriteTx, tenant: TenantId, id: UserId, at: Timestamp) -> Outcome<()> {
    found(tx.run(&REMOVE, &values![tenant, id, at]).await?, id)?;
    // A user may have no identity at all, so nothing is to be counted here.
    tx.run(&RELEASE_IDENTITIES, &values![tenant, id]).await.map(drop)
}

/// The hash of a user's password in PHC form.
pub async fn password(tx: &mut ReadTx, tenant: TenantId, id: UserId) -> Outcome<Option<String>> {
    tx.one(&PASSWORD, &values![tenant, id]).await?.map(|row| row.get(0)).transpose()
}

/// Sets the hash of a user's password.
pub async fn set_password(
    tx: &mut WriteTx,
    tenant: TenantId,
    id: UserId,
    phc: &str,
    at: Timestamp,
) -> Outcome<()> {
    tx.run(&SET_PASSWORD, &values![tenant, id, phc, at]).await.map(drop)
}

async fn add_identities(tx: &mut WriteTx, tenant: TenantId, user: &User) -> Outcome<()> {
    for (position, identity) in (0_i64..).zip(&user.identities) {
        let row = values![
            tenant,
            &identity.issuer,
            identity.assigned_key(),
            user.id,
            position,
            &identity.sign_in_type,
            &identity.issuer_assigned_id,
        ];
        tx.run(&ADD_IDENTITY, &row).await?;
    }
    Ok(())
}

async fn complete(tx: &mut ReadTx, tenant: TenantId, row: Option<Row>) -> Outcome<Option<User>> {
    let rows: Vec<Row> = row.into_iter().collect();
    Ok(complete_all(tx, tenant, rows).await?.pop().map(|(_, user)| user))
}

async fn complete_all(tx: &mut ReadTx, tenant: TenantId, rows: Vec<Row>) -> Outcome<Vec<(String, User)>> {
    let mut users = Vec::with_capacity(rows.len());
    for row in rows {
        let mut user = read(&row)?;
        let identities = tx.all(&IDENTITIES, &values![tenant, user.id]).await?;
        user.identities = identities.iter().map(read_identity).collect::<Outcome<_>>()?;
        users.push((row.get(1)?, user));
    }
    Ok(users)
}

fn read(row: &Row) -> Outcome<User> {
    Ok(User {
        id: row.get(0)?,
        user_type: row.parsed(2, from_word)?,
        creation_type: optional_word(row, 3)?,
        external_user_state: optional_word(row, 4)?,
        account_enabled: row.get(5)?,
        user_principal_name: row.get(6)?,
        mail: row.get(7)?,
        display_name: row.get(8)?,
        identities: Vec::new(),
        attributes: row.parsed(9, |text| serde_json::from_str(text).ok())?,
        created_at: row.get(10)?,
        sessions_valid_from: row.get(11)?,
        deleted_at: row.get(12)?,
        revision: row.get(13)?,
    })
}

fn read_identity(row: &Row) -> Outcome<ObjectIdentity> {
    Ok(ObjectIdentity { sign_in_type: row.get(1)?, issuer: row.get(2)?, issuer_assigned_id: row.get(3)? })
}

fn found(changed: u64, id: UserId) -> Outcome<()> {
    if changed == 0 { Err(Fault::missing("user", format!("user {id} does not exist"))) } else { Ok(()) }
}

fn attributes(user: &User) -> Outcome<String> {
    serde_json::to_string(&user.attributes)
        .map_err(|e| Fault::ours(format!("attributes of user {} as JSON: {e}", user.id)))
}

/// The word that an enum of the rules has on the wire is the word in its column.
fn word<T: Serialize>(value: &T) -> Outcome<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(Fault::ours("an enum of the directory is not one word")),
    }
}

fn from_word<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}

fn optional_word<T: DeserializeOwned>(row: &Row, index: usize) -> Outcome<Option<T>> {
    match row.get::<Option<String>>(index)? {
        Some(_) => row.parsed(index, from_word).map(Some),
        None => Ok(None),
    }
}

/// Names that look like addresses are compared as addresses, all others without letter case.
fn address_key(text: &str) -> String {
    Address::parse(text).map_or_else(|_| text.to_lowercase(), |address| address.key())
}
