//! The authorization server as applications see it, over HTTP and by hand.

mod app;
mod assertions;
mod bearers;
mod codes;
mod cors;
mod demands;
mod device;
mod dpop;
mod dpop_attacks;
mod explain;
mod grants;
mod groups;
mod introspection;
mod lifetimes;
mod methods;
mod numbers;
mod on_behalf_of;
mod pushed;
mod repeated;
mod resource;
mod responses;
mod roles;
mod secrets;
mod subjects;
mod workloads;
pub(crate) mod world;
