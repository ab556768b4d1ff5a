//! What every endpoint reads of the application that calls it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http::header::{AUTHORIZATION, ORIGIN};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::params::Params;
use vestibule_rules::text::Secret;
use vestibule_service::token::TokenRequest;

use crate::form::Asked;

/// Credentials that would stand in logs if they were in an address (security.md S38).
const NEVER_IN_QUERY: [&str; 2] = ["client_secret", "client_assertion"];

/// The request with the proof of its client; the parameters of a `GET` are left alone.
pub(super) fn request(asked: &Asked) -> Outcome<TokenRequest> {
    let by_get = asked.method != Method::POST;
    Ok(TokenRequest {
        params: if by_get { Params::default() } else { asked.params() },
        basic: asked.header(AUTHORIZATION.as_str()).map(basic).transpose()?.flatten(),
        origin: asked.header(ORIGIN.as_str()).map(str::to_owned),
        secret_in_query: NEVER_IN_QUERY.into_iter().any(|name| asked.is_in_query(name)),
        by_get,
        possession: asked.possession(),
    })
}

/// Client id and secret of a Basic header; each part is form-encoded before they are joined (RFC 6749
/// §2.3.1). Another scheme is left alone.
fn basic(header: &str) -> Outcome<Option<(String, Secret<String>)>> {
    let Some((scheme, credentials)) = header.split_once(' ') else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Ok(None);
    }
    let malformed = || Fault::malformed("authorization", "not Basic credentials").code(9_002_313);
    let bytes = STANDARD.decode(credentials.trim()).map_err(|_| malformed())?;
    let text = String::from_utf8(bytes).map_err(|_| malformed())?;
    let (id, secret) = text.split_once(':').ok_or_else(malformed)?;
    Ok(Some((decode(id), Secret::new(decode(secret)))))
}

/// Libraries that do not encode at all, such as Authlib, are told by what form-encoding leaves nowhere: a secret in base64
/// ends with `=`, and its `+` is a plus.
fn decode(text: &str) -> String {
    let encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~*!'()+%".contains(&byte);
    if !text.bytes().all(encoded) {
        return text.to_owned();
    }
    url::form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(credentials: &str) -> Option<(String, String)> {
        let found = basic(&format!("Basic {}", STANDARD.encode(credentials))).unwrap();
        found.map(|(id, secret)| (id, secret.into_inner()))
    }

    #[test]
    fn both_parts_are_decoded() {
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(read("id:s%3Acr%2Bt+x"), pair("id", "s:cr+t x"));
        assert_eq!(read("id:a=b&c:d"), pair("id", "a=b&c:d"));
        assert_eq!(read("id:Kx+8w/%41%3D=="), pair("id", "Kx+8w/%41%3D=="), "this one was not encoded");
        assert_eq!(read("id:Kx%2B8w%2F%3D%3D"), pair("id", "Kx+8w/=="));
        assert_eq!(read("id:"), pair("id", ""));
    }

    #[test]
    fn another_scheme_is_not_ours_and_nonsense_is_malformed() {
        assert!(basic("Bearer abc").unwrap().is_none());
        assert!(basic("Basic %%%").is_err());
        assert!(basic(&format!("Basic {}", STANDARD.encode("no colon"))).is_err());
    }
}
