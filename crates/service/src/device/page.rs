//! What a person does with a device's code: types it, signs in, and lets the device in or does not.

use serde_json::json;
use vestibule_crypto::constant_time;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{DeviceId, GrantId};
use vestibule_rules::journey::facts::{Intent, Opening};
use vestibule_rules::oauth::claims::sign_in_name;
use vestibule_rules::oauth::consent::{Permission, Standing};
use vestibule_rules::oauth::device::{Status, UserCode, WRONG_OF_SOURCE, WRONG_OF_TENANT};
use vestibule_rules::oauth::scope::Scope;
use vestibule_rules::text::{Message, Secret};
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::audit::{self, EntryRow};
use vestibule_store::consents::{self, ConsentRow};
use vestibule_store::device_codes::{self, DeviceCodeRow};
use vestibule_store::grants::{self, FamilyRow};
use vestibule_store::{sessions, users};

use super::{Declined, resume, user_code_digest};
use crate::audit::by_user;
use crate::authorize::{owes_terms, start_journey};
use crate::consent::{self, Described, describe};
use crate::env::Site;
use crate::hop::{Hop, To};
use crate::journey::{self, Beginning, ForDevice, Request};
use crate::session::{self, Session};
use crate::throttle::Limit;
use crate::token::{FamilyDoc, end_of_grant};
use crate::visit::{Visit, network};
use crate::waiting::consent::stamp;

/// What came of a code that was typed.
pub enum Entered {
    /// It is one; there the person goes on.
    On(Hop),
    /// It is not, for this reason.
    Wrong(Message),
}

/// What the page says about a device.
pub struct DeviceView {
    pub standing: DeviceStanding,
    pub app_name: String,
    /// The address that the device asked from.
    pub source: String,
    /// Whether this browser is in the same network. When it is not, that says nothing: one home has an address of each
    /// version of the protocol.
    pub same_network: bool,
    /// When it asked.
    pub asked_at: Timestamp,
    /// How long ago that is.
    pub ago: Span,
    /// The name that whoever is signed in signs in with.
    pub account: String,
    pub csrf: String,
    /// What letting it in agrees to beside, and has not been agreed to before.
    pub permissions: Vec<Described>,
    /// What says which permissions the page showed.
    pub step: String,
}

/// How far a device is, as this browser is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeviceStanding {
    /// The person is asked.
    Open,
    /// Only an administrator can agree to what the application asks for.
    NeedsAdmin,
    /// Nobody is signed in here any more.
    SignedOut,
    Approved,
    Declined,
    /// Nobody decided in time.
    Expired,
}

/// What a person decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    LetIn,
    Decline,
    /// Sign in as somebody else first.
    SwitchAccount,
}

/// What the form needs that a code is typed into.
pub struct Entry {
    pub csrf: String,
    /// What is to bind a browser that nothing binds yet.
    pub browser: Option<Secret<String>>,
}

/// Prepares the form for this browser.
pub fn entry(site: &Site, visit: &Visit) -> Entry {
    if let Some(browser) = journey::browser(visit) {
        return Entry { csrf: entry_csrf(site, browser), browser: None };
    }
    let fresh = journey::new_browser(site);
    Entry { csrf: entry_csrf(site, &fresh), browser: Some(fresh) }
}

fn entry_csrf(site: &Site, browser: &Secret<String>) -> String {
    journey::csrf(site, browser.expose(), "device")
}

/// Takes a code that was typed. Of guesses at codes only wrong ones count, and they count before they are looked at, so
/// that parallel ones do not outrun the counter.
///
/// Returns `Forbidden` when the form's token is not this browser's, and `Throttled` after too many wrong codes.
pub async fn enter(site: &Site, visit: &Visit, (typed, token): (&str, &str)) -> Outcome<Entered> {
    let browser = journey::browser(visit).ok_or_else(not_own_form)?;
    if !constant_time::eq_str(token, &entry_csrf(site, browser)) {
        return Err(not_own_form());
    }
    let Some(code) = UserCode::read(typed) else {
        let id = if typed.trim().is_empty() { "device-code-required" } else { "device-code-malformed" };
        return Ok(Entered::Wrong(Message::new(id)));
    };
    let limits = wrong_codes(site, visit);
    if let Err(wait) = Limit::spend(&site.env, visit.tenant_id(), limits.clone(), visit.now).await? {
        return Err(Fault::throttled(wait));
    }
    let Some(row) = take(site, visit, (&code, journey::browser_digest(browser)), limits).await? else {
        return Ok(Entered::Wrong(Message::new("device-code-wrong")));
    };
    resume(visit, row.client_id)?;
    let session = session::find(site, visit).await?;
    lead(site, visit, &row, session).await.map(Entered::On)
}

fn not_own_form() -> Fault {
    Fault::forbidden("the form's token is not this browser's").hint(Message::new("fault-form"))
}

fn wrong_codes(site: &Site, visit: &Visit) -> Vec<Limit> {
    let limit =
        |what: &str, whom: &str, (window, most): (Span, i64)| Limit::new(&site.env, what, whom, window, most);
    vec![
        limit("device-guess-source", &visit.network(), WRONG_OF_SOURCE),
        limit("device-guess-tenant", "", WRONG_OF_TENANT),
    ]
}

async fn take(
    site: &Site,
    visit: &Visit,
    (code, browser): (&UserCode, Vec<u8>),
    limits: Vec<Limit>,
) -> Outcome<Option<DeviceCodeRow>> {
    let (tenant, now) = (visit.tenant_id(), visit.now);
    let asked = std::sync::Arc::new((user_code_digest(site, tenant, code), visit.issuer(), browser, limits));
    site.env
        .db
        .write(move |tx| {
            let asked = std::sync::Arc::clone(&asked);
            Box::pin(async move {
                let (digest, issuer, browser, limits) = &*asked;
                let taken = device_codes::take(tx, tenant, (digest, issuer), browser, now).await?;
                if taken.is_some() {
                    for limit in limits {
                        limit.give_back(tx, tenant).await?;
                    }
                }
                Ok(taken)
            })
        })
        .await
}

/// Where a person goes on: to the question if they are signed in and owe nothing, otherwise through the same journey as
/// anybody who signs in to the application (security.md C63).
async fn lead(site: &Site, visit: &Visit, row: &DeviceCodeRow, session: Option<Session>) -> Outcome<Hop> {
    let owes = owes_terms(site, visit, Some(row.client_id), session.as_ref()).await?;
    if session.is_some() && !owes {
        return Ok(Hop::to(To::Device(row.id)));
    }
    let opening = Opening { intent: Intent::SignIn, login_hint: None, domain_hint: None };
    let request = Request::Device(ForDevice { device: row.id, client_id: row.client_id });
    start_journey(site, visit, Beginning { opening, session, request }).await
}

/// Shows a device that waits in this browser. Nothing changes.
///
/// Returns `Missing` for a device that another browser has, or none.
pub async fn view(site: &Site, visit: &Visit, id: DeviceId) -> Outcome<DeviceView> {
    let row = load(site, visit, id).await?;
    let session = session::find(site, visit).await?;
    let account = match &session {
        Some(session) => users::find(&mut site.env.db.read().await?, visit.tenant_id(), session.user).await?,
        None => None,
    };
    let application = visit.tenant.application(row.client_id);
    let owed = owed(site, visit, &row, session.as_ref()).await?;
    Ok(DeviceView {
        standing: match standing(&row, session.is_some(), visit.now) {
            DeviceStanding::Open if owed.needs_admin => DeviceStanding::NeedsAdmin,
            other => other,
        },
        permissions: owed.asked.iter().map(|permission| describe(visit, permission)).collect(),
        step: stamp(&owed.asked),
        app_name: application.map_or_else(String::new, |app| app.display_name.clone()),
        same_network: network(&row.source) == visit.network(),
        asked_at: row.created_at,
        ago: visit.now.since(row.created_at),
        account: account.map_or_else(String::new, |user| sign_in_name(&user).to_owned()),
        csrf: own_csrf(site, visit, id),
        source: row.source,
    })
}

/// What a person would have to agree to.
struct Owed {
    asked: Vec<Permission>,
    needs_admin: bool,
}

async fn owed(site: &Site, visit: &Visit, row: &DeviceCodeRow, session: Option<&Session>) -> Outcome<Owed> {
    let nothing = Owed { asked: Vec::new(), needs_admin: false };
    let Some(session) = session else { return Ok(nothing) };
    let scope = Scope::restore(&row.scope, &visit.tenant.config.applications);
    let whose = (row.client_id, session.user);
    Ok(match consent::standing(site, visit, whose, (&scope, false)).await? {
        Standing::Given => nothing,
        Standing::Ask(asked) => Owed { asked, needs_admin: false },
        Standing::NeedsAdmin(asked) => Owed { asked, needs_admin: true },
    })
}

fn standing(row: &DeviceCodeRow, signed_in: bool, now: Timestamp) -> DeviceStanding {
    match row.status {
        Status::Approved | Status::Redeemed => DeviceStanding::Approved,
        Status::Declined => DeviceStanding::Declined,
        Status::Waiting if now >= row.expires_at => DeviceStanding::Expired,
        Status::Waiting if signed_in => DeviceStanding::Open,
        Status::Waiting => DeviceStanding::SignedOut,
    }
}

/// Takes what a person decided. A second click, and a decision that comes too late, only show how far the device is.
///
/// Returns `Missing` as [`view`] does, and `Forbidden` when the form's token is not this browser's.
pub async fn decide(
    site: &Site,
    visit: &Visit,
    id: DeviceId,
    (decision, token, step): (Decision, &str, &str),
) -> Outcome<Hop> {
    let row = load(site, visit, id).await?;
    if !constant_time::eq_str(token, &own_csrf(site, visit, id)) {
        return Err(not_own_form());
    }
    let here = || Hop::to(To::Device(id));
    let session = session::find(site, visit).await?;
    if standing(&row, session.is_some(), visit.now) != DeviceStanding::Open {
        return Ok(here());
    }
    match (decision, session) {
        (Decision::Decline, _) => {
            decline(site, visit, id).await?;
            Ok(here())
        }
        (Decision::SwitchAccount, _) | (Decision::LetIn, None) => {
            resume(visit, row.client_id)?;
            lead(site, visit, &row, None).await
        }
        (Decision::LetIn, Some(session)) => {
            resume(visit, row.client_id)?;
            if owes_terms(site, visit, Some(row.client_id), Some(&session)).await? {
                return lead(site, visit, &row, Some(session)).await;
            }
            let owed = owed(site, visit, &row, Some(&session)).await?;
            // Nobody agrees to what the page did not show.
            if owed.needs_admin || step != stamp(&owed.asked) {
                return Ok(here());
            }
            match let_in(site, visit, &row, (&session, &owed.asked)).await {
                Err(fault) if fault.kind == Kind::Stale => Ok(here()),
                Err(fault) => Err(fault),
                Ok(()) => Ok(here()),
            }
        }
    }
}

async fn decline(site: &Site, visit: &Visit, id: DeviceId) -> Outcome<()> {
    let (declined, tenant) = (Declined::new(visit, id), visit.tenant_id());
    let Some(declined) = declined else { return Ok(()) };
    site.env
        .db
        .write(move |tx| {
            let declined = declined.clone();
            Box::pin(async move { declined.write(tx, tenant).await })
        })
        .await
}

/// What is written when a device is let in.
#[derive(Clone)]
struct Approval {
    family: FamilyRow,
    browser_digest: Vec<u8>,
    session_digest: Vec<u8>,
    consents: Vec<ConsentRow>,
    entry: EntryRow,
}

/// Lets the device in: once, as long as the session stands. `Stale` when something was faster.
async fn let_in(
    site: &Site,
    visit: &Visit,
    row: &DeviceCodeRow,
    (session, given): (&Session, &[Permission]),
) -> Outcome<()> {
    let family = FamilyRow {
        id: GrantId::from_random(site.env.random()),
        client_id: row.client_id,
        user_id: session.user,
        sid: session.sid,
        issuer: row.issuer.clone(),
        scope: row.scope.clone(),
        auth_time: session.auth_time,
        created_at: visit.now,
        expires_at: end_of_grant(site, visit, row.client_id),
        revoked_at: None,
        doc: Some(FamilyDoc { amr: session.amr.clone(), ..FamilyDoc::default() }.write()?),
        parent_id: None,
    };
    let detail = json!({ "client": row.client_id, "device": row.id, "session": session.sid });
    let approval = Approval {
        family,
        browser_digest: row.browser_digest.clone().unwrap_or_default(),
        session_digest: session.digest.clone(),
        consents: consent::rows(visit, (row.client_id, session.user), given),
        entry: by_user(site, visit, session.user, "deviceSignIn", &detail),
    };
    let (tenant, now, id) = (visit.tenant_id(), visit.now, row.id);
    site.env
        .db
        .write(move |tx| {
            let Approval { family, browser_digest, session_digest, consents: given, entry } =
                approval.clone();
            Box::pin(async move {
                let row = sessions::find(tx, tenant, &session_digest).await?;
                if row.is_none_or(|row| row.revoked_at.is_some() || row.expires_at <= now) {
                    return Err(Fault::stale("the session ended"));
                }
                for row in &given {
                    consents::grant(tx, tenant, row).await?;
                }
                grants::insert_family(tx, tenant, &family).await?;
                let by = (id, browser_digest.as_slice());
                let outcome = (Status::Approved, Some(family.id));
                if !device_codes::settle(tx, tenant, by, outcome, now).await? {
                    return Err(Fault::stale("the device was decided about"));
                }
                audit::insert(tx, tenant, &entry).await
            })
        })
        .await
}

/// Reads a device for this browser. Another browser gets the answer of a device that does not exist (security.md S88).
async fn load(site: &Site, visit: &Visit, id: DeviceId) -> Outcome<DeviceCodeRow> {
    let gone = || {
        Fault::missing("device", "no such device in this browser").hint(Message::new("fault-journey-gone"))
    };
    let found = device_codes::find_by_id(&mut site.env.db.glance().await?, visit.tenant_id(), id).await?;
    let row = found.filter(|row| row.issuer == visit.issuer()).ok_or_else(gone)?;
    let browser = journey::browser(visit).map(journey::browser_digest).ok_or_else(gone)?;
    let own = row.browser_digest.as_ref().is_some_and(|stored| constant_time::eq(stored, &browser));
    if own { Ok(row) } else { Err(gone()) }
}

fn own_csrf(site: &Site, visit: &Visit, id: DeviceId) -> String {
    journey::csrf(site, visit.browser.as_ref().map_or("", |b| b.expose().as_str()), &id.to_string())
}
