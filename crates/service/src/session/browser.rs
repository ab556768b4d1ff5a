//! The accounts that are signed in in one browser.

use vestibule_rules::directory::user::{ObjectIdentity, User};
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{BrowserId, SessionId, UserId};
use vestibule_rules::oauth::account::{self, Choice, Hinted, Manner, name_key};
use vestibule_rules::oauth::claims::sign_in_name;
use vestibule_store::sessions::{self, SessionRow};
use vestibule_store::{ReadTx, users};

use super::{Session, digest_of, lifetime};
use crate::env::Site;
use crate::visit::Visit;

/// An account that is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub session: Session,
    pub account: User,
    /// Whether it was chosen or signed in last.
    pub in_use: bool,
}

impl SignedIn {
    /// The name that the person signs in with.
    pub fn address(&self) -> &str {
        sign_in_name(&self.account)
    }

    /// The name that others know the person by; empty when there is none.
    pub fn name(&self) -> &str {
        self.account.display_name.as_deref().unwrap_or_default()
    }

    /// Every name by which an application may call the account.
    fn names(&self) -> Vec<String> {
        let typed = |identity: &&ObjectIdentity| identity.sign_in_type != ObjectIdentity::FEDERATED;
        let identities = self.account.identities.iter().filter(typed);
        let names = identities
            .map(|identity| identity.issuer_assigned_id.as_str())
            .chain(self.account.mail.as_deref())
            .chain([self.account.user_principal_name.as_str(), self.address()]);
        names.map(name_key).collect()
    }
}

/// The accounts of this browser, the one that was used last first.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    pub accounts: Vec<SignedIn>,
    /// What the cookie leads to, alive or not.
    pub(super) cookie: Option<Vec<u8>>,
    pub(super) id: Option<BrowserId>,
}

impl Browser {
    /// The account that was chosen or signed in last, if its session stands.
    pub fn in_use(&self) -> Option<&SignedIn> {
        self.accounts.iter().find(|found| found.in_use)
    }

    /// See [`Self::in_use`].
    pub fn into_in_use(self) -> Option<SignedIn> {
        self.accounts.into_iter().find(|found| found.in_use)
    }

    pub fn by_sid(&self, sid: SessionId) -> Option<&SignedIn> {
        self.accounts.iter().find(|found| found.session.sid == sid)
    }

    pub fn by_user(&self, user: UserId) -> Option<&SignedIn> {
        self.accounts.iter().find(|found| found.session.user == user)
    }

    pub fn sids(&self) -> Vec<SessionId> {
        self.accounts.iter().map(|found| found.session.sid).collect()
    }

    /// Which of them a request is for.
    pub(crate) fn choose(&self, hinted: &Hinted, manner: Manner) -> Choice {
        let names: Vec<Vec<String>> = self.accounts.iter().map(SignedIn::names).collect();
        let account = |(found, names): (&SignedIn, _)| account::Account {
            user: found.session.user,
            sid: found.session.sid,
            names,
            in_use: found.in_use,
        };
        let names = names.iter().map(Vec::as_slice);
        let accounts: Vec<_> = self.accounts.iter().zip(names).map(account).collect();
        account::choose(&accounts, hinted, manner)
    }
}

/// Who is signed in in this browser.
pub async fn of_browser(site: &Site, visit: &Visit) -> Outcome<Browser> {
    let Some(value) = &visit.session else { return Ok(Browser::default()) };
    let tenant = visit.tenant_id();
    let mut tx = site.env.db.read().await?;
    let Some(used) = sessions::find(&mut tx, tenant, &digest_of(value)).await? else {
        return Ok(Browser::default());
    };
    let (cookie, id) = (used.digest.clone(), used.browser_id);
    let rows = match id {
        Some(id) => sessions::list_by_browser(&mut tx, tenant, id).await?,
        None => vec![used],
    };
    let mut accounts = Vec::new();
    for row in rows {
        let in_use = row.digest == cookie;
        if let Some((session, account)) = living(&mut tx, (site, visit), row).await? {
            accounts.push(SignedIn { session, account, in_use });
        }
    }
    Ok(Browser { accounts, cookie: Some(cookie), id })
}

/// A session that stands, with its account.
async fn living(
    tx: &mut ReadTx,
    (site, visit): (&Site, &Visit),
    row: SessionRow,
) -> Outcome<Option<(Session, User)>> {
    // A tenant that shortened its lifetimes means sessions of before, too.
    let ends_at = lifetime(site, visit, row.persistent).ends_at(row.auth_time, row.last_seen_at);
    if row.revoked_at.is_some() || row.expires_at.min(ends_at) <= visit.now {
        return Ok(None);
    }
    let user = users::find(tx, visit.tenant_id(), row.user_id).await?;
    let user = user.filter(|user| user.account_enabled && user.sessions_valid_from <= row.auth_time);
    Ok(user.map(|user| (Session::of(row), user)))
}
