//! What tokens and userinfo say (sign-up.md 5.4, native-auth-and-msal.md 4.3). Whatever has to be hashed,
//! drawn or looked up (`sub`, `uti`, names) comes in as a value.

use serde_json::{Map, Value, json};
use url::Url;

use super::added_claims::{Added, mapped};
use super::claims_request::PERSONAL;
use super::client_auth::Strength;
use super::scope::Scope;
use crate::directory::address::Address;
use crate::directory::application::{Application, ClaimTarget, TokenClaim};
use crate::directory::attribute::bare_name;
use crate::directory::client::SubjectType;
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
    /// `azpacr`: what the client proved itself with.
    pub strength: Strength,
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
    pub auth_time: Option<Timestamp>,
    /// How the person proved who they are (RFC 8176).
    pub amr: &'a [String],
    /// Claims that the request named one by one.
    pub named: &'a [String],
    /// The half hash of the access token that travels beside it (OpenID Connect Core 3.2.2.9).
    pub at_hash: Option<&'a str>,
    /// The half hash of the code that travels beside it (3.3.2.11).
    pub c_hash: Option<&'a str>,
    /// No access token was asked for, so what userinfo would say stands here (5.4).
    pub replaces_userinfo: bool,
    /// What comes back as `login_hint` or `logout_hint`; opaque.
    pub login_hint: Option<&'a str>,
}

/// The claims of an ID token.
pub fn id_token(
    issuance: &Issuance<'_>,
    subject: &Subject<'_>,
    sign_in: &SignIn<'_>,
    added: &Added<'_>,
    life: Span,
) -> Value {
    let mut claims = mapped(subject.user, added.mapped, ClaimTarget::IdToken);
    let user = subject.user;
    let scope = issuance.scope.text();
    let granted: Vec<&str> = if sign_in.replaces_userinfo { scope.split(' ').collect() } else { Vec::new() };
    claims.extend(personal(user, &granted, sign_in.named));
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
    put_some(&mut claims, "at_hash", sign_in.at_hash);
    put_some(&mut claims, "c_hash", sign_in.c_hash);
    if let Some(at) = sign_in.auth_time {
        put(&mut claims, "auth_time", at.seconds());
    }
    if !sign_in.amr.is_empty() {
        put(&mut claims, "amr", sign_in.amr.to_vec());
        put(&mut claims, "acr", acr(sign_in.amr));
    }
    added.put(&mut claims, user);
    Value::Object(claims)
}

/// The claims of an access token for a person, with what the resource asks for.
pub fn access_token(issuance: &Issuance<'_>, subject: &Subject<'_>, added: &Added<'_>, life: Span) -> Value {
    let mut claims = mapped(subject.user, added.mapped, ClaimTarget::AccessToken);
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
    added.put(&mut claims, user);
    Value::Object(claims)
}

/// The claims of an access token for an application itself: no `scp`, and the service principal as subject,
/// whose id is drawn like a user's and can be no user's `sub` (security.md S69).
///
/// `roles` are those that it was assigned in the resource (security.md S66).
pub fn app_only(
    issuance: &Issuance<'_>,
    principal: ObjectId,
    (audience, roles): (ClientId, &[&str]),
    life: Span,
) -> Value {
    let mut claims = Map::new();
    frame(&mut claims, issuance, audience, life);
    authorized_party(&mut claims, issuance);
    put(&mut claims, "sub", principal.to_string());
    put(&mut claims, "oid", principal.to_string());
    put(&mut claims, "tid", issuance.tenant.to_string());
    put(&mut claims, "idtyp", "app");
    if !roles.is_empty() {
        put(&mut claims, "roles", roles);
    }
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

/// The userinfo answer (OpenID Connect Core 5.3.2, native-auth-and-msal.md 4.4): what the granted scopes bring, and
/// what the request named, over what the application maps.
pub fn userinfo(
    user: &User,
    sub: &str,
    (scp, named): (&str, &[String]),
    mapped_claims: &[TokenClaim],
) -> Value {
    let granted: Vec<&str> = scp.split(' ').collect();
    let mut claims = mapped(user, mapped_claims, ClaimTarget::Userinfo);
    claims.extend(personal(user, &granted, named));
    put(&mut claims, "sub", sub);
    Value::Object(claims)
}

/// The standard claims about a person that a scope brings or that were named.
fn personal(user: &User, granted: &[&str], named: &[String]) -> Map<String, Value> {
    let mut all = Map::new();
    put(&mut all, "preferred_username", sign_in_name(user));
    put_some(&mut all, "name", user.display_name.as_deref());
    put_some(&mut all, "given_name", text(user, "givenName"));
    put_some(&mut all, "family_name", text(user, "surname"));
    put_email(&mut all, user);
    put_address(&mut all, user);
    put_phone(&mut all, user);
    let wanted = |claim: &str| {
        let scope = PERSONAL.iter().find(|(name, _)| *name == claim).map_or("", |(_, scope)| *scope);
        granted.contains(&scope) || named.iter().any(|name| name == claim)
    };
    all.retain(|claim, _| wanted(claim));
    all
}

/// OpenID Connect Core 5.1.1.
fn put_address(claims: &mut Map<String, Value>, user: &User) {
    let mut address = Map::new();
    for (member, attribute) in [
        ("street_address", "streetAddress"),
        ("locality", "city"),
        ("region", "state"),
        ("postal_code", "postalCode"),
        ("country", "country"),
    ] {
        put_some(&mut address, member, text(user, attribute));
    }
    if !address.is_empty() {
        put(claims, "address", address);
    }
}

/// The directory has no attribute of its own for it; tenants ask under one of these names. Nobody proves numbers, so
/// none is said to be proven.
fn put_phone(claims: &mut Map<String, Value>, user: &User) {
    const NAMES: [&str; 4] = ["phone", "phonenumber", "mobilephone", "telephonenumber"];
    let is_phone = |id: &str| {
        let name = bare_name(id).unwrap_or(id).to_ascii_lowercase();
        NAMES.contains(&name.as_str())
    };
    let number = user.attributes.iter().find(|(id, value)| is_phone(id) && value.is_string());
    if let Some((_, number)) = number {
        claims.insert("phone_number".to_owned(), number.clone());
        put(claims, "phone_number_verified", false);
    }
}

/// Every value of `acr`, from the least on.
pub const ACR_VALUES: [&str; 2] = ["1", "2"];

/// What is known of how somebody signed in, in one word: `2` when a secret was shown that only they know, `1` when they
/// came by a code to their mailbox or by somebody else's account, of which nothing more is known (security.md S70).
pub fn acr(amr: &[String]) -> &'static str {
    let [another_way, by_password] = ACR_VALUES;
    if amr.iter().any(|method| method == "pwd") { by_password } else { another_way }
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
pub(super) fn put_email(claims: &mut Map<String, Value>, user: &User) {
    let Some(email) = user.mail.as_deref().or_else(|| own_addresses(user).next()) else { return };
    put(claims, "email", email);
    let key = |text: &str| Address::parse(text).ok().map(|address| address.key());
    if key(email).is_some() && own_addresses(user).any(|own| key(own) == key(email)) {
        put(claims, "email_verified", true);
    }
}

/// The group of applications that know people by the same names (OpenID Connect Core 8.1); nothing when they know them by
/// the one that all share. An application without a sector is one by itself.
pub fn sector<P>(application: &Application<P>) -> Option<String> {
    let settings = &application.settings;
    match settings.subject_type {
        SubjectType::Public => None,
        SubjectType::Pairwise => {
            let host = settings.sector_identifier_uri.as_deref().and_then(|uri| Url::parse(uri).ok());
            let host = host.as_ref().and_then(Url::host_str);
            // No client id begins like this.
            Some(host.map_or_else(|| application.app_id.to_string(), |host| format!("host:{host}")))
        }
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
    put(claims, "azpacr", issuance.strength.azpacr());
}

/// The value of an attribute, wherever the directory keeps it.
pub fn attribute(user: &User, id: &str) -> Option<Value> {
    let own = |text: Option<&str>| text.map(Value::from);
    match id {
        "displayName" => own(user.display_name.as_deref()),
        "email" | "mail" => own(user.mail.as_deref()),
        "userPrincipalName" => own(Some(&user.user_principal_name)),
        "id" => Some(user.id.to_string().into()),
        "userType" => Some(format!("{:?}", user.user_type).into()),
        "createdDateTime" => Some(user.created_at.rfc3339().into()),
        _ => user.attributes.get(id).filter(|value| !value.is_null()).cloned(),
    }
}

pub(super) fn text<'a>(user: &'a User, id: &str) -> Option<&'a str> {
    user.attributes.get(id).and_then(Value::as_str)
}

pub(super) fn put(claims: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    claims.insert(name.to_owned(), value.into());
}

pub(super) fn put_some(claims: &mut Map<String, Value>, name: &str, value: Option<&str>) {
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
