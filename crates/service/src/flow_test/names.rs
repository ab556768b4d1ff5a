//! Fields and attributes as a person writes them: by id, by the administrator's name, or by what a form
//! calls them.

use std::collections::BTreeSet;

use vestibule_rules::directory::attribute::{UserFlowAttribute, bare_name};
use vestibule_rules::journey::flow::Flow;

use crate::directory::resolve::attribute_id;
use crate::flow_chart;

/// Fields that are no attributes.
const OWN: [&str; 4] = ["username", "code", "password", "confirm-password"];

/// The names of one tenant and flow.
#[derive(Clone, Debug)]
pub(super) struct Names {
    attributes: Vec<UserFlowAttribute>,
    fields: BTreeSet<String>,
}

impl Names {
    pub(super) fn new(attributes: &[UserFlowAttribute], flow: &Flow) -> Self {
        let mut fields: BTreeSet<String> = OWN.iter().map(|name| (*name).to_owned()).collect();
        fields.extend(flow.fields.iter().map(|field| field.id.0.clone()));
        fields.extend(flow_chart::field_names(flow));
        Self { attributes: attributes.to_vec(), fields }
    }

    /// The name that the form has for a field or the directory for an attribute.
    pub(super) fn id(&self, written: &str) -> String {
        if self.fields.contains(written) {
            return written.to_owned();
        }
        attribute_id(&self.attributes, written).0
    }

    /// The shortest name by which a person knows a field.
    pub(super) fn plain<'n>(&'n self, id: &'n str) -> &'n str {
        let own = self.attributes.iter().find(|attribute| attribute.id.as_str() == id);
        own.map_or_else(|| bare_name(id).unwrap_or(id), |attribute| &attribute.display_name)
    }

    /// Whether a page of the flow can have the field.
    pub(super) fn is_field(&self, written: &str) -> bool {
        self.fields.contains(&self.id(written))
    }

    /// Every field in the words of people.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|id| self.plain(id))
    }

    /// Every custom attribute of the tenant.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|attribute| attribute.display_name.as_str())
    }

    /// Whether the tenant has the attribute, by its id.
    pub(super) fn is_own(&self, id: &str) -> bool {
        self.attributes.iter().any(|attribute| attribute.id.as_str() == id)
    }
}
