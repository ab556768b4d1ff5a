//! Registered applications as the rest of the server sees them, and what administrators do with them.

use serde::{Deserialize, Serialize};
use vestibule_crypto::registered_key::RegisteredKey;
use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, TenantId};
use vestibule_rules::oauth::registration::{self, Identity, Metadata};
use vestibule_rules::time::Timestamp;
use vestibule_store::audit::EntryRow;
use vestibule_store::registered_clients::{self, ClientRow};
use vestibule_store::{ReadTx, audit, grants, tenants};

use crate::env::Env;
use crate::visit::Visit;

/// What stands in the store.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stored {
    pub(super) metadata: Metadata,
    pub(super) identity: Identity,
}

impl Stored {
    pub(super) fn read(row: &ClientRow) -> Outcome<Self> {
        serde_json::from_str(&row.doc)
            .map_err(|e| Fault::ours(format!("registered_client {} cannot be read: {e}", row.client_id)))
    }

    pub(super) fn to_json(&self) -> Outcome<String> {
        serde_json::to_string(self).map_err(|e| Fault::ours(format!("a registration has no JSON form: {e}")))
    }
}

/// The registered applications of a tenant under its policy of now. One that cannot be read is missing, and the others
/// are not: a stranger's row must not stop a tenant.
pub(crate) async fn applications(
    tx: &mut ReadTx,
    config: &TenantConfig,
) -> Outcome<Vec<Application<PasswordCredential>>> {
    let policy = &config.tenant.client_registration;
    let mut all = Vec::new();
    for row in registered_clients::list(tx, config.tenant.id).await? {
        let mut stored = match Stored::read(&row) {
            Ok(stored) => stored,
            Err(fault) => {
                tracing::error!(%fault, "a registered application is left out");
                continue;
            }
        };
        // An administrator who gave a configured application this id meant that one.
        if config.applications.iter().any(|app| app.app_id == row.client_id) {
            continue;
        }
        stored.identity.keys.retain(|key| RegisteredKey::from_jwk(&key.jwk).is_ok());
        all.push(registration::application(&stored.metadata, &stored.identity, policy, row.enabled));
    }
    Ok(all)
}

/// A registered application as an operator sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    pub client_id: ClientId,
    pub name: String,
    pub redirect_uris: Vec<String>,
    pub enabled: bool,
    /// A point in time as in RFC 3339.
    pub registered_at: String,
}

/// Every application that registered itself, oldest first.
pub async fn listed(env: &Env, tenant: TenantId) -> Outcome<Vec<Listed>> {
    let rows = registered_clients::list(&mut env.db.read().await?, tenant).await?;
    let one = |row: &ClientRow| {
        let stored = Stored::read(row)?;
        Ok(Listed {
            client_id: row.client_id,
            name: stored.metadata.client_name.unwrap_or_default(),
            redirect_uris: stored.metadata.redirect_uris,
            enabled: row.enabled,
            registered_at: row.created_at.rfc3339(),
        })
    };
    rows.iter().map(one).collect()
}

/// What an operator does with a registered application.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// It signs people in again.
    Enable,
    /// It signs nobody in, and what it was given ends.
    Disable,
    /// It is gone, with what it was given.
    Remove,
}

impl Act {
    const fn word(self) -> &'static str {
        match self {
            Self::Enable => "enabled",
            Self::Disable => "disabled",
            Self::Remove => "removed",
        }
    }
}

/// Does it. `Missing` when there is no such application.
pub async fn act(env: &Env, tenant: TenantId, client: ClientId, act: Act) -> Outcome<()> {
    let now = env.now();
    let entry = row(env, now, ("operator", act.word()), (client, env.guid().to_string()));
    env.db
        .write(move |tx| {
            let entry = entry.clone();
            Box::pin(async move {
                tenants::advance(tx, tenant).await?;
                let found = match act {
                    Act::Enable => registered_clients::enable(tx, tenant, client, true, now).await?,
                    Act::Disable => registered_clients::enable(tx, tenant, client, false, now).await?,
                    Act::Remove => registered_clients::remove(tx, tenant, client).await?,
                };
                if !found {
                    return Err(Fault::missing(
                        "client",
                        format!("no application {client} registered itself"),
                    ));
                }
                if act != Act::Enable {
                    grants::revoke_families_of_client(tx, tenant, client, now).await?;
                }
                audit::insert(tx, tenant, &entry).await
            })
        })
        .await
}

/// The row of the audit log for what a request did.
pub(super) fn entry(env: &Env, visit: &Visit, (actor, action): (&str, &str), client: ClientId) -> EntryRow {
    row(env, visit.now, (actor, action), (client, visit.correlation.to_string()))
}

fn row(
    env: &Env,
    now: Timestamp,
    (actor, action): (&str, &str),
    (client, correlation_id): (ClientId, String),
) -> EntryRow {
    EntryRow {
        key: env.order_key(now),
        at: now,
        actor: actor.to_owned(),
        action: action.to_owned(),
        target_kind: "registeredClient".to_owned(),
        target_id: client.to_string(),
        correlation_id,
        detail: "{}".to_owned(),
    }
}
