//! Tenants and their configuration.
//!
//! A tenant is written down as a file ([`shape`], [`file`]) and applied ([`apply`]); a management API changes
//! it piece by piece ([`change`]). Both take the same way: load what is stored, check what is wanted, compare,
//! write in one transaction, record who did it. The running server reads a [`snapshot`].
//! Flows can be written down before visitors get them ([`drafts`]) and go back to what they were ([`life`]).

pub mod apply;
pub mod change;
pub mod client_keys;
pub mod drafts;
pub mod file;
mod impact;
pub mod life;
mod plan;
pub(crate) mod resolve;
pub mod secret;
pub mod shape;
pub mod snapshot;
pub(crate) mod structure;
pub(crate) mod yaml;

pub use apply::{apply, apply_hits};
pub use change::{Actor, Author, change};
pub use file::{FileProblem, ParsedTenant, Source, parse};
pub use impact::Hit;
pub use plan::{Action, Change};
pub use secret::{MachineSecrets, SecretSource, StandInSecrets};
pub use secret::{ProviderSecret, open_application_secret, open_provider_secret};
pub use snapshot::{Directory, FlowVersion, Snapshot, TenantView};
pub use structure::schema;
pub use yaml::Mark;
