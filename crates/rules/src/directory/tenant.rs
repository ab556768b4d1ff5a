//! Tenants and the whole of what one configures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::application::{Application, PasswordCredential};
use super::attribute::UserFlowAttribute;
use super::flow::UserFlow;
use super::group::Group;
use super::lifetimes::Lifetimes;
use super::provider::{IdentityProvider, SealedSecret};
use super::registration::ClientRegistration;
use super::session_lifetimes::SessionLifetimes;
use crate::ids::TenantId;
use crate::oauth::signing::SigningAlgorithm;

/// Which half of the product a tenant uses (sign-up.md 1.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TenantKind {
    /// Partners become guests next to employees (B2B).
    Workforce,
    /// Customers own their account in the tenant (CIAM).
    External,
}

/// Whether the limits of the original are restored (sign-up.md, "How to read it").
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Compatibility {
    #[default]
    Open,
    /// Ten flows, `client_secret_basic` refused, disclosure as the original does it.
    Strict,
}

/// The settings of a tenant itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    pub id: TenantId,
    pub kind: TenantKind,
    pub display_name: String,
    /// The name in addresses; letters, digits and hyphens.
    pub short_name: String,
    /// Domains that name the tenant; the first is the default one, used in user principal names.
    #[serde(default)]
    pub domains: Vec<String>,
    #[serde(default)]
    pub compatibility: Compatibility,
    #[serde(default)]
    pub authentication_flows_policy: AuthenticationFlowsPolicy,
    #[serde(default)]
    pub branding: Branding,
    #[serde(default, skip_serializing_if = "Tokens::is_usual")]
    pub tokens: Tokens,
    /// Where the tenant is at home, two letters (Graph: `countryLetterCode`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country_letter_code: Option<String>,
    #[serde(default, skip_serializing_if = "ClientRegistration::is_usual")]
    pub client_registration: ClientRegistration,
    #[serde(default, skip_serializing_if = "SessionLifetimes::is_usual")]
    pub session_lifetimes: SessionLifetimes,
}

impl Tenant {
    /// The domain of user principal names and the issuer of local identities (sign-up.md 1.5).
    pub fn default_domain(&self) -> String {
        self.domains.first().map_or_else(|| self.initial_domain(), |d| d.to_lowercase())
    }

    /// The domain that every tenant has from its short name, in the form that Microsoft's libraries append.
    pub fn initial_domain(&self) -> String {
        format!("{}.onmicrosoft.com", self.short_name.to_lowercase())
    }

    /// Every name under which the tenant is found, folded to lower case.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![self.id.to_string(), self.short_name.to_lowercase(), self.initial_domain()];
        names.extend(self.domains.iter().map(|d| d.to_lowercase()));
        names.sort();
        names.dedup();
        names
    }
}

/// `authenticationFlowsPolicy` in Graph: the switch of FLOW-01. It means nothing in an external tenant.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AuthenticationFlowsPolicy {
    pub self_service_sign_up: SelfServiceSignUp,
}

/// `selfServiceSignUp` of the policy.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SelfServiceSignUp {
    /// Whether guests may sign themselves up through user flows.
    pub is_enabled: bool,
}

/// The look of a tenant's pages (sign-up.md 6.1). A brand sets tokens, never rules.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Branding {
    /// Colour of buttons and links, `#RRGGBB`.
    pub accent_color: Option<String>,
    /// Colour behind the card, `#RRGGBB`.
    pub background_color: Option<String>,
    /// A logo of at most 245 × 36 pixels as a `data:image/png` or `data:image/jpeg` address of at most 50 KB.
    pub banner_logo: Option<String>,
    /// Text at the foot of the sign-in page; Markdown links only, at most 1,024 characters.
    pub sign_in_page_text: Option<String>,
    /// Hint beside the identifier field.
    pub username_hint_text: Option<String>,
    pub custom_privacy_and_cookies_url: Option<String>,
    pub custom_terms_of_use_url: Option<String>,
}

/// The tokens of a tenant.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Tokens {
    /// What they are signed with. After a change, keys of the new algorithm are published for two days before one
    /// signs, and tokens that the old keys signed stay good. See docs/guides/signing-keys.md.
    pub signing_algorithm: SigningAlgorithm,
    /// How long tokens live, unless an application says otherwise. See docs/guides/tokens.md.
    #[serde(skip_serializing_if = "Lifetimes::is_empty")]
    pub lifetimes: Lifetimes,
}

impl Tokens {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// A tenant with everything in it, as stored and as the running server reads it.
#[derive(Clone, PartialEq, Debug)]
pub struct TenantConfig {
    pub tenant: Tenant,
    pub applications: Vec<Application<PasswordCredential>>,
    pub identity_providers: Vec<IdentityProvider<SealedSecret>>,
    pub user_flow_attributes: Vec<UserFlowAttribute>,
    pub user_flows: Vec<UserFlow>,
    pub groups: Vec<Group>,
}
