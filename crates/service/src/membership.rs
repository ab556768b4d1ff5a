//! Groups and roles of people: what a token says of them, and what an operator does about them.
//!
//! A token needs two look-ups by the person's id, however many people there are, and none when its application asks for
//! nothing of the kind. Nothing is kept: whoever is taken out of a group is out of it with their next token.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::directory::group::Group;
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, ObjectId, TenantId, UserId};
use vestibule_rules::oauth::membership::{self, Standing};
use vestibule_rules::oauth::roles;
use vestibule_rules::text::Message;
use vestibule_store::audit;
use vestibule_store::memberships::{self, Person};
use vestibule_store::{Db, WriteTx};

use crate::account;
use crate::audit::by_author;
use crate::directory::change::Author;
use crate::env::Site;
use crate::visit::Visit;

/// What is known of somebody, as far as one of the applications asks.
pub(crate) async fn standing(
    site: &Site,
    visit: &Visit,
    user: UserId,
    apps: [Option<&Application<PasswordCredential>>; 2],
) -> Outcome<Standing> {
    if !apps.into_iter().flatten().any(membership::asks) {
        return Ok(Standing::default());
    }
    let (tenant, mut tx) = (visit.tenant_id(), site.env.db.read().await?);
    let groups = memberships::groups_of(&mut tx, tenant, user).await?.into_iter().collect();
    Ok(Standing { groups, assigned: memberships::assigned_to(&mut tx, tenant, user).await? })
}

/// Whether an application, and the API that it asks a token for, are for this person.
pub(crate) async fn admits(
    site: &Site,
    visit: &Visit,
    user: UserId,
    (client, audience): (ClientId, ClientId),
) -> Outcome<bool> {
    let apps = [client, audience].map(|id| visit.tenant.application(id));
    let standing = standing(site, visit, user, apps).await?;
    Ok(apps.into_iter().flatten().all(|app| membership::admits(app, &standing)))
}

/// What a person reads whom an application is not assigned to.
pub(crate) fn not_assigned() -> Fault {
    Fault::forbidden("the application is not assigned to the person")
        .code(50_105)
        .hint(Message::new("fault-not-assigned"))
}

/// The groups of somebody, as far as the tenant still has them (Graph: `getMemberObjects`).
pub(crate) async fn groups_of(site: &Site, visit: &Visit, user: UserId) -> Outcome<Vec<Group>> {
    let mut tx = site.env.db.read().await?;
    let own = memberships::groups_of(&mut tx, visit.tenant_id(), user).await?;
    let groups = visit.tenant.config.groups.iter();
    Ok(groups.filter(|group| own.contains(&group.id)).cloned().collect())
}

/// A group as an operator sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedGroup {
    pub id: String,
    pub display_name: String,
    pub security_enabled: bool,
    pub members: i64,
}

/// Somebody in a group, or whom an application is assigned to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedPerson {
    pub id: String,
    pub user_principal_name: String,
    pub mail: Option<String>,
    /// The role, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// How many people are read at once.
const PAGE: u32 = 500;

fn listed(person: Person, role: Option<String>) -> ListedPerson {
    ListedPerson { id: person.id.to_string(), user_principal_name: person.upn, mail: person.mail, role }
}

/// The groups of a tenant.
pub async fn list_groups(db: &Db, tenant: &str) -> Outcome<Vec<ListedGroup>> {
    let mut tx = db.read().await?;
    let config = account::tenant_of(&mut tx, tenant).await?;
    let sizes = memberships::sizes(&mut tx, config.tenant.id).await?;
    let size = |id: ObjectId| sizes.iter().find(|(group, _)| *group == id).map_or(0, |(_, size)| *size);
    let one = |group: &Group| ListedGroup {
        id: group.id.to_string(),
        display_name: group.display_name.clone(),
        security_enabled: group.security_enabled,
        members: size(group.id),
    };
    Ok(config.groups.iter().map(one).collect())
}

/// The people in a group. Returns `Missing` when there is no such tenant or group.
pub async fn list_members(db: &Db, tenant: &str, group: &str) -> Outcome<Vec<ListedPerson>> {
    let mut tx = db.read().await?;
    let config = account::tenant_of(&mut tx, tenant).await?;
    let group = find_group(&config, group)?.id;
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = memberships::members(&mut tx, config.tenant.id, group, (&after, PAGE)).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after.clone_from(&last.key);
        all.extend(page.into_iter().map(|person| listed(person, None)));
    }
}

/// The people whom an application is assigned to one by one. Returns `Missing` when there is no such tenant or
/// application.
pub async fn list_assigned(db: &Db, tenant: &str, app: &str) -> Outcome<Vec<ListedPerson>> {
    let mut tx = db.read().await?;
    let config = account::tenant_of(&mut tx, tenant).await?;
    let app = find_app(&config, app)?.app_id;
    let (mut all, mut after) = (Vec::new(), (String::new(), String::new()));
    loop {
        let from = ((after.0.as_str(), after.1.as_str()), PAGE);
        let page = memberships::assigned(&mut tx, config.tenant.id, app, from).await?;
        let Some((last, role)) = page.last() else { return Ok(all) };
        after = (last.key.clone(), role.clone().unwrap_or_default());
        all.extend(page.into_iter().map(|(person, role)| listed(person, role)));
    }
}

/// What an operator does to somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed<'a> {
    /// Puts them into a group.
    Add { group: &'a str },
    /// Takes them out of one.
    Remove { group: &'a str },
    /// Assigns an application to them.
    Assign { app: &'a str, role: Option<&'a str> },
    /// Takes that back.
    Unassign { app: &'a str, role: Option<&'a str> },
}

/// The same with names resolved.
#[derive(Clone)]
enum Resolved {
    Member { group: ObjectId, is_in: bool },
    Assigned { app: ClientId, role: Option<String>, is_so: bool },
}

/// Does it, and says whether anything changed.
///
/// Returns `Missing` when there is no such tenant, group, application, role or user, and `Conflict` when several users
/// have the address.
pub async fn change(
    db: &Db,
    (tenant, user): (&str, &str),
    deed: &Deed<'_>,
    author: &Author<'_>,
) -> Outcome<bool> {
    let mut tx = db.read().await?;
    let config = account::tenant_of(&mut tx, tenant).await?;
    let (resolved, detail) = resolve(&config, deed)?;
    let (tenant, user) = (config.tenant.id, account::find(&mut tx, config.tenant.id, user).await?.id);
    drop(tx);
    let now = author.now;
    let entry = by_author(author, action(deed), ("user", user.to_string()), &detail);
    let work = Arc::new((resolved, entry));
    db.write(move |tx| {
        let work = Arc::clone(&work);
        Box::pin(async move {
            let changed = carry_out(tx, (tenant, user), &work.0, now).await?;
            if changed {
                audit::insert(tx, tenant, &work.1).await?;
            }
            Ok(changed)
        })
    })
    .await
}

const fn action(deed: &Deed<'_>) -> &'static str {
    match deed {
        Deed::Add { .. } => "groupMemberAdded",
        Deed::Remove { .. } => "groupMemberRemoved",
        Deed::Assign { .. } => "appRoleAssigned",
        Deed::Unassign { .. } => "appRoleUnassigned",
    }
}

fn resolve(config: &TenantConfig, deed: &Deed<'_>) -> Outcome<(Resolved, Value)> {
    let member = |name, is_in| -> Outcome<(Resolved, Value)> {
        let group = find_group(config, name)?;
        Ok((Resolved::Member { group: group.id, is_in }, json!({"group": group.id})))
    };
    let assigned = |app: &Application<PasswordCredential>, role: Option<&str>, is_so| {
        let detail = json!({"application": app.app_id, "role": role});
        (Resolved::Assigned { app: app.app_id, role: role.map(str::to_owned), is_so }, detail)
    };
    match *deed {
        Deed::Add { group } => member(group, true),
        Deed::Remove { group } => member(group, false),
        Deed::Assign { app, role } => {
            let app = find_app(config, app)?;
            if let Some(role) = role
                && roles::offers_people(app, role).is_none()
            {
                let text = format!(
                    "“{}” has no enabled app role “{role}” whose allowedMemberTypes has User",
                    app.display_name
                );
                return Err(Fault::missing("role", text));
            }
            Ok(assigned(app, role, true))
        }
        // A role that is gone from the configuration can still be taken from people.
        Deed::Unassign { app, role } => Ok(assigned(find_app(config, app)?, role, false)),
    }
}

async fn carry_out(
    tx: &mut WriteTx,
    (tenant, user): (TenantId, UserId),
    deed: &Resolved,
    now: vestibule_rules::time::Timestamp,
) -> Outcome<bool> {
    match deed {
        Resolved::Member { group, is_in: true } => memberships::add(tx, tenant, (*group, user), now).await,
        Resolved::Member { group, is_in: false } => memberships::remove(tx, tenant, *group, user).await,
        Resolved::Assigned { app, role, is_so: true } => {
            memberships::assign(tx, tenant, (*app, role.as_deref(), user), now).await
        }
        Resolved::Assigned { app, role, is_so: false } => {
            memberships::unassign(tx, tenant, (*app, role.as_deref(), user)).await
        }
    }
}

fn find_group<'c>(config: &'c TenantConfig, name: &str) -> Outcome<&'c Group> {
    let folded = name.to_lowercase();
    let found = config
        .groups
        .iter()
        .find(|group| group.display_name.to_lowercase() == folded || ObjectId::parse(name) == Some(group.id));
    found.ok_or_else(|| Fault::missing("group", format!("there is no group “{name}” in the tenant's file")))
}

fn find_app<'c>(config: &'c TenantConfig, name: &str) -> Outcome<&'c Application<PasswordCredential>> {
    let folded = name.to_lowercase();
    let found =
        config.applications.iter().filter(|app| !app.built_in).find(|app| {
            app.display_name.to_lowercase() == folded || ClientId::parse(name) == Some(app.app_id)
        });
    found.ok_or_else(|| Fault::missing("application", format!("there is no application “{name}”")))
}
