//! Initial access tokens: who has one may register applications (RFC 7591 §3). They are 256 random bits, known to the
//! store by their digest only, and shown once.

use serde::Serialize;
use vestibule_crypto::digest::token;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ObjectId, TenantId};
use vestibule_rules::text::Secret;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::registered_clients::{self, TokenRow};

use crate::env::Env;
use crate::token::digest_of;

/// A token as an operator sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    pub id: ObjectId,
    /// How many applications it still lets register; none is any number.
    pub uses_left: Option<i64>,
    /// Points in time as in RFC 3339.
    pub created_at: String,
    pub expires_at: Option<String>,
}

/// Makes a token: its id, and the token itself.
pub async fn create(
    env: &Env,
    tenant: TenantId,
    uses: Option<i64>,
    life: Option<Span>,
) -> Outcome<(ObjectId, Secret<String>)> {
    let now = env.now();
    let plain = token(env.random());
    let row = TokenRow {
        id: ObjectId::from_random(env.random()),
        uses_left: uses,
        created_at: now,
        expires_at: life.map(|life| now + life),
    };
    let (id, digest) = (row.id, digest_of(&plain));
    env.db
        .write(move |tx| {
            let (row, digest) = (row.clone(), digest.clone());
            Box::pin(async move { registered_clients::insert_token(tx, tenant, &digest, &row).await })
        })
        .await?;
    Ok((id, Secret::new(plain)))
}

/// Every token that was made and not taken back, oldest first.
pub async fn listed(env: &Env, tenant: TenantId) -> Outcome<Vec<Listed>> {
    let rows = registered_clients::list_tokens(&mut env.db.read().await?, tenant).await?;
    let one = |row: TokenRow| Listed {
        id: row.id,
        uses_left: row.uses_left,
        created_at: row.created_at.rfc3339(),
        expires_at: row.expires_at.map(Timestamp::rfc3339),
    };
    Ok(rows.into_iter().map(one).collect())
}

/// Takes a token back; applications that registered with it stay. `Missing` when there is none.
pub async fn revoke(env: &Env, tenant: TenantId, id: ObjectId) -> Outcome<()> {
    let removed = env
        .db
        .write(move |tx| Box::pin(async move { registered_clients::remove_token(tx, tenant, id).await }))
        .await?;
    if removed { Ok(()) } else { Err(Fault::missing("token", format!("there is no token {id}"))) }
}
