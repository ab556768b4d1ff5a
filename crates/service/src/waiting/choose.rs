//! The accounts of a browser, one of which an application's request is for.

use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{RequestId, SessionId};
use vestibule_rules::journey::facts::Intent;
use vestibule_rules::oauth::authorize::Verified;
use vestibule_rules::oauth::error;
use vestibule_rules::text::Secret;
use vestibule_store::sessions;

use super::{Waiting, answer, check_csrf, csrf, load};
use crate::authorize::{go_on, refuse, start};
use crate::env::Site;
use crate::hop::{Hop, SessionCookie, To};
use crate::session::{self, Browser, Change, SignedIn};
use crate::visit::Visit;

/// What the page shows.
pub struct ChooseView {
    pub accounts: Vec<ListedAccount>,
    pub app_name: String,
    /// Where the app lives, for a way back to it.
    pub app_origin: Option<String>,
    pub csrf: String,
    /// Answered, or too late.
    pub over: bool,
    /// `ui_locales` of the request.
    pub locales: Option<String>,
}

/// One account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedAccount {
    pub sid: SessionId,
    pub name: String,
    pub address: String,
}

impl ListedAccount {
    pub(crate) fn of(found: &SignedIn) -> Self {
        Self { sid: found.session.sid, name: found.name().to_owned(), address: found.address().to_owned() }
    }
}

/// What the person says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Chosen {
    Account(SessionId),
    /// One that is not here.
    Another,
    /// This one leaves, and the question stays.
    SignOut(SessionId),
    Cancel,
}

/// Shows who is signed in. Nothing changes.
///
/// Returns `Missing` for a request that another browser has, or none.
pub async fn view(site: &Site, visit: &Visit, id: RequestId) -> Outcome<ChooseView> {
    let Waiting { doc, over, .. } = load(site, visit, id).await?;
    let here = session::of_browser(site, visit).await?;
    let application = visit.tenant.application(doc.request.client_id);
    Ok(ChooseView {
        accounts: here.accounts.iter().map(ListedAccount::of).collect(),
        app_name: application.map_or_else(String::new, |app| app.display_name.clone()),
        app_origin: doc.request.callback.form_action(),
        csrf: csrf(site, visit, id),
        over,
        locales: doc.request.ui_locales,
    })
}

/// Takes what the person said. A second click, and an answer that comes too late, only show that it is over.
///
/// Returns `Missing` as [`view`] does, and `Forbidden` when the form's token is not this browser's.
pub async fn decide(
    site: &Site,
    visit: &Visit,
    id: RequestId,
    (chosen, token): (Chosen, &str),
) -> Outcome<Hop> {
    let waiting = load(site, visit, id).await?;
    check_csrf(site, visit, id, token)?;
    let page = || Hop::to(To::Choose(id));
    if waiting.over {
        return Ok(page());
    }
    let request = waiting.doc.request.clone();
    match chosen {
        Chosen::Account(sid) => {
            let here = session::of_browser(site, visit).await?;
            match here.by_sid(sid) {
                Some(to) => take(site, visit, (id, request), (&here, to)).await,
                None => Ok(page()),
            }
        }
        Chosen::SignOut(sid) => sign_out(site, visit, id, sid).await,
        Chosen::Another if waiting.give_way(site, visit).await? => {
            let request = Verified { login_hint: None, ..request };
            start(site, visit, request, (Intent::SignIn, None)).await
        }
        Chosen::Cancel if waiting.give_up(site, visit).await? => {
            Ok(refuse(visit, request.callback, &error::CANCELLED))
        }
        Chosen::Another | Chosen::Cancel => Ok(page()),
    }
}

/// Puts an account into use and goes on with the request. The cookie of before leads to nobody then (security.md S86).
async fn take(
    site: &Site,
    visit: &Visit,
    (id, request): (RequestId, Verified),
    (here, to): (&Browser, &SignedIn),
) -> Outcome<Hop> {
    let change = Change::switch(site, visit, here, to);
    let (rows, old) = (change.rows.clone(), to.session.digest.clone());
    let (tenant, now) = (visit.tenant_id(), visit.now);
    let write = site.env.db.write(move |tx| {
        let (rows, old) = (rows.clone(), old.clone());
        Box::pin(async move {
            answer(tx, (tenant, id), now).await?;
            let row = sessions::find(tx, tenant, &old).await?;
            if row.is_none_or(|row| row.revoked_at.is_some()) {
                return Err(Fault::stale("the session ended"));
            }
            rows.write(tx, tenant, now).await
        })
    });
    match write.await {
        Err(fault) if fault.kind == Kind::Stale => return Ok(Hop::to(To::Choose(id))),
        Err(fault) => return Err(fault),
        Ok(()) => {}
    }
    let visit = Visit { session: value_of(&change.cookie), ..visit.clone() };
    let now_here = session::of_browser(site, &visit).await?;
    let to = now_here.in_use().ok_or_else(|| Fault::stale("the session ended"))?;
    let hop = Box::pin(go_on(site, &visit, request, to)).await?;
    Ok(Hop { session: change.cookie, ..hop })
}

async fn sign_out(site: &Site, visit: &Visit, id: RequestId, sid: SessionId) -> Outcome<Hop> {
    let here = session::of_browser(site, visit).await?;
    if here.by_sid(sid).is_none() {
        return Ok(Hop::to(To::Choose(id)));
    }
    let change = Change::sign_out(site, visit, &here, &[sid]);
    write(site, visit, &change).await?;
    Ok(Hop { session: change.cookie, ..Hop::to(To::Choose(id)) })
}

/// Writes a turnover that answers no request.
pub(crate) async fn write(site: &Site, visit: &Visit, change: &Change) -> Outcome<()> {
    let (tenant, now, rows) = (visit.tenant_id(), visit.now, change.rows.clone());
    let write = site.env.db.write(move |tx| {
        let rows = rows.clone();
        Box::pin(async move { rows.write(tx, tenant, now).await })
    });
    write.await?;
    site.notices_waiting.notify_one();
    Ok(())
}

fn value_of(cookie: &SessionCookie) -> Option<Secret<String>> {
    match cookie {
        SessionCookie::Set { value, .. } => Some(value.clone()),
        SessionCookie::Keep | SessionCookie::Clear => None,
    }
}
