//! What people let applications do: looked up at every door that leads to tokens, asked for, shown to its giver and
//! withdrawn.

mod operator;
mod own;

use vestibule_rules::directory::application::PermissionScope;
use vestibule_rules::directory::consent::ConsentPolicy;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, UserId};
use vestibule_rules::oauth::authorize::Verified;
use vestibule_rules::oauth::consent::{self, Held, Permission, Standing};
use vestibule_rules::oauth::scope::{GRAPH, Scope};
use vestibule_store::ReadTx;
use vestibule_store::consents::{self, ConsentRow, Principal};

use crate::env::Site;
use crate::visit::Visit;

pub use operator::{Granted, grant, list, revoke};
pub use own::{AppsView, ListedApp, apps, withdraw};

/// One permission in words. Those of OpenID Connect have no words of the tenant's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Described {
    /// The application whose permission it is; nothing for the account itself.
    pub resource: Option<String>,
    pub value: String,
    pub title: String,
    pub text: String,
}

/// What an application may do for a person: nothing is looked up for the organisation's own.
pub(crate) async fn held(
    tx: &mut ReadTx,
    visit: &Visit,
    (client, user): (ClientId, UserId),
) -> Outcome<Held> {
    let applications = &visit.tenant.config.applications;
    let app = visit.tenant.application(client);
    let Some(app) = app.filter(|app| app.settings.consent != ConsentPolicy::Implicit) else {
        return Ok(Held::new());
    };
    let rows = consents::list_for(tx, visit.tenant_id(), client, user).await?;
    let mut held = consent::granted_in_file(app, applications);
    held.extend(rows.into_iter().map(|row| Permission { resource: row.resource_id, value: row.scope }));
    Ok(held)
}

/// Whether an application that asks for a scope in a person's name needs a consent first.
pub(crate) async fn standing(
    site: &Site,
    visit: &Visit,
    (client, user): (ClientId, UserId),
    (scope, insists): (&Scope, bool),
) -> Outcome<Standing> {
    let Some(app) = visit.tenant.application(client) else { return Ok(Standing::Given) };
    let held = held(&mut site.env.db.glance().await?, visit, (client, user)).await?;
    Ok(consent::judge(app, scope, &visit.tenant.config.applications, (&held, insists)))
}

/// Whether a request has to wait for a consent.
pub(crate) async fn is_owed(site: &Site, visit: &Visit, verified: &Verified, user: UserId) -> Outcome<bool> {
    let scope = verified.asked();
    let asked = (&scope, verified.asks_consent);
    Ok(standing(site, visit, (verified.client_id, user), asked).await? != Standing::Given)
}

/// What is left of a scope that was granted before (security.md S34).
pub(crate) async fn remaining(
    tx: &mut ReadTx,
    visit: &Visit,
    (client, user): (ClientId, UserId),
    scope: &Scope,
) -> Outcome<Option<Scope>> {
    let Some(app) = visit.tenant.application(client) else { return Ok(None) };
    let held = held(tx, visit, (client, user)).await?;
    Ok(consent::remaining(app, scope, &visit.tenant.config.applications, &held))
}

/// The rows of a person's consent.
pub(crate) fn rows(
    visit: &Visit,
    (client, user): (ClientId, UserId),
    given: &[Permission],
) -> Vec<ConsentRow> {
    let row = |permission: &Permission| ConsentRow {
        client_id: client,
        principal: Principal::User(user),
        resource_id: permission.resource,
        scope: permission.value.clone(),
        granted_at: visit.now,
        granted_by: format!("user:{user}"),
    };
    given.iter().map(row).collect()
}

/// A permission as the person reads it.
pub(crate) fn describe(visit: &Visit, permission: &Permission) -> Described {
    let value = permission.value.clone();
    let app = visit.tenant.application(permission.resource).filter(|_| permission.resource != GRAPH);
    let Some(app) = app else {
        return Described { resource: None, value, title: String::new(), text: String::new() };
    };
    let offered = app.api.oauth2_permission_scopes.iter().find(|scope| scope.value == value);
    let (title, text) = offered.map_or((value.as_str(), ""), PermissionScope::words);
    let (title, text) = (title.to_owned(), text.to_owned());
    Described { resource: Some(app.display_name.clone()), title, text, value }
}
