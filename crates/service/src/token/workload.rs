//! Workloads of other platforms (Graph: `federatedIdentityCredentials`): the platform's own token stands for the
//! application, so that no secret has to be kept there. Only issuers that the application's registration names are ever
//! asked for their keys; the token may be used until it ends, as its platform gives it out.

use serde_json::Value;
use vestibule_crypto::claims::WorkloadToken;
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};
use vestibule_crypto::jws::{Expected, Refusal as Refused, Unverified};
use vestibule_crypto::registered_key::{KeyName, RegisteredKey};
use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::directory::credential::FederatedIdentityCredential;
use vestibule_rules::oauth::client_auth::Proof;
use vestibule_rules::oauth::error;

use super::{Refusal, assertion};
use crate::env::Site;
use crate::visit::Visit;

/// What the token of a workload proves of `app`.
pub(super) async fn proof<'a>(
    site: &Site,
    visit: &Visit,
    app: &'a Application<PasswordCredential>,
    token: Unverified<'_>,
) -> Result<Proof<'a>, Refusal> {
    let issuer = token.claim("iss").and_then(Value::as_str).unwrap_or_default().to_owned();
    let trusted: Vec<&FederatedIdentityCredential> =
        app.settings.federated_identity_credentials.iter().filter(|trust| trust.issuer == issuer).collect();
    if trusted.is_empty() {
        let none = app.settings.federated_identity_credentials.is_empty();
        return Ok(Proof::Wrong(if none { error::ASSERTION_CLIENT } else { error::WORKLOAD_ISSUER }));
    }
    let name = KeyName::of(&token);
    let fits = |key: &RegisteredKey| key.is_called(&name);
    let keys = match site.key_sets.keys_of_issuer(site, &issuer, &fits, visit.now).await {
        Ok(keys) => keys,
        Err(fault) => {
            tracing::warn!(%fault, client = %app.app_id, "the keys of a workload's issuer cannot be read");
            return Ok(Proof::Wrong(error::ASSERTION));
        }
    };
    let keys: Vec<&VerifyingKey> =
        keys.iter().filter(|key| fits(key)).map(RegisteredKey::verifying).collect();
    let expected = Expected { algorithms: &Algorithm::ALL, typ: WorkloadToken::TYP };
    let claims = match token.verify_with(&keys, &expected) {
        Ok(verified) => verified.claims,
        Err(refused) => return Ok(assertion::wrong(refused)),
    };
    let check = |trust: &&FederatedIdentityCredential| {
        let (subject, audiences) = (trust.subject.as_str(), trust.audiences.as_slice());
        WorkloadToken { issuer: &issuer, subject, audiences, now: visit.now }.check(&claims)
    };
    // The refusal of the one that came nearest: the subject is compared before the audience.
    let mut refusals = Vec::new();
    for trust in &trusted {
        match check(trust) {
            Ok(()) => return Ok(Proof::Key),
            Err(refused) => refusals.push(refused),
        }
    }
    let nearest = refusals.into_iter().find(|refused| *refused != Refused::BadSubject);
    Ok(match nearest {
        None => Proof::Wrong(error::WORKLOAD_SUBJECT),
        Some(Refused::WrongAudience) => Proof::Wrong(error::WORKLOAD_AUDIENCE),
        Some(refused) => assertion::wrong(refused),
    })
}
