//! The first start: tenants from their files, people with passwords. What is there already is left alone, so
//! that a change by `vestibule apply` survives the next start.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use vestibule_crypto::password;
use vestibule_rules::directory::address::Address;
use vestibule_rules::directory::user::{CreationType, ObjectIdentity, User, UserType};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{TenantId, UserId};
use vestibule_rules::text::Secret;
use vestibule_service::directory::{self, Actor, Author, MachineSecrets, Source, TenantView, snapshot};
use vestibule_service::env::Env;
use vestibule_service::ports::entropy::Draw as _;
use vestibule_store::users;

use super::cast::{self, Person, TENANTS, Tenant};
use super::describe::Origins;
use super::secrets::Secrets;
use crate::failure::{Done, Failure};

/// The demo's secrets by name.
pub(super) struct Known {
    pub(super) clients: BTreeMap<&'static str, Secret<String>>,
    pub(super) passwords: BTreeMap<&'static str, Secret<String>>,
}

/// Seeds what is missing.
pub(super) async fn seed(env: &Env, data: &Path, origins: &Origins) -> Done<Known> {
    let known = secrets(env, data)?;
    let before = snapshot::load(&env.db).await?;
    let missing: Vec<&Tenant> =
        TENANTS.iter().filter(|tenant| before.tenant(tenant.name).is_none()).collect();
    if missing.is_empty() {
        return Ok(known);
    }
    // Hashing takes longest, so it begins first; threads of its own give their memory back at once.
    let hashes = begin_hashing(env, &missing, &known);
    tenants(env, data, origins, &missing).await?;
    let after = snapshot::load(&env.db).await?;
    for hashing in hashes {
        let phc = hashing.thread.join().map_err(|_| Failure::new("hashing a password panicked"))??;
        let view = after.tenant(hashing.tenant);
        let view = view.ok_or_else(|| Failure::new(format!("the tenant {} was not made", hashing.tenant)))?;
        person(env, view, hashing.person, phc).await?;
    }
    Ok(known)
}

fn secrets(env: &Env, data: &Path) -> Done<Known> {
    let secrets = Secrets::open(data)?;
    let mut known = Known { clients: BTreeMap::new(), passwords: BTreeMap::new() };
    for tenant in &TENANTS {
        for name in tenant.apps.iter().filter_map(|app| app.secret) {
            known.clients.insert(name, secrets.client(name, &*env.entropy)?);
        }
        for person in tenant.people {
            known.passwords.insert(person.email, secrets.password(person.email, &*env.entropy)?);
        }
    }
    let name = cast::LAKESIDE_SECRET;
    known.clients.insert(name, secrets.client(name, &*env.entropy)?);
    Ok(known)
}

struct Hashing {
    tenant: &'static str,
    person: &'static Person,
    thread: std::thread::JoinHandle<Outcome<String>>,
}

fn begin_hashing(env: &Env, missing: &[&'static Tenant], known: &Known) -> Vec<Hashing> {
    let mut hashes = Vec::new();
    for tenant in missing {
        for person in tenant.people {
            if let Some(password) = known.passwords.get(person.email).cloned() {
                let salt = env.random();
                let thread = std::thread::spawn(move || password::hash(&password, salt));
                hashes.push(Hashing { tenant: tenant.name, person, thread });
            }
        }
    }
    hashes
}

/// Applies the files of the tenants as if somebody had typed `vestibule apply`.
async fn tenants(env: &Env, data: &Path, origins: &Origins, missing: &[&Tenant]) -> Done {
    let sources: Vec<Source> = missing
        .iter()
        .map(|tenant| Source {
            name: tenant.file_name.to_owned(),
            text: placed(tenant.file, origins),
            base: data.to_owned(),
        })
        .collect();
    let parsed = directory::parse(&sources, &MachineSecrets).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::new(format!("the demo's own files are not good:\n{}", lines.join("\n")))
    })?;
    let author = Author {
        actor: Actor::Operator,
        now: env.now(),
        correlation: env.guid().to_string(),
        entropy: &*env.entropy,
    };
    directory::apply(&env.db, &env.sealing, parsed, &author).await?;
    Ok(())
}

/// The file with the addresses of this demo in it. `{origin}` is the server's own word and stays.
fn placed(text: &str, origins: &Origins) -> String {
    text.replace("{app}", &origins.app).replace("{http}", &origins.http).replace("{https}", &origins.https)
}

async fn person(env: &Env, view: &TenantView, person: &Person, phc: String) -> Outcome<()> {
    let tenant = view.config.tenant.id;
    let now = env.now();
    let key = env.order_key(now);
    let address = Address::parse(person.email).map_err(|error| Fault::ours(error.to_string()))?;
    let id = UserId::from_random(env.entropy.bytes());
    let domain = view.config.tenant.default_domain();
    let principal = format!("{id}@{domain}");
    let identity = |kind: &str, assigned: &str| ObjectIdentity {
        sign_in_type: kind.to_owned(),
        issuer: domain.clone(),
        issuer_assigned_id: assigned.to_owned(),
    };
    let attributes = [
        ("givenName", person.given_name),
        ("surname", person.surname),
        ("city", person.city),
        ("country", person.country),
    ];
    let user = User {
        id,
        user_type: UserType::Member,
        creation_type: Some(CreationType::LocalAccount),
        external_user_state: None,
        account_enabled: true,
        display_name: Some(format!("{} {}", person.given_name, person.surname)),
        mail: Some(address.as_string()),
        identities: vec![
            identity(ObjectIdentity::EMAIL_ADDRESS, &address.as_string()),
            identity(ObjectIdentity::USER_PRINCIPAL_NAME, &principal),
        ],
        user_principal_name: principal,
        attributes: attributes.map(|(name, value)| (name.to_owned(), Value::from(value))).into(),
        created_at: now,
        sessions_valid_from: now,
        deleted_at: None,
        revision: 1,
    };
    insert(env, tenant, user, key, phc).await
}

async fn insert(env: &Env, tenant: TenantId, user: User, key: String, phc: String) -> Outcome<()> {
    env.db
        .write(move |tx| {
            let (user, key, phc) = (user.clone(), key.clone(), phc.clone());
            Box::pin(async move { users::insert(tx, tenant, &user, &key, Some(&phc)).await })
        })
        .await
}
