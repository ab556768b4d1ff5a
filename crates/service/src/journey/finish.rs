//! The end of a journey: the session, the code, and the way back to the application.

use serde_json::json;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{ProviderId, SessionId, TenantId};
use vestibule_rules::journey::facts::{Authenticated, End};
use vestibule_rules::oauth::error;
use vestibule_rules::text::Message;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::audit::EntryRow;
use vestibule_store::provider_sessions::{self, ProviderSessionRow};
use vestibule_store::sessions::{self, SessionRow};
use vestibule_store::waiting_requests::{self, WaitingRow};
use vestibule_store::{WriteTx, audit, users};

use super::{Loaded, Request, State};
use crate::audit::by_user;
use crate::authorize::{meets, refuse};
use crate::consent;
use crate::device::Declined;
use crate::env::Site;
use crate::hop::{Hop, Reply, To, WayIn};
use crate::session::{self, NewSession, Turnover};
use crate::token::{Granted, NewCode, PreparedCode, grant_request, pushed};
use crate::visit::Visit;
use crate::waiting::{self, Waits};

/// How long after the end a second click on the last button still leads back to the application: the
/// browser dropped the first answer when it sent the second request.
pub(super) const SECOND_CLICK: Span = Span::minutes(1);

/// A journey that ends with this turn.
pub(super) struct Ending {
    hop: Hop,
    pub(super) rows: Rows,
    granted: Option<Granted>,
}

impl Ending {
    /// Where the browser goes, once the rows are written.
    pub(super) async fn hop(self, site: &Site, visit: &Visit) -> Outcome<Hop> {
        match self.granted {
            Some(granted) => Ok(Hop { to: To::App(granted.reply(site, visit).await?), ..self.hop }),
            None => Ok(self.hop),
        }
    }

    /// The session that begins.
    pub(super) fn sid(&self) -> Option<SessionId> {
        self.rows.session.as_ref().map(|new| new.row.sid)
    }
}

/// What is written when it does.
#[derive(Clone, Default)]
pub(super) struct Rows {
    session: Option<NewSession>,
    /// What becomes of the sessions that this browser had before.
    turnover: Turnover,
    /// The session that must be alive still, because it goes on.
    continues: Option<SessionId>,
    code: Option<PreparedCode>,
    /// The request, when its person has to consent before it is answered.
    waiting: Option<WaitingRow>,
    /// The pushed request that is answered.
    spends: Option<(String, Timestamp)>,
    kept: Option<ProviderSessionRow>,
    audit: Option<EntryRow>,
    /// The device that is not let in.
    declined: Option<Declined>,
}

impl Rows {
    pub(super) async fn write(&self, tx: &mut WriteTx, tenant: TenantId) -> Outcome<()> {
        self.spend_pushed(tx, tenant).await?;
        if let Some(new) = &self.session {
            // The account may have been disabled or removed since the journey looked it up.
            let user = users::find(tx, tenant, new.row.user_id).await?;
            let Some(user) = user.filter(|u| u.account_enabled) else {
                return Err(Fault::forbidden("the account is disabled")
                    .code(50_057)
                    .hint(Message::new("refused-disabled")));
            };
            // U12: a journey that was left open at its last page outlives no reset of the password.
            if user.sessions_valid_from > new.row.auth_time {
                return Err(Fault::new(Kind::Expired, "the account was signed out everywhere meanwhile")
                    .hint(Message::new("fault-journey-gone")));
            }
            self.check_continued(tx, tenant, new).await?;
            self.turnover.write(tx, tenant, new.row.created_at).await?;
            sessions::insert(tx, tenant, &new.row).await?;
        }
        if let Some(kept) = &self.kept {
            provider_sessions::put(tx, tenant, kept).await?;
        }
        if let Some(entry) = &self.audit {
            audit::insert(tx, tenant, entry).await?;
        }
        if let Some(declined) = &self.declined {
            declined.write(tx, tenant).await?;
        }
        if let Some(waiting) = &self.waiting {
            waiting_requests::insert(tx, tenant, waiting).await?;
        }
        match &self.code {
            Some(code) => code.write(tx).await,
            None => Ok(()),
        }
    }
}

impl Rows {
    /// Another tab may have come to its end with the same request (security.md S52).
    async fn spend_pushed(&self, tx: &mut WriteTx, tenant: TenantId) -> Outcome<()> {
        let Some((name, now)) = &self.spends else { return Ok(()) };
        // Nothing is handed over when somebody cancels, so it is nobody's second answer.
        if pushed::spend(tx, tenant, Some(name), *now).await? || self.code.is_none() {
            return Ok(());
        }
        let fault = Fault::new(Kind::Used, "the pushed request was answered before");
        Err(fault.hint(Message::new("request-over")))
    }

    /// Somebody may have signed out since the journey was read.
    async fn check_continued(&self, tx: &mut WriteTx, tenant: TenantId, new: &NewSession) -> Outcome<()> {
        let Some(sid) = self.continues else { return Ok(()) };
        let alive = |row: &SessionRow| row.revoked_at.is_none() && row.expires_at > new.row.created_at;
        if sessions::list_by_sid(tx, tenant, sid).await?.iter().any(alive) {
            return Ok(());
        }
        let fault = Fault::new(Kind::Expired, "the session that was to go on has ended");
        Err(fault.hint(Message::new("fault-journey-gone")))
    }
}

/// A journey keeps the flow that it began with, but no provider that was switched off or taken away meanwhile: what
/// it said of somebody is believed no more (security.md RP15).
pub(super) fn still_trusts(visit: &Visit, provider: Option<&ProviderId>) -> Outcome<()> {
    let trusted = |id: &ProviderId| visit.tenant.provider(id.as_str()).is_some_and(|p| p.is_enabled);
    if provider.is_none_or(trusted) {
        return Ok(());
    }
    let fault = Fault::forbidden("the provider was switched off meanwhile");
    Err(fault.hint(Message::new("refused-provider-failed")))
}

/// Prepares the end, if the facts say that this is it.
pub(super) async fn prepare(site: &Site, visit: &Visit, state: &State) -> Outcome<Option<Ending>> {
    match (&state.facts.end, &state.facts.authenticated) {
        (None, _) => Ok(None),
        (Some(End::SignedIn), Some(authenticated)) => {
            signed_in(site, visit, state, authenticated).await.map(Some)
        }
        (Some(End::Cancelled | End::SignedIn), _) => Ok(Some(cancelled(visit, &state.request))),
    }
}

async fn signed_in(
    site: &Site,
    visit: &Visit,
    state: &State,
    authenticated: &Authenticated,
) -> Outcome<Ending> {
    let request = &state.request;
    // The application may have been disabled while the person was answering questions.
    request.resume(visit)?;
    // So may the provider. What becomes of a session that goes on is not decided by how it began.
    if state.continues.is_none() {
        still_trusts(visit, authenticated.provider.as_ref())?;
    }
    let auth_time = state.authenticated_at.unwrap_or(visit.now);
    let mut new = session::begin(site, visit, authenticated, auth_time, state.facts.stay == Some(true));
    // Grants of a session that goes on end with it, whichever cookie it has by then.
    if let Some(sid) = state.continues.or(state.sid) {
        new.is_of(sid);
    }
    let here = session::of_browser(site, visit).await?;
    let turnover = Turnover::beside(site, &here, &mut new);
    let by = authenticated.provider.as_ref();
    let kept = state.kept.as_ref().map(|kept| kept.row(by, (new.row.sid, new.until)));
    let kept = kept.transpose()?.flatten();
    let Answer { granted, to, waiting } = answer(site, visit, (request, &new), authenticated).await?;
    let way_in = authenticated.provider.clone().map_or(WayIn::Local, WayIn::Provider);
    let hop = Hop { session: new.cookie.clone(), way_in, ..Hop::to(to) };
    let detail = json!({
        "client": request.client_id(),
        "amr": authenticated.amr,
        "provider": authenticated.provider,
        "created": authenticated.created,
        "session": new.row.sid,
    });
    let audit = Some(by_user(site, visit, authenticated.user, "signIn", &detail));
    let rows = Rows {
        session: Some(new),
        turnover,
        continues: state.continues,
        code: granted.as_ref().map(|granted| granted.rows.clone()),
        // A request that waits is spent when it is answered.
        spends: spends(visit, request).filter(|_| waiting.is_none()),
        waiting,
        kept,
        audit,
        declined: None,
    };
    Ok(Ending { hop, rows, granted })
}

/// What a request gets when its person has signed in.
struct Answer {
    granted: Option<Granted>,
    to: To,
    waiting: Option<WaitingRow>,
}

async fn answer(
    site: &Site,
    visit: &Visit,
    (request, new): (&Request, &NewSession),
    authenticated: &Authenticated,
) -> Outcome<Answer> {
    let verified = match request {
        Request::Device(waiting) => {
            return Ok(Answer { granted: None, to: To::Device(waiting.device), waiting: None });
        }
        Request::App(verified) => verified,
    };
    let demanded = (verified.client_id, &verified.demands);
    if !meets(site, visit, demanded, (authenticated.user, &authenticated.amr)) {
        let to = refuse(visit, verified.callback.clone(), &error::UNMET_DEMAND).to;
        return Ok(Answer { granted: None, to, waiting: None });
    }
    if consent::is_owed(site, visit, verified, authenticated.user).await? {
        let row = waiting::row(site, visit, verified, Waits::Consent { sid: new.row.sid })?;
        return Ok(Answer { granted: None, to: To::Consent(row.id), waiting: Some(row) });
    }
    let code = NewCode {
        verified,
        user: authenticated.user,
        sid: new.row.sid,
        auth_time: new.row.auth_time,
        amr: &authenticated.amr,
        provider: authenticated.provider.as_ref(),
        cookie: &new.row.digest,
    };
    // Where it leads is known when the rows are written.
    Ok(Answer { granted: Some(grant_request(site, visit, code)?), to: To::Nowhere, waiting: None })
}

fn cancelled(visit: &Visit, request: &Request) -> Ending {
    match request {
        Request::App(verified) => {
            let parameters = verified.callback.failure(&error::CANCELLED, &visit.issuer());
            let to = To::App(Reply { callback: verified.callback.clone(), parameters });
            Ending {
                hop: Hop::to(to),
                rows: Rows { spends: spends(visit, request), ..Rows::default() },
                granted: None,
            }
        }
        Request::Device(waiting) => {
            let declined = Declined::new(visit, waiting.device);
            let rows = Rows { declined, ..Rows::default() };
            Ending { hop: Hop::to(To::Device(waiting.device)), rows, granted: None }
        }
    }
}

/// The pushed request that the end of its journey answers.
fn spends(visit: &Visit, request: &Request) -> Option<(String, Timestamp)> {
    match request {
        Request::App(verified) => verified.pushed.clone().map(|name| (name, visit.now)),
        Request::Device(_) => None,
    }
}

/// An answer to a journey that has ended: a second click goes where the first one went, as long as the
/// session that the first one began stands. Whoever signed out is not let in again by a repeated form.
pub(super) async fn again(site: &Site, visit: &Visit, loaded: &Loaded) -> Outcome<Hop> {
    let here = Hop::to(To::Journey(loaded.row.id));
    let late = loaded.state.ended_at.is_none_or(|at| visit.now.since(at) > SECOND_CLICK);
    if late {
        return Ok(here);
    }
    let Some(ending) = prepare(site, visit, &loaded.state).await? else {
        return Ok(here);
    };
    let rows = Rows { audit: None, spends: None, ..ending.rows.clone() };
    let (sid, tenant) = (loaded.state.sid, visit.tenant_id());
    let stands = site
        .env
        .db
        .write(move |tx| {
            let rows = rows.clone();
            Box::pin(async move {
                if rows.session.is_some() && !is_alive(tx, tenant, sid).await? {
                    return Ok(false);
                }
                rows.write(tx, tenant).await?;
                Ok(true)
            })
        })
        .await?;
    if stands { ending.hop(site, visit).await } else { Ok(here) }
}

async fn is_alive(tx: &mut WriteTx, tenant: TenantId, sid: Option<SessionId>) -> Outcome<bool> {
    let Some(sid) = sid else { return Ok(false) };
    let cookies = sessions::list_by_sid(tx, tenant, sid).await?;
    Ok(cookies.iter().any(|cookie| cookie.revoked_at.is_none()))
}
