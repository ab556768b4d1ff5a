//! Whether an application may do what it asks for, or somebody has to agree first.
//!
//! The organisation's own applications need nobody's consent. Others get what a person agreed to, for that person, and
//! what an administrator granted for everybody. This is asked at every door that leads to tokens: the authorization
//! endpoint, the end of a sign-in, devices, calls in somebody's name, and each redemption (security.md S34).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::scope::{GRAPH, Scope};
use crate::directory::application::{Application, ScopeType};
use crate::directory::consent::ConsentPolicy;
use crate::ids::ClientId;

/// One thing that an application may do. Those of OpenID Connect belong to Graph.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    pub resource: ClientId,
    pub value: String,
}

/// What an application was given for one person.
pub type Held = BTreeSet<Permission>;

/// Whether a request needs a consent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    Given,
    /// The person has to agree to these.
    Ask(Vec<Permission>),
    /// Only an administrator can grant these.
    NeedsAdmin(Vec<Permission>),
}

/// A permission that a scope asks for.
struct Wanted {
    permission: Permission,
    /// Only an administrator can grant it.
    admin: bool,
    /// It was named; `.default` asks for whatever there is.
    named: bool,
}

/// Judges a scope; `insists` is `prompt=consent`, which asks again.
pub fn judge<P>(
    app: &Application<P>,
    scope: &Scope,
    applications: &[Application<P>],
    (held, insists): (&Held, bool),
) -> Standing {
    let policy = app.settings.consent;
    let wanted = wanted(scope, applications);
    let needed = |one: &&Wanted| policy != ConsentPolicy::Implicit && !held.contains(&one.permission);
    let of = |all: Vec<&Wanted>| all.into_iter().map(|one| one.permission.clone()).collect::<Vec<_>>();
    let missing: Vec<&Wanted> = wanted.iter().filter(needed).collect();
    let (admins, theirs): (Vec<&Wanted>, Vec<&Wanted>) = missing
        .into_iter()
        .filter(|one| one.named || !one.admin)
        .partition(|one| one.admin || policy == ConsentPolicy::Admin);
    if !admins.is_empty() {
        return Standing::NeedsAdmin(of(admins));
    }
    if theirs.is_empty() && !insists {
        return Standing::Given;
    }
    // Who is asked anew sees all that the application gets, and not only what is new.
    let shown = wanted.iter().filter(|one| !needed(one) || !one.admin);
    Standing::Ask(if insists { of(shown.collect()) } else { of(theirs) })
}

/// What is left of a scope that was granted before; nothing when the consent behind it is gone.
pub fn remaining<P>(
    app: &Application<P>,
    scope: &Scope,
    applications: &[Application<P>],
    held: &Held,
) -> Option<Scope> {
    if app.settings.consent == ConsentPolicy::Implicit {
        return Some(scope.clone());
    }
    let wanted = wanted(scope, applications);
    let is_held = |one: &Wanted| held.contains(&one.permission);
    if !wanted.iter().all(|one| is_held(one) || !one.named) {
        return None;
    }
    let mut left = scope.clone();
    let Some(resource) = left.resource.as_mut().filter(|_| wanted.iter().any(|one| !one.named)) else {
        return Some(left);
    };
    let audience = resource.audience;
    let stays = |value: &str| held.contains(&Permission { resource: audience, value: value.to_owned() });
    resource.permissions.retain(|p| p.value.as_deref().is_none_or(stays));
    // `.default` alone is a request and no permission.
    resource.permissions.iter().any(|p| p.value.is_some()).then_some(left)
}

/// What an application holds by its configuration, for everybody.
pub fn granted_in_file<P>(app: &Application<P>, applications: &[Application<P>]) -> Held {
    let grants = app.settings.oauth2_permission_grants.iter();
    let found = grants.filter_map(|grant| Some((resource(&grant.resource, applications)?, &grant.scope)));
    found.flat_map(|(resource, scope)| permissions(resource, scope)).collect()
}

/// The permissions that a list of names means in a resource.
pub fn permissions(resource: ClientId, names: &str) -> impl Iterator<Item = Permission> {
    names.split_whitespace().map(move |value| Permission { resource, value: value.to_owned() })
}

/// The resource that a name means: `appId` or identifier URI of an application, or Graph.
pub fn resource<P>(name: &str, applications: &[Application<P>]) -> Option<ClientId> {
    if name == super::scope::GRAPH_URI || ClientId::parse(name) == Some(GRAPH) {
        return Some(GRAPH);
    }
    applications.iter().find(|app| super::roles::is_called(app, name)).map(|app| app.app_id)
}

fn wanted<P>(scope: &Scope, applications: &[Application<P>]) -> Vec<Wanted> {
    let protocol = scope.protocol().map(|word| Wanted {
        permission: Permission { resource: GRAPH, value: word.to_owned() },
        admin: false,
        named: true,
    });
    let mut wanted: Vec<Wanted> = protocol.collect();
    let Some(resource) = &scope.resource else { return wanted };
    let named = resource.permissions.iter().all(|p| p.value.is_some());
    let api = applications.iter().find(|app| app.app_id == resource.audience).map(|app| &app.api);
    for value in resource.permissions.iter().filter_map(|p| p.value.as_deref()) {
        let offered = api.and_then(|api| api.oauth2_permission_scopes.iter().find(|s| s.value == value));
        let permission = Permission { resource: resource.audience, value: value.to_owned() };
        if wanted.iter().all(|known| known.permission != permission) {
            let admin = offered.is_some_and(|scope| scope.consent_type == ScopeType::Admin);
            wanted.push(Wanted { permission, admin, named });
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::application::PasswordCredential;
    use crate::directory::consent::PermissionGrant;
    use crate::oauth::testing::application;

    /// The app, and the API whose `orders.write` only administrators grant.
    fn apps(
        policy: ConsentPolicy,
    ) -> (Application<PasswordCredential>, [Application<PasswordCredential>; 1]) {
        let mut api = application();
        api.api.oauth2_permission_scopes[1].consent_type = ScopeType::Admin;
        let mut app = application();
        app.app_id = ClientId::from_random([8; 16]);
        app.settings.consent = policy;
        (app, [api])
    }

    fn held(values: &[&str]) -> Held {
        let api = application().app_id;
        let of = |value: &&str| {
            let resource = if value.contains('.') { api } else { GRAPH };
            Permission { resource, value: (*value).to_owned() }
        };
        values.iter().map(of).collect()
    }

    fn values(all: &[Permission]) -> Vec<&str> {
        all.iter().map(|p| p.value.as_str()).collect()
    }

    fn judged(policy: ConsentPolicy, scope: &str, has: &[&str], insists: bool) -> String {
        let (app, all) = apps(policy);
        let scope = Scope::parse(scope, &all).unwrap();
        match judge(&app, &scope, &all, (&held(has), insists)) {
            Standing::Given => "given".to_owned(),
            Standing::Ask(asked) => format!("ask {}", values(&asked).join(" ")),
            Standing::NeedsAdmin(asked) => format!("admin {}", values(&asked).join(" ")),
        }
    }

    #[test]
    fn only_what_is_new_is_asked_for() {
        let on = |scope, has: &[&str]| judged(ConsentPolicy::Required, scope, has, false);
        assert_eq!(on("openid", &[]), "ask openid");
        assert_eq!(on("openid email", &["openid"]), "ask email");
        assert_eq!(on("openid", &["openid", "email"]), "given");
        assert_eq!(on("openid api://orders/orders.read", &["openid"]), "ask orders.read");
        // The name of a permission of one resource is not one of another.
        assert_eq!(on("openid api://orders/orders.read", &["openid", "read"]), "ask orders.read");
    }

    #[test]
    fn what_an_administrator_grants_nobody_else_does() {
        let on = |scope, has: &[&str]| judged(ConsentPolicy::Required, scope, has, false);
        assert_eq!(on("openid api://orders/orders.write", &[]), "admin orders.write");
        assert_eq!(on("openid api://orders/orders.write", &["orders.write"]), "ask openid");
        assert_eq!(judged(ConsentPolicy::Admin, "openid", &[], false), "admin openid");
        assert_eq!(judged(ConsentPolicy::Admin, "openid", &["openid"], false), "given");
        assert_eq!(judged(ConsentPolicy::Admin, "openid", &[], true), "admin openid");
    }

    #[test]
    fn the_organisations_own_apps_ask_only_when_they_want_to() {
        assert_eq!(judged(ConsentPolicy::Implicit, "openid api://orders/orders.write", &[], false), "given");
        assert_eq!(judged(ConsentPolicy::Implicit, "openid", &[], true), "ask openid");
        assert_eq!(judged(ConsentPolicy::Required, "openid email", &["openid"], true), "ask openid email");
    }

    #[test]
    fn default_asks_for_what_people_can_give() {
        let on = |has: &[&str]| judged(ConsentPolicy::Required, "api://orders/.default", has, false);
        assert_eq!(on(&[]), "ask orders.read");
        assert_eq!(on(&["orders.read"]), "given");
    }

    #[test]
    fn what_was_granted_ends_with_its_consent() {
        // S34
        let left = |policy, scope: &str, has: &[&str]| {
            let (app, all) = apps(policy);
            let scope = Scope::parse(scope, &all).unwrap();
            remaining(&app, &scope, &all, &held(has)).map(|scope| scope.scp())
        };
        let required = ConsentPolicy::Required;
        assert_eq!(left(required, "openid", &[]), None);
        assert_eq!(left(required, "openid", &["openid"]).as_deref(), Some("openid"));
        assert_eq!(left(ConsentPolicy::Implicit, "openid", &[]).as_deref(), Some("openid"));
        let default = "api://orders/.default";
        assert_eq!(left(required, default, &["orders.read"]).as_deref(), Some("orders.read"));
        let both = ["orders.read", "orders.write"];
        assert_eq!(left(required, default, &both).as_deref(), Some("orders.read orders.write"));
        assert_eq!(left(required, default, &[]), None);
    }

    #[test]
    fn a_file_grants_for_everybody() {
        let (mut app, all) = apps(ConsentPolicy::Admin);
        let grant = |resource: &str, scope: &str| PermissionGrant {
            resource: resource.to_owned(),
            scope: scope.to_owned(),
        };
        app.settings.oauth2_permission_grants = vec![
            grant("api://orders", "orders.read  orders.write"),
            grant("https://graph.microsoft.com", "openid"),
            grant("api://nobody", "x.y"),
        ];
        assert_eq!(granted_in_file(&app, &all), held(&["orders.read", "orders.write", "openid"]));
    }
}
