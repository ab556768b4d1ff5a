//! What applications ask the server for themselves, over HTTP and by hand.

mod assertions;
mod device;
mod introspection;
mod methods;
mod on_behalf_of;
mod roles;
mod secrets;
mod workloads;
pub(crate) mod world;
