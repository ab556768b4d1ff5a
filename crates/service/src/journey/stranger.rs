//! What an app says about itself that registered itself: shown, and vouched for by nobody.

use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::ids::ClientId;

/// The app on the pages of its journeys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stranger {
    pub client: ClientId,
    pub name: String,
    /// The digest of its logo.
    pub logo: Option<String>,
    pub policy: Option<String>,
    pub terms: Option<String>,
}

impl Stranger {
    pub(crate) fn of(app: &Application<PasswordCredential>) -> Option<Self> {
        let own = app.registered.as_deref()?;
        Some(Self {
            client: app.app_id,
            name: app.display_name.clone(),
            logo: own.logo.clone(),
            policy: own.policy_uri.clone(),
            terms: own.tos_uri.clone(),
        })
    }
}
