//! Sign-in sessions of a tenant in a browser. The cookie's value is random and stored as a digest only.
//!
//! A browser has one cookie and may have several accounts: the cookie leads to the session that is in use, and from
//! there to those beside it. Whatever changes who is in use, or who is there at all, changes the cookie, and the old
//! one leads to nobody (security.md S86).

mod browser;
mod own;
mod turnover;

use vestibule_crypto::digest;
use vestibule_rules::directory::session_lifetimes::Lifetime;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, ProviderId, SessionId, TenantId, UserId};
use vestibule_rules::journey::facts::Authenticated;
use vestibule_rules::text::Secret;
use vestibule_rules::time::Timestamp;
use vestibule_store::sessions::{self, SessionRow};
use vestibule_store::{WriteTx, grants, provider_sessions, users};

use crate::env::Site;
use crate::hop::SessionCookie;
use crate::visit::Visit;

pub use browser::{Browser, SignedIn, of_browser};
pub use own::{OwnAccount, own, sign_out_everywhere};
pub(crate) use turnover::{Change, Turnover};

/// A living session of an enabled user.
#[derive(Clone, Debug)]
pub struct Session {
    pub user: UserId,
    pub sid: SessionId,
    pub auth_time: Timestamp,
    pub amr: Vec<String>,
    pub provider: Option<ProviderId>,
    /// Whether it outlives the browser.
    pub persistent: bool,
    /// What it is stored under.
    pub(crate) digest: Vec<u8>,
}

impl Session {
    fn of(row: SessionRow) -> Self {
        Self {
            user: row.user_id,
            sid: row.sid,
            auth_time: row.auth_time,
            amr: row.amr.split_whitespace().map(str::to_owned).collect(),
            provider: row.provider.map(ProviderId::new),
            persistent: row.persistent,
            digest: row.digest,
        }
    }
}

/// A session that is about to begin.
#[derive(Clone)]
pub struct NewSession {
    pub row: SessionRow,
    pub cookie: SessionCookie,
    /// When it ends at the latest.
    pub until: Timestamp,
}

impl NewSession {
    /// Makes it the going on of a session that has a name already.
    pub const fn is_of(&mut self, sid: SessionId) {
        self.row.sid = sid;
    }
}

/// The digest under which a session is stored.
pub fn digest_of(value: &Secret<String>) -> Vec<u8> {
    digest::sha256(value.expose().as_bytes()).to_vec()
}

/// Who is signed in in this browser and in use. A session of a user who was deleted, disabled or signed out everywhere
/// is dead at once (security.md S87).
pub async fn find(site: &Site, visit: &Visit) -> Outcome<Option<Session>> {
    Ok(of_browser(site, visit).await?.into_in_use().map(|found| found.session))
}

/// How long sessions of the tenant last.
fn lifetime(site: &Site, visit: &Visit, persistent: bool) -> Lifetime {
    let usual = &site.settings.lifetimes;
    let usual = if persistent { usual.persistent_session } else { usual.session };
    visit.tenant.config.tenant.session_lifetimes.of(persistent, usual)
}

/// Notes that an application made use of a session, which lives on from now; `false` when it has ended meanwhile.
pub(crate) async fn touch(
    tx: &mut WriteTx,
    tenant: TenantId,
    digest: &[u8],
    (now, ends_at): (Timestamp, Timestamp),
) -> Outcome<bool> {
    let row = sessions::find(tx, tenant, digest).await?;
    if row.is_none_or(|row| row.revoked_at.is_some() || row.expires_at <= now) {
        return Ok(false);
    }
    sessions::touch(tx, tenant, digest, now, ends_at).await?;
    Ok(true)
}

/// When a session ends that is made use of now.
pub(crate) fn ends_at(site: &Site, visit: &Visit, session: &Session) -> Timestamp {
    lifetime(site, visit, session.persistent).ends_at(session.auth_time, visit.now)
}

/// What a browser shows to pages that watch a session (OpenID Connect Session Management 1.0 §3.2): it changes when the
/// cookie does, and opens nothing. `cookie` is the cookie's digest.
pub fn browser_state(site: &Site, cookie: &[u8]) -> String {
    let parts = [b"browser state".as_slice(), cookie];
    digest::base64url(&digest::hmac_parts(&site.env.derived.page, &parts))
}

/// The `session_state` that an app compares with what the browser shows later (§4.2). The page of [`browser_state`]
/// computes the same.
pub fn session_state(site: &Site, client: ClientId, origin: &str, cookie: &[u8]) -> String {
    let salt = digest::base64url(&site.env.random::<9>());
    let text = format!("{client} {origin} {} {salt}", browser_state(site, cookie));
    format!("{}.{salt}", digest::base64url(&digest::sha256(text.as_bytes())))
}

/// Prepares a session for somebody who just signed in. The value is new at every sign-in, so a planted
/// cookie never becomes an authenticated one (security.md A39).
pub fn begin(
    site: &Site,
    visit: &Visit,
    authenticated: &Authenticated,
    auth_time: Timestamp,
    stay: bool,
) -> NewSession {
    let lifetime = lifetime(site, visit, stay);
    let value = Secret::new(digest::token(site.env.random()));
    let row = SessionRow {
        sid: SessionId::from_random(site.env.random()),
        user_id: authenticated.user,
        digest: digest_of(&value),
        auth_time,
        amr: authenticated.amr.join(" "),
        provider: authenticated.provider.as_ref().map(|p| p.0.clone()),
        persistent: stay,
        created_at: visit.now,
        expires_at: lifetime.ends_at(auth_time, visit.now),
        last_seen_at: visit.now,
        revoked_at: None,
        browser_id: None,
    };
    let state = browser_state(site, &row.digest);
    let persistent = stay.then_some(lifetime.absolute);
    let cookie = SessionCookie::Set { value, persistent, state };
    NewSession { row, cookie, until: auth_time + lifetime.absolute }
}

/// Ends a session with what applications got in it, and notes that they are to be told.
pub(crate) async fn end(tx: &mut WriteTx, tenant: TenantId, sid: SessionId, now: Timestamp) -> Outcome<()> {
    sessions::revoke_sid(tx, tenant, sid, now).await?;
    provider_sessions::remove(tx, tenant, sid).await?;
    grants::revoke_families_of_session(tx, tenant, sid, now).await.map(drop)
}

/// Ends every session of a user with what applications got, and notes that they are to be told. Whoever is about to
/// come in with a sign-in of before does not.
pub(crate) async fn end_everywhere(
    tx: &mut WriteTx,
    tenant: TenantId,
    user: UserId,
    now: Timestamp,
) -> Outcome<u64> {
    users::revoke_sessions(tx, tenant, user, now).await?;
    let ended = sessions::revoke_for_user(tx, tenant, user, now).await?;
    grants::revoke_families_of_user(tx, tenant, user, now).await?;
    Ok(ended)
}
