//! Applications that register themselves, as applications, strangers and operators see it (security.md S91).

mod attacks;
mod command;
mod management;
mod signing_in;
mod targets;
pub(crate) mod world;
