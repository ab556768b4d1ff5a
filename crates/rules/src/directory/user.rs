//! Users and the identities they sign in with (sign-up.md 1.5, DIR-01 to DIR-06).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::address::Address;
use crate::ids::UserId;
use crate::time::Timestamp;

/// `userType` in Graph. It says nothing about how somebody signs in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum UserType {
    Member,
    Guest,
}

/// `creationType` in Graph: by which door the account came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum CreationType {
    SelfServiceSignUp,
    Invitation,
    EmailVerified,
    LocalAccount,
}

/// `externalUserState` in Graph, for guests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ExternalUserState {
    PendingAcceptance,
    Accepted,
}

/// One way in: `(issuer, issuer_assigned_id)` is unique in a tenant (DIR-03).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectIdentity {
    /// `emailAddress`, `userName`, `userPrincipalName` or `federated`.
    pub sign_in_type: String,
    pub issuer: String,
    pub issuer_assigned_id: String,
}

impl ObjectIdentity {
    pub const FEDERATED: &'static str = "federated";
    pub const EMAIL_ADDRESS: &'static str = "emailAddress";
    pub const USER_PRINCIPAL_NAME: &'static str = "userPrincipalName";
    /// The issuer of identities that a one-time code to a mailbox proves.
    pub const MAIL_ISSUER: &'static str = "mail";

    /// The form in which the assigned id is compared: addresses fold letter case, a provider's subject does
    /// not (OpenID Connect Core 5.7: `sub` is case-sensitive).
    pub fn assigned_key(&self) -> String {
        if self.sign_in_type == Self::FEDERATED && self.issuer != Self::MAIL_ISSUER {
            self.issuer_assigned_id.clone()
        } else {
            Address::parse(&self.issuer_assigned_id)
                .map_or_else(|_| self.issuer_assigned_id.to_lowercase(), |a| a.key())
        }
    }
}

/// A user object.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub id: UserId,
    pub user_type: UserType,
    pub creation_type: Option<CreationType>,
    pub external_user_state: Option<ExternalUserState>,
    pub account_enabled: bool,
    pub user_principal_name: String,
    pub display_name: Option<String>,
    pub mail: Option<String>,
    pub identities: Vec<ObjectIdentity>,
    /// Values of the other attributes by id: built-in ones under their Graph name, custom ones under
    /// `extension_<app id>_<name>`.
    pub attributes: BTreeMap<String, Value>,
    pub created_at: Timestamp,
    /// Sessions and refresh tokens older than this are dead (`signInSessionsValidFromDateTime`).
    pub sessions_valid_from: Timestamp,
    pub deleted_at: Option<Timestamp>,
    /// Counts the changes; every update is guarded by it.
    pub revision: i64,
}
