//! Signed and encrypted tokens of an OpenID provider (RFC 7515, RFC 7516, OpenID Connect Core 10).

use serde_json::{Map, Value};
use vestibule_crypto::claims::audiences;
use vestibule_crypto::jwe::{self, ContentEncryption, DecryptionKey, KeyManagement};
use vestibule_crypto::jwk::Algorithm;
use vestibule_crypto::jws::{Expected, Refusal, Typ, Unverified, Verified};
use vestibule_rules::fault::{Fault, Outcome};

use super::metadata::Metadata;
use super::{Provider, Upstream};
use crate::directory::ProviderSecret;
use crate::ports::outbound::OutboundResponse;

/// The type that tokens of a provider have, unless they are of a special kind.
pub(super) const JWT: Typ<'static> = Typ::AbsentOr(&["JWT"]);

/// A token without its envelope, if it had one.
pub(super) enum Opened<'a> {
    AsItIs(&'a str),
    Decrypted(jwe::Decrypted),
}

impl Opened<'_> {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::AsItIs(text) => text,
            Self::Decrypted(decrypted) => decrypted.text(),
        }
    }
}

/// Takes a token out of its envelope.
pub(super) fn open<'a>(upstream: Upstream<'_>, token: &'a str) -> Outcome<Opened<'a>> {
    if !jwe::is_encrypted(token) {
        return Ok(Opened::AsItIs(token));
    }
    let key = decryption_key(upstream)?;
    let key =
        key.ok_or_else(|| Fault::upstream("the token is encrypted, and no key is configured for it"))?;
    Ok(Opened::Decrypted(jwe::decrypt(token, &[&key], &ContentEncryption::ALL)?))
}

/// The key that the provider encrypts to. It is for one algorithm: the one that is configured, or the usual one of
/// its type.
pub(super) fn decryption_key(upstream: Upstream<'_>) -> Outcome<Option<DecryptionKey>> {
    let Some(pem) = upstream.secret(ProviderSecret::DecryptionKey)? else { return Ok(None) };
    if let Some(name) = &upstream.provider.settings.decryption_algorithm {
        let algorithm = KeyManagement::parse(name);
        let algorithm = algorithm.ok_or_else(|| Fault::ours("no such algorithm to decrypt with"))?;
        return DecryptionKey::from_pem(&pem, algorithm).map(Some);
    }
    let rsa = DecryptionKey::from_pem(&pem, KeyManagement::RsaOaep);
    rsa.or_else(|_| DecryptionKey::from_pem(&pem, KeyManagement::EcdhEs)).map(Some)
}

/// Checks the signature. A provider that changed its key just before it signed is asked for its keys once more,
/// also when its tokens do not name their key.
pub(super) async fn verify(
    upstream: Upstream<'_>,
    metadata: &Metadata,
    (token, typ): (&str, Typ<'_>),
) -> Outcome<Verified> {
    let Upstream { site, visit, provider, .. } = upstream;
    let algorithms = algorithms(provider);
    let expected = Expected { algorithms: &algorithms, typ };
    let unverified = Unverified::parse(token)?;
    let named = unverified.kid().is_some();
    let keys = site.providers.keys_for(site, metadata, unverified.kid(), visit.now).await?;
    match unverified.verify(&keys, &expected) {
        Err(Refusal::BadSignature | Refusal::UnknownKey) if !named => {
            let keys = site.providers.keys_again(site, metadata, visit.now).await?;
            Ok(Unverified::parse(token)?.verify(&keys, &expected)?)
        }
        verified => Ok(verified?),
    }
}

fn algorithms(provider: &Provider) -> Vec<Algorithm> {
    let named = &provider.settings.signing_algorithms;
    let all = Algorithm::ALL.into_iter();
    all.filter(|algorithm| named.is_empty() || named.iter().any(|name| name == algorithm.name())).collect()
}

/// Whether an answer is a token and not JSON.
pub(super) fn is_jwt(response: &OutboundResponse) -> bool {
    let kind = response.header("content-type").unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/jwt")
}

/// User info that is signed, encrypted or both (OpenID Connect Core 5.3.2, RP11).
pub(super) async fn of_user_info(
    upstream: Upstream<'_>,
    metadata: &Metadata,
    response: &OutboundResponse,
) -> Outcome<Map<String, Value>> {
    let text = std::str::from_utf8(&response.body).map_err(|_| Fault::upstream("user info is no text"))?;
    let opened = open(upstream, text.trim())?;
    if let Opened::Decrypted(decrypted) = &opened
        && let Ok(claims) = decrypted.unsigned_claims()
    {
        return Ok(claims);
    }
    let claims = verify(upstream, metadata, (opened.text(), JWT)).await?.claims;
    if claims.get("iss").and_then(Value::as_str).is_some_and(|iss| iss != metadata.issuer) {
        return Err(Fault::upstream("user info is signed by another issuer"));
    }
    if claims.contains_key("aud") && !audiences(&claims)?.contains(&upstream.provider.client_id.as_str()) {
        return Err(Fault::upstream("user info is for another app"));
    }
    Ok(claims)
}
