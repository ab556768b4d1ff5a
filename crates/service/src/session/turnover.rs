//! What becomes of the sessions behind a cookie when the cookie changes.

use vestibule_crypto::digest;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{BrowserId, SessionId, TenantId};
use vestibule_rules::oauth::account::MOST;
use vestibule_rules::text::Secret;
use vestibule_rules::time::Timestamp;
use vestibule_store::WriteTx;
use vestibule_store::sessions;

use super::{Browser, NewSession, SignedIn, browser_state, digest_of, end, lifetime};
use crate::env::Site;
use crate::hop::SessionCookie;
use crate::visit::Visit;

/// Rows that change, in the order in which they do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turnover {
    /// Sessions that end here because a newer one of the same person takes their place, and what a dead cookie led to.
    leaves: Vec<Vec<u8>>,
    /// Digests that sessions had, and those that they get.
    moves: Vec<(Vec<u8>, Vec<u8>)>,
    /// A session that has company now.
    joins: Option<(Vec<u8>, BrowserId)>,
    /// Sessions that end with all that came of them.
    ends: Vec<SessionId>,
}

/// A turnover, and the cookie that it leads to.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) rows: Turnover,
    pub(crate) cookie: SessionCookie,
}

impl Turnover {
    pub(crate) async fn write(&self, tx: &mut WriteTx, tenant: TenantId, now: Timestamp) -> Outcome<()> {
        for digest in &self.leaves {
            sessions::leave(tx, tenant, digest, now).await?;
        }
        if let Some((digest, browser)) = &self.joins {
            sessions::join(tx, tenant, digest, *browser).await?;
        }
        for (old, new) in &self.moves {
            sessions::replace_cookie(tx, tenant, (old, new)).await?;
        }
        for sid in &self.ends {
            end(tx, tenant, *sid, now).await?;
        }
        Ok(())
    }

    /// Puts a session that begins beside those of other people, or in the place of its person's own.
    pub(crate) fn beside(site: &Site, here: &Browser, new: &mut NewSession) -> Self {
        let mut rows = Self::default();
        let (own, mut others): (Vec<&SignedIn>, Vec<&SignedIn>) =
            here.accounts.iter().partition(|found| found.session.user == new.row.user_id);
        rows.leaves.extend(own.iter().map(|found| found.session.digest.clone()));
        rows.part_with_cookie(site, here, None);
        rows.ends.extend(others.iter().skip(MOST - 1).map(|found| found.session.sid));
        others.truncate(MOST - 1);
        if others.is_empty() {
            return rows;
        }
        let browser = here.id.unwrap_or_else(|| BrowserId::from_random(site.env.random()));
        if here.id.is_none() {
            rows.joins = here.cookie.clone().map(|cookie| (cookie, browser));
        }
        new.row.browser_id = Some(browser);
        if others.iter().any(|found| !found.session.persistent) {
            forget_on_close(&mut new.cookie);
        }
        rows
    }

    /// Makes sure that the cookie of before leads to nobody; `stays` is a session that gets the new one.
    fn part_with_cookie(&mut self, site: &Site, here: &Browser, stays: Option<&[u8]>) {
        let Some(cookie) = here.cookie.as_deref().filter(|cookie| Some(*cookie) != stays) else { return };
        if self.leaves.iter().any(|left| left == cookie) {
            return;
        }
        if here.in_use().is_some() {
            self.moves.push((cookie.to_vec(), nobodys(site)));
        } else {
            self.leaves.push(cookie.to_vec());
        }
    }
}

impl Change {
    /// An account that is there comes into use.
    pub(crate) fn switch(site: &Site, visit: &Visit, here: &Browser, to: &SignedIn) -> Self {
        let value = Secret::new(digest::token(site.env.random()));
        let mut rows = Turnover::default();
        rows.part_with_cookie(site, here, Some(&to.session.digest));
        let digest = digest_of(&value);
        rows.moves.push((to.session.digest.clone(), digest.clone()));
        let cookie = cookie_for(site, visit, here.accounts.iter(), (value, &digest));
        Self { rows, cookie }
    }

    /// Accounts leave. Nobody takes the place of the one in use without being chosen.
    pub(crate) fn sign_out(site: &Site, visit: &Visit, here: &Browser, ends: &[SessionId]) -> Self {
        let rows = Turnover { ends: ends.to_vec(), ..Turnover::default() };
        let left: Vec<&SignedIn> =
            here.accounts.iter().filter(|found| !ends.contains(&found.session.sid)).collect();
        let Some(old) = here.cookie.as_ref().filter(|_| !left.is_empty()) else {
            return Self { rows, cookie: SessionCookie::Clear };
        };
        let value = Secret::new(digest::token(site.env.random()));
        let digest = digest_of(&value);
        let rows = Turnover { moves: vec![(old.clone(), digest.clone())], ..rows };
        let cookie = cookie_for(site, visit, left.into_iter(), (value, &digest));
        Self { rows, cookie }
    }
}

/// A cookie that outlives the browser only when everybody behind it wanted theirs to.
fn cookie_for<'a>(
    site: &Site,
    visit: &Visit,
    accounts: impl Iterator<Item = &'a SignedIn> + Clone,
    (value, digest): (Secret<String>, &[u8]),
) -> SessionCookie {
    let all_stay = accounts.clone().all(|found| found.session.persistent);
    let longest = accounts.map(|found| found.session.auth_time).max().unwrap_or(visit.now);
    let until = longest + lifetime(site, visit, true).absolute;
    let persistent = all_stay.then(|| until.since(visit.now));
    SessionCookie::Set { value, persistent, state: browser_state(site, digest) }
}

fn forget_on_close(cookie: &mut SessionCookie) {
    if let SessionCookie::Set { persistent, .. } = cookie {
        *persistent = None;
    }
}

/// A digest of a value that nobody has.
fn nobodys(site: &Site) -> Vec<u8> {
    digest_of(&Secret::new(digest::token(site.env.random())))
}
