//! Whether the provider takes us for whom it knows: it is shown a code that cannot exist. Who refuses the code
//! has accepted the client before (RFC 6749 §5.2); who refuses the client never looks at the code.

use serde_json::{Map, Value};
use url::Url;
use vestibule_crypto::digest;
use vestibule_crypto::dpop::DpopKey;
use vestibule_rules::directory::provider::ClientAuthentication;
use vestibule_rules::directory::provider::kind::ProviderKind;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Secret;

use super::document::list;
use super::request::{Refusal, refusal};
use super::{Run, Verdict, What, is_ours};
use crate::federation::client::Endpoint;
use crate::federation::metadata::Metadata;
use crate::federation::{oauth2, openid};
use crate::ports::outbound::OutboundResponse;

impl Run<'_> {
    pub(super) async fn client_of_openid(&mut self, metadata: &Metadata, document: &Map<String, Value>) {
        let offered = list(document, "token_endpoint_auth_methods_supported");
        let ours = word(self.upstream.provider.client_authentication());
        if !offered.is_empty() && !offered.iter().any(|one| one == ours) {
            let offered = self.quoted(&offered.join(", "));
            let text = format!(
                "we prove ourselves by {ours}, and the provider offers {offered}; set clientAuthentication to one of \
                 these"
            );
            self.tell(What::Client, Verdict::Warning, text);
        }
        let key = match self.upstream.provider.settings.dpop.then(DpopKey::generate).transpose() {
            Ok(key) => key,
            Err(fault) => return self.not_ours(&fault),
        };
        let endpoint = openid::at(metadata, &metadata.token_endpoint, key.as_ref());
        self.probe_client(endpoint, true).await;
    }

    pub(super) async fn client_of_oauth2(&mut self, url: &Url) {
        let endpoint = Endpoint { url, audience: url.as_str(), algorithms: &[], dpop: None };
        self.probe_client(endpoint, oauth2::uses_pkce(self.upstream)).await;
    }

    async fn probe_client(&mut self, endpoint: Endpoint<'_>, pkce: bool) {
        if !self.connect(endpoint.url).await {
            return self.held_up(&[What::Client], "the server can be reached");
        }
        let word = || digest::token(self.upstream.site.env.random());
        let (code, verifier, redirect_uri) = (word(), word(), self.upstream.redirect_uri());
        self.secrets.extend([Secret::new(code.clone()), Secret::new(verifier.clone())]);
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", &redirect_uri),
        ];
        if pkce {
            fields.push(("code_verifier", &verifier));
        }
        let answered: Outcome<OutboundResponse> = self.upstream.post_as_client(endpoint, &fields).await;
        match answered {
            Ok(response) => {
                if !self.clock_seen {
                    self.clock(&response);
                }
                let (verdict, text) = self.taken(&response);
                self.tell(What::Client, verdict, text);
            }
            Err(fault) if is_ours(&fault) => self.not_ours(&fault),
            Err(fault) => {
                let reason = self.reason(&fault);
                self.failed(What::Client, format!("the token endpoint gives no answer: {reason}"));
            }
        }
    }

    fn not_ours(&mut self, fault: &Fault) {
        let reason = self.reason(fault);
        let text =
            format!("our own secret or key cannot be used: {reason}; apply the tenant's file once more");
        self.failed(What::Client, text);
    }

    /// What the answer to an impossible code says of the client.
    fn taken(&self, response: &OutboundResponse) -> (Verdict, String) {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let Some(refusal) = refusal(&body) else { return self.without_error(response) };
        let said = self.quoted(&refusal.both());
        let kind = self.upstream.provider.identity_provider_type;
        match meaning(kind, &refusal, response.status) {
            Meaning::Accepted => (
                Verdict::Ok,
                "the provider accepts the client and its proof, and refused only the code".to_owned(),
            ),
            Meaning::Untold if refusal.error == "invalid_grant" => (
                Verdict::NotChecked,
                format!("the provider looks at the code before it looks at the client; it said {said}"),
            ),
            Meaning::Untold => (
                Verdict::NotChecked,
                format!("the answer does not tell whether the client is accepted; the provider said {said}"),
            ),
            Meaning::NotWe => (Verdict::Failed, self.not_we(&said)),
            Meaning::Refused => (Verdict::Failed, self.explained(&refusal)),
            Meaning::Broken => (
                Verdict::Failed,
                format!("the token endpoint answered {}; try again later (it said {said})", response.status),
            ),
        }
    }

    fn without_error(&self, response: &OutboundResponse) -> (Verdict, String) {
        let status = response.status;
        match status {
            401 | 403 => (Verdict::Failed, self.not_we(&format!("{status}"))),
            404 | 405 => (
                Verdict::Failed,
                format!(
                    "there is no token endpoint at this address: it answered {status}; correct the address"
                ),
            ),
            500.. => (
                Verdict::Failed,
                format!("the token endpoint answered {status}; ask whoever runs the provider"),
            ),
            200..=299 => (
                Verdict::NotChecked,
                "the provider redeemed a code that does not exist; what stands there is made for tests"
                    .to_owned(),
            ),
            _ => (
                Verdict::NotChecked,
                format!(
                    "the token endpoint answered {status} and {}",
                    self.quoted(&String::from_utf8_lossy(&response.body))
                ),
            ),
        }
    }

    /// The provider does not believe that we are the client.
    pub(super) fn not_we(&self, said: &str) -> String {
        let provider = self.upstream.provider;
        let what = if provider.identity_provider_type == ProviderKind::Apple {
            "the client id or the key is wrong: compare clientId, teamId and keyId with what Apple shows, and make sure \
             that clientKey is the .p8 file of that key"
                .to_owned()
        } else {
            match provider.client_authentication() {
                ClientAuthentication::ClientSecretPost | ClientAuthentication::ClientSecretBasic => {
                    let other = match provider.client_authentication() {
                        ClientAuthentication::ClientSecretBasic => "client_secret_post",
                        _ => "client_secret_basic",
                    };
                    format!(
                        "the client id or the secret is wrong, or the secret expired: compare clientId, write the \
                         secret's value (not its id) anew and apply the file; if both are right, the provider may want \
                         clientAuthentication: {other}"
                    )
                }
                ClientAuthentication::ClientSecretJwt => {
                    "the client id or the secret is wrong, or the provider takes no client_secret_jwt"
                        .to_owned()
                }
                ClientAuthentication::PrivateKeyJwt => format!(
                    "the client id is wrong, or the provider does not know our key: have it read {}/keys, and look \
                     whether our clocks differ",
                    self.upstream.redirect_uri()
                ),
                ClientAuthentication::None => {
                    "the provider wants a secret, or does not know the client id; set clientSecret".to_owned()
                }
            }
        };
        format!("{what} (it said {said})")
    }
}

/// What an error of the token endpoint means for the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::federation) enum Meaning {
    Accepted,
    /// The provider did not come as far as the client, or does not say.
    Untold,
    NotWe,
    /// Something else is wrong that can be named.
    Refused,
    Broken,
}

pub(in crate::federation) fn meaning(kind: ProviderKind, refusal: &Refusal, status: u16) -> Meaning {
    let microsoft = matches!(kind, ProviderKind::MicrosoftAccount | ProviderKind::MicrosoftEntra);
    let description = refusal.description.to_lowercase();
    match (refusal.error.as_str(), refusal.code) {
        // Facebook has numbers: 100 is the code, 191 the redirect address, 1 the secret and 101 the app.
        (_, Some(100)) if description.contains("verification code") => Meaning::Accepted,
        (_, Some(191)) => Meaning::Refused,
        // Microsoft tells that a code is none before it looks who brings it.
        ("invalid_grant", _) if microsoft => Meaning::Untold,
        // GitHub's word for it.
        ("invalid_grant" | "bad_verification_code", _) => Meaning::Accepted,
        ("invalid_request", _) if kind == ProviderKind::X && description.contains("authorization code") => {
            Meaning::Accepted
        }
        (_, Some(1 | 101)) | ("invalid_client" | "incorrect_client_credentials", _) => Meaning::NotWe,
        ("unauthorized_client", _) if status != 401 => Meaning::Refused,
        ("redirect_uri_mismatch" | "unsupported_grant_type" | "invalid_scope" | "invalid_dpop_proof", _) => {
            Meaning::Refused
        }
        _ if status == 401 => Meaning::NotWe,
        _ if status >= 500 => Meaning::Broken,
        ("invalid_request", _) if description.contains("redirect_uri") && kind != ProviderKind::LinkedIn => {
            Meaning::Refused
        }
        _ => Meaning::Untold,
    }
}

const fn word(authentication: ClientAuthentication) -> &'static str {
    match authentication {
        ClientAuthentication::ClientSecretPost => "client_secret_post",
        ClientAuthentication::ClientSecretBasic => "client_secret_basic",
        ClientAuthentication::ClientSecretJwt => "client_secret_jwt",
        ClientAuthentication::PrivateKeyJwt => "private_key_jwt",
        ClientAuthentication::None => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: ProviderKind, (error, description): (&str, &str), status: u16) -> Meaning {
        let refusal = Refusal { error: error.to_owned(), description: description.to_owned(), code: None };
        meaning(kind, &refusal, status)
    }

    #[test]
    fn each_company_has_its_words_for_a_code_that_is_none_and_for_a_client_that_is_not_known() {
        use ProviderKind::{Facebook, GitHub, LinkedIn, MicrosoftEntra, OpenIdConnect, X};
        let none = ("invalid_grant", "");
        assert_eq!(of(OpenIdConnect, none, 400), Meaning::Accepted);
        assert_eq!(
            of(MicrosoftEntra, ("invalid_grant", "AADSTS9002313: Invalid request."), 400),
            Meaning::Untold
        );
        assert_eq!(of(MicrosoftEntra, ("invalid_client", "AADSTS7000215"), 401), Meaning::NotWe);
        assert_eq!(of(GitHub, ("bad_verification_code", ""), 200), Meaning::Accepted);
        assert_eq!(of(GitHub, ("incorrect_client_credentials", ""), 200), Meaning::NotWe);
        assert_eq!(of(GitHub, ("redirect_uri_mismatch", ""), 200), Meaning::Refused);
        let words = "Value passed for the authorization code was invalid.";
        assert_eq!(of(X, ("invalid_request", words), 400), Meaning::Accepted);
        assert_eq!(of(X, ("unauthorized_client", "Missing valid authorization header"), 401), Meaning::NotWe);
        let words = "Unable to retrieve access token: appid/redirect uri/code verifier does not match";
        assert_eq!(of(LinkedIn, ("invalid_request", words), 400), Meaning::Untold);
        for (code, words, expected) in [
            (100, "Invalid verification code format.", Meaning::Accepted),
            (100, "Missing client_id parameter.", Meaning::Untold),
            (1, "", Meaning::NotWe),
            (101, "", Meaning::NotWe),
            (191, "", Meaning::Refused),
        ] {
            let refusal = Refusal { error: String::new(), description: words.to_owned(), code: Some(code) };
            assert_eq!(meaning(Facebook, &refusal, 400), expected);
        }
        assert_eq!(of(OpenIdConnect, ("server_error", ""), 503), Meaning::Broken);
        assert_eq!(of(OpenIdConnect, ("temporarily_odd", ""), 400), Meaning::Untold);
    }
}
