//! Grants: the family of everything one authorization led to, its code and its refresh tokens.
//!
//! Codes and tokens are stored as digests and consumed by guarded updates: of any number of parallel
//! attempts one changes the row. Who lost may be a thief, so the caller then revokes the family.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, GrantId, SessionId, TenantId, UserId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, WriteTx};
use crate::{statements, values};

statements! {
    INSERT_FAMILY = "INSERT INTO grant_family (tenant_id, id, client_id, user_id, sid, issuer, scope, auth_time,
                         created_at, expires_at, revoked_at, doc, parent_id)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    FIND_FAMILY = "SELECT id, client_id, user_id, sid, issuer, scope, auth_time, created_at, expires_at,
                       revoked_at, doc, parent_id
                   FROM grant_family WHERE tenant_id = $1 AND id = $2";
    REVOKE_FAMILY = "UPDATE grant_family SET revoked_at = $3
                     WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL";
    // A parent may have been revoked before, with a child that came later: all that is below it goes.
    REVOKE_BELOW = "UPDATE grant_family SET revoked_at = $3
                    WHERE tenant_id = $1 AND revoked_at IS NULL AND id IN (
                        WITH RECURSIVE below (id) AS (
                            SELECT id FROM grant_family WHERE tenant_id = $1 AND parent_id = $2
                            UNION
                            SELECT f.id FROM grant_family AS f JOIN below AS b ON f.parent_id = b.id
                            WHERE f.tenant_id = $1)
                        SELECT id FROM below)";
    HOLD_FAMILY = "UPDATE grant_family SET revoked_at = NULL
                   WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL";
    REVOKE_BY_SID = "UPDATE grant_family SET revoked_at = $3
                     WHERE tenant_id = $1 AND sid = $2 AND revoked_at IS NULL";
    REVOKE_BY_USER = "UPDATE grant_family SET revoked_at = $3
                      WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL";
    // With what came of them, when an API acts for a person.
    REVOKE_BY_CLIENT = "UPDATE grant_family SET revoked_at = $3
                        WHERE tenant_id = $1 AND revoked_at IS NULL AND id IN (
                            WITH RECURSIVE below (id) AS (
                                SELECT id FROM grant_family WHERE tenant_id = $1 AND client_id = $2
                                UNION
                                SELECT f.id FROM grant_family AS f JOIN below AS b ON f.parent_id = b.id
                                WHERE f.tenant_id = $1)
                            SELECT id FROM below)";
    REVOKE_BY_USER_AND_CLIENT = "UPDATE grant_family SET revoked_at = $4
                        WHERE tenant_id = $1 AND user_id = $2 AND client_id = $3 AND revoked_at IS NULL
                        RETURNING id";
    // One notice for each app of a session, however many grants it has there.
    NOTE_BY_SID = "INSERT INTO logout_notice (tenant_id, sid, client_id, user_id, issuer, created_at,
                       next_attempt_at, attempts)
                   SELECT DISTINCT tenant_id, sid, client_id, user_id, issuer, CAST($3 AS BIGINT),
                        CAST($3 AS BIGINT), 0
                   FROM grant_family WHERE tenant_id = $1 AND sid = $2 AND revoked_at IS NULL
                   ON CONFLICT (tenant_id, sid, client_id) DO NOTHING";
    NOTE_BY_USER = "INSERT INTO logout_notice (tenant_id, sid, client_id, user_id, issuer, created_at,
                        next_attempt_at, attempts)
                    SELECT DISTINCT tenant_id, sid, client_id, user_id, issuer, CAST($3 AS BIGINT),
                        CAST($3 AS BIGINT), 0
                    FROM grant_family WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL
                    ON CONFLICT (tenant_id, sid, client_id) DO NOTHING";
    NOTE_BY_CLIENT = "INSERT INTO logout_notice (tenant_id, sid, client_id, user_id, issuer, created_at,
                          next_attempt_at, attempts)
                      SELECT DISTINCT tenant_id, sid, client_id, user_id, issuer, CAST($4 AS BIGINT),
                          CAST($4 AS BIGINT), 0
                      FROM grant_family
                      WHERE tenant_id = $1 AND user_id = $2 AND client_id = $3 AND revoked_at IS NULL
                      ON CONFLICT (tenant_id, sid, client_id) DO NOTHING";
    LIST_BY_SID = "SELECT id, client_id, user_id, sid, issuer, scope, auth_time, created_at, expires_at,
                       revoked_at, doc, parent_id
                   FROM grant_family WHERE tenant_id = $1 AND sid = $2 ORDER BY created_at, id";
    INSERT_CODE = "INSERT INTO authorization_code (tenant_id, digest, grant_id, client_id, redirect_uri,
                       platform, scope, nonce, code_challenge, issuer, created_at, expires_at, redeemed_at, doc)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    FIND_CODE = "SELECT grant_id, client_id, digest, redirect_uri, platform, scope, nonce, code_challenge,
                     issuer, created_at, expires_at, redeemed_at, doc
                 FROM authorization_code WHERE tenant_id = $1 AND digest = $2";
    FIND_CODE_ANY_TENANT = "SELECT tenant_id FROM authorization_code WHERE digest = $1
                            ORDER BY tenant_id LIMIT 1";
    REDEEM_CODE = "UPDATE authorization_code SET redeemed_at = $3
                   WHERE tenant_id = $1 AND digest = $2 AND redeemed_at IS NULL";
    // Whoever shows a stolen code spends it as well, and its family is revoked at that instant.
    FIRST_TOKEN = "SELECT MIN(c.redeemed_at) FROM grant_family AS f
                   JOIN authorization_code AS c ON c.tenant_id = f.tenant_id AND c.grant_id = f.id
                   WHERE f.tenant_id = $1 AND f.sid = $2 AND f.client_id = $3
                     AND c.created_at >= $4 AND c.created_at <= $5
                     AND (f.revoked_at IS NULL OR f.revoked_at > c.redeemed_at)";
    INSERT_REFRESH = "INSERT INTO refresh_token (tenant_id, digest, grant_id, client_id, scope, created_at,
                          expires_at, used_at, successor_sealed, generation, dpop_jkt)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    FIND_REFRESH = "SELECT grant_id, client_id, digest, scope, created_at, expires_at, used_at,
                        successor_sealed, generation, dpop_jkt
                    FROM refresh_token WHERE tenant_id = $1 AND digest = $2";
    USE_REFRESH = "UPDATE refresh_token SET used_at = $3, successor_sealed = $4
                   WHERE tenant_id = $1 AND digest = $2 AND used_at IS NULL";
    REMOVE_CODES = "DELETE FROM authorization_code WHERE (tenant_id, digest) IN (
                        SELECT tenant_id, digest FROM authorization_code WHERE expires_at <= $1
                        ORDER BY expires_at LIMIT $2)
                    AND expires_at <= $1";
    REMOVE_REFRESH = "DELETE FROM refresh_token WHERE (tenant_id, digest) IN (
                          SELECT tenant_id, digest FROM refresh_token WHERE expires_at <= $1
                          ORDER BY expires_at LIMIT $2)
                      AND expires_at <= $1";
    REMOVE_FAMILIES = "DELETE FROM grant_family WHERE (tenant_id, id) IN (
                           SELECT f.tenant_id, f.id FROM grant_family f WHERE f.expires_at <= $1
                           AND NOT EXISTS (SELECT 1 FROM authorization_code c
                                           WHERE c.tenant_id = f.tenant_id AND c.grant_id = f.id)
                           AND NOT EXISTS (SELECT 1 FROM refresh_token r
                                           WHERE r.tenant_id = f.tenant_id AND r.grant_id = f.id)
                           ORDER BY f.expires_at LIMIT $2)
                       AND expires_at <= $1";
}

/// A grant family as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FamilyRow {
    /// The grant.
    pub id: GrantId,
    /// The application it was given to.
    pub client_id: ClientId,
    /// The user who gave it.
    pub user_id: UserId,
    /// The session it was given in.
    pub sid: SessionId,
    /// The issuer that its tokens name.
    pub issuer: String,
    /// The scope, separated by spaces.
    pub scope: String,
    /// When the person proved who they are.
    pub auth_time: Timestamp,
    /// When it was given.
    pub created_at: Timestamp,
    /// When everything of it is over.
    pub expires_at: Timestamp,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// What else tokens need to know, as JSON; older grants have nothing.
    pub doc: Option<String>,
    /// The grant that it came of and ends with, when an API acts for a person.
    pub parent_id: Option<GrantId>,
}

/// An authorization code as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeRow {
    /// The grant it belongs to; the family is inserted first.
    pub grant_id: GrantId,
    /// The application it was given to.
    pub client_id: ClientId,
    /// Digest of the code.
    pub digest: Vec<u8>,
    /// The redirect URI of the request, as it was sent.
    pub redirect_uri: String,
    /// The platform that the redirect URI belongs to.
    pub platform: String,
    /// The scope, separated by spaces.
    pub scope: String,
    /// The nonce of the request.
    pub nonce: Option<String>,
    /// The S256 challenge of the request.
    pub code_challenge: Option<String>,
    /// The issuer that the code was issued under.
    pub issuer: String,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it dies.
    pub expires_at: Timestamp,
    /// When it was redeemed.
    pub redeemed_at: Option<Timestamp>,
    /// What else the token endpoint needs, as JSON.
    pub doc: String,
}

/// A refresh token as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefreshRow {
    /// The grant it belongs to; the family is inserted first.
    pub grant_id: GrantId,
    /// The application it was given to.
    pub client_id: ClientId,
    /// Digest of the token.
    pub digest: Vec<u8>,
    /// The scope, separated by spaces.
    pub scope: String,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it dies.
    pub expires_at: Timestamp,
    /// When it was exchanged for its successor.
    pub used_at: Option<Timestamp>,
    /// The successor, sealed, for a client that lost the answer.
    pub successor_sealed: Option<Vec<u8>>,
    /// Its place in the family, counted from 0.
    pub generation: i64,
    /// The thumbprint of the key that it is bound to.
    pub dpop_jkt: Option<String>,
}

fn read_family(row: &Row) -> Outcome<FamilyRow> {
    Ok(FamilyRow {
        id: row.get(0)?,
        client_id: row.get(1)?,
        user_id: row.get(2)?,
        sid: row.get(3)?,
        issuer: row.get(4)?,
        scope: row.get(5)?,
        auth_time: row.get(6)?,
        created_at: row.get(7)?,
        expires_at: row.get(8)?,
        revoked_at: row.get(9)?,
        doc: row.get(10)?,
        parent_id: row.get(11)?,
    })
}

fn read_code(row: &Row) -> Outcome<CodeRow> {
    Ok(CodeRow {
        grant_id: row.get(0)?,
        client_id: row.get(1)?,
        digest: row.get(2)?,
        redirect_uri: row.get(3)?,
        platform: row.get(4)?,
        scope: row.get(5)?,
        nonce: row.get(6)?,
        code_challenge: row.get(7)?,
        issuer: row.get(8)?,
        created_at: row.get(9)?,
        expires_at: row.get(10)?,
        redeemed_at: row.get(11)?,
        doc: row.get(12)?,
    })
}

fn read_refresh(row: &Row) -> Outcome<RefreshRow> {
    Ok(RefreshRow {
        grant_id: row.get(0)?,
        client_id: row.get(1)?,
        digest: row.get(2)?,
        scope: row.get(3)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
        used_at: row.get(6)?,
        successor_sealed: row.get(7)?,
        generation: row.get(8)?,
        dpop_jkt: row.get(9)?,
    })
}

/// Adds a family. It comes before its code and tokens.
pub async fn insert_family(tx: &mut WriteTx, tenant: TenantId, family: &FamilyRow) -> Outcome<()> {
    let row = values![
        tenant,
        family.id,
        family.client_id,
        family.user_id,
        family.sid,
        &family.issuer,
        &family.scope,
        family.auth_time,
        family.created_at,
        family.expires_at,
        family.revoked_at,
        family.doc.as_deref(),
        family.parent_id,
    ];
    tx.run(&INSERT_FAMILY, &row).await.map(drop)
}

/// The family of a grant, revoked or not.
pub async fn find_family(tx: &mut ReadTx, tenant: TenantId, id: GrantId) -> Outcome<Option<FamilyRow>> {
    tx.one(&FIND_FAMILY, &values![tenant, id]).await?.as_ref().map(read_family).transpose()
}

/// Every family of a session: the applications that a logout concerns.
pub async fn list_families_of_session(
    tx: &mut ReadTx,
    tenant: TenantId,
    sid: SessionId,
) -> Outcome<Vec<FamilyRow>> {
    tx.all(&LIST_BY_SID, &values![tenant, sid]).await?.iter().map(read_family).collect()
}

/// Takes a grant back, with every grant that came of it; `false` when it had been taken back, or never was.
pub async fn revoke_family(tx: &mut WriteTx, tenant: TenantId, id: GrantId, at: Timestamp) -> Outcome<bool> {
    let revoked = tx.run(&REVOKE_FAMILY, &values![tenant, id, at]).await? == 1;
    tx.run(&REVOKE_BELOW, &values![tenant, id, at]).await?;
    Ok(revoked)
}

/// Keeps a grant from being taken back until the transaction ends; `false` when it has been. Whoever adds a grant
/// below it would otherwise come between the search for such grants and its end.
pub async fn hold_family(tx: &mut WriteTx, tenant: TenantId, id: GrantId) -> Outcome<bool> {
    Ok(tx.run(&HOLD_FAMILY, &values![tenant, id]).await? == 1)
}

/// Takes back every grant of a session, and notes that its apps are to be told; says how many.
pub async fn revoke_families_of_session(
    tx: &mut WriteTx,
    tenant: TenantId,
    sid: SessionId,
    at: Timestamp,
) -> Outcome<u64> {
    tx.run(&NOTE_BY_SID, &values![tenant, sid, at]).await?;
    tx.run(&REVOKE_BY_SID, &values![tenant, sid, at]).await
}

/// Takes back every grant of a user, and notes that the apps are to be told; says how many.
pub async fn revoke_families_of_user(
    tx: &mut WriteTx,
    tenant: TenantId,
    user: UserId,
    at: Timestamp,
) -> Outcome<u64> {
    tx.run(&NOTE_BY_USER, &values![tenant, user, at]).await?;
    tx.run(&REVOKE_BY_USER, &values![tenant, user, at]).await
}

/// Takes back every grant of an application, with every grant that came of one; says how many.
pub async fn revoke_families_of_client(
    tx: &mut WriteTx,
    tenant: TenantId,
    client: ClientId,
    at: Timestamp,
) -> Outcome<u64> {
    tx.run(&REVOKE_BY_CLIENT, &values![tenant, client, at]).await
}

/// Takes back every grant that a user gave to an application, with what came of it, and notes that the application is
/// to be told; says how many.
pub async fn revoke_families_of_user_at_client(
    tx: &mut WriteTx,
    tenant: TenantId,
    (user, client): (UserId, ClientId),
    at: Timestamp,
) -> Outcome<usize> {
    tx.run(&NOTE_BY_CLIENT, &values![tenant, user, client, at]).await?;
    let revoked = tx.all(&REVOKE_BY_USER_AND_CLIENT, &values![tenant, user, client, at]).await?;
    for row in &revoked {
        let id: GrantId = row.get(0)?;
        tx.run(&REVOKE_BELOW, &values![tenant, id, at]).await?;
    }
    Ok(revoked.len())
}

/// Adds a code to a family.
pub async fn insert_code(tx: &mut WriteTx, tenant: TenantId, code: &CodeRow) -> Outcome<()> {
    let row = values![
        tenant,
        &code.digest,
        code.grant_id,
        code.client_id,
        &code.redirect_uri,
        &code.platform,
        &code.scope,
        code.nonce.as_deref(),
        code.code_challenge.as_deref(),
        &code.issuer,
        code.created_at,
        code.expires_at,
        code.redeemed_at,
        &code.doc,
    ];
    tx.run(&INSERT_CODE, &row).await.map(drop)
}

/// The code with this digest, redeemed or not.
pub async fn find_code(tx: &mut ReadTx, tenant: TenantId, digest: &[u8]) -> Outcome<Option<CodeRow>> {
    tx.one(&FIND_CODE, &values![tenant, digest]).await?.as_ref().map(read_code).transpose()
}

/// The tenant that a code belongs to: only to say that it was shown to the wrong one.
pub async fn find_code_any_tenant(tx: &mut ReadTx, digest: &[u8]) -> Outcome<Option<TenantId>> {
    tx.one(&FIND_CODE_ANY_TENANT, &values![digest]).await?.map(|row| row.get(0)).transpose()
}

/// Consumes a code. `false` means that somebody else had done so before (RFC 6749 §4.1.2).
pub async fn redeem_code(tx: &mut WriteTx, tenant: TenantId, digest: &[u8], now: Timestamp) -> Outcome<bool> {
    Ok(tx.run(&REDEEM_CODE, &values![tenant, digest, now]).await? == 1)
}

/// When the application first got tokens for a code of a session that was issued within `issued`, first and
/// last instant included; nothing when it did not.
pub async fn first_token(
    tx: &mut ReadTx,
    tenant: TenantId,
    (sid, client): (SessionId, ClientId),
    (from, to): (Timestamp, Timestamp),
) -> Outcome<Option<Timestamp>> {
    let row = tx.one(&FIRST_TOKEN, &values![tenant, sid, client, from, to]).await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// Adds a refresh token to a family.
pub async fn insert_refresh(tx: &mut WriteTx, tenant: TenantId, token: &RefreshRow) -> Outcome<()> {
    let row = values![
        tenant,
        &token.digest,
        token.grant_id,
        token.client_id,
        &token.scope,
        token.created_at,
        token.expires_at,
        token.used_at,
        token.successor_sealed.as_deref(),
        token.generation,
        token.dpop_jkt.as_deref(),
    ];
    tx.run(&INSERT_REFRESH, &row).await.map(drop)
}

/// The refresh token with this digest, used or not.
pub async fn find_refresh(tx: &mut ReadTx, tenant: TenantId, digest: &[u8]) -> Outcome<Option<RefreshRow>> {
    tx.one(&FIND_REFRESH, &values![tenant, digest]).await?.as_ref().map(read_refresh).transpose()
}

/// Exchanges a refresh token for its successor. `false` means that somebody else had done so before
/// (RFC 9700 §4.14.2).
pub async fn use_refresh(
    tx: &mut WriteTx,
    tenant: TenantId,
    digest: &[u8],
    now: Timestamp,
    successor_sealed: &[u8],
) -> Outcome<bool> {
    Ok(tx.run(&USE_REFRESH, &values![tenant, digest, now, successor_sealed]).await? == 1)
}

/// Removes codes, refresh tokens and then families that died before `before`, at most `limit` of each, oldest
/// first; says how many. Housekeeping, all tenants.
pub async fn remove_expired(tx: &mut WriteTx, before: Timestamp, limit: u32) -> Outcome<u64> {
    let codes = tx.run(&REMOVE_CODES, &values![before, limit]).await?;
    let tokens = tx.run(&REMOVE_REFRESH, &values![before, limit]).await?;
    Ok(codes + tokens + tx.run(&REMOVE_FAMILIES, &values![before, limit]).await?)
}
