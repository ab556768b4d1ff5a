//! The shape of a tenant's configuration file. Words are Microsoft Graph's where it has them. The JSON
//! Schema that editors use is generated from these types, doc comments included.

use schemars::JsonSchema;
use serde::Deserialize;
use vestibule_rules::directory::age::AgeRule;
use vestibule_rules::directory::application::{Api, AppRole, RedirectUris, TokenClaim, Web};
use vestibule_rules::directory::attribute::DataType;
use vestibule_rules::directory::client;
use vestibule_rules::directory::condition::Condition;
use vestibule_rules::directory::flow::{Bound, InputOption, InputType, UserTypeToCreate, WhenProvided};
use vestibule_rules::directory::provider;
use vestibule_rules::directory::provider::kind::ProviderKind;
use vestibule_rules::directory::registration::ClientRegistration;
use vestibule_rules::directory::session_lifetimes::SessionLifetimes;
use vestibule_rules::directory::tenant::{
    AuthenticationFlowsPolicy, Branding, Compatibility, TenantKind, Tokens,
};
use vestibule_rules::directory::terms::Terms;

/// A Vestibule tenant with everything in it.
///
/// `vestibule apply` makes the tenant what the file says: what is missing is created, what differs is
/// changed, and what the file does not name is removed. Users are never touched.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Vestibule tenant")]
pub struct TenantFile {
    /// The tenant itself: its names, kind and look.
    pub tenant: TenantSection,
    /// The applications that people sign in to.
    #[serde(default)]
    pub applications: Vec<ApplicationSection>,
    /// OpenID Connect providers whose accounts people can use.
    #[serde(default)]
    pub identity_providers: Vec<ProviderSection>,
    /// Questions of your own, beside the ten built-in attributes.
    #[serde(default)]
    pub user_flow_attributes: Vec<AttributeSection>,
    /// How people sign up and in, and for which applications.
    #[serde(default)]
    pub user_flows: Vec<FlowSection>,
    /// Groups of people. Who is in them is said by `vestibule group add`.
    #[serde(default)]
    pub groups: Vec<GroupSection>,
    /// Applications that register themselves. Off unless you say otherwise.
    #[serde(default)]
    pub client_registration: ClientRegistration,
}

/// The tenant itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantSection {
    /// The tenant's GUID. When it is left out, one is made at first and found again by `shortName`.
    #[serde(default)]
    #[schemars(pattern(GUID))]
    pub id: Option<String>,
    /// `workforce`: partners become guests beside employees. `external`: customers own their account.
    pub kind: TenantKind,
    /// The name that visitors read.
    #[schemars(length(min = 1, max = 256))]
    pub display_name: String,
    /// The name in addresses: lower-case letters, digits and hyphens.
    pub short_name: String,
    /// Domains under which the tenant is found too. The first is used in user principal names.
    #[serde(default)]
    pub domains: Vec<String>,
    /// `strict` restores the limits of the original.
    #[serde(default)]
    pub compatibility: Compatibility,
    /// Whether guests may sign themselves up in a workforce tenant. Off unless you say otherwise.
    #[serde(default)]
    pub authentication_flows_policy: AuthenticationFlowsPolicy,
    /// Colours, logo and texts of the pages.
    #[serde(default)]
    pub branding: Branding,
    /// What tokens are signed with and how long they live.
    #[serde(default)]
    pub tokens: Tokens,
    /// Where the tenant is at home, two letters such as `DE`: the optional claim `tenant_ctry`.
    #[serde(default)]
    pub country_letter_code: Option<String>,
    /// How long people stay signed in. See docs/guides/sessions.md.
    #[serde(default)]
    pub session_lifetimes: SessionLifetimes,
}

/// An application that signs people in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct ApplicationSection {
    /// The name that visitors and flows know it by.
    #[schemars(length(min = 1, max = 256))]
    pub display_name: String,
    /// The client id. When it is left out, one is made at first and found again by `displayName`.
    #[serde(default)]
    #[schemars(pattern(GUID))]
    pub app_id: Option<String>,
    /// Addresses of a web application with a server that can keep a secret.
    #[serde(default)]
    pub web: Web,
    /// Addresses of a single-page application.
    #[serde(default)]
    pub spa: RedirectUris,
    /// Addresses of an installed application.
    #[serde(default)]
    pub public_client: RedirectUris,
    /// Whether requests without a redirect address (device code, native sign-up) count as a public client.
    #[serde(default)]
    pub is_fallback_public_client: bool,
    /// The application's own secrets; only their hashes are stored.
    #[serde(default)]
    pub password_credentials: Vec<PasswordSection>,
    /// The application's public keys: what is signed with their private halves proves that it is the application.
    #[serde(default)]
    pub key_credentials: Vec<KeySection>,
    /// Names under which the application is asked for as an API, such as `api://orders`.
    #[serde(default)]
    pub identifier_uris: Vec<String>,
    /// What the application offers to others.
    #[serde(default)]
    pub api: Api,
    /// Roles that people or applications can hold in it.
    #[serde(default)]
    pub app_roles: Vec<AppRole>,
    /// Attributes that go into its tokens.
    #[serde(default)]
    pub token_claims: Vec<TokenClaim>,
    #[serde(flatten)]
    pub settings: client::Settings,
    /// `false` signs nobody in.
    #[serde(default = "yes")]
    pub account_enabled: bool,
}

/// A secret of an application.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordSection {
    /// What tells this secret from others.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Where the secret is; it never stands in this file.
    pub secret: SecretReference,
    /// When it begins to work, such as `2026-11-24T00:00:00Z`.
    #[serde(default)]
    pub start_date_time: Option<String>,
    /// When it stops to work.
    #[serde(default)]
    pub end_date_time: Option<String>,
}

/// A public key of an application.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeySection {
    /// What tells this key from others.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The public key as a JWK. Either this or `pem`.
    #[serde(default)]
    pub jwk: Option<serde_json::Map<String, serde_json::Value>>,
    /// Where a certificate or a public key is, in PEM.
    #[serde(default)]
    pub pem: Option<SecretReference>,
    /// When it begins to count, such as `2026-11-24T00:00:00Z`. A certificate says it itself, unless you do.
    #[serde(default)]
    pub start_date_time: Option<String>,
    /// When it stops to count.
    #[serde(default)]
    pub end_date_time: Option<String>,
}

/// Where a secret is: exactly one of the two.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct SecretReference {
    /// A file with the secret, relative to the folder of this file. White space around it does not count.
    #[serde(default)]
    pub file: Option<String>,
    /// An environment variable with the secret.
    #[serde(default)]
    pub env: Option<String>,
}

/// An OpenID Connect provider.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct ProviderSection {
    /// A short id: flows and the callback address use it.
    pub id: String,
    /// The name on its button. Built-in kinds have one.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub display_name: Option<String>,
    /// What it is. A built-in kind knows its addresses, scopes, claims and quirks.
    #[serde(default)]
    pub identity_provider_type: ProviderKind,
    /// What the provider calls us.
    pub client_id: String,
    /// Where the secret is that the provider gave us.
    #[serde(default)]
    pub client_secret: Option<SecretReference>,
    /// Where the private key is that we prove ourselves with: PEM, of RSA, P-256, P-384 or Ed25519. For Apple it is
    /// the .p8 file.
    #[serde(default)]
    pub client_key: Option<SecretReference>,
    /// Where the private key is that the provider encrypts ID tokens to: PEM, of RSA, P-256 or P-384.
    #[serde(default)]
    pub decryption_key: Option<SecretReference>,
    #[serde(flatten)]
    pub settings: provider::Settings,
    /// `false` takes it off every page.
    #[serde(default = "yes")]
    pub is_enabled: bool,
}

/// A question of your own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttributeSection {
    /// Its name. `Loyalty number` is stored as `loyaltyNumber`; flows may use either.
    #[schemars(length(min = 1, max = 256))]
    pub display_name: String,
    /// For administrators; visitors never see it.
    #[serde(default)]
    pub description: String,
    /// The type of its values. It cannot be changed later.
    #[serde(default)]
    pub data_type: DataType,
}

/// A group of people.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupSection {
    /// The group's GUID. When it is left out, one is made at first and found again by `displayName`.
    #[serde(default)]
    #[schemars(pattern(GUID))]
    pub id: Option<String>,
    /// Its name.
    #[schemars(length(min = 1, max = 256))]
    pub display_name: String,
    /// For administrators.
    #[serde(default)]
    pub description: String,
    /// Its name in addresses. Follows from `displayName` when it is left out.
    #[serde(default)]
    pub mail_nickname: Option<String>,
    /// Whether access may rest on it. `groupMembershipClaims: SecurityGroup` leaves the others out.
    #[serde(default = "yes")]
    pub security_enabled: bool,
}

/// How people sign up and in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlowSection {
    /// The full id: `B2X_1_…` in a workforce tenant, a GUID in an external one. It may be left out.
    #[serde(default)]
    pub id: Option<String>,
    /// In a workforce tenant: the id without `B2X_1_`.
    #[serde(default)]
    pub name: Option<String>,
    /// The name that administrators read. Needed in an external tenant.
    #[serde(default)]
    pub display_name: Option<String>,
    /// For administrators.
    #[serde(default)]
    pub description: String,
    /// The applications it serves, each by `displayName` or `appId`. An application has one flow.
    #[serde(default)]
    pub applications: Vec<String>,
    /// Ways to sign up, in the order in which they are offered: `EmailOtpSignup-OAUTH` (a code to the
    /// mailbox), `EmailPassword-OAUTH`, or the id of a provider above.
    pub identity_providers: Vec<String>,
    /// Those of them that have no button: an application's `domain_hint` leads there.
    #[serde(default)]
    pub hidden_identity_providers: Vec<String>,
    /// `false`: only people who have an account can sign in.
    #[serde(default = "yes")]
    pub is_sign_up_allowed: bool,
    /// What is asked at sign-up.
    #[serde(default)]
    pub attribute_collection: CollectionSection,
    /// In an external tenant: what a new user is. `member` unless you say otherwise.
    #[serde(default)]
    pub user_type_to_create: Option<UserTypeToCreate>,
    /// Documents that visitors accept before they have an account, and again when their version changes.
    #[serde(default)]
    pub terms: Vec<Terms>,
    /// How old newcomers must be. Without it, age is no question.
    #[serde(default)]
    pub age: Option<AgeRule>,
}

/// The page that asks for attributes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CollectionSection {
    /// The page's heading.
    pub title: Option<String>,
    /// A sentence below it.
    pub description: Option<String>,
    /// The questions in their order, when one page is enough.
    pub inputs: Vec<InputSection>,
    /// Several pages in their order, instead of `inputs`.
    pub views: Vec<ViewSection>,
    /// Whether people who have an account are asked at sign-in for required attributes that they lack.
    pub ask_missing_at_sign_in: bool,
}

/// One page of several.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ViewSection {
    /// The page's heading.
    pub title: Option<String>,
    /// A sentence below it.
    pub description: Option<String>,
    /// The page is left out unless this holds.
    pub when: Option<Condition>,
    /// The questions in their order.
    pub inputs: Vec<InputSection>,
}

/// One question.
#[expect(clippy::struct_excessive_bools, reason = "the keys are Microsoft Graph's")]
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InputSection {
    /// A built-in attribute such as `displayName`, or one of your own by its name.
    pub attribute: String,
    /// What stands above the field. Markdown links are allowed, nothing else.
    #[serde(default)]
    pub label: Option<String>,
    /// A sentence below the label.
    #[serde(default)]
    pub hint: Option<String>,
    /// How it is asked. Follows from the attribute's type when it is left out.
    #[serde(default)]
    pub input_type: Option<InputType>,
    /// Whether it must be answered; a checkbox must be ticked.
    #[serde(default)]
    pub required: bool,
    /// What stands in the field at first.
    #[serde(default)]
    pub default_value: Option<String>,
    /// `true` does not show it.
    #[serde(default)]
    pub hidden: bool,
    /// `false` shows it without letting anyone change it.
    #[serde(default = "yes")]
    pub editable: bool,
    /// `false` does not keep the answer.
    #[serde(default = "yes")]
    pub write_to_directory: bool,
    /// A regular expression that the whole answer must match.
    #[serde(default)]
    pub validation_reg_ex: Option<String>,
    /// What to choose from.
    #[serde(default)]
    pub options: Vec<InputOption>,
    /// The question is asked only when this holds.
    #[serde(default)]
    pub when: Option<Condition>,
    /// What becomes of the question when the visitor's provider has the answer.
    #[serde(default)]
    pub when_provided: WhenProvided,
    /// The least number, or the first date as `YYYY-MM-DD`.
    #[serde(default)]
    pub minimum: Option<Bound>,
    /// The greatest number, or the last date as `YYYY-MM-DD`.
    #[serde(default)]
    pub maximum: Option<Bound>,
    /// For `phone`: the country whose numbers need no country code, such as `DE`.
    #[serde(default)]
    pub default_region: Option<String>,
    /// For `emailBox`: a code to the address must prove that it is the visitor's.
    #[serde(default)]
    pub requires_verification: bool,
}

/// A GUID with hyphens.
const GUID: &str = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";

const fn yes() -> bool {
    true
}
