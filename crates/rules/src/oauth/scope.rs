//! What is asked for: the scopes of OpenID Connect, and the permissions of at most one resource.
//!
//! A resource is named by an identifier URI of an application of the tenant or by its client id. The scopes
//! of Microsoft Graph that MSAL samples ask for are understood too, so that an app that moves here keeps its
//! settings; without a resource, access tokens are for Graph's id, which userinfo accepts.
//!
//! A request may also name its resource beside the scope (RFC 8707): the *target*. Bare names of the scope are then
//! permissions of that resource.

use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::error::{self, OAuthError};
use super::params::Params;
use super::roles::is_called;
use crate::directory::application::Application;
use crate::ids::ClientId;

/// Microsoft Graph, the audience of access tokens that name no resource.
pub const GRAPH: ClientId = ClientId::from_uuid(Uuid::from_u128(0x0000_0003_0000_0000_c000_0000_0000_0000));

pub(super) const GRAPH_URI: &str = "https://graph.microsoft.com";
/// The one permission of Graph that customers' apps may have (sign-up.md 5.2).
const USER_READ: &str = "User.Read";
/// Everything that the resource offers.
const DEFAULT: &str = ".default";
/// Marks the target in a stored scope. No name of a scope begins so.
const TARGET: &str = "resource=";
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
    /// The identifier URI that the request named beside the scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
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
        Self::parse_for(text, None, applications)
    }

    /// Reads a scope beside which a resource is named.
    pub fn parse_for<P>(
        text: &str,
        target: Option<&str>,
        applications: &[Application<P>],
    ) -> Result<Self, OAuthError> {
        let mut scope = Self { target: target.map(str::to_owned), ..Self::default() };
        if let Some(uri) = target {
            scope.add(audience_of(uri, applications)?, Vec::new())?;
        }
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
                    let (audience, permissions) = resolve(other, target, applications)?;
                    scope.add(audience, permissions)?;
                }
            }
        }
        Ok(scope)
    }

    /// Reads what [`Self::stored`] wrote. What has gone from the configuration meanwhile falls out.
    pub fn restore<P>(text: &str, applications: &[Application<P>]) -> Self {
        let (target, text) = match text.strip_prefix(TARGET) {
            Some(rest) => rest.split_once(' ').map_or((Some(rest), ""), |(uri, text)| (Some(uri), text)),
            None => (None, text),
        };
        let target = target.filter(|uri| audience_of(uri, applications).is_ok());
        let known = |word: &&str| Self::parse_for(word, target, applications).is_ok();
        let words: Vec<&str> = text.split(' ').filter(known).collect();
        Self::parse_for(&words.join(" "), target, applications).unwrap_or_default()
    }

    /// The same for whoever wants a token. When nothing is left of the resource that the scope named, a token would be
    /// for another audience than the application meant, so it is told that the scope is no good any more.
    pub fn regain<P>(text: &str, applications: &[Application<P>]) -> Result<Self, OAuthError> {
        let is_protocol =
            |word: &str| Self::parse::<P>(word, &[]).is_ok_and(|scope| scope.resource.is_none());
        let scope = Self::restore(text, applications);
        if scope.resource.is_none() && !text.split(' ').all(is_protocol) {
            return Err(error::SCOPE);
        }
        Ok(scope)
    }

    fn add(&mut self, audience: ClientId, permissions: Vec<Permission>) -> Result<(), OAuthError> {
        let resource = self.resource.get_or_insert_with(|| Resource { audience, permissions: Vec::new() });
        if resource.audience != audience {
            return Err(if self.target.is_some() { error::TARGETS } else { error::TWO_RESOURCES });
        }
        for permission in permissions {
            if !resource.permissions.contains(&permission) {
                resource.permissions.push(permission);
            }
        }
        Ok(())
    }

    /// The scope with its target, as it is stored.
    pub fn stored(&self) -> String {
        match &self.target {
            Some(uri) => format!("{TARGET}{uri} {}", self.text()),
            None => self.text(),
        }
    }

    /// The scope as token responses report it.
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

    /// What a token request asks for of the grant (RFC 6749 §6, RFC 8707 §2.2). Most clients ask again for what they
    /// were granted, some ask for nothing (native-auth-and-msal.md 2.5).
    pub fn asked<P>(&self, params: &Params, applications: &[Application<P>]) -> Result<Self, OAuthError> {
        let target = target(params)?;
        if let Some(uri) = target
            && audience_of(uri, applications)? != self.audience()
        {
            return Err(error::TARGET_NOT_GRANTED);
        }
        match params.get("scope")? {
            Some(text) => {
                self.narrowed(&Self::parse_for(text, target.or(self.target.as_deref()), applications)?)
            }
            None => Ok(self.clone()),
        }
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
        if let Some(wanted) = asked.resource.as_ref().filter(|wanted| !wanted.permissions.is_empty()) {
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

    /// Whether everything in it is one of `given`, letter by letter. Without any permission, a resource is one of them
    /// when some permission of it is.
    pub fn is_within(&self, given: &[String]) -> bool {
        let has = |word: &str| given.iter().any(|own| own == word);
        let of_target = |name: &str| self.target.as_ref().is_some_and(|uri| has(&format!("{uri}/{name}")));
        let resource = self.resource.as_ref().is_none_or(|resource| {
            let mut permissions = resource.permissions.iter();
            let named = self.target.as_ref().is_none_or(|uri| {
                let prefix = format!("{uri}/");
                given.iter().any(|own| own.starts_with(&prefix))
            });
            named && permissions.all(|p| has(&p.written) || of_target(&p.written))
        });
        resource && self.protocol().all(has)
    }

    pub(super) fn protocol(&self) -> impl Iterator<Item = &str> {
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

/// The resource that a request names beside its scope: one absolute URI without a fragment (RFC 8707 §2). Requests of
/// the time before it, with a client id or a word in this place, are told what they were always told.
pub fn target(params: &Params) -> Result<Option<&str>, OAuthError> {
    let mut values = params.values("resource");
    let Some(uri) = values.next() else { return Ok(None) };
    let is_absolute = Url::parse(uri).is_ok() && uri.chars().all(|c| c.is_ascii_graphic() && c != '#');
    match (is_absolute, values.next()) {
        (false, _) => Err(error::RESOURCE_PARAMETER),
        (true, Some(_)) => Err(error::TARGETS),
        (true, None) => Ok(Some(uri)),
    }
}

/// Resource and scope of client credentials, which ask for everything at once (native-auth-and-msal.md 2.5).
pub fn app_only<P>(
    params: &Params,
    applications: &[Application<P>],
) -> Result<(ClientId, String), OAuthError> {
    match (params.get("scope")?, target(params)?) {
        (None, None) => Err(error::MISSING_PARAMETER),
        (None | Some(DEFAULT), Some(uri)) => {
            Ok((audience_of(uri, applications)?, format!("{uri}/{DEFAULT}")))
        }
        (Some(text), target) => {
            let mut words = text.split(' ').filter(|word| !word.is_empty());
            let (Some(word), None) = (words.next(), words.next()) else { return Err(error::SCOPE) };
            let resource = word.strip_suffix("/.default").ok_or(error::SCOPE)?;
            let audience = match resource {
                GRAPH_URI => GRAPH,
                _ => find(resource, applications).ok_or(error::SCOPE)?.app_id,
            };
            match target.map(|uri| audience_of(uri, applications)).transpose()? {
                Some(other) if other != audience => Err(error::TARGETS),
                Some(_) | None => Ok((audience, text.to_owned())),
            }
        }
    }
}

/// The resource of an identifier URI.
fn audience_of<P>(uri: &str, applications: &[Application<P>]) -> Result<ClientId, OAuthError> {
    match uri {
        GRAPH_URI => Ok(GRAPH),
        _ => find(uri, applications).map(|application| application.app_id).ok_or(error::TARGET),
    }
}

fn resolve<P>(
    word: &str,
    target: Option<&str>,
    applications: &[Application<P>],
) -> Result<(ClientId, Vec<Permission>), OAuthError> {
    let (resource, name) = match (word.rsplit_once('/'), target) {
        (Some(parts), _) => parts,
        (None, Some(target)) => (target, word),
        (None, None) if word.eq_ignore_ascii_case(USER_READ) => (GRAPH_URI, word),
        (None, None) => return Err(error::SCOPE),
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
    applications.iter().find(|app| app.service_principal.account_enabled && is_called(app, resource))
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
