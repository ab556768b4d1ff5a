//! Applications that register themselves and keep their registration (RFC 7591, RFC 7592).
//!
//! Off unless the tenant says otherwise. Registering takes an initial access token, of which each use is spent in the
//! transaction that adds the application; a registration access token changes the one application that it was given to,
//! and nothing of the tenant's policy (security.md S91). What an application names is fetched as a stranger's wish: only
//! the public Internet is reached.

pub mod clients;
mod fetch;
pub mod tokens;

use serde_json::{Map, Value, json};
use vestibule_crypto::digest::{base64url, hint, secret_hash, token, verify_secret};
use vestibule_crypto::registered_key::RegisteredKey;
use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::directory::check::{self, PathStep};
use vestibule_rules::directory::credential::{AuthMethod, KeyCredential};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, ObjectId};
use vestibule_rules::oauth::error::{self, OAuthError};
use vestibule_rules::oauth::registration::{self, Identity, Metadata, accept};
use vestibule_rules::text::Secret;
use vestibule_rules::time::Span;
use vestibule_store::registered_clients::{self, ClientRow, LogoRow};
use vestibule_store::{grants, tenants};

use self::clients::{Stored, entry};
use crate::directory::secret::seal_of_application;
use crate::env::Site;
use crate::ports::outbound::Whose;
use crate::throttle::Limit;
use crate::token::{Refusal, digest_of};
use crate::visit::Visit;

/// Where applications register, below the tenant's address.
pub const ENDPOINT: &str = "/oauth2/v2.0/register";
/// Applications that one network may register in an hour without an initial access token.
const OPEN_REGISTRATIONS: i64 = 10;
/// Keys that an application may register.
const MOST_KEYS: usize = 10;

/// Whether applications may register themselves in the tenant.
pub fn is_on(visit: &Visit) -> bool {
    visit.tenant.config.tenant.client_registration.is_enabled
}

/// Who chose the addresses of an application.
pub(crate) fn chosen_by(app: &Application<PasswordCredential>) -> Whose {
    if app.registered.is_some() { Whose::Stranger } else { Whose::Administrator }
}

/// Registers an application: what stands, its secret and its registration access token, which are told this once.
pub async fn register(
    site: &Site,
    visit: &Visit,
    bearer: Option<Secret<String>>,
    sent: &Map<String, Value>,
) -> Result<Value, Refusal> {
    let initial = admit(site, visit, bearer.as_ref()).await?;
    let metadata = accept(sent, &visit.tenant.config.tenant)?;
    let client = ClientId::from_random(site.env.random());
    let mut draft = Draft::new(site, client, metadata);
    draft.complete(site, visit, None).await?;
    let token = token(site.env.random());
    let row = ClientRow {
        client_id: client,
        doc: draft.stored.to_json()?,
        token_digest: digest_of(&token),
        enabled: true,
        revision: 1,
        created_at: visit.now,
        updated_at: visit.now,
    };
    insert(site, visit, (&row, draft.logo.clone()), initial).await?;
    site.directory.poll(&site.env.db).await?;
    Ok(answer(visit, &row, &draft, &token))
}

/// Whether whoever asks may register something: the digest of the token that this will spend.
async fn admit(
    site: &Site,
    visit: &Visit,
    bearer: Option<&Secret<String>>,
) -> Result<Option<(Vec<u8>, ObjectId)>, Refusal> {
    let Some(bearer) = bearer else {
        if !visit.tenant.config.tenant.client_registration.is_open {
            return Err(error::INITIAL_TOKEN.into());
        }
        let limit = Limit::new(&site.env, "register", &visit.network(), Span::hours(1), OPEN_REGISTRATIONS);
        let spent = Limit::spend(&site.env, visit.tenant_id(), vec![limit], visit.now).await?;
        spent.map_err(Fault::throttled)?;
        return Ok(None);
    };
    let digest = digest_of(bearer.expose());
    let mut tx = site.env.db.glance().await?;
    let found = registered_clients::good_token(&mut tx, visit.tenant_id(), &digest, visit.now).await?;
    Ok(Some((digest, found.ok_or(error::INITIAL_TOKEN)?)))
}

async fn insert(
    site: &Site,
    visit: &Visit,
    (row, logo): (&ClientRow, Option<LogoRow>),
    initial: Option<(Vec<u8>, ObjectId)>,
) -> Result<(), Refusal> {
    let (tenant, now, row) = (visit.tenant_id(), visit.now, row.clone());
    let most = i64::from(visit.tenant.config.tenant.client_registration.most_clients);
    let actor =
        initial.as_ref().map_or_else(|| "anybody".to_owned(), |(_, id)| format!("registration token:{id}"));
    let entry = entry(&site.env, visit, (&actor, "registered"), row.client_id);
    let done = site.env.db.write(move |tx| {
        let (row, logo, initial, entry) = (row.clone(), logo.clone(), initial.clone(), entry.clone());
        Box::pin(async move {
            // The tenant's version, advanced first, keeps everybody else from counting now.
            tenants::advance(tx, tenant).await?;
            if let Some((digest, _)) = &initial
                && !registered_clients::spend_token(tx, tenant, digest, now).await?
            {
                return Ok(Err(error::INITIAL_TOKEN));
            }
            if registered_clients::count(tx, tenant).await? >= most {
                return Err(Fault::forbidden(
                    "the tenant has as many registered applications as it may have",
                ));
            }
            registered_clients::insert(tx, tenant, &row).await?;
            registered_clients::set_logo(tx, tenant, row.client_id, logo.as_ref()).await?;
            vestibule_store::audit::insert(tx, tenant, &entry).await?;
            Ok(Ok(()))
        })
    });
    Ok(done.await??)
}

/// What is registered of an application.
pub async fn read(
    site: &Site,
    visit: &Visit,
    client: &str,
    bearer: Option<Secret<String>>,
) -> Result<Value, Refusal> {
    let (row, token) = own(site, visit, client, bearer).await?;
    let draft = Draft { stored: Stored::read(&row)?, secret: None, logo: None };
    Ok(answer(visit, &row, &draft, token.expose()))
}

/// Replaces what an application registered (RFC 7592 §2.2). Its secret stays, unless it now needs another kind of one.
pub async fn update(
    site: &Site,
    visit: &Visit,
    (client, bearer): (&str, Option<Secret<String>>),
    sent: &Map<String, Value>,
) -> Result<Value, Refusal> {
    let (row, token) = own(site, visit, client, bearer).await?;
    let before = Stored::read(&row)?;
    check_names(sent, &before)?;
    let metadata = accept(sent, &visit.tenant.config.tenant)?;
    let mut draft =
        Draft { stored: Stored { metadata, identity: before.identity.clone() }, secret: None, logo: None };
    draft.complete(site, visit, Some(&before)).await?;
    let (tenant, now, revision) = (visit.tenant_id(), visit.now, row.revision);
    let (doc, logo, id) = (draft.stored.to_json()?, draft.logo.clone(), row.client_id);
    let fresh_logo = draft.stored.identity.logo != before.identity.logo;
    let entry = entry(&site.env, visit, (&format!("client:{id}"), "changed"), id);
    let write = site.env.db.write(move |tx| {
        let (doc, logo, entry) = (doc.clone(), logo.clone(), entry.clone());
        Box::pin(async move {
            tenants::advance(tx, tenant).await?;
            if !registered_clients::update(tx, tenant, (id, revision), &doc, now).await? {
                return Err(Fault::stale("the registration was changed or disabled meanwhile"));
            }
            if fresh_logo {
                registered_clients::set_logo(tx, tenant, id, logo.as_ref()).await?;
            }
            vestibule_store::audit::insert(tx, tenant, &entry).await
        })
    });
    write.await?;
    site.directory.poll(&site.env.db).await?;
    Ok(answer(visit, &row, &draft, token.expose()))
}

/// An application says who it is in what it replaces, and cannot become another one (RFC 7592 §2.2).
fn check_names(sent: &Map<String, Value>, before: &Stored) -> Result<(), OAuthError> {
    let own = sent.get("client_id").and_then(Value::as_str).and_then(ClientId::parse);
    let secret = match sent.get("client_secret") {
        None => true,
        Some(shown) => shown.as_str().is_some_and(|shown| {
            let shown = Secret::new(shown.to_owned());
            before.identity.secret.as_ref().is_some_and(|kept| verify_secret(&shown, &kept.hash))
        }),
    };
    if own == Some(before.identity.client) && secret { Ok(()) } else { Err(error::METADATA_CLIENT) }
}

/// Takes an application away, and everything that it was given (RFC 7592 §2.3).
pub async fn remove(
    site: &Site,
    visit: &Visit,
    client: &str,
    bearer: Option<Secret<String>>,
) -> Result<(), Refusal> {
    let (row, _) = own(site, visit, client, bearer).await?;
    let (tenant, now, id) = (visit.tenant_id(), visit.now, row.client_id);
    let entry = entry(&site.env, visit, (&format!("client:{id}"), "removed"), id);
    let write = site.env.db.write(move |tx| {
        let entry = entry.clone();
        Box::pin(async move {
            tenants::advance(tx, tenant).await?;
            registered_clients::remove(tx, tenant, id).await?;
            grants::revoke_families_of_client(tx, tenant, id, now).await?;
            vestibule_store::audit::insert(tx, tenant, &entry).await
        })
    });
    write.await?;
    site.directory.poll(&site.env.db).await?;
    Ok(())
}

/// The application whose token it is. An application that is not there, and one of somebody else's, are answered alike.
async fn own(
    site: &Site,
    visit: &Visit,
    client: &str,
    bearer: Option<Secret<String>>,
) -> Result<(ClientRow, Secret<String>), Refusal> {
    let bearer = bearer.ok_or(error::REGISTRATION_TOKEN)?;
    let client = ClientId::parse(client).ok_or(error::REGISTRATION_TOKEN)?;
    let mut tx = site.env.db.glance().await?;
    let row = registered_clients::find(&mut tx, visit.tenant_id(), client).await?;
    // Digests of 256 random bits: how long the comparison takes tells nothing about them.
    let row =
        row.filter(|row| row.token_digest == digest_of(bearer.expose())).ok_or(error::REGISTRATION_TOKEN)?;
    if row.enabled { Ok((row, bearer)) } else { Err(Fault::forbidden("the application is disabled").into()) }
}

/// The logo of an application, as its pages show it.
pub async fn logo(site: &Site, visit: &Visit, client: &str) -> Outcome<LogoRow> {
    let missing = || Fault::missing("logo", "the application has no logo");
    let client = ClientId::parse(client).ok_or_else(missing)?;
    let app = visit.tenant.application(client).filter(|app| app.service_principal.account_enabled);
    app.ok_or_else(missing)?;
    let mut tx = site.env.db.glance().await?;
    registered_clients::find_logo(&mut tx, visit.tenant_id(), client).await?.ok_or_else(missing)
}

/// A registration in the making.
struct Draft {
    stored: Stored,
    /// A secret that is new.
    secret: Option<Secret<String>>,
    logo: Option<LogoRow>,
}

impl Draft {
    fn new(site: &Site, client: ClientId, metadata: Metadata) -> Self {
        let identity = Identity {
            client,
            object: ObjectId::from_random(site.env.random()),
            principal: ObjectId::from_random(site.env.random()),
            secret: None,
            keys: Vec::new(),
            logo: None,
        };
        Self { stored: Stored { metadata, identity }, secret: None, logo: None }
    }

    /// Keys, secret and what is fetched; then every check of configured applications.
    async fn complete(&mut self, site: &Site, visit: &Visit, before: Option<&Stored>) -> Result<(), Refusal> {
        self.stored.identity.keys = keys(site, &self.stored.metadata)?;
        self.credential(site, visit)?;
        let policy = &visit.tenant.config.tenant.client_registration;
        let app = registration::application(&self.stored.metadata, &self.stored.identity, policy, true);
        if let Some(problem) = check::registered(&visit.tenant.config, &app).first() {
            tracing::info!(%problem, "a registration is refused");
            return Err(error_of(&problem.path).into());
        }
        // Last: nothing is fetched for what would be refused anyway.
        if let Some(uri) = &self.stored.metadata.sector_identifier_uri {
            fetch::check_sector(site, uri, &self.stored.metadata.redirect_uris).await?;
        }
        let known = before.and_then(|before| before.metadata.logo_uri.as_ref());
        match &self.stored.metadata.logo_uri {
            Some(uri) if Some(uri) == known => {}
            Some(uri) => {
                let (digest, logo) = fetch::logo(site, uri).await?;
                (self.stored.identity.logo, self.logo) = (Some(digest), Some(logo));
            }
            None => self.stored.identity.logo = None,
        }
        Ok(())
    }

    /// A secret for whoever needs one and has none of this kind.
    fn credential(&mut self, site: &Site, visit: &Visit) -> Outcome<()> {
        let method = self.stored.metadata.token_endpoint_auth_method.as_deref();
        let method = method.and_then(registration::auth_method);
        let identity = &mut self.stored.identity;
        if !method.is_some_and(AuthMethod::needs_secret) {
            identity.secret = None;
            return Ok(());
        }
        let signs = method == Some(AuthMethod::ClientSecretJwt);
        if let Some(kept) = &mut identity.secret {
            if !signs {
                // What only has to be compared is not kept.
                kept.sealed = None;
                return Ok(());
            }
            if kept.sealed.is_some() {
                return Ok(());
            }
        }
        // Long enough for every hash that it may sign with (security.md S47).
        let secret = Secret::new(base64url(&site.env.random::<64>()));
        let whose = (visit.tenant_id(), identity.client);
        let sealed = if signs { Some(seal_of_application(&site.env.sealing, whose, &secret)?) } else { None };
        identity.secret = Some(PasswordCredential {
            key_id: ObjectId::from_random(site.env.random()),
            display_name: None,
            hint: hint(&secret),
            hash: secret_hash(&secret, site.env.random()),
            sealed,
            start_at: None,
            end_at: None,
        });
        self.secret = Some(secret);
        Ok(())
    }
}

/// The public keys that an application sent. One that cannot be used is told now and not when somebody signs in.
fn keys(site: &Site, metadata: &Metadata) -> Result<Vec<KeyCredential>, OAuthError> {
    let Some(set) = &metadata.jwks else { return Ok(Vec::new()) };
    let list = set.get("keys").and_then(Value::as_array).ok_or(error::METADATA_METHOD)?;
    if list.is_empty() || list.len() > MOST_KEYS {
        return Err(error::METADATA_METHOD);
    }
    let signs = |jwk: &&Value| jwk.get("use").is_none_or(|of| of == "sig");
    let one = |jwk: &Value| {
        let jwk = jwk.as_object().filter(|jwk| !jwk.contains_key("d") && !jwk.contains_key("k"))?;
        RegisteredKey::from_jwk(jwk).ok()?;
        Some(KeyCredential {
            key_id: ObjectId::from_random(site.env.random()),
            display_name: None,
            jwk: jwk.clone(),
            start_at: None,
            end_at: None,
        })
    };
    list.iter().filter(signs).map(|jwk| one(jwk).ok_or(error::METADATA_METHOD)).collect()
}

/// What is wrong, by the place in a tenant's file where it would be wrong.
fn error_of(path: &[PathStep]) -> OAuthError {
    let is = |step: Option<&PathStep>, names: &[&str]| matches!(step, Some(PathStep::Key(key)) if names.contains(&key.as_str()));
    if is(path.get(1), &["redirectUris"]) {
        error::REGISTERED_REDIRECT
    } else if is(path.first(), &["displayName"]) {
        error::METADATA_NAME
    } else if is(path.first(), &["tokenEndpointAuthMethod"]) {
        error::METADATA_METHOD
    } else if is(path.get(1), &["implicitGrantSettings"]) {
        error::METADATA_GRANTS
    } else {
        error::METADATA_ADDRESS
    }
}

/// The client information response (RFC 7591 §3.2.1, RFC 7592 §3). A secret is in it when it is new: only its hash is
/// kept.
fn answer(visit: &Visit, row: &ClientRow, draft: &Draft, token: &str) -> Value {
    let Ok(Value::Object(mut told)) = serde_json::to_value(&draft.stored.metadata) else {
        return Value::Null;
    };
    let base = format!("{}{}{ENDPOINT}", visit.origin, visit.segments.path());
    told.insert("client_id".to_owned(), json!(row.client_id));
    told.insert("client_id_issued_at".to_owned(), json!(row.created_at.seconds()));
    told.insert("registration_access_token".to_owned(), json!(token));
    told.insert("registration_client_uri".to_owned(), json!(format!("{base}/{}", row.client_id)));
    if draft.stored.identity.secret.is_some() {
        told.insert("client_secret_expires_at".to_owned(), json!(0));
    }
    if let Some(secret) = &draft.secret {
        told.insert("client_secret".to_owned(), json!(secret.expose()));
    }
    Value::Object(told)
}
