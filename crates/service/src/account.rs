//! Accounts as an operator sees them: whom a name means, the ways into an account, and taking one away.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use vestibule_rules::directory::address::Address;
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::directory::user::{ObjectIdentity, User};
use vestibule_rules::directory::ways::{Way, makers, ways};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{TenantId, UserId};
use vestibule_store::audit::{self, EntryRow};
use vestibule_store::{Db, ReadTx, provider_sessions, tenants, users};

use crate::audit::by_author;
use crate::directory::change::{Author, load};
use crate::session;

/// An account with the ways into it.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    pub id: String,
    pub user_principal_name: String,
    pub display_name: Option<String>,
    pub mail: Option<String>,
    pub user_type: String,
    pub account_enabled: bool,
    pub identities: Vec<ListedIdentity>,
    pub has_password: bool,
    /// What leads in today: ids of providers, `code` and `password`.
    pub ways: Vec<String>,
}

/// One identity, and the provider that made it as far as the tenant has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedIdentity {
    pub provider: Option<String>,
    pub sign_in_type: String,
    pub issuer: String,
    pub issuer_assigned_id: String,
}

/// The user that people mean by an id, user principal name or mail address.
///
/// Returns `Missing` when there is none, and `Conflict` when several have the address.
pub(crate) async fn find(tx: &mut ReadTx, tenant: TenantId, name: &str) -> Outcome<User> {
    let missing = || Fault::missing("user", format!("there is no user “{name}”"));
    if let Some(id) = UserId::parse(name) {
        return users::find(tx, tenant, id).await?.ok_or_else(missing);
    }
    if let Some(user) = users::find_by_upn(tx, tenant, name).await? {
        return Ok(user);
    }
    let key = Address::parse(name).map(|address| address.key()).map_err(|_| missing())?;
    let mut found = users::list_by_mail_key(tx, tenant, &key).await?.into_iter();
    match (found.next(), found.next()) {
        (Some(user), None) => Ok(user),
        (None, _) => Err(missing()),
        _ => Err(Fault::conflict("user", format!("several users have the address “{name}”; say the id"))),
    }
}

pub(crate) async fn tenant_of(tx: &mut ReadTx, name: &str) -> Outcome<TenantConfig> {
    let missing = || Fault::missing("tenant", format!("there is no tenant “{name}”"));
    let tenant = tenants::find_by_name(tx, &name.to_lowercase()).await?.ok_or_else(missing)?;
    Ok(load(tx, tenant).await?.ok_or_else(missing)?.config)
}

/// An account and the ways into it.
///
/// Returns `Missing` when there is no such tenant or user, and `Conflict` when several users have the address.
pub async fn show(db: &Db, tenant: &str, user: &str) -> Outcome<Listed> {
    let mut tx = db.read().await?;
    let config = tenant_of(&mut tx, tenant).await?;
    let user = find(&mut tx, config.tenant.id, user).await?;
    let has_password = users::password(&mut tx, config.tenant.id, user.id).await?.is_some();
    let listed = |identity: &ObjectIdentity| ListedIdentity {
        provider: makers(&config, identity).next().map(|provider| provider.id.to_string()),
        sign_in_type: identity.sign_in_type.clone(),
        issuer: identity.issuer.clone(),
        issuer_assigned_id: identity.issuer_assigned_id.clone(),
    };
    Ok(Listed {
        id: user.id.to_string(),
        identities: user.identities.iter().map(listed).collect(),
        ways: ways(&config, &user, has_password).iter().map(name).collect(),
        has_password,
        user_principal_name: user.user_principal_name,
        display_name: user.display_name,
        mail: user.mail,
        user_type: format!("{:?}", user.user_type),
        account_enabled: user.account_enabled,
    })
}

fn name(way: &Way) -> String {
    match way {
        Way::Provider(id) => id.to_string(),
        Way::Code => "code".to_owned(),
        Way::Password => "password".to_owned(),
    }
}

/// Takes the identities of a provider from an account, and ends the sessions that came of them. Says which ways are
/// left. `provider` is its id, or an issuer whose provider is gone.
///
/// Returns `Missing` when there is no such tenant, user or identity, and `Conflict` when nothing would lead into the
/// account any more.
pub async fn unlink(
    db: &Db,
    (tenant, user, provider): (&str, &str, &str),
    author: &Author<'_>,
) -> Outcome<Vec<String>> {
    let mut tx = db.read().await?;
    let config = Arc::new(tenant_of(&mut tx, tenant).await?);
    let tenant = config.tenant.id;
    let user = find(&mut tx, tenant, user).await?.id;
    drop(tx);
    let (now, provider) = (author.now, provider.to_owned());
    let entry = Arc::new(entry(author, "unlinkIdentity", user, &json!({ "provider": provider })));
    db.write(move |tx| {
        let (config, provider, entry) = (Arc::clone(&config), provider.clone(), Arc::clone(&entry));
        Box::pin(async move {
            let found = users::find(tx, tenant, user).await?;
            let mut account = found.ok_or_else(|| Fault::missing("user", "the account is gone"))?;
            let has_password = users::password(tx, tenant, user).await?.is_some();
            let left = without(&config, &mut account, (&provider, has_password))?;
            users::update(tx, tenant, &account).await?;
            for sid in provider_sessions::list_by_user(tx, tenant, (&provider, user), now).await? {
                session::end(tx, tenant, sid, now).await?;
            }
            audit::insert(tx, tenant, &entry).await?;
            Ok(left)
        })
    })
    .await
}

/// Signs an account out everywhere: every session and what came of it ends, and apps are told. Says how many sessions
/// that were.
///
/// Returns `Missing` when there is no such tenant or user, and `Conflict` when several users have the address.
pub async fn sign_out(db: &Db, (tenant, user): (&str, &str), author: &Author<'_>) -> Outcome<u64> {
    let mut tx = db.read().await?;
    let tenant = tenant_of(&mut tx, tenant).await?.tenant.id;
    let user = find(&mut tx, tenant, user).await?.id;
    drop(tx);
    let now = author.now;
    let entry = Arc::new(entry(author, "signOutEverywhere", user, &json!({})));
    db.write(move |tx| {
        let entry = Arc::clone(&entry);
        Box::pin(async move {
            let ended = session::end_everywhere(tx, tenant, user, now).await?;
            audit::insert(tx, tenant, &entry).await?;
            Ok(ended)
        })
    })
    .await
}

/// Takes the identities away, unless nothing would be left.
fn without(
    config: &TenantConfig,
    account: &mut User,
    (provider, has_password): (&str, bool),
) -> Outcome<Vec<String>> {
    let theirs = |identity: &ObjectIdentity| {
        let mut makers = makers(config, identity);
        identity.issuer == provider || makers.any(|maker| maker.id.as_str() == provider)
    };
    if !account.identities.iter().any(theirs) {
        let text = format!("the account has no identity of a provider “{provider}”");
        return Err(Fault::missing("provider", text));
    }
    account.identities.retain(|identity| !theirs(identity));
    let left: Vec<String> = ways(config, account, has_password).iter().map(name).collect();
    if left.is_empty() {
        let text = "nothing would lead into the account any more; disable or delete it instead";
        return Err(Fault::conflict("provider", text));
    }
    Ok(left)
}

fn entry(author: &Author<'_>, action: &str, user: UserId, detail: &Value) -> EntryRow {
    by_author(author, action, ("user", user.to_string()), detail)
}
