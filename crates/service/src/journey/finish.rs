//! The end of a journey: the session, the code, and the way back to the application.

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::TenantId;
use vestibule_rules::journey::facts::{End, Facts};
use vestibule_rules::oauth::authorize::{self, Verified};
use vestibule_rules::oauth::error;
use vestibule_rules::text::Message;
use vestibule_rules::time::Span;
use vestibule_store::{WriteTx, sessions, users};

use super::Loaded;
use crate::authorize::success;
use crate::env::Site;
use crate::hop::{Hop, Reply, SessionCookie, To};
use crate::session::{self, NewSession, digest_of};
use crate::token::{NewCode, PreparedCode, prepare_code};
use crate::visit::Visit;

/// How long after the end a second click on the last button still leads back to the application: the
/// browser dropped the first answer when it sent the second request.
const SECOND_CLICK: Span = Span::minutes(1);

/// A journey that ends with this turn.
pub(super) struct Ending {
    pub(super) hop: Hop,
    pub(super) rows: Rows,
}

/// What is written when it does.
#[derive(Clone, Default)]
pub(super) struct Rows {
    session: Option<NewSession>,
    /// The session that this browser had before.
    replaced: Option<Vec<u8>>,
    code: Option<PreparedCode>,
}

impl Rows {
    pub(super) async fn write(&self, tx: &mut WriteTx, tenant: TenantId) -> Outcome<()> {
        if let Some(new) = &self.session {
            // The account may have been disabled or removed since the journey looked it up.
            let user = users::find(tx, tenant, new.row.user_id).await?;
            if !user.is_some_and(|u| u.account_enabled) {
                return Err(Fault::forbidden("the account is disabled")
                    .code(50_057)
                    .hint(Message::new("refused-disabled")));
            }
            if let Some(old) = &self.replaced {
                sessions::revoke(tx, tenant, old, new.row.created_at).await?;
            }
            sessions::insert(tx, tenant, &new.row).await?;
        }
        match &self.code {
            Some(code) => code.write(tx).await,
            None => Ok(()),
        }
    }
}

/// Prepares the end, if the facts say that this is it.
pub(super) fn prepare(
    site: &Site,
    visit: &Visit,
    request: &Verified,
    facts: &Facts,
) -> Outcome<Option<Ending>> {
    match (&facts.end, &facts.authenticated) {
        (None, _) => Ok(None),
        (Some(End::SignedIn), Some(authenticated)) => {
            // The application may have been disabled while the person was answering questions.
            authorize::resume(request, visit.tenant.application(request.client_id))?;
            let new = session::begin(site, visit, authenticated, facts.stay == Some(true));
            let code = NewCode {
                verified: request,
                user: authenticated.user,
                sid: new.row.sid,
                auth_time: new.row.auth_time,
                provider: authenticated.provider.as_ref(),
            };
            let (prepared, code) = prepare_code(site, visit, code)?;
            let to = To::App(success(visit, &request.callback, code.expose()));
            let hop = Hop { session: new.cookie.clone(), ..Hop::to(to) };
            let replaced = visit.session.as_ref().map(digest_of);
            Ok(Some(Ending { hop, rows: Rows { session: Some(new), replaced, code: Some(prepared) } }))
        }
        (Some(End::Cancelled | End::SignedIn), _) => {
            let parameters = request.callback.failure(&error::CANCELLED, &visit.issuer());
            let to = To::App(Reply { callback: request.callback.clone(), parameters });
            Ok(Some(Ending {
                hop: Hop { session: SessionCookie::Keep, ..Hop::to(to) },
                rows: Rows::default(),
            }))
        }
    }
}

/// An answer to a journey that has ended: a second click goes where the first one went.
pub(super) async fn again(site: &Site, visit: &Visit, loaded: &Loaded) -> Outcome<Hop> {
    let here = Hop::to(To::Journey(loaded.row.id));
    let late = loaded.state.ended_at.is_none_or(|at| visit.now.since(at) > SECOND_CLICK);
    if late {
        return Ok(here);
    }
    let Some(ending) = prepare(site, visit, &loaded.state.request, &loaded.state.facts)? else {
        return Ok(here);
    };
    let (rows, tenant) = (ending.rows, visit.tenant_id());
    site.env
        .db
        .write(move |tx| {
            let rows = rows.clone();
            Box::pin(async move { rows.write(tx, tenant).await })
        })
        .await?;
    Ok(ending.hop)
}
