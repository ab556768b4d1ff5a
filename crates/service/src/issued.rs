//! Tokens of this server that somebody shows again: to be told what they are good for (RFC 7662), or to have them end
//! (RFC 7009). What a token is counts, never what the caller says that it is; an ID token is neither.

use serde_json::{Map, Value};
use vestibule_crypto::claims::{audiences, check_times, seconds};
use vestibule_crypto::digest::sha256;
use vestibule_rules::directory::application::Platform;
use vestibule_rules::directory::user::User;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, GrantId};
use vestibule_rules::oauth::error::OAuthError;
use vestibule_rules::oauth::scope::Scope;
use vestibule_rules::oauth::token;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::grants::{self, FamilyRow, RefreshRow};
use vestibule_store::{ReadTx, spent_tokens, users};

use crate::consent;
use crate::env::Site;
use crate::visit::Visit;

/// Parameters of both endpoints that occur at most once (security.md S8).
pub(crate) const KNOWN: &[&str] =
    &["token", "token_type_hint", "client_id", "client_secret", "client_assertion", "client_assertion_type"];

/// A token that this server gave out for the tenant.
pub(crate) enum Issued {
    Access(AccessToken),
    Refresh(Box<RefreshToken>),
}

/// An access token whose signature, issuer and times are good.
pub(crate) struct AccessToken {
    pub(crate) claims: Map<String, Value>,
    /// The application that holds it.
    pub(crate) client: ClientId,
    /// The resource that it is for.
    pub(crate) audience: ClientId,
    /// The grant that it came of; a token of an application itself came of none.
    pub(crate) grant: Option<GrantId>,
}

/// A refresh token as it is stored.
pub(crate) struct RefreshToken {
    pub(crate) row: RefreshRow,
    pub(crate) family: FamilyRow,
    pub(crate) platform: Platform,
}

/// Finds out what a token is; nothing when it is none of the tenant's, or its time is over.
pub(crate) async fn read(site: &Site, visit: &Visit, token: &str) -> Outcome<Option<Issued>> {
    if let Some(platform) = token::platform_of(token) {
        return Ok(refresh(site, visit, token, platform)
            .await?
            .map(|found| Issued::Refresh(Box::new(found))));
    }
    let verified = site.keyring.verify_own(&site.env, visit.tenant_id(), token).await?;
    Ok(verified.ok().and_then(|claims| AccessToken::read(visit, claims)).map(Issued::Access))
}

async fn refresh(
    site: &Site,
    visit: &Visit,
    token: &str,
    platform: Platform,
) -> Outcome<Option<RefreshToken>> {
    let tenant = visit.tenant_id();
    let mut tx = site.env.db.read().await?;
    let digest = sha256(token.as_bytes());
    let Some(row) = grants::find_refresh(&mut tx, tenant, &digest).await? else { return Ok(None) };
    let family = grants::find_family(&mut tx, tenant, row.grant_id).await?;
    let family = family.filter(|family| family.issuer == visit.issuer());
    Ok(family.map(|family| RefreshToken { row, family, platform }))
}

impl AccessToken {
    fn read(visit: &Visit, claims: Map<String, Value>) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        check_times(&claims, visit.now, Span::default()).ok()?;
        // The issuer names origin and tenant (security.md S62). Only access tokens have an authorized party.
        (text("iss") == Some(&visit.issuer())).then_some(())?;
        let client = ClientId::parse(text("azp")?)?;
        let audience = match audiences(&claims).ok()?.as_slice() {
            [audience] => ClientId::parse(audience)?,
            _ => return None,
        };
        let grant = match text("rh") {
            Some(grant) => Some(GrantId::parse(grant)?),
            None if text("idtyp") == Some("app") => None,
            None => return None,
        };
        Some(Self { claims, client, audience, grant })
    }

    /// What names it among spent tokens, and when it can be forgotten there.
    pub(crate) fn name(&self) -> Option<([u8; 32], Timestamp)> {
        let uti = self.claims.get("uti").and_then(Value::as_str)?;
        let expires_at = seconds(&self.claims, "exp").ok().flatten()?;
        Some((sha256(format!("access token|{uti}").as_bytes()), expires_at))
    }

    /// Whether it is good still: nothing that it rests on was taken back (security.md S68).
    pub(crate) async fn is_active(&self, site: &Site, visit: &Visit) -> Outcome<bool> {
        if !is_enabled(visit, self.client) {
            return Ok(false);
        }
        let tenant = visit.tenant_id();
        let mut tx = site.env.db.read().await?;
        let Some(grant) = self.grant else {
            return match self.name() {
                Some((digest, _)) => Ok(!spent_tokens::is_spent(&mut tx, tenant, &digest).await?),
                None => Ok(false),
            };
        };
        match grants::find_family(&mut tx, tenant, grant).await? {
            Some(family) => Ok(backed(&mut tx, visit, &family).await?.is_ok()),
            None => Ok(false),
        }
    }
}

impl RefreshToken {
    /// When it dies: of idleness or with its family.
    pub(crate) fn expires_at(&self) -> Timestamp {
        self.row.expires_at.min(self.family.expires_at)
    }

    /// The person behind it, while it is good.
    pub(crate) async fn holder(&self, site: &Site, visit: &Visit) -> Outcome<Option<User>> {
        let over = self.row.used_at.is_some() || visit.now >= self.expires_at();
        if over || !is_enabled(visit, self.row.client_id) {
            return Ok(None);
        }
        let mut tx = site.env.db.read().await?;
        Ok(backed(&mut tx, visit, &self.family).await?.ok())
    }
}

fn is_enabled(visit: &Visit, client: ClientId) -> bool {
    visit.tenant.application(client).is_some_and(|app| app.service_principal.account_enabled)
}

/// The person behind a grant, if the grant and the person still stand.
async fn backed(
    tx: &mut ReadTx,
    visit: &Visit,
    family: &FamilyRow,
) -> Outcome<Result<User, Option<OAuthError>>> {
    if family.revoked_at.is_some() {
        return Ok(Err(None));
    }
    let scope = Scope::restore(&family.scope, &visit.tenant.config.applications);
    let whose = (family.client_id, family.user_id);
    if consent::remaining(tx, visit, whose, &scope).await?.is_none() {
        return Ok(Err(None));
    }
    let user = users::find(tx, visit.tenant_id(), family.user_id).await?;
    Ok(token::check_user(user.as_ref(), family.created_at).cloned().map_err(Some))
}
