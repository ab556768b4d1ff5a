//! Sign-in sessions of a tenant in a browser. The cookie's value is random and stored as a digest only.

use vestibule_crypto::digest;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, ProviderId, SessionId, UserId};
use vestibule_rules::journey::facts::Authenticated;
use vestibule_rules::text::Secret;
use vestibule_rules::time::Timestamp;
use vestibule_store::sessions::{self, SessionRow};
use vestibule_store::users;

use crate::env::Site;
use crate::hop::SessionCookie;
use crate::visit::Visit;

/// A living session of an enabled user.
#[derive(Clone, Debug)]
pub struct Session {
    pub user: UserId,
    pub sid: SessionId,
    pub auth_time: Timestamp,
    pub amr: Vec<String>,
    pub provider: Option<ProviderId>,
}

/// A session that is about to begin.
#[derive(Clone)]
pub struct NewSession {
    pub row: SessionRow,
    pub cookie: SessionCookie,
}

impl NewSession {
    /// Makes it the going on of a session that has a name already.
    pub fn is_of(&mut self, site: &Site, sid: SessionId) {
        self.row.sid = sid;
        if let SessionCookie::Set { state, .. } = &mut self.cookie {
            *state = browser_state(site, sid);
        }
    }
}

/// The digest under which a session is stored.
pub fn digest_of(value: &Secret<String>) -> Vec<u8> {
    digest::sha256(value.expose().as_bytes()).to_vec()
}

/// Who is signed in in this browser. A session of a user who was deleted, disabled or signed out everywhere
/// is dead at once (security.md S87).
pub async fn find(site: &Site, visit: &Visit) -> Outcome<Option<Session>> {
    let Some(value) = &visit.session else { return Ok(None) };
    let tenant = visit.tenant_id();
    let mut tx = site.env.db.read().await?;
    let Some(row) = sessions::find(&mut tx, tenant, &digest_of(value)).await? else { return Ok(None) };
    if row.revoked_at.is_some() || row.expires_at <= visit.now {
        return Ok(None);
    }
    let user = users::find(&mut tx, tenant, row.user_id).await?;
    let alive = user.is_some_and(|u| u.account_enabled && u.sessions_valid_from <= row.auth_time);
    Ok(alive.then(|| Session {
        user: row.user_id,
        sid: row.sid,
        auth_time: row.auth_time,
        amr: row.amr.split_whitespace().map(str::to_owned).collect(),
        provider: row.provider.map(ProviderId::new),
    }))
}

/// What a browser shows to pages that watch a session (OpenID Connect Session Management 1.0 §3.2): it changes when the
/// session does, and opens nothing.
pub fn browser_state(site: &Site, sid: SessionId) -> String {
    let sid = sid.uuid();
    let parts = [b"browser state".as_slice(), sid.as_bytes()];
    digest::base64url(&digest::hmac_parts(&site.env.derived.page, &parts))
}

/// The `session_state` that an app compares with what the browser shows later (§4.2). The page of [`browser_state`]
/// computes the same.
pub fn session_state(site: &Site, client: ClientId, origin: &str, sid: SessionId) -> String {
    let salt = digest::base64url(&site.env.random::<9>());
    let text = format!("{client} {origin} {} {salt}", browser_state(site, sid));
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
    let lifetimes = &site.settings.lifetimes;
    let lifetime = if stay { lifetimes.persistent_session } else { lifetimes.session };
    let value = Secret::new(digest::token(site.env.random()));
    let sid = SessionId::from_random(site.env.random());
    let row = SessionRow {
        sid,
        user_id: authenticated.user,
        digest: digest_of(&value),
        auth_time,
        amr: authenticated.amr.join(" "),
        provider: authenticated.provider.as_ref().map(|p| p.0.clone()),
        persistent: stay,
        created_at: visit.now,
        expires_at: visit.now + lifetime,
        last_seen_at: visit.now,
        revoked_at: None,
    };
    let state = browser_state(site, sid);
    NewSession { row, cookie: SessionCookie::Set { value, persistent: stay.then_some(lifetime), state } }
}
