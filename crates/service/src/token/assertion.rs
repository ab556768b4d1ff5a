//! Client assertions (RFC 7523, OpenID Connect Core 9): tokens that an application signs with its key or its secret, or
//! that a trusted platform signs for its workload.
//!
//! An assertion is good once, on whatever node (security.md S44). The one exception is what Microsoft's libraries make:
//! they name their key by its certificate alone and send an assertion again until its ten minutes are over, so that
//! second sign-ins would fail if it were refused. The header says so under the application's own signature.

use serde_json::{Map, Value};
use vestibule_crypto::claims::{Asserted, ClientAssertion};
use vestibule_crypto::digest::sha256;
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};
use vestibule_crypto::jws::{Expected, Refusal as Refused, Unverified};
use vestibule_crypto::mac;
use vestibule_crypto::registered_key::{KeyName, RegisteredKey};
use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::oauth::client_auth::{self, Proof};
use vestibule_rules::oauth::error::{self, OAuthError};
use vestibule_rules::time::Span;
use vestibule_store::spent_tokens;

use super::{Refusal, workload};
use crate::directory::open_application_secret;
use crate::env::Site;
use crate::registration::chosen_by;
use crate::visit::Visit;

/// How long an assertion of Microsoft's libraries lives.
const SENT_AGAIN: Span = Span::minutes(10);

type App = Application<PasswordCredential>;

/// What the assertion proves of `app`.
pub(super) async fn proof<'a>(
    site: &Site,
    visit: &Visit,
    app: &'a App,
    token: &str,
) -> Result<Proof<'a>, Refusal> {
    let parsed = match Unverified::parse(token) {
        Ok(parsed) => parsed,
        Err(refused) => return Ok(wrong(refused)),
    };
    let issuer = parsed.claim("iss").and_then(Value::as_str).unwrap_or_default();
    let with_secret = mac::algorithm(&parsed).is_some();
    if !client_auth::takes_assertion(app.settings.token_endpoint_auth_method, with_secret) {
        return Ok(Proof::Wrong(error::METHOD));
    }
    if !issuer.eq_ignore_ascii_case(&app.app_id.to_string()) {
        return workload::proof(site, visit, app, parsed).await;
    }
    let chosen = app.registered.as_ref().and_then(|own| own.assertion_algorithm.as_deref());
    if chosen.is_some_and(|name| parsed.header("alg").and_then(Value::as_str) != Some(name)) {
        return Ok(Proof::Wrong(error::ASSERTION));
    }
    let name = KeyName::of(&parsed);
    let (claims, proof) = if with_secret {
        (by_secret(site, visit, app, parsed)?, Proof::SecretJwt)
    } else {
        (by_key(site, visit, app, (parsed, &name)).await, Proof::Key)
    };
    let asserted = match claims.and_then(|claims| check(visit, app, &claims)) {
        Ok(asserted) => asserted,
        Err(refused) => return Ok(wrong(refused)),
    };
    let sent_again = name.is_by_certificate() && asserted.life.is_some_and(|life| life <= SENT_AGAIN);
    if !sent_again && !spend(site, visit, app, asserted).await? {
        return Ok(Proof::Wrong(error::ASSERTION_USED));
    }
    Ok(proof)
}

/// The claims of an assertion that the application's secret signed.
fn by_secret(
    site: &Site,
    visit: &Visit,
    app: &App,
    token: Unverified<'_>,
) -> Result<Result<Map<String, Value>, Refused>, Refusal> {
    let mut secrets = Vec::new();
    for credential in &app.password_credentials {
        if client_auth::is_in_force(credential, visit.now).is_ok() {
            let whose = (visit.tenant_id(), app.app_id);
            secrets.extend(open_application_secret(&site.env.sealing, whose, credential)?);
        }
    }
    Ok(token.check_typ(ClientAssertion::TYP).and_then(|()| mac::verify(token, &secrets)))
}

/// The claims of an assertion that one of the application's keys signed. Keys that are published are read only when
/// none that is registered is meant, or nothing says which is.
async fn by_key(
    site: &Site,
    visit: &Visit,
    app: &App,
    (token, name): (Unverified<'_>, &KeyName),
) -> Result<Map<String, Value>, Refused> {
    let registered = visit.tenant.client_keys.of(app.app_id, visit.now);
    let mut keys: Vec<&VerifyingKey> =
        registered.filter(|key| key.is_called(name)).map(RegisteredKey::verifying).collect();
    let published;
    if let (true, Some(address)) = (keys.is_empty() || name.is_empty(), &app.settings.jwks_uri) {
        let fits = |key: &RegisteredKey| key.is_called(name);
        let source = (address.as_str(), chosen_by(app));
        published = site.key_sets.keys(site, source, &fits, visit.now).await.unwrap_or_else(|fault| {
            // An application whose keys cannot be read has not proven itself; it is no fault of this server.
            tracing::warn!(%fault, client = %app.app_id, "the keys of an application cannot be read");
            std::sync::Arc::default()
        });
        keys.extend(published.iter().filter(|key| fits(key)).map(RegisteredKey::verifying));
    }
    let expected = Expected { algorithms: &Algorithm::ALL, typ: ClientAssertion::TYP };
    Ok(token.verify_with(&keys, &expected)?.claims)
}

fn check(visit: &Visit, app: &App, claims: &Map<String, Value>) -> Result<Asserted, Refused> {
    let (client, issuer) = (app.app_id.to_string(), visit.issuer());
    let names = visit.tenant.config.tenant.names();
    let is_tenant = |name: &str| names.contains(&name.to_lowercase());
    let is_us = |audience: &str| client_auth::is_audience(audience, &visit.origin, &issuer, &is_tenant);
    ClientAssertion { client: &client, is_us: &is_us, now: visit.now }.check(claims)
}

/// Notes that the assertion was used; `false` when it was before.
async fn spend(site: &Site, visit: &Visit, app: &App, asserted: Asserted) -> Result<bool, Refusal> {
    let tenant = visit.tenant_id();
    let digest = sha256(format!("client assertion|{}|{}", app.app_id, asserted.jti).as_bytes());
    let write = site.env.db.write(move |tx| {
        Box::pin(async move { spent_tokens::spend(tx, tenant, &digest, asserted.expires_at).await })
    });
    Ok(write.await?)
}

/// What the client learns of a refusal; the log learns more.
pub(super) fn wrong<'a>(refused: Refused) -> Proof<'a> {
    tracing::info!(%refused, "a client assertion is refused");
    Proof::Wrong(error_of(refused))
}

fn error_of(refused: Refused) -> OAuthError {
    let about = |all: &[Refused]| all.contains(&refused);
    if about(&[Refused::WrongIssuer, Refused::BadSubject]) {
        error::ASSERTION_CLIENT
    } else if about(&[Refused::WrongAudience]) {
        error::ASSERTION_AUDIENCE
    } else if about(&[Refused::BadTime, Refused::Expired, Refused::NotYetValid]) {
        error::ASSERTION_TIME
    } else if about(&[Refused::BadTokenId]) {
        error::ASSERTION_USED
    } else {
        error::ASSERTION
    }
}
