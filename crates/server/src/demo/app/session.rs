//! Who is signed in at the app, and who is on the way there. In memory: a restart signs everybody out.
//!
//! The cookie is an opaque random name for what is kept here. A sign-in that was begun in one browser cannot
//! be finished in another (RFC 9700 §4.7).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use vestibule_rules::text::Secret;

use super::Site;

/// How many browsers and how many sign-ins under way are remembered; beyond that the oldest go.
const BROWSERS: usize = 10_000;
const PENDING: usize = 10_000;

/// Somebody who is signed in.
#[derive(Clone)]
pub(super) struct Session {
    /// The claims of the verified ID token, in its order.
    pub(super) claims: Vec<(String, String)>,
    pub(super) name: String,
    /// The ID token itself, as a hint when signing out.
    pub(super) id_token: Secret<String>,
}

/// A sign-in that was begun.
pub(super) struct Pending {
    pub(super) site: Site,
    pub(super) browser: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
}

#[derive(Default)]
pub(super) struct Sessions(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    browsers: HashMap<String, BTreeMap<Site, Session>>,
    browser_order: VecDeque<String>,
    pending: HashMap<String, Pending>,
    pending_order: VecDeque<String>,
}

impl Sessions {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is signed in at `site` in this browser.
    pub(super) fn find(&self, browser: &str, site: Site) -> Option<Session> {
        self.kept().browsers.get(browser)?.get(&site).cloned()
    }

    /// Remembers a sign-in under its `state`.
    pub(super) fn begin(&self, state: String, pending: Pending) {
        let mut kept = self.kept();
        if kept.pending_order.len() >= PENDING
            && let Some(oldest) = kept.pending_order.pop_front()
        {
            kept.pending.remove(&oldest);
        }
        kept.pending_order.push_back(state.clone());
        kept.pending.insert(state, pending);
    }

    /// Takes what was begun under `state` in this browser for this site. It can be taken once; somebody
    /// else's attempt takes nothing.
    pub(super) fn take(&self, state: &str, browser: &str, site: Site) -> Option<Pending> {
        let mut kept = self.kept();
        let own = kept.pending.get(state).is_some_and(|p| p.browser == browser && p.site == site);
        if own { kept.pending.remove(state) } else { None }
    }

    /// Signs somebody in and gives the browser a new name, so that one which was known before is worth
    /// nothing (session fixation).
    pub(super) fn sign_in(&self, old: &str, new: String, site: Site, session: Session) {
        let mut kept = self.kept();
        let mut sites = kept.browsers.remove(old).unwrap_or_default();
        sites.insert(site, session);
        if kept.browser_order.len() >= BROWSERS
            && let Some(oldest) = kept.browser_order.pop_front()
        {
            kept.browsers.remove(&oldest);
        }
        for pending in kept.pending.values_mut().filter(|pending| pending.browser == old) {
            pending.browser.clone_from(&new);
        }
        kept.browser_order.push_back(new.clone());
        kept.browsers.insert(new, sites);
    }

    /// Forgets who is signed in at `site`, and says who it was.
    pub(super) fn sign_out(&self, browser: &str, site: Site) -> Option<Session> {
        self.kept().browsers.get_mut(browser)?.remove(&site)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(browser: &str) -> Pending {
        let text = str::to_owned;
        Pending { site: Site::Shop, browser: text(browser), nonce: text("n"), verifier: text("v") }
    }

    #[test]
    fn only_the_browser_that_began_may_finish_and_only_once() {
        let sessions = Sessions::default();
        sessions.begin("state".to_owned(), pending("mine"));
        assert!(sessions.take("state", "other", Site::Shop).is_none());
        assert!(sessions.take("state", "mine", Site::Orders).is_none());
        assert!(sessions.take("state", "mine", Site::Shop).is_some());
        assert!(sessions.take("state", "mine", Site::Shop).is_none());
    }

    #[test]
    fn signing_in_renames_the_browser_and_keeps_its_other_sessions() {
        let session =
            || Session { claims: vec![], name: String::new(), id_token: Secret::new(String::new()) };
        let sessions = Sessions::default();
        sessions.sign_in("", "one".to_owned(), Site::Suppliers, session());
        sessions.begin("state".to_owned(), pending("one"));
        sessions.sign_in("one", "two".to_owned(), Site::Orders, session());
        assert!(sessions.find("one", Site::Suppliers).is_none());
        assert!(
            sessions.find("two", Site::Suppliers).is_some() && sessions.find("two", Site::Orders).is_some()
        );
        assert!(sessions.take("state", "two", Site::Shop).is_some());
        assert!(sessions.sign_out("two", Site::Orders).is_some());
        assert!(sessions.find("two", Site::Orders).is_none());
    }
}
