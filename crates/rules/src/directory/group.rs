//! Groups of people (Graph: `group`). Which they are stands in the tenant's configuration; who is in them is data, as
//! people are.

use serde::{Deserialize, Serialize};

use crate::ids::ObjectId;

/// A group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub id: ObjectId,
    pub display_name: String,
    #[serde(default)]
    pub description: String,
    pub mail_nickname: String,
    /// Whether access may rest on it: `groupMembershipClaims: SecurityGroup` leaves the others out.
    pub security_enabled: bool,
}
