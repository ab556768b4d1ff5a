//! Groups, and what is written by the names of groups and attributes and stored by their ids.

use vestibule_rules::directory::attribute::UserFlowAttribute;
use vestibule_rules::directory::group::Group;
use vestibule_rules::directory::tokens::{OptionalClaim, TokenSettings};
use vestibule_rules::ids::ObjectId;

use super::{Resolver, attribute_id};
use crate::directory::shape::GroupSection;

/// As many as a mail nickname may have.
const NICKNAME: usize = 64;

impl Resolver<'_> {
    pub(super) fn group(&mut self, section: &GroupSection) -> Group {
        let given = section.id.as_deref().and_then(ObjectId::parse);
        let folded = section.display_name.to_lowercase();
        let stored = self.stored.and_then(|s| {
            s.groups.iter().find(|group| match given {
                Some(id) => group.id == id,
                None => group.display_name.to_lowercase() == folded,
            })
        });
        let id = given
            .or_else(|| stored.map(|group| group.id))
            .unwrap_or_else(|| ObjectId::from_random(self.make.bytes()));
        let name =
            || section.display_name.chars().filter(char::is_ascii_alphanumeric).take(NICKNAME).collect();
        Group {
            id,
            display_name: section.display_name.clone(),
            description: section.description.clone(),
            mail_nickname: section.mail_nickname.clone().unwrap_or_else(name),
            security_enabled: section.security_enabled,
        }
    }
}

/// Puts ids in the place of names; what is not there keeps its name, for the checks to refuse.
pub(super) fn name_by_id(settings: &mut TokenSettings, groups: &[Group], attributes: &[UserFlowAttribute]) {
    for assigned in &mut settings.app_role_assigned_to {
        let folded = assigned.group.to_lowercase();
        let named = |group: &&Group| {
            group.display_name.to_lowercase() == folded || ObjectId::parse(&folded) == Some(group.id)
        };
        if let Some(group) = groups.iter().find(named) {
            assigned.group = group.id.to_string();
        }
    }
    let asked = &mut settings.optional_claims;
    for claim in asked.id_token.iter_mut().chain(&mut asked.access_token) {
        if claim.source.as_deref() == Some(OptionalClaim::USER) {
            claim.name = attribute_id(attributes, &claim.name).0;
        }
    }
}
