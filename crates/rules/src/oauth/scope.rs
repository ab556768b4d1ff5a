//! What is asked for: the scopes of OpenID Connect, and the permissions of at most one resource.
//!
//! A resource is named by an identifier URI of an application of the tenant or by its client id. The scopes
//! of Microsoft Graph that MSAL samples ask for are understood too, so that an app that moves here keeps its
//! settings; without a resource, access tokens are for Graph's id, which userinfo accepts.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::{self, OAuthError};
use crate::directory::application::Application;
use crate::ids::ClientId;

/// Microsoft Graph, the audience of access tokens that name no resource.
pub const GRAPH: ClientId = ClientId::from_uuid(Uuid::from_u128(0x0000_0003_0000_0000_c000_0000_0000_0000));

const GRAPH_URI: &str = "https://graph.microsoft.com";
/// The one permission of Graph that customers' apps may have (sign-up.md 5.2).
const USER_READ: &str = "User.Read";
/// Everything that the resource offers.
const DEFAULT: &str = ".default";
/// More names than this are not a request that an app makes.
const MOST: usize = 64;

/// The granted scope.
#[expect(clippy::struct_excessive_bools, reason = "a set of words that a request may combine")]
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    pub openid: bool,
    pub profile: bool,
    pub email: bool,
    #[serde(default)]
    pub address: bool,
    #[serde(default)]
    pub phone: bool,
    pub offline_access: bool,
    pub resource: Option<Resource>,
}

/// The permissions of one resource.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// The audience of access tokens.
    pub audience: ClientId,
    pub permissions: Vec<Permission>,
}

/// One permission.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// As the app wrote it: MSAL looks for this very text in the answer (native-auth-and-msal.md R17).
    pub written: String,
    /// As it stands in `scp`; absent for `.default`, which is a request and not a permission.
    pub value: Option<String>,
}

impl Scope {
    /// Reads a scope; `applications` are those of the tenant.
    pub fn parse<P>(text: &str, applications: &[Application<P>]) -> Result<Self, OAuthError> {
        let mut scope = Self::default();
        for (index, word) in text.split(' ').filter(|word| !word.is_empty()).enumerate() {
            if index >= MOST {
                return Err(error::SCOPE);
            }
            match word {
                "openid" => scope.openid = true,
                "profile" => scope.profile = true,
                "email" => scope.email = true,
                "address" => scope.address = true,
                "phone" => scope.phone = true,
                "offline_access" => scope.offline_access = true,
                other => {
                    let (audience, permissions) = resolve(other, applications)?;
                    scope.add(audience, permissions)?;
                }
            }
        }
        Ok(scope)
    }

    /// Reads a scope that was granted before. What has gone from the configuration meanwhile falls out.
    pub fn restore<P>(text: &str, applications: &[Application<P>]) -> Self {
        let known = |word: &&str| Self::parse(word, applications).is_ok();
        let words: Vec<&str> = text.split(' ').filter(known).collect();
        Self::parse(&words.join(" "), applications).unwrap_or_default()
    }

    fn add(&mut self, audience: ClientId, permissions: Vec<Permission>) -> Result<(), OAuthError> {
        let resource = self.resource.get_or_insert_with(|| Resource { audience, permissions: Vec::new() });
        if resource.audience != audience {
            return Err(error::TWO_RESOURCES);
        }
        for permission in permissions {
            if !resource.permissions.contains(&permission) {
                resource.permissions.push(permission);
            }
        }
        Ok(())
    }

    /// The scope as token responses report it and as it is stored; [`Self::parse`] reads it again.
    pub fn text(&self) -> String {
        let mut words: Vec<&str> = self.protocol().collect();
        words.extend(self.resource.iter().flat_map(|r| &r.permissions).map(|p| p.written.as_str()));
        words.join(" ")
    }

    /// The audience of access tokens.
    pub fn audience(&self) -> ClientId {
        self.resource.as_ref().map_or(GRAPH, |resource| resource.audience)
    }

    /// `scp` of access tokens: the permissions, and for Graph those of OpenID Connect, as in Entra.
    pub fn scp(&self) -> String {
        let mut words: Vec<&str> = Vec::new();
        for value in self.resource.iter().flat_map(|r| &r.permissions).filter_map(|p| p.value.as_deref()) {
            if !words.contains(&value) {
                words.push(value);
            }
        }
        if self.audience() == GRAPH {
            words.extend(self.protocol().filter(|word| *word != "offline_access"));
        }
        words.join(" ")
    }

    /// The part of the grant that a refresh asks for; more than was granted is an error (security.md S66).
    /// The scopes of OpenID Connect stay as they were granted: SDKs name or leave them out as they like.
    pub fn narrowed(&self, asked: &Self) -> Result<Self, OAuthError> {
        let more = [
            (asked.openid, self.openid),
            (asked.profile, self.profile),
            (asked.email, self.email),
            (asked.address, self.address),
            (asked.phone, self.phone),
        ];
        if more.into_iter().any(|(asked, granted)| asked && !granted) {
            return Err(error::SCOPE_NOT_GRANTED);
        }
        let mut narrowed = self.clone();
        if let Some(wanted) = &asked.resource {
            let granted = self.resource.as_ref().filter(|r| r.audience == wanted.audience);
            let known =
                |p: &Permission| granted.is_some_and(|r| r.permissions.iter().any(|g| g.value == p.value));
            if !wanted.permissions.iter().all(known) {
                return Err(error::SCOPE_NOT_GRANTED);
            }
            narrowed.resource = Some(wanted.clone());
        }
        Ok(narrowed)
    }

    fn protocol(&self) -> impl Iterator<Item = &str> {
        [
            (self.openid, "openid"),
            (self.profile, "profile"),
            (self.email, "email"),
            (self.address, "address"),
            (self.phone, "phone"),
            (self.offline_access, "offline_access"),
        ]
        .into_iter()
        .filter_map(|(granted, word)| granted.then_some(word))
    }
}

/// The resource of client credentials, which ask for everything at once (native-auth-and-msal.md 2.5).
pub fn app_only<P>(text: &str, applications: &[Application<P>]) -> Result<ClientId, OAuthError> {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    match (words.next().and_then(|word| word.strip_suffix("/.default")), words.next()) {
        (Some(GRAPH_URI), None) => Ok(GRAPH),
        (Some(resource), None) => find(resource, applications).map(|app| app.app_id).ok_or(error::SCOPE),
        (None, _) | (_, Some(_)) => Err(error::SCOPE),
    }
}

fn resolve<P>(
    word: &str,
    applications: &[Application<P>],
) -> Result<(ClientId, Vec<Permission>), OAuthError> {
    let Some((resource, name)) = word.rsplit_once('/') else {
        return if word.eq_ignore_ascii_case(USER_READ) {
            Ok((GRAPH, vec![permission(word, USER_READ)]))
        } else {
            Err(error::SCOPE)
        };
    };
    if resource == GRAPH_URI {
        return match name {
            DEFAULT => Ok((GRAPH, vec![all(word), permission(USER_READ, USER_READ)])),
            name if name.eq_ignore_ascii_case(USER_READ) => Ok((GRAPH, vec![permission(word, USER_READ)])),
            _ => Err(error::SCOPE),
        };
    }
    let application = find(resource, applications).ok_or(error::SCOPE)?;
    let mut offered = application.api.oauth2_permission_scopes.iter().filter(|scope| scope.is_enabled);
    let permissions = if name == DEFAULT {
        let each = offered.map(|scope| permission(&format!("{resource}/{}", scope.value), &scope.value));
        std::iter::once(all(word)).chain(each).collect()
    } else {
        let scope = offered.find(|scope| scope.value == name).ok_or(error::SCOPE)?;
        vec![permission(word, &scope.value)]
    };
    Ok((application.app_id, permissions))
}

fn find<'a, P>(resource: &str, applications: &'a [Application<P>]) -> Option<&'a Application<P>> {
    let id = ClientId::parse(resource);
    applications
        .iter()
        .filter(|app| app.service_principal.account_enabled)
        .find(|app| Some(app.app_id) == id || app.identifier_uris.iter().any(|uri| uri == resource))
}

fn permission(written: &str, value: &str) -> Permission {
    Permission { written: written.to_owned(), value: Some(value.to_owned()) }
}

fn all(written: &str) -> Permission {
    Permission { written: written.to_owned(), value: None }
}

#[cfg(test)]
#[path = "scope_tests.rs"]
mod tests;
