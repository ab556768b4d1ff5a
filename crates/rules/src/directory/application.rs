//! Applications and their service principals (Graph: `application`, `servicePrincipal`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::client;
use super::credential::KeyCredential;
use super::provider::SealedSecret;
use super::registration::Registered;
use crate::ids::{AttributeId, ClientId, ObjectId};
use crate::time::Timestamp;

/// An application that signs people in, with `P` as the form of its secrets: a hash where it is stored, a
/// reference to a file or variable where it is written by hand.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Application<P> {
    /// The directory object of the registration.
    pub id: ObjectId,
    /// The client id.
    pub app_id: ClientId,
    pub display_name: String,
    #[serde(default)]
    pub web: Web,
    #[serde(default)]
    pub spa: RedirectUris,
    #[serde(default)]
    pub public_client: RedirectUris,
    /// Whether requests without a redirect address (device code, native sign-up) count as a public client.
    #[serde(default)]
    pub is_fallback_public_client: bool,
    #[serde(default = "Vec::new")]
    pub password_credentials: Vec<P>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_credentials: Vec<KeyCredential>,
    #[serde(default)]
    pub identifier_uris: Vec<String>,
    #[serde(default)]
    pub api: Api,
    #[serde(default)]
    pub app_roles: Vec<AppRole>,
    /// Attributes that go into tokens ("Attributes & Claims", sign-up.md 5.4).
    #[serde(default)]
    pub token_claims: Vec<TokenClaim>,
    #[serde(default, flatten)]
    pub settings: client::Settings,
    pub service_principal: ServicePrincipal,
    /// Part of the product itself: no flow may serve it (FLOW-05).
    #[serde(default)]
    pub built_in: bool,
    /// It registered itself, and nobody vouches for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<Box<Registered>>,
}

/// Settings of the web platform.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Web {
    /// Exact addresses; https, or http for loopback hosts only.
    pub redirect_uris: Vec<String>,
    /// Where the front channel tells the app that somebody signed out.
    pub logout_url: Option<String>,
    pub home_page_url: Option<String>,
    /// Tokens that the browser may carry to the app, which needs `securityProfile: oidc-compat`.
    #[serde(skip_serializing_if = "ImplicitGrantSettings::is_usual")]
    pub implicit_grant_settings: ImplicitGrantSettings,
}

/// Which tokens the authorization endpoint may answer with (Graph: `implicitGrantSettings`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ImplicitGrantSettings {
    /// The response types with `token`.
    pub enable_access_token_issuance: bool,
    /// The response types with `id_token`.
    pub enable_id_token_issuance: bool,
}

impl ImplicitGrantSettings {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
    const fn is_usual(&self) -> bool {
        !self.enable_access_token_issuance && !self.enable_id_token_issuance
    }
}

/// The redirect addresses of one platform.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RedirectUris {
    pub redirect_uris: Vec<String>,
}

/// What the application offers to others as an API.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Api {
    pub oauth2_permission_scopes: Vec<PermissionScope>,
}

/// A delegated permission that the application exposes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PermissionScope {
    /// The name behind the identifier URI, such as `orders.read`.
    pub value: String,
    /// Its title for administrators.
    #[serde(default)]
    pub admin_consent_display_name: String,
    /// What it lets an app do, for administrators.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub admin_consent_description: String,
    /// Its title on the page that asks for consent. Without it, that for administrators is shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_consent_display_name: String,
    /// What it lets an app do, on the page that asks for consent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_consent_description: String,
    /// `Admin`: only an administrator can grant it to an app that needs consent.
    #[serde(default, rename = "type", skip_serializing_if = "ScopeType::is_usual")]
    pub consent_type: ScopeType,
    #[serde(default = "yes")]
    pub is_enabled: bool,
}

/// Who can grant a permission (Graph: `type` of a `permissionScope`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum ScopeType {
    /// Whoever signs in.
    #[default]
    User,
    /// An administrator.
    Admin,
}

impl ScopeType {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
    const fn is_usual(&self) -> bool {
        matches!(self, Self::User)
    }
}

impl PermissionScope {
    /// Title and description as people read them; the name where nobody wrote one.
    pub fn words(&self) -> (&str, &str) {
        let title = [self.user_consent_display_name.as_str(), self.admin_consent_display_name.as_str()];
        let text = [self.user_consent_description.as_str(), self.admin_consent_description.as_str()];
        (
            title.into_iter().find(|text| !text.is_empty()).unwrap_or(&self.value),
            text.into_iter().find(|text| !text.is_empty()).unwrap_or_default(),
        )
    }
}

/// A role that users or applications can hold in the application.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppRole {
    pub value: String,
    pub display_name: String,
    /// `User`, `Application` or both.
    #[serde(default)]
    pub allowed_member_types: Vec<String>,
    #[serde(default = "yes")]
    pub is_enabled: bool,
}

/// One attribute of the user as a claim.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenClaim {
    /// The name of the claim in the token.
    pub name: String,
    /// The attribute: a built-in id, `extension_<app id>_<Name>` or a custom attribute's bare name.
    #[schemars(with = "String")]
    pub attribute: AttributeId,
    /// Where the claim is told: `idToken`, `accessToken` (those in which the application is the API) and `userinfo`.
    /// Both kinds of token unless you say otherwise.
    #[serde(default = "ClaimTarget::usual", skip_serializing_if = "ClaimTarget::are_usual")]
    pub tokens: Vec<ClaimTarget>,
}

/// Where a claim is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClaimTarget {
    IdToken,
    AccessToken,
    Userinfo,
}

impl ClaimTarget {
    /// Both kinds of token.
    pub fn usual() -> Vec<Self> {
        vec![Self::IdToken, Self::AccessToken]
    }

    fn are_usual(targets: &[Self]) -> bool {
        targets == [Self::IdToken, Self::AccessToken]
    }
}

/// The tenant's own object for the application: what may be done with it here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePrincipal {
    pub id: ObjectId,
    /// A disabled application signs nobody in.
    pub account_enabled: bool,
}

/// A client secret as stored: never the secret itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordCredential {
    pub key_id: ObjectId,
    #[serde(default)]
    pub display_name: Option<String>,
    /// The first characters, so that a person can tell secrets apart.
    pub hint: String,
    /// Salted hash in the form of the crypto layer.
    pub hash: String,
    /// The secret itself, sealed; only of applications that sign with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<SealedSecret>,
    #[serde(default)]
    pub start_at: Option<Timestamp>,
    #[serde(default)]
    pub end_at: Option<Timestamp>,
}

/// The platform that a redirect address is registered under; it decides CORS, secrets and lifetimes
/// (native-auth-and-msal.md 4.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Platform {
    Web,
    Spa,
    PublicClient,
}

impl<P> Application<P> {
    /// Every registered redirect address with its platform, in a fixed order.
    pub fn redirect_uris(&self) -> impl Iterator<Item = (Platform, &str)> {
        on(Platform::Web, &self.web.redirect_uris)
            .chain(on(Platform::Spa, &self.spa.redirect_uris))
            .chain(on(Platform::PublicClient, &self.public_client.redirect_uris))
    }
}

fn on(platform: Platform, uris: &[String]) -> impl Iterator<Item = (Platform, &str)> {
    uris.iter().map(move |uri| (platform, uri.as_str()))
}

const fn yes() -> bool {
    true
}
