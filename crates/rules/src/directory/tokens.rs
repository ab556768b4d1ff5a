//! What an application's tokens say beyond the protocol, and for whom they are made. The doc comments are those of the
//! file's schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lifetimes::Lifetimes;

/// The part of an application's settings that is about its tokens.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TokenSettings {
    /// How long its tokens live, unless the tenant's usual lengths are right.
    #[serde(skip_serializing_if = "Lifetimes::is_empty")]
    pub token_lifetimes: Lifetimes,
    /// Claims that its tokens have when you ask for them. Those of `accessToken` are for access tokens in which it is
    /// the API. See docs/guides/tokens.md.
    #[serde(skip_serializing_if = "OptionalClaims::is_empty")]
    pub optional_claims: OptionalClaims,
    /// Which of a person's groups stand in the claim `groups`.
    #[serde(skip_serializing_if = "GroupMembershipClaims::is_none")]
    pub group_membership_claims: GroupMembershipClaims,
    /// Groups that the application, or a role in it, is assigned to. People are assigned one by one, with
    /// `vestibule role assign`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub app_role_assigned_to: Vec<AssignedTo>,
    /// Refuses tokens to people whom the application is assigned to neither themselves nor by a group.
    #[serde(skip_serializing_if = "is_off")]
    pub app_role_assignment_required: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
const fn is_off(setting: &bool) -> bool {
    !*setting
}

/// Claims beside those that every token has (Graph: `optionalClaims`).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OptionalClaims {
    /// Claims of ID tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token: Vec<OptionalClaim>,
    /// Claims of access tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_token: Vec<OptionalClaim>,
}

impl OptionalClaims {
    /// Whether nothing is asked for.
    pub const fn is_empty(&self) -> bool {
        self.id_token.is_empty() && self.access_token.is_empty()
    }
}

/// One claim that is asked for (Graph: `optionalClaim`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OptionalClaim {
    /// One of the known names, or `extension_<app id>_<name>` with the source `user`.
    pub name: String,
    /// `user` for a directory extension, nothing otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// For whoever reads the file; a value that is not there is left out in any case.
    #[serde(default, skip_serializing_if = "is_off")]
    pub essential: bool,
    /// How the value is written, for the claims that can be written in several ways.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_properties: Vec<String>,
}

impl OptionalClaim {
    /// The `source` of directory extensions.
    pub const USER: &'static str = "user";
}

/// Which groups stand in tokens (Graph: `groupMembershipClaims`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum GroupMembershipClaims {
    /// None.
    #[default]
    None,
    /// Those that are `securityEnabled`.
    SecurityGroup,
    /// Those that the application is assigned to.
    ApplicationGroup,
    /// Every one.
    All,
}

impl GroupMembershipClaims {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
    const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// A group that has access to the application (Graph: `appRoleAssignedTo`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssignedTo {
    /// The group, by its `displayName` or id.
    pub group: String,
    /// The `value` of one of the `appRoles` that has `User` among its `allowedMemberTypes`. Without it the group has
    /// access and no role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}
