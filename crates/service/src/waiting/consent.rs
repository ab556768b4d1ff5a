//! Whether an application may do what it asks for, as its person decides.

use serde_json::json;
use vestibule_crypto::digest::{base64url, sha256};
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{RequestId, SessionId};
use vestibule_rules::journey::facts::Intent;
use vestibule_rules::oauth::authorize::Verified;
use vestibule_rules::oauth::consent::{Permission, Standing};
use vestibule_rules::oauth::error;
use vestibule_rules::text::Message;
use vestibule_store::{audit, consents};

use super::{Waiting, Waits, answer, check_csrf, csrf, gone, load};
use crate::audit::by_user;
use crate::authorize::{go_on, refuse, start};
use crate::consent::{self, Described, describe};
use crate::env::Site;
use crate::hop::{Hop, To};
use crate::journey::Stranger;
use crate::session::{self, SignedIn};
use crate::visit::Visit;

/// What the page shows.
pub struct ConsentView {
    pub standing: ConsentStanding,
    pub app_name: String,
    /// The app when it registered itself.
    pub stranger: Option<Stranger>,
    /// Where the app lives, for a way back to it.
    pub app_origin: Option<String>,
    pub publisher: Option<String>,
    pub privacy: Option<String>,
    pub terms: Option<String>,
    pub permissions: Vec<Described>,
    /// The name that whoever is asked signs in with.
    pub account: String,
    pub csrf: String,
    /// What says which permissions the page showed.
    pub step: String,
    /// `ui_locales` of the request.
    pub locales: Option<String>,
}

/// Whether the person is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConsentStanding {
    Open,
    /// Only an administrator can agree.
    NeedsAdmin,
    /// Answered, or too late.
    Over,
}

/// What the person says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Accept,
    Cancel,
    /// Somebody else is meant.
    SwitchAccount,
}

/// What is asked for, and of whom.
struct Question<'a> {
    waiting: Waiting,
    person: &'a SignedIn,
    asked: Vec<Permission>,
    needs_admin: bool,
}

/// Shows what an application asks for. Nothing changes.
///
/// Returns `Missing` for a request that another browser has, or none, and when its person signed out.
pub async fn view(site: &Site, visit: &Visit, id: RequestId) -> Outcome<ConsentView> {
    let waiting = load(site, visit, id).await?;
    let here = session::of_browser(site, visit).await?;
    let person = person(&waiting, &here)?;
    let question = question(site, visit, waiting, person).await?;
    let Question { waiting, asked, needs_admin, .. } = &question;
    let request = &waiting.doc.request;
    let app = visit.tenant.application(request.client_id);
    let settings = app.map(|app| &app.settings);
    Ok(ConsentView {
        standing: match (waiting.over, needs_admin) {
            (true, _) => ConsentStanding::Over,
            (false, true) => ConsentStanding::NeedsAdmin,
            (false, false) => ConsentStanding::Open,
        },
        app_name: app.map_or_else(String::new, |app| app.display_name.clone()),
        stranger: app.and_then(Stranger::of),
        app_origin: request.callback.form_action(),
        publisher: settings.and_then(|settings| settings.publisher_domain.clone()),
        privacy: settings.and_then(|settings| settings.info.privacy_statement_url.clone()),
        terms: settings.and_then(|settings| settings.info.terms_of_service_url.clone()),
        permissions: asked.iter().map(|permission| describe(visit, permission)).collect(),
        account: person.address().to_owned(),
        csrf: csrf(site, visit, id),
        step: stamp(asked),
        locales: request.ui_locales.clone(),
    })
}

/// Takes what the person said. A second click, and an answer that comes too late, only show that it is over; an answer
/// to a page that showed something else shows what it is about now.
///
/// Returns `Missing` as [`view`] does, and `Forbidden` when the form's token is not this browser's.
pub async fn decide(
    site: &Site,
    visit: &Visit,
    id: RequestId,
    (said, token, step): (Answer, &str, &str),
) -> Outcome<Hop> {
    let waiting = load(site, visit, id).await?;
    check_csrf(site, visit, id, token)?;
    let page = || Hop::to(To::Consent(id));
    if waiting.over {
        return Ok(page());
    }
    let here = session::of_browser(site, visit).await?;
    let person = person(&waiting, &here)?;
    let question = question(site, visit, waiting, person).await?;
    let request = question.waiting.doc.request.clone();
    match said {
        Answer::Accept if question.needs_admin || step != stamp(&question.asked) => Ok(page()),
        Answer::Accept => match agree(site, visit, &question).await {
            Err(fault) if fault.kind == Kind::Stale => Ok(page()),
            Err(fault) => Err(fault),
            Ok(()) => {
                // Whoever got here has signed in as lately as was asked for: a consent comes last.
                let request = Verified { asks_consent: false, max_age: None, ..request };
                Box::pin(go_on(site, visit, request, person)).await
            }
        },
        Answer::Cancel if question.waiting.give_up(site, visit).await? => {
            let needs_admin = question.needs_admin;
            let error = if needs_admin { &error::ADMIN_CONSENT_DENIED } else { &error::CONSENT_DECLINED };
            Ok(refuse(visit, request.callback, error))
        }
        Answer::SwitchAccount if question.waiting.give_way(site, visit).await? => {
            let request = Verified { login_hint: None, ..request };
            start(site, visit, request, (Intent::SignIn, None)).await
        }
        Answer::Cancel | Answer::SwitchAccount => Ok(page()),
    }
}

/// Whoever is asked: the person of the session that the request waits in. Nobody else agrees in their place.
fn person<'a>(waiting: &Waiting, here: &'a session::Browser) -> Outcome<&'a SignedIn> {
    let sid: Option<SessionId> = match waiting.doc.waits {
        Waits::Consent { sid } => Some(sid),
        Waits::Account => None,
    };
    let found = sid.and_then(|sid| here.by_sid(sid));
    found.ok_or_else(|| match sid {
        Some(_) => Fault::new(Kind::Expired, "whoever was asked has signed out")
            .hint(Message::new("fault-journey-gone")),
        None => gone(),
    })
}

async fn question<'a>(
    site: &Site,
    visit: &Visit,
    waiting: Waiting,
    person: &'a SignedIn,
) -> Outcome<Question<'a>> {
    let request = &waiting.doc.request;
    let whose = (request.client_id, person.session.user);
    let (asked, needs_admin) =
        match consent::standing(site, visit, whose, (&request.asked(), request.asks_consent)).await? {
            Standing::Given => (Vec::new(), false),
            Standing::Ask(asked) => (asked, false),
            Standing::NeedsAdmin(asked) => (asked, true),
        };
    Ok(Question { waiting, person, asked, needs_admin })
}

/// Tells one list of permissions from another.
pub(crate) fn stamp(asked: &[Permission]) -> String {
    let names: Vec<String> = asked.iter().map(|p| format!("{} {}", p.resource, p.value)).collect();
    base64url(&sha256(names.join("\n").as_bytes()))
}

async fn agree(site: &Site, visit: &Visit, question: &Question<'_>) -> Outcome<()> {
    let client = question.waiting.doc.request.client_id;
    let user = question.person.session.user;
    let rows = consent::rows(visit, (client, user), &question.asked);
    let detail = json!({ "client": client, "permissions": question.asked });
    let entry = by_user(site, visit, user, "consent", &detail);
    let (tenant, id, now) = (visit.tenant_id(), question.waiting.row.id, visit.now);
    let written = std::sync::Arc::new((rows, entry));
    let write = site.env.db.write(move |tx| {
        let written = std::sync::Arc::clone(&written);
        Box::pin(async move {
            answer(tx, (tenant, id), now).await?;
            for row in &written.0 {
                consents::grant(tx, tenant, row).await?;
            }
            audit::insert(tx, tenant, &written.1).await
        })
    });
    write.await
}
