//! Authorization requests that wait for their person: to choose an account, or to consent.
//!
//! A request waits in our own database, bound to the browser that brought it, and is answered once. What it asks for
//! stands in the stored request and nowhere in a form: a page that is posted can say yes or no to what it showed, and
//! nothing else.

pub mod choose;
pub mod consent;

use serde::{Deserialize, Serialize};
use vestibule_crypto::constant_time;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{RequestId, SessionId, TenantId};
use vestibule_rules::oauth::authorize::Verified;
use vestibule_rules::text::Message;
use vestibule_rules::time::Timestamp;
use vestibule_store::WriteTx;
use vestibule_store::waiting_requests::{self, WaitingRow};

use crate::env::Site;
use crate::hop::{Hop, To};
use crate::journey;
use crate::token::pushed;
use crate::visit::Visit;

/// What a request waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Waits {
    /// The person says which account it is for.
    Account,
    /// The person of a session agrees to what is asked for.
    Consent { sid: SessionId },
}

/// What is stored of a request beside its columns.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Doc {
    request: Verified,
    /// The issuer that was asked: a request is not carried over to another listener.
    issuer: String,
    waits: Waits,
}

/// A request that was read for this browser.
struct Waiting {
    row: WaitingRow,
    doc: Doc,
    /// Answered, or too late.
    over: bool,
}

/// The row of a request of a browser that is bound already.
pub(crate) fn row(site: &Site, visit: &Visit, verified: &Verified, waits: Waits) -> Outcome<WaitingRow> {
    let browser = journey::browser(visit).map(journey::browser_digest).unwrap_or_default();
    new_row(site, visit, (verified, waits), browser)
}

fn new_row(
    site: &Site,
    visit: &Visit,
    (verified, waits): (&Verified, Waits),
    browser_digest: Vec<u8>,
) -> Outcome<WaitingRow> {
    let doc = Doc { request: verified.clone(), issuer: visit.issuer(), waits };
    Ok(WaitingRow {
        id: RequestId::from_random(site.env.random()),
        browser_digest,
        doc: serde_json::to_string(&doc).map_err(|e| Fault::ours(format!("waiting_request.doc: {e}")))?,
        created_at: visit.now,
        expires_at: visit.now + site.settings.lifetimes.journey,
        answered_at: None,
    })
}

/// Lets a request wait, and shows the page that asks.
pub(crate) async fn hold(site: &Site, visit: &Visit, verified: Verified, waits: Waits) -> Outcome<Hop> {
    let known = journey::browser(visit);
    let fresh = known.is_none().then(|| journey::new_browser(site));
    let browser = fresh.as_ref().or(known).map(journey::browser_digest).unwrap_or_default();
    let row = new_row(site, visit, (&verified, waits), browser)?;
    let id = row.id;
    let tenant = visit.tenant_id();
    let insert = site.env.db.write(move |tx| {
        let row = row.clone();
        Box::pin(async move { waiting_requests::insert(tx, tenant, &row).await })
    });
    insert.await?;
    let to = match waits {
        Waits::Account => To::Choose(id),
        Waits::Consent { .. } => To::Consent(id),
    };
    Ok(Hop { browser: fresh, ..Hop::to(to) })
}

/// Reads a request for this browser. Another browser gets the answer of a request that does not exist (security.md
/// S88).
async fn load(site: &Site, visit: &Visit, id: RequestId) -> Outcome<Waiting> {
    let found = waiting_requests::find(&mut site.env.db.glance().await?, visit.tenant_id(), id).await?;
    let row = found.ok_or_else(gone)?;
    let doc: Doc = serde_json::from_str(&row.doc)
        .map_err(|e| Fault::ours(format!("waiting_request.doc of {}: {e}", row.id)))?;
    let browser = journey::browser(visit).map(journey::browser_digest).ok_or_else(gone)?;
    if !constant_time::eq(&row.browser_digest, &browser) || doc.issuer != visit.issuer() {
        return Err(gone());
    }
    let over = row.answered_at.is_some() || row.expires_at <= visit.now;
    Ok(Waiting { row, doc, over })
}

fn gone() -> Fault {
    Fault::missing("request", "no such request in this browser").hint(Message::new("fault-journey-gone"))
}

fn csrf(site: &Site, visit: &Visit, id: RequestId) -> String {
    journey::csrf(site, visit.browser.as_ref().map_or("", |b| b.expose().as_str()), &id.to_string())
}

fn check_csrf(site: &Site, visit: &Visit, id: RequestId, shown: &str) -> Outcome<()> {
    if constant_time::eq_str(shown, &csrf(site, visit, id)) {
        return Ok(());
    }
    Err(Fault::forbidden("the form's token is not this browser's").hint(Message::new("fault-form")))
}

impl Waiting {
    /// Answers the request in favour of a journey that goes on with it. `false` when it was answered before.
    async fn give_way(&self, site: &Site, visit: &Visit) -> Outcome<bool> {
        let (tenant, id, now) = (visit.tenant_id(), self.row.id, visit.now);
        let write = site
            .env
            .db
            .write(move |tx| Box::pin(async move { waiting_requests::answer(tx, tenant, id, now).await }));
        write.await
    }

    /// Answers the request with nothing for its application: somebody cancelled. `false` when it was answered before.
    async fn give_up(&self, site: &Site, visit: &Visit) -> Outcome<bool> {
        let (tenant, id, now) = (visit.tenant_id(), self.row.id, visit.now);
        let name = self.doc.request.pushed.clone();
        let write = site.env.db.write(move |tx| {
            let name = name.clone();
            Box::pin(async move {
                if !waiting_requests::answer(tx, tenant, id, now).await? {
                    return Ok(false);
                }
                pushed::spend(tx, tenant, name.as_deref(), now).await?;
                Ok(true)
            })
        });
        write.await
    }
}

/// Answers a request in the transaction that does what the person said. `Stale` when it was answered before.
async fn answer(tx: &mut WriteTx, (tenant, id): (TenantId, RequestId), now: Timestamp) -> Outcome<()> {
    if waiting_requests::answer(tx, tenant, id, now).await? {
        return Ok(());
    }
    Err(Fault::stale("the request was answered before"))
}
