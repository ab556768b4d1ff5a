//! A person's own consents: the applications that have them, and taking them back.

use std::collections::BTreeMap;

use serde_json::json;
use vestibule_crypto::constant_time;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::ClientId;
use vestibule_rules::oauth::consent::Permission;
use vestibule_rules::text::Message;
use vestibule_rules::time::Timestamp;
use vestibule_store::consents::{self, Principal};
use vestibule_store::{audit, grants};

use super::{Described, describe};
use crate::audit::by_user;
use crate::env::Site;
use crate::journey;
use crate::session::{self, SignedIn};
use crate::visit::Visit;

/// What the token of the page's forms is about.
const FORM: &str = "apps with access";

/// Who is signed in, and the applications that they let do something.
pub struct AppsView {
    pub address: String,
    pub csrf: String,
    pub apps: Vec<ListedApp>,
}

/// One application.
pub struct ListedApp {
    pub client: ClientId,
    pub name: String,
    pub since: Timestamp,
    pub permissions: Vec<Described>,
}

/// The applications with access; nothing when nobody is signed in. It changes nothing.
pub async fn apps(site: &Site, visit: &Visit) -> Outcome<Option<AppsView>> {
    let Some(found) = session::of_browser(site, visit).await?.into_in_use() else { return Ok(None) };
    let mut tx = site.env.db.read().await?;
    let whose = Principal::User(found.session.user);
    let rows = consents::list_by_principal(&mut tx, visit.tenant_id(), whose).await?;
    let mut apps: BTreeMap<ClientId, ListedApp> = BTreeMap::new();
    for row in rows {
        let name = visit.tenant.application(row.client_id).map(|app| app.display_name.clone());
        let app = apps.entry(row.client_id).or_insert_with(|| ListedApp {
            client: row.client_id,
            name: name.unwrap_or_else(|| row.client_id.to_string()),
            since: row.granted_at,
            permissions: Vec::new(),
        });
        app.since = app.since.min(row.granted_at);
        let permission = Permission { resource: row.resource_id, value: row.scope };
        app.permissions.push(describe(visit, &permission));
    }
    let mut apps: Vec<ListedApp> = apps.into_values().collect();
    apps.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Some(AppsView { address: found.address().to_owned(), csrf: token(site, visit, &found), apps }))
}

/// Withdraws everything that the person let an application do, and ends what it got (security.md S77).
///
/// Returns `Forbidden` when the form's token is not this session's.
pub async fn withdraw(site: &Site, visit: &Visit, (client, shown): (ClientId, &str)) -> Outcome<()> {
    let gone = || Fault::forbidden("nobody is signed in").hint(Message::new("fault-journey-gone"));
    let found = session::of_browser(site, visit).await?.into_in_use().ok_or_else(gone)?;
    if !constant_time::eq_str(shown, &token(site, visit, &found)) {
        let fault = Fault::forbidden("the form's token is not this session's");
        return Err(fault.hint(Message::new("fault-form")));
    }
    let (tenant, now, user) = (visit.tenant_id(), visit.now, found.session.user);
    let entry = by_user(site, visit, user, "withdrawConsent", &json!({ "client": client }));
    let write = site.env.db.write(move |tx| {
        let entry = entry.clone();
        Box::pin(async move {
            let withdrawn = consents::withdraw(tx, tenant, client, Principal::User(user)).await?;
            grants::revoke_families_of_user_at_client(tx, tenant, (user, client), now).await?;
            if withdrawn > 0 {
                audit::insert(tx, tenant, &entry).await?;
            }
            Ok(())
        })
    });
    write.await?;
    site.notices_waiting.notify_one();
    Ok(())
}

/// Bound to the cookie and the person: of no use after either changed.
fn token(site: &Site, visit: &Visit, found: &SignedIn) -> String {
    let cookie = visit.session.as_ref().map_or("", |value| value.expose().as_str());
    journey::csrf(site, cookie, &format!("{FORM} of {}", found.session.user))
}
