//! The directory: what a tenant and everything in it may look like, and the invariants between them.
//!
//! Names follow Microsoft Graph where it has one, so a configuration file, the management API and these
//! types use one vocabulary.

pub mod address;
pub mod age;
pub mod application;
pub mod attribute;
pub mod check;
pub mod client;
pub mod condition;
pub mod consent;
pub mod credential;
pub mod difference;
pub mod flow;
pub mod group;
pub mod lifetimes;
pub mod loss;
pub mod provider;
pub mod registration;
pub mod session_lifetimes;
pub mod tenant;
pub mod terms;
pub mod tokens;
pub mod user;
pub mod ways;
