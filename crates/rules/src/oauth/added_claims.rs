//! What an application's configuration adds to tokens: attributes under names of its own, optional claims, groups and
//! roles.
//!
//! An attribute is what somebody typed about themselves. It never stands under a name that means something to whoever
//! reads tokens (security.md S60 to S71): the configuration refuses such names, and so does this, for a configuration
//! that was stored before a name came to mean something.

use serde_json::{Map, Value, json};

use super::claims::{attribute, put, put_email, put_some, sign_in_name, text};
use super::membership::GroupsClaim;
use crate::directory::application::{ClaimTarget, TokenClaim};
use crate::directory::attribute::bare_name;
use crate::directory::check::RESERVED_CLAIMS;
use crate::directory::tokens::OptionalClaim;
use crate::directory::user::{User, UserType};
use crate::ids::SessionId;
use crate::time::Timestamp;

/// A claim that is added when an application asks for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OptionalName {
    Email,
    FamilyName,
    GivenName,
    Upn,
    PreferredUsername,
    AuthTime,
    IpAddr,
    LoginHint,
    Sid,
    Acct,
    TenantCtry,
    Ctry,
    VerifiedPrimaryEmail,
}

impl OptionalName {
    /// Every claim that can be asked for.
    pub const ALL: [Self; 13] = [
        Self::Email,
        Self::FamilyName,
        Self::GivenName,
        Self::Upn,
        Self::PreferredUsername,
        Self::AuthTime,
        Self::IpAddr,
        Self::LoginHint,
        Self::Sid,
        Self::Acct,
        Self::TenantCtry,
        Self::Ctry,
        Self::VerifiedPrimaryEmail,
    ];

    /// The name in files and in tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::FamilyName => "family_name",
            Self::GivenName => "given_name",
            Self::Upn => "upn",
            Self::PreferredUsername => "preferred_username",
            Self::AuthTime => "auth_time",
            Self::IpAddr => "ipaddr",
            Self::LoginHint => "login_hint",
            Self::Sid => "sid",
            Self::Acct => "acct",
            Self::TenantCtry => "tenant_ctry",
            Self::Ctry => "ctry",
            Self::VerifiedPrimaryEmail => "verified_primary_email",
        }
    }

    /// Reads a name, letter by letter.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// How the value can be written otherwise.
    pub const fn properties(self) -> &'static [&'static str] {
        match self {
            Self::Upn => &[GUESTS_TOO, GUESTS_WITHOUT_HASH],
            Self::Email
            | Self::FamilyName
            | Self::GivenName
            | Self::PreferredUsername
            | Self::AuthTime
            | Self::IpAddr
            | Self::LoginHint
            | Self::Sid
            | Self::Acct
            | Self::TenantCtry
            | Self::Ctry
            | Self::VerifiedPrimaryEmail => &[],
        }
    }
}

/// Guests have a user principal name, too.
const GUESTS_TOO: &str = "include_externally_authenticated_upn";
/// The same with `_` where theirs has `#`, which some software takes for the end of a name.
const GUESTS_WITHOUT_HASH: &str = "include_externally_authenticated_upn_without_hash";

/// What is known of the sign-in, and of what surrounds it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circumstances<'a> {
    pub auth_time: Option<Timestamp>,
    pub sid: Option<SessionId>,
    pub login_hint: Option<&'a str>,
    /// The network address from which the person signed in.
    pub address: Option<&'a str>,
    /// The tenant's country, two letters.
    pub tenant_country: Option<&'a str>,
    /// Where to ask for groups that are too many to list; nothing for a token that travels in an address.
    pub groups_at: Option<&'a str>,
}

/// What is added to one token.
#[derive(Clone, Debug, Default)]
pub struct Added<'a> {
    pub mapped: &'a [TokenClaim],
    pub optional: &'a [OptionalClaim],
    pub circumstances: Circumstances<'a>,
    pub groups: GroupsClaim,
    pub roles: Vec<&'a str>,
}

impl Added<'_> {
    /// What the server itself says, over everything that was put before.
    pub(super) fn put(&self, claims: &mut Map<String, Value>, user: &User) {
        for asked in self.optional {
            match OptionalName::parse(&asked.name) {
                Some(name) => self.put_optional(claims, user, (name, asked)),
                None => put_extension(claims, user, &asked.name),
            }
        }
        if !self.roles.is_empty() {
            put(claims, "roles", self.roles.clone());
        }
        match (&self.groups, self.circumstances.groups_at) {
            (GroupsClaim::Absent, _) => {}
            (GroupsClaim::Listed(ids), _) => put(claims, "groups", json!(ids)),
            (GroupsClaim::TooMany, None) => put(claims, "hasgroups", true),
            (GroupsClaim::TooMany, Some(endpoint)) => {
                put(claims, "_claim_names", json!({"groups": "src1"}));
                put(claims, "_claim_sources", json!({"src1": {"endpoint": endpoint}}));
            }
        }
    }

    fn put_optional(
        &self,
        claims: &mut Map<String, Value>,
        user: &User,
        (name, asked): (OptionalName, &OptionalClaim),
    ) {
        let of = &self.circumstances;
        let key = name.as_str();
        match name {
            OptionalName::Email => put_email(claims, user),
            OptionalName::FamilyName => put_some(claims, key, text(user, "surname")),
            OptionalName::GivenName => put_some(claims, key, text(user, "givenName")),
            OptionalName::Upn => {
                if let Some(upn) = upn(user, &asked.additional_properties) {
                    put(claims, key, upn);
                }
            }
            OptionalName::PreferredUsername => put(claims, key, sign_in_name(user)),
            OptionalName::AuthTime => {
                if let Some(at) = of.auth_time {
                    put(claims, key, at.seconds());
                }
            }
            OptionalName::IpAddr => put_some(claims, key, of.address),
            OptionalName::LoginHint => put_some(claims, key, of.login_hint),
            OptionalName::Sid => put_some(claims, key, of.sid.map(|sid| sid.to_string()).as_deref()),
            OptionalName::Acct => put(claims, key, i64::from(user.user_type == UserType::Guest)),
            OptionalName::TenantCtry => put_some(claims, key, of.tenant_country),
            OptionalName::Ctry => put_some(claims, key, text(user, "country").and_then(country).as_deref()),
            OptionalName::VerifiedPrimaryEmail => {
                // Only what the person proved by signing in with it: nobody else knows whose an address is.
                let mut own = Map::new();
                put_email(&mut own, user);
                if let (Some(email), Some(_)) = (own.get("email"), own.get("email_verified")) {
                    put(claims, key, json!([email]));
                }
            }
        }
    }
}

/// Attributes under the names that the application gave them, for one kind of token. They are put first, so that
/// everything else wins.
pub(super) fn mapped(user: &User, claims: &[TokenClaim], target: ClaimTarget) -> Map<String, Value> {
    let wanted = claims.iter().filter(|claim| claim.tokens.contains(&target) && !is_reserved(&claim.name));
    wanted
        .filter_map(|claim| Some((claim.name.clone(), attribute(user, claim.attribute.as_str())?)))
        .collect()
}

fn is_reserved(name: &str) -> bool {
    RESERVED_CLAIMS.contains(&name.to_lowercase().as_str())
}

/// Entra writes `extn.` before the name of a directory extension.
fn put_extension(claims: &mut Map<String, Value>, user: &User, id: &str) {
    if let (Some(name), Some(value)) = (bare_name(id), attribute(user, id)) {
        claims.insert(format!("extn.{name}"), value);
    }
}

fn upn(user: &User, properties: &[String]) -> Option<String> {
    let has = |property: &str| properties.iter().any(|known| known == property);
    match user.user_type {
        UserType::Member => Some(user.user_principal_name.clone()),
        UserType::Guest if has(GUESTS_WITHOUT_HASH) => Some(user.user_principal_name.replace('#', "_")),
        UserType::Guest if has(GUESTS_TOO) => Some(user.user_principal_name.clone()),
        UserType::Guest => None,
    }
}

/// A country is told when it is written as two letters.
fn country(text: &str) -> Option<String> {
    let upper = text.trim().to_ascii_uppercase();
    (upper.len() == 2 && rust_iso3166::from_alpha2(&upper).is_some()).then_some(upper)
}

#[cfg(test)]
#[path = "added_claims_tests.rs"]
mod tests;
