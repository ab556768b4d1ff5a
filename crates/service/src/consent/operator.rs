//! Consents as an operator sees them: grants for everybody or for one user, and taking them back.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::ClientId;
use vestibule_rules::oauth::consent;
use vestibule_rules::oauth::scope::GRAPH;
use vestibule_store::audit::{self, EntryRow};
use vestibule_store::consents::{self, ConsentRow, Principal};
use vestibule_store::{Db, grants};

use crate::account::{find, tenant_of};
use crate::audit::by_author;
use crate::directory::change::Author;

/// Permissions that an application has (Graph: `oauth2PermissionGrant`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Granted {
    pub client_id: String,
    /// `AllPrincipals` or `Principal`.
    pub consent_type: &'static str,
    pub principal_id: Option<String>,
    pub resource: String,
    pub scope: String,
    pub granted_at: String,
    pub granted_by: String,
}

/// The application that people mean by a display name or `appId`.
fn application<'c>(config: &'c TenantConfig, name: &str) -> Outcome<&'c Application<PasswordCredential>> {
    let id = ClientId::parse(name);
    let named = |app: &&Application<PasswordCredential>| app.display_name == name || Some(app.app_id) == id;
    let missing = || Fault::missing("application", format!("there is no application “{name}”"));
    config.applications.iter().find(named).ok_or_else(missing)
}

/// Grants permissions to an application: for one user, or for everybody. Says which are new.
///
/// Returns `Missing` when there is no such tenant, application, user or permission.
pub async fn grant(
    db: &Db,
    (tenant, app, user): (&str, &str, Option<&str>),
    (resource, scope): (&str, &str),
    author: &Author<'_>,
) -> Outcome<Vec<String>> {
    let mut tx = db.read().await?;
    let config = tenant_of(&mut tx, tenant).await?;
    let client = application(&config, app)?.app_id;
    let principal = match user {
        Some(user) => Principal::User(find(&mut tx, config.tenant.id, user).await?.id),
        None => Principal::Everybody,
    };
    drop(tx);
    let missing = || Fault::missing("resource", format!("there is no resource “{resource}”"));
    let resource_id = consent::resource(resource, &config.applications).ok_or_else(missing)?;
    let row = |permission: consent::Permission| ConsentRow {
        client_id: client,
        principal,
        resource_id,
        scope: permission.value,
        granted_at: author.now,
        granted_by: author.actor.to_string(),
    };
    let rows: Vec<ConsentRow> = consent::permissions(resource_id, scope).map(row).collect();
    if let Some(unknown) = rows.iter().find(|row| !is_offered(&config, row)) {
        let text = format!("“{resource}” has no permission “{}”", unknown.scope);
        return Err(Fault::missing("scope", text));
    }
    let entry = entry(author, "grantConsent", client, &json!({ "resource": resource, "scope": scope }));
    let (tenant, rows) = (config.tenant.id, Arc::new((rows, entry)));
    db.write(move |tx| {
        let rows = Arc::clone(&rows);
        Box::pin(async move {
            let mut fresh = Vec::new();
            for row in &rows.0 {
                if consents::grant(tx, tenant, row).await? {
                    fresh.push(row.scope.clone());
                }
            }
            audit::insert(tx, tenant, &rows.1).await?;
            Ok(fresh)
        })
    })
    .await
}

fn is_offered(config: &TenantConfig, row: &ConsentRow) -> bool {
    let api = config.applications.iter().find(|app| app.app_id == row.resource_id);
    row.resource_id == GRAPH
        || api.is_some_and(|app| app.api.oauth2_permission_scopes.iter().any(|s| s.value == row.scope))
}

/// What was consented to: by one user, or for everybody.
///
/// Returns `Missing` when there is no such tenant or user.
pub async fn list(db: &Db, tenant: &str, user: Option<&str>) -> Outcome<Vec<Granted>> {
    let mut tx = db.read().await?;
    let config = tenant_of(&mut tx, tenant).await?;
    let principal = match user {
        Some(user) => Principal::User(find(&mut tx, config.tenant.id, user).await?.id),
        None => Principal::Everybody,
    };
    let rows = consents::list_by_principal(&mut tx, config.tenant.id, principal).await?;
    let name = |id: ClientId| match config.applications.iter().find(|app| app.app_id == id) {
        Some(app) => app.display_name.clone(),
        None if id == GRAPH => "https://graph.microsoft.com".to_owned(),
        None => id.to_string(),
    };
    let granted = |row: ConsentRow| {
        let (consent_type, principal_id) = match row.principal {
            Principal::Everybody => ("AllPrincipals", None),
            Principal::User(user) => ("Principal", Some(user.to_string())),
        };
        Granted {
            client_id: name(row.client_id),
            consent_type,
            principal_id,
            resource: name(row.resource_id),
            scope: row.scope,
            granted_at: row.granted_at.rfc3339(),
            granted_by: row.granted_by,
        }
    };
    Ok(rows.into_iter().map(granted).collect())
}

/// Takes back what an application was given: by one user, with the grants that it has of them, or for everybody. Says
/// how many permissions that were.
///
/// Returns `Missing` when there is no such tenant, application or user.
pub async fn revoke(
    db: &Db,
    (tenant, app, user): (&str, &str, Option<&str>),
    author: &Author<'_>,
) -> Outcome<u64> {
    let mut tx = db.read().await?;
    let config = tenant_of(&mut tx, tenant).await?;
    let client = application(&config, app)?.app_id;
    let user = match user {
        Some(user) => Some(find(&mut tx, config.tenant.id, user).await?.id),
        None => None,
    };
    drop(tx);
    let whose = user.map_or_else(|| "everybody".to_owned(), |user| user.to_string());
    let entry = Arc::new(entry(author, "revokeConsent", client, &json!({ "principal": whose })));
    let (tenant, now) = (config.tenant.id, author.now);
    db.write(move |tx| {
        let entry = Arc::clone(&entry);
        Box::pin(async move {
            let principal = user.map_or(Principal::Everybody, Principal::User);
            let withdrawn = consents::withdraw(tx, tenant, client, principal).await?;
            if let Some(user) = user {
                grants::revoke_families_of_user_at_client(tx, tenant, (user, client), now).await?;
            }
            audit::insert(tx, tenant, &entry).await?;
            Ok(withdrawn)
        })
    })
    .await
}

fn entry(author: &Author<'_>, action: &str, client: ClientId, detail: &serde_json::Value) -> EntryRow {
    by_author(author, action, ("application", client.to_string()), detail)
}
