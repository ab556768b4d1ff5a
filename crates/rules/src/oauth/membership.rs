//! What a person's groups and assignments come to for an application: whether it is for them at all, their roles in it,
//! and the groups that it is told of (Graph: `appRoleAssignment`, `groupMembershipClaims`).

use std::collections::BTreeSet;

use super::roles::offers_people;
use crate::directory::application::Application;
use crate::directory::group::Group;
use crate::directory::tokens::GroupMembershipClaims;
use crate::ids::{ClientId, ObjectId};

/// Most groups that a token lists; of more it says where to ask (sign-up.md 5.4).
pub const MOST_IN_TOKEN: usize = 200;
/// The same for a token that travels in an address.
pub const MOST_IN_ADDRESS: usize = 5;

/// What is stored about one person: two look-ups, however many people and groups there are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// The groups that the person is in.
    pub groups: BTreeSet<ObjectId>,
    /// The applications that are assigned to the person alone, each with a role or with none.
    pub assigned: Vec<(ClientId, Option<String>)>,
}

/// How a token speaks of groups.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum GroupsClaim {
    /// Not at all.
    #[default]
    Absent,
    Listed(Vec<ObjectId>),
    /// There are too many to list.
    TooMany,
}

/// Every assignment that counts, with its role if it has one. A role that was switched off or taken away counts for
/// nothing, not even for access.
fn assignments<'a, P>(app: &'a Application<P>, standing: &Standing) -> Vec<Option<&'a str>> {
    let own = standing.assigned.iter().filter(|(client, _)| *client == app.app_id).map(|(_, role)| role);
    let by_group = app.settings.tokens.app_role_assigned_to.iter().filter(|assigned| {
        ObjectId::parse(&assigned.group).is_some_and(|group| standing.groups.contains(&group))
    });
    own.chain(by_group.map(|assigned| &assigned.role))
        .filter_map(|role| match role {
            None => Some(None),
            Some(value) => offers_people(app, value).map(Some),
        })
        .collect()
}

/// Whether the application is for this person: it is for everybody, or is assigned to them.
pub fn admits<P>(app: &Application<P>, standing: &Standing) -> bool {
    !app.settings.tokens.app_role_assignment_required || !assignments(app, standing).is_empty()
}

/// The roles that the person holds in the application, themselves or by a group, in the order in which it has them.
pub fn roles<'a, P>(app: &'a Application<P>, standing: &Standing) -> Vec<&'a str> {
    let held: BTreeSet<&str> = assignments(app, standing).into_iter().flatten().collect();
    app.app_roles.iter().map(|role| role.value.as_str()).filter(|value| held.contains(value)).collect()
}

/// The groups that the application is told of. `groups` are those of the tenant: one that was taken away is told no
/// more, whatever is stored about its members.
pub fn groups<P>(app: &Application<P>, groups: &[Group], standing: &Standing, most: usize) -> GroupsClaim {
    let settings = &app.settings.tokens;
    let is_told = |group: &Group| match settings.group_membership_claims {
        GroupMembershipClaims::None => false,
        GroupMembershipClaims::SecurityGroup => group.security_enabled,
        GroupMembershipClaims::ApplicationGroup => {
            let id = group.id.to_string();
            settings.app_role_assigned_to.iter().any(|assigned| assigned.group == id)
        }
        GroupMembershipClaims::All => true,
    };
    let told = groups.iter().filter(|group| standing.groups.contains(&group.id) && is_told(group));
    let told: Vec<ObjectId> = told.map(|group| group.id).collect();
    match told.len() {
        0 => GroupsClaim::Absent,
        count if count > most => GroupsClaim::TooMany,
        _ => GroupsClaim::Listed(told),
    }
}

/// Whether anything of a person's standing is of interest to the application.
pub fn asks<P>(app: &Application<P>) -> bool {
    let settings = &app.settings.tokens;
    settings.app_role_assignment_required
        || settings.group_membership_claims != GroupMembershipClaims::None
        || app.app_roles.iter().any(|role| role.is_enabled)
}

#[cfg(test)]
#[path = "membership_tests.rs"]
mod tests;
