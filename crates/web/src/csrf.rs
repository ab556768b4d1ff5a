//! The token in our own forms. The service makes and checks it, because it takes a key.

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Message;
use vestibule_service::env::Site;
use vestibule_service::journey;
use vestibule_service::visit::Visit;

/// What a logout token is bound to beside the browser's session.
const LOGOUT: &str = "logout";

/// The token of the page that asks before signing out.
pub fn logout_token(site: &Site, visit: &Visit) -> Outcome<String> {
    let session = visit.session.as_ref().ok_or_else(|| Fault::forbidden("nobody is signed in"))?;
    Ok(journey::csrf(site, session.expose(), LOGOUT))
}

/// Refuses a token of another session.
pub fn check_logout(site: &Site, visit: &Visit, token: &str) -> Outcome<()> {
    if is_same(&logout_token(site, visit)?, token) {
        Ok(())
    } else {
        Err(Fault::forbidden("the token is not this session's").hint(Message::new("fault-form")))
    }
}

/// Looks at every byte, so that the time it takes says nothing about the first that differs.
pub(crate) fn is_same(expected: &str, given: &str) -> bool {
    let differences = expected.bytes().zip(given.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    expected.len() == given.len() && differences == 0
}
