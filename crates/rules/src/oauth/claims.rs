//! What tokens and userinfo say (sign-up.md 5.4, native-auth-and-msal.md 4.3). Whatever has to be hashed,
//! drawn or looked up (`sub`, `uti`, names) comes in as a value.

use serde_json::{Map, Value, json};

use super::scope::Scope;
use crate::directory::address::Address;
use crate::directory::application::{Application, TokenClaim};
use crate::directory::user::{ObjectIdentity, User, UserType};
use crate::ids::{ClientId, GrantId, ObjectId, SessionId, TenantId, UserId};
use crate::time::{Span, Timestamp};

/// One issuance of tokens to one application.
#[derive(Clone, Copy, Debug)]
pub struct Issuance<'a> {
    pub issuer: &'a str,
    pub tenant: TenantId,
    pub client: ClientId,
    pub scope: &'a Scope,
    pub now: Timestamp,
    /// A name for the token, like `jti`.
    pub uti: &'a str,
    /// `azpacr`: the client proved itself with a secret.
    pub with_secret: bool,
}

/// Whom the tokens are about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub user: &'a User,
    /// Pairwise: another one for each application (T-30).
    pub sub: &'a str,
    pub sid: SessionId,
    /// The grant that the tokens come from.
    pub grant: GrantId,
    /// The identity provider's issuer, when it is another one than the token's.
    pub idp: Option<&'a str>,
}

/// What only an ID token says.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignIn<'a> {
    /// Comes back exactly when it was sent (native-auth-and-msal.md 0.7).
    pub nonce: Option<&'a str>,
    /// When the request had a `max_age`.
    pub auth_time: Option<Timestamp>,
    /// What comes back as `login_hint` or `logout_hint`; opaque.
    pub login_hint: Option<&'a str>,
    /// Attributes that the application's configuration maps.
    pub mapped: &'a [TokenClaim],
}

/// The claims of an ID token. It has no `at_hash`: it never travels with an access token over the front
/// channel.
pub fn id_token(issuance: &Issuance<'_>, subject: &Subject<'_>, sign_in: &SignIn<'_>, life: Span) -> Value {
    let mut claims = mapped(subject.user, sign_in.mapped);
    let user = subject.user;
    frame(&mut claims, issuance, issuance.client, life);
    put(&mut claims, "sub", subject.sub);
    put(&mut claims, "sid", subject.sid.to_string());
    if issuance.scope.profile {
        put(&mut claims, "oid", user.id.to_string());
        put(&mut claims, "tid", issuance.tenant.to_string());
        put(&mut claims, "preferred_username", sign_in_name(user));
        put_some(&mut claims, "name", user.display_name.as_deref());
        put_some(&mut claims, "login_hint", sign_in.login_hint);
    }
    // Guests by default, others when they ask for it (sign-up.md 5.4).
    if issuance.scope.email || user.user_type == UserType::Guest {
        put_email(&mut claims, user);
    }
    put_some(&mut claims, "idp", subject.idp);
    put_some(&mut claims, "nonce", sign_in.nonce);
    if let Some(at) = sign_in.auth_time {
        put(&mut claims, "auth_time", at.seconds());
    }
    Value::Object(claims)
}

/// The claims of an access token for a person; `mapped` are the claims that the resource asks for.
pub fn access_token(
    issuance: &Issuance<'_>,
    subject: &Subject<'_>,
    mapped_claims: &[TokenClaim],
    life: Span,
) -> Value {
    let mut claims = mapped(subject.user, mapped_claims);
    let user = subject.user;
    frame(&mut claims, issuance, issuance.scope.audience(), life);
    authorized_party(&mut claims, issuance);
    put(&mut claims, "sub", subject.sub);
    put(&mut claims, "oid", user.id.to_string());
    put(&mut claims, "tid", issuance.tenant.to_string());
    put(&mut claims, "sid", subject.sid.to_string());
    put(&mut claims, "preferred_username", sign_in_name(user));
    put_some(&mut claims, "name", user.display_name.as_deref());
    let scp = issuance.scope.scp();
    put_some(&mut claims, "scp", Some(scp.as_str()).filter(|scp| !scp.is_empty()));
    put_some(&mut claims, "idp", subject.idp);
    // Opaque to resources; userinfo finds out by it that a grant was revoked.
    put(&mut claims, "rh", subject.grant.to_string());
    Value::Object(claims)
}

/// The claims of an access token for an application itself: no `scp`, and the service principal as subject,
/// whose id is drawn like a user's and can be no user's `sub` (security.md S69).
pub fn app_only(issuance: &Issuance<'_>, principal: ObjectId, audience: ClientId, life: Span) -> Value {
    let mut claims = Map::new();
    frame(&mut claims, issuance, audience, life);
    authorized_party(&mut claims, issuance);
    put(&mut claims, "sub", principal.to_string());
    put(&mut claims, "oid", principal.to_string());
    put(&mut claims, "tid", issuance.tenant.to_string());
    put(&mut claims, "idtyp", "app");
    Value::Object(claims)
}

/// An access token's claims with the key that it is bound to (RFC 9449 §6.1).
#[must_use]
pub fn bound(mut claims: Value, thumbprint: Option<&str>) -> Value {
    if let (Value::Object(members), Some(thumbprint)) = (&mut claims, thumbprint) {
        members.insert("cnf".to_owned(), json!({"jkt": thumbprint}));
    }
    claims
}

/// The userinfo answer (OpenID Connect Core 5.3.2, native-auth-and-msal.md 4.4).
pub fn userinfo(user: &User, sub: &str, scp: &str) -> Value {
    let mut claims = Map::new();
    let has = |word: &str| scp.split(' ').any(|granted| granted == word);
    put(&mut claims, "sub", sub);
    if has("profile") {
        put(&mut claims, "preferred_username", sign_in_name(user));
        put_some(&mut claims, "name", user.display_name.as_deref());
        put_some(&mut claims, "given_name", text(user, "givenName"));
        put_some(&mut claims, "family_name", text(user, "surname"));
    }
    if has("email") {
        put_email(&mut claims, user);
    }
    Value::Object(claims)
}

/// The `client_info` document, before its encoding (native-auth-and-msal.md 2.6). It is stable for ever:
/// caches are keyed by it.
pub fn client_info(user: UserId, tenant: TenantId) -> Value {
    json!({"uid": user.to_string(), "utid": tenant.to_string()})
}

/// The name that a person signs in with: an address, or the user principal name.
pub fn sign_in_name(user: &User) -> &str {
    own_addresses(user).next().or(user.mail.as_deref()).unwrap_or(&user.user_principal_name)
}

fn own_addresses(user: &User) -> impl Iterator<Item = &str> {
    user.identities
        .iter()
        .filter(|identity| {
            identity.sign_in_type == ObjectIdentity::EMAIL_ADDRESS
                || identity.issuer == ObjectIdentity::MAIL_ISSUER
        })
        .map(|identity| identity.issuer_assigned_id.as_str())
}

/// The address, and that it was proven when it is one the person signs in with. Of any other address the
/// directory does not know who put it there, so it says nothing (nOAuth, security.md U15 to U17).
fn put_email(claims: &mut Map<String, Value>, user: &User) {
    let Some(email) = user.mail.as_deref().or_else(|| own_addresses(user).next()) else { return };
    put(claims, "email", email);
    let key = |text: &str| Address::parse(text).ok().map(|address| address.key());
    if key(email).is_some() && own_addresses(user).any(|own| key(own) == key(email)) {
        put(claims, "email_verified", true);
    }
}

/// What every token has.
fn frame(claims: &mut Map<String, Value>, issuance: &Issuance<'_>, audience: ClientId, life: Span) {
    let now = issuance.now.seconds();
    put(claims, "ver", "2.0");
    put(claims, "iss", issuance.issuer);
    put(claims, "aud", audience.to_string());
    put(claims, "iat", now);
    put(claims, "nbf", now);
    put(claims, "exp", (issuance.now + life).seconds());
    put(claims, "uti", issuance.uti);
}

fn authorized_party(claims: &mut Map<String, Value>, issuance: &Issuance<'_>) {
    put(claims, "azp", issuance.client.to_string());
    put(claims, "azpacr", if issuance.with_secret { "1" } else { "0" });
}

/// Attributes under the names that the application gave them. They come first, so that a claim of the
/// protocol always wins; the configuration refuses such names anyway.
fn mapped(user: &User, claims: &[TokenClaim]) -> Map<String, Value> {
    let value =
        |claim: &TokenClaim| attribute(user, claim.attribute.as_str()).map(|v| (claim.name.clone(), v));
    claims.iter().filter_map(value).collect()
}

/// The value of an attribute, wherever the directory keeps it.
pub fn attribute(user: &User, id: &str) -> Option<Value> {
    let own = |text: Option<&str>| text.map(Value::from);
    match id {
        "displayName" => own(user.display_name.as_deref()),
        "email" | "mail" => own(user.mail.as_deref()),
        "userPrincipalName" => own(Some(&user.user_principal_name)),
        _ => user.attributes.get(id).filter(|value| !value.is_null()).cloned(),
    }
}

fn text<'a>(user: &'a User, id: &str) -> Option<&'a str> {
    user.attributes.get(id).and_then(Value::as_str)
}

fn put(claims: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    claims.insert(name.to_owned(), value.into());
}

fn put_some(claims: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        put(claims, name, value);
    }
}

/// The application whose API an access token is for, when it is one of the tenant.
pub fn resource<P>(applications: &[Application<P>], audience: ClientId) -> Option<&Application<P>> {
    applications.iter().find(|app| app.app_id == audience)
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
