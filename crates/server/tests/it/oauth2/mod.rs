//! What applications ask the server for themselves, over HTTP and by hand.

mod assertions;
mod introspection;
mod methods;
mod roles;
mod secrets;
mod workloads;
pub(crate) mod world;
