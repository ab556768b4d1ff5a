//! Who redeems: how a client proves itself, and whether it must, may or must not.
//!
//! The platform of the redirect address decides (native-auth-and-msal.md 4.6): a web app has a secret, a
//! single-page app has an origin instead, an installed app has neither. Secrets are compared elsewhere; the
//! result comes in as a value.

use url::Url;

use super::error::{self, OAuthError};
use super::params::Params;
use crate::directory::application::{Application, PasswordCredential, Platform};
use crate::text::Secret;
use crate::time::Timestamp;

/// Who the client says it is, and the secret it shows.
pub struct Presented {
    pub client_id: String,
    pub secret: Option<Secret<String>>,
}

/// Reads client id and secret from the body or from the `Authorization` header, never from both
/// (RFC 6749 §2.3, security.md S36). `basic` holds both halves, already percent-decoded.
pub fn presented(params: &Params, basic: Option<(String, Secret<String>)>) -> Result<Presented, OAuthError> {
    if params.get("client_assertion")?.is_some() || params.get("client_assertion_type")?.is_some() {
        return Err(error::ASSERTION);
    }
    let in_body = params.get("client_secret")?.map(|secret| Secret::new(secret.to_owned()));
    let named = params.get("client_id")?;
    match (basic, in_body) {
        (Some(_), Some(_)) => Err(error::TWO_METHODS),
        (Some((id, _)), None) if named.is_some_and(|named| !named.eq_ignore_ascii_case(&id)) => {
            Err(error::CLIENT_MISMATCH)
        }
        (Some((client_id, secret)), None) => {
            Ok(Presented { client_id, secret: Some(secret).filter(|s| !s.expose().is_empty()) })
        }
        (None, secret) => {
            let client_id = named.ok_or(error::MISSING_PARAMETER)?.to_owned();
            Ok(Presented { client_id, secret })
        }
    }
}

/// What comparing the secret gave.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// None was shown.
    Nothing,
    /// It is none of the application's.
    Wrong,
    /// It is this one.
    Secret(&'a PasswordCredential),
}

/// Decides whether the client has proven itself enough for `platform`; `None` is a grant without a redirect
/// address, which takes a secret.
pub fn check(platform: Option<Platform>, proof: Proof<'_>, now: Timestamp) -> Result<(), OAuthError> {
    match (platform, proof) {
        (Some(Platform::Spa | Platform::PublicClient), Proof::Nothing) => Ok(()),
        // What everybody can read out of an app proves nothing (security.md S41).
        (Some(Platform::Spa | Platform::PublicClient), Proof::Wrong | Proof::Secret(_)) => {
            Err(error::PUBLIC_CLIENT_SECRET)
        }
        (Some(Platform::Web) | None, Proof::Nothing) => Err(error::SECRET_MISSING),
        (Some(Platform::Web) | None, Proof::Wrong) => Err(error::WRONG_SECRET),
        (Some(Platform::Web) | None, Proof::Secret(credential)) => is_in_force(credential, now),
    }
}

fn is_in_force(credential: &PasswordCredential, now: Timestamp) -> Result<(), OAuthError> {
    if credential.end_at.is_some_and(|end| now >= end) {
        return Err(error::EXPIRED_SECRET);
    }
    if credential.start_at.is_some_and(|start| now < start) {
        return Err(error::WRONG_SECRET);
    }
    Ok(())
}

/// Browsers name the page that asks. Only single-page apps ask from a page, and only from their own
/// (native-auth-and-msal.md 2.10, R40).
pub fn check_origin<P>(
    application: &Application<P>,
    platform: Option<Platform>,
    origin: Option<&str>,
) -> Result<(), OAuthError> {
    match (platform, origin) {
        (Some(Platform::Spa), None) => Err(error::SAME_ORIGIN),
        (Some(Platform::Spa), Some(origin)) if is_origin_of(application, origin) => Ok(()),
        (Some(Platform::Web | Platform::PublicClient) | None, None) => Ok(()),
        (Some(Platform::Web | Platform::Spa | Platform::PublicClient) | None, Some(_)) => {
            Err(error::CROSS_ORIGIN)
        }
    }
}

/// Whether `origin` is the origin of a single-page redirect address: the pages that may read answers.
/// `null`, the origin of every sandbox, is nobody's (security.md S14).
pub fn is_origin_of<P>(application: &Application<P>, origin: &str) -> bool {
    origins(application).any(|own| own == origin)
}

/// The origins of an application's single-page redirect addresses, as browsers write them.
pub fn origins<P>(application: &Application<P>) -> impl Iterator<Item = String> {
    let origin_of = |uri: &String| Url::parse(uri).ok().map(|url| url.origin()).filter(url::Origin::is_tuple);
    application.spa.redirect_uris.iter().filter_map(origin_of).map(|origin| origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ObjectId;

    fn credential(start: Option<i64>, end: Option<i64>) -> PasswordCredential {
        PasswordCredential {
            key_id: ObjectId::from_random([1; 16]),
            display_name: None,
            hint: "abc".to_owned(),
            hash: String::new(),
            start_at: start.map(Timestamp::from_seconds),
            end_at: end.map(Timestamp::from_seconds),
        }
    }

    fn basic(id: &str, secret: &str) -> (String, Secret<String>) {
        (id.to_owned(), Secret::new(secret.to_owned()))
    }

    #[test]
    fn one_method_and_one_client() {
        // S36, R51
        let read = |text, header| presented(&Params::decode(text), header);
        assert_eq!(read("client_id=a", None).unwrap().client_id, "a");
        assert_eq!(read("client_id=a&client_secret=s", None).unwrap().secret.unwrap().expose(), "s");
        assert_eq!(read("", Some(basic("a", "s"))).unwrap().secret.unwrap().expose(), "s");
        assert!(read("client_id=A", Some(basic("a", ""))).unwrap().secret.is_none());
        assert_eq!(read("client_secret=s", Some(basic("a", "s"))).err(), Some(error::TWO_METHODS));
        assert_eq!(read("client_id=b", Some(basic("a", "s"))).err(), Some(error::CLIENT_MISMATCH));
        assert_eq!(read("", None).err(), Some(error::MISSING_PARAMETER));
        assert_eq!(read("client_id=a&client_assertion=x", None).err(), Some(error::ASSERTION));
        assert_eq!(read("client_id=a&client_id=a", None).err(), Some(error::REPEATED));
    }

    #[test]
    fn the_platform_decides_about_the_secret() {
        // R26, R40, S41, S48
        let now = Timestamp::from_seconds(100);
        let good = credential(Some(100), Some(101));
        for platform in [Platform::Spa, Platform::PublicClient] {
            assert_eq!(check(Some(platform), Proof::Nothing, now), Ok(()));
            for proof in [Proof::Wrong, Proof::Secret(&good)] {
                assert_eq!(check(Some(platform), proof, now), Err(error::PUBLIC_CLIENT_SECRET));
            }
        }
        for platform in [Some(Platform::Web), None] {
            assert_eq!(check(platform, Proof::Nothing, now), Err(error::SECRET_MISSING));
            assert_eq!(check(platform, Proof::Wrong, now), Err(error::WRONG_SECRET));
            assert_eq!(check(platform, Proof::Secret(&good), now), Ok(()));
            let over = credential(None, Some(100));
            assert_eq!(check(platform, Proof::Secret(&over), now), Err(error::EXPIRED_SECRET));
            let early = credential(Some(101), None);
            assert_eq!(check(platform, Proof::Secret(&early), now), Err(error::WRONG_SECRET));
        }
    }
}
