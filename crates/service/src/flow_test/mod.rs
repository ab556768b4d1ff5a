//! Tests of user flows without a browser, a database or a network: scripted visitors go through the very
//! engine that the server runs, in a world in memory.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `shape` | what a file of tests may say |
//! | `suite` | from files to scenarios, or every problem with its line |
//! | `check` | names that lead nowhere, and steps that contradict themselves |
//! | `world` | the directory, the mailbox and the passwords of one visitor |
//! | `visitor` | one passage through a flow |
//! | `token` | what the app gets |
//! | `expect` | what was expected and what was shown, in words |

mod check;
mod expect;
mod names;
pub mod shape;
mod suite;
pub(crate) mod token;
mod visitor;
pub(crate) mod world;

use serde_json::Value;

pub(crate) use suite::is_called;
pub use suite::{Failure, Scenario, TestDocument, read};

/// The JSON Schema of a file of tests (draft 2020-12), for editors.
pub fn schema() -> Value {
    crate::directory::structure::schema_of::<shape::TestFile>()
}

/// Stands for `{origin}`, the server's own address, in issuers.
pub(crate) const ORIGIN: &str = "https://login.example";
