//! What a guardian does with the link in their mail. They have no part in the visitor's browser: the link is
//! all that they have, and their answer goes into the visitor's journey.

use vestibule_crypto::{constant_time, digest};
use vestibule_rules::directory::age::AgeGroup;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{JourneyId, TenantId};
use vestibule_rules::journey::age::Guardian;
use vestibule_rules::journey::engine;
use vestibule_rules::journey::form::{self, FormField};
use vestibule_rules::journey::question::{Answer, Question};
use vestibule_rules::text::Message;
use vestibule_rules::time::{Span, Timestamp};

use super::effects::{self, Effects};
use super::{Loaded, Scene, csrf, find};
use crate::audit;
use crate::env::Site;
use crate::visit::Visit;

/// How long a guardian may take.
pub(crate) const GUARDIAN_LIFETIME: Span = Span::days(7);
/// How often an answer is tried again when the visitor did something at the same moment.
const TRIES: usize = 5;

/// What a guardian is shown.
pub struct GuardianView {
    pub standing: GuardianStanding,
    /// The address of the newcomer.
    pub visitor: String,
    pub app_name: String,
    pub tenant_name: String,
    /// What the newcomer has answered.
    pub answers: Vec<FormField>,
    pub csrf: String,
}

/// What can still be done with a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GuardianStanding {
    /// The guardian is asked.
    Open,
    Agreed,
    Refused,
    /// A newer mail was sent, or the newcomer went another way.
    Replaced,
    /// Nobody answered in time.
    Expired,
}

/// The part of the link that is the guardian's alone. Nothing of it is stored: it is derived from what it is
/// about, and whoever reads the database cannot make one.
pub(super) fn token(site: &Site, tenant: TenantId, id: JourneyId, sent: u32) -> String {
    let parts = [tenant.to_string(), id.to_string(), sent.to_string()];
    let [tenant, journey, sent] = parts.each_ref().map(String::as_bytes);
    digest::base64url(&digest::hmac_parts(&site.env.derived.page, &[b"guardian", tenant, journey, sent]))
}

/// A link as it was opened.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    pub journey: JourneyId,
    /// The number of the mail that it stood in.
    pub sent: u32,
    pub token: &'a str,
}

/// Shows what is asked. Nothing changes.
///
/// Returns `Missing` for a link that is not ours, or whose journey is gone.
pub async fn view(site: &Site, visit: &Visit, link: Link<'_>) -> Outcome<GuardianView> {
    let loaded = open(site, visit, link).await?;
    Ok(shown(site, visit, &loaded, link))
}

/// Takes the guardian's answer, once; what it came to is shown.
///
/// Returns `Missing` as [`view`] does, and `Forbidden` when the form's token is not this link's.
pub async fn answer(
    site: &Site,
    visit: &Visit,
    link: Link<'_>,
    (agrees, token): (bool, &str),
) -> Outcome<GuardianView> {
    for _ in 0..TRIES {
        let loaded = open(site, visit, link).await?;
        if !constant_time::eq_str(token, &own_csrf(site, link)) {
            let fault = Fault::forbidden("the form's token is not this link's");
            return Err(fault.hint(Message::new("fault-form")));
        }
        if standing(&loaded, link, visit.now) != GuardianStanding::Open {
            return Ok(shown(site, visit, &loaded, link));
        }
        let reply = if agrees { Answer::GuardianAgreed(visit.now) } else { Answer::GuardianRefused };
        let question = Question::Guardian { sent: link.sent };
        let turn = engine::answer(&loaded.flow, loaded.state.facts.clone(), &question, reply);
        let turn = turn.map_err(|rejected| Fault::ours(format!("a guardian's answer: {rejected}")))?;
        let mut effects = Effects::default();
        effects.audit.push(audit::by_guardian(site, visit, link.journey, agrees));
        let state = loaded.state.after(&loaded.flow, &turn.facts, visit);
        let saved = effects::save(Scene { site, visit, loaded: &loaded }, &state, &effects, None).await;
        match saved {
            Ok(()) => {
                let loaded = Loaded { state, ..loaded };
                let standing = if agrees { GuardianStanding::Agreed } else { GuardianStanding::Refused };
                return Ok(GuardianView { standing, ..shown(site, visit, &loaded, link) });
            }
            // The visitor looked whether there is an answer, at the same moment.
            Err(fault) if fault.kind == Kind::Stale => {}
            Err(fault) => return Err(fault),
        }
    }
    Err(Fault::stale("the journey moved on too often"))
}

async fn open(site: &Site, visit: &Visit, link: Link<'_>) -> Outcome<Loaded> {
    let gone = || Fault::missing("journey", "no such link").hint(Message::new("fault-guardian-gone"));
    if !constant_time::eq_str(link.token, &token(site, visit.tenant_id(), link.journey, link.sent)) {
        return Err(gone());
    }
    let loaded = find(site, visit, link.journey).await?;
    loaded.filter(|loaded| loaded.state.issuer == visit.issuer()).ok_or_else(gone)
}

fn standing(loaded: &Loaded, link: Link<'_>, now: Timestamp) -> GuardianStanding {
    let facts = &loaded.state.facts;
    let minor = facts.aged.as_ref().is_some_and(|aged| aged.group == AgeGroup::Minor);
    match &facts.guardian {
        Some(Guardian { sent, agreed_at: Some(_), .. }) if *sent == link.sent => GuardianStanding::Agreed,
        Some(guardian) if guardian.sent == link.sent && minor && !loaded.row.ended => {
            if loaded.expired || now >= guardian.expires_at {
                GuardianStanding::Expired
            } else {
                GuardianStanding::Open
            }
        }
        None if facts.too_young && facts.guardians_asked == link.sent => GuardianStanding::Refused,
        Some(_) | None => GuardianStanding::Replaced,
    }
}

fn shown(site: &Site, visit: &Visit, loaded: &Loaded, link: Link<'_>) -> GuardianView {
    let facts = &loaded.state.facts;
    let standing = standing(loaded, link, visit.now);
    let application = visit.tenant.application(loaded.state.request.client_id());
    let is_open = standing == GuardianStanding::Open;
    GuardianView {
        standing,
        visitor: facts.proven_address().unwrap_or_default().to_owned(),
        app_name: application.map_or_else(String::new, |app| app.display_name.clone()),
        tenant_name: loaded.flow.tenant_name.clone(),
        // Whoever finds an old mail learns nothing from it.
        answers: if is_open { form::answers(&loaded.flow, facts) } else { Vec::new() },
        csrf: own_csrf(site, link),
    }
}

fn own_csrf(site: &Site, link: Link<'_>) -> String {
    csrf(site, link.token, "guardian")
}
