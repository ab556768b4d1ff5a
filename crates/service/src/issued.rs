//! Tokens of this server that somebody shows again: to be told what they are good for (RFC 7662), or to have them end
//! (RFC 7009). What a token is counts, never what the caller says that it is; an ID token is neither.

use serde_json::{Map, Value};
use vestibule_crypto::claims::{audiences, check_times, seconds};
use vestibule_crypto::digest::sha256;
use vestibule_rules::directory::application::Platform;
use vestibule_rules::directory::user::User;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, GrantId};
use vestibule_rules::oauth::scope::Scope;
use vestibule_rules::oauth::token::{self, Unbacked};
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

/// Why a grant is good for nothing any more (security.md S34, S68).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lapse {
    /// It is not there: it ended long ago, or it never was.
    Unknown,
    /// It was taken back: signed out of, used twice, or revoked by the application.
    Revoked,
    /// Who gave the application what it may do has taken that back.
    ConsentWithdrawn,
    /// The person does not stand behind it.
    Person(Unbacked),
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
        let found = refresh(site, visit, token, platform).await?;
        let found = found.filter(|found| found.family.issuer == visit.issuer());
        return Ok(found.map(|found| Issued::Refresh(Box::new(found))));
    }
    let verified = site.keyring.verify_own(&site.env, visit.tenant_id(), token).await?;
    Ok(verified.ok().and_then(|claims| AccessToken::read(visit, claims)).map(Issued::Access))
}

/// A refresh token of the tenant, by whichever of its issuers.
pub(crate) async fn refresh(
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
        let expires_at = seconds(&self.claims, "exp").ok().flatten()?;
        Some((access_token_digest(&self.claims)?, expires_at))
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
        Ok(backed_grant(&mut tx, visit, grant).await?.is_ok())
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

/// What names an access token among spent tokens.
pub(crate) fn access_token_digest(claims: &Map<String, Value>) -> Option<[u8; 32]> {
    let uti = claims.get("uti").and_then(Value::as_str)?;
    Some(sha256(format!("access token|{uti}").as_bytes()))
}

fn is_enabled(visit: &Visit, client: ClientId) -> bool {
    visit.tenant.application(client).is_some_and(|app| app.service_principal.account_enabled)
}

/// The person behind a grant that a token names.
pub(crate) async fn backed_grant(
    tx: &mut ReadTx,
    visit: &Visit,
    grant: GrantId,
) -> Outcome<Result<User, Lapse>> {
    match grants::find_family(tx, visit.tenant_id(), grant).await? {
        Some(family) => backed(tx, visit, &family).await,
        None => Ok(Err(Lapse::Unknown)),
    }
}

/// The person behind a grant, if the grant and the person still stand.
pub(crate) async fn backed(
    tx: &mut ReadTx,
    visit: &Visit,
    family: &FamilyRow,
) -> Outcome<Result<User, Lapse>> {
    if family.revoked_at.is_some() {
        return Ok(Err(Lapse::Revoked));
    }
    let scope = Scope::restore(&family.scope, &visit.tenant.config.applications);
    let whose = (family.client_id, family.user_id);
    if consent::remaining(tx, visit, whose, &scope).await?.is_none() {
        return Ok(Err(Lapse::ConsentWithdrawn));
    }
    let user = users::find(tx, visit.tenant_id(), family.user_id).await?;
    Ok(token::backing(user.as_ref(), family.created_at).cloned().map_err(Lapse::Person))
}
