//! What the app of a journey in memory gets: the claims of its ID token, made by what makes the server's.

use serde_json::Value;
use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::directory::user::User;
use vestibule_rules::ids::{GrantId, SessionId};
use vestibule_rules::journey::facts::Facts;
use vestibule_rules::oauth::added_claims::Added;
use vestibule_rules::oauth::claims::{self, Issuance, SignIn, Subject};
use vestibule_rules::oauth::client_auth::Strength;
use vestibule_rules::oauth::scope::Scope;
use vestibule_rules::time::Timestamp;

use super::ORIGIN;
use super::world::subject;
use crate::env::Lifetimes;

/// Everything that an ID token takes beside the journey and the account.
pub(crate) struct Mint<'a> {
    pub(crate) config: &'a TenantConfig,
    pub(crate) app: &'a Application<PasswordCredential>,
    /// `scope` of the application's request.
    pub(crate) scope: &'a str,
    pub(crate) now: Timestamp,
}

impl Mint<'_> {
    /// The claims of the ID token that the journey of `facts` ends with.
    pub(crate) fn id_token(&self, facts: &Facts, user: &User) -> Value {
        let Self { config, app, now, .. } = *self;
        let scope = Scope::restore(self.scope, &config.applications);
        let provider = facts.authenticated.as_ref().and_then(|a| a.provider.as_ref());
        let provider = config.identity_providers.iter().find(|p| Some(&p.id) == provider);
        let idp = provider.map(|p| issuer(&p.identity_issuer(config.tenant.kind)));
        let own_issuer = format!("{ORIGIN}/{}/v2.0", config.tenant.id);
        let issuance = Issuance {
            issuer: &own_issuer,
            tenant: config.tenant.id,
            client: app.app_id,
            scope: &scope,
            now,
            uti: "test",
            strength: Strength::Public,
        };
        let sub = subject(&app.app_id.to_string(), user.id);
        let subject = Subject {
            user,
            sub: &sub,
            sid: SessionId::from_random([1; 16]),
            grant: GrantId::from_random([2; 16]),
            idp: idp.as_deref().filter(|idp| *idp != own_issuer),
        };
        let sign_in = SignIn::default();
        let added = Added { mapped: &app.token_claims, ..Added::default() };
        claims::id_token(&issuance, &subject, &sign_in, &added, Lifetimes::default().id_token)
    }
}

/// The issuer of a provider as it is told apart in memory.
pub(crate) fn issuer(configured: &str) -> String {
    configured.replace("{origin}", ORIGIN)
}
