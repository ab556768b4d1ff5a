//! What tokens say beyond the protocol, for whom they are, and the groups that they speak of.

use std::collections::BTreeSet;

use super::{Findings, Place, attribute, lifetimes, unique};
use crate::directory::application::{Application, ClaimTarget, PasswordCredential};
use crate::directory::group::Group;
use crate::directory::tenant::TenantConfig;
use crate::directory::tokens::OptionalClaim;
use crate::ids::{AttributeId, ObjectId};
use crate::oauth::added_claims::OptionalName;
use crate::oauth::roles;

/// As in Graph.
const LONGEST_NAME: usize = 256;
const LONGEST_NICKNAME: usize = 64;

pub(super) fn check(
    config: &TenantConfig,
    app: &Application<PasswordCredential>,
    at: &Place,
    found: &mut Findings,
) {
    let settings = &app.settings.tokens;
    lifetimes::check(&settings.token_lifetimes, &at.key("tokenLifetimes"), found);
    for (key, asked, target) in [
        ("idToken", &settings.optional_claims.id_token, ClaimTarget::IdToken),
        ("accessToken", &settings.optional_claims.access_token, ClaimTarget::AccessToken),
    ] {
        let at = at.key("optionalClaims").key(key);
        for (i, claim) in asked.iter().enumerate() {
            optional(config, claim, &at.index(i), found);
            let renamed = |mapped: &&crate::directory::application::TokenClaim| {
                mapped.name == claim.name && mapped.tokens.contains(&target)
            };
            if app.token_claims.iter().any(|mapped| renamed(&mapped)) {
                let text =
                    format!("tokenClaims puts another value into “{}”; keep one of the two", claim.name);
                found.add(&at.index(i).key("name"), "5.4", text);
            }
        }
        let names = asked.iter().enumerate().map(|(i, claim)| (at.index(i).key("name"), claim.name.as_str()));
        unique(names, "5.4", "the claim", found);
    }
    assigned(config, app, &at.key("appRoleAssignedTo"), found);
}

fn optional(config: &TenantConfig, claim: &OptionalClaim, at: &Place, found: &mut Findings) {
    let known: Option<OptionalName> = OptionalName::parse(&claim.name);
    let properties = known.map_or(&[][..], OptionalName::properties);
    for (i, property) in claim.additional_properties.iter().enumerate() {
        if !properties.contains(&property.as_str()) {
            let text = format!("“{property}” is no property of the claim “{}”", claim.name);
            found.add(&at.key("additionalProperties").index(i), "5.4", text);
        }
    }
    match (known, claim.source.as_deref()) {
        (Some(OptionalName::TenantCtry), None) if config.tenant.country_letter_code.is_none() => {
            found.add(&at.key("name"), "5.4", "say the tenant's countryLetterCode first");
        }
        (Some(_), None) => {}
        (Some(_), Some(_)) => {
            found.add(&at.key("source"), "5.4", "only directory extensions have a source");
        }
        (None, Some(OptionalClaim::USER)) => {
            let id = AttributeId::new(claim.name.clone());
            let extension = config.user_flow_attributes.iter().any(|attribute| attribute.id == id);
            if !extension {
                found.add(&at.key("name"), "5.4", attribute::unknown(config, &id));
            }
        }
        (None, Some(other)) => {
            found.add(&at.key("source"), "5.4", format!("“{other}” is no source; there is only user"));
        }
        (None, None) => {
            let names: Vec<&str> = OptionalName::ALL.iter().map(|name| name.as_str()).collect();
            let text = format!(
                "there is no optional claim “{}”; there are {}, and directory extensions with the source user",
                claim.name,
                names.join(", ")
            );
            found.add(&at.key("name"), "5.4", text);
        }
    }
}

fn assigned(config: &TenantConfig, app: &Application<PasswordCredential>, at: &Place, found: &mut Findings) {
    let mut seen = BTreeSet::new();
    for (i, assigned) in app.settings.tokens.app_role_assigned_to.iter().enumerate() {
        let at = at.index(i);
        let id = ObjectId::parse(&assigned.group);
        if !config.groups.iter().any(|group| Some(group.id) == id) {
            found.add(&at.key("group"), "S66", format!("the tenant has no group “{}”", assigned.group));
        }
        if let Some(role) = &assigned.role
            && roles::offers_people(app, role).is_none()
        {
            let text = format!("there is no enabled app role “{role}” whose allowedMemberTypes has User");
            found.add(&at.key("role"), "S66", text);
        }
        if !seen.insert((&assigned.group, &assigned.role)) {
            found.add(&at, "S66", "this is written twice");
        }
    }
}

/// The groups of the tenant.
pub(super) fn groups(config: &TenantConfig, found: &mut Findings) {
    let list = Place::top("groups");
    for (i, group) in config.groups.iter().enumerate() {
        let at = list.index(i);
        if group.display_name.trim().is_empty() || group.display_name.chars().count() > LONGEST_NAME {
            let text = format!("a group needs a name of at most {LONGEST_NAME} characters");
            found.add(&at.key("displayName"), "3.11", text);
        }
        if !is_nickname(&group.mail_nickname) {
            let text = format!(
                "“{}” is no mail nickname: at most {LONGEST_NICKNAME} letters, digits and !#$%&'*+-/=?^_`{{|}}~.",
                group.mail_nickname
            );
            found.add(&at.key("mailNickname"), "3.11", text);
        }
    }
    let named = |key: &'static str, of: fn(&Group) -> String| {
        let all = config.groups.iter().enumerate();
        all.map(|(i, group)| (list.index(i).key(key), of(group))).collect::<Vec<_>>()
    };
    for (what, values) in [
        ("the display name", named("displayName", |group| group.display_name.clone())),
        ("the id", named("id", |group| group.id.to_string())),
        ("the mail nickname", named("mailNickname", |group| group.mail_nickname.clone())),
    ] {
        unique(values.iter().map(|(at, value)| (at.clone(), value.as_str())), "3.11", what, found);
    }
}

/// What can stand before the `@` of an address (RFC 5322 §3.2.3).
fn is_nickname(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    (1..=LONGEST_NICKNAME).contains(&text.len()) && text.bytes().all(good)
}
