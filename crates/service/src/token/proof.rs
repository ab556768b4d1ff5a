//! What a client shows, looked at: secrets are compared under a limit, assertions verified.

use vestibule_crypto::digest::verify_secret;
use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::oauth::client_auth::{self, Proof, Shown, Way};
use vestibule_rules::oauth::error::{self, OAuthError};
use vestibule_rules::text::Secret;
use vestibule_rules::time::Span;

use super::{Refusal, assertion};
use crate::env::Site;
use crate::throttle::Limit;
use crate::visit::Visit;

/// Wrong secrets of one client from one source. Whoever guesses from elsewhere locks nobody out (security.md S39).
const MOST_WRONG: i64 = 30;
const WINDOW: Span = Span::minutes(5);

/// What the proof is worth. Nothing is decided by it yet.
pub(super) async fn of<'a>(
    site: &Site,
    visit: &Visit,
    app: &'a Application<PasswordCredential>,
    shown: &Shown,
) -> Result<Proof<'a>, Refusal> {
    match shown {
        Shown::Nothing => Ok(Proof::Nothing),
        Shown::Secret(way, secret) => of_secret(site, visit, app, (*way, secret)).await,
        Shown::Assertion(token) => assertion::proof(site, visit, app, token).await,
    }
}

async fn of_secret<'a>(
    site: &Site,
    visit: &Visit,
    app: &'a Application<PasswordCredential>,
    (way, secret): (Way, &Secret<String>),
) -> Result<Proof<'a>, Refusal> {
    if !client_auth::takes_secret(app.settings.token_endpoint_auth_method, way) {
        return Ok(Proof::Wrong(error::METHOD));
    }
    let (tenant, now) = (visit.tenant_id(), visit.now);
    let limit = || {
        let whom = format!("{} {}", app.app_id, visit.network());
        Limit::new(&site.env, "client_secret", &whom, WINDOW, MOST_WRONG)
    };
    if let Some(wait) = limit().wait(&site.env, tenant, now).await? {
        return Err(throttled(wait).into());
    }
    let mut known = app.password_credentials.iter().filter(|known| verify_secret(secret, &known.hash));
    // One text may be registered twice, for a time and for the time after it.
    let first = known.next();
    let counts = |known: &&PasswordCredential| client_auth::is_in_force(known, now).is_ok();
    let found = first.filter(counts).or_else(|| known.find(counts)).or(first);
    if let Some(credential) = found {
        return Ok(Proof::Secret(credential));
    }
    // The guess is counted in a transaction of its own, which stands whatever comes of the request.
    Limit::spend(&site.env, tenant, vec![limit()], now).await?.map_err(throttled)?;
    Ok(Proof::Wrong(error::WRONG_SECRET))
}

const fn throttled(wait: Span) -> OAuthError {
    OAuthError { retry_after: Some(wait), ..error::THROTTLED }
}
