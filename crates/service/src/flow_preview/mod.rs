//! Previews of user flows: a person walks through a flow in the engine that the server runs, with answers
//! invented for every question and a world in memory. Nothing is stored, sent or asked of anybody.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `passage` | one walk through the flow |
//! | `passages` | the walks that are under way |
//! | `invent` | an answer that fits a question |
//! | `pattern` | a text that fits an administrator's pattern |

mod invent;
mod passage;
mod passages;
mod pattern;
#[cfg(test)]
mod tests;

use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::directory::flow::UserFlow;
use vestibule_rules::directory::tenant::{Tenant, TenantConfig};
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::ProviderId;
use vestibule_rules::journey::flow::Flow;
use vestibule_store::Db;

pub use self::passage::{Ending, Note, Passage};
pub use self::passages::Passages;
use crate::directory::{ParsedTenant, drafts};
use crate::flow_test::is_called;

/// The flow that is previewed, with the tenant around it.
#[derive(Clone, Debug)]
pub struct Stage {
    name: String,
    config: TenantConfig,
    flow: Flow,
    /// The application whose token is shown: the first that the flow serves.
    app: Option<Application<PasswordCredential>>,
}

/// As whom somebody walks through the flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// Has no account and comes with an address.
    Newcomer,
    /// Has an account.
    Holder,
    /// Has no account and has just come back from this provider.
    Through(ProviderId),
}

/// An invented person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Person {
    /// The first name.
    pub given_name: &'static str,
    /// The last name.
    pub surname: &'static str,
    /// Both.
    pub name: &'static str,
    /// The mail address.
    pub address: &'static str,
}

const NEWCOMER: Person = Person {
    given_name: "Robin",
    surname: "Sample",
    name: "Robin Sample",
    address: "robin.sample@newcomer.example",
};
const HOLDER: Person = Person {
    given_name: "Alex",
    surname: "Example",
    name: "Alex Example",
    address: "alex.example@holder.example",
};

impl Who {
    /// The invented person.
    pub const fn person(&self) -> Person {
        match self {
            Self::Newcomer | Self::Through(_) => NEWCOMER,
            Self::Holder => HOLDER,
        }
    }
}

impl Stage {
    fn new(config: TenantConfig, flow: &UserFlow) -> Self {
        let resolved = Flow::resolve(&config, flow);
        let app = config.applications.iter().find(|app| flow.applications.contains(&app.app_id)).cloned();
        Self { name: flow.display_name.clone(), config, flow: resolved, app }
    }

    /// The flow's display name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The flow.
    pub const fn flow(&self) -> &Flow {
        &self.flow
    }

    /// The tenant, for the look of its pages.
    pub const fn tenant(&self) -> &Tenant {
        &self.config.tenant
    }

    /// Everybody who can walk through the flow, with the names of providers.
    pub fn visitors(&self) -> Vec<(Who, Option<&str>)> {
        let newcomer = self.flow.has_local().then_some((Who::Newcomer, None));
        let through = self.flow.providers().map(|(id, name)| (Who::Through(id.clone()), Some(name)));
        newcomer.into_iter().chain([(Who::Holder, None)]).chain(through).collect()
    }
}

/// The flows of a tenant file, or those that answer to `flow`.
pub fn of_file(tenant: &ParsedTenant, flow: Option<&str>) -> Vec<Stage> {
    let config = tenant.draft();
    let wanted = |f: &&UserFlow| flow.is_none_or(|name| is_called(f, name));
    config.user_flows.iter().filter(wanted).map(|flow| Stage::new(config.clone(), flow)).collect()
}

/// A flow as its draft in the directory says. The directory is only read.
///
/// `tenant` may be left out when only one tenant has such a draft. What does not exist is a
/// [`vestibule_rules::fault::Kind::Missing`] that names what does.
pub async fn of_draft(db: &Db, tenant: Option<&str>, flow: &str) -> Outcome<Stage> {
    let (config, flow) = drafts::find_draft(db, tenant, flow).await?;
    Ok(Stage::new(config, &flow))
}
