//! Applications that registered themselves, and the tokens that let them.
//!
//! A token is spent by a guarded update: of any number of parallel attempts as many pass as it has uses.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, ObjectId, TenantId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT = "INSERT INTO registered_client (tenant_id, client_id, doc, token_digest, enabled, revision,
                  created_at, updated_at)
              VALUES ($1, $2, $3, $4, $5, 1, $6, $6)";
    LIST = "SELECT client_id, doc, token_digest, enabled, revision, created_at, updated_at
            FROM registered_client WHERE tenant_id = $1 ORDER BY created_at, client_id";
    FIND = "SELECT client_id, doc, token_digest, enabled, revision, created_at, updated_at
            FROM registered_client WHERE tenant_id = $1 AND client_id = $2";
    COUNT = "SELECT COUNT(*) FROM registered_client WHERE tenant_id = $1";
    UPDATE = "UPDATE registered_client SET doc = $4, revision = revision + 1, updated_at = $5
              WHERE tenant_id = $1 AND client_id = $2 AND revision = $3 AND enabled";
    ENABLE = "UPDATE registered_client SET enabled = $3, revision = revision + 1, updated_at = $4
              WHERE tenant_id = $1 AND client_id = $2";
    REMOVE = "DELETE FROM registered_client WHERE tenant_id = $1 AND client_id = $2";
    PUT_LOGO = "INSERT INTO registered_logo (tenant_id, client_id, media_type, bytes) VALUES ($1, $2, $3, $4)
                ON CONFLICT (tenant_id, client_id) DO UPDATE
                SET media_type = excluded.media_type, bytes = excluded.bytes";
    FIND_LOGO = "SELECT media_type, bytes FROM registered_logo WHERE tenant_id = $1 AND client_id = $2";
    REMOVE_LOGO = "DELETE FROM registered_logo WHERE tenant_id = $1 AND client_id = $2";
    REMOVE_CONSENTS = "DELETE FROM consent WHERE tenant_id = $1 AND client_id = $2";
    INSERT_TOKEN = "INSERT INTO registration_token (tenant_id, id, digest, uses_left, created_at, expires_at)
                    VALUES ($1, $2, $3, $4, $5, $6)";
    LIST_TOKENS = "SELECT id, uses_left, created_at, expires_at FROM registration_token
                   WHERE tenant_id = $1 ORDER BY created_at, id";
    IS_GOOD = "SELECT id FROM registration_token WHERE tenant_id = $1 AND digest = $2
               AND (uses_left IS NULL OR uses_left > 0) AND (expires_at IS NULL OR expires_at > $3)";
    SPEND_TOKEN = "UPDATE registration_token SET uses_left = uses_left - 1 WHERE tenant_id = $1 AND digest = $2
                   AND (uses_left IS NULL OR uses_left > 0) AND (expires_at IS NULL OR expires_at > $3)";
    REMOVE_TOKEN = "DELETE FROM registration_token WHERE tenant_id = $1 AND id = $2";
}

/// A registered application as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientRow {
    /// Its client id.
    pub client_id: ClientId,
    /// What it registered and what it got, as JSON.
    pub doc: String,
    /// The digest of its registration access token.
    pub token_digest: Vec<u8>,
    /// Whether an administrator lets it be used.
    pub enabled: bool,
    /// Counts its changes.
    pub revision: i64,
    /// When it registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A picture as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogoRow {
    /// Its media type.
    pub media_type: String,
    /// The picture.
    pub bytes: Vec<u8>,
}

/// An initial access token as it is stored, without its digest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenRow {
    /// What it is called by.
    pub id: ObjectId,
    /// How many applications it still lets register.
    pub uses_left: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it dies.
    pub expires_at: Option<Timestamp>,
}

fn read(row: &Row) -> Outcome<ClientRow> {
    Ok(ClientRow {
        client_id: row.get(0)?,
        doc: row.get(1)?,
        token_digest: row.get(2)?,
        enabled: row.get(3)?,
        revision: row.get(4)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    })
}

/// Adds an application; it begins at revision 1.
pub async fn insert(tx: &mut WriteTx, tenant: TenantId, row: &ClientRow) -> Outcome<()> {
    let row = values![tenant, row.client_id, &row.doc, &row.token_digest[..], row.enabled, row.created_at];
    tx.run(&INSERT, &row).await.map(drop)
}

/// Every application of a tenant, oldest first.
pub async fn list(tx: &mut ReadTx, tenant: TenantId) -> Outcome<Vec<ClientRow>> {
    tx.all(&LIST, &values![tenant]).await?.iter().map(read).collect()
}

/// One application.
pub async fn find(tx: &mut ReadTx, tenant: TenantId, client: ClientId) -> Outcome<Option<ClientRow>> {
    tx.one(&FIND, &values![tenant, client]).await?.as_ref().map(read).transpose()
}

/// How many there are.
pub async fn count(tx: &mut ReadTx, tenant: TenantId) -> Outcome<i64> {
    tx.one(&COUNT, &values![tenant]).await?.map_or(Ok(0), |row| row.get(0))
}

/// Replaces what an application registered, if it still has the revision that the caller read and nobody disabled it.
pub async fn update(
    tx: &mut WriteTx,
    tenant: TenantId,
    (client, revision): (ClientId, i64),
    doc: &str,
    now: Timestamp,
) -> Outcome<bool> {
    Ok(tx.run(&UPDATE, &values![tenant, client, revision, doc, now]).await? == 1)
}

/// Lets an application be used, or no longer; `false` when there is none.
pub async fn enable(
    tx: &mut WriteTx,
    tenant: TenantId,
    client: ClientId,
    enabled: bool,
    now: Timestamp,
) -> Outcome<bool> {
    Ok(tx.run(&ENABLE, &values![tenant, client, enabled, now]).await? == 1)
}

/// Removes an application with its logo and what people let it do; `false` when there is none.
pub async fn remove(tx: &mut WriteTx, tenant: TenantId, client: ClientId) -> Outcome<bool> {
    tx.run(&REMOVE_LOGO, &values![tenant, client]).await?;
    tx.run(&REMOVE_CONSENTS, &values![tenant, client]).await?;
    Ok(tx.run(&REMOVE, &values![tenant, client]).await? == 1)
}

/// Keeps the logo of an application, or none.
pub async fn set_logo(
    tx: &mut WriteTx,
    tenant: TenantId,
    client: ClientId,
    logo: Option<&LogoRow>,
) -> Outcome<()> {
    match logo {
        Some(logo) => {
            let row = values![tenant, client, &logo.media_type, &logo.bytes[..]];
            tx.run(&PUT_LOGO, &row).await.map(drop)
        }
        None => tx.run(&REMOVE_LOGO, &values![tenant, client]).await.map(drop),
    }
}

/// The logo of an application.
pub async fn find_logo(tx: &mut ReadTx, tenant: TenantId, client: ClientId) -> Outcome<Option<LogoRow>> {
    let Some(row) = tx.one(&FIND_LOGO, &values![tenant, client]).await? else { return Ok(None) };
    Ok(Some(LogoRow { media_type: row.get(0)?, bytes: row.get(1)? }))
}

/// Adds an initial access token.
pub async fn insert_token(tx: &mut WriteTx, tenant: TenantId, digest: &[u8], row: &TokenRow) -> Outcome<()> {
    let row = values![tenant, row.id, digest, row.uses_left, row.created_at, row.expires_at];
    tx.run(&INSERT_TOKEN, &row).await.map(drop)
}

/// Every token of a tenant, oldest first.
pub async fn list_tokens(tx: &mut ReadTx, tenant: TenantId) -> Outcome<Vec<TokenRow>> {
    let read = |row: &Row| {
        Ok(TokenRow {
            id: row.get(0)?,
            uses_left: row.get(1)?,
            created_at: row.get(2)?,
            expires_at: row.get(3)?,
        })
    };
    tx.all(&LIST_TOKENS, &values![tenant]).await?.iter().map(read).collect()
}

/// The token with this digest, if it lets an application register now.
pub async fn good_token(
    tx: &mut ReadTx,
    tenant: TenantId,
    digest: &[u8],
    now: Timestamp,
) -> Outcome<Option<ObjectId>> {
    tx.one(&IS_GOOD, &values![tenant, digest, now]).await?.map(|row| row.get(0)).transpose()
}

/// Spends one use of a token; `false` when it has none left, is over or never was.
pub async fn spend_token(tx: &mut WriteTx, tenant: TenantId, digest: &[u8], now: Timestamp) -> Outcome<bool> {
    Ok(tx.run(&SPEND_TOKEN, &values![tenant, digest, now]).await? == 1)
}

/// Takes a token back; `false` when there is none.
pub async fn remove_token(tx: &mut WriteTx, tenant: TenantId, id: ObjectId) -> Outcome<bool> {
    Ok(tx.run(&REMOVE_TOKEN, &values![tenant, id]).await? == 1)
}
