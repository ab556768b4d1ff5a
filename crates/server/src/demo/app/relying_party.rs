//! One client of the server, by the book (OpenID Connect Core 3.1, RFC 9700): discovery, code with PKCE,
//! nonce and state, issuer in the response, verified ID token, logout with a hint.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreErrorResponseType, CoreIdToken};
use openidconnect::{
    AccessTokenHash, AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, RequestTokenError,
    Scope, TokenResponse as _,
};
use tokio::sync::Mutex;
use url::Url;
use vestibule_rules::text::Secret;

use super::session::Session;
use super::{Registration, Site};
use crate::failure::{Done, Failure};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Why somebody is not signed in: a word for scripts, a sentence for people.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) text: String,
}

impl Refusal {
    pub(super) fn new(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.to_owned(), text: text.into() }
    }
}

/// The app's own HTTP client: it talks to the server's origin and to nobody else, and follows no redirect.
#[derive(Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    origin: url::Origin,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum HttpProblem {
    #[error("the address {0} is not the server's")]
    Elsewhere(String),
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error(transparent)]
    Form(#[from] http::Error),
    #[error(transparent)]
    Url(#[from] url::ParseError),
}

impl Http {
    pub(super) fn new(issuer: &Url) -> Done<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the app is somebody else's program: it has no Outbound port"
        )]
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .user_agent("woodgrove-demo")
            .build()
            .map_err(|error| Failure::new(format!("the demo's HTTP client cannot be made: {error}")))?;
        Ok(Self { client, origin: issuer.origin() })
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpProblem> {
        let (head, body) = request.into_parts();
        let url = Url::parse(&head.uri.to_string())?;
        if url.origin() != self.origin {
            return Err(HttpProblem::Elsewhere(url.to_string()));
        }
        let answer = self.client.request(head.method, url).headers(head.headers).body(body).send().await?;
        let mut response = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        Ok(response.body(answer.bytes().await?.to_vec())?)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpProblem;
    type Future = BoxFuture<'c, Result<HttpResponse, HttpProblem>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// What a sign-in needs to be finished, and where it goes first.
pub(super) struct Departure {
    pub(super) url: Url,
    pub(super) nonce: String,
    pub(super) verifier: String,
}

/// Random values of one sign-in.
pub(super) struct Randomness {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
}

pub(super) struct RelyingParty {
    registration: Registration,
    redirect_uri: String,
    http: Http,
    /// The server's metadata and keys, fetched at the first sign-in and again when a token does not verify.
    metadata: Mutex<Option<Arc<ProviderMetadataWithLogout>>>,
}

impl RelyingParty {
    pub(super) fn new(registration: Registration, origin: &str, http: Http) -> Self {
        let redirect_uri = format!("{origin}{}/callback", registration.site.prefix());
        Self { registration, redirect_uri, http, metadata: Mutex::new(None) }
    }

    pub(super) const fn site(&self) -> Site {
        self.registration.site
    }

    /// Where to send a browser that wants to sign in or, with `create`, to sign up.
    pub(super) async fn depart(&self, random: Randomness, create: bool) -> Result<Departure, Refusal> {
        let metadata = self.metadata(false).await?;
        let client = CoreClient::from_provider_metadata(
            (*metadata).clone(),
            ClientId::new(self.registration.client_id.clone()),
            Some(ClientSecret::new(self.registration.client_secret.expose().clone())),
        )
        .set_redirect_uri(self.redirect()?);
        let Randomness { state, nonce, verifier } = random;
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
        let (state, sent) = (CsrfToken::new(state), Nonce::new(nonce.clone()));
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || sent)
            .add_scope(Scope::new("profile".to_owned()))
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge);
        if create {
            // Initiating User Registration via OpenID Connect 1.0.
            request = request.add_extra_param("prompt", "create");
        }
        let (url, ..) = request.url();
        Ok(Departure { url, nonce, verifier })
    }

    /// Redeems the code and verifies what comes back.
    pub(super) async fn arrive(
        &self,
        code: String,
        nonce: &str,
        verifier: String,
    ) -> Result<Session, Refusal> {
        let metadata = self.metadata(false).await?;
        let client = CoreClient::from_provider_metadata(
            (*metadata).clone(),
            ClientId::new(self.registration.client_id.clone()),
            Some(ClientSecret::new(self.registration.client_secret.expose().clone())),
        )
        .set_redirect_uri(self.redirect()?);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| Refusal::new("not_configured", error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&self.http)
            .await
            .map_err(|error| token_refusal(&error))?;
        let id_token =
            tokens.id_token().ok_or_else(|| Refusal::new("no_id_token", "The server sent no ID token."))?;
        let nonce = Nonce::new(nonce.to_owned());
        let mut outcome = self.verify(&metadata, id_token, &nonce, tokens.access_token());
        if outcome.is_err() {
            // The keys may have been changed since they were fetched.
            let fresh = self.metadata(true).await?;
            outcome = self.verify(&fresh, id_token, &nonce, tokens.access_token());
        }
        let subject = outcome?;
        let claims = payload(&id_token.to_string())?;
        let name = claims.iter().find(|(key, _)| key == "name").map_or(subject, |(_, name)| name.clone());
        Ok(Session { claims, name, id_token: Secret::new(id_token.to_string()) })
    }

    /// Whether an authorization response comes from our server (RFC 9207): the answer of another one must
    /// not be taken for it.
    pub(super) fn is_from_here(&self, issuer: Option<&str>) -> bool {
        issuer == Some(self.registration.issuer.as_str())
    }

    /// Where to send a browser that signs out; back to the app's callback, which is registered.
    pub(super) async fn leave(&self, session: &Session, state: String) -> Result<Url, Refusal> {
        let metadata = self.metadata(false).await?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.clone();
        let endpoint =
            endpoint.ok_or_else(|| Refusal::new("not_configured", "The server has no sign-out."))?;
        let back = PostLogoutRedirectUrl::new(self.redirect_uri.clone()).map_err(not_a_url)?;
        let hint: CoreIdToken = session
            .id_token
            .expose()
            .parse()
            .map_err(|_| Refusal::new("no_id_token", "The ID token cannot be read again."))?;
        let request = LogoutRequest::from(endpoint)
            .set_id_token_hint(&hint)
            .set_client_id(ClientId::new(self.registration.client_id.clone()))
            .set_post_logout_redirect_uri(back)
            .set_state(CsrfToken::new(state));
        Ok(request.http_get_url())
    }

    fn redirect(&self) -> Result<RedirectUrl, Refusal> {
        RedirectUrl::new(self.redirect_uri.clone()).map_err(not_a_url)
    }

    /// Signature, issuer, audience, time, nonce and the hash of the access token; returns the subject.
    fn verify(
        &self,
        metadata: &ProviderMetadataWithLogout,
        id_token: &CoreIdToken,
        nonce: &Nonce,
        access_token: &openidconnect::AccessToken,
    ) -> Result<String, Refusal> {
        let client = CoreClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(self.registration.client_id.clone()),
            Some(ClientSecret::new(self.registration.client_secret.expose().clone())),
        );
        let verifier = client.id_token_verifier();
        let bad =
            |text: String| Refusal::new("id_token_invalid", format!("The ID token is not good: {text}"));
        let claims = id_token.claims(&verifier, nonce).map_err(|error| bad(error.to_string()))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|error| bad(error.to_string()))?;
            let key = id_token.signing_key(&verifier).map_err(|error| bad(error.to_string()))?;
            let actual = AccessTokenHash::from_token(access_token, algorithm, key)
                .map_err(|error| bad(error.to_string()))?;
            if actual != *expected {
                return Err(bad("it belongs to another access token".to_owned()));
            }
        }
        Ok(claims.subject().to_string())
    }

    async fn metadata(&self, fresh: bool) -> Result<Arc<ProviderMetadataWithLogout>, Refusal> {
        let mut kept = self.metadata.lock().await;
        if let Some(metadata) = kept.as_ref().filter(|_| !fresh) {
            return Ok(Arc::clone(metadata));
        }
        let issuer = IssuerUrl::new(self.registration.issuer.clone()).map_err(not_a_url)?;
        let metadata =
            ProviderMetadataWithLogout::discover_async(issuer, &self.http).await.map_err(|error| {
                Refusal::new("discovery_failed", format!("The server cannot be found: {error}"))
            })?;
        Ok(Arc::clone(kept.insert(Arc::new(metadata))))
    }
}

fn not_a_url(error: url::ParseError) -> Refusal {
    Refusal::new("not_configured", format!("An address of the app is not good: {error}"))
}

type TokenError = RequestTokenError<HttpProblem, openidconnect::StandardErrorResponse<CoreErrorResponseType>>;

fn token_refusal(error: &TokenError) -> Refusal {
    match error {
        RequestTokenError::ServerResponse(answer) => {
            let text = answer.error_description().cloned();
            let text = text.unwrap_or_else(|| "The server gave no token for this sign-in.".to_owned());
            Refusal::new(answer.error().as_ref(), text)
        }
        other => Refusal::new("token_request_failed", format!("The server gave no token: {other}")),
    }
}

/// The claims of a token whose signature was verified, as they are written.
fn payload(token: &str) -> Result<Vec<(String, String)>, Refusal> {
    let bad = || Refusal::new("id_token_invalid", "The ID token cannot be read.");
    let middle = token.split('.').nth(1).ok_or_else(bad)?;
    let bytes = URL_SAFE_NO_PAD.decode(middle).map_err(|_| bad())?;
    let claims: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&bytes).map_err(|_| bad())?;
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(claims.into_iter().map(|(name, value)| (name, text(value))).collect())
}
