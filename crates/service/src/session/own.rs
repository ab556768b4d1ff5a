//! Somebody's own account as they see it here, and signing out everywhere.

use serde_json::json;
use vestibule_crypto::constant_time;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Message;
use vestibule_store::audit;

use super::{Change, SignedIn, end_everywhere, of_browser};
use crate::audit::by_user;
use crate::env::Site;
use crate::hop::SessionCookie;
use crate::journey;
use crate::visit::Visit;

/// Who is signed in.
pub struct OwnAccount {
    pub name: String,
    pub address: String,
    pub csrf: String,
}

/// The account in use; nothing when nobody is signed in. It changes nothing.
pub async fn own(site: &Site, visit: &Visit) -> Outcome<Option<OwnAccount>> {
    let found = of_browser(site, visit).await?.into_in_use();
    Ok(found.map(|found| OwnAccount {
        name: found.name().to_owned(),
        address: found.address().to_owned(),
        csrf: token(site, visit, &found),
    }))
}

/// Signs the person out on every device and takes back what applications got. Other accounts of this browser stay.
///
/// Returns `Forbidden` when nobody is signed in, or the form's token is not this session's.
pub async fn sign_out_everywhere(site: &Site, visit: &Visit, shown: &str) -> Outcome<SessionCookie> {
    let here = of_browser(site, visit).await?;
    let gone = || Fault::forbidden("nobody is signed in").hint(Message::new("fault-journey-gone"));
    let found = here.in_use().ok_or_else(gone)?;
    if !constant_time::eq_str(shown, &token(site, visit, found)) {
        let fault = Fault::forbidden("the form's token is not this session's");
        return Err(fault.hint(Message::new("fault-form")));
    }
    let user = found.session.user;
    let change = Change::sign_out(site, visit, &here, &[found.session.sid]);
    let entry = by_user(site, visit, user, "signOutEverywhere", &json!({}));
    let (tenant, now, rows) = (visit.tenant_id(), visit.now, change.rows.clone());
    let write = site.env.db.write(move |tx| {
        let (rows, entry) = (rows.clone(), entry.clone());
        Box::pin(async move {
            rows.write(tx, tenant, now).await?;
            end_everywhere(tx, tenant, user, now).await?;
            audit::insert(tx, tenant, &entry).await
        })
    });
    write.await?;
    site.notices_waiting.notify_one();
    Ok(change.cookie)
}

/// Bound to the cookie and the person: of no use after either changed.
fn token(site: &Site, visit: &Visit, found: &SignedIn) -> String {
    let cookie = visit.session.as_ref().map_or("", |value| value.expose().as_str());
    journey::csrf(site, cookie, &format!("account of {}", found.session.user))
}
