//! The token endpoint and what leads to it, by grant.

mod device;
mod on_behalf_of;
