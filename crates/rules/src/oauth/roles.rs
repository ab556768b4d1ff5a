//! Which roles an application holds in a resource, by its configuration alone (security.md S66, C60): what a request
//! asks for can name the resource and nothing in it.

use crate::directory::application::{AppRole, Application};
use crate::ids::ClientId;

/// Who may hold a role: an application.
const APPLICATION: &str = "Application";
/// Or a person.
const USER: &str = "User";

/// The roles that `client` holds in the resource `audience`, in the order of its assignments. A role that was switched
/// off, or is for people only, is held by no application.
pub fn held<'a, P>(
    client: &'a Application<P>,
    audience: ClientId,
    applications: &[Application<P>],
) -> Vec<&'a str> {
    let Some(resource) = applications.iter().find(|app| app.app_id == audience) else { return Vec::new() };
    let assigned = client.settings.app_role_assignments.iter();
    let roles = assigned
        .filter(|assigned| is_called(resource, &assigned.resource) && offers(resource, &assigned.role))
        .map(|assigned| assigned.role.as_str());
    let mut held: Vec<&str> = Vec::new();
    for role in roles {
        if !held.contains(&role) {
            held.push(role);
        }
    }
    held
}

/// Whether an application goes by this name as a resource: its client id or an identifier URI.
pub fn is_called<P>(resource: &Application<P>, name: &str) -> bool {
    ClientId::parse(name) == Some(resource.app_id) || resource.identifier_uris.iter().any(|uri| uri == name)
}

/// Whether an application has a role that applications can hold.
pub fn offers<P>(resource: &Application<P>, role: &str) -> bool {
    resource.app_roles.iter().any(|known| {
        known.value == role && known.is_enabled && known.allowed_member_types.iter().any(|t| t == APPLICATION)
    })
}

/// The role as the application has it, when people can hold it.
pub fn offers_people<'a, P>(resource: &'a Application<P>, role: &str) -> Option<&'a str> {
    let is_it = |known: &&AppRole| {
        known.value == role && known.is_enabled && known.allowed_member_types.iter().any(|t| t == USER)
    };
    resource.app_roles.iter().find(is_it).map(|known| known.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::application::PasswordCredential;
    use crate::directory::credential::AppRoleAssignment;
    use crate::oauth::testing;

    fn role(value: &str, is_enabled: bool, members: &[&str]) -> AppRole {
        AppRole {
            value: value.to_owned(),
            display_name: value.to_owned(),
            allowed_member_types: members.iter().map(|&m| m.to_owned()).collect(),
            is_enabled,
        }
    }

    fn client(assigned: &[(&str, &str)]) -> Application<PasswordCredential> {
        let mut client = testing::application();
        client.app_id = ClientId::from_random([9; 16]);
        client.identifier_uris = vec!["api://client".to_owned()];
        let one = |&(resource, role): &(&str, &str)| AppRoleAssignment {
            resource: resource.to_owned(),
            role: role.to_owned(),
        };
        client.settings.app_role_assignments = assigned.iter().map(one).collect();
        client
    }

    #[test]
    fn an_app_holds_what_it_was_assigned_and_the_resource_offers() {
        // S66, C60
        let mut resource = testing::application();
        resource.app_roles = vec![
            role("Orders.Read", true, &["Application"]),
            role("Orders.Write", true, &["User", "Application"]),
            role("Orders.Old", false, &["Application"]),
            role("Orders.Person", true, &["User"]),
        ];
        let id = resource.app_id.to_string();
        let client = client(&[
            ("api://orders", "Orders.Write"),
            (&id, "Orders.Read"),
            ("api://orders", "Orders.Read"),
            ("api://orders", "Orders.Old"),
            ("api://orders", "Orders.Person"),
            ("api://orders", "Orders.Unknown"),
            ("api://other", "Orders.Read"),
        ]);
        let all = [resource.clone(), client.clone()];
        assert_eq!(held(&client, resource.app_id, &all), ["Orders.Write", "Orders.Read"]);
        assert!(held(&client, client.app_id, &all).is_empty());
        assert!(held(&resource, resource.app_id, &all).is_empty());
    }
}
