//! Identity providers of a tenant (sign-up.md 2).

pub mod claims;
pub mod kind;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::claims::ClaimRule;
use self::kind::{Preset, ProviderKind};
use super::application::Application;
use super::tenant::TenantKind;
use crate::ids::ProviderId;
use crate::journey::values::date;
use crate::time::Timestamp;

/// The local account methods as Graph names them (sign-up.md 2).
pub const EMAIL_PASSWORD: &str = "EmailPassword-OAUTH";
/// Local accounts proven by a one-time code.
pub const EMAIL_OTP: &str = "EmailOtpSignup-OAUTH";

/// A provider of accounts that people have already, with `K` as the form of its secrets. What is not set is
/// what is usual for its kind.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityProvider<K> {
    pub id: ProviderId,
    pub display_name: String,
    #[serde(default)]
    pub identity_provider_type: ProviderKind,
    pub client_id: String,
    pub client_secret: Option<K>,
    /// The private key that we prove ourselves with, as PEM.
    #[serde(default = "none")]
    pub client_key: Option<K>,
    /// The private key that the provider encrypts to, as PEM.
    #[serde(default = "none")]
    pub decryption_key: Option<K>,
    #[serde(default, flatten)]
    pub settings: Settings,
    #[serde(default = "yes")]
    pub is_enabled: bool,
}

/// Everything about a provider that is neither its name nor a secret. The doc comments are those of the file's
/// schema.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// The provider's issuer, exactly as it writes it. `{origin}` stands for this server's own first address.
    /// Built-in kinds know theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Where the discovery document is, when that is not below the issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub well_known: Option<String>,
    /// The addresses of a provider that speaks OAuth 2.0 and has no discovery document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Endpoints>,
    /// How we prove ourselves to the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_authentication: Option<ClientAuthentication>,
    /// Space separated. An OpenID Connect provider must be asked for `openid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What we ask the provider for; only `code` is supported.
    pub response_type: ResponseType,
    /// How the provider sends its answer back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_mode: Option<ResponseMode>,
    /// Sends the request to the provider first, so that the browser carries nothing but a reference (RFC 9126).
    /// A provider that demands it gets it anyway.
    #[serde(skip_serializing_if = "is_false")]
    pub pushed_authorization_request: bool,
    /// Binds the provider's access token to a key of ours (RFC 9449).
    #[serde(skip_serializing_if = "is_false")]
    pub dpop: bool,
    /// When the provider's user info endpoint is asked.
    pub user_info: UserInfo,
    /// The algorithms that ID tokens may be signed with; empty means every one that is safe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signing_algorithms: Vec<String>,
    /// The algorithm that the provider encrypts with, such as `RSA-OAEP-256`; `RSA-OAEP` for an RSA key and `ECDH-ES`
    /// for others when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decryption_algorithm: Option<String>,
    /// Domains whose people are led to this provider once they typed their address. Each must be proven by a TXT
    /// record in the DNS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Domains of which the provider is believed that an address is its user's. Left out, a provider is believed
    /// what its kind deserves; otherwise a code proves the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_email_domains: Option<Vec<String>>,
    /// `acr_values` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr_values: Option<String>,
    /// `prompt` of the request, such as `select_account`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Google: only accounts of this organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosted_domain: Option<String>,
    /// Microsoft Entra ID: the organisations whose accounts are taken, as GUIDs. None means every one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<String>,
    /// Apple: the team that the service id belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Apple: the App ID that the service id is grouped under. Apple addresses its reports to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// The `kid` of our key at the provider. Apple shows it beside the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Whether somebody who signs out here is led to the provider to sign out there as well.
    #[serde(skip_serializing_if = "SignOut::is_usual")]
    pub sign_out: SignOut,
    /// The apps, by name or client id, that may ask for the provider's own access token. It is kept sealed and ends
    /// with the session.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep_tokens_for: Vec<String>,
    /// The last day on which the client secret is good, as the provider shows it, such as `2027-05-31`. The log warns
    /// 30 days ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date"))]
    pub secret_expires_at: Option<String>,
    /// Our attribute → the provider's claim, or how it is made of several. Empty means the standard names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub inbound_claim_mapping: BTreeMap<String, ClaimRule>,
}

/// The addresses of an OAuth 2.0 provider.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endpoints {
    /// Where people sign in.
    pub authorization: String,
    /// Where a code is redeemed.
    pub token: String,
    /// Where an access token's holder is described.
    pub user_info: String,
    /// GitHub: the list of the holder's addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emails: Option<String>,
    /// Facebook and GitHub: where a token is told whom and which app it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_check: Option<String>,
}

/// How we prove ourselves at the provider's token endpoint (OpenID Connect Core 9).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    #[default]
    ClientSecretPost,
    /// Refused under `compatibility: strict` (sign-up.md 2.9).
    ClientSecretBasic,
    ClientSecretJwt,
    PrivateKeyJwt,
    /// A public client: PKCE alone ties the code to us.
    None,
}

/// What we ask the provider for. Anything but a code is refused (sign-up.md 2.9).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseType {
    #[default]
    Code,
    IdToken,
}

/// How the answer comes back through the browser.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    #[default]
    Query,
    FormPost,
}

/// When the provider's user info endpoint is asked (OpenID Connect Core 5.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum UserInfo {
    /// When the ID token lacks the address, or a claim that the mapping names.
    #[default]
    WhenMissing,
    Always,
    Never,
}

/// What signing out here means at the provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SignOut {
    /// Nothing: the session there goes on.
    #[default]
    Here,
    /// The browser is led to the provider, and back (OpenID Connect RP-Initiated Logout 1.0).
    Provider,
}

impl SignOut {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
    const fn is_usual(&self) -> bool {
        matches!(self, Self::Here)
    }
}

/// A secret as stored: sealed under the deployment's key, base64.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedSecret(pub String);

impl<K> IdentityProvider<K> {
    /// What is usual for its kind.
    pub const fn preset(&self) -> &'static Preset {
        self.identity_provider_type.preset()
    }

    /// The issuer of its ID tokens as configured or as its kind has it. Of Entra with any number of
    /// organisations it is a template with `{tenantid}`; of a provider without ID tokens it is what its
    /// identities are filed under.
    pub fn issuer(&self) -> String {
        if let Some(issuer) = &self.settings.issuer {
            return issuer.clone();
        }
        match (self.identity_provider_type, self.settings.tenants.as_slice()) {
            (ProviderKind::MicrosoftEntra, [only]) => self.preset().issuer.replace("{tenantid}", only),
            _ if self.preset().issuer.is_empty() => format!("oauth2:{}", self.id.key()),
            _ => self.preset().issuer.to_owned(),
        }
    }

    /// What `issuer` of an identity says that the provider made (DIR-01, DIR-02).
    pub fn identity_issuer(&self, tenant: TenantKind) -> String {
        let filed = match tenant {
            TenantKind::Workforce => self.preset().guest_issuer,
            TenantKind::External => self.preset().customer_issuer,
        };
        filed.map_or_else(|| self.issuer(), str::to_owned)
    }

    /// What the provider is asked for.
    pub fn scope(&self) -> &str {
        self.settings.scope.as_deref().unwrap_or(self.preset().scope)
    }

    /// How we prove ourselves to it.
    pub fn client_authentication(&self) -> ClientAuthentication {
        self.settings.client_authentication.unwrap_or(self.preset().client_authentication)
    }

    /// Whether an app may ask for the provider's own access token.
    pub fn keeps_tokens_for<P>(&self, app: &Application<P>) -> bool {
        let names = [app.display_name.clone(), app.app_id.to_string()];
        self.settings.keep_tokens_for.iter().any(|wanted| names.contains(wanted))
    }

    /// How its answer comes back.
    pub fn response_mode(&self) -> ResponseMode {
        self.settings.response_mode.unwrap_or(self.preset().response_mode)
    }

    /// Its addresses, if it speaks OAuth 2.0 alone.
    pub fn endpoints(&self) -> Option<Endpoints> {
        self.settings.endpoints.clone().or_else(|| self.preset().endpoints.map(kind::Addresses::to_endpoints))
    }

    /// How many days the client secret is good after today, in UTC; fewer than none when it is not any more, and
    /// nothing when nobody said.
    pub fn secret_days_left(&self, now: Timestamp) -> Option<i64> {
        let last = date::parse(self.settings.secret_expires_at.as_deref()?)?;
        Some((last - now.date()).whole_days())
    }

    /// Our attribute → how it comes about, as configured or as the kind has it.
    pub fn claim_mapping(&self) -> BTreeMap<String, ClaimRule> {
        if !self.settings.inbound_claim_mapping.is_empty() {
            return self.settings.inbound_claim_mapping.clone();
        }
        let usual = self.preset().claims.iter();
        usual.map(|(attribute, claim)| ((*attribute).to_owned(), ClaimRule::named(claim))).collect()
    }
}

const fn yes() -> bool {
    true
}

const fn none<K>() -> Option<K> {
    None
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
const fn is_false(value: &bool) -> bool {
    !*value
}
