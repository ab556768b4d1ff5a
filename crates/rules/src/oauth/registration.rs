//! What an application may register about itself (RFC 7591, OpenID Connect Dynamic Client Registration 1.0), and the
//! application that it becomes.
//!
//! Redirect addresses, pages and methods pass the very checks of configured applications ([`check::registered`]). What
//! this server would not do is refused, so that nobody relies on it; what it does not know is left out, and the answer
//! says what stands (RFC 7591 §2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::error::{self, OAuthError};
use super::metadata::ASSERTION_ALGORITHMS;
use super::response_type::ResponseType;
use super::signing::SigningAlgorithm;
use crate::directory::application::{
    Api, Application, ImplicitGrantSettings, PasswordCredential, RedirectUris, ServicePrincipal, Web,
};
use crate::directory::client::{Settings, SubjectType};
use crate::directory::consent::ConsentPolicy;
use crate::directory::credential::{AuthMethod, KeyCredential};
use crate::directory::registration::{ClientRegistration, GrantType, Registered};
use crate::directory::tenant::Tenant;
use crate::ids::{ClientId, ObjectId};

/// More of anything is not an application.
const MOST_ADDRESSES: usize = 32;
const LONGEST_NAME: usize = 100;
const LONGEST_ADDRESS: usize = 2048;

/// Metadata that would change what this server does in ways that it cannot: request objects, encrypted answers.
const REFUSED: &[&str] = &[
    "request_object_signing_alg",
    "request_object_encryption_alg",
    "request_object_encryption_enc",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "authorization_signed_response_alg",
    "tls_client_certificate_bound_access_tokens",
];

/// Who the application is before a person of which kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// It has a server, or is a page.
    #[default]
    Web,
    /// It is installed.
    Native,
}

/// What an application registers; empty where it said nothing.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    pub redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_type: Option<ApplicationType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_types: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_auth_time: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_logout_redirect_uris: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_session_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_session_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_pushed_authorization_requests: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop_bound_access_tokens: Option<bool>,
}

/// Reads and completes what an application sent: the metadata as it is registered (RFC 7591 §3.2.1).
pub fn accept(sent: &Map<String, Value>, tenant: &Tenant) -> Result<Metadata, OAuthError> {
    if REFUSED.iter().any(|name| sent.get(*name).is_some_and(|value| !value.is_null())) {
        return Err(error::METADATA_NOT_SUPPORTED);
    }
    let mut metadata: Metadata =
        serde_json::from_value(Value::Object(sent.clone())).map_err(|_| error::METADATA)?;
    addresses(&metadata)?;
    metadata.client_name = Some(name(&metadata)?);
    metadata.application_type.get_or_insert_default();
    grants(&mut metadata)?;
    method(&mut metadata)?;
    signatures(&metadata, tenant.tokens.signing_algorithm)?;
    subjects(&mut metadata)?;
    metadata.scope = Some(scope(metadata.scope.as_deref(), &tenant.client_registration)?);
    Ok(metadata)
}

fn addresses(metadata: &Metadata) -> Result<(), OAuthError> {
    let count = metadata.redirect_uris.len();
    if count == 0 || count > MOST_ADDRESSES {
        return Err(error::REGISTERED_REDIRECT);
    }
    let pages = [
        &metadata.client_uri,
        &metadata.logo_uri,
        &metadata.policy_uri,
        &metadata.tos_uri,
        &metadata.jwks_uri,
        &metadata.sector_identifier_uri,
    ];
    let is_page = |uri: &String| {
        uri.len() <= LONGEST_ADDRESS
            && Url::parse(uri).is_ok_and(|url| {
                let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
                (url.scheme() == "https" || (url.scheme() == "http" && local))
                    && url.username().is_empty()
                    && url.password().is_none()
            })
    };
    // OpenID Connect Dynamic Client Registration 2: it begins a sign-in, so nobody may listen in on the way there.
    let begins_safely = |uri: &String| uri.starts_with("https://") && is_page(uri);
    let plain = |text: &String| text.len() <= LONGEST_ADDRESS && !text.chars().any(char::is_control);
    let texts =
        metadata.contacts.iter().flatten().chain(&metadata.software_id).chain(&metadata.software_version);
    let many = [&metadata.contacts, &metadata.post_logout_redirect_uris];
    if pages.into_iter().flatten().all(is_page)
        && metadata.initiate_login_uri.iter().all(begins_safely)
        && texts.into_iter().all(plain)
        && many.into_iter().flatten().all(|list| list.len() <= MOST_ADDRESSES)
    {
        Ok(())
    } else {
        Err(error::METADATA_ADDRESS)
    }
}

/// The name that people read; the host of the first address when there is none.
fn name(metadata: &Metadata) -> Result<String, OAuthError> {
    let host =
        || metadata.redirect_uris.first().and_then(|uri| Url::parse(uri).ok()?.host_str().map(str::to_owned));
    let name = metadata.client_name.as_deref().map(|name| name.trim().to_owned()).or_else(host);
    let name = name.unwrap_or_else(|| "App".to_owned());
    let bad = |c: char| c.is_control() || crate::journey::values::text::misleads(c);
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(bad) {
        return Err(error::METADATA_NAME);
    }
    Ok(name)
}

/// Grants and response types that go together (OpenID Connect Dynamic Client Registration 2).
fn grants(metadata: &mut Metadata) -> Result<(), OAuthError> {
    let responses = metadata.response_types.get_or_insert_with(|| vec!["code".to_owned()]);
    let types: Vec<ResponseType> = responses
        .iter()
        .map(|text| ResponseType::parse(text))
        .collect::<Option<_>>()
        .filter(|types: &Vec<_>| !types.is_empty() && types.len() <= ResponseType::ALL.len())
        .ok_or(error::METADATA_GRANTS)?;
    let (code, front) = (types.iter().any(|t| t.code), types.iter().any(|t| t.uses_front_channel()));
    let needed: Vec<String> = [(code, "authorization_code"), (front, "implicit")]
        .into_iter()
        .filter(|(needed, _)| *needed)
        .map(|(_, grant)| grant.to_owned())
        .collect();
    let grants = metadata.grant_types.get_or_insert_with(|| needed.clone());
    let known = grants.iter().all(|grant| grant_type(grant).is_some());
    if !known || grants.len() > 8 || !needed.iter().all(|grant| grants.contains(grant)) {
        return Err(error::METADATA_GRANTS);
    }
    // Tokens in a page's address on this very machine would be anybody's who has a program there.
    let local = |uri: &String| uri.starts_with("http:");
    if front
        && metadata.application_type != Some(ApplicationType::Native)
        && metadata.redirect_uris.iter().any(local)
    {
        return Err(error::REGISTERED_REDIRECT);
    }
    Ok(())
}

fn grant_type(text: &str) -> Option<GrantType> {
    match text {
        "authorization_code" => Some(GrantType::AuthorizationCode),
        "implicit" => Some(GrantType::Implicit),
        "refresh_token" => Some(GrantType::RefreshToken),
        _ => None,
    }
}

fn method(metadata: &mut Metadata) -> Result<(), OAuthError> {
    let text = metadata
        .token_endpoint_auth_method
        .get_or_insert_with(|| AuthMethod::ClientSecretBasic.as_str().to_owned());
    let method = auth_method(text).ok_or(error::METADATA_METHOD)?;
    let fits = metadata.token_endpoint_auth_signing_alg.as_deref().is_none_or(|name| {
        let by_secret = name.starts_with("HS");
        ASSERTION_ALGORITHMS.contains(&name)
            && match method {
                AuthMethod::ClientSecretJwt => by_secret,
                AuthMethod::PrivateKeyJwt => !by_secret,
                AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost | AuthMethod::None => false,
            }
    });
    if !fits || (metadata.jwks.is_some() && metadata.jwks_uri.is_some()) {
        return Err(error::METADATA_METHOD);
    }
    Ok(())
}

/// How the application proves itself.
pub fn auth_method(text: &str) -> Option<AuthMethod> {
    AuthMethod::ALL.into_iter().find(|method| method.as_str() == text)
}

/// Everything that a tenant signs is signed with the same algorithm.
fn signatures(metadata: &Metadata, tenants: SigningAlgorithm) -> Result<(), OAuthError> {
    let chosen = [&metadata.id_token_signed_response_alg, &metadata.userinfo_signed_response_alg];
    let good = chosen.into_iter().flatten().all(|name| name == tenants.as_str());
    if good { Ok(()) } else { Err(error::METADATA_NOT_SUPPORTED) }
}

fn subjects(metadata: &mut Metadata) -> Result<(), OAuthError> {
    match metadata.subject_type.get_or_insert_with(|| "pairwise".to_owned()).as_str() {
        "pairwise" | "public" => Ok(()),
        _ => Err(error::METADATA_NOT_SUPPORTED),
    }
}

/// What was asked for as far as the tenant gives it; everything when nothing was named.
fn scope(asked: Option<&str>, policy: &ClientRegistration) -> Result<String, OAuthError> {
    let given = |word: &&str| policy.scopes.iter().any(|scope| scope == word);
    let words: Vec<&str> = match asked {
        Some(text) => text.split(' ').filter(given).collect(),
        None => policy.scopes.iter().map(String::as_str).collect(),
    };
    if words.is_empty() { Err(error::METADATA_SCOPE) } else { Ok(words.join(" ")) }
}

/// What a registered application is beside its metadata.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    pub client: ClientId,
    pub object: ObjectId,
    pub principal: ObjectId,
    pub secret: Option<PasswordCredential>,
    pub keys: Vec<KeyCredential>,
    /// The digest of its logo.
    pub logo: Option<String>,
}

/// The application that was registered, under the tenant's policy of now.
pub fn application(
    metadata: &Metadata,
    identity: &Identity,
    policy: &ClientRegistration,
    enabled: bool,
) -> Application<PasswordCredential> {
    let method = metadata.token_endpoint_auth_method.as_deref().and_then(auth_method);
    let types: Vec<ResponseType> =
        metadata.response_types.iter().flatten().filter_map(|text| ResponseType::parse(text)).collect();
    let uris = metadata.redirect_uris.clone();
    let is_native = metadata.application_type == Some(ApplicationType::Native);
    // Whoever has no secret and is not installed is a page (security.md S41).
    let (web, spa, installed) = match (is_native, method) {
        (true, _) => (Vec::new(), Vec::new(), uris),
        (false, Some(AuthMethod::None)) => (Vec::new(), uris, Vec::new()),
        (false, _) => (uris, Vec::new(), Vec::new()),
    };
    Application {
        id: identity.object,
        app_id: identity.client,
        display_name: metadata.client_name.clone().unwrap_or_default(),
        web: Web {
            redirect_uris: web,
            logout_url: metadata.frontchannel_logout_uri.clone(),
            home_page_url: metadata.client_uri.clone(),
            implicit_grant_settings: ImplicitGrantSettings {
                enable_access_token_issuance: types.iter().any(|t| t.token),
                enable_id_token_issuance: types.iter().any(|t| t.id_token),
            },
        },
        spa: RedirectUris { redirect_uris: spa },
        public_client: RedirectUris { redirect_uris: installed },
        is_fallback_public_client: false,
        password_credentials: identity.secret.clone().into_iter().collect(),
        key_credentials: identity.keys.clone(),
        identifier_uris: Vec::new(),
        api: Api::default(),
        app_roles: Vec::new(),
        token_claims: Vec::new(),
        settings: settings(metadata, policy, method),
        service_principal: ServicePrincipal {
            id: identity.principal,
            account_enabled: enabled && policy.is_enabled,
        },
        built_in: false,
        registered: Some(Box::new(registered(metadata, identity, policy, types))),
    }
}

fn settings(metadata: &Metadata, policy: &ClientRegistration, method: Option<AuthMethod>) -> Settings {
    Settings {
        security_profile: policy.security_profile,
        // Nobody of the organisation chose it, so each person does.
        consent: ConsentPolicy::Required,
        back_channel_logout_uri: metadata.backchannel_logout_uri.clone(),
        post_logout_redirect_uris: metadata.post_logout_redirect_uris.clone().unwrap_or_default(),
        initiate_login_uri: metadata.initiate_login_uri.clone(),
        token_endpoint_auth_method: method,
        jwks_uri: metadata.jwks_uri.clone(),
        require_pushed_authorization_requests: metadata.require_pushed_authorization_requests == Some(true),
        dpop_bound_access_tokens: metadata.dpop_bound_access_tokens == Some(true),
        subject_type: match metadata.subject_type.as_deref() {
            Some("public") => SubjectType::Public,
            Some(_) | None => SubjectType::Pairwise,
        },
        sector_identifier_uri: metadata.sector_identifier_uri.clone(),
        userinfo_signed_response_alg: metadata
            .userinfo_signed_response_alg
            .as_deref()
            .and_then(SigningAlgorithm::parse),
        default_max_age: metadata.default_max_age,
        ..Settings::default()
    }
}

fn registered(
    metadata: &Metadata,
    identity: &Identity,
    policy: &ClientRegistration,
    types: Vec<ResponseType>,
) -> Registered {
    let words = metadata.scope.as_deref().unwrap_or_default().split(' ');
    Registered {
        // The tenant may have taken some away since.
        scopes: words.filter(|word| policy.scopes.iter().any(|s| s == word)).map(str::to_owned).collect(),
        grant_types: metadata.grant_types.iter().flatten().filter_map(|text| grant_type(text)).collect(),
        response_types: types,
        assertion_algorithm: metadata.token_endpoint_auth_signing_alg.clone(),
        logo: identity.logo.clone(),
        policy_uri: metadata.policy_uri.clone(),
        tos_uri: metadata.tos_uri.clone(),
    }
}

/// Whether a list of addresses, which the owner of a sector publishes, has every redirect address of the application
/// (OpenID Connect Dynamic Client Registration 5).
pub fn is_of_sector(document: &[u8], redirect_uris: &[String]) -> bool {
    let list: Vec<String> = serde_json::from_slice(document).unwrap_or_default();
    !redirect_uris.is_empty() && redirect_uris.iter().all(|uri| list.contains(uri))
}

#[cfg(test)]
#[path = "registration_tests.rs"]
mod tests;
