//! An app as the server sees it: authorization requests by hand, token requests by HTTP.

use serde_json::Value;
use url::Url;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::TestServer;
use vestibule_testkit::browser::outsider;

/// A confidential client of a test.
pub(crate) struct Client {
    pub(crate) tenant: &'static str,
    pub(crate) id: &'static str,
    /// The name of its secret in the tenant's file.
    pub(crate) secret: &'static str,
    pub(crate) redirect_uri: String,
}

/// PKCE verifier of every request; the challenge is made of it.
const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";
pub(crate) const STATE: &str = "state of the app";
pub(crate) const NONCE: &str = "nonce of the app";

impl Client {
    /// Where the app sends a browser.
    pub(crate) fn authorize(&self, server: &TestServer, more: &[(&str, &str)]) -> Outcome<String> {
        let base = format!("{}/{}/oauth2/v2.0/authorize", server.origin, self.tenant);
        let mut url = Url::parse(&base).map_err(|error| Fault::ours(error.to_string()))?;
        url.query_pairs_mut()
            .append_pair("client_id", self.id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("response_type", "code")
            .append_pair("scope", "openid profile email")
            .append_pair("state", STATE)
            .append_pair("nonce", NONCE)
            .append_pair("code_challenge", &vestibule_crypto::digest::pkce_s256(VERIFIER))
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(more);
        Ok(url.into())
    }

    /// Redeems a code; returns the status and the answer.
    pub(crate) async fn redeem(&self, server: &TestServer, code: &str) -> Outcome<(u16, Value)> {
        let secret = vestibule_testkit::server::secret(&format!("secrets/{}", self.secret));
        let url = format!("{}/{}/oauth2/v2.0/token", server.origin, self.tenant);
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", self.id),
            ("client_secret", secret.expose().as_str()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code", code),
            ("code_verifier", VERIFIER),
        ];
        let broken = |error: reqwest::Error| Fault::ours(error.to_string());
        let answer =
            outsider().build().map_err(broken)?.post(url).form(&form).send().await.map_err(broken)?;
        Ok((answer.status().as_u16(), answer.json().await.map_err(broken)?))
    }
}

/// The claims of a token, not verified.
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let middle = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(middle).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// A parameter of an authorization response.
pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}
