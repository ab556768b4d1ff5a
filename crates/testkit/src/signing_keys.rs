//! Signing keys of tenants, made once in a process and not again for each server: making one takes as long as the
//! rest of a short test.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::TenantId;
use vestibule_rules::oauth::signing::SigningAlgorithm;
use vestibule_service::directory::snapshot;
use vestibule_service::env::Env;
use vestibule_service::keys::Keyring;
use vestibule_store::keys::{self, KeyRow};

/// What the first server of each tenant made. Every test server begins at the same time and seals with the same key.
static MADE: Mutex<Option<HashMap<Owner, Vec<KeyRow>>>> = Mutex::new(None);

/// A tenant, and what it signs with.
type Owner = (TenantId, SigningAlgorithm);

/// Gives each tenant of a new server its keys, as the server itself would have made them.
pub(crate) async fn ready(env: &Env) -> Outcome<()> {
    let snapshot = snapshot::load(&env.db).await?;
    for view in snapshot.tenants() {
        let tenant = &view.config.tenant;
        let owner = (tenant.id, tenant.tokens.signing_algorithm);
        match made(owner) {
            Some(rows) => store(env, tenant.id, rows).await?,
            None => make(env, owner).await?,
        }
    }
    Ok(())
}

async fn make(env: &Env, owner: Owner) -> Outcome<()> {
    let (tenant, _) = owner;
    Keyring::default().of(env, tenant).await?;
    let rows = keys::list(&mut env.db.read().await?, tenant).await?;
    let mut known = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().insert(owner, rows);
    Ok(())
}

async fn store(env: &Env, tenant: TenantId, rows: Vec<KeyRow>) -> Outcome<()> {
    env.db
        .write(move |tx| {
            let rows = rows.clone();
            Box::pin(async move {
                for row in &rows {
                    keys::insert(tx, tenant, row).await?;
                }
                Ok(())
            })
        })
        .await
}

fn made(owner: Owner) -> Option<Vec<KeyRow>> {
    MADE.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.get(&owner).cloned()
}
