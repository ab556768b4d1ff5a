//! How long the tokens of an application live.

use vestibule_rules::directory::lifetimes::{Lifetimes, Lives};
use vestibule_rules::ids::ClientId;
use vestibule_rules::time::{Span, Timestamp};

use crate::env::Site;
use crate::visit::Visit;

fn said(visit: &Visit, client: ClientId) -> Option<&Lifetimes> {
    visit.tenant.application(client).map(|app| &app.settings.tokens.token_lifetimes)
}

/// What tenant and application say, and else the operator.
pub(super) fn of(site: &Site, visit: &Visit, client: ClientId) -> Lives {
    let silent = Lifetimes::default();
    let tenant = &visit.tenant.config.tenant.tokens.lifetimes;
    site.settings.lifetimes.lives().within(tenant, said(visit, client).unwrap_or(&silent))
}

/// How long an access token of `client` for the API `audience` lives.
pub(super) fn access_token(site: &Site, visit: &Visit, client: ClientId, audience: ClientId) -> Span {
    let silent = Lifetimes::default();
    let tenant = &visit.tenant.config.tenant.tokens.lifetimes;
    let usual = site.settings.lifetimes.lives().within(tenant, &silent);
    usual.access_token(said(visit, client).unwrap_or(&silent), said(visit, audience))
}

/// When a grant that begins now ends, however often its tokens are rotated (security.md S76).
pub(crate) fn end_of_grant(site: &Site, visit: &Visit, client: ClientId) -> Timestamp {
    visit.now + of(site, visit, client).absolute
}
