//! A flow as a graph of pages: found by visitors who try every way through it, so that a drawing shows what
//! the engine does and not what somebody believes it does. The words of a drawing are the caller's.

mod explore;

use std::collections::BTreeSet;

use vestibule_rules::directory::attribute::UserFlowAttribute;
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::journey::flow::Flow;
use vestibule_rules::journey::step::StepName;

use self::explore::{Explorer, Found};
use crate::directory::ParsedTenant;
use crate::flow_test::is_called;

/// A flow's pages and the ways between them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chart {
    /// The flow's display name.
    pub flow: String,
    /// The tenant's name.
    pub tenant: String,
    /// Names of the applications that it serves.
    pub applications: Vec<String>,
    /// The pages; those on which a visitor can begin come first.
    pub pages: Vec<Page>,
    /// The ways between them, in the order in which they were found.
    pub ways: Vec<Way>,
}

/// One page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// The step that it shows.
    pub step: StepName,
    /// The administrator's own heading.
    pub title: Option<String>,
    /// The provider's name, at the step that leads to it.
    pub provider: Option<String>,
    /// The attributes that it asks for.
    pub questions: Vec<Question>,
    /// Whether it asks for a new password.
    pub password: Password,
}

/// An attribute on a page.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Question {
    /// The attribute's name, or its id for a built-in one.
    pub name: String,
    /// Whether it must be answered.
    pub required: bool,
}

/// Whether a page asks for a new password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Password {
    /// It does not.
    Never,
    /// Only of those who came by their address and not by a provider.
    WithoutProvider,
    /// Of everybody.
    Always,
}

/// A way from one page to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Way {
    /// The index of the page that it leaves.
    pub from: usize,
    /// The index of the page that it leads to.
    pub to: usize,
    /// What the visitor does.
    pub deed: Deed,
    /// Who gets there, when the same deed leads others elsewhere.
    pub who: Option<Who>,
}

/// What a visitor does on a page.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Deed {
    /// Fills the page in, rightly, and sends it.
    Submit,
    /// Follows a link to another entrance; the name of the button.
    Link(&'static str),
    /// Chooses a provider; its name.
    Choose(String),
    /// Comes back from the provider with an address that it vouches for.
    Return,
    /// Comes back from the provider with an address that it does not vouch for.
    ReturnUnverified,
    /// The guardian answers: agrees, or refuses.
    Guardian(bool),
}

/// Which visitors a way is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Who has no account.
    Newcomer,
    /// Who has an account.
    Holder,
    /// Who has come from this provider before.
    Known,
}

/// The charts of a tenant's flows, or of those that answer to `flow`.
pub fn charts(tenant: &ParsedTenant, flow: Option<&str>) -> Vec<Chart> {
    let config = tenant.draft();
    let wanted = |f: &&_| flow.is_none_or(|name| is_called(f, name));
    config.user_flows.iter().filter(wanted).map(|flow| chart(&config, flow)).collect()
}

fn chart(config: &TenantConfig, flow: &vestibule_rules::directory::flow::UserFlow) -> Chart {
    let resolved = Flow::resolve(config, flow);
    let found = Explorer::new(&resolved).explore();
    let served = config.applications.iter().filter(|app| flow.applications.contains(&app.app_id));
    Chart {
        flow: flow.display_name.clone(),
        tenant: config.tenant.display_name.clone(),
        applications: served.map(|app| app.display_name.clone()).collect(),
        pages: found.pages(|id| plain(&config.user_flow_attributes, id)),
        ways: found.ways(),
    }
}

/// The name of a custom attribute, the id of a built-in one.
fn plain(attributes: &[UserFlowAttribute], id: &str) -> String {
    let own = attributes.iter().find(|attribute| attribute.id.as_str() == id);
    own.map_or(id, |attribute| &attribute.display_name).to_owned()
}

/// The names of all fields on the pages that can be reached.
pub(crate) fn field_names(flow: &Flow) -> BTreeSet<String> {
    let Found { fields, .. } = Explorer::new(flow).explore();
    fields
}
